//! What is known of the convexity of a model's levels, for people: the answer of `blo check --explain`.

use std::fmt::Write as _;

use blo_compiler::convexity::{Class, Convexity, Form, LevelConvexity, Remark, Satisfying, TermForm};
use blo_compiler::model::{Level, Model, Var};
use blo_compiler::ops::curvature::{Bend, Smoothness};
use blo_grammar::source::Sources;
use blo_grammar::span::Span;

use super::human::number;
use crate::render::Renderer;

/// Terms that are listed; of more only the number is said.
const MOST_TERMS: usize = 12;
/// Characters of an expression that are quoted.
const QUOTED: usize = 60;

/// The account, ending in a newline. Parts that break convexity are drawn.
pub fn account(renderer: &Renderer, sources: &Sources, model: &Model, found: &Convexity) -> String {
    let mut out = String::new();
    let writer = Writer { renderer, sources, model };
    if let (Some(level), Some(found)) = (&model.lower, &found.lower) {
        writer.level(&mut out, "lower", level, found, &model.upper.vars);
    }
    let followers: &[Var] = model.lower.as_ref().map_or(&[], |level| &level.vars);
    writer.level(&mut out, "upper", &model.upper, &found.upper, followers);
    out
}

struct Writer<'a> {
    renderer: &'a Renderer,
    sources: &'a Sources,
    model: &'a Model,
}

