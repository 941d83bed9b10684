//! Hessians of sums of terms: symbolically as the product with a direction, then entry by entry as intervals over the domains
//! of everything the entries depend on, or as numbers where they depend on data alone.

use super::definite::{Definiteness, Symmetric};
use super::scope::Scope;
use super::walk::Walk;
use crate::ir::eval::{Array, Bindings, evaluate};
use crate::ir::graph::{Attrs, Graph, InputId, NodeId, Role};
use crate::ops;
use crate::ops::curvature::Fact;
use crate::ops::curvature::interval::Interval;
use crate::ops::curvature::range::Range;
use crate::passes::differentiate::{gradient, jvp};
use crate::passes::simplify::simplify;

/// Above this order only diagonals are looked at.
pub const LARGEST: usize = 500;
/// The most scalar operations that one Hessian may cost.
const BUDGET: usize = 300_000_000;

/// The product of a Hessian with a direction, one node per chosen variable.
pub struct Product {
    nodes: Vec<NodeId>,
    directions: Vec<(InputId, NodeId)>,
}

/// Bounds of the eigenvalues of a Hessian, for all values of what it depends on.
#[derive(Clone, Debug)]
pub struct Spectrum {
    /// What is known of the smallest.
    pub smallest: Definiteness,
    /// No eigenvalue is larger in size; infinite where that is not known.
    pub largest: f64,
    /// Whether it depends on data alone, so that all of this is exact up to rounding.
    pub exact: bool,
}

impl Product {
    /// Of the Hessian of `f`, a scalar, in the chosen variables; `None` where `f` has no derivatives.
    pub fn new(g: &mut Graph, scope: &Scope, f: NodeId) -> Option<Product> {
        let f = simplify(g, &[f])[0];
        let variables = scope.nodes();
        let first = gradient(g, f, &variables).ok()?;
        let directions: Vec<(InputId, NodeId)> = scope
            .chosen
            .iter()
            .map(|var| g.add_input(var.name.clone(), Role::LowerDirection, var.ty.clone()))
            .collect();
        let tangents: Vec<(NodeId, NodeId)> =
            variables.iter().copied().zip(directions.iter().map(|d| d.1)).collect();
        let products = jvp(g, &first, &tangents).ok()?;
        Some(Product { nodes: simplify(g, &products), directions })
    }

    /// The diagonal, per variable, if the product is seen to be the direction times something, element by element.
    pub fn diagonal(&self, g: &Graph, walk: &mut Walk) -> Option<Vec<Range>> {
        let pairs = self.nodes.iter().zip(&self.directions);
        pairs.map(|(&node, &(_, direction))| diagonal(g, walk, node, direction)).collect()
    }

    /// Whether it depends on data alone.
    pub fn is_exact(&self, g: &Graph) -> bool {
        let fixed = |id: &NodeId| match g.node(*id).attrs {
            Attrs::Input(input) => {
                let role = g.input_info(input).role;
                role == Role::Data || self.directions.iter().any(|d| d.0 == input)
            }
            _ => true,
        };
        g.reachable(&self.nodes).iter().all(fixed)
    }

    /// Every entry, as an interval; `None` where it would cost too much.
    fn entries(&self, g: &Graph, scope: &Scope) -> Option<Vec<Vec<Interval>>> {
        let n = scope.elements();
        let order = g.reachable(&self.nodes);
        let cost: usize = order.iter().map(|&id| g.ty(id).len()).sum();
        if n > LARGEST || cost.saturating_mul(n) > BUDGET {
            return None;
        }
        if self.is_exact(g) {
            return self.exact_entries(g, scope, n);
        }
        let mut walk = scope.ranges(g);
        for &node in &self.nodes {
            walk.fact(g, node);
        }
        let varying: Vec<NodeId> =
            order.into_iter().filter(|&id| g.node(id).stage == Role::LowerDirection).collect();
        let mut columns = Vec::with_capacity(n);
        for j in 0..n {
            for ((input, _), unit) in self.directions.iter().zip(units(scope, j)) {
                walk.declare(*input, Fact::constant(Range::points(&unit)));
            }
            walk.renew(g, &varying);
            let mut column = Vec::with_capacity(n);
            for &node in &self.nodes {
                let (lo, hi) = walk.fact(g, node).range.ends(g.shape(node));
                column.extend(lo.iter().zip(&hi).map(|(&lo, &hi)| Interval::new(lo, hi)));
            }
            columns.push(column);
        }
        Some(columns)
    }

