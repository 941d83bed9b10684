//! The walk through the tree: first all that is known before it is written, then every expression with the names around it.

use super::{Definition, Kind, Names, Use};
use crate::ast::{
    Argument, Ast, Binder, Comprehension, Constraint, DataSource, DimValue, Domain, DomainKind, Expr,
    ExprKind, Fn, Ident, Index, IndexRange, Init, Item, ItemKind, Let, TypeExpr,
};
use crate::span::Span;

/// Definitions and uses so far.
struct Walk {
    names: Names,
    /// The local definitions around the place, innermost last.
    locals: Vec<usize>,
}

pub fn names(ast: &Ast) -> Names {
    let mut walk = Walk { names: Names::default(), locals: Vec::new() };
    walk.declare(&ast.items, None);
    walk.dims(&ast.items);
    ast.items.iter().for_each(|item| walk.item(item));
    walk.names
}

impl Walk {
    fn define(&mut self, name: &Ident, kind: Kind, item: Span, scope: Option<Span>) -> usize {
        let definition =
            Definition { name: name.name.clone(), kind, span: name.span, item, scope, comments: Vec::new() };
        self.names.definitions.push(definition);
        self.names.definitions.len() - 1
    }

    /// Defines what statements declare; `level` is the block they stand in.
    fn declare(&mut self, items: &[Item], level: Option<Span>) {
        for item in items {
            let (name, kind, scope) = match &item.kind {
                ItemKind::Dim { name, .. } => (name, Kind::Dim, None),
                ItemKind::Data(data) => (&data.name, Kind::Data, None),
                ItemKind::Param { name, .. } => (name, Kind::Param, None),
                ItemKind::Let(binding) => (&binding.name, Kind::Let, level),
                ItemKind::Fn(function) => (&function.name, Kind::Fn, level),
                // Other reports and expectations read a report wherever it is.
                ItemKind::Report { name, .. } => (name, Kind::Report, None),
                ItemKind::Var(var) => (&var.name, Kind::Var, None),
                ItemKind::Constraint(Constraint { name: Some(name), .. }) => (name, Kind::Constraint, None),
                ItemKind::Level(block) => {
                    if let Some(name) = &block.name {
                        self.define(name, Kind::Follower, item.span, None);
                    }
                    self.declare(&block.items, Some(item.span));
                    continue;
                }
                _ => continue,
            };
            let id = self.define(name, kind, item.span, scope);
            self.names.definitions[id].comments.clone_from(&item.comments);
        }
    }

    /// A dimension that no `dim` declares is defined by the first type that names it.
    fn dims(&mut self, items: &[Item]) {
        for item in items {
            let ty = match &item.kind {
                ItemKind::Data(data) => Some(&data.ty),
                ItemKind::Param { ty, .. } => ty.as_ref(),
                ItemKind::Var(var) => Some(&var.ty),
                ItemKind::Let(binding) => binding.ty.as_ref(),
                ItemKind::Level(level) => {
                    self.dims(&level.items);
                    None
                }
                _ => None,
            };
            for name in ty.into_iter().flat_map(|ty| &ty.dims).filter_map(single_name) {
                if self.find(name).is_none() {
                    self.define(name, Kind::Dim, item.span, None);
                }
            }
        }
    }

    /// What a name means here: the innermost local, then a name of the level, then one of the file.
    fn find(&self, name: &Ident) -> Option<usize> {
        let named = |id: &usize| self.names.definitions[*id].name == name.name;
        let local = self.locals.iter().rev().copied().find(named);
        local.or_else(|| {
            let all = self.names.definitions.iter().enumerate();
            let fits = all.filter(|(_, d)| {
                d.name == name.name && !matches!(d.kind, Kind::Parameter | Kind::Index) && d.holds(name.span)
            });
            fits.min_by_key(|(_, d)| d.scope.map_or(u32::MAX, |s| s.end - s.start)).map(|(id, _)| id)
        })
    }

    fn read(&mut self, name: &Ident) {
        let definition = self.find(name);
        // The first type that names a dimension defines it.
        if definition.is_none_or(|id| self.names.definitions[id].span != name.span) {
            self.names.uses.push(Use { name: name.name.clone(), span: name.span, definition });
        }
    }

    fn local(&mut self, name: &Ident, kind: Kind, item: Span, scope: Span) {
        let id = self.define(name, kind, item, Some(scope));
        self.locals.push(id);
    }

    fn item(&mut self, item: &Item) {
        match &item.kind {
            ItemKind::Use(used) => used.names.iter().flatten().for_each(|name| self.read(name)),
            ItemKind::Dim { value: Some(DimValue::Size(size)), .. } => self.expr(size),
            ItemKind::Data(data) => {
                self.ty(&data.ty);
                self.domain(data.domain.as_ref());
                match &data.source {
                    Some(DataSource::Value(value)) => self.expr(value),
                    Some(DataSource::Random(random)) => self.exprs(&random.arguments),
                    Some(DataSource::File { .. }) | None => {}
                }
            }
            ItemKind::Param { ty, value, .. } => {
                ty.iter().for_each(|ty| self.ty(ty));
                value.iter().for_each(|value| self.expr(value));
            }
            ItemKind::Let(binding) => self.binding(binding),
            ItemKind::Fn(function) => self.function(function, item.span),
            ItemKind::Level(level) => level.items.iter().for_each(|item| self.item(item)),
            ItemKind::Report { value, .. } | ItemKind::Expect(value) | ItemKind::Objective { value, .. } => {
                self.expr(value);
            }
            ItemKind::Var(var) => {
                self.ty(&var.ty);
                self.domain(var.domain.as_ref());
                match &var.init {
                    Some(Init::Value(value)) => self.expr(value),
                    Some(Init::Random(random)) => self.exprs(&random.arguments),
                    None => {}
                }
            }
            ItemKind::Constraint(constraint) => {
                self.with_binders(&constraint.binders, item.span, |walk| walk.exprs(&constraint.operands));
            }
            ItemKind::Solve(solve) => solve.options.iter().for_each(|option| self.option(&option.value)),
            ItemKind::Dim { .. } | ItemKind::Precision(_) | ItemKind::Error => {}
        }
    }

