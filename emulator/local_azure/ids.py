"""One seeded source of identifiers and secrets, so that a run can be repeated to the byte."""

import random
import string
import uuid

SECRET_ALPHABET = string.ascii_letters + string.digits + "~._-"
"""What Graph draws ``secretText`` from (recorded answers show letters, digits and these four)."""


class Ids:
    """Deterministic GUIDs, secrets and tokens: same seed, same sequence."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def guid(self) -> str:
        """A version-4 GUID in lower case, as object, key and request ids are."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def hex(self, digits: int = 32) -> str:
        """`digits` hexadecimal digits, as secret versions (32) and digests (64) are."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def secret(self, length: int = 40) -> str:
        """A password as Graph makes one: 40 characters, the fourth to seventh of them ``8Q~`` in real ones.

        Some begin with a hyphen, as real ones do: ``az login --password=SECRET``, never as a word of its own.
        """
        drawn = "".join(self._random.choices(SECRET_ALPHABET, k=length))
        return f"{drawn[:3]}8Q~{drawn[6:]}"

    def fraction(self) -> float:
        """Return a number from 0 up to 1, for delays different from each other but repeatable."""
        return self._random.random()

    @property
    def position(self) -> tuple[object, ...]:
        """Return the position in the sequence; :meth:`resume` continues the sequence from the position."""
        return self._random.getstate()

    def resume(self, position: tuple[object, ...]) -> None:
        """Continue from a :attr:`position`, also after a save as JSON.

        Raises TypeError or ValueError for an invalid position.
        """
        version, drawn, gauss = position
        if not isinstance(drawn, list | tuple):
            raise TypeError("the position of a random source has a tuple of words")
        self._random.setstate((version, tuple(drawn), gauss))
