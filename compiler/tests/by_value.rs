//! Global optima by the follower's value, where its optimality conditions do not tell its answers, against a grid that knows nothing of
//! trees.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test when something is wrong, as tests do")]

mod memory;

use blo_compiler::compile_single_level;
use blo_runtime::monitor::Silent;
use blo_runtime::settings::Value;
use blo_runtime::solution::{Solution, solve};
use blo_runtime::solvers::{named, needs};
use blo_runtime::status::PointStatus;
use memory::{Memory, model};

fn run(text: &str, steps: f64) -> Solution {
    let mut model = model(text, Memory::default());
    let solver = named("tree").unwrap();
    let settings = solver.settings(&[("steps".into(), Value::Number(steps))], std::iter::empty()).unwrap();
    let mut problem = compile_single_level(&mut model, &needs(solver, &settings), 0).unwrap();
    solve(&mut problem, solver, &settings, &mut Silent)
}

#[track_caller]
fn proved(expected: f64, text: &str) {
    let s = run(text, 20_000.0);
    let size = expected.abs().max(1.0);
    assert_eq!(s.point, PointStatus::Optimal, "{}", s.verdict);
    assert!((s.upper_objective - expected).abs() <= 1e-5 * size, "{} is not {expected}", s.upper_objective);
    assert!(s.check.proof.unwrap().bound <= expected + 1e-7 * size, "{}", s.verdict);
}

/// Whole numbers from -4 to 4.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % 9) as f64 - 4.0
    }
}

/// `min a x + b y + (x − c)² + d x y` where `y` minimises a polynomial of degree 4 in `[-1, 1]`, subject to `p x + q y <= r` for half of
/// the seeds.
struct Drawn {
    upper: [f64; 4],
    lower: [f64; 6],
    row: Option<[f64; 3]>,
}

impl Drawn {
    fn new(seed: u64) -> Self {
        let mut draws = Draws(seed.wrapping_mul(77) + 5);
        (0..20).for_each(|_| {
            draws.next();
        });
        let mut next = || draws.next();
        let upper = [next(), next(), next() / 4.0, next()];
        let lower = [next(), next(), next(), next(), next(), next()];
        // The origin is feasible for every `x` near 0, and some `y` for all.
        let row = [next(), next(), next()];
        let row =
            seed.is_multiple_of(2).then(|| [row[0] / 4.0, 1.0 + row[1].abs() / 2.0, row[2].abs() / 4.0]);
        Drawn { upper, lower, row }
    }

    fn text(&self) -> String {
        let [a, b, c, d] = self.upper;
        let [p, q, r, s, t, u] = self.lower;
        let row = self
            .row
            .map_or(String::new(), |[p, q, r]| format!("  subject to ({p}) * x + ({q}) * y^3 <= {r}\n"));
        format!(
            "upper {{\n  var x: real in [-1, 1]\n  minimize ({a}) * x + ({b}) * y + (x - ({c}))^2 + ({d}) * x * y\n}}\nlower {{\n  var y: real in [-1, 1]\n  \
             minimize ({p}) * y^4 + ({q}) * y^3 + ({r}) * y^2 + ({s}) * x * y + ({t}) * y + ({u}) * x^2 * y^2\n{row}}}\n"
        )
    }

    fn upper(&self, x: f64, y: f64) -> f64 {
        let [a, b, c, d] = self.upper;
        a * x + b * y + (x - c) * (x - c) + d * x * y
    }

    fn lower(&self, x: f64, y: f64) -> f64 {
        let [p, q, r, s, t, u] = self.lower;
        p * y.powi(4) + q * y.powi(3) + r * y * y + s * x * y + t * y + u * x * x * y * y
    }

    /// The least lower objective at `x`, and the least upper objective of a point of the grid as good as that up to rounding; each point
    /// of the grid that is better than its neighbours is made better by smaller steps.
    fn answer(&self, x: f64) -> Option<(f64, f64)> {
        let highest = self.row.map_or(1.0, |[p, q, r]| ((r - p * x) / q).cbrt().min(1.0));
        if highest < -1.0 {
            return None;
        }
        const CELLS: usize = 400;
        let at = |k: usize| -1.0 + (highest + 1.0) * k as f64 / CELLS as f64;
        let mut found: Vec<(f64, f64)> = Vec::new();
        for k in 0..=CELLS {
            let own = self.lower(x, at(k));
            let beside = [k.checked_sub(1), Some(k + 1).filter(|k| *k <= CELLS)];
            if beside.into_iter().flatten().any(|k| self.lower(x, at(k)) < own) {
                continue;
            }
            let (mut y, mut step) = (at(k), (highest + 1.0) / CELLS as f64);
            while step > 1e-12 {
                let better = [y - step, y + step]
                    .map(|y| y.clamp(-1.0, highest))
                    .into_iter()
                    .find(|&z| self.lower(x, z) < self.lower(x, y));
                match better {
                    Some(z) => y = z,
                    None => step *= 0.5,
                }
            }
            found.push((self.lower(x, y), self.upper(x, y)));
        }
        let least = found.iter().map(|f| f.0).fold(f64::INFINITY, f64::min);
        let best = found.iter().filter(|f| f.0 <= least + 1e-12).map(|f| f.1).fold(f64::INFINITY, f64::min);
        Some((least, best))
    }
}

