//! Compiled code that is kept from run to run: it changes no result, and nothing that happens to its files is an error. And
//! the times of the parts of a run.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{Folder, blo, blo_with_cache, stderr, stdout};

const MODEL: &str = "data a: real[37] ~ normal(0, 1)
upper {
  var x: real[37] = 1
  minimize sum((y - a)^2) + sum(log(1 + exp(x)))
}
lower {
  var y: real[37]
  minimize sum((y - x)^2) + sum(tanh(y)^2)
}
solve rhg(lower_steps = 5, steps = 20, tolerance = 0)
";

fn folder() -> Folder {
    let folder = Folder::new();
    std::fs::write(folder.path("m.blo"), MODEL).unwrap();
    folder
}

/// The result of a run without its times, and whether its code came from the cache.
fn run(folder: &Folder, cache: &Path, more: &[&str]) -> (Value, bool) {
    let args: Vec<&str> = ["run", "m.blo", "--json"].iter().chain(more).copied().collect();
    let output = blo_with_cache(&folder.path(""), cache, &args);
    assert!(output.status.code().is_some_and(|c| c < 2), "{}{}", stderr(&output), stdout(&output));
    assert_eq!(stderr(&output), "");
    let mut result: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let cached = result["seconds"]["cached"].as_bool().unwrap();
    result["seconds"] = Value::Null;
    (result, cached)
}

fn files(cache: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(cache).into_iter().flatten().map(|f| f.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn kept_code_gives_the_same_bits() {
    let folder = folder();
    let cache = folder.path("cache");
    for precision in ["f64", "f32"] {
        let more = ["--precision", precision];
        let (first, cached) = run(&folder, &cache, &more);
        assert!(!cached);
        assert_eq!(run(&folder, &cache, &more), (first.clone(), true));
        assert_eq!(run(&folder, &cache, &[&more[..], &["--no-cache"]].concat()), (first, false));
    }
    assert_eq!(files(&cache).len(), 2);
    // Other data, the same program.
    assert!(run(&folder, &cache, &["--seed", "7"]).1);
    // The single-level form is two programs.
    let kkt = ["--method", "kkt(steps = 1)"];
    let (first, _) = run(&folder, &cache, &kkt);
    assert_eq!(run(&folder, &cache, &kkt), (first, true));
}

#[test]
fn without_a_cache_nothing_is_written() {
    let folder = folder();
    assert!(!run(&folder, &folder.path("cache"), &["--no-cache"]).1);
    assert!(!folder.path("cache").exists());
    // A file where the folder should be.
    std::fs::write(folder.path("file"), "mine").unwrap();
    for _ in 0..2 {
        assert!(!run(&folder, &folder.path("file"), &[]).1);
    }
    assert_eq!(std::fs::read_to_string(folder.path("file")).unwrap(), "mine");
}

#[test]
fn damaged_code_is_compiled_again() {
    let folder = folder();
    let cache = folder.path("cache");
    let (first, _) = run(&folder, &cache, &[]);
    let path = files(&cache).pop().unwrap();
    let whole = std::fs::read(&path).unwrap();
    let middle = whole.len() - 100;
    let damages: [&dyn Fn() -> Vec<u8>; 4] = [
        &|| whole[..middle].to_vec(),
        &|| [&whole[..middle], &[whole[middle] ^ 4], &whole[middle + 1..]].concat(),
        &|| Vec::new(),
        &|| vec![0; whole.len()],
    ];
    for damage in damages {
        std::fs::write(&path, damage()).unwrap();
        assert_eq!(run(&folder, &cache, &[]), (first.clone(), false));
        assert_eq!(run(&folder, &cache, &[]), (first.clone(), true));
        assert_eq!(std::fs::read(&path).unwrap(), whole);
    }
}

#[test]
fn processes_at_the_same_time_share_it() {
    let folder = folder();
    let cache = folder.path("cache");
    let results: Vec<Value> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| run(&folder, &cache, &[]).0)).collect();
        runs.into_iter().map(|r| r.join().unwrap()).collect()
    });
    assert!(results.iter().all(|r| *r == results[0]));
    assert_eq!(files(&cache).len(), 1);
    assert_eq!(run(&folder, &cache, &[]), (results[0].clone(), true));
}

#[test]
fn the_cache_is_shown_and_cleared() {
    let folder = folder();
    let cache = folder.path("cache");
    let said = |args: &[&str]| {
        let output = blo_with_cache(&folder.path(""), &cache, args);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    assert!(said(&["cache"]).contains(": 0 programs"));
    run(&folder, &cache, &[]);
    assert!(said(&["cache"]).contains("cache: 1 program, "));
    assert!(said(&["cache", "--clear"]).contains("1 program removed"));
    assert_eq!(files(&cache).len(), 0);
}

#[test]
fn the_parts_of_a_run_add_up() {
    let folder = folder();
    std::fs::write(folder.path("a.csv"), "1\n2\n").unwrap();
    let text =
        "dim n\ndata a: real[n] from \"a.csv\"\nupper {\n  var x: real[n]\n  minimize sum((x - a)^2)\n}\n";
    std::fs::write(folder.path("r.blo"), text).unwrap();
    let output = blo(&folder.path(""), &["run", "r.blo", "--json", "--timings"]);
    let result: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let seconds = &result["seconds"];
    let parts: Vec<(&String, f64)> =
        seconds["parts"].as_object().unwrap().iter().map(|(k, v)| (k, v.as_f64().unwrap())).collect();
    let (total, sum) = (seconds["total"].as_f64().unwrap(), parts.iter().map(|p| p.1).sum::<f64>());
    assert!(
        (total - sum).abs() <= 1e-12 * total,
        "{total} is not {sum}, which differs by more than rounding"
    );
    assert!(parts.iter().all(|p| p.1 > 0.0), "every part of this run takes time: {parts:?}");
    assert_eq!(seconds["read"].as_f64().unwrap(), parts.iter().find(|p| p.0 == "read").unwrap().1);

    let text = stdout(&blo(&folder.path(""), &["run", "r.blo", "--timings"]));
    let (_, table) = text.rsplit_once("\n\n").unwrap();
    let names: Vec<&str> = table.lines().map(|l| l.split_whitespace().next().unwrap()).collect();
    let expected: Vec<&str> = parts.iter().map(|p| p.0.as_str()).chain(["total"]).collect();
    assert_eq!(names, expected);
}
