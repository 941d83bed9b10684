"""The rows of docs/results.md: every method with its options on the models of the published experiments, one run each.

    cargo build --release -p blo
    python3 bench/results.py            # everything
    python3 bench/results.py digits     # one table
    python3 bench/results.py digits bome,meha

A row of the printed table can be repeated alone: `blo run MODEL --method 'METHOD(OPTIONS)'`. Seconds are those of the solver
and the check after it, as seen, on whatever else the machine does meanwhile."""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLO = ROOT / "target/release/blo"


# name: (model, further arguments, reports, rows)
TABLES = {
    "digits": (
        "examples/digits_cleaning.blo",
        ["--threads", "1"],
        ["accuracy", "f1"],
        [
            "rhg(steps=100, upper_step=0.1, upper_rule=adam, lower_step=1, lower_steps=100)",
            "rhg(steps=100, upper_step=0.1, upper_rule=adam, lower_step=1, lower_steps=100, truncate=20)",
            "bda(steps=100, upper_step=0.1, upper_rule=adam, lower_step=1, lower_steps=100)",
            "iaptt(steps=100, upper_step=0.1, upper_rule=adam, lower_step=1)",
            "darts(steps=1000, upper_step=0.05, upper_rule=adam)",
            "cg(steps=200, upper_step=100, lower_step=1, lower_rule=nesterov, cg_steps=10)",
            "neumann(steps=200, upper_step=0.1, upper_rule=adam, lower_step=1, terms=20)",
            "fixed_point(steps=200, upper_step=0.1, upper_rule=adam, lower_step=1, adjoint_steps=20)",
            "hoag(steps=100)",
            "shine(steps=100, upper_step=0.1, upper_rule=adam)",
            "nested(steps=50)",
            "bome(steps=1000, upper_step=1000, lower_step=1)",
            "meha(steps=1000, upper_step=1000, c=100)",
            "vpbgd(steps=1000, upper_step=1000, lower_step=1, penalty=ramp(to=0.2, over=1000))",
            "gpbgd(steps=1000, upper_step=0.05, upper_rule=adam)",
            "pbgd_free(steps=200, upper_step=0.05, upper_rule=adam)",
            "bvfsm(steps=100, upper_step=0.1, upper_rule=adam)",
            "f2sa(steps=1000, upper_step=0.05, upper_rule=adam, lower_steps=1, y_steps=1, penalty=linear(first=1, by=0.02))",
            "f2ba(steps=200, upper_step=0.1, upper_rule=adam)",
            "f2sa_p(steps=200, upper_step=0.1, upper_rule=adam)",
            "bamm(steps=1000, upper_step=0.05, upper_rule=adam)",
            "soba(steps=1000, upper_step=0.05, upper_rule=adam, lower_step=1, decay=0)",
            "saba(steps=1000, upper_step=0.05, upper_rule=adam, lower_step=1)",
            "srba(steps=1000, upper_step=0.05, upper_rule=adam, lower_step=1)",
            "ma_soba(steps=1000, upper_step=0.05, upper_rule=adam, lower_step=1, decay=0)",
            "fsla(steps=1000, upper_step=0.05, upper_rule=adam, lower_step=1)",
            "stocbio(steps=1000, upper_step=0.05, upper_rule=adam)",
            "amigo(steps=1000, upper_step=0.05, upper_rule=adam)",
            "alternating(steps=200, upper_step=0.1, upper_rule=adam)",
        ],
    ),
}


def solve(model, method, arguments):
    """What a run of one method returns, or the last line of its complaint."""
    command = [BLO, "run", "--json", "--method", method, *arguments, ROOT / model]
    run = subprocess.run(command, capture_output=True, text=True)
    if not run.stdout:
        lines = [line for line in run.stderr.splitlines() if line.strip()]
        return None, lines[0] if lines else f"ended with {run.returncode}"
    return json.loads(run.stdout), None


def number(value):
    return "–" if value is None else f"{value:.4g}"


def table(name, only):
    model, arguments, reports, methods = TABLES[name]
    columns = ["method and options", *reports, "F", "lower gap", "seconds"]
    print(f"\n{model} {' '.join(arguments)}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for method in methods:
        if only and method.split("(")[0] not in only:
            continue
        result, complaint = solve(model, method, arguments)
        if complaint:
            print(f"| `{method}` | {complaint} |", flush=True)
            continue
        lower = result["lower"]
        # What the method itself left, before its last `y` was polished.
        gap = lower["gap"] if lower["gap_left"] is None else lower["gap_left"]
        values = [result["reports"][r] for r in reports]
        values += [result["upper"]["objective"], gap, result["seconds"]["solve"]]
        print(f"| `{method}` | {' | '.join(map(number, values))} |", flush=True)


def main():
    names = sys.argv[1].split(",") if len(sys.argv) > 1 else TABLES
    only = sys.argv[2].split(",") if len(sys.argv) > 2 else []
    for name in names:
        table(name, only)


main()
