//! Lower steps `lbfgs`: limited-memory BFGS with a line search (spectral projected or proximal gradients where there are domains or nonsmooth
//! terms with a proximal operator) until `‖y − P(y − ∇y f)‖ ≤ ε_k max(1, ‖y‖)`, where the accuracy `ε_k = max(lower_tolerance · factor(k), 1e-12)` may grow finer over the
//! outer iterations `k`. No step size is needed. Not differentiated; the curvature it has seen gives an estimate of the inverse
//! Hessian to `quasi_newton`.
//!
//! Source: D. C. Liu, J. Nocedal, Math. Programming 45 (1989); the falling accuracy: F. Pedregosa, "Hyperparameter optimization with
//! approximate gradient", ICML 2016, arXiv 1602.02355.

use super::{Build, IMPLICIT_ONLY, LowerRecord, Solves};
use crate::derivatives::{Derivatives, Quantity};
use crate::linear::blas1::norm2;
use crate::minimise::{Composite, Minimiser};
use crate::problem::Problem;
use crate::proximal::Proximal;
use crate::schedule::Schedule;
use crate::settings::{Kind, OptionSpec, Piece, Preset};
use crate::solvers::step_size::StepSize;
use crate::space::Space;
use crate::state::State;

/// The finest accuracy.
const FLOOR: f64 = 1e-12;

/// The options.
pub(crate) const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "lower_tolerance",
        kind: Kind::Real { min: 0.0, max: 1.0, open: false },
        default: Preset::Number(1e-8),
        doc: "Relative stationarity to which the lower level is solved, at first.",
    },
    OptionSpec {
        name: "refine",
        kind: Kind::Schedule,
        default: Preset::Word("constant"),
        doc: "Factor on `lower_tolerance` over the outer iterations.",
    },
    OptionSpec {
        name: "lower_evaluations",
        kind: Kind::Count(1),
        default: Preset::Number(1000.0),
        doc: "Lower gradients per outer iteration, at most.",
    },
];

pub(crate) static LBFGS: LowerRecord = LowerRecord {
    piece: Piece {
        name: "lbfgs",
        doc: "limited-memory BFGS to a tolerance, which may grow finer",
        assumes: "a smooth `f`, perhaps with nonsmooth terms that have a proximal operator",
        cost: "as many gradients as the accuracy takes, 16 lower vectors",
        source: "Liu, Nocedal 1989; Pedregosa 2016, arXiv 1602.02355",
        groups: &[OPTIONS],
        requires: &[IMPLICIT_ONLY],
    },
    needs: |_, _| vec![Quantity::LowerGradient, Quantity::LowerHessian],
    build: Build {
        dynamics: None,
        momentum: None,
        solver: |context, own| {
            let (space, proximal) = (context.problem.lower.clone(), context.problem.proximal.clone());
            let simple = Composite { space: &space, proximal: proximal.as_deref() };
            Box::new(Lbfgs {
                minimiser: Minimiser::new(&simple, context.problem.roundoff),
                space,
                proximal,
                size: context.settings.has("lower_step").then(|| super::size(context)),
                first: own.real("lower_tolerance"),
                refine: own.schedule("refine"),
                steps: context.settings.count("steps"),
                budget: own.count("lower_evaluations"),
                runs: 0,
                accuracy: f64::NAN,
            })
        },
    },
};

struct Lbfgs {
    minimiser: Minimiser,
    space: Space,
    proximal: Option<Box<Proximal>>,
    /// Of a gradient step, where an option says what that is.
    size: Option<StepSize>,
    first: f64,
    refine: Schedule,
    steps: usize,
    budget: usize,
    runs: usize,
    accuracy: f64,
}

impl Solves for Lbfgs {
    fn run(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        poll: &mut dyn FnMut(&Problem) -> bool,
    ) -> Option<f64> {
        self.accuracy = (self.first * self.refine.factor(self.runs, self.steps)).max(FLOOR);
        self.runs += 1;
        let tolerance = self.accuracy * norm2(y).max(1.0);
        if let Some(proximal) = &mut self.proximal {
            proximal.weigh(|weights| problem.proximal_weights(x, y, weights));
        }
        let simple = Composite { space: &self.space, proximal: self.proximal.as_deref() };
        let mut asked = false;
        self.minimiser.run(&simple, y, self.budget, tolerance, |y, g| {
            asked = asked || poll(problem);
            // A value that is not one ends the search.
            if asked { f64::NAN } else { problem.smooth_gradient(x, y, g) }
        });
        (!asked).then_some(self.minimiser.value)
    }

    fn step_size(&mut self, problem: &mut Problem, x: &[f64], y: &[f64]) -> f64 {
        self.size.as_mut().map_or(f64::NAN, |size| {
            size.follow(problem, x, y);
            size.get()
        })
    }

    fn accuracy(&self) -> Option<f64> {
        Some(self.accuracy)
    }

    fn inverse(&self, v: &mut [f64]) -> bool {
        self.minimiser.inverse(v)
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        state.count(&mut self.runs);
        if let Some(size) = &mut self.size {
            size.state(state);
        }
        true
    }
}
