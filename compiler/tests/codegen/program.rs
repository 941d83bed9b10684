//! What a compiled program does over many calls: stages, counts, threads, errors, and the printed loops.

use blo_compiler::codegen::{CodegenError, clif_text, jit};
use blo_compiler::entry::Entry;
use blo_compiler::ir::eval::{Bindings, evaluate};
use blo_compiler::ir::graph::{InputId, Role};
use blo_compiler::model::Precision;
use blo_compiler::ops;
use blo_compiler::types::Elem;
use blo_runtime::derivatives::{Derivatives, Quantity};
use ndarray::{ArrayD, IxDyn};

use crate::case::{Case, close};

/// Softmax regression with weighted samples: the loss, its gradient, and a product with its Hessian, written by hand.
pub fn regression(case: &mut Case, n: usize, d: usize, k: usize) -> Vec<Entry> {
    let (x, labels) = (case.real(Role::Data, &[n, d]), case.int(&[n], k));
    let (weight, w) = (case.real(Role::Upper, &[n]), case.real(Role::Lower, &[d, k]));
    let v = case.real(Role::LowerDirection, &[d, k]);
    let g = &mut case.g;
    let s = g.unary(&ops::SIGMOID, weight);
    let z = g.contract(x, w, &[], &[(1, 0)]);
    let logp = g.log_softmax(z, 1);
    let picked = g.gather(logp, labels, 1);
    let terms = g.mul(picked, s);
    let total = g.sum(terms, &[0]);
    let loss = g.scale(total, -1.0 / n as f64);
    let p = g.softmax(z, 1);
    let (rows, classes) = (g.broadcast(labels, &[n, k], &[0]), g.iota(k));
    let columns = g.broadcast(classes, &[n, k], &[1]);
    let hot = g.binary(&ops::EQ, rows, columns);
    let hot = g.cast(hot, Elem::Real);
    let wide = g.broadcast(s, &[n, k], &[0]);
    let r = g.sub(p, hot);
    let r = g.mul(r, wide);
    let gradient = g.contract(x, r, &[], &[(0, 0)]);
    let gradient = g.scale(gradient, 1.0 / n as f64);
    let zv = g.contract(x, v, &[], &[(1, 0)]);
    let pz = g.mul(p, zv);
    let mean = g.sum(pz, &[1]);
    let mean = g.broadcast(mean, &[n, k], &[0]);
    let centred = g.sub(zv, mean);
    let dp = g.mul(p, centred);
    let dr = g.mul(dp, wide);
    let hv = g.contract(x, dr, &[], &[(0, 0)]);
    let hv = g.scale(hv, 1.0 / n as f64);
    vec![
        Entry { quantity: Quantity::LowerGradient, outputs: vec![vec![loss], vec![gradient]] },
        Entry { quantity: Quantity::LowerHessian, outputs: vec![vec![hv]] },
    ]
}

#[test]
fn softmax_regression_with_gradient_and_hessian_product() {
    for (precision, tolerance) in [(Precision::F64, 1e-12), (Precision::F32, 1e-5)] {
        let mut case = Case::new(9);
        let entries = regression(&mut case, 50, 17, 10);
        let mut program = case.compile(&entries, precision);
        let layout = case.layout();
        let (x, y, v) =
            (case.flat(&layout.upper), case.flat(&layout.lower), case.flat(&layout.lower_direction));
        let roots = [entries[0].outputs.concat(), entries[1].outputs.concat()].concat();
        let want = evaluate(&case.g, &roots, &case.values).unwrap();
        let (mut gradient, mut hv) = (vec![0.0; y.len()], vec![0.0; y.len()]);
        let loss = program.lower_gradient(&x, &y, &mut gradient);
        program.lower_hessian(&x, &y, &v, &mut hv);
        close(&[loss], want[0].as_slice().unwrap(), tolerance);
        close(&gradient, want[1].as_slice().unwrap(), tolerance);
        close(&hv, want[2].as_slice().unwrap(), tolerance);
        assert_eq!(program.calls(), [(Quantity::LowerGradient, 1), (Quantity::LowerHessian, 1)]);
        assert_eq!((program.upper_len(), program.lower_len(), program.reports_len()), (50, 170, 0));
    }
}

