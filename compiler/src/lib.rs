//! From text to a compiled bilevel program.

mod bug;
pub mod ir;
pub mod model;
pub mod ops;
pub mod passes;
pub mod types;
