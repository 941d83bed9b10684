//! Options: defaults, every kind of error, and what they change.

use blo_runtime::settings::{SettingProblem, Value};
use blo_runtime::solvers::{SOLVERS, named, near};

use crate::models::{Scalar, free};
use crate::{close, number, run, word};

fn problems(written: &[(String, Value)]) -> Vec<SettingProblem> {
    let errors = named("bome").unwrap().settings(written, ["w", "bias"].into_iter()).unwrap_err();
    errors.into_iter().map(|e| e.problem).collect()
}

fn call(option: &str, name: &str, arguments: &[(&str, f64)]) -> (String, Value) {
    let arguments = arguments.iter().map(|(n, v)| ((*n).to_string(), Value::Number(*v))).collect();
    (option.to_string(), Value::Call(name.to_string(), arguments))
}

#[test]
fn every_default_is_accepted_and_names_are_unique() {
    for solver in SOLVERS {
        let defaults = solver.settings(&[], std::iter::empty()).unwrap();
        let written: Vec<(String, Value)> =
            defaults.iter().map(|(n, v)| (n.to_string(), v.clone())).collect();
        assert_eq!(solver.settings(&written, std::iter::empty()).unwrap(), defaults, "{}", solver.name);
    }
}

/// The authors' values stand where nothing else is written, and every one of them is accepted.
#[test]
fn presets_are_applied_overridden_and_refused() {
    let paper = word("preset", "paper");
    let value = |settings: &blo_runtime::settings::Settings, name: &str| {
        settings.iter().find(|(other, _)| *other == name).unwrap().1.clone()
    };
    for solver in SOLVERS.iter().filter(|solver| !solver.paper.is_empty()) {
        let settings = solver.settings(std::slice::from_ref(&paper), std::iter::empty()).unwrap();
        let by_hand: Vec<(String, Value)> =
            solver.paper.iter().map(|(name, _)| ((*name).to_string(), value(&settings, name))).collect();
        assert_eq!(solver.settings(&by_hand, std::iter::empty()).unwrap(), settings, "{}", solver.name);
    }
    let bome = named("bome").unwrap();
    let written = [paper.clone(), number("upper_step", 3.0)];
    let settings = bome.settings(&written, std::iter::empty()).unwrap();
    assert_eq!(value(&settings, "upper_step"), Value::Number(3.0));
    assert_eq!(value(&settings, "y_step"), Value::Number(0.05));
    assert_eq!(value(&settings, "tolerance"), Value::Number(1e-8));

    let errors = named("cg").unwrap().settings(std::slice::from_ref(&paper), std::iter::empty()).unwrap_err();
    assert_eq!(errors[0].problem, SettingProblem::NoPreset { solver: "cg" });
    assert_eq!(errors[0].to_string(), "`cg` has no preset: its source gives no sizes to take");
    assert_eq!(problems(&[word("preset", "papers")]), [SettingProblem::OutOfRange]);
    assert_eq!(problems(&[paper.clone(), paper.clone()]), [SettingProblem::Repeated]);
    // Errors keep their places.
    let errors = bome.settings(&[paper, number("steps", 0.5)], std::iter::empty()).unwrap_err();
    assert_eq!(errors[0].index, 1);
}

#[test]
fn unknown_options_and_solvers_have_near_names() {
    assert_eq!(problems(&[number("lower_stp", 1.0)]), [SettingProblem::Unknown { near: Some("lower_step") }]);
    assert_eq!(problems(&[number("stpes", 1.0)]), [SettingProblem::Unknown { near: Some("steps") }]);
    assert_eq!(problems(&[number("quux", 1.0)]), [SettingProblem::Unknown { near: None }]);
    assert_eq!((near("bomb"), near("zzzzz")), (Some("bome"), None));
}

