//! Whether a written value is one of its option's kind, and the schedule or growth that it means.

use super::{Kind, SettingProblem, Value, nearest};
use crate::schedule::{Growth, Schedule};

/// What is wrong with a value for an option of this kind.
pub(super) fn accept<'a>(
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

/// The schedule a value means.
pub(super) fn schedule(value: &Value) -> Option<Schedule> {
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
pub(super) fn growth(value: &Value) -> Option<Growth> {
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

#[cfg(test)]
mod tests {
    use super::super::option::call;
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
