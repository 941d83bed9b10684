//! `report name = d(y)/d(x)`: how the follower's answer moves with an upper variable. It is no expression, since only the answer has
//! it: the check of a run finds it by the follower's optimality conditions.

use blo_grammar::ast::{BinaryOp, Expr, ExprKind, Ident};
use blo_grammar::diagnostic::Diagnostic;

use super::Checker;
use super::scope::Kind;
use crate::model::{Level, Slope, Var};

impl Checker<'_> {
    /// The arguments of `d(…)/d(…)`; `None` for anything else, and where the model has a `d` of its own to call.
    pub(super) fn quotient<'e>(&self, e: &'e Expr) -> Option<(&'e Expr, &'e Expr)> {
        let ExprKind::Binary { op: BinaryOp::Div, left, right, .. } = &e.kind else { return None };
        let own = self.decls.iter().any(|decl| decl.name == "d" && matches!(decl.kind, Kind::Fn(_)));
        Some((differential(left)?, differential(right)?)).filter(|_| !own)
    }

    /// The reports that are such quotients.
    pub(super) fn slopes(
        &mut self,
        reports: &[(&Ident, &Expr)],
        upper: &Level,
        lower: Option<&Level>,
    ) -> Vec<Slope> {
        let mut slopes = Vec::new();
        for (name, written) in reports {
            let Some((of, by)) = self.quotient(written) else { continue };
            let of = self.differentiated(of, lower, "lower");
            let by = self.differentiated(by, Some(upper), "upper");
            if let (Some(of), Some(by)) = (of, by) {
                slopes.push(Slope { name: name.name.clone(), of, by, span: written.span });
            }
        }
        slopes
    }

    /// The place of the variable of a level that an argument names.
    fn differentiated(&mut self, e: &Expr, level: Option<&Level>, keyword: &str) -> Option<usize> {
        let vars: &[Var] = level.map_or(&[], |level| &level.vars);
        let name = match &e.kind {
            ExprKind::Name(path) => path.last().map(|ident| ident.name.as_str()),
            _ => None,
        };
        let place = vars.iter().position(|var| Some(var.name.as_str()) == name && !var.integer);
        if place.is_none() {
            let label = format!("this is no real variable of `{keyword}`");
            let message = "`d(y)/d(x)` takes a variable of `lower` and one of `upper`";
            let diagnostic = Diagnostic::error("E0242", message, e.span, label);
            let real: Vec<String> =
                vars.iter().filter(|v| !v.integer).map(|v| format!("`{}`", v.name)).collect();
            self.emit(match real.as_slice() {
                [] => diagnostic,
                real => diagnostic.help(format!("`{keyword}` has {}", real.join(", "))),
            });
        }
        place
    }
}

/// The argument of `d(…)`.
fn differential(e: &Expr) -> Option<&Expr> {
    match &e.kind {
        ExprKind::Call { function, arguments } if function.name == "d" => match arguments.as_slice() {
            [argument] if argument.name.is_none() => Some(&argument.value),
            _ => None,
        },
        _ => None,
    }
}
