//! From compiled kernels to a solution: the problem a solver sees, the solvers, and the checks of what they return.
//! Nothing here knows the language.

pub mod check;
pub mod chunks;
pub mod constrained;
pub mod derivatives;
pub mod face;
pub mod fallback;
pub mod frozen;
pub mod hypergradient;
pub mod kernel;
pub mod linear;
pub mod minimise;
pub mod monitor;
pub mod problem;
pub mod program;
pub mod proximal;
mod random;
pub mod samples;
pub mod schedule;
pub mod settings;
mod sides;
pub mod slopes;
pub mod solution;
pub mod solvers;
pub mod space;
pub mod starts;
pub mod state;
pub mod status;
pub mod threads;
mod trust;
