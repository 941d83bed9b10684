//! A drawing for Graphviz.

use std::fmt::Write as _;

use super::{Drawing, Kind, Node};

/// The whole file.
pub fn text(drawing: &Drawing) -> String {
    let mut out = String::from(
        "digraph model {\n  rankdir = TB\n  node [fontname = \"sans-serif\", fontsize = 11]\n  edge [arrowsize = 0.7]\n",
    );
    nodes(&mut out, drawing, None, "  ");
    for (at, frame) in drawing.frames.iter().enumerate() {
        let _ = writeln!(
            out,
            "  subgraph cluster_{at} {{\n    label = {}\n    style = rounded",
            quoted(&frame.title)
        );
        nodes(&mut out, drawing, Some(at), "    ");
        out.push_str("  }\n");
    }
    for (from, to) in &drawing.edges {
        let _ = writeln!(out, "  n{from} -> n{to}");
    }
    out.push_str("}\n");
    out
}

fn nodes(out: &mut String, drawing: &Drawing, frame: Option<usize>, margin: &str) {
    for (at, node) in drawing.nodes.iter().enumerate().filter(|(_, node)| node.frame == frame) {
        let _ = writeln!(out, "{margin}n{at} [label = {}, {}]", label(node), shape(node.kind));
    }
}

fn label(node: &Node) -> String {
    let lines: Vec<&str> = std::iter::once(&node.title).chain(&node.lines).map(String::as_str).collect();
    quoted(&lines.join("\n"))
}

fn shape(kind: Kind) -> &'static str {
    match kind {
        Kind::Data => "shape = box",
        Kind::Param => "shape = box, style = dashed",
        Kind::Variable => "shape = ellipse",
        Kind::Value => "shape = box, style = rounded",
        Kind::Constraint => "shape = hexagon",
        Kind::Objective => "shape = box, style = bold",
        Kind::Report => "shape = note",
    }
}

/// A string of the format.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
