//! Compiled models, called as others call them: by `blo run`, from C, from Python and from Rust. Where there is no C compiler or no numpy,
//! the test says so and is done.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::common::{Folder, blo, refused, stderr, stdout};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

pub fn example(name: &str) -> String {
    format!("{ROOT}/examples/{name}.blo")
}

pub fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}\n{}", stderr(output), stdout(output));
    stdout(output)
}

/// Runs a program in a folder; `None`, with a word about it, where it does not exist.
pub fn tool(folder: &Path, program: &str, args: &[&str], variables: &[(&str, &str)]) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).envs(variables.iter().copied());
    match command.output() {
        Ok(output) => Some(output),
        Err(e) => {
            eprintln!("not tested: `{program}` cannot be run ({e})");
            None
        }
    }
}

fn c_compiler() -> String {
    std::env::var("CC").unwrap_or_else(|_| "cc".to_owned())
}

/// A python with numpy.
pub fn python(folder: &Path) -> Option<String> {
    let program = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = tool(folder, &program, &["-c", "import numpy"], &[])?;
    if !found.status.success() {
        eprintln!("not tested: `{program}` has no numpy");
        return None;
    }
    Some(program)
}

pub fn result(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).unwrap_or_else(|e| panic!("{e}\n{}", stderr(output)))
}

/// What two runs must have in common: all but times, expectations, labels, and what is said of constraints by their names, which a compiled
/// model does not know.
pub fn numbers(mut result: Value) -> Value {
    let fields = result.as_object_mut().unwrap();
    for name in ["seconds", "expect", "timings", "followers", "because", "labels", "multipliers", "slopes"] {
        fields.remove(name);
    }
    if let Some(Value::String(verdict)) = fields.get_mut("verdict") {
        let (start, end) = ("; the multipliers of the lower level's constraints are not unique", "are given");
        if let Some(at) = verdict.find(start) {
            let rest = verdict[at..].find(end).map_or("", |length| &verdict[at + length + end.len()..]);
            *verdict = format!("{}{rest}", &verdict[..at]);
        }
    }
    result
}

/// Solved by the model's own method for a few iterations, compiled and not, with the same bits in every number.
fn same_bits(path: &str, more: &[&str]) {
    let folder = Folder::new();
    let run = blo(&folder.path(""), &[&["run", path, "--json", "--threads", "1"], more].concat());
    done(&blo(&folder.path(""), &[&["compile", path, "-o", "m"], more].concat()));
    let compiled = blo(&folder.path(""), &["run", "m.so", "--json", "--threads", "1"]);
    let (here, there) = (numbers(result(&run)), numbers(result(&compiled)));
    let fields = here.as_object().unwrap().iter();
    for (name, value) in fields.filter(|(name, _)| *name != "variables") {
        assert_eq!(&there[name], value, "{path}: {name}");
    }
    // Variables may carry labels, which a compiled model does not know.
    for (name, variable) in here["variables"].as_object().unwrap() {
        let values = |v: &Value| v.get("values").cloned().unwrap_or_else(|| v.clone());
        assert_eq!(values(&there["variables"][name]), values(variable), "{path}: {name}");
    }
}

#[test]
fn a_compiled_model_gives_the_numbers_of_the_model() {
    same_bits(&example("ridge_diabetes"), &[]);
    same_bits(&example("digits_cleaning"), &["--iterations", "5"]);
    // A proximal part, batches, single precision, dense algebra, an upper level alone.
    same_bits(&example("elastic_net"), &["--method", "meha(steps = 20)"]);
    same_bits(&example("finite_sum"), &["--method", "saba(steps = 50)"]);
    same_bits(&example("denoising"), &["--iterations", "3", "--precision", "f32"]);
    same_bits(&example("gaussian_process"), &["--iterations", "3"]);
    same_bits(&example("rosenbrock"), &[]);
}

#[test]
fn so_does_one_with_constraints_or_whole_numbers() {
    same_bits(&example("toll"), &[]);
    same_bits(&example("toll_network"), &[]);
    same_bits(&example("power_market"), &[]);
    same_bits(&example("retailers"), &[]);
    same_bits(&example("retailers"), &["--method", "kkt()"]);
}

