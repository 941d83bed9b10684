//! Sums of products in general position: factors with named axes, of which some are summed over. The planner pulls out what
//! does not depend on the summed axes, sums alone what stands alone, and pairs the rest into contractions. The rules in
//! [`super::contractions`] bring sums and contractions here.

use smallvec::SmallVec;

use super::pattern::{broadcast_of, product as ordered_product, scaled, transpose_of, unary_of};
use crate::ir::graph::{DotAxes, Graph, NodeId};
use crate::ops;
use crate::types::{Axes, Shape};

/// A factor: `labels[k]` names its axis `k`. Labels are small numbers (positions in the product's index space).
#[derive(Clone)]
struct Term {
    node: NodeId,
    labels: Axes,
}

impl Term {
    fn varies(&self) -> u64 {
        self.labels.iter().fold(0, |set, &label| set | 1 << label)
    }
}

/// More factors than this are not taken apart, which bounds the search over pairs.
const MOST_FACTORS: usize = 8;

/// `coefficient * product of terms / product of divisors`, to be summed over every label that is not kept.
pub struct SumOfProduct {
    coefficient: f64,
    terms: Vec<Term>,
    divisors: Vec<Term>,
    kept: Axes,
    sizes: Shape,
}

impl SumOfProduct {
    /// The empty product over labels `0..sizes.len()`; `kept` are the result's axes in order, the others are summed over.
    pub fn new(sizes: Shape, kept: Axes) -> Self {
        SumOfProduct { coefficient: 1.0, terms: Vec::new(), divisors: Vec::new(), kept, sizes }
    }

    fn is_kept(&self, label: usize) -> bool {
        self.kept.contains(&label)
    }

    fn kept_set(&self) -> u64 {
        self.kept.iter().fold(0, |set, &label| set | 1 << label)
    }

    fn volume(&self, set: u64) -> usize {
        (0..self.sizes.len()).filter(|&k| set >> k & 1 == 1).map(|k| self.sizes[k]).product()
    }

    /// Multiplies by an array whose axes have the given labels: rearrangements and signs are peeled off, products taken apart
    /// where a factor is smaller than the whole, and divisors that do not vary along summed labels set aside.
    pub fn multiply(&mut self, g: &Graph, node: NodeId, labels: Axes) {
        let mut todo = vec![Term { node, labels }];
        while let Some(Term { mut node, mut labels }) = todo.pop() {
            if let Some(value) = g.fill_value(node) {
                self.coefficient *= value;
            } else if let Some(x) = unary_of(g, node, &ops::NEG) {
                self.coefficient = -self.coefficient;
                node = x;
                todo.push(Term { node, labels });
            } else if let Some((x, map)) = broadcast_of(g, node) {
                labels = map.iter().map(|&k| labels[k]).collect();
                todo.push(Term { node: x, labels });
            } else if let Some((x, perm)) = transpose_of(g, node) {
                let mut original = labels.clone();
                for (k, &axis) in perm.iter().enumerate() {
                    original[axis] = labels[k];
                }
                todo.push(Term { node: x, labels: original });
            } else if self.terms.len() + todo.len() < MOST_FACTORS && is_thin(g, node) {
                let (a, b) = (g.node(node).inputs[0], g.node(node).inputs[1]);
                if g.is(node, &ops::MUL) {
                    todo.push(Term { node: b, labels: labels.clone() });
                    todo.push(Term { node: a, labels });
                } else if let Some((divisor, along)) = self.outer_divisor(g, b, &labels) {
                    self.divisors.push(Term { node: divisor, labels: along });
                    todo.push(Term { node: a, labels });
                } else {
                    self.terms.push(Term { node, labels });
                }
            } else {
                self.terms.push(Term { node, labels });
            }
        }
    }

    /// A broadcast divisor that varies along kept labels only.
    fn outer_divisor(&self, g: &Graph, divisor: NodeId, labels: &Axes) -> Option<(NodeId, Axes)> {
        let (x, map) = broadcast_of(g, divisor)?;
        let along: Axes = map.iter().map(|&k| labels[k]).collect();
        along.iter().all(|&label| self.is_kept(label)).then_some((x, along))
    }

