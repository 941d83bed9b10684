//! Problems with constraints. The compiler hands over two programs: the single-level form of the model, in which the
//! follower's problem is replaced by its conditions of Karush, Kuhn and Tucker, and the follower's own problem at a given `x`.
//! The method (`relax`) works on the first; the check works on both and trusts nothing.

pub mod bounds;
pub mod check;
pub mod cuts;
pub mod ending;
mod filter;
pub mod global;
pub mod interior;
pub mod jump;
pub mod leader;
pub mod lean;
pub mod local;
pub mod multipliers;
pub mod nlp;
pub mod polish;
pub mod program;
pub mod relax;
pub mod sensitivity;
mod sparse;
mod structure;
mod system;
pub mod tree;

use ndarray::ArrayD;
use nlp::Nlp;

use crate::check::UPPER;
use crate::state::State;

/// The degree of a function as a polynomial, as far as it is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Degree {
    /// At most 1.
    Affine,
    /// 2.
    Quadratic,
    /// Higher, no polynomial, or not known.
    Other,
}

/// The degrees of a program in all its variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Degrees {
    /// Of the objective.
    pub objective: Degree,
    /// Of every row.
    pub rows: Vec<Degree>,
}

impl Degrees {
    /// Nothing is known about a program with this many rows.
    pub fn unknown(rows: usize) -> Self {
        Degrees { objective: Degree::Other, rows: vec![Degree::Other; rows] }
    }

    /// Whether all rows are affine and the objective is quadratic at most.
    pub fn is_quadratic_program(&self) -> bool {
        self.objective <= Degree::Quadratic && self.rows.iter().all(|row| *row == Degree::Affine)
    }

    /// An error that says what stands in the way of a quadratic program for `whom`, unless nothing does.
    pub(crate) fn ask_quadratic_program(&self, whom: &str) -> Result<(), String> {
        if self.is_quadratic_program() {
            return Ok(());
        }
        let what = match self.objective {
            Degree::Other => "the upper objective",
            _ => "a constraint or the lower objective",
        };
        Err(format!(
            "{whom} constraints are to be affine and objectives quadratic in the variables of both levels; {what} is not known to be"
        ))
    }
}

/// Two variables of which one is to be at its bound: `multiplier ≥ 0`, and `variable` at its lower bound, or its upper one
/// when `high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The place of the multiplier, whose lower bound is 0.
    pub multiplier: usize,
    /// The place of the variable or slack.
    pub variable: usize,
    /// Whether the distance is that to the upper bound.
    pub high: bool,
}

impl Pair {
    /// The multiplier, and the distance of the variable from its bound.
    pub fn factors(self, nlp: &Nlp, v: &[f64]) -> (f64, f64) {
        let at = v[self.variable];
        let distance = if self.high { nlp.hi[self.variable] - at } else { at - nlp.lo[self.variable] };
        (v[self.multiplier], distance)
    }

    /// The derivative of the distance.
    pub fn slope(self) -> f64 {
        if self.high { -1.0 } else { 1.0 }
    }
}

/// Where a row of the follower's constraints is found in the single-level form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its multiplier.
    pub multiplier: usize,
    /// Its slack; `None` for an equality.
    pub slack: Option<usize>,
}

/// The follower's problem at the upper variables its program has as parameters.
pub struct Follower {
    /// The program in `y`.
    pub nlp: Nlp,
    /// Its rows in the single-level form.
    pub rows: Vec<Row>,
    /// Whether it is known to be a linear or convex quadratic program for every `x`, but for its whole numbers.
    pub quadratic: bool,
    /// Whether it is known to be convex for every `x`.
    pub convex: bool,
    /// The places of its variables that must be whole.
    pub whole: Vec<usize>,
    /// Bounds over boxes of its variables, where it has few and is not known to be convex.
    pub enclosure: Option<Box<dyn global::Enclosure>>,
}

/// A constraint with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedRows {
    /// The name.
    pub name: String,
    /// Whether it is one of the upper level.
    pub upper: bool,
    /// Its first row among those of its level.
    pub first: usize,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Whether it is the lower side of a chain, whose multiplier is subtracted from that of the upper side.
    pub low: bool,
}

/// A point of the single-level form, with what certifies it.
#[derive(Clone, Debug)]
pub struct Found {
    /// `(x, y, slacks and multipliers of the follower)`.
    pub z: Vec<f64>,
    /// Multipliers of the rows of the single-level form and of the cuts.
    pub weights: Vec<f64>,
    /// The upper objective, minimised.
    pub objective: f64,
    /// The largest violation of a row, a bound or a pair.
    pub violation: f64,
    /// See [`Constrained::stationarity`].
    pub stationarity: f64,
    /// Whether the follower, solved again, does no better.
    pub answered: bool,
    /// Whether the objective was falling without end there.
    pub unbounded: bool,
}

