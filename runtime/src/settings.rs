//! Options of solvers: what each one is, its default and its range, and the checked settings built from what a user wrote.
//! Errors are values that name the option and the argument's place; turning them into messages with a source line is left to
//! the caller.

mod piece;

pub use piece::{Piece, Requirement};

use crate::schedule::{Growth, Schedule};

/// An option's value as written.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A bare word, such as `adam`.
    Word(String),
    /// A word with arguments, such as `power(0.5)` or `rates(w = 10)`; an argument without a name has the empty name.
    Call(String, Vec<(String, Value)>),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Number(v) => write!(f, "{v}"),
            Value::Bool(v) => write!(f, "{v}"),
            Value::Word(word) => write!(f, "{word}"),
            Value::Call(word, arguments) => {
                write!(f, "{word}(")?;
                for (i, (name, value)) in arguments.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    let equals = if name.is_empty() { "" } else { " = " };
                    write!(f, "{comma}{name}{equals}{value}")?;
                }
                write!(f, ")")
            }
        }
    }
}

/// What an option accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A whole number, at least this.
    Count(usize),
    /// A whole number from the first to the second.
    Within(usize, usize),
    /// A number above (`open`) or from `min`, up to `max`.
    Real {
        /// The lower end.
        min: f64,
        /// The upper end, included.
        max: f64,
        /// Whether `min` itself is excluded.
        open: bool,
    },
    /// The given word, or a positive number.
    PositiveOr(&'static str),
    /// The given word, or a number from 0 to 1.
    ShareOr(&'static str),
    /// The given word, or a whole number of at least 1.
    CountOr(&'static str),
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `constant`, `power(p)`, `geometric(r)` or `cosine`.
    Schedule,
    /// A positive number, or one that grows: `power(first, p)`, `linear(first, by)` or `ramp(to, over)`.
    Growth,
    /// `rates(name = factor, …)` with names of variables.
    Rates,
    /// `starts(name = name, …)`: for lower variables, the upper variables they start at.
    Starts,
    /// One of these pieces, with options of its own.
    Piece(&'static [&'static Piece]),
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Kind::Count(min) => write!(f, "a whole number, at least {min}"),
            Kind::Within(min, max) => write!(f, "a whole number from {min} to {max}"),
            Kind::Real { min, max, .. } if *min == f64::NEG_INFINITY => {
                write!(f, "a number")?;
                if max.is_finite() { write!(f, ", at most {max}") } else { Ok(()) }
            }
            Kind::Real { min, max, open } => {
                let from = if *open { "above" } else { "at least" };
                write!(f, "a number {from} {min}")?;
                if max.is_finite() { write!(f, " and at most {max}") } else { Ok(()) }
            }
            Kind::PositiveOr(word) => write!(f, "`{word}` or a number above 0"),
            Kind::ShareOr(word) => write!(f, "`{word}` or a number from 0 to 1"),
            Kind::CountOr(word) => write!(f, "`{word}` or a whole number, at least 1"),
            Kind::Flag => write!(f, "`true` or `false`"),
            Kind::Choice(words) => {
                for (i, word) in words.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}`{word}`")?;
                }
                Ok(())
            }
            Kind::Schedule => write!(f, "`constant`, `power(p)`, `geometric(r)` or `cosine`"),
            Kind::Growth => {
                write!(f, "a number above 0, `power(first, p)`, `linear(first, by)` or `ramp(to, over)`")
            }
            Kind::Rates => write!(f, "`rates(variable = factor, …)`"),
            Kind::Starts => write!(f, "`starts(lower = upper, …)`"),
            Kind::Piece(pieces) => {
                let names: Vec<&str> = pieces.iter().map(|piece| piece.name).collect();
                f.write_str(&piece::alternatives(&names))
            }
        }
    }
}

