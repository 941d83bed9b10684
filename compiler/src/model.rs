//! The checked model: names resolved, shapes and levels known, every expression a node of one [`Graph`].

use std::sync::Arc;

use blo_grammar::span::Span;
use blo_runtime::problem::Feature;

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
    /// Whether an expression uses the size as a number.
    pub counted: bool,
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
    pub value: Option<Arc<Array>>,
    /// Names of its dimensions, for messages and results.
    pub dims: Vec<Option<String>>,
    /// Whether the values decided something while the model was checked: a size, a range, or other data.
    pub decided: bool,
    /// The declared range, its ends included.
    pub range: [f64; 2],
    /// For the nonzeros of a sparse matrix, which is then what `name` and `dims` are of: its rows and columns.
    pub matrix: Option<[usize; 2]>,
    /// The declaration.
    pub span: Span,
}

impl Data {
    /// Data of any values, whose matrix is dense.
    pub fn new(
        name: &str,
        input: InputId,
        value: Option<Arc<Array>>,
        dims: Vec<Option<String>>,
        span: Span,
    ) -> Data {
        let range = [f64::NEG_INFINITY, f64::INFINITY];
        Data { name: name.to_owned(), input, value, dims, decided: false, range, matrix: None, span }
    }
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
    /// Its type in arithmetic: always real, so that a relaxation can be differentiated.
    pub ty: Type,
    /// Whether it must be whole. Bounds and the start are whole then, and the domain is free or an interval.
    pub integer: bool,
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

/// How the residual of a constraint relates to 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `residual <= 0`.
    AtMost,
    /// `residual == 0`.
    Equal,
}

/// Which part of what was written a constraint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// All of it.
    Whole,
    /// `lo <= e` of `lo <= e <= hi`.
    Low,
    /// `e <= hi` of `lo <= e <= hi`.
    High,
}

/// A constraint, for every element of its residual: `a - b` for `a <= b` and `a == b`, `b - a` for `a >= b`. A chain
/// `lo <= e <= hi` is two constraints of one name and shape, with the residuals `lo - e` and `e - hi`.
///
/// The multiplier of a constraint is its factor in the Lagrangian `objective + sum(multiplier * residual)` of its level, with
/// the objective minimised; so it is at least 0 for [`Relation::AtMost`].
#[derive(Clone, Debug)]
pub struct Constraint {
    /// The name, where given.
    pub name: Option<String>,
    /// Names of the residual's dimensions, those of the family's indices first.
    pub dims: Vec<Option<String>>,
    /// How many leading axes are indices of the family.
    pub family: usize,
    /// The relation to 0.
    pub relation: Relation,
    /// What is related to 0: a real array.
    pub residual: NodeId,
    /// Which part of the written constraint this is.
    pub side: Side,
    /// The input that `dual(name)` reads, of the residual's shape; `None` where nothing reads it.
    pub multiplier: Option<InputId>,
    /// The two sides of the relation, left first.
    pub operands: (Span, Span),
    /// All that was written, from the name on.
    pub span: Span,
}

/// A follower with a name. Several are independent of each other, so that their variables together, with the sum of their
/// objectives, are one lower level that has the same solutions.
#[derive(Clone, Debug)]
pub struct Follower {
    /// The name.
    pub name: String,
    /// Its objective, to be minimised.
    pub objective: NodeId,
    /// Whether the model says `maximize`.
    pub maximize: bool,
    /// The objective's expression.
    pub objective_span: Span,
}

/// One level; with several followers, all of them together.
#[derive(Clone, Debug)]
pub struct Level {
    /// The followers with a name; none for the upper level and for a lower level without a name.
    pub followers: Vec<Follower>,
    /// Where the model asks for the pessimistic response.
    pub pessimistic: Option<Span>,
    /// Its variables, in source order; this order is the flat layout.
    pub vars: Vec<Var>,
    /// Its constraints, in source order.
    pub constraints: Vec<Constraint>,
    /// The objective, always to be minimised: negated when the model says `maximize`.
    pub objective: NodeId,
    /// Whether the model says `maximize`; with several followers, whether all of them do.
    pub maximize: bool,
    /// The objective's expression; the first follower's.
    pub objective_span: Span,
    /// The block; the first follower's.
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

/// How the follower's answer moves with an upper variable: a matrix that the check of a run finds.
#[derive(Clone, Debug)]
pub struct Slope {
    /// The name.
    pub name: String,
    /// The place of the variable among those of the lower level.
    pub of: usize,
    /// The place of the variable among those of the upper level.
    pub by: usize,
    /// As written.
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
    /// Whether the objectives are affine in the sum, so that an unbiased estimate of it gives one of theirs.
    pub unbiased: bool,
    /// The sum, as the objectives read it before they are simplified.
    pub node: NodeId,
    /// Where its terms are added up, a node of the operator `sum` or `scatter_add`, and the axis of its operand that the index is; `None` where that
    /// is not one place, so that it is always read whole.
    pub terms: Option<(NodeId, usize)>,
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
#[derive(Clone)]
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
    /// Reports of how the follower's answer moves.
    pub slopes: Vec<Slope>,
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

impl Level {
    /// The inputs that `dual` reads, in the order of the constraints: in flat vectors they follow the variables.
    pub fn multipliers(&self) -> impl Iterator<Item = InputId> + '_ {
        self.constraints.iter().filter_map(|c| c.multiplier)
    }
}

impl Model {
    /// What the model asks of a method beyond smooth objectives over simple domains, and where: each feature once.
    pub fn asks(&self) -> Vec<(Feature, Span)> {
        let mut asks = Vec::new();
        let lower = self.lower.as_ref();
        let first = |level: &Level| level.constraints.first().map(|c| c.span);
        asks.extend(first(&self.upper).map(|span| (Feature::UpperConstraints, span)));
        asks.extend(lower.and_then(first).map(|span| (Feature::LowerConstraints, span)));
        let read = lower.and_then(|l| l.constraints.iter().find(|c| c.multiplier.is_some()));
        asks.extend(read.map(|c| (Feature::Multipliers, c.span)));
        let whole = |level: &Level| level.vars.iter().find(|var| var.integer).map(|var| var.span);
        asks.extend(whole(&self.upper).map(|span| (Feature::UpperIntegers, span)));
        asks.extend(lower.and_then(whole).map(|span| (Feature::LowerIntegers, span)));
        asks.extend(lower.and_then(|l| l.pessimistic).map(|span| (Feature::Pessimistic, span)));
        asks
    }
}
