//! `:load`, `:save`, `:data`, `:set`: what comes from outside and goes there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use blo_grammar::parse::{nearest, parse, parse_expression};

use super::super::state::{Course, Fault, Repl};
use super::super::statements::Statements;
use super::{Command, Next, Takes};
use crate::args::binding;
use crate::data::Binding;
use crate::files::{self, Trouble, quoted_list};

/// `:load`.
pub static LOAD: Command = Command {
    name: "load",
    arguments: "[FILE]",
    summary: "Begin anew with the model in a file; without a file: read the model's own file again",
    more: "Paths of data in the model start from its folder.",
    example: ":load examples/toy.blo",
    takes: Takes::File,
    run: |repl, rest| load(repl, rest).map(|()| Next::Goes),
};

/// `:save`.
pub static SAVE: Command = Command {
    name: "save",
    arguments: "[FILE]",
    summary: "Write the model into a file, in the form of `blo fmt`; without a file: into its own",
    more: "Bindings of `:data` are not part of a model; what they were is told.",
    example: ":save ridge.blo",
    takes: Takes::File,
    run: save,
};

/// `:data`.
pub static DATA: Command = Command {
    name: "data",
    arguments: "[NAME=FILE | FILE.npz]",
    summary: "Bind data to a file, or by name to the members of an archive; alone: list the bindings",
    more: "The same as `--data` of `blo run`.",
    example: ":data X=train.npy",
    takes: Takes::Binding,
    run: data,
};

/// `:set`.
pub static SET: Command = Command {
    name: "set",
    arguments: "NAME=VALUE",
    summary: "Give a parameter or dimension another value",
    more: "The declaration is written anew, so it is saved, and undone, like any other.",
    example: ":set lam=0.1",
    takes: Takes::Settable,
    run: set,
};

/// Begins anew with a file.
pub fn load(repl: &mut Repl, file: &str) -> Result<(), Fault> {
    let path = match (file, &repl.path) {
        ("", Some(path)) => path.clone(),
        ("", None) => return Err(Trouble::new("which file?").help("write `:load model.blo`").into()),
        (file, _) => PathBuf::from(file),
    };
    let text = files::read_text(&path)?;
    let id = repl.sources.add(path.display().to_string(), text.clone());
    let (ast, diagnostics) = parse(id, &text);
    let sources = repl.sources.clone();
    repl.draw(&sources, &diagnostics)?;
    let draft = repl.change(|repl| {
        repl.statements = Statements::of_file(&text, &ast);
        (repl.main, repl.path) = (id, Some(path.clone()));
        repl.known = BTreeMap::new();
        Ok(None)
    })?;
    (repl.course, repl.method, repl.findings) = (Course::default(), None, Vec::new());
    (repl.kept, repl.last) = (None, None);
    let unbound: Vec<String> = draft
        .model
        .iter()
        .flat_map(|model| &model.data)
        .filter(|data| data.value.is_none() && !data.name.is_empty())
        .map(|data| data.name.clone())
        .collect();
    let hint = if unbound.is_empty() {
        String::new()
    } else {
        format!("; no values yet for {} (`:data NAME=FILE`)", quoted_list(&unbound))
    };
    repl.say(&format!("{}: {} names{hint}\n", path.display(), repl.statements.names().len()));
    Ok(())
}

fn save(repl: &mut Repl, rest: &str) -> Result<Next, Fault> {
    let path = match (rest, &repl.path) {
        ("", Some(path)) => path.clone(),
        ("", None) => return Err(Trouble::new("into which file?").help("write `:save model.blo`").into()),
        (file, _) => PathBuf::from(file),
    };
    if repl.statements.is_empty() {
        return Err(Trouble::new("there is nothing to save").into());
    }
    let text = repl.statements.text(&repl.sources);
    files::replace(&path, text.as_bytes())?;
    let bound: Vec<String> = repl
        .data
        .iter()
        .map(|b| format!(" --data {}{}", b.name.as_ref().map_or(String::new(), |n| format!("{n}=")), b.file))
        .collect();
    let with = if bound.is_empty() { String::new() } else { format!("; run it with{}", bound.concat()) };
    repl.say(&format!("saved {} ({} lines){with}\n", path.display(), text.lines().count()));
    if repl.path.is_none() {
        repl.path = Some(path);
    }
    Ok(Next::Goes)
}

fn data(repl: &mut Repl, rest: &str) -> Result<Next, Fault> {
    if rest.is_empty() {
        let lines = repl.data.iter().map(|b| match &b.name {
            Some(name) => format!("{name} = {}\n", b.file),
            None => format!("{}\n", b.file),
        });
        let text: String = lines.collect();
        repl.say(if text.is_empty() { "no data are bound\n" } else { &text });
        return Ok(Next::Goes);
    }
    let (name, file) = rest.split_once('=').map_or((None, rest), |(a, b)| (Some(a.trim()), b.trim()));
    let file = file.trim_matches(['"', '\'']);
    let written = name.map_or_else(|| file.to_owned(), |name| format!("{name}={file}"));
    let binding: Binding = binding(&written).map_err(Trouble::new)?;
    if let Some(name) = name.filter(|name| !repl.statements.has(name)) {
        let names = repl.statements.names();
        let trouble = Trouble::new(format!("the model declares no data `{name}`"));
        return Err(match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => trouble.help(format!("did you mean `{near}`?")),
            None => trouble.help(format!("declare it first: `data {name}: real[n, d]`")),
        }
        .into());
    }
    let shown = name.map(str::to_owned);
    let question = match &shown {
        Some(name) => {
            let id = repl.entry(name);
            parse_expression(id, name).ok()
        }
        None => None,
    };
    let draft = repl.change(|repl| {
        repl.data.retain(|other| other.name != binding.name || other.name.is_none() && other != &binding);
        repl.data.push(binding);
        Ok(question)
    })?;
    if let (Some(name), Some(model), Some(answer)) = (shown, &draft.model, &draft.answer) {
        repl.say(&format!("{name}: {}\n", super::super::value::type_text(model, answer)));
    }
    Ok(Next::Goes)
}

fn set(repl: &mut Repl, rest: &str) -> Result<Next, Fault> {
    let Some((name, value)) =
        rest.split_once('=').map(|(a, b)| (a.trim(), b.trim())).filter(|(_, v)| !v.is_empty())
    else {
        return Err(Trouble::new("`:set` needs a name and a value").help("write `:set lam=0.1`").into());
    };
    let Some(head) = repl.statements.settable(name, &repl.sources) else {
        let names = repl.statements.all_settable();
        let trouble = Trouble::new(format!("`{name}` is no parameter or declared dimension"));
        return Err(match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => trouble.help(format!("did you mean `{near}`?")),
            None if names.is_empty() => trouble.help(format!("declare it: `param {name} = {value}`")),
            None => trouble.help(format!("what can be set: {}", quoted_list(&names))),
        }
        .into());
    };
    repl.enter(&format!("{head} = {value}"))?;
    Ok(Next::Goes)
}
