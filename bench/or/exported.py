"""Solves the exported single-level forms with another program, SCIP, and compares with the best known values.

    python3 bench/or/exported.py target/release/blo [nl|lp|mps]

Needs the Python package `pyscipopt`. A single-level form is the bilevel problem itself for a convex follower with a constraint qualification;
for the other followers a better value than the best known one is no contradiction.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from pyscipopt import Model

HERE = Path(__file__).parent
SECONDS = 10


def solved(file):
    """Status and objective value."""
    model = Model()
    model.hideOutput()
    model.readProblem(str(file))
    model.setParam("limits/time", SECONDS)
    model.optimize()
    return model.getStatus(), model.getObjVal() if model.getNSols() else None


def main():
    blo, extension = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "nl"
    same = {True: 0, False: 0}
    count = {True: 0, False: 0}
    with tempfile.TemporaryDirectory() as folder:
        for problem in json.loads((HERE / "problems.json").read_text()):
            name, convex = problem["name"], problem["class"]["lower_convex"]
            model = HERE / "models" / f"{name}.blo"
            file = Path(folder) / f"{name}.{extension}"
            written = subprocess.run([blo, "export", model, file], capture_output=True, text=True)
            known = (problem.get("best_known") or {}).get("F")
            if written.returncode != 0 or known is None:
                print(f"{name:40} {'not written' if written.returncode else 'no best known value'}")
                continue
            count[convex] += 1
            try:
                status, found = solved(file)
            except OSError:
                print(f"{name:40} SCIP cannot read it")
                continue
            # Minimised in every format but LP.
            maximised = "maximize" in model.read_text().split("lower")[0]
            if found is not None and maximised and extension != "lp":
                found = -found
            fits = found is not None and abs(found - known) <= 1e-4 * max(1, abs(known))
            same[convex] += fits
            if not fits:
                print(f"{name:40} {problem['class']['lower']:14} {status:10} {found} instead of {known}")
    for convex, words in ((True, "convex"), (False, "other")):
        print(f"{words} followers: {same[convex]} of {count[convex]} at the best known value")


main()
