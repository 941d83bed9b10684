"""What the machine can do: the measured ceilings that a roofline needs."""
from .process import Peer, Trouble, idle_cores

HEAD = ["type", "threads", "product 1500³, Gflop/s", "read 5000 × 784, GB/s", "read 40000 × 784, GB/s"]


def rows(python):
    """The cells, best of five, for both precisions on one and two threads."""
    for precision, size in (("f64", 8), ("f32", 4)):
        for threads in (1, 2):
            peer = Peer(python, "numpy_peer.py", "machine", precision, threads, idle_cores(threads))
            try:
                best = lambda case: min(peer.ask(do="time", case=case, seconds=0.1)["seconds"] for _ in range(5))
                flops = 2 * 1500**3 / best("product") / 1e9
                near, far = (rows * 784 * size / best(case) / 1e9 for case, rows in (("read B", 5000), ("read far", 40000)))
                yield [precision, str(threads), f"{flops:.0f}", f"{near:.1f}", f"{far:.1f}"]
            except Trouble as trouble:
                yield [precision, str(threads), str(trouble), "", ""]
            finally:
                peer.close()
