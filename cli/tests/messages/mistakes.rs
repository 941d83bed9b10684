//! One mistake, one message. Every case in `cases/*.txt` is a model with a mistake that people make:
//!
//! ```text
//! == what the mistake is
//! marks: the text that the first label covers
//! help: a part of the advice, which names the way out
//! command: check model.blo        (this one unless given)
//! --
//! the model
//! --
//! the message as drawn            (`BLESS=1` rewrites it)
//! ```

use std::collections::BTreeSet;
use std::fs;

use crate::{messages, root};

/// A case as it stands in its file.
struct Case<'t> {
    title: &'t str,
    /// The lines up to the message.
    head: &'t str,
    model: &'t str,
    message: &'t str,
}

impl<'t> Case<'t> {
    fn new(text: &'t str) -> Self {
        let (title, _) = text.split_once('\n').unwrap();
        let mut parts = text.splitn(3, "\n--\n");
        let fields = parts.next().unwrap();
        let model = parts.next().unwrap_or_else(|| panic!("{title}: no model"));
        let message = parts.next().unwrap_or("");
        let head = &text[..fields.len() + "\n--\n".len() + model.len() + "\n--\n".len()];
        Case { title, head, model, message }
    }

    fn field(&self, name: &str) -> Option<&'t str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// Complaints about a case, and its message as drawn.
fn judge(case: &Case) -> (Vec<String>, String) {
    let command: Vec<&str> = case.field("command").unwrap_or("check model.blo").split(' ').collect();
    let found = messages(&format!("{}\n", case.model), &command, None);
    let [message] = found.as_slice() else {
        let all: String = found.iter().map(|m| m.rendered.as_str()).collect();
        return (vec![format!("{} messages:\n{all}", found.len())], String::new());
    };
    let mut complaints = Vec::new();
    let marks = case.field("marks").expect("every case says what is marked");
    if message.marked != marks {
        complaints.push(format!("`{}` is marked, not `{marks}`", message.marked));
    }
    let help = case.field("help").expect("every case says what helps");
    if help.is_empty() || !message.help.contains(help) {
        complaints.push(format!("`{help}` is not in the help `{}`", message.help));
    }
    let lines: Vec<&str> = message.rendered.lines().map(str::trim_end).collect();
    (complaints, format!("{}\n", lines.join("\n")))
}

#[test]
fn every_mistake_has_one_message_that_names_the_way_out() {
    let mut files: Vec<_> =
        fs::read_dir(root("cli/tests/messages/cases")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut complaints = String::new();
    let (mut models, mut codes) = (BTreeSet::new(), BTreeSet::new());
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let mut parts = text.split("\n== ");
        let mut rewritten = parts.next().unwrap().to_owned();
        for case in parts.map(Case::new) {
            let (wrong, drawn) = judge(&case);
            let same = drawn.trim_end() == case.message.trim_end();
            let blessed = std::env::var_os("BLESS").is_some();
            for complaint in
                wrong.into_iter().chain((!same && !blessed).then(|| format!("now it says\n{drawn}")))
            {
                complaints += &format!("{}: {}: {complaint}\n", path.display(), case.title);
            }
            models.insert(case.model.to_owned());
            codes.extend(drawn.split(['[', ']']).nth(1).map(str::to_owned));
            rewritten += &format!("\n== {}{drawn}", case.head);
        }
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, rewritten).unwrap();
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
    assert!(models.len() >= 200 && codes.len() >= 40, "{} mistakes, {} codes", models.len(), codes.len());
}
