//! `blo check`: everything that can be found wrong with a model without solving it, with or without its data.

use std::process::ExitCode;

use super::{FINE, emit, end, refuse};
use crate::args::CheckArgs;
use crate::method::Flags;
use crate::output::overview::overview;
use crate::session::Session;

/// Runs the command.
pub fn run(args: &CheckArgs) -> ExitCode {
    let args = &args.model;
    let mut session = match Session::open(args) {
        Ok(session) => session,
        Err(mut renderer) => return end(&mut renderer, "", &[], super::WRONG_INPUT),
    };
    let flags = Flags::default();
    if let Some(stage) = args.emit {
        return emit(&mut session, args, &flags, stage);
    }
    let checked = session.model(args, false).and_then(|model| {
        let plan = session.plan(&model, &flags, args.seed)?;
        Some((model, plan))
    });
    let Some((model, plan)) = checked else { return refuse(&mut session.renderer) };
    session.renderer.summary();
    let text = overview(&args.model.display().to_string(), &model, &plan);
    end(&mut session.renderer, &text, &[], FINE)
}
