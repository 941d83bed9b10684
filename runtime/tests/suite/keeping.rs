//! Runs that are kept between two iterations and go on later with the same bits.

use blo_runtime::monitor::{Control, Monitor, Progress};
use blo_runtime::problem::Problem;
use blo_runtime::settings::Value;
use blo_runtime::solution::{Solution, resume, solve};
use blo_runtime::solvers::{Point, SOLVERS};
use blo_runtime::state::Snapshot;
use blo_runtime::status::Termination;

use crate::models::{Logistic, Rosenbrock, Scalar, free};
use crate::{configure, number, word};

const STEPS: f64 = 40.0;

/// Keeps the run before every iteration.
#[derive(Default)]
struct Keeper(Vec<Snapshot>);

impl Monitor for Keeper {
    fn observe(&mut self, _: &Progress<'_>) -> Control {
        Control::Continue
    }
    fn interval(&self) -> u64 {
        u64::MAX
    }
    fn keeps(&self) -> bool {
        true
    }
    fn wants_snapshot(&mut self, _: usize) -> bool {
        true
    }
    fn keep(&mut self, snapshot: Snapshot) {
        self.0.push(snapshot);
    }
}

/// What must be the same to the bit.
fn essence(s: &Solution) -> (Vec<u64>, String) {
    let numbers = s.x.iter().chain(&s.y).chain([&s.measure]).chain(s.trace.rows().flatten());
    let bits = numbers.map(|v| v.to_bits()).collect();
    (bits, format!("{:?} {} {:?} {:?}", s.termination, s.iterations, s.kept, s.calls))
}

/// Runs the method, and again from several of the states it had on the way, each time on a fresh problem.
fn same_from_everywhere(make: fn() -> Problem, method: &str, written: &[(String, Value)]) {
    let mut problem = make();
    let (solver, settings) = configure(&problem, method, written);
    let mut keeper = Keeper::default();
    let whole = solve(&mut problem, solver, &settings, &mut keeper);
    assert!(!matches!(whole.termination, Termination::Refused { .. }), "{method}: {}", whole.verdict);
    let kept = keeper.0;
    // Once more for every time that it went back.
    assert!(kept.len() > whole.iterations && kept.len() <= whole.iterations + 13, "{method}");
    for at in [0, 1, kept.len() / 2, kept.len() - 1] {
        let mut problem = make();
        let start = Point::start(&problem);
        let mut keeper = Keeper::default();
        let rest = resume(&mut problem, solver, &settings, start, &kept[at], &mut keeper);
        assert_eq!(essence(&rest), essence(&whole), "{method}, resumed before iteration {at}, {written:?}");
        assert_eq!(keeper.0[..], kept[at..], "{method}: the states on the way");
    }
}

#[test]
fn every_method_goes_on_where_it_was() {
    // Methods with rows need a compiled follower; the checkpoints of the command line hold them.
    for solver in SOLVERS.iter().filter(|solver| !solver.levels.has_rows()) {
        let has = |name: &str| solver.options().any(|option| option.name == name);
        let mut written = vec![number("steps", STEPS)];
        written.extend(has("tolerance").then(|| number("tolerance", 0.0)));
        written.extend(has("radius").then(|| number("radius", 1.0)));
        if solver.name == "gradient" {
            same_from_everywhere(|| free(Rosenbrock, &[-1.2, 1.0], &[]), solver.name, &written);
            continue;
        }
        same_from_everywhere(|| free(Scalar, &[3.0], &[0.0]), solver.name, &written);
        same_from_everywhere(|| free(Logistic, &[0.3; 3], &[0.1; 3]), solver.name, &written);
        if has("upper_rule") {
            for rule in ["momentum", "adam"] {
                let with = [&written[..], &[word("upper_rule", rule), number("upper_step", 0.01)]].concat();
                same_from_everywhere(|| free(Logistic, &[0.3; 3], &[0.1; 3]), solver.name, &with);
            }
        }
    }
}

/// Ends a run early, and keeps it there.
struct Until(usize, Option<Snapshot>);

impl Monitor for Until {
    fn observe(&mut self, _: &Progress<'_>) -> Control {
        Control::Continue
    }
    fn keeps(&self) -> bool {
        true
    }
    fn insists(&self) -> bool {
        false
    }
    fn wants_snapshot(&mut self, k: usize) -> bool {
        k == self.0
    }
    fn last(&self) -> usize {
        self.0
    }
    fn keep(&mut self, snapshot: Snapshot) {
        self.1 = Some(snapshot);
    }
}

/// A run in pieces is the run in one, schedules over all its steps included.
#[test]
fn a_run_goes_on_from_where_its_watcher_ended_it() {
    let written = [number("steps", STEPS), number("tolerance", 0.0), word("schedule", "cosine")];
    let make = || free(Logistic, &[0.3; 3], &[0.1; 3]);
    let mut problem = make();
    let (solver, settings) = configure(&problem, "cg", &written);
    let whole = solve(&mut problem, solver, &settings, &mut Keeper::default());
    let mut first = Until(15, None);
    let mut problem = make();
    let begun = solve(&mut problem, solver, &settings, &mut first);
    assert_eq!((begun.termination, begun.iterations), (Termination::Steps, 15));
    assert_ne!(begun.x, whole.x);
    let mut problem = make();
    let start = Point::start(&problem);
    let kept = first.1.unwrap();
    let rest = resume(&mut problem, solver, &settings, start, &kept, &mut Until(usize::MAX, None));
    assert_eq!(essence(&rest), essence(&whole));
}

/// A state of something else is refused, not gone on from wrongly.
#[test]
fn the_state_of_another_run_is_refused() {
    let mut problem = free(Scalar, &[3.0], &[0.0]);
    let (solver, settings) = configure(&problem, "nested", &[number("steps", 3.0)]);
    let mut keeper = Keeper::default();
    solve(&mut problem, solver, &settings, &mut keeper);
    let mut other = free(Logistic, &[0.3; 3], &[0.1; 3]);
    let start = Point::start(&other);
    let s = resume(&mut other, solver, &settings, start, &keeper.0[1], &mut Keeper::default());
    assert!(s.verdict.contains("not one of this run"), "{}", s.verdict);
}
