//! Random points of a space: further starts of a method, and the points of random search. They depend on the space and the seed
//! alone. Bounded domains are filled evenly; where there is no bound, points lie around the model's start.

use crate::linear::blas1::{norm2, scale};
use crate::linear::power::fill;
use crate::problem::Problem;
use crate::solvers::Point;
use crate::space::{Block, Domain, Space, end};

/// How far from the start variables without bounds are drawn, in turns: relative to the size of the start, at least 1.
const REACH: [f64; 2] = [1.0, 3.0];

/// The start number `k` of a run with this seed: the model's own for 0, then points drawn at both levels.
pub fn start(problem: &Problem, k: usize, seed: u64) -> Point {
    if k == 0 {
        return Point::start(problem);
    }
    let seed = seed.wrapping_mul(1_000_003).wrapping_add(2 * k as u64);
    let reach = REACH[(k - 1) % REACH.len()];
    Point { x: drawn(&problem.upper, reach, seed), y: drawn(&problem.lower, reach, seed.wrapping_add(1)) }
}

/// A point of the space. Blocks without bounds are moved from their start by about `reach · max(1, ‖start‖)` in norm, half-bounded
/// elements lie between their bound and about twice that far behind the start.
pub fn drawn(space: &Space, reach: f64, seed: u64) -> Vec<f64> {
    let mut flat = vec![0.0; space.len()];
    fill(&mut flat, seed);
    let start = space.start();
    for block in space.blocks() {
        let range = block.offset..block.offset + block.len;
        place(block, &start[range.clone()], reach, &mut flat[range]);
    }
    space.project(&mut flat);
    flat
}

/// Turns values from −1 to 1 into elements of the block.
pub(crate) fn place(block: &Block, start: &[f64], reach: f64, u: &mut [f64]) {
    // Values spread evenly over [−√3, √3] have variance 1.
    let spread = reach * 3f64.sqrt() * norm2(start).max(1.0) / (block.len.max(1) as f64).sqrt();
    match &block.domain {
        Domain::Free => u.iter_mut().zip(start).for_each(|(u, s)| *u = s + spread * *u),
        Domain::Interval { lo, hi } => {
            for (i, (u, s)) in u.iter_mut().zip(start).enumerate() {
                let (lo, hi) = (end(lo, i), end(hi, i));
                let share = 0.5 * (*u + 1.0);
                *u = match (lo.is_finite(), hi.is_finite()) {
                    (true, true) => lo + share * (hi - lo),
                    (true, false) => lo + share * 2.0 * (s - lo).max(spread),
                    (false, true) => hi - share * 2.0 * (hi - s).max(spread),
                    (false, false) => s + spread * *u,
                };
            }
        }
        // Exponential values divided by their sum are even on the simplex.
        Domain::Simplex => {
            for row in u.chunks_exact_mut(block.row()) {
                row.iter_mut().for_each(|u| *u = -(0.5 * (1.0 - *u)).max(f64::MIN_POSITIVE).ln());
                let sum: f64 = row.iter().sum();
                scale(1.0 / sum, row);
            }
        }
        Domain::Ball(radius) => {
            let share = 0.5 * (u.first().copied().unwrap_or(0.0) + 1.0);
            let size = norm2(u);
            if size > 0.0 {
                scale(radius * share.powf(1.0 / block.len as f64) / size, u);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> Space {
        let interval = |lo: f64, hi: f64| Domain::Interval { lo: vec![lo], hi: vec![hi] };
        Space::new(vec![
            Block::new("free", &[4], Domain::Free, vec![10.0; 4]),
            Block::new("box", &[5], interval(2.0, 3.0), vec![2.5; 5]),
            Block::new("above", &[5], interval(1.0, f64::INFINITY), vec![1.0; 5]),
            Block::new("below", &[5], interval(f64::NEG_INFINITY, 0.0), vec![-50.0; 5]),
            Block::new("share", &[2, 3], Domain::Simplex, vec![0.0; 6]),
            Block::new("ball", &[3], Domain::Ball(2.0), vec![0.0; 3]),
        ])
        .unwrap()
    }

    /// Projection moves no drawn point, points differ from each other, and the same seed gives the same point.
    #[test]
    fn points_lie_in_their_domains() {
        let space = space();
        let mut earlier: Vec<Vec<f64>> = Vec::new();
        for seed in 0..200 {
            let point = drawn(&space, 1.0, seed);
            assert_eq!(point, drawn(&space, 1.0, seed));
            let mut projected = point.clone();
            space.project(&mut projected);
            let far = point.iter().zip(&projected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(far < 1e-15, "{point:?}");
            assert!(!earlier.contains(&point));
            earlier.push(point);
        }
        let mean = |i: usize| earlier.iter().map(|p| p[i]).sum::<f64>() / 200.0;
        assert!((mean(0) - 10.0).abs() < 2.0 && (mean(4) - 2.5).abs() < 0.1, "{} {}", mean(0), mean(4));
        assert!((mean(20) - 1.0 / 3.0).abs() < 0.05, "{}", mean(20));
    }
}
