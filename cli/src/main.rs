//! The blo command.
fn main() {}
