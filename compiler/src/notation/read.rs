//! From nodes to formulas. An array is written as a whole where the language has a word for it (`A @ x`, `sum(x, 0)`); what has
//! none is written element by element, `[… for i in n]`. What several formulas share becomes a part with a name of its own.

use rustc_hash::{FxHashMap, FxHashSet};

use super::formula::{Formula, Infix, Place, Turn, dimension_of};
use crate::ir::graph::{Attrs, DotAxes, Graph, InputId, NodeId};
use crate::model::Model;
use crate::ops::{self, Surface};
use crate::types::Elem;

/// Names for indices, in the order in which they are taken.
const INDICES: [&str; 8] = ["i", "j", "k", "l", "p", "q", "r", "s"];
/// A shared part is given a name when it has at least so many pieces.
const WORTH_A_NAME: usize = 6;
/// A vector is written entry by entry up to this length, where it would need an index.
const SHORT: usize = 8;
/// Data without a name are written out up to so many elements.
const WRITTEN_OUT: usize = 64;

/// What the roots share, in the order in which it is needed, and the roots.
pub struct Notes {
    /// Names and formulas of the shared parts.
    pub shared: Vec<(String, Formula)>,
    /// The formulas asked for.
    pub roots: Vec<Formula>,
}

/// Reads nodes of a graph that belongs to a model.
pub struct Reader<'a> {
    graph: &'a Graph,
    names: FxHashMap<InputId, Formula>,
    /// The sizes of dimensions.
    dims: FxHashMap<String, usize>,
    /// Whatever a new name must differ from.
    taken: FxHashSet<String>,
    shared: FxHashMap<NodeId, Formula>,
    /// Nodes that read at computed positions, which may be outside where a choice leaves them out.
    daring: FxHashSet<NodeId>,
    /// Whether sums are written with indices.
    indexed: bool,
    /// Indices in use.
    depth: usize,
    /// What the language has no words for.
    unwritable: Option<&'static str>,
}

impl<'a> Reader<'a> {
    /// A reader of `graph`, the model's own or one grown from it.
    pub fn new(model: &Model, graph: &'a Graph) -> Self {
        let mut names = FxHashMap::default();
        let mut taken = FxHashSet::default();
        let levels = [Some(&model.upper), model.lower.as_ref()];
        for level in levels.into_iter().flatten() {
            for var in &level.vars {
                names.insert(var.input, Formula::Name(var.name.clone(), var.dims.clone()));
                taken.insert(var.name.clone());
            }
            taken.extend(level.constraints.iter().filter_map(|c| c.name.clone()));
        }
        taken.extend(model.dims.iter().map(|dim| dim.name.clone()));
        for data in &model.data {
            let formula = match &data.value {
                Some(value) if data.name.is_empty() => {
                    if value.len() > WRITTEN_OUT {
                        continue;
                    }
                    let elem = graph.input_info(data.input).ty.elem;
                    written_out(value.view(), elem)
                }
                _ if data.name.is_empty() => continue,
                _ => Formula::Name(data.name.clone(), data.dims.clone()),
            };
            taken.insert(data.name.clone());
            names.insert(data.input, formula);
        }
        let dims = model.dims.iter().map(|dim| (dim.name.clone(), dim.size)).collect();
        Reader {
            graph,
            names,
            dims,
            taken,
            shared: FxHashMap::default(),
            daring: FxHashSet::default(),
            indexed: false,
            depth: 0,
            unwritable: None,
        }
    }

    /// Writes sums with indices, `sum(x[i] for i in n)`, as papers do.
    pub fn indexed(mut self) -> Self {
        self.indexed = true;
        self
    }

    /// Calls an input by another name.
    pub fn rename(&mut self, input: InputId, name: &str, dims: &[Option<String>]) {
        self.taken.insert(name.to_owned());
        self.names.insert(input, Formula::Name(name.to_owned(), dims.to_vec()));
    }

