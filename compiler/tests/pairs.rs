//! A model with indices and the same model on whole arrays are one graph: every pair `cases/pairs/NAME.comprehension.blo` and
//! `NAME.array.blo` gives the same graph of every quantity after simplification, up to the order of nodes, of the operands of
//! commutative operators and of the terms of a sum.

#![allow(clippy::disallowed_methods, reason = "tests read their own files")]
// Helpers of tests stop the test when something is wrong, as tests do.
#![allow(clippy::unwrap_used)]

mod memory;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use blo_compiler::{Stage, emit};
use blo_runtime::derivatives::Quantity;
use memory::{Memory, model};

/// All that a solver can ask for.
const NEEDS: &[Quantity] = &[
    Quantity::UpperValue,
    Quantity::UpperGradients,
    Quantity::LowerValue,
    Quantity::LowerGradients,
    Quantity::LowerHessian,
    Quantity::LowerSecondOrder,
];

const COMMUTATIVE: &[&str] = &["add", "mul", "eq", "ne", "and", "or"];

/// The printed graph of a model with nodes named by what they are: equal expressions have equal numbers across models.
/// Operands of commutative operators, and the terms of a sum of sums, stand in the order of these numbers.
#[derive(Default)]
struct Names {
    numbers: BTreeMap<String, usize>,
    /// The terms of sums.
    terms: BTreeMap<usize, Vec<usize>>,
}

impl Names {
    /// The lines of a graph, each with its node's new name, and the roots.
    fn canonical(&mut self, text: &str) -> (Vec<String>, Vec<String>) {
        let (mut lines, mut roots) = (Vec::new(), Vec::new());
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for line in text.lines() {
            let (name, rest) = line.split_once(" = ").unwrap();
            let Some(name) = name.strip_prefix('%') else {
                roots.push(format!("{name} = %{}", names[rest.strip_prefix('%').unwrap()]));
                continue;
            };
            let key = self.renamed(rest, &names);
            let fresh = self.numbers.len();
            let number = *self.numbers.entry(key.clone()).or_insert(fresh);
            if let Some(operands) = key.strip_prefix("add(").and_then(|k| k.split_once(')')) {
                let terms = operands.0.split(", ").map(|o| o.strip_prefix('%').unwrap().parse().unwrap());
                self.terms.insert(number, terms.collect());
            }
            names.insert(name.to_owned(), number);
            lines.push(format!("%{number} = {key}"));
        }
        lines.sort();
        (lines, roots)
    }

    /// An application with its operands under their new names.
    fn renamed(&self, application: &str, names: &BTreeMap<String, usize>) -> String {
        let Some((op, rest)) = application.split_once('(').filter(|(op, _)| !op.contains(' ')) else {
            return application.to_owned();
        };
        let (operands, rest) = rest.split_once(')').unwrap();
        let operand = |o: &str| names[o.trim().strip_prefix('%').unwrap()];
        let mut operands: Vec<usize> =
            if operands.is_empty() { Vec::new() } else { operands.split(',').map(operand).collect() };
        if op == "add" {
            let terms = |o: &usize| self.terms.get(o).cloned().unwrap_or_else(|| vec![*o]);
            operands = operands.iter().flat_map(terms).collect();
        }
        if COMMUTATIVE.contains(&op) {
            operands.sort_unstable();
        }
        let operands: Vec<String> = operands.iter().map(|o| format!("%{o}")).collect();
        format!("{op}({}){rest}", operands.join(", "))
    }
}

fn graph(folder: &Path, file: &str) -> String {
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let mut model = model(&text, Memory::default());
    emit(&mut model, NEEDS, Stage::Graph).unwrap_or_else(|d| panic!("{file}: {d:#?}"))
}

#[test]
fn both_forms_are_one_graph() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/pairs");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .filter_map(|e| Some(e.unwrap().file_name().to_str()?.strip_suffix(".comprehension.blo")?.to_owned()))
        .collect();
    names.sort();
    assert!(names.len() >= 12, "only {} pairs", names.len());
    let mut wrong = String::new();
    for name in names {
        let mut known = Names::default();
        let (left, left_roots) = known.canonical(&graph(&folder, &format!("{name}.comprehension.blo")));
        let (right, right_roots) = known.canonical(&graph(&folder, &format!("{name}.array.blo")));
        if left_roots == right_roots {
            continue;
        }
        let only = |a: &[String], b: &[String]| -> String {
            a.iter().filter(|line| !b.contains(line)).map(|line| format!("    {line}\n")).collect()
        };
        wrong += &format!(
            "{name}\n  only with indices:\n{}  only with arrays:\n{}",
            only(&left, &right),
            only(&right, &left)
        );
    }
    assert!(wrong.is_empty(), "{wrong}");
}
