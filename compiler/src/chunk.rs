//! The objectives of a model for any number of samples: sums over dimensions that count samples read the rows of data that they are
//! told, with weights ([`blo_runtime::chunks`]).
//!
//! A dimension counts samples when every sum over it is marked with `~`, and nothing else in the objectives depends on how many there
//! are or in which order they come: no variable has the dimension, it is not used as a number, the objectives are affine in all these
//! sums together, and data of the dimension, which have it as their first, are read by the terms of the sums alone, row by row.

use blo_runtime::chunks::{Dim, Sum};

use crate::check::sampling::is_affine_in;
use crate::estimate::estimate;
use crate::ir::graph::{Attrs, Graph, InputId, NodeId, Role};
use crate::model::{Data, Model, Sampled};
use crate::ops;
use crate::passes::rows::Rows;
use crate::passes::substitute::substitute_all;
use crate::types::{Elem, Type};

/// A model whose objectives read some samples.
pub struct Chunked {
    /// The model, without reports.
    pub model: Model,
    /// Positions and weights of the terms of every sum.
    pub inputs: Vec<[InputId; 2]>,
    /// The sums.
    pub sums: Vec<Sum>,
    /// The dimensions.
    pub dims: Vec<Dim>,
    /// For every report of the model the dimensions of the samples it reads.
    pub reports: Vec<Vec<usize>>,
}

/// The objectives of a checked model for any number of samples; `None` when no dimension counts samples.
pub fn chunked(model: &Model) -> Option<Chunked> {
    let mut names: Vec<&str> = Vec::new();
    for name in model.sampled.iter().filter_map(|sampled| sampled.dim.as_deref()) {
        if !names.contains(&name) && counts_samples(model, name) {
            names.push(name);
        }
    }
    // What fails is left whole, which never spoils another dimension.
    while !names.is_empty() {
        let (made, indices) = build(model, &names);
        let fine: Vec<bool> =
            (0..names.len()).map(|dim| reads_rows(model, &made, &names, &indices, dim)).collect();
        if fine.iter().all(|fine| *fine) {
            return Some(made);
        }
        let mut fine = fine.into_iter();
        names.retain(|_| fine.next() == Some(true));
    }
    None
}

/// The data with a row for each sample of a dimension.
fn data_of<'a>(model: &'a Model, name: &'a str) -> impl Iterator<Item = &'a Data> {
    model.data.iter().filter(move |data| data.dims.iter().flatten().any(|dim| dim == name))
}

/// Whether a dimension may count samples, as far as declarations and sums tell.
fn counts_samples(model: &Model, name: &str) -> bool {
    let is = |dim: &Option<String>| dim.as_deref() == Some(name);
    let number = model.dims.iter().any(|dim| dim.name == name && dim.counted);
    let variables = model.upper.vars.iter().chain(model.lower.iter().flat_map(|level| &level.vars));
    let varies = variables.flat_map(|var| &var.dims).any(is);
    let rows = |data: &Data| {
        let first = data.dims.first().is_some_and(is) && !data.dims.iter().skip(1).any(is);
        first && !data.name.is_empty() && !data.decided && data.matrix.is_none()
    };
    let sums = || model.sampled.iter().filter(|sampled| is(&sampled.dim));
    let objectives: Vec<NodeId> =
        std::iter::once(&model.upper).chain(&model.lower).map(|level| level.objective).collect();
    let terms: Vec<NodeId> = model.sampled.iter().filter_map(|s| s.terms.map(|(sum, _)| sum)).collect();
    let additive = |sum: NodeId| model.graph.is(sum, &ops::SUM) && model.graph.ty(sum).elem == Elem::Real;
    !number
        && !varies
        && data_of(model, name).all(rows)
        && sums().all(|sampled| sampled.terms.is_some_and(|(sum, _)| additive(sum)))
        && is_affine_in(&model.graph, &objectives, &terms)
}

