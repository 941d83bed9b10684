"""Measures a race: first that both sides compute the same, then their times in turns."""
import dataclasses
import json
import pathlib
import statistics
import time

from .process import BENCH, Peer, Trouble, idle_cores, whole

# Relative difference of the upper objectives that is still the same computation.
SAME = {"f64": 1e-6, "f32": 1e-3}


@dataclasses.dataclass
class Finding:
    """What a race of blo against one peer found: seconds, or MiB, of each round on both sides."""

    race: object
    peer: str
    goal: float
    ours: list = dataclasses.field(default_factory=list)
    theirs: list = dataclasses.field(default_factory=list)
    trouble: str = ""

    def ratios(self):
        return [a / b for a, b in zip(self.ours, self.theirs)]


class Bench:
    """The two sides, and the peers that are alive."""

    def __init__(self, blo, pythons, slice_seconds, rounds):
        self.blo, self.pythons, self.slice, self.rounds = blo, pythons, slice_seconds, rounds
        self.group, self.peers, self.cores = None, {}, set()

    def enter(self, race):
        """Peers live as long as workload, precision and threads stay the same."""
        group = (race.workload, race.precision, race.threads)
        if group != self.group:
            self.close()
            self.group, self.cores = group, idle_cores(race.threads)

    def peer(self, name, race):
        if name not in self.peers:
            python = self.pythons.get(name)
            if python is None:
                raise Trouble("not installed")
            self.peers[name] = Peer(python, f"{name}_peer.py", race.workload, race.precision, race.threads, self.cores)
        return self.peers[name]

    def close(self):
        for peer in self.peers.values():
            peer.close()
        self.group, self.peers = None, {}

    def race(self, race, deadline):
        """Findings, one for each peer."""
        self.enter(race)
        findings = [Finding(race, peer, goal) for peer, goal in race.goals.items()]
        try:
            side = SIDES[race.kind](self, race)
        except Trouble as trouble:
            for finding in findings:
                finding.trouble = f"blo: {trouble}"
            return findings
        alive = [finding for finding in findings if self.guarded(finding, lambda f: side.check(f.peer))]
        for number in range(self.rounds):
            if not alive or (number >= 3 and time.monotonic() > deadline):
                break
            ours = side.ours()
            for finding in list(alive):
                # Eager peers are slow; three rounds are enough to see by how much.
                if number >= 3 and finding.peer != "jax":
                    continue
                if self.guarded(finding, lambda f: f.theirs.append(side.theirs(f.peer))):
                    finding.ours.append(ours)
                else:
                    alive.remove(finding)
        return findings

    def guarded(self, finding, action):
        try:
            action(finding)
        except Trouble as trouble:
            finding.trouble = str(trouble)
        return not finding.trouble


def same(race, ours, theirs):
    """Refuses sides that do not compute the same."""
    if not abs(theirs - ours) <= SAME[race.precision] * max(1.0, abs(theirs)):
        raise Trouble(f"DIFFERENT: {ours} here, {theirs} there after {race.steps} iterations")


class Iterations:
    """The time of a block of outer iterations. blo: whole runs, from what the result says of the solver's own time; a run of no
    iterations, which has the same check at its end, is subtracted."""

    def __init__(self, bench, race):
        self.bench, self.race = bench, race
        self.value = self.run(race.steps)["upper"]["objective"]
        self.empty = statistics.median(self.solving(0) for _ in range(3))
        self.count, once = max(1, race.steps), 0.0
        while True:
            once = self.solving(self.count) - self.empty
            if once > 0.2 * bench.slice:
                break
            self.count *= int(max(2.0, min(100.0, bench.slice / max(once, 1e-6))))
        self.count = max(1, int(self.count * bench.slice / once))

    def run(self, iterations):
        race, bench = self.race, self.bench
        command = bench.blo.command(race.model, race.method, race.precision, race.threads, iterations, race.sizes)
        result = bench.blo.run(command, bench.cores)
        if result["iterations"] != iterations:
            raise Trouble(f"{result['iterations']} of {iterations} iterations: {result['verdict']}")
        return result

    def solving(self, iterations):
        """Seconds of the method, and of the check where the result does not tell them apart."""
        seconds = self.run(iterations)["seconds"]
        return seconds.get("parts", seconds)["solve"]

    def ask(self, peer, **request):
        return self.bench.peer(peer, self.race).ask(case=self.race.peer_case, **request)

    def check(self, peer):
        """Both sides reach the same upper objective."""
        if peer in self.race.other or self.race.peer_case.endswith("call by call"):
            return
        theirs = self.ask(peer, do="value", steps=self.race.steps)["value"]
        same(self.race, self.value, theirs)

    def ours(self):
        seconds = self.solving(self.count) - self.empty
        return self.race.block * seconds / self.count

    def theirs(self, peer):
        return self.ask(peer, do="time", seconds=self.bench.slice)["seconds"]


