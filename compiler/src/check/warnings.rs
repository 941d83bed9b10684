//! What a model without errors probably does not mean: things declared and not used, levels that do not see each other.

use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::Checker;
use super::scope::Kind;
use crate::ir::graph::{NodeId, Role};
use crate::model::{Level, OptionValue, Solve};
use crate::ops;

impl Checker<'_> {
    /// All warnings about a model as a whole.
    pub fn warn(&mut self, upper: &Level, lower: Option<&Level>, solve: Option<&Solve>) {
        let starts = starts(solve);
        self.warn_unused(&starts);
        self.warn_imports();
        self.warn_independent(upper, lower, upper.vars.iter().any(|var| starts.contains(&var.name.as_str())));
    }

    fn warn_unused(&mut self, starts: &[&str]) {
        let unused: Vec<Diagnostic> = self
            .decls
            .iter()
            .filter(|d| !d.used && d.module == 0 && !d.name.starts_with('_'))
            .filter(|d| !starts.contains(&d.name.as_str()))
            .filter(|d| matches!(d.kind, Kind::Data(_) | Kind::Param(_) | Kind::Let(_) | Kind::Var(_)))
            .map(|d| {
                Diagnostic::warning("W0201", format!("`{}` is never used", d.name), d.span, "declared here")
                    .help("remove it, or let its name start with `_`")
            })
            .collect();
        for diagnostic in unused {
            self.emit_plain(diagnostic);
        }
    }

    fn depends(&self, root: NodeId, role: Role) -> bool {
        let nodes = self.graph.reachable(&[root]);
        nodes.iter().any(|&n| self.graph.is(n, &ops::INPUT) && self.graph.node(n).stage == role)
    }

    /// Objectives that the level's own variables cannot change, and a lower level that the upper one cannot. Where upper variables
    /// are what the lower level starts at, it follows them in that way.
    fn warn_independent(&mut self, upper: &Level, lower: Option<&Level>, starts: bool) {
        let mut follows = true;
        if let Some(l) = lower.filter(|_| !starts) {
            let mut follower = l.constraints.iter().map(|c| c.residual).chain([l.objective]);
            follows = follower.any(|node| self.depends(node, Role::Upper));
        }
        let response = [Role::Lower, Role::Multiplier];
        let through =
            lower.is_some() && follows && response.iter().any(|&role| self.depends(upper.objective, role));
        if !self.depends(upper.objective, Role::Upper) && !through {
            self.independent("upper", upper, upper.objective_span);
        }
        let Some(l) = lower else { return };
        if l.followers.is_empty() && !self.depends(l.objective, Role::Lower) {
            self.independent("lower", l, l.objective_span);
        }
        for follower in l
            .followers
            .iter()
            .filter(|f| !self.depends(f.objective, Role::Lower))
            .cloned()
            .collect::<Vec<_>>()
        {
            self.independent(&format!("lower {}", follower.name), l, follower.objective_span);
        }
        if !follows {
            let message = "`lower` does not depend on the variables of `upper`";
            let label = "neither its objective nor a constraint reads them";
            self.emit_plain(Diagnostic::warning("W0206", message, l.span, label).help(format!(
                "read {} in it, or solve it on its own and give its solution as data",
                names(upper)
            )));
        }
    }

    fn independent(&mut self, name: &str, level: &Level, place: Span) {
        let message = format!("the objective of `{name}` does not depend on its variables");
        let label = format!("no variable of `{name}` matters here");
        let help = format!("read {} in it", names(level));
        self.emit_plain(Diagnostic::warning("W0202", message, place, label).help(help));
    }
}

/// The upper variables that a method is told to start the lower level at: `from = starts(theta = theta0)`.
fn starts(solve: Option<&Solve>) -> Vec<&str> {
    fn within<'a>(value: &'a OptionValue, found: &mut Vec<&'a str>) {
        let OptionValue::Call(word, arguments) = value else { return };
        for (_, argument) in arguments {
            match argument {
                OptionValue::Word(name) if word == "starts" => found.push(name),
                other => within(other, found),
            }
        }
    }
    let mut found = Vec::new();
    for (_, value, _) in solve.iter().flat_map(|solve| &solve.options) {
        within(value, &mut found);
    }
    found
}

/// The names of a level's variables, as code.
fn names(level: &Level) -> String {
    let names: Vec<String> = level.vars.iter().map(|var| format!("`{}`", var.name)).collect();
    names.join(" or ")
}
