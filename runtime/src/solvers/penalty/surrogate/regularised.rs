//! Surrogate `regularised_copy`: `f(x, y) − f_z` with `f_z = f(x, z) + mu_k ‖z‖²`, where `z` follows the regularised lower level by
//! gradient steps from where it was; and `F` gets `theta_k ‖y‖²` added. Both regularisers fade: `mu_k = mu (k+1)^-p`, `theta_k` alike.
//! They make the two problems coercive and their solutions single.

use super::{Surrogate, SurrogateRecord, around, copy_needs};
use crate::derivatives::Derivatives;
use crate::linear::blas1::dot;
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Piece, Preset, Settings};
use crate::solvers::penalty::combine_difference;
use crate::solvers::run::{Point, Run};
use crate::solvers::step_size::StepSize;
use crate::state::State;

const fn at_least_zero(name: &'static str, default: f64, doc: &'static str) -> OptionSpec {
    let kind = Kind::Real { min: 0.0, max: f64::INFINITY, open: false };
    OptionSpec { name, kind, default: Preset::Number(default), doc }
}

/// The regularisers.
pub(crate) const FADING: &[OptionSpec] = &[
    at_least_zero("mu", 0.01, "Regulariser of the copy's problem at the first iteration, mu ‖z‖²."),
    at_least_zero("theta", 0.01, "Regulariser of the upper objective at the first iteration, theta ‖y‖²."),
    at_least_zero("fade", 1.0, "How fast both regularisers fade, (k+1)^-fade."),
];

pub(crate) static REGULARISED: SurrogateRecord = SurrogateRecord {
    piece: Piece {
        name: "regularised_copy",
        doc: "`f(x, y)` less the value that `lower_steps` steps on `f(x, z) + mu ‖z‖²` reach, and `theta ‖y‖²` added to `F`; both fade",
        assumes: "that gradient steps reach a global minimiser of the regularised lower level; the gap may be negative",
        cost: "`lower_steps` gradients, one full lower gradient, one in `x`",
        source: "Liu et al. 2023, arXiv 2110.04974",
        groups: &[FADING],
        requires: &[],
    },
    needs: copy_needs,
    build: |problem, settings, own, start, rest| {
        let surrogate = Regularised::new(problem, settings, own, start);
        around(problem, settings, start, surrogate, rest)
    },
};

struct Regularised {
    size: StepSize,
    steps: usize,
    k: usize,
    fade: f64,
    /// At the first iteration.
    mu: f64,
    theta: f64,
    z: Vec<f64>,
    slope: Vec<f64>,
    value: f64,
    at: Point,
    /// `f_z` and `∇x f(x, z)`.
    least: f64,
    at_z: Vec<f64>,
}

impl Regularised {
    fn new(problem: &mut Problem, settings: &Settings, own: &Settings, start: &Point) -> Self {
        Regularised {
            size: StepSize::lower(problem, settings, start, 1.0, 0.0),
            steps: settings.count("lower_steps"),
            k: 0,
            fade: own.real("fade"),
            mu: own.real("mu"),
            theta: own.real("theta"),
            z: start.y.clone(),
            slope: start.y.clone(),
            value: f64::NAN,
            at: start.clone(),
            least: f64::NAN,
            at_z: start.x.clone(),
        }
    }

    /// What is left of the regularisers in iteration `k`.
    fn share(&self, k: usize) -> f64 {
        ((k + 1) as f64).powf(-self.fade)
    }
}

/// `z ← z − size (g + 2 mu z)`
fn regularised_step(z: &mut [f64], g: &[f64], size: f64, mu: f64) {
    for (z, g) in z.iter_mut().zip(g) {
        *z -= size * (g + 2.0 * mu * *z);
    }
}

impl Surrogate for Regularised {
    fn y_step(&self) -> f64 {
        0.5 * self.size.get()
    }

    fn advance(&mut self, problem: &mut Problem, point: &Point, run: &mut Run<'_>) -> bool {
        self.size.follow(problem, &point.x, &self.z);
        let mu = self.mu * self.share(self.k);
        self.k += 1;
        // The curvature of the regulariser is 2 mu.
        let size = 1.0 / (1.0 / self.size.get() + 2.0 * mu);
        for _ in 0..self.steps {
            if run.poll(problem) {
                return false;
            }
            problem.lower_gradient_only(&point.x, &self.z, &mut self.slope);
            regularised_step(&mut self.z, &self.slope, size, mu);
            problem.lower.project(&mut self.z);
        }
        let value = problem.lower_gradient_x(&point.x, &self.z, &mut self.at_z);
        self.least = value + mu * dot(&self.z, &self.z);
        true
    }

    fn gradients(&mut self, problem: &mut Problem, point: &Point) -> f64 {
        self.value = problem.lower_gradients(&point.x, &point.y, &mut self.at.x, &mut self.at.y);
        self.value
    }

    fn gradient_x(&mut self, problem: &mut Problem, point: &Point) -> f64 {
        self.value = problem.lower_gradient_x(&point.x, &point.y, &mut self.at.x);
        self.value
    }

    fn gradient_y(&mut self, problem: &mut Problem, point: &Point) {
        self.value = problem.lower_gradient(&point.x, &point.y, &mut self.at.y);
    }

    fn gap(&self) -> f64 {
        self.value - self.least
    }

    fn add_x(&self, a: f64, b: f64, d: &mut [f64]) {
        combine_difference(a, b, &self.at.x, &self.at_z, d);
    }

    fn add_y(&self, point: &Point, a: f64, b: f64, d: &mut [f64]) {
        let theta = 2.0 * self.theta * self.share(self.k.saturating_sub(1));
        for ((d, g), y) in d.iter_mut().zip(&self.at.y).zip(&point.y) {
            *d = a * (*d + theta * y) + b * g;
        }
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.size.state(state);
        state.count(&mut self.k);
        state.numbers(&mut self.z);
        true
    }
}
