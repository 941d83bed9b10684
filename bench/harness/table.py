"""Rows of the table, for the screen and for docs/performance.md."""
import statistics

HEAD = ["workload", "case", "type", "threads", "peer", "blo", "peer's", "ratio", "quartiles", "goal", ""]


def number(value):
    """Three digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def quantity(value, unit):
    if unit == "MiB":
        return f"{number(value)} MiB"
    for factor, name in ((1, "s"), (1e3, "ms")):
        if value * factor >= 1:
            return f"{number(value * factor)} {name}"
    return f"{number(value * 1e6)} µs"


def row(finding):
    """The cells of one finding."""
    race = finding.race
    cells = [race.workload, race.case, race.precision, str(race.threads), finding.peer]
    goal = "" if finding.goal is None else f"≤ {finding.goal:g}"
    if finding.trouble:
        return [*cells, "", "", "", "", goal, finding.trouble]
    ratios = finding.ratios()
    ratio = statistics.median(ratios)
    low, _, high = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else (ratio, ratio, ratio)
    ours, theirs = (quantity(statistics.median(side), race.unit) for side in (finding.ours, finding.theirs))
    verdict = "" if finding.goal is None else "pass" if ratio <= finding.goal else "**miss**"
    return [*cells, ours, theirs, number(ratio), f"{number(low)}–{number(high)}", goal, verdict]


def markdown(rows):
    lines = [HEAD, ["---"] * len(HEAD), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def line(cells):
    """One row for the screen."""
    widths = [2, 30, 4, 2, 7, 9, 9, 8, 15, 7, 0]
    return " ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()
