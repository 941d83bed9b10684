//! The variables in question, the parameters beside them, and where both may lie.

use crate::ir::eval::{Array, Bindings, evaluate};
use crate::ir::graph::{Graph, NodeId};
use crate::model::{Domain, Var};
use crate::ops::curvature::Fact;
use crate::ops::curvature::interval::Interval;
use crate::ops::curvature::range::Range;

use super::walk::Walk;

/// Variables and parameters, with data.
pub struct Scope<'m> {
    /// The variables that a claim is about, in the order of the flat layout.
    pub chosen: Vec<&'m Var>,
    /// Variables that count as parameters: a claim holds for each of their values.
    pub fixed: Vec<&'m Var>,
    /// The data.
    pub data: &'m Bindings,
}

impl<'m> Scope<'m> {
    /// A walk in which the chosen variables vary.
    pub fn walk(&self, g: &Graph) -> Walk<'m> {
        self.declared(g, Fact::variable)
    }

    /// A walk in which everything is a parameter, for the ranges of derivatives.
    pub fn ranges(&self, g: &Graph) -> Walk<'m> {
        self.declared(g, Fact::constant)
    }

    fn declared(&self, g: &Graph, fact: fn(Range) -> Fact) -> Walk<'m> {
        let mut walk = Walk::new(self.data);
        for var in &self.chosen {
            walk.declare(var.input, fact(domain(g, var, self.data)));
        }
        for var in &self.fixed {
            walk.declare(var.input, Fact::constant(domain(g, var, self.data)));
        }
        walk
    }

    /// The number of chosen elements.
    pub fn elements(&self) -> usize {
        self.chosen.iter().map(|var| var.ty.len()).sum()
    }

    /// The nodes of the chosen variables.
    pub fn nodes(&self) -> Vec<NodeId> {
        self.chosen.iter().map(|var| var.node).collect()
    }
}

/// A box around the domain of a variable. Bounds that cannot be evaluated count as none.
pub fn domain(g: &Graph, var: &Var, data: &Bindings) -> Range {
    let value = |node: NodeId| evaluate(g, &[node], data).ok().map(|mut v| v.remove(0));
    let full = |x: Array| x.broadcast(&*var.ty.shape).map(|x| x.to_owned());
    match &var.domain {
        Domain::Free => Range::all(),
        Domain::Interval(lo, hi) => match (value(*lo).and_then(full), value(*hi).and_then(full)) {
            (Some(lo), Some(hi)) => Range::between(lo, hi),
            (Some(lo), None) => Range::between(lo.clone(), lo.mapv(|_| f64::INFINITY)),
            (None, Some(hi)) => Range::between(hi.mapv(|_| f64::NEG_INFINITY), hi),
            (None, None) => Range::all(),
        },
        Domain::Simplex => Range::uniform(Interval::UNIT),
        Domain::Ball(radius) => match value(*radius).and_then(|r| r.iter().copied().next()) {
            Some(r) if r >= 0.0 => Range::uniform(Interval { lo: -r, hi: r }),
            _ => Range::all(),
        },
    }
}
