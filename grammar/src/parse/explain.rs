//! Puts a failed statement into words: what was expected, what stands there, and the likely slip. The words for a
//! statement whose first word is wrong are in [`opening`].

mod opening;

use pest::error::{Error, ErrorVariant, InputLocation};

pub(super) use opening::opening;

use super::lex::{Kind, Token};
use super::words;
use super::{Rule, Text};
use crate::diagnostic::Diagnostic;
use crate::span::Span;

/// Where reading stopped, seen as tokens.
struct Stop<'s> {
    text: &'s Text<'s>,
    tokens: &'s [Token],
    /// The token that did not fit; `tokens.len()` when the statement ended too early.
    at: usize,
    /// What would have fitted.
    expected: &'s [Rule],
}

impl Stop<'_> {
    fn written(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text(self.text.source))
    }

    /// What did not fit.
    fn found(&self) -> &str {
        self.written(self.at)
    }

    /// The token `back` places before the one that did not fit.
    fn before(&self, back: usize) -> &str {
        self.at.checked_sub(back).map_or("", |at| self.written(at))
    }

    fn expects(&self, rule: Rule) -> bool {
        self.expected.contains(&rule)
    }

    /// The token that did not fit, or the last one when the statement ended too early.
    fn span(&self) -> Span {
        self.token_span(self.at.min(self.tokens.len() - 1))
    }

    fn token_span(&self, at: usize) -> Span {
        Span::new(self.text.file, self.tokens[at].start, self.tokens[at].end)
    }

    fn is_over(&self) -> bool {
        self.at == self.tokens.len()
    }

    /// Whether something that can be multiplied starts here.
    fn starts_operand(&self) -> bool {
        let kind = self.tokens.get(self.at).map(|token| token.kind);
        let word = matches!(kind, Some(Kind::Word)) && !words::is_keyword(self.found());
        word || matches!(kind, Some(Kind::Number)) || self.found() == "("
    }

    fn error(
        &self,
        code: &'static str,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Box<Diagnostic> {
        Box::new(Diagnostic::error(code, message, self.span(), label))
    }
}

/// The message for a statement or expression that the grammar refused. `tokens` are its significant tokens.
pub(super) fn failure(text: &Text, base: usize, tokens: &[Token], error: &Error<Rule>) -> Box<Diagnostic> {
    let (expected, place) = expectation(base, error);
    let at = tokens.iter().position(|token| token.end > place).unwrap_or(tokens.len());
    let stop = Stop { text, tokens, at, expected };
    slip(&stop).unwrap_or_else(|| plain(&stop))
}

/// The message for a level header that the grammar refused.
pub(super) fn header(text: &Text, base: usize, tokens: &[Token], error: &Error<Rule>) -> Box<Diagnostic> {
    let (expected, place) = expectation(base, error);
    let at = tokens.iter().position(|token| token.end > place).unwrap_or(tokens.len());
    let stop = Stop { text, tokens, at, expected };
    if let Some(diagnostic) = keyword_as_name(&stop) {
        return diagnostic;
    }
    let label = format!("expected `{{`, found `{}`", stop.found());
    let help = match tokens[0].text(text.source) {
        "upper" => "there is one upper level and it has no name: `upper { … }`",
        _ => "write `lower { … }`, `lower name { … }` or `lower pessimistic name { … }`",
    };
    let mut diagnostic = stop.error("E0116", "level header does not end here", label);
    diagnostic.help = Some(help.to_string());
    diagnostic
}

/// The message for `a <= b and c <= d` as one constraint.
pub(super) fn joined_constraint(span: Span, word: &str) -> Diagnostic {
    let diagnostic =
        Diagnostic::error("E0117", format!("a constraint cannot use `{word}`"), span, "not a relation");
    match word {
        "and" => diagnostic.help("write one `subject to` for each constraint"),
        _ => diagnostic.help("a constraint holds for every solution; logic needs an integer variable"),
    }
}

/// The rules that would have fitted and the byte of the file where reading stopped.
fn expectation(base: usize, error: &Error<Rule>) -> (&[Rule], usize) {
    let place = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => base + at,
    };
    match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => (positives, place),
        ErrorVariant::CustomError { .. } => (&[], place),
    }
}

/// Slips that are likely enough to have words of their own.
fn slip(stop: &Stop) -> Option<Box<Diagnostic>> {
    wrong_equals(stop)
        .or_else(|| keyword_as_name(stop))
        .or_else(|| wrong_if(stop))
        .or_else(|| wrong_clause(stop))
        .or_else(|| missing_type(stop))
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
    if !stop.expects(Rule::infix) || !(matches!(first, "expect" | "subject") || compares) {
        return None;
    }
    let diagnostic = stop.error("E0109", "`=` does not compare", "this gives a value to a name");
    Some(with_help(diagnostic, "write `==` to compare"))
}

fn keyword_as_name(stop: &Stop) -> Option<Box<Diagnostic>> {
    let found = stop.found();
    let is_word = stop.tokens.get(stop.at).is_some_and(|token| token.kind == Kind::Word);
    let wants_name = stop.expects(Rule::name) || stop.expects(Rule::parameter) || stop.expects(Rule::option);
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
    let rest = if stop.found() == "=" { " = …" } else { "" };
    let diagnostic = Box::new(Diagnostic::error(
        "E0101",
        message,
        stop.token_span(1),
        "expected `:` and a type after this",
    ));
    Some(with_help(
        diagnostic,
        format!("write `{first} {name}: real{rest}`, or `{first} {name}: real[n]{rest}`"),
    ))
}

