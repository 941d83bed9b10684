//! What a run prints and writes, and its exit status.

use std::fs;

use crate::common::{Folder, blo, refused, stderr, stdout};

/// The follower answers y = x; the leader's best is x = y = 1/2 with the objective 1/2.
const MODEL: &str = "\
param target = 1
upper {
  var x: real[1, 2] = 0
  minimize 0.5 * sumsq(y) + 0.5 * sumsq(x - target)
}
lower {
  var y: real[1, 2] = 0
  minimize 0.5 * sumsq(y) - sum(x * y)
}
report distance = norm(x - y)
solve rhg(steps = 200, upper_step = 0.2, lower_steps = 100, lower_step = 0.5)
expect abs(x[0, 0] - 0.5) < 1e-3
expect distance < 1e-3
";

fn model(text: &str) -> Folder {
    let folder = Folder::new();
    fs::write(folder.path("m.blo"), text).unwrap();
    folder
}

fn json(folder: &Folder, args: &[&str], status: i32) -> serde_json::Value {
    let args: Vec<&str> = ["run", "m.blo", "--json"].iter().chain(args).copied().collect();
    let output = blo(&folder.path(""), &args);
    assert_eq!(output.status.code(), Some(status), "{}\n{}", stderr(&output), stdout(&output));
    assert_eq!(stderr(&output), "", "progress is silent when piped");
    serde_json::from_slice(&output.stdout).expect("one JSON value")
}

