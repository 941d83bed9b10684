//! Pieces: records of the interchangeable parts a solver is composed of. An option of kind [`Kind::Piece`] takes one of a list of them,
//! each with options of its own: `init = learned(bound = 2)`. How a written piece is read, and what is wrong with it, stands here; what
//! a piece does is left to the solver whose option it is.

use super::read::accept;
use super::{Kind, OptionSpec, SettingError, SettingProblem, Settings, Value};

/// A part of a solver, as users see it. It stands in the file of what it does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// The name users write.
    pub name: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    /// What it assumes of the model, and what it does not guarantee.
    pub assumes: &'static str,
    /// What it costs, in derivatives and memory.
    pub cost: &'static str,
    /// Authors, year and identifier of its source; empty for what needs none.
    pub source: &'static str,
    /// Its own options, in groups.
    pub groups: &'static [&'static [OptionSpec]],
    /// What it needs of the other parts.
    pub requires: &'static [Requirement],
}

/// A piece goes only with some of the pieces of another option.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Requirement {
    /// The other option.
    pub option: &'static str,
    /// The names of the pieces it goes with.
    pub one_of: &'static [&'static str],
    /// Why, as a clause that could follow "because".
    pub because: &'static str,
}

impl Piece {
    /// Its options, in order.
    pub fn options(&self) -> impl Iterator<Item = &'static OptionSpec> + Clone + use<> {
        self.groups.iter().flat_map(|group| group.iter())
    }
}

/// A list of words as a sentence would have it: "`a`, `b` or `c`".
pub(super) fn alternatives(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// What is wrong with a value, and which option it is: `init` or `init.bound`.
pub(super) struct Refused {
    pub(super) option: String,
    pub(super) problem: SettingProblem,
    pub(super) expected: String,
    pub(super) found: String,
}

impl Refused {
    pub(super) fn at(self, index: usize) -> SettingError {
        let Refused { option, problem, expected, found } = self;
        SettingError { index, option, problem, expected, found }
    }
}

/// The value of an option called `option`, or what is wrong with it. Pieces come back with all of their options, so that none is
/// missing where they are read.
pub(super) fn read<'a>(
    kind: Kind,
    option: &str,
    value: &Value,
    variables: impl Iterator<Item = &'a str> + Clone,
) -> Result<Value, Vec<Refused>> {
    let problem = match (kind, value) {
        (Kind::Piece(pieces), Value::Word(word)) => match named(pieces, word) {
            Some(piece) => return complete(piece, option, &[], variables),
            None => SettingProblem::OutOfRange,
        },
        (Kind::Piece(pieces), Value::Call(word, arguments)) => match named(pieces, word) {
            Some(piece) => return complete(piece, option, arguments, variables),
            None => SettingProblem::OutOfRange,
        },
        (kind, value) => match accept(kind, value, variables) {
            None => return Ok(value.clone()),
            Some(problem) => problem,
        },
    };
    let found = match (kind, value) {
        // The piece is what is wrong, not its options.
        (Kind::Piece(_), Value::Call(word, _)) => word.clone(),
        _ => value.to_string(),
    };
    Err(vec![Refused { option: option.to_string(), problem, expected: kind.to_string(), found }])
}

/// A piece with the options written and the defaults of the rest. Arguments without a name stand in the order of the options.
fn complete<'a>(
    piece: &'static Piece,
    option: &str,
    arguments: &[(String, Value)],
    variables: impl Iterator<Item = &'a str> + Clone,
) -> Result<Value, Vec<Refused>> {
    let mut written = Vec::with_capacity(arguments.len());
    let mut in_order = piece.options();
    for (name, value) in arguments {
        let name = match in_order.next() {
            Some(spec) if name.is_empty() => spec.name,
            None if name.is_empty() => {
                let count = match piece.options().count() {
                    0 => "without options".to_string(),
                    count => format!("with at most {count} options"),
                };
                return Err(vec![Refused {
                    option: option.to_string(),
                    problem: SettingProblem::WrongKind,
                    expected: format!("`{}` {count}", piece.name),
                    found: value.to_string(),
                }]);
            }
            _ => name.as_str(),
        };
        written.push((name.to_string(), value.clone()));
    }
    let inside = |error: SettingError| Refused {
        option: format!("{option}.{}", error.option),
        problem: error.problem,
        expected: if error.expected.is_empty() { "none".to_string() } else { error.expected },
        found: error.found,
    };
    match Settings::build(piece.options(), &written, variables) {
        Ok(settings) if settings.entries.is_empty() => Ok(Value::Word(piece.name.to_string())),
        Ok(settings) => Ok(Value::Call(piece.name.to_string(), settings.entries)),
        Err(errors) => Err(errors.into_iter().map(inside).collect()),
    }
}

fn named(pieces: &[&'static Piece], name: &str) -> Option<&'static Piece> {
    pieces.iter().copied().find(|piece| piece.name == name)
}

/// The word of a value: the name of a piece.
fn word(value: &Value) -> Option<&str> {
    match value {
        Value::Word(word) | Value::Call(word, _) => Some(word),
        Value::Number(_) | Value::Bool(_) => None,
    }
}

/// The pieces chosen that do not go with each other, at the place of one that was written.
pub(super) fn clashes(
    options: impl Iterator<Item = &'static OptionSpec> + Clone,
    settings: &Settings,
    written: &[(String, Value)],
) -> Vec<SettingError> {
    let place = |name: &str| written.iter().position(|(other, _)| other == name);
    let mut errors = Vec::new();
    for (spec, (_, value)) in options.zip(&settings.entries) {
        let Kind::Piece(pieces) = spec.kind else { continue };
        let Some(piece) = word(value).and_then(|word| named(pieces, word)) else { continue };
        for Requirement { option, one_of, because } in piece.requires {
            let other = settings.entries.iter().find(|(name, _)| name == option).and_then(|(_, v)| word(v));
            let Some(other) = other.filter(|other| !one_of.contains(other)) else { continue };
            errors.push(SettingError {
                index: place(spec.name).or(place(option)).unwrap_or(0),
                option: spec.name.to_string(),
                problem: SettingProblem::Clash {
                    with: format!("{option} = {other}"),
                    because: (*because).to_string(),
                },
                expected: format!("`{option} = {}`", one_of.join("`, `")),
                found: piece.name.to_string(),
            });
        }
    }
    errors
}
