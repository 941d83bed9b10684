//! Ends that sizes found by the method itself led to: the run goes back to its best iterate with smaller ones.

use super::{Evaluation, Method, Point, Run};
use crate::problem::Problem;
use crate::settings::Settings;
use crate::solvers::Solver;
use crate::status::Termination;

/// An iterate of sizes that were found has gone astray when it is this much larger than the start, and its measure this much larger
/// than the smallest so far.
const ASTRAY: f64 = 1e3;

/// What is left of sizes that were found when they led astray.
const CAUTION: f64 = 0.25;

/// How often a run goes back before it ends where it went astray.
const RETREATS: usize = 12;

/// What a method is made of, to make it again with smaller steps.
pub(super) struct Again<'a> {
    solver: &'a Solver,
    settings: &'a Settings,
    start: Point,
    pub(super) retreats: usize,
}

impl Again<'_> {
    /// The method with the sizes that are left.
    pub(super) fn method(&self, problem: &mut Problem) -> Box<dyn Method> {
        let caution = CAUTION.powi(self.retreats as i32);
        (self.solver.build)(problem, &self.settings.cautious(caution), &self.start)
    }
}

impl<'a> Run<'a> {
    /// The same run, which goes back to its best iterate with smaller steps where sizes that `solver` found by itself led astray.
    #[must_use]
    pub(crate) fn retreating(mut self, solver: &'a Solver, settings: &'a Settings, start: &Point) -> Self {
        if settings.finds_steps() {
            self.again = Some(Again { solver, settings, start: start.clone(), retreats: 0 });
        }
        self
    }

    /// Whether a run that can go back should.
    pub(super) fn astray(&self, point: &Point, evaluation: &Evaluation, k: usize) -> Option<Termination> {
        let again = self.again.as_ref().filter(|again| again.retreats < RETREATS)?;
        let (size, part) = point.size();
        let far = size > ASTRAY * (1.0 + again.start.size().0);
        (far && evaluation.measure > ASTRAY * self.best_measure).then_some(Termination::Diverged {
            iteration: k,
            size,
            part,
        })
    }

    /// Goes back to the best iterate with smaller steps, where sizes that were found led to this end.
    pub(super) fn retreat(
        &mut self,
        end: &Termination,
        method: &dyn Method,
        problem: &mut Problem,
        point: &mut Point,
    ) -> Option<Box<dyn Method>> {
        let led_astray = matches!(end, Termination::Diverged { .. } | Termination::NonFinite { .. });
        if !led_astray {
            return None;
        }
        let again = self.again.as_mut().filter(|again| again.retreats < RETREATS)?;
        again.retreats += 1;
        self.epochs += method.epochs().unwrap_or(0.0);
        problem.take_fault();
        point.copy(&self.best);
        self.good.copy(&self.best);
        Some(again.method(problem))
    }
}
