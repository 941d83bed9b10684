//! `nested`: the lower level is solved to tolerance at every upper iterate, and the upper level minimised with exact implicit
//! gradients and a line search. The plain reference that other methods are compared with.
//!
//! Assumes that `f(x, ·)` has one minimiser with a positive definite Hessian `H`. At every trial `x`: `y` by the method of
//! [`crate::minimise`] from the last accepted `y` until `‖y − P(y − ∇y f)‖ ≤ lower_tolerance · max(1, ‖y‖)`; `H v = ∇y F` by conjugate
//! gradients to `cg_tolerance`; `g = ∇x F − ∇²xy f · v`. On a lower level without domains and of at most 2000 variables both are solved with a
//! factor of an earlier `H` once that is cheaper ([`solves`]). The outer method is limited-memory BFGS where upper variables are free or in
//! intervals, else the spectral projected gradient, with backtracking on `F(x, y(x))`: no step size is needed. Stops when
//! `‖x − P(x − g)‖ ≤ tolerance`. Costs as many lower gradients and Hessian products as the accuracy takes.
//!
//! After `newton` such steps with such a factor, on a box, the outer steps are Newton's in a region of trust ([`crate::trust`]) with exact curvature
//! ([`curvature`]), as long as they find lower values; BFGS takes over again where they do not.
//!
//! A search that is stuck goes on from the point whose elements next to 0 are put at 0, where an absolute value or a norm has its kink.
//! Where the lower level is not known to be convex, the first `y` is left for a better one as long as drawn moves find one.
//!
//! Not guaranteed: a stationary point need not be a minimum; where the lower solution jumps, the line search fails.
//!
//! Sources: the implicit gradient as for `cg`; D. C. Liu, J. Nocedal, Math. Programming 45 (1989).

mod curvature;
mod solves;

use self::curvature::Curvature;
use self::solves::Solves;
use super::options::RUN;
use super::run::{Evaluation, Method, Point, Run};
use super::{Levels, Solver};
use crate::check::LOWER;
use crate::derivatives::{Derivatives, Quantity};
use crate::hypergradient::Implicit;
use crate::linear::blas1::{axpy, largest, norm2};
use crate::linear::power::seeded;
use crate::minimise::{End, Minimiser};
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::space::Space;
use crate::state::State;
use crate::status::Termination;
use crate::trust::{Curved, Step, TrustRegion};

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
    OptionSpec {
        name: "newton",
        kind: Kind::Count(0),
        default: Preset::Number(20.0),
        doc: "Outer BFGS steps before Newton's, where the lower level has no domains and at most 2000 variables, and the upper one is a box.",
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

/// Moves away from the first lower solution where the lower level is not known to be convex, and how far, relative to it.
const ESCAPES: u64 = 12;
const AWAY: f64 = 0.3;

/// Elements this small, relative to the largest one, are 0 up to rounding.
const KINK: f64 = 1e-9;

struct Nested {
    outer: Minimiser,
    inner: Inner,
    newton: Option<Newton>,
    /// Where the last step of the outer method led, if it could go no further.
    end: Option<End>,
    begun: bool,
    /// Where a search that is stuck goes on.
    settled: Vec<f64>,
}

/// Newton's steps above.
struct Newton {
    region: TrustRegion,
    curvature: Curvature,
    /// BFGS steps still to come before.
    after: usize,
    /// The adjoint at the iterate.
    adjoint: Vec<f64>,
}

/// The value and gradient of `x ↦ F(x, y(x))`.
struct Inner {
    minimiser: Minimiser,
    solves: Solves,
    space: Space,
    implicit: Implicit,
    tolerance: f64,
    evaluations: usize,
    cg: (usize, f64),
    /// `y` at the last trial.
    y: Vec<f64>,
}

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let solves = Solves::new(problem);
    let (n, m) = (start.x.len(), start.y.len());
    let region = TrustRegion::new(&problem.upper, problem.roundoff, settings.count("seed") as u64);
    Box::new(Nested {
        newton: region.filter(|_| solves.possible()).map(|region| Newton {
            region,
            curvature: Curvature::new(n, m),
            after: settings.count("newton"),
            adjoint: vec![0.0; m],
        }),
        outer: Minimiser::new(&problem.upper, problem.roundoff).quasi_newton_on_box(&problem.upper),
        inner: Inner {
            minimiser: Minimiser::new(&problem.lower, problem.roundoff).quasi_newton_on_box(&problem.lower),
            solves,
            space: problem.lower.clone(),
            implicit: Implicit::new(problem),
            tolerance: settings.real("lower_tolerance"),
            evaluations: settings.count("lower_evaluations"),
            cg: (settings.count("cg_steps"), settings.real("cg_tolerance")),
            y: start.y.clone(),
        },
        end: None,
        begun: false,
        settled: start.x.clone(),
    })
}

