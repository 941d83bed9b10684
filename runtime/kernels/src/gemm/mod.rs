//! Matrix products.
use crate::Float;
/// x
pub unsafe fn gemm<T: Float>() {}
