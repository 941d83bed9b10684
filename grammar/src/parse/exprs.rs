//! Expressions: the grammar's pairs to [`Expr`] trees.

use pest::iterators::{Pair, Pairs};

use super::climb::{Climb, Node};
use super::{Read, Rule};
use crate::ast::{
    Argument, BinaryOp, Binder, Comprehension, Expr, ExprKind, Ident, Index, IndexRange, Let, TypeExpr,
    UnaryOp,
};
use crate::diagnostic::Diagnostic;
use crate::precedence;
use crate::span::{FileId, Span};

/// Turns pairs of one statement into trees; knows where in the file the statement stands.
#[derive(Clone, Copy)]
pub(super) struct Builder {
    pub file: FileId,
    /// The byte of the file at which the statement starts.
    pub base: usize,
    /// Whether `name = value` may be an argument: inside the options of `solve`.
    pub options: bool,
}

/// The parts of a pair that carry meaning.
pub(super) struct Parts<'i>(Pairs<'i, Rule>);

/// The parts of `pair`, without signs and words that only hold its place.
pub(super) fn parts(pair: Pair<'_, Rule>) -> Parts<'_> {
    Parts(pair.into_inner())
}

impl<'i> Parts<'i> {
    /// The next part if it is a `rule`.
    pub fn when(&mut self, rule: Rule) -> Option<Pair<'i, Rule>> {
        self.skip();
        self.0.peek().filter(|pair| pair.as_rule() == rule)?;
        self.0.next()
    }

    /// The next part, which the grammar guarantees.
    pub fn need(&mut self) -> Pair<'i, Rule> {
        self.next().expect("the grammar guarantees this part")
    }

    fn skip(&mut self) {
        while self.0.peek().is_some_and(|pair| is_filler(pair.as_rule())) {
            self.0.next();
        }
    }
}

impl<'i> Iterator for Parts<'i> {
    type Item = Pair<'i, Rule>;

    fn next(&mut self) -> Option<Pair<'i, Rule>> {
        self.skip();
        self.0.next()
    }
}

fn is_filler(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::equals
            | Rule::colon
            | Rule::comma
            | Rule::dot
            | Rule::tilde
            | Rule::arrow
            | Rule::open
            | Rule::close
            | Rule::open_index
            | Rule::close_index
            | Rule::brace
            | Rule::end_brace
            | Rule::separator
            | Rule::let_word
            | Rule::for_word
            | Rule::if_word
            | Rule::then_word
            | Rule::else_word
            | Rule::from_word
            | Rule::to_word
            | Rule::EOI
    )
}

impl Builder {
    /// The place of a pair. The grammar may count blanks after its last part; they are left out.
    pub fn span(self, pair: &Pair<'_, Rule>) -> Span {
        let start = self.base + pair.as_span().start();
        Span::new(self.file, start, start + pair.as_str().trim_end().len())
    }

    pub fn ident(self, pair: &Pair<'_, Rule>) -> Ident {
        Ident { name: pair.as_str().trim_end().to_string(), span: self.span(pair) }
    }

    /// An `expr` pair.
    pub fn expr(self, pair: Pair<'_, Rule>) -> Read<Expr> {
        Ok(self.node(pair)?.expr)
    }

