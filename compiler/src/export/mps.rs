//! Free MPS with a quadratic objective (`QUADOBJ`) and special ordered sets.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Linear;

/// Writes the program. MPS minimises; an objective that is maximised is negated.
pub fn write(program: &Linear) -> String {
    let mut out = String::from("NAME blo\nROWS\n N obj\n");
    for (row, _, equal) in &program.rows {
        let _ = writeln!(out, " {} {row}", if *equal { "E" } else { "L" });
    }
    out.push_str("COLUMNS\n");
    let mut entries: BTreeMap<usize, Vec<(&str, f64)>> = BTreeMap::new();
    for (&k, &factor) in &program.objective.linear {
        entries.entry(k).or_default().push(("obj", factor));
    }
    for (row, body, _) in &program.rows {
        for (&k, &factor) in &body.linear {
            entries.entry(k).or_default().push((row, factor));
        }
    }
    let mut integers = false;
    for (k, column) in program.columns.iter().enumerate() {
        if column.integer != integers {
            integers = column.integer;
            let word = if integers { "INTORG" } else { "INTEND" };
            let _ = writeln!(out, " MARKER{k} 'MARKER' '{word}'");
        }
        // A column is known by its entries.
        let none = vec![("obj", 0.0)];
        for (row, factor) in entries.get(&k).unwrap_or(&none) {
            let _ = writeln!(out, " {} {row} {factor}", column.name);
        }
    }
    if integers {
        out.push_str(" MARKERLAST 'MARKER' 'INTEND'\n");
    }
    out.push_str("RHS\n");
    if program.objective.constant != 0.0 {
        // The right-hand side of the objective is subtracted from it.
        let _ = writeln!(out, " RHS obj {}", -program.objective.constant);
    }
    for (row, body, _) in program.rows.iter().filter(|(_, body, _)| body.constant != 0.0) {
        let _ = writeln!(out, " RHS {row} {}", -body.constant);
    }
    out.push_str("BOUNDS\n");
    for column in &program.columns {
        let (lo, hi, name) = (column.lo, column.hi, &column.name);
        let _ = match (lo.is_finite(), hi.is_finite()) {
            (false, false) => writeln!(out, " FR BND {name}"),
            (true, false) => writeln!(out, " LO BND {name} {lo}\n PL BND {name}"),
            (false, true) => writeln!(out, " MI BND {name}\n UP BND {name} {hi}"),
            (true, true) => writeln!(out, " LO BND {name} {lo}\n UP BND {name} {hi}"),
        };
    }
    // Sets go before the quadratic part: some readers take them in this order alone.
    if !program.sets.is_empty() {
        out.push_str("SOS\n");
        for (set, pair) in &program.sets {
            let _ = writeln!(out, " S1 {set}");
            for (k, &column) in pair.iter().enumerate() {
                let _ = writeln!(out, " {} {}", program.columns[column].name, k + 1);
            }
        }
    }
    if !program.objective.quadratic.is_empty() {
        out.push_str("QUADOBJ\n");
        for (&(i, j), factor) in &program.objective.quadratic {
            // The lower triangle of the Hessian.
            let entry = if i == j { 2.0 * factor } else { *factor };
            let _ = writeln!(out, " {} {} {entry}", program.columns[i].name, program.columns[j].name);
        }
    }
    out.push_str("ENDATA\n");
    out
}
