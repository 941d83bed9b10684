//! The functions of the language: operators of the graph by their surface names, and functions composed of them.

mod construct;
mod dense;
mod differentiate;
mod linear;
mod order;
pub mod reduce;
mod shape;
mod surface;
mod window;

use blo_grammar::ast::{Expr, Ident};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::Checker;
use super::messages::count;
use super::multipliers;
use super::sparse;
use super::value::Value;
use crate::ops::{self, Operator, Surface};

/// A call of a function of the language.
pub struct Call<'e> {
    /// The function's name.
    pub name: &'e Ident,
    /// The arguments as written.
    pub arguments: &'e [&'e Expr],
    /// The whole call.
    pub span: Span,
}

/// How a function is elaborated.
#[derive(Clone, Copy)]
enum Rule {
    /// From elaborated arguments.
    Values(fn(&mut Checker, &Call, &[Value]) -> Option<Value>),
    /// From arguments as written (lists, sizes).
    Syntax(fn(&mut Checker, &Call) -> Option<Value>),
    /// An operator of the graph.
    Operator(&'static Operator),
}

/// A function of the language.
#[derive(Clone, Copy)]
pub struct Builtin {
    rule: Rule,
    usage: &'static str,
    least: usize,
    most: usize,
}

const MANY: usize = usize::MAX;

const fn values(
    usage: &'static str,
    least: usize,
    most: usize,
    rule: fn(&mut Checker, &Call, &[Value]) -> Option<Value>,
) -> Builtin {
    Builtin { rule: Rule::Values(rule), usage, least, most }
}

const fn syntax(
    usage: &'static str,
    least: usize,
    most: usize,
    rule: fn(&mut Checker, &Call) -> Option<Value>,
) -> Builtin {
    Builtin { rule: Rule::Syntax(rule), usage, least, most }
}

/// Functions that are not one operator of the graph.
static COMPOSED: &[(&str, Builtin)] = &[
    ("sum", syntax("sum(x) or sum(x, axis)", 1, 2, reduce::over_axes)),
    ("mean", syntax("mean(x) or mean(x, axis)", 1, 2, reduce::over_axes)),
    ("prod", syntax("prod(x) or prod(x, axis)", 1, 2, reduce::over_axes)),
    ("any", syntax("any(c) or any(c, axis)", 1, 2, reduce::over_axes)),
    ("all", syntax("all(c) or all(c, axis)", 1, 2, reduce::over_axes)),
    ("max", syntax("max(x) or max(x, y)", 1, 2, reduce::extreme)),
    ("min", syntax("min(x) or min(x, y)", 1, 2, reduce::extreme)),
    ("var", syntax("var(x) or var(x, axis)", 1, 2, reduce::variance)),
    ("norm", syntax("norm(x) or norm(x, axis)", 1, 2, reduce::norms)),
    ("norm1", syntax("norm1(x) or norm1(x, axis)", 1, 2, reduce::norms)),
    ("sumsq", syntax("sumsq(x) or sumsq(x, axis)", 1, 2, reduce::norms)),
    ("sort", syntax("sort(x) or sort(x, axis)", 1, 2, order::sort)),
    ("top_k", syntax("top_k(x, k) or top_k(x, k, axis)", 2, 3, order::top_k)),
    ("nnz", values("nnz(A)", 1, 1, sparse::nonzeros)),
    ("dense", values("dense(A)", 1, 1, sparse::dense)),
    ("dot", values("dot(x, y)", 2, 2, linear::dot)),
    ("outer", values("outer(x, y)", 2, 2, linear::outer)),
    ("trace", values("trace(A)", 1, 1, linear::trace)),
    ("diag", values("diag(x)", 1, 1, linear::diag)),
    ("eye", syntax("eye(n)", 1, 1, construct::eye)),
    ("zeros", syntax("zeros(n, …)", 0, MANY, construct::zeros)),
    ("ones", syntax("ones(n, …)", 0, MANY, construct::ones)),
    ("full", syntax("full(value, n, …)", 1, MANY, construct::full)),
    ("arange", syntax("arange(n) or arange(start, end)", 1, 2, construct::arange)),
    ("one_hot", syntax("one_hot(y, k)", 2, 2, construct::one_hot)),
    ("concat", syntax("concat([x, y, …]) or concat([x, y, …], axis)", 1, 2, shape::concat)),
    ("stack", syntax("stack([x, y, …]) or stack([x, y, …], axis)", 1, 2, shape::stack)),
    ("reshape", syntax("reshape(x, n, …)", 2, MANY, shape::reshape)),
    ("flatten", values("flatten(x)", 1, 1, shape::flatten)),
    (
        "conv2d",
        syntax("conv2d(x, w) or conv2d(x, w, stride, padding, dilation, groups)", 2, 6, window::conv2d),
    ),
    ("avg_pool2d", syntax("avg_pool2d(x, size) or avg_pool2d(x, size, stride)", 2, 3, window::avg_pool2d)),
    ("max_pool2d", syntax("max_pool2d(x, size) or max_pool2d(x, size, stride)", 2, 3, window::max_pool2d)),
    ("grad", syntax("grad(e, x)", 2, 2, differentiate::grad)),
    ("stop_gradient", values("stop_gradient(e)", 1, 1, differentiate::stop_gradient)),
    ("solve", values("solve(A, b)", 2, 2, dense::solve)),
    ("cholesky", values("cholesky(A)", 1, 1, dense::cholesky)),
    ("logdet", values("logdet(A)", 1, 1, dense::logdet)),
    ("inv", values("inv(A)", 1, 1, dense::inv)),
    ("dual", syntax("dual(name)", 1, 1, multipliers::dual)),
];

impl Builtin {
    /// How it is called, as code.
    fn usage(&self, name: &str) -> String {
        match self.rule {
            Rule::Operator(_) => self.usage.replace('(', &format!("{name}(")),
            _ => self.usage.replace(" or ", "` or `"),
        }
    }
}

/// The function of this name.
pub fn find(name: &str) -> Option<Builtin> {
    if let Some((_, builtin)) = COMPOSED.iter().find(|(n, _)| *n == name) {
        return Some(*builtin);
    }
    let op = ops::surface(name)?;
    let (usage, least, most) = match op.surface {
        Surface::Hidden => return None,
        Surface::Elementwise(_) => {
            let operands = surface::operands(op);
            (if operands == 1 { "(x)" } else { "(x, y)" }, operands, operands)
        }
        Surface::Reduction(_) | Surface::Along(_) | Surface::AlongReduced(_) => ("(x)` or `(x, axis)", 1, 2),
    };
    Some(Builtin { rule: Rule::Operator(op), usage, least, most })
}

/// How a function of the language is called, as code, and for one that is a single operator what it computes.
pub fn help(name: &str) -> Option<(String, Option<&'static str>)> {
    let builtin = find(name)?;
    let definition = match builtin.rule {
        Rule::Operator(op) => Some(op.definition),
        Rule::Values(_) | Rule::Syntax(_) => None,
    };
    Some((format!("`{}`", builtin.usage(name)), definition))
}

/// Whether the language has a function of this name.
pub fn is_function(name: &str) -> bool {
    find(name).is_some()
}

/// The names of all functions.
pub fn names() -> impl Iterator<Item = &'static str> {
    let operators = ops::all().iter().filter_map(|op| match op.surface {
        Surface::Hidden => None,
        Surface::Elementwise(n) | Surface::Reduction(n) | Surface::Along(n) | Surface::AlongReduced(n) => {
            Some(n)
        }
    });
    COMPOSED.iter().map(|(n, _)| *n).chain(operators)
}

