//! Names: what each one means at a place, and finding declarations in any order.
//!
//! Top-level declarations and the variables of both levels share one namespace. A level's `let`, `fn` and `report` are
//! local to it. A function sees the names of the place where it is written.

use std::collections::BTreeMap;
use std::rc::Rc;

use blo_grammar::ast::{self, Ident};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse::nearest;
use blo_grammar::span::Span;

use super::Checker;
use super::habits;
use super::value::{Axis, DimId, Value};

/// Index into the checker's declarations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeclId(pub usize);

/// A level block: the leader's, or a follower's by its place among the followers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LevelId {
    Upper,
    Lower(usize),
}

impl LevelId {
    pub fn is_lower(self) -> bool {
        self != LevelId::Upper
    }
}

/// What a name was declared as.
#[derive(Clone)]
pub enum Kind {
    Dim(DimId),
    Data(Rc<ast::Data>),
    Param(Rc<Param>),
    Let(Rc<ast::Let>),
    Fn(Rc<ast::Fn>),
    Var(Rc<ast::Var>),
    Report(Rc<ast::Expr>),
    Constraint(Rc<ast::Constraint>),
}

/// `param name: ty = value`.
pub struct Param {
    pub name: Ident,
    pub ty: Option<ast::TypeExpr>,
    pub value: Option<ast::Expr>,
}

impl Kind {
    /// The keyword with its article.
    pub fn words(&self) -> &'static str {
        match self {
            Kind::Dim(_) => "a dimension",
            Kind::Data(_) => "a datum",
            Kind::Param(_) => "a parameter",
            Kind::Let(_) => "a `let`",
            Kind::Fn(_) => "a function",
            Kind::Var(_) => "a variable",
            Kind::Report(_) => "a report",
            Kind::Constraint(_) => "a constraint",
        }
    }
}

/// How far a declaration has been worked out.
#[derive(Clone)]
pub enum State {
    Pending,
    Active,
    Done(Option<Value>),
}

/// A declaration.
pub struct Decl {
    pub name: String,
    pub span: Span,
    pub kind: Kind,
    pub module: usize,
    pub level: Option<LevelId>,
    pub used: bool,
    pub state: State,
}

/// One file's names.
#[derive(Default)]
pub struct Module {
    /// The path that `use` gave, to load each file once.
    pub key: String,
    pub names: BTreeMap<String, DeclId>,
    /// The names local to each level.
    pub levels: BTreeMap<LevelId, BTreeMap<String, DeclId>>,
}

impl Module {
    /// The names local to a level.
    pub fn locals(&mut self, level: LevelId) -> &mut BTreeMap<String, DeclId> {
        self.levels.entry(level).or_default()
    }

    /// What a name means in the first level that has it.
    pub fn in_some_level(&self, name: &str) -> Option<(LevelId, DeclId)> {
        self.levels.iter().find_map(|(level, names)| Some((*level, *names.get(name)?)))
    }
}

/// A local name.
#[derive(Clone)]
pub enum Local {
    Value(Option<Value>),
    Dim(Axis),
    Function(Function),
}

/// A function given as an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Function {
    /// One that is written in the language.
    Own(DeclId),
    /// One of the language itself, by its name.
    BuiltIn(String),
}

/// A call that is being expanded, for messages.
#[derive(Clone)]
pub struct Expansion {
    /// The function's name.
    pub name: String,
    /// The call.
    pub span: Span,
    /// The function's definition, from its name to the end of its body.
    pub definition: Span,
    /// The types of the arguments in words; empty for a function without parameters.
    pub arguments: String,
}

/// The local names of a place, and where that place is.
pub struct Frame {
    pub module: usize,
    pub level: Option<LevelId>,
    pub locals: Vec<(String, Local)>,
    /// The call that is being expanded.
    pub call: Option<Expansion>,
    /// The function that is being expanded, with the functions among its arguments.
    pub function: Option<(DeclId, Vec<Function>)>,
}

impl Frame {
    /// The top of a file or level.
    pub fn top(module: usize, level: Option<LevelId>) -> Self {
        Frame { module, level, locals: Vec::new(), call: None, function: None }
    }
}

/// What an expression may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Data alone; the words name the place.
    Data(&'static str),
    /// Variables too.
    Variables,
    /// Variables, reports and objectives.
    Reports,
    /// All that, and the solver's findings.
    Solution,
}

/// What a name means.
pub enum Meaning {
    Local(Local),
    Decl(DeclId),
}