impl Inner {
    /// Moves `y` to a stationary point of the lower level at `x`, and on to better ones as long as drawn moves away from it lead there: a
    /// start where the gradient happens to vanish, such as 0, need not be a minimum.
    fn leave_saddles(&mut self, problem: &mut Problem, x: &[f64], y: &mut [f64], run: &mut Run<'_>) {
        let mut best = f64::INFINITY;
        for round in 0..=ESCAPES {
            self.y.copy_from_slice(y);
            let Inner { minimiser, space, y: trial, .. } = self;
            if round > 0 {
                let reach = AWAY * largest(trial).max(1.0);
                axpy(reach, &seeded(trial.len(), round), trial);
                space.project(trial);
            }
            let tolerance = self.tolerance * norm2(trial).max(1.0);
            minimiser.run(space, trial, self.evaluations, tolerance, |y, gy| {
                if run.poll(problem) { f64::NAN } else { problem.lower_gradient(x, y, gy) }
            });
            let value = minimiser.value;
            if !value.is_finite() || value > best - LOWER * best.abs().max(1.0) {
                return;
            }
            best = value;
            y.copy_from_slice(trial);
        }
    }

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
        let Inner { minimiser, solves, space, y, implicit, .. } = self;
        if !solves.factored() || !solves.newton(problem, x, y, (self.cg.0, tolerance), run) {
            y.copy_from_slice(from);
            minimiser.run(space, y, self.evaluations, tolerance, |y, gy| {
                if run.poll(problem) { f64::NAN } else { problem.lower_gradient(x, y, gy) }
            });
            solves.pay(minimiser.evaluations);
        }
        if !solves.possible() {
            implicit.adjoint.fill(0.0);
            return implicit.evaluate(problem, x, y, self.cg.0, self.cg.1, g).0;
        }
        if !solves.factored() {
            implicit.adjoint.fill(0.0);
        }
        implicit.evaluate_by(problem, x, y, g, |system| {
            solves.solve(system.problem, (x, y), system.rhs, system.adjoint, self.cg, run);
        })
    }
}

/// `φ` for Newton's steps.
struct Phi<'a, 'b> {
    inner: &'a mut Inner,
    curvature: &'a mut Curvature,
    problem: &'a mut Problem,
    /// The lower variables at the iterate.
    y: &'a [f64],
    run: &'a mut Run<'b>,
}

impl Curved for Phi<'_, '_> {
    fn value(&mut self, x: &[f64], g: &mut [f64]) -> f64 {
        self.inner.evaluate(self.problem, self.y, x, g, self.run)
    }

    fn product(&mut self, v: &[f64], out: &mut [f64]) -> bool {
        let Inner { solves, cg, .. } = &mut *self.inner;
        self.curvature.product(self.problem, solves, v, out, cg.0, self.run)
    }
}

impl Newton {
    /// A step from the iterate of `outer`; false when there is none and BFGS has to go on.
    fn step(
        &mut self,
        problem: &mut Problem,
        outer: &mut Minimiser,
        inner: &mut Inner,
        (x, y): (&mut [f64], &[f64]),
        run: &mut Run<'_>,
    ) -> bool {
        let Newton { region, curvature, adjoint, .. } = self;
        adjoint.copy_from_slice(&inner.implicit.adjoint);
        curvature.at(problem, x, y, adjoint);
        let mut phi = Phi { inner, curvature, problem, y, run };
        let end = region.step(&mut phi, x, &mut outer.value, &mut outer.gradient);
        end == Step::Moved
    }
}

/// In `settled` the point with every element that is 0 up to rounding put at 0, where absolute values and norms have the slope 0 and a
/// search is no longer thrown from one side to the other; false when there is no such element.
fn at_kinks(x: &[f64], settled: &mut [f64]) -> bool {
    let small = KINK * largest(x).max(1.0);
    settled.copy_from_slice(x);
    settled.iter_mut().filter(|x| x.abs() <= small).for_each(|x| *x = 0.0);
    settled != x
}

impl Method for Nested {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation {
        let space = std::mem::take(&mut problem.upper);
        let Nested { outer, inner, newton, .. } = self;
        let Point { x, y } = point;
        self.end = problem.tolerantly(|problem| {
            if self.begun {
                if let Some(exact) =
                    newton.as_mut().filter(|newton| newton.after == 0 && inner.solves.factored())
                {
                    if exact.step(problem, outer, inner, (x, y), run) {
                        return None;
                    }
                    *newton = None;
                    outer.begin(&space, x, |x, g| inner.evaluate(problem, y, x, g, run));
                } else if let Some(newton) = newton {
                    newton.after = newton.after.saturating_sub(1);
                }
                let end = outer.step(&space, x, |x, g| inner.evaluate(problem, y, x, g, run));
                if end != Some(End::Stalled) || !at_kinks(x, &mut self.settled) {
                    return end;
                }
                // From the kink on which the search was stuck.
                space.project(&mut self.settled);
                let before = outer.value;
                outer.begin(&space, &self.settled, |x, g| inner.evaluate(problem, y, x, g, run));
                if outer.value <= before + KINK * before.abs().max(1.0) {
                    x.copy_from_slice(&self.settled);
                    return None;
                }
                outer.begin(&space, x, |x, g| inner.evaluate(problem, y, x, g, run));
                end
            } else {
                if !problem.lower_convex {
                    inner.leave_saddles(problem, x, y, run);
                }
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
        // The lower level is solved anew at every trial, from the adjoint and with the factor that are there.
        self.outer.state(state);
        state.flag(&mut self.begun);
        state.numbers(&mut self.inner.implicit.adjoint);
        self.inner.solves.state(state);
        let mut exact = self.newton.is_some();
        state.flag(&mut exact);
        match &mut self.newton {
            Some(newton) if exact => {
                state.count(&mut newton.after);
                newton.region.state(state);
            }
            newton => *newton = None,
        }
        true
    }
}
