//! Every example runs and keeps what its `expect` lines promise.

use std::path::{Path, PathBuf};

use crate::common::{blo, stderr, stdout};

/// The models in a folder of the repository, sorted.
fn models(folder: &str) -> (PathBuf, Vec<String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let entries = std::fs::read_dir(&folder).expect("the examples are there");
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut models: Vec<String> = names.filter(|name| name.ends_with(".blo")).collect();
    models.sort();
    (folder, models)
}

/// Runs all models of a folder; complains about each that does not end with `status` or breaks a promise.
fn all_hold(folder: &str, status: i32) {
    let (folder, models) = models(folder);
    assert!(!models.is_empty());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let failures: String = std::thread::scope(|scope| {
        let (folder, models) = (&folder, &models);
        let share = |k: usize| models.iter().skip(k).step_by(workers);
        let runs: Vec<_> = (0..workers)
            .map(|k| {
                scope.spawn(move || {
                    share(k).filter_map(|model| failure(folder, model, status)).collect::<String>()
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{failures}");
}

/// What is wrong with the run of one model, if anything.
fn failure(folder: &Path, model: &str, status: i32) -> Option<String> {
    let output = blo(folder, &["run", model]);
    let text = stdout(&output);
    let holds = output.status.code() == Some(status) && text.contains("✓ expect") && !text.contains('✗');
    (!holds).then(|| format!("== {model}: {:?}\n{text}{}", output.status.code(), stderr(&output)))
}

#[test]
fn every_example_is_solved_and_holds() {
    all_hold("examples", 0);
}

/// The gallery's page has a row for every model and for no other, and every model says first what it is.
#[test]
fn the_gallery_lists_every_example() {
    let (folder, models) = models("examples");
    let page = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let rows =
        page.lines().filter_map(|line| line.strip_prefix("| [`")).filter_map(|row| row.split_once("`]("));
    let mut listed: Vec<&str> = rows.map(|(name, _)| name).collect();
    listed.sort_unstable();
    assert_eq!(listed, models);
    for model in &models {
        let text = std::fs::read_to_string(folder.join(model)).unwrap();
        let head = text.lines().take_while(|line| line.starts_with('#')).count();
        assert!((1..=12).contains(&head), "{model}: {head} lines say what it is");
    }
}

/// Published runs are repeated step by step, even where their end is not a solution.
#[test]
fn every_reproduction_holds_and_is_called_what_it_is() {
    all_hold("examples/reproductions", 1);
}

/// All models of a folder are free of mistakes.
fn all_check(folder: &str) {
    let (folder, models) = models(folder);
    assert!(!models.is_empty());
    for model in &models {
        let output = blo(&folder, &["check", model]);
        assert_eq!(output.status.code(), Some(0), "{model}: {}", stderr(&output));
    }
}

/// What the benchmarks time. That it computes what its peers compute is checked before each timing.
#[test]
fn every_benchmark_model_checks() {
    all_check("bench/workloads");
}

/// What takes too long here; `bench/results.py` runs it.
#[test]
fn every_experiment_checks() {
    all_check("examples/experiments");
}

/// The published validation losses of the logistic experiment, to six digits, along the trace.
#[test]
fn the_published_trajectory() {
    let folder = crate::common::Folder::new();
    let (models, _) = models("examples/reproductions");
    let out = folder.path("out");
    let output = blo(&models, &["run", "logistic_hypertorch.blo", "--out", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let trace = std::fs::read_to_string(out.join("trace.csv")).unwrap();
    for (iteration, loss) in [
        (0, 0.5743990),
        (10, 0.5337679),
        (100, 0.2853544),
        (780, 0.2805105),
        (990, 0.28050646),
        (999, 0.28050627),
    ] {
        let row = trace.lines().find(|l| l.starts_with(&format!("{iteration},"))).unwrap();
        let found: f64 = row.split(',').nth(2).unwrap().parse().unwrap();
        assert!((found - loss).abs() < 6e-8, "iteration {iteration}: {found}, published {loss}");
    }
}

/// Data cleaning with the penalty methods' own iterates: as good on the test images and on finding wrong labels as the implicit method.
#[test]
fn digits_cleaning_with_other_methods() {
    let (folder, _) = models("examples");
    for method in [
        "bome(steps = 1000, upper_step = 1000, y_step = 1, lower_step = 1, lower_steps = 10, finish = false)",
        "meha(steps = 2000, upper_step = 100, lower_step = 0.5, y_step = 0.5, c = 1, gamma = 10, p = 0.3, finish = false)",
    ] {
        let output = blo(&folder, &["run", "digits_cleaning.blo", "--method", method]);
        let text = stdout(&output);
        assert!(text.contains("✓ expect accuracy") && text.contains("✓ expect f1"), "{method}\n{text}");
    }
}
