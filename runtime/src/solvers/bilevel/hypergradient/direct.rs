//! The hypergradient `direct`: the lower Hessian is written out, a product per column, and factorised by Cholesky's method; for small lower
//! levels, and independent of conditioning. On active lower domains it is that of the face. Where it is not positive definite, conjugate
//! gradients take over, which stop at the first direction of zero or negative curvature.

use super::HypergradientRecord;
use super::implicit::{Adjoint, OF_F_ALONE, needs, with};
use crate::hypergradient::Implicit;
use crate::linear::cholesky;
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Piece, Preset};
use crate::solvers::bilevel::lower::Solves;

/// The options.
const OPTIONS: &[OptionSpec] = &[OptionSpec {
    name: "largest",
    kind: Kind::Count(1),
    default: Preset::Number(1000.0),
    doc: "The most lower variables for which the Hessian is written out.",
}];

pub(crate) static DIRECT: HypergradientRecord = HypergradientRecord {
    piece: Piece {
        name: "direct",
        doc: "implicit differentiation; the lower Hessian is written out and factorised",
        assumes: "a solved lower level with a positive definite Hessian and few variables",
        cost: "m Hessian products, m³/3 operations and m² numbers",
        source: "",
        groups: &[OPTIONS],
        requires: &[OF_F_ALONE],
    },
    needs,
    build: |context, own| {
        let (m, largest) = (context.start.y.len(), own.count("largest"));
        let refusal = (m > largest).then(|| {
            format!(
                "`direct` writes out the lower Hessian of at most {largest} variables, and there are {m}: `conjugate_gradient` needs \
                 products only, and `largest` moves the limit"
            )
        });
        let room = if refusal.is_some() { 0 } else { m * m };
        with(context, Direct { matrix: vec![0.0; room], refusal })
    },
};

struct Direct {
    matrix: Vec<f64>,
    refusal: Option<String>,
}

impl Adjoint for Direct {
    fn solve(
        &mut self,
        implicit: &mut Implicit,
        problem: &mut Problem,
        (x, y): (&[f64], &[f64]),
        _: &mut dyn Solves,
        g: &mut [f64],
    ) -> f64 {
        let mut solved = false;
        let value = implicit.evaluate_by(problem, x, y, g, |system| {
            system.write(&mut self.matrix);
            system.adjoint.copy_from_slice(system.rhs);
            solved = cholesky::solve(&mut self.matrix, system.adjoint);
        });
        if solved {
            return value;
        }
        implicit.adjoint.fill(0.0);
        implicit.evaluate(problem, x, y, y.len(), 1e-12, g).0
    }

    fn refusal(&self) -> Option<String> {
        self.refusal.clone()
    }
}
