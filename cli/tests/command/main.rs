//! The built command from the outside: what it prints and writes, its exit status, and what it refuses.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod automatic;
#[cfg(unix)]
mod backend;
mod bad_input;
mod cache;
mod checkpoint;
mod common;
mod compare;
mod convexity;
mod defaults;
mod differences;
mod drawing;
mod editor;
mod ends;
mod examples;
mod formats;
mod formulas;
mod levels;
mod manners;
mod native;
mod native_data;
mod proved;
mod report;
mod run;
#[path = "../../src/scratch.rs"]
mod scratch;
mod tools;
