//! Every function of a compiled model against the code that `blo run` makes, bit for bit: the JIT's numbers are computed here, the
//! library's by a C program and by a Python script, from the same vectors. Where there is no C compiler or no numpy, the test says so.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::path::Path;
use std::process::{Command, Output};

use blo_compiler::session::Surroundings;
use blo_runtime::derivatives::{Derivatives, Quantity};
use blo_runtime::problem::Problem;
use clap::Parser;

use crate::args::{Cli, Command as Asked, RunArgs};
use crate::commands::FINE;
use crate::scratch::Folder;
use crate::session::Session;
use crate::{command, compile};

/// The calls in the order in which callers make them: the function, the vectors it reads (`w` are weights of the lower rows), and the
/// lengths of those it writes by the letters of the header, with `r` and `s` the rows of the lower and the upper level.
const CALLS: [(&str, &str, &str); 14] = [
    ("upper_value", "xy", "1"),
    ("upper_gradients", "xy", "1nm"),
    ("upper_second_order", "xyv", "mn"),
    ("lower_value", "xy", "1"),
    ("lower_gradient", "xy", "1m"),
    ("lower_gradients", "xy", "1nm"),
    ("lower_hessian", "xyv", "m"),
    ("lower_second_order", "xyv", "mn"),
    ("lower_cross", "xyu", "m"),
    ("reports", "xy", "k"),
    ("lower_constraints", "xy", "r"),
    ("upper_constraints", "xy", "s"),
    ("lower_constraints_transposed", "xyw", "l"),
    ("start", "", "nm"),
];

/// A run's problem with code of the JIT.
fn jit(args: &[&str]) -> Problem {
    let cli = Cli::parse_from([&["blo", "run"], args].concat());
    let Some(Asked::Run(run)) = cli.command else { panic!("`run` is a command") };
    let RunArgs { model: args, flags, .. } = *run;
    let mut session = Session::open(&args).unwrap_or_else(|_| panic!("{} is there", args.model.display()));
    let mut model = session.model(&args, true).unwrap();
    let plan = session.plan(&model, &flags, args.input.seed).unwrap();
    let callable = compile::callable(&model);
    compile::problem_with(&mut model, &plan, callable, args.input.seed, Surroundings::none()).unwrap()
}

/// Numbers in the interval (-1, 1) that repeat themselves nowhere.
fn wave(len: usize, phase: f64) -> Vec<f64> {
    (0..len).map(|k| (1.7 * k as f64 + phase).sin()).collect()
}

/// Vectors that functions read, and where in them the constraints of the model are.
struct Given {
    x: Vec<f64>,
    y: Vec<f64>,
    u: Vec<f64>,
    v: Vec<f64>,
    w: Vec<f64>,
}

impl Given {
    fn of(problem: &Problem) -> Given {
        let moved = |start: Vec<f64>, phase| {
            start.iter().zip(wave(start.len(), phase)).map(|(s, d)| s + 0.1 * (d + 1.1)).collect::<Vec<f64>>()
        };
        let (mut x, mut y) = (moved(problem.upper.start(), 0.3), moved(problem.lower.start(), 0.8));
        problem.upper.project(&mut x);
        problem.lower.project(&mut y);
        let rows = problem.constrained.as_ref().and_then(|c| c.follower.as_ref());
        let rows = rows.map_or(0, |follower| follower.nlp.equal.len());
        Given { u: wave(x.len(), 1.1), v: wave(y.len(), 2.2), w: wave(rows, 3.3), x, y }
    }

    fn all(&self) -> Vec<f64> {
        [&self.x, &self.y, &self.u, &self.v, &self.w].into_iter().flatten().copied().collect()
    }
}

