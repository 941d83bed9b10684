//! The order of work: collect every declaration, work out each, then put the model together.

use blo_grammar::ast::{self, Ast, Expr, ExprKind, Ident, Item, ItemKind};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse::nearest;
use blo_grammar::span::Span;

use super::Checker;
use super::scope::{DeclId, Frame, Kind, LevelId, Meaning, Module, Param, Reads, State};
use crate::ir::graph::{Graph, NodeId};
use crate::model::{Dim, Expect, Level, Model, OptionValue, Precision, Report, Solve};
use crate::types::Elem;

/// What the file holds beyond names.
#[derive(Default)]
struct Parts<'t> {
    levels: Vec<(LevelId, &'t ast::Level)>,
    solves: Vec<(&'t ast::Solve, Span)>,
    reports: Vec<(&'t Ident, &'t Expr, DeclId)>,
    expects: Vec<&'t Expr>,
    precisions: Vec<&'t Ident>,
}

impl Checker<'_> {
    /// Checks the main file.
    pub fn model(&mut self, ast: Ast) -> Option<Model> {
        let key = self.sources.get(ast.file).name.clone();
        self.modules.push(Module { key, ..Module::default() });
        self.frames.push(Frame::top(0, None));
        self.parse_overrides();
        self.uses(&ast, 0, true);
        self.note_broken(&ast.items);
        let parts = self.collect(&ast);
        self.uses(&ast, 0, false);
        self.implicit_dims();
        self.overrides_have_targets();
        self.one_of_each(&parts);
        self.resolve_all();
        let (upper, followers) = self.levels(&parts);
        let reports = self.reports(&parts);
        let expects = self.expects(&parts);
        let solve = parts
            .solves
            .first()
            .and_then(|(s, _)| self.at(Frame::top(0, None), Reads::Data("an option"), |c| c.solve(s)));
        let precision = self.precision(&parts);
        self.question();
        self.check_indices();
        self.sampled_constraints();
        self.ambiguous_names();
        if self.has_errors() {
            return None;
        }
        let mut upper = upper.or_else(|| self.missing_upper())?;
        let lower = self.lower_level(followers);
        self.refuse_flat(&upper, lower.as_ref());
        let written: Vec<(&Ident, &Expr)> = parts.reports.iter().map(|(name, e, _)| (*name, *e)).collect();
        let slopes = self.slopes(&written, &upper, lower.as_ref());
        if self.has_errors() {
            return None;
        }
        upper.constraints = self.constraints_in(LevelId::Upper);
        if self.draft.is_none() {
            self.warn(&upper, lower.as_ref(), solve.as_ref());
        }
        let objectives: Vec<NodeId> =
            std::iter::once(&upper).chain(&lower).map(|level| level.objective).collect();
        let sampled = self.sampled(&objectives);
        let dims = self.dims_of_model();
        let results = std::mem::take(&mut self.results).into_iter().map(|(r, _)| r).collect();
        let mut model = Model {
            graph: Graph::new(),
            dims,
            data: Vec::new(),
            upper,
            lower,
            reports,
            slopes,
            expects,
            results,
            sampled,
            solve,
            precision,
        };
        self.settle_sparse(&mut model);
        if self.has_errors() {
            return None;
        }
        model.graph = std::mem::take(&mut self.graph);
        model.data = std::mem::take(&mut self.data);
        for data in &mut model.data {
            data.decided = self.decided.contains(&data.input);
        }
        Some(model)
    }

    /// Remembers the words of statements that could not be read.
    fn note_broken(&mut self, items: &[Item]) {
        for item in items {
            match &item.kind {
                ItemKind::Level(level) => self.note_broken(&level.items),
                ItemKind::Error => {
                    let text = self.sources.snippet(item.span);
                    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
                    self.broken.extend(words.map(str::to_owned));
                }
                _ => {}
            }
        }
    }

    fn parse_overrides(&mut self) {
        for (name, text) in &self.options.overrides {
            let file = self.sources.add(format!("--set {name}"), text.clone());
            match blo_grammar::parse::parse_expression(file, text) {
                Ok(e) => {
                    self.overrides.insert(name.clone(), e);
                }
                Err(diagnostics) => self.diagnostics.extend(diagnostics),
            }
        }
    }

    fn overrides_have_targets(&mut self) {
        let overrides: Vec<(String, Span)> =
            self.overrides.iter().map(|(n, e)| (n.clone(), e.span)).collect();
        for (name, span) in overrides {
            let kind = self.modules[0].names.get(&name).map(|id| self.decls[id.0].kind.clone());
            let settable = match &kind {
                Some(Kind::Param(_)) => true,
                Some(Kind::Dim(id)) => self.dims[id.0].value.is_some(),
                _ => false,
            };
            if settable {
                continue;
            }
            let names: Vec<&str> = self
                .decls
                .iter()
                .filter(|d| match &d.kind {
                    Kind::Param(_) => true,
                    Kind::Dim(id) => self.dims[id.0].value.is_some(),
                    _ => false,
                })
                .map(|d| d.name.as_str())
                .collect();
            let message = format!("`--set {name}` names no parameter or declared dimension");
            let label =
                kind.map_or("nothing of this name".to_owned(), |k| format!("`{name}` is {}", k.words()));
            let mut diagnostic = Diagnostic::error("E0228", message, span, label);
            if let Some(near) = nearest(&name, names.iter().copied()) {
                diagnostic = diagnostic.did_you_mean(near);
            } else if !names.is_empty() {
                diagnostic = diagnostic.note(format!("what can be set: {}", names.join(", ")));
            }
            self.emit(diagnostic);
        }
    }

    /// Declares every name.
    fn collect<'t>(&mut self, ast: &'t Ast) -> Parts<'t> {
        let mut parts = Parts::default();
        for item in &ast.items {
            match &item.kind {
                ItemKind::Dim { .. } | ItemKind::Data(_) | ItemKind::Param { .. } => self.collect_data(item),
                ItemKind::Level(level) => {
                    let id = self.new_level(level);
                    parts.levels.push((id, level));
                    for inner in &level.items {
                        self.collect_inner(inner, id, &mut parts);
                    }
                }
                ItemKind::Solve(solve) => parts.solves.push((solve, item.span)),
                ItemKind::Expect(e) => parts.expects.push(e),
                ItemKind::Precision(name) => parts.precisions.push(name),
                ItemKind::Var(_) | ItemKind::Objective { .. } | ItemKind::Constraint(_) => {
                    self.misplaced(item, None)
                }
                ItemKind::Use(_) | ItemKind::Error => {}
                ItemKind::Let(_) | ItemKind::Fn(_) | ItemKind::Report { .. } => {
                    self.collect_common(item, None, &mut parts);
                }
            }
        }
        parts
    }

    fn collect_common<'t>(&mut self, item: &'t Item, level: Option<LevelId>, parts: &mut Parts<'t>) {
        match &item.kind {
            ItemKind::Let(l) => {
                self.declare(&l.name, Kind::Let(l.clone().into()), 0, level);
            }
            ItemKind::Fn(f) => {
                self.declare(&f.name, Kind::Fn(f.clone().into()), 0, level);
            }
            ItemKind::Report { name, value } => {
                if let Some(id) = self.declare(name, Kind::Report(value.clone().into()), 0, level) {
                    parts.reports.push((name, value, id));
                }
            }
            _ => self.misplaced(item, level),
        }
    }

    fn collect_inner<'t>(&mut self, item: &'t Item, level: LevelId, parts: &mut Parts<'t>) {
        match &item.kind {
            ItemKind::Var(var) => {
                self.declare(&var.name, Kind::Var(var.clone().into()), 0, Some(level));
            }
            ItemKind::Constraint(constraint) => {
                if let Some(name) = &constraint.name {
                    self.declare(name, Kind::Constraint(constraint.clone().into()), 0, Some(level));
                }
            }
            ItemKind::Objective { .. } | ItemKind::Error => {}
            _ => self.collect_common(item, Some(level), parts),
        }
    }

    fn misplaced(&mut self, item: &Item, level: Option<LevelId>) {
        let (what, place) = match &item.kind {
            ItemKind::Var(_) => ("a variable", "`upper` or `lower`"),
            ItemKind::Objective { .. } => ("an objective", "`upper` or `lower`"),
            ItemKind::Constraint(_) => ("a constraint", "`upper` or `lower`"),
            ItemKind::Level(_) => ("a level", "the top level"),
            _ => ("this declaration", "the top level"),
        };
        let (label, help) = match level {
            None => ("this is the top level".to_owned(), format!("move it into {place}")),
            Some(l) => {
                let name = self.level_name(l);
                (format!("this is inside `{name}`"), format!("move it out of `{name}`, to the top level"))
            }
        };
        // The word that opens it stands for the whole of it.
        let length = self.source_text(item.span).split_whitespace().next().map_or(0, str::len) as u32;
        let word = Span { end: item.span.start + length, ..item.span };
        let message = format!("{what} belongs into {place}");
        self.emit(Diagnostic::error("E0219", message, word, label).help(help));
        // The name is taken for what it was meant to be, so that its uses are not errors as well.
        match &item.kind {
            ItemKind::Data(_) | ItemKind::Param { .. } | ItemKind::Dim { .. } => self.collect_data(item),
            ItemKind::Var(var) => {
                self.broken.insert(var.name.name.clone());
            }
            _ => {}
        }
    }

    /// Declares a dimension, datum or parameter.
    fn collect_data(&mut self, item: &Item) {
        match &item.kind {
            ItemKind::Dim { name, value } => {
                let id = self.add_dim(name, value.clone(), 0);
                self.declare(name, Kind::Dim(id), 0, None);
            }
            ItemKind::Data(data) => {
                self.declare(&data.name, Kind::Data(data.clone().into()), 0, None);
            }
            ItemKind::Param { name, ty, value } => {
                let param = Param { name: name.clone(), ty: ty.clone(), value: value.clone() };
                self.declare(name, Kind::Param(param.into()), 0, None);
            }
            _ => {}
        }
    }

    /// Names of dimensions that occur only in the types of data are dimensions.
    fn implicit_dims(&mut self) {
        for k in 0..self.decls.len() {
            let Kind::Data(data) = self.decls[k].kind.clone() else { continue };
            for e in &data.ty.dims {
                let ExprKind::Name(path) = &e.kind else { continue };
                let [name] = path.as_slice() else { continue };
                if !self.modules[0].names.contains_key(&name.name) {
                    let id = self.add_dim(name, None, 0);
                    self.declare(name, Kind::Dim(id), 0, None);
                }
            }
        }
    }

    fn one_of_each(&mut self, parts: &Parts) {
        let is_upper = |(id, _): &&(LevelId, &ast::Level)| *id == LevelId::Upper;
        let uppers: Vec<&ast::Level> = parts.levels.iter().filter(is_upper).map(|(_, l)| *l).collect();
        if uppers.is_empty() && self.draft.is_none() {
            let file = self.sources.iter().next().map(|(id, _)| id);
            let at = parts.levels.first().map(|(_, l)| l.keyword).or(file.map(|f| Span::new(f, 0, 0)));
            if let (Some(at), false) = (at, self.has_errors()) {
                let diagnostic =
                    Diagnostic::error("E0220", "the model has no `upper` level", at, "in this model").help(
                        "write `upper { var …; minimize … }`; an ordinary optimisation has only this level",
                    );
                self.emit(diagnostic);
            }
        }
        if let [first, second, ..] = uppers.as_slice() {
            let diagnostic = Diagnostic::error(
                "E0220",
                "the model has two `upper` levels",
                second.keyword,
                "the second one",
            );
            let diagnostic = diagnostic.label(first.keyword, "the first one");
            self.emit(diagnostic.help("a model has one upper level: put both into one block"));
        }
        let lowers = parts.levels.iter().filter(|(id, _)| id.is_lower()).map(|(_, l)| *l);
        self.names_of_followers(&lowers.collect::<Vec<_>>());
        if let [(first, _), (second, _), ..] = parts.solves.as_slice() {
            let diagnostic =
                Diagnostic::error("E0202", "`solve` is given twice", second.method.span, "the second one");
            self.emit(diagnostic.label(first.method.span, "the first one"));
        }
    }

    /// Works out every declaration, used or not, so that its mistakes are reported.
    fn resolve_all(&mut self) {
        for k in 0..self.dims.len() {
            self.dim_axis(super::value::DimId(k));
        }
        let last = |c: &Self, k: usize| matches!(c.decls[k].kind, Kind::Let(_) if c.decls[k].level.is_some());
        for pass in [false, true] {
            for k in 0..self.decls.len() {
                if matches!(self.decls[k].state, State::Pending)
                    && last(self, k) == pass
                    && self.decls[k].module == 0
                    && !matches!(self.decls[k].kind, Kind::Report(_) | Kind::Constraint(_))
                {
                    self.resolve(DeclId(k), self.decls[k].span);
                }
            }
        }
    }

    /// The upper level and the followers.
    fn levels(&mut self, parts: &Parts) -> (Option<Level>, Vec<Level>) {
        let lowers = parts.levels.iter().filter(|(id, _)| id.is_lower());
        let followers = lowers.filter_map(|(id, level)| self.level(*id, level)).collect();
        let upper = parts.levels.iter().find(|(id, _)| *id == LevelId::Upper);
        let upper = upper.and_then(|(id, level)| self.level(*id, level));
        for (id, level) in &parts.levels {
            let chooses = level.items.iter().any(|i| matches!(i.kind, ItemKind::Var(_) | ItemKind::Error));
            if !chooses && self.draft.is_none() {
                let message = format!("`{}` has no variables", self.level_name(*id));
                let diagnostic = Diagnostic::error("E0220", message, level.keyword, "in this level");
                self.emit(diagnostic.help("declare what this level chooses: `var x: real[n]`"));
            }
        }
        (upper, followers)
    }

    fn reports(&mut self, parts: &Parts) -> Vec<Report> {
        let mut reports = Vec::new();
        for (name, written, id) in &parts.reports {
            if self.quotient(written).is_some() {
                continue;
            }
            let Some(value) = self.resolve(*id, name.span) else { continue };
            if value.rank() > 0 {
                let label = format!("this is {}", self.value_text(&value));
                let diagnostic = Diagnostic::error("E0221", "a report must be a scalar", written.span, label);
                self.emit(diagnostic.help("reduce it with `sum`, `mean` or `max`"));
                continue;
            }
            reports.push(Report { name: name.name.clone(), node: value.node, span: name.span });
        }
        reports
    }

    fn expects(&mut self, parts: &Parts) -> Vec<Expect> {
        let mut expects = Vec::new();
        for written in &parts.expects {
            let value = self.at(Frame::top(0, None), Reads::Solution, |c| c.expr(written));
            let Some(value) = value else { continue };
            if value.elem != Elem::Bool || value.rank() > 0 {
                let label = format!("this is {}", self.value_text(&value));
                let text = self.source_text(written.span);
                let help = match value.elem {
                    Elem::Bool => format!("write `all({text})`, or `any({text})`"),
                    _ => format!("compare it: `{text} <= …`"),
                };
                let message = "`expect` needs a single truth value";
                self.emit(Diagnostic::error("E0222", message, written.span, label).help(help));
                continue;
            }
            expects.push(Expect {
                text: self.source_text(written.span),
                node: value.node,
                span: written.span,
            });
        }
        expects
    }

    fn precision(&mut self, parts: &Parts) -> Precision {
        if let [first, second, ..] = parts.precisions.as_slice() {
            let diagnostic =
                Diagnostic::error("E0202", "`precision` is given twice", second.span, "again here");
            self.emit(diagnostic.label(first.span, "first here"));
        }
        let written = parts.precisions.first().map(|name| match name.name.as_str() {
            "f32" => Precision::F32,
            "f64" => Precision::F64,
            other => {
                let message = format!("there is no precision `{other}`");
                let diagnostic = Diagnostic::error("E0229", message, name.span, "`f64` or `f32` expected");
                self.emit(match nearest(other, ["f64", "f32"]) {
                    Some(near) => diagnostic.did_you_mean(near),
                    None => diagnostic.help("write `precision f64` or `precision f32`"),
                });
                Precision::F64
            }
        });
        self.options.precision.or(written).unwrap_or(Precision::F64)
    }

    fn solve(&mut self, solve: &ast::Solve) -> Option<Solve> {
        let mut options: Vec<(String, OptionValue, Span)> = Vec::new();
        for option in &solve.options {
            if let Some((_, _, first)) = options.iter().find(|(n, _, _)| *n == option.name.name) {
                let message = format!("the option `{}` is given twice", option.name.name);
                self.emit(
                    Diagnostic::error("E0202", message, option.name.span, "again here")
                        .label(*first, "first here"),
                );
                continue;
            }
            if let Some(value) = self.option_value(&option.value) {
                let span = Span { end: option.value.span.end, ..option.name.span };
                options.push((option.name.name.clone(), value, span));
            }
        }
        Some(Solve { method: solve.method.name.clone(), method_span: solve.method.span, options })
    }

    fn option_value(&mut self, e: &Expr) -> Option<OptionValue> {
        match &e.kind {
            ExprKind::Bool(value) => Some(OptionValue::Bool(*value)),
            ExprKind::Text(text) => Some(OptionValue::Word(text.clone())),
            ExprKind::Name(path) if path.len() == 1 && !self.is_number(&path[0].name) => {
                Some(OptionValue::Word(path[0].name.clone()))
            }
            ExprKind::Call { function, arguments }
                if super::builtins::find(&function.name).is_none()
                    && self.meaning(&function.name).is_none()
                    || arguments.iter().any(|a| a.name.is_some()) =>
            {
                let mut inner = Vec::new();
                for argument in arguments {
                    // An argument without a name, as in `power(0.5)`, has the empty name.
                    let name = argument.name.as_ref().map_or(String::new(), |n| n.name.clone());
                    inner.push((name, self.option_value(&argument.value)?));
                }
                Some(OptionValue::Call(function.name.clone(), inner))
            }
            _ => self.known_number_or("E0225", e, "an option").map(OptionValue::Number),
        }
    }

    fn is_number(&mut self, name: &str) -> bool {
        matches!(self.meaning(name), Some(Meaning::Decl(id))
            if matches!(self.decls[id.0].kind, Kind::Param(_) | Kind::Dim(_) | Kind::Let(_) | Kind::Data(_)))
    }

    fn dims_of_model(&self) -> Vec<Dim> {
        let own = self.dims.iter().filter(|d| d.alias.is_none());
        own.filter_map(|d| {
            let size = d.size?;
            let (name, labels) = (d.name.clone(), d.labels.clone());
            Some(Dim { name, size, assumed: d.assumed, counted: d.counted, labels, span: d.span })
        })
        .collect()
    }
}
