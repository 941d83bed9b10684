//! Chains of products, associated by cost. `X' (s ∘ (X v))` is a product of four factors that can be multiplied in any order:
//! one after another, two passes over `X` each time; or as `(X' diag(s) X) v`, where the bracket depends on less than `v` does and is
//! computed once for many `v`. Conversely `(X' X) w` as somebody wrote it is `X' (X w)` where the bracket is larger than `X`.
//!
//! The unit of cost is a nanosecond of a core: arithmetic at a fixed rate, memory at one of two, times how often a stage runs
//! ([`Runs`]). An order is taken when it makes the whole entry cheaper by a clear margin, what the entry shares included.
//!
//! A bracket of factors without the variable of the last stage is formed only for a product with a direction. Of a gradient
//! `X' (X w − y)` the form `(X' X) w − X' y` is never made: the residual is small near a solution, and its digits would be lost
//! (docs/decisions/0016-products-by-cost.md).

use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use super::simplify::pattern::scaled;
use super::simplify::product::SumOfProduct;
use super::simplify::simplify;
use super::substitute::substitute_all;
use crate::ir::graph::{Attrs, Graph, NodeId, Role};
use crate::ops::{self, Lowering};
use crate::types::{Axes, Shape};

/// More factors than this are left as they are; the search over orders grows like 3 to this power.
const MOST_FACTORS: usize = 6;
/// A sum of more products than this is not multiplied out.
const MOST_TERMS: usize = 4;
/// How many chains of one entry are looked at.
const MOST_CHAINS: usize = 64;
/// Labels are bits of a word.
const MOST_LABELS: usize = 32;
/// A new order has to cost at most this share of the old one's steps.
const MARGIN: f64 = 0.7;

/// Multiplications and additions per nanosecond in a matrix product.
const RATE: f64 = 20.0;
/// Bytes per nanosecond from memory, and from the caches.
const BANDWIDTH: [f64; 2] = [16.0, 40.0];
/// Arrays up to this many elements count as cached, and a bracket of this size is never too large.
const CACHED: usize = 1 << 17;
/// Nanoseconds to start a step.
const CALL: f64 = 50.0;

/// Equal roots of one entry with every chain of products in its cheapest order. With `many` the entry is evaluated many times for
/// one `x` (and, if it takes a direction, for one point): what depends on those alone is then computed rarely.
pub fn associate(g: &mut Graph, roots: &[NodeId], many: bool) -> Vec<NodeId> {
    let mut roots = roots.to_vec();
    let last = roots.iter().map(|&r| g.node(r).stage).max().unwrap_or(Role::Data);
    let runs = Runs { last: class(last), many };
    let mut tried = FxHashSet::default();
    let mut chains = chains(g, &roots);
    let mut left = MOST_CHAINS;
    while let Some(chain) = chains.pop() {
        if left == 0 || !tried.insert(chain) {
            continue;
        }
        left -= 1;
        let Some(new) = reordered(g, chain, runs) else { continue };
        let candidate = substitute_all(g, &roots, &[(chain, new)]);
        let candidate = simplify(g, &candidate);
        if is_cheaper(g, &candidate, &roots, runs) {
            roots = candidate;
            chains = self::chains(g, &roots);
            // What shared a product with this chain may pay now.
            tried.clear();
        }
    }
    roots
}

/// How often the stages of an entry run while a value of data alone is computed once, counted double: a run may be short.
#[derive(Clone, Copy)]
struct Runs {
    /// The class of the entry's results.
    last: usize,
    many: bool,
}

impl Runs {
    fn of(self, stage: Role) -> f64 {
        match class(stage) {
            0 => 2.0,
            stage if stage == self.last || !self.many => 100.0,
            _ => 10.0,
        }
    }
}

/// Roles that change together.
fn class(role: Role) -> usize {
    match role {
        Role::Data => 0,
        Role::Batch | Role::Upper => 1,
        Role::Lower | Role::Multiplier => 2,
        Role::UpperDirection | Role::LowerDirection => 3,
    }
}

