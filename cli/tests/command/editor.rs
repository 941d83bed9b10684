//! The language server, spoken to by a scripted client over its pipes.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::scratch::Folder;

/// A client with one open folder.
struct Editor {
    server: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    folder: Folder,
    asked: u64,
    /// Diagnostics that came while an answer was awaited.
    told: Vec<Value>,
}

impl Editor {
    fn start() -> Editor {
        let mut server = Command::new(env!("CARGO_BIN_EXE_blo"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = server.stdin.take().unwrap();
        let from = BufReader::new(server.stdout.take().unwrap());
        let mut editor = Editor { server, to, from, folder: Folder::new(), asked: 0, told: Vec::new() };
        let hello =
            editor.ask("initialize", json!({ "capabilities": {}, "processId": null, "rootUri": null }));
        assert_eq!(hello["serverInfo"]["name"], "blo");
        assert_eq!(hello["capabilities"]["hoverProvider"], true);
        editor.tell("initialized", json!({}));
        editor
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.to, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.to.flush().unwrap();
    }

    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.from.read_line(&mut line).unwrap() > 0, "the server ended");
            match line.trim_end() {
                "" => break,
                header => {
                    if let Some(value) = header.strip_prefix("Content-Length: ") {
                        length = value.parse().unwrap();
                    }
                }
            }
        }
        let mut text = vec![0; length];
        self.from.read_exact(&mut text).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// The whole answer to a request.
    fn answer(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let message = self.read();
            if message["id"] == id {
                return message;
            }
            self.told.push(message);
        }
    }

    /// What a request gives.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        let answer = self.answer(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    fn uri(&self, name: &str) -> String {
        format!("file://{}", self.folder.path(name).display())
    }

    /// Opens a document and waits for what is wrong with it.
    fn open(&mut self, name: &str, text: &str) -> Vec<Value> {
        std::fs::write(self.folder.path(name), text).unwrap();
        let uri = self.uri(name);
        let document = json!({ "uri": uri, "languageId": "blo", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
        self.diagnostics(name, 1)
    }

    /// Replaces the first occurrence of a piece of the text.
    fn change(&mut self, name: &str, version: u64, text: &str, from: &str, to: &str) -> String {
        let at = text.find(from).unwrap();
        let range = json!({ "start": place(text, at), "end": place(text, at + from.len()) });
        let changes = json!([{ "range": range, "text": to }]);
        let document = json!({ "uri": self.uri(name), "version": version });
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
        text.replacen(from, to, 1)
    }

    fn diagnostics(&mut self, name: &str, version: u64) -> Vec<Value> {
        let uri = self.uri(name);
        loop {
            let message = if self.told.is_empty() { self.read() } else { self.told.remove(0) };
            let params = &message["params"];
            if message["method"] == "textDocument/publishDiagnostics"
                && params["uri"] == uri
                && params["version"] == version
            {
                return params["diagnostics"].as_array().unwrap().clone();
            }
        }
    }

    /// A request about the place of a piece of the text; the place is `inside` bytes into it.
    fn at(&mut self, method: &str, name: &str, text: &str, piece: &str, more: Value) -> Value {
        let position = place(text, text.find(piece).unwrap());
        let mut params = json!({ "textDocument": { "uri": self.uri(name) }, "position": position });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ask(method, params)
    }

    fn hover(&mut self, name: &str, text: &str, piece: &str) -> String {
        let found = self.at("textDocument/hover", name, text, piece, json!({}));
        found["contents"]["value"].as_str().unwrap_or_default().to_owned()
    }

    /// The labels offered behind a text that ends where the pointer is.
    fn offered(&mut self, name: &str, text: &str, behind: &str) -> Vec<String> {
        let position = place(text, text.find(behind).unwrap() + behind.len());
        let params = json!({ "textDocument": { "uri": self.uri(name) }, "position": position });
        let items = self.ask("textDocument/completion", params);
        items.as_array().unwrap().iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        // Of a test that failed.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Line and UTF-16 column of a byte.
fn place(text: &str, byte: usize) -> Value {
    let before = &text[..byte];
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap().encode_utf16().count();
    json!({ "line": line, "character": column })
}

/// Applies edits to a text, from the last to the first.
fn edited(text: &str, edits: &Value) -> String {
    let byte = |position: &Value| {
        let line = position["line"].as_u64().unwrap() as usize;
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        start + position["character"].as_u64().unwrap() as usize
    };
    let mut edits: Vec<(usize, usize, &str)> = edits
        .as_array()
        .unwrap()
        .iter()
        .map(|edit| {
            let range = &edit["range"];
            (byte(&range["start"]), byte(&range["end"]), edit["newText"].as_str().unwrap())
        })
        .collect();
    edits.sort();
    let mut text = text.to_owned();
    for (start, end, new) in edits.into_iter().rev() {
        text.replace_range(start..end, new);
    }
    text
}

const RIDGE: &str = "\
# Training and validation samples.
data X: real[n, d] = [[1, 2], [3, 4], [5, 7]]
data t: real[n] = [1, 2, 3]
fn square(v: real[k]) = { let r = v * v
  sum(r) }
upper {
  var lam: real in nonneg = 1
  minimize square(X @ w - t) + sum(t[i] for i in n)
}
lower {
  var w: real[d]
  let e = X @ w - t
  minimize square(e) + exp(lam) * sumsq(w)
}
solve bome(steps = 10)
report fit = square(X @ w - t)
";

#[test]
fn mistakes_are_told_as_they_are_typed() {
    let mut editor = Editor::start();
    assert_eq!(editor.open("m.blo", RIDGE), Vec::<Value>::new());
    let text = editor.change("m.blo", 2, RIDGE, "square(e)", "sqare(e)");
    let found = editor.diagnostics("m.blo", 2);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["code"], "E0205");
    assert_eq!(found[0]["severity"], 1);
    assert_eq!(found[0]["range"]["start"], place(&text, text.find("sqare").unwrap()));
    let range = found[0]["range"].clone();
    let document = json!({ "uri": editor.uri("m.blo") });
    let params = json!({ "textDocument": document, "range": range, "context": { "diagnostics": [] } });
    let actions = editor.ask("textDocument/codeAction", params);
    let changes = &actions[0]["edit"]["changes"][editor.uri("m.blo")];
    assert_eq!(edited(&text, changes), RIDGE);
    editor.change("m.blo", 3, &text, "sqare(e)", "square(e)");
    assert_eq!(editor.diagnostics("m.blo", 3), Vec::<Value>::new());
}

#[test]
fn what_stands_under_the_pointer_is_said() {
    let mut editor = Editor::start();
    editor.open("m.blo", RIDGE);
    let data = editor.hover("m.blo", RIDGE, "X @ w - t\n  minimize");
    assert!(data.contains("data X: real[n, d]") && data.contains("`n = 3`, `d = 2`"), "{data}");
    assert!(data.contains("Training and validation samples."), "{data}");
    let value = editor.hover("m.blo", RIDGE, "e) + exp");
    assert!(value.contains("`real[n]`, `n = 3`; depends on lower variables"), "{value}");
    assert!(editor.hover("m.blo", RIDGE, "@ w - t\n  minimize").contains("`real[n]`"));
    assert!(editor.hover("m.blo", RIDGE, "sumsq").contains("`sumsq(x)` or `sumsq(x, axis)`"));
    assert!(editor.hover("m.blo", RIDGE, "bome").contains("Source: "));
    assert!(editor.hover("m.blo", RIDGE, "steps").contains("a whole number"));
    let curvature = editor.hover("m.blo", RIDGE, "lower {");
    assert!(curvature.contains("convex"), "{curvature}");
}

#[test]
fn names_are_followed_and_changed() {
    let mut editor = Editor::start();
    editor.open("m.blo", RIDGE);
    let found = editor.at("textDocument/definition", "m.blo", RIDGE, "w - t) + sum(t", json!({}));
    assert_eq!(found["range"]["start"], place(RIDGE, RIDGE.find("w: real").unwrap()));
    let context = json!({ "context": { "includeDeclaration": true } });
    let uses = editor.at("textDocument/references", "m.blo", RIDGE, "w: real", context);
    assert_eq!(uses.as_array().unwrap().len(), 5);

    let renamed = editor.at("textDocument/rename", "m.blo", RIDGE, "e = X", json!({ "newName": "err" }));
    let changes = &renamed["changes"][editor.uri("m.blo")];
    let expected = RIDGE.replace("let e = X", "let err = X").replace("square(e)", "square(err)");
    assert_eq!(edited(RIDGE, changes), expected);
    // A function's parameter and the `let` in its block are its own.
    let renamed = editor.at("textDocument/rename", "m.blo", RIDGE, "v * v", json!({ "newName": "u" }));
    let changes = &renamed["changes"][editor.uri("m.blo")];
    let expected = RIDGE.replace("(v: real", "(u: real").replace("v * v", "u * u");
    assert_eq!(edited(RIDGE, changes), expected);

    for (name, why) in [("t", "`t` is already a datum (line 3)"), ("let", "`let` cannot be a name")] {
        let position = place(RIDGE, RIDGE.find("e = X").unwrap());
        let document = json!({ "uri": editor.uri("m.blo") });
        let params = json!({ "textDocument": document, "position": position, "newName": name });
        let refused = editor.answer("textDocument/rename", params);
        assert_eq!(refused["error"]["message"], why);
    }
}

#[test]
fn what_may_stand_at_a_place_is_offered() {
    let mut editor = Editor::start();
    editor.open("m.blo", RIDGE);
    let names = editor.offered("m.blo", RIDGE, "let e = ");
    for name in ["X", "w", "lam", "square", "exp", "cross_entropy"] {
        assert!(names.contains(&name.to_owned()), "{name} in {names:?}");
    }
    assert!(!names.contains(&"v".to_owned()), "a parameter of another function");
    assert!(editor.offered("m.blo", RIDGE, "solve ").contains(&"meha".to_owned()));
    let options = editor.offered("m.blo", RIDGE, "bome(");
    assert!(options.contains(&"steps".to_owned()) && !options.contains(&"X".to_owned()), "{options:?}");
    assert_eq!(editor.offered("m.blo", RIDGE, "var w: "), ["real", "int", "bool"]);
    assert!(editor.offered("m.blo", RIDGE, "# Tr").is_empty());
    let text = editor.change("m.blo", 2, RIDGE, " = [[1, 2], [3, 4], [5, 7]]", " from \"\"");
    assert!(editor.offered("m.blo", &text, "from \"").contains(&"m.blo".to_owned()));
}

#[test]
fn shapes_outline_and_form_are_shown() {
    let mut editor = Editor::start();
    editor.open("m.blo", RIDGE);
    let document = json!({ "uri": editor.uri("m.blo") });
    let all = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } });
    let hints = editor.ask("textDocument/inlayHint", json!({ "textDocument": document, "range": all }));
    let labels: Vec<&str> = hints.as_array().unwrap().iter().map(|h| h["label"].as_str().unwrap()).collect();
    assert_eq!(labels, [": real[n]", ": real"]);
    let outline = editor.ask("textDocument/documentSymbol", json!({ "textDocument": document }));
    let names: Vec<&str> = outline.as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["X", "t", "square", "upper", "lower", "solve bome", "fit"]);
    assert_eq!(outline[4]["children"][1]["detail"], "real[n]");
    let options = json!({ "tabSize": 2, "insertSpaces": true });
    let params = json!({ "textDocument": document, "options": options });
    let edits = editor.ask("textDocument/formatting", params);
    let tidied = edited(RIDGE, &edits);
    assert!(tidied.contains("fn square(v: real[k]) = {\n  let r = v * v\n"), "{tidied}");
}

