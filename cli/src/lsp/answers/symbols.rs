//! The outline of a model.

use blo_grammar::ast::{Item, ItemKind, LevelKind};
use blo_grammar::span::Span;
use lsp_types::{DocumentSymbol, DocumentSymbolParams, DocumentSymbolResponse, SymbolKind};

use crate::lsp::document::Knowledge;
use crate::lsp::{Refusal, Server, position};

pub fn answer(
    server: &mut Server,
    params: DocumentSymbolParams,
) -> Result<Option<DocumentSymbolResponse>, Refusal> {
    let known = server.known(&params.text_document.uri)?;
    Ok(Some(DocumentSymbolResponse::Nested(outline(known, &known.ast.items))))
}

fn outline(known: &Knowledge, items: &[Item]) -> Vec<DocumentSymbol> {
    items.iter().filter_map(|item| symbol(known, item)).collect()
}

fn symbol(known: &Knowledge, item: &Item) -> Option<DocumentSymbol> {
    let (name, kind, place): (String, SymbolKind, Span) = match &item.kind {
        ItemKind::Dim { name, .. } => (name.name.clone(), SymbolKind::ENUM, name.span),
        ItemKind::Data(data) => (data.name.name.clone(), SymbolKind::ARRAY, data.name.span),
        ItemKind::Param { name, .. } => (name.name.clone(), SymbolKind::CONSTANT, name.span),
        ItemKind::Let(binding) => (binding.name.name.clone(), SymbolKind::CONSTANT, binding.name.span),
        ItemKind::Fn(function) => (function.name.name.clone(), SymbolKind::FUNCTION, function.name.span),
        ItemKind::Var(var) => (var.name.name.clone(), SymbolKind::VARIABLE, var.name.span),
        ItemKind::Report { name, .. } => (name.name.clone(), SymbolKind::PROPERTY, name.span),
        ItemKind::Constraint(constraint) => {
            let name = constraint.name.as_ref()?;
            (name.name.clone(), SymbolKind::BOOLEAN, name.span)
        }
        ItemKind::Objective { maximize, keyword, .. } => {
            let name = if *maximize { "maximize" } else { "minimize" };
            (name.to_owned(), SymbolKind::OPERATOR, *keyword)
        }
        ItemKind::Level(level) => {
            let word = match level.kind {
                LevelKind::Upper => "upper",
                LevelKind::Lower => "lower",
            };
            let name = level.name.as_ref().map_or(word.to_owned(), |name| format!("{word} {}", name.name));
            (name, SymbolKind::MODULE, level.keyword)
        }
        ItemKind::Solve(solve) => {
            (format!("solve {}", solve.method.name), SymbolKind::EVENT, solve.method.span)
        }
        ItemKind::Use(_) | ItemKind::Expect(_) | ItemKind::Precision(_) | ItemKind::Error => return None,
    };
    let children = match &item.kind {
        ItemKind::Level(level) => Some(outline(known, &level.items)),
        _ => None,
    };
    #[expect(deprecated, reason = "the type has a field that tags replace")]
    Some(DocumentSymbol {
        name,
        detail: known.note_of(place).map(|note| note.ty.clone()),
        kind,
        tags: None,
        deprecated: None,
        range: position::range(known.text(), item.span.to(place)),
        selection_range: position::range(known.text(), place),
        children,
    })
}
