//! `blo explain`: what a code means, and the list of all codes; and of a model the formulas that blo works with. The texts of codes
//! stand beside the checks they belong to.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use blo_compiler::codes::{self, Code, Example};
use blo_compiler::convexity;
use blo_compiler::model::Model;
use blo_compiler::notation::{self, Order, Written};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse::{nearest, parse};
use blo_runtime::solvers;
use serde_json::json;

use super::check::checked;
use super::{FINE, WRONG_INPUT, end, print_out, refuse};
use crate::args::{self, ExplainArgs, ModelArgs};
use crate::automatic::{Automatic, automatic};
use crate::drawing::{Drawing, Format};
use crate::dry;
use crate::example::messages;
use crate::files::{Trouble, quoted_list, replace};
use crate::output::convexity::{account as curvature, document};
use crate::output::cost;
use crate::output::overview::overview;
use crate::render::Renderer;
use crate::session::{Plan, Session};

/// Columns of an explanation.
const WIDTH: usize = 80;

/// Runs the command.
pub fn run(args: &ExplainArgs) -> ExitCode {
    match &args.target {
        Some(target) if is_model(target) => formulas(args, target),
        wanted => match flag(args) {
            Some(flag) => {
                let trouble = Trouble::new(format!("`{flag}` explains a model, and none is named"))
                    .help(format!("write `blo explain model.blo {flag}`"));
                Renderer::new(args::Format::Text).trouble(&trouble);
                ExitCode::from(WRONG_INPUT)
            }
            None => code(wanted.as_deref()),
        },
    }
}

/// The flag that asks for formulas, where one is given.
fn flag(args: &ExplainArgs) -> Option<&'static str> {
    let flags = [
        (args.text, "--text"),
        (args.gradient, "--gradient"),
        (args.hessian, "--hessian"),
        (args.kkt, "--kkt"),
        (args.latex, "--latex"),
        (args.graph.is_some(), "--graph"),
    ];
    flags.into_iter().find_map(|(given, flag)| given.then_some(flag))
}

/// Whether a word names a model and not a code.
fn is_model(target: &str) -> bool {
    target.ends_with(".blo") || Path::new(target).exists()
}

fn code(wanted: Option<&str>) -> ExitCode {
    let mut renderer = Renderer::new(args::Format::Text);
    let all = codes::all();
    let Some(wanted) = wanted else {
        let lines: Vec<String> =
            all.iter().map(|entry| format!("{}  {}\n", entry.code, entry.title)).collect();
        return print_out(&mut renderer, &lines.concat(), FINE);
    };
    match codes::explain(wanted.trim()) {
        Some(entry) => print_out(&mut renderer, &page(entry), FINE),
        None => {
            renderer.trouble(&unknown(wanted, &all));
            ExitCode::from(WRONG_INPUT)
        }
    }
}

/// Formulas of a model.
fn formulas(args: &ExplainArgs, target: &str) -> ExitCode {
    let model_args = ModelArgs { model: PathBuf::from(target), input: args.input.clone() };
    let mut session = match Session::open(&model_args) {
        Ok(session) => session,
        Err(mut renderer) => return end(&mut renderer, "", &[], WRONG_INPUT),
    };
    if flag(args).is_none() {
        return account(&mut session, &model_args);
    }
    if let Some(Some(file)) = &args.graph {
        let done = drawn(&mut session, &model_args, file);
        return if done.is_some() {
            end(&mut session.renderer, "", &[], FINE)
        } else {
            refuse(&mut session.renderer)
        };
    }
    let Some(model) = session.model(&model_args, false) else { return refuse(&mut session.renderer) };
    match view(args, &session, &model) {
        Ok(text) => {
            let document = json!(text);
            end(&mut session.renderer, &text, &[("text", document)], FINE)
        }
        Err(diagnostics) => {
            session.tell(&diagnostics);
            refuse(&mut session.renderer)
        }
    }
}

/// Writes the drawing of a model into a file; `None` when something is wrong, which has been told.
fn drawn(session: &mut Session, args: &ModelArgs, file: &Path) -> Option<()> {
    let format = session.settled(Format::of(file))?;
    let model = session.model(args, false)?;
    let text = Drawing::of(&session.sources.get(session.main).text, &model).written(format);
    let done = replace(file, text.as_bytes());
    session.settled(done)
}

/// What a model is, how it will be solved and why, and what that costs.
fn account(session: &mut Session, args: &ModelArgs) -> ExitCode {
    let Some((model, plan)) = checked(session, args) else { return refuse(&mut session.renderer) };
    let found = convexity(&model);
    let mut text = overview(&args.model.display().to_string(), &model, plan.as_ref());
    text.push('\n');
    text.push_str(&curvature(&session.renderer, &session.sources, &model, &found));
    let mut parts = vec![("convexity", document(&session.sources, &found))];
    text.truncate(text.trim_end().len());
    text.push('\n');
    if let Some(plan) = &plan {
        let (said, method) = choice(&model, plan);
        text.push_str(&said);
        parts.push(("method", method));
        let needs = solvers::needs(plan.solver, &plan.settings);
        match blo_compiler::costs(&mut model.clone(), &needs) {
            Ok(costs) => {
                let iteration = dry::iteration(&model, plan, args.input.seed);
                text.push_str(&cost::account(&costs, iteration.as_ref()));
                parts.push(("cost", cost::document(&costs, iteration.as_ref())));
            }
            Err(diagnostics) => {
                session.tell(&diagnostics);
                return refuse(&mut session.renderer);
            }
        }
    }
    end(&mut session.renderer, &text, &parts, FINE)
}

