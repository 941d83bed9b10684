//! The syntax tree: what was written, with the place of every part. No name is looked up here.

use crate::span::{FileId, Span};

/// A name as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident {
    /// The name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// A parsed file. Statements that could not be read are [`ItemKind::Error`]; each left a diagnostic.
#[derive(Clone, Debug, PartialEq)]
pub struct Ast {
    /// The file that was parsed.
    pub file: FileId,
    /// Top-level declarations in source order.
    pub items: Vec<Item>,
}

/// A declaration at the top level or in a level block.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What is declared.
    pub kind: ItemKind,
    /// The whole declaration.
    pub span: Span,
    /// Comment lines directly above (without `#`), for documentation and the formatter.
    pub comments: Vec<String>,
}

/// The kinds of declaration. Which ones a place allows is the checker's business.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the example of a variant shows its fields")]
pub enum ItemKind {
    /// `use std.nn`, `use std.losses (huber)`, `use "mine.blo"`.
    Use(Use),
    /// `dim n`, `dim n = 100`, `dim m = n`, `dim city = ["Paris", "Lyon"]`.
    Dim { name: Ident, value: Option<DimValue> },
    /// `data X: real[n, d] from "file"`.
    Data(Data),
    /// `param lam = 0.1`, optionally with a type.
    Param { name: Ident, ty: Option<TypeExpr>, value: Option<Expr> },
    /// `let Z = …`.
    Let(Let),
    /// `fn f(a, b: real[k]) -> real = …`.
    Fn(Fn),
    /// `upper { … }`, `lower { … }`, `lower name { … }`.
    Level(Level),
    /// `solve bome(steps = 10)`.
    Solve(Solve),
    /// `report name = expr`.
    Report { name: Ident, value: Expr },
    /// `expect condition`.
    Expect(Expr),
    /// `precision f32`.
    Precision(Ident),
    /// `var x: real[n] in D = init` (levels only).
    Var(Var),
    /// `minimize e` or `maximize e` (levels only).
    Objective { maximize: bool, keyword: Span, value: Expr },
    /// `subject to …` (levels only).
    Constraint(Constraint),
    /// A statement that could not be read.
    Error,
}

/// What a `use` brings in.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    /// `std.losses` or a file.
    pub path: UsePath,
    /// The names in brackets; `None` brings in everything.
    pub names: Option<Vec<Ident>>,
}

/// Where a `use` looks.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the example of a variant shows its fields")]
pub enum UsePath {
    /// Dotted: `std.losses`.
    Module(Vec<Ident>),
    /// A quoted path, relative to the file with the `use`.
    File { path: String, span: Span },
}

/// The right side of `dim n = …`.
#[derive(Clone, Debug, PartialEq)]
pub enum DimValue {
    /// A size: any integer expression, or another dimension's name.
    Size(Expr),
    /// Labels.
    Labels(Vec<(String, Span)>),
}

/// An element type with its shape, as written: `real[n, d]`, `int[n] in 0..k`.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeExpr {
    /// `real`, `int` or `bool` (or a name the checker will refuse).
    pub element: Ident,
    /// `sparse real[…]`.
    pub sparse: Option<Span>,
    /// The dimensions: each a name or an integer expression. Empty for a scalar.
    pub dims: Vec<Expr>,
    /// The whole type.
    pub span: Span,
}

/// `data X: T in DOMAIN = e | from "file" | ~ normal(0, 1)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// The array's name.
    pub name: Ident,
    /// Its type.
    pub ty: TypeExpr,
    /// `in 0..k`: the values allowed.
    pub domain: Option<Domain>,
    /// Where the values come from; `None` means the command line must bind them.
    pub source: Option<DataSource>,
}

/// Where a data array's values come from.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the example of a variant shows its fields")]
pub enum DataSource {
    /// `= expression`.
    Value(Expr),
    /// `from "file"`; for an archive, the member is the data's own name or follows a colon.
    File { path: String, span: Span },
    /// `~ normal(0, 1)`.
    Random(Random),
}

/// `~ normal(0, 1)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Random {
    /// `normal` or `uniform`.
    pub distribution: Ident,
    /// Its parameters.
    pub arguments: Vec<Expr>,
    /// From `~` to the closing bracket.
    pub span: Span,
}

/// `let name = value`, with an optional type.
#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    /// The name.
    pub name: Ident,
    /// An optional declared type.
    pub ty: Option<TypeExpr>,
    /// Its value.
    pub value: Expr,
}

/// A function. The body is an expression; a block body is [`ExprKind::Block`].
#[derive(Clone, Debug, PartialEq)]
pub struct Fn {
    /// The name.
    pub name: Ident,
    /// Parameters with optional types.
    pub params: Vec<(Ident, Option<TypeExpr>)>,
    /// Optional result type.
    pub result: Option<TypeExpr>,
    /// The body.
    pub body: Expr,
}

/// Which level a block describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LevelKind {
    /// The leader.
    Upper,
    /// The follower.
    Lower,
}

/// `upper { … }` or `lower [pessimistic] [name] { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// Upper or lower.
    pub kind: LevelKind,
    /// The keyword.
    pub keyword: Span,
    /// `pessimistic`, where written.
    pub pessimistic: Option<Span>,
    /// A follower's name.
    pub name: Option<Ident>,
    /// The declarations inside.
    pub items: Vec<Item>,
}

/// `solve method(option = value, …)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Solve {
    /// The method.
    pub method: Ident,
    /// The options; a value may itself be a call such as `learned(bound = 2)`.
    pub options: Vec<SolveOption>,
}

