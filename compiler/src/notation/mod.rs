//! Formulas for people: the nodes of a graph in the language's own notation, and as LaTeX.

mod derivatives;
mod element;
mod formula;
mod latex;
mod read;
mod spelling;
mod statement;
mod text;
mod typeset;
mod whole;

use std::fmt::Write as _;

use blo_grammar::ast::{Ast, Item, ItemKind};
use blo_grammar::diagnostic::Diagnostic;
pub use derivatives::Order;
use derivatives::{Derived, derive};
use formula::Formula;
use latex::latex;
use read::{Notes, Reader};
use text::text;

use crate::ir::graph::{Graph, NodeId};
use crate::model::Model;
use crate::reformulate::stated::{Part, Stated, stated};

/// A part of a model as text.
pub struct Written {
    /// The text.
    pub text: String,
    /// What it holds that the language has no words for; where there is none, the text can be read back.
    pub missing: Option<&'static str>,
}

/// The levels of a model in the language's notation.
pub fn levels(model: &Model) -> Written {
    let (text, missing) = statement::levels(model, &|_| None);
    Written { text, missing }
}

/// A model as LaTeX.
pub fn levels_latex(model: &Model) -> String {
    typeset::typeset(model)
}

/// The single-level form of a model in the language's notation: the follower is replaced by its conditions of Karush, Kuhn and
/// Tucker.
///
/// Errors: a lower objective or constraint that cannot be differentiated.
pub fn single_level(model: &Model) -> Result<Written, Vec<Diagnostic>> {
    let Stated { model, parts, .. } = stated(model)?;
    let first = |k: usize| parts.iter().position(|part| *part == parts[k]) == Some(k);
    let note = |k: usize| {
        first(k).then(|| match parts[k] {
            Part::Upper => "the leader's constraints",
            Part::Feasible => "the follower's constraints",
            Part::Stationary => "the follower's Lagrangian is stationary",
            Part::Complementary => "a multiplier is 0, or its constraint is active",
        })
    };
    let (text, missing) = statement::levels(&model, &note);
    Ok(Written { text, missing })
}

/// The single-level form as LaTeX.
///
/// Errors: as [`single_level`].
pub fn single_level_latex(model: &Model) -> Result<String, Vec<Diagnostic>> {
    Ok(typeset::typeset(&stated(model)?.model))
}

/// The objectives and their derivatives, an equation a line, in the language's notation or as LaTeX.
///
/// Errors: an objective that cannot be differentiated.
pub fn derivatives(model: &Model, order: Order, as_latex: bool) -> Result<String, Vec<Diagnostic>> {
    let Derived { graph, equations, directions } = derive(model, order)?;
    let mut reader = Reader::new(model, &graph);
    if as_latex {
        reader = reader.indexed();
    }
    for (input, name, var) in &directions {
        reader.rename(*input, name, &var.dims);
    }
    let roots: Vec<NodeId> = equations.iter().map(|equation| equation.node).collect();
    let zero = |node: NodeId| graph.fill_value(node) == Some(0.0);
    let zeros: Vec<bool> = roots.iter().map(|&node| zero(node)).collect();
    let Notes { shared, mut roots } = reader.read(&roots);
    for (formula, _) in roots.iter_mut().zip(zeros).filter(|(_, zero)| *zero) {
        *formula = Formula::Number(0.0);
    }
    let mut out = String::new();
    if as_latex {
        let lines =
            equations.iter().zip(&roots).map(|(e, formula)| format!("{} &= {}", e.latex, latex(formula)));
        let parts =
            shared.iter().map(|(name, formula)| format!("{} &= {}", latex::name(name), latex(formula)));
        let lines: Vec<String> = lines.chain(parts).collect();
        let _ = write!(out, "\\begin{{aligned}}\n{}\n\\end{{aligned}}\n", lines.join(" \\\\\n"));
        return Ok(out);
    }
    for (name, _, var) in directions.iter().map(|(input, name, var)| (name, input, var)) {
        let _ = writeln!(out, "# {name}: a direction in the space of {}", var.name);
    }
    for (equation, formula) in equations.iter().zip(&roots) {
        let _ = writeln!(out, "{} = {}", equation.text, text(formula));
    }
    if !shared.is_empty() {
        out.push_str("# with\n");
    }
    for (name, formula) in &shared {
        let _ = writeln!(out, "{name} = {}", text(formula));
    }
    Ok(out)
}

/// Formulas, with what they share.
pub struct Texts {
    /// Names and texts of the shared parts, in the order in which they are needed.
    pub shared: Vec<(String, String)>,
    /// The formulas.
    pub formulas: Vec<String>,
    /// As in [`Written`].
    pub missing: Option<&'static str>,
}

/// The formulas of nodes of `graph`, the model's own or one grown from it.
pub fn formulas(model: &Model, graph: &Graph, roots: &[NodeId]) -> Texts {
    let mut reader = Reader::new(model, graph);
    let Notes { shared, roots } = reader.read(roots);
    Texts {
        shared: shared.into_iter().map(|(name, formula)| (name, text(&formula))).collect(),
        formulas: roots.iter().map(text).collect(),
        missing: reader.unwritable(),
    }
}

/// The declarations of a model's file without its levels, its method and what it reports or expects: what stands before levels that
/// are written anew.
pub fn declarations(source: &str, ast: &Ast) -> String {
    let kept = |item: &&Item| {
        matches!(
            item.kind,
            ItemKind::Use(_)
                | ItemKind::Dim { .. }
                | ItemKind::Data(_)
                | ItemKind::Param { .. }
                | ItemKind::Let(_)
                | ItemKind::Fn(_)
        )
    };
    let lines = ast.items.iter().filter(kept);
    lines.map(|item| format!("{}\n", &source[item.span.start as usize..item.span.end as usize])).collect()
}