/// The method that a run takes, and what `auto` takes and why.
fn choice(model: &Model, plan: &Plan) -> (String, serde_json::Value) {
    let name = plan.solver.name;
    let mut text = format!("\nmethod {name}: {}\n", plan.solver.summary);
    let automatic = automatic(model);
    if let Some(Automatic { method, because, .. }) = &automatic {
        let verb = if *method == name { "too takes" } else { "would take" };
        text.push_str(&wrapped(&format!("`auto` {verb} `{method}`, because {because}")));
    }
    let automatic = automatic.map(|a| json!({ "method": a.method, "because": a.because }));
    (text, json!({ "name": name, "auto": automatic }))
}

/// What the flags ask for.
fn view(args: &ExplainArgs, session: &Session, model: &Model) -> Result<String, Vec<Diagnostic>> {
    if args.graph.is_some() {
        let source = session.sources.get(session.main);
        return Ok(Drawing::of(&source.text, model).written(Format::Dot));
    }
    if args.gradient || args.hessian {
        let order = if args.gradient { Order::First } else { Order::Second };
        return notation::derivatives(model, order, args.latex);
    }
    match (args.kkt, args.latex) {
        (true, true) => notation::single_level_latex(model),
        (true, false) => Ok(program(session, &notation::single_level(model)?)),
        (false, true) => Ok(notation::levels_latex(model)),
        (false, false) => Ok(program(session, &notation::levels(model))),
    }
}

/// Levels as a whole file, with the declarations of the model they come from.
fn program(session: &Session, written: &Written) -> String {
    let source = session.sources.get(session.main);
    let (ast, _) = parse(session.main, &source.text);
    let mut out = notation::declarations(&source.text, &ast);
    if !out.is_empty() {
        out.push('\n');
    }
    if let Some(missing) = written.missing {
        let _ = writeln!(out, "# not a model: the language has no words for {missing}");
    }
    out + &written.text
}

/// Code and title, the explanation, the wrong example with its message, and the right one.
pub fn page(entry: &Code) -> String {
    let Code { code, title, explanation, wrong, right } = entry;
    let mut out = format!("{code}: {title}\n\n{}\nWrong:\n\n", wrapped(explanation));
    out += &indented(wrong.model);
    let _ = writeln!(out, "\n`{}` says:\n\n{}", wrong.command_line(), indented(&messages(wrong)));
    let _ = writeln!(out, "Right{}:\n\n{}", other_command(wrong, right), indented(right.model).trim_end());
    out
}

/// The command of the right example, where the difference is there.
fn other_command(wrong: &Example, right: &Example) -> String {
    if wrong.command == right.command { String::new() } else { format!(", with `{}`", right.command_line()) }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}

/// A paragraph in lines of at most [`WIDTH`] characters.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 {
            let fits = column + 1 + length <= WIDTH;
            out.push(if fits { ' ' } else { '\n' });
            column = if fits { column + 1 } else { 0 };
        }
        out.push_str(word);
        column += length;
    }
    out.push('\n');
    out
}

fn unknown(wanted: &str, all: &[&Code]) -> Trouble {
    let trouble = Trouble::new(format!("there is no code `{wanted}`"));
    let is_near = |entry: &&&Code| nearest(wanted, [entry.code]).is_some();
    let near: Vec<String> = all.iter().filter(is_near).map(|entry| entry.code.to_string()).collect();
    match near.is_empty() {
        true => trouble.help("`blo explain` lists all codes; the name of a model ends in `.blo`"),
        false => trouble.help(format!("codes like it: {}; `blo explain` lists all", quoted_list(&near))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_complete() {
        for entry in codes::all() {
            assert!(!entry.title.is_empty() && !entry.title.ends_with('.'), "{}", entry.code);
            assert!(entry.explanation.ends_with(['.', '`']), "{}", entry.code);
            assert!(wrapped(entry.explanation).lines().all(|l| l.chars().count() <= WIDTH), "{}", entry.code);
        }
    }

    #[test]
    fn a_page_has_all_parts() {
        let code = codes::explain("E0203").unwrap();
        let page = page(code);
        for part in [
            "E0203: shapes do not match",
            "Elementwise",
            "      minimize mean(logsumexp(W @ X[i])",
            "`blo check model.blo` says:",
            "    [E0203] Error: shapes do not match in `@`",
            "`X[i] @ W` matches",
            "      minimize mean(logsumexp(X[i] @ W)",
        ] {
            assert!(page.contains(part), "`{part}` is not in\n{page}");
        }
        assert_eq!(messages(&code.right), "");
    }
}
