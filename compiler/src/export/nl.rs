//! AMPL's `.nl`, text form.
//!
//! Source: D. M. Gay, "Writing .nl files", technical report, Sandia National Laboratories (2005).

use std::fmt::Write as _;
use std::rc::Rc;

use blo_grammar::diagnostic::Diagnostic;

use super::Program;
use super::polynomial::{Polynomial, polynomial};
use crate::ir::scalar::Scalar;

/// A row or objective: what is not affine, and the affine rest.
struct Body {
    nonlinear: Option<Rc<Scalar>>,
    linear: Polynomial,
    /// The variables that occur.
    used: Vec<usize>,
    equal: bool,
}

impl Body {
    fn new(body: &Rc<Scalar>, equal: bool) -> Body {
        let mut used = Vec::new();
        variables(body, &mut used);
        used.sort_unstable();
        used.dedup();
        match polynomial(body).filter(Polynomial::is_affine) {
            Some(linear) => Body { nonlinear: None, linear, used, equal },
            None => {
                let linear = Polynomial::default();
                Body { nonlinear: Some(body.clone()), linear, used, equal }
            }
        }
    }
}

/// Writes the program.
///
/// Errors: a function without an operator in the format.
pub fn write(program: &Program) -> Result<String, Vec<Diagnostic>> {
    let mut bodies: Vec<Body> = program.rows.iter().map(|row| Body::new(&row.body, row.equal)).collect();
    for pair in &program.pairs {
        // A product of two factors that are at least 0 is 0 when it is at most 0, which leaves solvers some room.
        let multiplier = Rc::new(Scalar::Variable(pair.multiplier));
        let product = Rc::new(Scalar::Binary("mul", multiplier, pair.distance.clone()));
        bodies.push(Body::new(&product, false));
    }
    // Nonlinear rows come first, integer variables last.
    bodies.sort_by_key(|body| body.nonlinear.is_none());
    let objective = Body::new(&program.objective, false);
    let mut order: Vec<usize> = (0..program.columns.len()).collect();
    order.sort_by_key(|&k| program.columns[k].integer);
    let mut place = vec![0; order.len()];
    for (new, &old) in order.iter().enumerate() {
        place[old] = new;
    }
    let mut out = header(program, &bodies, &objective);
    for (k, body) in bodies.iter().enumerate() {
        let _ = writeln!(out, "C{k}");
        expression(body.nonlinear.as_deref().unwrap_or(&Scalar::Constant(0.0)), &place, &mut out)
            .map_err(|name| unknown(name, program))?;
    }
    // The objective is always minimised; the sense of the model is in its sign.
    let _ = writeln!(out, "O0 0");
    let constant = Scalar::Constant(objective.linear.constant);
    expression(objective.nonlinear.as_deref().unwrap_or(&constant), &place, &mut out)
        .map_err(|name| unknown(name, program))?;
    let _ = writeln!(out, "x{}", order.len());
    for (new, &old) in order.iter().enumerate() {
        let _ = writeln!(out, "{new} {}", program.columns[old].start);
    }
    let _ = writeln!(out, "r");
    for body in &bodies {
        let zero = 0.0 - body.linear.constant;
        let kind = if body.equal { 4 } else { 1 };
        let _ = writeln!(out, "{kind} {zero}");
    }
    let _ = writeln!(out, "b");
    for &old in &order {
        let (lo, hi) = (program.columns[old].lo, program.columns[old].hi);
        let _ = match (lo.is_finite(), hi.is_finite()) {
            (true, true) if lo == hi => writeln!(out, "4 {lo}"),
            (true, true) => writeln!(out, "0 {lo} {hi}"),
            (false, true) => writeln!(out, "1 {hi}"),
            (true, false) => writeln!(out, "2 {lo}"),
            (false, false) => writeln!(out, "3"),
        };
    }
    jacobian(&bodies, &objective, &place, &mut out);
    Ok(out)
}

fn header(program: &Program, bodies: &[Body], objective: &Body) -> String {
    let n = program.columns.len();
    let integers = program.columns.iter().filter(|column| column.integer).count();
    let equations = bodies.iter().filter(|body| body.equal).count();
    let rows = bodies.iter().filter(|body| body.nonlinear.is_some()).count();
    let objectives = usize::from(objective.nonlinear.is_some());
    // Every variable counts as nonlinear wherever there is anything nonlinear: a longer derivation, never a wrong one.
    let in_rows = if rows > 0 { n } else { 0 };
    let in_objective = if objectives > 0 { n } else { 0 };
    let both = in_rows.min(in_objective);
    let discrete = match (in_rows > 0, in_objective > 0) {
        (true, true) => [0, integers, 0, 0],
        (true, false) => [0, 0, integers, 0],
        (false, true) => [0, 0, 0, integers],
        (false, false) => [integers, 0, 0, 0],
    };
    let [linear, both_integer, rows_integer, objective_integer] = discrete;
    let nonzeros: usize = bodies.iter().map(|body| body.used.len()).sum();
    format!(
        "g3 1 1 0\n {n} {} 1 0 {equations}\n {rows} {objectives}\n 0 0\n {in_rows} {in_objective} {both}\n 0 0 0 1\n 0 {linear} \
         {both_integer} {rows_integer} {objective_integer}\n {nonzeros} {}\n 0 0\n 0 0 0 0 0\n",
        bodies.len(),
        objective.used.len(),
    )
}

