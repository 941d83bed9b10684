//! The blo command.

mod data;
mod files;
mod args;
mod near;
mod render;
#[cfg(test)]
mod scratch;

fn main() {}
