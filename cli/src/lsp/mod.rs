//! `blo lsp`: a language server on standard input and output. Protocol 3.17 through the crates `lsp-server` and `lsp-types`; what is
//! known about a text comes from the parser and the checker of every other command.
//!
//! One thread reads messages and answers them in order. A text is looked at when the queue is empty or a request needs it, so
//! fast typing costs one look.

mod answers;
mod curvature;
mod document;
mod loader;
mod position;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use blo_grammar::diagnostic::{Diagnostic, Severity};
use blo_grammar::span::Span;
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use lsp_types::notification::{
    DidChangeTextDocument, DidChangeWatchedFiles, DidCloseTextDocument, DidOpenTextDocument,
    DidSaveTextDocument, Notification as _, PublishDiagnostics,
};
use lsp_types::request::{
    CodeActionRequest, Completion, DocumentSymbolRequest, Formatting, GotoDefinition, HoverRequest,
    InlayHintRequest, PrepareRenameRequest, References, Rename, Request as _,
};
use lsp_types::{
    CodeActionProviderCapability, CompletionOptions, DiagnosticRelatedInformation, DiagnosticSeverity,
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, Location,
    NumberOrString, OneOf, PublishDiagnosticsParams, RenameOptions, ServerCapabilities, ServerInfo,
    TextDocumentSyncCapability, TextDocumentSyncKind, Uri,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::lsp::document::{Document, Knowledge};

/// What went wrong with the connection.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs until the editor says that it is enough.
pub fn run() -> ExitCode {
    let (connection, threads) = Connection::stdio();
    let served = serve(&connection);
    drop(connection);
    let ended = threads.join();
    match served.and(ended.map_err(Failure::from)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("blo lsp: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn capabilities() -> ServerCapabilities {
    let triggers = [".", "(", ":", " "].map(str::to_owned).to_vec();
    ServerCapabilities {
        text_document_sync: Some(TextDocumentSyncCapability::Kind(TextDocumentSyncKind::INCREMENTAL)),
        hover_provider: Some(true.into()),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(triggers),
            ..CompletionOptions::default()
        }),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: lsp_types::WorkDoneProgressOptions::default(),
        })),
        document_formatting_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        inlay_hint_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(CodeActionProviderCapability::Simple(true)),
        ..ServerCapabilities::default()
    }
}

fn serve(connection: &Connection) -> Result<(), Failure> {
    let (id, _) = connection.initialize_start()?;
    let info = ServerInfo { name: "blo".into(), version: Some(env!("CARGO_PKG_VERSION").into()) };
    let result = lsp_types::InitializeResult { capabilities: capabilities(), server_info: Some(info) };
    connection.initialize_finish(id, serde_json::to_value(result)?)?;
    let mut server = Server { connection, documents: BTreeMap::new(), untold: Vec::new() };
    loop {
        let message = if server.untold.is_empty() {
            match connection.receiver.recv() {
                Ok(message) => message,
                Err(_) => return Ok(()),
            }
        } else if let Ok(message) = connection.receiver.try_recv() {
            message
        } else {
            server.tell()?;
            continue;
        };
        match message {
            Message::Request(request) => {
                if connection.handle_shutdown(&request)? {
                    return Ok(());
                }
                let response = server.answer(request);
                connection.sender.send(response.into())?;
            }
            Message::Notification(notification) => server.note(notification),
            Message::Response(_) => {}
        }
    }
}

/// Why a request is refused, in words for the person at the editor.
pub struct Refusal(String);

/// The open documents.
pub struct Server<'c> {
    connection: &'c Connection,
    documents: BTreeMap<String, Document>,
    /// Documents that changed since their diagnostics were told.
    untold: Vec<String>,
}

