//! Global optima by branching, against an enumeration that knows nothing of trees: without constraints of the leader on the
//! follower's variables a linear bilevel program has an optimum at a vertex of the set that the constraints of both levels
//! leave (Bard 1984, proposition 2), so all vertices are looked at, and the follower's own vertices at each `x`.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test when something is wrong, as tests do")]

mod memory;

use blo_compiler::{boxes_to_branch_in, compile_single_level, pairs_to_branch_on};
use blo_runtime::monitor::Silent;
use blo_runtime::settings::Value;
use blo_runtime::solution::{Solution, solve};
use blo_runtime::solvers::{named, needs};
use blo_runtime::status::{Cause, PointStatus, Termination};
use memory::{Memory, model};

fn run(text: &str) -> Solution {
    run_with(text, "tree")
}

fn run_with(text: &str, method: &str) -> Solution {
    run_as(text, method, &[])
}

fn run_as(text: &str, method: &str, options: &[(&str, f64)]) -> Solution {
    let mut model = model(text, Memory::default());
    let solver = named(method).unwrap();
    let options: Vec<(String, Value)> =
        options.iter().map(|(name, value)| ((*name).into(), Value::Number(*value))).collect();
    let settings = solver.settings(&options, std::iter::empty()).unwrap();
    let mut problem = compile_single_level(&mut model, &needs(solver, &settings), 0).unwrap();
    solve(&mut problem, solver, &settings, &mut Silent)
}

/// Runs a model whose optimum is known; returns the number of nodes.
#[track_caller]
fn proved(expected: f64, text: &str) -> usize {
    let s = run(text);
    let size = expected.abs().max(1.0);
    assert_eq!(s.point, PointStatus::Optimal, "{}", s.verdict);
    assert!((s.upper_objective - expected).abs() <= 1e-7 * size, "{} is not {expected}", s.upper_objective);
    let proof = s.check.proof.unwrap();
    assert!(proof.bound <= s.check.upper_objective + 1e-9 * size, "{}", s.verdict);
    assert!(s.verdict.contains("global optimum, proved by branching"), "{}", s.verdict);
    proof.nodes
}

/// A row `a · v <= b`.
type Row = ([f64; 3], f64);

/// Whole numbers from -4 to 4.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % 9) as f64 - 4.0
    }
}

/// `min F · v`, with `v = (x, y, z)`, where `(y, z)` minimises `f` for a given `x`.
struct Linear {
    upper: [f64; 3],
    lower: [f64; 2],
    rows: Vec<Row>,
}

impl Linear {
    fn drawn(seed: u64) -> Self {
        let mut draws = Draws(seed);
        (0..20).for_each(|_| {
            draws.next();
        });
        let mut three = || [draws.next(), draws.next(), draws.next()];
        let upper = three();
        let [c, d, _] = three();
        let mut rows: Vec<Row> = (0..3).map(|k| (three(), 4.0 + f64::from(k))).collect();
        for i in 0..3 {
            let unit = |s: f64| [0, 1, 2].map(|j| if i == j { s } else { 0.0 });
            rows.push((unit(1.0), 6.0));
            rows.push((unit(-1.0), 0.0));
        }
        Linear { upper, lower: [c, d], rows }
    }

    fn text(&self) -> String {
        let sum = |a: &[f64], v: &[&str]| -> String {
            a.iter().zip(v).map(|(a, v)| format!("({a}) * {v}")).collect::<Vec<_>>().join(" + ")
        };
        let names = ["x", "y", "z"];
        let rows: Vec<String> =
            self.rows[..3].iter().map(|(a, b)| format!("  subject to {} <= {b}\n", sum(a, &names))).collect();
        format!(
            "upper {{\n  var x: real in [0, 6]\n  minimize {}\n}}\nlower {{\n  var y: real in [0, 6]\n  var z: real in [0, 6]\n  minimize {}\n{}}}\n",
            sum(&self.upper, &names),
            sum(&self.lower, &names[1..]),
            rows.concat()
        )
    }

