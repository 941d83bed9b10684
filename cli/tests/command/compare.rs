//! `blo compare`: the table, the ranking with its reasons, the files and plots, and what it refuses; and `blo run --starts`.

use std::fs;

use crate::common::{Folder, blo, refused, stderr, stdout};

/// The follower answers y = x; the leader's best is x = y = 1/2 with the objective 1/4.
const MODEL: &str = "\
upper {
  var x: real = 3
  minimize 0.5 * y^2 + 0.5 * (x - 1)^2
  report distance = abs(x - y)
}
lower {
  var y: real = 0
  minimize 0.5 * (y - x)^2
}
solve cg(steps = 400, upper_step = 0.3, lower_step = 1)
";

/// Two valleys, the model's start in the worse one.
const VALLEYS: &str = "\
upper {
  var x: real in [-2, 2] = 1
  minimize (y^2 - 1)^2 + 0.3 * y
}
lower {
  var y: real = 0
  minimize (y - x)^2
}
solve cg(steps = 1000, upper_step = 0.05, lower_step = 0.5)
";

fn model(text: &str) -> Folder {
    let folder = Folder::new();
    fs::write(folder.path("m.blo"), text).unwrap();
    folder
}

fn compare(folder: &Folder, args: &[&str], status: i32) -> String {
    let args: Vec<&str> = ["compare", "m.blo"].iter().chain(args).copied().collect();
    let output = blo(&folder.path(""), &args);
    assert_eq!(output.status.code(), Some(status), "{}\n{}", stderr(&output), stdout(&output));
    assert_eq!(stderr(&output), "", "progress is silent when piped");
    stdout(&output)
}

fn json(folder: &Folder, args: &[&str], status: i32) -> serde_json::Value {
    let args: Vec<&str> = ["--json"].iter().chain(args).copied().collect();
    serde_json::from_str(&compare(folder, &args, status)).expect("one JSON value")
}

const METHODS: &str =
    "cg, bome(steps = 3, upper_step = 0.01, lower_steps = 1, lower_step = 0.01, finish = false), nested";

/// The methods get the model's steps, an infeasible point has no place though its objective looks best, and the row of a
/// method is what `blo run` finds with it.
#[test]
fn answers_are_ranked_and_the_reason_is_given() {
    let folder = model(MODEL);
    let value = json(&folder, &["--methods", METHODS], 0);
    let methods = value["methods"].as_array().unwrap();
    let names: Vec<&str> = methods.iter().map(|m| m["method"].as_str().unwrap()).collect();
    assert_eq!((names[0], names[2]), ("cg", "nested"));
    assert_eq!(value["best"], "nested", "as good as cg, with fewer evaluations");
    assert_eq!((&methods[0]["rank"], &methods[1]["rank"]), (&2.into(), &serde_json::Value::Null));
    let reason = |k: usize| methods[k]["reason"].as_str().unwrap();
    assert!(reason(0).starts_with("as good as the best"), "{}", reason(0));
    assert!(reason(1).contains("the lower level is not solved (gap"), "{}", reason(1));
    assert!(reason(2).contains("the lowest upper objective"), "{}", reason(2));

    let args = ["run", "m.blo", "--json"];
    let alone: serde_json::Value = serde_json::from_slice(&blo(&folder.path(""), &args).stdout).unwrap();
    let same = &methods[0]["result"];
    for key in ["variables", "upper", "lower", "iterations", "calls", "termination", "status"] {
        assert_eq!(same[key], alone[key], "{key}");
    }
    let trace = &methods[0]["trace"];
    let columns =
        ["iteration", "seconds", "upper_objective", "lower_objective", "measure", "evaluations", "distance"];
    assert_eq!(trace["columns"], serde_json::json!(columns));
    let rows = trace["rows"].as_array().unwrap();
    assert_eq!(rows.len() as u64, same["iterations"].as_u64().unwrap() + 1);
    let column = |k: usize| rows.iter().map(move |row| row[k].as_f64().unwrap());
    assert!(column(1).zip(column(1).skip(1)).all(|(a, b)| a <= b), "time goes on");
    assert!(column(5).zip(column(5).skip(1)).all(|(a, b)| a < b), "evaluations grow");
    assert_eq!(rows.last().unwrap()[5], methods[0]["evaluations"].as_f64().unwrap());
}

