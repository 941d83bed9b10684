"""Measures a race: first that both sides compute the same, then their times in turns."""
import dataclasses
import statistics
import time

from .process import Peer, Trouble, idle_cores

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
            side = {"iteration": Iterations}[race.kind](self, race)
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


class Iterations:
    """The time of a block of outer iterations. blo: whole runs, from what the result says of the solver's own time; a run of no
    iterations, which has the same check at its end, is subtracted."""

    def __init__(self, bench, race):
        self.bench, self.race = bench, race
        self.value = self.run(race.steps)["upper"]["objective"]
        self.empty = statistics.median(self.run(0)["seconds"]["solve"] for _ in range(3))
        self.count, once = race.steps, 0.0
        while once < 0.2 * bench.slice:
            grown = self.count * max(2.0, min(100.0, bench.slice / max(once, 1e-6))) if once else self.count
            self.count = int(grown)
            once = self.run(self.count)["seconds"]["solve"] - self.empty
        self.count = max(1, int(self.count * bench.slice / once))

    def run(self, iterations):
        race, bench = self.race, self.bench
        command = bench.blo.command(race.model, race.method, race.precision, race.threads, iterations, race.sizes)
        result = bench.blo.run(command, bench.cores)
        if result["iterations"] != iterations:
            raise Trouble(f"{result['iterations']} of {iterations} iterations: {result['verdict']}")
        return result

    def ask(self, peer, **request):
        return self.bench.peer(peer, self.race).ask(case=self.race.peer_case, **request)

    def check(self, peer):
        """Both sides reach the same upper objective."""
        if self.race.peer_case.endswith("call by call"):
            return
        theirs = self.ask(peer, do="value", steps=self.race.steps)["value"]
        if not abs(theirs - self.value) <= SAME[self.race.precision] * max(1.0, abs(theirs)):
            raise Trouble(f"DIFFERENT: {self.value} here, {theirs} there after {self.race.steps} iterations")

    def ours(self):
        seconds = self.run(self.count)["seconds"]["solve"] - self.empty
        return self.race.block * seconds / self.count

    def theirs(self, peer):
        return self.ask(peer, do="time", seconds=self.bench.slice)["seconds"]