    fn feasible(&self, v: [f64; 3]) -> bool {
        self.rows.iter().all(|(a, b)| dot(*a, v) <= b + 1e-9)
    }

    /// The least lower objective at `x`, over the vertices of the follower's polygon.
    fn response(&self, x: f64) -> f64 {
        let mut least = f64::INFINITY;
        for i in 0..self.rows.len() {
            for j in 0..i {
                let point = meet([([1.0, 0.0, 0.0], x), self.rows[i], self.rows[j]]);
                if let Some(v) = point.filter(|v| self.feasible(*v)) {
                    least = least.min(self.lower[0] * v[1] + self.lower[1] * v[2]);
                }
            }
        }
        least
    }

    fn best(&self) -> f64 {
        let mut best = f64::INFINITY;
        for i in 0..self.rows.len() {
            for j in 0..i {
                for k in 0..j {
                    let Some(v) = meet([self.rows[i], self.rows[j], self.rows[k]]) else { continue };
                    let own = self.lower[0] * v[1] + self.lower[1] * v[2];
                    if self.feasible(v) && own <= self.response(v[0]) + 1e-9 {
                        best = best.min(dot(self.upper, v));
                    }
                }
            }
        }
        best
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Where three planes meet, by Cramer's rule.
fn meet(rows: [Row; 3]) -> Option<[f64; 3]> {
    let determinant = |m: [[f64; 3]; 3]| {
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    };
    let matrix = rows.map(|(a, _)| a);
    let all = determinant(matrix);
    let replaced = |c: usize| {
        let mut m = matrix;
        (0..3).for_each(|r| m[r][c] = rows[r].1);
        determinant(m) / all
    };
    (all.abs() > 1e-9).then(|| [replaced(0), replaced(1), replaced(2)])
}

#[test]
fn the_tree_agrees_with_all_vertices() {
    let mut branched = 0;
    for seed in 0..100 {
        let problem = Linear::drawn(seed);
        let text = problem.text();
        let nodes = proved(problem.best(), &text);
        branched += usize::from(nodes > 1);
    }
    assert!(branched >= 30, "only {branched} of the problems had anything to branch on");
}

#[test]
fn a_large_multiplier_needs_no_bound() {
    // The follower's price of the resource is 1e5: a bound of 1000 on multipliers would lose the answer.
    let text = "
upper {
  var x: real in [0, 4]
  minimize x - 2 * y
}
lower {
  var y: real in nonneg
  maximize 100000 * y
  subject to y <= 1 + x
  subject to y <= 6 - 2 * x
}
";
    proved(5.0 / 3.0 - 2.0 * (8.0 / 3.0), text);
}

#[test]
fn tolls_are_a_convex_program_by_strong_duality() {
    let text = "
upper {
  var toll: real in [0, 20]
  maximize toll * y[0]
}
lower {
  var y: real[2] in nonneg
  minimize (2 + toll) * y[0] + 6 * y[1]
  subject to y[0] + y[1] == 1
}
";
    proved(4.0, text);
}

#[test]
fn an_upper_objective_that_is_not_convex_is_made_so_by_the_follower() {
    let text = "
upper {
  var q: real in nonneg
  maximize (100 - q - r) * q - 10 * q
}
lower {
  var r: real in nonneg
  maximize (100 - q - r) * r - 20 * r
}
";
    proved(1250.0, text);
}

#[test]
fn whole_numbers_of_the_leader() {
    let text = "
upper {
  var x: int[3] in 0..2
  minimize x[0] + 2 * x[1] + 3 * x[2] - 4 * y
  subject to x[0] + x[1] + x[2] <= 2
}
lower {
  var y: real in [0, 10]
  minimize -y
  subject to 2 * y <= 1 + 3 * x[0] + 4 * x[1] + 5 * x[2]
}
";
    // The best two: x = (0, 1, 1) gives y = 5, x = (1, 1, 0) gives 4, x = (1, 0, 1) gives 4.5.
    proved(-15.0, text);
}

const COUPLED: &str = "
upper {
  var x: real in [1, inf]
  minimize x
  subject to x <= y
}
lower {
  var y: real
  minimize y
  subject to y >= -x
}
";

#[test]
fn what_has_no_solution_is_said() {
    let s = run(COUPLED);
    assert_eq!(s.termination, Termination::Infeasible(Cause::Response), "{}", s.verdict);
    assert!(s.verdict.starts_with("the model has no solution"), "{}", s.verdict);
    let unbounded = "
upper {
  var x: real in nonneg
  minimize y - x
}
lower {
  var y: real in nonneg
  minimize y
}
";
    let s = run(unbounded);
    assert_eq!(s.termination, Termination::Unbounded, "{}", s.verdict);
    assert!(s.verdict.contains("falls without end"), "{}", s.verdict);
}

/// A leader and a follower, each with what it minimises, subject to a constraint.
fn two(upper: &str, lower: &str) -> String {
    format!(
        "upper {{\n  var x: real in [0, 1]\n  {upper}\n}}\nlower {{\n  var y: real in [0, 1]\n  {lower}\n}}\n"
    )
}

#[test]
fn constraints_that_contradict_each_other_are_told_from_responses() {
    let model = two("minimize x + y\n  subject to y >= x + 2", "minimize -y");
    for method in ["tree", "kkt"] {
        let s = run_with(&model, method);
        assert_eq!(s.termination, Termination::Infeasible(Cause::Constraints), "{method}: {}", s.verdict);
    }
    let s = run_with(COUPLED, "kkt");
    assert_eq!(s.point, PointStatus::NotSolved, "{}", s.verdict);
    assert!(s.verdict.contains("at no answer of the follower"), "{}", s.verdict);
}

#[test]
fn a_follower_without_bound_is_said() {
    let model = two("minimize x", "minimize x - y").replace("y: real in [0, 1]", "y: real in nonneg");
    for method in ["tree", "kkt"] {
        let s = run_with(&model, method);
        assert!(matches!(s.termination, Termination::LowerUnbounded(_)), "{method}: {}", s.verdict);
        assert!(s.verdict.contains("at x = "), "{method}: {}", s.verdict);
    }
}

#[test]
fn an_infimum_that_is_not_attained_is_said() {
    // The answer is y = 0 for every x > 0, and y = 1 at x = 0.
    let s = run_with(&two("minimize x + y", "minimize -y\n  subject to x * y == 0"), "kkt");
    assert_eq!(s.point, PointStatus::NotAttained, "{}", s.verdict);
    assert!(s.verdict.contains("towards x = 0"), "{}", s.verdict);
    let limit = s.check.jump.and_then(|jump| jump.infimum).unwrap();
    assert!(limit.abs() < 1e-6, "{limit}");
    // Here that is where the leader is best off.
    let s = run_with(&two("minimize x - y", "minimize -y\n  subject to x * y == 0"), "kkt");
    assert!(s.point != PointStatus::NotAttained, "{}", s.verdict);
}

#[test]
fn a_jump_of_the_answer_beside_the_point_is_said() {
    let model = two("minimize (x - 0.7)^2 - y", "minimize (x - 0.5) * y");
    for method in ["tree", "kkt"] {
        let s = run_with(&model, method);
        assert!(s.verdict.contains("the follower's answer jumps at x = 0.5"), "{method}: {}", s.verdict);
    }
    // A root is steep, but does not jump.
    let s = run_with(&two("minimize x + y", "minimize (y - 1)^2\n  subject to y^2 <= x + 0.0001"), "kkt");
    assert!(!s.verdict.contains("jumps"), "{}", s.verdict);
}

/// A leader above a follower whose Hessian varies with `x`, and whose answer is known: `(a + b x + c x²) / (1 + x²)`, put into [-1, 1].
struct Curved {
    upper: [f64; 4],
    lower: [f64; 3],
}

impl Curved {
    fn drawn(seed: u64) -> Self {
        let mut draws = Draws(seed);
        (0..20).for_each(|_| {
            draws.next();
        });
        let mut four = || [draws.next(), draws.next(), draws.next(), draws.next()];
        let ([a, b, c, _], upper) = (four(), four());
        Curved { upper, lower: [a, b, c] }
    }

    fn text(&self) -> String {
        let ([p, q, r, s], [a, b, c]) = (self.upper, self.lower);
        format!(
            "upper {{\n  var x: real in [-2, 2]\n  minimize ({p}) * x * y + ({q}) * x^2 + ({r}) * y + ({s}) * x\n}}\nlower {{\n  \
             var y: real in [-1, 1]\n  minimize 0.5 * (1 + x^2) * y^2 - (({a}) + ({b}) * x + ({c}) * x^2) * y\n}}\n"
        )
    }

    fn value(&self, x: f64) -> f64 {
        let ([p, q, r, s], [a, b, c]) = (self.upper, self.lower);
        let y = ((a + b * x + c * x * x) / (1.0 + x * x)).clamp(-1.0, 1.0);
        p * x * y + q * x * x + r * y + s * x
    }

    fn best(&self) -> f64 {
        (0..=40_000).map(|k| self.value(-2.0 + f64::from(k) * 1e-4)).fold(f64::INFINITY, f64::min)
    }
}

#[test]
fn boxes_agree_with_a_grid() {
    for seed in 0..40 {
        let problem = Curved::drawn(seed);
        assert!(boxes_to_branch_in(&model(&problem.text(), Memory::default())).is_some());
        let s = run_as(&problem.text(), "tree", &[("budget", 20_000.0)]);
        let best = problem.best();
        assert_eq!(s.point, PointStatus::Optimal, "{seed}: {}", s.verdict);
        // Between two points of the grid the objective falls by no more than its slope times half of the distance.
        assert!(
            (best - 5e-3..=best + 1e-6).contains(&s.upper_objective),
            "{seed}: {} {best}",
            s.upper_objective
        );
    }
}

#[test]
fn a_budget_that_is_spent_leaves_what_kkt_found_and_the_bound() {
    let mut open = 0;
    for seed in 0..12 {
        let problem = Curved::drawn(seed);
        let s = run_as(&problem.text(), "tree", &[("budget", 1.0)]);
        let local = run_with(&problem.text(), "kkt");
        let proof = s.check.proof.unwrap();
        let best = problem.best();
        assert!(proof.bound <= best + 1e-9, "{seed}: {} {best}", proof.bound);
        assert!(s.upper_objective <= local.upper_objective + 1e-7, "{seed}: {}", s.verdict);
        if s.point == PointStatus::Optimal {
            continue;
        }
        open += 1;
        assert_eq!(s.termination, Termination::Steps);
        assert_eq!(s.point, local.point, "{seed}: {}", s.verdict);
        assert!(s.verdict.contains("which is no proof of a minimum; the bound"), "{}", s.verdict);
    }
    assert!(open > 0, "all were proved with one program");
}

#[test]
fn an_infimum_that_is_not_attained_is_no_proof() {
    let text = two("minimize x + y", "minimize -y\n  subject to x * y == 0");
    let s = run_as(&text, "tree", &[("budget", 200.0)]);
    assert_eq!(s.point, PointStatus::NotAttained, "{}", s.verdict);
    assert!(s.check.proof.unwrap().bound <= 1e-9, "{}", s.verdict);
    assert!(s.verdict.contains("towards x = 0"), "{}", s.verdict);
}

#[test]
fn boxes_prove_what_is_not_affine() {
    let text = |objective: &str| {
        format!(
            "upper {{\n  var x: real in [0, 1]\n  minimize (x - 1)^2 + y\n}}\nlower {{\n  var y: real in [-1, 1]\n  minimize {objective}\n}}\n"
        )
    };
    // Always -1, but for `x = 0` in the second, where -1 is the best of many answers.
    proved(-1.0, &text("exp(x) * y"));
    proved(-1.0, &text("x^3 * y"));
    // The answer solves `y^3 = x`, and `2 (x - 1) + x^(-2/3) / 3 = 0` at the best `x`, found by Newton's method.
    let x = (0..50).fold(0.8_f64, |x, _| {
        let (slope, bend) =
            (2.0 * (x - 1.0) + x.powf(-2.0 / 3.0) / 3.0, 2.0 - 2.0 / 9.0 * x.powf(-5.0 / 3.0));
        x - slope / bend
    });
    proved((x - 1.0).powi(2) + x.cbrt(), &text("y^4 / 4 - x * y"));
    // A ridge parameter: `y = 1 / (2 + 2 exp(x))` between 1/4 and 0.134.
    let y = 1.0 / (2.0 + 2.0 * 1.0_f64.exp());
    proved(y, &text("(1 + exp(x)) * y^2 - y"));
}

/// The worst of the follower's answers at `x`.
fn worst(problem: &Linear, x: f64) -> f64 {
    let level = problem.response(x);
    let rows = problem.rows.len();
    let mut worst = f64::NEG_INFINITY;
    for i in 0..rows {
        for j in 0..i {
            let point = meet([([1.0, 0.0, 0.0], x), problem.rows[i], problem.rows[j]]);
            if let Some(v) = point.filter(|v| problem.feasible(*v))
                && problem.lower[0] * v[1] + problem.lower[1] * v[2] <= level + 1e-9
            {
                worst = worst.max(dot(problem.upper, v));
            }
        }
    }
    worst
}

#[test]
fn pessimistic_leaders_agree_with_all_vertices() {
    let mut differ = 0;
    for seed in 0..100 {
        let mut problem = Linear::drawn(seed);
        // Ties: the follower minds only one of its variables, or none.
        problem.lower[(seed % 2) as usize] = 0.0;
        if seed % 5 == 0 {
            problem.lower = [0.0, 0.0];
        }
        // The worst value is linear in `x` between the vertices of what all constraints leave.
        let mut best = f64::INFINITY;
        let rows = problem.rows.len();
        for i in 0..rows {
            for j in 0..i {
                for k in 0..j {
                    let vertex = meet([problem.rows[i], problem.rows[j], problem.rows[k]]);
                    if let Some(v) = vertex.filter(|v| problem.feasible(*v)) {
                        best = best.min(worst(&problem, v[0]));
                    }
                }
            }
        }
        proved(best, &problem.text().replace("lower {", "lower pessimistic {"));
        differ += usize::from(best > problem.best() + 1e-6);
    }
    assert!(differ >= 20, "only {differ} of the problems had a worse answer");
}

#[test]
fn what_cannot_be_proved_is_refused() {
    // Too many variables to branch by the follower's value, and a function that has no terms.
    let cases = [
        ("minimize -sumsq(y)", "the lower level is not convex"),
        ("minimize tanh(x) * sum(y)", "is not known to be affine"),
    ];
    for (objective, reason) in cases {
        let text = format!(
            "upper {{\n  var x: real in [0, 1]\n  minimize x + sum(y)\n}}\nlower {{\n  var y: real[20] in [-1, 1]\n  {objective}\n}}\n"
        );
        let s = run(&text);
        let Termination::Refused { reason: said } = &s.termination else { panic!("{}", s.verdict) };
        assert!(said.contains(reason), "{said}");
        assert_eq!(pairs_to_branch_on(&model(&text, Memory::default())), None);
    }
    let jumps = "upper {\n  var x: real in [-1, 1]\n  minimize x + y\n}\nlower pessimistic {\n  var y: real in [-1, 1]\n  minimize x * y\n}\n";
    let s = run(jumps);
    assert!(s.verdict.contains("the infimum need not be attained"), "{}", s.verdict);
    assert_eq!(pairs_to_branch_on(&model(COUPLED, Memory::default())), Some(1));
}

#[test]
fn ties_of_the_follower_are_reported() {
    let text = "
upper {
  var x: real in [0, 1]
  minimize 2 * y[0] - y[1] + (x - 1)^2
}
lower {
  var y: real[2] in [0, 3]
  minimize -(y[0] + y[1])
  subject to y[0] + y[1] <= 3 + x
}
";
    // At x = 0 the follower may take any y with y[0] + y[1] = 3 and elements from 0 to 3.
    let s = run(text);
    assert!((s.upper_objective + 2.0).abs() < 1e-6, "{}", s.verdict);
    let ties = s.ties.unwrap();
    assert!((ties.least + 2.0).abs() < 1e-4 && (ties.most - 7.0).abs() < 1e-4 && ties.exact, "{ties:?}");
    assert!(s.verdict.contains("the follower has several best answers"), "{}", s.verdict);
    let s = run(&text.replace("-(y[0] + y[1])", "sumsq(y - x)"));
    let ties = s.ties.unwrap();
    assert!(ties.exact && ties.least == ties.most, "{ties:?}");
    assert!(!s.verdict.contains("several"), "{}", s.verdict);
}

#[test]
fn ties_of_other_followers_are_reported_as_far_as_they_are_found() {
    let text = |upper: &str, lower: &str| {
        format!("upper {{\n  var x: real in [0, 1]\n  minimize {upper}\n}}\nlower {{\n  {lower}\n}}\n")
    };
    let range = |s: &Solution| s.ties.map(|ties| (ties.least, ties.most, ties.exact, ties.local)).unwrap();
    let near = |found: (f64, f64, bool, bool), least: f64, most: f64| {
        assert!(
            (found.0 - least).abs() <= 1e-4 && (found.1 - most).abs() <= 1e-4,
            "{found:?} {least} {most}"
        );
    };
    // Whole numbers: all y with a sum of 3.
    let whole = "var y: int[2] in [0, 3]\n  minimize -(y[0] + y[1])\n  subject to y[0] + y[1] <= 3 + x / 2";
    let s = run(&text("2 * y[0] - y[1] + x", whole));
    near(range(&s), -3.0, 6.0);
    assert!(range(&s).2, "{}", s.verdict);
    assert!(s.verdict.contains("the follower has several best answers"), "{}", s.verdict);
    // Convex, no quadratic: all y with a sum of 1.
    let s =
        run_with(&text("y[0] - y[1] + x", "var y: real[2] in [0, 1]\n  minimize (y[0] + y[1] - 1)^4"), "kkt");
    near(range(&s), -1.0, 1.0);
    assert!(!range(&s).3);
    // Convex, with one answer.
    let s = run_with(&text("y + x^2", "var y: real in [-3, 3]\n  minimize exp(y) - (1 + x) * y"), "kkt");
    near(range(&s), 0.0, 0.0);
    assert!(range(&s).2, "{}", s.verdict);
    // Flat at its one answer.
    let s = run_with(&text("y + x^2", "var y: real in [-3, 3]\n  minimize (y - x)^6 + (y - x)^4"), "kkt");
    let (least, most, ..) = range(&s);
    assert!(most - least <= 1e-6, "{}", s.verdict);
    // Not convex: two answers, and one.
    for seed in 0..8 {
        let mut draws = Draws(seed);
        let (a, p) = (0.3 + 0.1 * draws.next().abs(), 1.0 + draws.next().abs());
        let lower = format!("var y: real in [-2, 2]\n  minimize (y^2 - {a}^2)^2");
        let s = run_with(&text(&format!("{p} * y + x"), &lower), "kkt");
        near(range(&s), -p * a, p * a);
        assert!(range(&s).3 && !range(&s).2, "{}", s.verdict);
        assert!((s.upper_objective + p * a).abs() <= 1e-4, "{}", s.verdict);
        assert!(s.verdict.contains("several answers that are equally good"), "{}", s.verdict);
    }
    let s = run_with(&text("y + x", "var y: real in [-1, 2]\n  minimize -y^2"), "kkt");
    near(range(&s), 2.0, 2.0);
    // The answer that the leader counts on is one of them, whichever the follower takes when it is solved again.
    let s = run_with(&text("-y + x", "var y: real in [-1, 1] = -0.5\n  minimize -y^2"), "kkt");
    near(range(&s), -1.0, 1.0);
}
