//! Tests of the tensor graph: operators, derivatives, simplification, evaluation.

// Helpers of tests stop the test when something is wrong, as tests do.
#![allow(clippy::unwrap_used)]

mod chains;
mod contraction;
mod curvature;
mod derivatives;
mod evaluation;
mod rewrites;
mod suite;
mod support;
