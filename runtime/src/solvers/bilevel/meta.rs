//! What the methods of meta-learning share: the upper variable is where the lower steps start, and they differ in what they take for
//! the gradient by it.

use super::hypergradient::HypergradientRecord;
use super::init::shared::{OPTIONS, SHARED};
use super::truncate::full::FULL;
use super::upper::step::step;
use super::{Composition, lower};
use crate::settings::{OptionSpec, Settings};
use crate::solvers::options::{
    LOWER_MOMENTUM, LOWER_RULE_UNROLLED, LOWER_STEP, RUN_ADAPTED, UPPER, lower_steps,
};

const LOWER: &[OptionSpec] = &[lower_steps(5.0), LOWER_STEP, LOWER_RULE_UNROLLED, LOWER_MOMENTUM];

/// The options of such a method.
pub(crate) const GROUPS: &[&[OptionSpec]] = &[RUN_ADAPTED, LOWER, OPTIONS, UPPER];

/// The method with this hypergradient.
pub(crate) fn composition(hypergradient: &'static HypergradientRecord, settings: &Settings) -> Composition {
    Composition {
        init: SHARED.with(settings),
        lower: lower::by_rule(settings),
        truncate: FULL.with(settings),
        hypergradient: hypergradient.with(settings),
        upper: step(settings),
    }
}