fn is_direction(g: &Graph, id: NodeId) -> bool {
    class(g.node(id).stage) == 3
}

/// Whether the steps that only `new` needs cost clearly less than those that only `old` needs.
fn is_cheaper(g: &Graph, new: &[NodeId], old: &[NodeId], runs: Runs) -> bool {
    let [new, old] = [new, old].map(|roots| {
        let mut reached = vec![false; g.len()];
        g.reachable(roots).into_iter().for_each(|id| reached[id.0 as usize] = true);
        reached
    });
    let only = |a: &[bool], b: &[bool]| -> f64 {
        let own = (0..g.len()).filter(|&k| a[k] && !b[k]).map(|k| NodeId(k as u32));
        own.map(|id| runs.of(g.node(id).stage) * step_cost(g, id)).sum()
    };
    only(&new, &old) < MARGIN * only(&old, &new)
}

/// What computing a node costs when its operands are there.
fn step_cost(g: &Graph, id: NodeId) -> f64 {
    let node = g.node(id);
    let len = node.ty.len();
    match node.op.0.lowering {
        Lowering::View | Lowering::Input | Lowering::Constant | Lowering::Iota => 0.0,
        Lowering::Dot => {
            let Attrs::Dot(axes) = &node.attrs else { return 0.0 };
            let (a, b) = (g.shape(node.inputs[0]), g.ty(node.inputs[1]).len());
            let summed: usize = axes.contract.iter().map(|&(l, _)| a[l]).product();
            product_cost(len * summed, [a.iter().product(), b, len])
        }
        _ => elementwise_cost(node.inputs.iter().map(|&x| g.ty(x).len()).max().unwrap_or(len).max(len)),
    }
}

/// A matrix product that multiplies `volume` pairs, with operands and result of these lengths.
fn product_cost(volume: usize, lens: [usize; 3]) -> f64 {
    let memory = |len: usize| 8.0 * len as f64 / BANDWIDTH[usize::from(len <= CACHED)];
    CALL + (2.0 * volume as f64 / RATE).max(lens.map(memory).iter().sum())
}

/// A fused loop over so many elements.
fn elementwise_cost(len: usize) -> f64 {
    len as f64 / 8.0
}

/// The sums and products over another product, the outermost last.
fn chains(g: &Graph, roots: &[NodeId]) -> Vec<NodeId> {
    let mut found = g.reachable(roots);
    found.retain(|&id| {
        let outer = g.is(id, &ops::DOT) || g.is(id, &ops::SUM);
        outer && g.node(id).inputs.iter().any(|&x| holds_product(g, x))
    });
    found
}

/// Whether a product stands under rearrangements, signs, factors and sums.
fn holds_product(g: &Graph, id: NodeId) -> bool {
    let mut todo: SmallVec<[NodeId; 8]> = SmallVec::from_slice(&[id]);
    for _ in 0..16 {
        let Some(x) = todo.pop() else { return false };
        if g.is(x, &ops::DOT) {
            return true;
        }
        let inside = [&ops::NEG, &ops::MUL, &ops::ADD, &ops::SUB, &ops::BROADCAST, &ops::TRANSPOSE];
        if inside.into_iter().any(|op| g.is(x, op)) {
            todo.extend(g.node(x).inputs.iter().copied());
        }
    }
    false
}

/// A factor: axis `k` of the node has the label `labels[k]`.
#[derive(Clone)]
struct Factor {
    node: NodeId,
    labels: Axes,
}

impl Factor {
    fn varies(&self) -> u32 {
        self.labels.iter().fold(0, |set, &label| set | 1 << label)
    }
}

/// `coefficient` times the product of the factors, summed over the labels in `summed`.
#[derive(Clone)]
struct Term {
    coefficient: f64,
    factors: Vec<Factor>,
    summed: u32,
}

impl Term {
    fn of(node: NodeId, labels: Axes) -> Self {
        Term { coefficient: 1.0, factors: vec![Factor { node, labels }], summed: 0 }
    }

