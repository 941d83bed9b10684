//! The pipeline behind a checked model: derive what the solver needs, lower it, compile it, and lay out the problem.

use blo_grammar::diagnostic::Diagnostic;
use blo_runtime::chunks::Chunks;
use blo_runtime::constrained::cuts::{self, Cuts};
use blo_runtime::constrained::nlp::{NEEDS, Nlp};
use blo_runtime::constrained::tree::value::VARIABLES;
use blo_runtime::constrained::{Constrained, Follower, NamedRows, Pair, Row};
use blo_runtime::derivatives::Quantity;
use blo_runtime::problem::{Problem, Slope};
use blo_runtime::program::Program as Machine;
use blo_runtime::proximal::Proximal;
use blo_runtime::samples::Samples;
use blo_runtime::space::Space;

use crate::check::print::print_model;
use crate::chunk::Chunked;
use crate::codegen;
use crate::convexity::{lower_is_convex, lower_is_convex_between_whole_numbers};
use crate::derive::entries;
use crate::entry::{Entry, Layout};
use crate::estimate::{Estimates, estimates};
use crate::instantiate::space;
use crate::ir::eval::Bindings;
use crate::ir::graph::NodeId;
use crate::ir::loops::Loops;
use crate::ir::print::print;
use crate::lower::lower;
use crate::model::{Model, Precision, Side};
use crate::passes::proximal::{Split, split};
use crate::passes::simplify::simplify;
use crate::reformulate::Program;
use crate::reformulate::degree::degrees;
use crate::reformulate::enclosure::enclosure;
use crate::reformulate::kkt::{BoundParts, Parts, SingleLevel, single_level, value};
use crate::reformulate::terms::written;
use crate::session::{Observer, Phase, Surroundings, Unobserved};
use crate::solution::data_bindings;

/// Compiles `needs` of a model whose data is bound, and lays its variables out from their starts. `seed` decides random starts.
///
/// Errors: an objective that cannot be differentiated, an empty domain, a start that is not finite.
pub fn compile(model: &mut Model, needs: &[Quantity], seed: u64) -> Result<Problem, Vec<Diagnostic>> {
    compile_in(model, needs, seed, Surroundings::none())
}

/// As [`compile`], with an observer of its phases and a cache for code.
///
/// Errors: as [`compile`].
pub fn compile_in(
    model: &mut Model,
    needs: &[Quantity],
    seed: u64,
    around: Surroundings<'_>,
) -> Result<Problem, Vec<Diagnostic>> {
    around.observer.begins(Phase::Check);
    let data = data_bindings(model);
    let upper = space(&model.graph, &model.upper, &data, seed)?;
    let lower = match &model.lower {
        Some(level) => space(&model.graph, level, &data, seed)?,
        None => Space::default(),
    };
    around.observer.begins(Phase::Optimise);
    simplify_expects(model);
    let (loops, proximal) = loops(model, needs, &data, around.observer)?;
    let program = jit(model, &loops, &data, around)?;
    let mut problem = Problem::new(Box::new(program), upper, lower);
    let sign = |maximize: bool| if maximize { -1.0 } else { 1.0 };
    problem.upper_sign = sign(model.upper.maximize);
    problem.lower_sign = model.lower.as_ref().map_or(1.0, |l| sign(l.maximize));
    problem.proximal = proximal.map(Box::new);
    problem.has_lower = model.lower.is_some();
    problem.asks = model.asks().into_iter().map(|(feature, _)| feature).collect();
    problem.report_names = model.reports.iter().map(|r| r.name.clone()).collect();
    problem.slopes =
        model.slopes.iter().map(|s| Slope { name: s.name.clone(), of: s.of, by: s.by }).collect();
    if model.precision == Precision::F32 {
        problem.roundoff = f64::from(f32::EPSILON);
    }
    Ok(problem)
}

/// What a stochastic method evaluates on batches.
#[derive(Clone, Debug)]
pub struct Sampling {
    /// At most so many terms of a sampled sum are in a batch.
    pub batch: usize,
    /// The quantities.
    pub needs: Vec<Quantity>,
}

/// As [`compile_sampled_in`], alone.
///
/// Errors: as [`compile`].
pub fn compile_sampled(
    model: &mut Model,
    needs: &[Quantity],
    sampling: &Sampling,
    seed: u64,
) -> Result<Problem, Vec<Diagnostic>> {
    compile_sampled_in(model, needs, sampling, seed, Surroundings::none())
}

