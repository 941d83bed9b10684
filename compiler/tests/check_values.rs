//! Values of elaborated expressions against numbers worked out by hand, and comprehensions against the array form.

#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

use blo_compiler::analyse;
use blo_compiler::ir::eval::{Bindings, evaluate};
use blo_compiler::model::Model;
use blo_compiler::session::{DataError, DataRequest, Loader, Options, Tensor};
use blo_grammar::source::Sources;
use ndarray::ArrayD;

struct Nothing;

impl Loader for Nothing {
    fn module(&mut self, _from: &str, _path: &str) -> Result<(String, String), String> {
        Err("there are no files".to_owned())
    }

    fn data(&mut self, _request: &DataRequest) -> Result<Option<Tensor>, DataError> {
        Ok(None)
    }
}

const PRELUDE: &str = "
use std.losses
data X: real[n, d] = [[1, 2, 3], [4, 5, 6]]
data A: real[3, 3] = [[1, 2, 0], [0, 1, 3], [4, 0, 1]]
data B: real[2, 3, 4] = reshape(arange(24), 2, 3, 4)
data C: real[2, 4, 2] = reshape(arange(16), 2, 4, 2)
data W: real[d, k] = [[1, 0], [0, 1], [1, 1]]
data b: real[k] = [0.5, -0.5]
data v: real[d] = [1, -2, 3]
data y: int[n] in 0..k = [1, 0]
data head: int[5] in 0..3 = [0, 2, 2, 1, 0]
data flow: real[5] = [1, 2, 3, 4, 5]
dim city = [\"Paris\", \"Lyon\"]
data demand: real[city] = [10, 20]
fn square(z) = z^2
fn rows(M: real[p, q]) = sum(M[r] * p for r in p)
upper { var u: real[3] = 0
  minimize sumsq(u) + sumsq(theta) }
lower { var theta: real[2] = 0
  minimize sumsq(theta - u[0]) }
";

fn model(expressions: &[&str]) -> Model {
    let mut text = PRELUDE.to_owned();
    for (k, e) in expressions.iter().enumerate() {
        text += &format!("report r{k} = {e}\n");
    }
    let mut sources = Sources::new();
    let main = sources.add("case", text);
    let options = Options { need_data: true, ..Options::default() };
    let (model, diagnostics) = analyse(&mut sources, main, &mut Nothing, &options);
    model.unwrap_or_else(|| panic!("{diagnostics:#?}"))
}

fn values(expressions: &[&str]) -> Vec<f64> {
    let model = model(expressions);
    let mut bindings = Bindings::new();
    for data in &model.data {
        bindings.set(data.input, data.value.clone().unwrap());
    }
    let lower = model.lower.as_ref().unwrap();
    bindings.set(model.upper.vars[0].input, ArrayD::from_shape_vec(vec![3], vec![0.5, -1.0, 2.0]).unwrap());
    bindings.set(lower.vars[0].input, ArrayD::from_shape_vec(vec![2], vec![3.0, -1.0]).unwrap());
    let roots: Vec<_> = model.reports.iter().map(|r| r.node).collect();
    evaluate(&model.graph, &roots, &bindings).unwrap().iter().map(|a| *a.iter().next().unwrap()).collect()
}

/// Checks expressions against numbers.
fn check(cases: &[(&str, f64)]) {
    let expressions: Vec<&str> = cases.iter().map(|c| c.0).collect();
    for ((e, wanted), found) in cases.iter().zip(values(&expressions)) {
        assert!((found - wanted).abs() <= 1e-12 * wanted.abs().max(1.0), "{e} is {found}, not {wanted}");
    }
}

/// Checks that pairs of expressions have the same value.
fn agree(cases: &[(&str, &str)]) {
    let left = values(&cases.iter().map(|c| c.0).collect::<Vec<_>>());
    let right = values(&cases.iter().map(|c| c.1).collect::<Vec<_>>());
    for ((case, a), b) in cases.iter().zip(left).zip(right) {
        assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{} is {a}, {} is {b}", case.0, case.1);
    }
}

#[test]
fn scalars_and_precedence() {
    check(&[
        ("-2^2", -4.0),
        ("2^3^2", 512.0),
        ("7 / 2", 3.5),
        ("div(7, 2) + mod(-1, 3)", 5.0),
        ("if 1 < 2 then 3 else 4.5", 3.0),
        ("max(2, 3) + min(2, 3.5)", 5.0),
        ("max(v) - min(v)", 5.0),
        ("n + d * k", 8.0),
        ("square(3)", 9.0),
        ("demand[\"Lyon\"]", 20.0),
        ("theta[0] + u[2]", 5.0),
    ]);
}

#[test]
fn products() {
    check(&[
        ("v @ v", 14.0),
        ("sum(X @ v)", 6.0 + 12.0),
        ("sum(v @ W)", 4.0 + 1.0),
        ("(X @ W)[1, 0]", 10.0),
        ("sum(A @ A)", 11.0 + 19.0 + 17.0),
        ("trace(A) + sum(diag(A)) + sum(diag(v))", 8.0),
        ("outer(v, b)[2, 1]", -1.5),
        ("dot(X, X)", 91.0),
        ("(B @ C)[1, 2, 1]", 20.0 * 9.0 + 21.0 * 11.0 + 22.0 * 13.0 + 23.0 * 15.0),
        ("X'[2, 1]", 6.0),
    ]);
}

#[test]
fn comprehensions_equal_arrays() {
    agree(&[
        ("mean(square(X[i] @ W + b)[0] for i in n)", "mean(square(X @ W + b)[:, 0])"),
        ("sum(v[j] * X[i, j] for i in n, j in d)", "sum(X @ v)"),
        ("sum(X[i] @ X[i] for i in n)", "sumsq(X)"),
        ("sum(X[i] @ X[j] for i in n, j in n)", "sum(X @ X')"),
        ("sum(sum(W[i, j] for j in k) * v[i] for i in d)", "sum(v @ W)"),
        ("sum(A[i, j] * A[j, i] for i in 3, j in 3)", "trace(A @ A)"),
        ("sum(A[i, i] for i in 3)", "trace(A)"),
        ("sum(X[:, j] @ X[:, j] for j in d)", "sumsq(X)"),
        ("sum((X[i] @ W) @ (X[i] @ W) for i in n)", "sumsq(X @ W)"),
        ("sum(X[i] @ W for i in n)[1]", "sum(X @ W, 0)[1]"),
        ("max(v[i] for i in d)", "max(v)"),
        ("logsumexp(v[i] for i in d)", "logsumexp(v)"),
        ("prod(v[i] for i in d)", "prod(v)"),
        ("sum([v[i] * b[j] for i in d, j in k])", "sum(outer(v, b))"),
        ("[v[i] * b[j] for j in k, i in d][1, 2]", "v[2] * b[1]"),
        ("sum(3 for i in n, j in d)", "18"),
        ("sum(v[j] for i in n, j in d)", "2 * sum(v)"),
        ("mean(v[j] for i in n, j in d)", "mean(v)"),
        ("prod(2 for i in 4)", "16"),
        ("sum(rows(X))", "2 * sum(X)"),
    ]);
}

#[test]
fn indices_and_gathers() {
    agree(&[
        ("sum(v[i + 1] - v[i] for i in d - 1)", "v[2] - v[0]"),
        ("sum(v[i] * v[mod(i + 1, d)] for i in d)", "v[0] * v[1] + v[1] * v[2] + v[2] * v[0]"),
        ("sum(v[d - 1 - i] * i for i in d)", "v[1] + 2 * v[0]"),
        ("sum(X[i, y[i]] for i in n)", "X[0, 1] + X[1, 0]"),
        ("sum(b[y])", "b[1] + b[0]"),
        ("sum(W[1..3, 1])", "W[1, 1] + W[2, 1]"),
        ("sum(i for i in 2..5)", "9"),
        ("sum(v[i] for i in 1..3)", "v[1] + v[2]"),
        ("sum(B[i, y[i], j] for i in n, j in 4)", "sum(B[0, 1]) + sum(B[1, 0])"),
        ("sum(B[i, y[i], y[i] + 1] for i in n)", "B[0, 1, 2] + B[1, 0, 1]"),
        ("sum(A[head[a], a] for a in 3)", "A[0, 0] + A[2, 1] + A[2, 2]"),
        ("sum(one_hot(y, k) @ b)", "sum(b)"),
    ]);
}

#[test]
fn filters_and_segments() {
    check(&[
        ("sum(v[i] for i in d if v[i] > 0)", 4.0),
        ("mean(v[i] for i in d if v[i] > 0)", 2.0),
        ("max(v[i] for i in d if v[i] < 3)", 1.0),
        ("min(head[a] for a in 5 if a > 0)", 0.0),
        ("any(v[i] > 2 for i in d)", 1.0),
        ("all(v[i] > 2 for i in d if v[i] > 0)", 0.0),
        ("all(v[i] > 0 for i in d if v[i] > 0)", 1.0),
        ("mean(v[i] > 0 for i in d)", 2.0 / 3.0),
        ("sum(v[i] > 0 for i in d)", 2.0),
        ("[sum(flow[a] for a in 5 if head[a] == i) for i in 3][2]", 5.0),
        ("sum(sum(flow[a] for a in 5 if head[a] == i)^2 for i in 3)", 36.0 + 16.0 + 25.0),
        ("sum(sum(flow[a] * u[i] for a in 5 if head[a] == i) for i in 3)", 6.0 * 0.5 - 4.0 + 10.0),
    ]);
}

#[test]
fn composed_functions() {
    check(&[
        ("var(v)", 14.0 / 3.0 - 4.0 / 9.0),
        ("sum(var(X, 0))", 3.0 * 2.25),
        ("norm(theta)^2", 10.0),
        ("norm1(v) + sum(norm1(X, 1))", 6.0 + 21.0),
        ("sum(eye(3) @ v)", 2.0),
        ("sum(concat([v, b])) + sum(stack([v, v], 1)[:, 1])", 4.0),
        ("concat([X, X], 1)[0, 4]", 2.0),
        ("flatten(X)[4] + reshape(X, 3, 2)[1, 0]", 8.0),
        ("sum(cumsum(v))", 1.0 - 1.0 + 2.0),
        ("sum(full(2.5, n, d)) + sum(zeros(n)) + sum(ones(k))", 17.0),
        ("argmax(v) + sum(argmax(X))", 6.0),
        ("cross_entropy(b, 1)", (1.0_f64 + 1.0_f64.exp()).ln()),
        ("sum(huber(v, 1.5))", 0.5 + 1.5 * 1.25 + 1.5 * 2.25),
        ("mse(v, 1) + mae(v, 1) + hinge(0.25)", 13.0 / 3.0 + 5.0 / 3.0 + 0.75),
        ("[theta[0], 2, u[0]][2]", 0.5),
        ("mean(logistic(v[i]) - softplus(-v[i]) for i in d)", 0.0),
    ]);
}

#[test]
fn gradients() {
    check(&[
        ("grad(sumsq(u) * 3, u)[2]", 12.0),
        (
            "sum(grad(sum(sin(u[i]) * v[i] for i in d), u))",
            0.5_f64.cos() - 2.0 * 1.0_f64.cos() + 3.0 * 2.0_f64.cos(),
        ),
        ("sumsq(grad(sumsq(grad(sumsq(theta)^2, theta)), theta))", 9216.0 * 1e5),
        ("sum(grad(stop_gradient(u[0]) * u[0], u))", 0.5),
        ("sum(grad(sumsq(u), theta))", 0.0),
    ]);
}

#[test]
fn a_comprehension_is_the_same_graph() {
    let pairs = [
        ("sum(square(X[i] @ W)[0] for i in n)", "sum(square(X @ W)[:, 0])"),
        ("sum(sin(X[i]) @ v for i in n)", "sum(sin(X) @ v)"),
    ];
    for (a, b) in pairs {
        let model = model(&[a, b]);
        assert_eq!(model.reports[0].node, model.reports[1].node, "{a} and {b}");
    }
}

#[test]
fn maximize_is_negated_and_read_back() {
    let text = "upper { var x: real = 0\n maximize 3 - x^2 }\nexpect upper.objective == 3\n";
    let mut sources = Sources::new();
    let main = sources.add("case", text);
    let (model, diagnostics) = analyse(&mut sources, main, &mut Nothing, &Options::default());
    let model = model.unwrap_or_else(|| panic!("{diagnostics:#?}"));
    let mut bindings = Bindings::new();
    bindings.set(model.upper.vars[0].input, ArrayD::from_elem(vec![], 0.0));
    let found = evaluate(&model.graph, &[model.upper.objective, model.expects[0].node], &bindings).unwrap();
    assert_eq!(found[0].iter().next(), Some(&-3.0));
    assert_eq!(found[1].iter().next(), Some(&1.0));
}

#[test]
fn a_filter_on_a_segment_scatters() {
    let scatters = |e: &str| {
        let model = model(&[e]);
        let nodes = model.graph.reachable(&[model.reports[0].node]);
        nodes.iter().any(|&n| model.graph.is(n, &blo_compiler::ops::SCATTER_ADD))
    };
    assert!(scatters("sum(sum(flow[a] for a in 5 if head[a] == i)^2 for i in 3)"));
    assert!(scatters("sum(sum(flow[a] for a in 5 if i == head[a])^2 for i in 3)"));
    assert!(!scatters("sum(sum(flow[a] * u[i] for a in 5 if head[a] == i)^2 for i in 3)"));
}

#[test]
fn gradients_do_not_overflow_where_the_value_does_not() {
    check(&[
        ("sum(grad(sum(log(1 + exp(900 * u))), u))", 1800.0),
        ("sum(grad(sum(log(sigmoid(800 * u))), u))", 800.0),
        ("grad(log(sum(exp(1000 * u))), u)[2]", 1000.0),
        ("grad(log(softmax(1000 * u))[0], u)[2]", -1000.0),
    ]);
}

#[test]
fn a_norm_has_the_slope_0_at_0() {
    check(&[
        ("norm(0 * v) + sum(grad(norm(u - u), u))", 0.0),
        ("grad(norm(u - [0.5, -1, 2]), u)[0] + grad(norm([[u[0] - 0.5, 0], [3, 4]], 1)[1], u)[0]", 0.0),
        ("grad(norm([u[0], 0, 4]), u)[0]", 0.5 / 16.25_f64.sqrt()),
    ]);
}
