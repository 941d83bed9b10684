//! Which data of a model may have other values in code that was compiled with these. Code reads data from memory, so most may; what
//! decided a size, a bound or what is known of the model may not.

use std::collections::BTreeSet;

use blo_runtime::frozen::data::{Datum, Element};
use blo_runtime::problem::Problem;

use crate::convexity::lower_is_convex;
use crate::ir::graph::{Attrs, InputId, NodeId};
use crate::model::{Data, Domain, Init, Model};
use crate::reformulate::degree::degrees;
use crate::reformulate::kkt::single_level;
use crate::solution::data_bindings;
use crate::types::Elem;

/// The data and parameters of a model that have a name. `rows`: whether it is compiled in its single-level form; `problem`: what it
/// was compiled to.
pub fn data(model: &Model, rows: bool, problem: &Problem) -> Vec<Datum> {
    let proximal = problem.proximal.is_some();
    let dims = || problem.chunks.iter().flat_map(|chunks| &chunks.dims);
    let sampled = |name: &str| dims().any(|dim| dim.data.iter().any(|(own, _)| own == name));
    let placed = placed(model);
    let rests = rows && rests_on_values(model);
    let why = |data: &Data, element: Elem| match () {
        () if data.matrix.is_some() => "its nonzeros are part of the code",
        () if data.decided => "a size, a range or other data were computed from them",
        () if placed.contains(&data.input) => "variables are bounded by them or start there",
        () if rests => "what is known of the model's curvature depends on them",
        () if proximal && element == Elem::Int => "they may say where the lower objective is not smooth",
        () => "",
    };
    let datum = |data: &Data| {
        let ty = &model.graph.input_info(data.input).ty;
        let element = match ty.elem {
            Elem::Real => Element::Real,
            Elem::Int => Element::Int,
            Elem::Bool => Element::Bool,
        };
        let shape = data.matrix.map_or_else(|| ty.shape.to_vec(), |sizes| sizes.to_vec());
        Datum {
            name: data.name.clone(),
            element,
            shape,
            dims: data.dims.clone(),
            range: range(data, ty.elem),
            samples: sampled(&data.name),
            fixed: why(data, ty.elem).to_owned(),
        }
    };
    model.data.iter().filter(|data| !data.name.is_empty()).map(datum).collect()
}

/// The declared range; whole numbers without one may be positions, so theirs is that of their values.
fn range(data: &Data, element: Elem) -> [f64; 2] {
    match &data.value {
        Some(values) if element == Elem::Int && data.range == [f64::NEG_INFINITY, f64::INFINITY] => {
            let ends = [f64::INFINITY, f64::NEG_INFINITY];
            values.iter().fold(ends, |[low, high], v| [low.min(*v), high.max(*v)])
        }
        _ => data.range,
    }
}

/// What bounds and starts of variables read.
fn placed(model: &Model) -> BTreeSet<InputId> {
    let mut nodes: Vec<NodeId> = Vec::new();
    for var in model.upper.vars.iter().chain(model.lower.iter().flat_map(|level| &level.vars)) {
        match var.domain {
            Domain::Interval(low, high) => nodes.extend([low, high]),
            Domain::Ball(radius) => nodes.push(radius),
            Domain::Free | Domain::Simplex => {}
        }
        if let Init::Value(node) = var.init {
            nodes.push(node);
        }
    }
    let input = |node: NodeId| match model.graph.node(node).attrs {
        Attrs::Input(input) => Some(input),
        _ => None,
    };
    model.graph.reachable(&nodes).into_iter().filter_map(input).collect()
}

/// Whether less is known of the model when data may have any values.
fn rests_on_values(model: &Model) -> bool {
    let mut any = model.clone();
    for data in any.data.iter_mut().filter(|data| !data.name.is_empty() && !data.decided) {
        data.value = None;
    }
    let degrees = |of: &Model| {
        single_level(model).ok().map(|form| {
            let follower = form.follower.map(|program| degrees(&program, &data_bindings(of)));
            (degrees(&form.program, &data_bindings(of)), follower)
        })
    };
    lower_is_convex(model) != lower_is_convex(&any) || degrees(model) != degrees(&any)
}
