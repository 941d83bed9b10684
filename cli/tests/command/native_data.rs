//! Compiled models with other data than they were compiled with: of the same shapes, and with other numbers of samples.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

use std::fs;

use serde_json::Value;

use crate::common::{Folder, blo, npy, refused};
use crate::native::{done, example, numbers, python, result, tool};

/// Regression on samples: those of the lower level are summed, those of the upper one averaged.
const MODEL: &str = "
data X: real[n, d]
data t: real[n]
data V: real[m, d]
data k: int[m] in 0..4
data start: real[d]
data weight: real[4] = [1, 2, 3, 4]
param rate = 0.1
let Z = 2 * X

upper {
  var l: real[d] in [-8, 2] = -1
  minimize mean(weight[k[i]] * (V[i] @ w - 1)^2 for i ~ m) + 0.01 * sumsq(l)
  report worst = max(V[i] @ w for i in m)
  report size = sumsq(w)
}
lower {
  var w: real[d] = start
  minimize sum(log(1 + exp(-t[i] * (Z[i] @ w))) for i ~ n) / 7 + sum(exp(l[j]) * w[j]^2 for j in d) + rate * w[0]
}
solve cg(steps = 8)
";

/// Writes an array of `rows` samples of `width` numbers.
fn samples(folder: &Folder, file: &str, rows: usize, width: usize, value: impl Fn(f64) -> f64) {
    let numbers = (0..rows * width).map(|k| value(k as f64));
    let bytes: Vec<u8> = numbers.flat_map(f64::to_le_bytes).collect();
    let shape = if width == 1 { format!("({rows},)") } else { format!("({rows}, {width})") };
    fs::write(folder.path(format!("{file}.npy")), npy("<f8", false, &shape, &bytes)).unwrap();
}

/// Data with `n` and `m` samples, in files that end in a word; the arguments that give them.
fn data(folder: &Folder, word: &str, n: usize, m: usize) -> Vec<String> {
    samples(folder, &format!("X{word}"), n, 3, |k| (1.3 * k + n as f64).sin());
    samples(folder, &format!("t{word}"), n, 1, |k| if (0.9 * k).sin() > 0.0 { 1.0 } else { -1.0 });
    samples(folder, &format!("V{word}"), m, 3, |k| (2.1 * k + m as f64).cos());
    samples(folder, &format!("k{word}"), m, 1, |k| (5.0 * k) % 4.0);
    ["X", "t", "V", "k"]
        .iter()
        .flat_map(|name| ["--data".into(), format!("{name}={name}{word}.npy")])
        .collect()
}

fn folder_with_model() -> (Folder, Vec<String>) {
    let folder = Folder::new();
    fs::write(folder.path("model.blo"), MODEL).unwrap();
    samples(&folder, "start", 3, 1, |k| 0.1 * k);
    let mut args = data(&folder, "8", 8, 5);
    args.extend(["--data".into(), "start=start.npy".into()]);
    (folder, args)
}

fn run(folder: &Folder, args: &[&str], more: &[String]) -> Value {
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    result(&blo(&folder.path(""), &[args, &["--json"], &more].concat()))
}

#[test]
fn other_data_of_the_same_shapes_have_the_bits_of_the_model_with_them() {
    let same = |model: &str, data: &[String]| {
        let folder = Folder::new();
        done(&blo(&folder.path(""), &["compile", model, "-o", "m"]));
        samples(&folder, "other", 442, 1, |k| (0.7 * k).sin() * 60.0 + 150.0);
        fs::write(folder.path("cost.json"), "[2, 5, 5.5, 0.25, 4, 2, 6, 0]").unwrap();
        let (here, there) = (run(&folder, &["run", model], data), run(&folder, &["run", "m.so"], data));
        let before = run(&folder, &["run", "m.so"], &[]);
        assert_ne!(there["upper"]["objective"], before["upper"]["objective"]);
        let (here, there) = (numbers(here), numbers(there));
        for name in ["upper", "lower", "reports", "variables", "iterations", "check"] {
            assert_eq!(here[name], there[name], "{model}: {name}");
        }
    };
    same(&example("ridge_diabetes"), &["--data".into(), "y=other.npy".into()]);
    same(&example("toll_network"), &["--data".into(), "cost=cost.json".into()]);
}

/// Whether the numbers of two results are the same but for rounding.
fn close(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| close(a, b)),
        (Value::Object(a), Value::Object(b)) => a.iter().all(|(name, a)| close(a, &b[name])),
        _ => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(1.0),
            _ => a == b,
        },
    }
}

