//! The checker: syntax tree to [`Model`]. Names, element types, shapes by name and levels are checked while every expression
//! is turned into nodes of one graph. Loop indices are axes, so nothing here ever runs over elements.
//!
//! A value that could not be elaborated is `None`; whoever meets one stays silent, so each mistake is reported once.

mod arithmetic;
mod builtins;
mod call;
mod choice;
mod comprehension;
mod constraints;
mod data;
mod declarations;
mod dims;
pub mod draft;
mod emission;
mod expr;
mod flat;
mod followers;
mod habits;
mod index;
mod integers;
mod levels;
mod literal;
pub(crate) mod messages;
mod modules;
mod multipliers;
mod notes;
mod position;
pub mod print;
mod product;
mod random;
mod range;
mod results;
pub(crate) mod sampling;
mod scope;
mod slopes;
mod sparse;
mod static_value;
mod value;
mod warnings;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use blo_grammar::ast;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::source::Sources;
use blo_grammar::span::{FileId, Span};

use crate::ir::eval::Bindings;
use crate::ir::graph::{Graph, InputId, NodeId};
use crate::model::{Data, Model, ResultInput, Var};
use crate::session::{Loader, Options, Phase};
pub use builtins::{help as function_help, names as function_names};
pub use modules::STDLIB;
pub use notes::{Annotated, Note, annotate};
use position::IndexCheck;
use scope::{Decl, Frame, Module, Reads};
use value::{Axis, DimId, Value};

/// Parses and checks the model in `main`.
pub fn analyse(
    sources: &mut Sources,
    main: FileId,
    loader: &mut dyn Loader,
    options: &Options,
) -> (Option<Model>, Vec<Diagnostic>) {
    let Annotated { model, diagnostics, .. } = notes::checked(sources, main, loader, options, None);
    (model, diagnostics)
}

/// Checks a model that has been parsed, with what the parser found; its statements may come from several of the sources.
pub fn analyse_tree(
    sources: &mut Sources,
    ast: ast::Ast,
    parsed: Vec<Diagnostic>,
    loader: &mut dyn Loader,
    options: &Options,
) -> (Option<Model>, Vec<Diagnostic>) {
    loader.observer().begins(Phase::Check);
    let mut checker = Checker::new(sources, loader, options);
    checker.diagnostics.extend(parsed);
    let model = checker.model(ast);
    let mut diagnostics = std::mem::take(&mut checker.diagnostics);
    diagnostics.sort_by_key(Diagnostic::span);
    (model, diagnostics)
}

/// A dimension while its size is being found.
struct DimState {
    name: String,
    span: Span,
    value: Option<Rc<ast::DimValue>>,
    module: usize,
    alias: Option<DimId>,
    size: Option<usize>,
    assumed: bool,
    labels: Option<Vec<String>>,
    /// Where the size comes from, in words.
    origin: Option<(Span, String)>,
    active: bool,
    /// Whether the size is used as a number.
    counted: bool,
}

/// A loop index.
struct Loop {
    axis: Axis,
    start: i64,
    span: Span,
}

/// A variable with what the checker knows beyond the model.
struct VarState {
    var: Var,
    level: scope::LevelId,
    shape: value::Axes,
}

