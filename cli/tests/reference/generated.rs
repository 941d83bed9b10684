//! `docs/solvers.md` and `docs/operators.md`, written from the records of the program, and `docs/stdlib.md`, written from the
//! comments of the library.

use std::fmt::Write;

use blo_compiler::ops::{self, Derivative, Operator, Surface};
use blo_runtime::problem::Feature;
use blo_runtime::settings::{Kind, OptionSpec, Piece, Preset};
use blo_runtime::solvers::{Levels, SOLVERS, Solver};

use crate::{blo, fresh, root, text};

/// Text inside a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

const SOLVERS_INTRODUCTION: &str = "\
# Solvers

Generated from the program by `BLESS=1 cargo test -p blo --test reference`; do not edit.

A model names its method, `solve cg(steps = 300, upper_step = 0.1)`; the command line overrides it with `--method NAME`, \
`--method 'NAME(option = value)'`, `--option NAME=VALUE` and `--iterations N` (the option `steps`). `preset = paper` \
takes the values its authors use, which stand below the options of a method that has them; what is written beside it counts. Without `solve`, `auto` \
chooses; an optimisation with one level is solved by `gradient`, with constraints by `kkt`. `auto` takes the only method that fits; where several do, `tree` for a small linear or \
convex quadratic program below, `nested` for a lower level that is strongly convex or not known to be convex (`soba` where it has very long sums marked with `~`), `meha` \
for one with nonsmooth terms that have a proximal operator, `kkt` for a small one that is convex or has constraints, or `tree` with a budget \
where it may prove that answer to be the best, `sflcb` for a large \
one with constraints, `meha` for a large one that is convex, and it says so. What a run returns is judged by a check of its own, not by \
the method: see [result.md](result.md).
";

/// Which methods solve what: one row per method.
fn features(page: &mut String) {
    let words: Vec<&str> = Feature::ALL.iter().map(|f| f.words()).collect();
    let rule = "|---".repeat(words.len() + 2);
    write!(page, "\n| method | levels | {} |\n{rule}|\n", words.join(" | ")).unwrap();
    for solver in SOLVERS {
        let levels = match solver.levels {
            Levels::One => "one",
            Levels::Two => "two",
            Levels::Any => "one or two",
            Levels::Rows => "two, with rows",
        };
        let handled = Feature::ALL.iter().map(|f| if solver.handles.contains(f) { "yes" } else { "–" });
        let handled = handled.collect::<Vec<_>>().join(" | ");
        writeln!(page, "| `{}` | {levels} | {handled} |", solver.name).unwrap();
    }
}

fn solver(page: &mut String, solver: &Solver) {
    let levels = match solver.levels {
        Levels::One => "with an upper level alone",
        Levels::Two => "with two levels",
        Levels::Any => "with or without a lower level",
        Levels::Rows => "with a lower level that may have constraints",
    };
    let Solver { name, summary, source, .. } = solver;
    let (first, rest) = summary.split_at(1);
    let first = first.to_uppercase();
    write!(page, "\n## `{name}`\n\n{first}{rest}. For models {levels}. Source: {source}.\n\n").unwrap();
    page.push_str("| option | default | takes | meaning |\n|---|---|---|---|\n");
    solver.options().for_each(|spec| option(page, "", spec));
    if !solver.paper.is_empty() {
        let values = solver.paper.iter().map(|(name, value)| format!("`{name} = {value}`"));
        writeln!(page, "\n`preset = paper`: {}.", values.collect::<Vec<_>>().join(", ")).unwrap();
    }
}

/// A row of a table of options; the name is prefixed by where the option belongs.
fn option(page: &mut String, owner: &str, spec: &OptionSpec) {
    let OptionSpec { name, kind, default, doc } = spec;
    let kind = kind.to_string();
    let default = match default {
        Preset::Number(v) if *v != 0.0 && v.abs() < 1e-3 => format!("{v:e}"),
        other => other.to_string(),
    };
    writeln!(page, "| `{owner}{name}` | `{default}` | {} | {} |", cell(&kind), cell(doc)).unwrap();
}

