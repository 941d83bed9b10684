//! How elementwise operators are written.

use super::formula::{Formula, Infix};
use super::read::Reader;
use crate::ir::graph::NodeId;
use crate::ops::{self, Surface};
use crate::types::Elem;

impl Reader<'_> {
    /// How an elementwise operator is written; `None` for other operators.
    pub(super) fn spelling(&self, id: NodeId) -> Option<Elementwise> {
        let node = self.graph.node(id);
        if self.graph.is(id, &ops::CAST) {
            let truth = self.graph.ty(node.inputs[0]).elem == Elem::Bool;
            return Some(Elementwise::Cast { truth });
        }
        spelling(node.op.0)
    }
}

/// How an elementwise operator is written.
pub(super) enum Elementwise {
    Infix(Infix),
    Call(&'static str),
    Minus,
    Not,
    Select,
    /// To a wider type; truth values become 1 and 0.
    Cast {
        truth: bool,
    },
}

fn spelling(op: &'static ops::Operator) -> Option<Elementwise> {
    if let Surface::Elementwise(word) = op.surface {
        return Some(Elementwise::Call(word));
    }
    Some(match op.name {
        "add" => Elementwise::Infix(Infix::Add),
        "sub" => Elementwise::Infix(Infix::Sub),
        "mul" => Elementwise::Infix(Infix::Times),
        "div" => Elementwise::Infix(Infix::Div),
        "eq" => Elementwise::Infix(Infix::Eq),
        "ne" => Elementwise::Infix(Infix::Ne),
        "lt" => Elementwise::Infix(Infix::Lt),
        "le" => Elementwise::Infix(Infix::Le),
        "and" => Elementwise::Infix(Infix::And),
        "or" => Elementwise::Infix(Infix::Or),
        "neg" => Elementwise::Minus,
        "not" => Elementwise::Not,
        "select" => Elementwise::Select,
        _ => return None,
    })
}

/// Applies an elementwise operator. `same`: both operands are one node; `scalar`: one of them is a scalar.
pub(super) fn apply(op: &Elementwise, operands: Vec<Formula>, same: bool, scalar: bool) -> Formula {
    let mut operands = operands.into_iter();
    let mut next = || operands.next().unwrap_or(Formula::Number(f64::NAN));
    match op {
        Elementwise::Infix(Infix::Times) if same => Formula::infix(Infix::Pow, next(), Formula::Number(2.0)),
        Elementwise::Infix(Infix::Times) if scalar => Formula::infix(Infix::Mul, next(), next()),
        Elementwise::Call("pow") => Formula::infix(Infix::Pow, next(), next()),
        Elementwise::Infix(op) => Formula::infix(*op, next(), next()),
        Elementwise::Call(word) => Formula::call(*word, operands.collect()),
        Elementwise::Minus => next().negated(),
        Elementwise::Not => Formula::Not(Box::new(next())),
        Elementwise::Select => Formula::If(Box::new([next(), next(), next()])),
        Elementwise::Cast { truth: true } => {
            Formula::If(Box::new([next(), Formula::Number(1.0), Formula::Number(0.0)]))
        }
        Elementwise::Cast { truth: false } => next(),
    }
}
