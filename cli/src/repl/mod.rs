//! The interactive session: statements and expressions as in a file, and commands that begin with a colon. On a terminal with line
//! editing, otherwise as a script, line by line.

mod chart;
pub mod commands;
mod complete;
mod editor;
mod enter;
mod kept;
mod reader;
mod state;
mod statements;
mod value;

use std::process::ExitCode;

use blo_grammar::parse::entry::is_open;

use crate::args::ReplArgs;
use crate::commands::run::allow_threads;
use crate::commands::{FINE, WRONG_INPUT};
use crate::watch::{catch_interrupts, forget_interrupts};
use commands::{Next, files::load};
use reader::{Input, Reader};
use state::Repl;

/// Ctrl-C that nothing answers to, before it ends the program.
const PATIENCE: usize = 3;

/// Runs the command.
pub fn run(args: &ReplArgs) -> ExitCode {
    allow_threads(None);
    forget_interrupts(PATIENCE);
    catch_interrupts();
    let mut repl = Repl::new(args);
    let mut reader = Reader::open(&repl.names);
    if reader.is_terminal() {
        repl.say(&format!("blo {}   :help for help, Ctrl-D to leave\n", env!("CARGO_PKG_VERSION")));
    }
    if let Some(path) = &args.model
        && let Err(fault) = load(&mut repl, &path.display().to_string())
    {
        repl.tell(fault);
        if !reader.is_terminal() {
            return ExitCode::from(WRONG_INPUT);
        }
    }
    loop {
        let text = match reader.next() {
            Input::Text(text) => text,
            Input::Nothing => continue,
            Input::End => break,
        };
        forget_interrupts(PATIENCE);
        match carry_out(&mut repl, text.trim()) {
            Next::Goes => {}
            Next::Ends => break,
        }
    }
    reader.close();
    // A script tells by its status; whoever sits at a terminal has seen what was wrong.
    ExitCode::from(if repl.wrong && !reader.is_terminal() { WRONG_INPUT } else { FINE })
}

/// Does what was entered.
fn carry_out(repl: &mut Repl, text: &str) -> Next {
    let bare = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    if bare {
        return Next::Goes;
    }
    let done = match text.strip_prefix(':') {
        Some(command) => commands::carry_out(repl, command),
        None => repl.enter(text).map(|()| Next::Goes),
    };
    done.unwrap_or_else(|fault| {
        repl.tell(fault);
        Next::Goes
    })
}

/// Whether a text that was entered goes on on the next line.
fn goes_on(text: &str) -> bool {
    !text.trim_start().starts_with(':') && is_open(text)
}
