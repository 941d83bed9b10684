//! Text in, text out: models print back as expected, every syntax error says what it should.

#![allow(clippy::disallowed_methods, reason = "tests read their own files")]
#![expect(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use std::fs;
use std::path::{Path, PathBuf};

use blo_grammar::codes;
use blo_grammar::diagnostic::{Diagnostic, Label};
use blo_grammar::format::print;
use blo_grammar::parse::parse;
use blo_grammar::source::Sources;

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let entries = fs::read_dir(&folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "blo"));
    files.sort();
    assert!(!files.is_empty());
    files
}

/// Compares with the `.txt` beside a case, or rewrites it under `BLESS=1`.
fn check(case: &Path, actual: &str) {
    let path = case.with_extension("txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, actual).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == actual, "{} differs; BLESS=1 rewrites it\n{actual}", path.display());
}

/// Code, headline, then one line for each place, the advice and the facts.
fn render(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&format!("{}: {}\n", diagnostic.code, diagnostic.message));
        for Label { span, text } in &diagnostic.labels {
            let (line, column) = sources.line_column(*span);
            let snippet: String = sources.snippet(*span).chars().take(30).collect();
            out.push_str(&format!("  {line}:{column} {snippet:?} - {text}\n"));
        }
        if let Some(help) = &diagnostic.help {
            out.push_str(&format!("  help: {help}\n"));
        }
        for note in &diagnostic.notes {
            out.push_str(&format!("  note: {note}\n"));
        }
    }
    out
}

/// The tree with every place blanked.
fn without_places(text: &str) -> String {
    let file = Sources::new().add("case", text);
    let tree = format!("{:?}", parse(file, text).0);
    let mut out = String::with_capacity(tree.len());
    let mut rest = tree.as_str();
    while let Some(at) = rest.find("0:") {
        out.push_str(&rest[..at]);
        let after = rest[at + 2..].trim_start_matches(|c: char| c.is_ascii_digit());
        match after.strip_prefix("..") {
            Some(end) => rest = end.trim_start_matches(|c: char| c.is_ascii_digit()),
            None => {
                out.push_str("0:");
                rest = &rest[at + 2..];
            }
        }
    }
    out + rest
}

#[test]
fn cases_print_as_expected() {
    for case in files("cases") {
        let text = fs::read_to_string(&case).unwrap();
        let mut sources = Sources::new();
        let file = sources.add("case", text.clone());
        let (ast, diagnostics) = parse(file, &text);
        let printed = print(&ast);
        let messages = render(&sources, &diagnostics);
        let rule = if messages.is_empty() { "" } else { "----\n" };
        check(&case, &format!("{printed}{rule}{messages}"));
        if diagnostics.is_empty() {
            assert_eq!(
                without_places(&printed),
                without_places(&text),
                "{} changes when printed",
                case.display()
            );
            let (again, _) = parse(file, &printed);
            assert_eq!(print(&again), printed);
        }
    }
}

#[test]
fn every_code_has_a_case() {
    let mut seen: Vec<String> = Vec::new();
    for case in files("errors") {
        let text = fs::read_to_string(&case).unwrap();
        let mut sources = Sources::new();
        let file = sources.add("case", text.clone());
        let (_, diagnostics) = parse(file, &text);
        check(&case, &render(&sources, &diagnostics));
        let code = case.file_stem().unwrap().to_str().unwrap().to_string();
        assert!(diagnostics.iter().any(|d| d.code == code), "{code} is not reported by its own case");
        seen.extend(diagnostics.iter().map(|d| d.code.to_string()));
    }
    seen.sort();
    seen.dedup();
    let listed: Vec<&str> = codes::all().iter().map(|entry| entry.code).collect();
    assert_eq!(seen, listed);
}
