//! `blo explain CODE`: the paragraph behind a message's code.

use std::process::ExitCode;

use blo_compiler::codes;
use blo_grammar::codes as syntax;

use super::{FINE, WRONG_INPUT, write_out};
use crate::args::ExplainArgs;
use crate::files::Trouble;
use crate::render::Renderer;

/// Characters per line.
const WIDTH: usize = 80;

/// Runs the command.
pub fn run(args: &ExplainArgs) -> ExitCode {
    let code = args.code.trim_matches(['[', ']']).to_uppercase();
    let mut renderer = Renderer::new();
    match paragraph(&code) {
        Some(text) => write_out(&mut renderer, &text, FINE),
        None => {
            let trouble = Trouble::new(format!("there is no code `{}`", args.code));
            renderer.trouble(&trouble.help("a code stands in brackets before a message, such as `E0203`"));
            ExitCode::from(WRONG_INPUT)
        }
    }
}

/// The code, its title where it has one, and the explanation.
fn paragraph(code: &str) -> Option<String> {
    if let Some(entry) = codes::explain(code) {
        return Some(format!("{}: {}\n\n{}", entry.code, entry.title, wrapped(entry.explanation)));
    }
    syntax::explanation(code).map(|text| format!("{code}\n\n{}", wrapped(text)))
}

/// The text in lines of at most [`WIDTH`] characters.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > WIDTH {
            out.push('\n');
            used = 0;
        }
        if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_syntax_and_of_checks_are_explained() {
        assert!(paragraph("E0203").unwrap().starts_with("E0203: shapes do not match\n\n"));
        assert!(paragraph("E0107").unwrap().contains("begin like a statement"));
        assert_eq!(paragraph("E9999"), None);
        for code in codes::CODES {
            assert!(paragraph(code.code).unwrap().lines().all(|line| line.chars().count() <= WIDTH));
        }
    }
}
