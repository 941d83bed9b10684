//! What may stand at a place: names known there, functions of the language and its library, methods and their options, files.

use std::path::Path;

use blo_compiler::{STDLIB, function_help, function_names};
use blo_grammar::ast::UsePath;
use blo_grammar::ast::{ItemKind, Use};
use blo_grammar::names::Kind;
use blo_grammar::parse::{STATEMENTS, parse};
use blo_grammar::span::FileId;
use blo_runtime::solvers::{self, SOLVERS, Solver};
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionParams, CompletionResponse, Documentation, Position, Range,
    TextEdit,
};

use super::hover::option;
use crate::automatic::AUTO;
use crate::lsp::document::Knowledge;
use crate::lsp::{Refusal, Server, path_of, position};

pub fn answer(server: &mut Server, params: CompletionParams) -> Result<Option<CompletionResponse>, Refusal> {
    let at = params.text_document_position;
    let path = path_of(&at.text_document.uri);
    let known = server.known(&at.text_document.uri)?;
    let byte = position::byte(known.text(), at.position);
    let before = &known.text()[..byte];
    let line = before.rsplit('\n').next().unwrap_or_default();
    // Nothing is offered inside a comment.
    let items = if line.contains('#') { Vec::new() } else { offered(known, &path, before, line) };
    Ok(Some(CompletionResponse::Array(items)))
}

fn offered(known: &Knowledge, path: &Path, before: &str, line: &str) -> Vec<CompletionItem> {
    let word = line.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(line, |at| &line[at + 1..]);
    let head = line[..line.len() - word.len()].trim_end();
    let first = line.trim_start();
    if let Some((_, written)) = first.rsplit_once("from \"").or_else(|| first.rsplit_once("use \"")) {
        return if written.contains('"') { Vec::new() } else { files(path, written) };
    }
    if first.starts_with("use ") {
        return modules(first);
    }
    if head.trim_start() == "solve" {
        return methods();
    }
    if let Some(solver) = inside_solve(before) {
        return match head.chars().last() {
            Some('(' | ',') => options(solver),
            _ => Vec::new(),
        };
    }
    if head.ends_with(':') && !head.trim_start().starts_with("subject") {
        return ["real", "int", "bool"]
            .into_iter()
            .map(|ty| plain(ty, CompletionItemKind::KEYWORD))
            .collect();
    }
    let mut items = names(known, before.len());
    if head.is_empty() {
        items.extend(STATEMENTS.iter().map(|word| plain(word, CompletionItemKind::KEYWORD)));
    } else {
        items.extend(functions(known));
    }
    items
}

fn plain(label: &str, kind: CompletionItemKind) -> CompletionItem {
    CompletionItem { label: label.to_owned(), kind: Some(kind), ..CompletionItem::default() }
}

/// The method whose brackets are open at the end of a text.
fn inside_solve(before: &str) -> Option<&'static Solver> {
    let at = before.rfind("solve ")?;
    let (method, rest) = before[at + "solve ".len()..].split_once('(')?;
    let depth = rest.chars().fold(1, |depth, c| match c {
        '(' => depth + 1,
        ')' => depth - 1,
        _ => depth,
    });
    if depth <= 0 { None } else { solvers::named(method.trim()) }
}

fn methods() -> Vec<CompletionItem> {
    let automatic = CompletionItem {
        detail: Some("takes the method that fits the model".into()),
        ..plain(AUTO, CompletionItemKind::MODULE)
    };
    let named = SOLVERS.iter().map(|solver| CompletionItem {
        detail: Some(solver.summary.to_owned()),
        documentation: Some(Documentation::String(format!("Source: {}", solver.source))),
        ..plain(solver.name, CompletionItemKind::MODULE)
    });
    [automatic].into_iter().chain(named).collect()
}

fn options(solver: &Solver) -> Vec<CompletionItem> {
    let offered = solver.options().map(|spec| CompletionItem {
        detail: Some(spec.kind.to_string()),
        documentation: option(solver, spec.name).map(Documentation::String),
        insert_text: Some(format!("{} = ", spec.name)),
        ..plain(spec.name, CompletionItemKind::PROPERTY)
    });
    offered.collect()
}

