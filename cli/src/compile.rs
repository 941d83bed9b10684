//! The one place where the command line starts the compiler's back end.

use blo_compiler::Sampling;
use blo_compiler::chunk::chunked;
use blo_compiler::model::Model;
use blo_compiler::session::Surroundings;
use blo_grammar::ast::Ast;
use blo_grammar::diagnostic::Diagnostic;
use blo_runtime::derivatives::Quantity;
use blo_runtime::problem::Problem;
use blo_runtime::solvers::{self, Levels};

use crate::args::Stage;
use crate::session::Plan;

/// The model as machine code, ready for the method of the plan.
pub fn problem(
    model: &mut Model,
    plan: &Plan,
    seed: u64,
    around: Surroundings<'_>,
) -> Result<Problem, Vec<Diagnostic>> {
    if around.keep.is_none() {
        return problem_with(model, plan, Vec::new(), seed, around);
    }
    // Callers of a compiled model may ask for more, and have another number of samples.
    let more = callable(model);
    let chunked = if plan.solver.levels.has_rows() { None } else { chunked(model) };
    let mut problem = problem_with(model, plan, more.clone(), seed, around)?;
    if let Some(chunked) = chunked.filter(|_| problem.proximal.is_none()) {
        let needs: Vec<Quantity> =
            solvers::needs(plan.solver, &plan.settings).into_iter().chain(more).collect();
        let proximal = [Quantity::SmoothGradient, Quantity::SmoothHessian, Quantity::ProximalWeights];
        let needs: Vec<Quantity> = needs.into_iter().filter(|q| !proximal.contains(q)).collect();
        problem.chunks = Some(Box::new(blo_compiler::compile_chunks_in(chunked, &needs, around)?));
    }
    Ok(problem)
}

/// As [`problem`], with more quantities than the method needs.
pub fn problem_with(
    model: &mut Model,
    plan: &Plan,
    more: Vec<Quantity>,
    seed: u64,
    around: Surroundings<'_>,
) -> Result<Problem, Vec<Diagnostic>> {
    let mut needs = solvers::needs(plan.solver, &plan.settings);
    needs.extend(more);
    needs.sort_unstable();
    needs.dedup();
    match plan.solver.levels {
        Levels::Two if solvers::batch(&plan.settings).is_some() => {
            let batch = solvers::batch(&plan.settings).unwrap_or(usize::MAX);
            let sampling = Sampling { batch, needs: (plan.solver.needs)(&plan.settings) };
            blo_compiler::compile_sampled_in(model, &needs, &sampling, seed, around)
        }
        Levels::One | Levels::Two => blo_compiler::compile_in(model, &needs, seed, around),
        Levels::Any | Levels::Rows => blo_compiler::compile_single_level_in(model, &needs, seed, around),
    }
}

/// What callers of a compiled model may ask for.
pub fn callable(model: &Model) -> Vec<Quantity> {
    let upper = [Quantity::UpperValue, Quantity::UpperGradients, Quantity::UpperSecondOrder];
    let lower = [
        Quantity::LowerValue,
        Quantity::LowerGradient,
        Quantity::LowerGradients,
        Quantity::LowerHessian,
        Quantity::LowerSecondOrder,
        Quantity::LowerCross,
    ];
    match model.lower {
        Some(_) => [&upper[..], &lower].concat(),
        None => upper[..2].to_vec(),
    }
}

/// The text of a stage after the syntax tree. The model itself needs no plan.
pub fn text(model: &mut Model, plan: Option<&Plan>, stage: Stage) -> Result<String, Vec<Diagnostic>> {
    let needs = plan.map_or_else(Vec::new, |plan| solvers::needs(plan.solver, &plan.settings));
    let stage = match stage {
        Stage::Ast | Stage::Model => blo_compiler::Stage::Model,
        Stage::Graph => blo_compiler::Stage::Graph,
        Stage::Loops => blo_compiler::Stage::Loops,
        Stage::Clif => blo_compiler::Stage::Clif,
    };
    match plan {
        Some(plan) if plan.solver.levels.has_rows() => blo_compiler::emit_single_level(model, stage),
        _ => blo_compiler::emit(model, &needs, stage),
    }
}

/// The syntax tree, printed as a model: what the parser understood.
pub fn syntax(ast: &Ast) -> String {
    blo_grammar::format::print(ast)
}
