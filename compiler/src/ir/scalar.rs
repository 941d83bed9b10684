//! Programs number by number: every row and the objective as an expression in single variables, with the data put in. Other
//! programs read models in this form.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::bug;
use crate::ir::eval::{Array, Bindings, evaluate};
use crate::ir::graph::{Attrs, Graph, InputId, NodeId, Role};

/// An expression in single variables.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// A number.
    Constant(f64),
    /// The variable at this place.
    Variable(usize),
    /// A function of one number, by the name that the operator has in printed graphs.
    Unary(&'static str, Rc<Scalar>),
    /// `sub`, `mul`, `div`, `pow`, or a comparison: `lt`, `le`, `eq`, `ne`, `and`, `or`.
    Binary(&'static str, Rc<Scalar>, Rc<Scalar>),
    /// A sum.
    Sum(Vec<Rc<Scalar>>),
    /// The largest or smallest (`max`, `min`).
    Extreme(&'static str, Vec<Rc<Scalar>>),
    /// `if c then a else b`.
    If(Rc<Scalar>, Rc<Scalar>, Rc<Scalar>),
}

impl Scalar {
    /// Whether a sum or difference has an infinite term.
    pub fn is_infinite(&self) -> bool {
        match self {
            Scalar::Constant(value) => value.is_infinite(),
            Scalar::Unary("neg", x) => x.is_infinite(),
            Scalar::Binary("sub", a, b) => a.is_infinite() || b.is_infinite(),
            Scalar::Sum(parts) => parts.iter().any(|part| part.is_infinite()),
            _ => false,
        }
    }
}

/// What cannot be written number by number: the name of an operator.
#[derive(Debug, PartialEq, Eq)]
pub struct Unwritable(pub &'static str);

/// Expands nodes.
pub struct Expander<'a> {
    graph: &'a Graph,
    /// The first place of every variable.
    places: FxHashMap<InputId, usize>,
    /// What depends on data alone.
    data: FxHashMap<NodeId, Array>,
    known: FxHashMap<(NodeId, usize), Rc<Scalar>>,
}

impl<'a> Expander<'a> {
    /// An expander for `roots` of a graph, whose variables are laid out from these places.
    ///
    /// # Panics
    /// When data are not bound.
    pub fn new(
        graph: &'a Graph,
        roots: &[NodeId],
        places: FxHashMap<InputId, usize>,
        bound: &Bindings,
    ) -> Self {
        let fixed = |id: NodeId| graph.node(id).stage == Role::Data;
        let mut frontier: Vec<NodeId> = roots.iter().copied().filter(|&id| fixed(id)).collect();
        for id in graph.reachable(roots) {
            if !fixed(id) {
                frontier.extend(graph.node(id).inputs.iter().copied().filter(|&input| fixed(input)));
            }
        }
        frontier.sort_unstable();
        frontier.dedup();
        let values = evaluate(graph, &frontier, bound).unwrap_or_else(|e| bug!("data of an export: {e}"));
        let data = frontier.into_iter().zip(values).collect();
        Expander { graph, places, data, known: FxHashMap::default() }
    }

    /// The elements of a node, in row-major order.
    ///
    /// Errors: an operator that has no counterpart.
    pub fn elements(&mut self, id: NodeId) -> Result<Vec<Rc<Scalar>>, Unwritable> {
        let shape = self.graph.shape(id).clone();
        (0..self.graph.ty(id).len()).map(|flat| self.element(id, &unravel(&shape, flat))).collect()
    }

    fn element(&mut self, id: NodeId, at: &[usize]) -> Result<Rc<Scalar>, Unwritable> {
        if let Some(values) = self.data.get(&id) {
            return Ok(Rc::new(Scalar::Constant(values[at])));
        }
        let key = (id, ravel(self.graph.shape(id), at));
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let found = self.expand(id, at)?;
        self.known.insert(key, found.clone());
        Ok(found)
    }

    fn expand(&mut self, id: NodeId, at: &[usize]) -> Result<Rc<Scalar>, Unwritable> {
        let graph = self.graph;
        let node = graph.node(id);
        let inputs = &node.inputs;
        let shape = |k: usize| graph.shape(inputs[k]);
        match (node.op.0.name, &node.attrs) {
            ("input", Attrs::Input(input)) => match self.places.get(input) {
                Some(first) => Ok(Rc::new(Scalar::Variable(first + ravel(&node.ty.shape, at)))),
                None => bug!("`{}` is no variable of the export", graph.input_info(*input).name),
            },
            ("constant", Attrs::Constant { bits, .. }) => {
                Ok(Rc::new(Scalar::Constant(f64::from_bits(*bits))))
            }
            ("iota", _) => Ok(Rc::new(Scalar::Constant(at[0] as f64))),
            ("add", _) => self.sum(&[(inputs[0], at.to_vec()), (inputs[1], at.to_vec())]),
            ("sub" | "mul" | "div" | "pow" | "lt" | "le" | "eq" | "ne" | "and" | "or", _) => {
                let (a, b) = (self.element(inputs[0], at)?, self.element(inputs[1], at)?);
                Ok(binary(node.op.0.name, a, b))
            }
            ("min" | "max", _) => {
                let parts = vec![self.element(inputs[0], at)?, self.element(inputs[1], at)?];
                Ok(Rc::new(Scalar::Extreme(node.op.0.name, parts)))
            }
            ("select", _) => self.choice(inputs, at),
            ("cast" | "stop_gradient", _) => self.element(inputs[0], at),
            ("sum" | "prod" | "max_over" | "min_over", Attrs::Axes(axes)) => {
                let terms = turns(shape(0), axes, at).into_iter().map(|place| (inputs[0], place));
                let terms: Vec<(NodeId, Vec<usize>)> = terms.collect();
                match node.op.0.name {
                    "sum" => self.sum(&terms),
                    "prod" => {
                        let one = Rc::new(Scalar::Constant(1.0));
                        terms.iter().try_fold(one, |product, (x, place)| {
                            Ok(binary("mul", product, self.element(*x, place)?))
                        })
                    }
                    name => {
                        let parts: Result<Vec<Rc<Scalar>>, Unwritable> =
                            terms.iter().map(|(x, place)| self.element(*x, place)).collect();
                        let word = if name == "max_over" { "max" } else { "min" };
                        Ok(Rc::new(Scalar::Extreme(word, parts?)))
                    }
                }
            }
            ("dot", Attrs::Dot(_)) => self.contraction(id, at),
            ("softmax" | "log_softmax" | "logsumexp", Attrs::Axis(axis)) => self.soft(id, *axis, at),
            ("cumsum", Attrs::Scan { axis, reverse }) => {
                let range = if *reverse { at[*axis]..shape(0)[*axis] } else { 0..at[*axis] + 1 };
                let place = |k: usize| {
                    let mut place = at.to_vec();
                    place[*axis] = k;
                    (inputs[0], place)
                };
                self.sum(&range.map(place).collect::<Vec<_>>())
            }
            ("scatter_add", Attrs::Scatter { batch, .. }) => self.segments(id, *batch, at),
            ("sparse_dot", Attrs::Sparse { transposed, .. }) => self.sparse_product(id, *transposed, at),
            ("gather", _) if !self.data.contains_key(&inputs[1]) => Err(Unwritable("gather")),
            ("broadcast" | "transpose" | "reshape" | "slice" | "pad" | "concat" | "gather", _) => {
                match self.moved(id, at) {
                    Some((from, place)) => self.element(from, &place),
                    None => Ok(Rc::new(Scalar::Constant(0.0))),
                }
            }
            (name, _) if UNARY.contains(&name) => {
                let x = self.element(inputs[0], at)?;
                Ok(unary(name, x))
            }
            (name, _) => Err(Unwritable(name)),
        }
    }

    /// Where an operator that only moves elements takes one from; `None` for a zero that it adds.
    fn moved(&self, id: NodeId, at: &[usize]) -> Option<(NodeId, Vec<usize>)> {
        let node = self.graph.node(id);
        let x = node.inputs[0];
        let sizes = self.graph.shape(x);
        let place = match &node.attrs {
            Attrs::Broadcast { map, .. } => map.iter().map(|&axis| at[axis]).collect(),
            Attrs::Permutation(perm) => {
                let mut place = vec![0; at.len()];
                for (k, &axis) in perm.iter().enumerate() {
                    place[axis] = at[k];
                }
                place
            }
            Attrs::Shape(_) => unravel(sizes, ravel(&node.ty.shape, at)),
            Attrs::Slice { start, .. } => at.iter().zip(start).map(|(at, start)| at + start).collect(),
            Attrs::Pad { before, .. } => {
                let inside = at.iter().zip(before).map(|(at, before)| at.checked_sub(*before));
                let place: Option<Vec<usize>> = inside.collect();
                let place = place?;
                place.iter().zip(sizes).all(|(at, size)| at < size).then_some(place)?
            }
            Attrs::Axis(axis) => {
                let mut place = at.to_vec();
                for &part in &node.inputs {
                    let size = self.graph.shape(part)[*axis];
                    if place[*axis] < size {
                        return Some((part, place));
                    }
                    place[*axis] -= size;
                }
                bug!("a place outside of a concatenation")
            }
            Attrs::Gather { batch } => {
                let positions = self.data.get(&node.inputs[1])?;
                let rank = positions.ndim();
                let position = positions[&at[..rank]];
                let mut place = at[..*batch].to_vec();
                place.push(position as usize);
                place.extend_from_slice(&at[rank..]);
                place
            }
            other => bug!("`{}` with {other:?} moves nothing", node.op.0.name),
        };
        Some((x, place))
    }

    fn sum(&mut self, terms: &[(NodeId, Vec<usize>)]) -> Result<Rc<Scalar>, Unwritable> {
        let parts: Result<Vec<Rc<Scalar>>, Unwritable> =
            terms.iter().map(|(x, place)| self.element(*x, place)).collect();
        Ok(total(parts?))
    }

    fn choice(&mut self, inputs: &[NodeId], at: &[usize]) -> Result<Rc<Scalar>, Unwritable> {
        let condition = self.element(inputs[0], at)?;
        if let Scalar::Constant(truth) = *condition {
            return self.element(inputs[if truth == 0.0 { 2 } else { 1 }], at);
        }
        let (a, b) = (self.element(inputs[1], at)?, self.element(inputs[2], at)?);
        Ok(Rc::new(Scalar::If(condition, a, b)))
    }

    fn contraction(&mut self, id: NodeId, at: &[usize]) -> Result<Rc<Scalar>, Unwritable> {
        let node = self.graph.node(id);
        let Attrs::Dot(axes) = &node.attrs else { bug!("a contraction without axes") };
        let (left, right) = (node.inputs[0], node.inputs[1]);
        let sizes: Vec<usize> = axes.contract.iter().map(|&(i, _)| self.graph.shape(left)[i]).collect();
        let ranks = [self.graph.shape(left).len(), self.graph.shape(right).len()];
        let mut parts = Vec::new();
        for flat in 0..sizes.iter().product() {
            let over = unravel(&sizes, flat);
            let mut places = ranks.map(|rank| vec![None; rank]);
            for (&(i, j), &at) in axes.batch.iter().zip(at).chain(axes.contract.iter().zip(&over)) {
                places[0][i] = Some(at);
                places[1][j] = Some(at);
            }
            let mut free = at[axes.batch.len()..].iter().copied();
            let [a, b] = places.map(|places| -> Vec<usize> {
                places.into_iter().filter_map(|place| place.or_else(|| free.next())).collect()
            });
            parts.push(binary("mul", self.element(left, &a)?, self.element(right, &b)?));
        }
        Ok(total(parts))
    }

    /// `softmax` and its relatives, by their definition.
    fn soft(&mut self, id: NodeId, axis: usize, at: &[usize]) -> Result<Rc<Scalar>, Unwritable> {
        let node = self.graph.node(id);
        let (name, x) = (node.op.0.name, node.inputs[0]);
        let row = |k: usize| {
            let mut place = at.to_vec();
            match name {
                "logsumexp" => place.insert(axis, k),
                _ => place[axis] = k,
            }
            place
        };
        let mut parts = Vec::new();
        for k in 0..self.graph.shape(x)[axis] {
            parts.push(unary("exp", self.element(x, &row(k))?));
        }
        let all = total(parts);
        Ok(match name {
            "logsumexp" => unary("log", all),
            "softmax" => binary("div", unary("exp", self.element(x, at)?), all),
            _ => binary("sub", self.element(x, at)?, unary("log", all)),
        })
    }

    fn segments(&mut self, id: NodeId, batch: usize, at: &[usize]) -> Result<Rc<Scalar>, Unwritable> {
        let node = self.graph.node(id);
        let (updates, index) = (node.inputs[0], node.inputs[1]);
        let Some(positions) = self.data.get(&index) else { return Err(Unwritable("scatter_add")) };
        let mut terms = Vec::new();
        for (place, position) in positions.indexed_iter() {
            let place: Vec<usize> = ndarray::Dimension::slice(&place).to_vec();
            if place[..batch] == at[..batch] && *position == at[batch] as f64 {
                terms.push((updates, [&place[..], &at[batch + 1..]].concat()));
            }
        }
        self.sum(&terms)
    }

    fn sparse_product(
        &mut self,
        id: NodeId,
        transposed: bool,
        at: &[usize],
    ) -> Result<Rc<Scalar>, Unwritable> {
        let node = self.graph.node(id);
        let [values, columns, starts, ends, right] = node.inputs[..] else {
            bug!("a sparse product has five operands")
        };
        let known = |part: NodeId| self.data.get(&part).cloned().ok_or(Unwritable("sparse_dot"));
        let (columns, starts, ends) = (known(columns)?, known(starts)?, known(ends)?);
        let mut parts = Vec::new();
        for (row, (start, end)) in starts.iter().zip(&ends).enumerate() {
            for p in *start as usize..*end as usize {
                let column = columns[[p].as_slice()] as usize;
                let (out, within) = if transposed { (column, row) } else { (row, column) };
                if out == at[0] {
                    let place = [&[within], &at[1..]].concat();
                    parts.push(binary("mul", self.element(values, &[p])?, self.element(right, &place)?));
                }
            }
        }
        Ok(total(parts))
    }
}

/// Functions of one number that stay what they are.
const UNARY: [&str; 24] = [
    "neg", "abs", "sign", "sqrt", "floor", "step", "relu", "exp", "log", "log1p", "expm1", "sin", "cos",
    "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "sigmoid", "softplus", "log_cosh", "not",
];

fn unary(name: &'static str, x: Rc<Scalar>) -> Rc<Scalar> {
    let constant = |value: f64| Rc::new(Scalar::Constant(value));
    match (name, &*x) {
        ("neg", Scalar::Constant(value)) => constant(-value),
        ("exp", Scalar::Constant(value)) => constant(value.exp()),
        ("log", Scalar::Constant(value)) => constant(value.ln()),
        // What other programs have no word for, by its definition.
        ("log1p", _) => unary("log", total(vec![constant(1.0), x])),
        ("expm1", _) => binary("sub", unary("exp", x), constant(1.0)),
        ("sigmoid", _) => {
            let power = unary("exp", unary("neg", x));
            binary("div", constant(1.0), total(vec![constant(1.0), power]))
        }
        ("softplus", _) => unary("log", total(vec![constant(1.0), unary("exp", x)])),
        ("log_cosh", _) => unary("log", unary("cosh", x)),
        ("relu", _) => Rc::new(Scalar::Extreme("max", vec![x, constant(0.0)])),
        ("step", _) => {
            let positive = binary("lt", constant(0.0), x);
            Rc::new(Scalar::If(positive, constant(1.0), constant(0.0)))
        }
        ("sign", _) => {
            let (above, below) = (binary("lt", constant(0.0), x.clone()), binary("lt", x, constant(0.0)));
            let rest = Rc::new(Scalar::If(below, constant(-1.0), constant(0.0)));
            Rc::new(Scalar::If(above, constant(1.0), rest))
        }
        _ => Rc::new(Scalar::Unary(name, x)),
    }
}

fn binary(name: &'static str, a: Rc<Scalar>, b: Rc<Scalar>) -> Rc<Scalar> {
    use Scalar::Constant;
    match (name, &*a, &*b) {
        ("sub", Constant(a), Constant(b)) => Rc::new(Constant(a - b)),
        ("mul", Constant(a), Constant(b)) => Rc::new(Constant(a * b)),
        ("div", Constant(a), Constant(b)) => Rc::new(Constant(a / b)),
        ("pow", Constant(a), Constant(b)) => Rc::new(Constant(a.powf(*b))),
        ("lt", Constant(a), Constant(b)) => Rc::new(Constant(f64::from(a < b))),
        ("le", Constant(a), Constant(b)) => Rc::new(Constant(f64::from(a <= b))),
        ("mul", Constant(zero), _) | ("mul", _, Constant(zero)) if *zero == 0.0 => Rc::new(Constant(0.0)),
        ("mul", Constant(one), _) if *one == 1.0 => b,
        ("mul" | "div" | "pow", _, Constant(one)) if *one == 1.0 => a,
        ("sub", _, Constant(zero)) if *zero == 0.0 => a,
        _ => Rc::new(Scalar::Binary(name, a, b)),
    }
}

/// A sum without zeros and sums within.
fn total(parts: Vec<Rc<Scalar>>) -> Rc<Scalar> {
    let mut constant = 0.0;
    let mut terms: Vec<Rc<Scalar>> = Vec::new();
    for part in parts {
        match &*part {
            Scalar::Constant(value) => constant += value,
            Scalar::Sum(inner) => terms.extend(inner.iter().cloned()),
            _ => terms.push(part),
        }
    }
    if constant != 0.0 || terms.is_empty() {
        terms.push(Rc::new(Scalar::Constant(constant)));
    }
    if terms.len() == 1 { terms.swap_remove(0) } else { Rc::new(Scalar::Sum(terms)) }
}

fn ravel(shape: &[usize], at: &[usize]) -> usize {
    shape.iter().zip(at).fold(0, |flat, (size, at)| flat * size + at)
}

fn unravel(shape: &[usize], mut flat: usize) -> Vec<usize> {
    let mut at = vec![0; shape.len()];
    for (k, &size) in shape.iter().enumerate().rev() {
        at[k] = flat % size;
        flat /= size;
    }
    at
}

/// The places of an operand that are reduced over `axes` to `at`.
fn turns(shape: &[usize], axes: &[usize], at: &[usize]) -> Vec<Vec<usize>> {
    let sizes: Vec<usize> = axes.iter().map(|&axis| shape[axis]).collect();
    let place = |flat: usize| {
        let over = unravel(&sizes, flat);
        let (mut over, mut at) = (over.into_iter(), at.iter().copied());
        let pick = |axis: usize| if axes.contains(&axis) { over.next() } else { at.next() };
        (0..shape.len()).map(pick).map(Option::unwrap_or_default).collect()
    };
    (0..sizes.iter().product()).map(place).collect()
}
