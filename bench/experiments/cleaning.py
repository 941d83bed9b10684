"""Data cleaning: a weight per image, of which half are labelled wrong."""
from .run import ROOT, Table, gap, percent, solve, wanted

# Rows are a method with its options, and what NumPy runs of the same algorithm reach (accuracy, F1, seconds on one thread).
ADAM = "upper_step=0.1, upper_rule=adam"
SLOW_ADAM = "steps=1000, upper_step=0.05, upper_rule=adam"
DIGITS = [
    (f"rhg(steps=100, {ADAM}, lower_step=1, lower_steps=100)", "91.75 / 94.64 / 9.3"),
    (f"rhg(steps=100, {ADAM}, lower_step=1, lower_steps=100, truncate=20)", "91.35 / 95.10 / 4.1"),
    (f"bda(steps=100, {ADAM}, lower_step=1, lower_steps=100)", None),
    (f"iaptt(steps=100, {ADAM}, lower_step=1)", None),
    (f"darts({SLOW_ADAM})", None),
    ("cg(steps=200, upper_step=100, lower_steps=20, lower_step=1, lower_rule=nesterov, cg_steps=10)", "93.36 / 94.75 / 1.7"),
    (f"neumann(steps=200, {ADAM}, terms=50)", None),
    (f"fixed_point(steps=200, {ADAM})", None),
    ("hoag(steps=100)", None),
    (f"shine(steps=100, {ADAM})", None),
    ("nested(steps=50)", None),
    ("bome(steps=1000, upper_step=1000, lower_step=1, y_step=1, finish=false)", "93.36 / 95.21 / 4.0"),
    (
        "meha(steps=2000, upper_step=100, lower_step=0.5, y_step=0.5, c=1, gamma=10, p=0.3, finish=false)",
        "92.15 / 96.08 / 1.9",
    ),
    (
        "vpbgd(steps=1000, upper_step=1000, lower_step=1, penalty=ramp(to=0.2, over=1000), finish=false)",
        "93.36 / 97.15 / 1.9",
    ),
    (f"gpbgd({SLOW_ADAM})", None),
    (f"bvfsm(steps=100, {ADAM})", None),
    (
        f"f2sa({SLOW_ADAM}, penalty=linear(first=1, by=0.02))",
        "93.36 / 94.98 / 2.4",
    ),
    (f"f2ba(steps=200, {ADAM})", None),
    (f"f2sa_p(steps=200, {ADAM})", None),
    (f"bamm({SLOW_ADAM})", None),
    (f"soba({SLOW_ADAM}, lower_step=1, decay=0, batch=1000)", "93.36 / 94.86 / 1.2"),
    (f"soba({SLOW_ADAM}, lower_step=1, decay=0)", None),
    (f"saba({SLOW_ADAM}, lower_step=1)", None),
    (f"srba({SLOW_ADAM}, lower_step=1)", None),
    (f"ma_soba({SLOW_ADAM}, lower_step=1, decay=0)", None),
    (f"fsla({SLOW_ADAM}, lower_step=1)", None),
    (f"stocbio({SLOW_ADAM}, lower_step=1, terms=50)", None),
    (f"amigo({SLOW_ADAM})", None),
    (f"alternating(steps=200, {ADAM})", None),
]

