//! The evaluator, the printer and the verifier.

use blo_compiler::ir::eval::{Array, Bindings, EvalError, evaluate, first_non_finite};
use blo_compiler::ir::graph::{Graph, NodeId, Role};
use blo_compiler::ir::print::print;
use blo_compiler::ir::verify::verify;
use blo_compiler::ops;
use blo_compiler::types::{Elem, Type};
use ndarray::{IxDyn, array};

use crate::support::Bound;

fn ints(b: &mut Bound, values: &[f64]) -> NodeId {
    b.input(
        &Type::new(Elem::Int, [values.len()]),
        Array::from_shape_vec(IxDyn(&[values.len()]), values.to_vec()).unwrap(),
    )
}

fn reals(b: &mut Bound, values: &[f64]) -> NodeId {
    b.input(
        &Type::new(Elem::Real, [values.len()]),
        Array::from_shape_vec(IxDyn(&[values.len()]), values.to_vec()).unwrap(),
    )
}

#[test]
fn missing_and_misshapen_inputs_are_named() {
    let mut g = Graph::new();
    let (id, x) = g.add_input("weights", Role::Data, Type::new(Elem::Real, [2]));
    let mut bindings = Bindings::new();
    assert_eq!(evaluate(&g, &[x], &bindings), Err(EvalError::Missing("weights".to_string())));
    bindings.set(id, array![1.0].into_dyn());
    let error = evaluate(&g, &[x], &bindings).unwrap_err();
    assert_eq!(error.to_string(), "the value of `weights` has the wrong sizes");
}

#[test]
fn an_evaluation_ends_when_it_is_told_to() {
    let mut g = Graph::new();
    let (id, x) = g.add_input("x", Role::Data, Type::new(Elem::Real, [2]));
    let y = g.add(x, x);
    let mut bindings = Bindings::new();
    bindings.set(id, array![1.0, 2.0].into_dyn());
    let going = bindings.clone().stopping(|| false);
    assert_eq!(evaluate(&g, &[y], &going), Ok(vec![array![2.0, 4.0].into_dyn()]));
    assert_eq!(evaluate(&g, &[y], &bindings.stopping(|| true)), Err(EvalError::Stopped));
}

#[test]
fn roots_may_repeat_and_feed_each_other() {
    let mut b = Bound::new(1);
    let x = reals(&mut b, &[1.0, 2.0]);
    let y = b.graph.add(x, x);
    assert_eq!(b.values(&[y, x, y])[2], array![2.0, 4.0].into_dyn());
}

#[test]
fn the_first_bad_node_is_found() {
    let mut b = Bound::new(2);
    let x = reals(&mut b, &[1.0, 0.0]);
    let infinite = b.graph.fill(f64::INFINITY, &[2]);
    let capped = b.graph.min(x, infinite);
    assert_eq!(first_non_finite(&b.graph, &[capped], &b.bindings), Ok(None));
    let log = b.graph.unary(&ops::LOG, x);
    let exp = b.graph.unary(&ops::EXP, log);
    let worse = b.graph.add(log, capped);
    assert_eq!(first_non_finite(&b.graph, &[exp, worse], &b.bindings), Ok(Some(log)));
    let zero = b.graph.fill(0.0, &[2]);
    let positive = b.graph.binary(&ops::LT, zero, x);
    let guarded = b.graph.select(positive, log, x);
    assert_eq!(first_non_finite(&b.graph, &[guarded], &b.bindings), Ok(None));
    let root = b.graph.unary(&ops::SQRT, x);
    let quotient = b.graph.div(guarded, root);
    assert_eq!(first_non_finite(&b.graph, &[quotient], &b.bindings), Ok(Some(quotient)));
    let y = reals(&mut b, &[1.0, f64::NAN]);
    assert_eq!(first_non_finite(&b.graph, &[y], &b.bindings), Ok(Some(y)));
}

#[test]
fn positions_outside_are_harmless() {
    let mut b = Bound::new(3);
    let x = reals(&mut b, &[1.0, 2.0, 3.0]);
    let index = ints(&mut b, &[2.0, -1.0, 3.0, 0.0]);
    let read = b.graph.gather(x, index, 0);
    let value = b.value(read);
    assert_eq!((value[0], value[3]), (3.0, 1.0));
    assert!(value[1].is_nan() && value[2].is_nan());
    let ones = b.graph.fill(1.0, &[4]);
    let added = b.graph.scatter_add(ones, index, 0, 3);
    assert_eq!(b.value(added), array![1.0, 0.0, 1.0].into_dyn());
}

