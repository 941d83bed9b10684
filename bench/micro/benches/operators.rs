//! Every differentiable operator at a standard size through the compiler: its sum with the gradient, as machine code. The name is that
//! of the operator, or of the expression that stands for a hidden one.

use blo_compiler::model::Precision;
use blo_micro::{Evaluator, model};
use blo_runtime::derivatives::Quantity;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Element by element over `x: real[10000]` in (0.1, 0.9), by name and expression.
const ELEMENTWISE: [(&str, &str); 36] = [
    ("abs", "abs(x)"),
    ("acos", "acos(x)"),
    ("add", "x + x[1] * c"),
    ("asin", "asin(x)"),
    ("atan", "atan(x)"),
    ("cos", "cos(x)"),
    ("cosh", "cosh(x)"),
    ("div", "c / x"),
    ("erf", "erf(x)"),
    ("exp", "exp(x)"),
    ("expm1", "expm1(x)"),
    ("floor", "floor(x) * x"),
    ("gelu", "gelu(x)"),
    ("log", "log(x)"),
    ("log1p", "log1p(x)"),
    ("log_cosh", "log_cosh(x)"),
    ("max", "max(x, c)"),
    ("min", "min(x, c)"),
    ("mul", "x * x * c"),
    ("neg", "-x * c"),
    ("pow", "x^2.5"),
    ("pow of two variables", "pow(x, x)"),
    ("relu", "relu(x - c)"),
    ("select", "if x < c then x else x * x"),
    ("sigmoid", "sigmoid(x)"),
    ("sign", "sign(x - c) * x"),
    ("sin", "sin(x)"),
    ("sinh", "sinh(x)"),
    ("softplus", "softplus(x)"),
    ("sqrt", "sqrt(x)"),
    ("step", "step(x - c) * x"),
    ("sub", "x - x[1] * c"),
    ("tan", "tan(x)"),
    ("tanh", "tanh(x)"),
    ("chain of arithmetic", "((x * x + c) * x - c) * (x + c) + x / (x * x + c)"),
    ("chain of functions", "tanh(x) * exp(-x * x) + x"),
];

/// Along axes and between matrices: name, and a scalar of `x: real[10000]`, `A: real[100, 100]`, `S: real[1000, 10]`, `B: real[100, 100]`
/// (data) and `p: int[10000]` (data, positions).
const STRUCTURED: [(&str, &str); 24] = [
    ("sum", "sum(x)^2"),
    ("prod", "prod(x * 1.6)"),
    ("max_over", "max(x)"),
    ("min_over", "min(x)"),
    ("sum of rows", "sumsq(sum(A, 1))"),
    ("sum of columns", "sumsq(sum(A, 0))"),
    ("softmax", "sumsq(softmax(S))"),
    ("log_softmax", "sumsq(log_softmax(S))"),
    ("logsumexp", "sum(logsumexp(S[i]) for i in 1000)"),
    ("cumsum", "sumsq(cumsum(x))"),
    ("sort", "sumsq(sort(x) - c)"),
    ("gather", "sumsq(x[p])"),
    ("scatter_add", "sum(sumsq(sum(x[i] for i in n if p[i] == j)) for j in n)"),
    ("slice", "sumsq(x[10..9000])"),
    ("concat", "sumsq(concat([x, x]))"),
    ("transpose", "sum(A' * B)"),
    ("dot", "sumsq(A @ B)"),
    ("matrix times vector", "sumsq(B @ x[..100])"),
    ("skinny product", "sumsq(B @ S[..100])"),
    ("cholesky", "sum(cholesky(A @ A' + B))"),
    ("logdet", "logdet(A @ A' + B)"),
    ("solve", "sumsq(solve(A @ A' + B, x[..100]))"),
    ("inv", "sum(inv(A @ A' + B))"),
    ("softmax regression", "sum(logsumexp(B @ S[..100], 1))"),
];

fn text(scalar: &str) -> String {
    format!(
        "dim n = 10000\ndim h = 100\ndim r = 1000\ndim k = 10\n\
         data start: real[n] = [0.1 + 0.8 * i / n for i in n]\ndata c: real[n] = [0.9 - 0.7 * i / n for i in n]\n\
         data B: real[h, h] = [if i == j then 200 else 0.5 for i in h, j in h]\ndata p: int[n] in 0..n = [mod(i * 7919, n) for i in n]\n\
         upper {{\n  var x: real[n] = start\n  var A: real[h, h] ~ normal(0, 1)\n  var S: real[r, k] ~ normal(0, 1)\n\
         \x20 minimize {scalar} + 1e-3 * (x[0] + A[0, 0] + S[0, 0])\n}}\n"
    )
}

fn operators(criterion: &mut Criterion) {
    let wholes = ELEMENTWISE.iter().map(|(name, elements)| (*name, format!("sum({elements})")));
    let scalars = STRUCTURED.iter().map(|(name, scalar)| (*name, (*scalar).to_string()));
    for (precision, group) in
        [(Precision::F64, "value and gradient, f64"), (Precision::F32, "value and gradient, f32")]
    {
        let mut group = criterion.benchmark_group(group);
        group.throughput(Throughput::Elements(10_000));
        for (name, scalar) in wholes.clone().chain(scalars.clone()) {
            let quantity = Quantity::UpperGradients;
            let made =
                model(&text(&scalar), precision, &[]).and_then(|model| Evaluator::new(model, quantity));
            match made {
                Ok(mut evaluator) => {
                    group.bench_function(name, |bencher| bencher.iter(|| evaluator.call(quantity)));
                }
                Err(trouble) => panic!("{name}: {trouble}"),
            }
        }
    }
}

criterion_group!(benches, operators);
criterion_main!(benches);
