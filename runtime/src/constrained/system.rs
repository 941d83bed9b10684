//! The symmetric system of a primal–dual step,
//! `[H + D  Jᵀ; J  −E] [dv; du] = [a; b]`, over the variables that are not held: assembled from the entries of `H` and `J`,
//! factorised with its inertia, and solved with refinement.
//!
//! A small matrix, or one whose factor is full, is factorised as dense with pivots of one or two rows. A large one with a sparse
//! factor gets pivots of one row in a fixed order: [`SHIFT`] on the diagonal keeps them off zero, in the signs that a descent direction has,
//! and the refinement takes it away again.
//!
//! Source for the shift: A. Altman, J. Gondzio, "Regularized symmetric indefinite systems in interior point methods", Optim. Methods
//! Softw. 11 (1999).

use blo_kernels::indefinite::{Indefinite, Inertia};

use super::program::Pattern;
use super::sparse::Sparse;
use crate::linear::blas1::largest;

/// Matrices up to this size are factorised as dense ones.
const SMALL: usize = 250;
/// How many multiplications of a dense factorisation take as long as one of a sparse one.
const DENSE_PER_SPARSE: f64 = 8.0;
/// What is added to the diagonal of a sparse matrix.
const SHIFT: f64 = 1e-8;
/// Steps of refinement of a sparse solution, and the residual, relative, that needs none.
const REFINEMENTS: usize = 10;
const EXACT: f64 = 1e-15;

/// No place in the matrix.
const NONE: usize = usize::MAX;

/// Where everything stands, and the matrix.
pub struct System {
    /// The place of every variable, or [`NONE`] of one that is held.
    place: Vec<usize>,
    free: usize,
    rows: usize,
    hessian: Vec<(usize, usize)>,
    jacobian: Vec<(usize, usize)>,
    factor: Factor,
    /// The matrix that was factorised last: entries of `H`, of `J`, and the diagonal.
    h: Vec<f64>,
    j: Vec<f64>,
    diagonal: Vec<f64>,
    /// Of the last solve: its right-hand side, the residual, the solution and a correction.
    right: Vec<f64>,
    residual: Vec<f64>,
    solution: Vec<f64>,
    correction: Vec<f64>,
}

/// How the matrix is factorised.
enum Factor {
    Dense(Indefinite),
    /// With the places of the entries of `H` and `J`, or [`NONE`] of those that are left out.
    Sparse(Box<Sparse>, Vec<usize>),
}

/// The sparse factorisation of a matrix of this size with entries at these places, of which those at [`NONE`] are left out, where that
/// is cheaper than a dense one.
fn sparse(total: usize, entries: &[(usize, usize)]) -> Option<(Sparse, Vec<usize>)> {
    if total <= SMALL {
        return None;
    }
    let there = |(i, j): &(usize, usize)| *i != NONE && *j != NONE;
    let kept: Vec<_> = entries.iter().copied().filter(there).collect();
    let (sparse, slots) = Sparse::new(total, &kept)?;
    if sparse.cost() > dense_cost(total) {
        return None;
    }
    let mut slots = slots.into_iter();
    let place = |entry| if there(entry) { slots.next().unwrap_or(NONE) } else { NONE };
    let places = entries.iter().map(place).collect();
    Some((sparse, places))
}

/// Multiplications of a sparse factorisation that take as long as a dense one.
fn dense_cost(total: usize) -> f64 {
    (total as f64).powi(3) / 3.0 / DENSE_PER_SPARSE
}

/// What a factorisation for a pattern costs, in multiplications of a sparse one.
pub fn cost(held: &[bool], rows: usize, pattern: &Pattern) -> f64 {
    let Layout { total, hessian, jacobian, .. } =
        Layout::new(held, rows, &pattern.hessian, &pattern.jacobian);
    let entries: Vec<_> = hessian.into_iter().chain(jacobian).collect();
    sparse(total, &entries).map_or(dense_cost(total), |(sparse, _)| sparse.cost())
}

/// Where everything is in the matrix.
struct Layout {
    /// The place of every variable, or [`NONE`] of one that is held.
    place: Vec<usize>,
    /// The size of the matrix.
    total: usize,
    /// Row and column of every entry.
    hessian: Vec<(usize, usize)>,
    jacobian: Vec<(usize, usize)>,
}

