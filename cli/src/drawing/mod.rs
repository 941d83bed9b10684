//! A model as a drawing: what it declares as nodes, what reads what as arrows, its levels as frames. It is made from the text, so that
//! a node is what its writer named, not what the compiler made of it; the sizes come from the checked model. Functions are part of
//! who calls them, and so is what other files define.

mod dot;
mod layout;
mod svg;

use std::collections::BTreeSet;
use std::path::Path;

use blo_compiler::model::Model;
use blo_grammar::ast::{Ast, Item, ItemKind, LevelKind};
use blo_grammar::names::{Kind as NameKind, Names};
use blo_grammar::parse::parse;
use blo_grammar::source::Sources;
use blo_grammar::span::Span;

use crate::files::Trouble;

/// The most characters of a line.
const LINE: usize = 34;
/// The most lines of an expression.
const LINES: usize = 2;

/// What a node is, which gives it its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `data`.
    Data,
    /// `param`.
    Param,
    /// `var`.
    Variable,
    /// `let`.
    Value,
    /// `subject to`.
    Constraint,
    /// `minimize` or `maximize`.
    Objective,
    /// `report`.
    Report,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// What it is called, or what it does.
    pub title: String,
    /// Type, sizes or expression, a line each.
    pub lines: Vec<String>,
    /// The frame it stands in.
    pub frame: Option<usize>,
    /// All of the declaration.
    item: Span,
}

/// A level.
#[derive(Clone, Debug)]
pub struct Frame {
    /// `upper`, `lower`, `lower NAME`.
    pub title: String,
    /// Whether it is the leader's.
    pub upper: bool,
}

/// A model's drawing, not yet placed.
#[derive(Clone, Debug, Default)]
pub struct Drawing {
    /// The levels.
    pub frames: Vec<Frame>,
    /// The nodes, in source order.
    pub nodes: Vec<Node>,
    /// What is read, and by whom, ascending.
    pub edges: Vec<(usize, usize)>,
}

/// The formats of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Graphviz.
    Dot,
    /// A picture.
    Svg,
}

impl Format {
    /// The format that the end of a file's name stands for.
    pub fn of(file: &Path) -> Result<Format, Trouble> {
        match file.extension().and_then(|end| end.to_str()).map(str::to_lowercase).as_deref() {
            Some("dot" | "gv") => Ok(Format::Dot),
            Some("svg") => Ok(Format::Svg),
            _ => Err(Trouble::new(format!("`{}` does not say which format it is to have", file.display()))
                .help("its name ends in `.svg` or `.dot`")),
        }
    }
}

impl Drawing {
    /// The drawing of a checked model with this text.
    pub fn of(text: &str, model: &Model) -> Drawing {
        let mut sources = Sources::new();
        let main = sources.add("model", text);
        let (ast, _) = parse(main, text);
        let mut drawing = Drawing::default();
        drawing.nodes(&ast, &sources, model);
        drawing.edges(&ast);
        drawing
    }

    /// The whole file.
    pub fn written(&self, format: Format) -> String {
        match format {
            Format::Dot => dot::text(self),
            Format::Svg => svg::text(self, &layout::place(self)),
        }
    }

    fn nodes(&mut self, ast: &Ast, sources: &Sources, model: &Model) {
        for item in &ast.items {
            let ItemKind::Level(level) = &item.kind else {
                self.nodes.extend(node(item, None, sources, model));
                continue;
            };
            let upper = level.kind == LevelKind::Upper;
            let word = if upper { "upper" } else { "lower" };
            let title = level.name.as_ref().map_or(word.into(), |name| format!("{word} {}", name.name));
            let frame = self.frames.len();
            self.frames.push(Frame { title, upper });
            // A report belongs to no level, wherever it is written.
            self.nodes.extend(level.items.iter().filter_map(|item| {
                let frame = (!matches!(item.kind, ItemKind::Report { .. })).then_some(frame);
                node(item, frame, sources, model)
            }));
        }
    }

