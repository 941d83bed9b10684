//! The statements of a session in order. A name means one thing: entering it again replaces what it was, at its place where the new
//! statement can stand there.

use blo_grammar::ast::{Ast, Ident, Item, ItemKind, Level, LevelKind, UsePath};
use blo_grammar::format::tidy;
use blo_grammar::parse::entry::Prefix;
use blo_grammar::source::Sources;
use blo_grammar::span::{FileId, Span};

use crate::files::Trouble;

/// A statement at the top level or in a level.
#[derive(Clone, Debug)]
struct Statement {
    item: Item,
    /// Its text with the comments around it; `None` for a level that was put together from statements.
    text: Option<String>,
    /// What stands in a level.
    inner: Vec<Statement>,
}

/// All statements.
#[derive(Clone, Debug, Default)]
pub struct Statements {
    top: Vec<Statement>,
}

impl Statements {
    /// The statements of a file that was read without errors, with everything that stands between them.
    pub fn of_file(source: &str, ast: &Ast) -> Self {
        let mut begin = 0;
        let mut top = Vec::with_capacity(ast.items.len());
        for (at, item) in ast.items.iter().enumerate() {
            let last = at + 1 == ast.items.len();
            let end = if last { source.len() } else { line_end(source, item.span.end as usize) };
            let text = source.get(begin..end).unwrap_or("").trim_end();
            top.push(Statement::new(item.clone(), text.trim_start_matches('\n').to_owned()));
            begin = end;
        }
        Statements { top }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.top.is_empty()
    }

    /// The tree of all statements.
    pub fn tree(&self, file: FileId) -> Ast {
        Ast { file, items: self.top.iter().map(Statement::tree).collect() }
    }

    /// The model as a text in the usual form.
    pub fn text(&self, sources: &Sources) -> String {
        let mut text = String::new();
        for (at, statement) in self.top.iter().enumerate() {
            let level = |s: &Statement| matches!(s.item.kind, ItemKind::Level(_));
            if at > 0 && (level(statement) || level(&self.top[at - 1])) {
                text.push('\n');
            }
            text.push_str(&statement.text(sources));
            text.push('\n');
        }
        tidy(FileId(0), &text).unwrap_or(text)
    }

    /// Every name that is declared.
    pub fn names(&self) -> Vec<String> {
        let inner = self.top.iter().flat_map(|s| &s.inner);
        self.top.iter().chain(inner).filter_map(|s| Some(name(&s.item)?.name.clone())).collect()
    }

    /// Whether a name is declared.
    pub fn has(&self, wanted: &str) -> bool {
        self.names().iter().any(|name| name == wanted)
    }

    /// The text of a parameter's type, or whether the name is a dimension; what `:set` needs to write it anew.
    pub fn settable(&self, wanted: &str, sources: &Sources) -> Option<String> {
        self.top.iter().find_map(|s| match &s.item.kind {
            ItemKind::Param { name, ty, .. } if name.name == wanted => {
                let ty = ty.as_ref().map_or(String::new(), |ty| format!(": {}", sources.snippet(ty.span)));
                Some(format!("param {wanted}{ty}"))
            }
            ItemKind::Dim { name, value: Some(_) } if name.name == wanted => Some(format!("dim {wanted}")),
            _ => None,
        })
    }

    /// The names that [`Statements::settable`] knows.
    pub fn all_settable(&self) -> Vec<String> {
        let can = |s: &&Statement| {
            matches!(&s.item.kind, ItemKind::Param { .. } | ItemKind::Dim { value: Some(_), .. })
        };
        self.top.iter().filter(can).filter_map(|s| Some(name(&s.item)?.name.clone())).collect()
    }

