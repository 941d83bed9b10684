//! Dotted names: objectives and variables of a level, and the solver's findings that `expect` may read.

use blo_grammar::ast::Ident;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse::nearest;
use blo_grammar::span::Span;

use super::Checker;
use super::habits;
use super::scope::{LevelId, Reads};
use super::value::Value;
use crate::ir::graph::Role;
use crate::model::ResultInput;
use crate::types::{Elem, Type};

/// What the solver finds out about the solution.
static FINDINGS: &[&str] = &["lower.gap", "lower.stationarity", "hypergradient_norm"];

impl Checker<'_> {
    /// A finding with a plain name, where the model does not use the name itself.
    pub fn single_result(&mut self, name: &Ident) -> Option<Value> {
        let finding = FINDINGS.iter().find(|f| **f == name.name)?;
        if self.reads != Reads::Solution || self.meaning(&name.name).is_some() {
            return None;
        }
        Some(self.finding(finding))
    }

    fn finding(&mut self, name: &'static str) -> Value {
        if let Some((_, node)) = self.results.iter().find(|(r, _)| r.name == name) {
            return self.scalar(*node);
        }
        let (input, node) = self.graph.add_input(name, Role::Data, Type::scalar(Elem::Real));
        self.results.push((ResultInput { name, input }, node));
        self.scalar(node)
    }

    /// `upper.objective`, `lower.gap`, `lower.x`, and `name.objective`, `name.x` of a follower.
    pub fn dotted(&mut self, path: &[Ident], span: Span) -> Option<Value> {
        let written = path.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(".");
        let Some(levels) = self.levels_named(&path[0].name) else {
            return self.unknown_dotted(&written, span);
        };
        if let Some(finding) = FINDINGS.iter().find(|f| **f == written) {
            if self.reads != Reads::Solution {
                let message = format!("`{written}` is known only after the solve");
                let diagnostic = Diagnostic::error("E0217", message, span, "only `expect` may read this");
                self.emit(diagnostic.help(format!("write a condition on it: `expect {written} < 1e-6`")));
                return None;
            }
            return Some(self.finding(finding));
        }
        if path.len() == 2 && path[1].name == "objective" {
            return self.objective_value(&levels, &written, span);
        }
        let own = self
            .vars
            .iter()
            .find(|v| path.len() == 2 && levels.contains(&v.level) && v.var.name == path[1].name);
        match own.map(|v| (v.var.node, v.shape.clone())) {
            Some((node, shape)) if !matches!(self.reads, Reads::Data(_)) => {
                let names = &self.modules[0].names;
                if let Some(id) = names.get(&path[1].name).copied() {
                    self.decls[id.0].used = true;
                    self.own_variable(id, span)?;
                }
                Some(self.value(node, super::value::Loops::new(), shape))
            }
            _ => self.unknown_dotted(&written, span),
        }
    }

    /// The levels that a dotted name begins with: `upper`, all followers for `lower`, or one follower.
    fn levels_named(&self, name: &str) -> Option<Vec<LevelId>> {
        match name {
            "upper" => Some(vec![LevelId::Upper]),
            "lower" => Some((0..self.followers.len()).map(LevelId::Lower).collect()),
            _ => {
                let at = self.followers.iter().position(|f| f.as_ref().is_some_and(|f| f.name == name))?;
                Some(vec![LevelId::Lower(at)])
            }
        }
    }

    /// The objective of one level, or of all followers together: the sum of what they minimise, and of what they maximise
    /// when all do.
    fn objective_value(&mut self, levels: &[LevelId], written: &str, span: Span) -> Option<Value> {
        if let Reads::Data(place) = self.reads {
            let label = "this depends on variables";
            return self.error("E0217", format!("{place} cannot depend on an objective"), span, label);
        }
        if self.in_lower() {
            let message = format!("the lower level cannot read `{written}`");
            return self.error("E0217", message, span, "`upper`, reports and `expect` may read this");
        }
        let known: Vec<Option<(Value, bool)>> =
            levels.iter().map(|l| self.objectives.get(l).cloned()).collect();
        let known: Option<Vec<(Value, bool)>> = known.into_iter().collect();
        let Some([first, rest @ ..]) = known.as_deref() else {
            if self.has_errors() {
                return None;
            }
            let message = format!("`{written}` is not known here");
            return self.error(
                "E0201",
                message,
                span,
                "there is no such level, or its objective comes later",
            );
        };
        let as_written = rest.is_empty() || known.iter().flatten().all(|(_, maximize)| *maximize);
        let mut total = if as_written || !first.1 { first.0.node } else { self.graph.neg(first.0.node) };
        for (value, maximize) in rest {
            let node = if as_written || !maximize { value.node } else { self.graph.neg(value.node) };
            total = self.graph.add(total, node);
        }
        Some(self.scalar(total))
    }

    fn unknown_dotted(&mut self, written: &str, span: Span) -> Option<Value> {
        let mut names: Vec<String> = FINDINGS.iter().map(|f| (*f).to_owned()).collect();
        names.extend(["upper.objective".to_owned(), "lower.objective".to_owned()]);
        names.extend(self.followers.iter().flatten().map(|f| format!("{}.objective", f.name)));
        let of_level = |v: &super::VarState| if v.level.is_lower() { "lower" } else { "upper" };
        names.extend(self.vars.iter().map(|v| format!("{}.{}", of_level(v), v.var.name)));
        let mut diagnostic =
            Diagnostic::error("E0201", format!("`{written}` is not defined"), span, "unknown name");
        let (owner, part) = written.rsplit_once('.').unwrap_or(("", written));
        if let Some(help) = habits::dotted(owner, part) {
            self.emit(diagnostic.help(help));
            return None;
        }
        if let Some((help, _)) = habits::name(part) {
            self.emit(diagnostic.help(help));
            return None;
        }
        if let Some(near) = nearest(written, names.iter().map(String::as_str)) {
            diagnostic = diagnostic.did_you_mean(near);
        }
        self.emit(diagnostic);
        None
    }
}
