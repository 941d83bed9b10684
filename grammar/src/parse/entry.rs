//! What somebody who types needs to know before a text is parsed: whether it goes on on the next line, whether it is a statement or
//! an expression, and what its words are.

use std::ops::Range;

use super::lex::{Kind, Token, tokens};
use super::words;
use crate::ast::LevelKind;

/// Whether the text goes on on the next line: a bracket is open, or its last sign asks for more. A bracket that closes nothing is
/// for the parser to refuse.
pub fn is_open(text: &str) -> bool {
    let tokens: Vec<Token> = tokens(text).into_iter().filter(Token::is_significant).collect();
    let mut depth = 0_i64;
    for token in &tokens {
        match token.text(text) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    let Some(last) = tokens.last() else { return false };
    let last_text = last.text(text);
    let asks = matches!(last_text, "," | "=" | "and" | "or" | "then" | "else" | "not")
        || (last_text == ":" && tokens.len() > 1 && tokens[0].text(text) == "subject")
        || crate::precedence::infix_spelled(last_text).is_some();
    let header = matches!(tokens[0].text(text), "upper" | "lower")
        && tokens.len() <= 2
        && tokens.iter().all(|token| token.kind == Kind::Word);
    depth > 0 || asks || header
}

/// Whether the text begins with a word that opens a statement.
pub fn opens_statement(text: &str) -> bool {
    let tokens: Vec<Token> = tokens(text).into_iter().filter(|t| t.kind != Kind::Comment).collect();
    let first = tokens.iter().position(Token::is_significant);
    first.is_some_and(|at| words::opens_statement(text, &tokens, at))
}

/// Whether the text begins with two words, as statements do and expressions do not.
pub fn begins_like_statement(text: &str) -> bool {
    let tokens = tokens(text);
    let mut words = tokens.iter().filter(|token| token.is_significant());
    let both = [words.next(), words.next()];
    both.iter().all(|token| token.is_some_and(|t| t.kind == Kind::Word && !between(t.text(text))))
}

/// Words that stand between or before expressions.
fn between(word: &str) -> bool {
    matches!(word, "and" | "or" | "not" | "if" | "in" | "for" | "then" | "else")
}

/// A level in front of a statement, as in `upper minimize x^2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The level.
    pub kind: LevelKind,
    /// The follower's name.
    pub name: Option<String>,
    /// Where the statement begins.
    pub end: usize,
}

/// The level in front of a statement, if one stands there.
pub fn level_prefix(text: &str) -> Option<Prefix> {
    let tokens: Vec<Token> = tokens(text).into_iter().filter(Token::is_significant).collect();
    let kind = match tokens.first()?.text(text) {
        "upper" => LevelKind::Upper,
        "lower" => LevelKind::Lower,
        _ => return None,
    };
    let inner = |at: usize| {
        let word = tokens.get(at)?;
        let opens =
            matches!(word.text(text), "var" | "minimize" | "maximize" | "subject" | "let" | "fn" | "report");
        (opens && tokens.get(at + 1).is_some()).then_some(word.start)
    };
    if let Some(end) = inner(1) {
        return Some(Prefix { kind, name: None, end });
    }
    let name = tokens.get(1).filter(|t| t.kind == Kind::Word && kind == LevelKind::Lower)?;
    let end = inner(2)?;
    Some(Prefix { kind, name: Some(name.text(text).to_owned()), end })
}

/// What a part of a text is, for showing it in colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A word that cannot be a name.
    Keyword,
    /// A name.
    Name,
    /// A number.
    Number,
    /// A text in quotes.
    Text,
    /// A comment.
    Comment,
    /// A bracket.
    Bracket,
    /// Any other sign.
    Sign,
    /// Something that the language does not have.
    Wrong,
}

/// The parts of a text in order, blanks left out.
pub fn classes(text: &str) -> Vec<(Class, Range<usize>)> {
    let class = |token: &Token| match token.kind {
        Kind::Word if words::is_keyword(token.text(text)) => Class::Keyword,
        Kind::Word => Class::Name,
        Kind::Number => Class::Number,
        Kind::Text => Class::Text,
        Kind::Comment => Class::Comment,
        Kind::Symbol if matches!(token.text(text), "(" | ")" | "[" | "]" | "{" | "}") => Class::Bracket,
        Kind::Symbol | Kind::Newline => Class::Sign,
        Kind::Bad(_) => Class::Wrong,
    };
    tokens(text).iter().map(|token| (class(token), token.start..token.end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_texts_ask_for_another_line() {
        for text in [
            "upper {",
            "let a = ",
            "sum(x[i]",
            "1 +",
            "lower",
            "upper {\n  var x: real\n",
            "f(a,",
            "data x: real[n] =",
        ] {
            assert!(is_open(text), "{text}");
        }
        for text in ["", "let a = 1", "upper { minimize x }", "x)", "} {", "# upper {", "lower.gap", "X'"] {
            assert!(!is_open(text), "{text}");
        }
    }

    #[test]
    fn levels_stand_before_statements() {
        let prefix = level_prefix("lower ann minimize w^2").unwrap();
        assert_eq!((prefix.kind, prefix.name.as_deref(), prefix.end), (LevelKind::Lower, Some("ann"), 10));
        assert_eq!(level_prefix("upper var x: real").unwrap().end, 6);
        for text in ["upper { var x: real }", "lower.objective", "lower ann { minimize 1 }", "x", "upper"] {
            assert_eq!(level_prefix(text), None, "{text}");
        }
    }

    #[test]
    fn statements_and_expressions_differ_in_their_first_words() {
        assert!(opens_statement("let a = 1") && opens_statement("  upper {"));
        assert!(
            !opens_statement("var(x)") && !opens_statement("upper.objective") && !opens_statement("a + b")
        );
        assert!(
            begins_like_statement("minimise x")
                && !begins_like_statement("not x")
                && !begins_like_statement("x + y")
        );
    }
}
