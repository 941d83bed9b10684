//! Global answers by branching. Without its pairs the single-level form is a convex program, whose solution bounds the
//! objective from below; where a pair is violated there, one of its ends must be at its bound, and either choice is a program of
//! the same kind. The same tree branches on whole numbers. A tree without an open end proves that its best point is the best
//! there is, or that there is none. Multipliers need no bound: a pair is resolved by fixing a variable.
//!
//! Sources: J. F. Bard, J. T. Moore, "A branch and bound algorithm for the bilevel programming problem", SIAM J. Sci. Stat.
//! Comput. 11 (1990); J. F. Bard, "Convex two-level optimization", Math. Programming 40 (1988).

mod answers;
mod branch;
pub mod contract;
pub mod convex;
pub mod form;
pub mod mip;
mod node;
mod pool;
pub mod qp;
pub mod relaxation;
pub mod search;
pub mod spatial;
pub mod terms;
pub mod ties;
pub mod value;
mod value_answers;
mod value_form;
mod value_proof;
mod value_terms;
pub mod whole;
pub mod worst;

/// What a tree proves about the best point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proof {
    /// Programs solved for bounds.
    pub nodes: usize,
    /// No point of the model has a lower objective, minimised.
    pub bound: f64,
    /// `(objective − bound) / max(1, |objective|)`.
    pub gap: f64,
}

impl Proof {
    /// Whether the gap is closed.
    pub fn is_closed(&self) -> bool {
        self.gap <= CLOSED
    }
}

/// The relative gap at which a point counts as proved to be the best there is.
pub const CLOSED: f64 = 1e-6;