    /// The sum, with the axes in the order of the kept labels.
    pub fn build(mut self, g: &mut Graph) -> NodeId {
        let used = self.terms.iter().fold(0, |set, term| set | term.varies());
        let unused = !used & !self.kept_set();
        self.coefficient *= self.volume(unused) as f64;
        while self.merge_alike(g) || self.sum_alone(g) || self.contract_pair(g) || self.merge_pair(g, false) {
        }
        while self.merge_pair(g, true) {}
        let kept = self.kept.clone();
        let mut value = match self.terms.pop() {
            Some(term) => self.align(g, &term, &kept),
            None => {
                let shape: Shape = kept.iter().map(|&label| self.sizes[label]).collect();
                g.fill(1.0, &shape)
            }
        };
        for divisor in std::mem::take(&mut self.divisors) {
            let divisor = self.align(g, &divisor, &kept);
            value = g.div(value, divisor);
        }
        scaled(g, self.coefficient, value)
    }

    /// The array with the axes `order`, repeated along those it does not have.
    fn align(&self, g: &mut Graph, term: &Term, order: &[usize]) -> NodeId {
        let perm: Axes =
            order.iter().filter_map(|label| term.labels.iter().position(|l| l == label)).collect();
        let map: Axes = (0..order.len()).filter(|&k| term.labels.contains(&order[k])).collect();
        let shape: Shape = order.iter().map(|&label| self.sizes[label]).collect();
        let x = g.transpose(term.node, &perm);
        g.broadcast(x, &shape, &map)
    }

    /// Multiplies terms `i < j` elementwise, in the larger one's order of axes.
    fn merge(&mut self, g: &mut Graph, i: usize, j: usize) {
        let b = self.terms.remove(j);
        let a = self.terms.remove(i);
        let (in_a, in_b) = (a.varies(), b.varies());
        let either = in_a | in_b;
        let order: Axes = if in_a == in_b {
            if a.node <= b.node { a.labels.clone() } else { b.labels.clone() }
        } else if either == in_a {
            a.labels.clone()
        } else if either == in_b {
            b.labels.clone()
        } else {
            (0..self.sizes.len()).filter(|&k| either >> k & 1 == 1).collect()
        };
        let (a, b) = (self.align(g, &a, &order), self.align(g, &b, &order));
        self.terms.push(Term { node: ordered_product(g, a, b), labels: order });
    }

    /// Merges two terms that vary along the same labels.
    fn merge_alike(&mut self, g: &mut Graph) -> bool {
        match self.best_pair(|_, a, b| a.varies() == b.varies()) {
            Some((i, j)) => {
                self.merge(g, i, j);
                true
            }
            None => false,
        }
    }

    /// Merges the two terms with the smallest product: any two when `all`, otherwise two that share a summed label.
    fn merge_pair(&mut self, g: &mut Graph, all: bool) -> bool {
        match self.best_pair(|this, a, b| all || a.varies() & b.varies() & !this.kept_set() != 0) {
            Some((i, j)) => {
                self.merge(g, i, j);
                true
            }
            None => false,
        }
    }

    /// Sums one term over the labels that no other term and no result axis has.
    fn sum_alone(&mut self, g: &mut Graph) -> bool {
        for i in 0..self.terms.len() {
            let alone = self.terms[i].varies() & !self.kept_set() & !self.others(&[i]);
            if alone != 0 {
                let labels = self.terms[i].labels.clone();
                let axes: Axes = (0..labels.len()).filter(|&k| alone >> labels[k] & 1 == 1).collect();
                self.terms[i].node = g.sum(self.terms[i].node, &axes);
                self.terms[i].labels.retain(|label| alone >> *label & 1 == 0);
                return true;
            }
        }
        false
    }