fn wrong_sign(stop: &Stop) -> Option<Box<Diagnostic>> {
    let found = stop.found();
    let after_operand = stop.expects(Rule::infix);
    let help = match found {
        "'" if operand_wanted(stop) => {
            "a string is written in double quotes; `'` transposes what stands before it"
        }
        "+" if operand_wanted(stop) => "leave the sign out: there is no unary `+`",
        "*" if operand_wanted(stop) && stop.before(1) == "*" => "write `^` for a power",
        "{" => "only levels and function bodies have `{ }`; group with `( )`",
        ":" if after_operand && stop.expects(Rule::close_index) => {
            "a slice is written `a..b`, a whole axis `:`"
        }
        "(" if after_operand => match stop.before(1) {
            "]" | ")" | "'" => "only a name can be called; write `*` to multiply",
            _ => "a function is called by its own name: bring it in with `use module (f)` and write `f(…)`",
        },
        ".." if after_operand => "a range stands after `in` or inside `[ ]`",
        "." => "a dotted name is `upper.objective`; a number is `0.5`",
        "->" => "a result type stands between the parameters and `=`: `fn f(x) -> real = …`",
        _ if after_operand && stop.starts_operand() && stop.before(1) != "to" => "write `*` to multiply",
        _ => return None,
    };
    Some(with_help(plain(stop), help))
}

/// Whether only something with a value fits.
fn operand_wanted(stop: &Stop) -> bool {
    !stop.expects(Rule::infix) && expected_words(stop.expected).contains(&"an expression")
}

/// Expected so and so, found this.
fn plain(stop: &Stop) -> Box<Diagnostic> {
    let expected = listed(&expected_words(stop.expected));
    if stop.is_over() {
        let line_end =
            if stop.tokens.len() < stop.text.tokens.len() { "the end of the statement" } else { "the end" };
        let label = format!("found {line_end} after this");
        return stop.error("E0101", format!("expected {expected}"), label);
    }
    let found = match stop.tokens[stop.at].kind {
        Kind::Number => format!("the number `{}`", stop.found()),
        Kind::Text => format!("the string {}", stop.found()),
        Kind::Word if words::is_keyword(stop.found()) => format!("the keyword `{}`", stop.found()),
        _ if stop.tokens[stop.at].kind == Kind::Newline => "the end of the line".to_string(),
        _ => format!("`{}`", stop.found()),
    };
    stop.error("E0101", format!("expected {expected}, found {found}"), format!("not {expected}"))
}

fn with_help(mut diagnostic: Box<Diagnostic>, help: impl Into<String>) -> Box<Diagnostic> {
    diagnostic.help = Some(help.into());
    diagnostic
}

/// The words for what would have fitted, most telling first.
fn expected_words(rules: &[Rule]) -> Vec<&'static str> {
    let mut words: Vec<(u8, &str)> = rules.iter().filter_map(|rule| in_words(*rule)).collect();
    words.sort_unstable();
    words.dedup();
    // The name of an argument is also the start of its value, and a domain or a start only repeats `in`, `=` and `~`.
    if words.iter().any(|word| word.1 == "an expression") {
        words.retain(|word| !matches!(word.1, "a name" | "`:`" | "`..`"));
    }
    words.into_iter().map(|word| word.1).collect()
}

/// A rule in the user's words, with its rank in a list.
fn in_words(rule: Rule) -> Option<(u8, &'static str)> {
    Some(match rule {
        Rule::name | Rule::parameter | Rule::option | Rule::binder | Rule::module_path => (0, "a name"),
        Rule::label | Rule::head | Rule::callee => return None,
        Rule::expr
        | Rule::if_expr
        | Rule::if_word
        | Rule::number
        | Rule::boolean
        | Rule::call
        | Rule::path
        | Rule::paren
        | Rule::bracketed
        | Rule::prefix
        | Rule::argument
        | Rule::slot => (1, "an expression"),
        Rule::text => (1, "a string"),
        Rule::type_expr | Rule::sparse => (1, "a type"),
        Rule::body => (2, "`=` or `{`"),
        Rule::equals | Rule::value => (2, "`=`"),
        Rule::open | Rule::name_list => (3, "`(`"),
        Rule::close => (3, "`)`"),
        Rule::close_index => (3, "`]`"),
        Rule::end_brace => (3, "`}`"),
        Rule::comma => (3, "`,`"),
        Rule::colon => (3, "`:`"),
        Rule::dots => (4, "`..`"),
        Rule::in_word | Rule::domain => (3, "`in`"),
        Rule::tilde | Rule::random => (4, "`~`"),
        Rule::from_file | Rule::from_word => (4, "`from`"),
        Rule::to_word => (3, "`to`"),
        Rule::then_word => (3, "`then`"),
        Rule::else_word => (3, "`else`"),
        Rule::infix => (5, "an operator"),
        Rule::EOI => (6, "the end of the statement"),
        Rule::separator => (6, "a new line"),
        _ => return None,
    })
}

/// `a`, `a or b`, `a, b or c`.
fn listed(words: &[&str]) -> String {
    match words {
        [] => "something else".to_string(),
        [word] => (*word).to_string(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
