//! The upper step `backtracking`: `x ← P(x − g / L)`, where `L` follows what the steps bring. With `ε` the accuracy of the lower solution, `d` the
//! length of the last step and `φ` the upper objective: when `φ_new ≤ φ_old + C ε_new + (C + 1) ε_old d − ½ L d²` with `C = ¼` the step was good, and
//! `L ← 0.95 L`; when not, `L ← 2 L`, and where `φ_new ≥ φ_old + 0.2 |φ_old|` the step is taken back. The first `L` makes the first step as long as
//! `√n`. No size to choose; not monotone.
//!
//! Trap: the released code asks for a decrease of `L d²`, all that the slope promises, leaves `L` alone between the two tests, and takes the
//! step twice. As written there the rule goes to and fro for ever on `(x − ½)²` from 0.
//!
//! Source: F. Pedregosa, "Hyperparameter optimization with approximate gradient", ICML 2016, arXiv 1602.02355, section 3.

use super::{Seen, Upper, UpperRecord};
use crate::linear::blas1::{axpy, distance, norm2};
use crate::problem::Problem;
use crate::settings::Piece;
use crate::state::State;

/// How much of an inexact gradient counts.
const C: f64 = 0.25;

pub(crate) static BACKTRACKING: UpperRecord = UpperRecord {
    piece: Piece {
        name: "backtracking",
        doc: "a size that grows while the upper objective falls as it should, and shrinks otherwise",
        assumes: "a value and gradient as accurate as the lower level is solved",
        cost: "one more upper vector; a step that is taken back costs an iteration",
        source: "Pedregosa 2016, arXiv 1602.02355",
        groups: &[],
        requires: &[],
    },
    needs: |_, _| Vec::new(),
    build: |context, _| {
        Box::new(Backtracking { inverse: f64::NAN, last: None, from: vec![0.0; context.start.x.len()] })
    },
};

struct Backtracking {
    /// `L`.
    inverse: f64,
    /// Value and accuracy where the last step began, if it has not been judged.
    last: Option<(f64, f64)>,
    /// Where that was.
    from: Vec<f64>,
}

impl Upper for Backtracking {
    fn update(&mut self, problem: &Problem, _: usize, seen: Seen<'_>, x: &mut [f64]) {
        let Seen { gradient, value, accuracy } = seen;
        if self.inverse.is_nan() {
            let length = norm2(gradient);
            self.inverse = if length > 1e-3 { length / (x.len() as f64).sqrt() } else { 1.0 };
        }
        if let Some((before, coarse)) = self.last.take() {
            let moved = distance(x, &self.from);
            let slack = C * accuracy + (C + 1.0) * coarse * moved;
            if value <= before + slack - 0.5 * self.inverse * moved * moved {
                self.inverse *= 0.95;
            } else {
                self.inverse *= 2.0;
                // A value that is not a number is no progress either.
                if value.is_nan() || value >= before + 0.2 * before.abs() {
                    x.copy_from_slice(&self.from);
                    return;
                }
            }
        }
        self.last = Some((value, accuracy));
        self.from.copy_from_slice(x);
        axpy(-1.0 / self.inverse, gradient, x);
        problem.upper.project(x);
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        state.number(&mut self.inverse);
        state.numbers(&mut self.from);
        let mut judged = self.last.is_none();
        let (mut value, mut accuracy) = self.last.unwrap_or((f64::NAN, f64::NAN));
        state.flag(&mut judged);
        state.number(&mut value);
        state.number(&mut accuracy);
        self.last = (!judged).then_some((value, accuracy));
        true
    }
}
