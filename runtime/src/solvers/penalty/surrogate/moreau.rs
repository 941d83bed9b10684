//! Surrogate `moreau`: `f(x, y) − v(x, y)` with the Moreau envelope `v(x, y) = min_θ f(x, θ) + ‖θ − y‖²/(2 gamma)` of the lower level,
//! whose minimiser is followed by one proximal gradient step per iteration. `f` may have a part with a proximal operator; steps on `y`
//! then treat it by that.

use super::{Surrogate, SurrogateRecord, around};
use crate::derivatives::{Derivatives, Quantity};
use crate::linear::blas1::squared_distance;
use crate::problem::Problem;
use crate::settings::{OptionSpec, Piece, Preset};
use crate::solvers::options::POSITIVE;
use crate::solvers::penalty::combine_difference;
use crate::solvers::run::{Point, Run};
use crate::solvers::step_needs;
use crate::solvers::step_size::StepSize;
use crate::state::State;

/// The proximity.
pub(crate) const GAMMA: OptionSpec = OptionSpec {
    name: "gamma",
    kind: POSITIVE,
    default: Preset::Number(2.0),
    doc: "Proximity of the Moreau envelope; below half the inverse of the lower level's negative curvature.",
};

pub(crate) static MOREAU: SurrogateRecord = SurrogateRecord {
    piece: Piece {
        name: "moreau",
        doc: "`f(x, y)` less its Moreau envelope, whose minimiser follows by one proximal step",
        assumes: "a lower level that is weakly convex in `y`; with a nonconvex one `y` becomes stationary, perhaps a maximiser",
        cost: "two lower gradients in `y`, two in `x`",
        source: "Liu et al. 2024, arXiv 2405.09927",
        groups: &[&[GAMMA]],
        requires: &[],
    },
    needs: |settings, _| {
        let mut needs = vec![
            Quantity::LowerGradient,
            Quantity::LowerGradientX,
            Quantity::SmoothGradient,
            Quantity::ProximalWeights,
        ];
        needs.extend(step_needs(settings));
        needs.extend(step_needs(settings).map(|_| Quantity::SmoothHessian));
        needs
    },
    build: |problem, settings, own, start, rest| {
        let gamma = own.real("gamma");
        let surrogate = Moreau {
            eta: StepSize::proximal(problem, settings, start, 0.5, 1.0 / gamma),
            proximity: 1.0 / gamma,
            valued: rest.weight.is_of_gap(),
            weighed: false,
            theta: start.y.clone(),
            last: start.y.clone(),
            moved: f64::INFINITY,
            values: [f64::NAN; 2],
            away: f64::NAN,
            at_y: start.clone(),
            at_theta: start.clone(),
        };
        around(problem, settings, start, surrogate, rest)
    },
};

struct Moreau {
    eta: StepSize,
    /// `1/gamma`.
    proximity: f64,
    /// Whether the weight asks for the gap.
    valued: bool,
    /// Whether the weights of the nonsmooth part are known to be those of the iterate: not in a run that goes on from a kept state.
    weighed: bool,
    theta: Vec<f64>,
    last: Vec<f64>,
    moved: f64,
    /// `f` at `y` and at `θ`.
    values: [f64; 2],
    /// `‖θ − y‖²`, where the gap is asked for.
    away: f64,
    /// `∇x f`, and `∇y` of the smooth part, at `(x, y)`.
    at_y: Point,
    /// The same at `(x, θ)`.
    at_theta: Point,
}

/// `θ⁺ = θ − eta (g + (θ − y)/gamma)`. These are functions of slices so that the compiler knows that they do not overlap.
fn towards_envelope(new: &mut [f64], theta: &[f64], g: &[f64], y: &[f64], eta: f64, proximity: f64) {
    for (((new, t), g), y) in new.iter_mut().zip(theta).zip(g).zip(y) {
        *new = t - eta * (g + (t - y) * proximity);
    }
}

/// `d ← a d + b (g − (y − θ)/gamma)`
fn lower_direction(d: &mut [f64], [a, b]: [f64; 2], g: &[f64], proximity: f64, y: &[f64], theta: &[f64]) {
    for (((d, g), y), theta) in d.iter_mut().zip(g).zip(y).zip(theta) {
        *d = a * *d + b * (g - proximity * y + proximity * theta);
    }
}

impl Surrogate for Moreau {
    fn y_step(&self) -> f64 {
        self.eta.get()
    }

    fn is_proximal(&self) -> bool {
        true
    }

    fn advance(&mut self, problem: &mut Problem, point: &Point, _: &mut Run<'_>) -> bool {
        let Point { x, y } = point;
        if !std::mem::replace(&mut self.weighed, true) {
            problem.weigh(x, y);
        }
        problem.smooth_gradient_only(x, &self.theta, &mut self.at_theta.y);
        self.eta.follow(problem, x, &self.theta);
        let eta = self.eta.get();
        std::mem::swap(&mut self.theta, &mut self.last);
        towards_envelope(&mut self.theta, &self.last, &self.at_theta.y, y, eta, self.proximity);
        problem.settle(eta, &[], &mut self.theta);
        self.moved = squared_distance(&self.theta, &self.last) / (eta * eta);
        true
    }

    fn gradients(&mut self, problem: &mut Problem, point: &Point) -> f64 {
        let value = self.gradient_x(problem, point);
        self.gradient_y(problem, point);
        value
    }

    fn gradient_x(&mut self, problem: &mut Problem, point: &Point) -> f64 {
        let Point { x, y } = point;
        let of_theta = match self.valued {
            true => problem.lower_gradient_x(x, &self.theta, &mut self.at_theta.x),
            false => problem.lower_gradient_x_only(x, &self.theta, &mut self.at_theta.x),
        };
        self.values = [problem.lower_gradient_x(x, y, &mut self.at_y.x), of_theta];
        if self.valued {
            self.away = squared_distance(&self.theta, y);
        }
        self.values[0]
    }

    fn gradient_y(&mut self, problem: &mut Problem, point: &Point) {
        problem.smooth_gradient_only(&point.x, &point.y, &mut self.at_y.y);
    }

    fn gap(&self) -> f64 {
        self.values[0] - self.values[1] - 0.5 * self.proximity * self.away
    }

    fn add_x(&self, a: f64, b: f64, d: &mut [f64]) {
        combine_difference(a, b, &self.at_y.x, &self.at_theta.x, d);
    }

    fn add_y(&self, point: &Point, a: f64, b: f64, d: &mut [f64]) {
        lower_direction(d, [a, b], &self.at_y.y, self.proximity, &point.y, &self.theta);
    }

    fn moved(&self) -> f64 {
        self.moved
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.eta.state(state);
        state.numbers(&mut self.theta);
        self.weighed = false;
        true
    }
}
