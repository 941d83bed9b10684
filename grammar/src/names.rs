//! Which names a file defines and where each is used, from its text alone, so that it is known for a model with mistakes too.
//! Editors rename and follow names by this; the checker decides what names mean.
//!
//! Top-level declarations, variables, constraints and followers are known everywhere. A level's `let`, `fn` and `report` belong to
//! it. Parameters, indices and the `let`s of a block belong to the expression behind them.

mod walk;

use crate::ast::Ast;
use crate::span::Span;

/// What a name was defined as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `dim`, or a dimension named first in a type.
    Dim,
    /// `data`.
    Data,
    /// `param`.
    Param,
    /// `let`, at the top, in a level or in a block.
    Let,
    /// `fn`.
    Fn,
    /// `var`.
    Var,
    /// `report`.
    Report,
    /// A named constraint.
    Constraint,
    /// A named follower.
    Follower,
    /// A parameter of a function, or a dimension named in its type.
    Parameter,
    /// An index of a sum, an array or a family of constraints.
    Index,
}

impl Kind {
    /// In words, without an article.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Dim => "dimension",
            Kind::Data => "datum",
            Kind::Param => "parameter of the model",
            Kind::Let => "value",
            Kind::Fn => "function",
            Kind::Var => "variable",
            Kind::Report => "report",
            Kind::Constraint => "constraint",
            Kind::Follower => "follower",
            Kind::Parameter => "parameter",
            Kind::Index => "index",
        }
    }
}

/// A name that is defined.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// The name.
    pub name: String,
    /// As what.
    pub kind: Kind,
    /// Where the name itself stands.
    pub span: Span,
    /// All of the declaration.
    pub item: Span,
    /// Where the name is known; `None` for the whole file.
    pub scope: Option<Span>,
    /// The comment lines above the declaration.
    pub comments: Vec<String>,
}

/// A name that is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    /// The name.
    pub name: String,
    /// Where.
    pub span: Span,
    /// The definition in [`Names::definitions`]; `None` for what the file does not define, such as functions of the language.
    pub definition: Option<usize>,
}

/// The names of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Names {
    /// What is defined.
    pub definitions: Vec<Definition>,
    /// What is read.
    pub uses: Vec<Use>,
}

impl Names {
    /// The names of a parsed file.
    pub fn of(ast: &Ast) -> Names {
        walk::names(ast)
    }

    /// The definition that is at a byte, or read there.
    pub fn at(&self, byte: usize) -> Option<usize> {
        let here = |span: Span| span.start as usize <= byte && byte <= span.end as usize;
        let defined = self.definitions.iter().position(|d| here(d.span));
        defined.or_else(|| self.uses.iter().find(|u| here(u.span)).and_then(|u| u.definition))
    }

    /// Where a definition is read, and where it stands, in order.
    pub fn places(&self, definition: usize) -> Vec<Span> {
        let uses = self.uses.iter().filter(|u| u.definition == Some(definition)).map(|u| u.span);
        let mut places: Vec<Span> = uses.chain([self.definitions[definition].span]).collect();
        places.sort();
        places.dedup();
        places
    }

    /// The definitions known at a byte; of equal names the innermost.
    pub fn known_at(&self, byte: usize) -> Vec<&Definition> {
        let inside = |scope: Span| scope.start as usize <= byte && byte <= scope.end as usize;
        let mut known: Vec<&Definition> =
            self.definitions.iter().filter(|d| d.scope.is_none_or(inside)).collect();
        let size = |d: &Definition| d.scope.map_or(u32::MAX, |s| s.end - s.start);
        known.sort_by(|a, b| (&a.name, size(a)).cmp(&(&b.name, size(b))));
        known.dedup_by(|later, first| later.name == first.name);
        known
    }
}
