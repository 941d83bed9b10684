//! A run kept in a file, to go on later: one line of JSON that says which run it is, then the words of its state. The file is written
//! beside its name and moved there, so it is whole at any time.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use blo_compiler::model::Model;
use blo_grammar::source::Sources;
use blo_runtime::solvers::Point;
use blo_runtime::state::Snapshot;
use serde_json::{Map, Value, json};

use crate::files::{self, Trouble};
use crate::session::Plan;
use blo_runtime::frozen::checksum;

/// What the first line is called.
const KIND: &str = "blo checkpoint";

/// Which run a checkpoint belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Stands for the texts, the data, the arithmetic and the start.
    problem: String,
    method: String,
    options: Map<String, Value>,
    /// What `--stop` and `--watch` look at.
    halt: String,
}

impl Identity {
    /// Of a run that begins at `first`.
    pub fn new(sources: &Sources, model: &Model, plan: &Plan, first: &Point, halt: String) -> Self {
        let mut bytes = Vec::new();
        // The command line is a source too; what it says stands in the options, the parameters and the start.
        for (_, source) in sources.iter().filter(|(_, source)| source.name != "command line") {
            bytes.extend(source.text.as_bytes());
            bytes.push(0);
        }
        let arrays = model.data.iter().filter_map(|data| data.value.as_ref());
        for array in arrays {
            bytes.extend(checksum(format!("{array:?}").as_bytes()).to_le_bytes());
        }
        for value in first.x.iter().chain(&first.y) {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(format!("{:?}", model.precision).bytes());
        let options = plan.settings.iter().map(|(name, value)| (name.to_owned(), json!(value.to_string())));
        Identity {
            problem: format!("{:032x}", checksum(&bytes)),
            method: plan.solver.name.to_owned(),
            options: options.collect(),
            halt,
        }
    }

    fn json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("kind".into(), json!(KIND));
        object.insert("version".into(), json!(env!("CARGO_PKG_VERSION")));
        object.insert("problem".into(), json!(self.problem));
        object.insert("method".into(), json!(self.method));
        object.insert("options".into(), Value::Object(self.options.clone()));
        object.insert("halt".into(), json!(self.halt));
        object
    }

    /// Why a checkpoint with this first line is not one of this run.
    fn misfit(&self, head: &Value) -> Option<String> {
        let own = Value::Object(self.json());
        let says = |key: &str| head[key].as_str().unwrap_or("nothing").to_owned();
        if head["version"] != own["version"] {
            return Some(format!(
                "it was written by blo {}, and this is {}: the bits would differ",
                says("version"),
                env!("CARGO_PKG_VERSION")
            ));
        }
        if head["method"] != own["method"] {
            return Some(format!(
                "it is of a run of `{}`, and this one is of `{}`",
                says("method"),
                self.method
            ));
        }
        let other = self.options.iter().find(|(name, value)| head["options"][name.as_str()] != **value);
        if let Some((name, value)) = other {
            let there = head["options"][name.as_str()].as_str().unwrap_or("nothing");
            let here = value.as_str().unwrap_or_default();
            return Some(format!("there `{name}` is {there}, and here it is {here}"));
        }
        if head["problem"] != own["problem"] {
            return Some("it is of another model, other data, another precision or another start".into());
        }
        (head["halt"] != own["halt"]).then(|| "it was written with another `--stop` or `--watch`".into())
    }
}

/// Where a run is kept, and how often.
#[derive(Clone, Debug)]
pub struct Keeping {
    path: PathBuf,
    identity: Identity,
    /// Time between two checkpoints.
    pub every: Duration,
}

impl Keeping {
    /// Keeps the run in this file; finds out at once whether it can be written.
    pub fn prepare(path: &Path, identity: Identity, every: Duration) -> Result<Self, Trouble> {
        let keeping = Keeping { path: path.to_path_buf(), identity, every };
        if path.is_dir() {
            return Err(Trouble::new(format!("`--checkpoint {}` is a folder, not a file", path.display())));
        }
        let probe = keeping.part();
        File::create(&probe).and_then(|_| fs::remove_file(&probe)).map_err(|e| keeping.failed(&e))?;
        Ok(keeping)
    }

    fn part(&self) -> PathBuf {
        let name = self.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        self.path.with_file_name(format!(".{name}.{}.part", std::process::id()))
    }

    fn failed(&self, e: &std::io::Error) -> Trouble {
        Trouble::new(format!("cannot write the checkpoint `{}`: {e}", self.path.display()))
    }

    /// Writes a checkpoint in the place of the last one. `watched`: the memory of what ends the run.
    pub fn write(&self, snapshot: &Snapshot, watched: &[u64]) -> Result<(), Trouble> {
        let words: Vec<u8> = snapshot.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut head = self.identity.json();
        head.insert("iteration".into(), json!(snapshot.iteration));
        // Words as text: JSON has numbers of 53 bits.
        head.insert("watched".into(), watched.iter().map(|w| json!(w.to_string())).collect());
        head.insert("words".into(), json!(snapshot.words.len()));
        head.insert("checksum".into(), json!(format!("{:032x}", checksum(&words))));
        let part = self.part();
        let written = File::create(&part).and_then(|file| {
            let mut out = BufWriter::new(file);
            writeln!(out, "{}", Value::Object(head))?;
            out.write_all(&words)?;
            out.into_inner()?.sync_all()?;
            fs::rename(&part, &self.path)
        });
        written.map_err(|e| {
            // The half-written file is of no use, and the error that matters is the first.
            let _ = fs::remove_file(&part);
            self.failed(&e)
        })
    }
}

/// A checkpoint that has been read: the state, and the memory of what ends the run.
pub fn read(path: &Path, identity: &Identity) -> Result<(Snapshot, Vec<u64>), Trouble> {
    let shown = path.display();
    let (mut file, _) = files::open(path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|e| Trouble::new(format!("reading `{shown}` failed: {e}")))?;
    let none = || {
        Trouble::new(format!("`{shown}` is not a checkpoint"))
            .help("it is written by `blo run MODEL --checkpoint FILE`")
    };
    let line = bytes.iter().position(|&b| b == b'\n').ok_or_else(none)?;
    let head: Value = serde_json::from_slice(&bytes[..line]).map_err(|_| none())?;
    if head["kind"] != KIND {
        return Err(none());
    }
    if let Some(why) = identity.misfit(&head) {
        let trouble = Trouble::new(format!("`{shown}` is not a checkpoint of this run: {why}"));
        return Err(trouble.help(
            "resume with the flags of the run that wrote it; `--start` begins anew from any earlier result",
        ));
    }
    let words = &bytes[line + 1..];
    let whole = head["words"].as_u64() == Some(words.len() as u64 / 8)
        && head["checksum"] == format!("{:032x}", checksum(words));
    let watched =
        head["watched"].as_array().map(|all| all.iter().filter_map(|w| w.as_str()?.parse().ok()).collect());
    match (whole, head["iteration"].as_u64(), watched) {
        (true, Some(iteration), Some(watched)) => {
            let (words, _) = words.as_chunks();
            let words = words.iter().map(|w| u64::from_le_bytes(*w)).collect();
            Ok((Snapshot { iteration: iteration as usize, words }, watched))
        }
        _ => Err(Trouble::new(format!("the checkpoint `{shown}` is damaged"))),
    }
}
