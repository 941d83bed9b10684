//! Verdicts on convexity: known ones, and none that a random segment contradicts.

// Helpers of tests stop the test when something is wrong, as tests do.
#![allow(clippy::unwrap_used)]

mod memory;

use blo_compiler::convexity::{Class, Form};
use blo_compiler::ir::eval::{Array, Bindings, evaluate};
use blo_compiler::model::{Domain, Level, Model, Var};
use blo_compiler::session::Options;
use blo_compiler::{analyse, convexity};
use blo_grammar::source::Sources;
use memory::{Memory, model};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// The lower objective `f` in `y: real[3]`, `z: real in [1, 4]` and `s: real in [-2, -1]`, with parameters `x` (free), `p` (nonnegative).
fn follower(f: &str) -> Model {
    let text = format!(
        "
data A: real[2, 3] = [[1, 2, 0], [0, 1, -1]]
data c: real[3] = [1, 2, 3]
upper {{
  var x: real
  var p: real in [0.5, 3] = 1
  minimize x^2 + p
}}
lower {{
  var y: real[3]
  var z: real in [1, 4] = 2
  var s: real in [-2, -1] = -1
  minimize {f}
}}
"
    );
    model(&text, Memory::default())
}

fn verdict(f: &str) -> Form {
    convexity(&follower(f)).lower.unwrap().own
}

