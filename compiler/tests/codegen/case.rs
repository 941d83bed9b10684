//! A graph with bound inputs, and the comparison of its machine code with the reference evaluator.

#![allow(clippy::unwrap_used, reason = "a value that is not there is a failed test")]

use blo_compiler::codegen::{Choice, clif_text, jit, jit_choosing};
use blo_compiler::entry::{Entry, Layout};
use blo_compiler::ir::eval::{Array, Bindings, evaluate};
use blo_compiler::ir::graph::{Graph, InputId, NodeId, Role};
use blo_compiler::ir::loops::Loops;
use blo_compiler::lower::{Tiling, lower_with};
use blo_compiler::model::Precision;
use blo_compiler::types::{Elem, Type};
use blo_runtime::derivatives::{Derivatives, Quantity};
use blo_runtime::program::Program;
use ndarray::{ArrayD, IxDyn};

/// A small generator of repeatable numbers.
pub struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 >> 33
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.next() as usize % n
    }

    fn array(&mut self, shape: &[usize]) -> Array {
        let len = shape.iter().product();
        let values = (0..len).map(|_| self.next() as f64 / (1u64 << 30) as f64 - 1.0).collect();
        ArrayD::from_shape_vec(IxDyn(shape), values).unwrap()
    }
}

/// Tiles of a few rows wherever any steps can run tile by tile, however small they are.
pub const FORCED: Tiling = Tiling { worth: 1, cache: 512, samples: 2 };

/// A graph with bound inputs.
pub struct Case {
    pub g: Graph,
    pub values: Bindings,
    pub rng: Rng,
    pub tiling: Tiling,
}

impl Case {
    pub fn new(seed: u64) -> Self {
        Case { g: Graph::new(), values: Bindings::new(), rng: Rng(seed), tiling: Tiling::default() }
    }

    pub fn input(&mut self, role: Role, ty: Type, value: Array) -> NodeId {
        let name = format!("v{}", self.g.inputs().len());
        let (id, node) = self.g.add_input(name, role, ty);
        self.values.set(id, value);
        node
    }

    /// A random real input in -1..1.
    pub fn real(&mut self, role: Role, shape: &[usize]) -> NodeId {
        let value = self.rng.array(shape);
        self.input(role, Type::new(Elem::Real, shape.iter().copied()), value)
    }

    /// A random int input in `0..below`.
    pub fn int(&mut self, shape: &[usize], below: usize) -> NodeId {
        let top = below as f64 - 1.0;
        let value = self.rng.array(shape).mapv(|x| ((x + 1.0) / 2.0 * below as f64).floor().clamp(0.0, top));
        self.input(Role::Data, Type::new(Elem::Int, shape.iter().copied()), value)
    }

    pub fn layout(&self) -> Layout {
        let of = |role| {
            let inputs = self.g.inputs().iter().enumerate();
            inputs.filter(|(_, i)| i.role == role).map(|(k, _)| InputId(k as u32)).collect()
        };
        Layout {
            upper: of(Role::Upper),
            lower: of(Role::Lower),
            upper_direction: of(Role::UpperDirection),
            lower_direction: of(Role::LowerDirection),
            proximal: None,
            batches: Vec::new(),
        }
    }

    /// The loops of an entry that reports all elements of the roots.
    pub fn lower(&mut self, roots: &[NodeId], precision: Precision) -> Loops {
        let outputs: Vec<NodeId> = roots.iter().map(|&r| self.g.cast(r, Elem::Real)).collect();
        self.lower_entries(&[Entry { quantity: Quantity::Reports, outputs: vec![outputs] }], precision)
    }

    pub fn lower_entries(&mut self, entries: &[Entry], precision: Precision) -> Loops {
        let layout = self.layout();
        let loops = lower_with(&mut self.g, &layout, entries, precision, &self.tiling);
        assert_eq!(loops.verify(), Ok(()), "{loops}");
        loops
    }

    pub fn compile(&mut self, entries: &[Entry], precision: Precision) -> Program {
        let loops = self.lower_entries(entries, precision);
        jit(&loops, &self.values).unwrap_or_else(|e| panic!("{e}\n{loops}"))
    }

    /// The values of inputs, one after another.
    pub fn flat(&self, inputs: &[InputId]) -> Vec<f64> {
        inputs.iter().flat_map(|&i| self.values.get(i).unwrap().iter().copied().collect::<Vec<_>>()).collect()
    }

    /// Compares both precisions, with and without tiles, with the reference.
    pub fn check(&mut self, name: &str, roots: &[NodeId]) {
        self.check_within(name, roots, 1e-12, 1e-4);
    }

    /// The tolerances are relative to the largest value of each root.
    pub fn check_within(&mut self, name: &str, roots: &[NodeId], double: f64, single: f64) {
        let expected = evaluate(&self.g, roots, &self.values).unwrap();
        // In double precision step by step and, where it can be, compiled whole; the latter does not exist in single precision.
        // And with tiles wherever there can be any.
        let kinds = [
            (Precision::F64, double, Choice::None, Tiling::default()),
            (Precision::F64, double, Choice::All, Tiling::default()),
            (Precision::F32, single, Choice::Small, Tiling::default()),
            (Precision::F64, double, Choice::None, FORCED),
            (Precision::F32, single, Choice::None, FORCED),
        ];
        for (precision, tolerance, choice, tiling) in kinds {
            self.tiling = tiling;
            let loops = self.lower(roots, precision);
            let mut program =
                jit_choosing(&loops, &self.values, choice).unwrap_or_else(|e| panic!("{name}: {e}\n{loops}"));
            let layout = self.layout();
            let (x, y) = (self.flat(&layout.upper), self.flat(&layout.lower));
            let mut out = vec![0.123; expected.iter().map(Array::len).sum()];
            for _ in 0..2 {
                program.reports(&x, &y, &mut out);
            }
            let mut rest = out.as_slice();
            for (root, want) in expected.iter().enumerate() {
                let (got, tail) = rest.split_at(want.len());
                rest = tail;
                let scale = want.iter().filter(|e| e.is_finite()).fold(1.0f64, |s, e| s.max(e.abs()));
                for (k, (&got, &want)) in got.iter().zip(want).enumerate() {
                    let same = got == want
                        || (got.is_nan() && want.is_nan())
                        || (got - want).abs() <= tolerance * scale;
                    assert!(
                        same,
                        "{name} {precision:?} {choice:?}: element {k} of root {root} is {got}, not {want}\n{loops}\n{}",
                        clif_text(&loops)
                    );
                }
            }
        }
    }
}

/// Compares relative to each value.
pub fn close(got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    for (k, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= tolerance * (1.0 + w.abs()), "element {k} is {g}, not {w}");
    }
}