    fn negate(&mut self) {
        self.coefficient = -self.coefficient;
    }
}

/// Every term of one sum times every term of the other, if that is not too many.
fn times(a: &[Term], b: &[Term], summed: u32) -> Option<Vec<Term>> {
    let product = |a: &Term, b: &Term| Term {
        coefficient: a.coefficient * b.coefficient,
        factors: a.factors.iter().chain(&b.factors).cloned().collect(),
        summed: a.summed | b.summed | summed,
    };
    let all: Vec<Term> = a.iter().flat_map(|a| b.iter().map(move |b| product(a, b))).collect();
    (all.len() <= MOST_TERMS).then_some(all)
}

/// The labels of a sum of products: the first `kept` are the axes of the result.
struct Chain {
    kept: usize,
    sizes: Shape,
}

/// The chain under `id` with every product in its cheapest order; `None` where there is nothing to choose.
fn reordered(g: &mut Graph, id: NodeId, runs: Runs) -> Option<NodeId> {
    let mut chain = Chain { kept: g.shape(id).len(), sizes: g.shape(id).clone() };
    if chain.kept > MOST_LABELS {
        return None;
    }
    let terms = match &g.node(id).attrs {
        Attrs::Axes(axes) => {
            let x = g.node(id).inputs[0];
            let (mut kept, mut summed, mut labels) = (0, 0, Axes::new());
            for (k, &size) in g.shape(x).iter().enumerate() {
                if axes.contains(&k) {
                    labels.push(chain.label(size)?);
                    summed |= 1 << labels[k];
                } else {
                    labels.push(kept);
                    kept += 1;
                }
            }
            let mut terms = chain.open(g, x, labels)?;
            terms.iter_mut().for_each(|term| term.summed |= summed);
            terms
        }
        _ => chain.open(g, id, (0..chain.kept).collect())?,
    };
    if terms.len() < 2 && terms.iter().all(|term| term.factors.len() < 3) {
        return None;
    }
    let mut sum = None;
    for term in &terms {
        let value = chain.product(g, term, runs)?;
        sum = Some(match sum {
            Some(sum) => g.add(sum, value),
            None => value,
        });
    }
    sum
}

impl Chain {
    /// A new label of this size.
    fn label(&mut self, size: usize) -> Option<usize> {
        self.sizes.push(size);
        (self.sizes.len() <= MOST_LABELS).then_some(self.sizes.len() - 1)
    }

    /// The terms of a node whose axes have these labels; `None` where there are too many terms or labels.
    fn open(&mut self, g: &Graph, id: NodeId, labels: Axes) -> Option<Vec<Term>> {
        let node = g.node(id);
        if let Some(value) = g.fill_value(id) {
            return Some(vec![Term { coefficient: value, factors: Vec::new(), summed: 0 }]);
        }
        match &node.attrs {
            // Taken off even where nothing is below: a factor with fewer labels leaves more orders.
            Attrs::Broadcast { map, .. } => {
                self.open(g, node.inputs[0], map.iter().map(|&k| labels[k]).collect())
            }
            _ if !holds_product(g, id) => Some(vec![Term::of(id, labels)]),
            Attrs::Permutation(perm) => {
                let mut original = labels.clone();
                perm.iter().enumerate().for_each(|(k, &axis)| original[axis] = labels[k]);
                self.open(g, node.inputs[0], original)
            }
            Attrs::Dot(axes) => {
                let (a, b) = (node.inputs[0], node.inputs[1]);
                let (mut left, mut right) =
                    (Axes::from_elem(0, g.shape(a).len()), Axes::from_elem(0, g.shape(b).len()));
                let mut out = labels.into_iter();
                for (&(l, r), label) in axes.batch.iter().zip(out.by_ref()) {
                    (left[l], right[r]) = (label, label);
                }
                for (l, label) in axes.free_left(left.len()).into_iter().zip(out.by_ref()) {
                    left[l] = label;
                }
                for (r, label) in axes.free_right(right.len()).into_iter().zip(out) {
                    right[r] = label;
                }
                let mut summed = 0;
                for &(l, r) in &axes.contract {
                    let label = self.label(g.shape(a)[l])?;
                    (left[l], right[r]) = (label, label);
                    summed |= 1 << label;
                }
                times(&self.open(g, a, left)?, &self.open(g, b, right)?, summed)
            }
            Attrs::None => self.open_elementwise(g, id, labels),
            _ => Some(vec![Term::of(id, labels)]),
        }
    }

