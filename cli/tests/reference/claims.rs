//! Statements of `docs/language.md` about values and about what is refused, one by one.

use crate::blo;

/// The label `Lyon\\` ends with a backslash: strings have no escapes.
const MODEL: &str = "
dim city = [\"Paris\", \"Lyon\\\\\"]
dim two = 2
param size = 3
data one: real[n] = [1, 2, 3]
data labels: int[n] in 0..2 = [0, 1, 0]
data Z: real[two, 2] = [[1, 2], [3, 4]]
data pick: int[2] in 0..2 = [1, 0]
data demand: real[city] = [10, 20]
data drawn: real[3] ~ normal(0, 1)
data again: real[3] ~ normal(0, 1)
data four: real[2, 2] = 4
let from = 1; let sparse = 2;
fn f(a: real[k], b: real[k]) -> real = a @ b
fn g(z) = { let h = z + 1; h^2 }
fn apply(f, z) = f(z)
upper {
  var x: real = 0
  var v: real[2] = 0
  var p: real[2, 4] in simplex
  var q: real[4] in ball(1) = 5
  let local = 7
  minimize x^2 + sumsq(v) + 0 * (sum(p) + sum(q))
  report truth = x < 1
}
lower {
  var y: real in [1, 2]
  let local = 8
  minimize (y - x)^2
}
solve cg(steps = 0, schedule = power(0.5), rates = rates(x = 2), upper_rule = \"adam\")
";

/// True of the model at its start.
const TRUE: &[&str] = &[
    "1_000 == 1000 and 1e-3 == 0.001 and inf > 1",
    "-2^2 == -4 and 2^3^2 == 512 and 3 / 2 == 1.5",
    "div(7, 2) == 3 and mod(-1, 5) == 4 and div(-7, 2) == -4",
    "not 1 == 2 and (true or false and false)",
    "sum([1, 2,],) == 3",
    "from + sparse == 3",
    "all(max([1, 5], [3, 2]) == [3, 5]) and min(3, 4) == 3 and max([1, 5]) == 5",
    "all(max([[1, -2], [3, 4]], 0) == [[1, 0], [3, 4]])",
    "sum([true, false, true]) == 2 and mean([true, false]) == 0.5",
    "abs(norm(logsumexp([[0, 0], [0, 0]]) - log(2))) < 1e-9",
    "all(argmax([[1, 2], [4, 3]]) == [1, 0]) and all(argmax([[1, 2], [4, 3]], 0) == [1, 1])",
    "all(softmax([[0.0, 0], [0, 0]]) == 0.5) and all(cumsum([[1, 2], [3, 4]]) == [[1, 3], [3, 7]])",
    "all(sumsq([[1, 2], [3, 4]], 0) == [10, 20]) and var([1, 3]) == 1 and norm([3, 4]) == 5",
    "all(sort([3, 1, 2]) == [1, 2, 3]) and all(sort([[2, 1], [0, 5]], 0) == [[0, 1], [2, 5]])",
    "all(argsort([3, 1, 2, 1]) == [1, 3, 2, 0]) and all(top_k([3, 1, 2], 2) == [3, 2])",
    "all(top_k([[1, 4], [3, 2]], 1, 0) == [[3, 4]]) and all(top_k([[1, 4], [3, 2]], 1) == [[4], [3]])",
    "all(grad(sum(sort(v * [2, -1]) * [1, 10]), v) == [2, -10])",
    "all(diag([[1, 2], [3, 4]]) == [1, 4]) and cumsum([1, 2])[1] == 3 and one[cumsum([1, 1])[0]] == 2",
    "abs(log_cosh(0.001) - 0.00000049999991666669) < 1e-20",
    "all(any([[true, false], [false, false]], 1) == [true, false])",
    "all(full(7, 2, 3) == 7) and sum(zeros(size)) == 0 and sum(ones(2^2)) == 4 and trace(eye(3)) == 3",
    "all(arange(3) == [0, 1, 2]) and all(arange(2, 4) == [2, 3]) and sum(diag([1, 2])) == 3",
    "all(one_hot([1, 0], 2) == [[0, 1], [1, 0]]) and all(concat([[1, 2], [3]]) == [1, 2, 3])",
    "all(stack([[1, 2], [3, 4]], 1) == [[1, 3], [2, 4]]) and all(flatten([[1, 2], [3, 4]]) == [1, 2, 3, 4])",
    "all(reshape([1, 2, 3, 4], 2, 2) == [[1, 2], [3, 4]]) and all(outer([1, 2], [3, 4]) == [[3, 4], [6, 8]])",
    "[1, 2] @ [3, 4] == 11 and all([1, 2] @ [[1, 0], [0, 1]] == [1, 2]) and dot([1, 2], [3, 4]) == 11",
    "all([[1, 2], [3, 4]]' == [[1, 3], [2, 4]]) and all([[1, 2], [3, 4]] + [1, 2] == [[2, 4], [4, 6]])",
    "all(Z[1] == [3, 4]) and Z[1, 0] == 3 and all(Z[:, 1] == [2, 4]) and all(one[1..] == [2, 3]) and all(one[..2] == [1, 2])",
    "all(one[pick] == [2, 1]) and all(Z[pick][0] == [3, 4]) and all([Z[i, pick[i]] for i in two] == [2, 3])",
    "all([one[mod(i + 1, n)] for i in n] == [2, 3, 1]) and all([one[i + 1] - one[i] for i in 0..n - 1] == 1)",
    "all([i * j for i in 2, j in 0..3] == [[0, 0, 0], [0, 1, 2]])",
    "sum(i for i in 0..5 if mod(i, 2) == 0) == 6 and mean(i for i in 0..5 if i > 2) == 3.5",
    "not mean(i for i in 0..5 if i > 7) <= inf",
    "max(i for i in 0..5 if i < 3) == 2 and any(i == 2 for i in 0..3) and prod(i + 1 for i in 0..4) == 24",
    "all([sum(one[a] for a in n if labels[a] == i) for i in 2] == [4, 2]) and sum(one[i] for i ~ n) == 6",
    "sum(i * j for i in 4, j in 0..i) == 11 and sum(1 for i in n, j in i + 1..n) == 3 and sum(one[i - 1] for i in n if i > 0) == 3",
    "all(Z[pick, pick] == [[4, 3], [2, 1]]) and all([Z[pick[k], pick[k]] for k in two] == [4, 1])",
    "all([sum(one[i..i + 2]) for i in 2] == [3, 5]) and all(demand[[\"Lyon\\\\\", \"Paris\"]] == [20, 10])",
    "sum(demand[c] for c in city if c == \"Paris\") == 10 and apply(abs, -2) == 2 and apply(g, 1) == 4",
    "all([grad(i * v[0] * x + v[1], v)[1] for i in 3] == 1) and all([grad(i * x^2 + i * x, x) for i in 3] == [0, 1, 2])",
    "demand[\"Lyon\\\\\"] == 20 and sum(four) == 16 and n * 2 == 6",
    "drawn[0] != again[0]",
    "f([1, 2], [3, 4]) == 11 and f([1, 2, 3], [1, 1, 1]) == 6 and g(2) == 9",
    "(if 1 < 2 then 3 else 4) == 3 and all((if [true, false] then 1 else 2) == [1, 2])",
    "local == 7 and truth",
    "all(abs(p - 0.25) < 1e-12) and abs(norm(q) - 1) < 1e-12 and y == 1 and lower.y == 1 and upper.x == 0",
    "lower.objective == 1 and upper.objective == 0 and lower.gap < 1e-9 and lower.stationarity < 1e-9",
    "grad(abs(x), x) == 0 and grad(relu(x), x) == 0 and grad(sign(x), x) == 0",
    "grad(max(x, 2 * x), x) == 1 and grad(min(3 * x, 2 * x), x) == 3 and all(grad(max(v), v) == 0.5)",
    "grad(if x < 1 then 2 * x else log(x - 5) / x, x) == 2 and not abs(grad(sqrt(x), x)) < 1e9",
    "all(grad(norm(v), v) == 0) and grad(sqrt(x^2 + sumsq(v)), x) == 0 and grad(sqrt(x^2), x) == 0",
    "grad(if x > 0 then x * log(x) else 0, x) == 0 and grad(max(log(x), -5), x) == 0",
    "grad(sum(if one[i] > 5 then one[i] * log(x) else x for i in n), x) == 3",
    "grad((if x > 0 then 1 else 0) * log(x), x) == 0 and not labels[0] * log(x) == 0",
    "grad(stop_gradient(x) * x, x) == 0 and stop_gradient(3) == 3",
    "abs(log(1 + exp(x + 1000)) - 1000) < 1e-6 and abs(log(sigmoid(x - 1000)) + 1000) < 1e-6",
    "abs(log(sum(exp(v + 1000))) - 1000 - log(2)) < 1e-6",
    "not abs(([1.0, 2])[argmax([v[0], v[1], 1])]) < inf and (arange(2))[argmax([v[0], v[1], 1])] == 0",
];

#[test]
fn statements_about_values_hold() {
    let expects: String = TRUE.iter().map(|condition| format!("expect {condition}\n")).collect();
    let output = blo(&format!("{MODEL}{expects}"), &["run", "model.blo"]);
    let found = String::from_utf8_lossy(&output.stdout);
    let message = String::from_utf8_lossy(&output.stderr);
    let false_ones: Vec<&str> = found.lines().filter(|line| line.contains("✗ expect")).collect();
    assert!(false_ones.is_empty(), "{}\n{message}", false_ones.join("\n"));
    assert_eq!(found.matches("✓ expect").count(), TRUE.len(), "{found}{message}");
}

/// Lines for the end of a model, and the code of the error they give.
const REFUSED: &[(&str, &str)] = &[
    ("let a = .5", "E01"),
    ("let a = 5.", "E01"),
    ("let a = +1", "E01"),
    ("expect 0 < 1 < 2", "E01"),
    ("let a = sum(i for i in 5 if i > 1 if i < 4)", "E01"),
    ("let a = 1\n  + 2", "E01"),
    ("let data = 1", "E01"),
    ("let local = 1", "E0202"),
    ("let y = 1", "E0202"),
    ("let a = true + 1", "E0204"),
    ("let a = max([true, false])", "E0204"),
    ("let a = [i for i in 5 if i > 2]", "E0214"),
    ("let a = sum(one[i + 1] for i in n)", "E0213"),
    ("let a = one[-1]", "E0213"),
    ("let a = one[1..1]", "E0213"),
    ("let a = one[[0, 5]]", "E0213"),
    ("let a = zeros(2, 1) + zeros(2, 3)", "E0203"),
    ("dim m = 3\ndata other: real[m] = 1\nlet a = one + other", "E0203"),
    ("let a = one'", "E0231"),
    ("fn h(z) = h(z)\nlet a = h(1)", "E0218"),
    ("let a = 2 * x", "E0217"),
    ("report r = lower.gap", "E0217"),
    ("data bad: real[2] = [0, inf]", "E0211"),
    ("data bad: int[2] in 0..2 = [0, 2]", "E0212"),
    ("param unset", "E0209"),
    ("let a = sum(one[j] for i in n, j in i + 3..n)", "E0213"),
    ("let a = [one[j] for i in n, j in 0..i]", "E0215"),
    ("let a = [one[0..i + 1] for i in n]", "E0215"),
    ("let a = max(one[i] for i ~ n)", "E0239"),
    ("let a = demand[\"Rome\"]", "E0232"),
    ("fn h(f, z) = f(h, z)\nlet a = h(h, 1)", "E0218"),
    ("report r = one", "E0221"),
    ("expect 1", "E0222"),
];

#[test]
fn what_the_page_calls_an_error_is_one() {
    for (lines, code) in REFUSED {
        let output = blo(&format!("{MODEL}{lines}\n"), &["run", "model.blo"]);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{lines}\n{message}");
        assert!(message.contains(&format!("[{code}")), "{lines}: not {code}\n{message}");
    }
}
