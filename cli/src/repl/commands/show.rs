//! `:explain` and `:show`: the model as blo sees it.

use std::fmt::Write as _;
use std::path::Path;

use blo_compiler::codes;
use blo_compiler::convexity;
use blo_compiler::notation::{self, Order};
use blo_grammar::parse::nearest;

use super::super::state::{Fault, Repl};
use super::{Command, Next, Takes};
use crate::args::{MethodArgs, ModelArgs, Stage};
use crate::automatic::{is_open, solvable};
use crate::commands::explain::page;
use crate::compile;
use crate::drawing::{Drawing, Format};
use crate::files::{Trouble, replace};
use crate::output::convexity::account;
use crate::output::overview::overview;
use crate::session::Session;

/// `:explain`.
pub static EXPLAIN: Command = Command {
    name: "explain",
    arguments: "[CODE]",
    summary: "Explain the model: levels, sizes, convexity, method; or the code of an error",
    more: "",
    example: ":explain E0203",
    takes: Takes::Topic,
    run: explain,
};

/// What `:show` shows.
pub const PARTS: [&str; 8] = ["model", "gradient", "hessian", "kkt", "latex", "graph", "loops", "clif"];

/// `:show`.
pub static SHOW: Command = Command {
    name: "show",
    arguments: "[model|gradient|hessian|kkt|latex|graph [FILE]|loops|clif]",
    summary: "Show the model, or a form of it that blo works with",
    more: "`model` is the text that `:save` writes; `gradient` and `hessian` are formulas; `kkt` is the single-level form; `latex` the \
model as it would stand in a paper; `graph` is a drawing, into a file that ends in .svg or .dot or as DOT; `loops` and `clif` are stages of the compiler for the method of the last `:solve`.",
    example: ":show gradient",
    takes: Takes::Part,
    run: show,
};

fn explain(repl: &mut Repl, rest: &str) -> Result<Next, Fault> {
    if !rest.is_empty() {
        let Some(code) = codes::explain(rest) else {
            return Err(Trouble::new(format!("there is no code `{rest}`"))
                .help("`:explain` alone explains the model; `blo explain` lists all codes")
                .into());
        };
        repl.say(&page(code));
        return Ok(Next::Goes);
    }
    let args = ModelArgs { model: repl.model_path().to_path_buf(), input: input(repl) };
    let text = repl.with_session(|session| {
        let model = session.model(&args, false)?;
        let plan = match is_open(&model) && !solvable(&model) {
            true => None,
            false => Some(session.plan(&model, &MethodArgs::default(), args.input.seed)?),
        };
        let mut text = overview(&args.model.display().to_string(), &model, plan.as_ref());
        text.push('\n');
        text.push_str(&account(&session.renderer, &session.sources, &model, &convexity(&model)));
        Some(text)
    })?;
    repl.say(&text.ok_or(Fault::Told)?);
    Ok(Next::Goes)
}

/// The data and the seed of the session.
fn input(repl: &Repl) -> crate::args::InputArgs {
    crate::args::InputArgs { data: repl.data.clone(), seed: repl.seed, ..Default::default() }
}

fn show(repl: &mut Repl, rest: &str) -> Result<Next, Fault> {
    let (part, file) =
        rest.split_once(char::is_whitespace).map_or((rest, None), |(part, file)| (part, Some(file.trim())));
    let part = if part.is_empty() { "model" } else { part };
    let (part, file) = if file.is_some() && part != "graph" { (rest, None) } else { (part, file) };
    if !PARTS.contains(&part) {
        let trouble = Trouble::new(format!("`:show` does not know `{part}`"));
        return Err(match nearest(part, PARTS) {
            Some(near) => trouble.help(format!("did you mean `:show {near}`?")),
            None => trouble.help(format!("it shows {}", PARTS.join(", "))),
        }
        .into());
    }
    if part == "model" {
        let text = repl.statements.text(&repl.sources);
        repl.say(if text.is_empty() { "# nothing yet\n" } else { &text });
        return Ok(Next::Goes);
    }
    let args = ModelArgs { model: repl.model_path().to_path_buf(), input: input(repl) };
    if part == "graph" {
        return graph(repl, &args, file.map(Path::new));
    }
    let method = repl.method.clone().filter(|method| !method.is_empty());
    let text = repl.with_session(|session| part_text(session, &args, method, part))?;
    repl.say(&text.ok_or(Fault::Told)?);
    Ok(Next::Goes)
}

/// The model as a drawing: into a file, or as text.
fn graph(repl: &mut Repl, args: &ModelArgs, file: Option<&Path>) -> Result<Next, Fault> {
    let format = file.map_or(Ok(Format::Dot), Format::of)?;
    let text = repl.statements.text(&repl.sources);
    let model = repl.with_session(|session| session.model(args, false))?.ok_or(Fault::Told)?;
    let text = Drawing::of(&text, &model).written(format);
    match file {
        Some(file) => {
            replace(file, text.as_bytes())?;
            repl.say(&format!("{}\n", file.display()));
        }
        None => repl.say(&text),
    }
    Ok(Next::Goes)
}

fn part_text(session: &mut Session, args: &ModelArgs, method: Option<String>, part: &str) -> Option<String> {
    let mut model = session.model(args, false)?;
    let written = match part {
        "gradient" => notation::derivatives(&model, Order::First, false),
        "hessian" => notation::derivatives(&model, Order::Second, false),
        "latex" => Ok(notation::levels_latex(&model)),
        "kkt" => notation::single_level(&model).map(|written| {
            let mut out = String::new();
            if let Some(missing) = written.missing {
                let _ = writeln!(out, "# not a model: the language has no words for {missing}");
            }
            out + &written.text
        }),
        stage => {
            let stage = match stage {
                "loops" => Stage::Loops,
                _ => Stage::Clif,
            };
            let flags = MethodArgs { method, ..MethodArgs::default() };
            let plan = session.plan(&model, &flags, args.input.seed)?;
            compile::text(&mut model, Some(&plan), stage)
        }
    };
    written.map_err(|diagnostics| session.tell(&diagnostics)).ok()
}
