//! A program whose objective is quadratic and whose rows are affine, as numbers. They are read off compiled products: a
//! gradient at 0 and one Hessian product per variable say all there is to say about a quadratic function.

use super::super::nlp::Nlp;
use super::super::{Constrained, Degree, Pair};
use super::convex::is_semidefinite;

/// `a · z + c`, which is 0 or at most 0.
#[derive(Clone, Debug)]
pub struct Line {
    /// The places and coefficients that are not 0, by place.
    pub terms: Vec<(usize, f64)>,
    /// `c`.
    pub constant: f64,
    /// Whether it is 0.
    pub equal: bool,
}

impl Line {
    /// Its value at `z`.
    pub fn at(&self, z: &[f64]) -> f64 {
        self.constant + self.terms.iter().map(|(i, a)| a * z[*i]).sum::<f64>()
    }

    /// Whether it holds at `z` up to `room` times the size of its parts.
    pub fn holds(&self, z: &[f64], room: f64) -> bool {
        let size =
            self.terms.iter().map(|(i, a)| (a * z[*i]).abs()).fold(self.constant.abs().max(1.0), f64::max);
        let off = if self.equal { self.at(z).abs() } else { self.at(z) };
        off <= room * size
    }
}

/// `c + g · z + ½ zᵀ H z`.
#[derive(Clone, Debug, Default)]
pub struct Quadratic {
    /// `c`.
    pub constant: f64,
    /// `g`.
    pub linear: Vec<f64>,
    /// The entries of `H` with `i <= j` that are not 0.
    pub second: Vec<(usize, usize, f64)>,
}

impl Quadratic {
    /// The zero function of `n` variables.
    pub fn zero(n: usize) -> Self {
        Quadratic { constant: 0.0, linear: vec![0.0; n], second: Vec::new() }
    }

    /// Its value at `z`.
    pub fn at(&self, z: &[f64]) -> f64 {
        let linear: f64 = self.linear.iter().zip(z).map(|(g, z)| g * z).sum();
        let entry =
            |&(i, j, h): &(usize, usize, f64)| if i == j { 0.5 * h * z[i] * z[i] } else { h * z[i] * z[j] };
        self.constant + linear + self.second.iter().map(entry).sum::<f64>()
    }

    /// `H` as a dense matrix, row-major.
    pub fn dense(&self) -> Vec<f64> {
        let n = self.linear.len();
        let mut dense = vec![0.0; n * n];
        for &(i, j, h) in &self.second {
            dense[i * n + j] += h;
            if i != j {
                dense[j * n + i] += h;
            }
        }
        dense
    }

    /// The gradient at `z`.
    pub fn gradient(&self, z: &[f64]) -> Vec<f64> {
        let mut g = self.linear.clone();
        for &(i, j, h) in &self.second {
            g[i] += h * z[j];
            if i != j {
                g[j] += h * z[i];
            }
        }
        g
    }
}

/// The program.
#[derive(Clone, Debug)]
pub struct Form {
    /// Lower bounds.
    pub lo: Vec<f64>,
    /// Upper bounds.
    pub hi: Vec<f64>,
    /// The rows.
    pub lines: Vec<Line>,
    /// The objective.
    pub objective: Quadratic,
    /// Pairs of which one end is at its bound.
    pub pairs: Vec<Pair>,
    /// Variables that must be whole.
    pub whole: Vec<usize>,
}

