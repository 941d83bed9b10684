//! Lower algorithms that can be differentiated, one step at a time: forwards, backwards and along a tangent. Projections onto the domain
//! are the sweep's, which also holds the iterates.

use super::{Descent, apply_scale};
use crate::derivatives::Derivatives;
use crate::linear::blas1::{axpy, norm2, scale};
use crate::problem::Problem;
use crate::state::State;

/// A lower algorithm. A sweep calls `begin` and then `step` for `k = 0, 1, …`, projecting after each; backwards it calls
/// `begin_backward` and then `pull_back` for the same steps in the opposite order.
pub trait Dynamics: std::fmt::Debug {
    /// Forgets the past; the steps have size `size` from now on.
    fn begin(&mut self, size: f64);

    /// What is remembered from step to step beside `y`.
    fn memory(&self) -> &[f64];

    /// Goes back to an earlier memory.
    fn recall(&mut self, memory: &[f64]);

    /// Step `k` from `y`, before the projection.
    fn step(&mut self, problem: &mut Problem, x: &[f64], y: &mut [f64], k: usize);

    /// What the steps since `begin` saw of the function they descend on.
    fn descent(&self) -> Descent;

    /// Forgets the adjoint of the memory.
    fn begin_backward(&mut self);

    /// `adjoint` (m) is that of the point after step `k` from `y`, before the projection; it becomes that of `y`, and what the step owes
    /// to `x` is added to `g` (n).
    fn pull_back(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &[f64],
        k: usize,
        adjoint: &mut [f64],
        g: &mut [f64],
    );

    /// Shows what an earlier outer iteration left and a later one reads; false where not all of it is shown.
    fn state(&mut self, _: &mut dyn State) -> bool {
        false
    }
}

/// How the second-order products of `f` are found.
#[derive(Clone, Debug)]
pub enum Products {
    /// By the compiled products.
    Exact,
    /// By central differences of gradients.
    Differences(Differences),
}

/// Central differences of gradients along a direction `v`: the points are `y ± ε v` with `ε = radius / max(‖v‖, 1)`.
#[derive(Clone, Debug)]
pub struct Differences {
    radius: f64,
    y: Vec<f64>,
    gx: Vec<f64>,
    gy: Vec<f64>,
}

impl Differences {
    /// Room for a problem.
    pub fn new(problem: &Problem, radius: f64) -> Self {
        let (n, m) = (problem.upper.len(), problem.lower.len());
        Differences { radius, y: vec![0.0; m], gx: vec![0.0; n], gy: vec![0.0; m] }
    }

    fn second_order(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &[f64],
        v: &[f64],
        hv: &mut [f64],
        xv: &mut [f64],
    ) {
        let length = self.radius / norm2(v).max(1.0);
        self.y.copy_from_slice(y);
        axpy(length, v, &mut self.y);
        problem.lower_gradients(x, &self.y, xv, hv);
        self.y.copy_from_slice(y);
        axpy(-length, v, &mut self.y);
        problem.lower_gradients(x, &self.y, &mut self.gx, &mut self.gy);
        for (after, before) in [(hv, &self.gy), (xv, &self.gx)] {
            axpy(-1.0, before, after);
            scale(0.5 / length, after);
        }
    }
}

/// Gradient steps, heavy ball or Nesterov's momentum: with `g = ∇y f(x, y)`, `b ← momentum · b + g`, and
/// `y ← y − size · scale ∘ d`, where `d` is `b`, or `g + momentum · b` when looking ahead. Without momentum both are `g`.
#[derive(Clone, Debug)]
pub struct Momentum {
    size: f64,
    momentum: f64,
    ahead: bool,
    scale: Vec<f64>,
    products: Products,
    descent: Descent,
    buffer: Vec<f64>,
    gradient: Vec<f64>,
    adjoint_buffer: Vec<f64>,
    work: Vec<f64>,
    cross: Vec<f64>,
}

impl Momentum {
    /// Factors `scale` per lower coordinate; empty means 1. `ahead` is Nesterov's. Memory: `4 m + n` numbers.
    pub fn new(problem: &Problem, momentum: f64, ahead: bool, scale: Vec<f64>) -> Self {
        let (n, m) = (problem.upper.len(), problem.lower.len());
        Momentum {
            size: f64::NAN,
            momentum,
            ahead,
            scale,
            products: Products::Exact,
            descent: Descent::START,
            buffer: vec![0.0; m],
            gradient: vec![0.0; m],
            adjoint_buffer: vec![0.0; m],
            work: vec![0.0; m],
            cross: vec![0.0; n],
        }
    }