#[test]
fn any_number_of_samples_gives_the_model_with_them() {
    let (folder, compiled) = folder_with_model();
    let args: Vec<&str> = compiled.iter().map(String::as_str).collect();
    done(&blo(&folder.path(""), &[&["compile", "model.blo", "-o", "m"], &args[..]].concat()));
    // Fewer, one chunk and a part, many chunks; and as many as compiled, with the same bits.
    for (n, m) in [(3, 5), (8, 2), (13, 5), (40, 31), (8, 5)] {
        let mut given = data(&folder, "other", n, m);
        let there = run(&folder, &["run", "m.so"], &given);
        given.extend(compiled[compiled.len() - 2..].to_vec());
        let here = run(&folder, &["run", "model.blo"], &given);
        assert!(close(&here["upper"], &there["upper"]), "{n} {m}: {} {}", here["upper"], there["upper"]);
        assert!(close(&here["variables"], &there["variables"]), "{n} {m}: {there}");
        assert!(close(&here["reports"]["size"], &there["reports"]["size"]), "{n} {m}: {there}");
        if m == 5 {
            assert_eq!(here["reports"]["worst"].is_null(), there["reports"]["worst"].is_null());
        }
        if (n, m) == (8, 5) {
            assert_eq!(here["variables"], there["variables"]);
        }
    }
    // A method that samples takes all of them.
    let saba = "saba(steps = 3, batch = 2)";
    done(&blo(
        &folder.path(""),
        &[&["compile", "model.blo", "-o", "s", "--method", saba], &args[..]].concat(),
    ));
    let given = data(&folder, "other", 13, 5);
    assert!(run(&folder, &["run", "s.so"], &given)["upper"]["objective"].is_f64());
}

#[test]
fn every_function_takes_any_number_of_samples_from_python() {
    let (folder, compiled) = folder_with_model();
    let Some(python) = python(&folder.path("")) else { return };
    let more = |name: &'static str, word: &str, n: usize, m: usize| {
        let mut args = data(&folder, word, n, m);
        args.extend(compiled[compiled.len() - 2..].to_vec());
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let compile = ["compile", "model.blo", "-o", name, "--python"];
        done(&blo(&folder.path(""), &[&compile[..], &args].concat()));
    };
    more("few", "8", 8, 5);
    more("many", "21", 21, 17);
    let script = "
import numpy, few, many
a, b = few.Model(), many.Model()
load = lambda name: numpy.load(name + '21.npy')
a.set_data(X=load('X'), t=load('t'), V=load('V'), k=load('k'), weight=[4, 3, 2, 1], rate=0.3)
b.set_data(weight=[4, 3, 2, 1], rate=0.3)
x, y, v, u = (numpy.sin(numpy.arange(3) + k) for k in range(4))
calls = [('upper_value', ()), ('upper_gradients', ()), ('upper_second_order', (v,)), ('lower_value', ()), ('lower_gradient', ()),
         ('lower_gradients', ()), ('lower_hessian', (v,)), ('lower_second_order', (v,)), ('lower_cross', (u,))]
flat = lambda answer: numpy.concatenate([numpy.atleast_1d(part) for part in (answer if isinstance(answer, tuple) else (answer,))])
for name, more in calls:
    here, there = (flat(getattr(model, name)(x, y, *more)) for model in (a, b))
    assert numpy.abs(there).max() > 0, name
    assert numpy.allclose(here, there, rtol=1e-12, atol=1e-13), (name, here, there)
samples = [datum['name'] for datum in a.data if datum.get('samples')]
assert samples == ['X', 't', 'V', 'k'], a.data
assert numpy.isnan(a.reports(x, y)['worst']) and not numpy.isnan(b.reports(x, y)['worst'])
for wrong in (dict(start=[1, 2, 3]), dict(k=[7.0] * 17), dict(X=numpy.ones((3, 2))), dict(nothing=1), dict(X=numpy.ones((3, 3)))):
    try:
        few.Model().set_data(**wrong)
        fresh = few.Model()
        fresh.set_data(**wrong)
        fresh.lower_value(x, y)
    except (few.Error, ValueError) as error:
        print(error)
    else:
        raise AssertionError(wrong)
