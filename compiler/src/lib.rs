//! From text to a compiled bilevel program.

mod bug;
pub mod codegen;
pub mod entry;
pub mod ir;
pub mod lower;
pub mod model;
pub mod ops;
pub mod passes;
pub mod types;