    fn exact_entries(&self, g: &Graph, scope: &Scope, n: usize) -> Option<Vec<Vec<Interval>>> {
        let mut bindings: Bindings = scope.data.clone();
        bindings.keep_data(g, &self.nodes).ok()?;
        let column = |j: usize| -> Option<Vec<Interval>> {
            for ((input, _), unit) in self.directions.iter().zip(units(scope, j)) {
                bindings.set(*input, unit);
            }
            let values = evaluate(g, &self.nodes, &bindings).ok()?;
            let column: Vec<f64> = values.iter().flat_map(|v| v.iter().copied()).collect();
            column.iter().all(|x| x.is_finite()).then(|| column.into_iter().map(Interval::point).collect())
        };
        (0..n).map(column).collect()
    }

    /// Bounds of the eigenvalues.
    pub fn spectrum(&self, g: &Graph, scope: &Scope) -> Option<Spectrum> {
        let columns = self.entries(g, scope)?;
        let n = columns.len();
        let mut centre = Symmetric::zeros(n);
        let mut spread = Symmetric::zeros(n);
        let mut largest = Symmetric::zeros(n);
        for (i, column) in columns.iter().enumerate() {
            for (j, other) in columns.iter().enumerate().take(i + 1) {
                // Both mirror images hold the true entry.
                let entry = column[j].meet(other[i]);
                largest.set(i, j, entry.magnitude());
                // A larger diagonal only helps, so its lower end is the worst case.
                if i == j {
                    centre.set(i, i, entry.lo);
                } else {
                    let middle = if entry.is_point() { entry.lo } else { entry.lo / 2.0 + entry.hi / 2.0 };
                    centre.set(i, j, middle);
                    spread.set(i, j, (entry.hi - middle).max(middle - entry.lo));
                }
            }
        }
        let exact = self.is_exact(g);
        let slack = spread.row_norm();
        let finite = centre.row_norm().is_finite() && slack.is_finite();
        let steps = if n <= 64 { 40 } else { 14 };
        let smallest = match finite.then(|| centre.definiteness(steps))? {
            Definiteness::Definite(m) if m > slack => Definiteness::Definite(m - slack),
            Definiteness::Definite(m) if m == slack => Definiteness::Semidefinite,
            Definiteness::Semidefinite if slack == 0.0 => Definiteness::Semidefinite,
            Definiteness::Indefinite(v) if exact => Definiteness::Indefinite(v),
            _ => return None,
        };
        Some(Spectrum { smallest, largest: largest.row_norm(), exact })
    }
}

/// The `j`-th unit vector, laid over the chosen variables.
fn units(scope: &Scope, j: usize) -> Vec<Array> {
    let mut before = 0;
    let of = |var: &&crate::model::Var| {
        let mut unit = Array::zeros(ndarray::IxDyn(&var.ty.shape));
        if let Some(x) = j.checked_sub(before).and_then(|k| unit.iter_mut().nth(k)) {
            *x = 1.0;
        }
        before += var.ty.len();
        unit
    };
    scope.chosen.iter().map(of).collect()
}

/// The range of `d`, if `node` is `d * direction` element by element with a `d` that the direction plays no part in.
fn diagonal(g: &Graph, walk: &mut Walk, node: NodeId, direction: NodeId) -> Option<Range> {
    if node == direction {
        return Some(Range::uniform(Interval::point(1.0)));
    }
    if g.fill_value(node) == Some(0.0) {
        return Some(Range::uniform(Interval::point(0.0)));
    }
    let inputs = &g.node(node).inputs;
    if g.is(node, &ops::NEG) {
        return Some(diagonal(g, walk, inputs[0], direction)?.map(Interval::opposite));
    }
    if g.is(node, &ops::ADD) || g.is(node, &ops::SUB) {
        let (a, b) = (diagonal(g, walk, inputs[0], direction)?, diagonal(g, walk, inputs[1], direction)?);
        let minus = g.is(node, &ops::SUB);
        return Some(a.zip(&b, |a, b| a.plus(if minus { b.opposite() } else { b })));
    }
    let free = |k: usize| g.node(inputs[k]).stage != Role::LowerDirection;
    let factor = |walk: &mut Walk, k: usize| walk.fact(g, inputs[k]).range.clone();
    if g.is(node, &ops::MUL) {
        let (c, d) = if free(0) { (0, 1) } else { (1, 0) };
        return (free(c)).then(|| {
            let d = diagonal(g, walk, inputs[d], direction)?;
            Some(factor(walk, c).zip(&d, Interval::times))
        })?;
    }
    if g.is(node, &ops::DIV) && free(1) {
        let d = diagonal(g, walk, inputs[0], direction)?;
        return Some(d.zip(&factor(walk, 1), |d, c| d.times(c.reciprocal())));
    }
    None
}
