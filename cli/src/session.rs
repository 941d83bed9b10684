//! From the arguments to a checked model and a plan for solving it. Whatever is wrong on the way is drawn here, so callers
//! only learn whether they can go on.

use std::collections::BTreeSet;
use std::rc::Rc;

use blo_compiler::model::{Model, OptionValue, Precision};
use blo_compiler::session::Options;
use blo_compiler::{analyse, analyse_tree};
use blo_grammar::ast::Ast;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::source::Sources;
use blo_grammar::span::{FileId, Span};
use blo_runtime::problem::Feature;
use blo_runtime::settings::{Settings, Value};
use blo_runtime::solvers::{self, SOLVERS, Solver};

use crate::args::{MethodArgs, ModelArgs, PrecisionArg};
use crate::automatic::{AUTO, automatic, default_method};
use crate::data::{FileLoader, Memory};
use crate::files::{self, Trouble};
use crate::method::{self, Choice};
use crate::render::Renderer;
use crate::stopwatch::Stopwatch;
use crate::wrong_option::wrong_option;

/// The sources of a command, and who tells about what is wrong in them.
pub struct Session {
    /// The model, what it uses, and the command line.
    pub sources: Sources,
    /// The model's file.
    pub main: FileId,
    /// Where messages go.
    pub renderer: Renderer,
    /// How long each part takes.
    pub clock: Rc<Stopwatch>,
    /// A syntax tree that stands for the text of the model's file.
    pub tree: Option<Ast>,
    /// Warnings that have been told and are not told again.
    pub heard: BTreeSet<String>,
    /// Data that were read before.
    pub memory: Memory,
}

/// How a model will be solved.
pub struct Plan {
    /// The method.
    pub solver: &'static Solver,
    /// A checked value for each of its options.
    pub settings: Settings,
    /// Why, where the method was left to blo.
    pub because: Option<String>,
}

impl Session {
    /// Reads the model's text. When that failed, what is left has said so.
    pub fn open(args: &ModelArgs) -> Result<Session, Renderer> {
        let mut renderer = Renderer::new(args.input.format);
        let clock = Rc::new(Stopwatch::start());
        match files::read_text(&args.model) {
            Ok(text) => {
                let session = Session::of(&args.model.display().to_string(), text, renderer);
                Ok(Session { clock, ..session })
            }
            Err(trouble) => {
                renderer.trouble(&trouble);
                Err(renderer)
            }
        }
    }

    /// A session for a model that has been read.
    pub fn of(name: &str, text: String, renderer: Renderer) -> Session {
        let mut sources = Sources::new();
        let main = sources.add(name, text);
        let clock = Rc::new(Stopwatch::start());
        Session {
            sources,
            main,
            renderer,
            clock,
            tree: None,
            heard: BTreeSet::new(),
            memory: Memory::default(),
        }
    }

