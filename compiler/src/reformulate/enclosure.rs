//! Interval bounds of a follower's objective, gradient and rows over boxes of its variables, by the rules of the operator records:
//! what the check of a follower that is not convex needs to prove that nothing is better.

use blo_runtime::constrained::global::{Enclosed, Enclosure, VARIABLES};
use ndarray::{ArrayD, IxDyn};

use super::Program;
use crate::convexity::walk::Walk;
use crate::ir::eval::Bindings;
use crate::ir::graph::{Graph, InputId, NodeId, Role};
use crate::model::Var;
use crate::ops::curvature::range::Range;
use crate::ops::curvature::{Fact, Smoothness};
use crate::passes::differentiate::gradient;
use crate::passes::simplify::simplify;

/// The most elements of all nodes together: a box costs a visit to each.
const LARGEST: usize = 20_000;

/// The graph of a follower with what is asked of it.
struct Intervals {
    graph: Graph,
    walk: Walk<'static>,
    /// What changes with the variables, operands first.
    order: Vec<NodeId>,
    parameters: Vec<(InputId, Vec<usize>)>,
    variables: Vec<(InputId, Vec<usize>)>,
    value: NodeId,
    gradient: Vec<NodeId>,
    rows: Vec<NodeId>,
}

/// Bounds for the program of a follower; `None` where it has too many variables.
pub fn enclosure(program: &Program, data: &Bindings) -> Option<Box<dyn Enclosure>> {
    let lower = program.model.lower.as_ref()?;
    if lower.vars.iter().map(|var| var.ty.len()).sum::<usize>() > VARIABLES {
        return None;
    }
    let mut graph = program.model.graph.clone();
    let roots: Vec<NodeId> = [program.objective].into_iter().chain(program.rows.iter().copied()).collect();
    let simple = simplify(&mut graph, &roots);
    let (value, rows) = (simple[0], simple[1..].to_vec());
    let nodes: Vec<NodeId> = lower.vars.iter().map(|var| var.node).collect();
    let gradient = gradient(&mut graph, value, &nodes).unwrap_or_default();
    let gradient = simplify(&mut graph, &gradient);
    let wanted: Vec<NodeId> = simple.iter().chain(&gradient).copied().collect();
    let order = graph.reachable(&wanted);
    if order.iter().map(|&id| graph.ty(id).len()).sum::<usize>() > LARGEST {
        return None;
    }
    let order = order.into_iter().filter(|&id| graph.node(id).stage != Role::Data).collect();
    let places = |vars: &[Var]| vars.iter().map(|var| (var.input, var.ty.shape.to_vec())).collect::<Vec<_>>();
    let parameters = places(&program.model.upper.vars[..program.model.upper.vars.len() - program.rows.len()]);
    let mut walk = Walk::owning(data.clone());
    for root in wanted {
        walk.fact(&graph, root);
    }
    let variables = places(&lower.vars);
    Some(Box::new(Intervals { graph, walk, order, parameters, variables, value, gradient, rows }))
}

impl Enclosure for Intervals {
    fn enclose(&mut self, x: &[f64], lo: &[f64], hi: &[f64], out: &mut Enclosed) {
        let mut at = 0;
        for (input, shape) in &self.parameters {
            let range = between(shape, x, x, &mut at);
            self.walk.declare(*input, Fact::constant(range));
        }
        at = 0;
        for (input, shape) in &self.variables {
            let range = between(shape, lo, hi, &mut at);
            self.walk.declare(*input, Fact::variable(range));
        }
        self.walk.renew(&self.graph, &self.order);
        let Self { graph, walk, .. } = self;
        let mut ends = |node: NodeId, out: &mut Vec<(f64, f64)>| {
            let (lo, hi) = walk.fact(graph, node).range.ends(graph.shape(node));
            out.extend(lo.iter().copied().zip(hi.iter().copied()));
        };
        out.rows.clear();
        out.gradient.clear();
        ends(self.value, &mut out.rows);
        out.value = out.rows.pop().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        self.rows.iter().for_each(|&row| ends(row, &mut out.rows));
        self.gradient.iter().for_each(|&partial| ends(partial, &mut out.gradient));
        // Where the objective may jump, its gradient says nothing of differences.
        if walk.fact(graph, self.value).smooth == Smoothness::Jumps {
            out.gradient.clear();
        }
    }
}

/// The elements from `at` on as a range of this shape.
fn between(shape: &[usize], lo: &[f64], hi: &[f64], at: &mut usize) -> Range {
    let len: usize = shape.iter().product();
    let part = |v: &[f64]| {
        let part = v[*at..*at + len].to_vec();
        match ArrayD::from_shape_vec(IxDyn(shape), part) {
            Ok(array) => array,
            Err(e) => crate::bug!("{e}"),
        }
    };
    let range = Range::between(part(lo), part(hi));
    *at += len;
    range
}