impl Checker<'_> {
    /// Elaborates a call of a function of the language.
    pub fn builtin(
        &mut self,
        builtin: &Builtin,
        name: &Ident,
        arguments: &[&Expr],
        span: Span,
    ) -> Option<Value> {
        if arguments.len() < builtin.least || arguments.len() > builtin.most {
            let diagnostic = Diagnostic::error(
                "E0206",
                format!("`{}` does not take {}", name.name, count(arguments.len(), "argument")),
                name.span,
                format!("{} given", arguments.len()),
            );
            self.emit(diagnostic.help(format!("write `{}`", builtin.usage(&name.name))));
            return None;
        }
        let call = Call { name, arguments, span };
        match builtin.rule {
            Rule::Syntax(rule) => rule(self, &call),
            Rule::Values(rule) => {
                let values: Vec<Option<Value>> = arguments.iter().map(|e| self.expr(e)).collect();
                let values: Vec<Value> = values.into_iter().collect::<Option<_>>()?;
                rule(self, &call, &values)
            }
            Rule::Operator(op) => self.surface(op, &call),
        }
    }

    /// An axis given as an argument; counted among the own axes.
    fn axis_argument(&mut self, e: &Expr, rank: usize) -> Option<usize> {
        let (axis, _) = self.whole_number(e, "an axis")?;
        if axis >= 0 && (axis as usize) < rank {
            return Some(axis as usize);
        }
        let label = format!("the array has {}", count(rank, "axis").replace("axiss", "axes"));
        let mut diagnostic = Diagnostic::error("E0230", format!("there is no axis {axis}"), e.span, label);
        if axis < 0 && axis >= -(rank as i64) {
            diagnostic = diagnostic.help(format!("axes count from 0: this one is {}", axis + rank as i64));
        } else if rank > 0 {
            diagnostic = diagnostic.help(format!("axes count from 0: the last one is {}", rank - 1));
        }
        self.emit(diagnostic);
        None
    }
}
