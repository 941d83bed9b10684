//! Reverse differentiation of a lower algorithm. The sweep needs the iterates backwards: they are kept, or under a memory budget only
//! every `s`-th of them, and the steps in between are run again, segment by segment. Both give the same bits, since a step run again
//! is the same arithmetic on the same numbers.

use super::Descent;
use super::dynamics::{Dynamics, Momentum};
use crate::derivatives::Derivatives;
use crate::problem::Problem;
use crate::state::State;

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
    /// What fits into `memory` bytes for a sweep over `last` steps of `m` lower variables with `balls` ball domains, where a
    /// checkpoint takes `state` numbers: as few steps again as possible.
    fn choose(last: usize, m: usize, state: usize, balls: usize, memory: usize) -> Self {
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

/// Which steps of the lower algorithm are differentiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truncation {
    /// All of them.
    Full,
    /// The last so many.
    Last(usize),
    /// Those up to the iterate, after the start, where `F` is largest; of several the first.
    ArgmaxUpper,
}

/// Reverse differentiation with room for one trajectory; no call after [`Reverse::new`] allocates.
#[derive(Debug)]
pub struct Reverse {
    dynamics: Box<dyn Dynamics>,
    steps: usize,
    last: usize,
    worst: Option<Worst>,
    trajectory: Trajectory,
    /// The steps of a segment.
    every: usize,
    /// Iterate and memory of the dynamics at the start of every segment; empty when there is one.
    checkpoints: Vec<f64>,
    /// The iterates of one segment and the one after it, `every + 1` rows of `m`.
    rows: Vec<f64>,
    /// The shrink factors of ball projections, `every` rows.
    shrinks: Vec<f64>,
    /// The iterate of a segment run again.
    again: Vec<f64>,
    adjoint: Vec<f64>,
}

/// Where `F` was largest on the way.
#[derive(Clone, Copy, Debug)]
struct Worst {
    /// The iterate, from 1.
    at: usize,
    value: f64,
    /// `F` at the last iterate.
    last: f64,
}

impl Worst {
    const NONE: Worst = Worst { at: 1, value: f64::NEG_INFINITY, last: f64::NAN };

    fn pass(&mut self, at: usize, value: f64) {
        self.last = value;
        if value > self.value {
            (self.at, self.value) = (at, value);
        }
    }
}

impl Reverse {
    /// The memory of the steps.
    pub(crate) fn state(&mut self, state: &mut dyn State) -> bool {
        self.dynamics.state(state)
    }

    /// A sweep over (heavy-ball) gradient steps. Memory: `6 · m + n` numbers, and at most [`Problem::memory`] bytes for the
    /// trajectory; nothing when it is [`Trajectory::TooLarge`], and then there can be no sweep.
    pub fn new(problem: &Problem, plan: Unroll) -> Self {
        let Unroll { steps, step, momentum, last, scale } = plan;
        let mut dynamics = Momentum::new(problem, momentum, false, scale);
        dynamics.begin(step);
        Self::over(problem, Box::new(dynamics), steps, Truncation::Last(last))
    }

    /// A sweep over `steps` steps of any lower algorithm.
    pub fn over(
        problem: &Problem,
        dynamics: Box<dyn Dynamics>,
        steps: usize,
        truncation: Truncation,
    ) -> Self {
        let (m, balls) = (problem.lower.len(), problem.lower.balls());
        let (last, worst) = match truncation {
            Truncation::Full => (steps, None),
            Truncation::Last(last) => (last.min(steps), None),
            Truncation::ArgmaxUpper => (steps, Some(Worst::NONE)),
        };
        let state = m + dynamics.memory().len();
        let trajectory = Trajectory::choose(last, m, state, balls, problem.memory);
        let every = match trajectory {
            Trajectory::Kept => last,
            Trajectory::Checkpoints { every } => every,
            Trajectory::TooLarge { .. } => 0,
        };
        let segments = if every == last || every == 0 { 0 } else { last.div_ceil(every) };
        Reverse {
            dynamics,
            steps,
            last,
            worst,
            trajectory,
            every,
            checkpoints: vec![0.0; segments * state],
            rows: vec![0.0; (every + 1) * m],
            shrinks: vec![1.0; every * balls],
            again: vec![0.0; m],
            adjoint: vec![0.0; m],
        }
    }

    /// How the iterates are held.
    pub fn trajectory(&self) -> Trajectory {
        self.trajectory
    }

    /// After [`Reverse::backward`]: the derivative by the iterate the sweep ended at (m), in full that by the start.
    pub fn adjoint(&self) -> &[f64] {
        &self.adjoint
    }

    /// After [`Reverse::forward`] under [`Truncation::ArgmaxUpper`]: `F` at the last iterate.
    pub fn upper_at_end(&self) -> Option<f64> {
        self.worst.map(|worst| worst.last)
    }