";
    // Beside the libraries Python would take these for the modules.
    fs::write(folder.path("few-python/main.py"), script).unwrap();
    let place = [("PYTHONPATH", "few-python:many-python"), ("PYTHONDONTWRITEBYTECODE", "1")];
    let text = done(&tool(&folder.path(""), &python, &["few-python/main.py"], &place).unwrap());
    for words in [
        "`start` keeps the values it was compiled with: variables are bounded by them or start there",
        "number 0 of `k` is 7, outside of its range 0 to 3",
        "`X` has the shape [8, 3], and these values [3, 2]",
        "there are no data `nothing`",
        "`X` has 3 samples and `t` 8: they belong together",
    ] {
        assert!(text.contains(words), "no `{words}` in\n{text}");
    }
}

/// Other samples, from C: wrong ones first.
const PROGRAM: &str = r#"
#include <stdio.h>
#include "m.h"

int main(void) {
  m *model;
  double x[39], t[13], value;
  char words[200];
  FILE *file = fopen("samples", "rb");
  if (fread(x, 8, 39, file) != 39 || fread(t, 8, 13, file) != 13) return 1;
  if (m_open(&model, words, sizeof words)) return 2;
  double y[m_LOWER_LEN], l[m_UPPER_LEN];
  m_start(model, l, y);
  if (m_set_data(model, "X", x, 38) != m_ARGUMENT || m_set_data(model, NULL, x, 39) != m_ARGUMENT) return 3;
  if (m_set_data(model, "X", x, 39)) return 4;
  if (m_lower_value(model, l, y, &value) != m_ARGUMENT) return 5;
  m_message(model, words, sizeof words);
  if (m_set_data(model, "t", t, 13)) return 6;
  m_solution found = {.size = sizeof found};
  if (m_solve(model, NULL, &found)) return 7;
  printf("%s\n%.17g\n", words, found.upper_objective);
  m_close(model);
  return 0;
}
"#;

#[test]
fn a_c_program_hands_over_other_samples() {
    let (folder, compiled) = folder_with_model();
    let args: Vec<&str> = compiled.iter().map(String::as_str).collect();
    done(&blo(&folder.path(""), &[&["compile", "model.blo", "-o", "m"], &args[..]].concat()));
    let given = data(&folder, "other", 13, 5);
    let bytes = |name: &str| {
        let file = fs::read(folder.path(format!("{name}other.npy"))).unwrap();
        let header = usize::from(u16::from_le_bytes([file[8], file[9]])) + 10;
        file[header..].to_vec()
    };
    fs::write(folder.path("samples"), [bytes("X"), bytes("t")].concat()).unwrap();
    fs::write(folder.path("main.c"), PROGRAM).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let args = ["-Wall", "-Werror", "main.c", "./m.so", "-o", "main"];
    let Some(built) = tool(&folder.path(""), &compiler, &args, &[]) else { return };
    done(&built);
    let text = done(&tool(&folder.path(""), "./main", &[], &[]).unwrap());
    let (words, objective) = text.trim().split_once('\n').unwrap();
    assert_eq!(words, "`X` has 13 samples and `t` 8: they belong together");
    let there = run(&folder, &["run", "m.so"], &given[..4]);
    assert_eq!(objective.parse::<f64>().unwrap(), there["upper"]["objective"].as_f64().unwrap());
}

#[test]
fn data_that_do_not_fit_are_refused() {
    let (folder, compiled) = folder_with_model();
    let args: Vec<&str> = compiled.iter().map(String::as_str).collect();
    done(&blo(&folder.path(""), &[&["compile", "model.blo", "-o", "m"], &args[..]].concat()));
    samples(&folder, "wide", 8, 4, |k| k);
    samples(&folder, "three", 3, 1, |k| k);
    let fixed = "`start` keeps the values it was compiled with";
    refused(&folder, &["run", "m.so", "--data", "start=three.npy"], &[fixed]);
    refused(&folder, &["run", "m.so", "--data", "X=wide.npy"], &["`X` has the shape [8, 3]", "[8, 4]"]);
    refused(&folder, &["run", "m.so", "--data", "t=three.npy"], &["`X` has 8 samples and `t` 3"]);
    refused(&folder, &["run", "m.so", "--data", "z=three.npy"], &["`--data z=…`", "no data `z`"]);
    refused(&folder, &["run", "m.so", "--set", "rate=a"], &["takes a number", "`a`"]);
    refused(&folder, &["run", "m.so", "--set", "n=3"], &["there are no data `n`"]);
    let objective =
        |value: &str| run(&folder, &["run", "m.so", "--set", value], &[])["upper"]["objective"].clone();
    assert_ne!(objective("rate=0.1"), objective("rate=0.4"));
}
