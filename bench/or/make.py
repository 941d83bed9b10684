#!/usr/bin/env python3
"""Writes models/NAME.blo for every record of problems.json, and scaled/NAME.blo, with a `dim n`, for those that can be had at any size.

    python3 bench/or/make.py [PATH OF blo]

Formulas are translated from plain infix: `y3` becomes `y[2]`, or `y` where there is only one. Constraints of a level on one of
its own variables alone become its domain; the others become `subject to` lines, with constants on the right. The method is
left to blo. With the path of the command, `blo fmt` brings the files into their usual form.
"""

import json
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import scaled

HERE = Path(__file__).parent
TOKEN = re.compile(r"\s*(\d+\.?\d*(?:e-?\d+)?|[A-Za-z_]\w*|[-+*/^(),])")


def tokens(text):
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise ValueError(f"cannot read {text[at:]!r}")
        found.append(match.group(1))
        at = match.end()
    return found


class Names:
    """How the variables of a problem are written in its model."""

    def __init__(self, record):
        self.counts = {"x": record["n_x"], "y": record["n_y"]}

    def translate(self, token):
        match = re.fullmatch(r"([xy])(\d+)", token)
        if not match:
            return token
        level, number = match.group(1), int(match.group(2))
        assert 1 <= number <= self.counts[level], token
        return level if self.counts[level] == 1 else f"{level}[{number - 1}]"


def write(parts, names):
    """Tokens as the language writes them: spaces around infix operators but not around powers and signs."""
    out = ""
    for k, token in enumerate(parts):
        before = parts[k - 1] if k else None
        sign = token == "-" and before in (None, "(", ",", "*", "/", "^", "+", "-")
        if sign or token in "()^":
            out += token
        elif token == ",":
            out += ", "
        elif token in "+-*/":
            out += f" {token} "
        else:
            out += names.translate(token)
    return out


def summands(text):
    """The top-level terms: (sign, tokens)."""
    found, depth, sign, current = [], 0, 1, []
    for token in tokens(text):
        if token in "+-" and depth == 0 and not (current and current[-1] in "*/^(,"):
            if current:
                found.append((sign, current))
                current, sign = [], 1
            sign = sign if token == "+" else -sign
            continue
        depth += {"(": 1, ")": -1}.get(token, 0)
        current.append(token)
    if current:
        found.append((sign, current))
    return found


def number(parts):
    """The value of a term without names, as a fraction; `None` if it has any."""
    if any(re.match(r"[A-Za-z_]", t) for t in parts):
        return None
    return Fraction(eval("".join(f"Fraction('{t}')" if t[0].isdigit() else t for t in parts)))


def plain(value):
    """A number that the language can read; fractions that have no short decimal form stay fractions."""
    for digits in range(0, 10):
        if value * 10**digits == int(value * 10**digits):
            return f"{float(value):.{digits}f}"
    return f"{value.numerator} / {value.denominator}"


def joined(terms, names):
    out = ""
    for sign, parts in terms:
        text = write(parts, names)
        if not out:
            out = text if sign > 0 else f"-{text}"
        else:
            out += f" {'+' if sign > 0 else '-'} {text}"
    return out


def single(terms):
    """(level, position, coefficient, offset) of a constraint on one variable alone; `None` for others. `pi` is an offset too."""
    variable, offset = None, []
    for sign, parts in terms:
        if number(parts) is not None or parts == ["pi"]:
            offset.append((sign, parts))
            continue
        match = re.fullmatch(r"([xy])(\d+)", parts[0]) if len(parts) == 1 else None
        if not match or variable:
            return None
        variable = (match.group(1), int(match.group(2)) - 1, sign)
    return variable and (*variable, offset)


def bound_text(offset, flip):
    """The bound that an offset stands for, as text, and as a number to compare."""
    value, text = 0.0, []
    exact = Fraction(0)
    for sign, parts in offset:
        sign = -sign if flip else sign
        if parts == ["pi"]:
            value += sign * 3.141592653589793
            text.append("-pi" if sign < 0 else "pi")
        else:
            exact += sign * number(parts)
    if text:
        assert exact == 0 and len(text) == 1
        return value, text[0]
    return float(exact), plain(exact)


