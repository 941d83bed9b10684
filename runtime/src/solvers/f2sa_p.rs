//! `f2sa_p`: first-order hypergradients from a finite-difference stencil of perturbed lower levels (F2SA-p).
//!
//! Assumes smooth `F`, `f` with derivatives up to the order, and `f + j nu F` strongly convex in `y` for every `j` of the stencil.
//! Per iteration, for every node `j`: `lower_steps` steps on `(f + j nu F)(x, ·)` from its last copy `y_j`; then
//! `g = 1/nu Σ_j c_j ∇x (f + j nu F)(x, y_j)` with `Σ c_j = 0`, `Σ j c_j = 1`, which is the hypergradient up to order `nu^p`; then a step
//! on `x`. The nodes are `−⌊p/2⌋, …, ⌈p/2⌉`; from where a copy with `j < 0` meets negative curvature, they are `0, …, p`: a lower level
//! that is flat somewhere has no minimiser once a multiple of `F` is taken away. The reported `y` is a plain copy (`j = 0`). Stops when `‖x − P(x − g)‖ ≤ tolerance`. Costs, per node, `lower_steps` lower
//! and upper gradients and one of each in full; no second derivatives; memory of a lower vector per node.
//!
//! Not guaranteed: finite `lower_steps` leave an error that is divided by `nu`, and so do rounding errors.
//!
//! Source: L. Chen, J. Xu, J. Zhang, "Faster gradient methods for highly-smooth stochastic bilevel optimization", 2025
//! (F2SA-p), without sampling; the paper keeps to the first nodes; the step on `x` is not normalised here (use `clip`).

use super::options::{LOWER_STEP, POSITIVE, RUN, UPPER, lower_steps};
use super::run::{Evaluation, Method, Point, Run};
use super::step::Step;
use super::step_size::StepSize;
use super::{Levels, Solver, step_needs};
use crate::derivatives::{Derivatives, Quantity};
use crate::linear::blas1::axpy;
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::state::State;
use crate::status::Termination;

/// Curvature counts as negative beyond this cosine of a step and the change of its gradient.
const BENT: f64 = 1e-6;

const OWN: &[OptionSpec] = &[
    lower_steps(10.0),
    LOWER_STEP,
    OptionSpec {
        name: "order",
        kind: Kind::Within(1, 20),
        default: Preset::Number(2.0),
        doc: "Order of the difference formula; it has one node more.",
    },
    OptionSpec {
        name: "nu",
        kind: POSITIVE,
        default: Preset::Number(0.01),
        doc: "Distance of the nodes: the share of F in the perturbed lower levels.",
    },
];

/// The solver.
pub static F2SA_P: Solver = Solver {
    name: "f2sa_p",
    summary: "first-order hypergradients of higher order from a stencil of perturbed lower levels",
    source: "Chen, Xu and Zhang 2025",
    groups: &[RUN, OWN, UPPER],
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| {
        let mut needs = vec![Quantity::LowerGradient, Quantity::LowerGradients, Quantity::UpperGradients];
        needs.extend(step_needs(settings));
        needs
    },
    build,
};

/// A perturbed lower level.
struct Node {
    /// `j nu`.
    share: f64,
    /// `c_j / nu`.
    weight: f64,
    y: Vec<f64>,
}

/// The nodes `−below, …, p − below` and their weights: the derivatives at 0 of the Lagrange polynomials.
fn stencil(order: usize, below: usize) -> Vec<(f64, f64)> {
    let nodes: Vec<f64> = (0..=order).map(|k| k as f64 - below as f64).collect();
    let others = |j: f64| nodes.iter().copied().filter(move |&m| m != j && m != 0.0);
    let weight = |j: f64| {
        if j == 0.0 {
            -others(0.0).map(|m| 1.0 / m).sum::<f64>()
        } else {
            others(j).map(|m| -m / (j - m)).product::<f64>() / j
        }
    };
    nodes.iter().map(|&j| (j, weight(j))).collect()
}

struct F2saP {
    nodes: Vec<Node>,
    nu: f64,
    /// Nodes below 0.
    below: usize,
    count: usize,
    size: StepSize,
    upper_step: Step,
    gradient: Vec<f64>,
    of_lower: Point,
    of_upper: Point,
    scratch: Vec<f64>,
    /// A copy and its gradient before its last step.
    before: (Vec<f64>, Vec<f64>),
}

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let nu = settings.real("nu");
    let order = settings.count("order");
    let mut method = F2saP {
        nodes: (0..=order).map(|_| Node { share: 0.0, weight: 0.0, y: start.y.clone() }).collect(),
        nu,
        below: order / 2,
        count: settings.count("lower_steps"),
        size: StepSize::lower(problem, settings, start, 1.0, 0.0),
        upper_step: Step::upper(settings, &problem.upper),
        gradient: vec![0.0; start.x.len()],
        of_lower: start.clone(),
        of_upper: start.clone(),
        scratch: vec![0.0; start.x.len()],
        before: (start.y.clone(), start.y.clone()),
    };
    method.weigh();
    Box::new(method)
}

