//! `docs/json.md` and `docs/json.schema.json`, written from the table in `table.rs`, and the documents that commands print, held
//! against it: nothing is printed that is not described, and nothing is described that no command prints.

mod table;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value, json};
use table::Is::{self, Count, Either, List, Nested, Null, Number, Of, Table, Text, Truth, Word};
use table::{OBJECTS, Object, PRINTED};

use crate::{fresh, root, scratch};

fn object(name: &str) -> &'static Object {
    OBJECTS.iter().find(|object| object.name == name).unwrap_or_else(|| panic!("no object `{name}`"))
}

// The schema.

fn schema(is: &Is) -> Value {
    match is {
        Text => json!({ "type": "string" }),
        Word(words) => json!({ "enum": words }),
        Number => json!({ "type": "number" }),
        Count => json!({ "type": "integer", "minimum": 0 }),
        Truth => json!({ "type": "boolean" }),
        Null => json!({ "type": "null" }),
        Nested => json!({ "$ref": "#/$defs/nested" }),
        List(of) => json!({ "type": "array", "items": schema(of) }),
        Table(of) => json!({ "type": "object", "additionalProperties": schema(of) }),
        Of(name) => json!({ "$ref": format!("#/$defs/{name}") }),
        Either(all) => json!({ "anyOf": all.iter().map(schema).collect::<Vec<_>>() }),
    }
}

fn whole_schema() -> Value {
    let mut definitions = Map::new();
    for Object { name, about, keys } in OBJECTS {
        let described = |key: &table::Key| {
            let mut of = schema(&key.is);
            of["description"] = json!(key.about);
            (key.name.to_owned(), of)
        };
        let required: Vec<&str> = keys.iter().filter(|key| key.always).map(|key| key.name).collect();
        definitions.insert(
            (*name).to_owned(),
            json!({
                "description": about,
                "type": "object",
                "properties": keys.iter().map(described).collect::<Map<_, _>>(),
                "required": required,
            }),
        );
    }
    let number = json!({ "type": ["number", "null"] });
    let nested = json!({ "anyOf": [number, { "type": "array", "items": { "$ref": "#/$defs/nested" } }] });
    definitions.insert("nested".into(), nested);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "what blo prints as JSON",
        "anyOf": PRINTED.iter().map(|(_, is)| schema(is)).collect::<Vec<_>>(),
        "$defs": definitions,
    })
}

// The page.

const INTRODUCTION: &str = "\
# JSON

Generated from `cli/tests/reference/json/table.rs` by `BLESS=1 cargo test -p blo --test reference`; do not edit.

Commands print one JSON document on standard output, and nothing else, when asked with `--json` (their answer alone) or `--format json` (their \
answer with all messages: [diagnostics.md](diagnostics.md)). [json.schema.json](json.schema.json) says the same as this page in JSON Schema \
(2020-12); the tests hold every document against it. `version` is the version of blo: keys may be added from one version to the next, none \
is renamed and none changes its type. A number that is not finite, or not defined, is `null`.

| command | prints |
|---|---|
";

fn words(is: &Is) -> String {
    match is {
        Text => "text".into(),
        Word(words) => words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(" or "),
        Number => "number".into(),
        Count => "count".into(),
        Truth => "truth value".into(),
        Null => "`null`".into(),
        Nested => "number, or arrays in arrays".into(),
        List(of) => format!("array of {}", words(of)),
        Table(of) => format!("object by name of {}", words(of)),
        Of(name) => format!("[{name}](#{name})"),
        Either(all) => all.iter().map(words).collect::<Vec<_>>().join(" or "),
    }
}

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (command, is) in PRINTED {
        writeln!(page, "| {command} | {} |", words(is)).unwrap();
    }
    for Object { name, about, keys } in OBJECTS {
        write!(page, "\n## {name}\n\n{about}\n\n| key | is | meaning |\n|---|---|---|\n").unwrap();
        for key in *keys {
            let sometimes = if key.always { "" } else { ", not always there" };
            writeln!(page, "| `{}` | {}{sometimes} | {} |", key.name, words(&key.is), key.about).unwrap();
        }
    }
    page
}

#[test]
fn the_page_and_the_schema_of_json_are_fresh() {
    fresh("docs/json.md", &page());
    fresh("docs/json.schema.json", &format!("{:#}\n", whole_schema()));
}

// The documents.

/// Holds values against the table, and notes every key that was met.
#[derive(Default)]
struct Reader {
    met: BTreeSet<(&'static str, &'static str)>,
}

