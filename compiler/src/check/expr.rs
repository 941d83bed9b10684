//! Expressions: literals, names, and the way to the rules for each other form.

use blo_grammar::ast::{BinaryOp, Expr, ExprKind, Ident, UnaryOp};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::Checker;
use super::scope::{Kind, Local, Meaning, Reads};
use super::value::{Affine, Axes, Axis, Loops, Value};
use crate::ir::graph::{NodeId, Role};
use crate::types::Elem;

/// Expressions inside each other, counted through names and calls. Each takes stack; the command runs on a large one.
const MAX_DEPTH: usize = 5_000;

impl Checker<'_> {
    /// Elaborates an expression; `None` after an error.
    pub fn expr(&mut self, e: &Expr) -> Option<Value> {
        if self.depth == MAX_DEPTH {
            return self.too_far(
                "declarations and calls lie too deep inside each other",
                e.span,
                "still deeper here",
            );
        }
        let outer = self.graph.set_span(Some(e.span));
        self.depth += 1;
        let value = self.expr_kind(e);
        self.depth -= 1;
        self.graph.set_span(outer);
        self.note(e.span, value.as_ref());
        value
    }

    /// The error for a model that is finite and still too much to expand; told once, since everything after it is in doubt.
    pub fn too_far<T>(&mut self, message: &str, span: Span, label: &str) -> Option<T> {
        if !self.diagnostics.iter().any(|d| d.code == "E0234") {
            self.emit_plain(
                Diagnostic::error("E0234", message, span, label)
                    .help("declare values before they are used, and give results that several calls share a name with `let`"),
            );
        }
        None
    }

    fn expr_kind(&mut self, e: &Expr) -> Option<Value> {
        match &e.kind {
            ExprKind::Number { value, integer } => Some(self.number(*value, *integer)),
            ExprKind::Bool(value) => {
                let node = self.graph.boolean(*value);
                Some(self.scalar(node))
            }
            ExprKind::Text(_) => {
                let label = "text stands only for an index label or an option";
                let diagnostic = Diagnostic::error("E0204", "text is not a value", e.span, label);
                self.emit(
                    diagnostic.help("a label stands in an index, `demand[\"Paris\"]`; a file behind `from`"),
                );
                None
            }
            ExprKind::Name(path) => {
                let value = self.name(path, e.span)?;
                Some(self.copy_for_turns(value))
            }
            ExprKind::Array(items) => self.array(items, e.span),
            ExprKind::Comprehension(c) => self.array_comprehension(c),
            ExprKind::Call { function, arguments } => self.call(function, arguments, e.span),
            ExprKind::Reduction { function, comprehension } => {
                self.reduction(function, comprehension, e.span)
            }
            ExprKind::Index { base, indices } => self.index(base, indices),
            ExprKind::Transpose(operand) => self.transpose(operand, e.span),
            ExprKind::Unary { op, operand } => self.prefix(*op, operand),
            ExprKind::Binary { op: BinaryOp::MatMul, operator, left, right } => {
                let (a, b) = (self.expr(left), self.expr(right));
                self.matmul(&a?, &b?, *operator, left, right)
            }
            ExprKind::Binary { op: op @ (BinaryOp::Eq | BinaryOp::Ne), operator, left, right }
                if is_text(left) != is_text(right) =>
            {
                let (label, index) = if is_text(left) { (left, right) } else { (right, left) };
                let value = self.expr(index)?;
                let position = self.label_beside(label, &value, index)?;
                self.infix(*op, *operator, (&value, index), (&position, label))
            }
            ExprKind::Binary { op, operator, left, right } => {
                let (a, b) = (self.expr(left), self.expr(right));
                self.infix(*op, *operator, (&a?, left), (&b?, right))
            }
            ExprKind::If { condition, then, otherwise } => self.choice(condition, then, otherwise),
            ExprKind::Block { lets, result } => self.block(lets, result),
            ExprKind::Error => None,
        }
    }

    /// A number; whole when it is written so.
    pub fn number(&mut self, value: f64, integer: bool) -> Value {
        if integer && value.abs() < 9e15 {
            return self.int(value as i64);
        }
        let node = self.graph.constant(value);
        self.scalar(node)
    }

    /// A constant whole number.
    pub fn int(&mut self, value: i64) -> Value {
        let node = self.graph.int(value);
        Value { affine: Some(Affine::constant(value)), ..self.scalar(node) }
    }

    /// A scalar without loops.
    pub fn scalar(&self, node: NodeId) -> Value {
        self.value(node, Loops::new(), Axes::new())
    }

    /// A value with these axes; the element type is the node's.
    pub fn value(&self, node: NodeId, loops: Loops, shape: Axes) -> Value {
        let elem = self.graph.ty(node).elem;
        debug_assert_eq!(self.graph.shape(node).len(), loops.len() + shape.len());
        Value { node, loops, shape, elem, affine: None, assumed: false }
    }

    /// The whole number that a dimension is.
    pub fn size_value(&mut self, axis: &Axis) -> Value {
        if let Some(dim) = axis.dim {
            self.dims[dim.0].counted = true;
        }
        Value { assumed: axis.assumed, ..self.int(axis.size as i64) }
    }

    fn name(&mut self, path: &[Ident], span: Span) -> Option<Value> {
        let [name] = path else { return self.dotted(path, span) };
        if let Some(value) = self.single_result(name) {
            return Some(value);
        }
        match self.meaning(&name.name) {
            None => self.unknown_name(name),
            Some(Meaning::Local(Local::Value(value))) => value,
            Some(Meaning::Local(Local::Dim(axis))) => Some(self.size_value(&axis)),
            Some(Meaning::Local(Local::Function(_))) => self.not_a_value(name, None),
            Some(Meaning::Decl(id)) => {
                self.decls[id.0].used = true;
                let declared = self.decls[id.0].span;
                match self.decls[id.0].kind.clone() {
                    Kind::Dim(dim) => {
                        let axis = self.dim_axis(dim)?;
                        Some(self.size_value(&axis))
                    }
                    Kind::Fn(_) => self.not_a_value(name, Some(declared)),
                    Kind::Report(_) if !matches!(self.reads, Reads::Reports | Reads::Solution) => {
                        let diagnostic = Diagnostic::error(
                            "E0217",
                            format!(
                                "`{}` is a report, which only `expect` and other reports may read",
                                name.name
                            ),
                            name.span,
                            "not readable here",
                        );
                        self.emit(diagnostic.label(declared, "declared here").help("make it a `let`"));
                        None
                    }
                    Kind::Constraint(_) => {
                        let diagnostic = Diagnostic::error(
                            "E0204",
                            format!("`{}` is a constraint, not a value", name.name),
                            name.span,
                            "no value",
                        );
                        let help = format!("its multiplier is `dual({})`", name.name);
                        self.emit(diagnostic.label(declared, "declared here").help(help));
                        None
                    }
                    _ => {
                        self.own_variable(id, name.span)?;
                        let value = self.resolve(id, name.span)?;
                        self.readable(&value, name, declared)?;
                        Some(value)
                    }
                }
            }
        }
    }

    fn not_a_value(&mut self, name: &Ident, declared: Option<Span>) -> Option<Value> {
        let mut diagnostic = Diagnostic::error(
            "E0204",
            format!("`{}` is a function, not a value", name.name),
            name.span,
            "call it with arguments in brackets",
        );
        if let Some(declared) = declared {
            diagnostic = diagnostic.label(declared, "declared here");
        }
        let called = self.modules.iter().find_map(|module| {
            let local = || module.in_some_level(&name.name).map(|(_, id)| id);
            let id = module.names.get(&name.name).copied().or_else(local)?;
            match &self.decls[id.0].kind {
                Kind::Fn(f) => Some(super::call::usage(f)),
                _ => None,
            }
        });
        let call = called.unwrap_or_else(|| format!("{}(…)", name.name));
        self.emit(diagnostic.help(format!("write `{call}`")));
        None
    }

    /// Refuses a variable where only data may be read.
    fn readable(&mut self, value: &Value, name: &Ident, declared: Span) -> Option<()> {
        let Reads::Data(place) = self.reads else { return Some(()) };
        let level = match self.graph.node(value.node).stage {
            Role::Data | Role::Batch => return Some(()),
            Role::Upper | Role::UpperDirection => "upper",
            Role::Lower | Role::Multiplier | Role::LowerDirection => "lower",
        };
        let mut diagnostic = Diagnostic::error(
            "E0217",
            format!("{place} cannot depend on `{}`", name.name),
            name.span,
            format!("`{}` depends on variables of `{level}`", name.name),
        )
        .label(declared, "declared here")
        .note(format!("{place} is evaluated once, before the solve"));
        let help = match place {
            "a variable's declaration" => "a bound that moves is a constraint: `subject to a <= b`",
            "data" | "a parameter" => "a value that moves is a `let` inside a level",
            "a dimension" | "an option" => "write a number, or a `param` that the command line can set",
            _ => "move the `let` into the level that uses it, or make it a `fn`",
        };
        diagnostic = diagnostic.help(help);
        self.emit(diagnostic);
        None
    }

    fn block(&mut self, lets: &[blo_grammar::ast::Let], result: &Expr) -> Option<Value> {
        let depth = self.frame().locals.len();
        for binding in lets {
            let value = self.let_value(binding);
            self.bind(&binding.name, Local::Value(value), depth);
        }
        let value = self.expr(result);
        self.frame().locals.truncate(depth);
        value
    }

    /// Adds a local name; names added since `depth` must differ.
    pub fn bind(&mut self, name: &Ident, local: Local, depth: usize) {
        if self.frame().locals[depth..].iter().any(|(n, _)| *n == name.name) {
            self.error::<()>("E0202", format!("`{}` is defined twice", name.name), name.span, "again here");
        }
        self.frame().locals.push((name.name.clone(), local));
    }

    fn prefix(&mut self, op: UnaryOp, operand: &Expr) -> Option<Value> {
        let value = self.expr(operand)?;
        match op {
            UnaryOp::Neg => {
                let value = self.numeric(value, operand.span, "`-`")?;
                let affine = value.affine.and_then(|a| Affine::constant(-1).times(a));
                let node = match affine {
                    Some(a) if a.index.is_none() => self.graph.int(a.offset),
                    _ => match self.graph.fill_value(value.node) {
                        Some(x) if value.elem == Elem::Real && value.shape.is_empty() => {
                            self.graph.constant(-x)
                        }
                        _ => self.graph.neg(value.node),
                    },
                };
                Some(Value { affine, assumed: value.assumed, ..self.value(node, value.loops, value.shape) })
            }
            UnaryOp::Not => {
                let value = self.truth(value, operand.span, "`not`")?;
                let node = self.graph.not(value.node);
                Some(self.value(node, value.loops, value.shape))
            }
        }
    }

    /// A value of numbers; truth values are refused.
    pub fn numeric(&mut self, value: Value, span: Span, what: &str) -> Option<Value> {
        if value.elem != Elem::Bool {
            return Some(value);
        }
        let found = self.value_text(&value);
        let diagnostic = Diagnostic::error(
            "E0204",
            format!("{what} needs numbers and found truth values"),
            span,
            format!("this is {found}"),
        );
        self.emit(diagnostic.help("write `if … then 1 else 0`"));
        None
    }

    /// A value of truth values.
    pub fn truth(&mut self, value: Value, span: Span, what: &str) -> Option<Value> {
        if value.elem == Elem::Bool {
            return Some(value);
        }
        let found = self.value_text(&value);
        let message = format!("{what} needs truth values and found numbers");
        let help = format!("compare it: `{} != 0`", self.source_text(span));
        self.emit(Diagnostic::error("E0204", message, span, format!("this is {found}")).help(help));
        None
    }

    /// The same numbers as reals.
    pub fn real(&mut self, value: &Value) -> Value {
        let node = match value.constant() {
            Some(n) => self.graph.constant(n as f64),
            None => self.graph.cast(value.node, Elem::Real),
        };
        self.value(node, value.loops.clone(), value.shape.clone())
    }
}

fn is_text(e: &Expr) -> bool {
    matches!(e.kind, ExprKind::Text(_))
}