#[test]
fn nan_and_empty_reductions() {
    let mut b = Bound::new(4);
    let x = reals(&mut b, &[1.0, f64::NAN, 3.0, 3.0]);
    let (largest, position) = (b.graph.max_over(x, &[0]), b.graph.argmax(x, 0));
    assert!(b.value(largest)[IxDyn(&[])].is_nan());
    assert_eq!(b.value(position)[IxDyn(&[])], 2.0);
    let empty = reals(&mut b, &[]);
    let roots = [b.graph.sum(empty, &[0]), b.graph.prod(empty, &[0]), b.graph.logsumexp(empty, 0)];
    let values: Vec<f64> = b.values(&roots).iter().map(|v| v[IxDyn(&[])]).collect();
    assert_eq!(values, [0.0, 1.0, f64::NEG_INFINITY]);
}

#[test]
fn whole_number_division_rounds_down() {
    let mut b = Bound::new(5);
    let (x, y) = (ints(&mut b, &[7.0, -7.0, 7.0, 5.0]), ints(&mut b, &[2.0, 2.0, -2.0, 0.0]));
    let roots = [b.graph.binary(&ops::INT_DIV, x, y), b.graph.binary(&ops::INT_MOD, x, y)];
    let values = b.values(&roots);
    assert_eq!(values[0], array![3.0, -4.0, -4.0, 0.0].into_dyn());
    assert_eq!(values[1], array![1.0, 1.0, -1.0, 0.0].into_dyn());
}

/// Sums of exponentials and softmax far beyond the range of the exponential.
#[test]
fn reference_values_do_not_overflow() {
    let mut b = Bound::new(6);
    let x = reals(&mut b, &[1000.0, 1000.0]);
    let roots = [b.graph.logsumexp(x, 0), b.graph.softmax(x, 0), b.graph.log_softmax(x, 0)];
    let softplus = b.graph.unary(&ops::SOFTPLUS, x);
    assert_eq!(b.value(roots[0])[IxDyn(&[])], 1000.0 + 2f64.ln());
    assert_eq!(b.value(roots[1]), array![0.5, 0.5].into_dyn());
    assert_eq!(b.value(softplus), array![1000.0, 1000.0].into_dyn());
    assert!((b.value(roots[2])[0] + 2f64.ln()).abs() < 1e-12);
}

#[test]
fn trivial_applications_return_their_operand() {
    let mut b = Bound::new(7);
    let x = b.random_input(&[2, 3]);
    let g = &mut b.graph;
    let same = [
        g.broadcast(x, &[2, 3], &[0, 1]),
        g.transpose(x, &[0, 1]),
        g.reshape(x, &[2, 3]),
        g.slice(x, &[0, 0], &[2, 3]),
        g.pad(x, &[0, 0], &[0, 0]),
        g.concat(&[x], 1),
        g.sum(x, &[]),
        g.cast(x, Elem::Real),
    ];
    assert!(same.iter().all(|&node| node == x));
}

#[test]
fn graphs_print_one_line_per_node() {
    let mut g = Graph::new();
    let (_, x) = g.add_input("X", Role::Data, Type::new(Elem::Real, [100, 784]));
    let (_, w) = g.add_input("W", Role::Lower, Type::new(Elem::Real, [784, 10]));
    let unused = g.constant(7.0);
    let scores = g.contract(x, w, &[], &[(1, 0)]);
    let class = g.argmax(scores, 1);
    let part = g.slice(class, &[10], &[20]);
    let text = "%0 = input X : real[100, 784]  # data\n\
                %1 = input W : real[784, 10]  # lower\n\
                %3 = dot(%0, %1) {contract: 1-0} : real[100, 10]  # lower\n\
                %4 = argmax(%3) {axis: 1} : int[100]  # lower\n\
                %5 = slice(%4) {10..20} : int[10]  # lower\n\
                class = %5\n";
    assert_eq!(print(&g, &[("class", part)]), text);
    assert_eq!(print(&g, &[("seven", unused)]), "%2 = constant 7 : real  # data\nseven = %2\n");
    assert_eq!(verify(&g), Ok(()));
}

#[test]
fn the_verifier_looks_at_constants() {
    let mut g = Graph::new();
    g.scalar(0.5, Elem::Int);
    assert_eq!(verify(&g), Err("node %0 = constant: 0.5 does not fit int".to_string()));
}
