//! Puts a failed statement into words: what was expected, what stands there, and the likely slip. The words for a
//! statement whose first word is wrong are in [`opening`], those for likely slips in [`slips`], and those for habits from
//! other languages in [`borrowed`].

mod borrowed;
mod opening;
mod slips;

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

    /// Whether the statement could have ended here.
    fn expects_end(&self) -> bool {
        self.expects(Rule::EOI)
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
    borrowed::borrowed(&stop).or_else(|| slips::slip(&stop)).unwrap_or_else(|| plain(&stop))
}

/// The message for a level header that the grammar refused.
pub(super) fn header(text: &Text, base: usize, tokens: &[Token], error: &Error<Rule>) -> Box<Diagnostic> {
    let (expected, place) = expectation(base, error);
    let at = tokens.iter().position(|token| token.end > place).unwrap_or(tokens.len());
    let stop = Stop { text, tokens, at, expected };
    if let Some(diagnostic) = slips::keyword_as_name(&stop) {
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
        _ => format!("`{}`", stop.found()),
    };
    stop.error("E0101", format!("expected {expected}, found {found}"), "does not fit here")
}

/// Whether only something with a value fits.
fn operand_wanted(stop: &Stop) -> bool {
    !stop.expects(Rule::infix) && expected_words(stop.expected).contains(&"an expression")
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
    // Signs that only go on with a name or begin an operand add nothing to these.
    let has = |wanted: &str| words.iter().any(|word| word.1 == wanted);
    let implied: &[&str] = match (has("an expression"), has("an operator")) {
        (true, _) => &["a name", "a string", "`:`", "`..`", "`(`", "`[`"],
        (false, true) => &["`=`", "`(`"],
        (false, false) => &[],
    };
    words.retain(|word| !implied.contains(&word.1));
    words.into_iter().map(|word| word.1).collect()
}

/// A rule in the user's words, with its rank in a list.
fn in_words(rule: Rule) -> Option<(u8, &'static str)> {
    Some(match rule {
        Rule::name
        | Rule::parameter
        | Rule::option
        | Rule::option_name
        | Rule::binder
        | Rule::module_path => (0, "a name"),
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