/// The value of an option nobody set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Preset {
    /// A number.
    Number(f64),
    /// A truth value.
    Bool(bool),
    /// A word.
    Word(&'static str),
    /// `rates()`: no factors.
    NoRates,
    /// `starts()`: none named.
    NoStarts,
    /// A word with one number, such as `power(1)`.
    Call(&'static str, f64),
    /// `power(first, p)`.
    Power(f64, f64),
    /// `linear(first, by)`.
    Linear(f64, f64),
    /// `ramp(to, over)`.
    Ramp(f64, f64),
}

impl Preset {
    pub(crate) fn value(self) -> Value {
        match self {
            Preset::Number(v) => Value::Number(v),
            Preset::Bool(v) => Value::Bool(v),
            Preset::Word(v) => Value::Word(v.to_string()),
            Preset::NoRates => Value::Call("rates".to_string(), Vec::new()),
            Preset::NoStarts => Value::Call("starts".to_string(), Vec::new()),
            Preset::Call(word, v) => call(word, &[("", v)]),
            Preset::Power(first, p) => call("power", &[("first", first), ("p", p)]),
            Preset::Linear(first, by) => call("linear", &[("first", first), ("by", by)]),
            Preset::Ramp(to, over) => call("ramp", &[("to", to), ("over", over)]),
        }
    }
}

fn call(word: &str, arguments: &[(&str, f64)]) -> Value {
    let arguments = arguments.iter().map(|(name, v)| (name.to_string(), Value::Number(*v)));
    Value::Call(word.to_string(), arguments.collect())
}

impl std::fmt::Display for Preset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.value().fmt(f)
    }
}

/// An option a solver understands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptionSpec {
    /// The name users write.
    pub name: &'static str,
    /// What it accepts.
    pub kind: Kind,
    /// What it is when nobody sets it.
    pub default: Preset,
    /// Its meaning, in one sentence.
    pub doc: &'static str,
}

/// What is wrong with a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum SettingProblem {
    /// The solver has no option of this name.
    Unknown {
        /// An option with a similar name.
        near: Option<&'static str>,
    },
    /// The value is of another kind than the option.
    WrongKind,
    /// The kind fits, the value does not.
    OutOfRange,
    /// The option was set before.
    Repeated,
    /// `preset = paper`, and the sources of the solver give no sizes.
    NoPreset {
        /// The solver.
        solver: &'static str,
    },
    /// A rate names no variable.
    UnknownVariable {
        /// The name written.
        name: String,
        /// A variable with a similar name.
        near: Option<String>,
    },
    /// The piece does not go with another one.
    Clash {
        /// The other option and its piece: `truncate = argmax_upper`.
        with: String,
        /// Why, as a clause.
        because: String,
    },
}

/// A setting that was refused.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingError {
    /// The place of the setting in the list it came in.
    pub index: usize,
    /// The option's name as written; an option of a piece with a dot, `init.bound`.
    pub option: String,
    /// What is wrong.
    pub problem: SettingProblem,
    /// What would be accepted, in words; the solver's options when the name is unknown.
    pub expected: String,
    /// The value as written.
    pub found: String,
}

impl std::fmt::Display for SettingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { option, expected, found, .. } = self;
        match &self.problem {
            SettingProblem::Unknown { near: Some(near) } => {
                write!(f, "no option `{option}`; did you mean `{near}`?")
            }
            SettingProblem::Unknown { near: None } => {
                write!(f, "no option `{option}`; the options are {expected}")
            }
            SettingProblem::WrongKind | SettingProblem::OutOfRange => {
                write!(f, "`{option}` is {expected}, not {found}")
            }
            SettingProblem::Repeated => write!(f, "`{option}` is set twice"),
            SettingProblem::NoPreset { solver } => {
                write!(f, "`{solver}` has no preset: its source gives no sizes to take")
            }
            SettingProblem::UnknownVariable { name, near: Some(near) } => {
                write!(f, "`{option}`: no variable `{name}`; did you mean `{near}`?")
            }
            SettingProblem::UnknownVariable { name, near: None } => {
                write!(f, "`{option}`: no variable `{name}`")
            }
            SettingProblem::Clash { with, because } => {
                write!(f, "`{option} = {found}` does not go with `{with}`, because {because}")
            }
        }
    }
}

impl std::error::Error for SettingError {}

/// A value for every option of a solver.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    entries: Vec<(String, Value)>,
    /// A factor on all sizes of steps that are found, not written.
    caution: f64,
}

crate::frozen::wire::wire!(Settings { entries, caution });

