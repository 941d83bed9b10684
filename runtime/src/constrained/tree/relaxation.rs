//! The linear relaxation of a program over a box: every product and every function of one number is a variable of its own, between
//! lines that bound it over the box. Of a product these are McCormick's; of a function that bends one way, tangents and the chord.
//! Where the box is infinite only the lines are left that need the ends that are finite.
//!
//! Source: G. P. McCormick, "Computability of global solutions to factorable nonconvex programs: part I", Math. Programming 10
//! (1976); M. Tawarmalani, N. V. Sahinidis, Math. Programming 103 (2005) for tangents at the solution.

use super::form::{Line, Quadratic};
use super::terms::{Bend, Ends, Function, Term, Terms};

/// `constant + Σ coefficient · column`.
#[derive(Clone, Debug, Default)]
struct Affine {
    constant: f64,
    terms: Vec<(usize, f64)>,
}

/// A product or function with the column that stands for it.
struct Extra {
    /// Its place among the terms.
    at: usize,
    kind: Kind,
    /// The variables below it, through other such columns as well.
    below: Vec<usize>,
    /// Whether a row has it; else it is the objective's alone.
    in_rows: bool,
}

enum Kind {
    Product((usize, Affine), (usize, Affine)),
    Apply(Function, (usize, Affine)),
}

/// What does not depend on the box.
pub struct Relaxation {
    variables: usize,
    extra: Vec<Extra>,
    objective: Affine,
    /// The rows, with whether they are equalities.
    rows: Vec<(Affine, bool)>,
}

impl Relaxation {
    /// The relaxation of `terms` in so many variables.
    pub fn new(terms: &Terms, equal: &[bool], variables: usize) -> Self {
        let in_rows = terms.in_rows();
        let mut extra: Vec<Extra> = Vec::new();
        let mut affine: Vec<Affine> = Vec::with_capacity(terms.terms.len());
        let mut below: Vec<Vec<usize>> = Vec::with_capacity(terms.terms.len());
        for (at, term) in terms.terms.iter().enumerate() {
            let operands = match term {
                Term::Variable(_) => Vec::new(),
                Term::Sum(_, parts) => parts.iter().map(|part| part.0).collect(),
                Term::Product(a, b) => vec![*a, *b],
                Term::Apply(_, a) => vec![*a],
            };
            let mut own: Vec<usize> = operands.iter().flat_map(|&a| below[a].iter().copied()).collect();
            if let Term::Variable(variable) = term {
                own.push(*variable);
            }
            own.sort_unstable();
            own.dedup();
            let kind = match term {
                Term::Variable(variable) => {
                    affine.push(Affine { constant: 0.0, terms: vec![(*variable, 1.0)] });
                    below.push(own);
                    continue;
                }
                Term::Sum(constant, parts) => {
                    let mut sum = Affine { constant: *constant, terms: Vec::new() };
                    for (part, c) in parts {
                        sum.add(&affine[*part], *c);
                    }
                    affine.push(sum);
                    below.push(own);
                    continue;
                }
                Term::Product(a, b) => Kind::Product((*a, affine[*a].clone()), (*b, affine[*b].clone())),
                Term::Apply(function, a) => Kind::Apply(*function, (*a, affine[*a].clone())),
            };
            affine.push(Affine { constant: 0.0, terms: vec![(variables + extra.len(), 1.0)] });
            extra.push(Extra { at, kind, below: own.clone(), in_rows: in_rows[at] });
            below.push(own);
        }
        let rows = terms.rows.iter().zip(equal).map(|(row, equal)| (affine[*row].clone(), *equal)).collect();
        Relaxation { variables, objective: affine[terms.objective].clone(), rows, extra }
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.variables + self.extra.len()
    }

    /// The columns at a point, given the values of all terms there.
    pub fn point(&self, z: &[f64], values: &[f64]) -> Vec<f64> {
        z.iter().copied().chain(self.extra.iter().map(|extra| values[extra.at])).collect()
    }

