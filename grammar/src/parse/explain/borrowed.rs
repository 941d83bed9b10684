//! Calls, choices and ranges as other languages write them: what they are called there, and how the same is said here.

use super::{Stop, operand_wanted, with_help};
use crate::diagnostic::Diagnostic;
use crate::parse::lex::Kind;
use crate::parse::words::is_keyword;
use crate::span::Span;

/// Libraries that stand before a function's name elsewhere.
const LIBRARIES: &[&str] = &[
    "np",
    "numpy",
    "jnp",
    "jax",
    "torch",
    "tf",
    "math",
    "scipy",
    "sp",
    "cp",
    "cvxpy",
    "pyo",
    "Math",
    "F",
    "nn",
    "LinearAlgebra",
];

/// Functions that go by another name, or are written otherwise.
const FUNCTIONS: &[(&[&str], &str)] = &[
    (&["array", "tensor", "asarray", "Variable"], "write the list itself: `[1, 2]`, `[[1, 2], [3, 4]]`"),
    (&["randn", "normal", "standard_normal"], "random values are data: `data z: real[n] ~ normal(0, 1)`"),
    (&["rand", "random", "uniform"], "random values are data: `data z: real[n] ~ uniform(0, 1)`"),
    (&["matmul", "mm", "bmm"], "the matrix product is `A @ B`"),
    (&["transpose", "permute", "t"], "a transpose is written `A'`"),
    (&["power", "square"], "a power is written `x^2`"),
    (&["where", "cond"], "a choice is written `if c then a else b`"),
    (&["maximum", "fmax"], "write `max(x, y)`"),
    (&["minimum", "fmin"], "write `min(x, y)`"),
    (&["clip", "clamp"], "write `min(max(x, lo), hi)`"),
    (&["concatenate", "cat", "append", "hstack", "vstack"], "write `concat([x, y])`"),
    (&["expit"], "write `sigmoid(x)`"),
    (&["absolute", "fabs"], "write `abs(x)`"),
    (
        &["size", "numel", "ndim"],
        "a size is the name of its dimension: `dim n`, or the one in the type of data",
    ),
];

/// The words for the first habit that fits.
pub(super) fn borrowed(stop: &Stop) -> Option<Box<Diagnostic>> {
    dotted_call(stop)
        .or_else(|| anonymous_function(stop))
        .or_else(|| other_choice(stop))
        .or_else(|| other_sum(stop))
        .or_else(|| arrow(stop))
        .or_else(|| over(stop))
}

fn spelling(
    span: Span,
    message: impl Into<String>,
    label: &str,
    help: impl Into<String>,
) -> Option<Box<Diagnostic>> {
    Some(Box::new(Diagnostic::error("E0108", message, span, label).help(help)))
}

/// `np.exp(x)`, `x.sum()`, `exp.(x)`.
fn dotted_call(stop: &Stop) -> Option<Box<Diagnostic>> {
    if stop.found() != "(" {
        return None;
    }
    if stop.before(1) == "." && stop.at >= 2 {
        let name = stop.before(2);
        let help = format!("functions work element by element already: write `{name}(…)`");
        let span = stop.token_span(stop.at - 2);
        return spelling(span, "a call has no dot before its bracket", "followed by a dot", help);
    }
    if stop.before(2) != "." || stop.tokens[stop.at - 1].kind != Kind::Word {
        return None;
    }
    let mut first = stop.at - 1;
    while first >= 2 && stop.written(first - 1) == "." && stop.tokens[first - 2].kind == Kind::Word {
        first -= 2;
    }
    let (owner, name) = (stop.written(first), stop.before(1));
    if owner == "std" || is_keyword(owner) {
        return None;
    }
    let span = stop.token_span(first).to(stop.token_span(stop.at - 1));
    let written: String = (first..stop.at).map(|at| stop.written(at)).collect();
    let known = FUNCTIONS.iter().find(|(names, _)| names.contains(&name)).map(|(_, help)| (*help).to_owned());
    if LIBRARIES.contains(&owner) {
        let help =
            known.unwrap_or_else(|| format!("functions have no library before them: write `{name}(…)`"));
        return spelling(span, format!("blo has no `{written}`"), "a function of another language", help);
    }
    let help =
        known.unwrap_or_else(|| format!("functions stand before their arguments: write `{name}({owner})`"));
    spelling(span, format!("`{owner}` has no functions of its own"), "a call with a dot", help)
}