/// What the JIT's code says of one call; `None` where it was not compiled.
fn expected(problem: &mut Problem, call: &str, given: &Given) -> Option<Vec<Vec<f64>>> {
    let Given { x, y, u, v, w } = given;
    let (mut value, mut gx, mut gy) = (vec![0.0], vec![0.0; x.len()], vec![0.0; y.len()]);
    let has = |problem: &Problem, quantity| problem.has(quantity).then_some(());
    match call {
        "upper_value" => {
            has(problem, Quantity::UpperValue)?;
            value[0] = problem.upper_value(x, y);
            Some(vec![value])
        }
        "upper_gradients" => {
            has(problem, Quantity::UpperGradients)?;
            value[0] = problem.upper_gradients(x, y, &mut gx, &mut gy);
            Some(vec![value, gx, gy])
        }
        "upper_second_order" => {
            has(problem, Quantity::UpperSecondOrder)?;
            problem.upper_second_order(x, y, v, &mut gy, &mut gx);
            Some(vec![gy, gx])
        }
        "lower_value" => {
            has(problem, Quantity::LowerValue)?;
            value[0] = problem.lower_value(x, y);
            Some(vec![value])
        }
        "lower_gradient" => {
            has(problem, Quantity::LowerGradient)?;
            value[0] = problem.lower_gradient(x, y, &mut gy);
            Some(vec![value, gy])
        }
        "lower_gradients" => {
            has(problem, Quantity::LowerGradients)?;
            value[0] = problem.lower_gradients(x, y, &mut gx, &mut gy);
            Some(vec![value, gx, gy])
        }
        "lower_hessian" => {
            has(problem, Quantity::LowerHessian)?;
            problem.lower_hessian(x, y, v, &mut gy);
            Some(vec![gy])
        }
        "lower_second_order" => {
            has(problem, Quantity::LowerSecondOrder)?;
            problem.lower_second_order(x, y, v, &mut gy, &mut gx);
            Some(vec![gy, gx])
        }
        "lower_cross" => {
            has(problem, Quantity::LowerCross)?;
            problem.lower_cross(x, y, u, &mut gy);
            Some(vec![gy])
        }
        "reports" => {
            let mut values = vec![0.0; problem.reports_len()];
            problem.reports(x, y, &mut values);
            Some(vec![values])
        }
        "start" => Some(vec![problem.upper.start(), problem.lower.start()]),
        "upper_constraints" => {
            let c = problem.constrained.as_deref_mut()?;
            let mut z = c.single.start.clone();
            let variables = c.lens.1;
            z[..x.len()].copy_from_slice(x);
            z[x.len()..x.len() + variables].copy_from_slice(&y[..variables]);
            c.duals.iter().zip(&y[variables..]).for_each(|(&at, value)| z[at] = *value);
            let (mut g, mut rows) = (vec![0.0; z.len()], vec![0.0; c.single.equal.len()]);
            c.single.evaluate(&z, &vec![0.0; rows.len()], &mut g, &mut rows);
            Some(vec![rows[..c.upper_rows].to_vec()])
        }
        _ => {
            let c = problem.constrained.as_deref_mut()?;
            let nlp = &mut c.follower.as_mut()?.nlp;
            nlp.set_parameters(x);
            let (y, mut g, mut rows) = (&y[..c.lens.1], vec![0.0; c.lens.1], vec![0.0; w.len()]);
            if call == "lower_constraints" {
                nlp.evaluate(y, &vec![0.0; w.len()], &mut g, &mut rows);
                return Some(vec![rows]);
            }
            nlp.transposed(y, w, &mut g);
            Some(vec![g])
        }
    }
}

/// The beginning of the C program; calls follow.
const BEGINNING: &str = r#"#include <stdio.h>
#include <stdlib.h>
#include "m.h"

static double *vector(size_t len) { return calloc(len + 1, sizeof(double)); }

int main(void) {
  m *model;
  if (m_open(&model, NULL, 0)) return 2;
  size_t n = m_upper_len(model), k = m_reports_len(model), r = m_lower_rows(model), s = m_upper_rows(model);
  size_t lens[] = {n, m_lower_len(model), n, m_lower_len(model), r};
  double *given[5], *out[3];
  FILE *from = fopen("given", "rb"), *to = fopen("found", "wb");
  for (int i = 0; i < 5; i++) {
    given[i] = vector(lens[i]);
    if (fread(given[i], sizeof(double), lens[i], from) != lens[i]) return 3;
  }
  for (int i = 0; i < 3; i++) out[i] = vector(n + lens[1] + k + r + s + 1);
  double *x = given[0], *y = given[1], *u = given[2], *v = given[3], *w = given[4];
  (void)x, (void)y, (void)u, (void)v, (void)w;
"#;

/// The C program of the calls, which writes all that they return.
fn in_c(calls: &[&(&str, &str, &str)], l: usize) -> String {
    let mut text = BEGINNING.to_owned();
    for (name, reads, lens) in calls {
        let reads: String = reads.chars().map(|letter| format!(", {letter}")).collect();
        let writes: String = (0..lens.len()).map(|k| format!(", out[{k}]")).collect();
        text += &format!("  if (m_{name}(model{reads}{writes})) return 4;\n");
        for (k, letter) in lens.chars().enumerate() {
            let len = match letter {
                'm' => "lens[1]".to_owned(),
                'l' => l.to_string(),
                letter => letter.to_string(),
            };
            text += &format!("  fwrite(out[{k}], sizeof(double), {len}, to);\n");
        }
    }
    text + "  return fclose(to) ? 5 : 0;\n}\n"
}

/// The Python script of the calls.
fn in_python(calls: &[&(&str, &str, &str)]) -> String {
    let mut text = "import numpy\nimport m\n\nmodel = m.Model()\nlens = [model.n, model.m, model.n, model.m, model.lower_rows]\n\
         x, y, u, v, w = numpy.split(numpy.fromfile('given'), numpy.cumsum(lens)[:-1])\nfound = []\n"
        .to_owned();
    for (name, reads, _) in calls {
        let reads: Vec<String> = reads.chars().map(String::from).collect();
        text += &format!("answer = model.{name}({})\n", reads.join(", "));
        text += "parts = answer.values() if isinstance(answer, dict) else answer if isinstance(answer, tuple) else [answer]\n";
        text += "found += [numpy.atleast_1d(numpy.array(part, dtype=float)) for part in parts]\n";
    }
    text + "numpy.concatenate(found).tofile('found')\n"
}

/// Runs a program in a folder; `None`, with a word about it, where it cannot be.
fn tool(folder: &Path, program: &str, args: &[&str]) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).env("PYTHONPATH", "m-python").env("PYTHONDONTWRITEBYTECODE", "1");
    match command.output() {
        Ok(output) => Some(output),
        Err(e) => {
            eprintln!("not tested: `{program}` cannot be run ({e})");
            None
        }
    }
}

