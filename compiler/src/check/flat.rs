//! Objectives that move with their variables only in jumps: every path from the variables leads through an operation whose
//! derivative is zero wherever it exists, so a method that follows derivatives would call every point a solution.

use blo_grammar::diagnostic::Diagnostic;

use super::Checker;
use crate::ir::graph::{NodeId, Role};
use crate::model::Level;
use crate::ops::{self, Derivative};

/// What could be written instead of an operation without slope.
const SMOOTH: &[(&[&str], &str)] = &[
    (
        &["argmax", "argmin"],
        "minimize a smooth loss such as `cross_entropy`, and keep what counts positions in a `report`; a soft position is `softmax`",
    ),
    (
        &["eq", "ne", "lt", "le", "step", "sign", "not", "and", "or"],
        "a smooth form of a comparison is `sigmoid(a - b)`",
    ),
    (&["floor", "div", "mod"], "leave the rounding to a `report`"),
    (&["stop_gradient"], "keep a part of the objective outside of `stop_gradient`"),
];

impl Checker<'_> {
    /// Refuses objectives without slope.
    pub fn refuse_flat(&mut self, upper: &Level, lower: Option<&Level>) {
        let mut own = vec![Role::Upper];
        own.extend(lower.iter().flat_map(|_| [Role::Lower, Role::Multiplier]));
        self.refuse_flat_level("upper", upper, &own);
        if let Some(lower) = lower {
            self.refuse_flat_level("lower", lower, &[Role::Lower]);
        }
    }

    fn refuse_flat_level(&mut self, name: &str, level: &Level, roles: &[Role]) {
        let Some(block) = self.without_slope(level.objective, roles) else { return };
        let node = self.graph.node(block);
        let spelled = node.op.0.surface.name().unwrap_or(node.op.0.name);
        let written = node.span.unwrap_or(level.objective_span);
        let mut diagnostic = Diagnostic::error(
            "E0401",
            format!("the objective of `{name}` has no slope"),
            written,
            "the derivative of this is 0 wherever it exists",
        );
        if written != level.objective_span {
            diagnostic = diagnostic.label(level.objective_span, "variables matter here only through it");
        }
        // What counts right answers compares positions.
        let below = self.graph.reachable(&[block]);
        let counts =
            below.iter().any(|&id| self.graph.is(id, &ops::ARGMAX) || self.graph.is(id, &ops::ARGMIN));
        let spelled = if counts { "argmax" } else { spelled };
        if let Some((_, advice)) = SMOOTH.iter().find(|(names, _)| names.contains(&spelled)) {
            diagnostic = diagnostic.help(*advice);
        }
        self.emit_plain(diagnostic);
    }

    /// The operation that stands between all variables of these roles and the root; `None` when there is a path that derivatives
    /// can follow, or no path at all.
    fn without_slope(&self, root: NodeId, roles: &[Role]) -> Option<NodeId> {
        let is_variable =
            |id: NodeId| self.graph.is(id, &ops::INPUT) && roles.contains(&self.graph.node(id).stage);
        let mut blocks = Vec::new();
        let mut seen = vec![false; root.0 as usize + 1];
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut seen[id.0 as usize], true) {
                continue;
            }
            if is_variable(id) {
                return None;
            }
            let node = self.graph.node(id);
            match node.op.0.derivative {
                // A change of element type has nothing to say of its own.
                Derivative::Zero if !self.graph.is(id, &ops::CAST) => blocks.push(id),
                _ => open.extend(node.inputs.iter().copied()),
            }
        }
        blocks.sort_unstable();
        blocks.into_iter().find(|&id| self.graph.reachable(&[id]).into_iter().any(is_variable))
    }
}
