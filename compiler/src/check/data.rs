//! Values of data and parameters: where they come from, and whether they are what was declared.

use std::sync::Arc;

use blo_grammar::ast::{self, DataSource, DomainKind, ExprKind};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::Checker;
use super::arithmetic::{join, same_axis};
use super::scope::{DeclId, Frame, Kind, Meaning, Param, Reads};
use super::value::{Axes, Loops, Value};
use crate::ir::eval::Array;
use crate::ir::graph::Role;
use crate::model::Data;
use crate::session::{DataError, DataRequest, Labels, Phase, Tensor};
use crate::types::{Elem, Type};

/// Values with the words for where they come from; no values after a failure that was reported, or when none are bound.
pub type Sourced = (Option<Arc<Array>>, String);

impl Checker<'_> {
    /// A `data` declaration as a graph input with its values.
    pub fn datum(&mut self, id: DeclId, data: &ast::Data) -> Option<Value> {
        if data.ty.sparse.is_some() {
            return self.sparse_datum(id, data);
        }
        let elem = self.element(&data.ty)?;
        let (values, origin) = self.fetch(id, data, elem);
        // After a failure the declared shape still serves to check the rest.
        let shape: Axes = data
            .ty
            .dims
            .iter()
            .map(|e| self.dimension(e))
            .collect::<Vec<_>>()
            .into_iter()
            .collect::<Option<_>>()?;
        let spread =
            |array: Arc<Array>| if array.ndim() == 0 { repeat(&array, &shape).into() } else { array };
        let mut values = values.map(spread);
        // Values that were refused are not looked at again, so that nothing complains of what follows from them.
        values.take_if(|array| !self.inspect(data, elem, array, &origin));
        if let (Some(domain), None) = (&data.domain, &values) {
            self.data_range(domain);
        }
        let span = self.decls[id.0].span;
        let added = self.add_data(&data.name.name, elem, shape, values, span);
        if let Some(range) = self.closed_range(data, elem)
            && let Some(datum) = self.data.last_mut()
        {
            datum.range = range;
        }
        Some(added)
    }

    /// Adds a datum with its input.
    pub fn add_data(
        &mut self,
        name: &str,
        elem: Elem,
        shape: Axes,
        value: Option<Arc<Array>>,
        span: Span,
    ) -> Value {
        let ty = Type::new(elem, shape.iter().map(|a| a.size));
        let (input, node) = self.graph.add_input(name, Role::Data, ty);
        if let Some(array) = &value {
            self.bindings.set(input, array.clone());
        }
        let dims = shape.iter().map(|a| a.dim.map(|d| self.dims[d.0].name.clone())).collect();
        self.data.push(Data::new(name, input, value, dims, span));
        self.value(node, Loops::new(), shape)
    }

    /// The values of a datum, which may give sizes to its dimensions; does not ask for sizes of its own.
    pub fn learn_sizes(&mut self, id: DeclId, data: &ast::Data) {
        self.at(Frame::top(0, None), Reads::Data("data"), |c| {
            if data.ty.sparse.is_some() {
                return c.learn_sparse_sizes(id, data);
            }
            let Some(elem) = c.element(&data.ty) else { return };
            match data.source {
                Some(DataSource::Random(_)) => c.outside(id, data, elem).map_or((), drop),
                _ => drop(c.fetch(id, data, elem)),
            }
        });
    }

    /// The values, by the first source that has some: the loader, then the declaration. Found once and kept.
    fn fetch(&mut self, id: DeclId, data: &ast::Data, elem: Elem) -> Sourced {
        match self.fetched.get(&id.0) {
            Some(Some(known)) => return known.clone(),
            Some(None) => {
                self.circle(id, data.name.span);
                return (None, String::new());
            }
            None => {}
        }
        self.fetched.insert(id.0, None);
        let found = match self.outside(id, data, elem) {
            Some(found) => found,
            None => self.inside(data, elem),
        };
        self.fetched.insert(id.0, Some(found.clone()));
        found
    }

    /// What the loader has: values, or a failure that was reported; `None` when nothing is bound.
    fn outside(&mut self, id: DeclId, data: &ast::Data, elem: Elem) -> Option<Sourced> {
        if let Some(known) = self.outside.get(&id.0) {
            return known.clone();
        }
        let found = self.load(data, elem);
        self.outside.insert(id.0, found.clone());
        found
    }

    /// What the loader is asked for a datum.
    pub fn request<'d>(&mut self, data: &'d ast::Data, elem: Elem) -> DataRequest<'d> {
        DataRequest {
            name: &data.name.name,
            elem,
            rank: data.ty.dims.len(),
            file: match &data.source {
                Some(DataSource::File { path, .. }) => Some(path.as_str()),
                _ => None,
            },
            sizes: data.ty.dims.iter().map(|e| self.size_so_far(e)).collect(),
            labels: data.ty.dims.iter().map(|e| self.labels_of(e)).collect(),
        }
    }

    fn load(&mut self, data: &ast::Data, elem: Elem) -> Option<Sourced> {
        let request = self.request(data, elem);
        self.loader.observer().begins(Phase::Read);
        let found = self.loader.data(&request);
        self.loader.observer().begins(Phase::Check);
        match found {
            Ok(None) => None,
            Ok(Some(tensor)) => {
                let origin = tensor.origin.clone();
                Some((self.accept_tensor(data, elem, tensor).map(Arc::new), origin))
            }
            Err(error) => {
                self.not_loaded(data, error);
                Some((None, String::new()))
            }
        }
    }

    /// Reports what the loader could not read.
    pub fn not_loaded(&mut self, data: &ast::Data, error: DataError) {
        let file = match &data.source {
            Some(DataSource::File { span, .. }) => Some(*span),
            _ => None,
        };
        let at = file.unwrap_or(data.name.span);
        let mut diagnostic = if self.options.need_data {
            Diagnostic::error("E0210", error.message, at, format!("wanted for `{}`", data.name.name))
        } else {
            Diagnostic::warning("W0203", error.message, at, "not read; shapes are checked by name")
        };
        diagnostic.help = error.help.or_else(|| {
            let name = &data.name.name;
            file.map(|_| {
                format!("paths start from the model's folder; bind another file with `--data {name}=FILE`")
            })
        });
        self.emit(diagnostic);
    }

    /// The values that the declaration itself gives.
    pub fn inside(&mut self, data: &ast::Data, elem: Elem) -> Sourced {
        match &data.source {
            Some(DataSource::Value(e)) => {
                (self.computed(data, elem, e).map(Arc::new), "its value".to_owned())
            }
            Some(DataSource::Random(random)) => {
                (self.drawn(data, elem, random).map(Arc::new), "its distribution".to_owned())
            }
            Some(DataSource::File { .. }) | None => {
                if self.options.need_data {
                    let name = &data.name.name;
                    let diagnostic = Diagnostic::error(
                        "E0209",
                        format!("`{name}` has no values"),
                        data.name.span,
                        "declared here",
                    )
                    .help(format!("bind it on the command line: `--data {name}=FILE`"));
                    self.emit(diagnostic);
                }
                (None, String::new())
            }
        }
    }

    /// `data x: T ~ normal(0, 1)`.
    fn drawn(&mut self, data: &ast::Data, elem: Elem, random: &ast::Random) -> Option<Array> {
        let (draw, ty) = (self.distribution(random), self.type_of(&data.ty));
        let (draw, (_, shape)) = (draw?, ty?);
        if elem != Elem::Real {
            let label = format!("this is {}", elem.name());
            let diagnostic = Diagnostic::error("E0204", "random data are real", data.ty.element.span, label);
            self.emit(diagnostic.help("declare them `real`").edit(data.ty.element.span, "real"));
            return None;
        }
        if shape.iter().any(|a| a.assumed) {
            return None;
        }
        let sizes: Vec<usize> = shape.iter().map(|a| a.size).collect();
        Some(draw.array(&sizes, self.options.seed, &data.name.name))
    }

    /// The size of a declared dimension, if it is known without reading more data.
    fn size_so_far(&mut self, e: &ast::Expr) -> Option<usize> {
        if let ExprKind::Name(path) = &e.kind
            && let Some(Meaning::Decl(decl)) = self.meaning(&path[0].name)
            && let Kind::Dim(id) = self.decls[decl.0].kind
            && self.dims[id.0].value.is_none()
        {
            return self.dims[id.0].size;
        }
        self.dimension(e).filter(|a| !a.assumed).map(|a| a.size)
    }

    /// The labels of a declared dimension.
    fn labels_of(&mut self, e: &ast::Expr) -> Option<Labels> {
        let ExprKind::Name(path) = &e.kind else { return None };
        let Some(Meaning::Decl(decl)) = self.meaning(&path[0].name) else { return None };
        let Kind::Dim(id) = self.decls[decl.0].kind else { return None };
        self.dims[id.0].value.as_ref()?;
        let own = self.dim_axis(id)?.dim?;
        let dim = &self.dims[own.0];
        Some(Labels { dim: dim.name.clone(), names: dim.labels.clone()? })
    }

    /// Values from outside, against the declared type.
    fn accept_tensor(&mut self, data: &ast::Data, elem: Elem, tensor: Tensor) -> Option<Array> {
        let (name, origin) = (&data.name.name, &tensor.origin);
        let sizes = tensor.values.shape().to_vec();
        if sizes.len() != data.ty.dims.len() {
            let diagnostic = Diagnostic::error(
                "E0210",
                format!(
                    "`{name}` is declared with {} and {origin} has {}",
                    axes(data.ty.dims.len()),
                    axes(sizes.len())
                ),
                data.ty.span,
                format!("{origin} holds {}[{}]", tensor.elem.name(), list(&sizes)),
            );
            self.emit(diagnostic);
            return None;
        }
        if let Some(axis) = sizes.iter().position(|s| *s == 0) {
            let label = format!("axis {axis} of {origin} has no elements");
            return self.error("E0210", format!("`{name}` is empty"), data.ty.dims[axis].span, label);
        }
        self.sizes_agree(data, &sizes, origin)?;
        self.element_fits(data, elem, &tensor.values, origin)?;
        Some(tensor.values)
    }

    /// Gives sizes to dimensions that had none, and compares the others.
    pub fn sizes_agree(&mut self, data: &ast::Data, sizes: &[usize], origin: &str) -> Option<()> {
        let mut good = true;
        for (e, &size) in data.ty.dims.iter().zip(sizes) {
            if let ExprKind::Name(path) = &e.kind
                && let Some(Meaning::Decl(decl)) = self.meaning(&path[0].name)
                && matches!(self.decls[decl.0].kind, Kind::Dim(_))
            {
                self.decls[decl.0].used = true;
                good &= self.learn_size(&path[0], size, data.name.span, origin).is_some();
                continue;
            }
            match self.dimension(e) {
                Some(axis) if axis.size != size => {
                    let message = format!("`{}` does not have the declared size", data.name.name);
                    let label = format!("{} declared here, and {origin} has {size}", axis.size);
                    self.error::<()>("E0207", message, e.span, label);
                    good = false;
                }
                Some(_) => {}
                None => good = false,
            }
        }
        good.then_some(())
    }

    /// Whole numbers and truth values where the type says so.
    fn element_fits(&mut self, data: &ast::Data, elem: Elem, values: &Array, origin: &str) -> Option<()> {
        let fits = |x: f64| match elem {
            Elem::Real => true,
            Elem::Int => x.fract() == 0.0 && x.abs() < 9e15,
            Elem::Bool => x == 0.0 || x == 1.0,
        };
        let Some((at, value)) = find(values, |x| !fits(x)) else { return Some(()) };
        if value.is_nan() || value.is_infinite() {
            return self.not_finite(data, &at, value, origin);
        }
        let message = format!("`{}` is {} and {origin} holds {value}", data.name.name, elem.name());
        self.error("E0210", message, data.ty.element.span, format!("{}{at} is {value}", data.name.name))
    }

    pub fn not_finite<T>(&mut self, data: &ast::Data, at: &str, value: f64, origin: &str) -> Option<T> {
        let name = &data.name.name;
        let diagnostic = Diagnostic::error(
            "E0211",
            format!("`{name}` holds {value}"),
            data.name.span,
            format!("{name}{at} is {value}"),
        )
        .note(format!("the values come from {origin}"));
        self.emit(diagnostic);
        None
    }

    /// Whether no value is one that no model can use, or outside the declared range.
    fn inspect(&mut self, data: &ast::Data, elem: Elem, array: &Array, origin: &str) -> bool {
        if elem == Elem::Real
            && let Some((at, value)) = find(array, |x| !x.is_finite())
        {
            self.not_finite::<()>(data, &at, value, origin);
            return false;
        }
        let Some(domain) = data.domain.as_ref() else { return true };
        let Some((low, high, open)) = self.data_range(domain) else { return false };
        let bounds = Bounds { low, high, open };
        if let Some((at, value)) = find(array, |x| bounds.exclude(x)) {
            self.outside_range(data, domain, &at, value, bounds, origin);
            return false;
        }
        true
    }

    /// Reports a value outside the declared range; `at` is its index in brackets.
    pub fn outside_range(
        &mut self,
        data: &ast::Data,
        domain: &ast::Domain,
        at: &str,
        value: f64,
        Bounds { low, high, open }: Bounds,
        origin: &str,
    ) {
        let name = &data.name.name;
        let diagnostic = Diagnostic::error(
            "E0212",
            format!("`{name}` holds a value outside its range"),
            domain.span,
            format!("{name}{at} is {value}"),
        )
        .note(format!("the values come from {origin}"));
        let diagnostic = if open && value == high && low == 0.0 {
            diagnostic.help("labels count from 0: subtract 1, or widen the range")
        } else {
            diagnostic
        };
        self.emit(diagnostic);
    }

    /// The smallest and largest value of a datum's range.
    fn closed_range(&mut self, data: &ast::Data, elem: Elem) -> Option<[f64; 2]> {
        let (low, high, open) = self.data_range(data.domain.as_ref()?)?;
        // Only ranges of whole numbers are open.
        Some([low, if open && elem == Elem::Int { high - 1.0 } else { high }])
    }

    /// The ends of a datum's range, and whether the upper one is excluded.
    pub fn data_range(&mut self, domain: &ast::Domain) -> Option<(f64, f64, bool)> {
        match &domain.kind {
            DomainKind::Range(a, b) => {
                let (a, b) = (
                    self.whole_number(a, "the start of a range"),
                    self.whole_number(b, "the end of a range"),
                );
                let ((a, _), (b, assumed)) = (a?, b?);
                Some((a as f64, if assumed { f64::INFINITY } else { b as f64 }, true))
            }
            DomainKind::Interval(a, b) => {
                let (a, b) = (self.known_number(a, "a bound"), self.known_number(b, "a bound"));
                Some((a?, b?, false))
            }
            DomainKind::Named { name, .. } if name.name == "nonneg" => Some((0.0, f64::INFINITY, false)),
            DomainKind::Named { name, .. } => self.error(
                "E0223",
                format!("data cannot be declared in `{}`", name.name),
                name.span,
                "`a..b`, `[lo, hi]` or `nonneg` expected",
            ),
        }
    }

    /// `data x: T = e`.
    fn computed(&mut self, data: &ast::Data, elem: Elem, e: &ast::Expr) -> Option<Array> {
        let plain = match &e.kind {
            ExprKind::Array(items) => self.plain_array(items),
            _ => None,
        };
        let origin = "its value";
        if let Some((array, found)) = plain {
            if array.ndim() != data.ty.dims.len() {
                let message = format!("`{}` is declared with {}", data.name.name, axes(data.ty.dims.len()));
                let diagnostic =
                    Diagnostic::error("E0203", message, e.span, format!("this has {}", axes(array.ndim())));
                self.emit(diagnostic.label(data.ty.span, "declared here"));
                return None;
            }
            self.elements_agree(data, elem, found, e.span)?;
            self.sizes_agree(data, array.shape(), origin)?;
            return Some(array);
        }
        let value = self.expr(e)?;
        self.elements_agree(data, elem, value.elem, e.span)?;
        if value.rank() == 0 {
            return self.known_array(&value);
        }
        if value.rank() != data.ty.dims.len() {
            let message = format!("`{}` is declared with {}", data.name.name, axes(data.ty.dims.len()));
            let diagnostic =
                Diagnostic::error("E0203", message, e.span, format!("this is {}", self.value_text(&value)));
            self.emit(diagnostic.label(data.ty.span, "declared here"));
            return None;
        }
        let sizes: Vec<usize> = value.shape.iter().map(|a| a.size).collect();
        self.sizes_agree(data, &sizes, origin)?;
        let (_, declared) = self.type_of(&data.ty)?;
        if let Some(k) = (0..sizes.len()).find(|&k| same_axis(&declared[k], &value.shape[k]).is_none()) {
            let label = format!("dimension {k} is {}", self.axis_text(&value.shape[k]));
            let message = format!("the value of `{}` does not have the declared shape", data.name.name);
            let diagnostic = Diagnostic::error("E0203", message, e.span, label)
                .label(data.ty.dims[k].span, format!("{} expected", self.axis_text(&declared[k])));
            self.emit(diagnostic);
            return None;
        }
        self.known_array(&value)
    }

    fn elements_agree(&mut self, data: &ast::Data, declared: Elem, found: Elem, span: Span) -> Option<()> {
        if found == declared || (declared == Elem::Real && found == Elem::Int) {
            return Some(());
        }
        let message =
            format!("`{}` is {}, and its value is {}", data.name.name, declared.name(), found.name());
        let diagnostic = Diagnostic::error("E0204", message, span, format!("this is {}", found.name()));
        let help = match (declared, found) {
            (Elem::Int, Elem::Real) => "declare it `real`, or write whole numbers",
            (_, Elem::Bool) => "declare it `bool`, or write numbers",
            (Elem::Bool, _) => "truth values are `true` and `false`",
            _ => "declare it with the type of its value",
        };
        self.emit(diagnostic.label(data.ty.element.span, "declared here").help(help));
        None
    }

    /// A parameter without a type keeps the axes of its value in the model, so that a slip on the command line is found there.
    fn keeps_axes(&mut self, param: &Param, given: &Value, span: Span) -> Option<()> {
        let Some(written) = &param.value else { return Some(()) };
        let own = self.expr(written)?;
        if own.rank() == given.rank() {
            return Some(());
        }
        let message = format!("`{}` is {} in the model", param.name.name, self.value_text(&own));
        let label = format!("this is {}", self.value_text(given));
        self.emit(Diagnostic::error("E0203", message, span, label).label(written.span, "its value there"));
        None
    }

    /// `param name: T = e`; whole scalars stay constants, so that they can be sizes.
    pub fn param(&mut self, param: &Param) -> Option<Value> {
        let name = &param.name;
        let written = self.overrides.get(&name.name).cloned().or_else(|| param.value.clone());
        let Some(e) = written else {
            let diagnostic = Diagnostic::error(
                "E0209",
                format!("`{}` has no value", name.name),
                name.span,
                "declared here",
            );
            self.emit(diagnostic.help(format!("set it on the command line: `--set {}=VALUE`", name.name)));
            return None;
        };
        let mut value = self.expr(&e)?;
        if param.ty.is_none() && self.overrides.contains_key(&name.name) {
            self.keeps_axes(param, &value, e.span)?;
        }
        if let Some(ty) = &param.ty {
            let expected = self.type_of(ty)?;
            if value.rank() == 0 && join(&expected.1, &value.shape).is_some() && !expected.1.is_empty() {
                let node = self.spread(&value, &Loops::new(), &expected.1);
                value = self.value(node, Loops::new(), expected.1.clone());
            }
            value = self.conform(value, &expected, ty.span, e.span)?;
        }
        if value.constant().is_some() && value.elem == Elem::Int {
            return Some(value);
        }
        let array = self.known_array(&value);
        if let Some((at, bad)) = array.as_ref().and_then(|a| find(a, f64::is_nan)) {
            return self.error(
                "E0211",
                format!("`{}` holds {bad}", name.name),
                e.span,
                format!("{}{at}", name.name),
            );
        }
        Some(self.add_data(&name.name, value.elem, value.shape, array.map(Arc::new), name.span))
    }
}

