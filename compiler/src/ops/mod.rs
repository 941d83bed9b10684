//! The operators of the tensor graph, one file and one record each. Everything blo knows about an operator stands in its
//! record; the passes, the evaluator, the checker and the code generator read it from there.

pub mod axes;
pub mod curvature;
pub mod dense;
pub mod elementwise;

use blo_runtime::program::spec::Dense;
pub use curvature::Curvature;

use crate::ir::eval::Array;
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::types::Type;

macro_rules! operators {
    ($($module:ident::$name:ident,)*) => {
        $(
            pub mod $module;
            pub use $module::$name;
        )*
        static ALL: &[&Operator] = &[$(&$name),*];
    };
}

operators! {
    input::INPUT,
    constant::CONSTANT,
    iota::IOTA,
    add::ADD,
    sub::SUB,
    mul::MUL,
    div::DIV,
    neg::NEG,
    pow::POW,
    min::MIN,
    max::MAX,
    abs::ABS,
    sign::SIGN,
    sqrt::SQRT,
    floor::FLOOR,
    step::STEP,
    relu::RELU,
    exp::EXP,
    log::LOG,
    log1p::LOG1P,
    expm1::EXPM1,
    sin::SIN,
    cos::COS,
    tan::TAN,
    asin::ASIN,
    acos::ACOS,
    atan::ATAN,
    sinh::SINH,
    cosh::COSH,
    tanh::TANH,
    sigmoid::SIGMOID,
    softplus::SOFTPLUS,
    log_cosh::LOG_COSH,
    erf::ERF,
    gelu::GELU,
    eq::EQ,
    ne::NE,
    lt::LT,
    le::LE,
    and::AND,
    or::OR,
    not::NOT,
    select::SELECT,
    cast::CAST,
    stop_gradient::STOP_GRADIENT,
    int_div::INT_DIV,
    int_mod::INT_MOD,
    sum::SUM,
    prod::PROD,
    max_over::MAX_OVER,
    min_over::MIN_OVER,
    argmax::ARGMAX,
    argmin::ARGMIN,
    argsort::ARGSORT,
    softmax::SOFTMAX,
    log_softmax::LOG_SOFTMAX,
    logsumexp::LOGSUMEXP,
    cumsum::CUMSUM,
    broadcast::BROADCAST,
    transpose::TRANSPOSE,
    reshape::RESHAPE,
    slice::SLICE,
    pad::PAD,
    concat::CONCAT,
    dot::DOT,
    gather::GATHER,
    scatter_add::SCATTER_ADD,
    solve::SOLVE,
    inv::INV,
    logdet::LOGDET,
    cholesky::CHOLESKY,
    triangular_solve::TRIANGULAR_SOLVE,
    lu::LU,
    lu_solve::LU_SOLVE,
    sparse::SPARSE,
    sparse_dot::SPARSE_DOT,
    sparse_outer::SPARSE_OUTER,
}

/// All operators.
pub fn all() -> &'static [&'static Operator] {
    ALL
}

/// The operator with this name in printed graphs.
pub fn named(name: &str) -> Option<&'static Operator> {
    ALL.iter().copied().find(|op| op.name == name)
}

/// The operator that the language spells `name`. `min` and `max` are both elementwise and reductions: this gives the
/// elementwise one, [`reduction`] the other.
pub fn surface(name: &str) -> Option<&'static Operator> {
    ALL.iter().copied().find(|op| op.surface.name() == Some(name))
}

/// The reduction that the language spells `name`.
pub fn reduction(name: &str) -> Option<&'static Operator> {
    ALL.iter().copied().find(|op| matches!(op.surface, Surface::Reduction(n) if n == name))
}

/// Everything blo knows about an operator.
pub struct Operator {
    /// The name in printed graphs.
    pub name: &'static str,
    /// What it computes, as a formula, with the shapes of operands and result.
    pub definition: &'static str,
    /// Where it is defined, and what happens at the edges.
    pub domain: &'static str,
    /// How the language spells it.
    pub surface: Surface,
    /// The result type, or what is wrong with the operands.
    pub shape: fn(&Attrs, &[&Type]) -> Result<Type, String>,
    /// The reference value. Whole numbers and truth values are held as `f64`.
    pub value: fn(&Attrs, &[&Array], &Type) -> Array,
    /// The derivative.
    pub derivative: Derivative,
    /// How convexity passes through it.
    pub curvature: Curvature,
    /// How it becomes loops.
    pub lowering: Lowering,
    /// Points at which the shared test suite checks it: inside the domain and near its edges, several shapes.
    pub samples: fn() -> Vec<Sample>,
}

/// One application of an operator for the shared test suite.
pub struct Sample {
    /// The parameters.
    pub attrs: Attrs,
    /// The operands.
    pub inputs: Vec<(Type, Array)>,
}

