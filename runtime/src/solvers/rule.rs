//! Descent rules: from a gradient to the vector that, times a step size, is subtracted.

use crate::linear::blas1::{axpy, scale};
use crate::state::State;

const ADAM: (f64, f64, f64) = (0.9, 0.999, 1e-8);

/// Which rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// The gradient itself.
    Gradient,
    /// Heavy ball: `b ← mu b + g`, direction `b`.
    Momentum(f64),
    /// Nesterov's momentum at the current point: `b ← mu b + g`, direction `g + mu b`.
    Nesterov(f64),
    /// Adam with bias correction (Kingma, Ba, 2015, arXiv 1412.6980, algorithm 1; β₁ = 0.9, β₂ = 0.999, ε = 1e-8).
    Adam,
}

impl Kind {
    /// The rule of that name, with this momentum where it has one.
    pub(crate) fn named(name: &str, momentum: f64) -> Self {
        match name {
            "momentum" => Kind::Momentum(momentum),
            "nesterov" => Kind::Nesterov(momentum),
            "adam" => Kind::Adam,
            _ => Kind::Gradient,
        }
    }
}

/// A rule with its memory.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    kind: Kind,
    first: Vec<f64>,
    second: Vec<f64>,
    direction: Vec<f64>,
    count: i32,
}

impl Rule {
    pub(crate) fn new(kind: Kind, len: usize) -> Self {
        let first = if kind == Kind::Gradient { 0 } else { len };
        let second = if kind == Kind::Adam { len } else { 0 };
        Rule { kind, first: vec![0.0; first], second: vec![0.0; second], direction: vec![0.0; len], count: 0 }
    }

    /// Whether the direction is the gradient itself.
    pub(crate) fn is_gradient(&self) -> bool {
        self.kind == Kind::Gradient
    }

    /// Its memory.
    pub(crate) fn state(&mut self, state: &mut dyn State) {
        state.numbers(&mut self.first);
        state.numbers(&mut self.second);
        let mut count = self.count as usize;
        state.count(&mut count);
        self.count = count as i32;
    }

    /// Forgets the past.
    pub(crate) fn reset(&mut self) {
        self.first.fill(0.0);
        self.second.fill(0.0);
        self.count = 0;
    }

    /// The direction for gradient `g`.
    pub(crate) fn direction(&mut self, g: &[f64]) -> &mut [f64] {
        self.direction.copy_from_slice(g);
        match self.kind {
            Kind::Gradient => {}
            Kind::Momentum(mu) => {
                scale(mu, &mut self.first);
                axpy(1.0, g, &mut self.first);
                self.direction.copy_from_slice(&self.first);
            }
            Kind::Nesterov(mu) => {
                scale(mu, &mut self.first);
                axpy(1.0, g, &mut self.first);
                axpy(mu, &self.first, &mut self.direction);
            }
            Kind::Adam => self.adam(g),
        }
        &mut self.direction
    }

    fn adam(&mut self, g: &[f64]) {
        let (beta1, beta2, epsilon) = ADAM;
        self.count = self.count.saturating_add(1);
        let bias1 = 1.0 - beta1.powi(self.count);
        let bias2 = 1.0 - beta2.powi(self.count);
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((d, (m, v)), g) in self.direction.iter_mut().zip(moments).zip(g) {
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = beta2 * *v + (1.0 - beta2) * g * g;
            *d = (*m / bias1) / ((*v / bias2).sqrt() + epsilon);
        }
    }
}
