//! The rules of the repository that a machine can hold: crate and module floors, owners of dependencies, where `unsafe` may
//! stand, size and opening of files.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use blo_runtime::settings::Kind;
use blo_runtime::solvers::SOLVERS;

/// Crates by folder, and the crates of this workspace each may use.
const CRATES: [(&str, &[&str]); 8] = [
    ("grammar", &[]),
    ("runtime/kernels", &[]),
    ("runtime", &["blo-kernels"]),
    ("runtime/native", &["blo-runtime"]),
    ("compiler", &["blo-grammar", "blo-runtime", "blo-kernels"]),
    ("cli/template", &[]),
    ("cli", &["blo-grammar", "blo-runtime", "blo-native", "blo-compiler", "blo-template"]),
    ("bench/micro", &["blo-grammar", "blo-runtime", "blo-compiler"]),
];

/// Dependencies with one owner, by the beginning of their name, and the folder outside which their name must not occur.
const OWNERS: [(&str, &str, &str); 19] = [
    ("clarabel", "runtime", "runtime/src/constrained"),
    ("pest", "grammar", "grammar/src/parse"),
    ("cranelift", "compiler", "compiler/src/codegen"),
    ("faer", "runtime", "runtime"),
    ("rayon", "runtime", "runtime"),
    ("region", "runtime", "runtime/src/kernel"),
    ("ariadne", "cli", "cli"),
    ("clap", "cli", "cli"),
    ("csv", "cli", "cli"),
    ("ctrlc", "cli", "cli"),
    ("flate2", "cli", "cli"),
    ("indicatif", "cli", "cli"),
    ("lsp-", "cli", "cli/src/lsp"),
    ("ndarray-npy", "cli", "cli"),
    ("rustyline", "cli", "cli/src/repl"),
    ("serde", "cli", "cli"),
    ("tiny-skia", "cli", "cli"),
    ("ttf-parser", "cli", "cli"),
    ("zip", "cli", "cli"),
];

/// Where `unsafe` may stand: the beginning of the path. The test of allocations counts them, which takes an allocator of its own.
const UNSAFE: [&str; 6] = [
    "runtime/kernels/",
    "runtime/src/kernel",
    "runtime/native/",
    "cli/src/native/template.rs",
    "compiler/src/codegen/jit.rs",
    "compiler/tests/allocations.rs",
];

/// Floors inside the compiler, from the bottom; a module may use its own floor and those below.
const FLOORS: [&[&str]; 7] = [
    &["types"],
    &["ir", "ops"],
    &["model"],
    &["check", "passes"],
    &["convexity", "reformulate"],
    &["lower"],
    &["codegen"],
];

const LONGEST_FILE: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust file of the workspace with its text, by its path from the root.
fn sources() -> BTreeMap<String, String> {
    fn walk(folder: &Path, root: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().into_string().unwrap();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    walk(&path, root, found);
                }
            } else if name.ends_with(".rs") {
                let key = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                found.insert(key, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let root = root();
    let mut found = BTreeMap::new();
    for folder in ["grammar", "runtime", "compiler", "cli", "bench"] {
        walk(&root.join(folder), &root, &mut found);
    }
    assert!(found.len() > 20, "the sources were not found");
    found
}

/// The lines of a file without comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(i, line)| (i + 1, line.split("//").next().unwrap_or("")))
}

/// Fails with all complaints at once.
fn settle(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// The names under `[dependencies]` and `[build-dependencies]` of a manifest.
fn dependencies(folder: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let mut inside = false;
    let mut names = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line.starts_with("[dependencies") || line.starts_with("[build-dependencies");
        } else if inside && !line.starts_with('#') && !line.trim().is_empty() {
            names.push(line.split(['.', '=', ' ']).next().unwrap().to_string());
        }
    }
    names
}

#[test]
fn files_open_with_their_purpose_and_stay_short() {
    let mut complaints = Vec::new();
    for (path, text) in sources() {
        if !text.starts_with("//!") {
            complaints.push(format!("{path}: does not open with a `//!` paragraph"));
        }
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            complaints.push(format!("{path}: {lines} lines, over {LONGEST_FILE}"));
        }
    }
    settle(&complaints);
}

