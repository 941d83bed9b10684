//! `blo check`: everything that can be found wrong with a model without solving it, with or without its data.

use std::process::ExitCode;

use blo_compiler::convexity;

use super::{FINE, emit, refuse, say};
use crate::args::CheckArgs;
use crate::method::Flags;
use crate::output::convexity::account;
use crate::output::overview::overview;
use crate::session::{Session, solvable};

/// Runs the command.
pub fn run(args: &CheckArgs) -> ExitCode {
    let explain = args.explain;
    let args = &args.model;
    let Some(mut session) = Session::open(args) else { return ExitCode::from(super::WRONG_INPUT) };
    let flags = Flags::default();
    if let Some(stage) = args.emit {
        return emit(&mut session, args, &flags, stage);
    }
    let Some(model) = session.model(args, false) else { return refuse(&session) };
    // A model may be right though no method of this version solves it; one that it names must fit.
    let plan = if model.solve.is_none() && !solvable(&model) {
        None
    } else {
        let Some(plan) = session.plan(&model, &flags, args.seed) else { return refuse(&session) };
        Some(plan)
    };
    session.renderer.summary();
    let mut text = overview(&args.model.display().to_string(), &model, plan.as_ref());
    if explain {
        text.push('\n');
        text.push_str(&account(&session.renderer, &session.sources, &model, &convexity(&model)));
    }
    say(&mut session, &text, FINE)
}
