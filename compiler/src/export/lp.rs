//! The LP format of CPLEX, as most solvers of linear programs read it.

use std::fmt::Write as _;

use super::Linear;
use super::polynomial::Polynomial;

/// Writes the program.
pub fn write(program: &Linear) -> String {
    let name = |k: usize| program.columns[k].name.as_str();
    let mut out = String::from("\\ the single-level form of a bilevel model\n");
    // Negated back where the model maximises, so that objective values are the model's.
    let sign = if program.maximize { -1.0 } else { 1.0 };
    out.push_str(if program.maximize { "Maximize\n obj:" } else { "Minimize\n obj:" });
    terms(&program.objective, sign, &name, &mut out);
    if !program.objective.quadratic.is_empty() {
        // The format halves what stands in the brackets.
        out.push_str(" + [");
        for (&(i, j), factor) in &program.objective.quadratic {
            let factor = 2.0 * sign * factor;
            let _ = match i == j {
                true => write!(out, " {} {}^2", signed(factor), name(i)),
                false => write!(out, " {} {} * {}", signed(factor), name(i), name(j)),
            };
        }
        out.push_str(" ] / 2");
    }
    if program.objective.constant != 0.0 {
        let _ = write!(out, " {}", signed(sign * program.objective.constant));
    }
    out.push_str("\nSubject To\n");
    for (row, body, equal) in &program.rows {
        let _ = write!(out, " {row}:");
        terms(body, 1.0, &name, &mut out);
        let _ = writeln!(out, " {} {}", if *equal { "=" } else { "<=" }, 0.0 - body.constant);
    }
    out.push_str("Bounds\n");
    for column in &program.columns {
        let (lo, hi) = (column.lo, column.hi);
        let _ = match (lo.is_finite(), hi.is_finite()) {
            (false, false) => writeln!(out, " {} free", column.name),
            (true, false) => writeln!(out, " {} >= {lo}", column.name),
            (false, true) => writeln!(out, " -inf <= {} <= {hi}", column.name),
            (true, true) => writeln!(out, " {lo} <= {} <= {hi}", column.name),
        };
    }
    let integers: Vec<&str> =
        program.columns.iter().filter(|column| column.integer).map(|column| column.name.as_str()).collect();
    if !integers.is_empty() {
        let _ = writeln!(out, "General\n {}", integers.join(" "));
    }
    if !program.sets.is_empty() {
        out.push_str("SOS\n");
        for (set, [a, b]) in &program.sets {
            let _ = writeln!(out, " {set}: S1:: {}:1 {}:2", name(*a), name(*b));
        }
    }
    out.push_str("End\n");
    out
}

fn terms<'a>(body: &Polynomial, sign: f64, name: &dyn Fn(usize) -> &'a str, out: &mut String) {
    if body.linear.is_empty() {
        // An expression must name a variable.
        let _ = write!(out, " 0 {}", name(0));
    }
    for (&k, factor) in &body.linear {
        let _ = write!(out, " {} {}", signed(sign * factor), name(k));
    }
}

fn signed(value: f64) -> String {
    if value < 0.0 { format!("- {}", -value) } else { format!("+ {value}") }
}