impl Server<'_> {
    fn answer(&mut self, request: Request) -> Response {
        match request.method.as_str() {
            HoverRequest::METHOD => self.reply::<HoverRequest>(request, answers::hover::answer),
            GotoDefinition::METHOD => self.reply::<GotoDefinition>(request, answers::definition::answer),
            References::METHOD => self.reply::<References>(request, answers::definition::references),
            Completion::METHOD => self.reply::<Completion>(request, answers::completion::answer),
            PrepareRenameRequest::METHOD => {
                self.reply::<PrepareRenameRequest>(request, answers::rename::prepare)
            }
            Rename::METHOD => self.reply::<Rename>(request, answers::rename::answer),
            Formatting::METHOD => self.reply::<Formatting>(request, answers::formatting::answer),
            DocumentSymbolRequest::METHOD => {
                self.reply::<DocumentSymbolRequest>(request, answers::symbols::answer)
            }
            InlayHintRequest::METHOD => self.reply::<InlayHintRequest>(request, answers::inlay::answer),
            CodeActionRequest::METHOD => self.reply::<CodeActionRequest>(request, answers::actions::answer),
            method => {
                let message = format!("blo does not answer `{method}`");
                Response::new_err(request.id, ErrorCode::MethodNotFound as i32, message)
            }
        }
    }

    fn reply<R>(
        &mut self,
        request: Request,
        answer: fn(&mut Self, R::Params) -> Result<R::Result, Refusal>,
    ) -> Response
    where
        R: lsp_types::request::Request,
        R::Params: DeserializeOwned,
        R::Result: Serialize,
    {
        match serde_json::from_value::<R::Params>(request.params) {
            Ok(params) => match answer(self, params) {
                Ok(result) => Response::new_ok(request.id, result),
                Err(Refusal(why)) => Response::new_err(request.id, ErrorCode::RequestFailed as i32, why),
            },
            Err(error) => Response::new_err(request.id, ErrorCode::InvalidParams as i32, error.to_string()),
        }
    }

    fn note(&mut self, notification: Notification) {
        let Notification { method, params } = notification;
        match method.as_str() {
            DidOpenTextDocument::METHOD => {
                if let Ok(DidOpenTextDocumentParams { text_document: opened }) =
                    serde_json::from_value(params)
                {
                    let document = Document::new(path_of(&opened.uri), opened.text, opened.version);
                    self.documents.insert(opened.uri.to_string(), document);
                    self.changed(&opened.uri);
                }
            }
            DidChangeTextDocument::METHOD => {
                if let Ok(change) = serde_json::from_value(params) {
                    self.change(change);
                }
            }
            DidCloseTextDocument::METHOD => {
                if let Ok(DidCloseTextDocumentParams { text_document }) = serde_json::from_value(params) {
                    self.documents.remove(text_document.uri.as_str());
                    self.publish(&text_document.uri, Vec::new(), None);
                }
            }
            DidSaveTextDocument::METHOD | DidChangeWatchedFiles::METHOD => {
                self.documents.values_mut().for_each(Document::doubt);
                self.untold = self.documents.keys().cloned().collect();
            }
            _ => {}
        }
    }

    fn change(&mut self, change: DidChangeTextDocumentParams) {
        let uri = change.text_document.uri;
        let Some(document) = self.documents.get_mut(uri.as_str()) else { return };
        let mut text = document.text.clone();
        for part in change.content_changes {
            match part.range {
                Some(range) => {
                    let start = position::byte(&text, range.start);
                    let end = position::byte(&text, range.end).max(start);
                    text.replace_range(start..end, &part.text);
                }
                None => text = part.text,
            }
        }
        document.change(text, change.text_document.version);
        self.changed(&uri);
    }

    /// Remembers that a document must be looked at, and those that may use it.
    fn changed(&mut self, uri: &Uri) {
        for (key, document) in &mut self.documents {
            if key != uri.as_str() && document.text.contains("use \"") {
                document.doubt();
                self.untold.push(key.clone());
            }
        }
        self.untold.push(uri.to_string());
    }

    /// What is known about a document, up to date.
    pub fn known(&mut self, uri: &Uri) -> Result<&Knowledge, Refusal> {
        let key = uri.as_str();
        let Some(mut document) = self.documents.remove(key) else {
            return Err(Refusal(format!("{key} is not open")));
        };
        let others = &self.documents;
        let open = |path: &Path| others.values().find(|d| d.path == path).map(|d| d.text.clone());
        document.look(&open);
        let document = self.documents.entry(key.to_owned()).or_insert(document);
        document.known().ok_or_else(|| Refusal(format!("{key} was not read")))
    }

    /// Tells the editor what is wrong with the documents that changed.
    fn tell(&mut self) -> Result<(), Failure> {
        let mut untold = std::mem::take(&mut self.untold);
        untold.sort();
        untold.dedup();
        for key in untold {
            let uri: Uri = key.parse()?;
            let Ok(known) = self.known(&uri) else { continue };
            let diagnostics = known.diagnostics.iter().map(|d| shown(known, &uri, d)).collect();
            let version = self.documents.get(&key).map(|d| d.version);
            self.publish(&uri, diagnostics, version);
        }
        Ok(())
    }

    fn publish(&self, uri: &Uri, diagnostics: Vec<lsp_types::Diagnostic>, version: Option<i32>) {
        let params = PublishDiagnosticsParams { uri: uri.clone(), diagnostics, version };
        let notification = Notification::new(PublishDiagnostics::METHOD.to_owned(), params);
        // With the editor gone, the loop ends by itself.
        let _ = self.connection.sender.send(notification.into());
    }
}

