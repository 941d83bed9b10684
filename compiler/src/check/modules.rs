//! `use`: the standard library, which is part of the program, and files, which the loader finds. A used file holds functions
//! and values for them; a model's own declarations come before names brought in by a `use` without brackets.

use blo_grammar::ast::{Ast, Ident, ItemKind, Use, UsePath};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse::nearest;
use blo_grammar::span::{FileId, Span};

use super::Checker;
use super::scope::{DeclId, Kind, Module};
use crate::session::Phase;

/// The standard library: the last part of `std.NAME`, and the text.
pub static STDLIB: &[(&str, &str)] = &[
    ("games", include_str!("../../../stdlib/games.blo")),
    ("losses", include_str!("../../../stdlib/losses.blo")),
    ("metrics", include_str!("../../../stdlib/metrics.blo")),
    ("nn", include_str!("../../../stdlib/nn.blo")),
    ("regularizers", include_str!("../../../stdlib/regularizers.blo")),
    ("sets", include_str!("../../../stdlib/sets.blo")),
    ("stats", include_str!("../../../stdlib/stats.blo")),
];

/// The functions of the library: title of the module, and name.
fn functions() -> impl Iterator<Item = (String, &'static str)> {
    STDLIB.iter().flat_map(|(module, text)| {
        let heads = text.lines().filter_map(|l| l.strip_prefix("fn ")?.split_once('('));
        heads.map(move |(name, _)| (format!("std.{module}"), name))
    })
}

/// The library module that defines a function.
pub fn module_with(function: &str) -> Option<String> {
    functions().find(|(_, name)| *name == function).map(|(module, _)| module)
}

/// The library function that was probably meant, with its module.
pub fn near_function(function: &str) -> Option<(String, &'static str)> {
    let near = nearest(function, functions().map(|(_, name)| name))?;
    functions().find(|(_, name)| *name == near)
}

/// Marks a module that is being read, to find circles.
const READING: &str = "reading ";

/// More files than this are not read: a sign of a link that leads into itself.
const MOST_MODULES: usize = 200;

/// What a `use` of the main file brought in.
pub struct Import {
    /// What to call it.
    title: String,
    span: Span,
    /// The name in brackets, if it is one of those.
    listed: bool,
    brought: Vec<DeclId>,
}

/// A name that an earlier `use` of a module brought in already.
pub struct Hidden {
    module: usize,
    first: DeclId,
    other: DeclId,
    span: Span,
}