    fn open_elementwise(&mut self, g: &Graph, id: NodeId, labels: Axes) -> Option<Vec<Term>> {
        let inputs = &g.node(id).inputs;
        let is = |op| g.is(id, op);
        if is(&ops::NEG) {
            let mut terms = self.open(g, inputs[0], labels)?;
            terms.iter_mut().for_each(Term::negate);
            return Some(terms);
        }
        if is(&ops::MUL) {
            let a = self.open(g, inputs[0], labels.clone())?;
            return times(&a, &self.open(g, inputs[1], labels)?, 0);
        }
        // Only what is linear in a direction is multiplied out: nothing in it is small because its terms cancel.
        if (is(&ops::ADD) || is(&ops::SUB)) && inputs.iter().all(|&x| is_direction(g, x)) {
            let mut terms = self.open(g, inputs[0], labels.clone())?;
            let mut more = self.open(g, inputs[1], labels)?;
            if is(&ops::SUB) {
                more.iter_mut().for_each(Term::negate);
            }
            terms.append(&mut more);
            return (terms.len() <= MOST_TERMS).then_some(terms);
        }
        Some(vec![Term::of(id, labels)])
    }

    /// The value of a term, with the kept labels as its axes.
    fn product(&self, g: &mut Graph, term: &Term, runs: Runs) -> Option<NodeId> {
        let all = term.factors.iter().fold(0, |set, factor| set | factor.varies());
        let repeated = (0..self.sizes.len()).filter(|l| (term.summed & !all) >> l & 1 == 1);
        let coefficient = repeated.fold(term.coefficient, |c, label| c * self.sizes[label] as f64);
        let search = Search::new(g, self, &term.factors, runs)?;
        let whole = search.whole();
        let value = search.build(g, whole);
        let kept: Axes = (0..self.kept).collect();
        let value = self.combine(g, &[&value], &kept);
        Some(scaled(g, coefficient, value))
    }

    /// The product of arrays, summed over every label that is not in `labels`, which become its axes in this order.
    fn combine(&self, g: &mut Graph, factors: &[&Factor], labels: &[usize]) -> NodeId {
        let used = factors.iter().fold(0, |set, factor| set | factor.varies());
        let used = labels.iter().fold(used, |set, &label| set | 1 << label);
        let present: Axes = (0..self.sizes.len()).filter(|l| used >> l & 1 == 1).collect();
        let place = |label: &usize| present.iter().position(|l| l == label).unwrap_or(0);
        let sizes: Shape = present.iter().map(|&label| self.sizes[label]).collect();
        let mut product = SumOfProduct::new(sizes, labels.iter().map(place).collect());
        for factor in factors {
            product.multiply(g, factor.node, factor.labels.iter().map(place).collect());
        }
        product.build(g)
    }
}

/// The cheapest order in which to multiply factors, over all sets of them.
struct Search<'a> {
    chain: &'a Chain,
    factors: &'a [Factor],
    /// Per set of factors, as bits: the cost of its product, and one of the two sets it is made of.
    best: Vec<Option<(f64, usize)>>,
}