impl Found {
    /// A point of `variables` and `rows` about which nothing is known.
    pub(crate) fn empty(variables: usize, rows: usize) -> Self {
        Found {
            z: vec![f64::NAN; variables],
            weights: vec![f64::NAN; rows],
            objective: f64::NAN,
            violation: f64::INFINITY,
            stationarity: f64::INFINITY,
            answered: false,
            unbounded: false,
        }
    }

    /// Whether the upper objective falls without end over answers of the follower, of which this is one.
    pub fn is_ray(&self) -> bool {
        self.unbounded && self.answered
    }

    /// All of it.
    pub(crate) fn state(&mut self, state: &mut dyn State) {
        state.numbers(&mut self.z);
        // Cuts have weights too, and there may be more of them than when the point was made.
        let mut weights = self.weights.len();
        state.count(&mut weights);
        self.weights.resize(weights.min(self.weights.len() + cuts::BRANCHES), 0.0);
        state.numbers(&mut self.weights);
        for value in [&mut self.objective, &mut self.violation, &mut self.stationarity] {
            state.number(value);
        }
        state.flag(&mut self.answered);
        state.flag(&mut self.unbounded);
    }
}

/// A problem with constraints in its single-level form.
pub struct Constrained {
    /// The single-level form. Its first rows are the constraints of the upper level.
    pub single: Nlp,
    /// The number of rows that are constraints of the upper level.
    pub upper_rows: usize,
    /// The numbers of upper and lower variables, which lead `z`.
    pub lens: (usize, usize),
    /// The places in `z` of the multipliers that the model reads, in the order in which they follow the lower variables.
    pub duals: Vec<usize>,
    /// What complements what.
    pub pairs: Vec<Pair>,
    /// The follower's problem; `None` without a lower level.
    pub follower: Option<Follower>,
    /// The best point so far.
    pub found: Option<Found>,
    /// Cuts by the follower's value, for one with few variables that is not known to be convex.
    pub cuts: Option<cuts::Cuts>,
    /// The constraints that have names.
    pub names: Vec<NamedRows>,
    /// The degrees of the single-level form.
    pub degrees: Degrees,
    /// The places of the variables of both levels that must be whole.
    pub whole: Vec<usize>,
    /// Whether the leader counts on the follower's answer that is worst for it, among those equally good for the follower.
    pub pessimistic: bool,
    /// The single-level form number by number, where it is small, not affine, and its pairs and rows are what the follower's answers are:
    /// the follower is convex and its rows are affine in its variables.
    pub terms: Option<tree::terms::Terms>,
    /// Both levels side by side number by number, where they are small and `terms` would not say what the follower's answers are: the
    /// upper objective, the rows of the upper level, those of the follower and, as the last row, the follower's objective.
    pub sides: Option<tree::terms::Terms>,
    /// What is proved about the best point.
    pub proof: Option<tree::Proof>,
}

impl Constrained {
    /// All programs.
    pub(crate) fn programs(&mut self) -> impl Iterator<Item = &mut Nlp> {
        let follower = self.follower.iter_mut().map(|follower| &mut follower.nlp);
        let value = self.cuts.iter_mut().map(|cuts| &mut cuts.value);
        std::iter::once(&mut self.single).chain(follower).chain(value)
    }

    /// Forgets what was found out with other data.
    pub(crate) fn forget(&mut self) {
        self.programs().for_each(Nlp::forget);
        (self.found, self.proof) = (None, None);
        if let Some(cuts) = &mut self.cuts {
            cuts.branches.clear();
        }
    }

    /// The lower variables of `z`, and the multipliers that the model reads behind them.
    pub fn lower_part(&self, z: &[f64]) -> Vec<f64> {
        let (n, m) = self.lens;
        z[n..n + m].iter().copied().chain(self.duals.iter().map(|&k| z[k])).collect()
    }

    /// How far `z` is from strong stationarity with these multipliers of the rows: the largest element of the projected
    /// gradient of the Lagrangian, relative to `max(1, ‖∇F‖∞)`, where of every pair that is not degenerate the end at its bound
    /// is held there. Of a degenerate pair both ends may only grow, so a point that passes is stationary for every way of
    /// resolving it.
    pub fn stationarity(&mut self, z: &[f64], weights: &[f64]) -> f64 {
        let (n, m) = (z.len(), self.single.equal.len());
        let (weights, of_cuts) = weights.split_at(m);
        let (mut g, mut rows) = (vec![0.0; n], vec![0.0; m]);
        self.single.evaluate(z, &vec![0.0; m], &mut g, &mut rows);
        let size = crate::linear::blas1::largest(&g).max(1.0);
        self.single.evaluate(z, weights, &mut g, &mut rows);
        if let (Some(cuts), Some(follower)) = (&mut self.cuts, &mut self.follower)
            && !of_cuts.is_empty()
        {
            cuts.add_slopes(&mut follower.nlp, self.lens.0, z, of_cuts, &mut g);
        }
        let mut held = vec![false; n];
        for pair in &self.pairs {
            let (a, b) = pair.factors(&self.single, z);
            if a.max(b) > DEGENERATE {
                held[if a < b { pair.multiplier } else { pair.variable }] = true;
            }
        }
        for (g, _) in g.iter_mut().zip(&held).filter(|(_, held)| **held) {
            *g = 0.0;
        }
        self.single.bounds().stationarity(z, &g) / size
    }

