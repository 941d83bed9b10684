//! What happens to a text that was entered: a statement changes the model, an expression is worked out.

use blo_compiler::Draft;
use blo_compiler::inspect::{formula, value};
use blo_compiler::ir::eval::EvalError;
use blo_compiler::model::Model;
use blo_grammar::ast::{Expr, ExprKind, Ident, ItemKind};
use blo_grammar::parse::entry::{begins_like_statement, level_prefix, opens_statement};
use blo_grammar::parse::{parse, parse_expression};
use blo_grammar::span::{FileId, Span};

use super::state::{Asked, Fault, Repl};
use super::statements::name;
use super::value::{show, type_text};
use crate::files::Trouble;

/// Lines of a formula that are shown.
const FORMULA_LINES: usize = 24;

impl Repl {
    /// Takes in statements or works out an expression.
    pub fn enter(&mut self, text: &str) -> Result<(), Fault> {
        let prefix = level_prefix(text);
        if prefix.is_some() || opens_statement(text) {
            return self.statements_of(text);
        }
        if begins_like_statement(text) && parse_expression(FileId(0), text).is_err() {
            // The parser of statements knows what other languages write.
            return self.statements_of(text);
        }
        if let Some(trouble) = self.assignment(text) {
            return Err(trouble.into());
        }
        let asked = self.ask(text)?;
        self.show_answer(&asked)
    }

    /// `x = 3` is neither.
    fn assignment(&self, text: &str) -> Option<Trouble> {
        let (left, right) = text.split_once('=')?;
        let (left, right) = (left.trim(), right.trim());
        let is_name = !left.is_empty() && left.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !is_name || right.starts_with('=') || right.is_empty() {
            return None;
        }
        let trouble = Trouble::new(format!("`{left} = …` is no statement"));
        Some(match self.statements.settable(left, &self.sources) {
            Some(_) => trouble.help(format!("`:set {left}={right}` gives it another value")),
            None => trouble.help(format!(
                "write `let {left} = {right}`, or `param {left} = {right}` for a number to play with"
            )),
        })
    }

    fn statements_of(&mut self, text: &str) -> Result<(), Fault> {
        let file = self.entry(text);
        let prefix = level_prefix(text);
        // Blanks in the place of the level keep every column.
        let blanked = prefix.as_ref().map(|p| format!("{}{}", " ".repeat(p.end), &text[p.end..]));
        let (ast, diagnostics) = parse(file, blanked.as_deref().unwrap_or(text));
        let sources = self.sources.clone();
        self.draw(&sources, &diagnostics)?;
        let was_missing = !self.check(None)?.missing.is_empty();
        let place = Span::new(file, 0, prefix.as_ref().map_or(0, |p| text[..p.end].trim_end().len()));
        let declared: Vec<Ident> = ast.items.iter().filter_map(|item| name(item).cloned()).collect();
        let values = |item: &ItemKind| !matches!(item, ItemKind::Fn(_) | ItemKind::Constraint(_));
        let single = match (ast.items.as_slice(), declared.as_slice()) {
            ([item], [name]) if values(&item.kind) => Some(name.clone()),
            _ => None,
        };
        let in_levels =
            prefix.is_some() || ast.items.iter().any(|item| matches!(item.kind, ItemKind::Level(_)));
        let question = single.clone().map(|name| {
            let span = name.span;
            Expr { kind: ExprKind::Name(vec![name]), span }
        });
        let draft = self.change(|repl| {
            for item in ast.items {
                let text = repl.sources.snippet(item.span).to_owned();
                let comments: String = item.comments.iter().map(|line| format!("# {line}\n")).collect();
                repl.statements.put(prefix.as_ref().map(|p| (p, place)), item, comments + &text)?;
            }
            Ok(question)
        })?;
        self.describe(single.as_ref(), &draft);
        if was_missing && draft.missing.is_empty() {
            self.say("the model is complete; `:solve` solves it\n");
        } else if in_levels && !draft.missing.is_empty() {
            self.say(&format!("still missing: {}\n", draft.missing.join(", ")));
        }
        Ok(())
    }

    /// Says what was declared.
    fn describe(&self, single: Option<&Ident>, draft: &Draft) {
        let (Some(model), Some(answer), Some(name)) = (&draft.model, &draft.answer, single) else { return };
        let unbound = model.data.iter().any(|d| d.name == name.name && d.value.is_none());
        let hint =
            if unbound { format!("; `:data {}=FILE` gives it values", name.name) } else { String::new() };
        self.say(&format!("{}: {}{hint}\n", name.name, type_text(model, answer)));
    }

    fn show_answer(&mut self, asked: &Asked) -> Result<(), Fault> {
        let Asked { model, answer, expr } = asked;
        if let Some(head) = gradient_head(expr, self) {
            self.say(&formula_text(&head, model, asked));
        }
        let bindings = self.bindings(model);
        let array = value(model, answer.node, &bindings).map_err(|e| {
            if e == EvalError::Stopped {
                return Trouble::new("interrupted");
            }
            let found_out = model.results.iter().any(|result| e.to_string().contains(result.name));
            Trouble::new(format!("this has no value yet: {e}")).help(match found_out {
                true => "`:solve` finds it out",
                false => "`:data NAME=FILE` binds data; `:type` tells the type without a value",
            })
        })?;
        self.say(&show(model.graph.ty(answer.node), &type_text(model, answer), &array));
        Ok(())
    }
}

/// What was written, where it is a gradient.
fn gradient_head(expr: &Expr, repl: &Repl) -> Option<String> {
    match &expr.kind {
        ExprKind::Call { function, .. } if function.name == "grad" => {
            Some(repl.sources.snippet(expr.span).to_owned())
        }
        _ => None,
    }
}

/// `grad(F, x) = …` and what the formula refers to.
fn formula_text(head: &str, model: &Model, asked: &Asked) -> String {
    let texts = formula(model, asked.answer.node);
    let mut lines = vec![format!("{head} = {}", texts.formulas.first().map_or("", String::as_str))];
    lines.extend(texts.shared.iter().map(|(name, text)| format!("  with {name} = {text}")));
    let left = lines.len().saturating_sub(FORMULA_LINES);
    lines.truncate(FORMULA_LINES);
    if left > 0 {
        lines.push(format!("  … and {left} more"));
    }
    lines.join("\n") + "\n"
}
