//! Levels: variables with domain and start, and objectives.

use blo_grammar::ast::{self, DomainKind, Expr, ItemKind};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse::nearest;
use blo_grammar::span::Span;

use super::arithmetic::join;
use super::scope::{Frame, LevelId, Reads};
use super::value::{Axis, Loops, Value};
use super::{Checker, VarState};
use crate::draws::Draw;
use crate::ir::graph::{NodeId, Role};
use crate::model::{Domain, Follower, Init, Level, Var};
use crate::types::{Elem, Type};

impl Checker<'_> {
    /// A variable as a graph input.
    pub fn variable(&mut self, var: &ast::Var, level: Option<LevelId>) -> Option<Value> {
        let Some(level) = level else { crate::bug!("a variable outside the levels") };
        self.at(Frame::top(0, None), Reads::Data("a variable's declaration"), |c| c.new_variable(var, level))
    }

    fn new_variable(&mut self, var: &ast::Var, level: LevelId) -> Option<Value> {
        let ty = self.type_of(&var.ty);
        let (elem, shape) = ty?;
        if elem == Elem::Bool {
            let message = "a variable cannot be `bool`";
            let diagnostic =
                Diagnostic::error("E0204", message, var.ty.element.span, "not a type of variables");
            self.emit(diagnostic.help("write `int` and `in 0..2`, or `real` and `in [0, 1]`"));
            return None;
        }
        let integer = elem == Elem::Int;
        let domain = match &var.domain {
            None => Some(Domain::Free),
            Some(domain) if integer => self.integer_domain(domain, &shape),
            Some(domain) => self.domain(domain, &shape),
        };
        let init = match &var.init {
            None => {
                let sizes = self.sizes(&Loops::new(), &shape);
                Some(Init::Value(self.graph.fill(0.0, &sizes)))
            }
            Some(ast::Init::Value(e)) => self.bound(e, &shape, "a start").map(Init::Value),
            Some(ast::Init::Random(random)) => self.distribution(random).map(|draw| match draw {
                Draw::Normal(mean, deviation) => Init::Normal(mean, deviation),
                Draw::Uniform(low, high) => Init::Uniform(low, high),
            }),
        };
        if let (true, Some(written)) = (integer, &var.init) {
            let node = match init {
                Some(Init::Value(node)) => Some(node),
                _ => None,
            };
            self.whole_start(written, node);
        }
        let role = match level {
            LevelId::Upper => Role::Upper,
            LevelId::Lower(_) => Role::Lower,
        };
        let ty = Type::new(Elem::Real, shape.iter().map(|a| a.size));
        let (input, node) = self.graph.add_input(&var.name.name, role, ty.clone());
        let dims = shape.iter().map(|a| a.dim.map(|d| self.dims[d.0].name.clone())).collect();
        let value = self.value(node, Loops::new(), shape.clone());
        // A bad domain or start was reported; the variable itself is still good for checking the rest.
        let domain = domain.unwrap_or(Domain::Free);
        let init = init.unwrap_or(Init::Normal(0.0, 0.0));
        let (name, span) = (var.name.name.clone(), var.name.span);
        let var = Var { name, ty, integer, dims, domain, init, input, node, span };
        self.vars.push(VarState { var, level, shape });
        Some(value)
    }

    /// The domain of a real variable.
    pub fn domain(&mut self, domain: &ast::Domain, shape: &[Axis]) -> Option<Domain> {
        match &domain.kind {
            DomainKind::Interval(low, high) => {
                let (a, b) = (self.bound(low, shape, "a bound"), self.bound(high, shape, "a bound"));
                let (a, b) = (a?, b?);
                self.bounds_ordered(a, b, domain.span)?;
                Some(Domain::Interval(a, b))
            }
            DomainKind::Range(..) => {
                let diagnostic = Diagnostic::error(
                    "E0223",
                    "a real variable cannot lie in a range of whole numbers",
                    domain.span,
                    "whole numbers",
                );
                self.emit(diagnostic.help("an interval is written `[lo, hi]`; whole numbers need `int`"));
                None
            }
            DomainKind::Named { name, arguments } => self.named_domain(name, arguments, shape),
        }
    }

    fn named_domain(&mut self, name: &ast::Ident, arguments: &[Expr], shape: &[Axis]) -> Option<Domain> {
        let known = ["nonneg", "simplex", "ball"];
        let wanted = usize::from(name.name == "ball");
        if known.contains(&name.name.as_str()) && arguments.len() != wanted {
            let usage = if wanted == 1 { "`ball(r)` takes its radius" } else { "no argument expected" };
            return self.error("E0223", format!("`{}` has the wrong arguments", name.name), name.span, usage);
        }
        match name.name.as_str() {
            "nonneg" => {
                let sizes = self.sizes(&Loops::new(), shape);
                let (low, high) = (self.graph.fill(0.0, &sizes), self.graph.fill(f64::INFINITY, &sizes));
                Some(Domain::Interval(low, high))
            }
            "simplex" if shape.is_empty() => {
                self.error("E0223", "a scalar cannot lie in the simplex", name.span, "this needs an array")
            }
            "simplex" => Some(Domain::Simplex),
            "ball" => {
                let radius = self.bound(&arguments[0], &[], "a radius")?;
                let value = self.scalar(radius);
                let bad =
                    self.known_array(&value).and_then(|a| a.iter().copied().find(|r| r.is_nan() || *r < 0.0));
                if let Some(r) = bad {
                    let label = format!("this is {r}");
                    return self.error("E0223", "a radius cannot be negative", arguments[0].span, label);
                }
                Some(Domain::Ball(radius))
            }
            other => {
                let mut diagnostic = Diagnostic::error(
                    "E0223",
                    format!("there is no domain `{other}`"),
                    name.span,
                    "unknown domain",
                );
                let near = match other {
                    "positive" | "nonnegative" | "NonNegativeReals" | "PositiveReals" => Some("nonneg"),
                    "probability" | "distribution" | "probabilities" => Some("simplex"),
                    _ => nearest(other, known),
                };
                diagnostic = match near {
                    Some(near) => diagnostic.did_you_mean(near),
                    None => diagnostic.help("write `[lo, hi]`, `nonneg`, `simplex` or `ball(r)`"),
                };
                self.emit(diagnostic);
                None
            }
        }
    }

    /// A bound or start: a real scalar, or an array that broadcasts to the variable's shape.
    fn bound(&mut self, e: &Expr, shape: &[Axis], what: &str) -> Option<NodeId> {
        let value = self.expr(e)?;
        let value = self.numeric(value, e.span, what)?;
        let value = self.real(&value);
        let fits = value.rank() <= shape.len() && join(shape, &value.shape).is_some();
        if !fits {
            let label = format!("this is {}", self.value_text(&value));
            let wanted = self.type_text("real", shape);
            return self.error("E0203", format!("{what} does not fit a variable {wanted}"), e.span, label);
        }
        Some(self.spread(&value, &Loops::new(), shape))
    }

    fn bounds_ordered(&mut self, low: NodeId, high: NodeId, span: Span) -> Option<()> {
        let rank = self.graph.shape(low).len();
        let value =
            |c: &Self, node| Value { shape: (0..rank).map(|_| Axis::of(1)).collect(), ..c.bare(node) };
        let (a, b) = (value(self, low), value(self, high));
        if self.vars_assumed(low) {
            return Some(());
        }
        let (Some(a), Some(b)) = (self.known_array(&a), self.known_array(&b)) else { return Some(()) };
        match a.iter().zip(&b).find(|(x, y)| x > y || x.is_nan() || y.is_nan()) {
            None => Some(()),
            Some((x, y)) => {
                let label = format!("{x} is above {y}");
                let diagnostic = Diagnostic::error("E0223", "the interval is empty", span, label);
                self.emit(diagnostic.help("the lower bound comes first: `[lo, hi]`"));
                None
            }
        }
    }

    /// Whether a node is too large to look at because its sizes are made up.
    fn vars_assumed(&self, node: NodeId) -> bool {
        self.graph.ty(node).len() > 50_000_000
    }

    /// A node whose axes do not matter.
    fn bare(&self, node: NodeId) -> Value {
        let elem = self.graph.ty(node).elem;
        Value {
            node,
            loops: Loops::new(),
            shape: super::value::Axes::new(),
            elem,
            affine: None,
            assumed: false,
        }
    }

    /// The objective and the constraints of a level; its variables are worked out before. Multipliers may still be asked for,
    /// so the constraints themselves are put in at the end: see [`Checker::constraints_in`].
    pub fn level(&mut self, id: LevelId, level: &ast::Level) -> Option<Level> {
        let objective = self.objective(id, level);
        self.elaborate_constraints(id, level);
        let (objective, maximize, objective_span) = objective?;
        let name = level.name.iter().map(|n| n.name.clone());
        Some(Level {
            followers: name.map(|name| Follower { name, objective, maximize, objective_span }).collect(),
            pessimistic: level.pessimistic,
            vars: self.vars_in_order(id),
            constraints: Vec::new(),
            objective,
            maximize,
            objective_span,
            span: level.keyword,
        })
    }

    /// The objective of a level, to be minimised, whether the model says `maximize`, and the expression's place.
    fn objective(&mut self, id: LevelId, level: &ast::Level) -> Option<(NodeId, bool, Span)> {
        let objectives: Vec<_> = level
            .items
            .iter()
            .filter_map(|item| match &item.kind {
                ItemKind::Objective { maximize, keyword, value } => Some((*maximize, *keyword, value)),
                _ => None,
            })
            .collect();
        let name = self.level_name(id);
        let Some((maximize, keyword, written)) = objectives.first().copied() else {
            // A statement that could not be read may have been the objective.
            if level.items.iter().any(|item| matches!(item.kind, ItemKind::Error)) {
                return None;
            }
            if self.draft.is_some() {
                return Some(self.missing_objective(id, level.keyword));
            }
            let diagnostic = Diagnostic::error(
                "E0220",
                format!("`{name}` has no objective"),
                level.keyword,
                "in this level",
            );
            self.emit_plain(diagnostic.help("add `minimize …` or `maximize …`"));
            return None;
        };
        if let Some((_, again, _)) = objectives.get(1) {
            let diagnostic =
                Diagnostic::error("E0220", format!("`{name}` has two objectives"), *again, "the second one")
                    .label(keyword, "the first one");
            let word = if maximize { "maximize" } else { "minimize" };
            self.emit_plain(diagnostic.help(format!("join them in one: `{word} a + b`")));
        }
        let value = self.at(Frame::top(0, Some(id)), Reads::Variables, |c| {
            let value = c.expr(written)?;
            c.real_scalar(&value, written, "an objective")
        })?;
        self.objectives.insert(id, (value.clone(), maximize));
        let objective = if maximize { self.graph.neg(value.node) } else { value.node };
        Some((objective, maximize, written.span))
    }

    /// The level's variables in source order.
    fn vars_in_order(&self, level: LevelId) -> Vec<Var> {
        let mut vars: Vec<Var> =
            self.vars.iter().filter(|v| v.level == level).map(|v| v.var.clone()).collect();
        vars.sort_by_key(|v| v.span);
        vars
    }

    /// A real scalar; whole numbers widen.
    pub fn real_scalar(&mut self, value: &Value, written: &Expr, what: &str) -> Option<Value> {
        if value.rank() == 0 && value.elem != Elem::Bool {
            return Some(self.real(value));
        }
        let label = format!("this is {}", self.value_text(value));
        let mut diagnostic =
            Diagnostic::error("E0221", format!("{what} must be a real scalar"), written.span, label);
        if value.rank() > 0 {
            diagnostic = diagnostic.help("reduce it with `sum`, `mean` or `sumsq`");
        }
        self.emit(diagnostic);
        None
    }
}
