//! Statements: one piece of the splitter to one item of the tree.

use std::ops::Range;

use pest::Parser;
use pest::iterators::Pair;

use super::exprs::{Builder, infix_op, parts, unquoted};
use super::split::Statement;
use super::{Grammar, Read, Rule, Text, explain};
use crate::ast::{
    BinaryOp, Constraint, Data, DataSource, DimValue, Domain, DomainKind, Expr, ExprKind, Fn, Ident, Init,
    ItemKind, Level, LevelKind, Random, Solve, SolveOption, TypeExpr, Use, UsePath, Var,
};
use crate::diagnostic::Diagnostic;
use crate::span::Span;

/// Reads the statement made of `tokens`.
pub(super) fn statement(text: &Text, tokens: Range<usize>) -> Read<ItemKind> {
    let significant = text.significant(tokens.clone());
    explain::opening(text, &significant)?;
    let base = significant[0].start;
    let written = &text.clean[base..text.tokens[tokens.end - 1].end];
    let pairs = Grammar::parse(Rule::statement, written)
        .map_err(|error| explain::failure(text, base, &significant, &error))?;
    let statement = pairs.into_iter().next().expect("a parse gives its rule");
    let item = parts(statement).need();
    Builder { file: text.file, base, options: false }.item(item)
}

/// Reads the whole text as one expression.
pub(super) fn expression(text: &Text) -> Read<Expr> {
    let significant = text.significant(0..text.tokens.len());
    if significant.is_empty() {
        let place = Span::new(text.file, 0, text.source.len());
        return Err(Box::new(Diagnostic::error("E0101", "expected an expression", place, "nothing here")));
    }
    let pairs = Grammar::parse(Rule::expression, text.clean)
        .map_err(|error| explain::failure(text, 0, &significant, &error))?;
    let expression = pairs.into_iter().next().expect("a parse gives its rule");
    Builder { file: text.file, base: 0, options: false }.expr(parts(expression).need())
}

/// Reads a level's header. One that cannot be read still gives a level, so that the block inside is not lost.
pub(super) fn level(text: &Text, header: &Statement, diagnostics: &mut Vec<Diagnostic>) -> Level {
    let first = text.tokens[header.tokens.start];
    let keyword = Span::new(text.file, first.start, first.end);
    let upper = super::words::level_meant(first.text(text.source)) == Some("upper");
    let kind = if upper { LevelKind::Upper } else { LevelKind::Lower };
    let mut level = Level { kind, keyword, pessimistic: None, name: None, items: Vec::new() };
    if header.broken {
        return level;
    }
    let significant = text.significant(header.tokens.clone());
    let base = first.start;
    let written = &text.clean[base..text.tokens[header.tokens.end - 1].end];
    match Grammar::parse(Rule::level_header, written) {
        Ok(mut pairs) => {
            let builder = Builder { file: text.file, base, options: false };
            let mut inner = parts(pairs.next().expect("a parse gives its rule"));
            inner.when(Rule::lower);
            level.pessimistic = inner.when(Rule::pessimistic).map(|pair| builder.span(&pair));
            level.name = inner.when(Rule::name).map(|pair| builder.ident(&pair));
        }
        Err(error) => diagnostics.push(*explain::header(text, base, &significant, &error)),
    }
    level
}

impl Builder {
    fn item(self, pair: Pair<'_, Rule>) -> Read<ItemKind> {
        Ok(match pair.as_rule() {
            Rule::use_item => ItemKind::Use(self.use_item(pair)),
            Rule::dim_item => self.dim_item(pair)?,
            Rule::data_item => ItemKind::Data(self.data_item(pair)?),
            Rule::param_item => self.param_item(pair)?,
            Rule::let_item => ItemKind::Let(self.let_item(pair)?),
            Rule::fn_item => ItemKind::Fn(self.fn_item(pair)?),
            Rule::solve_item => ItemKind::Solve(self.solve_item(pair)?),
            Rule::report_item => {
                let mut inner = parts(pair);
                ItemKind::Report { name: self.ident(&inner.need()), value: self.value(inner.need())? }
            }
            Rule::expect_item => ItemKind::Expect(self.expr(parts(pair).need())?),
            Rule::precision_item => ItemKind::Precision(self.ident(&parts(pair).need())),
            Rule::var_item => ItemKind::Var(self.var_item(pair)?),
            Rule::objective_item => {
                let mut inner = parts(pair);
                let sense = inner.need();
                let (maximize, keyword) = (sense.as_rule() == Rule::maximize, self.span(&sense));
                ItemKind::Objective { maximize, keyword, value: self.expr(inner.need())? }
            }
            Rule::constraint_item => ItemKind::Constraint(self.constraint(pair)?),
            rule => unreachable!("the grammar gives no {rule:?} as a statement"),
        })
    }

