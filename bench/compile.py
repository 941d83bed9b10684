"""Compile time against the size of the graph: generated models, cold and from the cache, as a table and a figure.

A model is compiled several times and the least time counts, as other work on the machine only adds to it. Parts are wall time; the
totals and the figure are the processor time of the whole process, start and one iteration included, which a busy machine disturbs
less. The size is the number of nodes of the derived and simplified graph of all entries (`--emit graph`)."""
import argparse
import json
import math
import os
import pathlib
import resource
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
METHOD = "bome(lower_steps = 1, check_steps = 1)"
COMPILE = ["parse", "check", "differentiate", "optimise", "lower", "codegen", "load"]


def chain(links, size):
    """A nonlinear chain: every link reads the two before it."""
    shape = f"[{size}]" if size else ""
    forms = ["tanh({p}) + 0.{k} * x", "sin({p}) * {q} + y", "{p} / (1.5 + {q}^2)", "exp(-{p}^2) + {q}"]
    lines, before, last = [], "x", "y"
    for i in range(links):
        lines.append(f"  let z{i} = " + forms[i % 4].format(p=last, q=before, k=i % 97 + 1))
        before, last = last, f"z{i}"
    return (f"upper {{\n  var x: real{shape} = 0.5\n  minimize sum((y - 1)^2)\n}}\nlower {{\n  var y: real{shape} = 0.1\n"
            + "\n".join(lines) + f"\n  minimize sum({last}^2) + sum((y - x)^2)\n}}\n")


def network(layers):
    """A network of square layers, all of them variables of the lower level."""
    weights = "".join(f"  var W{k}: real[32, 32] ~ normal(0, 0.1)\n" for k in range(layers))
    values = "".join(f"  let h{k} = tanh({f'h{k - 1}' if k else 'X'} @ W{k})\n" for k in range(layers))
    norm = " + ".join(f"sumsq(W{k})" for k in range(layers))
    return (f"data X: real[64, 32] ~ normal(0, 1)\nupper {{\n  var u: real = 0\n  minimize sumsq(W0) + u^2\n}}\nlower {{\n"
            f"{weights}{values}  minimize mean(h{layers - 1}^2) + exp(u) * ({norm})\n}}\n")


FAMILIES = {
    "chain of scalars": [chain(n, 0) for n in (4, 13, 40, 130, 400)],
    "chain of vectors": [chain(n, 1000) for n in (4, 13, 40, 130, 400)],
    "deep network": [network(n) for n in (2, 8, 25, 80, 250)],
}


def cpu():
    """Milliseconds of processor time of all processes so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (used.ru_utime + used.ru_stime)


def output(command, env):
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def measure(blo, text, repeats, folder):
    """Nodes, milliseconds by part when cold, and processor time cold and from the cache."""
    model = folder / "model.blo"
    model.write_text(text)
    env = os.environ | {"BLO_CACHE": str(folder / "cache")}
    graph = output([blo, "run", str(model), "--method", METHOD, "--emit", "graph"], env)
    nodes = sum(line.startswith("%") for line in graph.splitlines())
    run = [blo, "run", str(model), "--json", "--quiet", "--method", METHOD, "--iterations", "1"]
    output(run, env)
    least, totals = {part: math.inf for part in COMPILE}, [math.inf, math.inf]
    for _ in range(repeats):
        for kind, more in enumerate((["--no-cache"], [])):
            before = cpu()
            seconds = json.loads(output(run + more, env))["seconds"]
            totals[kind] = min(totals[kind], cpu() - before)
            if seconds["cached"] != (kind == 1):
                raise SystemExit("the cache did not do what it should")
            if kind == 0:
                least = {part: min(least[part], 1e3 * seconds["parts"][part]) for part in COMPILE}
    return nodes, least, *totals


def figure(series):
    """Time over size, both logarithmic, with a guide of slope 1."""
    points = [p for line in series.values() for p in line]
    left, right = math.floor(math.log10(min(p[0] for p in points))), math.ceil(math.log10(max(p[0] for p in points)))
    times = [t for p in points for t in p[1:]]
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
    x = lambda n: 70 + 520 * (math.log10(n) - left) / (right - left)
    y = lambda t: 350 - 320 * (math.log10(t) - low) / (high - low)
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 400" font-family="sans-serif" font-size="12">',
             '<rect width="760" height="400" fill="white"/>']
    for k in range(left, right + 1):
        parts.append(f'<path d="M{x(10**k):.1f} 30V350" stroke="#ddd"/><text x="{x(10**k):.1f}" y="368" '
                     f'text-anchor="middle">{10**k:,}</text>')
    for k in range(low, high + 1):
        parts.append(f'<path d="M70 {y(10**k):.1f}H590" stroke="#ddd"/><text x="62" y="{y(10**k) + 4:.1f}" '
                     f'text-anchor="end">{10**k:g}</text>')
    parts.append('<text x="330" y="390" text-anchor="middle">nodes of the derived graph</text>'
                 '<text x="16" y="190" text-anchor="middle" transform="rotate(-90 16 190)">ms of processor time</text>')
    start = (10**left, 10**low * 2)
    end = min(10**right / start[0], 10**high / start[1])
    parts.append(f'<path d="M{x(start[0]):.1f} {y(start[1]):.1f}L{x(start[0] * end):.1f} {y(start[1] * end):.1f}" '
                 f'stroke="#999" stroke-dasharray="2 4"/><text x="600" y="70" fill="#666">dotted: linear growth</text>')
    for k, ((name, line), colour) in enumerate(zip(series.items(), ("#1b6ca8", "#c0392b", "#2e8b57"))):
        for column, dash in ((1, ""), (2, ' stroke-dasharray="6 3"')):
            path = "L".join(f"{x(p[0]):.1f} {y(p[column]):.1f}" for p in line)
            parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        parts += [f'<circle cx="{x(p[0]):.1f}" cy="{y(p[1]):.1f}" r="3" fill="{colour}"/>' for p in line]
        parts.append(f'<text x="600" y="{100 + 20 * k}" fill="{colour}">{name}</text>')
    parts.append('<text x="600" y="170">dashed: from the cache</text></svg>')
    return "\n".join(parts) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--blo", default=str(ROOT / "target/release/blo"))
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--figure", default=str(ROOT / "docs/compile-time.svg"))
    args = parser.parse_args()
    series = {}
    print("| graph | nodes | " + " | ".join(COMPILE) + " | CPU ms | µs a node | CPU ms, cached |")
    print("|---" * (len(COMPILE) + 5) + "|")
    with tempfile.TemporaryDirectory() as folder:
        for name, texts in FAMILIES.items():
            for text in texts:
                nodes, least, cold, cached = measure(args.blo, text, args.repeats, pathlib.Path(folder))
                series.setdefault(name, []).append((nodes, cold, cached))
                parts = " | ".join(f"{least[part]:.2f}" for part in COMPILE)
                print(f"| {name} | {nodes} | {parts} | {cold:.1f} | {1e3 * cold / nodes:.0f} | {cached:.1f} |", flush=True)
    pathlib.Path(args.figure).write_text(figure(series))


main()
