//! The reference evaluator: every operator's reference value, node by node, in double precision. It computes what depends on
//! data alone, checks solutions, and is the oracle for generated code. It trades speed for being obviously right, except that
//! contractions are done as matrix products.

use std::borrow::Cow;
use std::sync::Arc;

use ndarray::ArrayD;
use rustc_hash::FxHashMap;

use crate::bug;
use crate::ir::graph::{Attrs, Graph, InputId, NodeId, Role};
use crate::ops;

/// Values of nodes. Whole numbers and truth values are held as `f64` (truth values as 0 and 1).
pub type Array = ArrayD<f64>;

/// Values of inputs. Copies share the arrays.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    values: Vec<Option<Arc<Array>>>,
    /// Values of nodes that were worked out before.
    nodes: FxHashMap<NodeId, Arc<Array>>,
    /// Says that an evaluation is to end before it is done.
    stop: Option<fn() -> bool>,
}

impl Bindings {
    /// No values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Binds an input, replacing an earlier value. The shape must be the input's.
    pub fn set(&mut self, input: InputId, value: impl Into<Arc<Array>>) {
        let index = input.0 as usize;
        if self.values.len() <= index {
            self.values.resize(index + 1, None);
        }
        self.values[index] = Some(value.into());
    }

    /// The same values; evaluations with them end as soon as `stop` says so, which is asked before each node.
    #[must_use]
    pub fn stopping(self, stop: fn() -> bool) -> Self {
        Bindings { stop: Some(stop), ..self }
    }

    /// The value of an input, if it is bound.
    pub fn get(&self, input: InputId) -> Option<&Array> {
        self.values.get(input.0 as usize)?.as_deref()
    }

    /// Works out what depends on data alone and is read beside other things on the way to `roots`. It is not worked out again in this
    /// graph, whatever else is bound. Repetitions are left out, since they may be large.
    ///
    /// Errors: as [`evaluate`]; then nothing is kept.
    pub fn keep_data(&mut self, graph: &Graph, roots: &[NodeId]) -> Result<(), EvalError> {
        let is_data = |id: NodeId| graph.node(id).stage == Role::Data;
        let order = graph.reachable(roots);
        let varying = order.iter().filter(|&&id| !is_data(id));
        let mut edge: Vec<NodeId> = varying.flat_map(|&id| graph.node(id).inputs.iter().copied()).collect();
        for id in &mut edge {
            while graph.is(*id, &ops::BROADCAST) {
                *id = graph.node(*id).inputs[0];
            }
        }
        edge.retain(|&id| is_data(id) && !graph.node(id).inputs.is_empty());
        edge.sort_unstable();
        edge.dedup();
        let values = evaluate(graph, &edge, self)?;
        self.nodes.extend(edge.into_iter().zip(values.into_iter().map(Arc::new)));
        Ok(())
    }
}

/// Why a graph cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvalError {
    /// An input that is needed has no value; its name.
    Missing(String),
    /// The value bound to an input has other sizes than the input; its name.
    Shape(String),
    /// A value of this type does not fit into memory.
    Memory(String),
    /// Whoever asked wanted no more of it.
    Stopped,
}

impl std::fmt::Display for EvalError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EvalError::Missing(name) => write!(f, "`{name}` has no value"),
            EvalError::Shape(name) => write!(f, "the value of `{name}` has the wrong sizes"),
            EvalError::Memory(ty) => write!(f, "a {ty} does not fit into memory"),
            EvalError::Stopped => f.write_str("interrupted"),
        }
    }
}

impl std::error::Error for EvalError {}

/// The values of `roots`. Each node that they depend on is computed once.
pub fn evaluate(graph: &Graph, roots: &[NodeId], bindings: &Bindings) -> Result<Vec<Array>, EvalError> {
    let order = needed(graph, roots, bindings);
    let mut uses = vec![0u32; graph.len()];
    let computed = order.iter().filter(|id| !bindings.nodes.contains_key(id));
    for &id in roots.iter().chain(computed.flat_map(|&id| &graph.node(id).inputs)) {
        uses[id.0 as usize] += 1;
    }
    let mut values: Vec<Option<Cow<Array>>> = vec![None; graph.len()];
    for &id in &order {
        if let Some(known) = bindings.nodes.get(&id) {
            values[id.0 as usize] = Some(Cow::Borrowed(known));
            continue;
        }
        if bindings.stop.is_some_and(|stop| stop()) {
            return Err(EvalError::Stopped);
        }
        values[id.0 as usize] = Some(node_value(graph, id, bindings, &values)?);
        // Values are dropped after their last use, so that memory stays bounded by what is live.
        for &input in &graph.node(id).inputs {
            uses[input.0 as usize] -= 1;
            if uses[input.0 as usize] == 0 {
                values[input.0 as usize] = None;
            }
        }
    }
    Ok(roots.iter().map(|&root| value_of(&values, root).clone()).collect())
}

