//! Reverse differentiation of a lower algorithm. The sweep needs the iterates backwards: they are kept, or under a memory budget only
//! every `s`-th of them, and the steps in between are run again, segment by segment. Both give the same bits, since a step run again
//! is the same arithmetic on the same numbers.

use super::{Descent, apply_scale};
use crate::derivatives::Derivatives;
use crate::linear::blas1::axpy;
use crate::problem::Problem;

/// A lower algorithm of fixed length: `steps` projected (heavy-ball) gradient steps
/// `b ← momentum · b + ∇y f(x, y)`, `y ← P(y − step · scale ∘ b)`.
#[derive(Clone, Debug)]
pub struct Unroll {
    /// The number of steps, `K`.
    pub steps: usize,
    /// The step size, `s`.
    pub step: f64,
    /// The heavy-ball momentum; 0 for plain gradient steps.
    pub momentum: f64,
    /// How many of the last steps the reverse sweep covers; `steps` for the exact gradient of the algorithm.
    pub last: usize,
    /// Factors on the step per lower coordinate; empty means 1.
    pub scale: Vec<f64>,
}

impl Unroll {
    /// `steps` gradient steps of size `step`, differentiated in full.
    pub fn new(steps: usize, step: f64) -> Self {
        Unroll { steps, step, momentum: 0.0, last: steps, scale: Vec::new() }
    }
}

/// How the iterates of the sweep are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trajectory {
    /// All of them.
    Kept,
    /// Every so many; those in between are computed again, which costs at most one more gradient per step of the sweep.
    Checkpoints {
        /// The steps between two of them.
        every: usize,
    },
    /// Not even the best spaced checkpoints fit into the budget.
    TooLarge {
        /// The bytes they need.
        needed: usize,
    },
}

impl std::fmt::Display for Trajectory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Trajectory::Kept => write!(f, "kept"),
            Trajectory::Checkpoints { every } => write!(f, "checkpoints every {every}"),
            Trajectory::TooLarge { needed } => write!(f, "needs {needed} bytes"),
        }
    }
}

impl Trajectory {
    /// What fits into `memory` bytes for a sweep over `last` steps of `m` lower variables with `balls` ball domains: as few
    /// steps again as possible.
    fn choose(last: usize, m: usize, momentum: bool, balls: usize, memory: usize) -> Self {
        let state = if momentum { 2 * m } else { m };
        let bytes = |every: usize| {
            let segments = last.div_ceil(every);
            let checkpoints = if segments > 1 { segments * state } else { 0 };
            8_usize.saturating_mul(checkpoints + (every + 1) * m + every * balls)
        };
        if last <= 1 || bytes(last) <= memory {
            return Trajectory::Kept;
        }
        match (1..last).rev().find(|&every| bytes(every) <= memory) {
            Some(every) => Trajectory::Checkpoints { every },
            None => Trajectory::TooLarge { needed: (1..=last).map(bytes).min().unwrap_or(0) },
        }
    }
}

/// Reverse differentiation with room for one trajectory; no call after [`Reverse::new`] allocates.
#[derive(Clone, Debug)]
pub struct Reverse {
    plan: Unroll,
    trajectory: Trajectory,
    /// The steps of a segment.
    every: usize,
    /// Iterate (and momentum buffer) at the start of every segment; empty when there is one.
    checkpoints: Vec<f64>,
    /// The iterates of one segment and the one after it, `every + 1` rows of `m`.
    rows: Vec<f64>,
    /// The shrink factors of ball projections, `every` rows.
    shrinks: Vec<f64>,
    /// The iterate of a segment run again.
    again: Vec<f64>,
    buffer: Vec<f64>,
    gradient: Vec<f64>,
    adjoint: Vec<f64>,
    adjoint_buffer: Vec<f64>,
    work: Vec<f64>,
    cross: Vec<f64>,
}

