//! The pipeline behind a checked model: derive what the solver needs, lower it, compile it, and lay out the problem.

use blo_grammar::diagnostic::Diagnostic;
use blo_runtime::derivatives::Quantity;
use blo_runtime::problem::Problem;
use blo_runtime::space::Space;

use crate::check::print::print_model;
use crate::codegen;
use crate::derive::entries;
use crate::entry::{Entry, Layout};
use crate::instantiate::space;
use crate::ir::graph::NodeId;
use crate::ir::loops::Loops;
use crate::ir::print::print;
use crate::lower::lower;
use crate::model::{Model, Precision};
use crate::passes::simplify::simplify;
use crate::solution::data_bindings;

/// Compiles `needs` of a model whose data is bound, and lays its variables out from their starts. `seed` decides random starts.
///
/// Errors: an objective that cannot be differentiated, an empty domain, a start that is not finite.
pub fn compile(model: &mut Model, needs: &[Quantity], seed: u64) -> Result<Problem, Vec<Diagnostic>> {
    let data = data_bindings(model);
    let upper = space(&model.graph, &model.upper, &data, seed)?;
    let lower = match &model.lower {
        Some(level) => space(&model.graph, level, &data, seed)?,
        None => Space::default(),
    };
    simplify_expects(model);
    let loops = loops(model, needs)?;
    let program = codegen::jit(&loops, &data).map_err(|e| {
        vec![Diagnostic::error("E0405", "the model cannot be compiled", model.upper.span, e.to_string())]
    })?;
    let mut problem = Problem::new(Box::new(program), upper, lower);
    let sign = |maximize: bool| if maximize { -1.0 } else { 1.0 };
    problem.upper_sign = sign(model.upper.maximize);
    problem.lower_sign = model.lower.as_ref().map_or(1.0, |l| sign(l.maximize));
    problem.has_lower = model.lower.is_some();
    problem.asks = model.asks().into_iter().map(|(feature, _)| feature).collect();
    problem.report_names = model.reports.iter().map(|r| r.name.clone()).collect();
    if model.precision == Precision::F32 {
        problem.roundoff = f64::from(f32::EPSILON);
    }
    Ok(problem)
}

/// Brings the `expect` lines, which the evaluator reads, into simplest form: the rewrites that keep `log(sum(exp(z)))` and its
/// like from overflowing are for them too.
fn simplify_expects(model: &mut Model) {
    let written: Vec<NodeId> = model.expects.iter().map(|e| e.node).collect();
    let simplest = simplify(&mut model.graph, &written);
    for (expect, node) in model.expects.iter_mut().zip(simplest) {
        expect.node = node;
    }
}

/// A stage of the compiler, as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Names, types, shapes and levels.
    Model,
    /// The derived and simplified graph of every entry.
    Graph,
    /// Buffers, fused loops and steps.
    Loops,
    /// Cranelift's intermediate code of every kernel.
    Clif,
}

/// Prints a stage of the entries for `needs`. No data is read, only shapes.
///
/// Errors: as [`compile`], those of the derivatives.
pub fn emit(model: &mut Model, needs: &[Quantity], stage: Stage) -> Result<String, Vec<Diagnostic>> {
    Ok(match stage {
        Stage::Model => print_model(model),
        Stage::Graph => graph_text(model, needs)?,
        Stage::Loops => loops(model, needs)?.to_string(),
        Stage::Clif => codegen::clif_text(&loops(model, needs)?),
    })
}

/// The graph of every entry, its roots named `quantity.output`.
fn graph_text(model: &mut Model, needs: &[Quantity]) -> Result<String, Vec<Diagnostic>> {
    let (_, entries) = entries(model, needs)?;
    let mut roots = Vec::new();
    for Entry { quantity, outputs } in &entries {
        for (k, node) in outputs.iter().enumerate().flat_map(|(k, nodes)| nodes.iter().map(move |n| (k, *n)))
        {
            roots.push((format!("{}.{k}", quantity.name()), node));
        }
    }
    let roots: Vec<(&str, NodeId)> = roots.iter().map(|(name, node)| (name.as_str(), *node)).collect();
    Ok(print(&model.graph, &roots))
}

fn loops(model: &mut Model, needs: &[Quantity]) -> Result<Loops, Vec<Diagnostic>> {
    let (layout, entries): (Layout, Vec<Entry>) = entries(model, needs)?;
    Ok(lower(&mut model.graph, &layout, &entries, model.precision))
}
