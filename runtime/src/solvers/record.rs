//! Records of interchangeable parts: the pieces a loop is composed of, each in the file of what it does, and one of them with settings.

use crate::derivatives::Quantity;
use crate::settings::{Piece, Settings};

/// A piece of one family: what users see, what it evaluates, and how it is put together.
pub(crate) struct Record<F: 'static> {
    pub(crate) piece: Piece,
    /// What it evaluates, given the settings of the method and its own.
    pub(crate) needs: fn(&Settings, &Settings) -> Vec<Quantity>,
    pub(crate) build: F,
}

/// The records of a family as an option lists them.
pub(crate) const fn pieces<F, const N: usize>(records: [&'static Record<F>; N]) -> [&'static Piece; N] {
    let mut pieces = [&records[0].piece; N];
    let mut i = 1;
    while i < N {
        pieces[i] = &records[i].piece;
        i += 1;
    }
    pieces
}

/// A piece with settings of its own options.
pub(crate) struct Chosen<F: 'static> {
    pub(crate) record: &'static Record<F>,
    pub(crate) settings: Settings,
}

impl<F> Record<F> {
    /// This piece, its options among those of a method.
    pub(crate) fn with(&'static self, settings: &Settings) -> Chosen<F> {
        Chosen { record: self, settings: settings.clone() }
    }
}

/// The piece of this name, its options among those of a method.
pub(crate) fn named<F>(records: &[&'static Record<F>], name: &str, settings: &Settings) -> Chosen<F> {
    match records.iter().find(|record| record.piece.name == name) {
        Some(record) => record.with(settings),
        None => panic!("blo has a bug: there is no piece `{name}`"),
    }
}
