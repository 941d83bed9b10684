//! Models of the gallery with one part broken on purpose: the message has the right code, its first label covers the broken part, and
//! its help names the way out; where it brings a change along, that change mends the model. And several breaks at once, each of
//! which is found, and nothing else.

use std::fs;
use std::path::Path;

use crate::{Message, messages, root, scratch};

/// A break: the example, what is replaced by what, and the code, the marked text and a part of the help of its message.
type Break = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

const BREAKS: &[Break] = &[
    ("digits_cleaning", "x_train[i] @ W", "W @ x_train[i]", "E0203", "@", "`x_train[i] @ W` matches"),
    ("digits_cleaning", "y_val: int[m] in 0..k", "y_val: int[m] in 0..9", "E0212", "0..9", "widen the range"),
    (
        "denoising",
        "use std.regularizers (total_variation)\n",
        "",
        "E0205",
        "total_variation",
        "`use std.regularizers (total_variation)`",
    ),
    ("toll", "let cars = flow @ uses", "let cars = flow * uses", "E0203", "*", "`flow @ uses`"),
    ("toll", "flow: real[route] in simplex", "flow in simplex", "E0101", "flow", "flow: real in simplex"),
    ("toll", "expect abs(toll - 0.25) < 1e-5", "expect toll = 0.25", "E0109", "=", "`==`"),
    ("ridge_diabetes", "w[j]^2", "w[j]**2", "E0108", "**", "`^`"),
    ("ridge_diabetes", "for j in d)", "for j = 0..d)", "E0113", "=", "`j in a..b`"),
    ("duopoly", "maximize q *", "maximise q *", "E0107", "maximise", "`maximize`"),
    ("duopoly", "use std.games", "use std.game", "E0226", "std.game", "`std.games`"),
    (
        "duopoly",
        "[q, r], a, b), r, rival)",
        "[q, r], a), r, rival)",
        "E0206",
        "cournot_price",
        "`cournot_price(quantities, a, b)`",
    ),
    (
        "mixture",
        "minimize sumsq(y - target)",
        "minimize (y - target)^2",
        "E0221",
        "(y - target)^2",
        "`sumsq`",
    ),
    ("mixture", "in simplex", "in simplx", "E0223", "simplx", "`simplex`"),
    ("mixture", "solve rhg(", "solve rgh(", "E0502", "rgh", "`rhg`"),
    ("mixture", "lower_steps = 100", "lower_stepz = 100", "E0503", "lower_stepz", "`lower_steps`"),
    ("meta_ridge", "V[t] @ w[t]", "w[t] @ V[t]", "E0203", "@", "`V[t] @ w[t]` matches"),
    (
        "gaussian_process",
        "minimize (dot(y, solve(K, y))",
        "minimize (dot(y', solve(K, y))",
        "E0231",
        "y'",
        "as they are",
    ),
    (
        "electricity",
        "let load = share @ demand",
        "let load = share * demand",
        "E0203",
        "*",
        "`share @ demand`",
    ),
    (
        "electricity",
        "maximize dot(price(), load)",
        "maximize dot(price, load)",
        "E0204",
        "price",
        "`price()`",
    ),
    ("logistic", "(t[i] == 1) for i in 400", "(t[i] = 1) for i in 400", "E0109", "=", "`==`"),
    ("group_lasso", "sumsq(w[g])", "sumsq(w(g))", "E0205", "w", "`w[…]`"),
    ("svm", "if mod(i, fold) == f", "if i % fold == f", "E0108", "%", "`mod(a, b)`"),
    ("svm", "if mod(i, fold) != f", "if not mod(i, fold)", "E0204", "mod(i, fold)", "`mod(i, fold) != 0`"),
    (
        "mlp_cleaning",
        "var B: real[unit, k] ~ normal",
        "var B: real[unit, k] ~ gaussian",
        "E0224",
        "gaussian",
        "`normal`",
    ),
    ("mlp_cleaning", "use std.nn (mlp)", "use std.nn (mpl)", "E0227", "mpl", "`mlp`"),
    ("principal_agent", "[[1, 0.4], [0.4, 1]]", "[[1, 0.4], [0.4]]", "E0203", "[0.4]", "every row"),
    ("dictionary", "noisy[i] - code[i] @ D", "noisy[i] - D @ code[i]", "E0203", "@", "`code[i] @ D` matches"),
    (
        "inverse_control",
        "exp(w[1]) * sumsq(drift",
        "exp(w[2]) * sumsq(drift",
        "E0213",
        "2",
        "the last one is `1`",
    ),
    (
        "adversarial",
        "in [-epsilon, epsilon]",
        "in [epsilon, -epsilon]",
        "E0223",
        "[epsilon, -epsilon]",
        "`[lo, hi]`",
    ),
    ("actor_critic", "i == 5 or i == 7", "i == 5 || i == 7", "E0108", "||", "`or`"),
    ("elastic_net", "mse(Z[0..221] @ w", "mse(Z[0:221] @ w", "E0101", ":", "`a..b`"),
    ("label_learning", "one_hot(label, k)", "one_hot(label)", "E0206", "one_hot", "`one_hot(y, k)`"),
    ("distillation", "x_train[first]", "x_train[frist]", "E0201", "frist", "`first`"),
    ("digits_cleaning", "(sigmoid(v[i])", "(sigmod(v[i])", "E0205", "sigmod", "`sigmoid`"),
    ("ridge_diabetes", "sum(exp(lambda[j])", "sum(exp(lamda[j])", "E0201", "lamda", "`lambda`"),
    (
        "svm",
        "use std.losses (squared_hinge)",
        "use std.losses (square_hinge)",
        "E0227",
        "square_hinge",
        "`squared_hinge`",
    ),
    ("mlp_cleaning", "use std.metrics", "use std.metric", "E0226", "std.metric", "`std.metrics`"),
    ("elastic_net", "use std.losses (mse)\n", "", "E0205", "mse", "use std.losses (mse)"),
    ("toll", "var flow: real[route]", "var flow: real[rout]", "E0201", "rout", "`route`"),
    ("toll", "expect lower.gap <", "expect lower.gaps <", "E0201", "lower.gaps", "`lower.gap`"),
    ("elastic_net", "var b: real", "var b: float", "E0204", "float", "`real`"),
    ("loss_learning", "dim k = 4", "dim k = 4\ndim k = 5", "E0202", "k", "rename"),
    ("coreset_diabetes", "concat([x * sqrt", "concat([x .* sqrt", "E0108", ".*", "`*`"),
    ("svm", "!= f)", "<> f)", "E0108", "<>", "`!=`"),
    ("actor_critic", "if final(i) then 0.0 else", "final(i) ? 0.0 :", "E0108", "?", "if c then a else b"),
    ("dictionary", "for i in s]", "for i in 0...s]", "E0108", "...", "`a..b`"),
    ("image_denoising", "sumsq(p[1..]", "sumsq(p[1:]", "E0101", ":", "`a..b`"),
    ("meta_ridge", "t in task)\n  report", "t = 1:task)\n  report", "E0113", "=", "`t in a..b`"),
    ("duopoly", "maximize profit", "max: profit", "E0107", "max", "`maximize e`"),
    ("rosenbrock", "minimize", "minimise", "E0107", "minimise", "`minimize`"),
    ("logistic", "let t = y", "t = y", "E0107", "t", "`let t = …`"),
    ("inverse_control", "expect off <", "expect off =", "E0109", "=", "`==`"),
    (
        "coreset_diabetes",
        "mse(Z @ w, t) +",
        "mse(Z @ w, target = t) +",
        "E0119",
        "target",
        "leave out `target =`",
    ),
    ("principal_agent", "0.5 * risk", ".5 * risk", "E0105", ".5", "`0.5`"),
    ("three_valleys", "cos(4 * y + 2) /", "cos(4y + 2) /", "E0105", "4y", "`4 * y`"),
    ("bda_counterexample", "minimize 0.5 * y[0]", "minimize 0.5 y[0]", "E0101", "y", "`*`"),
    ("principal_agent", "var e: real[2] = 0", "var e = 0", "E0101", "e", "var e: real"),
    ("svm", "exp(penalty) * sumsq(u)", "exp(penalty) * sumsq(u", "E0102", "(", "`)`"),
    ("svm", "then 1.0 else -1.0\n", "then 1.0\n", "E0118", "1.0", "if c then a else b"),
    ("duopoly", "lower {", "lower", "E0116", "lower", "`lower { … }`"),
    (
        "inverse_control",
        "let best = -solve",
        "let best = push - solve",
        "E0217",
        "push",
        "move the `let` into the level",
    ),
    (
        "digits_cleaning",
        "cross_entropy(x_val[i] @ W",
        "cross_entropy(W @ x_val[i]",
        "E0203",
        "@",
        "`x_val[i] @ W`",
    ),
    (
        "coreset",
        "minimize sumsq(theta - softmax(w) @ X",
        "minimize sumsq(theta - X @ softmax(w)",
        "E0203",
        "@",
        "`softmax(w) @ X`",
    ),
    ("dictionary", "= mean(abs(code) < 0.1)", "= abs(code) < 0.1", "E0221", "abs(code) < 0.1", "`sum`"),
];