impl Layout {
    fn new(held: &[bool], rows: usize, hessian: &[(usize, usize)], jacobian: &[(usize, usize)]) -> Self {
        let mut free = 0;
        let mut place = vec![NONE; held.len()];
        for (place, _) in place.iter_mut().zip(held).filter(|(_, held)| !**held) {
            *place = free;
            free += 1;
        }
        let hessian = hessian.iter().map(|&(i, j)| (place[i], place[j])).collect();
        let jacobian = jacobian.iter().map(|&(i, j)| (free + i, place[j])).collect();
        Layout { place, total: free + rows, hessian, jacobian }
    }
}

impl Factor {
    fn new(total: usize, entries: &[(usize, usize)]) -> Self {
        match sparse(total, entries) {
            Some((sparse, places)) => Factor::Sparse(Box::new(sparse), places),
            None => Factor::Dense(Indefinite::new(total)),
        }
    }

    fn solve(&mut self, b: &mut [f64]) {
        match self {
            Factor::Dense(dense) => dense.solve(b),
            Factor::Sparse(sparse, _) => sparse.solve(b),
        }
    }
}

impl System {
    /// For the pattern of a program (row and column of every entry), with `held` variables left out.
    pub fn new(held: &[bool], rows: usize, hessian: &[(usize, usize)], jacobian: &[(usize, usize)]) -> Self {
        let Layout { place, total, hessian, jacobian } = Layout::new(held, rows, hessian, jacobian);
        let free = total - rows;
        let entries: Vec<_> = hessian.iter().chain(&jacobian).copied().collect();
        System {
            place,
            free,
            rows,
            h: vec![0.0; hessian.len()],
            j: vec![0.0; jacobian.len()],
            hessian,
            jacobian,
            factor: Factor::new(total, &entries),
            diagonal: vec![0.0; total],
            right: vec![0.0; total],
            residual: vec![0.0; total],
            solution: vec![0.0; total],
            correction: vec![0.0; total],
        }
    }

    /// Factorises the matrix with entries `h` and `j`, `d` (one per variable) and `e` (one per row) on the diagonal. True when it
    /// has as many positive eigenvalues as free variables and as many negative ones as rows, so that the step descends.
    pub fn factor(&mut self, h: &[f64], j: &[f64], d: &[f64], e: &[f64]) -> bool {
        let (free, total) = (self.free, self.free + self.rows);
        self.h.copy_from_slice(h);
        self.j.copy_from_slice(j);
        for (&place, &d) in self.place.iter().zip(d).filter(|(place, _)| **place != NONE) {
            self.diagonal[place] = d;
        }
        for (diagonal, e) in self.diagonal[free..].iter_mut().zip(e) {
            *diagonal = -e;
        }
        let expected = Inertia { positive: self.free, negative: self.rows };
        let Self { factor, hessian, jacobian, diagonal, .. } = self;
        match factor {
            Factor::Dense(dense) => {
                let cells = dense.cells();
                cells.fill(0.0);
                for (i, value) in diagonal.iter().enumerate() {
                    cells[i * (total + 1)] = *value;
                }
                let entries = hessian.iter().zip(h).chain(jacobian.iter().zip(j));
                for (&(row, column), value) in entries {
                    if row != NONE && column != NONE {
                        cells[column * total + row] += value;
                    }
                }
                !cells.iter().any(|value| !value.is_finite()) && dense.factor() == expected
            }
            Factor::Sparse(sparse, places) => {
                sparse.entries().fill(0.0);
                for (i, value) in diagonal.iter().enumerate() {
                    sparse.add(i, value + if i < free { SHIFT } else { -SHIFT });
                }
                let entries = sparse.entries();
                for (&place, value) in places.iter().zip(h.iter().chain(j)).filter(|(p, _)| **p != NONE) {
                    entries[place] += value;
                }
                entries.iter().all(|value| value.is_finite()) && sparse.factor() == Some(expected)
            }
        }
    }

    /// Solves for `a` (one per variable) and `b` (one per row), both overwritten; what is held does not move. False when the
    /// solution is not finite.
    pub fn solve(&mut self, a: &mut [f64], b: &mut [f64]) -> bool {
        let free = self.free;
        for (&place, a) in self.place.iter().zip(a.iter()).filter(|(place, _)| **place != NONE) {
            self.right[place] = *a;
        }
        self.right[free..].copy_from_slice(b);
        self.solution.copy_from_slice(&self.right);
        self.factor.solve(&mut self.solution);
        self.refine();
        for (&place, a) in self.place.iter().zip(a.iter_mut()) {
            *a = if place == NONE { 0.0 } else { self.solution[place] };
        }
        b.copy_from_slice(&self.solution[free..]);
        self.solution.iter().all(|v| v.is_finite())
    }

