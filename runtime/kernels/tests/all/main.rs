//! Tests of the kernels: accuracy, what every kernel owes, matrix products.

#![allow(clippy::disallowed_macros, reason = "with --nocapture the measured errors are shown")]
#![allow(unsafe_code)]

mod accuracy;
mod common;
mod exact;
mod kernels;
mod products;
