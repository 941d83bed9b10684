//! Watchers, traces, counts and reproducibility.

use blo_runtime::derivatives::Quantity;
use blo_runtime::monitor::{
    Control, Judgement, Monitor, Pace, Progress, Silent, StopReason, Trace, UNLIMITED,
};
use blo_runtime::solution::{solve, solve_from};
use blo_runtime::solvers::{Point, SOLVERS, needs};
use blo_runtime::status::Termination;

use crate::models::{Scalar, free};
use crate::{close, configure, number, run};

/// Stops after some looks; looks every `interval` evaluations.
struct Impatient {
    looks: usize,
    interval: u64,
    calls: Vec<u64>,
}

impl Monitor for Impatient {
    fn observe(&mut self, progress: &Progress<'_>) -> Control {
        self.calls.push(progress.calls);
        if self.calls.len() == self.looks { Control::Stop(StopReason::TimeLimit) } else { Control::Continue }
    }
    fn interval(&self) -> u64 {
        self.interval
    }
}

#[test]
fn a_watcher_stops_long_iterations_inside() {
    for solver in ["rhg", "cg", "neumann", "bome"] {
        let mut problem = free(Scalar, &[3.0], &[0.0]);
        let written = [number("lower_steps", 1000.0), number("lower_step", 0.01), number("upper_step", 0.01)];
        let (solver, settings) = configure(&problem, solver, &written);
        let mut watcher = Impatient { looks: 2, interval: 100, calls: vec![] };
        let s = solve(&mut problem, solver, &settings, &mut watcher);
        assert_eq!(s.termination, Termination::TimeLimit);
        assert_eq!(s.iterations, 0);
        assert_eq!(s.x, [3.0]);
        assert!(watcher.calls[1] < 300, "{:?}", watcher.calls);
    }
}

#[test]
fn a_watcher_stops_between_iterations() {
    let mut problem = free(Scalar, &[3.0], &[0.0]);
    let (solver, settings) = configure(&problem, "meha", &[number("tolerance", 0.0)]);
    let mut watcher = Impatient { looks: 5, interval: 60, calls: vec![] };
    let s = solve(&mut problem, solver, &settings, &mut watcher);
    assert_eq!(s.termination, Termination::TimeLimit);
    assert!((40..70).contains(&s.iterations), "{}", s.iterations);
}

#[test]
fn pace_follows_the_clock() {
    let mut pace = Pace::new(0.01);
    (0..10).for_each(|_| pace.passed(1e-5));
    assert_eq!(pace.interval(), 1024);
    pace.passed(1.0);
    assert_eq!(pace.interval(), 512);
    pace.passed(0.01);
    assert_eq!(pace.interval(), 512);
}

#[test]
fn traces_are_thinned_and_end_at_the_end() {
    let settings = [
        number("steps", 25_001.0),
        number("tolerance", 0.0),
        number("lower_step", 0.1),
        number("upper_step", 0.1),
    ];
    let s = run(free(Scalar, &[3.0], &[0.0]), "bome", &settings);
    let rows: Vec<&[f64]> = s.trace.rows().collect();
    assert!((900..=1002).contains(&rows.len()), "{}", rows.len());
    let columns = ["iteration", "upper_objective", "lower_objective", "measure", "evaluations", "report0"];
    assert_eq!(s.trace.columns(), columns);
    assert_eq!((rows[0][0], rows[0][5]), (0.0, 3.0));
    let last = rows[rows.len() - 1];
    assert_eq!((last[0], last[1], last[5]), (25_001.0, s.upper_objective, s.reports[0].1));
    let evaluations: u64 = s.calls.iter().filter(|(q, _)| *q != Quantity::Reports).map(|(_, n)| n).sum();
    assert_eq!(last[4], evaluations as f64);
    assert!(rows.windows(2).all(|pair| pair[0][4] < pair[1][4]));
    close(s.lower_objective.unwrap(), last[2], 1e-12);
}

/// A run without a number of steps keeps a bounded number of rows, evenly spaced, and the watcher hears of each.
#[test]
fn traces_of_unlimited_runs_stay_bounded() {
    struct Counting(Vec<usize>);
    impl Monitor for Counting {
        fn observe(&mut self, progress: &Progress<'_>) -> Control {
            if progress.iteration < 9000 { Control::Continue } else { Control::Stop(StopReason::TimeLimit) }
        }
        fn traced(&mut self, iteration: usize) {
            self.0.push(iteration);
        }
    }
    let mut problem = free(Scalar, &[3.0], &[0.0]);
    let written = [number("steps", UNLIMITED as f64), number("tolerance", 0.0), number("lower_step", 0.1)];
    let (solver, settings) = configure(&problem, "bome", &written);
    let mut watcher = Counting(Vec::new());
    let s = solve(&mut problem, solver, &settings, &mut watcher);
    assert_eq!(s.termination, Termination::TimeLimit);
    let rows: Vec<usize> = s.trace.rows().map(|row| row[0] as usize).collect();
    assert!((Trace::ROWS..=2 * Trace::ROWS + 1).contains(&rows.len()), "{}", rows.len());
    let stride = rows[1] - rows[0];
    assert!(stride > 1 && rows[..rows.len() - 1].windows(2).all(|pair| pair[1] - pair[0] == stride));
    assert!(rows.iter().all(|k| watcher.0.contains(k)));
}

