//! Prints expressions with the brackets that precedence asks for and no others.

use super::{pad, typed};
use crate::ast::{
    Argument, BinaryOp, Binder, Comprehension, Expr, ExprKind, Ident, Index, IndexRange, Let, UnaryOp,
};
use crate::precedence::{self, Associativity, IF, POSTFIX};

/// An array of arrays longer than this is written one row a line.
const ROW_LENGTH: usize = 90;

/// The text of `expr` where an expression of at least `level` is wanted. Further lines are indented by `indent` steps.
pub(super) fn expression(expr: &Expr, level: u8, indent: usize) -> String {
    let text = bare(&expr.kind, indent);
    if own_level(&expr.kind) < level { format!("({text})") } else { text }
}

/// Expressions with commas between them.
pub(super) fn joined(list: &[Expr], indent: usize) -> String {
    list.iter().map(|expr| expression(expr, IF, indent)).collect::<Vec<_>>().join(", ")
}

fn own_level(kind: &ExprKind) -> u8 {
    match kind {
        ExprKind::If { .. } => IF,
        ExprKind::Unary { op, .. } => precedence::prefix(*op),
        ExprKind::Binary { op, .. } => precedence::infix(*op).level,
        _ => POSTFIX,
    }
}

fn bare(kind: &ExprKind, indent: usize) -> String {
    match kind {
        ExprKind::Number { value, integer } => number(*value, *integer),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Text(text) => format!("\"{text}\""),
        ExprKind::Name(path) => path.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join("."),
        ExprKind::Array(elements) => array(elements, indent),
        ExprKind::Comprehension(inner) => format!("[{}]", comprehension(inner, indent)),
        ExprKind::Call { function, arguments } => call(function, arguments, indent),
        ExprKind::Reduction { function, comprehension: inner } => {
            format!("{}({})", function.name, comprehension(inner, indent))
        }
        ExprKind::Index { base, indices } => {
            let indices: Vec<String> = indices.iter().map(|slot| index(slot, indent)).collect();
            format!("{}[{}]", expression(base, POSTFIX, indent), indices.join(", "))
        }
        ExprKind::Transpose(base) => format!("{}'", expression(base, POSTFIX, indent)),
        ExprKind::Unary { op, operand } => unary(*op, operand, indent),
        ExprKind::Binary { op, left, right, .. } => binary(*op, left, right, indent),
        ExprKind::If { condition, then, otherwise } => {
            let part = |expr: &Expr| expression(expr, IF, indent);
            format!("if {} then {} else {}", part(condition), part(then), part(otherwise))
        }
        ExprKind::Block { lets, result } => block(lets, result, indent),
        ExprKind::Error => "error".to_string(),
    }
}

fn number(value: f64, integer: bool) -> String {
    if value.is_infinite() {
        return "inf".to_string();
    }
    if integer { format!("{value:.0}") } else { format!("{value:?}") }
}

fn unary(op: UnaryOp, operand: &Expr, indent: usize) -> String {
    let sign = match op {
        UnaryOp::Neg => "-",
        UnaryOp::Not => "not ",
    };
    format!("{sign}{}", expression(operand, precedence::prefix(op), indent))
}

fn binary(op: BinaryOp, left: &Expr, right: &Expr, indent: usize) -> String {
    let row = precedence::infix(op);
    let (left_level, right_level) = match row.associativity {
        Associativity::Left => (row.level, row.level + 1),
        Associativity::Right => (row.level + 1, row.level),
        Associativity::None => (row.level + 1, row.level + 1),
    };
    // `x^-2` needs no brackets although `-` binds looser: nothing can stand between the signs.
    let is_sign = matches!(right.kind, ExprKind::Unary { op: UnaryOp::Neg, .. });
    let right_level = if op == BinaryOp::Pow && is_sign { precedence::NEG } else { right_level };
    let (left, right) = (expression(left, left_level, indent), expression(right, right_level, indent));
    if op == BinaryOp::Pow { format!("{left}^{right}") } else { format!("{left} {} {right}", op.spelling()) }
}

fn call(function: &Ident, arguments: &[Argument], indent: usize) -> String {
    let argument = |argument: &Argument| {
        let value = expression(&argument.value, IF, indent);
        argument.name.as_ref().map_or(value.clone(), |name| format!("{} = {value}", name.name))
    };
    let arguments: Vec<String> = arguments.iter().map(argument).collect();
    format!("{}({})", function.name, arguments.join(", "))
}

fn array(elements: &[Expr], indent: usize) -> String {
    let flat = format!("[{}]", joined(elements, indent));
    let rows = elements.iter().all(|element| matches!(element.kind, ExprKind::Array(_)));
    if flat.len() <= ROW_LENGTH || !rows || flat.contains('\n') {
        return flat;
    }
    let inner = pad(indent + 1);
    let lines: Vec<String> =
        elements.iter().map(|element| format!("{inner}{}", expression(element, IF, indent + 1))).collect();
    format!("[\n{}\n{}]", lines.join(",\n"), pad(indent))
}

fn index(slot: &Index, indent: usize) -> String {
    let end = |expr: &Option<Expr>| expr.as_ref().map_or(String::new(), |expr| expression(expr, IF, indent));
    match slot {
        Index::All(_) => ":".to_string(),
        Index::Range { start, end: stop, .. } => format!("{}..{}", end(start), end(stop)),
        Index::At(at) => expression(at, IF, indent),
    }
}

fn comprehension(inner: &Comprehension, indent: usize) -> String {
    let binders: Vec<String> = inner.binders.iter().map(|b| binder(b, indent)).collect();
    let filter = inner
        .filter
        .as_ref()
        .map_or(String::new(), |filter| format!(" if {}", expression(filter, IF, indent)));
    format!("{} for {}{filter}", expression(&inner.body, IF, indent), binders.join(", "))
}

/// `i in 0..n`.
pub(super) fn binder(binder: &Binder, indent: usize) -> String {
    let sign = if binder.sampled { "~" } else { "in" };
    let range = match &binder.range {
        IndexRange::Count(count) => expression(count, IF, indent),
        IndexRange::Range(start, end) => {
            format!("{}..{}", expression(start, IF, indent), expression(end, IF, indent))
        }
    };
    format!("{} {sign} {range}", binder.name.name)
}

/// `let x: T = e`.
pub(super) fn let_item(binding: &Let, indent: usize) -> String {
    let value = expression(&binding.value, IF, indent);
    format!("let {}{} = {value}", binding.name.name, typed(binding.ty.as_ref()))
}

fn block(lets: &[Let], result: &Expr, indent: usize) -> String {
    if lets.is_empty() {
        return format!("{{ {} }}", expression(result, IF, indent));
    }
    let inner = pad(indent + 1);
    let mut text = "{\n".to_string();
    for binding in lets {
        text.push_str(&format!("{inner}{}\n", let_item(binding, indent + 1)));
    }
    text.push_str(&format!("{inner}{}\n{}}}", expression(result, IF, indent + 1), pad(indent)));
    text
}
