//! The blo command.

mod data;
mod files;
mod method;
mod output;
mod args;
mod near;
mod render;
#[cfg(test)]
mod scratch;

fn main() {}
