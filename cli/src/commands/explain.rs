//! `blo explain`: what a code means, and the list of all codes. The texts stand beside the checks they belong to.

use std::fmt::Write as _;
use std::process::ExitCode;

use blo_compiler::codes::{self, Code, Example};
use blo_grammar::parse::nearest;

use super::{FINE, WRONG_INPUT, print_out};
use crate::args::{ExplainArgs, Format};
use crate::example::messages;
use crate::files::{Trouble, quoted_list};
use crate::render::Renderer;

/// Columns of an explanation.
const WIDTH: usize = 80;

/// Runs the command.
pub fn run(args: &ExplainArgs) -> ExitCode {
    let mut renderer = Renderer::new(Format::Text);
    let all = codes::all();
    let Some(wanted) = &args.code else {
        let lines: Vec<String> =
            all.iter().map(|entry| format!("{}  {}\n", entry.code, entry.title)).collect();
        return print_out(&mut renderer, &lines.concat(), FINE);
    };
    match codes::explain(wanted.trim()) {
        Some(entry) => print_out(&mut renderer, &page(entry), FINE),
        None => {
            renderer.trouble(&unknown(wanted, &all));
            ExitCode::from(WRONG_INPUT)
        }
    }
}

/// Code and title, the explanation, the wrong example with its message, and the right one.
fn page(entry: &Code) -> String {
    let Code { code, title, explanation, wrong, right } = entry;
    let mut out = format!("{code}: {title}\n\n{}\nWrong:\n\n", wrapped(explanation));
    out += &indented(wrong.model);
    let _ = writeln!(out, "\n`{}` says:\n\n{}", wrong.command_line(), indented(&messages(wrong)));
    let _ = writeln!(out, "Right{}:\n\n{}", other_command(wrong, right), indented(right.model).trim_end());
    out
}

/// The command of the right example, where the difference is there.
fn other_command(wrong: &Example, right: &Example) -> String {
    if wrong.command == right.command { String::new() } else { format!(", with `{}`", right.command_line()) }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
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

fn unknown(wanted: &str, all: &[&Code]) -> Trouble {
    let trouble = Trouble::new(format!("there is no code `{wanted}`"));
    let is_near = |entry: &&&Code| nearest(wanted, [entry.code]).is_some();
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
    fn every_entry_is_complete() {
        for entry in codes::all() {
            assert!(!entry.title.is_empty() && !entry.title.ends_with('.'), "{}", entry.code);
            assert!(entry.explanation.ends_with(['.', '`']), "{}", entry.code);
            assert!(wrapped(entry.explanation).lines().all(|l| l.chars().count() <= WIDTH), "{}", entry.code);
        }
    }

    #[test]
    fn a_page_has_all_parts() {
        let code = codes::explain("E0203").unwrap();
        let page = page(code);
        for part in [
            "E0203: shapes do not match",
            "Elementwise",
            "      minimize mean(logsumexp(W @ X[i])",
            "`blo check model.blo` says:",
            "    [E0203] Error: shapes do not match in `@`",
            "`X[i] @ W` matches",
            "      minimize mean(logsumexp(X[i] @ W)",
        ] {
            assert!(page.contains(part), "`{part}` is not in\n{page}");
        }
        assert_eq!(messages(&code.right), "");
    }
}
