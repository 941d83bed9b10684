//! Which method solves the model, with which options: what the model's `solve` says, overridden by `--method`, `--option`
//! and `--iterations`. Whether a method has an option, and what it accepts, is the runtime's to say.

use blo_compiler::model::{OptionValue, Solve};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::source::Sources;
use blo_grammar::span::{FileId, Span};

use crate::args::MethodArgs;

/// A method and its options, each with the place it was written: in the model or on the command line.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The method's name.
    pub method: String,
    /// Its place; `None` when nobody named one.
    pub method_span: Option<Span>,
    /// The options; a name occurs twice only when one writer wrote it twice.
    pub options: Vec<(String, OptionValue, Span)>,
}

/// The methods of a list, split at the commas outside of brackets; empty places are left out.
pub fn list(text: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let split = text.split(|c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    split.map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// The name of a method as written, and the names of its options as far as they can be read.
pub fn named_options(text: &str) -> (String, Vec<String>) {
    let at = Span::new(FileId(0), 0, text.len());
    match parse(text, at) {
        Ok(parsed) => (parsed.name, parsed.arguments.into_iter().map(|(name, ..)| name).collect()),
        Err(_) => (text.to_owned(), Vec::new()),
    }
}

/// Combines model and flags. The flags become a source of their own, so that messages can point into them. `default` is
/// the method when nobody names one.
pub fn choose(
    sources: &mut Sources,
    model: Option<&Solve>,
    flags: &MethodArgs,
    default: &str,
) -> Result<Choice, Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let mut line = CommandLine::new(sources, flags);
    let mut choice = match model {
        Some(solve) => Choice {
            method: solve.method.clone(),
            method_span: Some(solve.method_span),
            options: solve.options.clone(),
        },
        None => Choice { method: default.into(), method_span: None, options: Vec::new() },
    };
    if let Some(text) = &flags.method {
        let at = line.take(text);
        match parse(text, at) {
            Ok(Parsed { name, arguments, bare }) => {
                if !(bare && name == choice.method) {
                    choice.options = arguments;
                }
                choice.method_span =
                    Some(Span::new(at.file, at.start as usize, at.start as usize + name.len()));
                choice.method = name;
            }
            Err(error) => errors.push(*error),
        }
    }
    let mut given: Vec<(String, OptionValue, Span)> = Vec::new();
    for (name, value) in &flags.options {
        let at = line.take(&format!("{name}={value}"));
        match value_of(value, Span { start: at.end - value.len() as u32, ..at }) {
            Ok(value) => given.push((name.clone(), value, at)),
            Err(error) => errors.push(*error),
        }
    }
    if let Some(steps) = flags.iterations {
        let at = line.take(&steps.to_string());
        given.push(("steps".into(), OptionValue::Number(steps as f64), at));
    }
    choice.options.retain(|(name, ..)| !given.iter().any(|(other, ..)| other == name));
    choice.options.extend(given);
    if errors.is_empty() { Ok(choice) } else { Err(errors) }
}

/// The flags written out as one source, handed out from left to right.
struct CommandLine {
    file: FileId,
    text: String,
    at: usize,
}

impl CommandLine {
    fn new(sources: &mut Sources, flags: &MethodArgs) -> Self {
        let mut text = String::new();
        // What `blo compare` gives to every method stands on a line of its own: nobody wrote it.
        let between = if flags.listed { '\n' } else { ' ' };
        let mut add = |flag: &str, value: &str| {
            if !text.is_empty() {
                text.push(between);
            }
            text.push_str(&format!("{flag} {value}"));
        };
        if let Some(method) = &flags.method {
            add(if flags.listed { "--methods" } else { "--method" }, method);
        }
        for (name, value) in &flags.options {
            add("--option", &format!("{name}={value}"));
        }
        if let Some(steps) = flags.iterations {
            add("--iterations", &steps.to_string());
        }
        let file = sources.add("command line", text.clone());
        CommandLine { file, text, at: 0 }
    }

    /// The place of the next value, which reads `value`. Flags contain no value, so the first find from here is it, after
    /// the flag's own word.
    fn take(&mut self, value: &str) -> Span {
        let word = self.text[self.at..].find("--").map_or(self.at, |i| self.at + i);
        let start = self.text[word..].find(' ').map_or(word, |i| word + i + 1);
        self.at = start + value.len();
        Span::new(self.file, start, self.at)
    }
}

struct Parsed {
    name: String,
    arguments: Vec<(String, OptionValue, Span)>,
    /// Written without brackets.
    bare: bool,
}

/// `NAME` or `NAME(option = value, …)`, standing at `at`.
fn parse(text: &str, at: Span) -> Result<Parsed, Box<Diagnostic>> {
    let mut reader = Reader { text, position: 0, at };
    let name = reader.word()?;
    let bare = !reader.accept('(');
    let mut arguments = Vec::new();
    if !bare {
        while !reader.accept(')') {
            reader.skip();
            let start = reader.position;
            let option = reader.word()?;
            reader.expect('=')?;
            let value = reader.value(0)?;
            arguments.push((option, value, reader.span(start, reader.position)));
            if !reader.accept(',') {
                reader.expect(')')?;
                break;
            }
        }
    }
    reader.end()?;
    Ok(Parsed { name, arguments, bare })
}

/// One option value standing at `at`.
fn value_of(text: &str, at: Span) -> Result<OptionValue, Box<Diagnostic>> {
    let mut reader = Reader { text, position: 0, at };
    let value = reader.value(0)?;
    reader.end()?;
    Ok(value)
}

/// Reads the few forms an option can have. The language's own parser needs a whole file around them.
struct Reader<'a> {
    text: &'a str,
    position: usize,
    at: Span,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.position..]
    }

    fn skip(&mut self) {
        self.position = self.text.len() - self.rest().trim_start().len();
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.at.file, self.at.start as usize + start, self.at.start as usize + end)
    }

    fn accept(&mut self, wanted: char) -> bool {
        self.skip();
        let found = self.rest().starts_with(wanted);
        if found {
            self.position += wanted.len_utf8();
        }
        found
    }

    fn expect(&mut self, wanted: char) -> Result<(), Box<Diagnostic>> {
        if self.accept(wanted) { Ok(()) } else { Err(self.error(&format!("expected `{wanted}` here"))) }
    }

    fn end(&mut self) -> Result<(), Box<Diagnostic>> {
        self.skip();
        if self.rest().is_empty() { Ok(()) } else { Err(self.error("nothing more was expected here")) }
    }

    fn error(&self, label: &str) -> Box<Diagnostic> {
        let span = self.span(self.position, self.text.len());
        let help = "write `NAME(option = value, …)`; a value is a number, `true`, `false`, a word, or `word(name = value)`";
        let message = "a solver option on the command line cannot be read";
        Box::new(Diagnostic::error("E0501", message, span, label).help(help))
    }

    /// A name; a hyphen is not part of it.
    fn word(&mut self) -> Result<String, Box<Diagnostic>> {
        self.skip();
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        if length == 0 || rest.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.error("expected a name here"));
        }
        let word = rest[..length].to_string();
        self.position += length;
        Ok(word)
    }

    fn number(&mut self) -> Option<f64> {
        self.skip();
        let rest = self.rest();
        let exponent_sign = |at: usize| rest[..at].ends_with(['e', 'E']);
        let length = rest
            .char_indices()
            .find(|&(at, c)| {
                let sign = (c == '-' || c == '+') && (at == 0 || exponent_sign(at));
                !(c.is_ascii_digit() || c == '.' || c == 'e' || c == 'E' || sign)
            })
            .map_or(rest.len(), |(at, _)| at);
        let value = rest[..length].parse().ok()?;
        self.position += length;
        Some(value)
    }

    fn value(&mut self, depth: usize) -> Result<OptionValue, Box<Diagnostic>> {
        self.skip();
        if self.rest().starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
            let number = self.number().map(OptionValue::Number);
            return number.ok_or_else(|| self.error("this is not a number"));
        }
        if !self.rest().starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Err(self.error("expected a value here"));
        }
        let word = self.word()?;
        if !self.accept('(') {
            return Ok(match word.as_str() {
                "true" => OptionValue::Bool(true),
                "false" => OptionValue::Bool(false),
                "inf" => OptionValue::Number(f64::INFINITY),
                _ => OptionValue::Word(word),
            });
        }
        if depth > 8 {
            return Err(self.error("values are nested too deeply"));
        }
        let mut arguments = Vec::new();
        while !self.accept(')') {
            let before = self.position;
            let name = match self.word() {
                Ok(name) if self.accept('=') => name,
                _ => {
                    self.position = before;
                    String::new()
                }
            };
            arguments.push((name, self.value(depth + 1)?));
            if !self.accept(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(OptionValue::Call(word, arguments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(method: Option<&str>, options: &[(&str, &str)], iterations: Option<u64>) -> MethodArgs {
        let options = options.iter().map(|(n, v)| ((*n).to_string(), (*v).to_string())).collect();
        MethodArgs { method: method.map(Into::into), options, iterations, listed: false }
    }

    fn model_solve(sources: &mut Sources) -> Solve {
        let file = sources.add("m.blo", "solve bome(steps = 5, eta = 0.5)");
        let span = |a, b| Span::new(file, a, b);
        Solve {
            method: "bome".into(),
            method_span: span(6, 10),
            options: vec![
                ("steps".into(), OptionValue::Number(5.0), span(11, 20)),
                ("eta".into(), OptionValue::Number(0.5), span(22, 31)),
            ],
        }
    }

    #[test]
    fn flags_override_the_model_one_by_one() {
        let mut sources = Sources::new();
        let solve = model_solve(&mut sources);
        let flags = flags(None, &[("eta", "1e-3")], Some(70));
        let choice = choose(&mut sources, Some(&solve), &flags, "none").unwrap();
        assert_eq!(choice.method, "bome");
        let values: Vec<_> =
            choice.options.iter().map(|(n, v, s)| (n.as_str(), v, sources.snippet(*s))).collect();
        assert_eq!(
            values,
            [("eta", &OptionValue::Number(1e-3), "eta=1e-3"), ("steps", &OptionValue::Number(70.0), "70")]
        );
    }

    #[test]
    fn another_method_drops_the_models_options_and_the_same_keeps_them() {
        let mut sources = Sources::new();
        let solve = model_solve(&mut sources);
        let mut options =
            |text| choose(&mut sources, Some(&solve), &flags(Some(text), &[], None), "none").unwrap().options;
        assert_eq!(options("rhg").len(), 0);
        assert_eq!(options("bome").len(), 2);
        let given = options("bome(start = learned(bound = 2), decay = power(0.5), on = true, c = -.5)");
        let call =
            |w: &str, n: &str, v| OptionValue::Call(w.into(), vec![(n.into(), OptionValue::Number(v))]);
        let values: Vec<_> = given.into_iter().map(|(_, value, _)| value).collect();
        assert_eq!(
            values,
            [
                call("learned", "bound", 2.0),
                call("power", "", 0.5),
                OptionValue::Bool(true),
                OptionValue::Number(-0.5)
            ]
        );
    }

    #[test]
    fn lists_are_split_outside_of_brackets() {
        let found = list("bome(lower_steps = 20, f = g(1, 2)), cg ,, rhg");
        assert_eq!(found, ["bome(lower_steps = 20, f = g(1, 2))", "cg", "rhg"]);
        assert_eq!(list("bome(a = (1, cg"), ["bome(a = (1, cg"]);
        assert_eq!(named_options(&found[0]), ("bome".into(), vec!["lower_steps".into(), "f".into()]));
        assert!(list(" , ").is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_pointed_at() {
        for (text, rest) in [
            ("", ""),
            ("bome(", ""),
            ("bome(steps)", ")"),
            ("bome(steps = )", ")"),
            ("bome) x", ") x"),
            ("9", "9"),
        ] {
            let mut sources = Sources::new();
            let errors = choose(&mut sources, None, &flags(Some(text), &[], None), "none").unwrap_err();
            assert_eq!(sources.snippet(errors[0].span()), rest, "{text}");
        }
        let mut sources = Sources::new();
        let deep = format!("m(a = {})", "f(".repeat(5000));
        assert!(
            choose(&mut sources, None, &flags(Some(&deep), &[("a", "1 2")], None), "none").unwrap_err().len()
                == 2
        );
    }
}
