//! `blo check`: everything that can be found wrong with a model without solving it, with or without its data.

use std::process::ExitCode;

use blo_compiler::convexity;
use blo_compiler::model::Model;

use super::{FINE, emit, end, refuse};
use crate::args::{CheckArgs, MethodArgs, ModelArgs};
use crate::automatic::{is_open, solvable};
use crate::output::convexity::{account, document};
use crate::output::overview::overview;
use crate::output::proximal;
use crate::session::{Plan, Session};

/// Runs the command.
pub fn run(args: &CheckArgs) -> ExitCode {
    let (explain, stage, quiet) = (args.explain, args.emit, args.quiet);
    let args = &args.model;
    let mut session = match Session::open(args) {
        Ok(session) => session,
        Err(mut renderer) => return end(&mut renderer, "", &[], super::WRONG_INPUT),
    };
    if let Some(stage) = stage {
        return emit(&mut session, args, &MethodArgs::default(), stage);
    }
    let Some((model, plan)) = checked(&mut session, args) else { return refuse(&mut session.renderer) };
    session.renderer.summary();
    let mut text = overview(&args.model.display().to_string(), &model, plan.as_ref());
    if quiet {
        text.clear();
    }
    if !explain {
        return end(&mut session.renderer, &text, &[], FINE);
    }
    let found = convexity(&model);
    text.push('\n');
    text.push_str(&account(&session.renderer, &session.sources, &model, &found));
    let mut parts = vec![("convexity", document(&session.sources, &found))];
    if let Some(split) = blo_compiler::proximal(&model) {
        text.push_str(&proximal::account(&session.sources, &split));
        parts.push(("proximal", proximal::document(&session.sources, &split)));
    }
    end(&mut session.renderer, &text, &parts, FINE)
}

/// The model and how it will be solved; `None` when something is wrong, which has been told.
pub fn checked(session: &mut Session, args: &ModelArgs) -> Option<(Model, Option<Plan>)> {
    let model = session.model(args, false)?;
    // A model may be right though no method of this version solves it; one that it names must fit.
    if is_open(&model) && !solvable(&model) {
        return Some((model, None));
    }
    let plan = session.plan(&model, &MethodArgs::default(), args.input.seed)?;
    Some((model, Some(plan)))
}