impl Reverse {
    /// Memory: `7 · m + n` numbers, and at most [`Problem::memory`] bytes for the trajectory; nothing when it is
    /// [`Trajectory::TooLarge`], and then there can be no sweep.
    pub fn new(problem: &Problem, plan: Unroll) -> Self {
        let (n, m, balls) = (problem.upper.len(), problem.lower.len(), problem.lower.balls());
        let last = plan.last.min(plan.steps);
        let momentum = plan.momentum != 0.0;
        let trajectory = Trajectory::choose(last, m, momentum, balls, problem.memory);
        let every = match trajectory {
            Trajectory::Kept => last,
            Trajectory::Checkpoints { every } => every,
            Trajectory::TooLarge { .. } => 0,
        };
        let segments = if every == last || every == 0 { 0 } else { last.div_ceil(every) };
        let state = if momentum { 2 * m } else { m };
        Reverse {
            trajectory,
            every,
            checkpoints: vec![0.0; segments * state],
            rows: vec![0.0; (every + 1) * m],
            shrinks: vec![1.0; every * balls],
            again: vec![0.0; m],
            buffer: vec![0.0; m],
            gradient: vec![0.0; m],
            adjoint: vec![0.0; m],
            adjoint_buffer: vec![0.0; m],
            work: vec![0.0; m],
            cross: vec![0.0; n],
            plan: Unroll { last, ..plan },
        }
    }

    /// How the iterates are held.
    pub fn trajectory(&self) -> Trajectory {
        self.trajectory
    }

    /// Runs the lower algorithm from `y`, which becomes the last iterate, with steps of size `step` in place of the plan's from
    /// now on. `poll` is asked before every step; `None` when it asked to stop.
    pub fn forward(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        step: f64,
        mut poll: impl FnMut(&Problem) -> bool,
    ) -> Option<Descent> {
        self.plan.step = step;
        self.buffer.fill(0.0);
        let first = self.plan.steps - self.plan.last;
        let mut descent = Descent::START;
        for k in 0..self.plan.steps {
            if poll(problem) {
                return None;
            }
            if k == first {
                self.rows[..y.len()].copy_from_slice(y);
            }
            let value = if k < first {
                let value = self.direction(problem, x, y);
                self.descend(y);
                problem.lower.project(y);
                value
            } else {
                if (k - first).is_multiple_of(self.every) {
                    self.save((k - first) / self.every, y);
                }
                self.record(problem, x, y, (k - first) % self.every)
            };
            descent.pass(value);
        }
        if self.plan.last == 0 {
            self.rows.copy_from_slice(y);
        }
        Some(descent)
    }

    /// The value of `f` at `y`; the buffer becomes the direction of the next step.
    fn direction(&mut self, problem: &mut Problem, x: &[f64], y: &[f64]) -> f64 {
        let value = problem.lower_gradient(x, y, &mut self.gradient);
        if self.plan.momentum == 0.0 {
            self.buffer.copy_from_slice(&self.gradient);
        } else {
            crate::linear::blas1::scale(self.plan.momentum, &mut self.buffer);
            axpy(1.0, &self.gradient, &mut self.buffer);
        }
        value
    }

    fn descend(&self, y: &mut [f64]) {
        let Unroll { step, scale, .. } = &self.plan;
        if scale.is_empty() {
            axpy(-step, &self.buffer, y);
        } else {
            for ((y, b), s) in y.iter_mut().zip(&self.buffer).zip(scale) {
                *y -= step * s * b;
            }
        }
    }

    /// Keeps the state at the start of a segment.
    fn save(&mut self, segment: usize, y: &[f64]) {
        if self.checkpoints.is_empty() {
            return;
        }
        let (m, state) = (y.len(), self.state());
        let place = &mut self.checkpoints[segment * state..][..state];
        place[..m].copy_from_slice(y);
        if state > m {
            place[m..].copy_from_slice(&self.buffer);
        }
    }

    /// The numbers of a checkpoint.
    fn state(&self) -> usize {
        self.buffer.len() * if self.plan.momentum == 0.0 { 1 } else { 2 }
    }

