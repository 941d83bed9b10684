//! `blo fmt`: writes models in their usual form. A file is replaced whole or not at all, and never when it has syntax errors.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use blo_grammar::format::tidy;
use blo_grammar::source::Sources;
use serde_json::json;

use super::{FINE, NOT_SOLVED, WRONG_INPUT, end, print_out};
use crate::args::FmtArgs;
use crate::files::{self, Trouble};
use crate::find;
use crate::render::Renderer;

/// Runs the command.
pub fn run(args: &FmtArgs) -> ExitCode {
    let mut renderer = Renderer::new(args.format);
    if args.paths.iter().any(|path| path == Path::new("-")) {
        return filter(&mut renderer, args);
    }
    let (paths, troubles) = find::models(&args.paths);
    let mut refused = !troubles.is_empty();
    troubles.iter().for_each(|trouble| renderer.trouble(trouble));
    let mut changed: Vec<&PathBuf> = Vec::new();
    for path in &paths {
        match file(&mut renderer, path, args.check) {
            Some(true) => changed.push(path),
            Some(false) => {}
            None => refused = true,
        }
    }
    renderer.summary();
    let word = if args.check { "would change" } else { "formatted" };
    let named = if args.quiet { &[] } else { changed.as_slice() };
    let lines: Vec<String> = named.iter().map(|path| format!("{word} {}\n", path.display())).collect();
    let status = match (refused, args.check && !changed.is_empty()) {
        (true, _) => WRONG_INPUT,
        (false, true) => NOT_SOLVED,
        (false, false) => FINE,
    };
    let names: Vec<String> = changed.iter().map(|path| path.display().to_string()).collect();
    end(&mut renderer, &lines.concat(), &[("changed", json!(names))], status)
}

/// From standard input to standard output.
fn filter(renderer: &mut Renderer, args: &FmtArgs) -> ExitCode {
    let mut text = String::new();
    let read = std::io::stdin().lock().read_to_string(&mut text);
    let trouble = match read {
        _ if args.paths.len() > 1 => Some(Trouble::new("`-` stands alone: standard input, and no files")),
        Err(e) => Some(Trouble::new(format!("reading standard input failed: {e}"))),
        Ok(_) => None,
    };
    if let Some(trouble) = trouble {
        renderer.trouble(&trouble);
        return end(renderer, "", &[], WRONG_INPUT);
    }
    match tidied(renderer, "standard input", &text) {
        None => {
            renderer.summary();
            end(renderer, "", &[], WRONG_INPUT)
        }
        Some(after) if args.check => {
            let changed: &[&str] = if after == text { &[] } else { &["standard input"] };
            let status = if changed.is_empty() { FINE } else { NOT_SOLVED };
            end(renderer, "", &[("changed", json!(changed))], status)
        }
        Some(after) => print_out(renderer, &after, FINE),
    }
}

/// Formats one file, or looks whether it would change; `None` when it cannot be read, formatted or written.
fn file(renderer: &mut Renderer, path: &Path, check: bool) -> Option<bool> {
    let result = files::open(path).and_then(|(_, length)| {
        // An empty file is fine as it is.
        if length == 0 { Ok(String::new()) } else { files::read_text(path) }
    });
    let text = match result {
        Ok(text) => text,
        Err(trouble) => {
            renderer.trouble(&trouble);
            return None;
        }
    };
    let after = tidied(renderer, &path.display().to_string(), &text)?;
    if after == text {
        return Some(false);
    }
    if !check && let Err(e) = replace(path, &after) {
        renderer.trouble(&Trouble::new(format!("`{}` cannot be written: {e}", path.display())));
        return None;
    }
    Some(true)
}

/// The text in its usual form; `None` when it has errors, which have been drawn.
fn tidied(renderer: &mut Renderer, name: &str, text: &str) -> Option<String> {
    let mut sources = Sources::new();
    let file = sources.add(name, text);
    tidy(file, text).map_err(|diagnostics| renderer.diagnostics(&sources, &diagnostics)).ok()
}

/// Writes a new file beside the old one and puts it in its place, so that no reader ever sees half of it.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // Through a link, what it points to is replaced.
    let path = fs::canonicalize(path)?;
    let permissions = fs::metadata(&path)?.permissions();
    if permissions.readonly() {
        return Err(std::io::Error::new(std::io::ErrorKind::PermissionDenied, "the file is read-only"));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = (|| {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::set_permissions(&beside, permissions)?;
        fs::rename(&beside, &path)
    })();
    if written.is_err() {
        // What is left of a failed attempt is of no use; that it cannot be removed adds nothing.
        let _ = fs::remove_file(&beside);
    }
    written
}