impl Settings {
    /// Checks what was written against the options; options not written get their defaults. `variables` are the names a rate
    /// may use. All errors are returned, in the order written.
    pub fn build<'a>(
        options: impl Iterator<Item = &'static OptionSpec> + Clone,
        written: &[(String, Value)],
        variables: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<Self, Vec<SettingError>> {
        let mut errors = Vec::new();
        let mut entries: Vec<(String, Value)> = options.clone().map(default).collect();
        for (index, (name, value)) in written.iter().enumerate() {
            let Some(spec) = options.clone().find(|spec| spec.name == name) else {
                errors.push(SettingError {
                    index,
                    option: name.clone(),
                    problem: SettingProblem::Unknown { near: nearest(name, options.clone().map(|o| o.name)) },
                    expected: options.clone().map(|o| format!("`{}`", o.name)).collect::<Vec<_>>().join(", "),
                    found: value.to_string(),
                });
                continue;
            };
            let repeated = written[..index].iter().any(|(earlier, _)| earlier == name);
            let read = if repeated {
                Err(vec![piece::Refused {
                    option: name.clone(),
                    problem: SettingProblem::Repeated,
                    expected: spec.kind.to_string(),
                    found: value.to_string(),
                }])
            } else {
                piece::read(spec.kind, name, value, variables.clone())
            };
            match read {
                Ok(value) => {
                    if let Some(entry) = entries.iter_mut().find(|(entry, _)| entry == name) {
                        entry.1 = value;
                    }
                }
                Err(refused) => errors.extend(refused.into_iter().map(|refused| refused.at(index))),
            }
        }
        let settings = Settings::of(entries);
        if errors.is_empty() {
            errors = piece::clashes(options, &settings, written);
        }
        if errors.is_empty() { Ok(settings) } else { Err(errors) }
    }

    fn of(entries: Vec<(String, Value)>) -> Self {
        Settings { entries, caution: 1.0 }
    }

    /// The same, with this factor on all sizes of steps that are found: those of options that say `auto`. Written ones stay.
    pub(crate) fn cautious(&self, caution: f64) -> Self {
        Settings { caution, ..self.clone() }
    }

    /// Whether the upper step is found, where there is one, or any step where there is none.
    pub(crate) fn finds_steps(&self) -> bool {
        let found =
            |(name, value): &(String, Value)| name.ends_with("_step") && *value == Value::Word("auto".into());
        match self.entries.iter().find(|(name, _)| name == "upper_step") {
            Some(upper) => found(upper),
            None => self.entries.iter().any(found),
        }
    }

    /// The factor on all sizes of steps that are found.
    pub(crate) fn caution(&self) -> f64 {
        self.caution
    }

    /// All options and their values, in the solver's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// One option, `first (k + 1)^p`.
    pub(crate) fn of_power(name: &str, first: f64, p: f64) -> Self {
        Settings::of(vec![(name.to_string(), Preset::Power(first, p).value())])
    }