fn done(output: &Output) {
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
}

/// The bits of numbers in a file, and which call each belongs to.
fn compare(folder: &Folder, expected: &[(&str, Vec<Vec<f64>>)], who: &str) {
    let bytes = std::fs::read(folder.path("found")).unwrap();
    let (words, rest) = bytes.as_chunks::<8>();
    assert!(rest.is_empty());
    let mut found = words.iter().map(|word| u64::from_le_bytes(*word));
    for (name, vectors) in expected {
        for (k, vector) in vectors.iter().enumerate() {
            let there: Vec<u64> = found.by_ref().take(vector.len()).collect();
            let here: Vec<u64> = vector.iter().map(|value| value.to_bits()).collect();
            assert!(there == here, "{who}: vector {k} of {name} has other bits");
        }
    }
    assert_eq!(found.next(), None, "{who} wrote more than expected");
}

/// Compiled as the arguments say, every function that is there called from C and from Python; those in `zero` are 0 everywhere.
fn agrees(args: &[&str], absent: &[&str], zero: &[&str]) {
    let folder = Folder::new();
    let mut problem = jit(args);
    let given = Given::of(&problem);
    let variables = problem.constrained.as_ref().map_or(given.y.len(), |c| c.lens.1);
    let mut expect = Vec::new();
    let mut calls = Vec::new();
    for call in &CALLS {
        let Some(vectors) = expected(&mut problem, call.0, &given) else { continue };
        let nothing = call.0 == "start" || zero.contains(&call.0) || vectors.iter().all(Vec::is_empty);
        assert!(nothing || vectors.iter().flatten().any(|v| *v != 0.0), "{} is 0 and shows nothing", call.0);
        assert!(vectors.iter().flatten().all(|v| v.is_finite()), "{} is not finite", call.0);
        expect.push((call.0, vectors));
        calls.push(call);
    }
    let there: Vec<&str> = expect.iter().map(|(name, _)| *name).collect();
    let missing: Vec<&str> = CALLS.iter().map(|c| c.0).filter(|name| !there.contains(name)).collect();
    assert_eq!(missing, absent);
    let bytes: Vec<u8> = given.all().iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(folder.path("given"), bytes).unwrap();
    let output = folder.path("m").display().to_string();
    let cli = Cli::parse_from([&["blo", "compile"], args, &["-o", &output, "--python"]].concat());
    assert_eq!(command(&cli), std::process::ExitCode::from(FINE));

    let here = folder.path("");
    std::fs::write(folder.path("main.c"), in_c(&calls, variables)).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    if let Some(built) = tool(&here, &compiler, &["main.c", "./m.so", "-o", "main"]) {
        done(&built);
        done(&tool(&here, "./main", &[]).unwrap());
        compare(&folder, &expect, "C");
    }
    std::fs::write(folder.path("m-python/main.py"), in_python(&calls)).unwrap();
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    match tool(&here, &python, &["-c", "import numpy"]) {
        Some(found) if found.status.success() => {
            std::fs::write(folder.path("found"), "").unwrap();
            done(&tool(&here, &python, &["m-python/main.py"]).unwrap());
            compare(&folder, &expect, "Python");
        }
        _ => eprintln!("not tested: `{python}` has no numpy"),
    }
}

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/");

#[test]
fn functions_have_the_bits_of_the_jit() {
    let rows = ["lower_constraints", "upper_constraints", "lower_constraints_transposed"];
    let path = format!("{EXAMPLES}digits_cleaning.blo");
    agrees(&[&path], &rows, &[]);
    agrees(&[&path, "--precision", "f32"], &rows, &[]);
}

/// Rows on both levels, and no second derivative that is 0.
const ROWS: &str = "
upper {
  var x: real[2] in [0, 5] = 1
  minimize sumsq(x - y) + x[0] * y[1]^2
  subject to x[0] + y[0]^2 <= 8
}
lower {
  var y: real[2] in [-3, 3] = 0
  minimize sumsq(y) + dot(x, y) + exp(y[0]) * x[1]
  subject to sum(y) * x[0] + exp(y[0]) >= 1
  subject to y[0] - y[1] == 0.1 * x[1]
}
report total = sum(y)
solve kkt()
";

#[test]
fn so_have_those_of_constraints() {
    let folder = Folder::new();
    std::fs::write(folder.path("rows.blo"), ROWS).unwrap();
    agrees(&[&folder.path("rows.blo").display().to_string()], &[], &[]);
    agrees(&[&format!("{EXAMPLES}toll_network.blo")], &[], &["lower_hessian"]);
    // With a multiplier among the lower variables.
    let zero = ["lower_hessian", "lower_second_order", "lower_cross"];
    agrees(&[&format!("{EXAMPLES}power_market.blo")], &[], &zero);
}
