//! LU factors of matrices.

use super::dense::{each, general_samples, lu, square};
use super::{Curvature, Derivative, Lowering, Operator, Surface};
use crate::types::Type;
use blo_runtime::program::spec::Dense;

/// LU factors of matrices, packed. `solve`, `inv` and `logdet` are written with them before loops are made, so that they
/// share the factors of one matrix.
pub static LU: Operator = Operator {
    name: "lu",
    definition: "lu(A) = the LU factors of A with partial pivoting, packed: A: batch, n, n to batch, n + 1, n; row j < n is \
                 column j of both factors, the last row says where each row of the factors comes from; real arrays",
    domain: "regular matrices; NaN everywhere if a pivot is zero or not finite",
    surface: Surface::Hidden,
    shape: |attrs, types| {
        let mut shape = square(attrs, types)?.shape;
        let rows = shape.len() - 2;
        shape[rows] += 1;
        Ok(Type::new(crate::types::Elem::Real, shape))
    },
    value: |_, x, ty| each(x, ty, |x| lu(x[0])),
    derivative: Derivative::Undefined("factors are made after differentiation"),
    curvature: Curvature::Opaque("the factors of a matrix that varies"),
    lowering: Lowering::Dense(Dense::Lu),
    samples: general_samples,
};