    /// A `value` pair: `= e`.
    fn value(self, pair: Pair<'_, Rule>) -> Read<Expr> {
        self.expr(parts(pair).need())
    }

    fn use_item(self, pair: Pair<'_, Rule>) -> Use {
        let mut inner = parts(pair);
        let path = inner.need();
        let span = self.span(&path);
        let path = if path.as_rule() == Rule::text {
            UsePath::File { path: unquoted(path.as_str()), span }
        } else {
            UsePath::Module(parts(path).map(|part| self.ident(&part)).collect())
        };
        let names =
            inner.when(Rule::name_list).map(|list| parts(list).map(|name| self.ident(&name)).collect());
        Use { path, names }
    }

    fn dim_item(self, pair: Pair<'_, Rule>) -> Read<ItemKind> {
        let mut inner = parts(pair);
        let name = self.ident(&inner.need());
        let value = inner.when(Rule::value).map(|pair| self.value(pair)).transpose()?;
        Ok(ItemKind::Dim { name, value: value.map(dim_value) })
    }

    fn param_item(self, pair: Pair<'_, Rule>) -> Read<ItemKind> {
        let mut inner = parts(pair);
        let name = self.ident(&inner.need());
        let ty = inner.when(Rule::type_expr).map(|pair| self.type_expr(pair)).transpose()?;
        let value = inner.when(Rule::value).map(|pair| self.value(pair)).transpose()?;
        Ok(ItemKind::Param { name, ty, value })
    }

