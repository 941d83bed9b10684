//! Models of the gallery with a mistake in each. The first message must stand on the broken token, and its help must name the fix;
//! where the message brings a change along, that change must put the model right.

use blo_compiler::analyse;
use blo_compiler::session::Options;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::source::Sources;

use crate::language::NoFiles;
use crate::text;

/// A mistake: the model, what is replaced (once) by what, the code, the token the message stands on, and what its help says.
type Mistake = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

const MISTAKES: &[Mistake] = &[
    // Names that are nearly right, or defined elsewhere.
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
    // Habits of other languages.
    ("ridge_diabetes", "w[j]^2", "w[j]**2", "E0108", "**", "`^`"),
    ("coreset_diabetes", "concat([x * sqrt", "concat([x .* sqrt", "E0108", ".*", "`*`"),
    ("svm", "!= f)", "<> f)", "E0108", "<>", "`!=`"),
    ("actor_critic", "i == 5 or", "i == 5 ||", "E0108", "||", "`or`"),
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
        "target = t",
        "leave out `target =`",
    ),
    ("group_lasso", "sqrt(sumsq(w[g])", "sqrt(sumsq(w(g))", "E0205", "w", "`w[…]`"),
    ("principal_agent", "0.5 * risk", ".5 * risk", "E0105", ".5", "`0.5`"),
    ("three_valleys", "cos(4 * y + 2) /", "cos(4y + 2) /", "E0105", "4y", "`4 * y`"),
    ("bda_counterexample", "minimize 0.5 * y[0]", "minimize 0.5 y[0]", "E0101", "y", "`*`"),
    // Things left out, or in the wrong place.
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
    // Shapes.
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

/// The errors of a model, its data files absent.
fn errors(model: &str) -> Vec<Diagnostic> {
    let mut sources = Sources::new();
    let main = sources.add("model.blo", model);
    let (_, found) = analyse(&mut sources, main, &mut NoFiles, &Options::default());
    found.into_iter().filter(Diagnostic::is_error).collect()
}

/// A model with one mistake.
fn broken(name: &str, right: &str, wrong: &str) -> String {
    let model = text(&format!("examples/{name}.blo"));
    assert_eq!(model.matches(right).count(), 1, "{name} has `{right}` once");
    model.replace(right, wrong)
}

#[test]
fn a_mistake_in_a_gallery_model_is_found_where_it_is_and_the_help_names_the_fix() {
    let mut failures = String::new();
    for (name, right, wrong, code, token, help) in MISTAKES {
        let model = broken(name, right, wrong);
        let found = errors(&model);
        let Some(first) = found.first() else {
            failures += &format!("{name}: `{wrong}` is accepted\n");
            continue;
        };
        let span = first.labels[0].span;
        let place = &model[span.start as usize..span.end as usize];
        let advice = first.help.as_deref().unwrap_or("no help");
        if first.code != *code || place != *token || !advice.contains(help) {
            failures += &format!("{name}: `{wrong}`: {} on `{place}`, {advice}\n", first.code);
        }
        if let Some(edit) = &first.edit {
            let mut put_right = model.clone();
            put_right.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
            let left = errors(&put_right);
            if !left.is_empty() {
                failures += &format!("{name}: `{wrong}`: the change leaves {}\n", left[0].message);
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// Five mistakes that have nothing to do with each other are all reported at once, each on its line.
#[test]
fn five_mistakes_are_found_in_one_pass() {
    let planted = [
        ("cholesky(rbf_kernel(", "cholesky(rbf_kernl("),
        ("var penalty: real in", "var penalty: float in"),
        ("var b: real[fold] = 0", "var b: real[folds] = 0"),
        (
            "then 1.0 else -1.0
",
            "then 1.0
",
        ),
        ("mod(i, fold) == f)", "mod(i, fold) = f)"),
        ("expect upper.objective <", "expect upper.objectiv <"),
    ];
    let mut model = text("examples/svm.blo");
    for (right, wrong) in planted {
        assert_eq!(model.matches(right).count(), 1, "svm.blo has `{right}` once");
        model = model.replace(right, wrong);
    }
    let found = errors(&model);
    let lines = |part: &str| model[..model.find(part).unwrap()].matches('\n').count();
    let reported: Vec<usize> =
        found.iter().map(|d| model[..d.labels[0].span.start as usize].matches('\n').count()).collect();
    for (right, wrong) in planted {
        assert!(reported.contains(&lines(wrong)), "`{wrong}` for `{right}` is not reported: {reported:?}");
    }
}