#[test]
fn so_does_one_for_less_than_this_processor() {
    same_bits_for("x86-64-v3");
    let folder = Folder::new();
    let path = example("ridge_diabetes");
    done(&blo(&folder.path(""), &["compile", &path, "-o", "m", "--target-cpu", "baseline"]));
    let run = result(&blo(&folder.path(""), &["run", &path, "--json"]));
    let compiled = result(&blo(&folder.path(""), &["run", "m.so", "--json"]));
    let objective = |result: &Value| result["upper"]["objective"].as_f64().unwrap();
    assert!((objective(&run) - objective(&compiled)).abs() < 1e-8, "{compiled}");
}

fn same_bits_for(cpu: &str) {
    let folder = Folder::new();
    let path = example("ridge_diabetes");
    let compiled = blo(&folder.path(""), &["compile", &path, "-o", "m", "--target-cpu", cpu]);
    if stderr(&compiled).contains("this processor has no") {
        eprintln!("not tested: {}", stderr(&compiled));
        return;
    }
    done(&compiled);
    let run = numbers(result(&blo(&folder.path(""), &["run", &path, "--json"])));
    let compiled = numbers(result(&blo(&folder.path(""), &["run", "m.so", "--json"])));
    assert_eq!(run["upper"]["objective"], compiled["upper"]["objective"]);
    assert_eq!(run["variables"], compiled["variables"]);
}

/// The first block of a language in `docs/native.md`.
fn block(language: &str) -> String {
    let page = fs::read_to_string(format!("{ROOT}/docs/native.md")).unwrap();
    let rest = page.split_once(&format!("```{language}\n")).unwrap().1;
    rest.split_once("```").unwrap().0.to_owned()
}

/// Data cleaning, compiled into a folder, and the upper objective and accuracy after 20 iterations of the model itself.
fn cleaning(folder: &Folder, more: &[&str]) -> [f64; 2] {
    let path = example("digits_cleaning");
    done(&blo(&folder.path(""), &[&["compile", &path, "-o", "cleaning"], more].concat()));
    let run =
        result(&blo(&folder.path(""), &["run", &path, "--json", "--iterations", "20", "--threads", "1"]));
    [run["upper"]["objective"].as_f64().unwrap(), run["reports"]["accuracy"].as_f64().unwrap()]
}

#[test]
fn the_c_program_of_the_page_gives_the_numbers_of_the_model() {
    let folder = Folder::new();
    let [objective, accuracy] = cleaning(&folder, &[]);
    fs::write(folder.path("main.c"), block("c")).unwrap();
    let args = ["-std=c99", "-Wall", "-Wextra", "-Werror", "main.c", "./cleaning.so", "-o", "main"];
    let Some(built) = tool(&folder.path(""), &c_compiler(), &args, &[]) else { return };
    done(&built);
    let text = done(&tool(&folder.path(""), "./main", &[], &[]).unwrap());
    let last = text.lines().last().unwrap().replace("upper objective ", "").replace(" accuracy ", "");
    let found: Vec<f64> = last.split(',').map(|n| n.parse().unwrap()).collect();
    assert_eq!(found, [objective, accuracy], "{text}");
}

#[test]
fn an_object_makes_a_program_of_one_file() {
    let folder = Folder::new();
    if tool(&folder.path(""), &c_compiler(), &["--version"], &[]).is_none() {
        return;
    }
    let [objective, accuracy] = cleaning(&folder, &["--static"]);
    fs::write(folder.path("main.c"), block("c")).unwrap();
    let args = ["-std=c99", "-Wall", "-Wextra", "-Werror", "main.c", "cleaning.o", "-o", "main"];
    done(&tool(&folder.path(""), &c_compiler(), &args, &[]).unwrap());
    for name in ["cleaning.so", "cleaning.o", "cleaning.h"] {
        fs::remove_file(folder.path(name)).unwrap();
    }
    let text = done(&tool(&folder.path(""), "./main", &[], &[]).unwrap());
    let last = text.lines().last().unwrap().replace("upper objective ", "").replace(" accuracy ", "");
    let found: Vec<f64> = last.split(',').map(|n| n.parse().unwrap()).collect();
    assert_eq!(found, [objective, accuracy], "{text}");
}