    /// Corrections from the residual of the solution: one of a dense factor, of a sparse one as many as make it smaller.
    fn refine(&mut self) {
        self.subtract();
        if matches!(self.factor, Factor::Dense(_)) {
            self.factor.solve(&mut self.residual);
            self.solution.iter_mut().zip(&self.residual).for_each(|(s, r)| *s += r);
            return;
        }
        let mut size = largest(&self.residual);
        for _ in 0..REFINEMENTS {
            if size <= EXACT * largest(&self.right) {
                break;
            }
            self.correction.copy_from_slice(&self.residual);
            self.factor.solve(&mut self.correction);
            self.solution.iter_mut().zip(&self.correction).for_each(|(s, c)| *s += c);
            self.subtract();
            let now = largest(&self.residual);
            if now.is_nan() || now >= size {
                self.solution.iter_mut().zip(&self.correction).for_each(|(s, c)| *s -= c);
                break;
            }
            // Little is won by more.
            let enough = now > 0.9 * size;
            size = now;
            if enough {
                break;
            }
        }
    }

    /// In `residual` what the solution leaves of the right-hand side.
    fn subtract(&mut self) {
        let Self { right, residual, solution, diagonal, .. } = self;
        for (((r, right), d), s) in
            residual.iter_mut().zip(right.iter()).zip(diagonal.iter()).zip(solution.iter())
        {
            *r = right - d * s;
        }
        let entries = self.hessian.iter().zip(&self.h).chain(self.jacobian.iter().zip(&self.j));
        for (&(row, column), value) in entries {
            if row == NONE || column == NONE {
                continue;
            }
            residual[row] -= value * solution[column];
            if row != column {
                residual[column] -= value * solution[row];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::power::seeded;

    /// A chain: every variable is coupled with its neighbours, every row holds three of them, a third have no curvature of their own.
    fn chain(n: usize) -> (System, [Vec<f64>; 4]) {
        let mut hessian: Vec<_> = (0..n).filter(|i| i % 3 != 0).map(|i| (i, i)).collect();
        hessian.extend((1..n).filter(|i| i % 3 == 2).map(|i| (i, i - 1)));
        let m = n / 2;
        let jacobian: Vec<_> = (0..m).flat_map(|k| (0..3).map(move |e| (k, (2 * k + e) % n))).collect();
        let held: Vec<bool> = (0..n).map(|i| i % 50 == 7).collect();
        let h = (0..hessian.len()).map(|k| if hessian[k].0 == hessian[k].1 { 2.0 } else { 0.5 }).collect();
        let j = seeded(jacobian.len(), 3);
        let system = System::new(&held, m, &hessian, &jacobian);
        (system, [h, j, vec![1e-6; n], vec![1e-10; m]])
    }

    #[test]
    fn a_sparse_factor_solves_as_a_dense_one() {
        let n = 900;
        let (mut system, [h, j, d, e]) = chain(n);
        assert!(matches!(system.factor, Factor::Sparse(..)));
        let right = (system.factor(&h, &j, &d, &e), seeded(n, 1), seeded(n / 2, 2));
        let solve = |system: &mut System| {
            let (mut a, mut b) = (right.1.clone(), right.2.clone());
            assert!(system.solve(&mut a, &mut b));
            (a, b)
        };
        let sparse = solve(&mut system);
        system.factor = Factor::Dense(Indefinite::new(system.free + system.rows));
        assert_eq!(system.factor(&h, &j, &d, &e), right.0);
        let dense = solve(&mut system);
        let off = |a: &[f64], b: &[f64]| {
            let off = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            off / largest(b).max(1.0)
        };
        assert!(off(&sparse.0, &dense.0) < 1e-8, "{}", off(&sparse.0, &dense.0));
        assert!(off(&sparse.1, &dense.1) < 1e-8, "{}", off(&sparse.1, &dense.1));
    }

    #[test]
    fn a_sparse_factor_knows_a_direction_of_negative_curvature() {
        let (mut system, [mut h, j, d, e]) = chain(900);
        assert!(system.factor(&h, &j, &[1.0; 900], &e));
        h.iter_mut().for_each(|h| *h -= 50.0);
        assert!(!system.factor(&h, &j, &d, &e));
    }
}