#[test]
fn a_stage_runs_again_only_when_its_inputs_changed() {
    let mut case = Case::new(4);
    let entries = regression(&mut case, 12, 5, 3);
    let mut program = case.compile(&entries, Precision::F64);
    let layout = case.layout();
    let (mut x, mut y, mut v) =
        (case.flat(&layout.upper), case.flat(&layout.lower), case.flat(&layout.lower_direction));
    let mut reference = |x: &[f64], y: &[f64], v: &[f64]| {
        let values = [(&layout.upper, x), (&layout.lower, y), (&layout.lower_direction, v)];
        for (inputs, flat) in values {
            let shape = case.g.input_info(inputs[0]).ty.shape.clone();
            case.values.set(inputs[0], ArrayD::from_shape_vec(IxDyn(&shape), flat.to_vec()).unwrap());
        }
        let hv = evaluate(&case.g, &entries[1].outputs[0], &case.values).unwrap();
        hv[0].iter().copied().collect::<Vec<f64>>()
    };
    let mut hv = vec![0.0; y.len()];
    let mut expected = [0; 3];
    let changes = [
        (true, true, true),
        (false, false, false),
        (false, false, true),
        (false, true, false),
        (true, false, false),
    ];
    for (x_changes, y_changes, v_changes) in changes {
        x[1] += if x_changes { 0.25 } else { 0.0 };
        y[2] -= if y_changes { 0.5 } else { 0.0 };
        v[0] += if v_changes { 1.0 } else { 0.0 };
        expected[0] += u64::from(x_changes);
        expected[1] += u64::from(x_changes || y_changes);
        expected[2] += 1;
        // The gradient in between shares memory and sees the same point.
        let mut gradient = vec![0.0; y.len()];
        program.lower_gradient(&x, &y, &mut gradient);
        program.lower_hessian(&x, &y, &v, &mut hv);
        assert_eq!(program.stage_runs(Quantity::LowerHessian), Some(expected));
        close(&hv, &reference(&x, &y, &v), 1e-12);
    }
}

#[test]
fn programs_come_and_go() {
    for round in 0..200 {
        let mut case = Case::new(round);
        let x = case.real(Role::Lower, &[10]);
        let e = case.g.unary(&ops::EXP, x);
        let s = case.g.sum(e, &[0]);
        let mut program =
            case.compile(&[Entry { quantity: Quantity::LowerValue, outputs: vec![vec![s]] }], Precision::F64);
        let y = case.flat(&case.layout().lower);
        // The program may move between threads.
        let thread = std::thread::spawn(move || {
            let value = program.lower_value(&[], &y);
            close(&[value], &[y.iter().map(|v| v.exp()).sum()], 1e-13);
        });
        thread.join().unwrap();
    }
}

#[test]
fn missing_data_is_an_error() {
    let mut case = Case::new(1);
    let x = case.real(Role::Data, &[3]);
    let loops = case.lower(&[x], Precision::F64);
    assert_eq!(jit(&loops, &Bindings::new()).err(), Some(CodegenError::MissingData("v0".into())));
    let mut short = Bindings::new();
    short.set(InputId(0), ArrayD::zeros(IxDyn(&[2])));
    assert_eq!(jit(&loops, &short).err(), Some(CodegenError::DataSize("v0".into())));
}

#[test]
fn equal_nests_share_a_function() {
    let mut case = Case::new(1);
    let x = case.real(Role::Lower, &[6]);
    let e = case.g.mul(x, x);
    let s = case.g.sum(e, &[0]);
    let entries = [Quantity::LowerValue, Quantity::UpperValue];
    let entries = entries.map(|quantity| Entry { quantity, outputs: vec![vec![s]] });
    // In double precision entries this small are compiled whole.
    let loops = case.lower_entries(&entries, Precision::F32);
    assert_eq!(loops.steps().count(), 2, "{loops}");
    assert_eq!(clif_text(&loops).matches("function ").count(), 1);
    let mut program = jit(&loops, &case.values).unwrap();
    let y = [1.0, 2.0, 0.0, 0.0, 0.0, -3.0];
    assert_eq!((program.lower_value(&[], &y), program.upper_value(&[], &y)), (14.0, 14.0));
}

#[test]
fn loops_are_printed() {
    let mut case = Case::new(1);
    let (x, y) = (case.real(Role::Upper, &[4]), case.real(Role::Lower, &[3, 4]));
    let wide = case.g.broadcast(x, &[3, 4], &[1]);
    let z = case.g.mul(wide, y);
    let s = case.g.sum(z, &[0, 1]);
    let text = case.lower(&[s], Precision::F64).to_string();
    let expected = "loops f64, 256 bytes
  b0: f64[4] vector @0 ; x
  b1: f64[12] vector @64 ; y
  b2: f64[1] kept @192 ; sum %4
reports
  always:
    reduce [3, 4]
      %0 = b0[i1]
      %1 = b1[4*i0 + i1]
      %2 = mul %0 %1
      b2[0] sum= %2
  return b2[1]
";
    assert_eq!(text, expected);
}