impl Reader {
    fn hold(&mut self, value: &Value, is: &Is, place: &str) -> Result<(), String> {
        let wrong = || Err(format!("{place} is no {}: {:.80}", words(is), value.to_string()));
        match is {
            Text if value.is_string() => Ok(()),
            Word(words) if value.as_str().is_some_and(|word| words.contains(&word)) => Ok(()),
            Number if value.is_number() => Ok(()),
            Count if value.is_u64() => Ok(()),
            Truth if value.is_boolean() => Ok(()),
            Null if value.is_null() => Ok(()),
            Nested => match value {
                Value::Number(_) | Value::Null => Ok(()),
                Value::Array(all) => all.iter().try_for_each(|v| self.hold(v, is, place)),
                _ => wrong(),
            },
            List(of) => match value.as_array() {
                Some(all) => all.iter().try_for_each(|v| self.hold(v, of, &format!("{place}[]"))),
                None => wrong(),
            },
            Table(of) => match value.as_object() {
                Some(all) => {
                    all.iter().try_for_each(|(name, v)| self.hold(v, of, &format!("{place}.{name}")))
                }
                None => wrong(),
            },
            Of(name) => match value.as_object() {
                Some(all) => self.object(all, object(name), place),
                None => wrong(),
            },
            Either(all) => {
                let tries: Vec<Result<(), String>> =
                    all.iter().map(|is| self.hold(value, is, place)).collect();
                if tries.iter().any(Result::is_ok) {
                    return Ok(());
                }
                // The last says most: `null` comes first.
                tries.into_iter().next_back().unwrap_or(Ok(()))
            }
            _ => wrong(),
        }
    }

    fn object(
        &mut self,
        all: &Map<String, Value>,
        object: &'static Object,
        place: &str,
    ) -> Result<(), String> {
        for (name, value) in all {
            let key = object.keys.iter().find(|key| key.name == name);
            let key = key.ok_or_else(|| format!("{place}.{name} is not described in `{}`", object.name))?;
            self.met.insert((object.name, key.name));
            self.hold(value, &key.is, &format!("{place}.{name}"))?;
        }
        let lacking = object.keys.iter().find(|key| key.always && !all.contains_key(key.name));
        lacking.map_or(Ok(()), |key| Err(format!("{place} has no `{}`", key.name)))
    }
}

const BROKEN: &str = "upper {\n  var x: real\n  minimize x ** 2 + y\n}\n";
const UNTIDY: &str = "upper   {\n  var x: real\n  minimize x^2\n}\n";
const KINKED: &str = "upper {\n var x: real in [0, 3] = 1\n subject to x >= 0.5\n minimize (y - 2)^2\n}\nlower {\n var y: real = 0\n \
                      minimize (y - x)^2 + abs(y) + max(y, 0.1)\n}\n";

/// Commands in a folder with `model.blo`, a game; `broken.blo`, `untidy.blo`, `kinked.blo`; and the gallery.
const COMMANDS: [&str; 19] = [
    "run model.blo --json",
    "run model.blo --format json",
    "run GALLERY/toll.blo --json",
    "run GALLERY/toll.blo --method tree --json",
    "run GALLERY/electricity.blo --json",
    "run GALLERY/finite_sum.blo --json --iterations 3",
    "run model.blo --method rhg(steps=3) --starts 2 --watch upper_objective --json",
    "compare model.blo --methods cg,bome --steps 3 --json",
    "compare GALLERY/toll.blo --methods kkt,cg --steps 3 --format json",
    "test model.blo --json",
    "test model.blo --format json",
    "check broken.blo --format json",
    "check kinked.blo --explain --format json",
    "check GALLERY/elastic_net.blo --explain --format json",
    "explain model.blo --format json",
    "explain model.blo --gradient --format json",
    "check model.blo --emit model --format json",
    "fmt --check untidy.blo --format json",
    "doctor --json",
];

#[test]
fn documents_are_what_the_page_says() {
    let folder = scratch::Folder::new();
    let gallery = root("examples").display().to_string();
    let blo = |line: &str| {
        let words: Vec<String> = line.split(' ').map(|word| word.replace("GALLERY", &gallery)).collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_blo"));
        command.env("BLO_CACHE", concat!(env!("CARGO_TARGET_TMPDIR"), "/code"));
        command.args(words).current_dir(folder.path("")).output().unwrap()
    };
    blo("new game --template game --quiet");
    std::fs::copy(folder.path("game/model.blo"), folder.path("model.blo")).unwrap();
    for (name, model) in [("broken", BROKEN), ("untidy", UNTIDY), ("kinked", KINKED)] {
        std::fs::write(folder.path(format!("{name}.blo").as_str()), model).unwrap();
    }
    let mut reader = Reader::default();
    for line in COMMANDS {
        let output = blo(line);
        let text = String::from_utf8_lossy(&output.stdout);
        let document: Value = serde_json::from_str(&text)
            .unwrap_or_else(|e| panic!("{line}: {e}\n{text}{}", String::from_utf8_lossy(&output.stderr)));
        let wanted = table::printed_by(line);
        if let Err(why) = reader.hold(&document, wanted, "document") {
            panic!("{line}: {why}");
        }
        if line.contains("format") {
            assert_eq!(document["status"].as_i64(), output.status.code().map(i64::from), "{line}");
        }
    }
    let all = OBJECTS.iter().flat_map(|object| object.keys.iter().map(|key| (object.name, key.name)));
    let unmet: Vec<_> = all.filter(|key| !reader.met.contains(key)).collect();
    assert!(unmet.is_empty(), "described, but printed by none of the commands: {unmet:?}");
    assert!(Path::new(&root("docs/json.schema.json")).exists());
}
