//! The checked model: names resolved, shapes and levels known, every expression a node of one [`Graph`].

use blo_grammar::span::Span;

use crate::ir::eval::Array;
use crate::ir::graph::{Graph, InputId, NodeId};
use crate::types::Type;

/// A dimension with its name, for messages and results.
#[derive(Clone, Debug, PartialEq)]
pub struct Dim {
    /// The name.
    pub name: String,
    /// The size.
    pub size: usize,
    /// Whether the size was made up because no data was bound (`blo check` of a model whose files are absent).
    pub assumed: bool,
    /// Labels, where declared.
    pub labels: Option<Vec<String>>,
    /// Where it was declared or first used.
    pub span: Span,
}

/// An array bound before the solve: `data`, `param`, or an array literal.
#[derive(Clone, Debug)]
pub struct Data {
    /// The name; empty for literals.
    pub name: String,
    /// The graph input it feeds.
    pub input: InputId,
    /// Its values; `None` when no data was bound (then the model can be checked but not run).
    pub value: Option<Array>,
    /// Names of its dimensions, for messages and results.
    pub dims: Vec<Option<String>>,
    /// The declaration.
    pub span: Span,
}

/// Where a variable may lie. Bounds depend on data alone and have the variable's shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// Everywhere.
    Free,
    /// Between two arrays (entries may be infinite).
    Interval(NodeId, NodeId),
    /// Nonnegative entries that sum to one (along the last axis).
    Simplex,
    /// Euclidean norm at most the radius (a scalar).
    Ball(NodeId),
}

/// Where a variable starts.
#[derive(Clone, Debug, PartialEq)]
pub enum Init {
    /// At these values (depends on data alone, has the variable's shape).
    Value(NodeId),
    /// Drawn from a normal distribution: mean, standard deviation.
    Normal(f64, f64),
    /// Drawn uniformly from an interval.
    Uniform(f64, f64),
}

/// A decision variable.
#[derive(Clone, Debug)]
pub struct Var {
    /// The name.
    pub name: String,
    /// Its type; always real in models that get this far.
    pub ty: Type,
    /// Names of its dimensions.
    pub dims: Vec<Option<String>>,
    /// Where it may lie.
    pub domain: Domain,
    /// Where it starts, before projection onto the domain.
    pub init: Init,
    /// The graph input it feeds.
    pub input: InputId,
    /// The node that reads it.
    pub node: NodeId,
    /// The declaration.
    pub span: Span,
}

/// One level.
#[derive(Clone, Debug)]
pub struct Level {
    /// A follower's name, where given.
    pub name: Option<String>,
    /// Its variables, in source order; this order is the flat layout.
    pub vars: Vec<Var>,
    /// The objective, always to be minimised: negated when the model says `maximize`.
    pub objective: NodeId,
    /// Whether the model says `maximize`.
    pub maximize: bool,
    /// The objective's expression.
    pub objective_span: Span,
    /// The block.
    pub span: Span,
}

/// A metric for the trace and the result: a scalar real, int or bool node.
#[derive(Clone, Debug)]
pub struct Report {
    /// The name.
    pub name: String,
    /// The value.
    pub node: NodeId,
    /// The declaration.
    pub span: Span,
}

/// A condition on the solution.
#[derive(Clone, Debug)]
pub struct Expect {
    /// As written.
    pub text: String,
    /// The condition: a scalar bool. May read the inputs in [`Model::results`].
    pub node: NodeId,
    /// The condition's place.
    pub span: Span,
}

/// A number the solver finds out, readable in `expect`: `lower.gap`, `lower.stationarity`, `hypergradient_norm`.
#[derive(Clone, Debug)]
pub struct ResultInput {
    /// The dotted name.
    pub name: &'static str,
    /// The graph input it feeds.
    pub input: InputId,
}

/// A sum or mean in an objective whose turns a stochastic method may sample: `i ~ n`. Every other method reads it as `i in n`.
#[derive(Clone, Debug)]
pub struct Sampled {
    /// The index.
    pub index: String,
    /// The number of turns.
    pub size: usize,
    /// The dimension it runs over, where it has a name.
    pub dim: Option<String>,
    /// Whether the terms are averaged, not summed.
    pub mean: bool,
    /// The sum, as the objectives read it before they are simplified.
    pub node: NodeId,
    /// The binder.
    pub span: Span,
}

/// A value of a `solve` option.
#[derive(Clone, Debug, PartialEq)]
pub enum OptionValue {
    /// A number; `integer` when it is a whole number.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A bare word or a string.
    Word(String),
    /// `rates(w = 10)` or `power(0.5)`; an option without a name has the empty one.
    Call(String, Vec<(String, OptionValue)>),
}

/// The `solve` declaration.
#[derive(Clone, Debug)]
pub struct Solve {
    /// The method's name.
    pub method: String,
    /// Its place.
    pub method_span: Span,
    /// The options with their places.
    pub options: Vec<(String, OptionValue, Span)>,
}

/// The model's arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit.
    F32,
    /// 64-bit, the default.
    F64,
}

/// The checked model.
pub struct Model {
    /// All expressions.
    pub graph: Graph,
    /// All named dimensions.
    pub dims: Vec<Dim>,
    /// Data, parameters and array literals.
    pub data: Vec<Data>,
    /// The leader.
    pub upper: Level,
    /// The follower; `None` for an ordinary optimisation.
    pub lower: Option<Level>,
    /// Metrics.
    pub reports: Vec<Report>,
    /// Conditions.
    pub expects: Vec<Expect>,
    /// Inputs that `expect` may read and the run binds afterwards.
    pub results: Vec<ResultInput>,
    /// Sums that may be sampled, in the order in which they were met.
    pub sampled: Vec<Sampled>,
    /// The default solver.
    pub solve: Option<Solve>,
    /// The arithmetic.
    pub precision: Precision,
}
