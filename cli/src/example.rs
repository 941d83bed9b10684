//! What `blo` says about the example of a code: the command of the example, carried out on the text in the program.

use blo_compiler::codes::Example;
use clap::Parser;

use crate::args::{Cli, Command, ReplArgs};
use crate::commands::check::checked;
use crate::commands::export::written;
use crate::commands::run::outcome;
use crate::render::Renderer;
use crate::session::Session;

/// The messages as drawn, without colours and without their number; empty when there is nothing to say.
pub fn messages(example: &Example) -> String {
    let words = std::iter::once("blo").chain(example.command.iter().copied());
    let command = match Cli::try_parse_from(words) {
        Ok(cli) => cli.command.unwrap_or(Command::Repl(ReplArgs::default())),
        Err(refused) => return refused.to_string(),
    };
    let mut session = Session::of("model.blo", example.model.to_owned(), Renderer::into_text());
    match command {
        Command::Run(args) => drop(outcome(&mut session, &args)),
        Command::Export(args) => drop(written(&mut session, &args)),
        Command::Check(args) => drop(checked(&mut session, &args.model)),
        // No other command says anything about a model's text.
        _ => {}
    }
    let lines: Vec<&str> = session.renderer.text().lines().map(str::trim_end).collect();
    lines.join("\n")
}
