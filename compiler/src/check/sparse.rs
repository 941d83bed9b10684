//! Sparse data: how they are bound, what formulas may do with them, and the functions made for them. A sparse matrix is
//! elaborated like any other array; the rewrites of `passes::simplify` turn what reads it into sparse products. What they leave
//! is reported here.

use std::rc::Rc;
use std::sync::Arc;

use blo_grammar::ast::{self, DataSource};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;
use ndarray::Array1;

use super::Checker;
use super::builtins::Call;
use super::data::{Bounds, axes};
use super::scope::DeclId;
use super::value::{Axes, Axis, Loops, Value};
use crate::csr::Csr;
use crate::ir::eval::{Array, evaluate, fits_memory};
use crate::ir::graph::{Attrs, Graph, NodeId, Role};
use crate::model::{Domain, Init, Level, Model};
use crate::ops;
use crate::passes::simplify::simplify;
use crate::types::Elem;

/// A sparse matrix with the words for where it comes from.
pub type Sourced = (Option<Rc<Csr>>, String);

impl Checker<'_> {
    /// A `data` declaration of a sparse matrix.
    pub fn sparse_datum(&mut self, id: DeclId, data: &ast::Data) -> Option<Value> {
        self.sparse_type(data)?;
        let (matrix, origin) = self.sparse_fetch(id, data);
        let shape: Axes = data.ty.dims.iter().map(|e| self.dimension(e)).collect::<Option<Vec<_>>>()?.into();
        let matrix = matrix.filter(|matrix| self.inspect_sparse(data, matrix, &origin));
        if let (Some(domain), None) = (&data.domain, &matrix) {
            self.data_range(domain);
        }
        Some(self.add_sparse(&data.name.name, matrix.as_deref(), shape, self.decls[id.0].span))
    }

    /// The sizes of a sparse datum, which may give sizes to its dimensions.
    pub fn learn_sparse_sizes(&mut self, id: DeclId, data: &ast::Data) {
        if self.sparse_type(data).is_some() {
            self.sparse_fetch(id, data);
        }
    }

    /// Sparse are real matrices alone.
    fn sparse_type(&mut self, data: &ast::Data) -> Option<()> {
        if data.ty.element.name != "real" {
            let label = format!("this is {}", data.ty.element.name);
            let message = "sparse data are real";
            let diagnostic = Diagnostic::error("E0204", message, data.ty.element.span, label);
            self.emit(diagnostic.help("write `sparse real[n, d]`").edit(data.ty.element.span, "real"));
            return None;
        }
        if data.ty.dims.len() != 2 {
            let label = format!("{} here", axes(data.ty.dims.len()));
            let diagnostic = Diagnostic::error("E0203", "sparse data have two axes", data.ty.span, label);
            self.emit(diagnostic.help("write `sparse real[n, d]`, or leave out `sparse`"));
            return None;
        }
        if let Some(DataSource::Random(_)) = &data.source {
            let message = "random data are not sparse";
            let label = "has no zeros".to_owned();
            let at = data.ty.sparse.unwrap_or(data.ty.span);
            self.emit(Diagnostic::error("E0204", message, at, label).help("leave out `sparse`"));
            return None;
        }
        Some(())
    }

    /// The matrix, by the first source that has one: the loader, then the declaration. Found once and kept.
    fn sparse_fetch(&mut self, id: DeclId, data: &ast::Data) -> Sourced {
        match self.sparse.get(&id.0) {
            Some(Some(known)) => return known.clone(),
            Some(None) => {
                self.circle(id, data.name.span);
                return (None, String::new());
            }
            None => {}
        }
        self.sparse.insert(id.0, None);
        let request = self.request(data, Elem::Real);
        let found = self.loader.sparse(&request);
        let found = match found {
            Ok(Some(found)) => {
                let sizes = found.matrix.sizes();
                let agree = self.sizes_agree(data, &sizes, &found.origin);
                (agree.map(|()| Rc::new(found.matrix)), found.origin)
            }
            Ok(None) => {
                let (values, origin) = self.inside(data, Elem::Real);
                (values.as_deref().and_then(Csr::from_dense).map(Rc::new), origin)
            }
            Err(error) => {
                self.not_loaded(data, error);
                (None, String::new())
            }
        };
        self.sparse.insert(id.0, Some(found.clone()));
        found
    }

    /// Whether all values are finite and in the declared range, zeros included.
    fn inspect_sparse(&mut self, data: &ast::Data, matrix: &Csr, origin: &str) -> bool {
        let at = |p: usize| {
            let [row, column] = matrix.place(p);
            format!("[{row}, {column}]")
        };
        if let Some(p) = matrix.values().iter().position(|x| !x.is_finite()) {
            self.not_finite::<()>(data, &at(p), matrix.values()[p], origin);
            return false;
        }
        let Some(domain) = &data.domain else { return true };
        let Some((low, high, open)) = self.data_range(domain) else { return false };
        let bounds = Bounds { low, high, open };
        if let Some(p) = matrix.values().iter().position(|&x| bounds.exclude(x)) {
            self.outside_range(data, domain, &at(p), matrix.values()[p], bounds, origin);
            return false;
        }
        let [rows, columns] = matrix.sizes();
        if bounds.exclude(0.0) && matrix.values().len() < rows.saturating_mul(columns) {
            self.outside_range(data, domain, " of every place without a value", 0.0, bounds, origin);
            return false;
        }
        true
    }

    /// Adds the arrays of a sparse matrix with their inputs. Without values its nonzeros are made up: one in each row.
    fn add_sparse(&mut self, name: &str, matrix: Option<&Csr>, shape: Axes, span: Span) -> Value {
        let (rows, columns) = (shape[0], shape[1]);
        let nonzeros = Axis::of(matrix.map_or(rows.size, |m| m.values().len()));
        let list = |numbers: &mut dyn Iterator<Item = f64>| -> Arc<Array> {
            Arc::new(numbers.collect::<Array1<f64>>().into_dyn())
        };
        let values = matrix.map(|m| list(&mut m.values().iter().copied()));
        let values = self.add_data(name, Elem::Real, [nonzeros].into_iter().collect(), values, span);
        if let Some(data) = self.data.last_mut() {
            data.matrix = Some([rows.size, columns.size]);
            data.dims = shape.iter().map(|a| a.dim.map(|d| self.dims[d.0].name.clone())).collect();
        }
        let places = matrix.map(|m| list(&mut m.columns().iter().map(|&c| f64::from(c))));
        let places = self.add_data("", Elem::Int, [nonzeros].into_iter().collect(), places, span);
        let starts = matrix.map(|m| list(&mut m.start().iter().map(|&p| p as f64)));
        let starts =
            self.add_data("", Elem::Int, [Axis::of(rows.size + 1)].into_iter().collect(), starts, span);
        let start = self.graph.slice(starts.node, &[0], &[rows.size]);
        let end = self.graph.slice(starts.node, &[1], &[rows.size + 1]);
        let attrs = Attrs::Sparse { columns: columns.size, transposed: false };
        let node = self.graph.apply(&ops::SPARSE, attrs, &[values.node, places.node, start, end]);
        self.value(node, Loops::new(), shape)
    }

    /// The node without what asks for all elements of a sparse matrix, where rewrites can remove that; otherwise an error.
    pub fn without_sparse(&mut self, node: NodeId, place: Span) -> Option<NodeId> {
        if !self.graph.reachable(&[node]).iter().any(|&id| self.graph.is(id, &ops::SPARSE)) {
            return Some(node);
        }
        let simple = simplify(&mut self.graph, &[node])[0];
        match reader(&self.graph, simple) {
            None => Some(simple),
            Some((matrix, reader)) => {
                self.refuse_whole(matrix, reader, place);
                None
            }
        }
    }

    /// The error for a formula that reads all elements of a sparse matrix: `reader` is the first node that does.
    fn refuse_whole(&mut self, matrix: NodeId, reader: NodeId, place: Span) {
        let name = self.matrix_name(matrix);
        let at = self.graph.node(reader).span.unwrap_or(place);
        let message = format!("this needs every element of the sparse `{name}`");
        let label = "not a sum of products with a dense array".to_owned();
        let both = self.graph.is(reader, &ops::DOT)
            && self.graph.node(reader).inputs.iter().all(|&x| is_sparse(&self.graph, x));
        let diagnostic = if both {
            Diagnostic::error("E0241", "two sparse matrices are not multiplied", at, "both sides are sparse")
        } else {
            Diagnostic::error("E0241", message, at, label)
        };
        self.emit(
            diagnostic
                .note(format!(
                    "of a sparse matrix there are products with dense arrays (`{name} @ w`, `{name}' @ r`, `{name}[i] @ w`, sums of \
                     `{name}[i, j] * w[j]`), rows, sums, multiples, and functions of its elements that keep 0"
                ))
                .help(format!("`dense({name})` is the same matrix with its zeros, if that is small enough")),
        );
    }

    /// The name of the datum that a sparse matrix comes from.
    fn matrix_name(&self, matrix: NodeId) -> String {
        let reads = self.graph.reachable(&[matrix]);
        let input = reads.iter().find_map(|&id| match self.graph.node(id).attrs {
            Attrs::Input(input) => self.data.iter().find(|d| d.input == input && d.matrix.is_some()),
            _ => None,
        });
        input.map_or_else(|| "matrix".to_owned(), |data| data.name.clone())
    }

    /// Puts the formulas of a model into the form without whole sparse matrices; errors where that is not possible.
    pub fn settle_sparse(&mut self, model: &mut Model) {
        if self.sparse.is_empty() {
            return;
        }
        let mut roots: Vec<(&mut NodeId, Span)> = Vec::new();
        for level in std::iter::once(&mut model.upper).chain(&mut model.lower) {
            level_roots(level, &mut roots);
        }
        roots.extend(model.reports.iter_mut().map(|r| (&mut r.node, r.span)));
        roots.extend(model.expects.iter_mut().map(|e| (&mut e.node, e.span)));
        let nodes: Vec<NodeId> = roots.iter().map(|(node, _)| **node).collect();
        let simple = simplify(&mut self.graph, &nodes);
        for ((root, place), simple) in roots.into_iter().zip(simple) {
            match reader(&self.graph, simple) {
                None => *root = simple,
                Some((matrix, reader)) => self.refuse_whole(matrix, reader, place),
            }
        }
    }
}