/// `lambda v: e`, and `return e` in a body.
fn anonymous_function(stop: &Stop) -> Option<Box<Diagnostic>> {
    let at = stop.at.checked_sub(1)?;
    match stop.written(at) {
        "lambda" => spelling(
            stop.token_span(at),
            "there are no functions without a name",
            "a function of another language",
            "write a function with a name: `fn f(x) = e`",
        ),
        "return" => spelling(
            stop.token_span(at),
            "there is no `return`",
            "not a word of blo",
            "leave it out: the last expression of a body is its value",
        ),
        _ => None,
    }
}

/// `a if c else b`, `a is b`, `elif`.
fn other_choice(stop: &Stop) -> Option<Box<Diagnostic>> {
    if !stop.expects(super::Rule::infix) {
        return None;
    }
    let span = stop.span();
    let inside = |word: &str| (0..stop.at).any(|at| stop.written(at) == word);
    match stop.found() {
        "if" if !inside("for") && stop.written(0) != "subject" => spelling(
            span,
            "a choice starts with its condition",
            "the value stands before it",
            "a choice is written `if c then a else b`",
        ),
        "is" => spelling(span, "blo has no `is`", "not an operator here", "write `==` to compare")
            .map(|d| Box::new(d.edit(span, "=="))),
        word @ ("elif" | "elseif") => {
            spelling(span, format!("blo has no `{word}`"), "not a word of blo", "write `else if`")
                .map(|d| Box::new(d.edit(span, "else if")))
        }
        _ => None,
    }
}

/// `sum_{i} e`, `sum {i in n} e`, and a range `a:b` of an index.
fn other_sum(stop: &Stop) -> Option<Box<Diagnostic>> {
    let word = stop.before(1).trim_end_matches('_');
    if stop.found() == "{" && matches!(word, "sum" | "prod" | "mean" | "max" | "min") {
        let help = format!("the index stands behind the term: `{word}(e for i in n)`");
        return spelling(
            stop.token_span(stop.at - 1),
            format!("`{word}` takes brackets"),
            "followed by `{`",
            help,
        );
    }
    let in_clause = (0..stop.at).any(|at| stop.written(at) == "for");
    if stop.found() == ":" && in_clause && stop.expects(super::Rule::dots) {
        let help = "a range is written `a..b`: it counts from 0 and leaves out `b`";
        return spelling(stop.span(), "a range has two dots", "not a range here", help);
    }
    None
}

/// `let a <- 3`.
fn arrow(stop: &Stop) -> Option<Box<Diagnostic>> {
    let next = stop.tokens.get(stop.at + 1)?;
    let adjacent = next.start == stop.tokens[stop.at].end;
    if stop.found() != "<"
        || stop.written(stop.at + 1) != "-"
        || !adjacent
        || !stop.expects(super::Rule::equals)
    {
        return None;
    }
    let span = stop.span().to(stop.token_span(stop.at + 1));
    spelling(span, "blo has no `<-`", "not an operator here", "write `=` between a name and its value")
        .map(|d| Box::new(d.edit(span, "=")))
}

/// `minimize e over x`, `minimize over x e`.
fn over(stop: &Stop) -> Option<Box<Diagnostic>> {
    let is_objective = matches!(stop.written(0), "minimize" | "maximize");
    let at = [Some(stop.at), stop.at.checked_sub(1)];
    let at = at.into_iter().flatten().find(|at| matches!(stop.written(*at), "over" | "wrt"))?;
    if !is_objective || operand_wanted(stop) {
        return None;
    }
    let help = format!("a level chooses all of its variables: write `{} e`", stop.written(0));
    Some(with_help(
        Box::new(Diagnostic::error(
            "E0108",
            "an objective does not name its variables",
            stop.token_span(at),
            "not a word of blo",
        )),
        help,
    ))
}
