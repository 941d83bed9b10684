//! Characters and spellings blo does not have, each with what to write instead.

use super::lex::Token;
use crate::diagnostic::Diagnostic;
use crate::span::{FileId, Span};

/// Why a token is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A character the language has no use for.
    Character(char),
    /// An operator of another language: an index into [`BORROWED`].
    Borrowed(usize),
    /// A `//` or `/*` comment.
    Comment,
    /// A string without its closing quote.
    OpenText,
    /// `.5`.
    BareFraction,
    /// `5.`.
    BarePoint,
    /// `2x`, `1e`, `0x1f`.
    StuckNumber,
}

/// Operators of other languages, longest first, what blo writes, and what replaces one whatever stands around it.
const BORROWED: &[(&str, &str, Option<&str>)] = &[
    ("...", "a range is written `a..b`; it stops before `b`", None),
    ("..=", "a range is half-open: write `a..b + 1` to include `b`", None),
    ("===", "write `==` to compare", Some("==")),
    ("!==", "write `!=` to compare", Some("!=")),
    (":=", "write `=` to give a value, `==` to compare", None),
    ("**", "write `^` for a power", Some("^")),
    ("//", "division is `/`, of whole numbers `div(a, b)`; a comment starts with `#`", None),
    ("&&", "write `and`", Some("and")),
    ("||", "write `or`", Some("or")),
    ("=<", "write `<=`", Some("<=")),
    ("=>", "write `>=` to compare, `->` before a result type", None),
    ("<>", "write `!=`", Some("!=")),
    ("~=", "write `!=`", Some("!=")),
    ("+=", "a name has one value: write `let` with a new name", None),
    ("-=", "a name has one value: write `let` with a new name", None),
    ("*=", "a name has one value: write `let` with a new name", None),
    ("/=", "write `!=` to compare", None),
    (".*", "`*` is elementwise already; the matrix product is `@`", Some("*")),
    ("./", "`/` is elementwise already", Some("/")),
    (".^", "`^` is elementwise already", Some("^")),
    (".'", "write `'` for a transpose", Some("'")),
    ("&", "write `and`", Some("and")),
    ("|", "write `or`, or `abs(x)` for an absolute value", None),
    ("!", "write `not`", Some("not ")),
    ("%", "write `mod(a, b)` for a remainder, `0.1` for 10 %; a comment starts with `#`", None),
    ("?", "write `if c then a else b`", None),
];

/// Characters that are easily typed or pasted by mistake: the name, what blo writes, and what replaces one anywhere.
const CHARACTERS: &[(char, &str, &str, Option<&str>)] = &[
    ('\u{00a0}', "a non-breaking space", "replace it by an ordinary space", Some(" ")),
    ('\u{202f}', "a narrow non-breaking space", "replace it by an ordinary space", Some(" ")),
    ('\u{2009}', "a thin space", "replace it by an ordinary space", Some(" ")),
    ('\u{3000}', "a wide space", "replace it by an ordinary space", Some(" ")),
    ('\u{200b}', "an invisible zero-width space", "delete it", Some("")),
    ('\u{feff}', "an invisible byte order mark", "delete it", Some("")),
    ('\u{00ad}', "an invisible soft hyphen", "delete it", Some("")),
    ('\u{201c}', "a curly quote", "write the straight quote `\"`", Some("\"")),
    ('\u{201d}', "a curly quote", "write the straight quote `\"`", Some("\"")),
    ('\u{201e}', "a low quote", "write the straight quote `\"`", Some("\"")),
    ('\u{2018}', "a curly apostrophe", "write `'` for a transpose, `\"` around a string", None),
    ('\u{2019}', "a curly apostrophe", "write `'` for a transpose, `\"` around a string", None),
    ('\u{2032}', "a prime", "write `'` for a transpose", Some("'")),
    ('\u{2212}', "a typographic minus", "write the plain `-`", Some("-")),
    ('\u{2013}', "a dash", "write the plain `-`", Some("-")),
    ('\u{2014}', "a dash", "write the plain `-`", Some("-")),
    ('\u{2026}', "an ellipsis", "a range is written `a..b`", Some("..")),
    ('≤', "a less-or-equal sign", "write `<=`", Some("<=")),
    ('≥', "a greater-or-equal sign", "write `>=`", Some(">=")),
    ('≠', "a not-equal sign", "write `!=`", Some("!=")),
    ('×', "a multiplication sign", "write `*`, or `@` for a matrix product", None),
    ('·', "a middle dot", "write `*`, or `@` for a matrix product", None),
    ('⋅', "a middle dot", "write `*`, or `@` for a matrix product", None),
    ('÷', "a division sign", "write `/`", Some("/")),
    ('∈', "an element sign", "write `in`", Some("in")),
    ('∑', "a sum sign", "write `sum(e for i in n)`", None),
    ('∏', "a product sign", "write `prod(e for i in n)`", None),
    ('√', "a root sign", "write `sqrt(x)`", None),
    ('∞', "an infinity sign", "write `inf`", Some("inf")),
    ('²', "a superscript", "write `^2`", Some("^2")),
    ('³', "a superscript", "write `^3`", Some("^3")),
    ('→', "an arrow", "write `->`", Some("->")),
    ('∧', "a logical and", "write `and`", Some("and")),
    ('∨', "a logical or", "write `or`", Some("or")),
    ('¬', "a logical not", "write `not`", Some("not ")),
    ('\u{2011}', "a non-breaking hyphen", "write the plain `-`", Some("-")),
    ('\u{22a4}', "a transpose sign", "write `'` for a transpose", Some("'")),
    ('⁰', "a superscript", "write `^0`", Some("^0")),
    ('¹', "a superscript", "write `^1`", Some("^1")),
    ('⁴', "a superscript", "write `^4`", Some("^4")),
    ('⁵', "a superscript", "write `^5`", Some("^5")),
    ('⁻', "a superscript minus", "write `^(-1)` for a power, `inv(A)` for a matrix", None),
    ('₀', "a subscript", "an index is written `x[0]`", Some("[0]")),
    ('₁', "a subscript", "an index is written `x[1]`, and counts from 0", None),
    ('₂', "a subscript", "an index is written `x[2]`, and counts from 0", None),
    ('₃', "a subscript", "an index is written `x[3]`, and counts from 0", None),
    ('‖', "a norm sign", "write `norm(x)`, or `sumsq(x)` for its square", None),
    ('∇', "a gradient sign", "write `grad(e, x)`", None),
    ('∂', "a derivative sign", "write `grad(e, x)`", None),
    ('∀', "a for-all sign", "a family is written `subject to name[i in n]: …`", None),
    ('°', "a degree sign", "angles are in radians: `x * 3.141592653589793 / 180`", None),
    ('⊙', "an elementwise product sign", "write `*`", Some("*")),
    ('⊗', "an outer product sign", "write `outer(x, y)`", None),
    (
        '\\',
        "a backslash",
        "formulas are plain text: `sum(e for i in n)`, and letters are typed, `λ` or `lambda`",
        None,
    ),
    ('$', "a dollar sign", "formulas are plain text: delete it", None),
    ('，', "a wide comma", "write `,`", Some(",")),
    ('（', "a wide bracket", "write `(`", Some("(")),
    ('）', "a wide bracket", "write `)`", Some(")")),
    ('：', "a wide colon", "write `:`", Some(":")),
    ('＝', "a wide equals sign", "write `=`", Some("=")),
];

