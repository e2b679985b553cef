"""World with scripted answers: each question gets its answers in turn, the last one for ever, and is recorded."""

from dataclasses import replace
from typing import Any

from rotator.engine import Journal, Run
from rotator.policy import Policy


class Answering:
    """Scripted answers in front of a World, which answers the other questions."""

    def __init__(self, world: Any, **answers: Any) -> None:
        """Take for each method an answer, or a list of them; an exception is raised."""
        self._world = world
        self._answers = {name: list(given) if isinstance(given, list) else [given] for name, given in answers.items()}
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        """Each question with its arguments, apart from the policy."""
        self.ways: list[dict[str, Any]] = []
        """Keyword arguments of each question."""

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._world, name)
        if name == "moment" or not callable(real):
            return real
        if name == "waive":
            return lambda write: self.asked.append((name, (write,)))

        async def call(*args: Any, **how: Any) -> Any:
            self.asked.append((name, args[1:] if args and isinstance(args[0], Policy) else args))
            self.ways.append(how)
            given = self._answers.get(name)
            if given is None:
                return await real(*args, **how)
            answer = given.pop(0) if len(given) > 1 else given[0]
            if isinstance(answer, Exception):
                raise _another(answer)
            return answer

        return call

    @property
    def questions(self) -> list[str]:
        """Names of the questions, in order."""
        return [name for name, _ in self.asked]


def fresh_run(at: Any, world: Any, policy: Policy) -> Run:
    """Return the run of a scene that asks `world`, has made no look yet and sends events to the scene."""
    run: Run = at.run
    return replace(run, world=world, policy=policy, latest=[], journal=Journal(at.made.events.append, "policy"))


def _another(error: Exception) -> Exception:
    """Return a copy of an error: a test that catches one may change it, and later tests need the original."""
    made: Exception = type(error).__new__(type(error), *error.args)
    made.__dict__.update(error.__dict__)
    return made