    /// Step `i` of a segment, from `y`, with everything the sweep will ask for.
    fn record(&mut self, problem: &mut Problem, x: &[f64], y: &mut [f64], i: usize) -> f64 {
        let (m, balls) = (y.len(), problem.lower.balls());
        self.rows[i * m..][..m].copy_from_slice(y);
        let value = self.direction(problem, x, y);
        self.descend(y);
        problem.lower.project_recording(y, &mut self.shrinks[i * balls..][..balls]);
        self.rows[(i + 1) * m..][..m].copy_from_slice(y);
        value
    }

    /// Runs a segment of `len` steps again.
    fn rerun(&mut self, problem: &mut Problem, x: &[f64], segment: usize, len: usize) {
        let (m, state) = (self.buffer.len(), self.state());
        let mut y = std::mem::take(&mut self.again);
        let saved = &self.checkpoints[segment * state..][..state];
        y.copy_from_slice(&saved[..m]);
        if state > m {
            self.buffer.copy_from_slice(&saved[m..]);
        }
        for i in 0..len {
            self.record(problem, x, &mut y, i);
        }
        self.again = y;
    }

    /// After [`Reverse::forward`]: `F(x, y_K)`, and in `g` the hypergradient. Two second-order products share each of the
    /// `last` sweeps. For every step `k`, backwards, with `a` the adjoint of `y`:
    /// `g ← g − s ∇²xy f(x, y_k) a`, `a ← a − s H(x, y_k) a`; with momentum the adjoint of the buffer is carried as well.
    pub fn backward(&mut self, problem: &mut Problem, x: &[f64], g: &mut [f64]) -> f64 {
        let (m, last, every) = (self.buffer.len(), self.plan.last, self.every.max(1));
        let segments = last.div_ceil(every);
        let len = |segment: usize| every.min(last - segment * every);
        let end = segments.checked_sub(1).map_or(0, len);
        let value = problem.upper_gradients(x, &self.rows[end * m..][..m], g, &mut self.adjoint);
        self.adjoint_buffer.fill(0.0);
        for segment in (0..segments).rev() {
            // The last segment is still there.
            if segment + 1 < segments {
                self.rerun(problem, x, segment, every);
            }
            for i in (0..len(segment)).rev() {
                self.pull_back(problem, x, g, i);
            }
        }
        value
    }

    /// The adjoints before step `i` of the segment that is held, from those after it.
    fn pull_back(&mut self, problem: &mut Problem, x: &[f64], g: &mut [f64], i: usize) {
        let (m, balls) = (self.buffer.len(), problem.lower.balls());
        let image = &self.rows[(i + 1) * m..][..m];
        problem.lower.project_derivative(image, &self.shrinks[i * balls..][..balls], &mut self.adjoint);
        // The adjoint of b_{k+1}: what arrives through y_{k+1} = P(y_k − s b_{k+1}), plus what b_{k+2} passed on.
        self.work.copy_from_slice(&self.adjoint);
        apply_scale(&self.plan.scale, &mut self.work);
        axpy(-self.plan.step, &self.work, &mut self.adjoint_buffer);
        let y = &self.rows[i * m..][..m];
        problem.lower_second_order(x, y, &self.adjoint_buffer, &mut self.work, &mut self.cross);
        axpy(1.0, &self.cross, g);
        axpy(1.0, &self.work, &mut self.adjoint);
        crate::linear::blas1::scale(self.plan.momentum, &mut self.adjoint_buffer);
    }
}

/// The value `F(x, y_K)` and the gradient with respect to `x` (n) of the lower algorithm `plan` started at `y0` (m), which is
/// taken as independent of `x`.
///
/// # Panics
/// When the trajectory is [`Trajectory::TooLarge`] for the problem's memory.
pub fn reverse(problem: &mut Problem, x: &[f64], y0: &[f64], plan: &Unroll) -> (f64, Vec<f64>) {
    let mut sweep = Reverse::new(problem, plan.clone());
    assert!(!matches!(sweep.trajectory, Trajectory::TooLarge { .. }), "the trajectory does not fit");
    let mut y = y0.to_vec();
    let mut g = vec![0.0; x.len()];
    sweep.forward(problem, x, &mut y, plan.step, |_| false);
    let value = sweep.backward(problem, x, &mut g);
    (value, g)
}