    /// Runs the lower algorithm from `y`, which becomes the last iterate, with steps of size `step`. `poll` is asked before every
    /// step; `None` when it asked to stop.
    pub fn forward(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        step: f64,
        mut poll: impl FnMut(&Problem) -> bool,
    ) -> Option<Descent> {
        self.dynamics.begin(step);
        self.worst = self.worst.map(|_| Worst::NONE);
        let first = self.steps - self.last;
        for k in 0..self.steps {
            if poll(problem) {
                return None;
            }
            if k < first {
                self.dynamics.step(problem, x, y, k);
                problem.lower.project(y);
            } else {
                if (k - first).is_multiple_of(self.every) {
                    self.save((k - first) / self.every, y);
                }
                self.record(problem, x, y, k - first);
            }
            if let Some(worst) = &mut self.worst {
                worst.pass(k + 1, problem.upper_value(x, y));
            }
        }
        if self.last == 0 {
            self.rows.copy_from_slice(y);
        }
        Some(self.dynamics.descent())
    }

    /// Keeps the state at the start of a segment.
    fn save(&mut self, segment: usize, y: &[f64]) {
        if self.checkpoints.is_empty() {
            return;
        }
        let memory = self.dynamics.memory();
        let state = y.len() + memory.len();
        let place = &mut self.checkpoints[segment * state..][..state];
        place[..y.len()].copy_from_slice(y);
        place[y.len()..].copy_from_slice(memory);
    }

    /// Step `j` of those differentiated, from `y`, with everything the sweep will ask for.
    fn record(&mut self, problem: &mut Problem, x: &[f64], y: &mut [f64], j: usize) {
        let (m, balls, i) = (y.len(), problem.lower.balls(), j % self.every);
        self.rows[i * m..][..m].copy_from_slice(y);
        self.dynamics.step(problem, x, y, self.steps - self.last + j);
        problem.lower.project_recording(y, &mut self.shrinks[i * balls..][..balls]);
        self.rows[(i + 1) * m..][..m].copy_from_slice(y);
    }

    /// Runs the first `len` steps of a segment again.
    fn rerun(&mut self, problem: &mut Problem, x: &[f64], segment: usize, len: usize) {
        let m = self.again.len();
        let mut y = std::mem::take(&mut self.again);
        let state = m + self.dynamics.memory().len();
        let saved = &self.checkpoints[segment * state..][..state];
        y.copy_from_slice(&saved[..m]);
        self.dynamics.recall(&saved[m..]);
        for i in 0..len {
            self.record(problem, x, &mut y, segment * self.every + i);
        }
        self.again = y;
    }

    /// After [`Reverse::forward`]: `F` at the iterate the sweep begins at (the last, unless truncated otherwise), and in `g` the
    /// hypergradient. For every step `k`, backwards, with `a` the adjoint of `y`, for gradient steps:
    /// `g ← g − s ∇²xy f(x, y_k) a`, `a ← a − s H(x, y_k) a`; with momentum the adjoint of the buffer is carried as well.
    pub fn backward(&mut self, problem: &mut Problem, x: &[f64], g: &mut [f64]) -> f64 {
        let (m, every) = (self.again.len(), self.every.max(1));
        let end = self.worst.map_or(self.last, |worst| worst.at.min(self.last));
        let held = self.last.div_ceil(every);
        let segments = end.div_ceil(every);
        let len = |segment: usize| every.min(end - segment * every);
        if 0 < segments && segments < held {
            self.rerun(problem, x, segments - 1, len(segments - 1));
        }
        let row = segments.checked_sub(1).map_or(0, len);
        let value = problem.upper_gradients(x, &self.rows[row * m..][..m], g, &mut self.adjoint);
        self.dynamics.begin_backward();
        for segment in (0..segments).rev() {
            // The segment the sweep begins in is there.
            if segment + 1 < segments {
                self.rerun(problem, x, segment, every);
            }
            for i in (0..len(segment)).rev() {
                self.pull_back(problem, x, g, segment * every + i);
            }
        }
        value
    }

    /// The adjoints before step `j` of those differentiated, from those after it. Its segment is held.
    fn pull_back(&mut self, problem: &mut Problem, x: &[f64], g: &mut [f64], j: usize) {
        let (m, balls, i) = (self.again.len(), problem.lower.balls(), j % self.every);
        let image = &self.rows[(i + 1) * m..][..m];
        problem.lower.project_derivative(image, &self.shrinks[i * balls..][..balls], &mut self.adjoint);
        let y = &self.rows[i * m..][..m];
        let k = self.steps - self.last + j;
        self.dynamics.pull_back(problem, x, y, k, &mut self.adjoint, g);
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
