//! The size of outer steps that nobody chose, by distance over gradients: `r_k / sqrt(Σ_{i ≤ k} ‖d_i‖²)` with `r_k` the longest
//! distance from the start so far (at first [`FIRST`] of the start's own size) and `d_i` the directions. It needs no constant of
//! the problem, does not change when the objective is scaled, and shrinks when directions grow: a step is never longer than `r_k`.
//! On a quadratic it settles within a few times of `1/L`.
//!
//! Not guaranteed: the sum never forgets, so a few wild directions early in a run make all later steps short.
//!
//! Source: M. Ivgi, O. Hinder, Y. Carmon, "DoG is SGD's best friend: a parameter-free dynamic step size schedule", ICML 2023,
//! arXiv 2302.12022, equation (DoG).

use crate::linear::blas1::{dot, squared_distance};
use crate::state::State;

/// The first step, relative to `1 + ‖start‖`.
const FIRST: f64 = 1e-3;

/// The start, how far the iterate has been from it, and the directions so far.
#[derive(Clone, Debug)]
pub(crate) struct Adaptive {
    /// A factor on the size.
    share: f64,
    start: Vec<f64>,
    farthest: f64,
    sum: f64,
}

impl Adaptive {
    /// For vectors of this length, with a factor on the size.
    pub(crate) fn new(len: usize, share: f64) -> Self {
        Adaptive { share, start: vec![0.0; len], farthest: 0.0, sum: 0.0 }
    }

    /// Its memory.
    pub(crate) fn state(&mut self, state: &mut dyn State) {
        state.numbers(&mut self.start);
        state.number(&mut self.farthest);
        state.number(&mut self.sum);
    }

    /// The size of the step along `−d` from `x`; 0 as long as all directions were 0.
    pub(crate) fn size(&mut self, x: &[f64], d: &[f64]) -> f64 {
        if self.farthest == 0.0 {
            self.start.copy_from_slice(x);
            self.farthest = FIRST * (1.0 + dot(x, x).sqrt());
        }
        self.farthest = self.farthest.max(squared_distance(x, &self.start).sqrt());
        self.sum += dot(d, d);
        if self.sum > 0.0 { self.share * self.farthest / self.sum.sqrt() } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::Adaptive;

    /// The points of a run on `f = ½ c (x² + 4 z²)`.
    fn run(c: f64) -> Vec<[f64; 2]> {
        let mut adaptive = Adaptive::new(2, 1.0);
        let mut x = [3.0, -4.0];
        let step = |_| {
            let d = [c * x[0], 4.0 * c * x[1]];
            let size = adaptive.size(&x, &d);
            x = [x[0] - size * d[0], x[1] - size * d[1]];
            x
        };
        (0..400).map(step).collect()
    }

    #[test]
    fn the_first_step_is_a_thousandth_of_the_start() {
        let x = run(1.0)[0];
        let moved = (x[0] - 3.0).hypot(x[1] + 4.0);
        assert!((moved - 1e-3 * 6.0).abs() < 1e-12, "{moved}");
    }

    /// Powers of two change no bit.
    #[test]
    fn a_scaled_objective_takes_the_same_steps() {
        assert_eq!(run(1.0), run(1024.0));
        assert_eq!(run(1.0), run(2.0_f64.powi(-30)));
    }

    #[test]
    fn a_quadratic_is_solved() {
        let x = run(1.0)[399];
        assert!(x[0].hypot(x[1]) < 1e-6, "{x:?}");
    }

    #[test]
    fn nothing_to_go_by_moves_nothing() {
        assert_eq!(Adaptive::new(1, 1.0).size(&[1.0], &[0.0]), 0.0);
    }
}
