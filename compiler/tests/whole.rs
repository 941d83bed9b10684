//! Followers with whole numbers and pessimistic leaders, against an enumeration that knows nothing of trees.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test when something is wrong, as tests do")]

mod memory;

use blo_compiler::compile_single_level;
use blo_runtime::monitor::Silent;
use blo_runtime::solution::{Solution, solve};
use blo_runtime::solvers::{named, needs};
use blo_runtime::status::{PointStatus, Termination};
use memory::{Memory, model};

fn run(text: &str) -> Solution {
    let mut model = model(text, Memory::default());
    let solver = named("tree").unwrap();
    let settings = solver.settings(&[], std::iter::empty()).unwrap();
    let mut problem = compile_single_level(&mut model, &needs(solver, &settings), 0).unwrap();
    solve(&mut problem, solver, &settings, &mut Silent)
}

/// Whole numbers from -4 to 4.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % 9) as i64 - 4
    }
}

/// Two upper and two lower variables, whole numbers from 0 to 3.
struct Drawn {
    upper: [i64; 4],
    lower: [i64; 4],
    /// The factor of `x[0] * y[0]` in the lower objective.
    product: i64,
    upper_row: ([i64; 4], i64),
    rows: [([i64; 4], i64); 2],
    maximize: bool,
    pessimistic: bool,
}

const MOST: i64 = 3;

fn times(a: [i64; 4], v: [i64; 4]) -> i64 {
    (0..4).map(|i| a[i] * v[i]).sum()
}

impl Drawn {
    fn new(seed: u64, pessimistic: bool) -> Self {
        let mut draws = Draws(seed.wrapping_mul(77) + 5);
        (0..20).for_each(|_| {
            draws.next();
        });
        let mut four = || [draws.next(), draws.next(), draws.next(), draws.next()];
        let (upper, lower, a, b, c, [product, r, s, t]) = (four(), four(), four(), four(), four(), four());
        Drawn {
            upper,
            lower,
            product: if seed.is_multiple_of(3) { product } else { 0 },
            upper_row: (a, 4 + r.abs()),
            rows: [(b, 3 + s), (c, 3 + t)],
            maximize: seed.is_multiple_of(2),
            pessimistic,
        }
    }

    fn text(&self) -> String {
        let sum = |a: [i64; 4]| {
            format!("({}) * x[0] + ({}) * x[1] + ({}) * y[0] + ({}) * y[1]", a[0], a[1], a[2], a[3])
        };
        let rows: Vec<String> =
            self.rows.iter().map(|(a, b)| format!("  subject to {} <= {b}\n", sum(*a))).collect();
        let sense = if self.maximize { "maximize" } else { "minimize" };
        let word = if self.pessimistic { "lower pessimistic" } else { "lower" };
        format!(
            "upper {{\n  var x: int[2] in 0..{}\n  {sense} {}\n  subject to {} <= {}\n}}\n{word} {{\n  var y: int[2] in 0..{}\n  \
             {sense} {} + ({}) * x[0] * y[0]\n{}}}\n",
            MOST + 1,
            sum(self.upper),
            sum(self.upper_row.0),
            self.upper_row.1,
            MOST + 1,
            sum(self.lower),
            self.product,
            rows.concat()
        )
    }

    /// The best value for the leader, if there is a point.
    fn best(&self) -> Option<i64> {
        let sign = if self.maximize { -1 } else { 1 };
        let square = || (0..=MOST).flat_map(|a| (0..=MOST).map(move |b| (a, b)));
        let mut best: Option<i64> = None;
        for (p, q) in square() {
            let points: Vec<[i64; 4]> = square()
                .map(|(r, s)| [p, q, r, s])
                .filter(|v| self.rows.iter().all(|(a, b)| times(*a, *v) <= *b))
                .collect();
            let lower = |v: &[i64; 4]| sign * (times(self.lower, *v) + self.product * v[0] * v[2]);
            let Some(least) = points.iter().map(lower).min() else { continue };
            let answers: Vec<&[i64; 4]> = points.iter().filter(|v| lower(v) == least).collect();
            let holds = |v: &&[i64; 4]| times(self.upper_row.0, **v) <= self.upper_row.1;
            let value = |v: &&[i64; 4]| sign * times(self.upper, **v);
            let own = if self.pessimistic {
                if !answers.iter().all(holds) {
                    continue;
                }
                answers.iter().map(value).max()
            } else {
                answers.iter().copied().filter(|v| holds(v)).map(|v| value(&v)).min()
            };
            best = [best, own].into_iter().flatten().min();
        }
        best.map(|value| sign * value)
    }
}

/// Compares the tree with the enumeration; returns how many had a solution.
fn compare(pessimistic: bool) -> usize {
    let mut solved = 0;
    for seed in 0..80 {
        let drawn = Drawn::new(seed, pessimistic);
        let text = drawn.text();
        let s = run(&text);
        match drawn.best() {
            Some(best) => {
                solved += 1;
                assert_eq!(s.point, PointStatus::Optimal, "{seed}: {} instead of {best}\n{text}", s.verdict);
                let found = s.upper_objective;
                assert!((found - best as f64).abs() <= 1e-6, "{seed}: {found} is not {best}\n{text}");
            }
            None => {
                let none = matches!(s.termination, Termination::Infeasible(_));
                assert!(none, "{seed}: {}\n{text}", s.verdict);
            }
        }
    }
    solved
}

#[test]
fn whole_followers_are_those_of_an_enumeration() {
    let solved = compare(false);
    assert!((50..80).contains(&solved), "{solved}");
}

#[test]
fn pessimistic_leaders_are_those_of_an_enumeration() {
    let solved = compare(true);
    assert!((40..80).contains(&solved), "{solved}");
}