    fn edges(&mut self, ast: &Ast) {
        let names = Names::of(ast);
        let inside = |inner: Span, outer: Span| outer.start <= inner.start && inner.end <= outer.end;
        let functions: Vec<usize> =
            (0..names.definitions.len()).filter(|&d| names.definitions[d].kind == NameKind::Fn).collect();
        let mut edges = BTreeSet::new();
        for (to, node) in self.nodes.iter().enumerate() {
            // What the item reads, and what the functions that it calls read.
            let mut places = vec![node.item];
            let mut called = BTreeSet::new();
            while let Some(place) = places.pop() {
                for read in names.uses.iter().filter(|u| inside(u.span, place)) {
                    let Some(definition) = read.definition else { continue };
                    if functions.contains(&definition) {
                        if called.insert(definition) {
                            places.push(names.definitions[definition].item);
                        }
                        continue;
                    }
                    let item = names.definitions[definition].item;
                    // Dimensions and indices have items that are no nodes, or are defined by the type of one.
                    if matches!(names.definitions[definition].kind, NameKind::Dim | NameKind::Index) {
                        continue;
                    }
                    if let Some(from) =
                        self.nodes.iter().position(|n| n.item == item).filter(|&from| from != to)
                    {
                        edges.insert((from, to));
                    }
                }
            }
        }
        self.edges = edges.into_iter().collect();
    }
}

/// The node of a declaration, where it is one.
fn node(item: &Item, frame: Option<usize>, sources: &Sources, model: &Model) -> Option<Node> {
    let written = |span: Span| sources.snippet(span).split_whitespace().collect::<Vec<_>>().join(" ");
    let (kind, title, lines) = match &item.kind {
        ItemKind::Data(data) => {
            let mut lines = vec![written(data.ty.span)];
            lines.extend(sizes(model, &data.name.name));
            (Kind::Data, data.name.name.clone(), lines)
        }
        ItemKind::Param { name, value, .. } => {
            let value = value.iter().flat_map(|v| wrapped(&written(v.span)));
            (Kind::Param, name.name.clone(), value.collect())
        }
        ItemKind::Let(binding) => {
            (Kind::Value, binding.name.name.clone(), wrapped(&written(binding.value.span)))
        }
        ItemKind::Var(var) => {
            let domain = var.domain.as_ref().map_or(String::new(), |d| format!(" in {}", written(d.span)));
            let mut lines = wrapped(&(written(var.ty.span) + &domain));
            lines.extend(sizes(model, &var.name.name));
            (Kind::Variable, var.name.name.clone(), lines)
        }
        ItemKind::Objective { maximize, value, .. } => {
            let title = if *maximize { "maximize" } else { "minimize" };
            (Kind::Objective, title.into(), wrapped(&written(value.span)))
        }
        ItemKind::Constraint(constraint) => {
            let title = constraint.name.as_ref().map_or("subject to".into(), |name| name.name.clone());
            let all = written(item.span);
            let body = all.strip_prefix("subject to ").unwrap_or(&all);
            let body =
                body.strip_prefix(title.as_str()).map_or(body, |rest| rest.trim_start_matches([':', ' ']));
            (Kind::Constraint, title, wrapped(body))
        }
        ItemKind::Report { name, value } => (Kind::Report, name.name.clone(), wrapped(&written(value.span))),
        _ => return None,
    };
    Some(Node { kind, title, lines, frame, item: item.span })
}

/// `1000 × 64`, where the sizes are known.
fn sizes(model: &Model, name: &str) -> Option<String> {
    let levels = std::iter::once(&model.upper).chain(&model.lower);
    let var = levels.flat_map(|level| &level.vars).find(|var| var.name == name);
    let (sizes, dims) = match var {
        Some(var) => (var.ty.shape.to_vec(), &var.dims),
        None => {
            let data = model.data.iter().find(|data| data.name == name)?;
            let sizes = data
                .matrix
                .map_or_else(|| model.graph.input_info(data.input).ty.shape.to_vec(), |s| s.to_vec());
            (sizes, &data.dims)
        }
    };
    let assumed = |dim: &String| model.dims.iter().any(|d| d.name == *dim && d.assumed);
    if sizes.is_empty() || dims.iter().flatten().any(assumed) {
        return None;
    }
    Some(sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(" × "))
}

/// An expression in lines; what does not fit is left out.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let fits = |line: &&mut String| line.chars().count() + 1 + word.chars().count() <= LINE;
        match lines.last_mut().filter(fits) {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    let more = lines.len() > LINES;
    lines.truncate(LINES);
    for line in &mut lines {
        if let Some((end, _)) = line.char_indices().nth(LINE) {
            line.truncate(end);
            line.push('…');
        }
    }
    if let Some(last) = lines.last_mut().filter(|last| more && !last.ends_with('…')) {
        last.push_str(" …");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_expressions_are_cut() {
        assert_eq!(wrapped("a + b"), ["a + b"]);
        let lines = wrapped(&"term + ".repeat(40));
        assert_eq!(lines.len(), LINES);
        assert!(lines[1].ends_with('…'));
        assert!(lines.iter().all(|line| line.chars().count() <= LINE + 2));
    }
}
