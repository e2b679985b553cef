"""One round: a scene, some commands with disturbances, the truth after each, and convergence in the end."""

import json
import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.leaks import files, found
from tests.soak import invariants, plot, scene
from tests.soak.conduct import conduct
from tests.soak.counts import Counts
from tests.soak.emulated import Emulated
from tests.soak.invariants import CLAIMS, Claim, Memory
from tests.soak.malformed import Fuzzer
from tests.soak.people import Ledger, People, mend
from tests.soak.process import Run
from tests.soak.proxy import Proxies
from tests.soak.scene import JOB, NAME, Scene
from tests.soak.script import Script, Seen, damaged
from tests.soak.truth import KEY_ID, Truth, read

RUNS = 3
"""Most runs until rest after the end of all faults, with the waits between them."""
DAY = 86_400
INPUTS = 6
"""Malformed inputs at the end of each round."""
SIGNALLED = (130, 143)
FORBIDDEN = ("addPassword", "/secrets/", "containerGroups/", "roleAssignments/")
"""Requests that no run of rotate or deploy may send after a revocation."""
CRASHES = ("Traceback (most recent call last)", "a bug in rotator")


@dataclass
class Story:
    """One round, made from a seed. `problems` are its violations in the order of discovery."""

    seed: int
    directory: Path
    counts: Counts = field(default_factory=Counts)
    trace: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    excused: list[str] = field(default_factory=list)
    active: list[Run] = field(default_factory=list)

    def play(self) -> None:
        """Play the round, from an empty directory to convergence."""
        self.rng = random.Random(self.seed)
        self.azure = Emulated(self.directory / "azure", self.rng.choice(("prompt", "prompt", "quick")))
        self.azure.start()
        try:
            self._set_up()
            self._steps()
            self._rest()
            self._fuzz()
        finally:
            for run in self.active:
                run.kill("at the end")
            self.azure.stop()
            self.proxies.close()
        self.counts.rounds += 1
        self.counts.violations += len(self.problems)
        if not self.problems:
            shutil.rmtree(self.directory)

    def _set_up(self) -> None:
        path = self.directory / "run"
        path.mkdir()
        self.proxies = Proxies(self.azure.running["port"], self.azure.certificate, path / "bundle.pem")
        self.scene: Scene = scene.choose(self.azure, path, self.rng)
        scene.make(self.scene)
        self.exports = self.azure.exports()
        self.people = People(self.scene, random.Random(self.rng.random()), Ledger())
        self.memory = Memory(self.scene, self.people.ledger)
        if self.azure.timing != "prompt":
            time.sleep(2.5)
        bare = ", bare" * self.scene.bare
        self.tell(
            f"scene: {self.azure.timing}{bare}, {self.scene.groups}, {self.scene.home}, {self.scene.rotation},"
            f" {self.scene.proof}"
        )
        self.check(self.look())

    def tell(self, line: str) -> None:
        self.trace.append(line)

    def look(self) -> Truth:
        dump = self.azure.dump()
        if self.scene.bare and scene.found(self.scene, dump) > 1:
            self.blame("provision made two applications of one name", "at rest")
        truth = read(dump, self.scene)
        self.memory.remember(truth)
        return truth

    def check(self, truth: Truth, *, at_work: int = 0, where: str = "at rest") -> None:
        """Record each new violation."""
        self.counts.looks += 1
        for problem in invariants.violations(self.memory, truth, at_work=at_work):
            self.blame(problem, where)

    def blame(self, problem: str, where: str) -> None:
        if problem in self.problems or problem in self.excused:
            return
        if self.blind:
            self.excused.append(problem)
            self.tell(f"  excused, for a write slept through its check: {problem} ({where})")
            return
        self.problems.append(problem)
        self.tell(f"  VIOLATION {problem} ({where})")

    @property
    def blind(self) -> bool:
        """Tell if a command sent a write after a suspension since its check, and no run has had the time to repair the
        damage.
        """
        return self._blind

    _blind: bool = False

    # steps

    def _steps(self) -> None:
        provision = ("provision", NAME, "--yes")
        by_hand = (
            ("rotate", NAME, "--adopt"),
            ("rotate", NAME, "--adopt", "--no-overlap"),
            ("rotate", NAME),
            provision,
        )
        several: list[list[tuple[str, ...]]] = (
            [[provision] * self.rng.randint(1, 2)] * self.rng.randint(1, 3)
            if self.scene.bare
            else [[self.rng.choice(by_hand)]]
        )
        for first in several:
            self.commands(first, calm=self.rng.random() < 0.3)
        for _ in range(self.rng.randint(2, 5)):
            chance = self.rng.random()
            if chance < 0.3:
                self.meddle()
            if 0.2 < chance < 0.75:
                self.wait(self.rng.choice((600, 3700, 25 * 3600, 25 * 3600, 2.1 * DAY, 61 * DAY)))
            two = self.rng.random() < 0.35
            self.commands([plot.command(self.rng, job=self.scene.job) for _ in range(1 + two)], calm=False)

    def meddle(self) -> None:
        self.people.racing = False
        self.tell(f"people: {self.people.act()}")
        self.counts.interventions += 1
        self.check(self.look())

    def wait(self, seconds: float) -> None:
        self.tell(f"{seconds:.0f} s pass")
        self.azure.advance(seconds)

    def commands(self, several: list[tuple[str, ...]], *, calm: bool) -> list[Run]:
        """Run one command, or two at once, to the end of each; and look."""
        before = self.look()
        self.people.ledger.edited.clear()
        self.people.racing = True
        runs = [self._prepared(arguments, calm=calm, two=len(several) > 1) for arguments in several]
        self.active = runs
        self.azure.jumped = lambda seconds: _jumped(runs, seconds)
        self._told(several)
        if not calm and self.rng.random() < 0.35:
            self.tell(f"fault: {plot.fault(self.azure, self.rng)}")
        struck, did = len(self.azure.struck()), len(self.people.ledger.did)
        for number, run in enumerate(runs):
            self.counts.commands += 1
            run.begin(self.scene, self.proxies, self.exports, number if self.rng.random() < 0.7 else 0)
            if number == 0 and len(runs) > 1:
                time.sleep(self.rng.uniform(0, 2.5))
        codes = [run.end() for run in runs]
        self.counts.faults += len(self.azure.struck()) - struck
        self.azure.heal()
        alone = len(runs) == 1 and len(self.people.ledger.did) == did
        self._settle(before, list(zip(runs, codes, strict=True)), alone=alone)
        return runs

    def _prepared(self, arguments: tuple[str, ...], *, calm: bool, two: bool = False) -> Run:
        script = Script() if calm else Script(damage=damaged(self.rng) if self.rng.random() < 0.5 else {})
        run = Run(
            arguments,
            script,
            self.scene.path / f"output{len(self.trace)}-{self.counts.commands}-{self.rng.randint(0, 9999)}",
        )
        script.look = lambda seen: self._during(run, seen)
        happens = "nothing" if calm else plot.disturb(run, self.azure, self.rng, self._people_event, two=two)
        self.tell(f"$ rotator {' '.join(arguments)}   [{happens}; damage {script.damage or 'none'}]")
        return run

    def _people_event(self, seen: Seen) -> bool:
        self.tell(f"  people at {seen}: {self.people.act()}")
        self.counts.interventions += 1
        return False

    def _told(self, several: list[tuple[str, ...]]) -> None:
        """Record the effects that commands may have from now on."""
        for arguments in several:
            self.memory.commands.append(arguments[0])
            self.memory.commands += ["compromised"] * ("--compromised" in arguments)
            self.memory.taken |= "--credentials" in arguments
        self.memory.commands += ["two at once"] * (len(several) > 1)

    def _during(self, run: Run, seen: Seen) -> None:
        self._slept(run)
        truth = self.look()
        self.check(truth, at_work=2, where=f"after {seen}")
        if len(run.script.seen) % 3 == 0:
            self._moved(truth)

    def _slept(self, run: Run) -> None:
        """Excuse the damage of a checked write after a suspension longer than its protection."""
        most = min(3600 if self.scene.rotation.get("overlap") == "1h" else DAY, DAY)
        self._blind |= any(span >= most for span, _ in run.script.blind)

    def _settle(self, before: Truth, ended: list[tuple[Run, int]], *, alone: bool) -> None:
        after = self.look()
        for run, code in ended:
            self._slept(run)
            self._count(run)
            happened = "; ".join([*run.fate, *run.script.struck]) or "undisturbed"
            self.tell(f"  ends with {code} after {run.seconds:.0f} s; {len(run.script.seen)} requests; {happened}")
            for problem in (*self._ending(run, code, before), *conduct(run, before, after, alone=alone)):
                self.blame(problem, " ".join(run.arguments))
        self.check(after)
        if alone:
            run, code = ended[0]
            edited = {JOB} if run.arguments[0] in ("deploy", "provision") else set()
            for problem in invariants.settings(before, after, edited):
                self.blame(problem, " ".join(run.arguments))
            if code == 0 and (claims := CLAIMS.get(run.arguments[0])):
                for problem in claims(Claim(run.arguments, before, after, self.scene.principal)):
                    self.blame(problem, " ".join(run.arguments))
        self._secrets(after)
        self._moved(after)

    def _count(self, run: Run) -> None:
        self.counts.kills += sum(each.startswith("SIGKILL") for each in run.fate)
        self.counts.signals += sum(each.startswith(("SIGTERM", "SIGINT")) for each in run.fate)
        self.counts.suspensions += sum(each.startswith("SIGSTOP") for each in run.fate)
        self.counts.damaged_answers += len(run.script.struck)
        self.counts.blind_writes += len(run.script.blind)

    def _ending(self, run: Run, code: int, before: Truth) -> Iterator[str]:
        """Yield violations in the output, exit code and requests of one run."""
        said, verb = run.said, run.arguments[0]
        yield from (f"{crash!r} in the output of {verb}" for crash in CRASHES if crash in said)
        allowed = {0, 1, 3, 4, *([5] if "--exit-code" in run.arguments else []), *([2] if not self.scene.named else [])}
        if any(each.startswith("SIGKILL") for each in run.fate):
            allowed |= {-9}
        if any(each.startswith(("SIGTERM", "SIGINT")) for each in run.fate):
            allowed |= {*SIGNALLED, -2, -15}
        if code not in allowed:
            yield f"{verb} ends with {code}: {said[-300:]}"
        if verb in plot.READS and (wrote := [str(each) for each in run.script.writes()]):
            yield f"I9: {verb} wrote: {wrote}"
        if verb in ("rotate", "deploy") and before.mark == "revoked":
            wrote = [
                str(each)
                for each in run.script.writes()
                if any(word in each.path for word in FORBIDDEN) and each.method in ("PUT", "POST")
            ]
            if wrote and "two at once" not in self.memory.commands[-1:]:
                yield f"I8: {verb} wrote after a revocation: {wrote}"

    def _secrets(self, truth: Truth) -> None:
        """Check I7: no secret is in any output or file of the run."""
        known = {*truth.secrets, *self.memory.passwords} - {"rubbish that somebody typed"}
        for name in found(known, files(self.scene.path)):
            self.blame(f"I7: a secret is in {Path(name).name}", "files")

    def _moved(self, truth: Truth) -> None:
        """Check I1 by moved hosts, and I2 by sign-ins: a value valid in the dump must work."""
        role = any(each.endswith(f" {self.scene.principal}") for each in truth.roles - truth.lagging)
        values = {group.password for group in truth.groups.values()} | ({truth.newest.value} if truth.newest else set())
        for value in values:
            password = truth.of(value)
            if password is None or password.gone or password.end <= truth.now or password.everywhere > truth.now:
                continue
            if not all(self.azure.sign_in(self.scene.app_id, value) for _ in range(3)):
                self.blame(f"I1: Entra refuses {password.key_id}, which the dump calls good", "at rest")
        for group in truth.groups.values():
            password = truth.of(group.password)
            good = password and not password.gone and password.end > truth.now and password.everywhere <= truth.now
            if good and role and group.running and not self.azure.moves(self.scene.group_id(group.name)):
                self.blame(f"I1: {group.name} can't be moved", "at rest")

    def _fuzz(self) -> None:
        """Try malformed input, in a world at rest."""
        fuzzer = Fuzzer(self.scene, self.exports, random.Random(self.rng.random()))
        for problem in fuzzer.problems(INPUTS):
            self.blame(problem, "malformed input")
        self.counts.fuzzed_inputs += INPUTS
        self._secrets(self.look())

    # rest

    def _rest(self) -> None:
        """Check I10: without faults, and after a person did what rotator asks, at most three runs with their waits
        converge.
        """
        left = mend(self.people)
        self.wait(120)
        self.tell("rest")
        if self.look().mark == "revoked":
            self._calmly("grant", NAME)
        if self.scene.bare:
            self._provisioned()
        for number in range(RUNS):
            if self.scene.job and number < RUNS - 1:
                self._calmly("deploy", NAME, JOB)
                self.wait(300)
            newest = self.look().newest
            code, due = self._rotated(*["--accept-drift"] * (newest is None or KEY_ID not in newest.tags))
            while left:
                self._calmly("deploy", NAME, left.pop())
            if self._still(code):
                break
            self.wait(self._until(due))
        self._blind = False
        self.counts.excused += len(self.excused)
        self.excused.clear()
        self._judge()

    def _provisioned(self) -> None:
        for _ in range(RUNS):
            if self._calmly("provision", NAME, "--yes")[0] == 0:
                return
        if not self.scene.named:
            self.blame(f"I10: after {RUNS} runs of provision the policy has no app id", "rest")

    def _calmly(self, *arguments: str) -> tuple[int, str]:
        (run,) = self.commands([arguments], calm=True)
        assert run.process
        return run.process.returncode, run.output.with_suffix(".out").read_text()

    def _rotated(self, *options: str) -> tuple[int, str | None]:
        code, out = self._calmly("rotate", NAME, "--output", "json", *options)
        try:
            policies = json.loads(out).get("policies") or [{}]
        except ValueError:
            self.blame("the output of rotate is no JSON", "rest")
            return code, None
        return code, policies[0].get("next_due")

    def _until(self, due: str | None) -> float:
        """Return the wait before the next run: until its next due step, if soon."""
        wait = (datetime.fromisoformat(due) - self.look().now).total_seconds() if due else 25 * 3600
        return max(wait + 60, 3600) if wait < 8 * DAY else 25 * 3600

    def _still(self, code: int) -> bool:
        return code == 0 and not self._left(self.look())

    def _left(self, truth: Truth) -> list[str]:
        """Return the differences from a converged world."""
        newest, left = truth.newest, list[str]()
        current = truth.of(newest.value) if newest else None
        if newest is None or current is None or current.gone or KEY_ID not in newest.tags:
            return ["the newest version isn't a live one of ours"]
        held = {group.password for group in truth.groups.values() if not group.running}
        for each in truth.live(self.scene.app_id):
            if each.ours and each.key_id != current.key_id and each.value not in held:
                left.append(f"{each.key_id} ({each.name}) is still there")
        foreign = any(not each.ours for each in truth.live(self.scene.app_id))
        for group in truth.groups.values():
            holds = truth.of(group.password)
            if foreign and KEY_ID not in group.tags:
                continue  # without a key id in its tags the group may hold the foreign one
            if group.running and (holds is None or holds.gone or (holds.ours and holds.key_id != current.key_id)):
                left.append(f"{group.name} doesn't hold the current password")
        return left

    def _judge(self) -> None:
        truth = self.look()
        self.check(truth)
        for each in self._left(truth):
            self.blame(f"I10: after {RUNS} runs {each}", "rest")
        (run,) = self.commands([("rotate", NAME)], calm=True)
        assert run.process
        if run.process.returncode != 0:
            self.blame(f"I10: one more run ends with {run.process.returncode}: {run.said[-400:]}", "rest")
        if wrote := [str(each) for each in run.script.writes()]:
            self.blame(f"I10: one more run writes: {wrote}", "rest")


def _jumped(runs: list[Run], seconds: float) -> None:
    """Record a jump of Azure's time for the running commands."""
    for run in runs:
        run.script.asleep = max(run.script.asleep, seconds)
