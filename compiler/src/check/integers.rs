//! Integer variables: their domains and starts hold whole numbers. In arithmetic their values are real, so that what relaxes
//! them can differentiate.

use blo_grammar::ast::{self, DomainKind, Expr};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::Checker;
use super::value::{Axis, Loops};
use crate::ir::graph::NodeId;
use crate::model::Domain;

impl Checker<'_> {
    /// The domain of an integer variable.
    pub fn integer_domain(&mut self, domain: &ast::Domain, shape: &[Axis]) -> Option<Domain> {
        match &domain.kind {
            DomainKind::Range(start, end) => self.whole_range(start, end, domain.span, shape),
            DomainKind::Named { name, .. } if ["simplex", "ball"].contains(&name.name.as_str()) => {
                let message = format!("an integer variable cannot lie in `{}`", name.name);
                let diagnostic = Diagnostic::error("E0223", message, name.span, "made for real variables");
                self.emit(
                    diagnostic
                        .help("give bounds with `in a..b` or `in [lo, hi]`, and the rest as constraints"),
                );
                None
            }
            DomainKind::Interval(low, high) => {
                let Some(Domain::Interval(a, b)) = self.domain(domain, shape) else { return None };
                self.whole_bounds((a, low), (b, high), domain.span)?;
                Some(Domain::Interval(a, b))
            }
            DomainKind::Named { .. } => self.domain(domain, shape),
        }
    }

    /// `a..b`: the whole numbers from `a` to `b - 1`.
    fn whole_range(&mut self, start: &Expr, end: &Expr, span: Span, shape: &[Axis]) -> Option<Domain> {
        let (a, b) =
            (self.whole_number(start, "the start of a range"), self.whole_number(end, "the end of a range"));
        let ((a, _), (b, _)) = (a?, b?);
        if b <= a {
            let label = format!("{a}..{b} holds no numbers");
            return self.error("E0223", "the range is empty", span, label);
        }
        let sizes = self.sizes(&Loops::new(), shape);
        let (low, high) = (self.graph.fill(a as f64, &sizes), self.graph.fill((b - 1) as f64, &sizes));
        Some(Domain::Interval(low, high))
    }

    /// Refuses bounds between whole numbers, where they are known.
    fn whole_bounds(
        &mut self,
        (low, a): (NodeId, &Expr),
        (high, b): (NodeId, &Expr),
        span: Span,
    ) -> Option<()> {
        let (Some(lows), Some(highs)) = (self.known_node(low), self.known_node(high)) else {
            return Some(());
        };
        if let Some((l, h)) = lows.iter().zip(&highs).find(|(l, h)| l.ceil() > h.floor()) {
            let label = format!("nothing whole between {l} and {h}");
            return self.error("E0223", "the interval holds no whole number", span, label);
        }
        let fraction = |x: &&f64| x.is_finite() && x.fract() != 0.0;
        let bad = lows.iter().find(fraction).map(|x| (a, *x, x.ceil()));
        let bad = bad.or_else(|| highs.iter().find(fraction).map(|x| (b, *x, x.floor())));
        match bad {
            None => Some(()),
            Some((written, found, whole)) => {
                let message = "a bound of an integer variable must be whole";
                let diagnostic =
                    Diagnostic::error("E0223", message, written.span, format!("this is {found}"));
                self.emit(diagnostic.help(format!("`{whole}` leaves the same whole numbers")));
                None
            }
        }
    }

    /// Refuses a start that is not whole.
    pub fn whole_start(&mut self, init: &ast::Init, node: Option<NodeId>) {
        let diagnostic = match (init, node.and_then(|n| self.known_node(n))) {
            (ast::Init::Random(random), _) => Diagnostic::error(
                "E0223",
                "an integer variable cannot have a random start",
                random.span,
                "draws are not whole",
            ),
            (ast::Init::Value(e), Some(values)) => match values.iter().find(|x| x.fract() != 0.0) {
                None => return,
                Some(x) => Diagnostic::error(
                    "E0223",
                    "an integer variable must start at whole numbers",
                    e.span,
                    format!("this is {x}"),
                ),
            },
            (ast::Init::Value(_), None) => return,
        };
        self.emit(diagnostic);
    }
}
