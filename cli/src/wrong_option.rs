//! Messages for options of methods that were refused, each at the place of what is wrong: the option, its value, or an option inside
//! the value (`bond` in `init = learned(bond = 2)`).

use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;
use blo_runtime::settings::{SettingError, SettingProblem, nearest};
use blo_runtime::solvers::Solver;

/// The message. `written` is the setting as it stands at `place`: `name = value`, or the value alone from the command line.
pub fn wrong_option(solver: &Solver, error: &SettingError, place: Span, written: &str) -> Diagnostic {
    let SettingError { option, expected, found, problem, .. } = error;
    let part = Part::of(option, written);
    let at = |(start, end): (usize, usize)| Span {
        start: place.start + start as u32,
        end: place.end.min(place.start + end as u32),
        ..place
    };
    let make = |message: String, range, label: String| Diagnostic::error("E0503", message, at(range), label);
    match problem {
        SettingProblem::Unknown { near } => {
            let message = match option.contains('.') {
                true => format!("there is no option `{option}`"),
                false => format!("`{}` has no option `{option}`", solver.name),
            };
            let diagnostic =
                make(message, part.name, "not an option".into()).note(format!("its options are {expected}"));
            match near {
                Some(near) => diagnostic.did_you_mean(near),
                None => diagnostic,
            }
        }
        SettingProblem::WrongKind | SettingProblem::OutOfRange => {
            let message = format!("`{option}` does not take `{found}`");
            let (start, end) = part.value;
            // Of a piece with options, the name alone is wrong.
            let end = if written[start..end].starts_with(found.as_str()) { start + found.len() } else { end };
            let diagnostic = make(message, (start, end), format!("expected {expected}"));
            let words = expected.split('`').skip(1).step_by(2);
            match nearest(found, words) {
                Some(near) => diagnostic.did_you_mean(near),
                None => diagnostic.help(format!("it takes {expected}")),
            }
        }
        SettingProblem::Repeated => {
            make(format!("`{option}` is given twice"), part.whole, "the second time".into())
        }
        SettingProblem::NoPreset { solver } => {
            make(format!("`{solver}` has no preset"), part.whole, "its source gives no sizes to take".into())
        }
        SettingProblem::UnknownVariable { name, near } => {
            let message = format!("`{option}` names no variable `{name}`");
            let diagnostic = make(message, part.whole, "not a variable".into());
            match near {
                Some(near) => diagnostic.did_you_mean(near),
                None => diagnostic,
            }
        }
        SettingProblem::Clash { with, because } => {
            let message = format!("`{option} = {found}` does not go with `{with}`");
            make(message, part.whole, because.clone()).help(format!("it goes with {expected}"))
        }
    }
}

/// Where an option stands in what was written, from byte to byte.
struct Part {
    name: (usize, usize),
    value: (usize, usize),
    whole: (usize, usize),
}

impl Part {
    /// The option `init.bound` is the argument `bound` of the value of `init`. Where a name is not written, the part is the value it
    /// would stand in.
    fn of(option: &str, written: &str) -> Self {
        let mut names = option.split('.');
        let own = names.next().unwrap_or(option);
        let from = written.find('=').map_or(0, |at| at + 1);
        let start = from + leading(&written[from..]);
        let mut part = Part {
            name: (0, own.len().min(written.len())),
            value: (start, written.len()),
            whole: (0, written.len()),
        };
        for name in names {
            let inside = &written[part.value.0..part.value.1];
            let Some((at, from)) = argument(inside, name) else { break };
            let at = part.value.0 + at;
            let from = part.value.0 + from;
            let end = from + length(&written[from..part.value.1]);
            part = Part { name: (at, at + name.len()), value: (from, end), whole: (at, end) };
        }
        part
    }
}

/// The bytes of blanks a text begins with.
fn leading(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// Where the argument `name = value` begins in a text, and its value.
fn argument(text: &str, name: &str) -> Option<(usize, usize)> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).find_map(|(at, _)| {
        let after = &text[at + name.len()..];
        let equals = leading(after);
        if text[..at].ends_with(word) || !after[equals..].starts_with('=') {
            return None;
        }
        let value = at + name.len() + equals + 1;
        Some((at, value + leading(&text[value..])))
    })
}

/// The length of the value a text begins with: up to a comma or bracket that is not its own.
fn length(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' | ',' if depth == 0 => return text[..at].trim_end().len(),
            ')' => depth -= 1,
            _ => {}
        }
    }
    text.trim_end().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_what_is_written() {
        let parts = |option, written: &'static str| {
            let part = Part::of(option, written);
            [part.name, part.value, part.whole].map(|(start, end)| &written[start..end])
        };
        assert_eq!(parts("eta", "eta = 2"), ["eta", "2", "eta = 2"]);
        assert_eq!(
            parts("init", "init=lerned(bound=2)"),
            ["init", "lerned(bound=2)", "init=lerned(bound=2)"]
        );
        let written = "init = learned(rebound = 1, bound = power(1, 2), c = 1)";
        assert_eq!(parts("init.bound", written), ["bound", "power(1, 2)", "bound = power(1, 2)"]);
        assert_eq!(parts("init.bound", "init = learned(3)"), ["init", "learned(3)", "init = learned(3)"]);
    }
}
