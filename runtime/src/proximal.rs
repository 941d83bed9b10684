//! Nonsmooth terms of a lower objective that have a simple proximal operator: `g(x, y) = Σ w(x) · norm(some entries of y)`. The
//! lower objective is `f + g`, with `f` smooth. What a method needs of `g` is its value and
//! `prox_{t g}(v) = argmin_u ½ ‖u − v‖² + t g(x, u)`; derivatives by `x` are those of the compiled objective as a whole.
//!
//! [`Norm`] is the table of operators. The sum of an absolute value per entry and of Euclidean norms of groups that have no entry
//! in common is treated as one: its operator shrinks the entries first and the groups then. Indicators of domains are
//! [`crate::space::Space::project`]; where a domain and a norm apply to the same entries, the operator of the sum is the norm's
//! followed by the projection (the compiler takes out only terms for which that holds).
//!
//! Sources: N. Parikh, S. Boyd, "Proximal algorithms", Foundations and Trends in Optimization 1 (2014), section 6.5. Y. Yu, "On
//! decomposing the proximal map", NIPS 2013, theorems 4 and 6 (groups after entries, a ball after entries).

use crate::state::State;

/// A norm with its proximal operator in closed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// `|u|` of one entry, summed over entries.
    Absolute,
    /// `‖u‖` of a group of entries.
    Euclidean,
}

impl Norm {
    /// The whole table.
    pub const ALL: [Norm; 2] = [Norm::Absolute, Norm::Euclidean];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Norm::Absolute => "absolute values",
            Norm::Euclidean => "Euclidean norms of groups",
        }
    }

    /// Its value on these entries of `v`.
    pub fn value(self, v: &[f64], entries: &[usize]) -> f64 {
        match self {
            Norm::Absolute => entries.iter().map(|&i| v[i].abs()).sum(),
            Norm::Euclidean => entries.iter().map(|&i| v[i] * v[i]).sum::<f64>().sqrt(),
        }
    }

    /// `u ← prox_{t norm}(u)` for these entries `u` of `v`. A negative `t` moves away from 0, a NaN spreads.
    pub fn shrink(self, t: f64, v: &mut [f64], entries: &[usize]) {
        match self {
            Norm::Absolute => entries.iter().for_each(|&i| v[i] = soft(v[i], t)),
            Norm::Euclidean => {
                let norm = self.value(v, entries);
                let factor = if norm <= t { 0.0 } else { (norm - t) / norm.max(f64::MIN_POSITIVE) };
                entries.iter().for_each(|&i| v[i] *= factor);
            }
        }
    }
}

/// `sign(v) max(|v| − t, 0)`
fn soft(v: f64, t: f64) -> f64 {
    let size = v.abs() - t;
    if size <= 0.0 { 0.0 } else { size.copysign(v) }
}

/// The nonsmooth part of a lower objective, with its weights at one `x`.
#[derive(Clone, Debug, PartialEq)]
pub struct Proximal {
    /// The entries of `y` under absolute values; one may stand there several times.
    entries: Vec<usize>,
    /// The entries of all groups, one group after another.
    members: Vec<usize>,
    /// The first member of every group, and the number of members.
    starts: Vec<usize>,
    /// The weights of the entries and then of the groups, as compiled.
    weights: Vec<f64>,
    /// The weight of the absolute value of every entry of `y`; empty without absolute values.
    absolute: Vec<f64>,
}

crate::frozen::wire::wire!(Proximal { entries, members, starts, weights, absolute });

impl Proximal {
    /// The weights at the last `x`.
    pub(crate) fn state(&mut self, state: &mut dyn State) {
        state.numbers(&mut self.weights);
        state.numbers(&mut self.absolute);
    }

    /// The terms over a vector of `len` entries, all of weight 0. Groups have no entry in common.
    ///
    /// # Panics
    /// When an entry is not below `len`, or in two places of the groups.
    pub fn new(len: usize, entries: Vec<usize>, groups: &[Vec<usize>]) -> Self {
        let members: Vec<usize> = groups.concat();
        assert!(entries.iter().chain(&members).all(|&i| i < len), "a proximal term reads beyond its vector");
        let mut seen = vec![false; len];
        let fresh = members.iter().all(|&i| !std::mem::replace(&mut seen[i], true));
        assert!(fresh, "the groups of a proximal term overlap");
        let starts = std::iter::once(0)
            .chain(groups.iter().scan(0, |end, group| {
                *end += group.len();
                Some(*end)
            }))
            .collect();
        Proximal {
            weights: vec![0.0; entries.len() + groups.len()],
            absolute: vec![0.0; if entries.is_empty() { 0 } else { len }],
            entries,
            members,
            starts,
        }
    }

    /// How many weights there are: one per entry under an absolute value, then one per group.
    pub fn weights_len(&self) -> usize {
        self.weights.len()
    }

    /// Takes new weights: `fill` writes them.
    pub fn weigh(&mut self, fill: impl FnOnce(&mut [f64])) {
        fill(&mut self.weights);
        self.absolute.fill(0.0);
        for (&entry, weight) in self.entries.iter().zip(&self.weights) {
            self.absolute[entry] += weight;
        }
    }

    /// The weights as they were taken.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    fn groups(&self) -> impl Iterator<Item = (&[usize], f64)> {
        let weights = self.weights[self.entries.len()..].iter().copied();
        self.starts.windows(2).map(|ends| &self.members[ends[0]..ends[1]]).zip(weights)
    }

    /// `g(x, v)`.
    pub fn value(&self, v: &[f64]) -> f64 {
        let absolute: f64 = self.absolute.iter().zip(v).map(|(w, v)| w * v.abs()).sum();
        absolute + self.groups().map(|(group, w)| w * Norm::Euclidean.value(v, group)).sum::<f64>()
    }

    /// `v ← prox_{t g(x, ·)}(v)`, where the step of entry `i` is `t · rates[i]`, or `t` where there are no rates. Rates are the same
    /// within a group.
    pub fn apply(&self, t: f64, rates: &[f64], v: &mut [f64]) {
        let rate = |i: usize| if rates.is_empty() { 1.0 } else { rates[i] };
        for (i, (v, weight)) in v.iter_mut().zip(&self.absolute).enumerate() {
            *v = soft(*v, t * rate(i) * weight);
        }
        for (group, weight) in self.groups() {
            let t = group.first().map_or(0.0, |&i| t * rate(i) * weight);
            Norm::Euclidean.shrink(t, v, group);
        }
    }

    /// Marks the entries of `y` that a small change of `x` leaves at 0: where `y` is 0 and a kink of positive weight lies.
    pub fn mark_zeros(&self, y: &[f64], fixed: &mut [bool]) {
        for ((fixed, weight), y) in fixed.iter_mut().zip(&self.absolute).zip(y) {
            *fixed |= *weight > 0.0 && *y == 0.0;
        }
        for (group, weight) in self.groups() {
            if weight > 0.0 && group.iter().all(|&i| y[i] == 0.0) {
                group.iter().for_each(|&i| fixed[i] = true);
            }
        }
    }
}
