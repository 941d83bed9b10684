//! Options that several solvers share: one place for their meaning and default.

use crate::settings::{Kind, OptionSpec, Preset};

const fn option(name: &'static str, kind: Kind, default: Preset, doc: &'static str) -> OptionSpec {
    OptionSpec { name, kind, default, doc }
}

const MOMENTUM: Kind = Kind::Real { min: 0.0, max: 0.999_999, open: false };

/// A positive number.
pub(crate) const POSITIVE: Kind = Kind::Real { min: 0.0, max: f64::INFINITY, open: true };

/// The measure at which a run stops.
pub(crate) const TOLERANCE: OptionSpec = option(
    "tolerance",
    Kind::Real { min: 0.0, max: f64::INFINITY, open: false },
    Preset::Number(1e-8),
    "Stop when the solver's measure of stationarity is at most this; 0 runs all the steps.",
);

/// The seed.
pub(crate) const SEED: OptionSpec =
    option("seed", Kind::Count(0), Preset::Number(0.0), "Seed of everything random in the solver.");

/// What the final check may spend.
pub(crate) const CHECK_STEPS: OptionSpec = option(
    "check_steps",
    Kind::Count(1),
    Preset::Number(1000.0),
    "Evaluations the final check may spend on each of polishing, the adjoint and the curvature.",
);

const STEPS: OptionSpec = option("steps", Kind::Count(0), Preset::Number(1000.0), "Outer iterations.");

/// Options of every solver for two levels but those with a loop of their own.
pub(crate) const RUN: &[OptionSpec] = &[STEPS, TOLERANCE, SEED, CHECK_STEPS, FINISHED];

const FINISHED: OptionSpec = option(
    FINISH,
    Kind::Flag,
    Preset::Bool(true),
    "Where the last iterate does not solve the lower level, solve it at the last `x` from the last `y`, and say what gap the method left.",
);

/// As [`RUN`], for methods whose answer is where a few lower steps end.
pub(crate) const RUN_ADAPTED: &[OptionSpec] =
    &[STEPS, TOLERANCE, SEED, CHECK_STEPS, OptionSpec { default: Preset::Bool(false), ..FINISHED }];

/// The name of the option that closes the lower gap at the end.
pub(crate) const FINISH: &str = "finish";

/// Options of the loop of a solver for one level.
pub(crate) const RUN_ALONE: &[OptionSpec] = &[STEPS, TOLERANCE, SEED, CHECK_STEPS];

/// Options of the step of the outer iteration.
pub(crate) const UPPER: &[OptionSpec] = &[
    option(
        "upper_step",
        Kind::PositiveOr("auto"),
        Preset::Word("auto"),
        "Step size of the upper variables; `auto` is the distance from the start so far over the root of the summed squares of the directions so far. Where that leads astray, the run goes back to its best iterate with a quarter of all automatic sizes.",
    ),
    option(
        "upper_rule",
        Kind::Choice(&["gradient", "momentum", "nesterov", "adam"]),
        Preset::Word("gradient"),
        "How a gradient becomes a step.",
    ),
    option("momentum", MOMENTUM, Preset::Number(0.9), "Momentum of the rules `momentum` and `nesterov`."),
    option(
        "schedule",
        Kind::Schedule,
        Preset::Word("constant"),
        "Factor on the outer steps over the run: (k+1)^-p, r^k, or a cosine down to 0.",
    ),
    option(
        "clip",
        POSITIVE,
        Preset::Number(f64::INFINITY),
        "Longest outer direction; longer ones are shortened to it.",
    ),
    option(
        "rates",
        Kind::Rates,
        Preset::NoRates,
        "Factors on the steps of single variables, of either level.",
    ),
];

/// The size of the lower steps.
pub(crate) const LOWER_STEP: OptionSpec = option(
    "lower_step",
    Kind::PositiveOr("auto"),
    Preset::Word("auto"),
    "Step size on the lower level; `auto` is 1/L with L the largest curvature, estimated again as the variables move.",
);

const LOWER_RULE: OptionSpec = option(
    "lower_rule",
    Kind::Choice(&["gradient", "momentum", "nesterov", "adam"]),
    Preset::Word("gradient"),
    "How a lower gradient becomes a step.",
);

/// The momentum of lower rules that have one.
pub(crate) const LOWER_MOMENTUM: OptionSpec = option(
    "lower_momentum",
    MOMENTUM,
    Preset::Number(0.9),
    "Momentum of the lower rules `momentum` and `nesterov`.",
);

/// How many lower steps.
pub(crate) const fn lower_steps(default: f64) -> OptionSpec {
    option(
        "lower_steps",
        Kind::Count(1),
        Preset::Number(default),
        "Steps on the lower level per outer iteration.",
    )
}

/// Whether the lower steps go on where they ended.
pub(crate) const fn warm(default: bool) -> OptionSpec {
    option(
        "warm",
        Kind::Flag,
        Preset::Bool(default),
        "Start the lower steps where the last iteration ended, not at the model's start.",
    )
}

/// The lower rules that a sweep can go through.
pub(crate) const LOWER_RULE_UNROLLED: OptionSpec =
    OptionSpec { kind: Kind::Choice(&["gradient", "momentum", "nesterov"]), ..LOWER_RULE };

/// The lower level of `rhg` and `fhg`.
pub(crate) const LOWER_UNROLLED: &[OptionSpec] =
    &[lower_steps(100.0), LOWER_STEP, LOWER_RULE_UNROLLED, LOWER_MOMENTUM, warm(false)];

/// How much of its sweep `rhg` and its like do.
pub(crate) const TRUNCATE: &[OptionSpec] = &[option(
    "truncate",
    Kind::CountOr("full"),
    Preset::Word("full"),
    "How many of the last lower steps the reverse sweep covers.",
)];

/// The lower level of `cg` and `neumann`.
pub(crate) const LOWER_IMPLICIT: &[OptionSpec] =
    &[lower_steps(20.0), LOWER_STEP, LOWER_RULE_IMPLICIT, LOWER_MOMENTUM, warm(true)];

/// The lower rules of methods that do not go back through the steps.
pub(crate) const LOWER_RULE_IMPLICIT: OptionSpec = OptionSpec {
    kind: Kind::Choice(&["gradient", "momentum", "nesterov", "adam", "conjugate_gradient"]),
    doc: "How a lower gradient becomes a step; `conjugate_gradient` takes its steps on the quadratic model of `f` where they begin, which solves a quadratic lower level.",
    ..LOWER_RULE
};

/// The lower copy of `bome`.
pub(crate) const LOWER_COPY: &[OptionSpec] = &[lower_steps(10.0), LOWER_STEP, LOWER_RULE, LOWER_MOMENTUM];

/// The proximal copy of `meha`.
pub(crate) const LOWER_PROXIMAL: &[OptionSpec] = &[OptionSpec {
    doc: "Step size of the proximal copy (eta); `auto` is 0.5/(L + 1/gamma) with L the largest curvature, estimated again as `x` moves.",
    ..LOWER_STEP
}];
