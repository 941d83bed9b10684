//! What is wrong with a setting, and names that were probably meant.

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
