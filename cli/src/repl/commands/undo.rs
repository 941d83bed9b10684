//! `:undo`, `:reset`, `:drop`: taking things back.

use std::collections::BTreeMap;

use blo_grammar::parse::nearest;

use super::super::state::Course;
use super::super::statements::Statements;
use super::{Command, Next, Takes};
use crate::files::Trouble;

/// `:undo`.
pub static UNDO: Command = Command {
    name: "undo",
    arguments: "[N]",
    summary: "Take back the last change of the model, or the last N",
    more: "Statements, `:load`, `:data`, `:set`, `:drop` and `:reset` are changes; the point comes back with them.",
    example: ":undo",
    takes: Takes::Nothing,
    run: |repl, rest| {
        let count = match rest {
            "" => 1,
            rest => rest
                .parse::<usize>()
                .map_err(|_| Trouble::new(format!("`{rest}` is no number of changes")))?,
        };
        let done = (0..count).take_while(|_| repl.undo()).count();
        if done == 0 {
            return Err(Trouble::new("there is nothing to undo").into());
        }
        repl.list_names();
        let noun = if done == 1 { "change" } else { "changes" };
        repl.say(&format!("took back {done} {noun}\n"));
        Ok(Next::Goes)
    },
};

/// `:reset`.
pub static RESET: Command = Command {
    name: "reset",
    arguments: "[point]",
    summary: "Begin with an empty model; `:reset point` goes back to the starts only",
    more: "",
    example: ":reset point",
    takes: Takes::Nothing,
    run: |repl, rest| {
        match rest {
            "" => {
                repl.remember();
                (repl.statements, repl.path) = (Statements::default(), None);
                repl.data.clear();
                repl.list_names();
            }
            "point" => {}
            other => {
                return Err(Trouble::new(format!("`:reset` does not know `{other}`"))
                    .help("`:reset` empties the model, `:reset point` goes back to the starts")
                    .into());
            }
        }
        repl.known = BTreeMap::new();
        (repl.kept, repl.last) = (None, None);
        (repl.course, repl.findings, repl.method) = (Course::default(), Vec::new(), None);
        Ok(Next::Goes)
    },
};

/// `:drop`.
pub static DROP: Command = Command {
    name: "drop",
    arguments: "NAME",
    summary: "Take a declaration out of the model",
    more: "A name, a level (`upper`, `lower`, `lower NAME`), `solve`, `precision`, or `expect` for all expectations.",
    example: ":drop test_error",
    takes: Takes::Name,
    run: |repl, rest| {
        let draft = repl.change(|repl| {
            if repl.statements.drop(rest) {
                return Ok(None);
            }
            let names = repl.statements.names();
            let trouble = Trouble::new(format!("the model has no `{rest}`"));
            Err(match nearest(rest, names.iter().map(String::as_str)) {
                Some(near) => trouble.help(format!("did you mean `{near}`?")),
                None => trouble,
            }
            .into())
        })?;
        if !draft.missing.is_empty() && !repl.statements.is_empty() {
            repl.say(&format!("the model lacks {} now\n", draft.missing.join(" and ")));
        }
        Ok(Next::Goes)
    },
};