/// The range of a datum.
#[derive(Clone, Copy)]
pub struct Bounds {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Whether the upper end is left out.
    pub open: bool,
}

impl Bounds {
    /// Whether a value lies outside.
    pub fn exclude(self, x: f64) -> bool {
        x < self.low || x > self.high || (self.open && x >= self.high)
    }
}

/// `1 axis`, `2 axes`.
pub fn axes(number: usize) -> String {
    match number {
        0 => "no axes".to_owned(),
        1 => "1 axis".to_owned(),
        n => format!("{n} axes"),
    }
}

fn list(sizes: &[usize]) -> String {
    sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

fn repeat(array: &Array, shape: &Axes) -> Array {
    let sizes: Vec<usize> = shape.iter().map(|a| a.size).collect();
    Array::from_elem(sizes, array.iter().next().copied().unwrap_or(0.0))
}

/// The first element with a property, and its index in brackets.
fn find(array: &Array, bad: impl Fn(f64) -> bool) -> Option<(String, f64)> {
    // Large arrays are all good as a rule: a plain pass that asks block by block, and the index only for the one that is not.
    let none = match array.as_slice() {
        Some(values) => values.chunks(1024).all(|block| !block.iter().fold(false, |any, x| any | bad(*x))),
        None => !array.iter().any(|x| bad(*x)),
    };
    if none {
        return None;
    }
    let (index, value) = array.indexed_iter().find(|(_, x)| bad(**x))?;
    let index: Vec<usize> = (0..array.ndim()).map(|k| index[k]).collect();
    let text = if index.is_empty() { String::new() } else { format!("[{}]", list(&index)) };
    Some((text, *value))
}
