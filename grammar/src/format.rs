//! Model text in its usual form. [`tidy`] is the formatter: it moves blanks and line ends and keeps every token and
//! comment as it is spelled. [`print`] writes a tree (`--emit ast`): numbers and brackets come out in one form, and
//! comments stand above the declaration they belong to. Reading either text again gives the same tree, places aside.

mod expr;
mod layout;
mod lines;

use crate::ast::{
    Ast, Constraint, Data, DataSource, DimValue, Domain, DomainKind, Expr, ExprKind, Fn, Ident, Init, Item,
    ItemKind, Level, LevelKind, Random, Solve, TypeExpr, Use, UsePath, Var,
};
use crate::diagnostic::Diagnostic;
use crate::parse::parse;
use crate::precedence::{COMPARISON, IF};
use crate::span::FileId;
use expr::{binder, expression, joined};

/// The text of a file with two blanks for a step, one blank around operators, at most one empty line between statements,
/// comments behind neighbouring lines below each other, and no line of code over 100 characters that can be cut. Line
/// ends that the author put inside a statement stay. Tidying a tidy text changes nothing.
///
/// # Errors
/// The syntax errors of a text that has some.
pub fn tidy(file: FileId, text: &str) -> Result<String, Vec<Diagnostic>> {
    let (_, diagnostics) = parse(file, text);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    Ok(layout::write(lines::lines(text)))
}

/// The text of a whole file. A statement that could not be read becomes a comment that says so.
pub fn print(ast: &Ast) -> String {
    let mut out = String::new();
    items(&mut out, &ast.items, 0);
    out
}

/// The text of one expression.
pub fn print_expression(expr: &Expr) -> String {
    expression(expr, IF, 0)
}

/// Declarations, one a line; levels and commented declarations stand apart.
fn items(out: &mut String, list: &[Item], indent: usize) {
    let stands_apart = |item: &Item| matches!(item.kind, ItemKind::Level(_)) || !item.comments.is_empty();
    for (i, entry) in list.iter().enumerate() {
        if i > 0 && (stands_apart(entry) || matches!(list[i - 1].kind, ItemKind::Level(_))) {
            out.push('\n');
        }
        for comment in &entry.comments {
            let line = format!("# {comment}");
            out.push_str(&format!("{}{}\n", pad(indent), line.trim_end()));
        }
        out.push_str(&pad(indent));
        item(out, &entry.kind, indent);
        out.push('\n');
    }
}

fn pad(indent: usize) -> String {
    "  ".repeat(indent)
}

fn item(out: &mut String, kind: &ItemKind, indent: usize) {
    let text = match kind {
        ItemKind::Use(uses) => use_item(uses),
        ItemKind::Dim { name, value: None } => format!("dim {}", name.name),
        ItemKind::Dim { name, value: Some(DimValue::Size(size)) } => {
            format!("dim {} = {}", name.name, expression(size, IF, indent))
        }
        ItemKind::Dim { name, value: Some(DimValue::Labels(labels)) } => {
            let labels: Vec<String> = labels.iter().map(|label| format!("\"{}\"", label.0)).collect();
            format!("dim {} = [{}]", name.name, labels.join(", "))
        }
        ItemKind::Data(data) => data_item(data, indent),
        ItemKind::Param { name, ty, value } => {
            format!("param {}{}{}", name.name, typed(ty.as_ref()), given(value.as_ref(), indent))
        }
        ItemKind::Let(binding) => expr::let_item(binding, indent),
        ItemKind::Fn(function) => fn_item(function, indent),
        ItemKind::Level(level) => return level_item(out, level, indent),
        ItemKind::Solve(solve) => solve_item(solve, indent),
        ItemKind::Report { name, value } => {
            format!("report {} = {}", name.name, expression(value, IF, indent))
        }
        ItemKind::Expect(condition) => format!("expect {}", expression(condition, IF, indent)),
        ItemKind::Precision(name) => format!("precision {}", name.name),
        ItemKind::Var(var) => var_item(var, indent),
        ItemKind::Objective { maximize, value, .. } => {
            let word = if *maximize { "maximize" } else { "minimize" };
            format!("{word} {}", expression(value, IF, indent))
        }
        ItemKind::Constraint(constraint) => constraint_item(constraint, indent),
        ItemKind::Error => "# a statement that could not be read".to_string(),
    };
    out.push_str(&text);
}

fn names(list: &[Ident], separator: &str) -> String {
    list.iter().map(|ident| ident.name.as_str()).collect::<Vec<_>>().join(separator)
}

