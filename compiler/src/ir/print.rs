//! The text of a graph (`--emit graph`): one line per node that the roots depend on, in order of creation, such as
//! `%3 = dot(%1, %2) {contract: 1-0} : real[100, 10]  # lower`, then one line per root. The same graph always gives the
//! same text.

use std::fmt::Write;

use crate::ir::graph::{Attrs, Graph, NodeId, Role};

/// The text of what `roots` depend on; each root is printed with its name.
pub fn print(graph: &Graph, roots: &[(&str, NodeId)]) -> String {
    let ids: Vec<NodeId> = roots.iter().map(|&(_, id)| id).collect();
    let mut text = String::new();
    for id in graph.reachable(&ids) {
        push(&mut text, format_args!("{}\n", line(graph, id)));
    }
    for (name, id) in roots {
        push(&mut text, format_args!("{name} = %{}\n", id.0));
    }
    text
}

/// One node as one line.
pub fn line(graph: &Graph, id: NodeId) -> String {
    let node = graph.node(id);
    let operands: Vec<String> = node.inputs.iter().map(|input| format!("%{}", input.0)).collect();
    let mut text = format!("%{} = {}", id.0, node.op.0.name);
    match &node.attrs {
        Attrs::Input(input) => push(&mut text, format_args!(" {}", graph.input_info(*input).name)),
        Attrs::Constant { bits, .. } => push(&mut text, format_args!(" {}", f64::from_bits(*bits))),
        attrs => {
            push(&mut text, format_args!("({})", operands.join(", ")));
            let parameters = parameters(attrs);
            if !parameters.is_empty() {
                push(&mut text, format_args!(" {{{parameters}}}"));
            }
        }
    }
    push(&mut text, format_args!(" : {}  # {}", node.ty, stage(node.stage)));
    text
}

fn push(text: &mut String, part: std::fmt::Arguments) {
    if text.write_fmt(part).is_err() {
        crate::bug!("writing to a string failed");
    }
}

/// The name of a stage.
fn stage(role: Role) -> &'static str {
    match role {
        Role::Data => "data",
        Role::Batch => "batch",
        Role::Upper => "upper",
        Role::Lower => "lower",
        Role::Multiplier => "multiplier",
        Role::UpperDirection => "upper direction",
        Role::LowerDirection => "lower direction",
    }
}

fn parameters(attrs: &Attrs) -> String {
    match attrs {
        Attrs::None | Attrs::Input(_) | Attrs::Constant { .. } => String::new(),
        Attrs::Iota { len } => format!("len: {len}"),
        Attrs::Axes(axes) => format!("axes: {}", list(axes)),
        Attrs::Axis(axis) => format!("axis: {axis}"),
        Attrs::Scan { axis, reverse } => format!("axis: {axis}{}", if *reverse { ", reverse" } else { "" }),
        Attrs::Permutation(perm) => format!("axes: {}", list(perm)),
        Attrs::Broadcast { map, .. } => format!("to axes: {}", list(map)),
        Attrs::Shape(_) => String::new(),
        Attrs::Slice { start, end } => {
            let ranges: Vec<String> =
                start.iter().zip(end).map(|(start, end)| format!("{start}..{end}")).collect();
            ranges.join(", ")
        }
        Attrs::Pad { before, after } => format!("before: {}, after: {}", list(before), list(after)),
        Attrs::Dot(axes) => {
            let mut parts = Vec::new();
            if !axes.batch.is_empty() {
                parts.push(format!("batch: {}", pairs(&axes.batch)));
            }
            if !axes.contract.is_empty() {
                parts.push(format!("contract: {}", pairs(&axes.contract)));
            }
            parts.join(", ")
        }
        Attrs::Gather { batch } => format!("batch: {batch}"),
        Attrs::Scatter { batch, size } => format!("batch: {batch}, size: {size}"),
        Attrs::Transposed(transposed) => if *transposed { "transposed" } else { "" }.to_string(),
        Attrs::Cast(elem) => elem.name().to_string(),
        Attrs::Sparse { columns, transposed } => {
            format!("columns: {columns}{}", if *transposed { ", transposed" } else { "" })
        }
    }
}

fn list(axes: &[usize]) -> String {
    let axes: Vec<String> = axes.iter().map(usize::to_string).collect();
    format!("[{}]", axes.join(", "))
}

fn pairs(pairs: &[(usize, usize)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(left, right)| format!("{left}-{right}")).collect();
    pairs.join(", ")
}
