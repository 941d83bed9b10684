//! What is evaluated on a batch, which batch, and how much of the data that touches. Batches are drawn uniformly and independently of
//! each other, so that estimates are unbiased given all that came before.

use crate::derivatives::Derivatives;
use crate::linear::blas1::scale;
use crate::problem::Problem;
use crate::random::Random;
use crate::samples::Side;
use crate::state::State;

/// Where directions are wanted: upper variables, lower variables, adjoint.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) x: &'a [f64],
    pub(super) y: &'a [f64],
    pub(super) v: &'a [f64],
}

/// Draws batches, evaluates them, and counts the terms they touch. An evaluation at one point counts its terms once, however many
/// derivatives it takes.
pub(super) struct Oracle {
    random: Random,
    batches: [usize; 2],
    terms: [u64; 2],
    touched: u64,
    lens: [usize; 2],
}

impl Oracle {
    /// Cuts the terms into batches and draws them as the seed says.
    pub(super) fn new(problem: &mut Problem, seed: u64) -> Self {
        let sides = [Side::Lower, Side::Upper];
        let (mut batches, mut terms) = ([1, 1], [1, 1]);
        if let Some(samples) = &mut problem.samples {
            samples.shuffle(seed);
            batches = sides.map(|side| samples.batches(side));
            terms = sides.map(|side| samples.terms(side));
        }
        let lens = [problem.upper.len(), problem.lower.len()];
        Oracle { random: Random::new(seed ^ 0x5eed), batches, terms, touched: 0, lens }
    }

    /// What was drawn and touched so far.
    pub(super) fn state(&mut self, state: &mut dyn State) {
        self.random.state(state);
        state.word(&mut self.touched);
    }

    /// How many batches a level has.
    pub(super) fn batches(&self, side: Side) -> usize {
        self.batches[side as usize]
    }

    /// The terms of both levels.
    pub(super) fn terms(&self) -> u64 {
        self.terms[0] + self.terms[1]
    }

    /// The terms touched so far.
    pub(super) fn touched(&self) -> u64 {
        self.touched
    }

    /// Passes over the terms of both levels.
    pub(super) fn epochs(&self) -> f64 {
        self.touched as f64 / self.terms() as f64
    }

    /// A batch of each level.
    pub(super) fn draw(&mut self) -> [usize; 2] {
        self.batches.map(|n| if n == 1 { 0 } else { self.random.below(n) })
    }

    /// The length of the directions of the lower level: `y`, `v` and `x`.
    pub(super) fn lower_len(&self) -> usize {
        self.lens[0] + 2 * self.lens[1]
    }

    /// The length of those of the upper level: `v` and `x`.
    pub(super) fn upper_len(&self) -> usize {
        self.lens[0] + self.lens[1]
    }

    /// Takes note of an evaluation of a level on a batch.
    pub(super) fn touch(&mut self, problem: &Problem, side: Side, batches: [usize; 2]) {
        self.touched += problem.samples.as_ref().map_or(1, |s| s.terms_of(side, batches[side as usize]));
    }

    /// Takes note of `n` evaluations of a whole level.
    pub(super) fn touch_all(&mut self, side: Side, n: u64) {
        self.touched += n * self.terms[side as usize];
    }

    /// On a batch `(∇y f, ∇²yy f · v, −∇²xy f · v)`, one after another.
    pub(super) fn lower(&mut self, problem: &mut Problem, batches: [usize; 2], at: At<'_>, out: &mut [f64]) {
        self.touch(problem, Side::Lower, batches);
        problem.on_batches(batches, |problem| self.lower_of(problem, at, out));
    }

    /// On a batch `(−∇y F, ∇x F)`.
    pub(super) fn upper(&mut self, problem: &mut Problem, batches: [usize; 2], at: At<'_>, out: &mut [f64]) {
        self.touch(problem, Side::Upper, batches);
        problem.on_batches(batches, |problem| self.upper_of(problem, at, out));
    }

    /// Both on all terms, added up.
    pub(super) fn full(&mut self, problem: &mut Problem, at: At<'_>, work: &mut [f64], out: &mut [f64]) {
        self.touch_all(Side::Lower, 1);
        self.touch_all(Side::Upper, 1);
        self.lower_of(problem, at, out);
        self.upper_of(problem, at, work);
        self.add_upper(work, out);
    }

    /// The directions of the lower level by whatever `problem` evaluates.
    pub(super) fn lower_of(&self, problem: &mut Problem, at: At<'_>, out: &mut [f64]) {
        let m = self.lens[1];
        let (y, rest) = out.split_at_mut(m);
        let (v, x) = rest.split_at_mut(m);
        problem.lower_directions(at.x, at.y, at.v, y, v, x);
        scale(-1.0, x);
    }

    fn upper_of(&self, problem: &mut Problem, at: At<'_>, out: &mut [f64]) {
        let (v, x) = out.split_at_mut(self.lens[1]);
        problem.upper_gradients_only(at.x, at.y, x, v);
        scale(-1.0, v);
    }

    /// Adds the directions of the upper level to those of the lower level.
    pub(super) fn add_upper(&self, upper: &[f64], out: &mut [f64]) {
        for (out, upper) in out[self.lens[1]..].iter_mut().zip(upper) {
            *out += upper;
        }
    }

    /// The parts of directions: of `y`, of `v`, of `x`.
    pub(super) fn parts<'a>(&self, directions: &'a [f64]) -> [&'a [f64]; 3] {
        let m = self.lens[1];
        [&directions[..m], &directions[m..2 * m], &directions[2 * m..]]
    }
}