    /// Whether there is such an option.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(entry, _)| entry == name)
    }

    fn get(&self, name: &str) -> &Value {
        match self.entries.iter().find(|(entry, _)| entry == name) {
            Some((_, value)) => value,
            None => panic!("blo has a bug: a solver reads the option `{name}` without declaring it"),
        }
    }

    /// A number.
    pub(crate) fn real(&self, name: &str) -> f64 {
        self.number(name).unwrap_or(f64::NAN)
    }

    /// A whole number.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.number(name).unwrap_or(0.0) as usize
    }

    /// A number, or `None` for the option's word.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        match self.get(name) {
            Value::Number(v) => Some(*v),
            Value::Bool(_) | Value::Word(_) | Value::Call(..) => None,
        }
    }

    /// The same with a number for an option that takes one; an error in words.
    pub(crate) fn with(
        &self,
        mut options: impl Iterator<Item = &'static OptionSpec>,
        name: &str,
        number: f64,
    ) -> Result<Self, String> {
        let spec =
            options.find(|spec| spec.name == name).ok_or_else(|| format!("there is no option `{name}`"))?;
        let refused = |refused: Vec<piece::Refused>| {
            let expected = refused.first().map_or_else(String::new, |r| r.expected.clone());
            format!("`{name}` is {expected}, and not {number}")
        };
        let value =
            piece::read(spec.kind, name, &Value::Number(number), std::iter::empty()).map_err(refused)?;
        let mut settings = self.clone();
        settings.entries.iter_mut().filter(|entry| entry.0 == name).for_each(|entry| entry.1 = value.clone());
        Ok(settings)
    }

    /// Whether an option that not every solver has is set.
    pub(crate) fn says(&self, name: &str) -> bool {
        self.entries.iter().any(|(entry, value)| *entry == name && *value == Value::Bool(true))
    }

    /// A truth value.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name) == &Value::Bool(true)
    }

    /// A word.
    pub(crate) fn word(&self, name: &str) -> &str {
        match self.get(name) {
            Value::Word(word) => word,
            Value::Number(_) | Value::Bool(_) | Value::Call(..) => "",
        }
    }

    /// The upper variable that `from` has a lower variable start at.
    pub(crate) fn start(&self, variable: &str) -> Option<&str> {
        let Value::Call(_, starts) = self.get("from") else { return None };
        match starts.iter().find(|(name, _)| name == variable) {
            Some((_, Value::Word(upper))) => Some(upper),
            _ => None,
        }
    }

    /// The name of the piece an option takes, and the settings of its own options.
    pub fn piece(&self, name: &str) -> (&str, Settings) {
        let own = |entries| Settings { entries, caution: self.caution };
        match self.get(name) {
            Value::Call(piece, arguments) => (piece, own(arguments.clone())),
            Value::Word(piece) => (piece, own(Vec::new())),
            Value::Number(_) | Value::Bool(_) => ("", own(Vec::new())),
        }
    }

    /// A schedule.
    pub(crate) fn schedule(&self, name: &str) -> Schedule {
        schedule(self.get(name)).unwrap_or(Schedule::Constant)
    }

    /// A number that may grow over the run.
    pub(crate) fn growth(&self, name: &str) -> Growth {
        growth(self.get(name)).unwrap_or(Growth::Constant(1.0))
    }

    /// The factor for a variable: 1 unless the rates name it.
    pub(crate) fn rate(&self, option: &str, variable: &str) -> f64 {
        let Value::Call(_, rates) = self.get(option) else { return 1.0 };
        match rates.iter().find(|(name, _)| name == variable) {
            Some((_, Value::Number(factor))) => *factor,
            _ => 1.0,
        }
    }
}

/// What is wrong with a value for an option of this kind.
fn accept<'a>(
    kind: Kind,
    value: &Value,
    variables: impl Iterator<Item = &'a str> + Clone,
) -> Option<SettingProblem> {
    let range = |ok: bool| (!ok).then_some(SettingProblem::OutOfRange);
    let whole = |v: f64, min: usize| range(v.fract() == 0.0 && v >= min as f64 && v < 1e15);
    match (kind, value) {
        (Kind::Count(min), Value::Number(v)) => whole(*v, min),
        (Kind::Within(min, max), Value::Number(v)) => {
            range(v.fract() == 0.0 && *v >= min as f64 && *v <= max as f64)
        }
        (Kind::Real { min, max, open }, Value::Number(v)) => {
            range((*v > min || (*v == min && !open)) && *v <= max)
        }
        (Kind::PositiveOr(_), Value::Number(v)) => range(*v > 0.0 && v.is_finite()),
        (Kind::CountOr(_), Value::Number(v)) => whole(*v, 1),
        (Kind::ShareOr(_), Value::Number(v)) => range((0.0..=1.0).contains(v)),
        (Kind::PositiveOr(word) | Kind::CountOr(word) | Kind::ShareOr(word), Value::Word(found)) => {
            range(word == found)
        }
        (Kind::Choice(words), Value::Word(found)) => range(words.contains(&found.as_str())),
        (Kind::Flag, Value::Bool(_)) => None,
        (Kind::Schedule, Value::Word(_) | Value::Call(..)) => range(schedule(value).is_some()),
        (Kind::Growth, Value::Number(_) | Value::Call(..)) => range(growth(value).is_some()),
        (Kind::Rates, Value::Call(word, rates)) if word == "rates" => {
            rates.iter().find_map(|(name, factor)| {
                let factor = range(matches!(factor, Value::Number(v) if *v >= 0.0 && v.is_finite()));
                known(name, variables.clone()).or(factor)
            })
        }
        (Kind::Starts, Value::Call(word, starts)) if word == "starts" => {
            starts.iter().find_map(|(name, start)| match start {
                Value::Word(start) => known(name, variables.clone()).or(known(start, variables.clone())),
                _ => Some(SettingProblem::WrongKind),
            })
        }
        _ => Some(SettingProblem::WrongKind),
    }
}

