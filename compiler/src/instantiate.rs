//! From a model with bound data to the spaces a solver works in: bounds, radii and starting points as numbers.

use blo_grammar::diagnostic::Diagnostic;
use blo_runtime::space::{Block, Domain as Set, Space};

use crate::draws::Draw;
use crate::ir::eval::{Bindings, evaluate};
use crate::ir::graph::{Graph, NodeId};
use crate::model::{Domain, Init, Level, Var};

/// The space of one level, with the multipliers that the model reads of its constraints behind the variables. `seed` decides random starts, each variable having its own stream, so that adding a variable does
/// not change the start of another.
pub fn space(graph: &Graph, level: &Level, data: &Bindings, seed: u64) -> Result<Space, Vec<Diagnostic>> {
    let mut blocks = Vec::new();
    let mut diagnostics = Vec::new();
    for var in &level.vars {
        match block(graph, var, data, seed) {
            Ok(block) => blocks.push(block),
            Err(diagnostic) => diagnostics.push(*diagnostic),
        }
    }
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    for input in level.multipliers() {
        let input = graph.input_info(input);
        blocks.push(Block::new(&input.name, &input.ty.shape, Set::Free, vec![0.0; input.ty.len()]));
    }
    Space::new(blocks).map_err(|e| {
        vec![Diagnostic::error(
            "E0403",
            "the variables of this level cannot be laid out",
            level.span,
            e.to_string(),
        )]
    })
}

fn block(graph: &Graph, var: &Var, data: &Bindings, seed: u64) -> Result<Block, Box<Diagnostic>> {
    let numbers = |node: NodeId| values(graph, node, data, var);
    let domain = match &var.domain {
        Domain::Free => Set::Free,
        Domain::Interval(lo, hi) => interval(var, numbers(*lo)?, numbers(*hi)?)?,
        Domain::Simplex => Set::Simplex,
        Domain::Ball(radius) => {
            let radius = numbers(*radius)?[0];
            if radius.is_nan() || radius < 0.0 {
                let label = format!("its radius is {radius}");
                return Err(Box::new(Diagnostic::error(
                    "E0403",
                    "a ball needs a radius of at least 0",
                    var.span,
                    label,
                )));
            }
            Set::Ball(radius)
        }
    };
    let start = match &var.init {
        Init::Value(node) => numbers(*node)?,
        Init::Normal(mean, deviation) => draw(var, Draw::Normal(*mean, *deviation), seed),
        Init::Uniform(lo, hi) => draw(var, Draw::Uniform(*lo, *hi), seed),
    };
    if let Some(at) = start.iter().position(|v| !v.is_finite()) {
        let label = format!("element {at} of its start is {}", start[at]);
        return Err(Box::new(Diagnostic::error(
            "E0404",
            "a variable must start at finite numbers",
            var.span,
            label,
        )));
    }
    Ok(Block::new(var.name.clone(), &var.ty.shape, domain, start))
}

fn interval(var: &Var, lo: Vec<f64>, hi: Vec<f64>) -> Result<Set, Box<Diagnostic>> {
    let nowhere =
        |l: f64, h: f64| l.is_nan() || h.is_nan() || l > h || l == f64::INFINITY || h == f64::NEG_INFINITY;
    let empty = lo.iter().zip(&hi).position(|(l, h)| nowhere(*l, *h));
    if let Some(at) = empty {
        let label = format!("element {at} may lie in [{}, {}], which is empty", lo[at], hi[at]);
        let help = "the lower bound comes first: `in [lo, hi]`";
        return Err(Box::new(
            Diagnostic::error("E0403", format!("`{}` has nowhere to lie", var.name), var.span, label)
                .help(help),
        ));
    }
    Ok(Set::Interval { lo, hi })
}

fn draw(var: &Var, draw: Draw, seed: u64) -> Vec<f64> {
    draw.array(&var.ty.shape, seed, &var.name).into_iter().collect()
}

/// The values of a node that depends on data alone, repeated to the variable's shape when it is a scalar.
fn values(graph: &Graph, node: NodeId, data: &Bindings, var: &Var) -> Result<Vec<f64>, Box<Diagnostic>> {
    match evaluate(graph, &[node], data) {
        Ok(arrays) => {
            let array = &arrays[0];
            if array.len() == 1 {
                return Ok(vec![array.iter().copied().next().unwrap_or(0.0); var.ty.len().max(1)]);
            }
            Ok(array.iter().copied().collect())
        }
        Err(e) => Err(Box::new(Diagnostic::error(
            "E0405",
            format!("`{}` cannot be laid out", var.name),
            var.span,
            e.to_string(),
        ))),
    }
}
