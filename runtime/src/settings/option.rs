//! What an option is: its kind, its default, its meaning, and a value as written.

use super::Piece;
use super::piece;

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

pub(super) fn call(word: &str, arguments: &[(&str, f64)]) -> Value {
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