impl<'a> Search<'a> {
    /// `None` when there are too many factors, or not exactly one of the latest stage.
    fn new(g: &Graph, chain: &'a Chain, factors: &'a [Factor], runs: Runs) -> Option<Self> {
        if factors.is_empty() || factors.len() > MOST_FACTORS {
            return None;
        }
        let mut search = Search { chain, factors, best: vec![None; 1 << factors.len()] };
        let stage = |set: usize| latest(g, factors, set);
        let whole = search.whole();
        let late = factors.iter().filter(|f| class(g.node(f.node).stage) == class(stage(whole))).count();
        // A square stays one: `|X w|²` as `w · (X' X w)` would lose its sign.
        if late != 1 {
            return None;
        }
        let brackets = class(stage(whole)) == 3;
        let largest = factors.iter().map(|factor| g.ty(factor.node).len()).max().unwrap_or(0).max(CACHED);
        for set in 1..=whole {
            if set.is_power_of_two() {
                let factor = &factors[set.trailing_zeros() as usize];
                let summed = factor.varies() != search.labels(set);
                let cost = if summed { CALL + elementwise_cost(g.ty(factor.node).len()) } else { 0.0 };
                search.best[set] = Some((runs.of(stage(set)) * cost, 0));
                continue;
            }
            let inner = set != whole;
            let early = class(stage(set)) < class(stage(whole));
            if inner && ((early && !brackets) || search.volume(search.labels(set)) > largest) {
                continue;
            }
            // Every split once: the part with the lowest factor first.
            let mut part = (set - 1) & set;
            while part > 0 {
                let other = set & !part;
                if part & set & set.wrapping_neg() != 0
                    && let (Some((a, _)), Some((b, _))) = (search.best[part], search.best[other])
                {
                    let cost = a + b + runs.of(stage(set)) * search.cost(part, other);
                    if search.best[set].is_none_or(|(least, _)| cost < least) {
                        search.best[set] = Some((cost, part));
                    }
                }
                part = (part - 1) & set;
            }
        }
        search.best[whole].is_some().then_some(search)
    }

    fn whole(&self) -> usize {
        (1 << self.factors.len()) - 1
    }

    fn varies(&self, set: usize) -> u32 {
        let members = self.factors.iter().enumerate().filter(|(k, _)| set >> k & 1 == 1);
        members.fold(0, |labels, (_, factor)| labels | factor.varies())
    }

    /// The labels of the product of a set: those of the result, and those that factors outside have too.
    fn labels(&self, set: usize) -> u32 {
        let kept = ((1_u64 << self.chain.kept) - 1) as u32;
        self.varies(set) & (kept | self.varies(self.whole() & !set))
    }

    fn volume(&self, labels: u32) -> usize {
        let sizes = self.chain.sizes.iter().enumerate().filter(|(k, _)| labels >> k & 1 == 1);
        sizes.map(|(_, &size)| size).product()
    }

    /// What multiplying the products of two sets costs once.
    fn cost(&self, a: usize, b: usize) -> f64 {
        let (left, right, out) = (self.labels(a), self.labels(b), self.labels(a | b));
        let volume = self.volume(left | right);
        if (left | right) == out {
            return elementwise_cost(volume);
        }
        product_cost(volume, [left, right, out].map(|labels| self.volume(labels)))
    }

    /// The product of a set.
    fn build(&self, g: &mut Graph, set: usize) -> Factor {
        let labels: Axes = (0..self.chain.sizes.len()).filter(|l| self.labels(set) >> l & 1 == 1).collect();
        let part = self.best[set].map_or(0, |(_, part)| part);
        let node = if part == 0 {
            let factor = &self.factors[set.trailing_zeros() as usize];
            self.chain.combine(g, &[factor], &labels)
        } else {
            let (a, b) = (self.build(g, part), self.build(g, set & !part));
            self.chain.combine(g, &[&a, &b], &labels)
        };
        Factor { node, labels }
    }
}

/// The latest stage among a set of factors.
fn latest(g: &Graph, factors: &[Factor], set: usize) -> Role {
    let members = factors.iter().enumerate().filter(|(k, _)| set >> k & 1 == 1);
    members.map(|(_, factor)| g.node(factor.node).stage).max().unwrap_or(Role::Data)
}