#[test]
fn an_object_without_a_compiler_is_said_to_be_missing() {
    let folder = Folder::new();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_blo"))
        .args(["compile", &example("toy"), "-o", "m", "--static"])
        .current_dir(folder.path(""))
        .env("CC", "no-such-compiler")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("`--static` needs a C compiler"), "{}", stderr(&output));
    assert!(folder.path("m.so").exists() && folder.path("m-static/m.c").exists());
}

#[test]
fn the_python_program_of_the_page_gives_the_numbers_of_the_model() {
    let folder = Folder::new();
    let Some(python) = python(&folder.path("")) else { return };
    let [objective, accuracy] = cleaning(&folder, &["--python"]);
    fs::write(folder.path("cleaning-python/main.py"), block("python")).unwrap();
    let place = [("PYTHONPATH", "cleaning-python"), ("PYTHONDONTWRITEBYTECODE", "1")];
    let text = done(&tool(&folder.path(""), &python, &["cleaning-python/main.py"], &place).unwrap());
    assert!(text.contains(&format!("{objective:?} {accuracy:?}")), "{objective} {accuracy}\n{text}");
    assert!(text.contains("(1000,) (64, 10)"), "{text}");
    match text.lines().find(|line| line.starts_with("scipy")) {
        Some(line) => assert!(line.starts_with("scipy True"), "{line}"),
        None => eprintln!("not tested: `{python}` has no scipy"),
    }
}

#[test]
fn the_crate_gives_the_numbers_of_the_model() {
    let folder = Folder::new();
    let path = example("ridge_diabetes");
    done(&blo(&folder.path(""), &["compile", &path, "-o", "ridge", "--rust"]));
    let main = "#[path = \"ridge-rust/src/lib.rs\"]\nmod ridge;\n\nfn main() {\n    let model = ridge::Model::open_at(\"./ridge.so\").unwrap();\n    \
                let (x, y) = model.start().unwrap();\n    let (value, gx, _) = model.gradients(\"upper\", &x, &y).unwrap();\n    \
                assert!(value.is_finite() && gx.len() == model.n);\n    println!(\"{:?}\", model.solve().unwrap().upper_objective);\n}\n";
    fs::write(folder.path("main.rs"), main).unwrap();
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let place = [("CARGO_MANIFEST_DIR", ".")];
    let args = ["--edition", "2024", "-A", "dead_code", "-D", "warnings", "main.rs"];
    let Some(built) = tool(&folder.path(""), &rustc, &args, &place) else { return };
    done(&built);
    let text = done(&tool(&folder.path(""), "./main", &[], &[]).unwrap());
    let run = result(&blo(&folder.path(""), &["run", &path, "--json"]));
    assert_eq!(text.trim().parse::<f64>().unwrap(), run["upper"]["objective"].as_f64().unwrap());
}

/// Two models in one program, eight threads that each open and solve both, and one handle that all of them share.
const THREADS: &str = r#"
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "one.h"
#include "two.h"

static one *shared;

static void *work(void *out) {
  double *values = out;
  one *a;
  two *b;
  if (one_open(&a, NULL, 0) || two_open(&b, NULL, 0)) return NULL;
  double x[one_UPPER_LEN], y[one_LOWER_LEN], gx[one_UPPER_LEN], gy[one_LOWER_LEN];
  one_start(a, x, y);
  for (int k = 0; k < 200; k++)
    if (one_upper_gradients(shared, x, y, &values[0], gx, gy)) return NULL;
  one_solution s = {.size = sizeof s};
  two_solution t = {.size = sizeof t};
  if (one_solve(a, NULL, &s) || two_solve(b, NULL, &t)) return NULL;
  values[1] = s.upper_objective;
  values[2] = t.upper_objective;
  one_close(a);
  two_close(b);
  return out;
}