const PIECES_INTRODUCTION: &str = "
# Pieces

Some options take a piece: a part with options of its own, `init = learned(bound = 2)`. What goes with what is checked, and a \
composition that makes no sense is refused with the reason. A piece stands in one file, and a method named above is a composition of \
pieces.
";

/// The tables of an option that takes pieces.
fn pieces(page: &mut String, option_name: &str, solvers: &[&str], pieces: &[&Piece]) {
    let solvers = solvers.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    write!(page, "\n## `{option_name}` of {solvers}\n\n").unwrap();
    page.push_str(
        "| piece | what it does | assumes | costs | goes with | source |\n|---|---|---|---|---|---|\n",
    );
    for Piece { name, doc, assumes, cost, source, requires, .. } in pieces {
        let goes = requires.iter().map(|r| format!("`{}`: `{}`", r.option, r.one_of.join("`, `")));
        let goes = goes.collect::<Vec<_>>().join("; ");
        let [goes, source] = [goes.as_str(), source].map(|text| if text.is_empty() { "–" } else { text });
        let row = [doc, assumes, cost, goes, source].map(cell).join(" | ");
        writeln!(page, "| `{name}` | {row} |").unwrap();
    }
    if pieces.iter().any(|piece| piece.options().next().is_some()) {
        page.push_str("\n| option | default | takes | meaning |\n|---|---|---|---|\n");
    }
    for piece in pieces {
        piece.options().for_each(|spec| option(page, &format!("{}.", piece.name), spec));
    }
}

/// Every option that takes pieces, with the methods that have it.
fn all_pieces(page: &mut String) {
    let mut found: Vec<(&str, Vec<&str>, &[&Piece])> = Vec::new();
    for solver in SOLVERS {
        for spec in solver.options() {
            let Kind::Piece(list) = spec.kind else { continue };
            match found.iter_mut().find(|(name, _, other)| *name == spec.name && *other == list) {
                Some((_, solvers, _)) => solvers.push(solver.name),
                None => found.push((spec.name, vec![solver.name], list)),
            }
        }
    }
    if !found.is_empty() {
        page.push_str(PIECES_INTRODUCTION);
    }
    found.iter().for_each(|(name, solvers, list)| pieces(page, name, solvers, list));
}

#[test]
fn the_page_of_solvers_is_fresh() {
    let mut page = SOLVERS_INTRODUCTION.to_owned();
    features(&mut page);
    SOLVERS.iter().for_each(|s| solver(&mut page, s));
    all_pieces(&mut page);
    fresh("docs/solvers.md", &page);
}

#[test]
fn the_default_methods_are_those_the_pages_name() {
    let upper = "upper {\n  var x: real\n  minimize (x - 1)^2\n}\n";
    let lower = "lower {\n  var y: real\n  minimize (y - x)^2\n}\n";
    for (model, method) in [(upper.to_owned(), "gradient"), (format!("{upper}{lower}"), "nested")] {
        let output = blo(&model, &["run", "model.blo", "--json", "--iterations", "3"]);
        let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(result["method"], method);
    }
}

const OPERATORS_INTRODUCTION: &str = "\
# Operators

Generated from the program by `BLESS=1 cargo test -p blo --test reference`; do not edit.