/// Keeps the iterate whose first report is nearest to a goal, and ends the run two iterations later.
struct Choosy {
    goal: f64,
    best: f64,
    since: usize,
}

impl Monitor for Choosy {
    fn observe(&mut self, _: &Progress<'_>) -> Control {
        Control::Continue
    }
    fn judges(&self) -> bool {
        true
    }
    fn judge(&mut self, progress: &Progress<'_>) -> Judgement {
        let off = (progress.reports[0] - self.goal).abs();
        let keep = off < self.best;
        (self.best, self.since) = if keep { (off, 0) } else { (self.best, self.since + 1) };
        Judgement { keep, stop: (self.since == 2).then_some(StopReason::Patience) }
    }
}

#[test]
fn a_watcher_keeps_the_iterate_it_likes_best() {
    let mut problem = free(Scalar, &[3.0], &[0.0]);
    let (solver, settings) = configure(&problem, "cg", &[number("upper_step", 0.1)]);
    let mut watcher = Choosy { goal: 2.0, best: f64::INFINITY, since: 0 };
    let s = solve(&mut problem, solver, &settings, &mut watcher);
    assert_eq!(s.termination, Termination::Patience);
    let kept = s.kept.unwrap();
    assert_eq!(s.iterations, kept + 2);
    let row = s.trace.rows().find(|row| row[0] as usize == kept).unwrap();
    assert_eq!((row[1], row[3], row[5]), (s.upper_objective, s.measure, s.reports[0].1));
    let nearest = s.trace.rows().map(|row| (row[5] - 2.0).abs()).fold(f64::INFINITY, f64::min);
    assert_eq!((s.reports[0].1 - 2.0).abs(), nearest);
}

/// A run from the point where another one ended has nothing left to do, and begins there.
#[test]
fn runs_start_where_they_are_told() {
    let mut problem = free(Scalar, &[3.0], &[0.0]);
    let (solver, settings) = configure(&problem, "cg", &[number("upper_step", 0.2)]);
    let first = solve(&mut problem, solver, &settings, &mut Silent);
    let start = Point { x: first.x.clone(), y: first.y.clone() };
    let again = solve_from(&mut problem, solver, &settings, start, &mut Silent);
    assert_eq!(again.termination, Termination::Tolerance);
    assert!(first.iterations > 3 && again.iterations == 0, "{} {}", first.iterations, again.iterations);
    assert_eq!(again.x, first.x);
}

/// Objectives come back in the sign the model was written in.
#[test]
fn a_maximised_objective_keeps_its_sign() {
    let mut problem = free(Scalar, &[3.0], &[0.0]);
    (problem.upper_sign, problem.lower_sign) = (-1.0, -1.0);
    let (solver, settings) = configure(&problem, "cg", &[number("upper_step", 0.5)]);
    let s = solve(&mut problem, solver, &settings, &mut Silent);
    close(s.upper_objective, -0.25, 1e-8);
    close(s.lower_objective.unwrap(), 0.125, 1e-8);
    close(s.trace.rows().last().unwrap()[1], -0.25, 1e-8);
}

/// A method costs what its documentation says, and evaluates only what it declared.
#[test]
fn bome_costs_what_it_says() {
    let settings =
        [number("steps", 100.0), number("tolerance", 0.0), number("lower_step", 0.1), number("y_step", 0.1)];
    let s = run(free(Scalar, &[3.0], &[0.0]), "bome", &settings);
    let calls = |q: Quantity| s.calls.iter().find(|(c, _)| *c == q).map_or(0, |(_, n)| *n);
    assert_eq!(calls(Quantity::LowerGradient), 9 * 101);
    assert_eq!(calls(Quantity::LowerGradients), 101);
    assert_eq!(calls(Quantity::LowerGradientX), 101);
    assert_eq!(calls(Quantity::UpperGradients), 101);
    assert_eq!(calls(Quantity::LowerHessian), 0);
}

#[test]
fn solvers_evaluate_only_what_they_need() {
    for solver in SOLVERS.iter().filter(|s| s.name != "gradient") {
        let mut problem = free(Scalar, &[3.0], &[0.0]);
        let mut written = vec![number("steps", 20.0)];
        written.extend(solver.options().any(|o| o.name == "radius").then(|| number("radius", 1.0)));
        let (solver, settings) = configure(&problem, solver.name, &written);
        let solution = solve(&mut problem, solver, &settings, &mut Silent);
        // The single-level form is the compiler's to make: without it the method is refused and evaluates nothing.
        let refused = matches!(solution.termination, Termination::Refused { .. });
        assert_eq!(refused, solver.levels.has_rows(), "{}", solution.verdict);
        let declared = needs(solver, &settings);
        for (quantity, _) in problem.call_table() {
            assert!(declared.contains(&quantity), "{} evaluates {quantity:?}", solver.name);
        }
    }
}

#[test]
fn two_runs_give_the_same_bits() {
    for solver in ["rhg", "cg", "neumann", "bome", "meha"] {
        let once =
            || run(free(crate::models::Logistic, &[0.3; 3], &[0.1; 3]), solver, &[number("steps", 50.0)]);
        let (a, b) = (once(), once());
        assert_eq!((a.x, a.y, a.trace), (b.x, b.y, b.trace), "{solver}");
    }
}