    /// `name: type in domain`, as in `data` and `var`; the rest is left.
    fn declared<'i>(self, inner: &mut super::exprs::Parts<'i>) -> Read<(Ident, TypeExpr, Option<Domain>)> {
        let name = self.ident(&inner.need());
        let ty = self.type_expr(inner.need())?;
        let domain = inner.when(Rule::domain).map(|pair| self.domain(pair)).transpose()?;
        Ok((name, ty, domain))
    }

    fn data_item(self, pair: Pair<'_, Rule>) -> Read<Data> {
        let mut inner = parts(pair);
        let (name, ty, domain) = self.declared(&mut inner)?;
        let source = match inner.next() {
            None => None,
            Some(pair) if pair.as_rule() == Rule::value => Some(DataSource::Value(self.value(pair)?)),
            Some(pair) if pair.as_rule() == Rule::random => Some(DataSource::Random(self.random(pair)?)),
            Some(pair) => {
                let path = parts(pair).need();
                Some(DataSource::File { path: unquoted(path.as_str()), span: self.span(&path) })
            }
        };
        Ok(Data { name, ty, domain, source })
    }

    fn var_item(self, pair: Pair<'_, Rule>) -> Read<Var> {
        let mut inner = parts(pair);
        let (name, ty, domain) = self.declared(&mut inner)?;
        let init = match inner.next() {
            None => None,
            Some(pair) if pair.as_rule() == Rule::value => Some(Init::Value(self.value(pair)?)),
            Some(pair) => Some(Init::Random(self.random(pair)?)),
        };
        Ok(Var { name, ty, domain, init })
    }

    fn random(self, pair: Pair<'_, Rule>) -> Read<Random> {
        let span = self.span(&pair);
        let mut inner = parts(pair);
        let distribution = self.ident(&inner.need());
        Ok(Random { distribution, arguments: self.exprs(inner)?.0, span })
    }

    fn domain(self, pair: Pair<'_, Rule>) -> Read<Domain> {
        let mut inner = parts(pair);
        inner.when(Rule::in_word);
        let first = self.expr(inner.need())?;
        if inner.when(Rule::dots).is_some() {
            let end = self.expr(inner.need())?;
            let span = first.span.to(end.span);
            return Ok(Domain { kind: DomainKind::Range(first, end), span });
        }
        let span = first.span;
        let kind = match first.kind {
            ExprKind::Array(mut bounds) if bounds.len() == 2 => {
                let hi = bounds.remove(1);
                DomainKind::Interval(bounds.remove(0), hi)
            }
            ExprKind::Name(mut path) if path.len() == 1 => {
                DomainKind::Named { name: path.remove(0), arguments: Vec::new() }
            }
            ExprKind::Call { function, arguments } => {
                let arguments = arguments.into_iter().map(|argument| argument.value).collect();
                DomainKind::Named { name: function, arguments }
            }
            _ => {
                let diagnostic = Diagnostic::error("E0101", "expected a set after `in`", span, "not a set")
                    .help("write `[lo, hi]`, `a..b`, `nonneg`, `simplex` or `ball(r)`");
                return Err(Box::new(diagnostic));
            }
        };
        Ok(Domain { kind, span })
    }

    fn fn_item(self, pair: Pair<'_, Rule>) -> Read<Fn> {
        let mut inner = parts(pair);
        let name = self.ident(&inner.need());
        let mut params = Vec::new();
        while let Some(pair) = inner.when(Rule::parameter) {
            let mut parameter = parts(pair);
            let name = self.ident(&parameter.need());
            let ty = parameter.next().map(|pair| self.type_expr(pair)).transpose()?;
            params.push((name, ty));
        }
        let result = inner.when(Rule::result).map(|pair| self.type_expr(parts(pair).need())).transpose()?;
        let body = parts(inner.need()).need();
        let body = if body.as_rule() == Rule::block { self.block(body)? } else { self.expr(body)? };
        Ok(Fn { name, params, result, body })
    }

    fn solve_item(self, pair: Pair<'_, Rule>) -> Read<Solve> {
        let builder = Builder { options: true, ..self };
        let mut inner = parts(pair);
        let method = self.ident(&inner.need());
        let mut options = Vec::new();
        for option in inner {
            let mut option = parts(option);
            options
                .push(SolveOption { name: self.ident(&option.need()), value: builder.expr(option.need())? });
        }
        Ok(Solve { method, options })
    }

    fn constraint(self, pair: Pair<'_, Rule>) -> Read<Constraint> {
        let span = self.span(&pair);
        let mut inner = parts(pair);
        let mut constraint =
            Constraint { name: None, binders: Vec::new(), operands: Vec::new(), relations: Vec::new() };
        if let Some(label) = inner.when(Rule::label) {
            let mut label = parts(label);
            constraint.name = Some(self.ident(&label.need()));
            for binder in label {
                constraint.binders.push(self.binder(binder)?.0);
            }
        }
        let mut operand = Vec::new();
        for part in inner.need().into_inner() {
            let op = (part.as_rule() == Rule::infix).then(|| infix_op(&part));
            if op.is_some_and(|op| matches!(op, BinaryOp::And | BinaryOp::Or)) || is_not(&part) {
                return Err(Box::new(explain::joined_constraint(self.span(&part), part.as_str())));
            }
            match op.filter(|op| BinaryOp::Eq as u8 <= *op as u8 && *op as u8 <= BinaryOp::Ge as u8) {
                Some(op) => {
                    let relation = self.relation(op, self.span(&part), &constraint.relations)?;
                    constraint.relations.push(relation);
                    constraint.operands.push(self.operation(operand.drain(..))?.expr);
                }
                None => operand.push(part),
            }
        }
        constraint.operands.push(self.operation(operand.into_iter())?.expr);
        if constraint.relations.is_empty() {
            let place = constraint.operands[0].span;
            let diagnostic =
                Diagnostic::error("E0112", "constraint without a relation", place, "compares nothing").label(
                    Span { end: span.start + "subject".len() as u32, ..span },
                    "constraint starts here",
                );
            return Err(Box::new(diagnostic.help("write `subject to a <= b`, `a >= b` or `a == b`")));
        }
        Ok(constraint)
    }

    /// Checks that a relation may stand in a constraint after `before`.
    fn relation(self, op: BinaryOp, span: Span, before: &[(BinaryOp, Span)]) -> Read<(BinaryOp, Span)> {
        let spelling = op.spelling();
        if !matches!(op, BinaryOp::Le | BinaryOp::Ge | BinaryOp::Eq) {
            let message = format!("a constraint cannot use `{spelling}`");
            let diagnostic = Diagnostic::error("E0117", message, span, "strict relations have no closed set");
            let help = match op {
                BinaryOp::Lt => "write `<=`",
                BinaryOp::Gt => "write `>=`",
                _ => "a constraint is `<=`, `>=` or `==`",
            };
            return Err(Box::new(diagnostic.help(help)));
        }
        if let Some((first, place)) = before.last()
            && (before.len() > 1 || *first != op || op == BinaryOp::Eq)
        {
            let message = "a constraint chains two `<=` or two `>=`";
            let diagnostic = Diagnostic::error("E0117", message, span, format!("`{spelling}` does not fit"))
                .label(*place, format!("after this `{}`", first.spelling()))
                .help("write `lo <= e <= hi`, or one `subject to` for each relation");
            return Err(Box::new(diagnostic));
        }
        Ok((op, span))
    }
}

fn is_not(pair: &Pair<'_, Rule>) -> bool {
    pair.as_rule() == Rule::prefix && pair.as_str() == "not"
}

/// Labels if `value` is an array of strings, else a size.
fn dim_value(value: Expr) -> DimValue {
    if let ExprKind::Array(elements) = &value.kind {
        let label = |element: &Expr| match &element.kind {
            ExprKind::Text(label) => Some((label.clone(), element.span)),
            _ => None,
        };
        if let Some(labels) = elements.iter().map(label).collect() {
            return DimValue::Labels(labels);
        }
    }
    DimValue::Size(value)
}
