//! From text to a compiled bilevel program.

mod bug;
pub mod check;
pub mod codegen;
pub mod codes;
pub mod compile;
pub mod derive;
pub mod draws;
pub mod entry;
mod instantiate;
pub mod ir;
pub mod lower;
pub mod model;
pub mod ops;
pub mod passes;
pub mod session;
pub mod solution;
pub mod types;
