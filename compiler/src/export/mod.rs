//! Models in the formats of other programs: AMPL's `.nl` for nonlinear solvers, and the LP and MPS formats for what is linear or
//! has a quadratic objective. What is written is the single-level form ([`crate::reformulate::stated`]).

mod lp;
mod mps;
mod nl;
mod polynomial;

use std::rc::Rc;

use crate::ir::scalar::{Expander, Scalar, Unwritable};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;
use polynomial::{Polynomial, polynomial};
use rustc_hash::FxHashMap;

use crate::ir::eval::{Array, Bindings, evaluate};
use crate::ir::graph::{Graph, NodeId};
use crate::model::{Domain, Init, Model, Relation, Var};
use crate::passes::simplify::simplify;
use crate::reformulate::stated::{Part, Stated, stated};
use crate::solution::data_bindings;

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// AMPL's text format of nonlinear programs. Complementarity is `product <= 0` of two factors that are at least 0.
    Nl,
    /// The LP format of CPLEX; complementarity as special ordered sets of type 1.
    Lp,
    /// Free MPS, likewise.
    Mps,
}

/// A variable of the program.
struct Column {
    name: String,
    lo: f64,
    hi: f64,
    integer: bool,
    start: f64,
}

/// A row that is not complementary: `body <= 0`, or `body == 0`.
struct Row {
    name: String,
    body: Rc<Scalar>,
    equal: bool,
    /// Where the constraint was written.
    span: Span,
}

/// Two factors that are at least 0, and whose product is 0.
struct Complementary {
    multiplier: usize,
    distance: Rc<Scalar>,
    name: String,
}

/// A program, number by number.
struct Program {
    columns: Vec<Column>,
    rows: Vec<Row>,
    pairs: Vec<Complementary>,
    /// To be minimised.
    objective: Rc<Scalar>,
    objective_span: Span,
    /// Whether the model says `maximize`.
    maximize: bool,
}

/// The single-level form of a model whose data are bound, in a format.
///
/// Errors: a lower level that cannot be differentiated, an operator that the format has no word for, or a row or objective of
/// a higher degree than it knows.
pub fn export(model: &Model, format: Format) -> Result<String, Vec<Diagnostic>> {
    let program = program(model)?;
    match format {
        Format::Nl => nl::write(&program),
        Format::Lp => Ok(lp::write(&linear(program, "LP")?)),
        Format::Mps => Ok(mps::write(&linear(program, "MPS")?)),
    }
}

fn program(model: &Model) -> Result<Program, Vec<Diagnostic>> {
    let Stated { mut model, parts, pairs } = stated(model)?;
    let data = data_bindings(&model);
    let level = model.upper.clone();
    let mut roots: Vec<NodeId> = vec![level.objective];
    roots.extend(level.constraints.iter().map(|constraint| constraint.residual));
    roots.extend(pairs.iter().map(|pair| pair.distance));
    let roots = simplify(&mut model.graph, &roots);
    let mut places = FxHashMap::default();
    let mut columns = Vec::new();
    for var in &level.vars {
        places.insert(var.input, columns.len());
        columns.extend(columns_of(&model.graph, var, &data));
    }
    let mut expander = Expander::new(&model.graph, &roots, places.clone(), &data);
    let mut expand = |node: NodeId, span: Span| {
        expander.elements(node).map_err(|Unwritable(name)| {
            let message = format!("`{name}` has no counterpart in other programs");
            let help = "write the model with sums, products, powers and elementary functions";
            vec![Diagnostic::error("E0406", message, span, "used here").help(help)]
        })
    };
    let objective = expand(roots[0], level.objective_span)?.swap_remove(0);
    let mut rows = Vec::new();
    for ((constraint, &node), &part) in level.constraints.iter().zip(&roots[1..]).zip(&parts) {
        if part == Part::Complementary {
            continue;
        }
        let name = constraint.name.clone().unwrap_or_else(|| format!("c{}", rows.len() + 1));
        let shape = model.graph.shape(node);
        for (k, body) in expand(node, constraint.span)?.into_iter().enumerate() {
            rows.push(Row {
                name: element_name(&name, shape, k),
                body,
                equal: constraint.relation == Relation::Equal,
                span: constraint.span,
            });
        }
    }
    let mut complementary = Vec::new();
    for (pair, &node) in pairs.iter().zip(&roots[1 + level.constraints.len()..]) {
        let var = &level.vars[pair.multiplier];
        let constraint = &level.constraints[pair.row];
        let name = constraint.name.clone().unwrap_or_default();
        for (k, distance) in expand(node, constraint.span)?.into_iter().enumerate() {
            // There is no multiplier for a bound that does not exist.
            if !distance.is_infinite() {
                complementary.push(Complementary {
                    multiplier: places[&var.input] + k,
                    distance,
                    name: element_name(&name, &var.ty.shape, k),
                });
            }
        }
    }
    let (objective_span, maximize) = (level.objective_span, level.maximize);
    Ok(Program { columns, rows, pairs: complementary, objective, objective_span, maximize })
}

