//! Tests of the kernels: accuracy, what every kernel owes, matrix products.
#![allow(unsafe_code)]

mod accuracy;
mod common;
mod kernels;
mod products;