    /// The objective as a function of the columns.
    pub fn objective(&self) -> Quadratic {
        let mut objective = Quadratic::zero(self.columns());
        objective.constant = self.objective.constant;
        self.objective.terms.iter().for_each(|(column, c)| objective.linear[*column] += c);
        objective
    }

    /// The bounds of all columns: of the variables those of the box, of the others the intervals `over` of their terms.
    pub fn bounds(&self, lo: &[f64], hi: &[f64], over: &[Ends]) -> (Vec<f64>, Vec<f64>) {
        let (mut lo, mut hi) = (lo.to_vec(), hi.to_vec());
        for extra in &self.extra {
            lo.push(over[extra.at].0);
            hi.push(over[extra.at].1);
        }
        (lo, hi)
    }

    /// The rows, and the lines about every product and function over the box.
    pub fn lines(&self, over: &[Ends], lines: &mut Vec<Line>) {
        lines.extend(self.rows.iter().map(|(row, equal)| row.line(*equal)));
        for (k, extra) in self.extra.iter().enumerate() {
            let column = self.variables + k;
            match &extra.kind {
                Kind::Product((a, p), (b, q)) => product((over[*a], p), (over[*b], q), column, lines),
                Kind::Apply(function, (a, p)) => bend(*function, over[*a], p, column, lines),
            }
        }
    }

    /// Tangents at `v` of the functions that its columns are on the wrong side of by more than `small`; false when there are none.
    pub fn tangents(&self, v: &[f64], over: &[Ends], small: f64, lines: &mut Vec<Line>) -> bool {
        let before = lines.len();
        for (k, extra) in self.extra.iter().enumerate() {
            let Kind::Apply(function, (a, p)) = &extra.kind else { continue };
            let (column, t) = (self.variables + k, p.at(v));
            let off = function.at(t) - v[column];
            let sign = match function.bend(over[*a]) {
                Bend::Up if off > small * off_size(v[column]) => 1.0,
                Bend::Down if -off > small * off_size(v[column]) => -1.0,
                _ => continue,
            };
            tangent(*function, t, p, column, sign, lines);
        }
        lines.len() > before
    }

    /// The variable to cut at `v`, where the columns stand farthest from what they stand for, and whether that is far at all.
    /// `root`: the widths that were had at first; `rows`: leave out what is the objective's alone.
    pub fn farthest(&self, v: &[f64], lo: &[f64], hi: &[f64], root: &[f64], rows: bool) -> Option<usize> {
        let mut scores = vec![0.0; self.variables];
        for (k, extra) in self.extra.iter().enumerate().filter(|(_, extra)| extra.in_rows || !rows) {
            let own = match &extra.kind {
                Kind::Product((_, p), (_, q)) => p.at(v) * q.at(v),
                Kind::Apply(function, (_, p)) => function.at(p.at(v)),
            };
            let at = v[self.variables + k];
            let off = (own - at).abs() / off_size(at);
            let off = if off.is_finite() { off } else { 1e3 };
            for &variable in &extra.below {
                scores[variable] += off;
            }
        }
        let score = |i: usize| {
            let width = hi[i] - lo[i];
            let part = if root[i].is_finite() { width / root[i] } else { width.min(1e3) };
            scores[i] * part
        };
        let open = (0..self.variables).filter(|&i| scores[i] > 0.0 && wide(lo[i], hi[i]));
        open.max_by(|&a, &b| score(a).total_cmp(&score(b)))
    }

