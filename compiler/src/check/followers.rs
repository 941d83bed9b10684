//! Followers: naming them, keeping them independent of each other, and putting them together as one lower level.

use blo_grammar::ast::{self, LevelKind};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::Checker;
use super::scope::{DeclId, Kind, LevelId, Reads};
use crate::model::Level;

impl Checker<'_> {
    /// Gives a level block its number.
    pub fn new_level(&mut self, level: &ast::Level) -> LevelId {
        match level.kind {
            LevelKind::Upper => LevelId::Upper,
            LevelKind::Lower => {
                self.followers.push(level.name.clone());
                LevelId::Lower(self.followers.len() - 1)
            }
        }
    }

    /// A level as its block begins: `upper`, `lower`, `lower name`.
    pub fn level_name(&self, level: LevelId) -> String {
        match level {
            LevelId::Upper => "upper".to_owned(),
            LevelId::Lower(at) => match self.followers.get(at) {
                Some(Some(name)) => format!("lower {}", name.name),
                _ => "lower".to_owned(),
            },
        }
    }

    /// Several followers have names, and different ones.
    pub fn names_of_followers(&mut self, lowers: &[&ast::Level]) {
        if lowers.len() < 2 {
            return;
        }
        for (k, level) in lowers.iter().enumerate() {
            let Some(name) = &level.name else {
                let message = "several followers need names";
                let other = if k == 0 { lowers[1] } else { lowers[0] };
                let diagnostic = Diagnostic::error("E0220", message, level.keyword, "this one has none")
                    .label(other.keyword, "another follower");
                self.emit(diagnostic.help("write `lower first { … }` and `lower second { … }`"));
                continue;
            };
            let earlier = lowers[..k].iter().filter_map(|l| l.name.as_ref()).find(|n| n.name == name.name);
            if let Some(earlier) = earlier {
                let message = format!("two followers are called `{}`", name.name);
                let diagnostic = Diagnostic::error("E0202", message, name.span, "again here");
                self.emit(diagnostic.label(earlier.span, "first here"));
            }
        }
    }

    /// Refuses a variable of another follower: each answers the leader alone.
    pub fn own_variable(&mut self, id: DeclId, span: Span) -> Option<()> {
        let decl = &self.decls[id.0];
        let place = self.frames.first().and_then(|frame| frame.level);
        let (Kind::Var(_), Some(theirs @ LevelId::Lower(_)), Some(own @ LevelId::Lower(_))) =
            (&decl.kind, decl.level, place)
        else {
            return Some(());
        };
        if own == theirs || self.reads != Reads::Variables {
            return Some(());
        }
        let (name, declared) = (decl.name.clone(), decl.span);
        let (own, theirs) = (self.level_name(own), self.level_name(theirs));
        let message = format!("`{own}` reads a variable of another follower");
        let diagnostic =
            Diagnostic::error("E0240", message, span, format!("`{name}` is chosen by `{theirs}`"))
                .label(declared, "declared here")
                .note("followers answer the leader independently of each other");
        self.emit(diagnostic.help("followers that influence each other play a game of their own; if they decide together, write one `lower`"));
        None
    }

    /// All followers as one lower level.
    pub fn lower_level(&mut self, followers: Vec<Level>) -> Option<Level> {
        let maximize = followers.iter().all(|f| f.maximize);
        let mut all: Option<Level> = None;
        for (k, mut follower) in followers.into_iter().enumerate() {
            follower.constraints = self.constraints_in(LevelId::Lower(k));
            all = Some(match all {
                None => follower,
                Some(mut level) => {
                    level.followers.extend(follower.followers);
                    level.vars.extend(follower.vars);
                    level.constraints.extend(follower.constraints);
                    level.pessimistic = level.pessimistic.or(follower.pessimistic);
                    level.objective = self.graph.add(level.objective, follower.objective);
                    level
                }
            });
        }
        all.map(|level| Level { maximize, ..level })
    }
}
