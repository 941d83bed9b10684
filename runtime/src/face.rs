//! The face of the lower domain that a solution lies on. There the response to a change of `x` stays in the face's tangent
//! space, so the adjoint system is solved in it: `T (H + C) T v = T b`, with `T` the projection onto the tangent space and
//! `C` the curvature a ball's boundary adds through its multiplier. Entries that a nonsmooth term holds at 0 stay there likewise.
//! Exact under strict complementarity.

use crate::linear::blas1::{axpy, dot};
use crate::problem::Problem;
use crate::space::{Domain, Space, centre_on_support, end};

/// The active part of a space at one point; reused from point to point without allocation.
#[derive(Clone, Debug)]
pub struct Face {
    /// Elements that do not move.
    fixed: Vec<bool>,
    /// Elements that a nonsmooth term holds at 0; empty without such terms.
    pinned: Vec<bool>,
    /// The point, for the normals of balls.
    point: Vec<f64>,
    /// Multiplier per ball block; `None` inside the ball.
    balls: Vec<Option<f64>>,
}

impl Face {
    /// Room for faces of the lower level.
    pub fn new(problem: &Problem) -> Self {
        let space = &problem.lower;
        let pinned = vec![false; if problem.proximal.is_some() { space.len() } else { 0 }];
        let len = if space.is_free() { 0 } else { space.len() };
        Face { fixed: vec![false; len], pinned, point: vec![0.0; len], balls: vec![None; space.balls()] }
    }

    /// Finds the face at `y` with lower gradient `g`: an element on a bound is fixed when the gradient presses it outwards.
    pub fn locate(&mut self, problem: &Problem, y: &[f64], g: &[f64]) {
        if let Some(proximal) = &problem.proximal {
            self.pinned.fill(false);
            proximal.mark_zeros(y, &mut self.pinned);
        }
        let space = &problem.lower;
        if space.is_free() {
            return;
        }
        self.point.copy_from_slice(y);
        self.fixed.fill(false);
        let mut ball = 0;
        for block in space.blocks() {
            let range = block.offset..block.offset + block.len;
            let (y, g, fixed) = (&y[range.clone()], &g[range.clone()], &mut self.fixed[range]);
            match &block.domain {
                Domain::Free => {}
                Domain::Interval { lo, hi } => {
                    for i in 0..fixed.len() {
                        fixed[i] = (y[i] <= end(lo, i) && g[i] >= 0.0) || (y[i] >= end(hi, i) && g[i] <= 0.0);
                    }
                }
                Domain::Simplex => {
                    let row = block.shape.last().copied().unwrap_or(1).max(1);
                    for (k, y) in y.chunks_exact(row).enumerate() {
                        let rows = k * row..(k + 1) * row;
                        fix_simplex(y, &g[rows.clone()], &mut fixed[rows]);
                    }
                }
                Domain::Ball(radius) => {
                    let outward = -dot(y, g);
                    let on_boundary = dot(y, y).sqrt() >= radius * (1.0 - 1e-10);
                    self.balls[ball] = (on_boundary && outward > 0.0).then(|| outward / (radius * radius));
                    ball += 1;
                }
            }
        }
    }

    /// Projects `v` onto the tangent space.
    pub fn tangent(&self, space: &Space, v: &mut [f64]) {
        v.iter_mut().zip(&self.pinned).filter(|(_, pinned)| **pinned).for_each(|(v, _)| *v = 0.0);
        if space.is_free() {
            return;
        }
        let mut ball = 0;
        for block in space.blocks() {
            let range = block.offset..block.offset + block.len;
            let (fixed, y, v) = (&self.fixed[range.clone()], &self.point[range.clone()], &mut v[range]);
            match &block.domain {
                Domain::Free => {}
                Domain::Interval { .. } => {
                    v.iter_mut().zip(fixed).filter(|(_, fixed)| **fixed).for_each(|(v, _)| *v = 0.0);
                }
                Domain::Simplex => {
                    let row = block.shape.last().copied().unwrap_or(1).max(1);
                    for (v, fixed) in v.chunks_exact_mut(row).zip(fixed.chunks_exact(row)) {
                        centre_on_support(|i| !fixed[i], v);
                    }
                }
                Domain::Ball(_) => {
                    if self.balls[ball].is_some() {
                        axpy(-dot(y, v) / dot(y, y).max(f64::MIN_POSITIVE), y, v);
                    }
                    ball += 1;
                }
            }
        }
    }

    /// Adds the curvature of the boundary: `hv += C v`.
    pub fn add_curvature(&self, space: &Space, v: &[f64], hv: &mut [f64]) {
        let balls = space.blocks().iter().filter(|b| matches!(b.domain, Domain::Ball(_)));
        for (block, multiplier) in balls.zip(&self.balls) {
            if let Some(multiplier) = multiplier {
                let range = block.offset..block.offset + block.len;
                axpy(*multiplier, &v[range.clone()], &mut hv[range]);
            }
        }
    }
}

/// A zero stays zero when its gradient is not below the common value on the support.
fn fix_simplex(y: &[f64], g: &[f64], fixed: &mut [bool]) {
    let (mut sum, mut count) = (0.0, 0_usize);
    for (y, g) in y.iter().zip(g) {
        if *y > 0.0 {
            sum += g;
            count += 1;
        }
    }
    let level = sum / count.max(1) as f64;
    for ((fixed, y), g) in fixed.iter_mut().zip(y).zip(g) {
        *fixed = *y <= 0.0 && *g >= level;
    }
}
