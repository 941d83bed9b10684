//! A placed drawing as SVG, for light and dark pages.

use std::fmt::Write as _;

use super::layout::{Placed, STEP, TEXT, TITLE};
use super::{Drawing, Kind, Node};
use crate::plot::font::FAMILY;
use crate::plot::svg::escaped;

const STYLE: &str = "\
svg { color-scheme: light dark }
.paper { fill: #ffffff } text { fill: #1c2530 } .more { fill: #55606e } .frame { fill: #f4f6f9; stroke: #b9c2cd }
.lower .frame { fill: #f7f4ee } .title { fill: #55606e; font-style: italic }
.node { fill: #ffffff; stroke: #6b7785; stroke-width: 1.2 } .edge { fill: none; stroke: #8b97a5; stroke-width: 1.1 } .head { fill: #8b97a5 }
.data { fill: #e8f0f8; stroke: #4a7bab } .param { fill: #e8f0f8; stroke: #4a7bab; stroke-dasharray: 4 3 }
.variable { fill: #fdf0d9; stroke: #c58a1b } .objective { fill: #e4f3e8; stroke: #35864b; stroke-width: 2 }
.constraint { fill: #fbe9e7; stroke: #b9574a } .report { stroke-dasharray: 2 2 }
@media (prefers-color-scheme: dark) {
.paper { fill: #14181d } text { fill: #e6eaef } .more, .title { fill: #a3adb9 } .frame { fill: #1b2128; stroke: #434d58 }
.lower .frame { fill: #211f1a } .node { fill: #1f262e; stroke: #8b97a5 } .edge { stroke: #75818f } .head { fill: #75818f }
.data, .param { fill: #1c2c3c; stroke: #6a9dcf } .variable { fill: #372b14; stroke: #d8a13a }
.objective { fill: #183323; stroke: #58b574 } .constraint { fill: #3a211e; stroke: #d4796c } }
";

/// The whole file.
pub fn text(drawing: &Drawing, placed: &Placed) -> String {
    let (w, h) = placed.size;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w:.0}\" height=\"{h:.0}\" viewBox=\"0 0 {w:.0} {h:.0}\" \
         font-family=\"{FAMILY}\">\n<style>\n{STYLE}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n"
    );
    for (frame, [x, y, w, h]) in drawing.frames.iter().zip(&placed.frames) {
        let class = if frame.upper { "upper" } else { "lower" };
        let _ = writeln!(
            out,
            "<g class=\"{class}\"><rect class=\"frame\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"10\"/>\
             <text class=\"title\" x=\"{:.1}\" y=\"{:.1}\" font-size=\"{TITLE}\">{}</text></g>",
            x + 12.0,
            y + 19.0,
            escaped(&frame.title)
        );
    }
    placed.edges.iter().for_each(|points| edge(&mut out, points));
    drawing.nodes.iter().zip(&placed.nodes).for_each(|(n, place)| node(&mut out, n, *place));
    out.push_str("</svg>\n");
    out
}

/// A smooth line through the points, with a head at its end.
fn edge(out: &mut String, points: &[(f32, f32)]) {
    let (Some(first), Some(&(x, y))) = (points.first(), points.last()) else { return };
    let mut path = format!("M{:.1} {:.1}", first.0, first.1);
    for (k, pair) in points.windows(2).enumerate() {
        let [a, mut b] = [pair[0], pair[1]];
        if k + 2 == points.len() {
            b.1 -= 6.0;
        }
        // Every other stretch is a joint, which is straight.
        if k % 2 == 1 {
            let _ = write!(path, " L{:.1} {:.1}", b.0, b.1);
        } else {
            let half = 0.5 * (a.1 + b.1);
            let _ = write!(path, " C{:.1} {half:.1} {:.1} {half:.1} {:.1} {:.1}", a.0, b.0, b.0, b.1);
        }
    }
    let _ = writeln!(out, "<path class=\"edge\" d=\"{path}\"/>");
    let (low, left, right) = (y - 7.0, x - 3.5, x + 3.5);
    let _ = writeln!(
        out,
        "<path class=\"head\" d=\"M{x:.1} {y:.1} L{left:.1} {low:.1} L{right:.1} {low:.1} Z\"/>"
    );
}

fn node(out: &mut String, node: &Node, [x, y, w, h]: [f32; 4]) {
    let (class, radius) = match node.kind {
        Kind::Data => ("data", 2.0),
        Kind::Param => ("param", 2.0),
        Kind::Variable => ("variable", 0.5 * h),
        Kind::Value => ("value", 8.0),
        Kind::Constraint => ("constraint", 0.0),
        Kind::Objective => ("objective", 2.0),
        Kind::Report => ("report", 8.0),
    };
    let _ = match node.kind {
        Kind::Constraint => {
            let (left, right, middle) = (x + 12.0, x + w - 12.0, y + 0.5 * h);
            writeln!(
                out,
                "<path class=\"node {class}\" d=\"M{left:.1} {y:.1} H{right:.1} L{:.1} {middle:.1} L{right:.1} {:.1} H{left:.1} L{x:.1} \
                 {middle:.1} Z\"/>",
                x + w,
                y + h
            )
        }
        _ => writeln!(
            out,
            "<rect class=\"node {class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"{radius:.1}\"/>"
        ),
    };
    let middle = x + 0.5 * w;
    let mut base = y + 9.0 + 0.75 * STEP;
    let _ = writeln!(
        out,
        "<text x=\"{middle:.1}\" y=\"{base:.1}\" font-size=\"{TITLE}\" font-weight=\"600\" text-anchor=\"middle\">{}</text>",
        escaped(&node.title)
    );
    for line in &node.lines {
        base += STEP;
        let _ = writeln!(
            out,
            "<text class=\"more\" x=\"{middle:.1}\" y=\"{base:.1}\" font-size=\"{TEXT}\" text-anchor=\"middle\">{}</text>",
            escaped(line)
        );
    }
}