/// As [`compile_in`], with a second program for the objectives estimated on batches, where the model marks sums that may be sampled.
///
/// Errors: as [`compile`].
pub fn compile_sampled_in(
    model: &mut Model,
    needs: &[Quantity],
    sampling: &Sampling,
    seed: u64,
    around: Surroundings<'_>,
) -> Result<Problem, Vec<Diagnostic>> {
    let estimates = estimates(model, sampling.batch);
    let mut problem = compile_in(model, needs, seed, around)?;
    let Some(Estimates { mut model, inputs, sizes, batches }) = estimates else { return Ok(problem) };
    let data = data_bindings(&model);
    let (mut layout, entries) = entries(&mut model, &sampling.needs, &data, around.observer)?;
    layout.batches = inputs;
    around.observer.begins(Phase::Lower);
    let loops = lower(&mut model.graph, &layout, &entries, model.precision);
    let program = jit(&model, &loops, &data, around)?;
    problem.samples = Some(Samples::new(Box::new(program), sizes, batches));
    Ok(problem)
}

/// The program for any number of samples, with these quantities; see [`crate::chunk::chunked`].
///
/// Errors: as [`compile`].
pub fn compile_chunks_in(
    chunked: Chunked,
    needs: &[Quantity],
    around: Surroundings<'_>,
) -> Result<Chunks, Vec<Diagnostic>> {
    let Chunked { mut model, inputs, sums, dims, reports } = chunked;
    let data = data_bindings(&model);
    let (mut layout, entries) = entries(&mut model, needs, &data, around.observer)?;
    layout.batches = inputs;
    around.observer.begins(Phase::Lower);
    let loops = lower(&mut model.graph, &layout, &entries, model.precision);
    let program = jit(&model, &loops, &data, around)?;
    Ok(Chunks { program: Box::new(program), dims, sums, reports })
}

/// As [`compile_single_level_in`], alone.
///
/// Errors: as [`compile_single_level_in`].
pub fn compile_single_level(
    model: &mut Model,
    needs: &[Quantity],
    seed: u64,
) -> Result<Problem, Vec<Diagnostic>> {
    compile_single_level_in(model, needs, seed, Surroundings::none())
}

/// As [`compile_in`], for a method that works on the single-level form: the problem holds that form as well, and its lower vector
/// the multipliers that the model reads.
///
/// Errors: as [`compile`], and a follower that cannot be differentiated.
pub fn compile_single_level_in(
    model: &mut Model,
    needs: &[Quantity],
    seed: u64,
    around: Surroundings<'_>,
) -> Result<Problem, Vec<Diagnostic>> {
    around.observer.begins(Phase::Differentiate);
    let form = single_level(model)?;
    let data = data_bindings(model);
    let mut problem = compile_in(model, needs, seed, around)?;
    problem.lower_convex = lower_is_convex(model);
    let convex = problem.lower_convex || lower_is_convex_between_whole_numbers(model);
    let single_degrees = degrees(&form.program, &data);
    let few = problem.upper.len() + problem.lower.len() <= VARIABLES;
    let (terms, sides) = written(model, &form, &single_degrees, &data, (problem.lower_convex, few));
    let SingleLevel { program, upper_rows, constraints, bounds, duals, follower } = form;
    let (single, space) = nlp(program, &data, seed, around)?;
    let place = |var: usize, e: usize| space.blocks()[var].offset + e;
    let elements = |var: usize| 0..space.blocks()[var].len;
    let mut rows = Vec::new();
    let mut pairs = Vec::new();
    for Parts { multiplier, slack } in constraints {
        for e in elements(multiplier) {
            let row = Row { multiplier: place(multiplier, e), slack: slack.map(|s| place(s, e)) };
            let pair = |variable| Pair { multiplier: row.multiplier, variable, high: false };
            pairs.extend(row.slack.map(pair));
            rows.push(row);
        }
    }
    for BoundParts { multiplier, variable, high } in bounds {
        for e in elements(variable) {
            let variable = place(variable, e);
            let bound = if high { single.hi[variable] } else { single.lo[variable] };
            if bound.is_finite() {
                pairs.push(Pair { multiplier: place(multiplier, e), variable, high });
            }
        }
    }
    let duals: Vec<usize> = duals
        .iter()
        .flat_map(|&var| elements(var).map(move |e| (var, e)))
        .map(|(var, e)| place(var, e))
        .collect();
    let follower = match follower {
        Some(program) => {
            let quadratic = convex && degrees(&program, &data).is_quadratic_program();
            let enclosure = if convex && sides.is_none() { None } else { enclosure(&program, &data) };
            let integers = model.lower.iter().flat_map(|lower| &lower.vars);
            let integers = integers.flat_map(|var| vec![var.integer; var.ty.len()]).enumerate();
            let whole = integers.filter(|(_, integer)| *integer).map(|(place, _)| place).collect();
            let nlp = nlp(program, &data, seed, around)?.0;
            Some(Follower { nlp, rows, quadratic, convex: problem.lower_convex, whole, enclosure })
        }
        None => None,
    };
    let lens = (problem.upper.len(), problem.lower.len() - duals.len());
    let vars = model.upper.vars.iter().chain(model.lower.iter().flat_map(|level| &level.vars));
    let integers = vars.flat_map(|var| vec![var.integer; var.ty.len()]).enumerate();
    let whole = integers.filter(|(_, integer)| *integer).map(|(place, _)| place).collect();
    let few = lens.0 + lens.1 <= cuts::VARIABLES && !convex;
    let cuts = match value(model).filter(|_| few) {
        Some(program) => Some(Cuts { value: nlp(program, &data, seed, around)?.0, branches: Vec::new() }),
        None => None,
    };
    let (found, proof) = (None, None);
    let names = named_rows(model);
    problem.constrained = Some(Box::new(Constrained {
        single,
        upper_rows,
        lens,
        duals,
        pairs,
        follower,
        found,
        cuts,
        names,
        degrees: single_degrees,
        whole,
        pessimistic: model.lower.as_ref().is_some_and(|lower| lower.pessimistic.is_some()),
        terms,
        sides,
        proof,
    }));
    Ok(problem)
}