class Level:
    """Domain and constraints of one level."""

    def __init__(self, name, lines, names):
        self.name, self.names, self.lines = name, names, []
        count = names.counts[name]
        self.low = [(float("-inf"), "-inf")] * count
        self.high = [(float("inf"), "inf")] * count
        for line in lines:
            self.add(line)

    def add(self, line):
        label, _, rest = line.rpartition(": ")
        relation = "==" if "==" in rest else "<="
        left, right = rest.split(relation)
        assert right.strip() == "0", line
        terms = summands(left)
        found = single(terms)
        if found and found[0] == self.name and relation == "<=" and not label:
            _, position, sign, offset = found
            side, better = (self.high, min) if sign > 0 else (self.low, max)
            side[position] = better(side[position], bound_text(offset, sign > 0), key=lambda b: b[0])
            return
        self.lines.append((f"{label}: " if label else "") + self.constraint(terms, relation, bool(label)))

    def constraint(self, terms, relation, demand):
        """Constants go to the right; a row of negative terms is turned over."""
        rest = [(s, p) for s, p in terms if number(p) is None]
        constant = -sum((s * number(p) for s, p in terms if number(p) is not None), Fraction(0))
        if all(sign < 0 for sign, _ in rest):
            rest, constant = [(1, p) for _, p in rest], -constant
            relation = {"<=": ">=", "==": "=="}[relation]
        if rest[0][0] < 0 and rest[-1][0] > 0:
            rest = [t for t in rest if t[0] > 0] + [t for t in rest if t[0] < 0]
        right = [(1, p) for s, p in rest if s < 0]
        if constant == 0 and right:
            return f"{joined([t for t in rest if t[0] > 0], self.names)} {relation} {joined(right, self.names)}"
        text = joined(rest, self.names)
        # The multiplier of `demand == supply` is the price of one more unit of demand.
        return f"{plain(constant)} == {text}" if demand else f"{text} {relation} {plain(constant)}"

    def domain(self, whole):
        """` in ...`, or nothing."""
        low, high = [b[1] for b in self.low], [b[1] for b in self.high]
        if set(low) == {"-inf"} and set(high) == {"inf"}:
            return ""
        if whole:
            assert set(low) == {"0"} and len(set(high)) == 1
            if high[0] == "inf":
                return " in nonneg"
            return f" in 0..{int(float(high[0])) + 1}"
        if set(low) == {"0"} and set(high) == {"inf"}:
            return " in nonneg"

        def ends(values):
            return values[0] if len(set(values)) == 1 else f"[{', '.join(values)}]"

        return f" in [{ends(low)}, {ends(high)}]"

    def variable(self, whole):
        count = self.names.counts[self.name]
        kind = ("int" if whole else "real") + (f"[{count}]" if count > 1 else "")
        return f"  var {self.name}: {kind}{self.domain(whole)}"


def wrapped(text, width=98):
    """Comment lines."""
    lines, line = [], "#"
    for word in text.split():
        if len(line) + 1 + len(word) > width:
            lines.append(line)
            line = "#"
        line += f" {word}"
    return lines + [line]


def model(record):
    names = Names(record)
    kind = record["class"]
    whole = record.get("integer", {})
    lines = wrapped(f"{record['name']}. Source: {record['source']}.")
    convex = "convex in y" if kind["lower_convex"] else "not convex in y"
    lines += wrapped(f"Upper level {kind['upper']}, lower level {kind['lower']}, stated to be {convex}.")
    best = record["best_known"]
    if best:
        lines += wrapped(f"Best known: F = {best['F']}, f = {best.get('f')}, x = {best['x']}, y = {best['y']}.")
    if record.get("expected_status"):
        lines += wrapped(f"Expected status: {record['expected_status'].replace('_', ' ')}.")
    notes = [record.get("notes"), (record.get("ties") or {}).get("note")]
    for note in filter(None, notes):
        lines += wrapped(f"{note[0].upper()}{note[1:]}.")
    lines.append("")
    formulas = [record["upper_objective"], record["lower_objective"], *record["upper_constraints"], *record["lower_constraints"]]
    if any(re.search(r"\bpi\b", formula) for formula in formulas):
        lines += ["let pi = 3.141592653589793", ""]
    for level, name in (("upper", "x"), ("lower", "y")):
        part = Level(name, record[f"{level}_constraints"], names)
        lines += [f"{level} {{", part.variable(bool(whole.get(name)))]
        lines.append(f"  minimize {write(tokens(record[f'{level}_objective']), names)}")
        lines += [f"  subject to {line}" for line in part.lines]
        lines.append("}")
    lines += ["", "solve auto()"]
    if best:
        size = abs(best["F"])
        tolerance = "1e-5" if size <= 1 else f"1e-5 * {size!r}"
        sign = f" - {best['F']!r}" if best["F"] > 0 else f" + {-best['F']!r}" if best["F"] < 0 else ""
        lines += ["", f"expect abs(upper.objective{sign}) <= {tolerance}"]
    return "\n".join(lines) + "\n"


def main():
    records = json.loads((HERE / "problems.json").read_text())
    folder = HERE / "models"
    folder.mkdir(exist_ok=True)
    for record in records:
        (folder / f"{record['name']}.blo").write_text(model(record))
    any_size = HERE / "scaled"
    any_size.mkdir(exist_ok=True)
    for name, text in scaled.models(records):
        (any_size / f"{name}.blo").write_text(text)
    if len(sys.argv) > 1:
        subprocess.run([sys.argv[1], "fmt", str(folder), str(any_size)], check=True)
    print(f"{len(records)} models")


if __name__ == "__main__":
    main()