#[test]
fn known_verdicts() {
    let cases = [
        ("x^2 + p", "constant"),
        ("x * y[0] - p * z + c @ y", "linear"),
        ("sumsq(A @ y - x)", "convex quadratic"),
        ("sumsq(A @ y - x) + sumsq(y) + z^2 + s^2", "strongly convex quadratic"),
        ("sumsq(y) * exp(x) + z^2 + s^2", "convex quadratic"),
        ("(sumsq(y) + z^2 + s^2) * p", "strongly convex quadratic"),
        ("y[0]^2 + y[0] * y[1] + y[1]^2", "convex quadratic"),
        ("y[0]^2 + 3 * y[0] * y[1] + y[1]^2", "not convex"),
        ("y[0] * (y[0] - 2 * y[1]) - y[1] * (2 * y[0] - 5 * y[1])", "convex quadratic"),
        ("-sumsq(y)", "not convex"),
        ("x * sumsq(y)", "not convex"),
        ("y[0]^4 + y[1]^2", "convex"),
        ("(y[0] + 2 * y[1] - x)^4", "convex"),
        ("z^3", "convex"),
        ("y[0]^3", "not convex"),
        ("-s^3", "convex"),
        ("1 / z", "convex"),
        ("-1 / s", "convex"),
        ("z^1.5 - z^0.5", "convex"),
        ("norm(A @ y - x)", "convex"),
        ("norm1(y) + max(y) - min(y)", "convex"),
        ("sum(sqrt(y[i]^2 + 0.01) for i in 3)", "convex"),
        ("log(sum(exp(c[i] * y[i]) for i in 3))", "convex"),
        ("logsumexp(y) - y[1]", "convex"),
        ("-log_softmax(A @ y)[0]", "convex"),
        ("-log(softmax(y)[0]) - log(sigmoid(y[1])) - log(1 - sigmoid(y[2]))", "convex"),
        ("log(1 + exp(-p * y[0])) + softplus(y[1])", "convex"),
        ("sigmoid(x) * exp(y[0]) + p * exp(-y[1])", "convex"),
        ("sigmoid(y[0])", "not convex"),
        ("tanh(s) + sigmoid(s)", "convex"),
        ("z * log(z)", "convex"),
        ("exp(z) + s^2 + sumsq(y)", "strongly convex"),
        ("z * log(z / 2) + s^2", "convex"),
        ("relu(1 - y[0])^2 + relu(y[1])", "convex"),
        ("sumsq(y) / z", "convex"),
        ("y[0]^2 / z + exp(y[1]) / p", "convex"),
        ("exp(y[0] + y[1]) * exp(y[2])", "convex"),
        ("exp(y[0]) / z", "convex"),
        ("p^y[0]", "convex"),
        ("cosh(y[0]) + abs(y[1])", "convex"),
        ("max(y[0]^2, max(exp(y[1]), 3 * y[2]))", "convex"),
        ("if y[0] < y[1]^2 then y[1]^2 else y[0]", "convex"),
        ("if x > 0 then sumsq(y) else 2 * sumsq(y)", "convex quadratic"),
        ("if abs(y[0] - x) <= 2 then 0.5 * (y[0] - x)^2 else 2 * (abs(y[0] - x) - 1)", "convex"),
        ("sum(if abs(y[i]) < 1 then y[i]^2 / 2 else abs(y[i]) - 0.5 for i in 3)", "convex"),
        ("if abs(y[0]) <= 2 then y[0]^2 else 2 * abs(y[0]) - 1", "not convex"),
        ("if y[0] < 1 then y[0]^2 else 2 * y[0]^2 - 1", "convex"),
        ("if y[0] < 1 then 2 * y[0]^2 - 1 else y[0]^2", "not convex"),
        ("if y[0] > 1 then y[0] else exp(y[0] - 1)", "convex"),
        ("sin(y[0])", "not convex"),
        ("y[0] * exp(y[1])", "not convex"),
        ("exp(sumsq(y))", "convex"),
        ("-sqrt(z) - log(z)", "convex"),
        ("abs(y[0])^3 + norm(y)^2", "convex"),
        ("z^2 * s^2", "not convex"),
        ("stop_gradient(y[0])^2 + y[0]", "not known to be convex"),
        ("floor(y[0]) + y[0]", "not convex"),
        ("-logdet(eye(2) * z)", "not known to be convex"),
        ("sumsq(solve(A[:, 0..2], y[0..2]))", "convex quadratic"),
    ];
    let mut wrong = Vec::new();
    for (f, expected) in &cases {
        let found = verdict(f);
        if found.class.words() != *expected {
            wrong.push(format!("{f}: {:?} instead of {expected}; {:?}", found.class, found.obstacle));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn moduli_and_lipschitz_constants() {
    let form = verdict("3 * sumsq(y) + z^2 + 2 * s^2");
    assert_eq!(form.lipschitz.unwrap().round(), 6.0);
    assert!((form.class.modulus().unwrap() - 2.0).abs() < 1e-6, "{form:?}");
    let form = verdict("p * sumsq(y) + 4 * z^2 + s^2 + logsumexp(y)");
    assert!((form.class.modulus().unwrap() - 1.0).abs() < 1e-6, "{form:?}");
    let form = verdict("sumsq(y - x) + y[0] * y[1] + z^2 + s^2 + norm(y)");
    assert!((form.class.modulus().unwrap() - 1.0).abs() < 1e-2, "{form:?}");
    let form = verdict("sumsq(y)");
    assert_eq!(form.class, Class::ConvexQuadratic);
}

#[test]
fn obstacles_point_at_the_deepest_part() {
    for (f, part, why) in [
        ("sumsq(y) + exp(z) * y[1]", "exp(z) * y[1]", "product"),
        ("norm(y) + sin(y[0])", "sin(y[0])", "neither convex nor concave on [-inf, inf]"),
        ("exp(y[0]) - y[1]^4", "y[1]^4", "this is convex"),
        ("log(1 + y[0]^4)", "log(1 + y[0]^4)", "concave and rising"),
    ] {
        let model = follower(f);
        let obstacle = convexity(&model).lower.unwrap().own.obstacle.unwrap();
        let text = model_text(f);
        let found = &text[obstacle.span.range()];
        assert_eq!(found, part, "{f}: {}", obstacle.text);
        assert!(obstacle.text.contains(why), "{f}: {}", obstacle.text);
    }
}

/// The text that [`follower`] reads, for looking up places.
fn model_text(f: &str) -> String {
    let model = follower(f);
    let objective = model.lower.as_ref().unwrap().objective_span;
    let start = objective.start as usize;
    format!("{}{f}\n}}\n", " ".repeat(start))
}

/// Random expressions in the names of [`random_model`].
struct Grammar {
    random: Pcg64,
}

impl Grammar {
    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.random.random_range(0..choices.len())]
    }

    fn leaf(&mut self) -> String {
        match self.random.random_range(0..7) {
            0 => format!("{}", self.random.random_range(1..5)),
            1 => self.pick(&["x", "q", "(x - 1)", "-0.5"]).to_owned(),
            2 => "(a @ y)".to_owned(),
            _ => self.pick(&["y[0]", "y[1]", "z", "s", "w", "(y[0] - y[1])"]).to_owned(),
        }
    }

    fn expression(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.leaf();
        }
        let a = self.expression(depth - 1);
        match self.random.random_range(0..14) {
            0 | 1 => format!("({a} + {})", self.expression(depth - 1)),
            2 => format!("({a} - {})", self.expression(depth - 1)),
            3 | 4 => format!("({a} * {})", self.expression(depth - 1)),
            5 => format!("({a} / {})", self.expression(depth - 1)),
            6 => format!("({a})^{}", self.pick(&["2", "3", "4", "0.5", "1.5", "q", "-1"])),
            7 => format!("{}({a}, {})", self.pick(&["max", "min"]), self.expression(depth - 1)),
            8 => format!(
                "{}([{a}, {}])",
                self.pick(&["norm", "sumsq", "logsumexp", "norm1"]),
                self.expression(depth - 1)
            ),
            9 => format!("(if {} > 0 then {a} else {})", self.leaf(), self.expression(depth - 1)),
            10 => format!("(-{a})"),
            11 => format!(
                "{}([{a}, {}])[0]",
                self.pick(&["softmax", "log_softmax", "cumsum"]),
                self.expression(depth - 1)
            ),
            _ => {
                let f = self.pick(&[
                    "exp", "log", "log1p", "expm1", "sqrt", "abs", "sin", "cos", "tan", "atan", "sinh",
                    "cosh", "tanh", "sigmoid", "relu", "softplus", "gelu", "erf", "floor", "sign", "asin",
                    "acos",
                ]);
                format!("{f}({a})")
            }
        }
    }
}

