//! Calls. A function of the model is expanded at each call, in the scope of the place where it is written, with its
//! parameters bound to the elaborated arguments; so it works for every shape and inside comprehensions.

use blo_grammar::ast::{self, Argument, Expr, ExprKind, Ident, TypeExpr};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse::nearest;
use blo_grammar::span::Span;

use super::Checker;
use super::arithmetic::same_axis;
use super::messages::count;
use super::scope::{DeclId, Frame, Kind, Local, Meaning};
use super::value::{Axes, Value};
use crate::types::Elem;

/// Calls that one model may expand into. Doubling chains (`fn g(x) = f(f(x))`) pass any bound quickly.
const MAX_EXPANSIONS: usize = 50_000;

impl Checker<'_> {
    /// `f(a, b)`.
    pub fn call(&mut self, function: &Ident, arguments: &[Argument], span: Span) -> Option<Value> {
        if let Some(name) = arguments.iter().find_map(|a| a.name.as_ref()) {
            return self.error(
                "E0206",
                "arguments have no names",
                name.span,
                "only options of `solve` are given by name",
            );
        }
        let arguments: Vec<&Expr> = arguments.iter().map(|a| &a.value).collect();
        match self.meaning(&function.name) {
            Some(Meaning::Decl(id)) => match self.decls[id.0].kind.clone() {
                Kind::Fn(f) => self.expand(id, &f, function, &arguments, span),
                kind => {
                    self.decls[id.0].used = true;
                    let declared = self.decls[id.0].span;
                    self.not_a_function(function, kind.words(), Some(declared))
                }
            },
            Some(Meaning::Local(_)) => self.not_a_function(function, "a value", None),
            None => match super::builtins::find(&function.name) {
                Some(builtin) => self.builtin(&builtin, function, &arguments, span),
                None => {
                    for argument in arguments {
                        self.expr(argument);
                    }
                    self.unknown_function(function)
                }
            },
        }
    }

    fn not_a_function(&mut self, function: &Ident, words: &str, declared: Option<Span>) -> Option<Value> {
        let mut diagnostic = Diagnostic::error(
            "E0205",
            format!("`{}` is {words}, not a function", function.name),
            function.span,
            "called here",
        );
        if let Some(span) = declared {
            diagnostic = diagnostic.label(span, "declared here");
        }
        self.emit(diagnostic.help(format!("index with square brackets: `{}[…]`", function.name)));
        None
    }

    fn unknown_function(&mut self, function: &Ident) -> Option<Value> {
        let name = &function.name;
        if self.excused(name) {
            return None;
        }
        let mut diagnostic = Diagnostic::error(
            "E0205",
            format!("there is no function `{name}`"),
            function.span,
            "unknown function",
        );
        let elsewhere = self.in_another_level(name);
        let names = self.candidates();
        let own = names
            .iter()
            .filter(|n| self.modules.iter().any(|m| m.names.get(n.as_str()).is_some_and(|d| self.is_fn(*d))));
        let mut functions: Vec<&str> = own.map(String::as_str).collect();
        for name in super::builtins::names() {
            functions.push(name);
        }
        if let Some((span, level)) = elsewhere {
            diagnostic = diagnostic
                .label(span, format!("this one is local to `{level}`"))
                .help("move it to the top level, where both levels can call it");
        } else if let Some(module) = super::modules::module_with(name) {
            let line = format!("use {module} ({name})");
            diagnostic = diagnostic.help(format!("`{name}` is in `{module}`: add `{line}`"));
            if function.span.file == self.main_file() {
                let start = Span::new(function.span.file, 0, 0);
                diagnostic = diagnostic.edit(start, format!("{line}\n"));
            }
        } else if let Some(near) = nearest(name, functions) {
            diagnostic = diagnostic.did_you_mean(near);
        } else if let Some((module, near)) = super::modules::near_function(name) {
            diagnostic =
                diagnostic.help(format!("did you mean `{near}` of `{module}`? Add `use {module} ({near})`"));
        }
        self.emit(diagnostic);
        None
    }

    fn is_fn(&self, id: DeclId) -> bool {
        matches!(self.decls[id.0].kind, Kind::Fn(_))
    }

    fn expand(
        &mut self,
        id: DeclId,
        f: &ast::Fn,
        function: &Ident,
        arguments: &[&Expr],
        span: Span,
    ) -> Option<Value> {
        self.decls[id.0].used = true;
        let values: Vec<Option<Value>> = arguments.iter().map(|e| self.expr(e)).collect();
        if values.len() != f.params.len() {
            let diagnostic = Diagnostic::error(
                "E0206",
                format!("`{}` takes {}", f.name.name, count(f.params.len(), "argument")),
                function.span,
                format!("{} given", values.len()),
            );
            self.emit(diagnostic.label(f.name.span, "defined here"));
            return None;
        }
        if self.frames.iter().any(|frame| frame.function == Some(id)) {
            let diagnostic = Diagnostic::error(
                "E0218",
                format!("`{}` calls itself", f.name.name),
                function.span,
                "called again here",
            );
            self.emit_plain(
                diagnostic.label(f.name.span, "defined here").note("functions are expanded at each call"),
            );
            return None;
        }
        if self.expansions == MAX_EXPANSIONS {
            let outermost = self.calls().first().map_or(span, |(_, span)| *span);
            let label = format!("more than {MAX_EXPANSIONS} calls up to here");
            return self.too_far("functions expand into too many calls", outermost, &label);
        }
        self.expansions += 1;
        let decl = &self.decls[id.0];
        let mut frame = Frame::top(decl.module, decl.level);
        frame.call = Some((f.name.name.clone(), span));
        frame.function = Some(id);
        self.frames.push(frame);
        let result = self.body(f, values, arguments);
        self.frames.pop();
        result
    }

    fn body(&mut self, f: &ast::Fn, values: Vec<Option<Value>>, arguments: &[&Expr]) -> Option<Value> {
        let mut good = true;
        for (((name, ty), value), argument) in f.params.iter().zip(values).zip(arguments) {
            let value = match (ty, value) {
                (Some(ty), Some(value)) => self.accept(name, ty, value, argument.span),
                (_, value) => value,
            };
            good &= value.is_some();
            self.bind(name, Local::Value(value), 0);
        }
        // With a bad argument the body's complaints would only repeat it.
        let result = if good { self.expr(&f.body)? } else { return None };
        match &f.result {
            None => Some(result),
            Some(ty) => {
                let expected = self.type_of(ty)?;
                self.conform(result, &expected, ty.span, f.body.span)
            }
        }
    }

    /// An argument against its parameter's type. Names of dimensions that mean nothing yet are bound to the argument's.
    fn accept(&mut self, name: &Ident, ty: &TypeExpr, value: Value, span: Span) -> Option<Value> {
        let elem = self.element(ty)?;
        if ty.dims.len() != value.rank() {
            return self.type_differs(&value, &self.source_text(ty.span), ty.span, span, Some(name));
        }
        let mut shape = Axes::new();
        for (dim, axis) in ty.dims.iter().zip(&value.shape) {
            if let ExprKind::Name(path) = &dim.kind
                && let [dim_name] = path.as_slice()
                && self.meaning(&dim_name.name).is_none()
            {
                self.frame().locals.push((dim_name.name.clone(), Local::Dim(*axis)));
                shape.push(*axis);
                continue;
            }
            shape.push(self.dimension(dim)?);
        }
        self.conform_named(value, &(elem, shape), ty.span, span, Some(name))
    }

    /// A value against a type: whole numbers widen, shapes must agree.
    pub fn conform(&mut self, value: Value, expected: &(Elem, Axes), ty: Span, span: Span) -> Option<Value> {
        self.conform_named(value, expected, ty, span, None)
    }

    fn conform_named(
        &mut self,
        value: Value,
        (elem, shape): &(Elem, Axes),
        ty: Span,
        span: Span,
        name: Option<&Ident>,
    ) -> Option<Value> {
        let fits = value.elem == *elem || (value.elem == Elem::Int && *elem == Elem::Real);
        let axes: Option<Axes> = if value.rank() == shape.len() {
            // The declared names win over those of the value.
            value.shape.iter().zip(shape).map(|(v, s)| same_axis(s, v)).collect()
        } else {
            None
        };
        let Some(axes) = axes.filter(|_| fits) else {
            let wanted = self.type_text(elem.name(), shape);
            return self.type_differs(&value, &wanted, ty, span, name);
        };
        let value = if value.elem == *elem { value } else { self.real(&value) };
        Some(Value { shape: axes, ..value })
    }

    fn type_differs(
        &mut self,
        value: &Value,
        wanted: &str,
        ty: Span,
        span: Span,
        name: Option<&Ident>,
    ) -> Option<Value> {
        let what = name.map_or("the declared type".to_owned(), |n| format!("the parameter `{}`", n.name));
        let found = self.value_text(value);
        let code = if wanted.starts_with(value.elem.name()) { "E0203" } else { "E0204" };
        let diagnostic = Diagnostic::error(
            code,
            format!("{what} is {wanted}, found {found}"),
            span,
            format!("this is {found}"),
        )
        .label(ty, format!("{wanted} expected"));
        self.emit(diagnostic);
        None
    }
}
