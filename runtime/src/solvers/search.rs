//! The piece that `random` and `grid` share: the lower level is solved to tolerance at each of a sequence of upper points, and the
//! best is kept. Which points is left to the methods; this file also knows the box they lie in.

use super::run::{Evaluation, Method, Point, Run};
use crate::derivatives::{Derivatives, Quantity};
use crate::linear::blas1::norm2;
use crate::minimise::{Composite, End, Minimiser};
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::space::{Domain, Space, end};
use crate::state::State;
use crate::status::Termination;

/// The relative stationarity at which a lower point that cannot be improved further still counts as solved.
const ACCEPTED: f64 = 1e-6;

const ANY: Kind = Kind::Real { min: f64::NEG_INFINITY, max: f64::INFINITY, open: false };

/// Options of the box and of the lower level.
pub(super) const SEARCH: &[OptionSpec] = &[
    OptionSpec {
        name: "lower_bound",
        kind: ANY,
        default: Preset::Number(f64::NEG_INFINITY),
        doc: "Where upper variables without a lower bound begin.",
    },
    OptionSpec {
        name: "upper_bound",
        kind: ANY,
        default: Preset::Number(f64::INFINITY),
        doc: "Where upper variables without an upper bound end.",
    },
    OptionSpec {
        name: "radius",
        kind: Kind::PositiveOr("none"),
        default: Preset::Word("none"),
        doc: "Upper variables that are still without a bound lie at most so far from the model's start.",
    },
    OptionSpec {
        name: "scale",
        kind: Kind::Choice(&["linear", "log"]),
        default: Preset::Word("linear"),
        doc: "Whether points are spread evenly, or their logarithms, which needs bounds above 0.",
    },
    OptionSpec {
        name: "lower_tolerance",
        kind: Kind::Real { min: 0.0, max: 1.0, open: false },
        default: Preset::Number(1e-8),
        doc: "Relative stationarity to which the lower level is solved.",
    },
    OptionSpec {
        name: "lower_evaluations",
        kind: Kind::Count(1),
        default: Preset::Number(1000.0),
        doc: "Lower gradients per point, at most.",
    },
];

/// The ends of every upper variable, in logarithms where the scale is `log`; none for the elements of simplices and balls.
pub(super) struct Bounds {
    ends: Vec<(f64, f64)>,
    log: bool,
}

impl Bounds {
    /// From the domains and the options; `Err` says which variable has none.
    pub(super) fn new(space: &Space, settings: &Settings) -> Result<Bounds, String> {
        let (low, high) = (settings.real("lower_bound"), settings.real("upper_bound"));
        let radius = settings.number("radius").unwrap_or(f64::INFINITY);
        let log = settings.word("scale") == "log";
        let start = space.start();
        let mut ends = Vec::with_capacity(space.len());
        for block in space.blocks() {
            for i in 0..block.len {
                let (lo, hi) = match &block.domain {
                    Domain::Free => (f64::NEG_INFINITY, f64::INFINITY),
                    Domain::Interval { lo, hi } => (end(lo, i), end(hi, i)),
                    Domain::Simplex | Domain::Ball(_) => {
                        ends.push((0.0, 0.0));
                        continue;
                    }
                };
                let at = start[block.offset + i];
                let given = |bound: f64, option: f64, around: f64| {
                    [bound, option, around].into_iter().find(|v| v.is_finite()).unwrap_or(bound)
                };
                let (lo, hi) = (given(lo, low, at - radius), given(hi, high, at + radius));
                if !(lo.is_finite() && hi.is_finite()) {
                    return Err(format!(
                        "`{}` has no bounds: give it a domain, or the options `lower_bound` and `upper_bound`, or `radius`",
                        block.name
                    ));
                }
                if lo > hi || (log && lo <= 0.0) {
                    let why =
                        if lo > hi { "is empty" } else { "does not lie above 0, as the scale `log` needs" };
                    return Err(format!("the range of `{}`, from {lo} to {hi}, {why}", block.name));
                }
                ends.push(if log { (lo.ln(), hi.ln()) } else { (lo, hi) });
            }
        }
        Ok(Bounds { ends, log })
    }

