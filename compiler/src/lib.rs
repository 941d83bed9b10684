//! From text to a compiled bilevel program.

mod bug;
pub mod check;
pub mod chunk;
pub mod codegen;
pub mod codes;
mod compile;
pub mod convexity;
mod cost;
pub mod csr;
mod derive;
pub mod draws;
pub mod entry;
pub mod estimate;
pub mod export;
pub mod given;
pub mod inspect;
mod instantiate;
pub mod ir;
pub mod lower;
pub mod model;
pub mod notation;
pub mod ops;
pub mod passes;
mod reformulate;
pub mod session;
mod solution;
pub mod types;

pub use check::draft::{Answer, Draft, draft};
pub use check::{Annotated, Note, STDLIB, analyse, analyse_tree, annotate, function_help, function_names};
pub use compile::{
    Sampling, Stage, compile, compile_chunks_in, compile_in, compile_sampled, compile_sampled_in,
    compile_single_level, compile_single_level_in, emit, emit_single_level, proximal,
};
pub use convexity::convexity;
pub use cost::{Cost, Costs, costs};
pub use passes::proximal::Split;
pub use reformulate::branching::{Boxes, boxes_to_branch_in, levels_to_branch_in, pairs_to_branch_on};
pub use solution::{Expectation, blame, expectations, follower_objectives};