/// What is wrong with a name that should be that of a variable.
fn known<'a>(name: &str, mut variables: impl Iterator<Item = &'a str> + Clone) -> Option<SettingProblem> {
    if name.is_empty() {
        return Some(SettingProblem::WrongKind);
    }
    let all = variables.clone();
    if variables.any(|variable| variable == name) {
        return None;
    }
    let near = nearest(name, all).map(str::to_string);
    Some(SettingProblem::UnknownVariable { name: name.to_string(), near })
}

/// An option nobody set.
fn default(spec: &'static OptionSpec) -> (String, Value) {
    let value = spec.default.value();
    let value = match piece::read(spec.kind, spec.name, &value, std::iter::empty()) {
        Ok(complete) => complete,
        Err(_) => value,
    };
    (spec.name.to_string(), value)
}

/// The schedule a value means.
fn schedule(value: &Value) -> Option<Schedule> {
    match value {
        Value::Word(word) if word == "constant" => Some(Schedule::Constant),
        Value::Word(word) if word == "cosine" => Some(Schedule::Cosine),
        Value::Call(word, arguments) => match (word.as_str(), arguments.as_slice()) {
            ("power", [(_, Value::Number(p))]) if *p >= 0.0 && p.is_finite() => Some(Schedule::Power(*p)),
            ("geometric", [(_, Value::Number(r))]) if *r > 0.0 && *r <= 1.0 => Some(Schedule::Geometric(*r)),
            _ => None,
        },
        Value::Word(_) | Value::Number(_) | Value::Bool(_) => None,
    }
}

/// The growth a value means. Arguments may be named or stand in order.
fn growth(value: &Value) -> Option<Growth> {
    let (word, arguments) = match value {
        Value::Number(v) if *v > 0.0 && v.is_finite() => return Some(Growth::Constant(*v)),
        Value::Call(word, arguments) => (word.as_str(), arguments),
        _ => return None,
    };
    let read = |names: [&str; 2]| match arguments.as_slice() {
        [(a, Value::Number(first)), (b, Value::Number(second))] => match (a.as_str(), b.as_str()) {
            ("", "") => Some((*first, *second)),
            (a, b) if [a, b] == names => Some((*first, *second)),
            (a, b) if [b, a] == names => Some((*second, *first)),
            _ => None,
        },
        _ => None,
    };
    let positive = |v: f64| v > 0.0 && v.is_finite();
    let growth = match word {
        "power" => {
            read(["first", "p"]).map(|(first, p)| (positive(first) && p >= 0.0, Growth::Power { first, p }))
        }
        "linear" => read(["first", "by"])
            .map(|(first, by)| (positive(first) && by >= 0.0, Growth::Linear { first, by })),
        "ramp" => read(["to", "over"]).map(|(to, over)| {
            (positive(to) && over >= 1.0 && over.fract() == 0.0, Growth::Ramp { to, over })
        }),
        _ => None,
    };
    growth.and_then(|(valid, growth)| valid.then_some(growth))
}

/// The candidate closest to `name`, when it is close: at most a third of the letters differ.
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = name.chars().count() / 3 + 1;
    let ranked = candidates.map(|c| (edit_distance(name, c), c));
    ranked.filter(|(d, _)| *d <= limit).min_by_key(|(d, _)| *d).map(|(_, c)| c)
}

/// The number of insertions, deletions and replacements that turn `a` into `b`.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value that grows, with arguments in order or by name.
    #[test]
    fn growths() {
        let read = |word: &str, arguments: &[(&str, f64)]| {
            growth(&call(word, arguments)).map(|growth| [0, 1, 3].map(|k| growth.at(k)))
        };
        assert_eq!(growth(&Value::Number(2.5)), Some(Growth::Constant(2.5)));
        assert_eq!(read("power", &[("first", 2.0), ("p", 0.5)]), Some([2.0, 8f64.sqrt(), 4.0]));
        assert_eq!(read("linear", &[("by", 0.5), ("first", 1.0)]), Some([1.0, 1.5, 2.5]));
        assert_eq!(read("ramp", &[("", 8.0), ("", 2.0)]), Some([4.0, 8.0, 8.0]));
        assert_eq!(read("ramp", &[("to", 8.0), ("to", 2.0)]), None);
    }
}
