//! Taking a lower objective apart into a smooth part and nonsmooth terms that have a simple proximal operator,
//! `w(x) · |y[i]|` and `w(x) · ‖y[group]‖` (see [`blo_runtime::proximal`]).
//!
//! A term is not found by its shape but by what it is: a node `abs(v)` or the root of a sum of squares of `v`, where `v` is made of
//! entries of lower variables and nothing else, and the objective is affine in the node with a factor that no lower variable plays
//! a part in. Which entries those are is found by evaluating `v` at the positions themselves; the factor is the derivative of the
//! objective by the node; the smooth part is the objective with the node put to 0. Whatever else has a kink stays, with the reason.

use blo_grammar::span::Span;
use blo_runtime::proximal::{Norm, Proximal};

use crate::ir::eval::{Array, Bindings, evaluate};
use crate::ir::graph::{Attrs, Graph, NodeId, Role};
use crate::model::{Domain, Level};
use crate::ops::{self, Derivative, Operator};
use crate::passes::differentiate::gradient;
use crate::passes::simplify::simplify;
use crate::passes::substitute::substitute_all;

/// An objective taken apart.
#[derive(Clone, Debug)]
pub struct Split {
    /// The smooth part, with what was left in it.
    pub smooth: NodeId,
    /// The weights of the terms taken out, in the order of [`Proximal`]'s.
    pub weights: Vec<NodeId>,
    /// The terms taken out, over the flat vector of the lower variables.
    pub proximal: Proximal,
    /// Where they stand.
    pub taken: Vec<Taken>,
    /// What was left in the smooth part though it has a kink.
    pub left: Vec<Left>,
}

/// A term that was taken out.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Where the norm stands.
    pub span: Option<Span>,
    /// Which norm.
    pub norm: Norm,
    /// Of how many entries, or of how many groups.
    pub count: usize,
}

/// An expression with a kink that was not taken out.
#[derive(Clone, Debug)]
pub struct Left {
    /// Where it stands.
    pub span: Option<Span>,
    /// Why, as the end of a sentence about it.
    pub reason: &'static str,
}

const NOT_ENTRIES: &str = "is not of entries of variables alone";
const NOT_A_TERM: &str = "is not a term of its own, with a factor that no lower variable plays a part in";
const REPEATED: &str = "has an entry in common with another group";
const DOMAIN: &str = "is of variables whose domain does not go with it";
const NO_OPERATOR: &str = "has a kink without a proximal operator in closed form";

/// A node that may be a term: its norm and, per element of the node, the positions of its entries.
struct Candidate {
    node: NodeId,
    norm: Norm,
    entries: Vec<Vec<usize>>,
}

/// Takes the objective of `level` apart. Data that is not bound makes less be recognised.
pub fn split(g: &mut Graph, level: &Level, data: &Bindings) -> Split {
    let mut left = Vec::new();
    let mut found = candidates(g, level, data, &mut left);
    let mut weights = factors(g, level.objective, &found);
    let mut taken = Vec::new();
    for (candidate, weight) in found.iter().zip(&weights) {
        if weight.is_none() {
            left.push(Left { span: g.node(candidate.node).span, reason: NOT_A_TERM });
        }
    }
    retain_both(&mut found, &mut weights);
    // Absolute values come first in the order of the weights.
    let is_absolute = |c: &Candidate| c.norm == Norm::Absolute;
    let order = |absolute: bool| {
        found.iter().zip(&weights).filter(move |(c, _)| is_absolute(c) == absolute).collect::<Vec<_>>()
    };
    let (absolute, groups) = (order(true), order(false));
    let entries = absolute.iter().flat_map(|(c, _)| c.entries.iter().flatten().copied()).collect();
    let members: Vec<Vec<usize>> = groups.iter().flat_map(|(c, _)| c.entries.iter().cloned()).collect();
    for (candidate, _) in absolute.iter().chain(&groups) {
        let Candidate { node, norm, entries } = candidate;
        taken.push(Taken { span: g.node(*node).span, norm: *norm, count: entries.len() });
    }
    let weights = absolute.iter().chain(&groups).filter_map(|(_, weight)| **weight).collect();
    let zeros: Vec<(NodeId, NodeId)> = found.iter().map(|c| (c.node, g.zeros_like(c.node))).collect();
    let smooth = substitute_all(g, &[level.objective], &zeros)[0];
    let len = level.vars.iter().map(|v| v.ty.len()).sum::<usize>()
        + level.multipliers().map(|i| g.input_info(i).ty.len()).sum::<usize>();
    Split { smooth, weights, proximal: Proximal::new(len, entries, &members), taken, left }
}