/// A diagnostic as editors show it: the main place with all that is said about it, and the other parties as related places.
fn shown(known: &Knowledge, uri: &Uri, diagnostic: &Diagnostic) -> lsp_types::Diagnostic {
    let in_file = diagnostic.labels.iter().find(|label| label.span.file == known.main);
    let main = in_file.or(diagnostic.labels.first());
    let mut message = diagnostic.message.clone();
    let mut also = |text: &str| {
        message.push('\n');
        message.push_str(text);
    };
    main.iter().for_each(|label| also(&label.text));
    diagnostic.help.iter().for_each(|help| also(&format!("help: {help}")));
    diagnostic.notes.iter().for_each(|note| also(&format!("note: {note}")));
    let others = diagnostic.labels.iter().filter(|label| main.is_none_or(|m| m != *label));
    let related = others.filter_map(|label| {
        let location = location(known, uri, label.span)?;
        Some(DiagnosticRelatedInformation { location, message: label.text.clone() })
    });
    let place = in_file.map_or(Span::new(known.main, 0, 0), |label| label.span);
    lsp_types::Diagnostic {
        range: position::range(known.text(), place),
        severity: Some(match diagnostic.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        code: Some(NumberOrString::String(diagnostic.code.to_owned())),
        source: Some("blo".to_owned()),
        message,
        related_information: Some(related.collect()),
        ..lsp_types::Diagnostic::default()
    }
}

/// A span as a place that the editor can open; `None` inside the standard library, which is no file.
pub fn location(known: &Knowledge, uri: &Uri, span: Span) -> Option<Location> {
    let source = known.sources.get(span.file);
    let range = position::range(&source.text, span);
    if span.file == known.main {
        return Some(Location::new(uri.clone(), range));
    }
    let path = std::path::absolute(&source.name).ok().filter(|path| path.is_file())?;
    Some(Location::new(uri_of(&path)?, range))
}

/// The file that an address names; for other schemes the whole address, which is then no file.
pub fn path_of(uri: &Uri) -> PathBuf {
    let is_file = uri.scheme().is_some_and(|scheme| scheme.as_str() == "file");
    match uri.path().as_estr().decode().into_string() {
        Ok(path) if is_file => {
            // `/c:/models` on Windows.
            let drive = path.get(2..3) == Some(":");
            PathBuf::from(if drive { &path[1..] } else { &*path })
        }
        _ => PathBuf::from(uri.as_str()),
    }
}

fn uri_of(path: &Path) -> Option<Uri> {
    let mut text = String::from("file://");
    let path = path.to_str()?.replace('\\', "/");
    if !path.starts_with('/') {
        text.push('/');
    }
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                text.push(char::from(byte));
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text.parse().ok()
}
