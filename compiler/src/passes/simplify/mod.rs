//! Simplification by named rewrite rules. The graph is rebuilt bottom-up; at every node the rules are tried in the order of the
//! table, and what a rule makes is simplified again, until no rule fires. Nothing depends on how often a node is used.
//!
//! Rules keep values up to rounding, with these liberties: `0 * x`, `0 / x` and contractions with zeros are 0 even where `x` is
//! infinite or NaN (they come from cotangents of what an output does not depend on), and sums and products are reassociated.
//! A constant that would fold to an infinite or NaN value stays unfolded, so that the expression can be blamed.

mod arithmetic;
mod contraction;
mod dot;
mod logic;
mod rearrange;
mod reduce;
mod stable;

use rustc_hash::FxHashMap;

use crate::ir::graph::{Graph, NodeId, OpRef};
use crate::ops::Operator;

/// A rewrite rule.
pub struct Rule {
    /// What it does, in a few words.
    pub name: &'static str,
    /// The operator at the root of what it matches; `None` for a rule that looks at every node.
    op: Option<&'static Operator>,
    /// An equal node, if the rule matches.
    rewrite: fn(&mut Graph, NodeId) -> Option<NodeId>,
}

impl Rule {
    const fn at(
        op: &'static Operator,
        name: &'static str,
        rewrite: fn(&mut Graph, NodeId) -> Option<NodeId>,
    ) -> Rule {
        Rule { name, op: Some(op), rewrite }
    }

    const fn everywhere(name: &'static str, rewrite: fn(&mut Graph, NodeId) -> Option<NodeId>) -> Rule {
        Rule { name, op: None, rewrite }
    }
}

/// Groups of rules, in the order in which they are tried.
static GROUPS: &[&[Rule]] =
    &[arithmetic::RULES, logic::RULES, stable::RULES, rearrange::RULES, reduce::RULES, dot::RULES];

/// All rules, in the order in which they are tried.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    GROUPS.iter().copied().flatten()
}

/// Nodes equal to `roots`, simplified. New nodes are added to the same graph and keep the spans of the nodes they replace.
pub fn simplify(g: &mut Graph, roots: &[NodeId]) -> Vec<NodeId> {
    simplify_noting(g, roots, &mut |_| ())
}

/// [`simplify`] that also reports the name of every rule that fires, in order.
pub fn simplify_noting(g: &mut Graph, roots: &[NodeId], fired: &mut dyn FnMut(&'static str)) -> Vec<NodeId> {
    let outer = g.set_span(None);
    let mut pass = Pass { states: FxHashMap::default(), fired };
    let simple = roots.iter().map(|&root| pass.run(g, root)).collect();
    g.set_span(outer);
    simple
}

#[derive(Clone, Copy)]
enum State {
    /// On the stack.
    Open,
    /// Equal to another node that is not simplified yet.
    Replaced(NodeId),
    /// Simplified: to this node.
    Done(NodeId),
}

struct Pass<'f> {
    states: FxHashMap<NodeId, State>,
    fired: &'f mut dyn FnMut(&'static str),
}

impl Pass<'_> {
    /// Depth first with a stack of its own: graphs are deeper than the machine's stack allows.
    fn run(&mut self, g: &mut Graph, root: NodeId) -> NodeId {
        let mut stack = vec![root];
        while let Some(&id) = stack.last() {
            let waits_for = match self.states.get(&id) {
                Some(State::Done(_)) => {
                    stack.pop();
                    continue;
                }
                Some(&State::Replaced(by)) => match self.states.get(&by) {
                    Some(&State::Done(simple)) => self.finish(id, simple),
                    // Two rules that undo each other: the later form stays.
                    Some(_) => self.finish(id, id),
                    None => Some(by),
                },
                Some(State::Open) | None => self.visit(g, id),
            };
            stack.extend(waits_for);
        }
        match self.states.get(&root) {
            Some(&State::Done(simple)) => simple,
            _ => crate::bug!("simplification left node %{} open", root.0),
        }
    }

    fn finish(&mut self, id: NodeId, simple: NodeId) -> Option<NodeId> {
        self.states.insert(id, State::Done(simple));
        None
    }

    /// One step for a node: its first operand that is not simplified yet, or a rebuilt or rewritten form, or the end.
    fn visit(&mut self, g: &mut Graph, id: NodeId) -> Option<NodeId> {
        self.states.insert(id, State::Open);
        let node = g.node(id);
        let mut inputs = node.inputs.clone();
        for input in &mut inputs {
            match self.states.get(input) {
                Some(&State::Done(simple)) => *input = simple,
                _ => return Some(*input),
            }
        }
        let span = node.span;
        g.set_span(span);
        let replacement = if inputs == g.node(id).inputs {
            self.rewrite(g, id)
        } else {
            let (op, attrs) = (g.node(id).op, g.node(id).attrs.clone());
            Some(g.apply(op.0, attrs, &inputs))
        };
        match replacement {
            Some(by) if by != id => {
                self.states.insert(id, State::Replaced(by));
                None
            }
            _ => self.finish(id, id),
        }
    }

    fn rewrite(&mut self, g: &mut Graph, id: NodeId) -> Option<NodeId> {
        let op = g.node(id).op;
        for rule in rules().filter(|rule| rule.op.is_none_or(|at| OpRef(at) == op)) {
            if let Some(new) = (rule.rewrite)(g, id)
                && new != id
            {
                if g.ty(new) != g.ty(id) {
                    crate::bug!("rule `{}` turns {} into {}", rule.name, g.ty(id), g.ty(new));
                }
                (self.fired)(rule.name);
                return Some(new);
            }
        }
        None
    }
}

/// The operands of a node with `N` of them.
fn operands<const N: usize>(g: &Graph, id: NodeId) -> [NodeId; N] {
    match <[NodeId; N]>::try_from(g.node(id).inputs.as_slice()) {
        Ok(operands) => operands,
        Err(_) => crate::bug!("`{}` with {} operands", g.node(id).op.0.name, g.node(id).inputs.len()),
    }
}

/// The operands of `x` if it is an application of `op`.
fn matching<const N: usize>(g: &Graph, x: NodeId, op: &'static Operator) -> Option<[NodeId; N]> {
    g.is(x, op).then(|| operands(g, x))
}

/// An array like `x` in type, every entry `value`.
fn fill_like(g: &mut Graph, x: NodeId, value: f64) -> NodeId {
    let ty = g.ty(x).clone();
    let scalar = g.scalar(value, ty.elem);
    g.broadcast_scalar(scalar, &ty.shape)
}

/// `k * x`, the factor first as everywhere in simplified graphs.
fn scaled(g: &mut Graph, k: f64, x: NodeId) -> NodeId {
    if k == 1.0 {
        return x;
    }
    let factor = fill_like(g, x, k);
    g.mul(factor, x)
}

/// `k` and `x` if the node is `k * x` with a constant `k`, or `-x`.
fn as_scaled(g: &Graph, node: NodeId) -> Option<(f64, NodeId)> {
    if let Some([x]) = matching(g, node, &crate::ops::NEG) {
        return Some((-1.0, x));
    }
    let [factor, x] = matching(g, node, &crate::ops::MUL)?;
    Some((g.fill_value(factor)?, x))
}
