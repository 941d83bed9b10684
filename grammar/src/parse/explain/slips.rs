//! Slips that are likely enough to have words of their own.

use super::{Stop, expected_words, operand_wanted, plain, with_help};
use crate::diagnostic::Diagnostic;
use crate::parse::Rule;
use crate::parse::lex::Kind;
use crate::parse::words::{self, nearest};

/// The words for the first slip that fits.
pub(super) fn slip(stop: &Stop) -> Option<Box<Diagnostic>> {
    wrong_equals(stop)
        .or_else(|| keyword_as_name(stop))
        .or_else(|| wrong_if(stop))
        .or_else(|| wrong_clause(stop))
        .or_else(|| missing_type(stop))
        .or_else(|| bare_subject(stop))
        .or_else(|| number_in_parts(stop))
        .or_else(|| wrong_sign(stop))
}

fn wrong_equals(stop: &Stop) -> Option<Box<Diagnostic>> {
    if stop.found() != "=" {
        return None;
    }
    if stop.expects(Rule::in_word) && stop.expects(Rule::tilde) {
        let diagnostic =
            stop.error("E0113", "an index takes its values with `in`", "expected `in`, found `=`");
        return Some(with_help(diagnostic, format!("write `{} in a..b`", stop.before(1))));
    }
    let first = stop.written(0);
    let compares = stop.tokens[..stop.at].iter().any(|token| token.text(stop.text.source) == "if");
    let bracketed = stop.expects(Rule::close) || stop.expects(Rule::close_index);
    if !stop.expects(Rule::infix) || !(matches!(first, "expect" | "subject") || compares || bracketed) {
        return None;
    }
    let diagnostic = stop.error("E0109", "`=` does not compare", "this gives a value to a name");
    let place = diagnostic.span();
    Some(Box::new(diagnostic.help("write `==` to compare").edit(place, "==")))
}

pub(super) fn keyword_as_name(stop: &Stop) -> Option<Box<Diagnostic>> {
    let found = stop.found();
    let is_word = stop.tokens.get(stop.at).is_some_and(|token| token.kind == Kind::Word);
    let names = [Rule::name, Rule::parameter, Rule::option, Rule::option_name];
    let wants_name = names.into_iter().any(|rule| stop.expects(rule));
    if !is_word || !words::is_keyword(found) || !wants_name || stop.expects(Rule::infix) {
        return None;
    }
    // After `in`, `,` or an operator an operand is wanted as well; only a declaration or binder wants a name alone.
    let wants_operand = stop.expects(Rule::expr) || stop.expects(Rule::number) || stop.expects(Rule::path);
    if wants_operand {
        return None;
    }
    let message = format!("`{found}` is a keyword and cannot be a name");
    Some(with_help(
        stop.error("E0110", message, "expected a name"),
        format!("choose another name, such as `{found}_`"),
    ))
}

fn wrong_if(stop: &Stop) -> Option<Box<Diagnostic>> {
    if stop.expects(Rule::else_word) && stop.found() != "else" && !stop.starts_operand() {
        let diagnostic = stop.error("E0118", "`if` without `else`", "expected `else` and the other value");
        return Some(with_help(diagnostic, "every choice has two values: `if c then a else b`"));
    }
    if stop.found() == "if" && operand_wanted(stop) {
        let diagnostic =
            stop.error("E0118", "`if` needs brackets inside an expression", "binds looser than the rest");
        return Some(with_help(diagnostic, "write `(if c then a else b)`"));
    }
    if stop.found() == "not" && operand_wanted(stop) {
        let diagnostic =
            stop.error("E0118", "`not` needs brackets here", "binds looser than the sign before it");
        return Some(with_help(diagnostic, "write `(not c)`"));
    }
    None
}

