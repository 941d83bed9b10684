//! What may stand at the end of a line: names, functions, methods and their options, commands, files.

use std::path::Path;

use blo_compiler::{STDLIB, function_names};
use blo_grammar::parse::KEYWORDS;
use blo_runtime::settings::Kind;
use blo_runtime::solvers::{SOLVERS, named as solver_named};

use super::commands::{COMMANDS, PARTS, Takes, named};

/// What the session knows.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Declared names.
    pub declared: Vec<String>,
    /// Parameters and dimensions.
    pub settable: Vec<String>,
    /// Columns of the trace.
    pub columns: Vec<String>,
}

/// Where the word before `at` begins, and what it may become.
pub fn complete(line: &str, at: usize, names: &Names) -> (usize, Vec<String>) {
    let before = &line[..at];
    if let Some(begin) = open_text(before) {
        return files(before, begin);
    }
    if let Some(command) = before.trim_start().strip_prefix(':') {
        let begin = at - command.len();
        let Some((word, rest)) = command.split_once(char::is_whitespace) else {
            let all = COMMANDS.iter().map(|command| command.name.to_owned());
            return (begin, fitting(command, all));
        };
        let takes = named(word).map_or(Takes::Nothing, |command| command.takes);
        return arguments(before, rest, takes, names);
    }
    let begin = word_start(before);
    let word = &before[begin..];
    if before[..begin].split_whitespace().last() == Some("solve") {
        return (begin, fitting(word, methods()));
    }
    // A module has a dot in its name.
    let path = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    if before[..path].trim() == "use" {
        return (path, fitting(&before[path..], STDLIB.iter().map(|(module, _)| format!("std.{module}"))));
    }
    if before.trim_start().starts_with("solve")
        && let Some(found) = options(before)
    {
        return found;
    }
    expression(before, names)
}

/// Behind a command.
fn arguments(before: &str, rest: &str, takes: Takes, names: &Names) -> (usize, Vec<String>) {
    let begin = word_start(before);
    let word = &before[begin..];
    let own = |names: &[String]| (begin, fitting(word, names.iter().cloned()));
    match takes {
        Takes::Nothing => (before.len(), Vec::new()),
        Takes::Method | Takes::Methods => match options(before) {
            Some(found) => found,
            None => (begin, fitting(word, methods())),
        },
        Takes::Expression => expression(before, names),
        Takes::Name => own(&names.declared),
        Takes::Settable => own(&names.settable),
        Takes::File => files(before, before.len() - rest.trim_start().len()),
        Takes::Binding => match rest.split_once('=') {
            Some((_, file)) => files(before, before.len() - file.len()),
            None => own(&names.declared),
        },
        Takes::Part => (begin, fitting(word, PARTS.iter().map(|part| (*part).to_owned()))),
        Takes::Plottable if rest.trim_start().starts_with("trace ") => own(&names.columns),
        Takes::Plottable => {
            let (begin, mut found) = expression(before, names);
            found.extend(fitting(word, ["trace".to_owned()].into_iter()));
            found.sort();
            (begin, found)
        }
        Takes::Topic => {
            let commands = COMMANDS.iter().map(|command| command.name.to_owned());
            (begin, fitting(word, commands.chain(methods())))
        }
    }
}

/// Options of the method whose bracket is open, or the words that one of them takes.
fn options(before: &str) -> Option<(usize, Vec<String>)> {
    let open = before.rfind('(').filter(|open| !before[*open..].contains(')'))?;
    let solver = solver_named(&before[word_start(&before[..open])..open])?;
    let begin = word_start(before);
    let word = &before[begin..];
    let place = before[open + 1..begin].rsplit(',').next().unwrap_or("").trim();
    if let Some(option) = place.strip_suffix('=').map(str::trim) {
        let option = solver.options().find(|spec| spec.name == option)?;
        let words: Vec<String> = match option.kind {
            Kind::Flag => vec!["true".into(), "false".into()],
            Kind::Choice(words) => words.iter().map(|word| (*word).to_owned()).collect(),
            Kind::Piece(pieces) => pieces.iter().map(|piece| piece.name.to_owned()).collect(),
            Kind::Schedule => ["constant", "power", "geometric", "cosine"].map(str::to_owned).to_vec(),
            _ => Vec::new(),
        };
        return Some((begin, fitting(word, words.into_iter())));
    }
    Some((begin, fitting(word, solver.options().map(|option| option.name.to_owned()))))
}

fn expression(before: &str, names: &Names) -> (usize, Vec<String>) {
    let begin = word_start(before);
    let word = &before[begin..];
    if word.is_empty() {
        return (begin, Vec::new());
    }
    let keywords = KEYWORDS.iter().map(|word| (*word).to_owned());
    let own = function_names().map(str::to_owned);
    (begin, fitting(word, names.declared.iter().cloned().chain(own).chain(keywords)))
}

fn methods() -> impl Iterator<Item = String> {
    SOLVERS.iter().map(|solver| solver.name.to_owned()).chain(["auto".to_owned()])
}

/// Those that begin with the word, in order.
fn fitting(word: &str, all: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = all.filter(|name| name.starts_with(word)).collect();
    found.sort();
    found.dedup();
    found
}

fn word_start(before: &str) -> usize {
    before
        .rfind(|c: char| !c.is_alphanumeric() && c != '_')
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))
}

/// Where an open text in quotes begins, behind the quote.
fn open_text(before: &str) -> Option<usize> {
    let quotes = before.matches('"').count();
    (quotes % 2 == 1).then(|| before.rfind('"').map_or(0, |at| at + 1))
}

/// Files that a path from `begin` on may become.
fn files(before: &str, begin: usize) -> (usize, Vec<String>) {
    let path = &before[begin..];
    let (folder, word) = path.rsplit_once('/').map_or(("", path), |(a, b)| (&path[..a.len() + 1], b));
    let place = if folder.is_empty() { Path::new(".") } else { Path::new(folder) };
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let slash = if entry.path().is_dir() { "/" } else { "" };
        (!name.starts_with('.') || word.starts_with('.')).then(|| format!("{name}{slash}"))
    });
    (begin + folder.len(), fitting(word, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Vec<String> {
        let names = Names {
            declared: vec!["lambda".into(), "loss".into(), "w".into()],
            settable: vec!["rate".into()],
            columns: vec!["measure".into()],
        };
        complete(line, line.len(), &names).1
    }

    #[test]
    fn the_place_decides_what_is_offered() {
        assert_eq!(found(":sol"), ["solve"]);
        assert!(found(":solve c").contains(&"cg".to_owned()));
        assert!(found(":solve cg(lower_st").contains(&"lower_steps".to_owned()));
        assert!(found("solve cg(steps = 5, upper_r").contains(&"upper_rule".to_owned()));
        assert!(found("solve cg(upper_rule = a").contains(&"adam".to_owned()));
        assert_eq!(found("1 + lamb"), ["lambda"]);
        assert_eq!(found("logsumex"), ["logsumexp"]);
        assert_eq!(found("mini"), ["minimize"]);
        assert_eq!(found(":set r"), ["rate"]);
        assert_eq!(found(":show kk"), ["kkt"]);
        assert_eq!(found(":plot trace m"), ["measure"]);
        assert_eq!(found("use std.me"), ["std.metrics"]);
        assert_eq!(found(":quit "), Vec::<String>::new());
    }
}