#[test]
fn the_table_has_a_row_and_a_sentence_for_every_method() {
    let text = compare(&model(MODEL), &["--methods", "cg,nested", "--steps", "300"], 0);
    assert!(text.starts_with("m.blo: 2 methods, 300 steps, seed 0\n"), "{text}");
    let head: Vec<&str> = text.lines().nth(2).unwrap().split_whitespace().collect();
    let titles = ["method", "upper", "objective", "lower", "gap", "hypergradient", "norm", "distance"];
    assert_eq!(head[..titles.len()], titles, "{text}");
    assert_eq!(head[titles.len()..], ["iterations", "evaluations", "seconds", "stopped", "point"], "{text}");
    let rows: Vec<Vec<&str>> = text.lines().skip(3).take(2).map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(
        (rows[0][..3].to_vec(), rows[1][..3].to_vec()),
        (vec!["1", "nested", "0.25"], vec!["2", "cg", "0.25"])
    );
    assert!(
        text.contains("\n 1  nested: the lowest upper objective of the points that the model allows"),
        "{text}"
    );
    assert_eq!(text.matches("the upper level is stationary").count(), 2, "{text}");
}

/// Without `--methods` all that fit take part, those that cannot run among them, with the reason.
#[test]
fn all_methods_that_fit_take_part() {
    let value = json(&model(MODEL), &["--steps", "5"], 0);
    let names: Vec<&str> =
        value["methods"].as_array().unwrap().iter().map(|m| m["method"].as_str().unwrap()).collect();
    for method in ["rhg", "cg", "bome", "meha", "nested", "kkt"] {
        assert!(names.contains(&method), "{names:?}");
    }
    assert!(!names.contains(&"gradient"), "{names:?}");
}

/// A time ends runs that nothing else does, and a method that is done ends before it.
#[test]
fn the_budget_may_be_a_time() {
    let methods = "cg(tolerance=0),nested,cg(steps=7)";
    let value = json(&model(MODEL), &["--methods", methods, "--budget", "60ms"], 0);
    let end = |k: usize| value["methods"][k]["result"]["termination"].as_str().unwrap().to_owned();
    assert_eq!([end(0), end(1), end(2)], ["time_limit", "tolerance", "steps"]);
    let rows = value["methods"][0]["trace"]["rows"].as_array().unwrap();
    assert!((100..=2002).contains(&rows.len()), "{}", rows.len());
}

#[test]
fn where_nothing_is_allowed_nothing_is_best() {
    let methods = "bome(steps = 3, upper_step = 0.01, lower_steps = 1, lower_step = 0.01, finish = false)";
    let folder = model(MODEL);
    let value = json(&folder, &["--methods", methods], 1);
    assert_eq!(value["best"], serde_json::Value::Null);
    assert_eq!(value["best_solved_again"], methods);
    let text = compare(&folder, &["--methods", methods], 1);
    assert!(text.contains("no method ended at a point that the model allows"), "{text}");
}