/// Whether a node is a sparse matrix or a rearrangement of one.
fn is_sparse(g: &Graph, mut id: NodeId) -> bool {
    while g.is(id, &ops::TRANSPOSE) {
        id = g.node(id).inputs[0];
    }
    g.is(id, &ops::SPARSE)
}

/// A sparse matrix that is left below a node, and the first node that reads it.
fn reader(g: &Graph, root: NodeId) -> Option<(NodeId, NodeId)> {
    let order = g.reachable(&[root]);
    let matrix = order.iter().copied().find(|&id| g.is(id, &ops::SPARSE))?;
    // Rearrangements are no reason by themselves.
    let view = |id: NodeId| g.is(id, &ops::TRANSPOSE) || g.is(id, &ops::BROADCAST);
    let mut from = vec![matrix];
    for &id in &order {
        if g.node(id).inputs.iter().any(|input| from.contains(input)) {
            if !view(id) || id == root {
                return Some((matrix, id));
            }
            from.push(id);
        }
    }
    Some((matrix, root))
}

fn level_roots<'l>(level: &'l mut Level, roots: &mut Vec<(&'l mut NodeId, Span)>) {
    roots.push((&mut level.objective, level.objective_span));
    roots.extend(level.followers.iter_mut().map(|f| (&mut f.objective, f.objective_span)));
    roots.extend(level.constraints.iter_mut().map(|c| (&mut c.residual, c.span)));
    for var in &mut level.vars {
        match &mut var.domain {
            Domain::Interval(low, high) => roots.extend([(low, var.span), (high, var.span)]),
            Domain::Ball(radius) => roots.push((radius, var.span)),
            Domain::Free | Domain::Simplex => {}
        }
        if let Init::Value(node) = &mut var.init {
            roots.push((node, var.span));
        }
    }
}