#[test]
fn unsafe_stands_only_where_it_is_allowed() {
    let mut complaints = Vec::new();
    let words = ["{", "fn", "impl", "extern", "trait"].map(|next| format!("{} {next}", "unsafe"));
    let attribute = ["allow", "expect"].map(|word| format!("{word}({}", "unsafe_code"));
    for (path, text) in sources() {
        let allowed = UNSAFE.iter().any(|start| path.starts_with(start));
        for (number, line) in code(&text) {
            if !allowed && words.iter().chain(&attribute).any(|word| line.contains(word)) {
                complaints.push(format!("{path}:{number}: {}", line.trim()));
            }
        }
    }
    settle(&complaints);
}

#[test]
fn crates_and_modules_import_only_downwards() {
    let mut complaints = Vec::new();
    for (folder, allowed) in CRATES {
        for name in dependencies(folder) {
            if name.starts_with("blo-") && !allowed.contains(&name.as_str()) {
                complaints.push(format!("{folder} must not depend on {name}"));
            }
        }
    }
    let floor = |module: &str| FLOORS.iter().position(|names| names.contains(&module));
    for (path, text) in sources() {
        let Some(inner) = path.strip_prefix("compiler/src/") else { continue };
        let Some(own) = floor(inner.split(['/', '.']).next().unwrap_or("")) else { continue };
        for (number, line) in code(&text) {
            for used in line.split("crate::").skip(1) {
                let module = used.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
                if floor(module).is_some_and(|other| other > own) {
                    complaints.push(format!("{path}:{number}: uses `{module}`, which is above it"));
                }
            }
        }
    }
    settle(&complaints);
}

#[test]
fn every_dependency_has_one_owner() {
    let mut complaints = Vec::new();
    for (folder, _) in CRATES {
        for name in dependencies(folder) {
            for (start, owner, _) in OWNERS {
                if name.starts_with(start) && !folder.starts_with(owner) {
                    complaints.push(format!("{folder} depends on {name}, which belongs to {owner}"));
                }
            }
        }
    }
    // Tests may read and write what the crate under test does not.
    for (path, text) in sources().into_iter().filter(|(path, _)| path.contains("/src/")) {
        for (number, line) in code(&text) {
            for (start, _, place) in OWNERS {
                let name = start.replace('-', "_");
                let used = [format!("use {name}"), format!("{name}::"), format!("{name}_")];
                let hit = used.iter().any(|u| {
                    line.match_indices(u.as_str()).any(|(at, _)| {
                        !line[..at].ends_with(|c: char| c.is_alphanumeric() || "_:\"`".contains(c))
                    })
                });
                // A variable may be called like a crate: only paths and imports count.
                let path_like = line.contains("::") || line.trim_start().starts_with("use ");
                if hit && path_like && !path.starts_with(place) {
                    complaints.push(format!("{path}:{number}: `{start}` belongs to {place}"));
                }
            }
        }
    }
    settle(&complaints);
}

#[test]
fn no_test_is_switched_off() {
    let mut complaints = Vec::new();
    let attribute = format!("#[{}", "ignore");
    for (path, text) in sources() {
        for (number, line) in code(&text) {
            if line.contains(&attribute) {
                complaints.push(format!("{path}:{number}: a test is ignored"));
            }
        }
    }
    settle(&complaints);
}

/// A method is one file with its name and one line in the list of solvers; a piece is one file of its family and one line there.
#[test]
fn methods_and_pieces_are_one_file_each() {
    let sources = sources();
    let mut complaints = Vec::new();
    let mut look = |kind: &str, folder: &str, record: &str, name: &str| {
        let says = format!("name: \"{name}\"");
        let found: Vec<&String> = sources
            .iter()
            .filter(|(path, text)| path.starts_with(folder) && text.contains(record) && text.contains(&says))
            .filter(|(path, _)| {
                let file = path.rsplit('/').next().unwrap_or("").trim_end_matches(".rs");
                file == name || name.starts_with(&format!("{file}_")) || file == "composed"
            })
            .map(|(path, _)| path)
            .collect();
        if found.len() != 1 {
            complaints.push(format!("the {kind} `{name}` stands in {found:?} of {folder}"));
        }
    };
    for solver in SOLVERS {
        look("method", "runtime/src/solvers/", ": Solver = Solver {", solver.name);
    }
    let mut families = 0;
    for solver in SOLVERS {
        for option in solver.options() {
            let Kind::Piece(pieces) = option.kind else { continue };
            families += 1;
            let folder = format!("runtime/src/solvers/{}/{}/", solver.name, option.name);
            pieces.iter().for_each(|piece| look("piece", &folder, "Piece {", piece.name));
        }
    }
    assert!(families >= 5, "{families}");
    settle(&complaints);
}
