//! `docs/errors.md`, written from the table of codes and from what `blo` says about the examples: a wrong example gives one message,
//! with its code, and the right one none.

use std::fmt::Write;

use blo_compiler::codes::{self, Code, Example};
use blo_grammar::format::tidy;
use blo_grammar::source::Sources;

use crate::{blo, fresh};

const INTRODUCTION: &str = "\
# Errors and warnings

Generated from the program by `BLESS=1 cargo test -p blo --test reference`; do not edit.

`blo explain CODE` prints one entry of this page, `blo explain` the list. Codes are stable: one is never given another meaning. E01 are \
errors of the text, E02 of the model, E04 are found while it is compiled or run, E05 are about methods and their options, E09 are constructs that \
this version does not run; W are warnings.
";

/// What the example's command says: status and messages, without their number.
fn said(example: &Example) -> (Option<i32>, String) {
    let output = blo(example.model, example.command);
    let message = String::from_utf8(output.stderr).unwrap();
    let counts = |line: &&str| !line.starts_with(|c: char| c.is_ascii_digit());
    let lines: Vec<&str> = message.trim_end().lines().map(str::trim_end).filter(counts).collect();
    (output.status.code(), lines.join("\n"))
}

/// The codes at the head of the messages.
fn heads(messages: &str) -> Vec<&str> {
    messages.lines().filter_map(|line| Some(line.strip_prefix('[')?.split_once(']')?.0)).collect()
}

/// Adds the entry of a code to the page, and complaints about its examples.
fn entry(page: &mut String, complaints: &mut String, code: &Code) {
    let Code { code, title, explanation, wrong, right } = code;
    let (status, message) = said(wrong);
    // A warning lets the command go on, and what E0402 points at is found when the run has ended.
    let expected = if code.starts_with('W') { 0 } else { 2 - i32::from(*code == "E0402") };
    if heads(&message) != [*code] || status != Some(expected) {
        *complaints += &format!("the wrong example of {code} ends with {status:?} and says\n{message}\n");
    }
    let (status, nothing) = said(right);
    if status != Some(0) || !nothing.is_empty() {
        *complaints += &format!("the right example of {code} ends with {status:?} and says\n{nothing}\n");
    }
    write!(page, "\n## {code}: {title}\n\n{explanation}\n\nWrong:\n\n```blo\n{}```\n\n", wrong.model)
        .unwrap();
    writeln!(page, "`{}` says:\n\n```text\n{message}\n```\n", wrong.command_line()).unwrap();
    let other = if wrong.command == right.command {
        String::new()
    } else {
        format!(", with `{}`", right.command_line())
    };
    write!(page, "Right{other}:\n\n```blo\n{}```\n", right.model).unwrap();
}

#[test]
fn the_page_of_errors_is_fresh_and_its_examples_do_what_they_say() {
    let mut page = INTRODUCTION.to_owned();
    let mut complaints = String::new();
    codes::all().into_iter().for_each(|code| entry(&mut page, &mut complaints, code));
    assert!(complaints.is_empty(), "{complaints}");
    fresh("docs/errors.md", &page);
}

#[test]
fn right_examples_are_tidy() {
    for code in codes::all() {
        let file = Sources::new().add("model.blo", code.right.model);
        assert_eq!(tidy(file, code.right.model).unwrap(), code.right.model, "{}", code.code);
    }
}
