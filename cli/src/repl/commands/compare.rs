//! `:compare`: several methods from one start with one budget, as `blo compare` does it.

use std::path::PathBuf;

use clap::Parser;

use super::super::state::Fault;
use super::{Command, Next, Takes, before_flags, refused};
use crate::args::{Cli, Command as Shell};
use crate::commands::compare::comparison;
use crate::files::Trouble;

/// `:compare`.
pub static COMPARE: Command = Command {
    name: "compare",
    arguments: "[METHOD,…] [--budget TIME] [FLAGS]",
    summary: "Solve the model with several methods and rank their answers",
    more: "Without methods all that fit take part. The flags are those of `blo compare`. The current point stays as it is.",
    example: ":compare cg, bome(steps = 500) --budget 2s",
    takes: Takes::Methods,
    run: |repl, rest| {
        let (methods, flags) = before_flags(rest);
        let mut words: Vec<String> = vec!["blo".into(), "compare".into(), "MODEL".into()];
        if !methods.is_empty() {
            words.extend(["--methods".into(), methods]);
        }
        words.extend(flags);
        let parsed = Cli::try_parse_from(&words).map_err(|e| refused(&e, "compare"))?;
        let Some(Shell::Compare(mut args)) = parsed.command else { return Err(Fault::Told) };
        if args.json || args.csv || args.out.is_some() || !args.plot.is_empty() {
            return Err(Trouble::new("a session shows the table alone")
                .help("`:save` writes the model, and `blo compare` takes all flags")
                .into());
        }
        args.model.model = PathBuf::from(repl.model_path());
        args.model.input.data.splice(0..0, repl.data.iter().cloned());
        let compared = repl.with_session(|session| comparison(session, &args))?;
        let Some(compared) = compared else { return Err(Fault::Told) };
        repl.say(&compared.text());
        Ok(Next::Goes)
    },
};