/// The single-level form; an error says what it is not.
pub fn read(c: &mut Constrained) -> Result<Form, String> {
    if c.degrees.objective == Degree::Other {
        return Err("the upper objective is not known to be quadratic in the variables of both levels".into());
    }
    if !c.degrees.is_quadratic_program() {
        return Err(
            "a constraint, or a derivative of the lower objective, is not known to be affine in the variables of both \
                    levels and the multipliers"
                .into(),
        );
    }
    let (lines, objective) = program(&mut c.single);
    if !follower_is_convex(c, &lines) {
        return Err("the lower level is not convex in its variables".into());
    }
    let (n, m) = c.lens;
    if c.whole.iter().any(|at| (n..n + m).contains(at)) {
        return Err("variables of the lower level must be whole".into());
    }
    let (lo, hi) = (c.single.lo.clone(), c.single.hi.clone());
    let form = Form { lo, hi, lines, objective, pairs: c.pairs.clone(), whole: c.whole.clone() };
    let finite = |line: &Line| line.constant.is_finite() && line.terms.iter().all(|(_, a)| a.is_finite());
    let objective = &form.objective;
    if objective.constant.is_finite()
        && objective.linear.iter().all(|g| g.is_finite())
        && objective.second.iter().all(|(.., h)| h.is_finite())
        && form.lines.iter().all(finite)
    {
        return Ok(form);
    }
    Err("a coefficient of the single-level form is not finite".into())
}

impl Form {
    /// The largest violation of a row, a bound or a pair at `z`.
    pub fn violation(&self, z: &[f64]) -> f64 {
        let rows = self.lines.iter().map(|line| if line.equal { line.at(z).abs() } else { line.at(z) });
        let bounds = (0..z.len()).map(|i| (self.lo[i] - z[i]).max(z[i] - self.hi[i]));
        let pairs = self.pairs.iter().map(|pair| {
            let at = z[pair.variable];
            let distance = if pair.high { self.hi[pair.variable] - at } else { at - self.lo[pair.variable] };
            z[pair.multiplier].min(distance)
        });
        rows.chain(bounds).chain(pairs).fold(0.0, f64::max)
    }
}

/// The bounds, pairs and whole numbers of a single-level form that is not affine; its rows and objective are written in terms.
pub fn in_boxes(c: &Constrained) -> Form {
    let (lo, hi) = (c.single.lo.clone(), c.single.hi.clone());
    let objective = Quadratic::zero(lo.len());
    Form { lo, hi, lines: Vec::new(), objective, pairs: c.pairs.clone(), whole: c.whole.clone() }
}

/// Whether the lower objective is convex: its Hessian stands in the rows of stationarity, which come last.
pub(super) fn follower_is_convex(c: &Constrained, lines: &[Line]) -> bool {
    let (n, m) = c.lens;
    let Some(follower) = &c.follower else { return true };
    let mut hessian = Quadratic::zero(m);
    let rows = &lines[c.upper_rows + follower.rows.len()..];
    for (i, row) in rows.iter().enumerate() {
        let own = row.terms.iter().filter(|(at, _)| (n..=n + i).contains(at));
        hessian.second.extend(own.map(|(at, a)| (at - n, i, *a)));
    }
    is_semidefinite(&hessian)
}

/// Rows and objective of a program with affine rows and a quadratic objective.
pub fn program(nlp: &mut Nlp) -> (Vec<Line>, Quadratic) {
    let (n, m) = (nlp.len(), nlp.equal.len());
    let (zero, mut weights) = (vec![0.0; n], vec![0.0; m]);
    let (mut gradient, mut rows) = (vec![0.0; n], vec![0.0; m]);
    let constant = nlp.evaluate(&zero, &weights, &mut gradient, &mut rows);
    let mut column = vec![0.0; n];
    let mut lines = Vec::with_capacity(m);
    for (i, row) in rows.iter().enumerate() {
        weights[i] = 1.0;
        nlp.transposed(&zero, &weights, &mut column);
        weights[i] = 0.0;
        let terms = column.iter().copied().enumerate().filter(|(_, a)| *a != 0.0).collect();
        lines.push(Line { terms, constant: *row, equal: nlp.equal[i] });
    }
    let (mut direction, mut pushed) = (zero.clone(), vec![0.0; m]);
    let mut second = Vec::new();
    for j in 0..n {
        direction[j] = 1.0;
        nlp.product(&zero, &weights, &direction, &mut column, &mut pushed);
        direction[j] = 0.0;
        second.extend((0..=j).filter(|&i| column[i] != 0.0).map(|i| (i, j, column[i])));
    }
    (lines, Quadratic { constant, linear: gradient, second })
}
