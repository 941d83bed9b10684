//! Arrays element by element: any operator, at positions that are formulas.

use super::formula::{Formula, Infix, Place};
use super::read::{Reader, constant};
use super::spelling::{Elementwise, apply};
use crate::ir::graph::{Attrs, DotAxes, NodeId};

impl Reader<'_> {
    /// One element of a node, at these positions.
    pub(super) fn element(&mut self, id: NodeId, at: &[Formula]) -> Formula {
        let place = |at: &[Formula]| at.iter().cloned().map(Place::At).collect::<Vec<_>>();
        if let Some(name) = self.shared.get(&id) {
            return name.clone().at(place(at));
        }
        let node = self.graph.node(id);
        let inputs = node.inputs.clone();
        if let Some(op) = self.spelling(id) {
            let operands = inputs.iter().map(|&x| self.element(x, at)).collect();
            let same = inputs.len() == 2 && inputs[0] == inputs[1];
            return apply(&op, operands, same, true);
        }
        match (node.op.0.name, &node.attrs) {
            ("constant", _) => self.leaf(id),
            ("iota", _) => at[0].clone(),
            ("sum" | "prod" | "max_over" | "min_over", Attrs::Axes(axes)) => {
                let word = match node.op.0.name {
                    "max_over" => "max",
                    "min_over" => "min",
                    "prod" => "prod",
                    _ => "sum",
                };
                let sizes: Vec<usize> = axes.iter().map(|&a| self.graph.shape(inputs[0])[a]).collect();
                let rank = self.graph.shape(inputs[0]).len();
                self.collected(word, &sizes, |reader, over| {
                    reader.element(inputs[0], &merged(rank, axes, over, at))
                })
            }
            ("broadcast", Attrs::Broadcast { map, .. }) => {
                let at: Vec<Formula> = map.iter().map(|&k| at[k].clone()).collect();
                self.element(inputs[0], &at)
            }
            ("transpose", Attrs::Permutation(perm)) => {
                let mut of: Vec<Formula> = at.to_vec();
                for (k, &axis) in perm.iter().enumerate() {
                    of[axis] = at[k].clone();
                }
                self.element(inputs[0], &of)
            }
            ("slice", Attrs::Slice { start, .. }) => {
                let at: Vec<Formula> = at.iter().zip(start).map(|(at, &s)| shifted(at, s as i64)).collect();
                self.element(inputs[0], &at)
            }
            ("pad", Attrs::Pad { before, .. }) => self.padded(id, before, at),
            ("dot", Attrs::Dot(axes)) => self.contracted(id, axes, at),
            ("gather", Attrs::Gather { batch }) => {
                let rank = self.graph.shape(inputs[1]).len();
                let position = self.element(inputs[1], &at[..rank]);
                let mut of: Vec<Formula> = at[..*batch].to_vec();
                of.push(position);
                of.extend(at[rank..].iter().cloned());
                self.element(inputs[0], &of)
            }
            ("scatter_add", Attrs::Scatter { batch, .. }) => self.segments(id, *batch, at),
            ("reshape", _) => {
                let at = self.reshaped(self.graph.shape(id), self.graph.shape(inputs[0]), at);
                self.element(inputs[0], &at)
            }
            ("cumsum", Attrs::Scan { axis, reverse: true }) => self.running(id, *axis, at),
            ("lu" | "lu_solve" | "sparse_outer", _) => {
                self.unwritable = Some(node.op.0.name);
                let parts = inputs.iter().map(|&x| self.whole(x)).collect();
                Formula::call(node.op.0.name, parts).at(place(at))
            }
            _ => self.whole(id).at(place(at)),
        }
    }

    /// An element of an array with zeros around it.
    fn padded(&mut self, id: NodeId, before: &[usize], at: &[Formula]) -> Formula {
        let node = self.graph.node(id);
        let inputs = node.inputs.clone();
        let sizes = self.graph.shape(inputs[0]).clone();
        let inside: Vec<Formula> = at.iter().zip(before).map(|(at, &b)| shifted(at, -(b as i64))).collect();
        let value = self.element(inputs[0], &inside);
        let full = self.graph.shape(id).clone();
        let zero = constant(0.0, node.ty.elem);
        let known = at.iter().enumerate().filter_map(|(k, at)| match at {
            Formula::Number(at) => Some(before[k] as f64 <= *at && *at < (before[k] + sizes[k]) as f64),
            _ => None,
        });
        let known: Vec<bool> = known.collect();
        if known.contains(&false) {
            return zero;
        }
        if known.len() == at.len() {
            return value;
        }
        let mut tests = Vec::new();
        for (k, at) in at.iter().enumerate() {
            if matches!(at, Formula::Number(_)) {
                continue;
            }
            if before[k] > 0 {
                let first = Formula::Number(before[k] as f64);
                tests.push(Formula::infix(Infix::Le, first, at.clone()));
            }
            if before[k] + sizes[k] < full[k] {
                let end = Formula::Number((before[k] + sizes[k]) as f64);
                tests.push(Formula::infix(Infix::Lt, at.clone(), end));
            }
        }
        match tests.into_iter().reduce(|a, b| Formula::infix(Infix::And, a, b)) {
            Some(test) => Formula::If(Box::new([test, value, zero])),
            None => value,
        }
    }

    /// An element of a segmented sum.
    fn segments(&mut self, id: NodeId, batch: usize, at: &[Formula]) -> Formula {
        let inputs = self.graph.node(id).inputs.clone();
        let sizes: Vec<usize> = self.graph.shape(inputs[1])[batch..].to_vec();
        let mut filter = None;
        let (body, turns) = self.over(&sizes, |reader, over| {
            let mut index: Vec<Formula> = at[..batch].to_vec();
            index.extend(over.iter().cloned());
            let position = reader.element(inputs[1], &index);
            filter = Some(Box::new(Formula::infix(Infix::Eq, position, at[batch].clone())));
            index.extend(at[batch + 1..].iter().cloned());
            reader.element(inputs[0], &index)
        });
        match filter {
            Some(test) if turns.is_empty() => Formula::If(Box::new([*test, body, Formula::Number(0.0)])),
            filter => Formula::Over { word: "sum", body: Box::new(body), turns, filter },
        }
    }

    /// An element of a running sum from the end.
    fn running(&mut self, id: NodeId, axis: usize, at: &[Formula]) -> Formula {
        let inputs = self.graph.node(id).inputs.clone();
        let size = self.graph.shape(id)[axis];
        let (body, mut turns) = self.over(&[size], |reader, over| {
            let mut of = at.to_vec();
            of[axis] = over[0].clone();
            reader.element(inputs[0], &of)
        });
        turns[0].from = Some(at[axis].clone());
        Formula::Over { word: "sum", body: Box::new(body), turns, filter: None }
    }

    /// One element of a contraction, as a sum.
    fn contracted(&mut self, id: NodeId, axes: &DotAxes, at: &[Formula]) -> Formula {
        let inputs = self.graph.node(id).inputs.clone();
        let shapes = [self.graph.shape(inputs[0]).clone(), self.graph.shape(inputs[1]).clone()];
        let sizes: Vec<usize> = axes.contract.iter().map(|&(i, _)| shapes[0][i]).collect();
        let same = inputs[0] == inputs[1];
        self.collected("sum", &sizes, |reader, over| {
            let mut places: [Vec<Option<Formula>>; 2] =
                [vec![None; shapes[0].len()], vec![None; shapes[1].len()]];
            for (&(i, j), at) in axes.batch.iter().zip(at).chain(axes.contract.iter().zip(over)) {
                places[0][i] = Some(at.clone());
                places[1][j] = Some(at.clone());
            }
            let mut free = at[axes.batch.len()..].iter();
            let filled = places.map(|places| -> Vec<Formula> {
                let fill = |place: Option<Formula>| place.or_else(|| free.next().cloned());
                places.into_iter().map(fill).map(|place| place.unwrap_or(Formula::Number(0.0))).collect()
            });
            let [a, b] = filled;
            let square = same && a == b;
            let left = reader.element(inputs[0], &a);
            let right = reader.element(inputs[1], &b);
            apply(&Elementwise::Infix(Infix::Mul), vec![left, right], square, true)
        })
    }

    /// Positions in an array of sizes `from` of what is at `at` under the sizes `to`.
    fn reshaped(&self, to: &[usize], from: &[usize], at: &[Formula]) -> Vec<Formula> {
        let long = |sizes: &[usize]| -> Vec<usize> { sizes.iter().copied().filter(|&n| n != 1).collect() };
        if long(to) == long(from) {
            let mut kept = to.iter().zip(at).filter(|(n, _)| **n != 1).map(|(_, at)| at.clone());
            let zero = Formula::Number(0.0);
            return from
                .iter()
                .map(|&n| if n == 1 { zero.clone() } else { kept.next().unwrap_or(zero.clone()) })
                .collect();
        }
        let mut flat = Formula::Number(0.0);
        for (&n, at) in to.iter().zip(at) {
            let rows = match flat {
                Formula::Number(row) => Formula::Number(row * n as f64),
                flat => Formula::infix(Infix::Mul, Formula::Number(n as f64), flat),
            };
            flat = match (rows, at) {
                (Formula::Number(a), Formula::Number(b)) => Formula::Number(a + b),
                (rows, at) => Formula::infix(Infix::Add, rows, at.clone()),
            };
        }
        let mut places = Vec::new();
        let mut below: usize = from.iter().product();
        for (k, &n) in from.iter().enumerate() {
            below /= n.max(1);
            let divided = match below {
                1 => flat.clone(),
                below => Formula::call("div", vec![flat.clone(), Formula::Number(below as f64)]),
            };
            places.push(match k {
                0 => divided,
                _ => Formula::call("mod", vec![divided, Formula::Number(n as f64)]),
            });
        }
        places
    }
}

/// Positions of an operand: those that are summed over at `axes`, the others in order.
fn merged(rank: usize, axes: &[usize], over: &[Formula], at: &[Formula]) -> Vec<Formula> {
    let (mut over, mut at) = (over.iter(), at.iter());
    let pick = |k: usize| if axes.contains(&k) { over.next() } else { at.next() };
    (0..rank).map(pick).map(|place| place.cloned().unwrap_or(Formula::Number(0.0))).collect()
}

fn shifted(at: &Formula, by: i64) -> Formula {
    match (at, by) {
        (at, 0) => at.clone(),
        (Formula::Number(k), by) => Formula::Number(k + by as f64),
        (at, by) => Formula::infix(Infix::Add, at.clone(), Formula::Number(by as f64)),
    }
}