# On MNIST; no peer has these figures.
BIG_ADAM = "steps=60, upper_step=0.3, upper_rule=adam"
MNIST = [
    f"rhg({BIG_ADAM}, lower_steps=30, warm=true, truncate=10)",
    f"bda({BIG_ADAM}, lower_steps=20, warm=true)",
    f"iaptt({BIG_ADAM}, lower_steps=40, init_step=0.01, bound=0.1)",
    "darts(steps=500, upper_step=0.05, upper_rule=adam)",
    f"cg({BIG_ADAM}, lower_steps=10, lower_rule=nesterov, cg_steps=5)",
    f"neumann({BIG_ADAM}, terms=20)",
    f"fixed_point({BIG_ADAM})",
    "hoag(steps=10)",
    "shine(steps=30, upper_step=0.3, upper_rule=adam)",
    "nested(steps=5)",
    "bome(steps=300, upper_step=0.05, upper_rule=adam)",
    "meha(steps=600, upper_step=300, lower_step=0.1, y_step=0.1, c=2, gamma=10, p=0.3, finish=false)",
    "vpbgd(steps=200, upper_step=0.1, upper_rule=adam, lower_steps=2, lower_step=0.1, y_step=0.1, penalty=1)",
    "gpbgd(steps=1000, upper_step=0.05, upper_rule=adam, penalty=10)",
    "bvfsm(steps=30, upper_step=0.3, upper_rule=adam)",
    "f2sa(steps=100, upper_step=0.1, upper_rule=adam, lower_step=0.1, y_step=0.1, penalty=1)",
    "f2ba(steps=60, upper_step=0.1, upper_rule=adam, penalty=1)",
    "f2sa_p(steps=60, upper_step=0.1, upper_rule=adam)",
    "bamm(steps=500, upper_step=0.05, upper_rule=adam)",
    f"soba({SLOW_ADAM}, decay=0)",
    f"saba({SLOW_ADAM})",
    f"srba({SLOW_ADAM})",
    f"ma_soba({SLOW_ADAM}, decay=0)",
    "fsla(steps=3000, upper_step=0.05, upper_rule=adam)",
    "stocbio(steps=300, upper_step=0.1, upper_rule=adam, batch=500, terms=20)",
    "amigo(steps=400, upper_step=0.1, upper_rule=adam)",
]

# With the network the check takes longer than the method: where it says so, it is short, and the methods' own iterates are shown.
OWN = "check_steps=20, finish=false"
NETWORK = [
    f"soba(steps=1000, upper_step=0.05, upper_rule=adam, decay=0, {OWN})",
    f"ma_soba(steps=1000, upper_step=0.05, upper_rule=adam, decay=0, {OWN})",
    f"saba(steps=1000, upper_step=0.05, upper_rule=adam, {OWN})",
    f"srba(steps=1000, upper_step=0.05, upper_rule=adam, {OWN})",
    f"fsla(steps=1000, upper_step=0.05, upper_rule=adam, {OWN})",
    f"stocbio(steps=220, upper_step=0.15, upper_rule=adam, batch=500, lower_steps=5, terms=5, {OWN})",
    f"amigo(steps=100, upper_step=0.2, upper_rule=adam, batch=500, lower_steps=5, adjoint_steps=5, {OWN})",
    f"darts(steps=100, upper_step=0.15, upper_rule=adam, {OWN})",
    f"rhg(steps=30, upper_step=0.3, upper_rule=adam, lower_steps=6, warm=true, truncate=4, {OWN})",
    f"bda(steps=60, upper_step=0.3, upper_rule=adam, lower_steps=20, warm=true, {OWN})",
    f"iaptt(steps=20, upper_step=0.4, upper_rule=adam, lower_steps=8, init_step=0.03, bound=0.1, {OWN})",
    f"cg(steps=55, upper_step=0.3, upper_rule=adam, lower_steps=5, cg_steps=2, warm_adjoint=false, {OWN})",
    f"neumann(steps=60, upper_step=0.3, upper_rule=adam, terms=20, {OWN})",
    f"fixed_point(steps=40, upper_step=0.3, upper_rule=adam, lower_steps=6, adjoint_steps=4, {OWN})",
    f"hoag(steps=5, lower_evaluations=20, cg_steps=5, {OWN})",
    f"shine(steps=15, upper_step=0.3, upper_rule=adam, lower_evaluations=15, {OWN})",
    f"nested(steps=10, lower_evaluations=20, cg_steps=5, {OWN})",
    f"bome(steps=120, upper_step=0.05, upper_rule=adam, lower_steps=2, {OWN})",
    f"meha(steps=150, upper_step=1000, lower_step=0.2, y_step=0.2, c=2, gamma=10, p=0.3, {OWN})",
    f"vpbgd(steps=160, upper_step=0.1, upper_rule=adam, lower_steps=2, lower_step=0.1, y_step=0.1, penalty=1, {OWN})",
    f"gpbgd(steps=50, upper_step=0.15, upper_rule=adam, penalty=10, {OWN})",
    f"bvfsm(steps=25, upper_step=0.3, upper_rule=adam, lower_steps=5, y_steps=5, lower_step=0.1, y_step=0.1, {OWN})",
    f"f2sa(steps=100, upper_step=0.1, upper_rule=adam, lower_steps=2, y_steps=2, lower_step=0.1, y_step=0.1, penalty=linear(first=1, by=0.01), {OWN})",
    f"f2ba(steps=100, upper_step=0.1, upper_rule=adam, lower_steps=2, y_steps=2, lower_step=0.1, y_step=0.1, penalty=1, {OWN})",
    f"f2sa_p(steps=20, upper_step=0.3, upper_rule=adam, lower_steps=3, {OWN})",
    f"bamm(steps=120, upper_step=0.1, upper_rule=adam, {OWN})",
]


