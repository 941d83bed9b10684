//! Proof that a function is not convex: two points of the domains with a middle whose value lies above the chord.
//!
//! Segments are drawn at random, some along given directions or along a few variables only, from fixed seeds. A function whose
//! value rises above the chord by less than rounding could explain proves nothing.

use rustc_hash::FxHashMap;

use super::scope::{Scope, domain};
use crate::draws::Draw;
use crate::ir::eval::{Array, evaluate};
use crate::ir::graph::{Graph, InputId, NodeId, Role};
use crate::model::{Domain, Var};
use crate::ops::curvature::interval::Interval;

/// Two points in the chosen variables, flat, and by how much the middle lies above the chord.
#[derive(Clone, Debug, PartialEq)]
pub struct Witness {
    /// One end.
    pub from: Vec<f64>,
    /// The other.
    pub to: Vec<f64>,
    /// The value in the middle less the mean of the values at the ends; above 0.
    pub excess: f64,
}

/// The most scalar operations that the search may cost.
const BUDGET: usize = 40_000_000;

/// Searches for a witness against the convexity of `f`, an array of functions. `directions`: where to look first.
pub fn search(g: &Graph, scope: &Scope, f: NodeId, directions: &[Vec<f64>]) -> Option<Witness> {
    let cost: usize = g.reachable(&[f]).iter().map(|&id| g.ty(id).len() + 8).sum();
    let trials = (BUDGET / (3 * cost.max(1))).clamp(4, 240);
    let vars = scope.chosen.iter().chain(&scope.fixed);
    let boxes = Boxes(vars.map(|var| (var.input, domain(g, var, scope.data).ends(&var.ty.shape))).collect());
    let mut data = scope.data.clone();
    data.keep_data(g, &[f]).ok()?;
    (0..trials as u64).find_map(|trial| {
        let mut bindings = data.clone();
        for var in &scope.fixed {
            bindings.set(var.input, boxes.sample(var, trial, "fixed"));
        }
        for (k, input) in g.inputs().iter().enumerate().filter(|(_, i)| i.role == Role::Multiplier) {
            let value = Draw::Uniform(0.0, 1.0).array(&input.ty.shape, trial, &input.name);
            bindings.set(InputId(k as u32), value);
        }
        let (from, to): (Vec<Array>, Vec<Array>) = match directions.get(trial as usize / 8) {
            Some(direction) => boxes.along(scope, direction, trial)?,
            None => scope.chosen.iter().map(|var| boxes.segment(var, trial)).unzip(),
        };
        let middle: Vec<Array> = from.iter().zip(&to).map(|(a, b)| (a + b) / 2.0).collect();
        let mut value = |point: &[Array]| {
            for (var, value) in scope.chosen.iter().zip(point) {
                bindings.set(var.input, value.clone());
            }
            evaluate(g, &[f], &bindings).ok().map(|mut v| v.remove(0))
        };
        let (a, b, m) = (value(&from)?, value(&to)?, value(&middle)?);
        let excess = a.iter().zip(&b).zip(&m).map(|((&a, &b), &m)| excess(a, b, m)).fold(0.0, f64::max);
        let flat = |point: &[Array]| point.iter().flat_map(|x| x.iter().copied()).collect();
        (excess > 0.0).then(|| Witness { from: flat(&from), to: flat(&to), excess })
    })
}

/// By how much the middle lies above the chord, 0 if that may be rounding.
fn excess(a: f64, b: f64, m: f64) -> f64 {
    let above = m - (a / 2.0 + b / 2.0);
    let size = a.abs().max(b.abs()).max(m.abs());
    if above.is_finite() && above > 1e-7 * size + 1e-10 { above } else { 0.0 }
}

/// The boxes around the domains of all variables.
struct Boxes(FxHashMap<InputId, (Array, Array)>);

impl Boxes {
    /// A point of the variable's domain.
    fn sample(&self, var: &Var, trial: u64, what: &str) -> Array {
        let (lo, hi) = &self.0[&var.input];
        let scale = [1.0, 0.1, 10.0][trial as usize % 3];
        let name = format!("{what} {}", var.name);
        let normal = Draw::Normal(0.0, 1.0).array(&var.ty.shape, trial, &name);
        let uniform = Draw::Uniform(0.0, 1.0).array(&var.ty.shape, trial, &name);
        match &var.domain {
            Domain::Simplex => {
                let mut x = uniform.mapv(|u| -libm::log(u.max(1e-300)));
                let last = ndarray::Axis(x.ndim().saturating_sub(1));
                x.lanes_mut(last).into_iter().for_each(|mut row| {
                    let total: f64 = row.sum();
                    row.mapv_inplace(|x| x / total);
                });
                x
            }
            Domain::Ball(_) => {
                let radius = hi.iter().copied().next().unwrap_or(0.0).min(scale);
                let norm = normal.iter().map(|x| x * x).sum::<f64>().sqrt().max(1e-300);
                let share = uniform.iter().copied().next().unwrap_or(0.0);
                normal.mapv(|x| x / norm * radius * share)
            }
            Domain::Free | Domain::Interval(..) => {
                let mut x = normal;
                ndarray::Zip::from(&mut x).and(&uniform).and(lo).and(hi).for_each(|x, &u, &lo, &hi| {
                    *x = match (lo.is_finite(), hi.is_finite()) {
                        (true, true) => lo + u * (hi - lo),
                        (true, false) => lo + x.abs() * scale,
                        (false, true) => hi - x.abs() * scale,
                        (false, false) => *x * scale,
                    };
                });
                x
            }
        }
    }

    /// Both ends of a segment in one variable; every other time only some elements differ.
    fn segment(&self, var: &Var, trial: u64) -> (Array, Array) {
        let (from, mut to) = (self.sample(var, trial, "from"), self.sample(var, trial, "to"));
        let entrywise = matches!(var.domain, Domain::Free | Domain::Interval(..));
        if trial % 2 == 1 && entrywise {
            let keep = Draw::Uniform(0.0, 1.0).array(&var.ty.shape, trial, &format!("keep {}", var.name));
            ndarray::Zip::from(&mut to).and(&from).and(&keep).for_each(|to, &from, &keep| {
                if keep < 0.6 {
                    *to = from;
                }
            });
        }
        (from, to)
    }

    /// Both ends of a segment along a direction, cut off where a bound is met; `None` for domains without a box.
    fn along(&self, scope: &Scope, direction: &[f64], trial: u64) -> Option<(Vec<Array>, Vec<Array>)> {
        let mut before = 0;
        let mut reach = f64::INFINITY;
        let mut pieces = Vec::new();
        for var in &scope.chosen {
            if !matches!(var.domain, Domain::Free | Domain::Interval(..)) {
                return None;
            }
            let point = self.sample(var, trial, "along");
            let step = direction.get(before..before + var.ty.len())?.to_vec();
            before += var.ty.len();
            let step = Array::from_shape_vec(ndarray::IxDyn(&var.ty.shape), step).ok()?;
            let (lo, hi) = &self.0[&var.input];
            ndarray::Zip::from(&point).and(&step).and(lo).and(hi).for_each(|&x, &d, &lo, &hi| {
                let room = Interval::new(lo, hi);
                if d != 0.0 {
                    reach = reach.min((room.hi - x).min(x - room.lo) / d.abs());
                }
            });
            pieces.push((point, step));
        }
        let reach = reach.min([1.0, 0.01, 100.0][trial as usize % 3]);
        Some(pieces.iter().map(|(x, d)| (x - &(d * reach), x + &(d * reach))).unzip())
    }
}