The operators of the tensor graph that `--emit graph` prints. Everything blo knows about one stands in its record, \
`compiler/src/ops/NAME.rs`. Functions of the language without an operator of their own (`mean`, `norm`, `diag`, …) are made of these: \
see [language.md](language.md#functions).

Derivatives: *partial* is a formula per operand, element by element; *linear* means that the operator is its own derivative, with a \
transpose for reverse mode; *rule* is a rule of its own for each mode; *zero* is zero wherever it exists.

Curvature: how convexity passes through, see [decision 7](decisions/0007-curvature.md). *Sum* and its like keep what all their \
elements are; *by interval* is a function of one number that may be convex, concave, rising or falling depending on where its \
argument lies; *rule* looks at the operands; what is *not analysed* is known only when its operands are constant.

| operator | in the language | definition | domain and edges | derivative | curvature |
|---|---|---|---|---|---|
";

fn operator(page: &mut String, op: &Operator) {
    let spelling = match op.surface {
        Surface::Hidden => "–".to_owned(),
        Surface::Elementwise(name) => format!("`{name}`, element by element"),
        Surface::Reduction(name) => format!("`{name}`, reduction"),
        Surface::Along(name) => format!("`{name}`, along an axis"),
        Surface::AlongReduced(name) => format!("`{name}`, along an axis that disappears"),
    };
    let derivative = match op.derivative {
        Derivative::Partials(_) => "partial".to_owned(),
        Derivative::Linear(_) => "linear".to_owned(),
        Derivative::Rule { .. } => "rule".to_owned(),
        Derivative::Zero => "zero".to_owned(),
        Derivative::Undefined(why) => format!("none: {}", cell(why)),
    };
    let (definition, domain) = (cell(op.definition), cell(op.domain));
    let curvature = op.curvature.word();
    writeln!(page, "| `{}` | {spelling} | {definition} | {domain} | {derivative} | {curvature} |", op.name)
        .unwrap();
}

#[test]
fn the_page_of_operators_is_fresh() {
    let mut page = OPERATORS_INTRODUCTION.to_owned();
    ops::all().iter().for_each(|op| operator(&mut page, op));
    fresh("docs/operators.md", &page);
}

const LIBRARY_INTRODUCTION: &str = "\
# The standard library

Generated from the comments in [stdlib](../stdlib) by `BLESS=1 cargo test -p blo --test reference`; do not edit.

A model brings functions in with `use std.losses` or `use std.losses (huber, hinge)`. They are written in the language and \
[expanded at each call](language.md#functions): an argument without a type takes numbers and arrays of any shape, a dimension in a \
type stands for the argument's. Every example runs in the tests; its value was computed without blo.
";

/// The section of one module.
fn module(page: &mut String, name: &str, source: &str) {
    let lines: Vec<&str> = source.lines().collect();
    let comment = |line: &&&str| line.starts_with("# ");
    let words = |lines: &[&str]| {
        let stripped: Vec<&str> = lines.iter().filter_map(|l| l.strip_prefix("# ")).collect();
        stripped.join(" ")
    };
    let opening = words(&lines[..lines.iter().take_while(comment).count()]);
    let opening =
        opening.split_once("The last line above each function").map_or(opening.as_str(), |(o, _)| o);
    write!(page, "\n## `std.{name}`\n\n{}\n\n", opening.trim()).unwrap();
    page.push_str("| function | what it is | example |\n|---|---|---|\n");
    for (k, line) in lines.iter().enumerate() {
        let Some(head) = line.strip_prefix("fn ") else { continue };
        let head = &head[..=head.find(')').unwrap()];
        let above = lines[..k].iter().rev().take_while(comment).count();
        let (example, value) = lines[k - 1][2..].rsplit_once(" = ").unwrap();
        let meaning = words(&lines[k - above..k - 1]);
        writeln!(page, "| `{head}` | {} | `{example}` = {value} |", cell(&meaning)).unwrap();
    }
}

#[test]
fn the_page_of_the_library_is_fresh() {
    let mut page = LIBRARY_INTRODUCTION.to_owned();
    let mut names: Vec<String> = std::fs::read_dir(root("stdlib"))
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names.iter().for_each(|name| module(&mut page, name, &text(&format!("stdlib/{name}.blo"))));
    fresh("docs/stdlib.md", &page);
}
