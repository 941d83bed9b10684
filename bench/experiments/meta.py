"""Few-shot learning and architecture search on digits."""
import statistics

from .run import Table, percent, solve, wanted

STARTS = "from=starts(A=A_0, B=B_0)"
ADAM = "steps=40, upper_step=0.01, upper_rule=adam"
FASTER = "steps=40, upper_step=0.03, upper_rule=adam"
FEW = [
    ("from scratch, ten steps", f"maml(steps=0, lower_steps=10, {STARTS})"),
    ("from scratch, to the end", "nested(steps=0)"),
    (None, f"maml({ADAM}, lower_steps=10, {STARTS})"),
    (None, f"fomaml({ADAM}, lower_steps=10, {STARTS})"),
    (None, f"bda({FASTER}, lower_steps=20)"),
    (None, f"iaptt({FASTER}, lower_steps=20)"),
    (None, f"cg({ADAM}, lower_rule=nesterov)"),
]


def over(seeds, model, method, arguments, reports):
    """The means of some reports over seeds, and of the seconds; exits with the first complaint."""
    results = []
    for seed in range(seeds):
        result, complaint = solve(model, method, ["--threads", "1", "--seed", str(seed), *arguments])
        if complaint:
            raise SystemExit(f"{model}, {method}: {complaint}")
        results.append(result)
    found = [[result["reports"][name] for result in results] for name in reports]
    return found, statistics.fmean(result["seconds"]["solve"] for result in results)


def few_shot(only):
    """Means over five draws of classes, tasks and lamps."""
    made = Table("method and options", "known classes", "new classes", "new classes, by seed", "seconds")
    for name, method in FEW:
        if wanted(method, only):
            (known, new), seconds = over(5, "examples/reproductions/few_shot.blo", method, [], ["known_classes", "new_classes"])
            each = ", ".join(f"{100 * value:.0f}" for value in new)
            means = [percent(statistics.fmean(values)) for values in (known, new)]
            made.put([f"{name}: `{method}`" if name else f"`{method}`", *means, each, f"{seconds:.1f}"])
    return made.text()


CELL = "examples/architecture.blo"
KINDS = ["near", "far", "average", "copy"]
SEARCH = [
    "darts(steps=300, upper_step=0.1, upper_rule=adam)",
    "meha(steps=1000, c=20, gamma=10)",
]


def architecture(only):
    """Each method's strongest candidate, trained alone, against the mean of all candidates, trained alone."""
    made = Table("seed", *[f"{kind} alone" for kind in KINDS], "random cell", *[f"`{method}`" for method in SEARCH])
    del only
    columns = []
    for seed in range(5):
        arguments = ["--threads", "1", "--seed", str(seed)]
        alone = [solve(CELL, None, [*arguments, "--set", f"only={k}"])[0]["reports"]["accuracy"] for k in range(4)]
        row = [*alone, statistics.fmean(alone)]
        names = []
        for method in SEARCH:
            reports = solve(CELL, method, arguments)[0]["reports"]
            best = max(range(4), key=lambda k: reports[KINDS[k]])
            row.append(alone[best])
            names.append(KINDS[best])
        columns.append(row)
        cells = [percent(value) for value in row]
        made.put([str(seed), *cells[:5], *(f"{name}, {cell}" for name, cell in zip(names, cells[5:]))])
    made.put(["mean", *(percent(statistics.fmean(values)) for values in zip(*columns))])
    return made.text()