fn wrong_clause(stop: &Stop) -> Option<Box<Diagnostic>> {
    let found = stop.found();
    let inside = stop.tokens[..stop.at].iter().any(|token| token.text(stop.text.source) == "for");
    if found == "for" && inside && stop.expects(Rule::infix) {
        let diagnostic = stop.error("E0113", "indices are separated by commas", "second `for`");
        return Some(with_help(diagnostic, "write `for i in n, j in m`"));
    }
    if found == "if" && inside && stop.expects(Rule::infix) {
        let diagnostic = stop.error("E0113", "a sum has one filter", "second `if`");
        return Some(with_help(diagnostic, "join the conditions with `and`"));
    }
    if found == "," && inside && stop.expects(Rule::infix) && stop.expects(Rule::close) {
        let diagnostic = stop.error("E0113", "the filter comes last", "nothing may follow the filter");
        return Some(with_help(diagnostic, "write all indices first: `for i in n, j in m if c`"));
    }
    if found == "for" && stop.written(0) == "subject" {
        let diagnostic =
            stop.error("E0113", "a family of constraints has a name", "the index belongs to the name");
        return Some(with_help(diagnostic, "write `subject to name[i in n]: a[i] <= b[i]`"));
    }
    if found == "in" && stop.written(0) == "param" {
        let diagnostic = stop.error("E0101", "a parameter has no domain", "only `data` and `var` have one");
        return Some(with_help(diagnostic, "write `param a: real = 0.1`"));
    }
    None
}

fn missing_type(stop: &Stop) -> Option<Box<Diagnostic>> {
    let first = stop.written(0);
    if !matches!(first, "data" | "var") || !stop.expects(Rule::colon) || stop.at != 2 {
        return None;
    }
    let name = stop.written(1);
    let message = format!("`{name}` needs a type");
    let diagnostic = Box::new(Diagnostic::error(
        "E0101",
        message,
        stop.token_span(1),
        "expected `:` and a type after this",
    ));
    // What stands in the place of the type says what it could be.
    let inner = || {
        let end = (stop.at..stop.tokens.len()).find(|at| matches!(stop.written(*at), "]" | "}"));
        let end = end.unwrap_or(stop.tokens.len() - 1);
        let (from, to) = (stop.tokens[stop.at].end, stop.tokens[end].start.max(stop.tokens[stop.at].end));
        stop.text.source[from..to].trim().to_owned()
    };
    let rest =
        || stop.text.source[stop.tokens[stop.at].start..].lines().next().unwrap_or("").trim().to_owned();
    let help = match stop.found() {
        "binary" => format!("write `{first} {name}: int in 0..2`"),
        "integer" | "int" => format!("write `{first} {name}: int`"),
        ">=" if stop.written(stop.at + 1) == "0" => format!("write `{first} {name}: real in nonneg`"),
        ">=" => format!("write `{first} {name}: real in [{}, inf]`", stop.written(stop.at + 1)),
        "<=" => format!("write `{first} {name}: real in [-inf, {}]`", stop.written(stop.at + 1)),
        "[" | "{" => format!("the axes stand behind the element type: `{first} {name}: real[{}]`", inner()),
        "in" => format!("write `{first} {name}: real {}`", rest()),
        "=" => format!("write `{first} {name}: real = …`, or `{first} {name}: real[n] = …`"),
        _ => format!("write `{first} {name}: real`, or `{first} {name}: real[n]`"),
    };
    Some(with_help(diagnostic, help))
}

/// `subject to` as the head of a block.
fn bare_subject(stop: &Stop) -> Option<Box<Diagnostic>> {
    if !(stop.is_over() && stop.at == 2 && stop.written(0) == "subject") {
        return None;
    }
    let diagnostic = stop.error("E0112", "`subject to` without a constraint", "no constraint on this line");
    Some(with_help(
        diagnostic,
        "every constraint has its own: `subject to a <= b`, or `subject to name: a <= b` to name it",
    ))
}

/// `1,000`, `1 000`, `5 kg`.
fn number_in_parts(stop: &Stop) -> Option<Box<Diagnostic>> {
    let is_number = |at: usize| stop.tokens.get(at).is_some_and(|token| token.kind == Kind::Number);
    let is_group = |at: usize| is_number(at) && stop.written(at).len() == 3;
    if !stop.at.checked_sub(1).is_some_and(is_number) || !stop.expects(Rule::infix) {
        return None;
    }
    let (number, found) = (stop.before(1), stop.found());
    let group = if found == "," { stop.at + 1 } else { stop.at };
    let apart = stop.tokens.get(group)?.start - stop.tokens[stop.at - 1].end;
    if is_group(group) && apart == 1 {
        let help = format!("digits are grouped with `_`: `{number}_{}`", stop.written(group));
        return Some(with_help(plain(stop), help));
    }
    let ends = stop.at + 1 == stop.tokens.len() && matches!(stop.written(0), "param" | "dim" | "data");
    let is_word = stop.tokens.get(stop.at).is_some_and(|token| token.kind == Kind::Word);
    (ends && is_word && !words::is_keyword(found)).then(|| {
        with_help(
            plain(stop),
            format!("numbers have no units: leave `{found}` out, or write `*` to multiply"),
        )
    })
}

