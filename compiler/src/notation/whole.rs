//! Arrays as wholes, where the language has a word for them.

use super::formula::{Formula, Infix, Place};
use super::read::Reader;
use super::spelling::{Elementwise, apply};
use crate::ir::graph::{Attrs, DotAxes, NodeId};
use crate::ops::{self, Surface};
use crate::types::Elem;

impl Reader<'_> {
    /// A node as a whole.
    pub fn whole(&mut self, id: NodeId) -> Formula {
        if let Some(name) = self.shared.get(&id) {
            return name.clone();
        }
        let node = self.graph.node(id);
        let rank = node.ty.shape.len();
        let inputs = node.inputs.clone();
        if let Some(op) = self.spelling(id) {
            return self.elementwise(id, &op);
        }
        match (node.op.0.name, &node.attrs) {
            ("sum", Attrs::Axes(axes)) => {
                let rank = self.graph.shape(inputs[0]).len();
                if axes.len() == rank { self.total(inputs[0]) } else { self.along("sum", inputs[0], axes) }
            }
            ("prod", Attrs::Axes(axes)) => self.along("prod", inputs[0], axes),
            ("max_over" | "min_over", Attrs::Axes(axes))
                if axes.len() == self.graph.shape(inputs[0]).len() =>
            {
                let word = if node.op.0.name == "max_over" { "max" } else { "min" };
                Formula::call(word, vec![self.whole(inputs[0])])
            }
            ("broadcast", _) => match self.graph.shape(inputs[0]).len() {
                0 => {
                    let mut arguments = vec![self.whole(inputs[0])];
                    arguments.extend(node.ty.shape.iter().map(|&n| Formula::Number(n as f64)));
                    Formula::call("full", arguments)
                }
                _ => self.elements(id),
            },
            ("transpose", Attrs::Permutation(_)) if rank == 2 => {
                Formula::Transpose(Box::new(self.whole(inputs[0])))
            }
            ("reshape", _) if rank > 0 => {
                let mut arguments = vec![self.whole(inputs[0])];
                arguments.extend(node.ty.shape.iter().map(|&n| Formula::Number(n as f64)));
                Formula::call("reshape", arguments)
            }
            ("slice", Attrs::Slice { start, end }) => {
                let sizes = self.graph.shape(inputs[0]).clone();
                let at = (0..sizes.len()).map(|k| match (start[k], end[k]) {
                    (0, e) if e == sizes[k] => Place::All,
                    (s, e) => Place::Range(s, e),
                });
                let at = at.collect();
                self.whole(inputs[0]).at(at)
            }
            ("concat", Attrs::Axis(axis)) => {
                let parts = inputs.iter().map(|&part| self.whole(part)).collect();
                Formula::call("concat", vec![Formula::List(parts), Formula::Number(*axis as f64)])
            }
            ("dot", Attrs::Dot(axes)) => self.product(id, axes),
            ("gather", Attrs::Gather { batch: 0 }) if self.graph.shape(inputs[1]).len() <= 1 => {
                let position = self.whole(inputs[1]);
                self.whole(inputs[0]).at(vec![Place::At(position)])
            }
            ("sparse", _) => self.sparse(&inputs, false),
            ("sparse_dot", Attrs::Sparse { transposed, .. }) => {
                let matrix = self.sparse(&inputs, *transposed);
                let right = self.whole(inputs[4]);
                Formula::infix(Infix::Matrix, matrix, right)
            }
            ("input" | "constant" | "iota", _) => self.leaf(id),
            (
                "softmax" | "log_softmax" | "logsumexp" | "argmax" | "argmin" | "argsort",
                Attrs::Axis(axis),
            ) => self.along_axis(node.op.0.surface, inputs[0], *axis),
            ("cumsum", Attrs::Scan { axis, reverse: false }) => {
                self.along_axis(node.op.0.surface, inputs[0], *axis)
            }
            ("solve" | "triangular_solve" | "inv" | "logdet" | "cholesky", _) => self.dense(id),
            _ if rank > 0 => self.elements(id),
            _ => self.element(id, &[]),
        }
    }

    /// An operator on whole arrays where its operands are whole arrays, scalars, or arrays that the last axes repeat; else
    /// element by element.
    fn elementwise(&mut self, id: NodeId, op: &Elementwise) -> Formula {
        let node = self.graph.node(id);
        let rank = node.ty.shape.len();
        let inputs = node.inputs.clone();
        let mut operands = Vec::new();
        let mut full = rank == 0;
        let mut fits = true;
        for &x in &inputs {
            let repeated = match &self.graph.node(x).attrs {
                Attrs::Broadcast { map, .. } if !self.shared.contains_key(&x) => {
                    let k = map.len();
                    fits &= map.iter().enumerate().all(|(i, &axis)| axis == rank - k + i);
                    Some(self.graph.node(x).inputs[0])
                }
                _ => None,
            };
            full |= repeated.is_none();
            operands.push(repeated.unwrap_or(x));
        }
        let chosen = matches!(op, Elementwise::Select) && rank > 0;
        if !full || !fits || (chosen && inputs.iter().any(|x| self.daring.contains(x))) {
            return self.elements(id);
        }
        let scalar = operands.iter().any(|&x| self.graph.shape(x).is_empty());
        let same = inputs.len() == 2 && inputs[0] == inputs[1];
        let operands = operands.into_iter().map(|x| self.whole(x)).collect();
        apply(op, operands, same, scalar)
    }

    /// The sum of all elements.
    fn total(&mut self, x: NodeId) -> Formula {
        let node = self.graph.node(x);
        let inputs = node.inputs.clone();
        if node.ty.elem == Elem::Real && !self.shared.contains_key(&x) {
            let two = |node: NodeId| self.graph.fill_value(node) == Some(2.0);
            let square = (self.graph.is(x, &ops::MUL) && inputs[0] == inputs[1])
                || (self.graph.is(x, &ops::POW) && two(inputs[1]));
            if square {
                return Formula::call("sumsq", vec![self.whole(inputs[0])]);
            }
            if self.graph.is(x, &ops::ABS) {
                return Formula::call("norm1", vec![self.whole(inputs[0])]);
            }
        }
        if self.indexed && !self.shared.contains_key(&x) {
            let shape = self.graph.shape(x).clone();
            return self.collected("sum", &shape, |reader, at| reader.element(x, at));
        }
        match self.whole(x) {
            Formula::Array(body, turns) => Formula::Over { word: "sum", body, turns, filter: None },
            whole => Formula::call("sum", vec![whole]),
        }
    }

    /// A reduction over some axes.
    fn along(&mut self, word: &str, x: NodeId, axes: &[usize]) -> Formula {
        let rank = self.graph.shape(x).len();
        let mut formula = self.whole(x);
        if axes.len() == rank {
            return Formula::call(word, vec![formula]);
        }
        for &axis in axes.iter().rev() {
            formula = Formula::call(word, vec![formula, Formula::Number(axis as f64)]);
        }
        formula
    }

    fn along_axis(&mut self, surface: Surface, x: NodeId, axis: usize) -> Formula {
        let last = self.graph.shape(x).len() - 1;
        let mut arguments = vec![self.whole(x)];
        if axis != last {
            arguments.push(Formula::Number(axis as f64));
        }
        Formula::call(surface.name().unwrap_or("?"), arguments)
    }

    /// A contraction as a matrix product where it is one.
    fn product(&mut self, id: NodeId, axes: &DotAxes) -> Formula {
        let inputs = self.graph.node(id).inputs.clone();
        let rank = |x: NodeId| self.graph.shape(x).len();
        let (a, b) = (rank(inputs[0]), rank(inputs[1]));
        let [left, right] = [inputs[0], inputs[1]];
        if !axes.batch.is_empty() || a > 2 || b > 2 {
            return self.elements(id);
        }
        match (axes.contract.as_slice(), a, b) {
            ([], 0, _) | ([], _, 0) => Formula::infix(Infix::Mul, self.whole(left), self.whole(right)),
            ([], 1, 1) => Formula::call("outer", vec![self.whole(left), self.whole(right)]),
            ([(0, 0)], 1, 1) => Formula::infix(Infix::Vector, self.whole(left), self.whole(right)),
            ([(0, axis)], 1, 2) if *axis == 0 => {
                Formula::infix(Infix::Vector, self.whole(left), self.whole(right))
            }
            ([(0, _)], 1, 2) => Formula::infix(Infix::Matrix, self.whole(right), self.whole(left)),
            ([(i, j)], 2, 1 | 2) => {
                let left = self.turned(left, *i == 0);
                let right = self.turned(right, b == 2 && *j == 1);
                Formula::infix(Infix::Matrix, left, right)
            }
            _ => self.elements(id),
        }
    }

    fn turned(&mut self, x: NodeId, transposed: bool) -> Formula {
        match (self.whole(x), transposed) {
            (x, false) => x,
            (Formula::Transpose(x), true) => *x,
            (x, true) => Formula::Transpose(Box::new(x)),
        }
    }

    /// A sparse matrix of data, or rows of it, from its values, columns, and where its rows start and end.
    fn sparse(&mut self, parts: &[NodeId], transposed: bool) -> Formula {
        let (values, starts) = (parts[0], parts[2]);
        let matrix = self.whole(values);
        let node = self.graph.node(starts);
        let rows = match (node.op.0.name, &node.attrs) {
            ("input", _) => Some(Place::All),
            ("slice", Attrs::Slice { start, end }) => Some(Place::Range(start[0], end[0])),
            ("gather", _) => Some(Place::At(self.whole(node.inputs[1]))),
            _ => None,
        };
        if rows.is_none() || !self.graph.is(values, &ops::INPUT) {
            self.unwritable = Some("a sparse matrix that is computed");
        }
        let matrix = matrix.at(rows.into_iter().collect());
        if transposed { Formula::Transpose(Box::new(matrix)) } else { matrix }
    }

    /// Linear algebra. In the graph right-hand sides are matrices.
    fn dense(&mut self, id: NodeId) -> Formula {
        let node = self.graph.node(id);
        let inputs = node.inputs.clone();
        let name = match node.op.0.name {
            "triangular_solve" => "solve",
            name => name,
        };
        let transposed = matches!(node.attrs, Attrs::Transposed(true));
        if transposed && self.graph.shape(inputs[0]).len() != 2 {
            self.unwritable = Some("a transposed solve of several matrices");
        }
        let mut arguments = vec![self.turned(inputs[0], transposed)];
        arguments.extend(inputs[1..].iter().map(|&x| self.whole(x)));
        Formula::call(name, arguments)
    }
}