/// One option of a `solve`.
#[derive(Clone, Debug, PartialEq)]
pub struct SolveOption {
    /// The option's name.
    pub name: Ident,
    /// Its value.
    pub value: Expr,
}

/// `var x: real[n] in D = init`.
#[derive(Clone, Debug, PartialEq)]
pub struct Var {
    /// The variable.
    pub name: Ident,
    /// Its type.
    pub ty: TypeExpr,
    /// Where it may lie.
    pub domain: Option<Domain>,
    /// Where it starts.
    pub init: Option<Init>,
}

/// A variable's start.
#[derive(Clone, Debug, PartialEq)]
pub enum Init {
    /// `= expression`.
    Value(Expr),
    /// `~ normal(0, s)`.
    Random(Random),
}

/// The set after `in`.
#[derive(Clone, Debug, PartialEq)]
pub struct Domain {
    /// The set.
    pub kind: DomainKind,
    /// The whole set.
    pub span: Span,
}

/// The sets a variable or datum may be declared in.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the example of a variant shows its fields")]
pub enum DomainKind {
    /// `[lo, hi]`; bounds may be arrays or infinite.
    Interval(Expr, Expr),
    /// `a..b`, half-open; integers.
    Range(Expr, Expr),
    /// `nonneg`, `simplex`, `ball(r)`, or a name the checker will refuse.
    Named { name: Ident, arguments: Vec<Expr> },
}

/// `subject to name[i in n]: lo <= e <= hi`.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    /// Its name, for `dual(name)` and messages.
    pub name: Option<Ident>,
    /// The family's indices.
    pub binders: Vec<Binder>,
    /// Two or three expressions joined by one or two relations.
    pub operands: Vec<Expr>,
    /// `<=`, `>=` or `==` between neighbouring operands.
    pub relations: Vec<(BinaryOp, Span)>,
}

/// `i in range` or `i ~ range`.
#[derive(Clone, Debug, PartialEq)]
pub struct Binder {
    /// The index.
    pub name: Ident,
    /// Whether `~` marks a sampled sum.
    pub sampled: bool,
    /// A dimension, an integer, or `a..b`.
    pub range: IndexRange,
    /// The whole binder.
    pub span: Span,
}

/// What an index runs over.
#[derive(Clone, Debug, PartialEq)]
pub enum IndexRange {
    /// A dimension's name or a count: `0..e`.
    Count(Expr),
    /// `a..b`, half-open.
    Range(Expr, Expr),
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The whole expression (without enclosing brackets).
    pub span: Span,
}

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the example of a variant shows its fields")]
pub enum ExprKind {
    /// `3`, `0.5`, `1e-3`, `inf`. `integer` is set when written without point or exponent.
    Number { value: f64, integer: bool },
    /// `true` or `false`.
    Bool(bool),
    /// `"text"`: an index label or an option value.
    Text(String),
    /// A name, possibly dotted (`upper.objective`).
    Name(Vec<Ident>),
    /// `[a, b, …]`.
    Array(Vec<Expr>),
    /// `[e for i in n if c]`.
    Comprehension(Box<Comprehension>),
    /// `f(a, b)`. Named arguments occur only in `solve` options.
    Call { function: Ident, arguments: Vec<Argument> },
    /// `sum(e for i in n)`: a reduction over indices.
    Reduction { function: Ident, comprehension: Box<Comprehension> },
    /// `x[i, a..b, :]`.
    Index { base: Box<Expr>, indices: Vec<Index> },
    /// `x'`.
    Transpose(Box<Expr>),
    /// `-x`, `not x`.
    Unary { op: UnaryOp, operand: Box<Expr> },
    /// `a + b`; `operator` is the place of the sign itself.
    Binary { op: BinaryOp, operator: Span, left: Box<Expr>, right: Box<Expr> },
    /// `if c then a else b`.
    If { condition: Box<Expr>, then: Box<Expr>, otherwise: Box<Expr> },
    /// `{ let …; …; result }`: a function's block body.
    Block { lets: Vec<Let>, result: Box<Expr> },
    /// An expression that could not be read.
    Error,
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// `name =`, in options.
    pub name: Option<Ident>,
    /// The value.
    pub value: Expr,
}

/// `e for i in n, j in m if cond`.
#[derive(Clone, Debug, PartialEq)]
pub struct Comprehension {
    /// The term.
    pub body: Expr,
    /// The indices, outermost first.
    pub binders: Vec<Binder>,
    /// The filter.
    pub filter: Option<Expr>,
}

/// One index in `x[…]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the example of a variant shows its fields")]
pub enum Index {
    /// `:`.
    All(Span),
    /// `a..b`, either end optional.
    Range { start: Option<Expr>, end: Option<Expr>, span: Span },
    /// One position, or an integer array that gathers.
    At(Expr),
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `-`.
    Neg,
    /// `not`.
    Not,
}

/// Infix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `or`.
    Or,
    /// `and`.
    And,
    /// `==`.
    Eq,
    /// `!=`.
    Ne,
    /// `<`.
    Lt,
    /// `<=`.
    Le,
    /// `>`.
    Gt,
    /// `>=`.
    Ge,
    /// `+`.
    Add,
    /// `-`.
    Sub,
    /// `*`.
    Mul,
    /// `/`.
    Div,
    /// `@`.
    MatMul,
    /// `^`.
    Pow,
}

impl BinaryOp {
    /// As written in a model.
    pub fn spelling(self) -> &'static str {
        match self {
            BinaryOp::Or => "or",
            BinaryOp::And => "and",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::MatMul => "@",
            BinaryOp::Pow => "^",
        }
    }
}
