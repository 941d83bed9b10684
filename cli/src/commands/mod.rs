//! The commands, one file each, and what they share: printing a stage, and writing to standard output.

pub mod backend;
pub mod cache;
pub mod check;
pub mod compare;
pub mod compile;
pub mod compiled;
pub mod completions;
pub mod doctor;
pub mod explain;
pub mod export;
pub mod fmt;
pub mod new;
pub mod plot;
pub mod run;
pub mod test;

use std::io::Write;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::args::{MethodArgs, ModelArgs, Stage};
use crate::files::Trouble;
use crate::render::Renderer;
use crate::session::Session;

/// Everything is as it should be.
pub const FINE: u8 = 0;
/// Not solved, an expectation does not hold, or a file is not in its usual form.
pub const NOT_SOLVED: u8 = 1;
/// The model, its data or the command line is wrong.
pub const WRONG_INPUT: u8 = 2;

/// Ends a command whose input is wrong: says how much was found.
fn refuse(renderer: &mut Renderer) -> ExitCode {
    renderer.summary();
    end(renderer, "", &[], WRONG_INPUT)
}

/// Ends a command with `text` for people, or with the document of its messages and these parts for tools.
fn end(renderer: &mut Renderer, text: &str, parts: &[(&str, Value)], status: u8) -> ExitCode {
    let Some((messages, errors, warnings)) = renderer.document() else {
        return if text.is_empty() { ExitCode::from(status) } else { print_out(renderer, text, status) };
    };
    let mut document = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "status": status,
        "errors": errors,
        "warnings": warnings,
        "diagnostics": messages,
    });
    for (name, value) in parts {
        document[*name] = value.clone();
    }
    print_out(renderer, &format!("{document:#}\n"), status)
}

/// Prints a stage of the compiler instead of going on.
fn emit(session: &mut Session, args: &ModelArgs, flags: &MethodArgs, stage: Stage) -> ExitCode {
    match stage_text(session, args, flags, stage) {
        Some(text) => {
            let stage = json!(text);
            end(&mut session.renderer, &text, &[("emit", stage)], FINE)
        }
        None => refuse(&mut session.renderer),
    }
}

fn stage_text(session: &mut Session, args: &ModelArgs, flags: &MethodArgs, stage: Stage) -> Option<String> {
    if stage == Stage::Ast {
        let (ast, diagnostics) =
            blo_grammar::parse::parse(session.main, &session.sources.get(session.main).text);
        return (!session.tell(&diagnostics)).then(|| crate::compile::syntax(&ast));
    }
    let mut model = session.model(args, false)?;
    // The model is printed whether or not a method is for it.
    let plan = match stage {
        Stage::Model => None,
        _ => Some(session.plan(&model, flags, args.input.seed)?),
    };
    match crate::compile::text(&mut model, plan.as_ref(), stage) {
        Ok(text) => Some(text),
        Err(diagnostics) => {
            session.tell(&diagnostics);
            None
        }
    }
}

/// Writes to standard output and ends with `status`. A reader that has closed the stream has read enough.
fn print_out(renderer: &mut Renderer, text: &str, status: u8) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            renderer.trouble(&Trouble::new(format!("cannot write to standard output: {e}")));
            ExitCode::from(WRONG_INPUT)
        }
        _ => ExitCode::from(status),
    }
}