    /// What was met that the language has no words for; the text of the formulas cannot be read back then.
    pub fn unwritable(&self) -> Option<&'static str> {
        self.unwritable
    }

    /// The formulas of some nodes, and of what they share.
    pub fn read(&mut self, roots: &[NodeId]) -> Notes {
        let order = self.graph.reachable(roots);
        self.find_daring(&order);
        let mut uses: FxHashMap<NodeId, usize> = FxHashMap::default();
        for &id in &order {
            for &input in &self.graph.node(id).inputs {
                *uses.entry(input).or_default() += 1;
            }
        }
        for &root in roots {
            *uses.entry(root).or_default() += 1;
        }
        let mut shared = Vec::new();
        for &id in &order {
            if uses.get(&id).is_none_or(|&n| n < 2) || self.is_arrangement(id) || self.daring.contains(&id) {
                continue;
            }
            let formula = self.whole(id);
            if formula.size() < WORTH_A_NAME {
                continue;
            }
            let name = self.fresh(shared.len());
            self.shared.insert(id, Formula::name(name.clone()));
            shared.push((name, formula));
        }
        Notes { shared, roots: roots.iter().map(|&root| self.root(root)).collect() }
    }

    /// A node as a whole; a short vector that would be written with an index, entry by entry.
    fn root(&mut self, id: NodeId) -> Formula {
        let formula = self.whole(id);
        let shape = self.graph.shape(id);
        if shape.len() != 1 || shape[0] > SHORT {
            return formula;
        }
        let mut indexed = false;
        formula.walk(&mut |part| indexed |= matches!(part, Formula::Array(..)));
        if !indexed {
            return formula;
        }
        Formula::List((0..shape[0]).map(|k| self.element(id, &[Formula::Number(k as f64)])).collect())
    }

    /// Whether the node only puts elements elsewhere: naming it would hide what it is of. Truth values cannot be named in a formula that
    /// is read back, and positions must stay visible to be checked.
    fn is_arrangement(&self, id: NodeId) -> bool {
        let node = self.graph.node(id);
        let views: [&ops::Operator; 5] =
            [&ops::BROADCAST, &ops::TRANSPOSE, &ops::RESHAPE, &ops::SLICE, &ops::CAST];
        node.ty.elem != Elem::Real || views.iter().any(|op| self.graph.is(id, op))
    }

    fn find_daring(&mut self, order: &[NodeId]) {
        for &id in order {
            let node = self.graph.node(id);
            let computed = |position: NodeId| {
                let views = [&ops::INPUT, &ops::SLICE, &ops::RESHAPE, &ops::CONSTANT];
                !views.iter().any(|op| self.graph.is(position, op))
            };
            let dares = match node.op.0.name {
                "gather" => computed(node.inputs[1]) || self.daring.contains(&node.inputs[0]),
                "select" => self.daring.contains(&node.inputs[0]),
                _ => node.inputs.iter().any(|input| self.daring.contains(input)),
            };
            if dares {
                self.daring.insert(id);
            }
        }
    }

    fn fresh(&mut self, from: usize) -> String {
        let name = (from + 1..).map(|k| format!("t{k}")).find(|name| !self.taken.contains(name));
        let name = name.unwrap_or_default();
        self.taken.insert(name.clone());
        name
    }

    /// New indices over `sizes`, while `body` is read with them.
    fn over(
        &mut self,
        sizes: &[usize],
        body: impl FnOnce(&mut Self, &[Formula]) -> Formula,
    ) -> (Formula, Vec<Turn>) {
        let names: Vec<String> = (0..)
            .map(|k| match INDICES.get(k) {
                Some(name) => (*name).to_owned(),
                None => format!("i{}", k - INDICES.len() + 1),
            })
            .filter(|name| !self.taken.contains(name))
            .skip(self.depth)
            .take(sizes.len())
            .collect();
        self.depth += sizes.len();
        let at: Vec<Formula> = names.iter().map(Formula::name).collect();
        let body = body(self, &at);
        self.depth -= sizes.len();
        let sizes_of = &self.dims;
        let turns = names.into_iter().zip(sizes).map(|(index, &size)| {
            let dim = dimension_of(&index, &body).filter(|dim| sizes_of.get(dim) == Some(&size));
            Turn { index, from: None, size, dim }
        });
        let turns = turns.collect();
        (body, turns)
    }

    fn collected(
        &mut self,
        word: &'static str,
        sizes: &[usize],
        body: impl FnOnce(&mut Self, &[Formula]) -> Formula,
    ) -> Formula {
        let (body, turns) = self.over(sizes, body);
        match turns.is_empty() {
            true => body,
            false => Formula::Over { word, body: Box::new(body), turns, filter: None },
        }
    }

    /// An array element by element.
    fn elements(&mut self, id: NodeId) -> Formula {
        let shape = self.graph.shape(id).clone();
        let (body, turns) = self.over(&shape, |reader, at| reader.element(id, at));
        match turns.is_empty() {
            true => body,
            false => Formula::Array(Box::new(body), turns),
        }
    }

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

    /// One element of a node, at these positions.
    fn element(&mut self, id: NodeId, at: &[Formula]) -> Formula {
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
            ("pad", Attrs::Pad { before, .. }) => {
                let sizes = self.graph.shape(inputs[0]).clone();
                let inside: Vec<Formula> =
                    at.iter().zip(before).map(|(at, &b)| shifted(at, -(b as i64))).collect();
                let value = self.element(inputs[0], &inside);
                let full = self.graph.shape(id).clone();
                let zero = constant(0.0, node.ty.elem);
                let known = at.iter().enumerate().filter_map(|(k, at)| match at {
                    Formula::Number(at) => {
                        Some(before[k] as f64 <= *at && *at < (before[k] + sizes[k]) as f64)
                    }
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
            ("dot", Attrs::Dot(axes)) => self.contracted(id, axes, at),
            ("gather", Attrs::Gather { batch }) => {
                let rank = self.graph.shape(inputs[1]).len();
                let position = self.element(inputs[1], &at[..rank]);
                let mut of: Vec<Formula> = at[..*batch].to_vec();
                of.push(position);
                of.extend(at[rank..].iter().cloned());
                self.element(inputs[0], &of)
            }
            ("scatter_add", Attrs::Scatter { batch, .. }) => {
                let batch = *batch;
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
                    Some(test) if turns.is_empty() => {
                        Formula::If(Box::new([*test, body, Formula::Number(0.0)]))
                    }
                    filter => Formula::Over { word: "sum", body: Box::new(body), turns, filter },
                }
            }
            ("reshape", _) => {
                let at = self.reshaped(self.graph.shape(id), self.graph.shape(inputs[0]), at);
                self.element(inputs[0], &at)
            }
            ("cumsum", Attrs::Scan { axis, reverse: true }) => {
                let axis = *axis;
                let size = self.graph.shape(id)[axis];
                let (body, mut turns) = self.over(&[size], |reader, over| {
                    let mut of = at.to_vec();
                    of[axis] = over[0].clone();
                    reader.element(inputs[0], &of)
                });
                turns[0].from = Some(at[axis].clone());
                Formula::Over { word: "sum", body: Box::new(body), turns, filter: None }
            }
            ("lu" | "lu_solve" | "sparse_outer", _) => {
                self.unwritable = Some(node.op.0.name);
                let parts = inputs.iter().map(|&x| self.whole(x)).collect();
                Formula::call(node.op.0.name, parts).at(place(at))
            }
            _ => self.whole(id).at(place(at)),
        }
    }

    /// How an elementwise operator is written; `None` for other operators.
    fn spelling(&self, id: NodeId) -> Option<Elementwise> {
        let node = self.graph.node(id);
        if self.graph.is(id, &ops::CAST) {
            let truth = self.graph.ty(node.inputs[0]).elem == Elem::Bool;
            return Some(Elementwise::Cast { truth });
        }
        spelling(node.op.0)
    }

    fn leaf(&mut self, id: NodeId) -> Formula {
        match self.graph.node(id).attrs {
            Attrs::Input(input) => match self.names.get(&input) {
                Some(name) => name.clone(),
                None => {
                    let name = self.graph.input_info(input).name.clone();
                    if name.is_empty() {
                        self.unwritable = Some("a large array without a name");
                        return Formula::name("_");
                    }
                    Formula::name(name)
                }
            },
            Attrs::Constant { bits, elem } => constant(f64::from_bits(bits), elem),
            Attrs::Iota { len } => Formula::call("arange", vec![Formula::Number(len as f64)]),
            _ => Formula::name("_"),
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
            flat = match flat {
                Formula::Number(_) => at.clone(),
                flat => {
                    let rows = Formula::infix(Infix::Mul, Formula::Number(n as f64), flat);
                    Formula::infix(Infix::Add, rows, at.clone())
                }
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

/// How an elementwise operator is written.
enum Elementwise {
    Infix(Infix),
    Call(&'static str),
    Minus,
    Not,
    Select,
    /// To a wider type; truth values become 1 and 0.
    Cast {
        truth: bool,
    },
}

fn spelling(op: &'static ops::Operator) -> Option<Elementwise> {
    if let Surface::Elementwise(word) = op.surface {
        return Some(Elementwise::Call(word));
    }
    Some(match op.name {
        "add" => Elementwise::Infix(Infix::Add),
        "sub" => Elementwise::Infix(Infix::Sub),
        "mul" => Elementwise::Infix(Infix::Times),
        "div" => Elementwise::Infix(Infix::Div),
        "eq" => Elementwise::Infix(Infix::Eq),
        "ne" => Elementwise::Infix(Infix::Ne),
        "lt" => Elementwise::Infix(Infix::Lt),
        "le" => Elementwise::Infix(Infix::Le),
        "and" => Elementwise::Infix(Infix::And),
        "or" => Elementwise::Infix(Infix::Or),
        "neg" => Elementwise::Minus,
        "not" => Elementwise::Not,
        "select" => Elementwise::Select,
        _ => return None,
    })
}

/// Applies an elementwise operator. `same`: both operands are one node; `scalar`: one of them is a scalar.
fn apply(op: &Elementwise, operands: Vec<Formula>, same: bool, scalar: bool) -> Formula {
    let mut operands = operands.into_iter();
    let mut next = || operands.next().unwrap_or(Formula::Number(f64::NAN));
    match op {
        Elementwise::Infix(Infix::Times) if same => Formula::infix(Infix::Pow, next(), Formula::Number(2.0)),
        Elementwise::Infix(Infix::Times) if scalar => Formula::infix(Infix::Mul, next(), next()),
        Elementwise::Call("pow") => Formula::infix(Infix::Pow, next(), next()),
        Elementwise::Infix(op) => Formula::infix(*op, next(), next()),
        Elementwise::Call(word) => Formula::call(*word, operands.collect()),
        Elementwise::Minus => next().negated(),
        Elementwise::Not => Formula::Not(Box::new(next())),
        Elementwise::Select => Formula::If(Box::new([next(), next(), next()])),
        Elementwise::Cast { truth: true } => {
            Formula::If(Box::new([next(), Formula::Number(1.0), Formula::Number(0.0)]))
        }
        Elementwise::Cast { truth: false } => next(),
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

fn constant(value: f64, elem: Elem) -> Formula {
    match elem {
        Elem::Bool => Formula::name(if value == 0.0 { "false" } else { "true" }),
        Elem::Int => Formula::Number(value),
        Elem::Real => fraction(value).unwrap_or(Formula::Number(value)),
    }
}

/// A number with many digits as the quotient that it is, where both ends are small: `1 / 221`.
fn fraction(value: f64) -> Option<Formula> {
    if !value.is_finite() || (value * 1e6).fract() == 0.0 {
        return None;
    }
    let quotient = |q: u32| {
        let (p, q) = ((value.abs() * f64::from(q)).round(), f64::from(q));
        ((1.0..=1000.0).contains(&p) && p / q == value.abs()).then_some((p, q))
    };
    let (p, q) = (3..=10_000).find_map(quotient)?;
    Some(Formula::infix(Infix::Div, Formula::Number(p * value.signum()), Formula::Number(q)))
}

/// An array of data in brackets.
fn written_out(value: ndarray::ArrayViewD<'_, f64>, elem: Elem) -> Formula {
    if value.ndim() == 0 {
        return value.iter().next().map_or(Formula::Number(f64::NAN), |&v| constant(v, elem));
    }
    Formula::List(value.outer_iter().map(|row| written_out(row, elem)).collect())
}
