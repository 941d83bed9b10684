//! The blo command.

mod args;
mod data;
mod files;
mod method;
mod near;
mod output;
mod render;
#[cfg(test)]
mod scratch;

fn main() {}
