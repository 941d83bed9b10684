//! `docs/algorithms.md`, written from the opening comments of the files of the methods: what each assumes, does, costs and does not
//! guarantee, and its source. The options are on the page of the solvers.

use std::fmt::Write;
use std::path::Path;

use blo_runtime::solvers::{SOLVERS, Solver};

use crate::{fresh, root};

const INTRODUCTION: &str = "\
# Algorithms

Generated from the files of the methods by `BLESS=1 cargo test -p blo --test reference`; do not edit.

The problem is `min F(x, y)` over `x` such that `y` minimises `f(x, ·)`. `P` is the projection onto a variable's domain, `∇²xy f v` the \
gradient in `x` of `⟨∇y f, v⟩`, `H` is `∇²yy f`. The adjoint has the sign `H v = ∇y F`, so that the hypergradient is `∇x F − ∇²xy f v`. Options \
and defaults are in [solvers.md](solvers.md), with the pieces that methods are made of; runs of the published experiments in \
[results.md](results.md).

Where the size of the upper step is left to blo (`upper_step = auto`), it is the distance from the start so far over the root of the summed \
squares of all directions so far (Ivgi, Hinder, Carmon 2023, arXiv 2302.12022).
";

/// The files below a folder, in order.
fn files(folder: &Path, into: &mut Vec<String>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, into);
        } else {
            into.push(std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// The opening comment of the file that declares a solver.
fn opening(solver: &Solver, files: &[String]) -> String {
    let declared = format!("Solver {{\n    name: \"{}\",", solver.name);
    let declaring: Vec<&String> = files.iter().filter(|text| text.contains(&declared)).collect();
    let [text] = declaring.as_slice() else { panic!("{} files declare `{}`", declaring.len(), solver.name) };
    let lines = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line));
    let text = lines.collect::<Vec<_>>().join("\n");
    // Links of the code's own documentation lead nowhere here.
    text.replace("[`", "`").replace("`]", "`")
}

#[test]
fn the_page_of_algorithms_is_fresh() {
    let mut sources = Vec::new();
    files(&root("runtime/src/solvers"), &mut sources);
    let mut page = INTRODUCTION.to_owned();
    for solver in SOLVERS {
        let text = opening(solver, &sources);
        for part in ["ource", "ssum"] {
            assert!(
                text.contains(part),
                "the file of `{}` does not say what it assumes and where it is from",
                solver.name
            );
        }
        write!(page, "\n## `{}`\n\n{text}\n", solver.name).unwrap();
    }
    fresh("docs/algorithms.md", &page);
}
