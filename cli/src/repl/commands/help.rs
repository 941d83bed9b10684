//! `:help` and `:quit`.

use std::fmt::Write as _;

use blo_compiler::codes;
use blo_runtime::solvers;

use super::super::state::{Fault, Repl};
use super::{COMMANDS, Command, Next, Takes, named, reference};
use crate::commands::explain::page;
use crate::files::Trouble;

/// `:help`.
pub static HELP: Command = Command {
    name: "help",
    arguments: "[TOPIC]",
    summary: "List the commands, or tell more about a command, a method, or the code of an error",
    more: "`:help all` tells everything about all commands.",
    example: ":help solve",
    takes: Takes::Topic,
    run: |repl, rest| {
        let text = match rest {
            "" => overview(),
            "all" => reference(),
            rest => topic(rest.trim_start_matches(':'))?,
        };
        repl.say(&text);
        Ok(Next::Goes)
    },
};

/// `:quit`.
pub static QUIT: Command = Command {
    name: "quit",
    arguments: "",
    summary: "Leave",
    more: "Ctrl-D does the same. The model is not saved by itself.",
    example: ":quit",
    takes: Takes::Nothing,
    run: |_: &mut Repl, _| Ok(Next::Ends),
};

/// What can be entered, and the commands.
fn overview() -> String {
    let mut out = String::from(
        "Enter a statement of the language, as in a file (a block may go over several lines); a name that is\n\
         entered again is redefined. `upper …` and `lower …` put one statement into a level: upper minimize x^2\n\
         Enter an expression for its value at the current point; F and f are the objectives: grad(F, x)\n\n",
    );
    let heads: Vec<String> =
        COMMANDS.iter().map(|c| format!(":{} {}", c.name, c.arguments).trim_end().to_owned()).collect();
    const WIDTH: usize = 26;
    for (head, command) in heads.iter().zip(COMMANDS) {
        match head.chars().count() {
            n if n <= WIDTH => {
                let _ = writeln!(out, "  {head}{:gap$}  {}", "", command.summary, gap = WIDTH - n);
            }
            _ => {
                let _ = writeln!(out, "  {head}\n  {:WIDTH$}  {}", "", command.summary);
            }
        }
    }
    out.push_str("\n`:help solve` tells more about `:solve`; the beginning of a name will do, as in `:q`.\n");
    out
}

fn topic(topic: &str) -> Result<String, Fault> {
    if let Some(code) = codes::explain(topic) {
        return Ok(page(code));
    }
    if let Some(Command { name, arguments, summary, more, example, .. }) = named(topic) {
        let more = if more.is_empty() { String::new() } else { format!("{more}\n") };
        return Ok(format!(":{name} {arguments}\n\n{summary}.\n{more}\nexample: {example}\n"));
    }
    if let Some(solver) = solvers::named(topic) {
        let mut out = format!("{}: {}\n{}\n\n", solver.name, solver.summary, solver.source);
        for option in solver.options() {
            let _ = writeln!(out, "  {}: {}\n      {}", option.name, option.kind, option.doc);
        }
        return Ok(out);
    }
    Err(Trouble::new(format!("there is no help about `{topic}`"))
        .help("topics are commands, methods such as `cg`, and codes such as `E0203`; docs/language.md has the language")
        .into())
}
