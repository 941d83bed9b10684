//! Choices like that of a Huber loss, `if abs(r) <= d then r^2 / 2 else d * (abs(r) - d / 2)`: a function of one affine
//! expression, put together from pieces. It is convex if every piece is convex where it is chosen and, where pieces meet, the
//! values agree and the slope does not fall.

use rustc_hash::FxHashMap;

use super::walk::Walk;
use crate::ir::eval::{Array, Bindings, evaluate};
use crate::ir::graph::{Attrs, Graph, InputId, NodeId, Role};
use crate::ops::curvature::interval::Interval;
use crate::ops::curvature::range::Range;
use crate::ops::curvature::{Bend, Fact, Facts, Slope, Smoothness};
use crate::ops::{self, Lowering, Surface};
use crate::passes::differentiate::gradient;
use crate::types::{Elem, Type};

/// Values and slopes agree if they differ by less than this, relatively: a jump of that size is rounding.
const ROUNDING: f64 = 1e-12;

/// A choice between two functions of one number `t`: the first where `lo <= t <= hi`.
struct Choice {
    inner: NodeId,
    outer: NodeId,
    within: Interval,
}

/// The fact of a `select` that is such a choice, if it is convex.
pub fn convex_choice(g: &Graph, facts: &Facts, id: NodeId) -> Option<Fact> {
    let [condition, yes, no] = g.node(id).inputs[..] else { return None };
    // What the variables play no part in needs no proof, and below it there may be no facts.
    if facts.of(condition).is_constant() {
        return None;
    }
    let (r, within, inside) = region(g, facts, condition)?;
    let (inner, outer) = if inside { (yes, no) } else { (no, yes) };
    let argument = facts.of(r);
    if !argument.bend.is_affine() || argument.is_constant() {
        return None;
    }
    let mut scalar = Scalar::new(g, facts, r);
    let choice = Choice { inner: scalar.copy(inner)?, outer: scalar.copy(outer)?, within };
    choice.is_convex(&mut scalar.graph, scalar.input, scalar.variable, argument.range.hull()).then(|| {
        let branches = facts.of(yes).range.zip(&facts.of(no).range, Interval::hull);
        Fact {
            bend: Bend::Convex,
            smooth: argument.smooth.max(Smoothness::Kinked),
            slope: Slope::Unknown,
            fault: None,
            ..Fact::unknown(id, "", branches)
        }
    })
}

/// The affine part of a condition, the interval in which the condition holds or does not, and which.
fn region(g: &Graph, facts: &Facts, condition: NodeId) -> Option<(NodeId, Interval, bool)> {
    if !g.is(condition, &ops::LT) && !g.is(condition, &ops::LE) {
        return None;
    }
    let (p, q) = (g.node(condition).inputs[0], g.node(condition).inputs[1]);
    let value = |x: NodeId| facts.of(x).range.value().filter(|_| facts.of(x).is_constant());
    // `u <= c` holds up to c; `c <= u` fails up to c.
    let (u, c, below) = match (value(p), value(q)) {
        (None, Some(c)) => (p, c, true),
        (Some(c), None) => (q, c, false),
        _ => return None,
    };
    if g.is(u, &ops::ABS) {
        return (c > 0.0).then(|| (g.node(u).inputs[0], Interval { lo: -c, hi: c }, below));
    }
    Some((u, Interval { lo: f64::NEG_INFINITY, hi: c }, below))
}

impl Choice {
    fn is_convex(&self, g: &mut Graph, input: InputId, t: NodeId, place: Interval) -> bool {
        let Interval { lo, hi } = self.within;
        let pieces = [
            (self.inner, Interval { lo, hi }),
            (self.outer, Interval { lo: f64::NEG_INFINITY, hi: lo }),
            (self.outer, Interval { lo: hi, hi: f64::INFINITY }),
        ];
        let convex = pieces.iter().all(|&(piece, on)| {
            let on = Interval { lo: on.lo.max(place.lo), hi: on.hi.min(place.hi) };
            if on.lo >= on.hi {
                return true;
            }
            let data = Bindings::new();
            let mut walk = Walk::new(&data);
            walk.declare(input, Fact::variable(Range::uniform(on)));
            let fact = walk.fact(g, piece);
            fact.bend.is_convex() && fact.smooth < Smoothness::Jumps
        });
        let meets = |edge: f64| edge > place.lo && edge < place.hi;
        convex
            && (!meets(lo) || self.joins(g, input, t, lo, false))
            && (!meets(hi) || self.joins(g, input, t, hi, true))
    }

    /// Whether values agree at an edge and the slope does not fall; `upper`: the inner piece is on the left.
    fn joins(&self, g: &mut Graph, input: InputId, t: NodeId, edge: f64, upper: bool) -> bool {
        let mut ends = [0.0; 4];
        for (k, piece) in [self.inner, self.outer].into_iter().enumerate() {
            let Ok(slope) = gradient(g, piece, &[t]) else { return false };
            let mut bindings = Bindings::new();
            bindings.set(input, Array::from_elem(ndarray::IxDyn(&[]), edge));
            let Ok(values) = evaluate(g, &[piece, slope[0]], &bindings) else { return false };
            ends[2 * k] = values[0].sum();
            ends[2 * k + 1] = values[1].sum();
        }
        let [inner, inner_slope, outer, outer_slope] = ends;
        let slack = |a: f64, b: f64| ROUNDING * (1.0 + a.abs().max(b.abs()));
        let (left, right) = if upper { (inner_slope, outer_slope) } else { (outer_slope, inner_slope) };
        (inner - outer).abs() <= slack(inner, outer) && left <= right + slack(left, right)
    }
}

/// A graph of functions of one number, copied from functions of an affine expression that work element by element.
struct Scalar<'a> {
    from: &'a Graph,
    facts: &'a Facts,
    graph: Graph,
    input: InputId,
    variable: NodeId,
    copies: FxHashMap<NodeId, NodeId>,
}

impl<'a> Scalar<'a> {
    fn new(from: &'a Graph, facts: &'a Facts, r: NodeId) -> Self {
        let mut graph = Graph::new();
        let (input, variable) = graph.add_input("t", Role::Lower, Type::scalar(Elem::Real));
        let copies = FxHashMap::from_iter([(r, variable)]);
        Scalar { from, facts, graph, input, variable, copies }
    }

    /// The copy of a node; `None` if it is not made of `r` and known numbers element by element.
    fn copy(&mut self, id: NodeId) -> Option<NodeId> {
        if let Some(&copy) = self.copies.get(&id) {
            return Some(copy);
        }
        let node = self.from.node(id);
        let copy = match self.facts.get(id).filter(|f| f.is_constant()).map(|f| f.range.value()) {
            Some(value) => self.graph.scalar(value?, node.ty.elem),
            None => {
                let elementwise =
                    matches!(node.op.0.lowering, Lowering::Instruction(_) | Lowering::Kernel(_))
                        || matches!(node.op.0.surface, Surface::Elementwise(_));
                if !elementwise || node.attrs != Attrs::None {
                    return None;
                }
                let inputs: Option<Vec<NodeId>> = node.inputs.iter().map(|&input| self.copy(input)).collect();
                self.graph.apply(node.op.0, Attrs::None, &inputs?)
            }
        };
        self.copies.insert(id, copy);
        Some(copy)
    }
}
