"""Whole-process times and the time of one BOME iteration, blo beside a fresh Python + JAX process, as ratios of one run."""
import argparse
import json
import pathlib
import statistics
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent


def wall(command, repeats):
    """Median wall time of a command in seconds, after one warm-up, and what it printed last."""
    times, out = [], ""
    for k in range(repeats + 1):
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if k:
            times.append(time.perf_counter() - began)
        if done.returncode not in (0, 1):
            raise SystemExit(f"{command} ended with {done.returncode}:\n{done.stderr}")
        out = done.stdout
    return statistics.median(times), out


def iteration_micros(blo, model):
    """Time of one iteration from two run lengths, so that start and checks cancel."""
    seconds = {}
    for steps in (1_000, 101_000):
        runs = []
        for _ in range(5):
            out = subprocess.run([blo, "run", "--json", "--iterations", str(steps), model], capture_output=True, text=True)
            runs.append(json.loads(out.stdout)["seconds"]["solve"])
        seconds[steps] = statistics.median(runs)
    return (seconds[101_000] - seconds[1_000]) / 100_000 * 1e6


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--blo", default=str(ROOT / "target/release/blo"))
    parser.add_argument("--peer", help="a Python with JAX")
    parser.add_argument("--repeats", type=int, default=11)
    args = parser.parse_args()

    toy = str(HERE / "toy_bome.blo")
    check, _ = wall([args.blo, "check", str(HERE / "thirty_lines.blo")], args.repeats)
    run, _ = wall([args.blo, "run", "--json", toy], args.repeats)
    micros = iteration_micros(args.blo, toy)
    print(f"blo check, 30 lines, whole process    {check * 1e3:9.2f} ms")
    print(f"blo run toy, whole process            {run * 1e3:9.2f} ms")
    print(f"blo, one BOME iteration               {micros:9.3f} us")
    if args.peer:
        fresh, out = wall([args.peer, str(HERE / "peers/jax_toy.py"), "1000"], min(args.repeats, 5))
        peer = json.loads(out)["micros_per_iteration"]
        print(f"python + JAX toy, whole process       {fresh * 1e3:9.2f} ms   blo / JAX = {run / fresh:.4f}")
        print(f"JAX, one BOME iteration in one jit    {peer:9.3f} us   blo / JAX = {micros / peer:.3f}")


main()