    /// The multipliers of the constraints with names, as factors of their residuals in the Lagrangian of their own level: those of the
    /// follower at its best point found, else as its own conditions give them, and those of the upper level where it is stationary. Where
    /// the follower's are not unique they are those of least norm, unless the model reads them, and the second value says so.
    pub fn named_multipliers(
        &mut self,
        (x, y): (&[f64], &[f64]),
        reduced: Option<&leader::Reduced>,
    ) -> (Vec<(String, ArrayD<f64>)>, Option<String>) {
        let found = self.found.as_ref().filter(|f| f.stationarity <= UPPER);
        let rows = self.follower.as_ref().map_or(&[][..], |follower| &follower.rows);
        let mut of_lower: Option<Vec<f64>> = match found {
            Some(found) => Some(rows.iter().map(|row| found.z[row.multiplier]).collect()),
            None => reduced.map(|reduced| reduced.of_lower.clone()),
        };
        let mut said = None;
        let reads_none = self.duals.is_empty() && self.names.iter().any(|named| !named.upper);
        if let Some(follower) = self.follower.as_mut().filter(|f| reads_none && f.whole.is_empty()) {
            let given = of_lower.clone().unwrap_or_else(|| vec![0.0; follower.rows.len()]);
            if let Some(several) = multipliers::several(follower, x, &y[..self.lens.1], &given) {
                said = Some(self.range_words(&several));
                of_lower = Some(several.least);
            }
        }
        let found = self.found.as_ref().filter(|f| f.stationarity <= UPPER);
        let of_upper = match (reduced.filter(|r| r.norm <= UPPER * r.size), found) {
            (Some(reduced), _) => Some(reduced.of_upper.clone()),
            (None, found) => found.map(|found| found.weights[..self.upper_rows].to_vec()),
        };
        let mut all: Vec<(String, ArrayD<f64>)> = Vec::new();
        for named in &self.names {
            let Some(values) = (if named.upper { &of_upper } else { &of_lower }) else { continue };
            let len: usize = named.shape.iter().product();
            let own = values[named.first..named.first + len].to_vec();
            let Ok(own) = ArrayD::from_shape_vec(named.shape.clone(), own) else { continue };
            let own = if named.low { -own } else { own };
            match all.iter_mut().find(|(name, _)| *name == named.name) {
                Some((_, total)) => *total += &own,
                None => all.push((named.name.clone(), own)),
            }
        }
        (all, said)
    }

    /// That the follower's multipliers are not unique, with the ranges of the first few.
    fn range_words(&self, several: &multipliers::Several) -> String {
        let mut ranges = Vec::new();
        for named in self.names.iter().filter(|named| !named.upper && named.shape.is_empty()) {
            let Some(&(least, most)) = several.ranges.get(named.first) else { continue };
            let (least, most) = if named.low { (-most, -least) } else { (least, most) };
            if multipliers::wide(least, most) {
                ranges.push(format!("`{}` from {} to {}", named.name, multiplier(least), multiplier(most)));
            }
        }
        ranges.truncate(3);
        let ranges = if ranges.is_empty() { String::new() } else { format!(" ({})", ranges.join(", ")) };
        format!(
            "the multipliers of the lower level's constraints are not unique{ranges}; those of least norm are given"
        )
    }

    /// The largest violation at `z` of rows, bounds and pairs.
    pub fn violation(&mut self, z: &[f64]) -> f64 {
        let m = self.single.equal.len();
        let (mut g, mut rows) = (vec![0.0; z.len()], vec![0.0; m]);
        self.single.evaluate(z, &vec![0.0; m], &mut g, &mut rows);
        let pairs = self.pairs.iter().map(|pair| {
            let (a, b) = pair.factors(&self.single, z);
            a.min(b)
        });
        pairs.fold(self.single.violation(&rows).max(outside(&self.single, z)), f64::max)
    }
}

/// An end of a range of multipliers, in words.
fn multiplier(value: f64) -> String {
    match value {
        v if v.is_infinite() => if v > 0.0 { "infinity" } else { "-infinity" }.to_string(),
        v if v.is_nan() => "an unknown value".to_string(),
        v => crate::status::plain(v),
    }
}

/// Both ends of a pair are at their bounds when they are no farther than this.
pub const DEGENERATE: f64 = 1e-6;

/// The largest distance of an element from its bounds.
pub fn outside(nlp: &Nlp, v: &[f64]) -> f64 {
    let off = |i: usize| (nlp.lo[i] - v[i]).max(v[i] - nlp.hi[i]).max(0.0);
    (0..v.len()).map(|i| if v[i].is_nan() { f64::INFINITY } else { off(i) }).fold(0.0, f64::max)
}
