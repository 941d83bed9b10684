//! Solutions from LU factors.

use ndarray::Axis;

use super::curvature::combine;
use super::dense::{each, lu, lu_solve, solve_samples, transposed, with_right_side};
use super::elementwise::real;
use super::{Curvature, Derivative, Lowering, Operator, Surface};
use blo_runtime::program::spec::Dense;

/// Solutions from LU factors.
pub static LU_SOLVE: Operator = Operator {
    name: "lu_solve",
    definition: "lu_solve(F, b) = the x with A x = b, or A' x = b, for the A whose packed factors F are; \
                 F: batch, n + 1, n; b and x: batch, n, k; real arrays",
    domain: "everywhere; NaN everywhere if F is",
    surface: Surface::Hidden,
    shape: |attrs, types| with_right_side(attrs, types, 1),
    value: |attrs, x, ty| each(x, ty, |x| lu_solve(x[0], x[1], transposed(attrs))),
    derivative: Derivative::Undefined("factors are made after differentiation"),
    curvature: Curvature::Rule(combine::linear_system),
    lowering: Lowering::Dense(Dense::LuSolve),
    samples: || {
        let mut samples = solve_samples(|a| a);
        samples.retain(|s| s.inputs[0].0.rank() == 2);
        for sample in &mut samples {
            let (_, a) = &sample.inputs[0];
            let n = a.shape()[0];
            let packed =
                each(&[a], &crate::types::Type::new(crate::types::Elem::Real, [n + 1, n]), |a| lu(a[0]));
            let values: Vec<f64> = packed.lanes(Axis(1)).into_iter().flatten().copied().collect();
            sample.inputs[0] = real(&[n + 1, n], &values);
        }
        samples
    },
};