    /// Puts a statement in: into the level of `prefix`, at the place of what it replaces, or at the end of its kind.
    ///
    /// Errors: it belongs into a level and does not say into which.
    pub fn put(&mut self, prefix: Option<(&Prefix, Span)>, item: Item, text: String) -> Result<(), Trouble> {
        let statement = Statement::new(item, text);
        if let ItemKind::Level(level) = &statement.item.kind {
            let same = |s: &Statement| is_level(s, level.kind, level.name.as_ref().map(|n| n.name.as_str()));
            let at = self.top.iter().position(same);
            for inner in &statement.inner {
                if let Some(declared) = global(&inner.item) {
                    self.remove_outside(&declared.name, at);
                }
            }
            // Names at the top level may have gone.
            match self.top.iter().position(same) {
                Some(at) => self.top[at] = statement,
                None => self.push(statement),
            }
            return Ok(());
        }
        let inside = matches!(
            statement.item.kind,
            ItemKind::Var(_) | ItemKind::Objective { .. } | ItemKind::Constraint(_)
        );
        let declared = name(&statement.item).map(|n| n.name.clone());
        let level = match prefix {
            Some((prefix, place)) => Some(self.level(prefix, place)),
            None if inside => Some(self.meant(declared.as_deref())?),
            None => self.holder(declared.as_deref(), &statement)?,
        };
        match level {
            Some(at) => {
                if let Some(declared) = global(&statement.item) {
                    let same = |s: &Statement| name(&s.item).is_some_and(|n| n.name == declared.name);
                    if !self.top[at].inner.iter().any(same) {
                        let (declared, level) = (declared.name.clone(), self.top[at].item.span);
                        self.remove_outside(&declared, None);
                        let at = self.top.iter().position(|s| s.item.span == level).unwrap_or(at);
                        self.top[at].put(statement);
                        return Ok(());
                    }
                }
                self.top[at].put(statement);
            }
            None => {
                let same = |s: &Statement| replaces(&statement.item, &s.item);
                match self.top.iter().position(same) {
                    Some(at) => self.top[at] = statement,
                    None => {
                        if let Some(declared) = &declared {
                            self.remove_outside(declared, None);
                        }
                        self.push(statement);
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes out what is called like this: a name, `upper`, `lower`, `lower NAME`, `solve`, `precision`, `expect` (all of them). False
    /// when there is nothing of that name.
    pub fn drop(&mut self, what: &str) -> bool {
        let called = |s: &Statement| match &s.item.kind {
            ItemKind::Level(level) => {
                level_words(level) == what || level.kind == LevelKind::Lower && what == "lower"
            }
            ItemKind::Solve(_) => what == "solve",
            ItemKind::Precision(_) => what == "precision",
            ItemKind::Expect(_) => what == "expect",
            _ => name(&s.item).is_some_and(|n| n.name == what),
        };
        let mut found = self.top.iter().any(called);
        self.top.retain(|s| !called(s));
        for level in &mut self.top {
            if level.inner.iter().any(called) {
                found = true;
                level.inner.retain(|s| !called(s));
                level.text = None;
            }
        }
        found
    }

    /// Declarations come before the first level, the rest after the last.
    fn push(&mut self, statement: Statement) {
        let first = self.top.iter().position(|s| {
            matches!(
                s.item.kind,
                ItemKind::Level(_) | ItemKind::Solve(_) | ItemKind::Report { .. } | ItemKind::Expect(_)
            )
        });
        let last = self.top.iter().rposition(|s| matches!(s.item.kind, ItemKind::Level(_)));
        let after = self.top.iter().position(|s| {
            matches!(s.item.kind, ItemKind::Solve(_) | ItemKind::Report { .. } | ItemKind::Expect(_))
        });
        let at = match (&statement.item.kind, first, last) {
            (ItemKind::Solve(_) | ItemKind::Report { .. } | ItemKind::Expect(_), ..) => self.top.len(),
            (ItemKind::Level(_), _, Some(last)) => last + 1,
            (ItemKind::Level(_), ..) => after.unwrap_or(self.top.len()),
            (_, Some(first), _) => first,
            _ => self.top.len(),
        };
        self.top.insert(at, statement);
    }

    /// The place of a level, which is begun when there is none.
    fn level(&mut self, prefix: &Prefix, place: Span) -> usize {
        let same = |s: &Statement| is_level(s, prefix.kind, prefix.name.as_deref());
        if let Some(at) = self.top.iter().position(same) {
            return at;
        }
        let name = prefix.name.clone().map(|name| Ident { name, span: place });
        let level = Level { kind: prefix.kind, keyword: place, pessimistic: None, name, items: Vec::new() };
        let item = Item { kind: ItemKind::Level(level), span: place, comments: Vec::new() };
        self.push(Statement { item, text: None, inner: Vec::new() });
        self.top.iter().position(same).unwrap_or(0)
    }

    /// The level that a statement without one is for: where its name is, or the only one.
    fn meant(&self, declared: Option<&str>) -> Result<usize, Trouble> {
        let levels: Vec<usize> =
            (0..self.top.len()).filter(|&at| matches!(self.top[at].item.kind, ItemKind::Level(_))).collect();
        let has = |at: &&usize| {
            let inner = &self.top[**at].inner;
            declared.is_some_and(|d| inner.iter().any(|s| name(&s.item).is_some_and(|n| n.name == d)))
        };
        match (levels.iter().find(has), levels.as_slice()) {
            (Some(at), _) | (None, [at]) => Ok(*at),
            _ => Err(Trouble::new("this belongs into a level, and it does not say into which")
                .help("write the level in front of it: `upper minimize …`, `lower var w: real[n]`")),
        }
    }

    /// The level that has a `let`, `fn` or `report` of this name, where the top level has none.
    fn holder(&self, declared: Option<&str>, statement: &Statement) -> Result<Option<usize>, Trouble> {
        let Some(declared) = declared else { return Ok(None) };
        let local = |s: &Statement| {
            matches!(s.item.kind, ItemKind::Let(_) | ItemKind::Fn(_) | ItemKind::Report { .. })
        };
        if !local(statement) || self.top.iter().any(|s| name(&s.item).is_some_and(|n| n.name == declared)) {
            return Ok(None);
        }
        let has = |s: &&Statement| {
            s.inner.iter().any(|i| local(i) && name(&i.item).is_some_and(|n| n.name == declared))
        };
        let holders: Vec<usize> = (0..self.top.len()).filter(|&at| has(&&self.top[at])).collect();
        match holders.as_slice() {
            [] => Ok(None),
            [at] => Ok(Some(*at)),
            _ => Err(Trouble::new(format!("several levels have a `{declared}`"))
                .help("write the level in front of it: `upper let …`")),
        }
    }

    /// Removes a name everywhere but in the level at `except`.
    fn remove_outside(&mut self, declared: &str, except: Option<usize>) {
        let called = |s: &Statement| name(&s.item).is_some_and(|n| n.name == declared);
        for (at, level) in self.top.iter_mut().enumerate() {
            if except != Some(at) && level.inner.iter().any(called) {
                level.inner.retain(|s| !called(s));
                level.text = None;
            }
        }
        self.top.retain(|s| !called(s));
    }
}

impl Statement {
    fn new(item: Item, text: String) -> Self {
        let inner = match &item.kind {
            ItemKind::Level(level) => {
                let inner = |item: &Item| Statement { item: item.clone(), text: None, inner: Vec::new() };
                level.items.iter().map(inner).collect()
            }
            _ => Vec::new(),
        };
        Statement { item, text: Some(text), inner }
    }

    /// Puts a statement into this level.
    fn put(&mut self, statement: Statement) {
        self.text = None;
        match self.inner.iter().position(|s| replaces(&statement.item, &s.item)) {
            Some(at) => self.inner[at] = statement,
            None => self.inner.push(statement),
        }
    }

    fn tree(&self) -> Item {
        let mut item = self.item.clone();
        if let ItemKind::Level(level) = &mut item.kind {
            level.items = self.inner.iter().map(|s| s.item.clone()).collect();
        }
        item
    }

    fn text(&self, sources: &Sources) -> String {
        if let Some(text) = &self.text {
            return text.clone();
        }
        let comments: String = self.item.comments.iter().map(|line| format!("# {line}\n")).collect();
        let ItemKind::Level(level) = &self.item.kind else {
            return comments + sources.snippet(self.item.span);
        };
        let pessimistic = if level.pessimistic.is_some() { "pessimistic " } else { "" };
        let name = level.name.as_ref().map_or(String::new(), |name| format!("{} ", name.name));
        let word = if level.kind == LevelKind::Upper { "upper" } else { "lower" };
        let inner: String =
            self.inner.iter().map(|s| format!("  {}\n", s.text(sources).replace('\n', "\n  "))).collect();
        format!("{comments}{word} {pessimistic}{name}{{\n{inner}}}")
    }
}

/// The end of the line of a place, or of the statement where the line goes on with another.
fn line_end(source: &str, at: usize) -> usize {
    let rest = &source[at..];
    let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
    let after = line.trim_start();
    if after.is_empty() || after.starts_with('#') { at + line.len() } else { at }
}

fn level_words(level: &Level) -> String {
    let word = if level.kind == LevelKind::Upper { "upper" } else { "lower" };
    level.name.as_ref().map_or_else(|| word.to_owned(), |name| format!("{word} {}", name.name))
}

fn is_level(statement: &Statement, kind: LevelKind, name: Option<&str>) -> bool {
    let ItemKind::Level(level) = &statement.item.kind else { return false };
    level.kind == kind && level.name.as_ref().map(|n| n.name.as_str()) == name
}

/// Whether a new statement takes the place of an old one beside it.
fn replaces(new: &Item, old: &Item) -> bool {
    match (&new.kind, &old.kind) {
        (ItemKind::Solve(_), ItemKind::Solve(_))
        | (ItemKind::Precision(_), ItemKind::Precision(_))
        | (ItemKind::Objective { .. }, ItemKind::Objective { .. }) => true,
        (ItemKind::Use(new), ItemKind::Use(old)) => match (&new.path, &old.path) {
            (UsePath::Module(new), UsePath::Module(old)) => {
                new.iter().map(|n| &n.name).eq(old.iter().map(|n| &n.name))
            }
            (UsePath::File { path: new, .. }, UsePath::File { path: old, .. }) => new == old,
            _ => false,
        },
        _ => matches!((name(new), name(old)), (Some(new), Some(old)) if new.name == old.name),
    }
}

/// The name that a statement declares.
pub fn name(item: &Item) -> Option<&Ident> {
    match &item.kind {
        ItemKind::Dim { name, .. } | ItemKind::Param { name, .. } | ItemKind::Report { name, .. } => {
            Some(name)
        }
        ItemKind::Data(data) => Some(&data.name),
        ItemKind::Let(binding) => Some(&binding.name),
        ItemKind::Fn(function) => Some(&function.name),
        ItemKind::Var(var) => Some(&var.name),
        ItemKind::Constraint(constraint) => constraint.name.as_ref(),
        _ => None,
    }
}

/// The name that a statement of a level declares for the whole model.
fn global(item: &Item) -> Option<Ident> {
    let whole = matches!(item.kind, ItemKind::Var(_) | ItemKind::Constraint(_));
    whole.then(|| name(item).cloned()).flatten()
}
