//! `blo explain`: what a code means, and the list of all codes. The texts stand beside the checks they belong to.

use std::process::ExitCode;

use super::{FINE, WRONG_INPUT, print_out};
use crate::args::ExplainArgs;
use crate::files::{Trouble, quoted_list};
use crate::render::Renderer;
use blo_grammar::parse::nearest;

/// Columns of an explanation.
const WIDTH: usize = 80;

/// A code with its texts.
struct Entry {
    code: &'static str,
    title: &'static str,
    explanation: &'static str,
}

/// The codes of all floors, ascending, warnings last.
fn entries() -> Vec<Entry> {
    let syntax = blo_grammar::codes::CODES.iter();
    let syntax = syntax.map(|&(code, title, explanation)| Entry { code, title, explanation });
    let checked = blo_compiler::codes::CODES.iter();
    let checked = checked.map(|c| Entry { code: c.code, title: c.title, explanation: c.explanation });
    let mut all: Vec<Entry> = syntax.chain(checked).collect();
    all.sort_by_key(|entry| entry.code);
    all
}

/// Runs the command.
pub fn run(args: &ExplainArgs) -> ExitCode {
    let mut renderer = Renderer::new();
    let all = entries();
    let Some(wanted) = &args.code else {
        let lines: Vec<String> =
            all.iter().map(|entry| format!("{}  {}\n", entry.code, entry.title)).collect();
        return print_out(&mut renderer, &lines.concat(), FINE);
    };
    match all.iter().find(|entry| entry.code.eq_ignore_ascii_case(wanted.trim())) {
        Some(entry) => print_out(&mut renderer, &page(entry), FINE),
        None => {
            renderer.trouble(&unknown(wanted, &all));
            ExitCode::from(WRONG_INPUT)
        }
    }
}

/// Code and title, then the explanation.
fn page(entry: &Entry) -> String {
    format!("{}: {}\n\n{}", entry.code, entry.title, wrapped(entry.explanation))
}

/// A paragraph in lines of at most [`WIDTH`] characters.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 {
            let fits = column + 1 + length <= WIDTH;
            out.push(if fits { ' ' } else { '\n' });
            column = if fits { column + 1 } else { 0 };
        }
        out.push_str(word);
        column += length;
    }
    out.push('\n');
    out
}

fn unknown(wanted: &str, all: &[Entry]) -> Trouble {
    let trouble = Trouble::new(format!("there is no code `{wanted}`"));
    let is_near = |entry: &&Entry| nearest(wanted, [entry.code]).is_some();
    let near: Vec<String> = all.iter().filter(is_near).map(|entry| entry.code.to_string()).collect();
    match near.is_empty() {
        true => trouble.help("`blo explain` lists all codes"),
        false => trouble.help(format!("codes like it: {}; `blo explain` lists all", quoted_list(&near))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_complete_and_unique() {
        let all = entries();
        assert!(all.len() > 40);
        assert!(all.windows(2).all(|pair| pair[0].code < pair[1].code));
        for entry in &all {
            assert!(!entry.title.is_empty() && !entry.title.ends_with('.'), "{}", entry.code);
            assert!(entry.explanation.ends_with(['.', '`']), "{}", entry.code);
            assert!(page(entry).lines().skip(1).all(|line| line.chars().count() <= WIDTH), "{}", entry.code);
        }
    }
}
