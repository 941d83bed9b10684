//! What stands under the pointer: type and shape, what it changes with, where it comes from; for an objective or a level its
//! curvature; for a function how it is called; for a method and its options what they are.

use blo_compiler::ir::graph::Role;
use blo_compiler::{Note, function_help};
use blo_grammar::ast::{Ident, Item, ItemKind, Solve};
use blo_grammar::names::{Definition, Names};
use blo_grammar::span::Span;
use blo_runtime::solvers::{self, Solver};
use lsp_types::{Hover, HoverContents, HoverParams, MarkupContent, MarkupKind};

use super::definition::elsewhere;
use crate::lsp::document::Knowledge;
use crate::lsp::{Refusal, Server, position};

pub fn answer(server: &mut Server, params: HoverParams) -> Result<Option<Hover>, Refusal> {
    let at = params.text_document_position_params;
    let known = server.known(&at.text_document.uri)?;
    let byte = position::byte(known.text(), at.position);
    let found = name(known, byte)
        .or_else(|| statement(known, &known.ast.items, byte))
        .or_else(|| function(known, byte))
        .or_else(|| expression(known, byte));
    Ok(found.map(|(text, span)| Hover {
        contents: HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value: text }),
        range: Some(position::range(known.text(), span)),
    }))
}

/// The text of a hover and the place it is about.
type Found = (String, Span);

fn holds(span: Span, byte: usize) -> bool {
    span.start as usize <= byte && byte <= span.end as usize
}

fn code(text: &str) -> String {
    format!("```blo\n{text}\n```\n")
}

/// A name that this file or one that it uses defines.
fn name(known: &Knowledge, byte: usize) -> Option<Found> {
    let place = |names: &Names, id: usize| {
        names.places(id).into_iter().find(|span| span.file == known.main && holds(*span, byte))
    };
    if let Some(id) = known.names.at(byte) {
        let definition = &known.names.definitions[id];
        let place = place(&known.names, id)?;
        let note = known.note_of(place).or_else(|| known.note_of(definition.span));
        return Some((described(known, definition, note), place));
    }
    let (names, id) = elsewhere(known, byte)?;
    let place = known.names.uses.iter().find(|u| holds(u.span, byte))?.span;
    Some((described(known, &names.definitions[id], known.note_of(place)), place))
}

fn described(known: &Knowledge, definition: &Definition, note: Option<&Note>) -> String {
    let written = known.sources.snippet(definition.item);
    let first = written.lines().next().unwrap_or_default().trim_end();
    let mut text = code(first);
    if let Some(note) = note {
        text.push_str(&noted(known, note));
    } else if let Some(dim) = dim(known, &definition.name) {
        text.push_str(&dim);
    }
    let comments: Vec<&str> = definition.comments.iter().map(|line| line.trim()).collect();
    if !comments.is_empty() {
        text.push_str("\n\n");
        text.push_str(&comments.join("\n"));
    }
    text
}

/// `real[n, 3]`, the sizes, and what it changes with.
fn noted(known: &Knowledge, note: &Note) -> String {
    let mut text = format!("`{}`", note.ty);
    let axes = note.ty.split_once('[').map_or("", |(_, axes)| axes.trim_end_matches(']'));
    let sizes: Vec<String> = axes.split(", ").filter_map(|axis| dim(known, axis)).collect();
    if !sizes.is_empty() {
        text.push_str(&format!(", {}", sizes.join(", ")));
    }
    let changes = match note.role {
        Role::Data | Role::Batch => "fixed before the solve",
        Role::Upper | Role::UpperDirection => "depends on upper variables",
        Role::Lower | Role::LowerDirection | Role::Multiplier => "depends on lower variables",
    };
    text.push_str(&format!("; {changes}"));
    text
}

/// `n = 442`.
fn dim(known: &Knowledge, name: &str) -> Option<String> {
    let dim = known.model.as_ref()?.dims.iter().find(|dim| dim.name == name)?;
    Some(match dim.assumed {
        true => format!("`{name}` of data that are not there yet"),
        false => format!("`{name} = {}`", dim.size),
    })
}

/// The keyword of a level or objective, or a method with its options.
fn statement(known: &Knowledge, items: &[Item], byte: usize) -> Option<Found> {
    let item = items.iter().find(|item| holds(item.span, byte))?;
    match &item.kind {
        ItemKind::Level(level) if holds(level.keyword, byte) => Some((curvature(known)?, level.keyword)),
        ItemKind::Level(level) => statement(known, &level.items, byte),
        ItemKind::Objective { keyword, .. } if holds(*keyword, byte) => Some((curvature(known)?, *keyword)),
        ItemKind::Solve(solve) => method(solve, byte),
        _ => None,
    }
}

/// What `blo check --explain` says about both levels.
fn curvature(known: &Knowledge) -> Option<String> {
    Some(known.curvature.said(known.model.as_ref()?, &known.sources))
}

fn method(solve: &Solve, byte: usize) -> Option<Found> {
    let solver = solvers::named(&solve.method.name)?;
    if holds(solve.method.span, byte) {
        let text = format!("**{}**: {}\n\nSource: {}", solver.name, solver.summary, solver.source);
        return Some((text, solve.method.span));
    }
    let named: &Ident = solve.options.iter().map(|o| &o.name).find(|name| holds(name.span, byte))?;
    Some((option(solver, &named.name)?, named.span))
}

/// An option of a method: meaning, range and default.
pub fn option(solver: &Solver, name: &str) -> Option<String> {
    let option = solver.options().find(|option| option.name == name)?;
    Some(format!("{}\n\n{}; `{}` unless set", option.doc, option.kind, option.default))
}

/// A function of the language.
fn function(known: &Knowledge, byte: usize) -> Option<Found> {
    let called = known.names.uses.iter().find(|u| u.definition.is_none() && holds(u.span, byte))?;
    let (usage, definition) = function_help(&called.name)?;
    let definition = definition.map(|d| format!("\n\n{d}")).unwrap_or_default();
    let result =
        known.note_at(byte).map(|note| format!("\n\nhere {}", noted(known, note))).unwrap_or_default();
    Some((format!("{usage}{definition}{result}"), called.span))
}

/// Any other expression.
fn expression(known: &Knowledge, byte: usize) -> Option<Found> {
    let note = known.note_at(byte)?;
    let written = known.sources.snippet(note.span).lines().next().unwrap_or_default();
    Some((format!("{}{}", code(written), noted(known, note)), note.span))
}