/// The places of the Jacobian and the gradient with their affine parts.
fn jacobian(bodies: &[Body], objective: &Body, place: &[usize], out: &mut String) {
    let n = place.len();
    let mut counts = vec![0; n];
    for body in bodies {
        for &old in &body.used {
            counts[place[old]] += 1;
        }
    }
    let _ = writeln!(out, "k{}", n.saturating_sub(1));
    let mut total = 0;
    for count in counts.iter().take(n.saturating_sub(1)) {
        total += count;
        let _ = writeln!(out, "{total}");
    }
    let heads = (0..bodies.len()).map(|k| format!("J{k}"));
    let bodies = bodies.iter().zip(heads).chain(std::iter::once((objective, "G0".to_owned())));
    for (body, head) in bodies.filter(|(body, _)| !body.used.is_empty()) {
        let _ = writeln!(out, "{head} {}", body.used.len());
        let mut entries: Vec<(usize, f64)> = body
            .used
            .iter()
            .map(|old| (place[*old], body.linear.linear.get(old).copied().unwrap_or(0.0)))
            .collect();
        entries.sort_by_key(|(new, _)| *new);
        for (new, factor) in entries {
            let _ = writeln!(out, "{new} {factor}");
        }
    }
}

fn variables(scalar: &Scalar, used: &mut Vec<usize>) {
    match scalar {
        Scalar::Constant(_) => {}
        Scalar::Variable(place) => used.push(*place),
        Scalar::Unary(_, x) => variables(x, used),
        Scalar::Binary(_, a, b) => {
            variables(a, used);
            variables(b, used);
        }
        Scalar::Sum(parts) | Scalar::Extreme(_, parts) => parts.iter().for_each(|part| variables(part, used)),
        Scalar::If(c, a, b) => [c, a, b].into_iter().for_each(|part| variables(part, used)),
    }
}

/// An expression in prefix form; the name of a function that the format does not have.
fn expression(scalar: &Scalar, place: &[usize], out: &mut String) -> Result<(), &'static str> {
    let mut operator = |code: usize| {
        let _ = writeln!(out, "o{code}");
    };
    match scalar {
        Scalar::Constant(value) => {
            let _ = writeln!(out, "n{value}");
        }
        Scalar::Variable(old) => {
            let _ = writeln!(out, "v{}", place[*old]);
        }
        Scalar::Sum(parts) if parts.len() == 2 => {
            operator(0);
            expression(&parts[0], place, out)?;
            expression(&parts[1], place, out)?;
        }
        Scalar::Sum(parts) => {
            operator(54);
            several(parts, place, out)?;
        }
        Scalar::Extreme(name, parts) => {
            operator(if *name == "max" { 12 } else { 11 });
            several(parts, place, out)?;
        }
        Scalar::If(condition, a, b) => {
            operator(35);
            expression(condition, place, out)?;
            expression(a, place, out)?;
            expression(b, place, out)?;
        }
        Scalar::Unary(name, x) => {
            operator(match *name {
                "neg" => 16,
                "abs" => 15,
                "floor" => 13,
                "not" => 34,
                "tanh" => 37,
                "tan" => 38,
                "sqrt" => 39,
                "sinh" => 40,
                "sin" => 41,
                "log" => 43,
                "exp" => 44,
                "cosh" => 45,
                "cos" => 46,
                "atan" => 49,
                "asin" => 51,
                "acos" => 53,
                name => return Err(name),
            });
            expression(x, place, out)?;
        }
        Scalar::Binary(name, a, b) => {
            operator(match *name {
                "sub" => 1,
                "mul" => 2,
                "div" => 3,
                "pow" => 5,
                "or" => 20,
                "and" => 21,
                "lt" => 22,
                "le" => 23,
                "eq" => 24,
                "ne" => 30,
                name => return Err(name),
            });
            expression(a, place, out)?;
            expression(b, place, out)?;
        }
    }
    Ok(())
}

fn several(parts: &[Rc<Scalar>], place: &[usize], out: &mut String) -> Result<(), &'static str> {
    let _ = writeln!(out, "{}", parts.len());
    parts.iter().try_for_each(|part| expression(part, place, out))
}

fn unknown(name: &str, program: &Program) -> Vec<Diagnostic> {
    let message = format!("`{name}` has no counterpart in an `.nl` file");
    vec![Diagnostic::error("E0406", message, program.objective_span, "the model uses it")]
}
