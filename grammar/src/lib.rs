//! The blo language as text: source files, spans, diagnostics, and the syntax tree.

pub mod ast;
pub mod codes;
pub mod diagnostic;
pub mod format;
pub mod names;
pub mod parse;
pub mod precedence;
pub mod source;
pub mod span;
