//! Newton's method on the conditions of a program whose active bounds and rows are known: the last digits of a point that an
//! interior-point method left a little off its bounds.
//!
//! Variables at bounds are put there and held, active inequalities become equalities, the others are left out; full Newton steps
//! with a proximal term follow while the residual falls. Quadratic convergence near a regular point, and near one with dependent rows a
//! linear one. What comes out is a solution only if the signs of multipliers and of the rows left out agree, which the caller checks.
//!
//! Source: J. Nocedal, S. J. Wright, "Numerical optimization" (2006), section 18.1; S. J. Wright, SIAM J. Optim. 8 (1998) for the
//! proximal term.

use super::bounds::Bounds;
use super::interior::Duals;
use super::program::{Pattern, Program};
use super::system::System;
use crate::linear::blas1::largest;

/// Newton steps.
const STEPS: usize = 8;
/// The proximal terms of variables and multipliers.
const PROXIMAL: (f64, f64) = (1e-9, 1e-11);
/// A residual this small, relative, is as good as zero.
const EXACT: f64 = 1e-13;

/// Moves `v` and the multipliers of the rows to where the conditions hold on the active set that `duals` tells; neither is
/// touched when that cannot be done.
pub fn polish(program: &mut dyn Program, bounds: &Bounds, v: &mut [f64], duals: &mut Duals) -> bool {
    let (n, m) = (v.len(), duals.rows.len());
    let mut at = v.to_vec();
    let mut u = duals.rows.clone();
    let mut held = bounds.held();
    for i in 0..n {
        let (below, above) = (at[i] - bounds.lo[i], bounds.hi[i] - at[i]);
        if held[i] || below < duals.low[i].min(NEAR) {
            (at[i], held[i]) = (bounds.lo[i], true);
        } else if above < duals.high[i].min(NEAR) {
            (at[i], held[i]) = (bounds.hi[i], true);
        }
    }
    let equal = program.equal().to_vec();
    let (mut g, mut rows) = (vec![0.0; n], vec![0.0; m]);
    let mut value = program.evaluate(&at, &mut g, &mut rows);
    let active: Vec<bool> = (0..m).map(|i| equal[i] || -rows[i] < u[i]).collect();
    u.iter_mut().zip(&active).filter(|(_, active)| !**active).for_each(|(u, _)| *u = 0.0);
    let pattern = program.pattern();
    let Pattern { hessian, jacobian } = &pattern;
    let mut system = System::new(&held, m, hessian, jacobian);
    let (mut h, mut j) = (vec![0.0; hessian.len()], vec![0.0; jacobian.len()]);
    let d = vec![PROXIMAL.0; n];
    let e: Vec<f64> = active.iter().map(|active| if *active { PROXIMAL.1 } else { 1.0 }).collect();
    let (mut dv, mut du) = (vec![0.0; n], vec![0.0; m]);
    let mut best = f64::INFINITY;
    for _ in 0..=STEPS {
        if !value.is_finite() || !program.second(&at, 1.0, &u, &mut h, &mut j) {
            break;
        }
        let size = largest(&g).max(1.0);
        dv.copy_from_slice(&g);
        for (&(row, column), value) in jacobian.iter().zip(&j) {
            dv[column] += value * u[row];
        }
        for i in 0..n {
            dv[i] = if held[i] { 0.0 } else { -dv[i] };
        }
        for i in 0..m {
            du[i] = if active[i] { -rows[i] } else { 0.0 };
        }
        let residual = (largest(&dv) / size).max(largest(&du));
        if residual.is_nan() || residual >= 0.5 * best {
            break;
        }
        best = residual;
        v.copy_from_slice(&at);
        duals.rows.copy_from_slice(&u);
        if residual <= EXACT {
            break;
        }
        for (value, (row, _)) in j.iter_mut().zip(jacobian) {
            *value = if active[*row] { *value } else { 0.0 };
        }
        system.factor(&h, &j, &d, &e);
        if !system.solve(&mut dv, &mut du) {
            break;
        }
        at.iter_mut().zip(&dv).for_each(|(v, d)| *v += d);
        u.iter_mut().zip(&du).for_each(|(u, d)| *u += d);
        // A step out of the bounds says that the set is another.
        if (0..n).any(|i| at[i] < bounds.lo[i] - OUT || at[i] > bounds.hi[i] + OUT) {
            break;
        }
        bounds.project(&mut at);
        value = program.evaluate(&at, &mut g, &mut rows);
    }
    best.is_finite()
}

/// Bounds and slacks beyond this are not active.
const NEAR: f64 = 1e-3;
/// How far a step may leave the bounds.
const OUT: f64 = 1e-7;