/// The model with the sums over these dimensions reading positions, and the nodes of the positions of every sum.
fn build(model: &Model, names: &[&str]) -> (Chunked, Vec<NodeId>) {
    let place = |dim: &Option<String>| names.iter().position(|name| Some(*name) == dim.as_deref());
    let dim = |name: &&str| {
        let row = |data: &Data| model.graph.input_info(data.input).ty.shape.iter().skip(1).product();
        let size = model.dims.iter().find(|dim| dim.name == *name).map_or(1, |dim| dim.size);
        Dim {
            name: (*name).to_owned(),
            size,
            data: data_of(model, name).map(|data| (data.name.clone(), row(data))).collect(),
        }
    };
    let dims: Vec<Dim> = names.iter().map(dim).collect();
    let reports = model.reports.iter().map(|report| {
        let read = model.graph.reachable(&[report.node]);
        let reads = |name: &&str| {
            data_of(model, name).any(|data| read.iter().any(|&n| reads(&model.graph, n, data.input)))
        };
        (0..names.len()).filter(|&k| reads(&names[k])).collect()
    });
    let (reports, mut model) = (reports.collect(), model.clone());
    model.reports.clear();
    let (mut inputs, mut sums, mut indices) = (Vec::new(), Vec::new(), Vec::new());
    let Model { graph, lower, upper, sampled, .. } = &mut model;
    for (level, is_upper) in lower.as_mut().map(|level| (level, false)).into_iter().chain([(upper, true)]) {
        let read = graph.reachable(&[level.objective]);
        let mut groups: Vec<(Sum, Rows, NodeId)> = Vec::new();
        let mut pairs: Vec<(NodeId, NodeId)> = Vec::new();
        for Sampled { terms, dim, mean, .. } in sampled.iter() {
            let (Some((sum, axis)), Some(dim)) = (*terms, place(dim)) else { continue };
            if !read.contains(&sum) || pairs.iter().any(|pair| pair.0 == sum) {
                continue;
            }
            let own = Sum { upper: is_upper, dim, mean: *mean };
            let group = groups.iter().position(|group| group.0 == own).unwrap_or_else(|| {
                let mut add = |what: &str, elem| {
                    let ty = Type { elem, shape: [dims[dim].size].as_slice().into() };
                    graph.add_input(format!("{what} of samples"), Role::Batch, ty)
                };
                let (places, index) = add("positions", Elem::Int);
                let (weights, weight) = add("weights", Elem::Real);
                inputs.push([places, weights]);
                indices.push(index);
                sums.push(own.clone());
                groups.push((own, Rows::down_to_data(index), weight));
                groups.len() - 1
            });
            let (_, rows, weight) = &mut groups[group];
            pairs.push((sum, estimate(graph, sum, axis, rows, *weight)));
        }
        level.objective = substitute_all(graph, &[level.objective], &pairs)[0];
    }
    (Chunked { model, inputs, sums, dims, reports }, indices)
}

fn reads(graph: &Graph, node: NodeId, input: InputId) -> bool {
    matches!(graph.node(node).attrs, Attrs::Input(own) if own == input)
}

/// Whether the samples of a dimension are read at its positions alone, and the positions for nothing else.
fn reads_rows(model: &Model, made: &Chunked, names: &[&str], indices: &[NodeId], dim: usize) -> bool {
    let graph = &made.model.graph;
    let data: Vec<InputId> = data_of(model, names[dim]).map(|data| data.input).collect();
    let is_data = |node: NodeId| data.iter().any(|&input| reads(graph, node, input));
    let own = |k: &usize| made.sums[*k].dim == dim;
    let own: Vec<NodeId> = (0..indices.len()).filter(own).map(|k| indices[k]).collect();
    let levels = std::iter::once(&made.model.upper).chain(&made.model.lower);
    let objectives: Vec<NodeId> = levels.map(|level| level.objective).collect();
    graph.reachable(&objectives).into_iter().all(|id| {
        let node = graph.node(id);
        let chosen = matches!(node.attrs, Attrs::Gather { batch: 0 })
            && is_data(node.inputs[0])
            && own.contains(&node.inputs[1]);
        chosen || !node.inputs.iter().any(|&input| is_data(input) || own.contains(&input))
    })
}