impl F2saP {
    /// Gives the nodes their places and weights.
    fn weigh(&mut self) {
        let stencil = stencil(self.nodes.len() - 1, self.below);
        for (node, (j, c)) in self.nodes.iter_mut().zip(stencil) {
            (node.share, node.weight) = (j * self.nu, c / self.nu);
        }
    }

    /// Goes over to the nodes from 0 on; new ones start where the last one is.
    fn lean(&mut self) {
        let kept = self.nodes.len() - self.below;
        self.nodes.rotate_left(self.below);
        let (old, new) = self.nodes.split_at_mut(kept);
        for (node, last) in new.iter_mut().zip(std::iter::repeat(&old[kept - 1])) {
            node.y.copy_from_slice(&last.y);
        }
        self.below = 0;
        self.weigh();
    }

    /// The steps of a copy; `None` when they were asked to stop, otherwise whether they met negative curvature.
    fn step(&mut self, problem: &mut Problem, x: &[f64], index: usize, run: &mut Run<'_>) -> Option<bool> {
        let F2saP { nodes, count, size, of_lower, of_upper, before, .. } = self;
        let Node { share, y, .. } = &mut nodes[index];
        let mut bent = false;
        for t in 0..*count {
            if run.poll(problem) {
                return None;
            }
            problem.lower_gradient(x, y, &mut of_lower.y);
            if *share != 0.0 {
                problem.upper_gradients(x, y, &mut of_upper.x, &mut of_upper.y);
                axpy(*share, &of_upper.y, &mut of_lower.y);
            }
            if *share < 0.0 {
                bent |= t > 0 && is_bent((&before.0, y), (&before.1, &of_lower.y));
                before.0.copy_from_slice(y);
                before.1.copy_from_slice(&of_lower.y);
            }
            axpy(-size.get(), &of_lower.y, y);
            problem.lower.project(y);
        }
        Some(bent)
    }
}

/// Whether a function has negative curvature between two points, by its gradients there and beyond their roundoff.
fn is_bent((from, to): (&[f64], &[f64]), (before, after): (&[f64], &[f64])) -> bool {
    let (mut product, mut moved, mut changed) = (0.0, 0.0, 0.0);
    for ((from, to), (before, after)) in from.iter().zip(to).zip(before.iter().zip(after)) {
        let (step, change) = (to - from, after - before);
        product += step * change;
        moved += step * step;
        changed += change * change;
    }
    product < -BENT * (moved * changed).sqrt()
}

impl Method for F2saP {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation {
        let Point { x, y } = point;
        self.size.follow(problem, x, y);
        let mut index = 0;
        while index < self.nodes.len() {
            match self.step(problem, x, index, run) {
                None => return Evaluation::NONE,
                // All nodes from 0 on are then still to be moved.
                Some(true) => {
                    self.lean();
                    index = 0;
                }
                Some(false) => index += 1,
            }
        }
        self.gradient.fill(0.0);
        let mut known = (f64::NAN, f64::NAN);
        for node in &self.nodes {
            let lower = problem.lower_gradients(x, &node.y, &mut self.of_lower.x, &mut self.of_lower.y);
            let upper = problem.upper_gradients(x, &node.y, &mut self.of_upper.x, &mut self.of_upper.y);
            axpy(node.weight, &self.of_lower.x, &mut self.gradient);
            axpy(node.weight * node.share, &self.of_upper.x, &mut self.gradient);
            if node.share == 0.0 {
                y.copy_from_slice(&node.y);
                known = (upper, lower);
            }
        }
        let measure = problem.upper.stationarity(x, &self.gradient, &mut self.scratch);
        Evaluation { upper: known.0, lower: known.1, measure }
    }

    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination> {
        self.upper_step.apply(&problem.upper, k, &self.gradient, &mut point.x);
        None
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.size.state(state);
        self.upper_step.state(state);
        state.count(&mut self.below);
        self.weigh();
        for node in &mut self.nodes {
            state.numbers(&mut node.y);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::stencil;

    #[test]
    fn the_weights_are_those_of_the_difference_formulas() {
        let close = |order: usize, expected: &[f64]| {
            let found: Vec<f64> = stencil(order, order / 2).iter().map(|n| n.1).collect();
            assert_eq!(found.len(), expected.len());
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-14), "{found:?}");
        };
        close(1, &[-1.0, 1.0]);
        close(2, &[-0.5, 0.0, 0.5]);
        close(3, &[-1.0 / 3.0, -0.5, 1.0, -1.0 / 6.0]);
        close(5, &[0.05, -0.5, -1.0 / 3.0, 1.0, -0.25, 1.0 / 30.0]);
        for order in 1..=10 {
            for nodes in [stencil(order, order / 2), stencil(order, 0)] {
                let size: f64 = nodes.iter().map(|n| n.1.abs()).sum();
                assert!(nodes.iter().map(|n| n.1).sum::<f64>().abs() < 1e-15 * size);
                assert!((nodes.iter().map(|n| n.0 * n.1).sum::<f64>() - 1.0).abs() < 1e-14 * size);
            }
        }
    }
}
