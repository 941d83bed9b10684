//! Boxes of the tree: what is thrown away holds no point, and the relaxation has all points that the program has.

use blo_runtime::constrained::tree::contract::Contractor;
use blo_runtime::constrained::tree::qp::{Answer, solve};
use blo_runtime::constrained::tree::relaxation::Relaxation;
use blo_runtime::constrained::tree::terms::{Function, Terms};

/// Numbers from 0 to 1.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A sum of products and functions of three variables that is 0 at `z`.
fn row(terms: &mut Terms, draws: &mut Draws, z: &[f64]) -> usize {
    let v: Vec<usize> = (0..3).map(|i| terms.variable(i)).collect();
    let xy = terms.product(v[0], v[1]);
    let xyz = terms.product(xy, v[2]);
    let square = terms.product(v[2], v[2]);
    let cube = terms.apply(Function::Power(3), v[0]);
    let exp = terms.apply(Function::Exp, v[1]);
    let shifted = terms.sum(6.0, vec![(v[0], 1.0), (v[1], -0.5)]);
    let over = terms.apply(Function::Power(-1), shifted);
    let root = terms.apply(Function::Root, shifted);
    let log = terms.apply(Function::Log, shifted);
    let all = [v[0], v[1], v[2], xy, xyz, square, cube, exp, over, root, log];
    let parts: Vec<(usize, f64)> = all.iter().map(|at| (*at, 4.0 * draws.next() - 2.0)).collect();
    let sum = terms.sum(0.0, parts.clone());
    let off = terms.values(z)[sum];
    terms.sum(-off, parts)
}

#[test]
fn a_point_is_neither_contracted_away_nor_cut_off() {
    for seed in 0..200 {
        let mut draws = Draws(seed);
        (0..5).for_each(|_| {
            draws.next();
        });
        let z: Vec<f64> = (0..3).map(|_| 4.0 * draws.next() - 2.0).collect();
        let mut terms = Terms::default();
        let rows = [row(&mut terms, &mut draws, &z), row(&mut terms, &mut draws, &z)];
        terms.rows = rows.to_vec();
        terms.objective = row(&mut terms, &mut draws, &z);
        let equal = [true, false];
        let mut lo: Vec<f64> = z.iter().map(|z| z - 2.0 * draws.next()).collect();
        let mut hi: Vec<f64> = z.iter().map(|z| z + 2.0 * draws.next()).collect();
        if seed % 4 == 0 {
            hi[2] = f64::INFINITY;
        }
        let before: f64 = lo.iter().zip(&hi).map(|(lo, hi)| hi - lo).sum();
        let contractor = Contractor::new(&terms, &equal, &[]);
        let ends = (lo.clone(), hi.clone());
        let over = contractor.contract(1e-9, (&ends.0, &ends.1), &mut lo, &mut hi).expect("a point is there");
        assert!(lo.iter().zip(&hi).map(|(lo, hi)| hi - lo).sum::<f64>() <= before);
        let values = terms.values(&z);
        for i in 0..3 {
            assert!(
                lo[i] - 1e-7 <= z[i] && z[i] <= hi[i] + 1e-7,
                "{seed}: {} of {} to {}",
                z[i],
                lo[i],
                hi[i]
            );
        }
        for (at, (value, (low, high))) in values.iter().zip(&over).enumerate() {
            assert!(
                low - 1e-6 <= *value && *value <= high + 1e-6,
                "{seed}: term {at}, {value} of {low} to {high}"
            );
        }
        let relaxation = Relaxation::new(&terms, &equal, 3);
        let mut lines = Vec::new();
        relaxation.lines(&over, &mut lines);
        let v = relaxation.point(&z, &values);
        for line in &lines {
            assert!(line.holds(&v, 1e-6), "{seed}: {} with {:?} at {v:?}", line.at(&v), line.terms);
        }
    }
}

#[test]
fn the_bound_closes_as_boxes_shrink() {
    // `x² / 160 + 10 − x / 2 − w >= 0`, as a row about the largest `w` for `x` from -80 to 200: 160 at 200.
    let mut terms = Terms::default();
    let (x, y, w) = (terms.variable(0), terms.variable(1), terms.variable(2));
    let square = terms.product(x, x);
    let (square, xy) = (terms.product(square, y), terms.product(x, y));
    let row = terms.sum(0.0, vec![(xy, 0.2), (w, 1.0), (square, -1.0 / 400.0), (y, -4.0)]);
    let fixed = terms.sum(-125.0, vec![(y, 50.0)]);
    terms.rows = vec![row, fixed];
    terms.objective = terms.sum(0.0, vec![(w, -1.0)]);
    let equal = [false, true];
    let contractor = Contractor::new(&terms, &equal, &[]);
    let (mut lo, mut hi) = (vec![-80.0, f64::NEG_INFINITY, -100.0], vec![200.0, f64::INFINITY, 200.0]);
    let ends = (lo.clone(), hi.clone());
    let over = contractor.contract(f64::INFINITY, (&ends.0, &ends.1), &mut lo, &mut hi).expect("points");
    let relaxation = Relaxation::new(&terms, &equal, 3);
    let mut lines = Vec::new();
    relaxation.lines(&over, &mut lines);
    let (lo, hi) = relaxation.bounds(&lo, &hi, &over);
    match solve(&relaxation.objective(), &lines, &lo, &hi) {
        Answer::Solved(solved) => assert!((solved.bound + 160.0).abs() <= 1e-4, "{}", solved.bound),
        other => panic!("{other:?}"),
    }
}

#[test]
fn bounds_are_found_where_none_are_given() {
    // The leader's loss at `y` with `(2 + 2 exp(x)) y = 1` is `(y - 1)²`: 0.73 for `x` about 0.25.
    let mut terms = Terms::default();
    let (x, y) = (terms.variable(0), terms.variable(1));
    let exp = terms.apply(Function::Exp, x);
    let product = terms.product(exp, y);
    let row = terms.sum(-1.0, vec![(y, 2.0), (product, 2.0)]);
    let off = terms.sum(-1.0, vec![(y, 1.0)]);
    terms.objective = terms.product(off, off);
    terms.rows = vec![row];
    let contractor = Contractor::new(&terms, &[true], &[]);
    let (mut lo, mut hi) = (vec![0.25, f64::NEG_INFINITY], vec![0.2500001, f64::INFINITY]);
    let ends = (lo.clone(), hi.clone());
    let over = contractor.contract(1.0, (&ends.0, &ends.1), &mut lo, &mut hi).expect("points");
    assert!(lo[1] >= -1e-6 && hi[1] <= 2.0 + 1e-6, "{lo:?} {hi:?}");
    let relaxation = Relaxation::new(&terms, &[true], 2);
    let mut lines = Vec::new();
    relaxation.lines(&over, &mut lines);
    let (lo, hi) = relaxation.bounds(&lo, &hi, &over);
    let y = 1.0 / (2.0 + 2.0 * 0.25_f64.exp());
    match solve(&relaxation.objective(), &lines, &lo, &hi) {
        Answer::Solved(solved) => {
            assert!((solved.bound - (y - 1.0).powi(2)).abs() <= 1e-4, "{}", solved.bound)
        }
        other => panic!("{other:?}"),
    }
}
