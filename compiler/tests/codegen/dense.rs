//! Dense linear algebra: sizes around the blocks of the factorisations, matrices read through views, factors shared between
//! solves, second derivatives, and matrices that cannot be factorised.

use blo_compiler::ir::graph::{NodeId, Role};
use blo_compiler::model::Precision;
use blo_compiler::ops;
use blo_compiler::ops::dense::{identity, product, turn};
use blo_compiler::passes::differentiate::{gradient, jvp};
use blo_compiler::types::{Elem, Type};
use ndarray::{ArrayD, IxDyn};

use crate::case::Case;

/// A well-conditioned matrix: a random one, scaled, plus twice the identity with its rows turned.
fn regular(case: &mut Case, n: usize) -> NodeId {
    let random = case.real(Role::Upper, &[n, n]);
    let shift = ArrayD::from_shape_fn(IxDyn(&[n, n]), |at| if (at[0] + 1) % n == at[1] { 2.0 } else { 0.0 });
    let shift = case.input(Role::Upper, Type::new(Elem::Real, [n, n]), shift);
    let small = case.g.scale(random, 0.5 / (n as f64).sqrt());
    case.g.add(small, shift)
}

fn definite(case: &mut Case, n: usize) -> NodeId {
    let random = case.real(Role::Lower, &[n, n]);
    let square = product(&mut case.g, (random, false), (random, true));
    let square = case.g.scale(square, 1.0 / n as f64);
    let identity = identity(&mut case.g, &[n, n]);
    case.g.add(square, identity)
}

#[test]
fn sizes_around_blocks() {
    for n in (1..=20).chain([31, 32, 33, 63, 64, 65, 100, 130]) {
        for k in [1, 3, 17] {
            let mut case = Case::new((n + 1000 * k) as u64);
            let a = regular(&mut case, n);
            let b = case.real(Role::Lower, &[n, k]);
            let straight = case.g.solve(a, b, false);
            let turned = case.g.solve(a, b, true);
            let inverse = case.g.inv(a);
            let logdet = case.g.unary(&ops::LOGDET, a);
            let d = definite(&mut case, n);
            let factor = case.g.unary(&ops::CHOLESKY, d);
            let lower = case.g.triangular_solve(factor, b, false);
            let upper = case.g.triangular_solve(factor, b, true);
            let roots = [straight, turned, inverse, logdet, factor, lower, upper];
            case.check_within(&format!("n {n} k {k}"), &roots, 1e-11, 1e-3);
        }
    }
}

#[test]
fn matrices_through_views() {
    let mut case = Case::new(5);
    let a = regular(&mut case, 6);
    let b = case.real(Role::Lower, &[3, 6]);
    let (a, b) = (turn(&mut case.g, a), turn(&mut case.g, b));
    let x = case.g.solve(a, b, false);
    // A block of the matrix, a column of the right-hand side, and one matrix for a batch of right-hand sides.
    let d = definite(&mut case, 6);
    let block = case.g.slice(d, &[1, 1], &[5, 5]);
    let column = case.g.slice(b, &[1, 1], &[5, 2]);
    let factor = case.g.unary(&ops::CHOLESKY, block);
    let y = case.g.triangular_solve(factor, column, true);
    let batch = case.g.broadcast(a, &[2, 6, 6], &[1, 2]);
    let sides = case.real(Role::Lower, &[2, 6, 2]);
    let z = case.g.solve(batch, sides, true);
    case.check("views", &[x, factor, y, z]);
}

#[test]
fn solves_and_determinants_share_one_factorisation() {
    let mut case = Case::new(7);
    let a = regular(&mut case, 5);
    let b = case.real(Role::Lower, &[5, 1]);
    let x = case.g.solve(a, b, false);
    let logdet = case.g.unary(&ops::LOGDET, a);
    let sum = case.g.sum_all(x);
    let sum = case.g.add(sum, logdet);
    let first = gradient(&mut case.g, sum, &[a, b]).unwrap();
    let text = case.lower(&[sum, first[0], first[1]], Precision::F64).to_string();
    let count = text.lines().filter(|l| l.trim_start().starts_with("lu batch")).count();
    assert_eq!(count, 1, "{text}");
    assert!(text.contains("lu_solve transposed batch 1 n 5 k 1: "), "{text}");
}

#[test]
fn second_derivatives_of_a_marginal_likelihood() {
    let n = 12;
    let mut case = Case::new(11);
    let d = definite(&mut case, n);
    let y = case.real(Role::Data, &[n, 1]);
    let direction = case.real(Role::Data, &[n, n]);
    let x = case.g.solve(d, y, false);
    let fit = case.g.mul(x, y);
    let fit = case.g.sum_all(fit);
    let factor = case.g.unary(&ops::CHOLESKY, d);
    let logdet = case.g.unary(&ops::LOGDET, d);
    let trace = case.g.sum_all(factor);
    let value = case.g.add(fit, logdet);
    let value = case.g.add(value, trace);
    let first = gradient(&mut case.g, value, &[d]).unwrap()[0];
    let second = jvp(&mut case.g, &[first], &[(d, direction)]).unwrap()[0];
    case.check_within("marginal likelihood", &[value, first, second], 1e-11, 1e-3);
}

#[test]
fn what_cannot_be_factorised_is_nan() {
    let matrix = |case: &mut Case, values: [f64; 4]| {
        let value = ArrayD::from_shape_vec(IxDyn(&[2, 2]), values.to_vec()).unwrap();
        case.input(Role::Lower, Type::new(Elem::Real, [2, 2]), value)
    };
    for values in [[1.0, 2.0, 2.0, 4.0], [0.0; 4], [f64::NAN, 0.0, 0.0, 1.0], [f64::INFINITY, 0.0, 0.0, 1.0]]
    {
        let mut case = Case::new(1);
        let a = matrix(&mut case, values);
        let b = case.real(Role::Lower, &[2, 3]);
        let x = case.g.solve(a, b, false);
        let inverse = case.g.inv(a);
        let logdet = case.g.unary(&ops::LOGDET, a);
        let factor = case.g.unary(&ops::CHOLESKY, a);
        let roots = [x, inverse, logdet, factor];
        for root in blo_compiler::ir::eval::evaluate(&case.g, &roots, &case.values).unwrap() {
            assert!(root.iter().all(|x| x.is_nan()), "{values:?}: {root}");
        }
        case.check(&format!("{values:?}"), &roots);
    }
}
