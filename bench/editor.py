"""How long an editor waits for blo: from a change of a long model to its diagnostics.

    python3 bench/editor.py [PROGRAM] [LINES]

PROGRAM is target/release/blo unless given, LINES 300. The model has that many lines: functions, data, levels with many terms. Every change adds
or removes a mistake in the last lines; the time runs from writing the notification to the last byte of the diagnostics. Medians of
60 changes, in milliseconds.
"""

import json
import statistics
import subprocess
import sys
import time


def model(lines):
    """A model of so many lines that uses what it declares."""
    text = ["data X: real[n, d] ~ normal(0, 1)", "dim n = 200", "dim d = 20", "data t: real[n] ~ normal(0, 1)"]
    parts = (lines - 16) // 4
    for k in range(parts):
        text += [f"# Loss number {k}.", f"param c{k} = {k + 1}.5"]
        text += [f"fn loss{k}(w: real[d], a) = mean((X[i] @ w - t[i])^2 / (1 + a * t[i]^2) for i in n)"]
    text += ["upper {", "  var x: real[d] in nonneg", "  var w0: real[d]"]
    text += ["  minimize " + " + ".join(f"loss{k}(y, c{k})" for k in range(0, parts, 8)), "}"]
    text += ["lower {", "  var y: real[d]"]
    text += [f"  let e{k} = loss{k}(y, c{k})" for k in range(parts)]
    text += ["  minimize sum(x * y^2) + " + " + ".join(f"e{k}" for k in range(parts)), "}", "report last = sum(y)"]
    return text


class Editor:
    def __init__(self, program):
        self.server = subprocess.Popen([program, "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.server.stdin.flush()

    def read(self):
        length = 0
        while (line := self.server.stdout.readline()) != b"\r\n":
            name, _, value = line.partition(b": ")
            length = int(value) if name == b"Content-Length" else length
        return json.loads(self.server.stdout.read(length))

    def until(self, wanted):
        while not wanted(message := self.read()):
            pass
        return message


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "target/release/blo"
    lines = model(int(sys.argv[2]) if len(sys.argv) > 2 else 300)
    editor = Editor(program)
    editor.send({"id": 1, "method": "initialize", "params": {"capabilities": {}}})
    editor.until(lambda m: m.get("id") == 1)
    editor.send({"method": "initialized", "params": {}})
    uri = "file:///long.blo"
    document = {"uri": uri, "languageId": "blo", "version": 0, "text": "\n".join(lines)}

    def diagnostics(version):
        told = editor.until(lambda m: m.get("method") == "textDocument/publishDiagnostics" and m["params"]["version"] == version)
        return told["params"]["diagnostics"]

    began = time.perf_counter()
    editor.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
    first = diagnostics(0)
    opened = time.perf_counter() - began
    errors = [d for d in first if d["severity"] == 1]
    assert not errors, errors
    line = len(lines) - 1
    times = []
    for version in range(1, 61):
        word = "summ" if version % 2 else "sum"
        end = len(lines[line])
        lines[line] = f"report last = {word}(y)"
        whole = {"start": {"line": line, "character": 0}, "end": {"line": line, "character": end}}
        change = {"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"range": whole, "text": lines[line]}]}
        began = time.perf_counter()
        editor.send({"method": "textDocument/didChange", "params": change})
        wrong = [d for d in diagnostics(version) if d["severity"] == 1]
        times.append(1e3 * (time.perf_counter() - began))
        assert len(wrong) == version % 2, wrong
    print(f"{len(lines)} lines: opened {1e3 * opened:.1f} ms; change to diagnostics: median {statistics.median(times):.1f} ms, largest {max(times):.1f} ms")
    editor.send({"id": 2, "method": "shutdown"})
    editor.send({"method": "exit"})
    editor.server.wait(10)


main()
