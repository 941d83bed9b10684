//! Calls. A function of the model is expanded at each call, in the scope of the place where it is written, with its
//! parameters bound to the elaborated arguments; so it works for every shape and inside comprehensions.

use blo_grammar::ast::{self, Argument, Expr, ExprKind, Ident, TypeExpr};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse::nearest;
use blo_grammar::span::Span;

use super::Checker;
use super::arithmetic::same_axis;
use super::habits;
use super::messages::count;
use super::scope::{DeclId, Expansion, Frame, Function, Kind, Local, Meaning};
use super::value::{Axes, Value};
use crate::types::Elem;

/// Calls that one model may expand into. Doubling chains (`fn g(x) = f(f(x))`) pass any bound quickly.
const MAX_EXPANSIONS: usize = 50_000;

/// How a function is called: its name with those of its parameters.
pub fn usage(f: &ast::Fn) -> String {
    let parameters: Vec<&str> = f.params.iter().map(|(name, _)| name.name.as_str()).collect();
    format!("{}({})", f.name.name, parameters.join(", "))
}

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
            Some(Meaning::Local(Local::Function(f))) => self.call_argument(&f, function, &arguments, span),
            Some(Meaning::Local(local)) => {
                let words = match local {
                    Local::Value(Some(value)) => self.value_text(&value),
                    _ => "a value".to_owned(),
                };
                self.not_a_function(function, &words, None)
            }
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
        } else if let Some(help) = habits::function(name) {
            diagnostic = diagnostic.help(help);
        } else if let Some(module) = super::modules::module_with(name) {
            diagnostic = self.bring_in_help(diagnostic, function, &module);
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
        let values: Vec<Option<Local>> = arguments.iter().map(|e| self.argument(e)).collect();
        if values.len() != f.params.len() {
            let diagnostic = Diagnostic::error(
                "E0206",
                format!("`{}` takes {}", f.name.name, count(f.params.len(), "argument")),
                function.span,
                format!("{} given", values.len()),
            );
            let help = format!("write `{}`", usage(f));
            self.emit(diagnostic.label(f.name.span, "defined here").help(help));
            return None;
        }
        let functions = values.iter().flatten().filter_map(|v| match v {
            Local::Function(function) => Some(function.clone()),
            _ => None,
        });
        // There are finitely many functions, so a circle comes back to the same one with the same functions as arguments.
        let expanded = (id, functions.collect::<Vec<Function>>());
        if let Some(first) = self.frames.iter().position(|frame| frame.function.as_ref() == Some(&expanded)) {
            return self.recursive(f, function, first);
        }
        if self.expansions == MAX_EXPANSIONS {
            let outermost = self.calls().first().map_or(span, |call| call.span);
            let label = format!("more than {MAX_EXPANSIONS} calls up to here");
            return self.too_far("functions expand into too many calls", outermost, &label);
        }
        self.expansions += 1;
        let call = Expansion {
            name: f.name.name.clone(),
            span,
            definition: f.name.span.to(f.body.span),
            arguments: self.argument_types(&values),
        };
        let decl = &self.decls[id.0];
        let mut frame = Frame::top(decl.module, decl.level);
        frame.call = Some(call);
        frame.function = Some(expanded);
        self.frames.push(frame);
        let result = self.body(f, values, arguments);
        self.frames.pop();
        result
    }

    /// An argument: the name of a function, or a value.
    fn argument(&mut self, e: &Expr) -> Option<Local> {
        if let ExprKind::Name(path) = &e.kind
            && let [name] = path.as_slice()
            && let Some(function) = self.function_named(&name.name)
        {
            return Some(Local::Function(function));
        }
        self.expr(e).map(|value| Local::Value(Some(value)))
    }

    /// The function that a name means, if it means one.
    fn function_named(&mut self, name: &str) -> Option<Function> {
        match self.meaning(name) {
            Some(Meaning::Local(Local::Function(function))) => Some(function),
            Some(Meaning::Decl(id)) if self.is_fn(id) => {
                self.decls[id.0].used = true;
                Some(Function::Own(id))
            }
            None if super::builtins::is_function(name) => Some(Function::BuiltIn(name.to_owned())),
            _ => None,
        }
    }

    /// The name by which the language knows a function that a parameter stands for.
    pub fn known_by(&mut self, function: &Ident) -> Ident {
        match self.meaning(&function.name) {
            Some(Meaning::Local(Local::Function(Function::BuiltIn(name)))) => {
                Ident { name, span: function.span }
            }
            _ => function.clone(),
        }
    }

    /// A call of a parameter that stands for a function.
    fn call_argument(
        &mut self,
        f: &Function,
        written: &Ident,
        arguments: &[&Expr],
        span: Span,
    ) -> Option<Value> {
        match f {
            Function::Own(id) => match self.decls[id.0].kind.clone() {
                Kind::Fn(f) => self.expand(*id, &f, written, arguments, span),
                _ => crate::bug!("`{}` is no function", written.name),
            },
            Function::BuiltIn(name) => match super::builtins::find(name) {
                Some(builtin) => {
                    let name = Ident { name: name.clone(), span: written.span };
                    self.builtin(&builtin, &name, arguments, span)
                }
                None => crate::bug!("`{name}` is no function"),
            },
        }
    }

    /// The types of arguments in words.
    fn argument_types(&self, values: &[Option<Local>]) -> String {
        let words: Vec<String> = values
            .iter()
            .map(|value| match value {
                Some(Local::Value(Some(value))) => self.value_text(value),
                Some(Local::Function(function)) => format!("`{}`", self.function_name(function)),
                _ => "?".to_owned(),
            })
            .collect();
        words.join(", ")
    }

    fn function_name(&self, function: &Function) -> String {
        match function {
            Function::Own(id) => self.decls[id.0].name.clone(),
            Function::BuiltIn(name) => name.clone(),
        }
    }

    /// The error for a function that needs itself; `first` is the frame in which it is being expanded.
    fn recursive(&mut self, f: &ast::Fn, function: &Ident, first: usize) -> Option<Value> {
        let through: Vec<String> = self.frames[first + 1..]
            .iter()
            .filter_map(|frame| frame.call.as_ref())
            .map(|call| format!("`{}`", call.name))
            .collect();
        let through =
            if through.is_empty() { String::new() } else { format!(" through {}", through.join(" and ")) };
        let message = format!("`{}` calls itself{through}", f.name.name);
        let diagnostic = Diagnostic::error("E0218", message, function.span, "called again here")
            .label(f.name.span, "defined here")
            .note("functions are expanded at each call");
        self.emit_plain(diagnostic.help("write what repeats as a reduction: `sum`, `prod` or `cumsum`"));
        None
    }

    fn body(&mut self, f: &ast::Fn, values: Vec<Option<Local>>, arguments: &[&Expr]) -> Option<Value> {
        let mut good = true;
        for (((name, ty), value), argument) in f.params.iter().zip(values).zip(arguments) {
            let value = match (ty, value) {
                (Some(ty), Some(Local::Value(Some(value)))) => {
                    self.accept(name, ty, value, argument.span).map(|v| Local::Value(Some(v)))
                }
                (Some(ty), Some(Local::Function(function))) => {
                    let wanted = self.source_text(ty.span);
                    let found = format!("the function `{}`", self.function_name(&function));
                    self.argument_differs("E0204", name, (&wanted, ty.span), (&found, argument.span))
                }
                (_, value) => value,
            };
            good &= value.is_some();
            self.bind(name, value.unwrap_or(Local::Value(None)), 0);
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

    fn argument_differs<T>(
        &mut self,
        code: &'static str,
        name: &Ident,
        (wanted, ty): (&str, Span),
        (found, span): (&str, Span),
    ) -> Option<T> {
        let message = format!("the parameter `{}` is {wanted}, found {found}", name.name);
        let diagnostic = Diagnostic::error(code, message, span, format!("this is {found}"));
        self.emit(diagnostic.label(ty, format!("{wanted} expected")));
        None
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
        self.emit(match (value.elem, wanted.starts_with("int")) {
            (Elem::Real, true) => diagnostic.help("declare it `real`, or give whole numbers"),
            _ => diagnostic,
        });
        None
    }
}