/// The constraints of both levels that have names, and where their rows are.
fn named_rows(model: &Model) -> Vec<NamedRows> {
    let mut all = Vec::new();
    let levels = std::iter::once((&model.upper, true)).chain(model.lower.iter().map(|level| (level, false)));
    for (level, upper) in levels {
        let mut first = 0;
        for constraint in &level.constraints {
            let shape = model.graph.shape(constraint.residual).clone();
            let len: usize = shape.iter().product();
            let low = constraint.side == Side::Low;
            all.extend(constraint.name.clone().map(|name| NamedRows {
                name,
                upper,
                first,
                shape: shape.to_vec(),
                low,
            }));
            first += len;
        }
    }
    all
}

/// A program with rows as machine code, in double precision whatever the model's, with the space of its variables.
fn nlp(
    program: Program,
    data: &Bindings,
    seed: u64,
    around: Surroundings<'_>,
) -> Result<(Nlp, Space), Vec<Diagnostic>> {
    let Program { mut model, equal, .. } = program;
    model.precision = Precision::F64;
    let Some(lower) = &model.lower else { crate::bug!("a program without variables") };
    let space = space(&model.graph, lower, data, seed)?;
    let weights: usize = model.upper.vars.iter().map(|var| var.ty.len()).sum();
    let parameters = weights - equal.len();
    let (loops, _) = loops(&mut model, &NEEDS, data, around.observer)?;
    let compiled = jit(&model, &loops, data, around)?;
    Ok((Nlp::new(Box::new(compiled), &space, equal, parameters), space))
}

fn jit(
    model: &Model,
    loops: &Loops,
    data: &Bindings,
    around: Surroundings<'_>,
) -> Result<Machine, Vec<Diagnostic>> {
    codegen::jit_in(loops, data, around).map_err(|e| {
        vec![Diagnostic::error("E0405", "the model cannot be compiled", model.upper.span, e.to_string())]
    })
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

/// What is nonsmooth in the lower objective, where there is a lower level: the terms that methods with proximal steps treat as such,
/// and the rest.
pub fn proximal(model: &Model) -> Option<Split> {
    let level = model.lower.as_ref()?;
    Some(split(&mut model.graph.clone(), level, &data_bindings(model)))
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

/// Prints a stage of the entries for `needs`. Of the data only shapes are read, and the indices of nonsmooth terms.
///
/// Errors: as [`compile`], those of the derivatives.
pub fn emit(model: &mut Model, needs: &[Quantity], stage: Stage) -> Result<String, Vec<Diagnostic>> {
    Ok(match stage {
        Stage::Model => print_model(model),
        Stage::Graph => graph_text(model, needs)?,
        Stage::Loops => loops(model, needs, &data_bindings(model), &Unobserved)?.0.to_string(),
        Stage::Clif => codegen::clif_text(&loops(model, needs, &data_bindings(model), &Unobserved)?.0),
    })
}

/// As [`emit`], of the single-level form.
pub fn emit_single_level(model: &Model, stage: Stage) -> Result<String, Vec<Diagnostic>> {
    let mut form = single_level(model)?.program.model;
    form.precision = Precision::F64;
    emit(&mut form, &NEEDS, stage)
}

/// The graph of every entry, its roots named `quantity.output`.
fn graph_text(model: &mut Model, needs: &[Quantity]) -> Result<String, Vec<Diagnostic>> {
    let data = data_bindings(model);
    let (_, entries) = entries(model, needs, &data, &Unobserved)?;
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

/// The loops of the entries for `needs`, and what the weights of the lower level's proximal part are weights of.
pub(crate) fn loops(
    model: &mut Model,
    needs: &[Quantity],
    data: &Bindings,
    observer: &dyn Observer,
) -> Result<(Loops, Option<Proximal>), Vec<Diagnostic>> {
    let (mut layout, entries): (Layout, Vec<Entry>) = entries(model, needs, data, observer)?;
    observer.begins(Phase::Lower);
    let proximal = layout.proximal.take();
    Ok((lower(&mut model.graph, &layout, &entries, model.precision), proximal))
}