fn use_item(uses: &Use) -> String {
    let path = match &uses.path {
        UsePath::Module(path) => names(path, "."),
        UsePath::File { path, .. } => format!("\"{path}\""),
    };
    match &uses.names {
        Some(list) => format!("use {path} ({})", names(list, ", ")),
        None => format!("use {path}"),
    }
}

fn given(value: Option<&Expr>, indent: usize) -> String {
    value.map_or(String::new(), |value| format!(" = {}", expression(value, IF, indent)))
}

/// `: type`, if there is one.
fn typed(ty: Option<&TypeExpr>) -> String {
    ty.map_or(String::new(), |ty| format!(": {}", type_expr(ty)))
}

fn type_expr(ty: &TypeExpr) -> String {
    let sparse = if ty.sparse.is_some() { "sparse " } else { "" };
    if ty.dims.is_empty() {
        return format!("{sparse}{}", ty.element.name);
    }
    format!("{sparse}{}[{}]", ty.element.name, joined(&ty.dims, 0))
}

fn domain(domain: Option<&Domain>) -> String {
    let Some(domain) = domain else { return String::new() };
    match &domain.kind {
        DomainKind::Interval(lo, hi) => format!(" in [{}, {}]", expression(lo, IF, 0), expression(hi, IF, 0)),
        DomainKind::Range(lo, hi) => format!(" in {}..{}", expression(lo, IF, 0), expression(hi, IF, 0)),
        DomainKind::Named { name, arguments } if arguments.is_empty() => format!(" in {}", name.name),
        DomainKind::Named { name, arguments } => format!(" in {}({})", name.name, joined(arguments, 0)),
    }
}

fn random(random: &Random) -> String {
    format!(" ~ {}({})", random.distribution.name, joined(&random.arguments, 0))
}

fn data_item(data: &Data, indent: usize) -> String {
    let source = match &data.source {
        None => String::new(),
        Some(DataSource::Value(value)) => given(Some(value), indent),
        Some(DataSource::File { path, .. }) => format!(" from \"{path}\""),
        Some(DataSource::Random(start)) => random(start),
    };
    format!("data {}: {}{}{source}", data.name.name, type_expr(&data.ty), domain(data.domain.as_ref()))
}

fn var_item(var: &Var, indent: usize) -> String {
    let init = match &var.init {
        None => String::new(),
        Some(Init::Value(value)) => given(Some(value), indent),
        Some(Init::Random(start)) => random(start),
    };
    format!("var {}: {}{}{init}", var.name.name, type_expr(&var.ty), domain(var.domain.as_ref()))
}

fn fn_item(function: &Fn, indent: usize) -> String {
    let params: Vec<String> =
        function.params.iter().map(|(name, ty)| format!("{}{}", name.name, typed(ty.as_ref()))).collect();
    let result = function.result.as_ref().map_or(String::new(), |ty| format!(" -> {}", type_expr(ty)));
    let equals = if matches!(function.body.kind, ExprKind::Block { .. }) { "" } else { "= " };
    let body = expression(&function.body, IF, indent);
    format!("fn {}({}){result} {equals}{body}", function.name.name, params.join(", "))
}

fn solve_item(solve: &Solve, indent: usize) -> String {
    let option = |option: &crate::ast::SolveOption| {
        format!("{} = {}", option.name.name, expression(&option.value, IF, indent))
    };
    let options: Vec<String> = solve.options.iter().map(option).collect();
    format!("solve {}({})", solve.method.name, options.join(", "))
}

fn constraint_item(constraint: &Constraint, indent: usize) -> String {
    let mut text = "subject to ".to_string();
    if let Some(name) = &constraint.name {
        text.push_str(&name.name);
        if !constraint.binders.is_empty() {
            let binders: Vec<String> = constraint.binders.iter().map(|b| binder(b, indent)).collect();
            text.push_str(&format!("[{}]", binders.join(", ")));
        }
        text.push_str(": ");
    }
    for (i, operand) in constraint.operands.iter().enumerate() {
        if let Some((relation, _)) = i.checked_sub(1).and_then(|before| constraint.relations.get(before)) {
            text.push_str(&format!(" {} ", relation.spelling()));
        }
        text.push_str(&expression(operand, COMPARISON + 1, indent));
    }
    text
}

fn level_item(out: &mut String, level: &Level, indent: usize) {
    out.push_str(match level.kind {
        LevelKind::Upper => "upper ",
        LevelKind::Lower => "lower ",
    });
    if level.pessimistic.is_some() {
        out.push_str("pessimistic ");
    }
    if let Some(name) = &level.name {
        out.push_str(&format!("{} ", name.name));
    }
    out.push_str("{\n");
    items(out, &level.items, indent + 1);
    out.push_str(&format!("{}}}", pad(indent)));
}