/// `None` for an objective that the checker refuses because nothing moves it.
fn random_model(f: &str) -> Option<Model> {
    let text = format!(
        "
data a: real[2] = [1, -2]
upper {{
  var x: real in [-1, 2]
  var q: real in [0.5, 1.5] = 1
  minimize x^2 + q
}}
lower {{
  var y: real[2] in [-3, 3]
  var z: real in [0, 2] = 1
  var s: real in [-2, 0] = -1
  var w: real in [0.2, 0.9] = 0.5
  minimize {f}
}}
"
    );
    let mut sources = Sources::new();
    let main = sources.add("test.blo", text);
    analyse(&mut sources, main, &mut Memory::default(), &Options::default()).0
}

fn sample(model: &Model, var: &Var, random: &mut Pcg64) -> Array {
    let Domain::Interval(lo, hi) = var.domain else { panic!("{} has no bounds", var.name) };
    let ends = evaluate(&model.graph, &[lo, hi], &Bindings::new()).unwrap();
    ndarray::Zip::from(&ends[0])
        .and(&ends[1])
        .map_collect(|&lo, &hi| lo + random.random_range(0.0..=1.0) * (hi - lo))
}

/// Tests the claims about a level in its own variables on random segments; returns how many of them had finite values.
fn claims_hold(model: &Model, level: &Level, form: &Form, random: &mut Pcg64, what: &str) -> usize {
    let mut finite = 0;
    for _ in 0..60 {
        let mut bindings = Bindings::new();
        for data in &model.data {
            bindings.set(data.input, data.value.clone().unwrap());
        }
        for var in model.upper.vars.iter().chain(&model.lower.as_ref().unwrap().vars) {
            bindings.set(var.input, sample(model, var, random));
        }
        let ends: [Vec<Array>; 2] =
            std::array::from_fn(|_| level.vars.iter().map(|var| sample(model, var, random)).collect());
        let mut value = |at: &dyn Fn(usize) -> Array| {
            for (k, var) in level.vars.iter().enumerate() {
                bindings.set(var.input, at(k));
            }
            evaluate(&model.graph, &[level.objective], &bindings).unwrap()[0].sum()
        };
        let (a, b) = (value(&|k| ends[0][k].clone()), value(&|k| ends[1][k].clone()));
        let m = value(&|k| (&ends[0][k] + &ends[1][k]) / 2.0);
        if !(a.is_finite() && b.is_finite() && m.is_finite()) {
            continue;
        }
        finite += 1;
        let slack = 1e-9 * (1.0 + a.abs() + b.abs() + m.abs());
        let chord = a / 2.0 + b / 2.0;
        let away: f64 = ends[0].iter().zip(&ends[1]).map(|(a, b)| (a - b).mapv(|d| d * d).sum()).sum();
        let what = format!("{what}\n{:?}: {a}, {m}, {b}, {away}", form.class);
        assert!(!form.class.is_convex() || m <= chord + slack, "{what}");
        assert!(!form.class.is_linear() || m >= chord - slack, "{what}");
        assert!(form.class != Class::Constant || a == b, "{what}");
        if let Some(modulus) = form.class.modulus() {
            assert!(m <= chord - modulus / 8.0 * away + slack, "{what}");
        }
        if let (Some(l), true) = (form.lipschitz, form.class.is_convex()) {
            assert!(m >= chord - l / 8.0 * away * (1.0 + 1e-9) - slack, "{what}");
        }
    }
    finite
}

#[test]
fn no_claim_about_a_random_expression_is_contradicted() {
    let mut grammar = Grammar { random: Pcg64::seed_from_u64(3) };
    let mut random = Pcg64::seed_from_u64(4);
    let (mut convex, mut strong, mut not) = (0, 0, 0);
    for round in 0..1200 {
        let mut f = grammar.expression(1 + round % 3);
        if round % 5 == 0 {
            f += " + sumsq(y) + z^2 + 2 * s^2 + q * w^2";
        }
        let Some(model) = random_model(&f) else { continue };
        let level = model.lower.as_ref().unwrap();
        let form = convexity(&model).lower.unwrap().own;
        let finite = claims_hold(&model, level, &form, &mut random, &f);
        convex += usize::from(finite > 30 && form.class.is_convex() && form.class != Class::Constant);
        strong += usize::from(finite > 30 && form.class.modulus().is_some());
        not += usize::from(matches!(form.class, Class::Nonconvex(_)));
    }
    assert!(convex > 250 && strong > 30 && not > 200, "{convex} convex, {strong} strongly, {not} not");
}
