//! `blo test`: runs models and holds them to their `expect` lines. The status of a solution is shown but decides nothing: a
//! model may repeat a published run that does not end at one.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use blo_grammar::ast::{Item, ItemKind};
use blo_grammar::parse::parse;
use serde_json::{Value, json};

use super::{FINE, NOT_SOLVED, WRONG_INPUT, end, print_out, run::allow_threads, run::outcome};
use crate::args::{InputArgs, ModelArgs, RunArgs, TestArgs};
use crate::files::Trouble;
use crate::find;
use crate::render::Renderer;
use crate::session::Session;

/// What became of one model.
struct Row {
    model: String,
    /// Expectations that hold, and all of them.
    held: usize,
    total: usize,
    /// What the point is worth, or `error` when the model could not be run.
    status: String,
    seconds: f64,
    /// The expectations that do not hold, as written.
    failed: Vec<String>,
}

impl Row {
    fn holds(&self) -> bool {
        self.held == self.total && self.status != ERROR
    }
}

/// The status of a model that could not be run.
const ERROR: &str = "error";

/// Runs the command.
pub fn run(args: &TestArgs) -> ExitCode {
    allow_threads(None);
    let mut renderer = Renderer::new(args.format);
    let (paths, troubles) = find::models(&args.paths);
    troubles.iter().for_each(|trouble| renderer.trouble(trouble));
    let mut unread = !troubles.is_empty();
    let mut left_out = 0;
    let mut rows = Vec::new();
    for path in paths {
        match model(&mut renderer, &path, args) {
            Tested::Row(row) => rows.push(row),
            Tested::NothingExpected => left_out += 1,
            Tested::Unread => unread = true,
        }
    }
    if rows.is_empty() {
        if !unread {
            renderer.trouble(&Trouble::new("there is no model with `expect` lines here"));
        }
        return end(&mut renderer, "", &[], WRONG_INPUT);
    }
    let fine = !unread && rows.iter().all(Row::holds);
    let status = if fine { FINE } else { NOT_SOLVED };
    if args.json {
        return print_out(&mut renderer, &format!("{:#}\n", rows_json(&rows)), status);
    }
    let text = if args.quiet { failures(&rows) } else { report(&rows, left_out) };
    end(&mut renderer, &text, &[("models", rows_json(&rows))], status)
}

enum Tested {
    Row(Row),
    /// A model or library without `expect` lines.
    NothingExpected,
    /// A file that cannot be read, which has been said.
    Unread,
}

fn model(renderer: &mut Renderer, path: &Path, args: &TestArgs) -> Tested {
    let started = Instant::now();
    let args = run_args(path.to_path_buf(), args);
    let mut session = match Session::open(&args.model) {
        Ok(session) => session,
        Err(told) => {
            renderer.absorb(told);
            return Tested::Unread;
        }
    };
    let (ast, diagnostics) = parse(session.main, &session.sources.get(session.main).text);
    let total = expects(&ast.items);
    if total == 0 && diagnostics.is_empty() {
        return Tested::NothingExpected;
    }
    let model = path.display().to_string();
    let result = outcome(&mut session, &args);
    renderer.absorb(session.renderer);
    let seconds = started.elapsed().as_secs_f64();
    Tested::Row(match result {
        Some(result) => {
            let failed = result.expects.iter().filter(|(_, holds)| !holds).map(|(text, _)| text.clone());
            let failed: Vec<String> = failed.collect();
            let total = result.expects.len();
            Row { model, held: total - failed.len(), total, status: result.status, seconds, failed }
        }
        None => Row { model, held: 0, total, status: ERROR.into(), seconds, failed: Vec::new() },
    })
}

fn run_args(model: PathBuf, args: &TestArgs) -> RunArgs {
    RunArgs {
        model: ModelArgs {
            model,
            input: InputArgs { seed: args.seed, format: args.format, ..InputArgs::default() },
        },
        quiet: true,
        ..RunArgs::default()
    }
}

/// How many `expect` lines there are.
fn expects(items: &[Item]) -> usize {
    let count = |item: &Item| match &item.kind {
        ItemKind::Expect(_) => 1,
        ItemKind::Level(level) => expects(&level.items),
        _ => 0,
    };
    items.iter().map(count).sum()
}

fn rows_json(rows: &[Row]) -> Value {
    let row = |row: &Row| {
        json!({
            "model": row.model,
            "holds": row.holds(),
            "held": row.held,
            "total": row.total,
            "status": row.status,
            "seconds": row.seconds,
            "failed": row.failed,
        })
    };
    Value::Array(rows.iter().map(row).collect())
}

/// What does not hold.
fn failures(rows: &[Row]) -> String {
    let mut out = String::new();
    for row in rows.iter().filter(|row| !row.holds()) {
        let _ = writeln!(out, "{}", row.model);
        for text in &row.failed {
            let _ = writeln!(out, "  ✗ expect {text}");
        }
        if row.status == ERROR {
            out.push_str("  could not be run\n");
        }
    }
    out
}

/// A line for each model, then what does not hold, then the sum.
fn report(rows: &[Row], left_out: usize) -> String {
    let names = rows.iter().map(|row| row.model.chars().count());
    let width = names.max().unwrap_or(0).max("model".len());
    let mut out = format!("  model{}  expects  status      seconds\n", " ".repeat(width - "model".len()));
    for row in rows {
        let mark = if row.holds() { '✓' } else { '✗' };
        let gap = " ".repeat(width - row.model.chars().count());
        let held = format!("{}/{}", row.held, row.total);
        let _ =
            writeln!(out, "{mark} {}{gap}  {held:>7}  {:<10}  {:>7.2}", row.model, row.status, row.seconds);
    }
    out.push('\n');
    out.push_str(&failures(rows));
    let (held, total): (usize, usize) =
        (rows.iter().map(|r| r.held).sum(), rows.iter().map(|r| r.total).sum());
    let plural = if rows.len() == 1 { "" } else { "s" };
    let _ = writeln!(out, "{} model{plural}, {held} of {total} expectations hold", rows.len());
    if left_out > 0 {
        let _ = writeln!(out, "{left_out} without `expect` lines left out");
    }
    out
}