/// `y_0_1`: brackets are not for every format.
fn element_name(name: &str, shape: &[usize], mut flat: usize) -> String {
    let mut places = Vec::new();
    for &size in shape.iter().rev() {
        places.push(flat % size);
        flat /= size;
    }
    places.iter().rev().fold(name.to_owned(), |name, place| format!("{name}_{place}"))
}

fn columns_of(graph: &Graph, var: &Var, data: &Bindings) -> Vec<Column> {
    let value = |node: NodeId| -> Option<Array> { evaluate(graph, &[node], data).ok()?.pop() };
    let bounds = match var.domain {
        Domain::Interval(lo, hi) => (value(lo), value(hi)),
        _ => (None, None),
    };
    let start = match var.init {
        Init::Value(node) => value(node),
        _ => None,
    };
    let at = |array: &Option<Array>, k: usize| array.as_ref().and_then(|array| array.iter().nth(k).copied());
    let column = |k: usize| Column {
        name: element_name(&var.name, &var.ty.shape, k),
        lo: at(&bounds.0, k).unwrap_or(f64::NEG_INFINITY),
        hi: at(&bounds.1, k).unwrap_or(f64::INFINITY),
        integer: var.integer,
        start: at(&start, k).unwrap_or(0.0),
    };
    (0..var.ty.len()).map(column).collect()
}

/// A program with affine rows and a quadratic objective.
struct Linear {
    columns: Vec<Column>,
    /// Name, body and whether it is an equality.
    rows: Vec<(String, Polynomial, bool)>,
    /// Sets of two variables of which one is 0.
    sets: Vec<(String, [usize; 2])>,
    objective: Polynomial,
    maximize: bool,
}

/// The program with slacks for what complements, if its degrees allow it.
fn linear(program: Program, format: &str) -> Result<Linear, Vec<Diagnostic>> {
    let Program { mut columns, rows, pairs, objective, objective_span, maximize } = program;
    let higher = |what: &str, span: Span| {
        let message = format!("the {format} format holds linear constraints and quadratic objectives");
        vec![
            Diagnostic::error("E0407", message, span, format!("this {what}"))
                .help("a file that ends in `.nl` holds any smooth model"),
        ]
    };
    let objective = polynomial(&objective).ok_or_else(|| higher("is of a higher degree", objective_span))?;
    let mut affine = Vec::new();
    for row in rows {
        match polynomial(&row.body).filter(Polynomial::is_affine) {
            Some(body) => affine.push((row.name, body, row.equal)),
            None => return Err(higher("is not linear in the variables of both levels together", row.span)),
        }
    }
    let mut sets = Vec::new();
    for Complementary { multiplier, distance, name } in pairs {
        // The rows are affine, so the distances are.
        let Some(mut body) = polynomial(&distance).filter(Polynomial::is_affine) else {
            return Err(higher("is not linear", objective_span));
        };
        let slack = columns.len();
        columns.push(Column {
            name: format!("s_{name}"),
            lo: 0.0,
            hi: f64::INFINITY,
            integer: false,
            start: 0.0,
        });
        body.linear.insert(slack, -1.0);
        affine.push((format!("d_{name}"), body, true));
        sets.push((name, [multiplier, slack]));
    }
    Ok(Linear { columns, rows: affine, sets, objective, maximize })
}
