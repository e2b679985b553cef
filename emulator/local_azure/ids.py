"""One seeded source of identifiers and secrets, so that a run can be repeated to the byte."""

import random
import string
import uuid

SECRET_ALPHABET = string.ascii_letters + string.digits + "~._-"
"""Characters of Graph's ``secretText`` (recorded answers show letters, digits and these four)."""
_FIRST = (*range(1, len(SECRET_ALPHABET) - 1), len(SECRET_ALPHABET) * 0.975, len(SECRET_ALPHABET))
"""Cumulative weights of a password's first character: about one password in forty begins with a hyphen."""
_BASE64 = string.ascii_letters + string.digits + "+/"


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
        """Return a password as Graph makes one: 40 characters, the fourth to sixth of them ``8Q~``.

        Some begin with a hyphen, as real ones do: ``az login --password=SECRET``, never as a word of its own.
        """
        drawn = self._random.choices(SECRET_ALPHABET, cum_weights=_FIRST)
        drawn += self._random.choices(SECRET_ALPHABET, k=length - 1)
        return f"{''.join(drawn[:3])}8Q~{''.join(drawn[6:])}"

    def registry_secret(self) -> str:
        """Return a password as Container Registry makes one for an admin user or a token.

        52 characters of Base64, with the mark that secret scanners look for (Microsoft's security-utilities,
        SEC101/176).
        """
        drawn = "".join(self._random.choices(_BASE64, k=52))
        return f"{drawn[:42]}+ACR{'ABCD'[_BASE64.index(drawn[46]) % 4]}{drawn[47:]}"

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
