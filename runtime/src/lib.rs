//! From compiled kernels to a solution: the problem a solver sees, the solvers, and the checks of what they return.
//! Nothing here knows the language.

pub mod derivatives;
pub mod kernel;
pub mod program;
