//! Options of solvers: what each one is, its default and its range, and the checked settings built from what a user wrote.
//! Errors are values that name the option and the argument's place; turning them into messages with a source line is left to
//! the caller.

mod error;
mod option;
mod piece;
mod read;

pub use error::{SettingError, SettingProblem, nearest};
pub use option::{Kind, OptionSpec, Preset, Value};
pub use piece::{Piece, Requirement};

use read::{growth, schedule};

use crate::schedule::{Growth, Schedule};

/// A value for every option of a solver.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    entries: Vec<(String, Value)>,
    /// A factor on all sizes of steps that are found, not written.
    caution: f64,
}

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

/// An option nobody set.
fn default(spec: &'static OptionSpec) -> (String, Value) {
    let value = spec.default.value();
    let value = match piece::read(spec.kind, spec.name, &value, std::iter::empty()) {
        Ok(complete) => complete,
        Err(_) => value,
    };
    (spec.name.to_string(), value)
}