    /// The value of an option: words and calls in it name pieces of a method, not of the model.
    fn option(&mut self, value: &Expr) {
        match &value.kind {
            ExprKind::Call { arguments, .. } => arguments.iter().for_each(|a| self.option(&a.value)),
            ExprKind::Name(_) if single_name(value).is_none_or(|name| self.find(name).is_none()) => {}
            _ => self.expr(value),
        }
    }

    fn binding(&mut self, binding: &Let) {
        binding.ty.iter().for_each(|ty| self.ty(ty));
        self.expr(&binding.value);
    }

    fn function(&mut self, function: &Fn, item: Span) {
        let before = self.locals.len();
        for (name, ty) in &function.params {
            for dim in ty.iter().flat_map(|ty| &ty.dims).filter_map(single_name) {
                if self.find(dim).is_none() {
                    self.local(dim, Kind::Parameter, dim.span, item);
                }
            }
            ty.iter().for_each(|ty| self.ty(ty));
            let end = ty.as_ref().map_or(name.span, |ty| ty.span);
            self.local(name, Kind::Parameter, name.span.to(end), item);
        }
        function.result.iter().for_each(|ty| self.ty(ty));
        self.expr(&function.body);
        self.locals.truncate(before);
    }

    fn ty(&mut self, ty: &TypeExpr) {
        self.exprs(&ty.dims);
    }

    fn domain(&mut self, domain: Option<&Domain>) {
        match domain.map(|d| &d.kind) {
            Some(DomainKind::Interval(low, high) | DomainKind::Range(low, high)) => {
                self.expr(low);
                self.expr(high);
            }
            Some(DomainKind::Named { arguments, .. }) => self.exprs(arguments),
            None => {}
        }
    }

    fn with_binders(&mut self, binders: &[Binder], scope: Span, work: impl FnOnce(&mut Self)) {
        let before = self.locals.len();
        for binder in binders {
            match &binder.range {
                IndexRange::Count(count) => self.expr(count),
                IndexRange::Range(low, high) => {
                    self.expr(low);
                    self.expr(high);
                }
            }
            self.local(&binder.name, Kind::Index, binder.span, scope);
        }
        work(self);
        self.locals.truncate(before);
    }

    fn comprehension(&mut self, c: &Comprehension, scope: Span) {
        self.with_binders(&c.binders, scope, |walk| {
            walk.expr(&c.body);
            c.filter.iter().for_each(|filter| walk.expr(filter));
        });
    }

    fn exprs<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        exprs.into_iter().for_each(|e| self.expr(e));
    }

    fn expr(&mut self, e: &Expr) {
        match &e.kind {
            ExprKind::Name(path) => self.path(path),
            ExprKind::Array(items) => self.exprs(items),
            ExprKind::Comprehension(c) => self.comprehension(c, e.span),
            ExprKind::Call { function, arguments } => {
                self.read(function);
                self.exprs(arguments.iter().map(|Argument { value, .. }| value));
            }
            ExprKind::Reduction { function, comprehension } => {
                self.read(function);
                self.comprehension(comprehension, e.span);
            }
            ExprKind::Index { base, indices } => {
                self.expr(base);
                for index in indices {
                    match index {
                        Index::All(_) => {}
                        Index::Range { start, end, .. } => self.exprs(start.iter().chain(end)),
                        Index::At(at) => self.expr(at),
                    }
                }
            }
            ExprKind::Transpose(operand) | ExprKind::Unary { operand, .. } => self.expr(operand),
            ExprKind::Binary { left, right, .. } => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::If { condition, then, otherwise } => {
                self.expr(condition);
                self.expr(then);
                self.expr(otherwise);
            }
            ExprKind::Block { lets, result } => {
                let before = self.locals.len();
                for binding in lets {
                    self.binding(binding);
                    let item = binding.name.span.to(binding.value.span);
                    let behind = Span { start: item.end, ..e.span };
                    self.local(&binding.name, Kind::Let, item, behind);
                }
                self.expr(result);
                self.locals.truncate(before);
            }
            ExprKind::Number { .. } | ExprKind::Bool(_) | ExprKind::Text(_) | ExprKind::Error => {}
        }
    }

    /// A name, or `level.name` where the level or follower, and the variable, are names too.
    fn path(&mut self, path: &[Ident]) {
        match path {
            [name] => self.read(name),
            [level, name] => {
                if self.find(level).is_some() {
                    self.read(level);
                }
                if self.find(name).is_some_and(|id| self.names.definitions[id].kind == Kind::Var) {
                    self.read(name);
                }
            }
            _ => {}
        }
    }
}

impl Definition {
    /// Whether the place is inside the scope.
    fn holds(&self, place: Span) -> bool {
        self.scope.is_none_or(|s| s.start <= place.start && place.end <= s.end)
    }
}

/// The name, where the expression is nothing else.
fn single_name(e: &Expr) -> Option<&Ident> {
    match &e.kind {
        ExprKind::Name(path) => match path.as_slice() {
            [name] => Some(name),
            _ => None,
        },
        _ => None,
    }
}
