//! The tensor graph: nodes, their builder, the reference evaluator, the verifier and the printer.

pub mod build;
pub mod cost;
pub mod eval;
pub mod graph;
pub mod loops;
pub mod print;
pub mod scalar;
pub mod verify;
