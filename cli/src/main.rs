//! The blo command.

mod data;
mod files;
mod near;
#[cfg(test)]
mod scratch;

fn main() {}
