//! `blo check`: everything that can be found wrong with a model without solving it, with or without its data.

use std::process::ExitCode;

use super::{FINE, emit, refuse, say};
use crate::args::CheckArgs;
use crate::method::Flags;
use crate::output::overview::overview;
use crate::session::Session;

/// Runs the command.
pub fn run(args: &CheckArgs) -> ExitCode {
    let args = &args.model;
    let Some(mut session) = Session::open(args) else { return ExitCode::from(super::WRONG_INPUT) };
    let flags = Flags::default();
    if let Some(stage) = args.emit {
        return emit(&mut session, args, &flags, stage);
    }
    let Some(model) = session.model(args, false) else { return refuse(&session) };
    let Some(plan) = session.plan(&model, &flags, args.seed) else { return refuse(&session) };
    session.renderer.summary();
    let text = overview(&args.model.display().to_string(), &model, &plan);
    say(&mut session, &text, FINE)
}
