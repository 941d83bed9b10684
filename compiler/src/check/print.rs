//! The text of a checked model (`--emit model`): names, types, levels, and what each expression depends on. The expressions
//! themselves are the graph's (`--emit graph`).

use std::fmt::Write;

use crate::ir::eval::{Bindings, evaluate};
use crate::ir::graph::{Graph, NodeId, Role};
use crate::model::{Constraint, Domain, Init, Level, Model, OptionValue, Precision, Relation, Side, Var};
use crate::types::{Elem, Type};

/// The model as text.
pub fn print_model(model: &Model) -> String {
    let mut out = String::new();
    for dim in &model.dims {
        let note = if dim.assumed { " (assumed)" } else { "" };
        let labels = dim.labels.as_ref().map_or(String::new(), |l| format!(" {l:?}"));
        line(&mut out, &format!("dim {} = {}{note}{labels}", dim.name, dim.size));
    }
    for data in &model.data {
        let ty = &model.graph.input_info(data.input).ty;
        let name = if data.name.is_empty() { "_" } else { &data.name };
        let bound = if data.value.is_some() { "" } else { " (unbound)" };
        let ty = match data.matrix {
            Some(sizes) => {
                let matrix = Type::new(ty.elem, sizes);
                format!("sparse {}, {} nonzeros", named_type(&matrix, &data.dims), ty.len())
            }
            None => named_type(ty, &data.dims),
        };
        line(&mut out, &format!("data {name}: {ty}{bound}"));
    }
    level(&mut out, "upper", &model.upper, model);
    if let Some(lower) = &model.lower {
        let pessimistic = if lower.pessimistic.is_some() { " pessimistic" } else { "" };
        let names: Vec<&str> = lower.followers.iter().map(|f| f.name.as_str()).collect();
        let space = if names.is_empty() { "" } else { " " };
        let title = format!("lower{pessimistic}{space}{}", names.join(", "));
        level(&mut out, &title, lower, model);
    }
    for slope in &model.slopes {
        let lower = model.lower.as_ref().map_or("", |lower| &lower.vars[slope.of].name);
        let upper = &model.upper.vars[slope.by].name;
        line(&mut out, &format!("report {}: d({lower})/d({upper})", slope.name));
    }
    for report in &model.reports {
        line(&mut out, &format!("report {}: {}", report.name, expression(&model.graph, report.node)));
    }
    for expect in &model.expects {
        line(&mut out, &format!("expect {}", expect.text));
    }
    for result in &model.results {
        line(&mut out, &format!("result {}", result.name));
    }
    if let Some(solve) = &model.solve {
        let options: Vec<String> =
            solve.options.iter().map(|(n, v, _)| format!("{n} = {}", option(v))).collect();
        line(&mut out, &format!("solve {}({})", solve.method, options.join(", ")));
    }
    if model.precision == Precision::F32 {
        line(&mut out, "precision f32");
    }
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn level(out: &mut String, name: &str, level: &Level, model: &Model) {
    let graph = &model.graph;
    line(out, name);
    for var in &level.vars {
        line(out, &format!("  var {}", variable(var, graph)));
    }
    let word = if level.maximize { "maximize, negated:" } else { "minimize" };
    line(out, &format!("  {word} {}", expression(graph, level.objective)));
    if level.followers.len() > 1 {
        for follower in &level.followers {
            let word = if follower.maximize { "maximizes, negated:" } else { "minimizes" };
            line(out, &format!("  {} {word} {}", follower.name, expression(graph, follower.objective)));
        }
    }
    for constraint in &level.constraints {
        line(out, &format!("  subject to {}", constraint_text(constraint, graph)));
    }
    let read = graph.reachable(&[level.objective]);
    for sampled in model.sampled.iter().filter(|s| read.contains(&s.node)) {
        let what = if sampled.mean { "mean" } else { "sum" };
        let over = sampled.dim.clone().unwrap_or_else(|| sampled.size.to_string());
        let biased = if sampled.unbiased { "" } else { ", biased" };
        line(out, &format!("  may sample {} ~ {over} ({}) in a {what}{biased}", sampled.index, sampled.size));
    }
}

/// `cap[n]: <real[8], lower> <= 0`, with the dimensions of the family's indices behind the name.
fn constraint_text(constraint: &Constraint, graph: &Graph) -> String {
    let sizes = graph.shape(constraint.residual).iter().zip(&constraint.dims);
    let family: Vec<String> = sizes
        .take(constraint.family)
        .map(|(size, dim)| dim.clone().unwrap_or_else(|| size.to_string()))
        .collect();
    let family = if family.is_empty() { String::new() } else { format!("[{}]", family.join(", ")) };
    let name = constraint.name.as_deref().unwrap_or("_");
    let side = match constraint.side {
        Side::Whole => "",
        Side::Low => ", low side",
        Side::High => ", high side",
    };
    let relation = match constraint.relation {
        Relation::AtMost => "<=",
        Relation::Equal => "==",
    };
    let dual = if constraint.multiplier.is_some() { ", dual read" } else { "" };
    format!("{name}{family}: {} {relation} 0{side}{dual}", expression(graph, constraint.residual))
}

fn variable(var: &Var, graph: &Graph) -> String {
    let ty = if var.integer { Type { elem: Elem::Int, ..var.ty.clone() } } else { var.ty.clone() };
    let mut text = format!("{}: {}", var.name, named_type(&ty, &var.dims));
    match &var.domain {
        Domain::Free => {}
        Domain::Interval(low, high) => {
            let _ = write!(text, " in [{}, {}]", fixed(graph, *low), fixed(graph, *high));
        }
        Domain::Simplex => text.push_str(" in simplex"),
        Domain::Ball(radius) => {
            let _ = write!(text, " in ball({})", fixed(graph, *radius));
        }
    }
    match &var.init {
        Init::Value(node) => {
            let _ = write!(text, " = {}", fixed(graph, *node));
        }
        Init::Normal(mean, deviation) => {
            let _ = write!(text, " ~ normal({mean}, {deviation})");
        }
        Init::Uniform(low, high) => {
            let _ = write!(text, " ~ uniform({low}, {high})");
        }
    }
    text
}

/// A bound or start: its value where it is one number, otherwise its type.
fn fixed(graph: &Graph, node: NodeId) -> String {
    let small = graph.ty(node).len() <= 1 << 20;
    let known = small.then(|| evaluate(graph, &[node], &Bindings::new()).ok()?.pop()).flatten();
    let first = known.as_ref().and_then(|a| a.iter().next().copied());
    match (graph.fill_value(node).or(first), known) {
        (Some(value), None) => value.to_string(),
        (Some(value), Some(all)) if all.iter().all(|x| *x == value) => value.to_string(),
        _ => expression(graph, node),
    }
}

fn expression(graph: &Graph, node: NodeId) -> String {
    let stage = match graph.node(node).stage {
        Role::Data | Role::Batch => "data",
        Role::Upper | Role::UpperDirection => "upper",
        Role::Lower | Role::LowerDirection => "lower",
        Role::Multiplier => "multiplier",
    };
    format!("<{}, {stage}>", graph.ty(node))
}

fn named_type(ty: &Type, dims: &[Option<String>]) -> String {
    if ty.shape.is_empty() {
        return ty.elem.name().to_owned();
    }
    let names: Vec<String> =
        ty.shape.iter().zip(dims).map(|(size, name)| name.clone().unwrap_or(size.to_string())).collect();
    format!("{}[{}]", ty.elem.name(), names.join(", "))
}

fn option(value: &OptionValue) -> String {
    match value {
        OptionValue::Number(x) => x.to_string(),
        OptionValue::Bool(b) => b.to_string(),
        OptionValue::Word(w) => w.clone(),
        OptionValue::Call(name, options) => {
            let inner = options.iter().map(|(n, v)| match n.as_str() {
                "" => option(v),
                n => format!("{n} = {}", option(v)),
            });
            format!("{name}({})", inner.collect::<Vec<_>>().join(", "))
        }
    }
}
