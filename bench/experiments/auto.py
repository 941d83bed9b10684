"""What `solve auto()` chooses on the operations-research models and on the gallery, and how its answers compare with the best."""
import collections
import concurrent.futures
import json
import math
import re
import shutil
import statistics
import subprocess
import sys
import time

import gallery

from .run import ROOT, Table, solve

sys.path.insert(0, str(ROOT / "bench/or"))
import scaled  # noqa: E402


def close(value, best, factor=2):
    """Whether an objective is within a factor of the best one: as far from it as it is from 0, and 1e-3."""
    return math.isfinite(value) and abs(value - best) <= (factor - 1) * abs(best) + 1e-3


def auto(only):
    """Per chosen method: models, allowed answers, and those near the best known value."""
    del only
    problems = json.loads((ROOT / "bench/or/problems.json").read_text())
    known = {problem["name"]: (problem["best_known"] or {}).get("F") for problem in problems}
    counts, rest = collections.defaultdict(collections.Counter), []
    for model in sorted((ROOT / "bench/or/models").glob("*.blo")):
        best = known.get(model.stem)
        result, complaint = solve(model, "auto()", ["--threads", "1", "--time-limit", "10"])
        if complaint or "method" not in result:
            rest.append(f"{model.stem}: {complaint or 'refused'}")
            continue
        own = counts[result["method"]]
        value = result["upper"]["objective"]
        own["models"] += 1
        allowed = result["status"] in ("feasible", "solved", "optimal")
        own["allowed"] += allowed
        if isinstance(best, (int, float)):
            own["known"] += 1
            near = allowed and value is not None and close(value, best)
            own["near"] += near
            own["exact"] += near and abs(value - best) <= 1e-3 * max(1, abs(best))
            if not near:
                rest.append(f"{model.stem}: `{result['method']}`, {result['status']}, F = {value}, best known {best}")
    made = Table("chosen", "models", "allowed answers", "with a known best value", "within a factor 2 of it", "the best to 1e-3")
    for method, own in sorted(counts.items()):
        made.put([f"`{method}`", *(str(own[key]) for key in ("models", "allowed", "known", "near", "exact"))])
    return made.text() + "\nNot near:\n\n" + "\n".join(f"- {line}" for line in rest) + "\n"


def followers(only):
    """Every operations-research model by the method that `auto` chooses: its status, its objective and the time from the text to the checked answer."""
    del only
    made = Table("problem", "lower level", "method", "status", "F", "best known", "milliseconds")
    for problem in json.loads((ROOT / "bench/or/problems.json").read_text()):
        model = ROOT / "bench/or/models" / f"{problem['name']}.blo"
        result, complaint = solve(model, "auto()", ["--no-cache"])
        lower = problem["class"]["lower"]
        best = (problem["best_known"] or {}).get("F")
        goal = best if isinstance(best, (int, float)) else problem.get("expected_status")
        if complaint:
            made.put([problem["name"], lower, None, "refused", None, goal, None])
            continue
        value = result["upper"]["objective"]
        shown = None if value is None else f"{value:.7g}"
        goal = f"{goal:.7g}" if isinstance(goal, (int, float)) else goal
        made.put([problem["name"], lower, f"`{result['method']}`", result["status"], shown, goal, f"{1000 * result['seconds']['total']:.1f}"])
    return made.text()


PROGRAMS = {"ipopt": "-v", "highs": "--version"}


def backends(only):
    """The same models by programs of other people that are on PATH, with answers checked by blo: how many have their best known value."""
    del only
    made = Table("program", "lower level", "models", "taken", "allowed by the check", "at the best known value", "median seconds")
    problems = json.loads((ROOT / "bench/or/problems.json").read_text())
    for program, ask in PROGRAMS.items():
        if not shutil.which(program):
            sys.exit(f"{program} is not installed")
        version = subprocess.run([program, ask], capture_output=True, text=True).stdout.split("\n")[0].split(" (")[0].split(" Git")[0]
        for convex in (True, False):
            own = [p for p in problems if p["class"]["lower_convex"] == convex and isinstance((p["best_known"] or {}).get("F"), (int, float))]
            taken, allowed, right, seconds = 0, 0, 0, []
            for problem in own:
                model = ROOT / "bench/or/models" / f"{problem['name']}.blo"
                begin = time.monotonic()
                result, complaint = solve(model, None, ["--no-cache", "--backend", program])
                if complaint:
                    continue
                taken += 1
                seconds.append(time.monotonic() - begin)
                best, value = problem["best_known"]["F"], result["upper"]["objective"]
                fine = result["status"] in ("feasible", "solved", "optimal")
                allowed += fine
                right += fine and abs(value - best) <= 1e-5 * max(1, abs(best))
            median = statistics.median(seconds) if seconds else None
            kind = "convex" if convex else "not convex"
            made.put([version, kind, *(str(n) for n in (len(own), taken, allowed, right)), median])
    return made.text()


SIZES = (10, 100, 1000)


def sizes(only):
    """The records that can be had at any size, with the method that `auto` chooses: F, the best known value, the gap and seconds."""
    del only
    made = Table("problem", "n", "method", "status", "F", "best known", "lower gap", "compile, s", "solve and check, s")
    for model in sorted((ROOT / "bench/or/scaled").glob("*.blo")):
        for n in SIZES:
            result, complaint = solve(model, "auto()", ["--no-cache", "--set", f"n={n}", "--time-limit", "120"])
            best = scaled.known(model.stem, n)
            best = None if best is None else f"{best:.8g}"
            if complaint:
                made.put([model.stem, str(n), None, complaint, None, best, None, None, None])
                continue
            seconds, parts = result["seconds"], result["seconds"]["parts"]
            cells = [model.stem, str(n), f"`{result['method']}`", result["status"], f"{result['upper']['objective']:.8g}", best]
            made.put([*cells, result["lower"]["gap"], seconds["compile"], parts["solve"] + parts["answer"]])
    return made.text()


def choices(only, run=gallery.run):
    """On every quick model of the gallery and the two with nonsmooth lower terms: what `auto` takes, and the best of all methods, each with
    its default options for two seconds."""
    del only
    paths = [path for path in sorted(gallery.EXAMPLES.glob("*.blo")) if path.stem not in gallery.SLOW]
    models = [path for path in paths if re.search(r"\blower\b", path.read_text())]
    models += [gallery.EXAMPLES / "reproductions" / f"{name}.blo" for name in ("elastic_net", "sparse_group_lasso")]
    made = Table("model", "chosen", "status", "F", "best method", "its F", "methods within 1 % of it")
    for model in models:
        sign = -1 if gallery.is_maximised(model) else 1
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            names = gallery.all_methods()
            results = dict(zip(names, pool.map(lambda name: run(gallery.BLO, model, name, 2), names)))
        allowed = {name: r["upper"]["objective"] for name, r in results.items() if r and r["status"] in gallery.FEASIBLE}
        auto = run(gallery.BLO, model, "auto", 2)
        best = min(allowed, key=lambda name: sign * allowed[name])
        near = sum(gallery.close(value, allowed[best]) for value in allowed.values())
        cells = [f"`{auto['method']}`", auto["status"], auto["upper"]["objective"], f"`{best}`", allowed[best], str(near)]
        made.put([model.relative_to(gallery.EXAMPLES).with_suffix("").as_posix(), *cells])
    return made.text()
