"""Rows of the table, for the screen and for docs/performance.md."""
import statistics

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
HEAD = ["workload", "case", "type", "threads", "peer", "blo", "peer's", "ratio", "quartiles", "goal", "result"]


def number(value):
    """Three digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def quantity(value, kind):
    """Seconds, or MiB, in a fitting unit."""
    if kind == "memory":
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
    ours, theirs = (quantity(statistics.median(side), race.kind) for side in (finding.ours, finding.theirs))
    verdict = "" if finding.goal is None else "pass" if ratio <= finding.goal else "**miss**"
    if finding.peer in race.other:
        verdict = f"{verdict} (its own formulas)"
    return [*cells, ours, theirs, number(ratio), f"{number(low)}–{number(high)}", goal, verdict]


def markdown(head, rows):
    """A table."""
    return "".join("| " + " | ".join(line) + " |\n" for line in [head, ["---"] * len(head), *rows])


def page(rows, more, conditions):
    """The generated part of docs/performance.md: a table for each workload, then others with their titles."""
    parts = [conditions]
    for workload in dict.fromkeys(row[0] for row in rows):
        parts.append(f"### Workload {workload}\n")
        parts.append(markdown(HEAD[1:], [row[1:] for row in rows if row[0] == workload]))
    for title, head, cells in more:
        parts.append(f"### {title}\n")
        parts.append(markdown(head, cells))
    return "\n".join(parts)


def write(path, generated):
    """Puts the generated part between the markers of the page; the rest is written by hand."""
    text = path.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    path.write_text(f"{before}{BEGIN}\n{generated}{END}{after}")


def line(cells):
    """One row for the screen."""
    widths = [2, 30, 4, 2, 7, 9, 9, 8, 15, 7, 0]
    return " ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()
