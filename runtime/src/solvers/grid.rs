//! `grid`: grid search over a few upper variables. The baseline of those who tune one or two numbers.
//!
//! Assumes very few upper variables within bounds, and a lower level that a descent method solves. `points` values of every upper
//! variable, evenly spaced (or in the logarithm) with both ends; at every combination the lower level is solved from the
//! model's start until `‖y − P(y − ∇y f)‖ ≤ lower_tolerance · max(1, ‖y‖)`, and the point with the lowest upper objective among those
//! where that worked is kept. The first point is the model's start; the others come in an order that covers the box evenly at any
//! time, so that a run that is stopped early has not looked at one corner only. Ends with the grid. Costs one upper value and as
//! many lower gradients per point as the accuracy takes; memory for two points.
//!
//! Not guaranteed: anything between the points of the grid, whose number is `points` to the power of the number of variables.
//!
//! Source: folklore; the order is that of the golden ratio, D. E. Knuth, The Art of Computer Programming 3, 6.4.

use super::options::RUN;
use super::run::{Method, Point};
use super::search::{self, Bounds, Points, SEARCH, Search};
use super::{Levels, Solver};
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::space::{Domain, Space};

/// A grid with more points is refused.
const MOST: usize = 1_000_000;

const OWN: &[OptionSpec] = &[OptionSpec {
    name: "points",
    kind: Kind::CountOr("auto"),
    default: Preset::Word("auto"),
    doc: "Values of every upper variable; `auto` takes as many as give at most `steps` points.",
}];

/// The solver.
pub static GRID: Solver = Solver {
    name: "grid",
    summary: "grid search over a few bounded upper variables, the lower level solved to tolerance at every point",
    source: "folklore; Knuth 1998 for the order",
    groups: &[RUN, OWN, SEARCH],
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: search::needs,
    build,
};

struct Grid {
    bounds: Bounds,
    /// Values of every variable.
    points: usize,
    /// All points.
    total: usize,
    /// Points from one visited to the next, without a factor in common with their number.
    stride: usize,
}

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let grid = grid(&problem.upper, settings);
    Box::new(Search::new(problem, settings, start, grid))
}

/// The grid, or why there is none.
fn grid(space: &Space, settings: &Settings) -> Result<Grid, String> {
    let odd = space.blocks().iter().find(|b| matches!(b.domain, Domain::Simplex | Domain::Ball(_)));
    if let Some(block) = odd {
        return Err(format!(
            "`{}` lies in a simplex or a ball, which has no grid: `random` takes both",
            block.name
        ));
    }
    let bounds = Bounds::new(space, settings)?;
    let n = u32::try_from(space.len()).unwrap_or(u32::MAX);
    let size = |points: usize| points.checked_pow(n).filter(|total| *total <= MOST);
    let points = match settings.number("points") {
        Some(points) => points as usize,
        None => {
            let steps = settings.count("steps").min(MOST);
            let fits = |points: &usize| size(*points).is_some_and(|total| total <= steps);
            (2..=steps).take_while(fits).last().unwrap_or(0)
        }
    };
    match size(points).filter(|total| *total > 0) {
        Some(total) => Ok(Grid { bounds, points, total, stride: stride(total) }),
        None if points == 0 => Err(format!(
            "a grid with two values of each of the {n} upper variables has more points than `steps` allows: `random` takes any number"
        )),
        None => Err(format!(
            "a grid with {points} values of each of the {n} upper variables has more than {MOST} points: `random` takes any number"
        )),
    }
}

/// A number near 0.618 of the total without a common factor.
fn stride(total: usize) -> usize {
    let golden = (total as f64 * 0.618_033_988_749_894_9) as usize;
    let common = |mut a: usize, mut b: usize| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    (golden.max(1)..=total).find(|s| common(*s, total) == 1).unwrap_or(1)
}

impl Points for Grid {
    fn point(&mut self, space: &Space, k: usize, x: &mut [f64]) -> bool {
        if k > self.total {
            return false;
        }
        let mut index = (k - 1) * self.stride % self.total;
        for (i, x) in x.iter_mut().enumerate() {
            let share =
                if self.points == 1 { 0.5 } else { (index % self.points) as f64 / (self.points - 1) as f64 };
            *x = self.bounds.at(i, share);
            index /= self.points;
        }
        space.project(x);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Value;
    use crate::space::Block;

    fn space(n: usize) -> Space {
        let domain = Domain::Interval { lo: vec![1.0], hi: vec![100.0] };
        Space::new(vec![Block::new("x", &[n], domain, vec![2.0; n])]).unwrap()
    }

    fn settings(written: &[(&str, Value)]) -> Settings {
        let written: Vec<_> =
            written.iter().map(|(name, value)| ((*name).to_string(), value.clone())).collect();
        GRID.settings(&written, std::iter::empty()).unwrap()
    }

    /// Every combination comes once, the first half of them spread over the whole box.
    #[test]
    fn every_point_comes_once() {
        let space = space(2);
        let written = [("points", Value::Number(5.0)), ("scale", Value::Word("log".into()))];
        let mut grid = grid(&space, &settings(&written)).unwrap();
        let mut x = [0.0; 2];
        let mut seen = Vec::new();
        for k in 1..=25 {
            assert!(grid.point(&space, k, &mut x));
            let index = |v: f64| (2.0 * v.log10()).round() as usize;
            assert!((x[0] - 10f64.powf(0.5 * index(x[0]) as f64)).abs() < 1e-9, "{x:?}");
            seen.push((index(x[0]), index(x[1])));
        }
        assert!(!grid.point(&space, 26, &mut x));
        let half: Vec<usize> = seen[..12].iter().map(|(_, second)| *second).collect();
        assert!((0..5).all(|i| half.contains(&i)), "{half:?}");
        seen.sort_unstable();
        let all: Vec<(usize, usize)> = (0..5).flat_map(|a| (0..5).map(move |b| (a, b))).collect();
        assert_eq!(seen, all);
    }

    #[test]
    fn the_number_of_points_follows_the_steps() {
        let points = |n: usize, steps: f64| {
            grid(&space(n), &settings(&[("steps", Value::Number(steps))])).map(|grid| grid.points)
        };
        assert_eq!(points(1, 1000.0), Ok(1000));
        assert_eq!(points(3, 1000.0), Ok(10));
        assert_eq!(points(2, (1_u64 << 40) as f64), Ok(1000));
        assert!(points(10, 1000.0).unwrap_err().contains("more points than `steps` allows"));
        let many = grid(&space(10), &settings(&[("points", Value::Number(10.0))])).err().unwrap();
        assert!(many.contains("more than 1000000 points"), "{many}");
    }
}
