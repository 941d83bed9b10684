//! `dual(name)`: the multiplier of a constraint of the lower level, as an input of its own role.

use blo_grammar::ast::{Expr, ExprKind, Ident};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse::nearest;

use super::Checker;
use super::builtins::Call;
use super::scope::{DeclId, Kind, LevelId, Reads};
use super::value::{Loops, Value};
use crate::ir::graph::{NodeId, Role};
use crate::model::Side;
use crate::types::{Elem, Type};

/// `dual(name)`, with the shape of the constraint; of a chain `lo <= e <= hi` the multiplier of `e <= hi` minus that of
/// `lo <= e`.
pub fn dual(c: &mut Checker, call: &Call) -> Option<Value> {
    let name = c.constraint_name(call.arguments[0])?;
    if let Reads::Data(place) = c.reads {
        let message = format!("{place} cannot depend on a multiplier");
        let diagnostic =
            Diagnostic::error("E0217", message, call.span, "this is known only with the solution");
        c.emit(diagnostic.help("`upper`, reports and `expect` may read it: move a `let` into `upper`"));
        return None;
    }
    if c.in_lower() {
        let message = "the lower level cannot read multipliers";
        let diagnostic = Diagnostic::error("E0237", message, call.span, "inside `lower`");
        c.emit(
            diagnostic
                .note("multipliers are part of the follower's answer")
                .help("read it in `upper`, in a report or in `expect`"),
        );
        return None;
    }
    let id = c.constraint_named(name)?;
    c.decls[id.0].used = true;
    c.resolve(id, name.span);
    let mut total: Option<Value> = None;
    for k in 0..c.constraints.len() {
        if c.constraints[k].decl == Some(id) {
            let low = c.constraints[k].constraint.side == Side::Low;
            let node = c.multiplier(k);
            let node = if low { c.graph.neg(node) } else { node };
            let node = match &total {
                Some(other) => c.graph.add(other.node, node),
                None => node,
            };
            total = Some(c.value(node, Loops::new(), c.constraints[k].shape.clone()));
        }
    }
    total
}

impl Checker<'_> {
    /// Whether what is being elaborated belongs to the lower level's own problem.
    pub fn in_lower(&self) -> bool {
        let level = self.frames.first().and_then(|frame| frame.level);
        level.is_some_and(LevelId::is_lower) && self.reads == Reads::Variables
    }

    /// The argument of `dual`.
    fn constraint_name<'e>(&mut self, e: &'e Expr) -> Option<&'e Ident> {
        let base = match &e.kind {
            ExprKind::Index { base, .. } => base,
            _ => e,
        };
        let name = match &base.kind {
            ExprKind::Name(path) if path.len() == 1 => Some(&path[0]),
            _ => None,
        };
        if let (ExprKind::Name(_), Some(name)) = (&e.kind, name) {
            return Some(name);
        }
        let message = "`dual` takes the name of a constraint";
        let mut diagnostic = Diagnostic::error("E0237", message, e.span, "not a name");
        if let Some(name) = name {
            let indices = self.source_text(e.span).split_off(name.name.len());
            diagnostic = diagnostic.help(format!("write `dual({}){indices}`", name.name));
        }
        self.emit(diagnostic);
        None
    }

    /// The lower constraint of this name.
    fn constraint_named(&mut self, name: &Ident) -> Option<DeclId> {
        let id = self.modules[0].names.get(&name.name).copied();
        let decl =
            id.map(|id| (id, self.decls[id.0].kind.clone(), self.decls[id.0].level, self.decls[id.0].span));
        match decl {
            Some((id, Kind::Constraint(_), Some(LevelId::Lower(_)), _)) => Some(id),
            Some((_, Kind::Constraint(_), _, declared)) => {
                let message = "`dual` reads constraints of `lower` only";
                let label = format!("`{}` is a constraint of `upper`", name.name);
                let diagnostic = Diagnostic::error("E0237", message, name.span, label);
                self.emit(diagnostic.label(declared, "declared here"));
                None
            }
            Some((_, kind, _, declared)) => {
                let message = format!("`{}` is {}, not a constraint", name.name, kind.words());
                let diagnostic =
                    Diagnostic::error("E0237", message, name.span, "`dual` takes a constraint's name");
                self.emit(diagnostic.label(declared, "declared here"));
                None
            }
            None if self.broken.contains(&name.name) => None,
            None => self.unknown_constraint(name),
        }
    }

    fn unknown_constraint(&mut self, name: &Ident) -> Option<DeclId> {
        let named = self
            .decls
            .iter()
            .filter(|d| matches!(d.kind, Kind::Constraint(_)) && d.level.is_some_and(LevelId::is_lower));
        let names: Vec<String> = named.map(|d| d.name.clone()).collect();
        let message = format!("there is no constraint `{}`", name.name);
        let mut diagnostic = Diagnostic::error("E0201", message, name.span, "unknown constraint");
        if let Some(near) = nearest(&name.name, names.iter().map(String::as_str)) {
            diagnostic = diagnostic.did_you_mean(near);
        } else if names.is_empty() {
            diagnostic =
                diagnostic.help(format!("name a constraint of `lower`: `subject to {}: a <= b`", name.name));
        } else {
            diagnostic =
                diagnostic.note(format!("the constraints of `lower` with a name: {}", names.join(", ")));
        }
        self.emit(diagnostic);
        None
    }

    /// The node that reads the multiplier of the constraint at this place of the list.
    fn multiplier(&mut self, k: usize) -> NodeId {
        let residual = self.constraints[k].constraint.residual;
        if let Some(input) = self.constraints[k].constraint.multiplier {
            return self.graph.apply(&crate::ops::INPUT, crate::ir::graph::Attrs::Input(input), &[]);
        }
        let constraint = &self.constraints[k].constraint;
        let name = format!("dual({})", constraint.name.as_deref().unwrap_or_default());
        let ty = Type { elem: Elem::Real, ..self.graph.ty(residual).clone() };
        let (input, node) = self.graph.add_input(name, Role::Multiplier, ty);
        self.constraints[k].constraint.multiplier = Some(input);
        node
    }
}