def run(made, model, method, arguments, accuracy, f1, label=None, *more, clock="solve"):
    """Puts one run into a table; `accuracy` and `f1` are the names of the model's reports, the second if there is one to show."""
    label = label or f"`{method}`"
    result, complaint = solve(model, method, arguments)
    if complaint:
        made.put([label, complaint, None, None, None, None, *more])
        return
    reports = result["reports"]
    seconds = f"{result['seconds'][clock]:.1f}"
    found = [percent(reports[accuracy]), percent(reports[f1]) if f1 else None]
    made.put([label, *found, result["upper"]["objective"], gap(result), seconds, *more])


COLUMNS = ["accuracy", "F1", "F", "lower gap", "seconds"]


def digits(only):
    made = Table("method and options", *COLUMNS, "NumPy: accuracy / F1 / seconds")
    for method, theirs in DIGITS:
        if wanted(method, only):
            arguments = ["--threads", "1"]
            run(made, "examples/digits_cleaning.blo", method, arguments, "accuracy", "f1", None, theirs)
    return made.text()


def without_leader(what):
    """Arguments that train on other images or labels, for runs that leave all weights equal."""
    file = "examples/data/mnist_cleaning.npz"
    if what == "all labels":
        return []
    if what == "true labels":
        return ["--data", f"y_train={ROOT / file}:y_train_clean"]
    names = {"x_train": "x_val", "y_train": "y_val", "y_train_clean": "y_val"}
    return [word for name, other in names.items() for word in ("--data", f"{name}={ROOT / file}:{other}")]


def mnist_table(model, methods, only, idle, threads, clock, column):
    """A table of runs in single precision; first without a leader, by the method `idle`."""
    arguments = ["--precision", "f32", "--threads", str(threads)]
    made = Table("method and options", *COLUMNS[:-1], column)
    if only is None:
        for name in ["all labels", "validation images", "true labels"]:
            more = [*arguments, *without_leader(name)]
            run(made, model, idle, more, "test_accuracy", None, f"no leader, {name}", clock=clock)
    for method in methods:
        if wanted(method, only):
            run(made, model, method, arguments, "test_accuracy", "found", clock=clock)
    return made.text()


def mnist(only):
    idle = "nested(steps=0, check_steps=5000)"
    return mnist_table("examples/experiments/mnist_cleaning.blo", MNIST, only, idle, 2, "solve", "seconds")


def network(only):
    # Steps too short to move the weights: stochastic training alone.
    idle = f"soba(steps=1000, upper_step=1e-12, decay=0, {OWN})"
    return mnist_table("examples/experiments/mnist_network.blo", NETWORK, only, idle, 1, "processor", "processor seconds")