#[test]
fn the_tree_agrees_with_a_grid() {
    let mut closed = 0;
    for seed in 0..24 {
        let problem = Drawn::new(seed);
        let text = problem.text();
        let s = run(&text, 400.0);
        let Some(proof) = s.check.proof else { continue };
        let grid =
            (0..=2000).filter_map(|k| problem.answer(f64::from(k) / 1000.0 - 1.0)).map(|answer| answer.1);
        let best = grid.fold(f64::INFINITY, f64::min);
        // No point of the grid is below the bound.
        assert!(
            proof.bound <= best + 1e-6 * best.abs().max(1.0),
            "seed {seed}: {} above {best}: {}\n{text}",
            proof.bound,
            s.verdict
        );
        let (x, y) = (s.x[0], s.y[0]);
        let (least, _) = problem.answer(x).unwrap();
        assert!(
            problem.lower(x, y) <= least + 1e-6,
            "seed {seed}: {} is no answer: {}\n{text}",
            problem.lower(x, y),
            s.verdict
        );
        if s.point == PointStatus::Optimal {
            assert!(
                s.upper_objective <= best + 1e-6 * best.abs().max(1.0),
                "seed {seed}: {} above {best}\n{text}",
                s.upper_objective
            );
            closed += 1;
        }
    }
    assert!(closed >= 16, "only {closed} were proved");
}

/// A leader and a follower.
fn two(upper: &str, lower: &str) -> String {
    format!("upper {{\n{upper}\n}}\nlower {{\n{lower}\n}}\n")
}

#[test]
fn published_problems_are_proved() {
    // Vogel 2012: the answer jumps where the leader is best off.
    let cubic = "  var y: real\n  minimize y^3 - 3 * y\n  subject to x <= y";
    proved(1.0, &two("  var x: real in [-3, 2]\n  minimize (y + 1)^2", cubic));
    // Mitsos and Barton 2006, example 3.13: next to x = 0 the answers differ by a cube.
    let cube = "  var y: real in [-1, 1]\n  minimize x * y * (-x^2 + y / 2)";
    proved(-1.0, &two("  var x: real in [-1, 1]\n  minimize x - y", cube));
    // The same, example 3.19: x = 0.189, y = 0.4343.
    let quartic = "  var y: real in [-1, 1]\n  minimize -y^2 * (x - y^2 / 2)";
    proved(-0.258_075_616_491, &two("  var x: real in [-1, 1]\n  minimize y * (x + y / 2 - 1)", quartic));
}

#[test]
fn a_follower_without_multiplier_is_proved() {
    // Dempe 1992: at x = 0 the follower's set is one point, and its constraint has no gradient there.
    let lower = "  var y: real\n  minimize (y - 3)^2\n  subject to y^2 <= x";
    let text = two("  var x: real\n  minimize (x - 7 / 2)^2 + (y + 4)^2", lower);
    proved(28.25, &text);
    let s = run(&text, 100.0);
    assert!(s.verdict.contains("constraint qualification"), "{}", s.verdict);
}

#[test]
fn waves_and_sizes_are_enclosed() {
    // y is the nearest to x of the minima of a wave: at x = 1 that is cos(y) = -1 moved a little.
    let wave = "  var y: real in [-4, 4]\n  minimize (x - y)^2 / 2 + cos(3 * y)";
    proved(1.001_748_599_12, &two("  var x: real in [-2, 3]\n  minimize (x - 1)^2 + (y + 1)^2 / 2", wave));
    // |y - x| + |y| / 2 is least at y = x. It has no conditions of optimality, so the bound rises slowly and few points are found to be
    // answers.
    let size = "  var y: real in [-2, 2]\n  minimize abs(y - x) + abs(y) / 2";
    let s = run(&two("  var x: real in [-1, 1]\n  minimize x^2 - y - 0.5", size), 300.0);
    assert!(s.upper_objective >= -0.75 - 1e-6, "{}", s.verdict);
    let bound = s.check.proof.unwrap().bound;
    assert!((-0.9..=-0.75 + 1e-9).contains(&bound), "{bound}");
}
