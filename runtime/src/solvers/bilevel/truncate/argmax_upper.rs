//! The truncation `argmax_upper` (pessimistic trajectory truncation): the sweep begins at the first of the iterates `y_1, …, y_K` where `F`
//! is largest, and `F` there is what is minimised. When the worst iterate is good, so are all later ones: a learned start cannot
//! make `F` small along the way and leave the lower level unsolved.
//!
//! The iterate may change from one outer iteration to the next, and `F` at it is not differentiable there: the gradient is one of a
//! Clarke-type subdifferential. If it stays the first for long, the lower step is too small or the start is stuck.
//!
//! Source: R. Liu, Y. Liu, S. Zeng, J. Zhang, "Towards gradient-based bilevel optimization with non-convex followers and beyond",
//! NeurIPS 2021, arXiv 2110.00455.

use super::{SWEEPS, TruncateRecord};
use crate::derivatives::Quantity;
use crate::hypergradient::Truncation;
use crate::settings::Piece;

pub(crate) static ARGMAX_UPPER: TruncateRecord = TruncateRecord {
    piece: Piece {
        name: "argmax_upper",
        doc: "a sweep begins at the iterate where the upper objective is largest",
        assumes: "nothing; what is minimised is piecewise smooth",
        cost: "the upper objective at `lower_steps` points; products for the steps before the worst",
        source: "Liu et al. 2021, arXiv 2110.00455",
        groups: &[],
        requires: &[SWEEPS],
    },
    needs: |_, _| vec![Quantity::UpperValue],
    build: |_| Truncation::ArgmaxUpper,
};
