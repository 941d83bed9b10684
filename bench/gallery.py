"""Every method with its default options on the two-level models of the gallery: how often it ends diverged or with values that are not
finite, how often its answer is feasible or solved, and how often its objective is within 1 % of the best feasible one that any method
found. Methods that do not fit a model are left out there. A model's own options do not count: `NAME(seed = 0)` leaves all to the method.
Prints the counts and every bad end, and writes them as a Markdown table."""
import argparse
import collections
import concurrent.futures
import json
import math
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
BLO = ROOT / "target/release/blo"

# Models that take long; `--slow` runs them too.
SLOW = {
    "adversarial", "architecture", "continual", "digits_cleaning", "distillation", "image_denoising", "label_learning", "meta_sine",
    "mlp_cleaning", "sparse_text", "svm",
}

BAD = {"diverged", "non_finite"}
FEASIBLE = {"feasible", "solved", "optimal"}


def all_methods():
    """The methods that the reference lists."""
    return re.findall(r"^## `(\w+)`", (ROOT / "docs/solvers.md").read_text(), re.MULTILINE)


def run(blo, model, method, seconds):
    """The result of one run; None where the method does not fit the model or the run gave no result."""
    written = "auto()" if method == "auto" else f"{method}(seed = 0)"
    command = [blo, "run", "--json", "--threads", "1", "--time-limit", str(seconds), "--method", written, str(model)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20 * seconds + 60)
        result = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None
    return result if "status" in result and result["termination"] != "refused" else None


def close(value, best):
    """Whether an objective is within 1 % of another."""
    return value is not None and math.isfinite(value) and abs(value - best) <= 0.01 * max(abs(best), 1e-3)


def is_maximised(model):
    """Whether the upper level maximises."""
    upper = model.read_text().partition("upper {")[2]
    first = re.search(r"^\s*(minimi[sz]e|maximi[sz]e)", upper, re.MULTILINE)
    return first is not None and first[1].startswith("max")


def count(models, methods, results):
    """Counts per method, and the bad ends as (method, model, termination)."""
    counts = {method: collections.Counter() for method in methods}
    bad = []
    for model in models:
        ran = {method: results[model, method] for method in methods if results[model, method] is not None}
        values = [r["upper"]["objective"] for r in ran.values() if r["status"] in FEASIBLE]
        values = [value for value in values if value is not None and math.isfinite(value)]
        best = (max if is_maximised(model) else min)(values, default=None)
        for method, result in ran.items():
            own, status = counts[method], result["status"]
            own["runs"] += 1
            own["feasible"] += status in FEASIBLE
            own["solved"] += status in ("solved", "optimal")
            own["close"] += best is not None and status in FEASIBLE and close(result["upper"]["objective"], best)
            if result["termination"] in BAD:
                own["bad"] += 1
                bad.append((method, model.stem, result["termination"]))
    return counts, bad


def table(counts, bad):
    """Both as Markdown."""
    lines = ["| method | runs | diverged or not finite | feasible | solved | within 1 % of the best |", "|---|---|---|---|---|---|"]
    for method, own in counts.items():
        if own["runs"]:
            cells = [own[key] for key in ("runs", "bad", "feasible", "solved", "close")]
            lines.append(f"| `{method}` | " + " | ".join(map(str, cells)) + " |")
    lines += ["", f"Bad ends: {len(bad)}.", ""]
    return "\n".join(lines + [f"- `{method}` on {model}: {end}" for method, model, end in sorted(bad)]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blo", default=str(BLO))
    parser.add_argument("--models", nargs="*", help="names of models; all but the slow ones without")
    parser.add_argument("--methods", nargs="*", help="names of methods; all without")
    parser.add_argument("--slow", action="store_true", help="the slow models too")
    parser.add_argument("--time-limit", type=float, default=1.0, help="seconds per run")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs at the same time")
    parser.add_argument("--out", type=pathlib.Path, help="file for the table")
    args = parser.parse_args()

    models = [path for path in sorted(EXAMPLES.glob("*.blo")) if re.search(r"\blower\b", path.read_text())]
    if args.models:
        models = [path for path in models if path.stem in args.models]
    elif not args.slow:
        models = [path for path in models if path.stem not in SLOW]
    methods = args.methods or all_methods()
    pairs = [(model, method) for model in models for method in methods]
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        found = pool.map(lambda pair: run(args.blo, *pair, args.time_limit), pairs)
        results = dict(zip(pairs, found))
    text = table(*count(models, methods, results))
    print(text, end="")
    if args.out:
        args.out.write_text(text)


if __name__ == "__main__":
    main()
