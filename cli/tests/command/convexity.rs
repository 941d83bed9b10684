//! `blo check --explain` on the examples, and its verdicts on the bilevel programs of operations research in `bench/or`.
//! `BLESS=1` rewrites the expectations.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use blo_compiler::convexity::Satisfying;
use blo_compiler::session::{DataError, DataRequest, Loader, Options, Tensor};
use blo_compiler::{analyse, convexity};
use blo_grammar::source::Sources;
use serde_json::Value;

use crate::common::{blo, stderr, stdout};

/// A path from the root of the repository.
pub fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Holds a file against what it should contain.
fn fresh(path: &str, expected: &str) {
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(root(path), expected).unwrap();
        return;
    }
    let found = std::fs::read_to_string(root(path)).unwrap_or_default();
    assert!(found == expected, "{path} is stale (BLESS=1 rewrites it); expected\n{expected}");
}

const EXPLAINED: [&str; 22] = [
    "adversarial",
    "architecture",
    "bda_counterexample",
    "coreset",
    "denoising",
    "digits_cleaning",
    "duopoly",
    "elastic_net",
    "electricity",
    "gaussian_process",
    "group_lasso",
    "many_answers",
    "meta_ridge",
    "mixture",
    "principal_agent",
    "ridge_diabetes",
    "rosenbrock",
    "svm",
    "text_regularisation",
    "toll",
    "toy",
    "reproductions/logistic_hypertorch",
];

#[test]
fn examples_are_explained() {
    for name in EXPLAINED {
        let output = blo(&root("examples"), &["check", &format!("{name}.blo"), "--explain"]);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", stderr(&output));
        let text = stdout(&output);
        // The overview before it has tests of its own.
        let account =
            text.split_once("\n\n").and_then(|(_, rest)| rest.split_once("\n\n")).map(|(_, rest)| rest);
        let file = name.rsplit('/').next().unwrap();
        fresh(&format!("cli/tests/convexity/{file}.txt"), &without_line_numbers(account.unwrap()));
    }
}

/// The text with drawn source lines at the left margin and without their numbers, which move when a file is edited.
fn without_line_numbers(text: &str) -> String {
    let line = |line: &str| match line.find(['│', '╭', '├', '╰', '┆']) {
        Some(at) if line[..at].chars().all(|c| c == ' ' || c.is_ascii_digit()) => {
            let drawn = &line[at..];
            match (drawn.find("─[ "), drawn.find(':')) {
                (Some(_), Some(end)) => format!("{} ]", &drawn[..end]),
                _ => drawn.to_owned(),
            }
        }
        _ => line.to_owned(),
    };
    text.lines().map(|l| line(l) + "\n").collect()
}

struct NoData;

impl Loader for NoData {
    fn module(&mut self, _from: &str, path: &str) -> Result<(String, String), String> {
        Err(format!("{path} is not here"))
    }

    fn data(&mut self, _request: &DataRequest) -> Result<Option<Tensor>, DataError> {
        Ok(None)
    }
}

/// The verdict on the lower level of a model: on its objective and feasible set in words, and whether it is convex as a whole.
fn verdict(name: &str) -> (String, bool) {
    let text = std::fs::read_to_string(root(&format!("bench/or/models/{name}.blo"))).unwrap();
    let mut sources = Sources::new();
    let main = sources.add(name, text);
    let options = Options { need_data: true, ..Options::default() };
    let (model, diagnostics) = analyse(&mut sources, main, &mut NoData, &options);
    let model = model.unwrap_or_else(|| panic!("{name}: {diagnostics:#?}"));
    let lower = convexity(&model).lower.unwrap();
    let set = match &lower.feasible {
        f if f.integers => "whole numbers",
        f if f.free => "everything",
        f if f.polyhedron => "polyhedron",
        f if f.convex => "convex set",
        _ => "unknown set",
    };
    let convex = lower.own.class.is_convex() && lower.feasible.convex && !lower.feasible.integers;
    if !convex {
        let broken = lower.constraints.iter().any(|c| c.set == Satisfying::Unknown);
        let reasoned = lower.own.obstacle.is_some() || broken || lower.feasible.integers;
        assert!(reasoned, "{name} is not said to be convex, without a reason");
    }
    (format!("{}; {set}", lower.own.class.words()), convex)
}

/// Records whose statement is wrong, each with a proof in this file.
const MISSTATED: [&str; 1] = ["SMD6_p1q0r1s2"];

#[test]
fn operations_research_problems_are_judged_as_stated() {
    let text = std::fs::read_to_string(root("bench/or/problems.json")).unwrap();
    let records: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(records.len(), 100);
    let mut counts = [[0; 2]; 2];
    let (mut page, mut unproved) = (String::new(), Vec::new());
    for record in &records {
        let name = record["name"].as_str().unwrap();
        let stated = record["class"]["lower_convex"].as_bool().unwrap();
        let (words, claimed) = verdict(name);
        counts[usize::from(!stated)][usize::from(!claimed)] += 1;
        assert!(stated || !claimed || MISSTATED.contains(&name), "{name} is claimed to be convex: {words}");
        if stated && !claimed {
            unproved.push(name);
        }
        let kind = record["class"]["lower"].as_str().unwrap();
        writeln!(page, "{name:34} stated {kind:34} found {words}").unwrap();
    }
    let [[both, missed], [contradicted, neither]] = counts;
    write!(
        page,
        "\n                   claimed convex   not claimed\nstated convex          {both:8}      {missed:8}\n\
         stated otherwise       {contradicted:8}      {neither:8}\n\n\
         stated to be convex, not proved: {}\nstated otherwise, proved convex: {}\n",
        unproved.join(", "),
        MISSTATED.join(", "),
    )
    .unwrap();
    fresh("bench/or/verdicts.txt", &page);
}

/// SMD6 with p = 1, q = 0, r = 1, s = 2: the lower objective is `x1^2 + (y2 - y1)^2 + (x2 - y3)^2`, for each `x` a sum of squares
/// of affine functions of `y`, so it is convex although the record says otherwise.
#[test]
fn the_misstated_problem_is_convex() {
    let text = std::fs::read_to_string(root("bench/or/problems.json")).unwrap();
    let records: Vec<Value> = serde_json::from_str(&text).unwrap();
    let record = records.iter().find(|r| r["name"] == "SMD6_p1q0r1s2").unwrap();
    assert_eq!(record["lower_objective"], "x1^2 + (y2 - y1)^2 + (x2 - y3)^2");
    assert_eq!(record["class"]["lower_convex"], false);
    let bounds = |c: &Value| c.as_str().unwrap().matches('y').count() == 1;
    assert!(record["lower_constraints"].as_array().unwrap().iter().all(bounds));
}

#[test]
fn operations_research_models_are_formatted_and_right() {
    let output = blo(&root("bench/or"), &["fmt", "--check", "models", "scaled"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    let output = blo(&root("bench/or/models"), &["check", "Outrata1994Ex31.blo", "--explain"]);
    let text = stdout(&output);
    assert!(text.contains("lower minimizes a strongly convex quadratic in `y`, for every `x`"), "{text}");
    assert!(text.contains("lower feasible set in `y`: a convex set"), "{text}");
}