    /// Draws these; true when one of them is an error.
    pub fn tell(&mut self, diagnostics: &[Diagnostic]) -> bool {
        let is_news = |d: &&Diagnostic| {
            d.is_error()
                || self.heard.insert(format!("{} {} {}", d.code, d.message, self.sources.snippet(d.span())))
        };
        let news: Vec<Diagnostic> = diagnostics.iter().filter(is_news).cloned().collect();
        self.renderer.diagnostics(&self.sources, &news);
        diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The value, or `None` after the trouble was told.
    pub fn settled<T>(&mut self, found: Result<T, Trouble>) -> Option<T> {
        found.map_err(|trouble| self.renderer.trouble(&trouble)).ok()
    }

    /// Checks the model. `need_data`: whether data without values are an error.
    pub fn model(&mut self, args: &ModelArgs, need_data: bool) -> Option<Model> {
        let options = Options {
            overrides: args.input.set.clone(),
            seed: args.input.seed,
            precision: args.input.precision.map(|precision| match precision {
                PrecisionArg::F32 => Precision::F32,
                PrecisionArg::F64 => Precision::F64,
            }),
            need_data,
        };
        let mut loader = FileLoader::new(&args.model, args.input.data.clone(), self.clock.clone())
            .remembering(&self.memory);
        let (model, diagnostics) = match self.tree.clone() {
            Some(tree) => analyse_tree(&mut self.sources, tree, Vec::new(), &mut loader, &options),
            None => analyse(&mut self.sources, self.main, &mut loader, &options),
        };
        let wrong = self.tell(&diagnostics);
        let model = model.filter(|_| !wrong)?;
        // Only a model that was checked to its end has asked for all of its data.
        let unused = loader.unused();
        for trouble in &unused {
            self.renderer.trouble(trouble);
        }
        unused.is_empty().then_some(model)
    }

    /// Chooses the method and checks its options.
    pub fn plan(&mut self, model: &Model, flags: &MethodArgs, seed: u64) -> Option<Plan> {
        let default = if model.lower.is_some() { AUTO } else { default_method(model) };
        let plan = method::choose(&mut self.sources, model.solve.as_ref(), flags, default)
            .and_then(|choice| settle(&self.sources, model, choice, seed));
        match plan {
            Ok(plan) => Some(plan),
            Err(diagnostics) => {
                self.tell(&diagnostics);
                None
            }
        }
    }
}

/// Looks the method up and lets it check the options.
fn settle(sources: &Sources, model: &Model, mut choice: Choice, seed: u64) -> Result<Plan, Vec<Diagnostic>> {
    let (mut because, mut set) = (None, Vec::new());
    if choice.method == AUTO {
        match automatic(model) {
            Some(found) => {
                choice.method = found.method.to_owned();
                set = found.options;
                because = Some(found.because);
            }
            // Then it is the model that is to blame, not the name of a method.
            None => {
                choice.method = default_method(model).to_owned();
                choice.method_span = None;
            }
        }
    }
    // A default method comes without options, and its place is only needed when it does not fit.
    let place = choice.method_span.unwrap_or(model.upper.span);
    let Some(solver) = solvers::named(&choice.method) else {
        return Err(vec![unknown_method(&choice.method, place)]);
    };
    if let Some(misfit) = misfit(model, solver, choice.method_span) {
        return Err(vec![misfit]);
    }
    let places: Vec<Span> = choice.options.iter().map(|(_, _, span)| *span).collect();
    let mut written: Vec<(String, Value)> =
        choice.options.into_iter().map(|(name, value, _)| (name, runtime_value(value))).collect();
    let set = set.into_iter().map(|(name, value)| (name, value as f64)).chain([("seed", seed as f64)]);
    for (name, value) in set {
        if !written.iter().any(|(other, _)| other == name) {
            written.push((name.to_owned(), Value::Number(value)));
        }
    }
    let levels = [Some(&model.upper), model.lower.as_ref()];
    let variables =
        levels.into_iter().flatten().flat_map(|level| level.vars.iter().map(|var| var.name.as_str()));
    let settings = solver.settings(&written, variables).map_err(|errors| {
        errors
            .iter()
            .map(|error| {
                let place = places.get(error.index).copied().unwrap_or(place);
                wrong_option(solver, error, place, sources.snippet(place))
            })
            .collect::<Vec<_>>()
    })?;
    Ok(Plan { solver, settings, because })
}

/// Why the method is not for the model, and which ones are.
fn misfit(model: &Model, solver: &Solver, named: Option<Span>) -> Option<Diagnostic> {
    let (asks, places): (Vec<Feature>, Vec<Span>) = model.asks().into_iter().unzip();
    let has_lower = model.lower.is_some();
    let reason = solver.misfit(has_lower, &asks)?;
    let names: Vec<String> = solvers::fitting(has_lower, &asks).map(|s| format!("`{}`", s.name)).collect();
    let parties = asks.iter().zip(&places).filter(|(feature, _)| !solver.handles.contains(feature));
    let mut diagnostic = match (named, places.first()) {
        (None, Some(place)) => {
            let message = "no method of this version solves this model";
            let label = format!("the model has {} here", asks[0].words());
            return Some(Diagnostic::error("E0502", message, *place, label));
        }
        (named, _) => {
            let message = format!("`{}` is not for this model", solver.name);
            Diagnostic::error("E0502", message, named.unwrap_or(model.upper.span), reason)
        }
    };
    for (feature, place) in parties {
        diagnostic = diagnostic.label(*place, format!("the model has {} here", feature.words()));
    }
    let fitting = match names.as_slice() {
        [] => "no method of this version fits".to_owned(),
        names => format!("methods that fit: {}", names.join(", ")),
    };
    Some(diagnostic.help(fitting))
}

fn unknown_method(name: &str, place: Span) -> Diagnostic {
    let all: Vec<String> = SOLVERS.iter().map(|solver| format!("`{}`", solver.name)).collect();
    let diagnostic =
        Diagnostic::error("E0502", format!("there is no method `{name}`"), place, "not a known method")
            .note(format!("the methods are {}; `{AUTO}` chooses one", all.join(", ")));
    match solvers::near(name) {
        Some(near) => diagnostic.did_you_mean(near),
        None => diagnostic,
    }
}

fn runtime_value(value: OptionValue) -> Value {
    match value {
        OptionValue::Number(number) => Value::Number(number),
        OptionValue::Bool(truth) => Value::Bool(truth),
        OptionValue::Word(word) => Value::Word(word),
        OptionValue::Call(word, arguments) => {
            Value::Call(word, arguments.into_iter().map(|(name, v)| (name, runtime_value(v))).collect())
        }
    }
}
