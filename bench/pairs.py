"""Solve times of each pair of models in compiler/tests/cases/pairs: the form with indices beside the form on whole arrays, run
alternately. Printed are the medians, their ratio, and the ratio of the median processor times of the whole runs; both forms compile to
one graph, so the ratios should be 1. On a machine that does other work the processor times say more."""
import argparse
import json
import os
import pathlib
import statistics
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
PAIRS = ROOT / "compiler/tests/cases/pairs"

# Sizes at which a run takes long enough to be timed.
SIZES = {
    "batch_matmul": {"t": 16, "n": 100, "d": 60, "k": 20},
    "bilinear_form": {"n": 600},
    "group_norm": {"n": 400, "g": 40, "s": 10},
    "kernel_ridge": {"n": 300, "d": 10},
    "logistic_regression": {"n": 4000, "d": 50},
    "logsumexp_rows": {"n": 800, "m": 300},
    "meta_learning": {"tasks": 12, "n": 60, "d": 30, "k": 5},
    "network": {"n": 2000, "d": 50, "h": 64},
    "outer_product": {"n": 500, "m": 400},
    "pairwise_distances": {"n": 300, "d": 3},
    "ridge": {"n": 4000, "d": 60},
    "smoothing": {"n": 20000},
    "softmax_regression": {"n": 4000, "d": 60, "k": 10},
    "trace": {"n": 300},
    "variance": {"n": 4000, "d": 60},
    "weighted_loss": {"n": 4000, "d": 40},
}


def solve_seconds(blo, model, sizes, steps):
    """The time that the solver took, from its own result; the processor time of the process; the objective."""
    options = [part for name, size in sizes.items() for part in ("--set", f"{name}={size}")]
    command = [blo, "run", "--json", "--iterations", str(steps), *options, str(model)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    out = run.stdout.read()
    _, status, usage = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {run.returncode}")
    result = json.loads(out)
    return result["seconds"]["solve"], usage.ru_utime + usage.ru_stime, result["upper"]["objective"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--blo", default=str(ROOT / "target/release/blo"))
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--steps", type=int, default=20)
    args = parser.parse_args()
    names = sorted(path.name.removesuffix(".array.blo") for path in PAIRS.glob("*.array.blo"))
    print(f"{'pair':22} {'indices, ms':>12} {'arrays, ms':>12} {'ratio':>8} {'of cpu':>8}")
    for name in names:
        times = {"comprehension": [], "array": []}
        cpu = {"comprehension": [], "array": []}
        objectives = {}
        for k in range(args.repeats + 1):
            for form in times:
                model = PAIRS / f"{name}.{form}.blo"
                solve, used, objectives[form] = solve_seconds(args.blo, model, SIZES.get(name, {}), args.steps)
                if k:
                    times[form].append(solve)
                    cpu[form].append(used)
        with_indices, arrays = (statistics.median(seconds) for seconds in times.values())
        cpu_indices, cpu_arrays = (statistics.median(seconds) for seconds in cpu.values())
        ratios = f"{with_indices / arrays:8.3f} {cpu_indices / cpu_arrays:8.3f}"
        # The terms of sums may be added in another order, so the last digits may differ.
        left, right = objectives.values()
        same = "" if abs(left - right) <= 1e-9 * max(1, abs(right)) else f"  objectives {left} and {right}"
        print(f"{name:22} {with_indices * 1e3:12.2f} {arrays * 1e3:12.2f} {ratios}{same}", flush=True)


main()
