//! What the tests of graphs share: random arrays, comparison, and a graph with bound inputs.

use blo_compiler::ir::eval::{Array, Bindings, evaluate};
use blo_compiler::ir::graph::{Graph, NodeId, Role};
use blo_compiler::ir::verify::verify;
use blo_compiler::types::{Elem, Type};
use ndarray::{IxDyn, Zip};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// A graph whose inputs have values.
pub struct Bound {
    /// The graph.
    pub graph: Graph,
    /// The values.
    pub bindings: Bindings,
    /// The source of random numbers.
    pub random: Pcg64,
}

impl Bound {
    /// An empty graph; random numbers start from `seed`.
    pub fn new(seed: u64) -> Self {
        Bound { graph: Graph::new(), bindings: Bindings::new(), random: Pcg64::seed_from_u64(seed) }
    }

    /// An input of the given type and value.
    pub fn input(&mut self, ty: &Type, value: Array) -> NodeId {
        let name = format!("x{}", self.graph.inputs().len());
        let (id, node) = self.graph.add_input(name, Role::Lower, ty.clone());
        self.bindings.set(id, value);
        node
    }

    /// A real input with entries in `[-1, 1]`.
    pub fn random_input(&mut self, shape: &[usize]) -> NodeId {
        let value = self.random_array(shape);
        self.input(&Type::new(Elem::Real, shape.iter().copied()), value)
    }

    /// Entries in `[-1, 1]`.
    pub fn random_array(&mut self, shape: &[usize]) -> Array {
        Array::from_shape_simple_fn(IxDyn(shape), || self.random.random_range(-1.0..1.0))
    }

    /// The values of nodes, after checking the graph's invariants.
    pub fn values(&self, roots: &[NodeId]) -> Vec<Array> {
        verify(&self.graph).unwrap();
        evaluate(&self.graph, roots, &self.bindings).unwrap()
    }

    /// The value of one node.
    pub fn value(&self, root: NodeId) -> Array {
        self.values(&[root]).remove(0)
    }
}

/// The largest absolute entry, 0 for an empty array.
pub fn magnitude(x: &Array) -> f64 {
    x.iter().fold(0.0, |m: f64, x| m.max(x.abs()))
}

/// The sum of products of entries.
pub fn inner(a: &Array, b: &Array) -> f64 {
    Zip::from(a).and(b).fold(0.0, |sum, a, b| sum + a * b)
}

/// Fails unless every pair of entries agrees to `relative`, or to `absolute`. Equal infinities and NaNs agree.
pub fn assert_close(a: &Array, b: &Array, relative: f64, absolute: f64, what: &str) {
    assert_eq!(a.shape(), b.shape(), "{what}");
    for (&x, &y) in a.iter().zip(b) {
        let same = x == y || (x.is_nan() && y.is_nan());
        let bound = relative * x.abs().max(y.abs()) + absolute;
        assert!(same || (x - y).abs() <= bound, "{what}: {x} and {y} differ by {}\n{a}\n{b}", (x - y).abs());
    }
}