fn retain_both(found: &mut Vec<Candidate>, weights: &mut Vec<Option<NodeId>>) {
    let mut known = weights.iter();
    found.retain(|_| known.next().is_some_and(Option::is_some));
    weights.retain(Option::is_some);
}

/// The nodes that are norms of entries of lower variables over domains that go with them. What else has a kink is left.
fn candidates(g: &mut Graph, level: &Level, data: &Bindings, left: &mut Vec<Left>) -> Vec<Candidate> {
    let positions = positions(level, data);
    let mut owner = Vec::new();
    for (k, var) in level.vars.iter().enumerate() {
        owner.resize(owner.len() + var.ty.len(), k);
    }
    let mut grouped = vec![false; owner.len()];
    let mut found = Vec::new();
    for node in g.reachable(&[level.objective]) {
        if g.node(node).stage < Role::Lower {
            continue;
        }
        let entries = if g.is(node, &ops::ABS) {
            traced(g, g.node(node).inputs[0], &positions)
                .map(|at| (Norm::Absolute, at.iter().map(|&p| vec![p as usize]).collect()))
        } else if g.is(node, &ops::SQRT) {
            let Some((base, axes)) = squares(g, g.node(node).inputs[0]) else { continue };
            traced(g, base, &positions).map(|at| (Norm::Euclidean, grouped_by(&at, &axes)))
        } else if KINKED.iter().any(|op| g.is(node, op)) {
            left.push(Left { span: g.node(node).span, reason: NO_OPERATOR });
            continue;
        } else {
            continue;
        };
        let refused = match &entries {
            None => Some(NOT_ENTRIES),
            Some((norm, entries)) => unfit(level, *norm, entries, &owner, &mut grouped),
        };
        match (entries, refused) {
            (Some((norm, entries)), None) => found.push(Candidate { node, norm, entries }),
            (_, reason) => {
                left.push(Left { span: g.node(node).span, reason: reason.unwrap_or(NOT_ENTRIES) });
            }
        }
    }
    found
}

/// Operators with kinks other than the two norms.
static KINKED: [&Operator; 5] = [&ops::RELU, &ops::MAX, &ops::MIN, &ops::MAX_OVER, &ops::MIN_OVER];

/// Why a norm of these entries is left, if it is. Marks the entries of groups.
fn unfit(
    level: &Level,
    norm: Norm,
    entries: &[Vec<usize>],
    owner: &[usize],
    grouped: &mut [bool],
) -> Option<&'static str> {
    let all = || entries.iter().flatten().copied();
    if all().any(|entry| entry >= owner.len()) {
        return Some(NOT_ENTRIES);
    }
    let fits = |domain: &Domain| match norm {
        Norm::Absolute => !matches!(domain, Domain::Simplex),
        Norm::Euclidean => matches!(domain, Domain::Free),
    };
    if !all().all(|entry| fits(&level.vars[owner[entry]].domain)) {
        return Some(DOMAIN);
    }
    let within_one = |group: &[usize]| group.iter().all(|&e| owner[e] == owner[group[0]]);
    if !entries.iter().all(|group| within_one(group)) {
        return Some(NOT_ENTRIES);
    }
    if norm == Norm::Euclidean {
        let before = grouped.to_vec();
        if all().any(|entry| std::mem::replace(&mut grouped[entry], true)) {
            grouped.copy_from_slice(&before);
            return Some(REPEATED);
        }
    }
    None
}

/// The data, and every lower variable as the places of its entries in the flat vector.
fn positions(level: &Level, data: &Bindings) -> Bindings {
    let mut bindings = data.clone();
    let mut offset = 0;
    for var in &level.vars {
        let len = var.ty.len();
        let places = (offset..offset + len).map(|i| i as f64).collect();
        // The number of places is that of the shape, so this is always an array.
        if let Ok(array) = Array::from_shape_vec(var.ty.shape.to_vec(), places) {
            bindings.set(var.input, array);
        }
        offset += len;
    }
    bindings
}

/// Where the elements of `node` stand among the lower variables, when it only moves them about.
fn traced(g: &Graph, node: NodeId, positions: &Bindings) -> Option<Array> {
    let moves = [
        &ops::INPUT,
        &ops::RESHAPE,
        &ops::TRANSPOSE,
        &ops::BROADCAST,
        &ops::SLICE,
        &ops::GATHER,
        &ops::CONCAT,
    ];
    let mut variables = g.reachable(&[node]).into_iter().filter(|&id| g.node(id).stage != Role::Data);
    let only_moves =
        variables.all(|id| g.node(id).stage == Role::Lower && moves.iter().any(|op| g.is(id, op)));
    if !only_moves || has_numbers(g, node) {
        return None;
    }
    let places = evaluate(g, &[node], positions).ok()?.pop()?;
    places.iter().all(|p| p.is_finite()).then_some(places)
}

