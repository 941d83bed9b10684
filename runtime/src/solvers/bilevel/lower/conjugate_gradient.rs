//! Lower steps `conjugate_gradient`: one truncated Newton step per outer iteration. Conjugate gradients on `H d = −∇y f`, at most
//! `lower_steps` of them, then `y ← P(y + t d)` with the largest `t = 1, ½, ¼, …` that does not lead uphill. Where a domain is active the
//! system is that of the face, found by a projected gradient step first; where the very first direction has no positive curvature a
//! gradient step is all that is taken. Solves a quadratic lower level exactly, in as many steps as it has variables.
//!
//! Source: R. S. Dembo, T. Steihaug, Math. Programming 26 (1983).

use super::{Build, IMPLICIT_ONLY, LowerRecord, Solves};
use crate::derivatives::{Derivatives, Quantity};
use crate::face::Face;
use crate::hypergradient::Descent;
use crate::linear::blas1::axpy;
use crate::linear::cg::{CgEnd, ConjugateGradients};
use crate::problem::Problem;
use crate::settings::Piece;
use crate::solvers::step::LowerSteps;
use crate::state::State;

/// How often a step that goes uphill is halved before it is given up.
const HALVINGS: usize = 40;

pub(crate) static CONJUGATE_GRADIENT: LowerRecord = LowerRecord {
    piece: Piece {
        name: "conjugate_gradient",
        doc: "conjugate gradients on the quadratic model of `f` where the steps begin, which solves a quadratic lower level",
        assumes: "a positive definite lower Hessian",
        cost: "a gradient and `lower_steps` Hessian products",
        source: "Dembo, Steihaug 1983",
        groups: &[],
        requires: &[IMPLICIT_ONLY],
    },
    needs: |_, _| vec![Quantity::LowerGradient, Quantity::LowerHessian],
    build: Build {
        dynamics: None,
        momentum: None,
        solver: |context, _| {
            let size = super::size(context);
            let (settings, problem) = (context.settings, &*context.problem);
            let m = problem.lower.len();
            Box::new(Newton {
                count: settings.count("lower_steps"),
                steps: LowerSteps::single(settings, &problem.lower, size),
                solver: ConjugateGradients::new(m),
                face: Face::new(problem),
                gradient: vec![0.0; m],
                direction: vec![0.0; m],
                start: vec![0.0; m],
            })
        },
    },
};

struct Newton {
    count: usize,
    /// A single gradient step.
    steps: LowerSteps,
    solver: ConjugateGradients,
    face: Face,
    gradient: Vec<f64>,
    direction: Vec<f64>,
    start: Vec<f64>,
}

impl Solves for Newton {
    fn run(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        poll: &mut dyn FnMut(&Problem) -> bool,
    ) -> Option<f64> {
        if poll(problem) {
            return None;
        }
        let free = problem.lower.is_free();
        if !free && !self.steps.run(problem, x, y, None, &mut *poll) {
            return None;
        }
        let value = problem.lower_gradient(x, y, &mut self.gradient);
        if !free {
            self.face.locate(problem, y, &self.gradient);
            self.face.tangent(&problem.lower, &mut self.gradient);
        }
        crate::linear::blas1::scale(-1.0, &mut self.gradient);
        self.direction.fill(0.0);
        let (face, tolerance) = (&self.face, problem.roundoff);
        let report =
            self.solver.solve(&self.gradient, &mut self.direction, self.count, tolerance, |v, hv| {
                problem.lower_hessian(x, y, v, hv);
                if !free {
                    face.add_curvature(&problem.lower, v, hv);
                    face.tangent(&problem.lower, hv);
                }
            });
        if report.steps == 0 && matches!(report.end, CgEnd::Negative | CgEnd::Singular) {
            return self.steps.run(problem, x, y, None, poll).then_some(f64::NAN);
        }
        Some(self.advance(problem, x, y, value))
    }

    fn step_size(&mut self, problem: &mut Problem, x: &[f64], y: &[f64]) -> f64 {
        self.steps.follow(problem, x, y);
        self.steps.size()
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.steps.state(state);
        true
    }
}

impl Newton {
    /// Goes along the direction; `value` is that of `f` at `y`. The value at the new `y`.
    fn advance(&mut self, problem: &mut Problem, x: &[f64], y: &mut [f64], value: f64) -> f64 {
        self.start.copy_from_slice(y);
        let mut length = 1.0;
        for _ in 0..HALVINGS {
            axpy(length, &self.direction, y);
            problem.lower.project(y);
            let last = problem.tolerantly(|p| p.lower_value(x, y));
            if (Descent { first: value, last }).is_downhill(problem.roundoff) {
                return last;
            }
            y.copy_from_slice(&self.start);
            length *= 0.5;
        }
        value
    }
}