impl Checker<'_> {
    /// Carries out the `use`s of a file that list names, or those that do not.
    pub fn uses(&mut self, ast: &Ast, module: usize, listed: bool) {
        for item in &ast.items {
            match &item.kind {
                ItemKind::Use(u) if u.names.is_some() == listed => {
                    self.bring_in(u, item.span, ast.file, module)
                }
                _ => {}
            }
        }
    }

    fn bring_in(&mut self, u: &Use, span: Span, file: FileId, module: usize) {
        let Some((source, title)) = self.find_module(u, span, file) else {
            // What would have come from there is not missed again.
            match &u.names {
                Some(names) => self.broken.extend(names.iter().map(|name| name.name.clone())),
                None => self.blind = true,
            }
            return;
        };
        let exported: Vec<_> = self.modules[source]
            .names
            .iter()
            .map(|(n, d)| (n.clone(), *d))
            .filter(|(_, d)| self.decls[d.0].module == source)
            .collect();
        let Some(names) = &u.names else {
            let mut brought = Vec::new();
            for (name, id) in exported {
                let first = *self.modules[module].names.entry(name.clone()).or_insert(id);
                if first == id {
                    brought.push(id);
                } else if self.decls[first.0].module != module {
                    self.hidden.push(Hidden { module, first, other: id, span });
                }
            }
            if module == 0 {
                self.imports.push(Import { title, span, listed: false, brought });
            }
            return;
        };
        for name in names {
            match exported.iter().find(|(n, _)| *n == name.name) {
                None => self.not_exported(name, &title, exported.iter().map(|(n, _)| n.as_str())),
                Some((_, id)) => {
                    if module == 0 {
                        let title = name.name.clone();
                        self.imports.push(Import {
                            title,
                            span: name.span,
                            listed: true,
                            brought: vec![*id],
                        });
                    }
                    let earlier = self.modules[module].names.insert(name.name.clone(), *id);
                    if let Some(other) = earlier.filter(|e| e != id) {
                        let first = self.decls[other.0].span;
                        let message = format!("`{}` is brought in twice", name.name);
                        self.emit(
                            Diagnostic::error("E0202", message, name.span, "again here")
                                .label(first, "also defined here"),
                        );
                    }
                }
            }
        }
    }

    fn not_exported<'n>(&mut self, name: &Ident, title: &str, names: impl Iterator<Item = &'n str>) {
        let names: Vec<&str> = names.collect();
        let mut diagnostic = Diagnostic::error(
            "E0227",
            format!("`{title}` has no `{}`", name.name),
            name.span,
            "not defined there",
        )
        .note(format!("it defines {}", names.join(", ")));
        if let Some(near) = nearest(&name.name, names.iter().copied()) {
            diagnostic = diagnostic.did_you_mean(near);
            self.broken.insert(near.to_owned());
        }
        self.emit(diagnostic);
        self.broken.insert(name.name.clone());
    }

    /// The module that a `use` names, read if it has not been yet, and its title.
    fn find_module(&mut self, u: &Use, span: Span, file: FileId) -> Option<(usize, String)> {
        let (key, text) = match &u.path {
            UsePath::Module(path) => self.library(path)?,
            UsePath::File { path, span } => {
                let from = self.sources.get(file).name.clone();
                match self.loader.module(&from, path) {
                    Ok(found) => found,
                    Err(why) => return self.error("E0226", format!("cannot use \"{path}\""), *span, why),
                }
            }
        };
        let reading = format!("{READING}{key}");
        let main = self.modules[0].key.trim_start_matches("./");
        if self.modules.iter().any(|m| m.key == reading) || main == key {
            let label = format!("`{key}` is being read already");
            let diagnostic = Diagnostic::error("E0216", "files use each other in a circle", span, label);
            self.emit(diagnostic.help("move what both need into a third file"));
            return None;
        }
        if let Some(known) = self.modules.iter().position(|m| m.key == key) {
            return Some((known, key));
        }
        let index = self.modules.len();
        if index > MOST_MODULES {
            let label = format!("more than {MOST_MODULES} files up to here");
            return self.error("E0226", "too many files are used", span, label);
        }
        self.modules.push(Module { key: reading, ..Module::default() });
        let file = self.sources.add(key.clone(), text);
        self.loader.observer().begins(Phase::Parse);
        let (ast, diagnostics) = blo_grammar::parse::parse(file, &self.sources.get(file).text);
        self.loader.observer().begins(Phase::Check);
        self.diagnostics.extend(diagnostics);
        self.uses(&ast, index, true);
        self.functions(&ast, index);
        self.uses(&ast, index, false);
        self.modules[index].key.clone_from(&key);
        Some((index, key))
    }

    fn library(&mut self, path: &[Ident]) -> Option<(String, String)> {
        let title = path.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(".");
        if let [std, name] = path
            && std.name == "std"
            && let Some((_, text)) = STDLIB.iter().find(|(n, _)| *n == name.name)
        {
            return Some((title, (*text).to_owned()));
        }
        let span = path[0].span.to(path[path.len() - 1].span);
        let titles: Vec<String> = STDLIB.iter().map(|(n, _)| format!("std.{n}")).collect();
        let mut diagnostic =
            Diagnostic::error("E0226", format!("there is no module `{title}`"), span, "unknown module")
                .note(format!("the library has {}", titles.join(", ")));
        if let Some(near) = nearest(&title, titles.iter().map(String::as_str)) {
            diagnostic = diagnostic.did_you_mean(near);
        } else if let Some(known) = titles.iter().find(|t| t.strip_prefix("std.") == Some(title.as_str())) {
            diagnostic = diagnostic.did_you_mean(known);
        } else if path[0].name != "std" {
            diagnostic = diagnostic.help(format!("a file is used by its quoted name: `use \"{title}.blo\"`"));
        }
        self.emit(diagnostic);
        None
    }

    /// Declares the functions and values of a used file.
    fn functions(&mut self, ast: &Ast, module: usize) {
        for item in &ast.items {
            match &item.kind {
                ItemKind::Fn(f) => {
                    self.declare(&f.name, Kind::Fn(f.clone().into()), module, None);
                }
                ItemKind::Let(l) => {
                    self.declare(&l.name, Kind::Let(l.clone().into()), module, None);
                }
                ItemKind::Use(_) | ItemKind::Error => {}
                _ => {
                    let message = "a used file holds only `fn`, `let` and `use`";
                    let label = "this belongs into the model itself";
                    let diagnostic = Diagnostic::error("E0219", message, item.span, label);
                    self.emit(diagnostic.note(reason(&item.kind)));
                }
            }
        }
    }

    /// Warns about what was brought in for nothing.
    pub fn warn_imports(&mut self) {
        let used = |c: &Self, id: &DeclId| c.imports_used.contains(&(0, id.0));
        for import in std::mem::take(&mut self.imports) {
            if import.brought.iter().any(|id| used(self, id)) {
                continue;
            }
            let title = &import.title;
            let (message, label) = if import.listed {
                (format!("`{title}` is brought in and never used"), "brought in here")
            } else {
                (format!("nothing of `{title}` is used"), "brought in here")
            };
            let diagnostic = Diagnostic::warning("W0201", message, import.span, label);
            self.emit_plain(diagnostic.help(if import.listed {
                "remove it from the `use`"
            } else {
                "remove the `use`"
            }));
        }
    }

    /// Refuses names that are read and come from two used modules.
    pub fn ambiguous_names(&mut self) {
        for hidden in std::mem::take(&mut self.hidden) {
            if !self.imports_used.contains(&(hidden.module, hidden.first.0)) {
                continue;
            }
            let (first, other) = (&self.decls[hidden.first.0], &self.decls[hidden.other.0]);
            let message = format!("`{}` is defined by two used modules", first.name);
            let title = &self.modules[first.module].key;
            let diagnostic = Diagnostic::error("E0202", message, hidden.span, "brings it in again")
                .label(first.span, "one definition")
                .label(other.span, "the other")
                .help(format!("say which is meant: `use {} ({})`", quoted(title), first.name));
            self.emit_plain(diagnostic);
        }
    }

    /// Advice to bring a function of the library in.
    pub fn bring_in_help(&self, diagnostic: Diagnostic, name: &Ident, module: &str) -> Diagnostic {
        let line = format!("use {module} ({})", name.name);
        let diagnostic = diagnostic.help(format!("`{}` is in `{module}`: add `{line}`", name.name));
        if name.span.file != self.main_file() {
            return diagnostic;
        }
        diagnostic.edit(Span::new(name.span.file, 0, 0), format!("{line}\n"))
    }
}

/// A module as `use` names it.
fn quoted(title: &str) -> String {
    if STDLIB.iter().any(|(module, _)| title.strip_prefix("std.") == Some(module)) {
        title.to_owned()
    } else {
        format!("\"{title}\"")
    }
}

/// Why a declaration does not belong into a used file.
fn reason(kind: &ItemKind) -> &'static str {
    match kind {
        ItemKind::Level(_) | ItemKind::Var(_) | ItemKind::Objective { .. } | ItemKind::Constraint(_) => {
            "what is decided, and how it is judged, is said in one place: the model"
        }
        ItemKind::Data(_) | ItemKind::Param { .. } | ItemKind::Dim { .. } => {
            "a used file knows no data: give what it needs to its functions as arguments"
        }
        _ => "how the model is solved and checked is said in the model",
    }
}