/// How the language spells an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// Not a function of the language (infix operators, and pieces that other functions are built from).
    Hidden,
    /// A function applied element by element, with broadcasting.
    Elementwise(&'static str),
    /// A reduction: of everything, over given axes, or over the indices of a comprehension.
    Reduction(&'static str),
    /// Along one axis (the last, unless given) that stays, such as `softmax`.
    Along(&'static str),
    /// Along one axis (the last, unless given) that disappears, such as `argmax`.
    AlongReduced(&'static str),
}

impl Surface {
    /// The name in the language; `None` if there is none.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Surface::Hidden => None,
            Surface::Elementwise(name)
            | Surface::Reduction(name)
            | Surface::Along(name)
            | Surface::AlongReduced(name) => Some(name),
        }
    }
}

/// How an operator is differentiated. There is no "not yet": a forgotten rule does not build.
#[derive(Clone, Copy)]
pub enum Derivative {
    /// Elementwise: the partial derivative by operand `k`, of the result's shape; `None` where it is zero.
    Partials(fn(&mut Graph, NodeId, usize) -> Option<NodeId>),
    /// Linear in its real operands together: the tangent is the operator itself applied to the tangents. The function is the
    /// transpose: from a cotangent of the result to that of operand `k`.
    Linear(fn(&mut Graph, NodeId, NodeId, usize) -> NodeId),
    /// General rules.
    Rule {
        /// From tangents of the operands (`None` is zero) to the tangent of the result.
        jvp: fn(&mut Graph, NodeId, &[Option<NodeId>]) -> Option<NodeId>,
        /// From a cotangent of the result to that of operand `k`.
        vjp: fn(&mut Graph, NodeId, NodeId, usize) -> Option<NodeId>,
    },
    /// Zero wherever it exists (comparisons, `floor`, `stop_gradient`, whole-number results).
    Zero,
    /// There is none, and why.
    Undefined(&'static str),
}

/// How an operator becomes loops.
#[derive(Clone, Copy, Debug)]
pub enum Lowering {
    /// Reads an input buffer.
    Input,
    /// A scalar known at compile time.
    Constant,
    /// The positions along an axis.
    Iota,
    /// One machine instruction (or a few) per element; the code generator knows the set.
    Instruction(Instruction),
    /// A block kernel per tile, by name: `exp` is `blo_k_exp_f64` or `blo_k_exp_f32`.
    Kernel(&'static str),
    /// A reduction over axes.
    Reduce(Reduction),
    /// The position of an extreme value along an axis.
    ArgReduce(Reduction),
    /// The positions that sort the rows of the last axis.
    ArgSort,
    /// A kernel over the rows of the last axis: `softmax`, `log_softmax`, `logsumexp`.
    Rows(&'static str),
    /// The same elements in another arrangement (`broadcast`, `transpose`, `reshape`, `slice`): folded into its readers where possible.
    View,
    /// Copies operands into parts of the result (`concat`, `pad`).
    Place,
    /// A contraction.
    Dot,
    /// Reads at integer positions.
    Gather,
    /// Adds at integer positions.
    ScatterAdd,
    /// Running sum along an axis.
    Scan,
    /// A factorisation of dense matrices, or a solve with one.
    Dense(Dense),
    /// A product with a sparse matrix.
    Sparse,
    /// Written with other operators before loops are made.
    Expand(fn(&mut Graph, NodeId) -> NodeId),
}

/// Elementwise instructions. Operands and result have one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Instruction {
    /// a + b
    Add,
    /// a - b
    Sub,
    /// a * b
    Mul,
    /// a / b
    Div,
    /// -a
    Neg,
    /// |a|
    Abs,
    /// square root
    Sqrt,
    /// the smaller; NaN if either is
    Min,
    /// the larger; NaN if either is
    Max,
    /// largest whole number not above
    Floor,
    /// -1, 0 or 1; NaN stays
    Sign,
    /// a == b
    Eq,
    /// a != b
    Ne,
    /// a < b
    Lt,
    /// a <= b
    Le,
    /// both
    And,
    /// either
    Or,
    /// not
    Not,
    /// c ? a : b
    Select,
    /// whole-number quotient, rounded towards minus infinity
    IntDiv,
    /// whole-number remainder with the divisor's sign
    IntMod,
    /// change of element type
    Cast,
    /// a * b + c, rounded once; made by the code generator from the two instructions, on machines that have it
    MulAdd,
    /// a * b - c, rounded once
    MulSub,
    /// c - a * b, rounded once
    NegMulAdd,
}

/// What a reduction computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Σ
    Sum,
    /// Π
    Prod,
    /// largest
    Max,
    /// smallest
    Min,
}