    /// Contracts two terms over the summed labels that only these two have.
    fn contract_pair(&mut self, g: &mut Graph) -> bool {
        let found = self.best_pair(|this, a, b| {
            let others = this.terms.iter().filter(|t| !std::ptr::eq(*t, a) && !std::ptr::eq(*t, b));
            let elsewhere = others.fold(this.kept_set(), |set, term| set | term.varies());
            a.varies() & b.varies() & !elsewhere != 0
        });
        let Some((i, j)) = found else { return false };
        let summed =
            self.terms[i].varies() & self.terms[j].varies() & !self.kept_set() & !self.others(&[i, j]);
        let b = self.terms.remove(j);
        let a = self.terms.remove(i);
        // The left operand is the one whose own axes come first in the result.
        let first_own = |x: &Term, y: &Term| {
            x.labels.iter().copied().filter(|l| !y.labels.contains(l)).min().unwrap_or(usize::MAX)
        };
        let (left, right) = if first_own(&a, &b) <= first_own(&b, &a) { (a, b) } else { (b, a) };
        self.terms.push(dot(g, &left, &right, summed));
        true
    }

    /// The labels that terms other than `except` vary along.
    fn others(&self, except: &[usize]) -> u64 {
        let others = self.terms.iter().enumerate().filter(|(k, _)| !except.contains(k));
        others.fold(0, |set, (_, term)| set | term.varies())
    }

    /// The pair of terms with the smallest joint index space among those that satisfy `wanted`; ties go to older nodes, so
    /// that the choice does not depend on the order of the terms.
    fn best_pair(&self, wanted: impl Fn(&Self, &Term, &Term) -> bool) -> Option<(usize, usize)> {
        let pairs = (0..self.terms.len()).flat_map(|i| (i + 1..self.terms.len()).map(move |j| (i, j)));
        pairs.filter(|&(i, j)| wanted(self, &self.terms[i], &self.terms[j])).min_by_key(|&(i, j)| {
            let (a, b) = (&self.terms[i], &self.terms[j]);
            (self.volume(a.varies() | b.varies()), a.node.min(b.node), a.node.max(b.node))
        })
    }
}

/// Contracts two terms over the labels in `summed`; other shared labels are batch axes.
fn dot(g: &mut Graph, left: &Term, right: &Term, summed: u64) -> Term {
    let place = |term: &Term, label: usize| term.labels.iter().position(|&l| l == label);
    let is_summed = |label: usize| summed >> label & 1 == 1;
    let mut batch: Axes =
        left.labels.iter().copied().filter(|&l| right.labels.contains(&l) && !is_summed(l)).collect();
    batch.sort_unstable();
    let pair = |&label: &usize| Some((place(left, label)?, place(right, label)?));
    let axes = DotAxes {
        batch: batch.iter().filter_map(pair).collect(),
        contract: left.labels.iter().filter(|&&l| is_summed(l)).filter_map(pair).collect::<SmallVec<_>>(),
    };
    let own =
        |x: &Term, y: &Term| -> Axes { x.labels.iter().copied().filter(|l| !y.labels.contains(l)).collect() };
    let labels = batch.into_iter().chain(own(left, right)).chain(own(right, left)).collect();
    Term { node: g.dot(left.node, right.node, axes), labels }
}

/// Whether a node is a product or quotient with a factor that is a broadcast, a constant or a negation, perhaps further
/// inside. Only a bounded number of nodes is looked at.
pub fn is_thin(g: &Graph, node: NodeId) -> bool {
    let mut todo: SmallVec<[NodeId; 8]> = SmallVec::from_slice(&[node]);
    for _ in 0..4 * MOST_FACTORS {
        let Some(x) = todo.pop() else { return false };
        let is_product = g.is(x, &ops::MUL);
        if is_product {
            todo.extend(g.node(x).inputs.iter().copied());
        } else if g.is(x, &ops::DIV) {
            todo.push(g.node(x).inputs[1]);
            if g.is(g.node(x).inputs[0], &ops::MUL) {
                todo.push(g.node(x).inputs[0]);
            }
        } else if x != node {
            if [&ops::BROADCAST, &ops::NEG, &ops::CONSTANT].into_iter().any(|op| g.is(x, op)) {
                return true;
            }
            if let Some((y, _)) = transpose_of(g, x) {
                todo.push(y);
            }
        }
    }
    false
}
