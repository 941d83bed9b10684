//! The last run of a session as it was between two iterations, so that `:step` and `:continue` go on with it, with the same bits as if
//! it had never been left. What it was a run of is kept beside it: where the model, the data, the method or the point changed since, a
//! new run begins.

use std::collections::BTreeMap;
use std::sync::Arc;

use blo_compiler::ir::eval::Array;
use blo_compiler::model::Model;
use blo_runtime::settings::{Settings, Value};
use blo_runtime::solvers::Point;
use blo_runtime::state::Snapshot;

use super::state::Course;
use crate::args::RunArgs;
use crate::commands::run::Prepared;

/// What a run is of.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// The text of the model.
    pub text: String,
    data: Vec<Option<Arc<Array>>>,
    method: &'static str,
    /// But for the number of iterations.
    options: Vec<(String, String)>,
    halt: String,
}

impl Subject {
    /// Of a run that is ready to begin.
    pub fn new(text: String, model: &Model, prepared: &Prepared) -> Self {
        let options = prepared.plan.settings.iter().filter(|(name, _)| *name != "steps");
        Subject {
            text,
            data: model.data.iter().map(|data| data.value.clone()).collect(),
            method: prepared.plan.solver.name,
            options: options.map(|(name, value)| (name.to_owned(), value.to_string())).collect(),
            halt: prepared.halt.as_ref().map_or_else(String::new, crate::halt::Halt::description),
        }
    }
}

/// A run to go on with.
#[derive(Clone)]
pub struct Kept {
    /// What it is of.
    pub subject: Subject,
    /// The iterations that its method is to make, and those that it was to make when it began.
    pub steps: usize,
    /// As many again are made where it goes on behind its end.
    pub own: usize,
    /// Where it began.
    pub first: Point,
    /// Its state.
    pub snapshot: Snapshot,
    /// What its watcher remembers.
    pub watched: Vec<u64>,
    /// The point that it left.
    pub known: BTreeMap<String, Array>,
    /// The course of the runs before it.
    pub before: Course,
}

impl Kept {
    /// Why it cannot go on as a run of this from this point.
    pub fn misfit(&self, subject: &Subject, known: &BTreeMap<String, Array>) -> Option<&'static str> {
        let own = &self.subject;
        if own.text != subject.text || own.data != subject.data {
            return Some("the model or its data changed");
        }
        if own != subject {
            return Some("the method or its options changed");
        }
        (self.known != *known).then_some("the point changed")
    }
}

/// The number of iterations that settings say.
pub fn steps(settings: &Settings) -> usize {
    settings.iter().find(|(name, _)| *name == "steps").map_or(0, |(_, value)| match value {
        Value::Number(number) => *number as usize,
        _ => 0,
    })
}

/// Flags of the run before that stay where `args` has none of their kind.
pub fn inherit(args: &mut RunArgs, from: &RunArgs) {
    if args.flags.options.is_empty() {
        args.flags.options.clone_from(&from.flags.options);
    }
    if args.stop.is_none() && args.watch.is_none() && args.patience.is_none() {
        (args.stop, args.watch) = (from.stop.clone(), from.watch.clone());
        args.patience = from.patience;
    }
    let (input, before) = (&mut args.model.input, &from.model.input);
    if input.set.is_empty() {
        input.set.clone_from(&before.set);
    }
    input.precision = input.precision.or(before.precision);
    args.memory = args.memory.or(from.memory);
}