#[test]
fn files_and_plots() {
    let folder = model(MODEL);
    let args = ["--methods", "cg,nested", "--out", "out", "--plot", "p.svg", "--plot", "p.png", "--csv"];
    let table = compare(&folder, &args, 0);
    assert!(
        table.starts_with(
            "rank,method,upper_objective,upper_objective_solved_again,lower_objective,lower_gap,"
        )
    );
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(table.lines().nth(1).unwrap().starts_with("2,cg,0.25"), "{table}");
    let read = |name: &str| fs::read_to_string(folder.path(name)).unwrap();
    assert_eq!(read("out/comparison.csv"), table);
    let written: serde_json::Value = serde_json::from_str(&read("out/comparison.json")).unwrap();
    assert_eq!(written["best"], "nested");
    let trace = read("out/trace.csv");
    assert!(trace.starts_with("method,start,iteration,seconds,upper_objective,"), "{trace}");
    assert!(
        trace.lines().any(|l| l.starts_with("cg,0,0,"))
            && trace.lines().any(|l| l.starts_with("nested,0,1,"))
    );
    let svg = read("p.svg");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && svg.contains("2  cg"));
    let png = fs::read(folder.path("p.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && png[12..16] == *b"IHDR" && png.len() > 10_000);
    assert_eq!(png[png.len() - 8..png.len() - 4], *b"IEND");
    let size = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert!(size(16) > 1500 && size(20) > 1000, "{} × {}", size(16), size(20));
}

/// The model's own start leads into the worse valley; among several starts one leads into the better.
#[test]
fn several_starts_find_the_better_valley() {
    let folder = model(VALLEYS);
    let run = |args: &[&str]| -> serde_json::Value {
        let args: Vec<&str> = ["run", "m.blo", "--json"].iter().chain(args).copied().collect();
        serde_json::from_slice(&blo(&folder.path(""), &args).stdout).unwrap()
    };
    let objective = |value: &serde_json::Value| value["upper"]["objective"].as_f64().unwrap();
    let one = run(&[]);
    assert!(objective(&one) > 0.2 && one["starts"].is_null(), "{one}");
    let many = run(&["--starts", "8"]);
    assert!(objective(&many) < -0.29, "{many}");
    let starts = many["starts"].as_array().unwrap();
    assert_eq!(starts.len(), 8);
    assert_eq!(starts[0]["upper_objective"], one["upper"]["objective"]);
    let chosen = &starts[many["start"].as_u64().unwrap() as usize];
    assert_eq!(chosen["upper_objective"], many["upper"]["objective"]);
    let other = run(&["--starts", "8", "--seed", "1"]);
    assert_eq!(starts[0]["evaluations"], other["starts"][0]["evaluations"], "the model's start has no seed");
    let spent = |all: &serde_json::Value| {
        all["starts"].as_array().unwrap().iter().map(|s| s["evaluations"].clone()).collect::<Vec<_>>()
    };
    assert_ne!(spent(&many), spent(&other), "the seed moves the others");
    let text = stdout(&blo(&folder.path(""), &["run", "m.blo", "--starts", "8"]));
    assert!(text.contains("the best of 8 starts is number"), "{text}");
    let text = compare(&folder, &["--methods", "cg,nested", "--starts", "8"], 0);
    assert!(text.contains("8 starts") && text.contains("median") && text.contains(" 8/8"), "{text}");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let folder = model(MODEL);
    let refuse = |args: &[&str], parts: &[&str]| {
        let args: Vec<&str> = ["compare", "m.blo"].iter().chain(args).copied().collect();
        refused(&folder, &args, parts);
    };
    refuse(&["--methods", "cg,bomb"], &["there is no method `bomb`", "did you mean `bome`?", "--methods"]);
    refuse(&["--methods", "cg,bome(lower_step=)"], &["cannot be read", "expected a value here"]);
    refuse(&["--methods", "cg,bome(etc=1)"], &["`bome` has no option `etc`"]);
    refuse(&["--methods", "gradient"], &["`gradient` is not for this model", "methods that fit"]);
    refuse(&["--methods", "cg,cg"], &["`cg` is named twice", "with other options"]);
    refuse(&["--methods", ","], &["names no method", "--methods bome,cg"]);
    refuse(&["--budget", "0s"], &["expected a time above 0"]);
    refuse(&["--budget", "soon"], &["such as 30s, 500ms or 2min"]);
    refuse(&["--steps", "-1"], &["expected a whole number"]);
    refuse(&["--starts", "0"], &["expected a whole number from 1"]);
    refuse(&["--plot", "p.pdf"], &["ends in .svg or .png"]);
    refuse(&["--plot", "none/p.svg"], &["cannot be written", "there is no folder `none`"]);
    refuse(&["--out", "m.blo"], &["is a file, not a folder"]);
    refuse(&["--json", "--csv"], &["cannot be used with"]);
}