fn wrong_sign(stop: &Stop) -> Option<Box<Diagnostic>> {
    let found = stop.found();
    let after_operand = stop.expects(Rule::infix);
    let help = match found {
        "'" if operand_wanted(stop) || stop.expects(Rule::text) => {
            "a string is written in double quotes; `'` transposes what stands before it"
        }
        "+" if operand_wanted(stop) => "leave the sign out: there is no unary `+`",
        "*" if operand_wanted(stop) && stop.before(1) == "*" => "write `^` for a power",
        "{" => "only levels and function bodies have `{ }`; group with `( )`",
        ":" if stop.expects(Rule::equals) && !after_operand => "write `=` between a name and its value",
        ":" if matches!(stop.written(0), "minimize" | "maximize") && stop.at == 2 => {
            "an objective has no name: write `minimize e`"
        }
        ":" if stop.written(0) == "subject" && stop.at == 2 => {
            "write `subject to a <= b`, or `subject to name: a <= b` to name it"
        }
        ";" if stop.expects(Rule::close_index) => "rows have brackets of their own: `[[1, 2], [3, 4]]`",
        "(" if stop.before(2) == ":" && !after_operand => "axes stand in square brackets: `real[n]`",
        "=" if stop.written(0) == "fn" && stop.expects(Rule::close) => {
            "parameters have no default values: every call gives all of them"
        }
        "==" if stop.expects(Rule::equals) => "`=` gives a value; `==` compares",
        "," if matches!(stop.written(0), "dim" | "data" | "param" | "let" | "var") && stop.expects_end() => {
            "a statement declares one name"
        }
        "for" if stop.before(1) == ")" && stop.expects_end() => {
            "the index stands inside: `sum(e for i in n)`"
        }
        "if" if stop.written(0) == "subject" && stop.expects(Rule::close_index) => {
            "a family has no filter: choose the range, or make both sides equal where it should not hold"
        }
        ":" if after_operand && stop.expects(Rule::close_index) => {
            "a slice is written `a..b`, a whole axis `:`"
        }
        "(" if after_operand => match stop.before(2) {
            "." => "a function is called by its own name: bring it in with `use module (f)` and write `f(…)`",
            _ => "only a name can be called; write `*` to multiply",
        },
        "" if stop.written(0) == "solve" => "name the method: `solve cg(steps = 100)`",
        _ if stop.expects(Rule::separator) => {
            "a body is any number of `let`s and then one expression, its value"
        }
        ".." if after_operand => "a range stands after `in` or inside `[ ]`",
        "." => "a dotted name is `upper.objective`; a number is `0.5`",
        "->" => "a result type stands between the parameters and `=`: `fn f(x) -> real = …`",
        _ if stop.starts_operand() => return side_by_side(stop),
        _ => return None,
    };
    Some(with_help(plain(stop), help))
}

/// Two operands, or an operand and a misspelt word, with nothing between them.
fn side_by_side(stop: &Stop) -> Option<Box<Diagnostic>> {
    let expected = expected_words(stop.expected);
    let words = ["from", "then", "else", "for", "in", "to"];
    let fitting = words.into_iter().filter(|word| expected.contains(&format!("`{word}`").as_str()));
    if let Some(near) = nearest(stop.found(), fitting) {
        return Some(Box::new(plain(stop).did_you_mean(near)));
    }
    let in_domain =
        stop.expects(Rule::dots) && !stop.expects(Rule::close_index) && !stop.expects(Rule::close);
    if !stop.expects(Rule::infix) || in_domain {
        return None;
    }
    let in_array = stop.expects(Rule::close_index);
    Some(with_help(
        plain(stop),
        if in_array { "write `,` between elements, `*` to multiply" } else { "write `*` to multiply" },
    ))
}
