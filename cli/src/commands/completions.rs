//! `blo completions` and `blo man`: what shells and readers of manuals want to know, made from the same arguments.

use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;

use super::{FINE, WRONG_INPUT, print_out};
use crate::args::{Cli, CompletionsArgs, Format, ManArgs};
use crate::files::Trouble;
use crate::render::Renderer;

/// Prints the completions of a shell.
pub fn completions(args: &CompletionsArgs) -> ExitCode {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "blo", &mut text);
    print_out(&mut Renderer::new(Format::Text), &String::from_utf8_lossy(&text), FINE)
}

/// Writes a manual page for each command.
pub fn man(args: &ManArgs) -> ExitCode {
    match written(&args.folder) {
        Ok(()) => ExitCode::from(FINE),
        Err(e) => {
            let trouble = Trouble::new(format!("cannot write into `{}`: {e}", args.folder.display()));
            Renderer::new(Format::Text).trouble(&trouble);
            ExitCode::from(WRONG_INPUT)
        }
    }
}

fn written(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    // The kernels of this machine are no matter of the manual.
    clap_mangen::generate_to(Cli::command().version(env!("CARGO_PKG_VERSION")), folder)
}
