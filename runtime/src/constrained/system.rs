//! The symmetric system of a primal–dual step,
//! `[H + D  Jᵀ; J  −E] [dv; du] = [a; b]`, over the variables that are not held: assembled from the entries of `H` and `J`,
//! factorised with its inertia, and solved with one step of refinement.

use blo_kernels::indefinite::{Indefinite, Inertia};

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
    factor: Indefinite,
    /// The matrix that was factorised last: entries of `H`, of `J`, and the diagonal.
    h: Vec<f64>,
    j: Vec<f64>,
    diagonal: Vec<f64>,
    residual: Vec<f64>,
    solution: Vec<f64>,
}

impl System {
    /// For the pattern of a program (row and column of every entry), with `held` variables left out.
    pub fn new(held: &[bool], rows: usize, hessian: &[(usize, usize)], jacobian: &[(usize, usize)]) -> Self {
        let mut free = 0;
        let mut place = vec![NONE; held.len()];
        for (place, _) in place.iter_mut().zip(held).filter(|(_, held)| !**held) {
            *place = free;
            free += 1;
        }
        let total = free + rows;
        let hessian: Vec<_> = hessian.iter().map(|&(i, j)| (place[i], place[j])).collect();
        let jacobian: Vec<_> = jacobian.iter().map(|&(i, j)| (free + i, place[j])).collect();
        System {
            place,
            free,
            rows,
            h: vec![0.0; hessian.len()],
            j: vec![0.0; jacobian.len()],
            hessian,
            jacobian,
            factor: Indefinite::new(total),
            diagonal: vec![0.0; total],
            residual: vec![0.0; total],
            solution: vec![0.0; total],
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
        let cells = self.factor.cells();
        cells.fill(0.0);
        for (i, value) in self.diagonal.iter().enumerate() {
            cells[i * (total + 1)] = *value;
        }
        let entries = self.hessian.iter().zip(h).chain(self.jacobian.iter().zip(j));
        for (&(row, column), value) in entries {
            if row != NONE && column != NONE {
                cells[column * total + row] += value;
            }
        }
        if cells.iter().any(|value| !value.is_finite()) {
            return false;
        }
        self.factor.factor() == Inertia { positive: self.free, negative: self.rows }
    }

    /// Solves for `a` (one per variable) and `b` (one per row), both overwritten; what is held does not move. False when the
    /// solution is not finite.
    pub fn solve(&mut self, a: &mut [f64], b: &mut [f64]) -> bool {
        let free = self.free;
        for (&place, a) in self.place.iter().zip(a.iter()).filter(|(place, _)| **place != NONE) {
            self.residual[place] = *a;
        }
        self.residual[free..].copy_from_slice(b);
        self.solution.copy_from_slice(&self.residual);
        self.factor.solve(&mut self.solution);
        self.refine();
        for (&place, a) in self.place.iter().zip(a.iter_mut()) {
            *a = if place == NONE { 0.0 } else { self.solution[place] };
        }
        b.copy_from_slice(&self.solution[free..]);
        self.solution.iter().all(|v| v.is_finite())
    }

    /// One correction from the residual of the solution; `residual` holds the right-hand side.
    fn refine(&mut self) {
        let Self { residual, solution, diagonal, .. } = self;
        for ((r, d), s) in residual.iter_mut().zip(diagonal.iter()).zip(solution.iter()) {
            *r -= d * s;
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
        self.factor.solve(residual);
        for (s, r) in solution.iter_mut().zip(residual.iter()) {
            *s += r;
        }
    }
}
