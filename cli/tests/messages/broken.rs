//! Models of the gallery with one part broken on purpose: the message has the right code, its first label covers the broken part, and
//! its help names the way out. And five breaks at once, each of which is found.

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
        let text = example(name);
        assert!(text.contains(from), "{name} has no `{from}`");
        let found = said(&folder.path(""), &text.replacen(from, to, 1));
        let right = match found.as_slice() {
            [m] => m.code == *code && m.marked == *marked && m.help.contains(help),
            _ => false,
        };
        if !right {
            let all: String = found.iter().map(|m| m.rendered.as_str()).collect();
            complaints += &format!("{name}: `{from}` as `{to}`, expected {code} at `{marked}`\n{all}\n");
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
    assert!(BREAKS.len() >= 25);
}

#[test]
fn five_independent_errors_are_found_in_one_pass() {
    let breaks = [
        ("param ridge = 1e-3", "param ridge := 1e-3", "E0108", ":="),
        ("y_test: int[t]", "y_test: integer[t]", "E0204", "integer"),
        ("x_train[i] @ W", "W @ x_train[i]", "E0203", "@"),
        ("sumsq(b)", "sumqs(b)", "E0205", "sumqs"),
        ("expect f1 >= 0.94", "expect f1 = 0.94", "E0109", "="),
    ];
    let mut text = example("digits_cleaning");
    for (from, to, ..) in breaks {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let folder = gallery();
    let found = said(&folder.path(""), &text);
    let all: String = found.iter().map(|m| m.rendered.as_str()).collect();
    let mut seen: Vec<(&str, &str)> = found.iter().map(|m| (m.code.as_str(), m.marked.as_str())).collect();
    let mut expected: Vec<(&str, &str)> =
        breaks.iter().map(|(_, _, code, marked)| (*code, *marked)).collect();
    seen.sort_unstable();
    expected.sort_unstable();
    assert_eq!(seen, expected, "{all}");
    // In the order of the text.
    assert!(found.windows(2).all(|pair| pair[0].line <= pair[1].line), "{all}");
}
