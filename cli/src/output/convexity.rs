//! What is known of the convexity of a model's levels, for people: the answer of `blo check --explain`.

use std::fmt::Write as _;

use blo_compiler::convexity::{Class, Convexity, Form, LevelConvexity, Remark, Satisfying, TermForm};
use blo_compiler::model::{Level, Model, Var};
use blo_compiler::ops::curvature::{Bend, Smoothness};
use blo_grammar::source::Sources;
use blo_grammar::span::Span;
use serde_json::{Value, json};

use super::human::number;
use super::messages::place;
use crate::render::Renderer;

/// Terms that are listed; of more only the number is said.
const MOST_TERMS: usize = 8;
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

/// The same for tools: per level the verdicts in its own variables, in those of the other level and in both, and its feasible set.
pub fn document(sources: &Sources, found: &Convexity) -> Value {
    let mut levels = json!({ "upper": level(sources, &found.upper) });
    if let Some(lower) = &found.lower {
        levels["lower"] = level(sources, lower);
    }
    levels
}

fn level(sources: &Sources, found: &LevelConvexity) -> Value {
    let one = |form: &Option<Form>| form.as_ref().map(|form| verdict(sources, form));
    let constraints: Vec<Value> = found
        .constraints
        .iter()
        .map(|constraint| {
            let set = match constraint.set {
                Satisfying::Polyhedron => "polyhedron",
                Satisfying::Convex => "convex",
                Satisfying::Unknown => "unknown",
            };
            let obstacle = constraint.obstacle.as_ref().map(|o| remark(sources, o));
            json!({ "set": set, "obstacle": obstacle })
        })
        .collect();
    let feasible = &found.feasible;
    json!({
        "own": verdict(sources, &found.own),
        "other": one(&found.other),
        "joint": one(&found.joint),
        "constraints": constraints,
        "feasible": {
            "convex": feasible.convex,
            "polyhedron": feasible.polyhedron,
            "free": feasible.free,
            "integers": feasible.integers,
        },
    })
}

/// A verdict on the objective as it is minimised: that of a `maximize` turned over.
fn verdict(sources: &Sources, form: &Form) -> Value {
    let witness = match &form.class {
        Class::Nonconvex(w) => Some(json!({ "from": w.from, "to": w.to, "excess": w.excess })),
        _ => None,
    };
    json!({
        "class": form.class.words(),
        "convex": form.class.is_convex(),
        "modulus": form.class.modulus(),
        "lipschitz": form.lipschitz,
        "smoothness": match form.smooth {
            Smoothness::Smooth => "smooth",
            Smoothness::Steep => "steep",
            Smoothness::Kinked => "kinked",
            Smoothness::Jumps => "unknown",
        },
        "values": [form.values.lo, form.values.hi],
        "rises": form.rises,
        "obstacle": form.obstacle.as_ref().map(|o| remark(sources, o)),
        "witness": witness,
    })
}

fn remark(sources: &Sources, remark: &Remark) -> Value {
    let mut value = place(sources, remark.span);
    value["text"] = json!(remark.text);
    value
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
        self.headline(out, name, level, &found.own, (&own, &other));
        self.details(out, level, &found.own, &own);
        let varies = |form: &Option<Form>| form.as_ref().is_some_and(|f| f.class != Class::Constant);
        if let Some(form) = &found.other {
            self.headline(out, name, level, form, (&other, &own));
            self.numbers(out, form);
        }
        // Where an objective reads one level only, both together say nothing new.
        if let Some(form) = &found.joint
            && found.own.class != Class::Constant
            && (found.other.is_none() || varies(&found.other))
            && other.iter().any(|var| self.reads(level, var))
        {
            self.headline(out, name, level, form, (&both, &[]));
            self.numbers(out, form);
        }
        self.feasible(out, name, level, found, if found.other.is_some() { &both } else { &own });
    }

    /// One verdict in one line.
    fn headline(
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
            Class::ConvexQuadratic | Class::StronglyConvexQuadratic { .. } => "a ",
            _ => "an objective that is ",
        };
        let _ = write!(out, "{name} {sense} {article}{verdict} in {}", names(chosen));
        let read: Vec<&Var> = fixed.iter().copied().filter(|var| self.reads(level, var)).collect();
        if !read.is_empty() && form.class.is_convex() && form.class != Class::Constant {
            let _ = write!(out, ", for every {}", names(&read));
        }
        out.push('\n');
    }

    /// The terms, the numbers, and what stands in the way.
    fn details(&self, out: &mut String, level: &Level, form: &Form, chosen: &[&Var]) {
        self.terms(out, form, level.maximize);
        self.numbers(out, form);
        let smooth = match form.smooth {
            Smoothness::Smooth => "",
            Smoothness::Steep => {
                "  smooth inside, but slopes may grow without bound at the edge of where it is defined\n"
            }
            Smoothness::Kinked => "  continuous, but may have kinks\n",
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

    fn numbers(&self, out: &mut String, form: &Form) {
        let modulus = form.class.modulus().map(|m| format!("modulus at least {}", number(m)));
        let lipschitz = form.lipschitz.filter(|_| form.class.is_convex());
        let lipschitz = lipschitz.map(|l| format!("gradient Lipschitz with {}", number(l)));
        let both: Vec<String> = modulus.into_iter().chain(lipschitz).collect();
        if !both.is_empty() {
            let _ = writeln!(out, "  {}", both.join(", "));
        }
    }

    /// Whether the objective depends on a variable.
    fn reads(&self, level: &Level, var: &Var) -> bool {
        self.model.graph.reachable(&[level.objective]).contains(&var.node)
    }

    fn terms(&self, out: &mut String, form: &Form, maximize: bool) {
        let linear = form.class.is_linear();
        if linear || (form.terms.len() < 2 && form.class.is_convex()) {
            return;
        }
        for (k, term) in form.terms.iter().enumerate().take(MOST_TERMS) {
            let lead = if k == 0 { "because" } else { "       " };
            let quote = self.quoted(term.span);
            let quote = match term.minus == maximize {
                true => quote,
                false if quote.contains(" + ") || quote.contains(" - ") => format!("-({quote})"),
                false => format!("-{quote}"),
            };
            let _ = writeln!(out, "  {lead} `{quote}` is {}", phrase(term, maximize));
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
        // The place of an operand may reach to the operator beside it.
        let text = text.trim_end_matches([' ', '+', '-']);
        let text = text.strip_prefix("+ ").or(text.strip_prefix("- ")).unwrap_or(text);
        match text.char_indices().nth(QUOTED) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.to_owned(),
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
        let mut labels = vec![(remark.span, remark.text.as_str())];
        labels.extend(remark.within.map(|span| (span, "called from here")));
        out.push_str(&self.renderer.remark(self.sources, &labels));
    }

    fn feasible(&self, out: &mut String, name: &str, level: &Level, found: &LevelConvexity, vars: &[&Var]) {
        let feasible = &found.feasible;
        let what = if feasible.free {
            "everything"
        } else if feasible.polyhedron {
            "a polyhedron"
        } else if feasible.convex {
            "a convex set"
        } else {
            "not known to be convex"
        };
        let whole = if feasible.integers { ", of which only whole points count" } else { "" };
        let vars = if level.constraints.is_empty() { level.vars.iter().collect() } else { vars.to_vec() };
        let _ = writeln!(out, "{name} feasible set in {}: {what}{whole}", names(&vars));
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
