//! Precompiled vector kernels: elementwise mathematics, reductions, row operations and matrix products.
//!
//! Each kernel exists for `f32` and `f64` and at several levels (AVX-512, AVX2 with FMA, SSE2; NEON; plain Rust), chosen
//! once per process. Generated code calls kernels by address ([`symbols`]); Rust code uses [`map`], [`blas1`] and
//! [`gemm`]. Levels with a fused multiply-add give the same bits for elementwise kernels,
//! reductions and row operations, and so do those without.
//! Splitting work over threads is left to the caller, except in [`gemm`].
#![allow(unsafe_code)]

pub mod blas1;
pub mod dense;
mod elementwise;
mod entry;
mod gemm;
pub mod indefinite;
mod level;
pub mod map;
mod math;
mod real;
mod reduce;
mod rows;
mod scratch;
mod single;
pub mod sparse;
mod table;
mod vector;

pub use elementwise::{Binary, Unary};
pub use gemm::{gemm, gemm_at, gemm_tile};
pub use level::Level;
pub use reduce::{Reduce, Reduce2};
pub use rows::Rows;
pub use single::{One, Single, Two, single_name, singles, singles_for};
pub use table::{Kernel, Precision, Signature, Symbol, lookup, symbol, symbol_for, symbols, symbols_for};

/// An element type of the kernels: `f32` or `f64`. Cannot be implemented elsewhere.
pub trait Float: real::Real {}
impl Float for f32 {}
impl Float for f64 {}
