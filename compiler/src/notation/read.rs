//! From nodes to formulas. An array is written as a whole where the language has a word for it (`A @ x`, `sum(x, 0)`); what has
//! none is written element by element, `[… for i in n]`. What several formulas share becomes a part with a name of its own.

use rustc_hash::{FxHashMap, FxHashSet};

use super::formula::{Formula, Infix, Turn, dimension_of};
use crate::ir::graph::{Attrs, Graph, InputId, NodeId};
use crate::model::Model;
use crate::ops;
use crate::types::Elem;

/// Names for indices, in the order in which they are taken.
const INDICES: [&str; 8] = ["i", "j", "k", "l", "p", "q", "r", "s"];
/// A shared part is given a name when it has at least so many pieces.
const WORTH_A_NAME: usize = 6;
/// The same on paper, where a formula may be longer.
const WORTH_A_NAME_ON_PAPER: usize = 30;
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
    pub(super) graph: &'a Graph,
    names: FxHashMap<InputId, Formula>,
    /// The sizes of dimensions.
    dims: FxHashMap<String, usize>,
    /// Whatever a new name must differ from.
    taken: FxHashSet<String>,
    pub(super) shared: FxHashMap<NodeId, Formula>,
    /// Nodes that read at computed positions, which may be outside where a choice leaves them out.
    pub(super) daring: FxHashSet<NodeId>,
    /// Whether sums are written with indices.
    pub(super) indexed: bool,
    /// Indices in use.
    depth: usize,
    /// What the language has no words for.
    pub(super) unwritable: Option<&'static str>,
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
            let worth = if self.indexed { WORTH_A_NAME_ON_PAPER } else { WORTH_A_NAME };
            if formula.size() < worth {
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
    pub(super) fn over(
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

    pub(super) fn collected(
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
    pub(super) fn elements(&mut self, id: NodeId) -> Formula {
        let shape = self.graph.shape(id).clone();
        let (body, turns) = self.over(&shape, |reader, at| reader.element(id, at));
        match turns.is_empty() {
            true => body,
            false => Formula::Array(Box::new(body), turns),
        }
    }

    pub(super) fn leaf(&mut self, id: NodeId) -> Formula {
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
}

pub(super) fn constant(value: f64, elem: Elem) -> Formula {
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