/// After this many complaints nobody reads on, and looking for near names among many would take long.
const MANY: usize = 100;

impl Checker<'_> {
    /// The innermost frame.
    pub fn frame(&mut self) -> &mut Frame {
        match self.frames.last_mut() {
            Some(frame) => frame,
            None => crate::bug!("an expression outside every scope"),
        }
    }

    /// Runs `work` at the top of a file or level, then returns to where it was.
    pub fn at<T>(&mut self, frame: Frame, reads: Reads, work: impl FnOnce(&mut Self) -> T) -> T {
        let frames = std::mem::replace(&mut self.frames, vec![frame]);
        let reads = std::mem::replace(&mut self.reads, reads);
        let guards = std::mem::take(&mut self.guards);
        let span = self.graph.set_span(None);
        let result = work(self);
        self.graph.set_span(span);
        self.frames = frames;
        self.reads = reads;
        self.guards = guards;
        result
    }

    /// Adds a declaration; a second one of the same name is an error.
    pub fn declare(
        &mut self,
        name: &Ident,
        kind: Kind,
        module: usize,
        level: Option<LevelId>,
    ) -> Option<DeclId> {
        let global = matches!(kind, Kind::Var(_) | Kind::Constraint(_)) || level.is_none();
        let earlier = self.modules[module].names.get(&name.name).copied().or_else(|| {
            let scope = &mut self.modules[module];
            match (level, global) {
                (Some(level), false) => scope.locals(level).get(&name.name).copied(),
                _ => scope.in_some_level(&name.name).map(|(_, id)| id),
            }
        });
        if let Some(earlier) = earlier {
            let first = &self.decls[earlier.0];
            let diagnostic = Diagnostic::error(
                "E0202",
                format!("`{}` is defined twice", name.name),
                name.span,
                "again here",
            )
            .label(first.span, format!("first defined here, as {}", first.kind.words()))
            .help("rename one of them");
            self.emit(diagnostic);
            return None;
        }
        let id = DeclId(self.decls.len());
        let decl = Decl {
            name: name.name.clone(),
            span: name.span,
            kind,
            module,
            level,
            used: false,
            state: State::Pending,
        };
        self.decls.push(decl);
        let scope = &mut self.modules[module];
        match level {
            Some(level) if !global => scope.locals(level).insert(name.name.clone(), id),
            _ => scope.names.insert(name.name.clone(), id),
        };
        Some(id)
    }

    /// What a name means here, without complaint when it means nothing.
    pub fn meaning(&mut self, name: &str) -> Option<Meaning> {
        let frame = self.frame();
        if let Some((_, local)) = frame.locals.iter().rev().find(|(n, _)| n == name) {
            return Some(Meaning::Local(local.clone()));
        }
        let (module, level) = (frame.module, frame.level);
        let solution = matches!(self.reads, Reads::Reports | Reads::Solution);
        let scope = &mut self.modules[module];
        let id = level
            .and_then(|l| scope.locals(l).get(name).copied())
            .or_else(|| scope.names.get(name).copied())
            .or_else(|| scope.in_some_level(name).filter(|_| solution).map(|(_, id)| id));
        let id = id?;
        if self.decls[id.0].module != module {
            self.imports_used.insert((module, id.0));
        }
        Some(Meaning::Decl(id))
    }

    /// Every name that could stand here, for near names.
    pub fn candidates(&mut self) -> Vec<String> {
        if self.diagnostics.len() > MANY {
            return Vec::new();
        }
        let frame = self.frame();
        let (module, level) = (frame.module, frame.level);
        let mut names: Vec<String> = frame.locals.iter().map(|(n, _)| n.clone()).collect();
        if let Some(level) = level {
            names.extend(self.modules[module].locals(level).keys().cloned());
        }
        names.extend(self.modules[module].names.keys().cloned());
        names
    }

    /// Where a name is local to a level, for names that mean nothing here.
    pub fn in_another_level(&mut self, name: &str) -> Option<(Span, String)> {
        let module = self.frame().module;
        let (level, id) = self.modules[module].in_some_level(name)?;
        Some((self.decls[id.0].span, self.level_name(level)))
    }

    /// The error for a name that means nothing here.
    pub fn unknown_name<T>(&mut self, name: &Ident) -> Option<T> {
        let mut diagnostic =
            Diagnostic::error("E0201", format!("`{}` is not defined", name.name), name.span, "unknown name");
        if self.excused(&name.name) {
            return None;
        }
        let elsewhere = self.in_another_level(&name.name);
        let names = self.candidates();
        if let Some((span, level)) = elsewhere {
            diagnostic = diagnostic
                .label(span, format!("this one is local to `{level}`"))
                .help("write it as a top-level `fn`, which both levels can call");
        } else if let Some((help, replacement)) = habits::name(&name.name) {
            diagnostic = diagnostic.help(help);
            if let Some(text) = replacement {
                diagnostic = diagnostic.edit(name.span, text);
            }
        } else if let Some(matrix) = name.name.strip_suffix('ᵀ') {
            let text = format!("{matrix}'");
            diagnostic = diagnostic.help(format!("a transpose is written `{text}`")).edit(name.span, text);
        } else if super::builtins::is_function(&name.name) {
            diagnostic = diagnostic.help(format!("`{0}` is a function: write `{0}(…)`", name.name));
        } else if let Some(module) = super::modules::module_with(&name.name) {
            diagnostic = self.bring_in_help(diagnostic, name, &module);
        } else if let Some(near) = nearest(&name.name, names.iter().map(String::as_str)) {
            diagnostic = diagnostic.did_you_mean(near);
        }
        self.emit(diagnostic);
        None
    }

    /// The value of a declaration, worked out on first use.
    pub fn resolve(&mut self, id: DeclId, used_at: Span) -> Option<Value> {
        if let Some(value) = self.again(id) {
            return value;
        }
        match &self.decls[id.0].state {
            State::Done(value) => return value.clone(),
            State::Active => return self.circle(id, used_at),
            State::Pending => self.decls[id.0].state = State::Active,
        }
        let decl = &self.decls[id.0];
        let (kind, frame, level) = (decl.kind.clone(), Frame::top(decl.module, decl.level), decl.level);
        let value = match kind {
            Kind::Data(data) => self.at(frame, Reads::Data("data"), |c| c.datum(id, &data)),
            Kind::Param(param) => self.at(frame, Reads::Data("a parameter"), |c| c.param(&param)),
            Kind::Let(binding) => {
                let reads =
                    if level.is_some() { Reads::Variables } else { Reads::Data("a `let` at the top level") };
                self.at(frame, reads, |c| c.let_value(&binding))
            }
            Kind::Report(value) => self.at(frame, Reads::Reports, |c| c.expr(&value)),
            Kind::Var(var) => self.variable(&var, level),
            Kind::Constraint(constraint) => {
                self.constraint(&constraint, level, Some(id));
                None
            }
            Kind::Dim(_) | Kind::Fn(_) => None,
        };
        self.note(self.decls[id.0].span, value.as_ref());
        self.decls[id.0].state = State::Done(value.clone());
        value
    }

    /// A level's `let` while gradients are taken turn by turn: it may read the variable, so it is worked out anew.
    fn again(&mut self, id: DeclId) -> Option<Option<Value>> {
        let decl = &self.decls[id.0];
        let (Kind::Let(binding), Some(level), false) =
            (decl.kind.clone(), decl.level, self.copies.is_empty())
        else {
            return None;
        };
        let key = (self.copies.len(), id.0);
        if let Some(known) = self.copied_lets.get(&key) {
            return Some(known.clone());
        }
        let frame = Frame::top(decl.module, Some(level));
        let value = self.at(frame, Reads::Variables, |c| c.let_value(&binding));
        self.copied_lets.insert(key, value.clone());
        Some(value)
    }

    /// The value of a `let`, against its declared type.
    pub fn let_value(&mut self, binding: &ast::Let) -> Option<Value> {
        let value = self.expr(&binding.value);
        match &binding.ty {
            None => value,
            Some(ty) => {
                let expected = self.type_of(ty)?;
                self.conform(value?, &expected, ty.span, binding.value.span)
            }
        }
    }

    /// The error for a declaration that needs its own value.
    pub fn circle(&mut self, id: DeclId, used_at: Span) -> Option<Value> {
        let decl = &self.decls[id.0];
        let mut diagnostic = Diagnostic::error(
            "E0216",
            format!("`{}` depends on itself", decl.name),
            used_at,
            "this use closes the circle",
        )
        .label(decl.span, format!("while working out `{}`", decl.name));
        for (other, d) in self.decls.iter().enumerate() {
            if matches!(d.state, State::Active) && other != id.0 {
                diagnostic = diagnostic.label(d.span, format!("and `{}`", d.name));
            }
        }
        self.emit_plain(diagnostic);
        None
    }
}
