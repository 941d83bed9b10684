//! `use`: the standard library, which is part of the program, and files, which the loader finds. A used file holds functions
//! and values for them; a model's own declarations come before names brought in by a `use` without brackets.

use blo_grammar::ast::{Ast, Ident, ItemKind, Use, UsePath};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse::nearest;
use blo_grammar::span::{FileId, Span};

use super::Checker;
use super::scope::{Kind, Module};

/// The standard library: the last part of `std.NAME`, and the text.
pub static STDLIB: &[(&str, &str)] = &[
    ("games", include_str!("../../../stdlib/games.blo")),
    ("losses", include_str!("../../../stdlib/losses.blo")),
    ("metrics", include_str!("../../../stdlib/metrics.blo")),
    ("nn", include_str!("../../../stdlib/nn.blo")),
    ("regularizers", include_str!("../../../stdlib/regularizers.blo")),
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
            for (name, id) in exported {
                self.modules[module].names.entry(name).or_insert(id);
            }
            return;
        };
        for name in names {
            match exported.iter().find(|(n, _)| *n == name.name) {
                None => self.not_exported(name, &title, exported.iter().map(|(n, _)| n.as_str())),
                Some((_, id)) => {
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
        if self.modules.iter().any(|m| m.key == reading) || self.modules[0].key == key {
            let label = format!("`{key}` is being read already");
            return self.error("E0216", "files use each other in a circle", span, label);
        }
        if let Some(known) = self.modules.iter().position(|m| m.key == key) {
            return Some((known, key));
        }
        let index = self.modules.len();
        self.modules.push(Module { key: reading, ..Module::default() });
        let file = self.sources.add(key.clone(), text);
        let (ast, diagnostics) = blo_grammar::parse::parse(file, &self.sources.get(file).text);
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
                    self.error::<()>("E0219", message, item.span, "this belongs into the model itself");
                }
            }
        }
    }
}
