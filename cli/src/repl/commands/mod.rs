//! The commands, one file for each kind, and their table: help, completion and the reference page are made from it.

mod compare;
pub mod files;
mod help;
mod look;
mod plot;
mod show;
mod solve;
mod undo;

use blo_grammar::parse::nearest;
pub use show::PARTS;

use super::state::{Fault, Repl};
use crate::files::Trouble;

/// Whether the session goes on.
pub enum Next {
    /// It does.
    Goes,
    /// It does not.
    Ends,
}

/// What stands behind a command, for completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// A method with options.
    Method,
    /// Methods.
    Methods,
    /// An expression.
    Expression,
    /// A declared name.
    Name,
    /// A parameter or dimension.
    Settable,
    /// A file.
    File,
    /// `NAME=FILE`.
    Binding,
    /// A part of the model: the words of `:show`.
    Part,
    /// `trace`, a column or an expression.
    Plottable,
    /// A command or a code.
    Topic,
}

/// A command.
pub struct Command {
    /// Its name, without the colon.
    pub name: &'static str,
    /// What stands behind it.
    pub arguments: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// More about it.
    pub more: &'static str,
    /// An example.
    pub example: &'static str,
    /// What completion offers.
    pub takes: Takes,
    run: fn(&mut Repl, &str) -> Result<Next, Fault>,
}

/// All commands, in the order of the help.
pub static COMMANDS: &[&Command] = &[
    &solve::SOLVE,
    &solve::STEP,
    &solve::CONTINUE,
    &compare::COMPARE,
    &look::TYPE,
    &look::SHAPE,
    &look::TIME,
    &look::CHECK,
    &show::EXPLAIN,
    &show::SHOW,
    &plot::PLOT,
    &files::LOAD,
    &files::SAVE,
    &files::DATA,
    &files::SET,
    &undo::DROP,
    &undo::UNDO,
    &undo::RESET,
    &help::HELP,
    &help::QUIT,
];

/// The command that a word means: its name, or the beginning of one; of several the first.
pub fn named(word: &str) -> Option<&'static Command> {
    let exact = COMMANDS.iter().find(|command| command.name == word);
    let begun = || COMMANDS.iter().find(|command| !word.is_empty() && command.name.starts_with(word));
    exact.or_else(begun).copied()
}

/// Carries a command out: its name, blanks, and what it takes.
pub fn carry_out(repl: &mut Repl, text: &str) -> Result<Next, Fault> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let Some(command) = named(word) else {
        let trouble = Trouble::new(format!("there is no command `:{word}`"));
        return Err(match nearest(word, COMMANDS.iter().map(|command| command.name)) {
            Some(near) => trouble.help(format!("did you mean `:{near}`?")),
            None => trouble.help("`:help` lists them"),
        }
        .into());
    };
    let rest = rest.trim();
    if command.takes == Takes::Nothing && command.arguments.is_empty() && !rest.is_empty() {
        return Err(Trouble::new(format!("`:{}` takes nothing behind it", command.name)).into());
    }
    (command.run)(repl, rest)
}

/// The reference page: `docs/repl.md` without its introduction.
pub fn reference() -> String {
    let sections = COMMANDS.iter().map(|command| {
        let Command { name, arguments, summary, more, example, .. } = command;
        let space = if arguments.is_empty() { "" } else { " " };
        let gap = if more.is_empty() { "" } else { " " };
        format!("### `:{name}{space}{arguments}`\n\n{summary}.{gap}{more}\n\nExample: `{example}`\n\n")
    });
    sections.collect::<String>().trim_end().to_owned() + "\n"
}

/// Flags behind a command, split at blanks outside of quotes and brackets.
fn words(text: &str) -> Vec<String> {
    let (mut depth, mut quote) = (0_i32, None);
    let mut words = vec![String::new()];
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, c) if c.is_whitespace() && depth <= 0 => words.push(String::new()),
            (_, c) => {
                depth += i32::from(c == '(') - i32::from(c == ')');
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What stands before the flags, and the flags.
fn before_flags(text: &str) -> (String, Vec<String>) {
    let mut words = words(text);
    let flags = words.iter().position(|word| word.starts_with("--")).unwrap_or(words.len());
    let flags = words.split_off(flags);
    (words.join(" "), flags)
}

/// What clap says about wrong flags, in the words of the session.
fn refused(error: &clap::Error, command: &str) -> Fault {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or("").trim_start_matches("error: ").to_owned();
    Trouble::new(line).help(format!("`:help {command}` tells what it takes")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_name_will_do() {
        assert_eq!(named("solve").map(|c| c.name), Some("solve"));
        assert_eq!(named("q").map(|c| c.name), Some("quit"));
        assert_eq!(named("s").map(|c| c.name), Some("solve"));
        assert!(named("").is_none() && named("wibble").is_none());
    }

    #[test]
    fn flags_are_split_outside_of_brackets() {
        let (method, flags) = before_flags("cg(steps = 100, lower_steps = 5) --stop 'gap <= 1e-3'");
        assert_eq!(method, "cg(steps = 100, lower_steps = 5)");
        assert_eq!(flags, ["--stop", "gap <= 1e-3"]);
    }

    #[test]
    fn every_command_has_its_page() {
        for command in COMMANDS {
            assert!(command.example.starts_with(&format!(":{}", command.name)), "{}", command.name);
            assert!(command.more.is_empty() || command.more.ends_with('.'), "{}", command.name);
            assert!(!command.summary.ends_with('.'), "{}", command.name);
        }
    }
}
