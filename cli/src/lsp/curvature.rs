//! What is said about the curvature of a model. Working it out may take seconds for a model with much data, so that is done on a
//! thread of its own, and whoever asks waits a moment at most; later the answer is there.

use std::cell::RefCell;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use blo_compiler::convexity;
use blo_compiler::model::Model;
use blo_grammar::source::Sources;

use crate::args::Format;
use crate::output::convexity::account;
use crate::render::Renderer;

/// How long an answer is waited for.
const MOMENT: Duration = Duration::from_millis(150);

/// Expressions are followed by nested calls.
const STACK: usize = 256 << 20;

/// What is said while there is no answer yet.
const LATER: &str = "The curvature is being worked out; ask again in a moment.";

/// The curvature of one text.
#[derive(Default)]
pub struct Curvature(RefCell<State>);

#[derive(Default)]
enum State {
    #[default]
    NotAsked,
    Asked(Receiver<String>),
    Said(String),
}

impl Curvature {
    /// What is said about the model, the same for every call, as far as it is known by now.
    pub fn said(&self, model: &Model, sources: &Sources) -> String {
        let mut state = self.0.borrow_mut();
        if matches!(*state, State::NotAsked) {
            *state = match begin(model.clone(), sources.clone()) {
                Ok(answer) => State::Asked(answer),
                // Without a thread it takes the time it takes.
                Err(_) => State::Said(words(model, sources)),
            };
        }
        if let State::Asked(answer) = &*state {
            match answer.recv_timeout(MOMENT) {
                Ok(text) => *state = State::Said(text),
                Err(_) => return LATER.to_owned(),
            }
        }
        match &*state {
            State::Said(text) => text.clone(),
            State::NotAsked | State::Asked(_) => LATER.to_owned(),
        }
    }
}

/// Begins to work it out.
fn begin(model: Model, sources: Sources) -> std::io::Result<Receiver<String>> {
    let (sender, receiver) = channel();
    std::thread::Builder::new().stack_size(STACK).spawn(move || {
        // Whoever asked may be gone: the text changed.
        let _ = sender.send(words(&model, &sources));
    })?;
    Ok(receiver)
}

/// What `blo check --explain` says about both levels.
fn words(model: &Model, sources: &Sources) -> String {
    let renderer = Renderer::new(Format::Json);
    format!("```text\n{}```", account(&renderer, sources, model, &convexity(model)))
}
