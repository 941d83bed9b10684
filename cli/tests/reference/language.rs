//! Code in `docs/language.md`. A block ```` ```blo ```` is a complete model and must check without data files; `fragment` marks parts of a
//! model, which must parse; `wrong` is followed by the message it gives, `explained` by the account of its convexity.

use blo_compiler::analyse;
use blo_compiler::ops;
use blo_compiler::session::{DataError, DataRequest, Loader, Options, Tensor};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::format::tidy;
use blo_grammar::source::Sources;

use crate::{blo, fresh, root, text};

const PAGE: &str = "docs/language.md";

/// A block of code: the words after the fence, and the lines.
pub struct Block {
    pub info: String,
    pub line: usize,
    pub code: String,
}

/// The blocks of a page in order.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (k, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), open.as_mut()) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(info), None) => {
                open = Some(Block { info: info.trim().to_owned(), line: k + 1, code: String::new() });
            }
            (None, Some(block)) => block.code += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// No files at all: shapes are checked by name.
struct NoFiles;

impl Loader for NoFiles {
    fn module(&mut self, _from: &str, _path: &str) -> Result<(String, String), String> {
        Err("there are no files here".to_owned())
    }

    fn data(&mut self, _request: &DataRequest) -> Result<Option<Tensor>, DataError> {
        Ok(None)
    }
}

fn diagnostics(model: &str) -> Vec<Diagnostic> {
    let mut sources = Sources::new();
    let main = sources.add("model.blo", model);
    analyse(&mut sources, main, &mut NoFiles, &Options::default()).1
}

#[test]
fn every_block_of_code_is_what_it_says() {
    let mut models = 0;
    for Block { info, line, code } in blocks(&text(PAGE)) {
        let found = diagnostics(&code);
        let complete = code.contains("upper {");
        match info.as_str() {
            "blo" | "blo explained" => {
                models += 1;
                assert!(complete, "{PAGE}:{line}: not a complete model; mark it `blo fragment`");
                assert!(found.is_empty(), "{PAGE}:{line}: {found:#?}");
            }
            "blo fragment" => {
                assert!(!complete, "{PAGE}:{line}: a complete model is not a fragment");
                let mut sources = Sources::new();
                let file = sources.add("fragment", code.as_str());
                let (_, found) = blo_grammar::parse::parse(file, &code);
                assert!(found.is_empty(), "{PAGE}:{line}: {found:#?}");
            }
            "blo wrong" => assert!(found.iter().any(Diagnostic::is_error), "{PAGE}:{line} is right"),
            "text" => {}
            other => panic!("{PAGE}:{line}: `{other}` is no kind of block"),
        }
    }
    assert!(models >= 2, "the two models of the first page are gone");
}

/// Tidying the code of the pages twice is tidying it once, and cuts lines at 100 characters.
#[test]
fn code_of_the_pages_can_be_tidied() {
    let mut tidied = 0;
    for entry in std::fs::read_dir(root("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        for Block { info, line, code } in blocks(&std::fs::read_to_string(&path).unwrap()) {
            let file = Sources::new().add("block", code.as_str());
            let Some(once) = info.starts_with("blo").then(|| tidy(file, &code).ok()).flatten() else {
                continue;
            };
            let place = format!("{}:{line}", path.display());
            assert_eq!(tidy(file, &once).unwrap(), once, "{place}");
            let long = once.lines().find(|l| l.chars().count() > 100 && !l.contains('#'));
            assert!(long.is_none(), "{place}: {long:?}");
            tidied += 1;
        }
    }
    assert!(tidied > 100, "{tidied}");
}

/// The block after each `blo wrong` is what `blo check` prints, that after `blo explained` what `--explain` adds.
#[test]
fn messages_and_accounts_are_those_of_the_program() {
    let page = text(PAGE);
    let mut expected = page.clone();
    let blocks = blocks(&page);
    let mut seen = [0, 0];
    for pair in blocks.windows(2) {
        let wrong = match pair[0].info.as_str() {
            "blo wrong" => true,
            "blo explained" => false,
            _ => continue,
        };
        seen[usize::from(wrong)] += 1;
        assert_eq!(pair[1].info, "text", "{PAGE}:{}: no output follows", pair[0].line);
        let flags: &[&str] = if wrong { &[] } else { &["--explain"] };
        let output = blo(&pair[0].code, &[&["check", "model.blo"], flags].concat());
        assert_eq!(output.status.code(), Some(if wrong { 2 } else { 0 }));
        let printed = String::from_utf8(if wrong { output.stderr } else { output.stdout }).unwrap();
        // The account stands behind headline and overview.
        let printed = if wrong { printed.as_str() } else { printed.splitn(3, "\n\n").nth(2).unwrap() };
        let lines: Vec<&str> = printed.trim().lines().map(str::trim_end).collect();
        let old = format!("```text\n{}```", pair[1].code);
        expected = expected.replace(&old, &format!("```text\n{}\n```", lines.join("\n")));
    }
    assert!(seen.iter().all(|&n| n > 0), "{seen:?}");
    fresh(PAGE, &expected);
}

/// Every function that the checker knows, read from its tables, stands under "Built in".
#[test]
fn every_function_is_on_the_page() {
    let page = text(PAGE);
    let words: Vec<&str> = page.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let source = text("compiler/src/check/builtins/mod.rs");
    let entries = source.lines().filter_map(|line| line.trim().strip_prefix("(\"")?.split_once("\", "));
    let composed: Vec<&str> = entries.map(|(name, _)| name).filter(|name| !name.contains(' ')).collect();
    assert!(composed.len() > 30, "the table was not found: {composed:?}");
    let operators = ops::all().iter().filter_map(|op| op.surface.name());
    let missing: Vec<&str> = composed.into_iter().chain(operators).filter(|n| !words.contains(n)).collect();
    assert!(missing.is_empty(), "{PAGE} does not name {missing:?}");
}