#[test]
fn wrong_kinds_and_ranges() {
    use SettingProblem::{OutOfRange, WrongKind};
    let rows = [
        (number("steps", 0.5), OutOfRange),
        (number("steps", -1.0), OutOfRange),
        (word("steps", "many"), WrongKind),
        (number("upper_step", 0.0), OutOfRange),
        (number("upper_step", f64::NAN), OutOfRange),
        (number("momentum", 1.0), OutOfRange),
        (word("lower_step", "automatic"), OutOfRange),
        (number("upper_rule", 1.0), WrongKind),
        (word("upper_rule", "adamant"), OutOfRange),
        (word("schedule", "linear"), OutOfRange),
        (call("schedule", "geometric", &[("", 2.0)]), OutOfRange),
        (call("schedule", "power", &[]), OutOfRange),
        (call("rates", "rates", &[("w", -1.0)]), OutOfRange),
        (word("rates", "w"), WrongKind),
        (call("rates", "rates", &[("", 1.0)]), WrongKind),
    ];
    for (written, problem) in rows {
        assert_eq!(problems(std::slice::from_ref(&written)), [problem], "{written:?}");
    }
    let rows = [
        number("penalty", 0.0),
        call("penalty", "power", &[("first", 1.0)]),
        call("penalty", "power", &[("first", 1.0), ("by", 1.0)]),
        call("penalty", "linear", &[("", -1.0), ("", 1.0)]),
        call("penalty", "ramp", &[("to", 1.0), ("over", 0.5)]),
        call("penalty", "cosine", &[]),
    ];
    for written in rows {
        let errors = named("f2sa").unwrap().settings(std::slice::from_ref(&written), std::iter::empty());
        let problems: Vec<_> = errors.unwrap_err().into_iter().map(|e| e.problem).collect();
        assert_eq!(problems, [OutOfRange], "{written:?}");
    }
    let too_many = named("f2sa_p").unwrap().settings(&[number("order", 21.0)], std::iter::empty());
    assert_eq!(too_many.unwrap_err()[0].expected, "a whole number from 1 to 20");
    let unknown = SettingProblem::UnknownVariable { name: "bais".into(), near: Some("bias".into()) };
    assert_eq!(problems(&[call("rates", "rates", &[("bais", 1.0)])]), [unknown]);
}

#[test]
fn all_errors_come_at_once_with_their_places() {
    let written = [number("steps", 10.0), number("steps", 20.0), number("what", 1.0), word("eta", "x")];
    let errors = named("bome").unwrap().settings(&written, std::iter::empty()).unwrap_err();
    assert_eq!(errors.iter().map(|e| e.index).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(errors[0].to_string(), "`steps` is set twice");
    assert_eq!(errors[2].to_string(), "`eta` is a number above 0, not x");
}

#[test]
fn schedules_rates_and_clipping_change_the_steps() {
    // One step of the exact hypergradient 2x − 1 from x = 3: the direction is 5.
    let after = |written: &[(String, Value)]| {
        let mut all = vec![number("lower_step", 1.0), number("upper_step", 0.1)];
        all.extend_from_slice(written);
        run(free(Scalar, &[3.0], &[0.0]), "cg", &all).x[0]
    };
    close(after(&[number("steps", 1.0)]), 2.5, 1e-12);
    close(after(&[number("steps", 1.0), number("clip", 1.0)]), 2.9, 1e-12);
    close(after(&[number("steps", 1.0), call("rates", "rates", &[("x", 2.0)])]), 2.0, 1e-12);
    // The second step has direction 4.
    close(after(&[number("steps", 2.0), call("schedule", "power", &[("", 1.0)])]), 2.5 - 0.05 * 4.0, 1e-12);
    close(
        after(&[number("steps", 2.0), call("schedule", "geometric", &[("", 0.25)])]),
        2.5 - 0.025 * 4.0,
        1e-12,
    );
    close(after(&[number("steps", 2.0), word("schedule", "cosine")]), 2.5 - 0.05 * 4.0, 1e-12);
}

/// A rate on a lower variable scales the lower step, and the reverse sweep knows it.
#[test]
fn rates_reach_the_lower_level() {
    let settings = [
        number("lower_step", 0.2),
        number("lower_steps", 5.0),
        number("upper_step", 0.5),
        call("rates", "rates", &[("y", 0.5)]),
    ];
    close(run(free(Scalar, &[0.0], &[0.0]), "rhg", &settings).x[0], 0.856385, 1e-6);
}
