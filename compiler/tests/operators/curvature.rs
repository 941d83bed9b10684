//! The curvature of every operator at the record's own sample points: what it says of ranges, forms and slopes must hold at
//! points drawn from boxes around them, with all operands varying or only one of them.

use blo_compiler::ir::eval::{Array, Bindings, evaluate};
use blo_compiler::ir::graph::{Attrs, Graph, InputId, NodeId, Role};
use blo_compiler::ops::curvature::range::Range;
use blo_compiler::ops::curvature::{Bend, Fact, Facts, Slope, Smoothness, shapes};
use blo_compiler::ops::{self, Curvature, Operator, Sample};
use blo_compiler::types::Elem;
use ndarray::Zip;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// Boxes around a sample, narrow, wide, and reaching to either side of 0.
const REACHES: [(f64, f64); 4] = [(0.05, 0.05), (1.0, 1.0), (0.0, 3.0), (6.0, 0.0)];

struct Case {
    graph: Graph,
    result: NodeId,
    operands: Vec<(NodeId, InputId, Array)>,
    /// Ends of the operands' boxes.
    ends: Vec<(Array, Array)>,
    varying: Vec<bool>,
    what: String,
}

impl Case {
    fn new(op: &'static Operator, sample: &Sample, reach: (f64, f64), alone: Option<usize>) -> Case {
        let mut graph = Graph::new();
        let inputs = sample.inputs.iter().enumerate();
        let operands: Vec<(NodeId, InputId, Array)> = inputs
            .map(|(k, (ty, value))| {
                let (input, node) = graph.add_input(format!("x{k}"), Role::Lower, ty.clone());
                (node, input, value.clone())
            })
            .collect();
        let nodes: Vec<NodeId> = operands.iter().map(|o| o.0).collect();
        let result = graph.apply(op, sample.attrs.clone(), &nodes);
        // Packed factors hold positions and cannot be moved.
        let packed = |k: usize| std::ptr::eq(op, &ops::LU_SOLVE) && k == 0;
        let real = |k: usize| sample.inputs[k].0.elem == Elem::Real && !packed(k);
        let varying: Vec<bool> =
            (0..nodes.len()).map(|k| real(k) && alone.is_none_or(|only| only == k)).collect();
        let ends = operands
            .iter()
            .enumerate()
            .map(|(k, (_, _, value))| match real(k) {
                true => (value - reach.0, value + reach.1),
                false => (value.clone(), value.clone()),
            })
            .collect();
        let what = format!("{} {:?}, reach {reach:?}, alone {alone:?}", op.name, sample.attrs);
        Case { graph, result, operands, ends, varying, what }
    }

    fn fact(&self, curvature: &Curvature) -> Fact {
        let mut facts = Facts::default();
        for (k, (node, _, _)) in self.operands.iter().enumerate() {
            let range = Range::between(self.ends[k].0.clone(), self.ends[k].1.clone());
            let fact = if self.varying[k] { Fact::variable(range) } else { Fact::constant(range) };
            facts.set(*node, fact);
        }
        curvature.fact(&self.graph, &facts, self.result)
    }

    fn point(&self, random: &mut Pcg64) -> Vec<Array> {
        let between = |(lo, hi): &(Array, Array)| {
            Zip::from(lo).and(hi).map_collect(|&lo, &hi| lo + random.random_range(0.0..=1.0) * (hi - lo))
        };
        self.ends.iter().map(between).collect()
    }

    fn value(&self, point: &[Array]) -> Array {
        let mut bindings = Bindings::new();
        for ((_, input, _), value) in self.operands.iter().zip(point) {
            bindings.set(*input, value.clone());
        }
        evaluate(&self.graph, &[self.result], &bindings).unwrap().remove(0)
    }

    /// Two points that differ where operands vary, and the one in the middle.
    fn segment(&self, random: &mut Pcg64) -> [Vec<Array>; 3] {
        let (from, mut to) = (self.point(random), self.point(random));
        for (k, varies) in self.varying.iter().enumerate() {
            if !varies {
                to[k] = from[k].clone();
            }
        }
        let middle = from.iter().zip(&to).map(|(a, b)| (a + b) / 2.0).collect();
        [from, middle, to]
    }

    fn holds(&self, fact: &Fact, random: &mut Pcg64) {
        let [from, middle, to] = self.segment(random);
        let (a, m, b) = (self.value(&from), self.value(&middle), self.value(&to));
        let (lo, hi) = fact.range.ends(m.shape());
        for (i, (((&a, &m), &b), (&lo, &hi))) in a.iter().zip(&m).zip(&b).zip(lo.iter().zip(&hi)).enumerate()
        {
            let what = format!("{}, element {i}: {a}, {m}, {b}", self.what);
            assert!(m.is_nan() || (lo <= m && m <= hi), "{what} is not in [{lo}, {hi}]");
            if !(a.is_finite() && m.is_finite() && b.is_finite()) {
                continue;
            }
            let slack = 1e-9 * (1.0 + a.abs() + m.abs() + b.abs());
            let chord = a / 2.0 + b / 2.0;
            assert!(!fact.bend.is_convex() || m <= chord + slack, "{what} is not convex");
            assert!(!fact.bend.is_concave() || m >= chord - slack, "{what} is not concave");
            assert!(fact.bend != Bend::Constant || a == b, "{what} is not constant");
            assert!(fact.degree != Some(1) || (m - chord).abs() <= slack, "{what} is not affine");
            assert!(fact.degree != Some(0) || a == b, "{what} is not constant by degree");
            if a > 0.0 && b > 0.0 && m > 0.0 {
                let (lm, lc) = (m.ln(), a.ln() / 2.0 + b.ln() / 2.0);
                let slack = 1e-9 * (1.0 + lm.abs() + lc.abs());
                let convex = fact.log != Bend::Unknown && fact.log != Bend::Concave;
                assert!(!convex || lm <= lc + slack, "{what}: its logarithm is not convex");
                assert!(!fact.log.is_concave() || lm >= lc - slack, "{what}: its logarithm is not concave");
            }
        }
        self.slope_holds(fact, &from, &to);
    }