#[test]
fn the_summary_and_status_0() {
    let output = blo(&model(MODEL).path(""), &["run", "m.blo"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{}\n{text}", stderr(&output));
    for part in ["upper objective", "lower gap", "hypergradient norm", "distance", "✓ expect", "rhg, "] {
        assert!(text.contains(part), "`{part}` in\n{text}");
    }
}

#[test]
fn json_has_the_documented_keys() {
    let value = json(&model(MODEL), &[], 0);
    let x = &value["variables"]["x"];
    assert!((x[0][1].as_f64().unwrap() - 0.5).abs() < 1e-3, "{x}");
    assert!((value["upper"]["objective"].as_f64().unwrap() - 0.5).abs() < 1e-3);
    assert!(value["lower"]["gap"].as_f64().unwrap().abs() < 1e-6);
    assert!(value["hypergradient_norm"].as_f64().unwrap() < 1e-3);
    assert_eq!(value["expect"][1]["text"], "distance < 1e-3");
    assert_eq!(value["expect"][1]["holds"], true);
    assert_eq!(value["method"], "rhg");
    assert_eq!(value["seed"], 0);
    assert!(value["calls"].as_object().unwrap().values().all(|n| n.as_u64().is_some()));
}

#[test]
fn an_expectation_that_fails_gives_status_1() {
    let folder = model(&MODEL.replace("distance < 1e-3", "distance > 1"));
    let value = json(&folder, &[], 1);
    assert_eq!(value["expect"][1]["holds"], false);
    let output = blo(&folder.path(""), &["run", "m.blo"]);
    assert!(stdout(&output).contains("✗ expect distance > 1"));
}

#[test]
fn flags_change_parameters_methods_and_options() {
    let folder = model(&MODEL.replace("expect", "# expect"));
    let x = |args: &[&str], status| json(&folder, args, status)["variables"]["x"][0][0].as_f64().unwrap();
    assert!((x(&["--set", "target=3"], 0) - 1.5).abs() < 3e-3);
    let short = json(&folder, &["--iterations", "3"], 0);
    assert_eq!(short["iterations"], 3);
    let other = json(
        &folder,
        &["--method", "cg(steps = 300, upper_step = 0.5, lower_steps = 20, lower_step = 0.5)"],
        0,
    );
    assert_eq!(other["method"], "cg");
}

#[test]
fn memory_changes_what_is_kept_and_nothing_else() {
    let folder = model(&MODEL.replace("expect", "# expect"));
    let full = json(&folder, &["--option", "lower_steps=64"], 0);
    assert_eq!(full["trajectory"], "kept");
    let tight = json(&folder, &["--option", "lower_steps=64", "--memory", "0.4KiB"], 0);
    let held = tight["trajectory"].as_str().unwrap();
    assert!(held.starts_with("checkpoints every "), "{held}");
    assert_eq!(tight["variables"], full["variables"]);
    assert_eq!(tight["upper"], full["upper"]);
    let output = blo(&folder.path(""), &["run", "m.blo", "--option", "lower_steps=64", "--memory", "10B"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("even as checkpoints"), "{}", stdout(&output));
    refused(&folder, &["run", "m.blo", "--memory", "much"], &["512MB"]);
}

#[test]
fn two_runs_give_the_same_bits() {
    let folder = model(&MODEL.replace("= 0\n", "~ normal(0, 1)\n").replace("expect", "# expect"));
    let values =
        |seed: &str| json(&folder, &["--seed", seed, "--iterations", "4"], 0)["variables"].to_string();
    assert_eq!(values("7"), values("7"));
    assert_ne!(values("7"), values("8"));
}

#[test]
fn the_folder_gets_three_files() {
    let folder = model(MODEL);
    let value = json(&folder, &["--out", "result"], 0);
    let saved: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path("result/result.json")).unwrap()).unwrap();
    assert_eq!(saved["variables"], value["variables"]);
    let trace = fs::read_to_string(folder.path("result/trace.csv")).unwrap();
    assert!(
        trace.starts_with("iteration,seconds,upper_objective,lower_objective,measure,evaluations,distance\n"),
        "{trace}"
    );
    assert!(trace.lines().count() > 10);
    let file = fs::File::open(folder.path("result/variables.npz")).unwrap();
    let mut npz = ndarray_npy::NpzReader::new(file).unwrap();
    let x: ndarray::Array2<f64> = npz.by_name("x").unwrap();
    assert_eq!(x.shape(), [1, 2]);
}

#[test]
fn a_run_that_meets_nan_names_the_expression() {
    let folder = model(
        "upper {\n  var x: real = 1\n  minimize log(x) + x\n}\n\
         solve gradient(line_search = false, upper_step = 1)\n",
    );
    let output = blo(&folder.path(""), &["run", "m.blo", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("m.blo:3:12") && stderr(&output).contains("not finite"),
        "{}",
        stderr(&output)
    );
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["termination"], "non_finite");
    assert_eq!(value["variables"]["x"], 1.0, "the last good iterate is kept");
    assert_eq!(value["lower"], serde_json::Value::Null);
}

#[test]
fn a_time_limit_keeps_the_point_reached() {
    let folder = model(MODEL);
    let value =
        json(&folder, &["--option", "tolerance=0", "--iterations", "100000000", "--time-limit", "0.2"], 1);
    assert_eq!(value["termination"], "time_limit");
    assert!((value["variables"]["x"][0][0].as_f64().unwrap() - 0.5).abs() < 1e-3);
}

#[test]
fn check_says_nothing_about_a_good_model_without_its_data() {
    let folder = model(
        "data X: real[n, d] from \"missing.npy\"\nupper {\n  var x: real[d]\n  minimize sumsq(X @ x)\n}\n",
    );
    let output = blo(&folder.path(""), &["check", "m.blo"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = blo(&folder.path(""), &["run", "m.blo"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_expression_that_is_not_finite_is_named() {
    let start = "upper {\n  var x: real[2] = [1, 0]\n  minimize ";
    for (objective, title, place) in [
        ("sum(if x > 0 then log(x) else x) + sqrt(x[1] - 1)", "an expression is not finite", ":3:47"),
        ("sumsq(x) + sum(sqrt(x))", "a derivative is not finite", ":3:27"),
    ] {
        let output = blo(&model(&format!("{start}{objective}\n}}\n")).path(""), &["run", "m.blo"]);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("E0402") && text.contains(title) && text.contains(place), "{text}");
    }
}

#[test]
fn stages_are_printed() {
    let folder = model(MODEL);
    for (stage, part) in
        [("ast", "distance"), ("model", "distance"), ("graph", "mul"), ("loops", "reduce"), ("clif", "f64")]
    {
        for command in ["run", "check"] {
            let output = blo(&folder.path(""), &[command, "m.blo", "--emit", stage]);
            assert_eq!(output.status.code(), Some(0), "{stage}: {}", stderr(&output));
            assert!(stdout(&output).contains(part), "{stage}:\n{}", stdout(&output));
        }
    }
}

#[test]
fn help_and_version() {
    let folder = Folder::new();
    for args in [&["--help"][..], &["run", "--help"], &["check", "--help"], &["--version"]] {
        let output = blo(&folder.path(""), args);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains("blo"));
    }
    assert_eq!(blo(&folder.path(""), &[]).status.code(), Some(2));
}

/// Each city produces what the table asks for; the file lists the cities in another order.
const LABELLED: &str = "\
dim city = [\"Paris\", \"Lyon\"]
data demand: real[city] from \"demand.csv\"
upper {
  var supply: real[city] = 0
  var other: real[2] = 0
  minimize sumsq(supply - demand) + sumsq(other)
}
solve gradient(steps = 200)
expect abs(supply[\"Lyon\"] - 20) < 1e-3
";

#[test]
fn labels_match_tables_and_name_results() {
    let folder = model(LABELLED);
    fs::write(folder.path("demand.csv"), "city,demand\nLyon,20\nParis,10\n").unwrap();
    let value = json(&folder, &[], 0);
    assert_eq!(value["labels"], serde_json::json!({ "supply": [["Paris", "Lyon"]] }));
    let text = stdout(&blo(&folder.path(""), &["run", "m.blo"]));
    assert!(text.contains("[Paris: 10, Lyon: 20]"), "{text}");
    for (table, said) in [
        ("Lyon,20\nParis,10\nNice,3\n", "`Nice` in line 3 is not a label of `city`"),
        ("Lyon,20\n", "no row has the label `Paris` of `city`"),
        ("Lyon,20\nParis,1\nLyon,2\n", "`Lyon` stands in line 1 and again in line 3"),
        ("Lyon,20\nPariss,1\n", "did you mean `Paris`?"),
    ] {
        fs::write(folder.path("demand.csv"), table).unwrap();
        let output = blo(&folder.path(""), &["run", "m.blo"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(said), "{table}\n{}", stderr(&output));
    }
}

#[test]
fn files_use_each_other_under_any_spelling() {
    let folder =
        model("use \"./a.blo\"\nupper { var x: real = 0\n minimize f(x) }\nsolve gradient(steps = 1)\n");
    fs::write(folder.path("a.blo"), "use \"./sub/../b.blo\"\nfn f(x) = g(x)^2\n").unwrap();
    fs::write(folder.path("b.blo"), "fn g(x) = x\n").unwrap();
    assert_eq!(blo(&folder.path(""), &["run", "m.blo"]).status.code(), Some(0));
    fs::write(folder.path("b.blo"), "use \"././a.blo\"\nfn g(x) = x\n").unwrap();
    let output = blo(&folder.path(""), &["run", "m.blo"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("files use each other in a circle"), "{}", stderr(&output));
    fs::write(folder.path("a.blo"), "use \"bb.blo\"\nfn f(x) = x\n").unwrap();
    let output = blo(&folder.path(""), &["run", "m.blo"]);
    assert!(stderr(&output).contains("did you mean `b.blo`?"), "{}", stderr(&output));
}
