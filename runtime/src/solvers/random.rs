//! `random`: random search over the upper variables. A baseline that needs no upper derivative and no luck with the start.
//!
//! Assumes few upper variables within bounds, and a lower level that a descent method solves. Every iteration draws a point:
//! evenly (or evenly in the logarithm) within bounds, simplices and balls; solves the lower level there from the model's start
//! until `‖y − P(y − ∇y f)‖ ≤ lower_tolerance · max(1, ‖y‖)`; and keeps the point with the lowest upper objective among those where
//! that worked. The first point is the model's start. Has no stopping test but the number of `steps`. Costs one upper value and as
//! many lower gradients per point as the accuracy takes; memory for two points.
//!
//! Not guaranteed: that a better point is found in any number of steps that can be waited for, once there are more than a few
//! variables.
//!
//! Source: J. Bergstra, Y. Bengio, "Random search for hyper-parameter optimization", JMLR 13 (2012).

use super::options::RUN;
use super::run::{Method, Point};
use super::search::{self, Bounds, Points, SEARCH, Search};
use super::{Levels, Solver};
use crate::linear::power::fill;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::space::{Domain, Space};
use crate::starts::place;

/// The solver.
pub static RANDOM: Solver = Solver {
    name: "random",
    summary: "random search over bounded upper variables, the lower level solved to tolerance at every point",
    source: "Bergstra, Bengio 2012",
    groups: &[RUN, SEARCH],
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: search::needs,
    build,
};

struct Drawn {
    bounds: Bounds,
    start: Vec<f64>,
    seed: u64,
}

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let seed = (settings.count("seed") as u64).wrapping_mul(1_000_003);
    let bounds = Bounds::new(&problem.upper, settings);
    let drawn = bounds.map(|bounds| Drawn { bounds, start: problem.upper.start(), seed });
    Box::new(Search::new(problem, settings, start, drawn))
}

impl Points for Drawn {
    fn point(&mut self, space: &Space, k: usize, x: &mut [f64]) -> bool {
        fill(x, self.seed.wrapping_add(k as u64));
        for block in space.blocks() {
            let range = block.offset..block.offset + block.len;
            match block.domain {
                Domain::Simplex | Domain::Ball(_) => {
                    place(block, &self.start[range.clone()], 1.0, &mut x[range]);
                }
                Domain::Free | Domain::Interval { .. } => {
                    for i in range {
                        x[i] = self.bounds.at(i, 0.5 * (x[i] + 1.0));
                    }
                }
            }
        }
        space.project(x);
        true
    }
}