    /// Several `expr` pairs, and the greatest height among them.
    pub fn exprs<'i>(self, pairs: impl Iterator<Item = Pair<'i, Rule>>) -> Read<(Vec<Expr>, u32)> {
        let mut exprs = Vec::new();
        let mut depth = 0;
        for pair in pairs {
            let node = self.node(pair)?;
            depth = depth.max(node.depth);
            exprs.push(node.expr);
        }
        Ok((exprs, depth))
    }

    fn node(self, pair: Pair<'_, Rule>) -> Read<Node> {
        self.operation(pair.into_inner())
    }

    /// A flat list of operators and operands.
    pub fn operation<'i>(self, pairs: impl Iterator<Item = Pair<'i, Rule>>) -> Read<Node> {
        let mut climb = Climb::default();
        for pair in pairs {
            let span = self.span(&pair);
            match pair.as_rule() {
                Rule::prefix => {
                    let op = if pair.as_str() == "-" { UnaryOp::Neg } else { UnaryOp::Not };
                    climb.prefix(op, span)?;
                }
                Rule::infix => climb.infix(infix_op(&pair), span)?,
                Rule::transpose | Rule::index => {
                    let base =
                        climb.take_operand().expect("the grammar puts postfix operators after an operand");
                    climb.operand(self.postfix(base, pair)?);
                }
                _ => climb.operand(self.primary(pair)?),
            }
        }
        climb.finish()
    }

    fn postfix(self, base: Node, pair: Pair<'_, Rule>) -> Read<Node> {
        let span = base.outer.to(self.span(&pair));
        if pair.as_rule() == Rule::transpose {
            return Node::over(ExprKind::Transpose(Box::new(base.expr)), span, base.depth);
        }
        let mut depth = base.depth;
        let mut indices = Vec::new();
        for slot in parts(pair) {
            let (index, height) = self.slot(slot)?;
            depth = depth.max(height);
            indices.push(index);
        }
        Node::over(ExprKind::Index { base: Box::new(base.expr), indices }, span, depth)
    }

    fn slot(self, pair: Pair<'_, Rule>) -> Read<(Index, u32)> {
        let span = self.span(&pair);
        let mut inner = parts(pair);
        if inner.when(Rule::all).is_some() {
            return Ok((Index::All(span), 0));
        }
        let start = inner.when(Rule::expr).map(|pair| self.node(pair)).transpose()?;
        let dots = inner.when(Rule::dots);
        let end = inner.when(Rule::expr).map(|pair| self.node(pair)).transpose()?;
        let depth =
            start.as_ref().map_or(0, |node| node.depth).max(end.as_ref().map_or(0, |node| node.depth));
        let index = match (start, dots) {
            (Some(at), None) => Index::At(at.expr),
            (start, _) => Index::Range { start: start.map(|n| n.expr), end: end.map(|n| n.expr), span },
        };
        Ok((index, depth))
    }

    fn primary(self, pair: Pair<'_, Rule>) -> Read<Node> {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::number => number(pair.as_str(), span)?,
            Rule::boolean => ExprKind::Bool(pair.as_str() == "true"),
            Rule::text => ExprKind::Text(unquoted(pair.as_str())),
            Rule::path => ExprKind::Name(parts(pair).map(|part| self.ident(&part)).collect()),
            Rule::paren => {
                let node = Builder { options: false, ..self }.node(parts(pair).need())?;
                return Ok(Node { outer: span, ..node });
            }
            Rule::bracketed => return Builder { options: false, ..self }.bracketed(pair, span),
            Rule::call => return self.call(pair, span),
            Rule::if_expr => return self.if_expr(pair, span),
            rule => unreachable!("the grammar gives no {rule:?} as an operand"),
        };
        Node::over(kind, span, 0)
    }

    fn if_expr(self, pair: Pair<'_, Rule>, span: Span) -> Read<Node> {
        let mut inner = parts(pair);
        let condition = self.node(inner.need())?;
        let then = self.node(inner.need())?;
        let otherwise = self.node(inner.need())?;
        let depth = condition.depth.max(then.depth).max(otherwise.depth);
        let (condition, then) = (Box::new(condition.expr), Box::new(then.expr));
        Node::over(ExprKind::If { condition, then, otherwise: Box::new(otherwise.expr) }, span, depth)
    }

    fn bracketed(self, pair: Pair<'_, Rule>, span: Span) -> Read<Node> {
        let mut clause = None;
        let mut elements = Vec::new();
        for part in parts(pair) {
            match part.as_rule() {
                Rule::for_clause => clause = Some(part),
                _ => elements.push(part),
            }
        }
        let (mut elements, depth) = self.exprs(elements.into_iter())?;
        let Some(clause) = clause else { return Node::over(ExprKind::Array(elements), span, depth) };
        let body = elements.pop().expect("the grammar puts a term before `for`");
        let (comprehension, depth) = self.comprehension(body, depth, clause)?;
        Node::over(ExprKind::Comprehension(Box::new(comprehension)), span, depth)
    }

    fn call(self, pair: Pair<'_, Rule>, span: Span) -> Read<Node> {
        let mut inner = parts(pair);
        let function = self.ident(&inner.need());
        let mut arguments = Vec::new();
        let mut depth = 0;
        while let Some(pair) = inner.when(Rule::argument) {
            let (argument, height) = self.argument(pair, &function)?;
            depth = depth.max(height);
            arguments.push(argument);
        }
        let Some(clause) = inner.when(Rule::for_clause) else {
            return Node::over(ExprKind::Call { function, arguments }, span, depth);
        };
        let body = arguments.pop().expect("the grammar puts a term before `for`").value;
        let (comprehension, depth) = self.comprehension(body, depth, clause)?;
        let comprehension = Box::new(comprehension);
        Node::over(ExprKind::Reduction { function, comprehension }, span, depth)
    }

    fn argument(self, pair: Pair<'_, Rule>, function: &Ident) -> Read<(Argument, u32)> {
        let mut inner = parts(pair);
        let name = inner.when(Rule::name).map(|pair| self.ident(&pair));
        if let (Some(name), false) = (&name, self.options) {
            let message = "named argument outside `solve`";
            let label = format!("`{}` takes its arguments by position", function.name);
            let diagnostic = Diagnostic::error("E0119", message, name.span, label)
                .help(format!("leave out `{0} =`, or write `{0} == …` to compare", name.name));
            return Err(Box::new(diagnostic));
        }
        let node = self.node(inner.need())?;
        Ok((Argument { name, value: node.expr }, node.depth))
    }

    fn comprehension(self, body: Expr, depth: u32, clause: Pair<'_, Rule>) -> Read<(Comprehension, u32)> {
        let mut depth = depth;
        let mut binders = Vec::new();
        let mut filter = None;
        for part in parts(clause) {
            if part.as_rule() == Rule::filter {
                let node = self.node(parts(part).need())?;
                depth = depth.max(node.depth);
                filter = Some(node.expr);
            } else {
                let (binder, height) = self.binder(part)?;
                depth = depth.max(height);
                binders.push(binder);
            }
        }
        Ok((Comprehension { body, binders, filter }, depth))
    }

    /// A `binder` pair and the height of its range.
    pub fn binder(self, pair: Pair<'_, Rule>) -> Read<(Binder, u32)> {
        let span = self.span(&pair);
        let mut inner = parts(pair);
        let name = self.ident(&inner.need());
        let sampled = inner.when(Rule::in_word).is_none();
        let start = self.node(inner.need())?;
        let end = match inner.when(Rule::dots) {
            Some(_) => Some(self.node(inner.need())?),
            None => None,
        };
        let depth = start.depth.max(end.as_ref().map_or(0, |end| end.depth));
        let range = match end {
            Some(end) => IndexRange::Range(start.expr, end.expr),
            None => IndexRange::Count(start.expr),
        };
        Ok((Binder { name, sampled, range, span }, depth))
    }

    /// A `type_expr` pair.
    pub fn type_expr(self, pair: Pair<'_, Rule>) -> Read<TypeExpr> {
        let span = self.span(&pair);
        let mut inner = parts(pair);
        let sparse = inner.when(Rule::sparse).map(|pair| self.span(&pair));
        let element = self.ident(&inner.need());
        let dims = match inner.when(Rule::shape) {
            Some(shape) => self.exprs(parts(shape))?.0,
            None => Vec::new(),
        };
        Ok(TypeExpr { element, sparse, dims, span })
    }

    /// A `let_item` pair.
    pub fn let_item(self, pair: Pair<'_, Rule>) -> Read<Let> {
        let mut inner = parts(pair);
        let name = self.ident(&inner.need());
        let ty = inner.when(Rule::type_expr).map(|pair| self.type_expr(pair)).transpose()?;
        let value = self.expr(parts(inner.need()).need())?;
        Ok(Let { name, ty, value })
    }

    /// A `block` pair.
    pub fn block(self, pair: Pair<'_, Rule>) -> Read<Expr> {
        let span = self.span(&pair);
        let mut inner = parts(pair);
        let mut lets = Vec::new();
        while let Some(pair) = inner.when(Rule::let_item) {
            lets.push(self.let_item(pair)?);
        }
        let result = Box::new(self.expr(inner.need())?);
        Ok(Expr { kind: ExprKind::Block { lets, result }, span })
    }
}

/// The operator of an `infix` pair.
pub(super) fn infix_op(pair: &Pair<'_, Rule>) -> BinaryOp {
    precedence::infix_spelled(pair.as_str()).expect("the grammar has the spellings of the table").op
}

/// The text between the quotes.
pub(super) fn unquoted(written: &str) -> String {
    written.trim_end().trim_matches('"').to_string()
}

fn number(written: &str, span: Span) -> Read<ExprKind> {
    if written == "inf" {
        return Ok(ExprKind::Number { value: f64::INFINITY, integer: false });
    }
    let digits = written.replace('_', "");
    let integer = digits.bytes().all(|b| b.is_ascii_digit());
    match digits.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(ExprKind::Number { value, integer }),
        _ => {
            let diagnostic = Diagnostic::error("E0105", "number is too large", span, "beyond 1.8e308");
            Err(Box::new(diagnostic.help("write `inf` for infinity")))
        }
    }
}
