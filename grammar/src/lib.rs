//! The blo language as text: source files, spans, diagnostics, and the syntax tree.

pub mod ast;
pub mod diagnostic;
pub mod source;
pub mod span;