    /// The variables below products and functions.
    pub fn bent(&self) -> Vec<usize> {
        let mut all: Vec<usize> = self.extra.iter().flat_map(|extra| extra.below.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Whether an interval is worth cutting.
pub fn wide(lo: f64, hi: f64) -> bool {
    let width = hi - lo;
    width.is_infinite() || width > 1e-10 * lo.abs().max(hi.abs()).max(1.0)
}

fn off_size(value: f64) -> f64 {
    value.abs().max(1.0)
}

impl Affine {
    fn add(&mut self, other: &Affine, c: f64) {
        self.constant += c * other.constant;
        for (column, d) in &other.terms {
            match self.terms.iter_mut().find(|(own, _)| own == column) {
                Some((_, own)) => *own += c * d,
                None => self.terms.push((*column, c * d)),
            }
        }
    }

    fn at(&self, v: &[f64]) -> f64 {
        self.constant + self.terms.iter().map(|(column, c)| c * v[*column]).sum::<f64>()
    }

    fn line(&self, equal: bool) -> Line {
        let mut terms: Vec<(usize, f64)> = self.terms.iter().copied().filter(|term| term.1 != 0.0).collect();
        terms.sort_by_key(|term| term.0);
        Line { terms, constant: self.constant, equal }
    }
}

/// `sign · (Σ slope · affine + constant − column) <= 0`.
fn side(parts: &[(&Affine, f64)], constant: f64, column: usize, sign: f64, lines: &mut Vec<Line>) {
    if !constant.is_finite() || parts.iter().any(|(_, slope)| !slope.is_finite()) {
        return;
    }
    let mut all = Affine { constant: sign * constant, terms: vec![(column, -sign)] };
    for (affine, slope) in parts {
        all.add(affine, sign * slope);
    }
    lines.push(all.line(false));
}

/// McCormick's four lines; one equation where a factor is fixed.
fn product((over_p, p): (Ends, &Affine), (over_q, q): (Ends, &Affine), column: usize, lines: &mut Vec<Line>) {
    for ((fixed, other), free) in [((over_p, over_q), q), ((over_q, over_p), p)] {
        if fixed.0 == fixed.1 && (!other.0.is_finite() || !other.1.is_finite() || other.0 < other.1) {
            let mut all = Affine { constant: 0.0, terms: vec![(column, -1.0)] };
            all.add(free, fixed.0);
            lines.push(all.line(true));
            return;
        }
    }
    for (a, b, sign) in [
        (over_p.0, over_q.0, 1.0),
        (over_p.1, over_q.1, 1.0),
        (over_p.1, over_q.0, -1.0),
        (over_p.0, over_q.1, -1.0),
    ] {
        side(&[(q, a), (p, b)], -a * b, column, sign, lines);
    }
}

/// Tangents and chord of a function that bends one way; lines of the extreme slopes of another.
fn bend(function: Function, over: Ends, p: &Affine, column: usize, lines: &mut Vec<Line>) {
    let (lo, hi) = over;
    let sign = match function.bend(over) {
        Bend::Up => 1.0,
        Bend::Down => -1.0,
        Bend::Both => {
            let (least, most) = function.slopes(over);
            for (t, low, high) in [(lo, least, most), (hi, most, least)] {
                let value = function.at(t);
                side(&[(p, low)], value - low * t, column, 1.0, lines);
                side(&[(p, high)], value - high * t, column, -1.0, lines);
            }
            return;
        }
    };
    if lo == hi {
        let all = Affine { constant: function.at(lo), terms: vec![(column, -1.0)] };
        lines.push(all.line(true));
        return;
    }
    let middle = match (lo.is_finite(), hi.is_finite()) {
        (true, true) => 0.5 * (lo + hi),
        (true, false) => lo + 1.0,
        (false, true) => hi - 1.0,
        (false, false) => 0.0,
    };
    for t in [lo, middle, hi] {
        tangent(function, t, p, column, sign, lines);
    }
    let (at_lo, at_hi) = (function.at(lo), function.at(hi));
    let slope = (at_hi - at_lo) / (hi - lo);
    side(&[(p, slope)], at_lo - slope * lo, column, -sign, lines);
}

/// The tangent at `t`, which is below the function for a sign of 1.
fn tangent(function: Function, t: f64, p: &Affine, column: usize, sign: f64, lines: &mut Vec<Line>) {
    let (value, slope) = (function.at(t), function.slope(t));
    if t.is_finite() && value.is_finite() && slope.abs() < 1e8 {
        side(&[(p, slope)], value - slope * t, column, sign, lines);
    }
}
