//! Reports of how the follower's answer moves with an upper variable, `d(y)/d(x)`: through the follower's constraints where the run works
//! on its single-level form (see [`crate::constrained::sensitivity`]), else by `−(∇²yy f)⁻¹ ∇²yx f` on the face of the lower domain that
//! the answer lies on, a solve by conjugate gradients per reported element of `y`.

use ndarray::ArrayD;

use crate::check::Check;
use crate::constrained::sensitivity::{Response, Side, Undefined};
use crate::hypergradient::Implicit;
use crate::linear::cg::CgEnd;
use crate::problem::Problem;
use crate::space::Block;

/// A reported derivative of the follower's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Slopes {
    /// The name of the report.
    pub name: String,
    /// The axes of the lower variable, then those of the upper one; not numbers where it is not defined.
    pub values: ArrayD<f64>,
    /// Why it is not defined, or that it is one of several.
    pub note: Option<&'static str>,
}

/// What is said where the answer has derivatives from the sides only.
const KINK: &str = "the follower's answer has a kink here, and this is the derivative of one side";
/// The residual aimed at, and the largest at which a derivative is reported.
const ADJOINT: (f64, f64) = (1e-11, 1e-6);

/// The reported derivatives at `x` and the follower's answer as the check found it.
pub fn slopes(problem: &mut Problem, x: &[f64], check: &Check) -> Vec<Slopes> {
    let Some(lower) = check.lower.as_ref().filter(|_| !problem.slopes.is_empty()) else { return Vec::new() };
    let asked = problem.slopes.clone();
    let y = &lower.solution;
    if problem.constrained.is_some() {
        let whole = through_constraints(problem, x, y);
        let each = asked.into_iter().map(|slope| {
            let (of, by) = (&problem.lower.blocks()[slope.of], &problem.upper.blocks()[slope.by]);
            match &whole {
                Ok((rows, kinks)) => {
                    let rows = &rows[of.offset..of.offset + of.len];
                    let values = rows.iter().flat_map(|row| &row[by.offset..by.offset + by.len]).copied();
                    reported(slope.name, of, by, values.collect(), (*kinks > 0).then_some(KINK))
                }
                Err(undefined) => reported(slope.name, of, by, Vec::new(), Some(undefined.words())),
            }
        });
        return each.collect();
    }
    let each = asked.into_iter().map(|slope| {
        let (of, by) = (problem.lower.blocks()[slope.of].clone(), problem.upper.blocks()[slope.by].clone());
        match implicitly(problem, x, y, (of.offset, of.len), (by.offset, by.len)) {
            Some(values) => reported(slope.name, &of, &by, values, None),
            None => reported(slope.name, &of, &by, Vec::new(), Some(Undefined::Singular.words())),
        }
    });
    each.collect()
}

/// `dy/dx` in rows, and the number of kinks.
fn through_constraints(
    problem: &mut Problem,
    x: &[f64],
    y: &[f64],
) -> Result<(Vec<Vec<f64>>, usize), Undefined> {
    let follower = problem.constrained.as_mut().and_then(|c| c.follower.as_mut());
    let follower = follower.ok_or(Undefined::NoAnswer)?;
    let mut response = Response::at(follower, x, y, Side::Free)?;
    Ok((response.matrix(follower), response.kinks))
}

/// The rows and columns asked for, one after the other.
fn implicitly(
    problem: &mut Problem,
    x: &[f64],
    y: &[f64],
    (first, count): (usize, usize),
    (from, len): (usize, usize),
) -> Option<Vec<f64>> {
    problem.tolerantly(|problem| {
        let mut implicit = Implicit::new(problem);
        let (mut row, mut values) = (vec![0.0; x.len()], Vec::with_capacity(count * len));
        for i in first..first + count {
            let report = implicit.row(problem, x, y, i, (2 * y.len() + 10, ADJOINT.0), &mut row);
            let solved =
                matches!(report.end, CgEnd::Converged | CgEnd::Steps) && report.residual <= ADJOINT.1;
            if !solved {
                return None;
            }
            values.extend_from_slice(&row[from..from + len]);
        }
        let unique = implicit.probe(problem, x, y, 2 * y.len() + 10);
        (unique != CgEnd::Singular && unique != CgEnd::Negative).then_some(values)
    })
}

fn reported(
    name: String,
    of: &Block,
    by: &Block,
    mut values: Vec<f64>,
    note: Option<&'static str>,
) -> Slopes {
    let shape: Vec<usize> = of.shape.iter().chain(&by.shape).copied().collect();
    values.resize(of.len * by.len, f64::NAN);
    let values =
        ArrayD::from_shape_vec(shape, values).unwrap_or_else(|_| ArrayD::from_elem(Vec::new(), f64::NAN));
    Slopes { name, values, note }
}
