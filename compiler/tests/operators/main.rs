//! Tests of the tensor graph: operators, derivatives, simplification, evaluation.

mod derivatives;
mod evaluation;
mod suite;
mod support;