impl Writer<'_> {
    fn level(&self, out: &mut String, name: &str, level: &Level, found: &LevelConvexity, others: &[Var]) {
        let own: Vec<&Var> = level.vars.iter().collect();
        let other: Vec<&Var> = others.iter().collect();
        let both: Vec<&Var> = own.iter().chain(&other).copied().collect();
        self.form(out, name, level, &found.own, (&own, &other));
        if let Some(form) = &found.other
            && form.class != Class::Constant
        {
            self.form(out, name, level, form, (&other, &own));
        }
        if let Some(form) = &found.joint
            && form.class != Class::Constant
            && found.own.class != Class::Constant
            && found.other.as_ref().is_none_or(|o| o.class != Class::Constant)
        {
            self.form(out, name, level, form, (&both, &[]));
        }
        self.feasible(out, name, level, found, if found.other.is_some() { &both } else { &own });
    }

    /// One verdict: the headline, the terms, the numbers, and what stands in the way.
    fn form(
        &self,
        out: &mut String,
        name: &str,
        level: &Level,
        form: &Form,
        (chosen, fixed): (&[&Var], &[&Var]),
    ) {
        let sense = if level.maximize { "maximizes" } else { "minimizes" };
        let verdict = worded(form.class.words(), level.maximize);
        let article = match form.class {
            Class::Constant | Class::Linear | Class::Convex | Class::StronglyConvex { .. } => {
                "an objective that is "
            }
            Class::ConvexQuadratic | Class::StronglyConvexQuadratic { .. } => "a ",
            Class::Nonconvex(_) | Class::Unknown => "an objective that is ",
        };
        let _ = write!(out, "{name} {sense} {article}{verdict} in {}", names(chosen));
        let read: Vec<&Var> = fixed.iter().copied().filter(|var| self.reads(level, var)).collect();
        if !read.is_empty() && form.class.is_convex() {
            let _ = write!(out, ", for every {}", names(&read));
        }
        out.push('\n');
        self.terms(out, form, level.maximize);
        if let Some(modulus) = form.class.modulus() {
            let _ = writeln!(out, "  modulus at least {}", number(modulus));
        }
        if let (Some(l), true) = (form.lipschitz, form.class.is_convex()) {
            let _ = writeln!(out, "  gradient Lipschitz with {}", number(l));
        }
        let smooth = match form.smooth {
            Smoothness::Smooth => "",
            Smoothness::Steep => {
                "  smooth inside, with slopes that may grow without bound at the edge of where it is defined\n"
            }
            Smoothness::Kinked => "  continuous, with kinks\n",
            Smoothness::Jumps => "  not known to be continuous\n",
        };
        out.push_str(smooth);
        if let Class::Nonconvex(witness) = &form.class {
            self.witness(out, chosen, &witness.from, &witness.to, level.maximize);
        }
        if let Some(obstacle) = &form.obstacle {
            self.drawn(out, obstacle);
        }
    }

    /// Whether the objective depends on a variable.
    fn reads(&self, level: &Level, var: &Var) -> bool {
        self.model.graph.reachable(&[level.objective]).contains(&var.node)
    }

    fn terms(&self, out: &mut String, form: &Form, maximize: bool) {
        if form.terms.len() < 2 && form.class.is_convex() {
            return;
        }
        for (k, term) in form.terms.iter().enumerate().take(MOST_TERMS) {
            let lead = if k == 0 { "because" } else { "       " };
            let minus = if term.minus == maximize { "" } else { "-" };
            let quote = self.quoted(term.span);
            let _ = writeln!(out, "  {lead} {minus}`{quote}` is {}", phrase(term, maximize));
        }
        if form.terms.len() > MOST_TERMS {
            let _ = writeln!(out, "          … and {} more terms", form.terms.len() - MOST_TERMS);
        }
        let unproved = |t: &TermForm| t.quadratic && t.bend == Bend::Unknown;
        if form.class.is_convex() && form.terms.iter().any(unproved) {
            let definite =
                if form.class.modulus().is_some() { "positive definite" } else { "positive semidefinite" };
            let definite = if maximize { definite.replace("positive", "negative") } else { definite.into() };
            let _ = writeln!(out, "          and the Hessian of the quadratic terms together is {definite}");
        }
    }

    /// A piece of the source on one line.
    fn quoted(&self, span: Span) -> String {
        let text: Vec<&str> = self.sources.snippet(span).split_whitespace().collect();
        let text = text.join(" ");
        match text.char_indices().nth(QUOTED) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }

    fn witness(&self, out: &mut String, chosen: &[&Var], from: &[f64], to: &[f64], maximize: bool) {
        let side = if maximize { "below" } else { "above" };
        if from.len() > 4 {
            let _ = writeln!(out, "  a segment was found in whose middle the value lies {side} the chord");
            return;
        }
        let point = |values: &[f64]| {
            let texts: Vec<String> = values.iter().map(|&v| number(v)).collect();
            texts.join(", ")
        };
        let (from, to, names) = (point(from), point(to), names(chosen));
        let _ =
            writeln!(out, "  halfway between {names} = ({from}) and ({to}) the value lies {side} the chord");
    }

    fn drawn(&self, out: &mut String, remark: &Remark) {
        out.push_str(&self.renderer.remark(self.sources, remark.span, &remark.text));
    }

    fn feasible(&self, out: &mut String, name: &str, level: &Level, found: &LevelConvexity, vars: &[&Var]) {
        let feasible = &found.feasible;
        let what = if feasible.free {
            "is not restricted".to_owned()
        } else if feasible.polyhedron {
            "lies in a polyhedron".into()
        } else if feasible.convex {
            "lies in a convex set".into()
        } else {
            "lies in a set that is not known to be convex".into()
        };
        let whole = if feasible.integers { ", and some of it must be whole" } else { "" };
        let vars = if level.constraints.is_empty() { level.vars.iter().collect() } else { vars.to_vec() };
        let _ = writeln!(out, "{name}: {} {what}{whole}", names(&vars));
        for constraint in found.constraints.iter().filter(|c| c.set == Satisfying::Unknown) {
            match &constraint.obstacle {
                Some(obstacle) => self.drawn(out, obstacle),
                None => {
                    let _ = writeln!(out, "  `{}` is not known to be convex", self.quoted(constraint.span));
                }
            }
        }
        out.push('\n');
    }
}

/// `a`, `b` and `c`.
fn names(vars: &[&Var]) -> String {
    let quoted: Vec<String> = vars.iter().map(|var| format!("`{}`", var.name)).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// The words of a class, for the function as it is written.
fn worded(words: &str, maximize: bool) -> String {
    if maximize { words.replace("convex", "concave") } else { words.to_owned() }
}

fn phrase(term: &TermForm, maximize: bool) -> String {
    let bend = if maximize { term.bend.flipped() } else { term.bend };
    match bend {
        Bend::Unknown if term.quadratic => "quadratic".into(),
        Bend::Unknown => format!("not known to be {}", worded("convex", maximize)),
        bend if term.quadratic => format!("a {} quadratic", bend.word()),
        bend => bend.word().into(),
    }
}
