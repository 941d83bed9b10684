//! Checker cases, text in and text out: every `cases/check/*.blo` has a `.txt` beside it with its diagnostics and, when it
//! is right, the model. `BLESS=1` rewrites them. A first line `# options: …` sets `need-data`, `set NAME=EXPR` and `seed N`.

#![allow(clippy::disallowed_methods, reason = "tests read their own files")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

use std::fs;
use std::path::{Path, PathBuf};

use blo_compiler::analyse;
use blo_compiler::check::print::print_model;
use blo_compiler::codes;
use blo_compiler::ir::verify::verify;
use blo_compiler::session::{DataError, DataRequest, Loader, Options, Tensor};
use blo_compiler::types::Elem;
use blo_grammar::diagnostic::{Diagnostic, Severity};
use blo_grammar::source::Sources;
use ndarray::ArrayD;

/// Finds used files beside the case, and data in a few fixed tables.
struct Cases(PathBuf);

impl Loader for Cases {
    fn module(&mut self, _from: &str, path: &str) -> Result<(String, String), String> {
        let text = fs::read_to_string(self.0.join(path)).map_err(|_| "no such file".to_owned())?;
        Ok((path.to_owned(), text))
    }

    fn data(&mut self, request: &DataRequest) -> Result<Option<Tensor>, DataError> {
        let Some(file) = request.file else { return Ok(None) };
        let (shape, values, elem): (Vec<usize>, Vec<f64>, Elem) = match file {
            "x23.csv" => (vec![2, 3], vec![1., 2., 3., 4., 5., 6.], Elem::Int),
            "y2.csv" => (vec![2], vec![0., 2.], Elem::Int),
            "y3.csv" => (vec![3], vec![0., 1., 2.], Elem::Int),
            "half.csv" => (vec![2], vec![0., 0.5], Elem::Real),
            "nan.csv" => (vec![2, 2], vec![0., 1., f64::NAN, 1.], Elem::Real),
            "empty.csv" => (vec![0], vec![], Elem::Real),
            _ => return Err(DataError { message: format!("cannot read \"{file}\""), help: None }),
        };
        let values = ArrayD::from_shape_vec(shape, values).unwrap();
        Ok(Some(Tensor { elem, values, origin: file.to_owned() }))
    }
}

fn show(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let word = if diagnostic.severity == Severity::Error { "error" } else { "warning" };
    let mut text = format!("{word}[{}]: {}\n", diagnostic.code, diagnostic.message);
    for label in &diagnostic.labels {
        let (line, column) = sources.line_column(label.span);
        let snippet = sources.snippet(label.span).replace('\n', " ");
        let file = &sources.get(label.span.file).name;
        // Lines of the library move with it.
        let place = match file.as_str() {
            "case" => format!("{line}:{column}"),
            library if library.starts_with("std.") => library.to_owned(),
            used => format!("{used}:{line}:{column}"),
        };
        text += &format!("  {place} `{snippet}` {}\n", label.text);
    }
    for note in &diagnostic.notes {
        text += &format!("  note: {note}\n");
    }
    if let Some(help) = &diagnostic.help {
        text += &format!("  help: {help}\n");
    }
    text
}

fn options(text: &str) -> Options {
    let mut options = Options::default();
    let Some(line) = text.lines().next().and_then(|l| l.strip_prefix("# options: ")) else { return options };
    for part in line.split(';').map(str::trim) {
        match part.split_once(' ') {
            None if part == "need-data" => options.need_data = true,
            Some(("set", assignment)) => {
                let (name, value) = assignment.split_once('=').unwrap();
                options.overrides.push((name.to_owned(), value.to_owned()));
            }
            Some(("seed", n)) => options.seed = n.parse().unwrap(),
            _ => panic!("unknown option `{part}`"),
        }
    }
    options
}

fn outcome(folder: &Path, text: &str) -> String {
    let mut sources = Sources::new();
    let main = sources.add("case", text);
    let (model, diagnostics) = analyse(&mut sources, main, &mut Cases(folder.to_owned()), &options(text));
    let mut out: String = diagnostics.iter().map(|d| show(&sources, d)).collect();
    if let Some(model) = &model {
        verify(&model.graph).unwrap();
        out += &print_model(model);
    }
    assert_eq!(model.is_none(), diagnostics.iter().any(Diagnostic::is_error), "{text}");
    out
}

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/check");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "blo")) {
        let text = fs::read_to_string(file).unwrap();
        if text.starts_with("# module") {
            continue;
        }
        seen += 1;
        let found = outcome(&folder, &text);
        let beside = file.with_extension("txt");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&beside, &found).unwrap();
        } else if fs::read_to_string(&beside).unwrap_or_default() != found {
            wrong.push(format!("{}\n{found}", file.display()));
        }
    }
    every_code_has_a_case(&folder);
    assert!(seen > 0, "no cases in {}", folder.display());
    assert!(
        wrong.is_empty(),
        "{} of {seen} cases differ (BLESS=1 rewrites them):\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn every_code_has_a_case(folder: &Path) {
    let texts: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "txt"))
        .map(|p| fs::read_to_string(p).unwrap())
        .collect();
    let missing: Vec<&str> = codes::own()
        .iter()
        .map(|c| c.code)
        .filter(|c| !["E04", "E05"].iter().any(|later| c.starts_with(later)))
        .filter(|c| !texts.iter().any(|t| t.contains(&format!("[{c}]"))))
        .collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}