/// Whether an element may be a number rather than an entry: an operand of a concatenation that is no variable, say.
fn has_numbers(g: &Graph, node: NodeId) -> bool {
    let inputs = &g.node(node).inputs;
    let moved = if g.is(node, &ops::CONCAT) { inputs.len() } else { inputs.len().min(1) };
    g.node(node).stage == Role::Data || inputs[..moved].iter().any(|&input| has_numbers(g, input))
}

/// `x` as a sum of squares of one array over some of its axes.
fn squares(g: &Graph, x: NodeId) -> Option<(NodeId, Vec<usize>)> {
    let node = g.node(x);
    match &node.attrs {
        Attrs::Axes(axes) if g.is(x, &ops::SUM) => {
            let base = square(g, node.inputs[0])?;
            Some((base, axes.to_vec()))
        }
        Attrs::Dot(axes) if g.is(x, &ops::DOT) && node.inputs[0] == node.inputs[1] => {
            let paired = axes.batch.iter().chain(&axes.contract).all(|(l, r)| l == r);
            let all = axes.batch.len() + axes.contract.len() == g.shape(node.inputs[0]).len();
            let ascending = axes.batch.windows(2).all(|w| w[0].0 < w[1].0);
            let contract = axes.contract.iter().map(|(l, _)| *l).collect();
            (paired && all && ascending).then_some((node.inputs[0], contract))
        }
        _ if g.is(x, &ops::RESHAPE) => squares(g, node.inputs[0]),
        _ => square(g, x).map(|base| (base, Vec::new())),
    }
}

/// What `x` is the square of.
fn square(g: &Graph, x: NodeId) -> Option<NodeId> {
    let inputs = &g.node(x).inputs;
    let twice = g.is(x, &ops::MUL) && inputs[0] == inputs[1];
    let power = g.is(x, &ops::POW) && g.fill_value(inputs[1]) == Some(2.0);
    (twice || power).then(|| inputs[0])
}

/// The elements of an array, those that differ in `axes` alone together; the groups in the order of the other axes.
fn grouped_by(at: &Array, axes: &[usize]) -> Vec<Vec<usize>> {
    let kept = (0..at.ndim()).filter(|k| !axes.contains(k));
    let order: Vec<usize> = kept.chain(axes.iter().copied()).collect();
    let size: usize = axes.iter().map(|&k| at.shape()[k]).product();
    let flat: Vec<usize> = at.view().permuted_axes(order).iter().map(|&p| p as usize).collect();
    flat.chunks(size.max(1)).map(<[usize]>::to_vec).collect()
}

/// Per candidate the factor with which the objective is affine in it, where that depends on no lower variable.
fn factors(g: &mut Graph, objective: NodeId, found: &[Candidate]) -> Vec<Option<NodeId>> {
    let mut linear: Vec<bool> = vec![true; found.len()];
    for (k, candidate) in found.iter().enumerate() {
        linear[k] = is_linear(g, objective, candidate.node);
    }
    let nodes: Vec<NodeId> = found.iter().map(|c| c.node).collect();
    let Ok(slopes) = gradient(g, objective, &nodes) else { return vec![None; found.len()] };
    let slopes = simplify(g, &slopes);
    let zip = slopes.into_iter().zip(linear);
    zip.map(|(slope, linear)| (linear && g.node(slope).stage <= Role::Upper).then_some(slope)).collect()
}

/// Whether only operators whose derivative says all about them lie between `node` and the objective.
fn is_linear(g: &Graph, objective: NodeId, node: NodeId) -> bool {
    let mut depends = vec![false; g.len()];
    depends[node.0 as usize] = true;
    for id in g.reachable(&[objective]) {
        if id == node || !g.node(id).inputs.iter().any(|input| depends[input.0 as usize]) {
            continue;
        }
        let arithmetic = [&ops::ADD, &ops::SUB, &ops::NEG, &ops::MUL, &ops::DIV, &ops::DOT, &ops::SPARSE_DOT];
        let linear = matches!(g.node(id).op.0.derivative, Derivative::Linear(_));
        if !linear && !arithmetic.iter().any(|op| g.is(id, op)) {
            return false;
        }
        depends[id.0 as usize] = true;
    }
    true
}