    /// The value of element `i` at a share of its range from 0 to 1.
    pub(super) fn at(&self, i: usize, share: f64) -> f64 {
        let (lo, hi) = self.ends[i];
        let value = lo + share * (hi - lo);
        if self.log { value.exp() } else { value }
    }
}

/// A sequence of upper points.
pub(super) trait Points {
    /// Writes point number `k`, counted from 1, into `x`; false after the last one.
    fn point(&mut self, space: &Space, k: usize, x: &mut [f64]) -> bool;
}

/// The method: point 0 is the model's start.
pub(super) struct Search<P> {
    /// The points, or why there are none.
    points: Result<P, String>,
    minimiser: Minimiser,
    tolerance: f64,
    evaluations: usize,
    /// Where the lower level is solved from.
    start: Vec<f64>,
    trial: Point,
    /// `F` and `f` at the best point.
    best: (f64, f64),
}

impl<P: Points> Search<P> {
    pub(super) fn new(
        problem: &Problem,
        settings: &Settings,
        start: &Point,
        points: Result<P, String>,
    ) -> Self {
        Search {
            points,
            minimiser: Minimiser::new(&lower(problem), problem.roundoff),
            tolerance: settings.real("lower_tolerance"),
            evaluations: settings.count("lower_evaluations"),
            start: start.y.clone(),
            trial: start.clone(),
            best: (f64::INFINITY, f64::NAN),
        }
    }

    /// Solves the lower level at the trial point: whether that worked.
    fn answer(&mut self, problem: &mut Problem, run: &mut Run<'_>) -> bool {
        let Search { minimiser, trial: Point { x, y }, .. } = self;
        y.copy_from_slice(&self.start);
        problem.weigh(x, y);
        let aim = self.tolerance * norm2(y).max(1.0);
        // Both are moved out for the run, since they belong to the problem as the derivatives do.
        let (space, proximal) = (std::mem::take(&mut problem.lower), problem.proximal.take());
        let simple = Composite { space: &space, proximal: proximal.as_deref() };
        let kinks = proximal.is_some();
        let end = minimiser.run(&simple, y, self.evaluations, aim, |y, gy| match kinks {
            _ if run.poll(problem) => f64::NAN,
            true => problem.smooth_gradient(x, y, gy),
            false => problem.lower_gradient(x, y, gy),
        });
        let residual = minimiser.residual(&simple, y);
        (problem.lower, problem.proximal) = (space, proximal);
        let accepted = ACCEPTED.max(1e3 * problem.roundoff) * norm2(y).max(1.0);
        end == End::Converged || residual <= accepted
    }
}

/// What the lower level is minimised over.
fn lower(problem: &Problem) -> Composite<'_> {
    Composite { space: &problem.lower, proximal: problem.proximal.as_deref() }
}

/// What the methods evaluate.
pub(super) fn needs(_: &Settings) -> Vec<Quantity> {
    vec![Quantity::LowerGradient, Quantity::SmoothGradient, Quantity::ProximalWeights, Quantity::UpperValue]
}

impl<P: Points> Method for Search<P> {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation {
        if self.points.is_err() || run.poll(problem) {
            return Evaluation::NONE;
        }
        problem.tolerantly(|problem| {
            let solved = self.answer(problem, run);
            if run.poll(problem) {
                return;
            }
            let upper = problem.upper_value(&self.trial.x, &self.trial.y);
            if solved && upper < self.best.0 {
                self.best = (upper, self.minimiser.value);
                point.x.copy_from_slice(&self.trial.x);
                point.y.copy_from_slice(&self.trial.y);
            }
        });
        let (upper, lower) = self.best;
        // Nothing is driven to zero.
        Evaluation { upper, lower, measure: f64::NAN }
    }

    fn update(&mut self, problem: &mut Problem, _: &mut Point, k: usize) -> Option<Termination> {
        match &mut self.points {
            Err(reason) => Some(Termination::Refused { reason: std::mem::take(reason) }),
            Ok(points) => {
                let more = points.point(&problem.upper, k + 1, &mut self.trial.x);
                (!more).then_some(Termination::Steps)
            }
        }
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        state.numbers(&mut self.trial.x);
        state.number(&mut self.best.0);
        state.number(&mut self.best.1);
        true
    }
}