/// What `roots` depend on, operands first; nothing below a node whose value is known.
fn needed(graph: &Graph, roots: &[NodeId], bindings: &Bindings) -> Vec<NodeId> {
    let mut order = graph.reachable(roots);
    if bindings.nodes.is_empty() {
        return order;
    }
    let mut wanted = vec![false; graph.len()];
    roots.iter().for_each(|root| wanted[root.0 as usize] = true);
    for &id in order.iter().rev() {
        if wanted[id.0 as usize] && !bindings.nodes.contains_key(&id) {
            graph.node(id).inputs.iter().for_each(|input| wanted[input.0 as usize] = true);
        }
    }
    order.retain(|id| wanted[id.0 as usize]);
    order
}

/// Where the first root that has a NaN or an infinity got it from: the node, found by going down the operands, whose own
/// operands are finite. An input counts when its own value does, a constant never, and neither does a branch not taken.
pub fn first_non_finite(
    graph: &Graph,
    roots: &[NodeId],
    bindings: &Bindings,
) -> Result<Option<NodeId>, EvalError> {
    let mut values: Vec<Option<Cow<Array>>> = vec![None; graph.len()];
    for id in graph.reachable(roots) {
        values[id.0 as usize] = Some(node_value(graph, id, bindings, &values)?);
    }
    let bad = |id: NodeId| value_of(&values, id).iter().any(|x| !x.is_finite());
    let Some(mut id) = roots.iter().copied().find(|&root| bad(root)) else { return Ok(None) };
    loop {
        let inputs = &graph.node(id).inputs;
        let mut causes = inputs.iter().enumerate().filter(|&(k, &input)| {
            bad(input)
                && graph.fill_value(input).is_none()
                && !(graph.is(id, &ops::SELECT) && untaken(&values, inputs, k))
        });
        match causes.next() {
            Some((_, &cause)) => id = cause,
            None => return Ok(Some(id)),
        }
    }
}

/// Whether all non-finite elements of operand `k` of a choice are where the other branch was taken.
fn untaken(values: &[Option<Cow<Array>>], inputs: &[NodeId], k: usize) -> bool {
    let condition = value_of(values, inputs[0]);
    let branch = value_of(values, inputs[k]);
    condition.iter().zip(branch).all(|(c, x)| x.is_finite() || (*c != 0.0) != (k == 1))
}

fn value_of<'v>(values: &'v [Option<Cow<Array>>], id: NodeId) -> &'v Array {
    values[id.0 as usize]
        .as_deref()
        .unwrap_or_else(|| bug!("node %{} was not evaluated before its use", id.0))
}

/// Whether this many `f64` can be had: asked before a large array is made, since failing to make it ends the program.
pub fn fits_memory(len: usize) -> bool {
    const LARGE: usize = 1 << 24;
    len < LARGE || Vec::<f64>::new().try_reserve_exact(len).is_ok()
}

fn node_value<'b>(
    graph: &Graph,
    id: NodeId,
    bindings: &'b Bindings,
    values: &[Option<Cow<'b, Array>>],
) -> Result<Cow<'b, Array>, EvalError> {
    let node = graph.node(id);
    if let Attrs::Input(input) = node.attrs {
        let name = || graph.input_info(input).name.clone();
        let value = bindings.get(input).ok_or_else(|| EvalError::Missing(name()))?;
        if value.shape() != node.ty.shape.as_slice() {
            return Err(EvalError::Shape(name()));
        }
        return Ok(Cow::Borrowed(value));
    }
    if !fits_memory(node.ty.len()) {
        return Err(EvalError::Memory(node.ty.to_string()));
    }
    let operands: Vec<&Array> = node.inputs.iter().map(|&i| value_of(values, i)).collect();
    let value = (node.op.0.value)(&node.attrs, &operands, &node.ty);
    if value.shape() != node.ty.shape.as_slice() {
        bug!("`{}` computed {:?} where {} was expected", node.op.0.name, value.shape(), node.ty);
    }
    Ok(Cow::Owned(value))
}
