//! Words for a statement that does not begin like one.

use crate::diagnostic::Diagnostic;
use crate::parse::lex::{Kind, Token};
use crate::parse::words::{ALIASES, STATEMENTS, is_keyword, nearest};
use crate::parse::{Read, Text};
use crate::span::Span;

/// Refuses a statement whose first word is not one that opens a statement. `tokens` are its significant tokens.
pub(in crate::parse) fn opening(text: &Text, tokens: &[Token]) -> Read<()> {
    let first = tokens[0];
    let word = first.text(text.source);
    let second = tokens.get(1).map_or("", |token| token.text(text.source));
    let known = match word {
        "subject" => second == "to",
        "upper" | "lower" => false,
        _ => STATEMENTS.binary_search(&word).is_ok(),
    };
    if known {
        return Ok(());
    }
    let span = Span::new(text.file, first.start, first.end);
    Err(Box::new(match first.kind {
        Kind::Word => unknown_word(text, tokens, word, second, span),
        Kind::Symbol if crate::precedence::infix_spelled(word).is_some() => Diagnostic::error(
            "E0120",
            format!("a line cannot start with `{word}`"),
            span,
            "continues nothing",
        )
        .help(format!("end the line above with `{word}`, or put the expression in brackets")),
        _ if has_relation(text, tokens) => without_subject_to(span),
        _ => Diagnostic::error("E0107", "expected a statement", span, format!("found `{word}`"))
            .help("a statement starts with a word such as `data`, `let`, `minimize` or `report`"),
    }))
}

fn unknown_word(text: &Text, tokens: &[Token], word: &str, second: &str, span: Span) -> Diagnostic {
    let lower = word.to_lowercase();
    let written: Vec<&str> = tokens.iter().take(5).map(|token| token.text(text.source)).collect();
    if matches!(written[..], ["s", ".", "t", ..]) {
        let last = if written.get(3) == Some(&".") { 3 } else { 2 };
        return without_subject_to(Span { end: tokens[last].end as u32, ..span });
    }
    if matches!(word, "and" | "or" | "then" | "else") {
        return Diagnostic::error(
            "E0120",
            format!("a line cannot start with `{word}`"),
            span,
            "continues nothing",
        )
        .help(format!("end the line above with `{word}`, or put the expression in brackets"));
    }
    if word == "for" {
        return Diagnostic::error("E0107", "there are no loops", span, "not a statement").help(
            "write a sum `sum(e for i in n)`, an array `[e for i in n]` or a family `subject to name[i in n]: …`",
        );
    }
    let unknown =
        Diagnostic::error("E0107", format!("unknown statement `{word}`"), span, "not a statement of blo");
    if let Some(help) = elsewhere(text, tokens, word, second) {
        return unknown.help(help);
    }
    if matches!(word, "upper" | "lower") {
        return unknown.help(format!("a level is written `{word} {{ … }}`"));
    }
    if let Some((_, form)) = ALIASES.iter().find(|(words, _)| words.contains(&lower.as_str())) {
        return if second == "=" { assignment(word, span) } else { unknown.help(format!("write {form}")) };
    }
    if second == "=" {
        return assignment(word, span);
    }
    if let Some(near) = nearest(&lower, STATEMENTS.iter().copied())
        .filter(|_| follows_like_a_name(tokens) && !is_keyword(word))
    {
        return unknown.did_you_mean(near);
    }
    if has_relation(text, tokens) {
        return without_subject_to(span);
    }
    unknown.help("a statement starts with a word such as `data`, `let`, `minimize` or `report`")
}

/// How a statement of another language is written here.
fn elsewhere(text: &Text, tokens: &[Token], word: &str, second: &str) -> Option<String> {
    let written = |at: usize| tokens.get(at).map_or("", |token: &Token| token.text(text.source));
    match word {
        "from" => {
            let import = (0..tokens.len()).find(|at| written(*at) == "import")?;
            let join = |from: usize, to: usize| (from..to).map(written).collect::<String>();
            let names = join(import + 1, tokens.len()).replace(',', ", ");
            Some(format!("write `use {} ({names})`", join(1, import)))
        }
        "end" | "endif" | "endfor" | "endfunction" => {
            Some("leave it out: a block ends with `}`, a statement with its line".to_owned())
        }
        "real" | "int" | "integer" | "float" | "double" | "bool" | "binary" | "vector" | "row_vector"
        | "matrix" | "array" | "simplex"
            if !matches!(second, "=" | "<=" | ">=" | "==") =>
        {
            let end = (0..tokens.len()).find(|at| written(*at) == "=").unwrap_or(tokens.len());
            let name = (1..end).rev().map(written).find(|w| w.starts_with(char::is_alphabetic))?;
            let axes = (1..end).find(|at| written(*at) == "[").and_then(|open| {
                let close = (open..end).find(|at| written(*at) == "]")?;
                Some(text.source[tokens[open].start..tokens[close].end].to_owned())
            });
            let element = if matches!(word, "int" | "integer" | "binary" | "bool") { "int" } else { "real" };
            let ty = format!("{element}{}", axes.unwrap_or_default());
            let domain = match word {
                "simplex" => " in simplex",
                "binary" | "bool" => " in 0..2",
                _ => "",
            };
            Some(format!(
                "the word comes first, the type after the name: `var {name}: {ty}{domain}` for what a level chooses, \
                 `data {name}: {ty}` or `param {name}: {ty}` for what is given"
            ))
        }
        _ if second == "~" => Some(format!(
            "a distribution stands in a declaration: `var {word}: real ~ normal(0, 1)` starts there, `data` draws from it"
        )),
        _ => None,
    }
}

/// Whether the second token could follow a statement's word: `dta X`, `minimise(…)`, not `y[0]` or `de(x) <= 1`.
fn follows_like_a_name(tokens: &[Token]) -> bool {
    let long = tokens[0].end - tokens[0].start > "subject".len();
    long || tokens.get(1).is_none_or(|token| token.kind != Kind::Symbol || token.start > tokens[0].end)
}

fn assignment(word: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "E0107",
        format!("`{word} = …` is not a statement"),
        span,
        "a value without a declaration",
    )
    .help(format!("write `let {word} = …`, or `param {word} = …` if the command line may change it"))
}

fn without_subject_to(span: Span) -> Diagnostic {
    Diagnostic::error("E0112", "constraint without `subject to`", span, "not a statement")
        .help("write `subject to a <= b`, or `subject to name: a <= b` to name it")
}

fn has_relation(text: &Text, tokens: &[Token]) -> bool {
    tokens.iter().any(|token| matches!(token.text(text.source), "<=" | ">=" | "==" | "<" | ">"))
}