#[test]
fn an_open_file_is_read_before_the_one_on_disk() {
    let mut editor = Editor::start();
    editor.open("loss.blo", "fn loss(v) = sum(v * v)\n");
    let model = "use \"loss.blo\"\nupper { var x: real = 1\n minimize loss([x, x]) }\n";
    assert_eq!(editor.open("m.blo", model), Vec::<Value>::new());
    let found = editor.at("textDocument/definition", "m.blo", model, "loss([", json!({}));
    assert_eq!(found["uri"], editor.uri("loss.blo"));
    let text = "fn loss(v) = sum(v * v)\n";
    editor.change("loss.blo", 2, text, "loss(v)", "lost(v)");
    let found = editor.diagnostics("m.blo", 1);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn strange_requests_are_refused_and_the_server_goes_on() {
    let mut editor = Editor::start();
    let unknown = editor.answer("blo/nonsense", json!({}));
    assert_eq!(unknown["error"]["code"], -32601);
    let closed = json!({ "textDocument": { "uri": "file:///nowhere.blo" }, "position": { "line": 0, "character": 0 } });
    assert!(editor.answer("textDocument/hover", closed)["error"]["message"].as_str().is_some());
    let wrong = editor.answer("textDocument/hover", json!({ "textDocument": 3 }));
    assert_eq!(wrong["error"]["code"], -32602);
    for (k, text) in ["", "upper", "upper {", "fn f(", "data X: real[", "𝒙 = 1", "\u{0}"].iter().enumerate()
    {
        let name = format!("broken{k}.blo");
        editor.open(&name, text);
        editor.hover(&name, text, "");
        editor.offered(&name, text, "");
    }
    editor.ask("shutdown", json!(null));
    editor.tell("exit", json!(null));
    assert!(editor.server.wait().unwrap().success());
}

#[test]
fn the_syntax_files_know_every_keyword() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/editors/");
    for file in ["vscode/syntaxes/blo.tmLanguage.json", "vim/syntax/blo.vim"] {
        let text = std::fs::read_to_string(format!("{folder}{file}")).unwrap();
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
        for keyword in blo_grammar::parse::KEYWORDS {
            // In a pattern the word may stand behind `\b`, whose letter runs into it.
            let known = words.iter().any(|w| w == keyword || w.strip_prefix('b') == Some(keyword));
            assert!(known, "{file} does not know `{keyword}`");
        }
    }
    for file in ["package.json", "language-configuration.json", "syntaxes/blo.tmLanguage.json"] {
        let text = std::fs::read_to_string(format!("{folder}vscode/{file}")).unwrap();
        assert!(serde_json::from_str::<Value>(&text).unwrap().is_object(), "{file}");
    }
}

#[test]
fn a_whole_model_can_be_used_as_a_file() {
    let mut editor = Editor::start();
    std::fs::write(editor.folder.path("whole.blo"), RIDGE).unwrap();
    let model = "use \"whole.blo\" (square)\nupper { var x: real = 1\n minimize square([x, x]) }\n";
    editor.open("m.blo", model);
    let found = editor.at("textDocument/definition", "m.blo", model, "square([", json!({}));
    assert_eq!(found["uri"], editor.uri("whole.blo"));
}
