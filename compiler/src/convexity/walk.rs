//! The facts of a graph's nodes, operands first, with respect to chosen inputs. What depends on data alone is evaluated; the
//! rules of the operator records do the rest.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::ir::eval::{Bindings, evaluate};
use crate::ir::graph::{Attrs, Graph, InputId, NodeId, Role};
use crate::ops;
use crate::ops::curvature::range::Range;
use crate::ops::curvature::{Bend, Fact, Facts};

use super::piecewise::convex_choice;

/// Facts that are found when they are asked for, and kept.
pub struct Walk<'d> {
    data: Cow<'d, Bindings>,
    inputs: FxHashMap<InputId, Fact>,
    facts: Facts,
}

impl<'d> Walk<'d> {
    /// Nothing known yet but the data.
    pub fn new(data: &'d Bindings) -> Self {
        Walk { data: Cow::Borrowed(data), inputs: FxHashMap::default(), facts: Facts::default() }
    }

    /// As [`Walk::new`], with data of its own.
    pub fn owning(data: Bindings) -> Walk<'static> {
        Walk { data: Cow::Owned(data), inputs: FxHashMap::default(), facts: Facts::default() }
    }

    /// Says what an input is; inputs that nothing was said of are parameters that may have any value.
    pub fn declare(&mut self, input: InputId, fact: Fact) {
        self.inputs.insert(input, fact);
    }

    /// The fact of a node.
    pub fn fact(&mut self, g: &Graph, root: NodeId) -> &Fact {
        if self.facts.get(root).is_none() {
            let order: Vec<NodeId> =
                g.reachable(&[root]).into_iter().filter(|&id| self.facts.get(id).is_none()).collect();
            self.evaluate_data(g, root, &order);
            for id in order {
                if self.facts.get(id).is_none() && self.is_needed(g, id) {
                    self.find(g, id);
                }
            }
        }
        self.facts.of(root)
    }

    /// The fact of a node that was asked for before.
    pub fn known(&self, id: NodeId) -> Option<&Fact> {
        self.facts.get(id)
    }

    /// Finds the facts of these nodes again, operands first, after inputs were declared anew.
    pub fn renew(&mut self, g: &Graph, order: &[NodeId]) {
        for &id in order {
            self.find(g, id);
        }
    }

    /// Of what depends on data alone only repetitions are left to the rules; the rest is evaluated or not needed.
    fn is_needed(&self, g: &Graph, id: NodeId) -> bool {
        let node = g.node(id);
        node.stage != Role::Data || (g.is(id, &ops::BROADCAST) && self.facts.get(node.inputs[0]).is_some())
    }

    fn find(&mut self, g: &Graph, id: NodeId) {
        let node = g.node(id);
        let fact = match &node.attrs {
            Attrs::Input(input) => {
                self.inputs.get(input).cloned().unwrap_or_else(|| Fact::constant(Range::all()))
            }
            Attrs::Constant { .. } | Attrs::Iota { .. } => {
                let value = (node.op.0.value)(&node.attrs, &[], &node.ty);
                Fact::constant(Range::points(&value))
            }
            _ => {
                let fact = node.op.0.curvature.fact(g, &self.facts, id);
                let choice = g.is(id, &ops::SELECT) && fact.bend == Bend::Unknown;
                let convex = if choice { convex_choice(g, &self.facts, id) } else { None };
                convex.unwrap_or(fact)
            }
        };
        self.facts.set(id, fact);
    }

    /// Evaluates what stands between data and the rest. Repetitions of data are left to the rules: they may be large.
    fn evaluate_data(&mut self, g: &Graph, root: NodeId, order: &[NodeId]) {
        let is_data = |id: NodeId| g.node(id).stage == Role::Data;
        let mut edge: Vec<NodeId> = order
            .iter()
            .filter(|&&id| !is_data(id))
            .flat_map(|&id| g.node(id).inputs.iter().copied())
            .chain([root])
            .filter(|&id| is_data(id) && self.facts.get(id).is_none())
            .collect();
        for id in &mut edge {
            while g.is(*id, &ops::BROADCAST) {
                *id = g.node(*id).inputs[0];
            }
        }
        edge.sort_unstable();
        edge.dedup();
        match evaluate(g, &edge, &self.data) {
            Ok(values) => {
                for (id, value) in edge.into_iter().zip(values) {
                    self.facts.set(id, Fact::constant(Range::points(&value)));
                }
            }
            Err(_) => {
                for id in edge {
                    let value = evaluate(g, &[id], &self.data);
                    let range = value.map_or_else(|_| Range::all(), |v| Range::points(&v[0]));
                    self.facts.set(id, Fact::constant(range));
                }
            }
        }
    }
}
