//! Dimensions and declared types. A dimension's size comes from its declaration or from the first datum that mentions it;
//! without any data bound it is made up, so that shapes are still checked by name.

use std::rc::Rc;

use blo_grammar::ast::{DimValue, Expr, ExprKind, Ident, TypeExpr};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse::nearest;
use blo_grammar::span::Span;

use super::scope::{DeclId, Frame, Kind, Local, Meaning, Reads};
use super::value::{Axes, Axis, DimId};
use super::{Checker, DimState};
use crate::ir::eval::fits_memory;
use crate::types::Elem;

/// Sizes for dimensions without data: distinct primes, so that made-up sizes do not agree by accident.
static ASSUMED: &[usize] = &[
    997, 1009, 1013, 1019, 1021, 1031, 1033, 1039, 1049, 1051, 1061, 1063, 1069, 1087, 1091, 1093, 1097,
    1103, 1109, 1117, 1123, 1129, 1151, 1153, 1163, 1171, 1181, 1187, 1193, 1201,
];

impl Checker<'_> {
    /// Adds a dimension without working out its size.
    pub fn add_dim(&mut self, name: &Ident, value: Option<DimValue>, module: usize) -> DimId {
        let id = DimId(self.dims.len());
        self.dims.push(DimState {
            name: name.name.clone(),
            span: name.span,
            value: value.map(Rc::new),
            module,
            alias: None,
            size: None,
            assumed: false,
            labels: None,
            origin: None,
            active: false,
            counted: false,
        });
        id
    }

    /// The axis that a dimension is, its size worked out on first use.
    pub fn dim_axis(&mut self, id: DimId) -> Option<Axis> {
        if let Some(alias) = self.dims[id.0].alias {
            return self.dim_axis(alias);
        }
        if let Some(size) = self.dims[id.0].size {
            return Some(Axis { size, dim: Some(id), assumed: self.dims[id.0].assumed });
        }
        if self.dims[id.0].active {
            let dim = &self.dims[id.0];
            let message = format!("the size of `{}` depends on itself", dim.name);
            self.emit_plain(Diagnostic::error("E0216", message, dim.span, "declared here"));
            return None;
        }
        self.dims[id.0].active = true;
        let found = match self.dims[id.0].value.clone() {
            Some(value) => {
                let frame = Frame::top(self.dims[id.0].module, None);
                self.at(frame, Reads::Data("a dimension"), |c| c.declared_size(id, &value))
            }
            None => self.inferred_size(id),
        };
        self.dims[id.0].active = false;
        found?;
        self.dim_axis(id)
    }

    fn declared_size(&mut self, id: DimId, value: &DimValue) -> Option<()> {
        let name = self.dims[id.0].name.clone();
        let (e, given) = match (self.overrides.get(&name).cloned(), value) {
            (Some(e), _) => (e, "set on the command line"),
            (None, DimValue::Size(e)) => (e.clone(), "declared here"),
            (None, DimValue::Labels(labels)) => {
                let span = self.dims[id.0].span;
                self.dims[id.0].labels = Some(labels.iter().map(|(l, _)| l.clone()).collect());
                for (k, (label, at)) in labels.iter().enumerate() {
                    if let Some((_, first)) = labels[..k].iter().find(|(l, _)| l == label) {
                        let diagnostic = Diagnostic::error(
                            "E0202",
                            format!("the label \"{label}\" occurs twice"),
                            *at,
                            "again here",
                        );
                        self.emit(diagnostic.label(*first, "first here"));
                    }
                }
                return self.set_size(id, labels.len(), span, format!("{} labels", labels.len()));
            }
        };
        if let ExprKind::Name(path) = &e.kind
            && let [other] = path.as_slice()
            && let Some(Meaning::Decl(decl)) = self.meaning(&other.name)
            && let Kind::Dim(other) = self.decls[decl.0].kind
        {
            self.decls[decl.0].used = true;
            self.dim_axis(other)?;
            self.dims[id.0].alias = Some(other);
            return Some(());
        }
        let (size, assumed) = self.size(&e, &format!("the size of `{name}`"))?;
        self.dims[id.0].assumed = assumed;
        self.set_size(id, size, e.span, given.to_owned())
    }

    fn inferred_size(&mut self, id: DimId) -> Option<()> {
        let name = self.dims[id.0].name.clone();
        let mut mentioned = false;
        for k in 0..self.decls.len() {
            let Kind::Data(data) = self.decls[k].kind.clone() else { continue };
            if !data.ty.dims.iter().any(|e| is_name(e, &name)) {
                continue;
            }
            mentioned = true;
            self.learn_sizes(DeclId(k), &data);
            if self.dims[id.0].size.is_some() {
                return Some(());
            }
        }
        let span = self.dims[id.0].span;
        let failed = self.has_errors();
        if mentioned && (failed || !self.options.need_data) {
            let size =
                ASSUMED[self.assumed_count % ASSUMED.len()] + 1200 * (self.assumed_count / ASSUMED.len());
            self.assumed_count += 1;
            self.dims[id.0].assumed = true;
            return self.set_size(id, size, span, "no data bound".to_owned());
        }
        let diagnostic =
            Diagnostic::error("E0208", format!("nothing gives `{name}` a size"), span, "declared here")
                .help(format!("write `dim {name} = …`, or bind data with a dimension `{name}`"));
        self.emit_plain(diagnostic);
        None
    }

    /// Fixes a size that was not known.
    fn set_size(&mut self, id: DimId, size: usize, span: Span, origin: String) -> Option<()> {
        self.dims[id.0].size = Some(size);
        self.dims[id.0].origin = Some((span, origin));
        Some(())
    }

    /// Takes note of the size that a datum gives a dimension; a second, different size is an error at both places.
    pub fn learn_size(&mut self, dim: &Ident, size: usize, span: Span, origin: &str) -> Option<()> {
        let Some(Meaning::Decl(decl)) = self.meaning(&dim.name) else { return Some(()) };
        let Kind::Dim(id) = self.decls[decl.0].kind else { return Some(()) };
        let declared = self.dims[id.0].value.is_some();
        if !declared && self.dims[id.0].size.is_none() {
            return self.set_size(id, size, span, origin.to_owned());
        }
        let axis = self.dim_axis(id)?;
        if axis.size == size {
            return Some(());
        }
        let target = axis.dim.unwrap_or(id);
        let mut diagnostic = Diagnostic::error(
            "E0207",
            format!("`{}` is {} in one place and {size} in another", dim.name, axis.size),
            dim.span,
            format!("{size} from {origin}"),
        );
        if let Some((first, words)) = self.dims[target.0].origin.clone() {
            diagnostic = diagnostic.label(first, format!("{} from {words}", axis.size));
        }
        self.emit(diagnostic);
        None
    }

    /// The axis that a dimension written as an expression makes: a dimension's name, or a size.
    pub fn dimension(&mut self, e: &Expr) -> Option<Axis> {
        if let ExprKind::Name(path) = &e.kind
            && let [name] = path.as_slice()
        {
            match self.meaning(&name.name) {
                Some(Meaning::Local(Local::Dim(axis))) => return Some(axis),
                Some(Meaning::Decl(decl)) => {
                    if let Kind::Dim(id) = self.decls[decl.0].kind {
                        self.decls[decl.0].used = true;
                        return self.dim_axis(id);
                    }
                }
                None => return self.unknown_dimension(name),
                Some(Meaning::Local(_)) => {}
            }
        }
        let (size, assumed) = self.size(e, "a size")?;
        Some(Axis { size, dim: None, assumed })
    }

    fn unknown_dimension(&mut self, name: &Ident) -> Option<Axis> {
        if self.excused(&name.name) {
            return None;
        }
        let dims: Vec<String> = self.dims.iter().map(|d| d.name.clone()).collect();
        let mut diagnostic = Diagnostic::error(
            "E0201",
            format!("there is no dimension `{}`", name.name),
            name.span,
            "unknown dimension",
        );
        diagnostic = match nearest(&name.name, dims.iter().map(String::as_str)) {
            Some(near) => diagnostic.did_you_mean(near),
            None => diagnostic.help(format!("declare `dim {} = …`, or give data that have it", name.name)),
        };
        self.emit(diagnostic);
        None
    }

    /// A declared element type.
    pub fn element(&mut self, ty: &TypeExpr) -> Option<Elem> {
        if let Some(span) = ty.sparse {
            let message = "only data are sparse";
            let diagnostic = Diagnostic::error("E0204", message, span, "not declared by `data`");
            self.emit(
                diagnostic.help("leave out `sparse`; sparse data are declared `data A: sparse real[n, d]`"),
            );
            return None;
        }
        match ty.element.name.as_str() {
            "real" => Some(Elem::Real),
            "int" => Some(Elem::Int),
            "bool" => Some(Elem::Bool),
            other => {
                let mut diagnostic = Diagnostic::error(
                    "E0204",
                    format!("there is no type `{other}`"),
                    ty.element.span,
                    "`real`, `int` or `bool` expected",
                );
                let near = match other {
                    "float" | "double" | "f64" | "f32" | "number" | "Float64" => Some("real"),
                    "integer" | "i64" | "i32" | "Int" => Some("int"),
                    "boolean" | "logical" => Some("bool"),
                    _ => nearest(other, ["real", "int", "bool"]),
                };
                if let Some(near) = near {
                    diagnostic = diagnostic.did_you_mean(near);
                } else if let "binary" = other {
                    diagnostic = diagnostic.help("0 or 1 is declared `int in 0..2`");
                } else if let "vector" | "matrix" | "array" | "tensor" = other {
                    diagnostic =
                        diagnostic.help("the axes stand behind the element type: `real[n]`, `real[n, m]`");
                }
                self.emit(diagnostic);
                None
            }
        }
    }

    /// A declared type with its axes.
    pub fn type_of(&mut self, ty: &TypeExpr) -> Option<(Elem, Axes)> {
        let elem = self.element(ty);
        let axes: Vec<Option<Axis>> = ty.dims.iter().map(|e| self.dimension(e)).collect();
        let axes = axes.into_iter().collect::<Option<Axes>>()?;
        let known = axes.iter().filter(|a| !a.assumed);
        if !fits_memory(known.fold(1, |len: usize, a| len.saturating_mul(a.size))) {
            let sizes: Vec<String> = axes.iter().map(|a| a.size.to_string()).collect();
            let label = format!("{} numbers do not fit into memory", sizes.join(" × "));
            return self.error("E0235", "an array is too large", ty.span, label);
        }
        Some((elem?, axes))
    }
}

/// Whether an expression is just this name.
pub fn is_name(e: &Expr, name: &str) -> bool {
    matches!(&e.kind, ExprKind::Name(path) if matches!(path.as_slice(), [n] if n.name == name))
}
