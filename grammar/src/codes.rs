//! The codes of messages: the shape that every code of blo has, and those of syntax errors, by topic. `blo explain` prints an
//! entry, `docs/errors.md` all of them. Codes are stable: one is never given another meaning.

mod expressions;
mod statements;
mod text;

/// A code with what there is to learn from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Such as `E0203`.
    pub code: &'static str,
    /// The general statement behind the messages with this code.
    pub title: &'static str,
    /// Why it is a rule and how to get out of it.
    pub explanation: &'static str,
    /// A model with this one mistake: its command says nothing but one message with this code.
    pub wrong: Example,
    /// The model put right: its command has nothing to say.
    pub right: Example,
}

/// A small model and the command that shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// The text of `model.blo`.
    pub model: &'static str,
    /// The words after `blo`.
    pub command: &'static [&'static str],
}

/// The command of an example unless it says another.
const CHECK: &[&str] = &["check", "model.blo"];

impl Code {
    /// A code whose examples are shown by `blo check model.blo`. The line end that opens the text of an example is left out, so that
    /// raw strings can start on a line of their own.
    pub const fn new(
        code: &'static str,
        title: &'static str,
        explanation: &'static str,
        wrong: &'static str,
        right: &'static str,
    ) -> Self {
        let wrong = Example { model: wrong.split_at(1).1, command: CHECK };
        let right = Example { model: right.split_at(1).1, command: CHECK };
        Code { code, title, explanation, wrong, right }
    }

    /// The same with other commands.
    #[must_use]
    pub const fn shown_by(mut self, wrong: &'static [&'static str], right: &'static [&'static str]) -> Self {
        self.wrong.command = wrong;
        self.right.command = right;
        self
    }
}

impl Example {
    /// The command as typed into a shell.
    pub fn command_line(&self) -> String {
        let plain = |word: &str| word.chars().all(|c| c.is_alphanumeric() || "-_.=/".contains(c));
        let quoted = |word: &&str| if plain(word) { (*word).to_owned() } else { format!("'{word}'") };
        let words: Vec<String> = self.command.iter().map(quoted).collect();
        format!("blo {}", words.join(" "))
    }
}

/// The codes of syntax errors, ascending.
pub fn all() -> Vec<&'static Code> {
    ascending(&[text::CODES, statements::CODES, expressions::CODES])
}

/// The codes of several topics in order of the codes.
pub fn ascending(topics: &[&'static [Code]]) -> Vec<&'static Code> {
    let mut all: Vec<&Code> = topics.iter().flat_map(|topic| topic.iter()).collect();
    all.sort_by_key(|entry| entry.code);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_quotes_what_a_shell_would_take_apart() {
        let example = Example { model: "", command: &["run", "m.blo", "--method", "cg(steps = 1)"] };
        assert_eq!(example.command_line(), "blo run m.blo --method 'cg(steps = 1)'");
    }
}