class Processes:
    """Fresh processes from start to result: wall time, or the peak memory of the process in MiB."""

    def __init__(self, bench, race):
        self.bench, self.race = bench, race
        self.which = 2 if race.kind == "memory" else 1
        steps = race.steps if race.kind == "memory" else None
        self.command = bench.blo.command(race.model, race.method, race.precision, race.threads, steps, race.sizes)
        # The peers keep no code from run to run either.
        self.command += ["--no-cache"] * bench.blo.has("--no-cache")
        self.value = json.loads(whole(self.command, bench.cores, good=(0, 1))[0])["upper"]["objective"]

    def peer_command(self, peer):
        python, race = self.bench.pythons.get(peer), self.race
        if python is None:
            raise Trouble("not installed")
        if race.kind == "process":
            return [python, "-W", "ignore", str(BENCH / f"peers/toy_{peer}.py")]
        once = f"{race.peer_case}:{race.steps}"
        script = str(BENCH / f"peers/{peer}_peer.py")
        return [python, "-W", "ignore", script, race.workload, race.precision, str(race.threads), "--once", once]

    def check(self, peer):
        theirs = float(whole(self.peer_command(peer), self.bench.cores)[0])
        same(self.race, self.value, theirs)

    def ours(self):
        return whole(self.command, self.bench.cores, good=(0, 1))[self.which]

    def theirs(self, peer):
        return whole(self.peer_command(peer), self.bench.cores)[self.which]


class Compiling:
    """From text to ready code, data not counted, beside the peer's tracing and compiling of what stands for it."""

    def __init__(self, bench, race):
        self.bench, self.race = bench, race
        self.command = bench.blo.command(race.model, race.method, race.precision, race.threads, 0, race.sizes)
        if bench.blo.has("--no-cache"):
            self.command += ["--no-cache"] * (race.kind == "compile")
        elif race.kind == "cached":
            raise Trouble("no cache in this version")
        self.ours()

    def check(self, peer):
        self.theirs(peer)

    def ours(self):
        return self.bench.blo.run(self.command, self.bench.cores)["seconds"]["compile"]

    def theirs(self, peer):
        return self.bench.peer(peer, self.race).ask(do="time", case=self.race.peer_case, seconds=0.1)["seconds"]


class Calls:
    """One call of a compiled quantity, by the program `evaluate` of bench/micro; beside the peer's, or beside another quantity."""

    def __init__(self, bench, race):
        self.bench, self.race = bench, race
        self.program = pathlib.Path(bench.blo.path).with_name("evaluate")
        if not self.program.exists():
            raise Trouble("not built: cargo build --release -p blo-micro")
        self.value = self.evaluate(race.quantity)[1]

    def evaluate(self, quantity):
        model = str(BENCH / "workloads" / self.race.model)
        sizes = [f"{name}={value}" for name, value in self.race.sizes.items()]
        command = [str(self.program), model, quantity, self.race.precision, str(self.bench.slice), *sizes]
        return [float(word) for word in whole(command, self.bench.cores)[0].split()]

    def ask(self, peer, **request):
        return self.bench.peer(peer, self.race).ask(case=self.race.peer_case, **request)

    def check(self, peer):
        if not self.race.base:
            same(self.race, self.value, self.ask(peer, do="value", steps=0)["value"])

    def ours(self):
        return self.evaluate(self.race.quantity)[0]

    def theirs(self, peer):
        if self.race.base:
            return self.evaluate(self.race.base)[0]
        return self.ask(peer, do="time", seconds=self.bench.slice)["seconds"]


SIDES = {"call": Calls, "iteration": Iterations, "process": Processes, "memory": Processes, "compile": Compiling, "cached": Compiling}
