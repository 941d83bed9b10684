//! A model that is being written: levels and objectives may be missing yet, and an expression may be asked for. Where a level has no
//! objective it stands with the objective 0, so that everything else is checked as in a finished model.

use std::rc::Rc;

use blo_grammar::ast::{Ast, Expr};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::source::Sources;
use blo_grammar::span::Span;

use super::Checker;
use super::scope::{Frame, LevelId, Reads};
use super::value::Value;
use crate::ir::graph::NodeId;
use crate::model::{Level, Model};
use crate::session::{Loader, Options, Phase};

/// What the checker keeps while it looks at a draft.
pub(super) struct Drafting {
    question: Option<Rc<Expr>>,
    answer: Option<Value>,
    missing: Vec<String>,
}

/// A draft that has been checked.
pub struct Draft {
    /// The model so far; `None` when something in it is wrong.
    pub model: Option<Model>,
    /// What it lacks before it can be solved, in words.
    pub missing: Vec<String>,
    /// The expression that was asked for.
    pub answer: Option<Answer>,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// An expression that was asked for.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its node in the graph of the model.
    pub node: NodeId,
    /// Names of its dimensions.
    pub dims: Vec<Option<String>>,
    /// Of each axis: whether its size was made up, since it is that of data that are not bound.
    pub assumed: Vec<bool>,
}

/// Checks a draft. `question`: an expression that may read everything, the findings of a solve too.
pub fn draft(
    sources: &mut Sources,
    ast: Ast,
    question: Option<Expr>,
    loader: &mut dyn Loader,
    options: &Options,
) -> Draft {
    loader.observer().begins(Phase::Check);
    let mut checker = Checker::new(sources, loader, options);
    checker.draft = Some(Drafting { question: question.map(Rc::new), answer: None, missing: Vec::new() });
    let model = checker.model(ast);
    let mut diagnostics = std::mem::take(&mut checker.diagnostics);
    diagnostics.sort_by_key(Diagnostic::span);
    let drafting = checker.draft.take();
    let missing = drafting.as_ref().map_or_else(Vec::new, |d| d.missing.clone());
    let answer = drafting.and_then(|d| d.answer).map(|value| Answer {
        node: value.node,
        dims: value.shape.iter().map(|axis| Some(checker.dims[axis.dim?.0].name.clone())).collect(),
        assumed: value.shape.iter().map(|axis| axis.assumed).collect(),
    });
    Draft { model, missing, answer, diagnostics }
}

impl Checker<'_> {
    /// Works out the expression that was asked for.
    pub(super) fn question(&mut self) {
        let Some(question) = self.draft.as_ref().and_then(|d| d.question.clone()) else { return };
        let answer = self.at(Frame::top(0, None), Reads::Solution, |c| c.expr(&question));
        if let Some(drafting) = &mut self.draft {
            drafting.answer = answer;
        }
    }

    /// An upper level that is not written yet.
    pub(super) fn missing_upper(&mut self) -> Option<Level> {
        let drafting = self.draft.as_mut()?;
        drafting.missing.push("an `upper` level".to_owned());
        let span = Span::new(self.main_file(), 0, 0);
        Some(Level {
            followers: Vec::new(),
            pessimistic: None,
            vars: Vec::new(),
            constraints: Vec::new(),
            objective: self.graph.constant(0.0),
            maximize: false,
            objective_span: span,
            span,
        })
    }

    /// The objective of a level that has none yet; no expression can read it.
    pub(super) fn missing_objective(&mut self, id: LevelId, place: Span) -> (NodeId, bool, Span) {
        let name = self.level_name(id);
        if let Some(drafting) = &mut self.draft {
            drafting.missing.push(format!("an objective of `{name}`"));
        }
        (self.graph.constant(0.0), false, place)
    }
}
