//! The blo command.

mod answer;
mod args;
mod automatic;
mod backend;
mod cache;
mod checkpoint;
mod commands;
mod compile;
mod data;
mod drawing;
mod dry;
mod example;
mod files;
mod find;
mod halt;
mod lsp;
mod method;
mod native;
mod output;
mod plot;
mod rank;
mod render;
mod repl;
mod report;
#[cfg(test)]
mod scratch;
mod session;
mod starts;
mod stopwatch;
mod version;
mod warm;
mod watch;
mod wrong_option;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{CommandFactory, Parser};

/// The exit code after a panic, as of a program that panics.
const BUG: u8 = 101;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(report_bug));
    command(&args::Cli::parse())
}

/// Nested expressions, declarations and calls of a model are followed by nested calls here; the checker refuses a model
/// before it needs more than this.
const STACK: usize = 512 << 20;

/// Runs the command, or what stands for none.
fn command(cli: &args::Cli) -> ExitCode {
    let Some(command) = &cli.command else {
        if std::io::stdin().is_terminal() {
            return on_large_stack(|| repl::run(&args::ReplArgs::default()));
        }
        // Where help cannot be written there is nobody to read it.
        let _ = args::Cli::command().print_help();
        return ExitCode::from(commands::WRONG_INPUT);
    };
    on_large_stack(|| match command {
        args::Command::Repl(args) => repl::run(args),
        args::Command::Run(args) => commands::run::run(args),
        args::Command::Compare(args) => commands::compare::run(args),
        args::Command::Check(args) => commands::check::run(args),
        args::Command::Test(args) => commands::test::run(args),
        args::Command::Fmt(args) => commands::fmt::run(args),
        args::Command::Explain(args) => commands::explain::run(args),
        args::Command::Export(args) => commands::export::run(args),
        args::Command::Compile(args) => commands::compile::run(args),
        args::Command::New(args) => commands::new::run(args),
        args::Command::Doctor(args) => commands::doctor::run(args),
        args::Command::Completions(args) => commands::completions::completions(args),
        args::Command::Man(args) => commands::completions::man(args),
        args::Command::Plot(args) => commands::plot::run(args),
        args::Command::Cache(args) => commands::cache::run(args),
        args::Command::Lsp => lsp::run(),
    })
}

/// Runs on a thread with a large stack, or on this one where there is none to be had.
fn on_large_stack(work: impl Fn() -> ExitCode + Sync) -> ExitCode {
    std::thread::scope(|scope| {
        match std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, &work) {
            // A panic has been reported by the hook.
            Ok(thread) => thread.join().unwrap_or(ExitCode::from(BUG)),
            Err(_) => work(),
        }
    })
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