    /// Raises every varying operand and compares.
    fn slope_holds(&self, fact: &Fact, from: &[Array], to: &[Array]) {
        let above: Vec<Array> =
            from.iter().zip(to).map(|(a, b)| Zip::from(a).and(b).map_collect(|&a, &b| a.max(b))).collect();
        let (a, b) = (self.value(from), self.value(&above));
        for (&a, &b) in a.iter().zip(&b).filter(|(a, b)| a.is_finite() && b.is_finite()) {
            let slack = 1e-12 * (1.0 + a.abs() + b.abs());
            let what = format!("{}: {a}, {b}", self.what);
            assert!(fact.slope != Slope::Up || b >= a - slack, "{what} falls");
            assert!(fact.slope != Slope::Down || b <= a + slack, "{what} rises");
            assert!(fact.slope != Slope::Flat || b == a, "{what} moves");
        }
    }
}

/// Tests what a curvature says of an operator; returns the number of claims about forms.
fn claims(op: &'static Operator, curvature: &Curvature) -> usize {
    let mut random = Pcg64::seed_from_u64(17);
    let mut claims = 0;
    for sample in (op.samples)() {
        let alone = std::iter::once(None).chain((0..sample.inputs.len()).map(Some));
        for (reach, alone) in REACHES.iter().flat_map(|r| alone.clone().map(move |a| (*r, a))) {
            let case = Case::new(op, &sample, reach, alone);
            if !case.varying.contains(&true) {
                continue;
            }
            let fact = case.fact(curvature);
            claims += usize::from(fact.bend != Bend::Unknown);
            assert_eq!(fact.bend == Bend::Unknown, fact.fault.is_some(), "{}", case.what);
            for _ in 0..20 {
                case.holds(&fact, &mut random);
            }
        }
    }
    claims
}

#[test]
fn claims_of_every_operator_hold_around_its_samples() {
    let ops = ops::all().iter().filter(|op| !matches!(op.curvature, Curvature::Leaf));
    let total: usize = ops.map(|op| claims(op, &op.curvature)).sum();
    assert!(total > 1000, "only {total} claims were tested");
}

/// The test above sees a rule with a wrong sign, slope, range or number of terms.
#[test]
fn wrong_rules_are_found() {
    let wrong: [(&'static Operator, Curvature); 10] = [
        (&ops::EXPM1, Curvature::Scalar(|x| shapes::rising(x, libm::expm1, Bend::Concave))),
        (&ops::TANH, Curvature::Scalar(|x| shapes::rising(x, libm::tanh, shapes::turning(x, Bend::Concave)))),
        (&ops::SOFTPLUS, Curvature::Scalar(|x| shapes::falling(x, libm::exp, Bend::Convex))),
        (&ops::ABS, Curvature::Scalar(|x| shapes::rising(x, f64::abs, Bend::Convex))),
        (&ops::SUB, ops::ADD.curvature),
        (&ops::NEG, Curvature::Sum(|_, _| (1, 1))),
        (&ops::MAX, Curvature::Extreme(Bend::Concave)),
        (&ops::MIN_OVER, Curvature::Extreme(Bend::Convex)),
        (&ops::DIV, ops::MUL.curvature),
        (&ops::SIGN, Curvature::Scalar(shapes::absolute)),
    ];
    for (op, curvature) in wrong {
        let found = std::panic::catch_unwind(|| claims(op, &curvature));
        assert!(found.is_err(), "a wrong rule of `{}` was not found", op.name);
    }
}

#[test]
fn one_node_twice_is_a_square() {
    let mut graph = Graph::new();
    let (_, y) = graph.add_input("y", Role::Lower, blo_compiler::types::Type::new(Elem::Real, [3]));
    let square = graph.mul(y, y);
    let sum = graph.contract(y, y, &[], &[(0, 0)]);
    let mut facts = Facts::default();
    facts.set(y, Fact::variable(Range::all()));
    for id in [square, sum] {
        assert!(!matches!(graph.node(id).attrs, Attrs::Input(_)));
        let fact = graph.node(id).op.0.curvature.fact(&graph, &facts, id);
        assert_eq!((fact.bend, fact.degree, fact.squares), (Bend::Convex, Some(2), true));
        assert!(fact.range.hull().is_nonnegative() && fact.smooth == Smoothness::Smooth);
    }
}