/// The files and folders beside the model that a path in quotes can go on with.
fn files(model: &Path, written: &str) -> Vec<CompletionItem> {
    let folder = model.parent().unwrap_or(Path::new(""));
    let folder = folder.join(written.rsplit_once('/').map_or("", |(folder, _)| folder));
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut items: Vec<CompletionItem> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok().filter(|name| !name.starts_with('.'))?;
            let is_folder = entry.file_type().is_ok_and(|ty| ty.is_dir());
            Some(match is_folder {
                true => plain(&format!("{name}/"), CompletionItemKind::FOLDER),
                false => plain(&name, CompletionItemKind::FILE),
            })
        })
        .collect();
    items.sort_by(|a, b| a.label.cmp(&b.label));
    items
}

/// The modules of the library, or the functions of the one that is named.
fn modules(line: &str) -> Vec<CompletionItem> {
    for (module, text) in STDLIB {
        if line.starts_with(&format!("use std.{module} (")) {
            return library(text).map(|(item, _)| item).collect();
        }
    }
    let offered =
        STDLIB.iter().map(|(module, _)| plain(&format!("std.{module}"), CompletionItemKind::MODULE));
    offered.collect()
}

/// The functions of a module, with their names.
fn library(text: &'static str) -> impl Iterator<Item = (CompletionItem, String)> {
    let (ast, _) = parse(FileId(0), text);
    ast.items.into_iter().filter_map(move |item| {
        let ItemKind::Fn(function) = &item.kind else { return None };
        let head = text[item.span.range()].split_inclusive(')').next().unwrap_or_default();
        let comments: Vec<&str> = item.comments.iter().map(|line| line.trim()).collect();
        let item = CompletionItem {
            detail: Some(head.trim_start_matches("fn ").to_owned()),
            documentation: Some(Documentation::String(comments.join("\n"))),
            ..plain(&function.name.name, CompletionItemKind::FUNCTION)
        };
        Some((item, function.name.name.clone()))
    })
}

/// What the file defines and is known at a byte.
fn names(known: &Knowledge, byte: usize) -> Vec<CompletionItem> {
    let item = |d: &blo_grammar::names::Definition| CompletionItem {
        detail: known.note_of(d.span).map(|note| note.ty.clone()).or(Some(d.kind.words().to_owned())),
        ..plain(
            &d.name,
            match d.kind {
                Kind::Fn => CompletionItemKind::FUNCTION,
                Kind::Dim => CompletionItemKind::ENUM,
                Kind::Data | Kind::Param | Kind::Let | Kind::Report => CompletionItemKind::CONSTANT,
                Kind::Constraint | Kind::Follower => CompletionItemKind::REFERENCE,
                Kind::Var | Kind::Parameter | Kind::Index => CompletionItemKind::VARIABLE,
            },
        )
    };
    known.names.known_at(byte).into_iter().map(item).collect()
}

/// The functions of the language, and those of its library with the `use` that brings them in.
fn functions(known: &Knowledge) -> Vec<CompletionItem> {
    let builtin = function_names().map(|name| CompletionItem {
        detail: function_help(name).map(|(usage, _)| usage.replace('`', "")),
        ..plain(name, CompletionItemKind::FUNCTION)
    });
    let mut items: Vec<CompletionItem> = builtin.collect();
    for (module, text) in STDLIB {
        let line = format!("use std.{module}");
        let brought = brought_in(known, module);
        for (mut item, name) in library(text) {
            match &brought {
                Some(None) => {}
                Some(Some(names)) if names.contains(&name) => {}
                _ => {
                    let top = Range::new(Position::new(0, 0), Position::new(0, 0));
                    item.additional_text_edits = Some(vec![TextEdit::new(top, format!("{line} ({name})\n"))]);
                    item.label_details = Some(lsp_types::CompletionItemLabelDetails {
                        detail: None,
                        description: Some(format!("std.{module}")),
                    });
                }
            }
            items.push(item);
        }
    }
    items
}

/// What a `use` brings in of a module: `None` without one, `Some(None)` for everything.
fn brought_in(known: &Knowledge, module: &str) -> Option<Option<Vec<String>>> {
    let uses = known.ast.items.iter().filter_map(|item| match &item.kind {
        ItemKind::Use(Use { path: UsePath::Module(path), names })
            if path.last().is_some_and(|last| last.name == module) =>
        {
            Some(names.as_ref().map(|names| names.iter().map(|name| name.name.clone()).collect()))
        }
        _ => None,
    });
    uses.reduce(|a: Option<Vec<String>>, b| Some([a?, b?].concat()))
}