/// The borrowed operator `rest` starts with, if any. `!=` is blo's own.
pub(super) fn borrowed(rest: &str) -> Option<(usize, &'static str)> {
    if rest.starts_with("!=") && !rest.starts_with("!==") {
        return None;
    }
    let (index, entry) = BORROWED.iter().enumerate().find(|(_, entry)| rest.starts_with(entry.0))?;
    Some((index, entry.0))
}

/// The message for a bad token.
pub(super) fn report(fault: Fault, file: FileId, source: &str, token: Token) -> Diagnostic {
    let span = Span::new(file, token.start, token.end);
    let written = token.text(source);
    match fault {
        Fault::Character(c) => character(c, span),
        Fault::Borrowed(index) => {
            let (spelling, advice, replacement) = BORROWED[index];
            let message = format!("blo has no `{spelling}`");
            let diagnostic = Diagnostic::error("E0108", message, span, "not an operator here").help(advice);
            replaced(diagnostic, replacement)
        }
        Fault::Comment => {
            let span = Span::new(file, token.start, token.start + 2);
            Diagnostic::error("E0108", format!("blo has no `{}`", &written[..2]), span, "read as a comment")
                .help("a comment starts with `#`; division is `/`, or `div(a, b)` for integers")
        }
        Fault::OpenText => {
            let span = Span::new(file, token.start, token.start + 1);
            Diagnostic::error("E0106", "string is not closed", span, "starts here")
                .help("close it with `\"` on the same line")
        }
        Fault::BareFraction => {
            Diagnostic::error("E0105", "number without a leading digit", span, "starts with a point")
                .help(format!("write `0{written}`"))
                .edit(span, format!("0{written}"))
        }
        Fault::BarePoint => {
            Diagnostic::error("E0105", "number ends in a point", span, "no digit after the point")
                .help(format!("write `{written}0`"))
                .edit(span, format!("{written}0"))
        }
        Fault::StuckNumber => stuck(written, span),
    }
}

fn replaced(diagnostic: Diagnostic, replacement: Option<&str>) -> Diagnostic {
    let span = diagnostic.span();
    match replacement {
        Some(text) => diagnostic.edit(span, text),
        None => diagnostic,
    }
}

fn character(c: char, span: Span) -> Diagnostic {
    if let Some((_, name, advice, replacement)) = CHARACTERS.iter().find(|entry| entry.0 == c) {
        let label = format!("this is {name}");
        let diagnostic = Diagnostic::error("E0104", "unexpected character", span, label).help(*advice);
        return replaced(diagnostic, *replacement);
    }
    let label = match c {
        '\0' => "this is a NUL character; is the file text?".to_string(),
        c if c.is_control() => format!("this is the control character U+{:04X}", c as u32),
        c if c.is_whitespace() => format!("this is the unusual space U+{:04X}", c as u32),
        c => format!("`{c}` (U+{:04X}) has no meaning in a model", c as u32),
    };
    Diagnostic::error("E0104", "unexpected character", span, label)
}

fn stuck(written: &str, span: Span) -> Diagnostic {
    let split = written.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(written.len());
    let (number, word) = written.split_at(split);
    let diagnostic = Diagnostic::error("E0105", "not a number", span, "letters follow the digits");
    if matches!(word, "e" | "E") {
        return diagnostic.help(format!("write the exponent: `{written}-3`"));
    }
    if number.contains('.') || word.starts_with(['x', 'X', 'b', 'o']) && number == "0" {
        return diagnostic.help("numbers are decimal: `3`, `0.5`, `1e-3`");
    }
    let product = format!("{number} * {word}");
    diagnostic.help(format!("write `{product}` to multiply")).edit(span, product)
}
