//! Options that take pieces: nested options, their errors, and pieces that do not go with each other.

use blo_runtime::settings::{
    Kind, OptionSpec, Piece, Preset, Requirement, SettingError, SettingProblem, Settings, Value,
};

use crate::{number, word};

const BOUND: &[OptionSpec] = &[
    OptionSpec {
        name: "bound",
        kind: Kind::Real { min: 0.0, max: f64::INFINITY, open: true },
        default: Preset::Number(9.0),
        doc: "",
    },
    OptionSpec { name: "rates", kind: Kind::Rates, default: Preset::NoRates, doc: "" },
];
const PLAIN: Piece =
    Piece { name: "plain", doc: "", assumes: "", cost: "", source: "", groups: &[], requires: &[] };
const ROUGH: Piece = Piece { name: "rough", ..PLAIN };
const LEARNED: Piece = Piece {
    name: "learned",
    groups: &[BOUND],
    requires: &[Requirement { option: "sweep", one_of: &["rough"], because: "of the test" }],
    ..PLAIN
};
const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "init",
        kind: Kind::Piece(&[&PLAIN, &LEARNED]),
        default: Preset::Word("plain"),
        doc: "",
    },
    OptionSpec {
        name: "sweep",
        kind: Kind::Piece(&[&PLAIN, &ROUGH]),
        default: Preset::Word("rough"),
        doc: "",
    },
];

fn build(written: &[(String, Value)]) -> Result<Settings, Vec<SettingError>> {
    Settings::build(OPTIONS.iter(), written, ["w"].into_iter())
}

fn learned(arguments: &[(&str, Value)]) -> (String, Value) {
    let arguments = arguments.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    ("init".to_string(), Value::Call("learned".to_string(), arguments))
}

#[track_caller]
fn refused(written: &[(String, Value)]) -> (usize, String) {
    let errors = build(written).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    (errors[0].index, errors[0].to_string())
}

#[test]
fn nested_options_have_defaults() {
    let settings = build(&[]).unwrap();
    assert_eq!(settings.piece("init").0, "plain");
    for (written, bound) in [
        (word("init", "learned"), 9.0),
        (learned(&[("bound", Value::Number(2.0))]), 2.0),
        (learned(&[("", Value::Number(3.0))]), 3.0),
    ] {
        let settings = build(&[written]).unwrap();
        let (name, own) = settings.piece("init");
        assert_eq!(name, "learned");
        assert_eq!(own.iter().next().unwrap(), ("bound", &Value::Number(bound)));
        assert_eq!(own.iter().count(), 2);
    }
}

#[test]
fn nested_errors_name_the_nested_option() {
    let said = |written: (String, Value)| refused(&[written]).1;
    assert_eq!(said(word("init", "lerned")), "`init` is `plain` or `learned`, not lerned");
    assert_eq!(said(number("init", 1.0)), "`init` is `plain` or `learned`, not 1");
    assert_eq!(
        said(learned(&[("bond", Value::Number(1.0))])),
        "no option `init.bond`; did you mean `bound`?"
    );
    assert_eq!(said(learned(&[("bound", Value::Number(-1.0))])), "`init.bound` is a number above 0, not -1");
    let twice = [("", Value::Number(1.0)), ("bound", Value::Number(2.0))];
    assert_eq!(said(learned(&twice)), "`init.bound` is set twice");
    let rates = Value::Call("rates".into(), vec![("v".into(), Value::Number(1.0))]);
    assert_eq!(said(learned(&[("rates", rates)])), "`init.rates`: no variable `v`; did you mean `w`?");
    let many = Value::Call("plain".into(), vec![(String::new(), Value::Number(1.0))]);
    assert_eq!(said(("init".into(), many)), "`init` is `plain` without options, not 1");
}

/// The error stands at what was written, whichever of the two that is.
#[test]
fn pieces_that_do_not_go_with_each_other() {
    let reason = "`init = learned` does not go with `sweep = plain`, because of the test";
    let sweep = word("sweep", "plain");
    assert_eq!(refused(&[sweep.clone(), word("init", "learned")]), (1, reason.to_string()));
    assert_eq!(refused(&[word("init", "learned"), sweep]), (0, reason.to_string()));
    let errors = build(&[word("init", "learned"), word("sweep", "plain")]).unwrap_err();
    assert!(matches!(&errors[0].problem, SettingProblem::Clash { with, .. } if with == "sweep = plain"));
    assert_eq!(errors[0].expected, "`sweep = rough`");
    assert!(build(&[word("init", "learned")]).is_ok());
}
