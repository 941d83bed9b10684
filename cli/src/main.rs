//! The blo command.

mod args;
mod commands;
mod compile;
mod data;
mod files;
mod find;
mod method;
mod near;
mod output;
mod render;
#[cfg(test)]
mod scratch;
mod session;
mod watch;

use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(report_bug));
    let cli = args::Cli::parse();
    match &cli.command {
        args::Command::Run(args) => commands::run::run(args),
        args::Command::Check(args) => commands::check::run(args),
        args::Command::Test(args) => commands::test::run(args),
        args::Command::Fmt(args) => commands::fmt::run(args),
        args::Command::Explain(args) => commands::explain::run(args),
    }
}

/// A panic is never the user's fault: says so once, with what a report needs.
fn report_bug(panic: &std::panic::PanicHookInfo) {
    static SAID: AtomicBool = AtomicBool::new(false);
    if SAID.swap(true, Ordering::Relaxed) {
        return;
    }
    let what = panic.payload_as_str().unwrap_or("no message");
    let place = panic.location().map(|l| format!(" ({}:{})", l.file(), l.line())).unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    let text = format!(
        "this is a bug in blo {version}{place}: {what}\n\
         Please report it, with the model and the command that led here.\n"
    );
    // With the error stream gone there is nobody left to tell.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
