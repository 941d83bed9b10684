"""Data cleaning: a weight per image, of which half are labelled wrong."""
from .run import Table, gap, percent, solve, wanted

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


def table(model, arguments, accuracy, f1, rows, only):
    """One run per row; `accuracy` and `f1` are the names of the model's reports."""
    made = Table("method and options", "accuracy", "F1", "F", "lower gap", "seconds", "NumPy: accuracy / F1 / seconds")
    for method, theirs in rows:
        if not wanted(method, only):
            continue
        result, complaint = solve(model, method, arguments)
        if complaint:
            made.put([f"`{method}`", complaint, None, None, None, None, theirs])
            continue
        reports = result["reports"]
        seconds = f"{result['seconds']['solve']:.1f}"
        found = [percent(reports[accuracy]), percent(reports[f1])]
        made.put([f"`{method}`", *found, result["upper"]["objective"], gap(result), seconds, theirs])
    return made.text()


def digits(only):
    return table("examples/digits_cleaning.blo", ["--threads", "1"], "accuracy", "f1", DIGITS, only)
