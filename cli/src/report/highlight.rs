//! A model as HTML with its keywords, numbers, texts and comments marked.

use blo_grammar::parse::{STATEMENTS, is_keyword};

use crate::plot::svg::escaped;

/// The text with `<span>`s around what has a colour.
pub fn model(text: &str) -> String {
    let mut out = String::with_capacity(2 * text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, class) = token(rest, first);
        let (piece, after) = rest.split_at(length.max(first.len_utf8()));
        match class {
            Some(class) => {
                out += &format!("<span class=\"{class}\">{}</span>", escaped(piece));
            }
            None => out += &escaped(piece),
        }
        rest = after;
    }
    out
}

/// The length of the token that a text begins with, and its class.
fn token(rest: &str, first: char) -> (usize, Option<&'static str>) {
    let until = |stop: &dyn Fn(char) -> bool| rest.find(stop).unwrap_or(rest.len());
    match first {
        '#' => (until(&|c| c == '\n'), Some("comment")),
        '"' => {
            let end = rest[1..].find(['"', '\n']).map_or(rest.len(), |at| at + 2);
            (end, Some("text"))
        }
        c if c.is_alphabetic() || c == '_' => {
            let length = until(&|c| !c.is_alphanumeric() && c != '_');
            let word = &rest[..length];
            let marked = is_keyword(word) || STATEMENTS.contains(&word);
            (length, marked.then_some("keyword"))
        }
        c if c.is_ascii_digit() => {
            let mut last = ' ';
            let ends = |c: char| {
                let sign = matches!(c, '+' | '-') && matches!(last, 'e' | 'E');
                last = c;
                !(c.is_alphanumeric() || sign)
            };
            // A dot belongs to a number only in front of a digit: `0..k` is a range.
            let whole = rest.find(ends).unwrap_or(rest.len());
            let fraction = rest[whole..]
                .strip_prefix('.')
                .filter(|after| after.starts_with(|c: char| c.is_ascii_digit()));
            let more = fraction.map_or(0, |after| 1 + token(after, '0').0);
            (whole + more, Some("number"))
        }
        c => (c.len_utf8(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_numbers_texts_and_comments() {
        let html = model("var x: int in 0..k = 1.5e-3 # a < b\ndata y from \"f\" é");
        assert_eq!(
            html,
            "<span class=\"keyword\">var</span> x: int <span class=\"keyword\">in</span> <span class=\"number\">0</span>..k = \
             <span class=\"number\">1.5e-3</span> <span class=\"comment\"># a &lt; b</span>\n<span class=\"keyword\">data</span> y \
             from <span class=\"text\">&quot;f&quot;</span> é"
        );
    }

    /// A text without its end is one token, and nothing is lost.
    #[test]
    fn nothing_is_lost() {
        assert_eq!(model("\"open"), "<span class=\"text\">&quot;open</span>");
        assert_eq!(model("1."), "<span class=\"number\">1</span>.");
    }
}
