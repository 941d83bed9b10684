//! Graph to graph: derivatives and simplification. A pass appends nodes and returns new roots; nothing is ever removed.

pub mod chains;
pub mod differentiate;
mod mask;
pub mod proximal;
pub mod rows;
pub mod simplify;
pub mod substitute;
