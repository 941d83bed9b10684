//! Random values as written: `~ normal(m, s)` and `~ uniform(a, b)`.

use blo_grammar::ast::Random;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse::nearest;

use super::Checker;
use super::messages::count;
use crate::draws::Draw;

impl Checker<'_> {
    /// A distribution as written.
    pub fn distribution(&mut self, random: &Random) -> Option<Draw> {
        let name = &random.distribution;
        if !["normal", "uniform"].contains(&name.name.as_str()) {
            let mut diagnostic = Diagnostic::error(
                "E0224",
                format!("there is no distribution `{}`", name.name),
                name.span,
                "`normal` or `uniform` expected",
            );
            let near = match name.name.as_str() {
                "gaussian" | "Normal" | "gauss" | "randn" | "N" => Some("normal"),
                "rand" | "unif" | "U" => Some("uniform"),
                other => nearest(other, ["normal", "uniform"]),
            };
            diagnostic = match near {
                Some(near) => diagnostic.did_you_mean(near),
                None => diagnostic.help("write `normal(mean, sd)` or `uniform(a, b)`"),
            };
            self.emit(diagnostic);
            return None;
        }
        let [a, b] = random.arguments.as_slice() else {
            let label = format!("{} given", random.arguments.len());
            let message = format!("`{}` takes {}", name.name, count(2, "parameter"));
            let usage = if name.name == "normal" { "normal(mean, sd)" } else { "uniform(a, b)" };
            let diagnostic = Diagnostic::error("E0224", message, random.span, label);
            self.emit(diagnostic.help(format!("write `{usage}`")));
            return None;
        };
        let (x, y) = (self.known_number(a, "a parameter"), self.known_number(b, "a parameter"));
        let (x, y) = (x?, y?);
        if !x.is_finite() || !y.is_finite() {
            return self.error("E0224", "a parameter of a distribution must be finite", random.span, "here");
        }
        if name.name == "normal" {
            if y < 0.0 {
                return self.error(
                    "E0224",
                    "a standard deviation cannot be negative",
                    b.span,
                    format!("this is {y}"),
                );
            }
            return Some(Draw::Normal(x, y));
        }
        if x > y {
            return self.error("E0224", "the interval is empty", random.span, format!("{x} is above {y}"));
        }
        Some(Draw::Uniform(x, y))
    }
}

#[cfg(test)]
mod tests {
    use super::Draw;

    #[test]
    fn draws_are_fixed_by_seed_and_name() {
        let a = Draw::Normal(0.0, 1.0).array(&[1000], 1, "x");
        assert_eq!(a, Draw::Normal(0.0, 1.0).array(&[1000], 1, "x"));
        assert_ne!(a, Draw::Normal(0.0, 1.0).array(&[1000], 1, "y"));
        assert_ne!(a, Draw::Normal(0.0, 1.0).array(&[1000], 2, "x"));
        assert!(a.mean().is_some_and(|m| m.abs() < 0.1));
        let u = Draw::Uniform(2.0, 3.0).array(&[1000], 1, "x");
        assert!(u.iter().all(|x| (2.0..3.0).contains(x)));
    }
}
