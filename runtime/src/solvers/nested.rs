//! `nested`: the lower level is solved to tolerance at every upper iterate, and the upper level minimised with exact implicit
//! gradients and a line search. The plain reference that other methods are compared with.
//!
//! Assumes that `f(x, ·)` has one minimiser with a positive definite Hessian `H`. At every trial `x`: `y` by the method of
//! [`crate::minimise`] from the last accepted `y` until `‖y − P(y − ∇y f)‖ ≤ lower_tolerance · max(1, ‖y‖)`; `H v = ∇y F` by conjugate
//! gradients to `cg_tolerance`; `g = ∇x F − ∇²xy f · v`. The outer method is limited-memory BFGS where all upper variables are free,
//! else the spectral projected gradient, with backtracking on `F(x, y(x))`: no step size is needed. Stops when
//! `‖x − P(x − g)‖ ≤ tolerance`. Costs as many lower gradients and Hessian products as the accuracy takes.
//!
//! Not guaranteed: a stationary point need not be a minimum; where the lower solution jumps, the line search fails.
//!
//! Sources: the implicit gradient as for `cg`; D. C. Liu, J. Nocedal, Math. Programming 45 (1989).

use super::options::RUN;
use super::run::{Evaluation, Method, Point, Run};
use super::{Levels, Solver};
use crate::derivatives::{Derivatives, Quantity};
use crate::hypergradient::Implicit;
use crate::linear::blas1::norm2;
use crate::minimise::{End, Minimiser};
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::space::Space;
use crate::state::State;
use crate::status::Termination;

const SHARE: Kind = Kind::Real { min: 0.0, max: 1.0, open: false };

const OWN: &[OptionSpec] = &[
    OptionSpec {
        name: "lower_tolerance",
        kind: SHARE,
        default: Preset::Number(1e-8),
        doc: "Relative stationarity to which the lower level is solved.",
    },
    OptionSpec {
        name: "lower_evaluations",
        kind: Kind::Count(1),
        default: Preset::Number(1000.0),
        doc: "Lower gradients per trial point, at most.",
    },
    OptionSpec {
        name: "cg_steps",
        kind: Kind::Count(1),
        default: Preset::Number(200.0),
        doc: "Steps of conjugate gradients per trial point, at most.",
    },
    OptionSpec {
        name: "cg_tolerance",
        kind: SHARE,
        default: Preset::Number(1e-8),
        doc: "Relative residual at which conjugate gradients stop.",
    },
];

/// The solver.
pub static NESTED: Solver = Solver {
    name: "nested",
    summary: "the reference: the lower level solved to tolerance at every step, exact gradients and a line search above",
    source: "Liu, Nocedal 1989; Birgin, Martínez, Raydan 2000",
    groups: &[RUN, OWN],
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: |_| {
        vec![
            Quantity::LowerValue,
            Quantity::LowerGradient,
            Quantity::LowerHessian,
            Quantity::LowerSecondOrder,
            Quantity::UpperGradients,
        ]
    },
    build,
};

struct Nested {
    outer: Minimiser,
    inner: Inner,
    /// Where the last step of the outer method led, if it could go no further.
    end: Option<End>,
    begun: bool,
}

/// The value and gradient of `x ↦ F(x, y(x))`.
struct Inner {
    minimiser: Minimiser,
    space: Space,
    implicit: Implicit,
    tolerance: f64,
    evaluations: usize,
    cg: (usize, f64),
    /// `y` at the last trial.
    y: Vec<f64>,
}

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    Box::new(Nested {
        outer: Minimiser::new(&problem.upper, problem.roundoff),
        inner: Inner {
            minimiser: Minimiser::new(&problem.lower, problem.roundoff),
            space: problem.lower.clone(),
            implicit: Implicit::new(problem),
            tolerance: settings.real("lower_tolerance"),
            evaluations: settings.count("lower_evaluations"),
            cg: (settings.count("cg_steps"), settings.real("cg_tolerance")),
            y: start.y.clone(),
        },
        end: None,
        begun: false,
    })
}

impl Inner {
    /// `F(x, y(x))` with its gradient in `g`, from the lower point `from`; NaN when the run was asked to stop.
    fn evaluate(
        &mut self,
        problem: &mut Problem,
        from: &[f64],
        x: &[f64],
        g: &mut [f64],
        run: &mut Run<'_>,
    ) -> f64 {
        if run.poll(problem) {
            return f64::NAN;
        }
        self.y.copy_from_slice(from);
        let tolerance = self.tolerance * norm2(from).max(1.0);
        let Inner { minimiser, space, y, implicit, .. } = self;
        minimiser.run(space, y, self.evaluations, tolerance, |y, gy| {
            if run.poll(problem) { f64::NAN } else { problem.lower_gradient(x, y, gy) }
        });
        implicit.adjoint.fill(0.0);
        implicit.evaluate(problem, x, y, self.cg.0, self.cg.1, g).0
    }
}

impl Method for Nested {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation {
        let space = std::mem::take(&mut problem.upper);
        let Nested { outer, inner, .. } = self;
        let Point { x, y } = point;
        self.end = problem.tolerantly(|problem| {
            if self.begun {
                outer.step(&space, x, |x, g| inner.evaluate(problem, y, x, g, run))
            } else {
                outer.begin(&space, x, |x, g| inner.evaluate(problem, y, x, g, run));
                None
            }
        });
        problem.upper = space;
        self.begun = true;
        if run.poll(problem) {
            return Evaluation::NONE;
        }
        if self.end.is_none() {
            y.copy_from_slice(&self.inner.y);
        }
        let lower = problem.lower_value(x, y);
        let measure = self.outer.residual(&problem.upper, x);
        Evaluation { upper: self.outer.value, lower, measure }
    }

    fn update(&mut self, _: &mut Problem, _: &mut Point, k: usize) -> Option<Termination> {
        match self.end? {
            End::NonFinite => Some(Termination::LineSearchFailed { iteration: k }),
            End::Stalled | End::Converged | End::Budget => Some(Termination::Stalled { iteration: k }),
        }
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        // The lower level is solved anew at every trial.
        self.outer.state(state);
        state.flag(&mut self.begun);
        true
    }
}