/// All state of one check.
pub(crate) struct Checker<'a> {
    sources: &'a mut Sources,
    loader: &'a mut dyn Loader,
    options: &'a Options,
    overrides: BTreeMap<String, ast::Expr>,
    diagnostics: Vec<Diagnostic>,
    /// What was said already, so that a function checked at two calls complains once.
    told: BTreeSet<(&'static str, Span, String)>,
    /// Words of statements that could not be read: a name among them may be declared there, so missing it is no news.
    broken: BTreeSet<String>,
    /// Whether a `use` that brings in everything found nothing: then any unknown name may have been meant to come from there.
    blind: bool,
    /// How many expressions are being worked out inside each other, through names and calls.
    depth: usize,
    /// How many calls of the model's functions were expanded.
    expansions: usize,
    graph: Graph,
    bindings: Bindings,
    /// Data whose values were looked at.
    decided: BTreeSet<InputId>,
    modules: Vec<Module>,
    decls: Vec<Decl>,
    dims: Vec<DimState>,
    loops: Vec<Loop>,
    data: Vec<Data>,
    /// Values of data by declaration; `None` while they are being worked out.
    fetched: BTreeMap<usize, Option<data::Sourced>>,
    /// What the loader said, by declaration.
    outside: BTreeMap<usize, Option<data::Sourced>>,
    /// Sparse data by declaration; `None` while they are being worked out.
    sparse: BTreeMap<usize, Option<sparse::Sourced>>,
    vars: Vec<VarState>,
    frames: Vec<Frame>,
    reads: Reads,
    index_checks: Vec<IndexCheck>,
    /// Conditions known before the solve that hold in the turns being elaborated: ranges, filters and branches.
    guards: Vec<Value>,
    /// Sums whose turns a method may sample.
    samples: Vec<sampling::Sample>,
    /// Where the reduction that was elaborated last added its terms up: the node, and the loops that the first axes of its operand
    /// are.
    summed: Option<(NodeId, value::Loops)>,
    /// What each `use` of the main file brought in.
    imports: Vec<modules::Import>,
    /// Names that two modules bring in.
    hidden: Vec<modules::Hidden>,
    /// Names of other modules that a module has looked up.
    imports_used: BTreeSet<(usize, usize)>,
    /// Variables that stand for one copy per turn, while a gradient is taken turn by turn: the node and the copies.
    copies: Vec<(NodeId, Value)>,
    /// Values of a level's `let`s on these copies, by how many there are and the declaration.
    copied_lets: BTreeMap<(usize, usize), Option<Value>>,
    constraints: Vec<constraints::ConstraintState>,
    /// Known numbers that expressions are held above or below, for contradictions.
    limits: Vec<constraints::Limit>,
    /// The objectives that are worked out, with whether they are maximised.
    objectives: BTreeMap<scope::LevelId, (Value, bool)>,
    /// The names of the followers, in order.
    followers: Vec<Option<ast::Ident>>,
    results: Vec<(ResultInput, NodeId)>,
    assumed_count: usize,
    /// Whether the model may be unfinished, and what is asked about it.
    draft: Option<draft::Drafting>,
    /// What expressions are, where someone asked.
    notes: Option<Vec<Note>>,
}

impl<'a> Checker<'a> {
    fn new(sources: &'a mut Sources, loader: &'a mut dyn Loader, options: &'a Options) -> Self {
        Checker {
            sources,
            loader,
            options,
            overrides: BTreeMap::new(),
            diagnostics: Vec::new(),
            told: BTreeSet::new(),
            broken: BTreeSet::new(),
            blind: false,
            depth: 0,
            expansions: 0,
            graph: Graph::new(),
            bindings: Bindings::new(),
            decided: BTreeSet::new(),
            modules: Vec::new(),
            decls: Vec::new(),
            dims: Vec::new(),
            loops: Vec::new(),
            data: Vec::new(),
            fetched: BTreeMap::new(),
            outside: BTreeMap::new(),
            sparse: BTreeMap::new(),
            vars: Vec::new(),
            frames: Vec::new(),
            reads: Reads::Data("the model"),
            index_checks: Vec::new(),
            guards: Vec::new(),
            samples: Vec::new(),
            summed: None,
            imports: Vec::new(),
            hidden: Vec::new(),
            imports_used: BTreeSet::new(),
            notes: None,
            copies: Vec::new(),
            copied_lets: BTreeMap::new(),
            constraints: Vec::new(),
            limits: Vec::new(),
            objectives: BTreeMap::new(),
            followers: Vec::new(),
            results: Vec::new(),
            assumed_count: 0,
            draft: None,
        }
    }
}