int main(void) {
  pthread_t threads[8];
  double values[8][3];
  if (one_abi() != 1 || one_open(&shared, NULL, 0)) return 2;
  for (int k = 0; k < 8; k++) pthread_create(&threads[k], NULL, work, values[k]);
  for (int k = 0; k < 8; k++) {
    void *done;
    pthread_join(threads[k], &done);
    if (!done || memcmp(values[k], values[0], sizeof values[0])) return 3;
  }
  one_solution wrong = {.size = 8};
  char words[200];
  if (one_solve(shared, NULL, &wrong) != one_ARGUMENT) return 4;
  one_message(shared, words, sizeof words);
  double rows;
  if (one_lower_constraints(shared, NULL, NULL, &rows) != one_ARGUMENT) return 5;
  if (one_upper_value(NULL, NULL, NULL, &rows) != one_ARGUMENT) return 6;
  one_close(shared);
  one_close(NULL);
  printf("%.17g %.17g\n%s\n", values[0][1], values[0][2], words);
  return 0;
}
"#;

#[test]
fn eight_threads_and_two_models_agree() {
    let folder = Folder::new();
    let paths = [example("ridge_diabetes"), example("toll")];
    for (path, name) in paths.iter().zip(["one", "two"]) {
        done(&blo(&folder.path(""), &["compile", path, "-o", name]));
    }
    fs::write(folder.path("main.c"), THREADS).unwrap();
    let args = ["-Wall", "-Werror", "main.c", "./one.so", "./two.so", "-lpthread", "-o", "main"];
    let Some(built) = tool(&folder.path(""), &c_compiler(), &args, &[]) else { return };
    done(&built);
    let text = done(&tool(&folder.path(""), "./main", &[], &[]).unwrap());
    let objective = |path: &str| {
        result(&blo(&folder.path(""), &["run", path, "--json"]))["upper"]["objective"].as_f64().unwrap()
    };
    let found: Vec<f64> = text.lines().next().unwrap().split(' ').map(|n| n.parse().unwrap()).collect();
    assert_eq!(found, [objective(&paths[0]), objective(&paths[1])]);
    assert!(text.contains("the size of `solution` is not that of this version"), "{text}");
}

#[test]
fn what_cannot_be_compiled_or_run_is_said() {
    let folder = Folder::new();
    let path = example("ridge_diabetes");
    refused(&folder, &["compile", &path, "-o", "2nd"], &["cannot be called `2nd_…`", "begins with a letter"]);
    refused(&folder, &["compile", &path, "-o", "double"], &["cannot be called"]);
    refused(&folder, &["compile", "none.blo"], &["`none.blo` does not exist"]);
    done(&blo(&folder.path(""), &["compile", &path, "-o", "m"]));
    refused(
        &folder,
        &["run", "m.so", "--method", "cg"],
        &["`--method` is not for a compiled model", "blo compile"],
    );
    refused(&folder, &["run", "m.so", "--option", "step=3"], &["there is no option `step`"]);
    refused(&folder, &["run", "m.so", "--option", "steps=-3"], &["`steps` is", "and not -3"]);
    let whole = fs::read(folder.path("m.so")).unwrap();
    // The frozen problem begins with its mark; behind it the version, the length and the checksum.
    let at = whole.windows(8).rposition(|w| w == b"blo\0kern").unwrap();
    let damage = |at: usize, name: &str| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(folder.path(name), bytes).unwrap();
    };
    damage(at, "foreign.so");
    damage(at + 8, "version.so");
    damage(at + 60, "damaged.so");
    fs::write(folder.path("cut.so"), &whole[..at + 1000]).unwrap();
    fs::write(folder.path("text.so"), "no library").unwrap();
    refused(&folder, &["run", "foreign.so"], &["`foreign.so` cannot be run: it holds no compiled model"]);
    refused(&folder, &["run", "version.so"], &["it has version 2 of the format, and this is for version 3"]);
    refused(&folder, &["run", "damaged.so"], &["it is cut off or damaged"]);
    refused(&folder, &["run", "cut.so"], &["`cut.so` is no compiled model"]);
    refused(&folder, &["run", "text.so"], &["`text.so` is no compiled model", "`blo compile` writes one"]);
}
