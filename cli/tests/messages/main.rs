//! What `blo` says about wrong models: that the message is the right one, stands at the right place, names the way out, and is
//! alone.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod broken;
mod mistakes;
#[path = "../../src/scratch.rs"]
mod scratch;

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A path from the root of the repository.
fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// One message of `blo`.
struct Message {
    code: String,
    headline: String,
    /// What the first label covers, and the line it stands in, from 1; the file too where that is not the model.
    marked: String,
    line: u64,
    /// Empty when there is none.
    help: String,
    /// The bytes of the model that are replaced, and by what.
    edit: Option<(Range<usize>, String)>,
    rendered: String,
}

/// What `blo` says about a model that stands, as `model.blo`, in a folder of its own or in the given one.
fn messages(model: &str, command: &[&str], folder: Option<&Path>) -> Vec<Message> {
    let scratch = scratch::Folder::new();
    let path = folder.map_or_else(|| scratch.path("model.blo"), |folder| folder.join("model.blo"));
    fs::write(&path, model).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_blo"))
        .env("BLO_CACHE", concat!(env!("CARGO_TARGET_TMPDIR"), "/code"))
        .args(command)
        .args(["--format", "json"])
        .current_dir(path.parent().unwrap())
        .output()
        .expect("the built command runs");
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}\n{model}", String::from_utf8_lossy(&output.stderr)));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let message = |found: &Value| {
        let label = &found["labels"][0];
        let file = text(&label["file"]);
        let range = |place: &Value| {
            let [start, end] = ["start", "end"].map(|key| place[key].as_u64().unwrap_or(0) as usize);
            start..end
        };
        let edit = &found["edit"];
        // The text of `--set` is its value, that of other options is the option as given.
        let option = command[command.len().saturating_sub(2)..].join(" ");
        let source = match file.as_str() {
            "model.blo" => model,
            "command line" => &option,
            _ => option.split_once('=').map_or("", |(_, value)| value),
        };
        Message {
            code: text(&found["code"]),
            headline: text(&found["message"]),
            marked: source.get(range(label)).unwrap_or(&file).to_owned(),
            line: label["line"].as_u64().unwrap_or(0),
            help: text(&found["help"]),
            edit: (edit["file"] == "model.blo").then(|| (range(edit), text(&edit["replacement"]))),
            rendered: text(&found["rendered"]),
        }
    };
    document["diagnostics"].as_array().unwrap().iter().map(message).collect()
}