    /// With second-order products found in another way.
    pub fn with(self, products: Products) -> Self {
        Momentum { products, ..self }
    }

    /// Step `k` along a tangent: `u` (n) is the change of `x`, `z` (m) that of `y`, and `b` (m) that of the memory, before the
    /// projection. Needs no call of `step`.
    pub fn push_forward(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &[f64],
        u: &[f64],
        z: &mut [f64],
        b: &mut [f64],
    ) {
        problem.lower_hessian(x, y, z, &mut self.work);
        problem.lower_cross(x, y, u, &mut self.gradient);
        axpy(1.0, &self.work, &mut self.gradient);
        if self.momentum != 0.0 {
            scale(self.momentum, b);
            axpy(1.0, &self.gradient, b);
            if self.ahead {
                axpy(self.momentum, b, &mut self.gradient);
            } else {
                self.gradient.copy_from_slice(b);
            }
        }
        apply_scale(&self.scale, &mut self.gradient);
        axpy(-self.size, &self.gradient, z);
    }
}

impl Dynamics for Momentum {
    fn begin(&mut self, size: f64) {
        self.size = size;
        self.buffer.fill(0.0);
        self.descent = Descent::START;
    }

    fn memory(&self) -> &[f64] {
        if self.momentum == 0.0 { &[] } else { &self.buffer }
    }

    fn recall(&mut self, memory: &[f64]) {
        if self.momentum != 0.0 {
            self.buffer.copy_from_slice(memory);
        }
    }

    fn step(&mut self, problem: &mut Problem, x: &[f64], y: &mut [f64], _: usize) {
        let value = problem.lower_gradient(x, y, &mut self.gradient);
        self.descent.pass(value);
        if self.momentum != 0.0 {
            scale(self.momentum, &mut self.buffer);
            axpy(1.0, &self.gradient, &mut self.buffer);
            if self.ahead {
                axpy(self.momentum, &self.buffer, &mut self.gradient);
            }
        }
        let size = self.size;
        let direction = if self.momentum == 0.0 || self.ahead { &self.gradient } else { &self.buffer };
        if self.scale.is_empty() {
            axpy(-size, direction, y);
        } else {
            for ((y, d), s) in y.iter_mut().zip(direction).zip(&self.scale) {
                *y -= size * s * d;
            }
        }
    }

    fn descent(&self) -> Descent {
        self.descent
    }

    fn begin_backward(&mut self) {
        self.adjoint_buffer.fill(0.0);
    }

    fn pull_back(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &[f64],
        _: usize,
        adjoint: &mut [f64],
        g: &mut [f64],
    ) {
        // The adjoint of b_{k+1}: what arrives through y_{k+1} = y_k − s b_{k+1}, plus what b_{k+2} passed on. Looking ahead,
        // y_{k+1} = y_k − s (g_k + momentum b_{k+1}), and g_k gets a share of its own.
        self.work.copy_from_slice(adjoint);
        apply_scale(&self.scale, &mut self.work);
        let ahead = self.ahead && self.momentum != 0.0;
        let share = if ahead { self.momentum * self.size } else { self.size };
        axpy(-share, &self.work, &mut self.adjoint_buffer);
        if ahead {
            self.gradient.copy_from_slice(&self.adjoint_buffer);
            axpy(-self.size, &self.work, &mut self.gradient);
        }
        let v = if ahead { &self.gradient } else { &self.adjoint_buffer };
        let (hv, xv) = (&mut self.work, &mut self.cross);
        match &mut self.products {
            Products::Exact => problem.lower_second_order(x, y, v, hv, xv),
            Products::Differences(differences) => differences.second_order(problem, x, y, v, hv, xv),
        }
        axpy(1.0, &self.cross, g);
        axpy(1.0, &self.work, adjoint);
        scale(self.momentum, &mut self.adjoint_buffer);
    }

    fn state(&mut self, _: &mut dyn State) -> bool {
        true
    }
}
