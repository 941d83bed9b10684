//! Entries compiled whole against the same entries step by step: bit for bit where the order of operations is the same, stages, and
//! gradients without their value.

use blo_compiler::codegen::{Choice, jit_choosing};
use blo_compiler::entry::Entry;
use blo_compiler::ir::graph::{NodeId, Role};
use blo_compiler::model::Precision;
use blo_compiler::ops;
use blo_compiler::passes::differentiate::gradient;
use blo_runtime::derivatives::{Derivatives, Quantity};
use blo_runtime::program::Program;

use crate::case::{Case, close};

/// `f = Σ sin(x + y) + Σ tail(y)` with its gradients, and a product with the Hessian of the first sum.
fn toy(case: &mut Case, n: usize, tail: Option<&'static ops::Operator>) -> Vec<Entry> {
    let (x, y) = (case.real(Role::Upper, &[]), case.real(Role::Lower, &[n]));
    let v = case.real(Role::LowerDirection, &[n]);
    let g = &mut case.g;
    let wide = g.broadcast(x, &[n], &[]);
    let angle = g.add(wide, y);
    let waves = g.unary(&ops::SIN, angle);
    let mut f = g.sum(waves, &[0]);
    if let Some(op) = tail {
        let more = g.unary(op, y);
        let more = g.sum(more, &[0]);
        f = g.add(f, more);
    }
    let gradients = gradient(g, f, &[x, y]).expect("differentiable");
    let waves = g.mul(waves, v);
    let hv = g.unary(&ops::NEG, waves);
    let entry = |quantity, outputs: &[NodeId]| Entry {
        quantity,
        outputs: outputs.iter().map(|&node| vec![node]).collect(),
    };
    vec![
        entry(Quantity::LowerGradient, &[f, gradients[1]]),
        entry(Quantity::LowerGradients, &[f, gradients[0], gradients[1]]),
        entry(Quantity::LowerHessian, &[hv]),
    ]
}

struct Pair {
    whole: Program,
    steps: Program,
    x: Vec<f64>,
    y: Vec<f64>,
}

fn pair(n: usize, tail: Option<&'static ops::Operator>) -> Pair {
    let mut case = Case::new(n as u64);
    let entries = toy(&mut case, n, tail);
    let loops = case.lower_entries(&entries, Precision::F64);
    let layout = case.layout();
    let program = |choice| jit_choosing(&loops, &case.values, choice).expect("compiled");
    Pair {
        whole: program(Choice::All),
        steps: program(Choice::None),
        x: case.flat(&layout.upper),
        y: case.flat(&layout.lower),
    }
}

#[test]
fn whole_entries_give_what_the_steps_give() {
    for n in [1, 2, 3, 7, 10, 100, 300] {
        let Pair { mut whole, mut steps, x, y } = pair(n, None);
        let mut results = [vec![0.0; 2 * n + 3], vec![0.0; 2 * n + 3]];
        for (program, out) in [&mut whole, &mut steps].into_iter().zip(&mut results) {
            let (first, rest) = out.split_at_mut(n + 1);
            first[n] = program.lower_gradient(&x, &y, &mut first[..n]);
            let (gx, rest) = rest.split_at_mut(1);
            let (gy, value) = rest.split_at_mut(n);
            value[0] = program.lower_gradients(&x, &y, gx, gy);
        }
        // What is summed over the points may be summed in another order when they are written out one by one.
        if n > 2 {
            assert_eq!(results[0], results[1], "n = {n}");
        }
        close(&results[0], &results[1], 1e-14);
    }
}

#[test]
fn a_gradient_may_come_without_its_value() {
    let Pair { mut whole, mut steps, x, y } = pair(10, None);
    let (mut with, mut without) = (vec![0.0; 10], vec![0.0; 10]);
    let value = whole.lower_gradient(&x, &y, &mut with);
    assert_ne!(value, 0.0);
    assert_eq!(whole.lower_gradient_only(&x, &y, &mut without), 0.0, "sin is finite wherever cos is");
    assert_eq!(with, without);
    let (mut gx, mut gy) = ([0.0], vec![0.0; 10]);
    assert_eq!(whole.lower_gradients_only(&x, &y, &mut gx, &mut gy), 0.0);
    assert_eq!(gy, with);
    assert_eq!(
        steps.lower_gradient_only(&x, &y, &mut without),
        value,
        "step by step the value is there anyway"
    );
    assert_eq!(whole.calls()[0], (Quantity::LowerGradient, 2));
}

/// The logarithm of a negative number is no number, while its derivative is: then the value must be computed.
#[test]
fn a_value_that_can_fail_alone_is_not_left_out() {
    let Pair { mut whole, x, .. } = pair(4, Some(&ops::LOG));
    let mut gy = [0.0; 4];
    assert!(whole.lower_gradient_only(&x, &[-1.0; 4], &mut gy).is_nan());
    assert!(gy.iter().all(|g| g.is_finite()));
}

#[test]
fn stages_of_whole_entries_run_again_only_when_their_inputs_changed() {
    let n = 100;
    let Pair { mut whole, mut steps, x, mut y } = pair(n, None);
    let v: Vec<f64> = (0..n).map(|k| k as f64 - 3.0).collect();
    let mut expected = [0; 3];
    for changes in [true, false, false, true, false] {
        y[5] += f64::from(u8::from(changes));
        expected[1] += u64::from(changes);
        expected[2] += 1;
        let (mut a, mut b, mut between) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        // An entry without stages does not disturb the count.
        whole.lower_gradient(&x, &[0.5; 100], &mut between);
        whole.lower_hessian(&x, &y, &v, &mut a);
        steps.lower_hessian(&x, &y, &v, &mut b);
        assert_eq!(a, b);
        let runs = whole.stage_runs(Quantity::LowerHessian).unwrap();
        assert_eq!(runs[1..], expected[1..]);
    }
}

/// Small matrix products are loops of the function.
#[test]
fn small_products_are_part_of_the_function() {
    for (rows, cols) in [(1, 1), (3, 2), (5, 7), (8, 8)] {
        let mut case = Case::new(rows as u64);
        let (a, y) = (case.real(Role::Data, &[rows, cols]), case.real(Role::Lower, &[cols]));
        let b = case.real(Role::Upper, &[cols, 3]);
        let g = &mut case.g;
        let ay = g.contract(a, y, &[], &[(1, 0)]);
        let ab = g.contract(a, b, &[], &[(1, 0)]);
        let ba = g.contract(b, a, &[], &[(0, 1)]);
        case.check(&format!("{rows} × {cols}"), &[ay, ab, ba]);
    }
}