/// A folder with the data of the examples.
fn gallery() -> scratch::Folder {
    let folder = scratch::Folder::new();
    fs::create_dir(folder.path("data")).unwrap();
    for entry in fs::read_dir(root("examples/data")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.path("data").join(path.file_name().unwrap())).unwrap();
    }
    folder
}

fn example(name: &str) -> String {
    fs::read_to_string(root(&format!("examples/{name}.blo"))).unwrap()
}

fn said(folder: &Path, model: &str) -> Vec<Message> {
    messages(model, &["check", "model.blo"], Some(folder))
}

#[test]
fn a_broken_model_is_told_what_is_broken_and_how_to_mend_it() {
    let folder = gallery();
    let mut complaints = String::new();
    for (name, from, to, code, marked, help) in BREAKS {
        let right = example(name);
        assert!(right.contains(from), "{name} has no `{from}`");
        let wrong = right.replacen(from, to, 1);
        let found = said(&folder.path(""), &wrong);
        let fits = found.first().is_some_and(|m| {
            // What is broken in one place may be missed in several.
            let alone = found.iter().all(|other| other.headline == m.headline);
            alone && m.code == *code && m.marked == *marked && m.help.contains(help)
        });
        if !fits {
            let all: String = found.iter().map(|m| m.rendered.as_str()).collect();
            complaints += &format!("{name}: `{from}` as `{to}`, expected {code} at `{marked}`\n{all}\n");
        }
        if let Some((range, text)) = found.first().and_then(|m| m.edit.clone()) {
            let mut mended = wrong.clone();
            mended.replace_range(range, &text);
            let left = said(&folder.path(""), &mended);
            if let Some(m) = left.first() {
                complaints += &format!("{name}: the change `{text}` leaves\n{}\n", m.rendered);
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
    assert!(BREAKS.len() >= 60);
}

/// Several breaks of one example: what is replaced by what, the code, and the marked text.
type Planted = (&'static str, &'static [(&'static str, &'static str, &'static str, &'static str)]);

const PLANTED: &[Planted] = &[
    (
        "digits_cleaning",
        &[
            ("param ridge = 1e-3", "param ridge := 1e-3", "E0108", ":="),
            ("y_test: int[t]", "y_test: integer[t]", "E0204", "integer"),
            ("x_train[i] @ W", "W @ x_train[i]", "E0203", "@"),
            ("sumsq(b)", "sumqs(b)", "E0205", "sumqs"),
            ("expect f1 >= 0.94", "expect f1 = 0.94", "E0109", "="),
        ],
    ),
    (
        "svm",
        &[
            ("var penalty: real in", "var penalty: float in", "E0204", "float"),
            ("var b: real[fold] = 0", "var b: real[folds] = 0", "E0201", "folds"),
            ("then 1.0 else -1.0\n", "then 1.0\n", "E0118", "1.0"),
            ("mod(i, fold) == f)", "mod(i, fold) = f)", "E0109", "="),
            ("expect upper.objective <", "expect upper.objectiv <", "E0201", "upper.objectiv"),
        ],
    ),
];

#[test]
fn independent_errors_are_found_in_one_pass_and_nothing_else() {
    let folder = gallery();
    for (name, breaks) in PLANTED {
        let mut text = example(name);
        for (from, to, ..) in *breaks {
            assert!(text.contains(from), "{name} has no `{from}`");
            text = text.replacen(from, to, 1);
        }
        let found = said(&folder.path(""), &text);
        let all: String = found.iter().map(|m| m.rendered.as_str()).collect();
        let mut seen: Vec<(&str, &str)> = found.iter().map(|m| (&*m.code, &*m.marked)).collect();
        let mut expected: Vec<(&str, &str)> =
            breaks.iter().map(|(_, _, code, marked)| (*code, *marked)).collect();
        seen.sort_unstable();
        expected.sort_unstable();
        assert_eq!(seen, expected, "{name}: {all}");
        assert!(
            found.windows(2).all(|pair| pair[0].line <= pair[1].line),
            "not in the order of the text: {all}"
        );
    }
}
