//! Builds the tree of a flat list of operands and operators, by precedence. Keeps its own stacks, so a long chain costs
//! no recursion; its height is bounded by [`MAX_DEPTH`].

use super::Read;
use crate::ast::{BinaryOp, Expr, ExprKind, UnaryOp};
use crate::diagnostic::Diagnostic;
use crate::precedence::{self, Associativity};
use crate::span::Span;

/// The greatest height of an expression tree: a chain `a + b + …` may have this many operators.
pub const MAX_DEPTH: u32 = 500;

/// An expression on its way into a larger one.
pub(super) struct Node {
    /// The expression.
    pub expr: Expr,
    /// Its place with enclosing brackets.
    pub outer: Span,
    /// Its height.
    pub depth: u32,
}

impl Node {
    /// An expression whose deepest part has height `depth`.
    pub fn over(kind: ExprKind, span: Span, depth: u32) -> Read<Node> {
        if depth >= MAX_DEPTH {
            return Err(Box::new(too_long(span)));
        }
        Ok(Node { expr: Expr { kind, span }, outer: span, depth: depth + 1 })
    }
}

fn too_long(span: Span) -> Diagnostic {
    let label = format!("more than {MAX_DEPTH} operators in one chain");
    Diagnostic::error("E0115", "expression is too long", span, label)
        .help("give parts of it names with `let`, or write a sum over an index: `sum(x[i] for i in n)`")
}

enum Pending {
    Prefix(UnaryOp, Span),
    Infix(BinaryOp, Span),
}

impl Pending {
    fn level(&self) -> u8 {
        match self {
            Pending::Prefix(op, _) => precedence::prefix(*op),
            Pending::Infix(op, _) => precedence::infix(*op).level,
        }
    }
}

/// The tree so far: finished operands and the operators that wait for their right side.
#[derive(Default)]
pub(super) struct Climb {
    operands: Vec<Node>,
    pending: Vec<Pending>,
}

impl Climb {
    /// Takes a prefix operator. `not` may not follow an operator that binds tighter than itself.
    pub fn prefix(&mut self, op: UnaryOp, span: Span) -> Read<()> {
        let level = precedence::prefix(op);
        if let (UnaryOp::Not, Some(before)) = (op, self.pending.last())
            && before.level() > level
        {
            let message = "`not` binds looser than the operator before it";
            let diagnostic = Diagnostic::error("E0118", message, span, "needs brackets here");
            return Err(Box::new(diagnostic.help("write `(not …)`")));
        }
        self.pending.push(Pending::Prefix(op, span));
        Ok(())
    }

    /// Takes an operand.
    pub fn operand(&mut self, node: Node) {
        self.operands.push(node);
    }

    /// The operand taken last, for a postfix operator to wrap.
    pub fn take_operand(&mut self) -> Option<Node> {
        self.operands.pop()
    }

    /// Takes an infix operator.
    pub fn infix(&mut self, op: BinaryOp, span: Span) -> Read<()> {
        let row = precedence::infix(op);
        while let Some(top) = self.pending.last() {
            let level = top.level();
            let same = level == row.level && row.associativity != Associativity::Right;
            if level < row.level || (level == row.level && !same) {
                break;
            }
            if let (Pending::Infix(first, place), Associativity::None, true) = (top, row.associativity, same)
            {
                return Err(Box::new(chained(*first, *place, op, span)));
            }
            self.reduce()?;
        }
        self.pending.push(Pending::Infix(op, span));
        Ok(())
    }

    /// The finished tree.
    pub fn finish(mut self) -> Read<Node> {
        while !self.pending.is_empty() {
            self.reduce()?;
        }
        Ok(self.operands.pop().expect("the grammar puts an operand after every operator"))
    }

    fn reduce(&mut self) -> Read<()> {
        let (Some(operator), Some(right)) = (self.pending.pop(), self.operands.pop()) else { return Ok(()) };
        let node = match operator {
            Pending::Prefix(op, span) => {
                let whole = span.to(right.outer);
                Node::over(ExprKind::Unary { op, operand: Box::new(right.expr) }, whole, right.depth)?
            }
            Pending::Infix(op, operator) => {
                let left =
                    self.operands.pop().expect("the grammar puts an operand before every infix operator");
                let whole = left.outer.to(right.outer);
                let (left_expr, right_expr) = (Box::new(left.expr), Box::new(right.expr));
                let kind = ExprKind::Binary { op, operator, left: left_expr, right: right_expr };
                Node::over(kind, whole, left.depth.max(right.depth))?
            }
        };
        self.operands.push(node);
        Ok(())
    }
}

fn chained(first: BinaryOp, place: Span, second: BinaryOp, span: Span) -> Diagnostic {
    let (first, second) = (first.spelling(), second.spelling());
    Diagnostic::error("E0111", "comparisons do not chain in an expression", span, "second comparison")
        .label(place, "first comparison")
        .help(format!("write `a {first} b and b {second} c`; only `subject to` takes `lo <= e <= hi`"))
}
