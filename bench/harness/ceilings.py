"""What the machine can do: the measured ceilings that a roofline needs."""
import statistics

from .process import Peer, Trouble, idle_cores

HEAD = ["type", "threads", "product 1500³, Gflop/s", "read 5000 × 784, GB/s", "read 40000 × 784, GB/s"]


ROOFLINE = ["workload", "case", "type", "threads", "Gflop", "GB", "floor", "blo / floor", "peer / floor", "peer"]


def cells(found):
    """The table of the ceilings."""
    return [[precision, str(threads), f"{flops:.0f}", f"{near:.1f}", f"{far:.1f}"] for precision, threads, flops, near, far in found]


def roofline(findings, found):
    """For every race whose least work is known: the time that the machine needs for it at its measured ceilings, whichever of
    arithmetic and reading takes longer, and how far both sides are from it."""
    rates = {(precision, threads): (flops, near) for precision, threads, flops, near, _ in found}
    for finding in findings:
        race = finding.race
        rate = rates.get((race.precision, race.threads))
        if not (race.flops and rate and finding.ours):
            continue
        size = 8 if race.precision == "f64" else 4
        gflop, gb = race.flops / 1e9, race.words * size / 1e9
        floor = max(gflop / rate[0], gb / rate[1])
        ours, theirs = statistics.median(finding.ours), statistics.median(finding.theirs)
        shares = [f"{ours / floor:.2f}", f"{theirs / floor:.2f}"]
        name = [race.workload, race.case, race.precision, str(race.threads)]
        yield [*name, f"{gflop:.3g}", f"{gb:.3g}", f"{floor * 1e3:.3g} ms", *shares, finding.peer]


def rows(python):
    """Gflop/s and GB/s, best of five, for both precisions on one and two threads."""
    for precision, size in (("f64", 8), ("f32", 4)):
        for threads in (1, 2):
            peer = Peer(python, "numpy_peer.py", "machine", precision, threads, idle_cores(threads))
            try:
                best = lambda case: min(peer.ask(do="time", case=case, seconds=0.1)["seconds"] for _ in range(5))
                flops = 2 * 1500**3 / best("product") / 1e9
                near, far = (rows * 784 * size / best(case) / 1e9 for case, rows in (("read B", 5000), ("read far", 40000)))
                yield precision, threads, flops, near, far
            except Trouble as trouble:
                print(f"ceilings, {precision}, {threads} threads: {trouble}")
            finally:
                peer.close()