/// `nnz(A)`: the number of values that a sparse matrix holds.
pub fn nonzeros(c: &mut Checker, call: &Call, values: &[Value]) -> Option<Value> {
    let mut node = values[0].node;
    while c.graph.is(node, &ops::TRANSPOSE) {
        node = c.graph.node(node).inputs[0];
    }
    if !c.graph.is(node, &ops::SPARSE) {
        let label = format!("this is {}", c.value_text(&values[0]));
        let message = "`nnz` counts the values of a sparse matrix";
        let e = call.arguments[0];
        let text = c.source_text(e.span);
        let diagnostic = Diagnostic::error("E0204", message, e.span, label);
        c.emit(
            diagnostic.help(format!("`sum(if {text} != 0 then 1 else 0)` counts elements that are not 0")),
        );
        return None;
    }
    let count = c.graph.ty(c.graph.node(node).inputs[0]).len();
    let mut value = c.number(count as f64, true);
    value.assumed = values[0].shape.iter().any(|axis| axis.assumed);
    Some(value)
}

/// `dense(A)`: a sparse matrix with its zeros, worked out before the solve. A dense array is itself.
pub fn dense(c: &mut Checker, call: &Call, values: &[Value]) -> Option<Value> {
    let value = &values[0];
    let reads = c.graph.reachable(&[value.node]);
    if !reads.iter().any(|&id| c.graph.is(id, &ops::SPARSE)) {
        return Some(value.clone());
    }
    let sizes: Vec<usize> = value.shape.iter().map(|a| a.size).collect();
    let e = call.arguments[0];
    if !value.loops.is_empty() || c.graph.node(value.node).stage != Role::Data {
        let label = if value.loops.is_empty() { "depends on variables" } else { "depends on an index" };
        let diagnostic = Diagnostic::error("E0241", "`dense` takes a matrix of data", e.span, label);
        c.emit(diagnostic.help("give the dense matrix a name first: `let D = dense(A)`"));
        return None;
    }
    if !fits_memory(sizes.iter().fold(1, |n: usize, s| n.saturating_mul(*s))) {
        let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
        let label = format!("{} numbers do not fit into memory", sizes.join(" × "));
        return c.error("E0235", "an array is too large", e.span, label);
    }
    c.decided_by(&[value.node]);
    let array = evaluate(&c.graph, &[value.node], &c.bindings).ok().and_then(|mut all| all.pop());
    Some(c.add_data("", Elem::Real, value.shape.clone(), array.map(Arc::new), call.span))
}
