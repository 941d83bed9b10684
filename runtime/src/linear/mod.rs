//! Small dense linear algebra on flat vectors: vector operations, conjugate gradients, the largest eigenvalue. Operators are
//! closures that write a product; nothing here knows what they multiply by.

pub(crate) mod blas1;
pub mod cg;
pub(crate) mod cholesky;
pub(crate) mod power;
