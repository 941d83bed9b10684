//! Where a name is defined, and where it is read.

use blo_grammar::names::Names;
use blo_grammar::parse::parse;
use lsp_types::{GotoDefinitionParams, GotoDefinitionResponse, Location, ReferenceParams};

use crate::lsp::document::Knowledge;
use crate::lsp::{Refusal, Server, location, position};

pub fn answer(
    server: &mut Server,
    params: GotoDefinitionParams,
) -> Result<Option<GotoDefinitionResponse>, Refusal> {
    let at = params.text_document_position_params;
    let uri = at.text_document.uri;
    let known = server.known(&uri)?;
    let byte = position::byte(known.text(), at.position);
    let span = match known.names.at(byte) {
        Some(id) => Some(known.names.definitions[id].span),
        None => elsewhere(known, byte).map(|(names, id)| names.definitions[id].span),
    };
    Ok(span.and_then(|span| location(known, &uri, span)).map(GotoDefinitionResponse::Scalar))
}

pub fn references(server: &mut Server, params: ReferenceParams) -> Result<Option<Vec<Location>>, Refusal> {
    let at = params.text_document_position;
    let uri = at.text_document.uri;
    let known = server.known(&uri)?;
    let byte = position::byte(known.text(), at.position);
    let Some(id) = known.names.at(byte) else { return Ok(None) };
    let defined = known.names.definitions[id].span;
    let wanted = |span: &_| params.context.include_declaration || *span != defined;
    let places = known.names.places(id).into_iter().filter(wanted);
    Ok(Some(places.filter_map(|span| location(known, &uri, span)).collect()))
}

/// The definition, in a file that this one uses, of the name at a byte.
pub fn elsewhere(known: &Knowledge, byte: usize) -> Option<(Names, usize)> {
    let here = |span: blo_grammar::span::Span| span.start as usize <= byte && byte <= span.end as usize;
    let name = &known.names.uses.iter().find(|u| here(u.span))?.name;
    known.sources.iter().filter(|(file, _)| *file != known.main).find_map(|(file, source)| {
        let (ast, _) = parse(file, &source.text);
        let names = Names::of(&ast);
        let id = names.definitions.iter().position(|d| d.scope.is_none() && d.name == *name)?;
        Some((names, id))
    })
}
