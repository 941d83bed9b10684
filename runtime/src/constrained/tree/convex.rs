//! A quadratic objective in convex form on the points that matter. Equality rows eliminate variables, and the product of a pair
//! is 0 wherever the pair holds; so any multiples of such products may be added. Multiples that make the reduced Hessian positive
//! semidefinite are looked for by alternating projections between the matrices they can make and the semidefinite ones. For a
//! toll `x · y` this finds what strong duality says: the revenue is a linear function of flows and multipliers.
//!
//! Source: J. von Neumann (1933) and L. M. Bregman (1965) for the projections; M. Labbé, P. Marcotte, G. Savard, "A bilevel model
//! of taxation and its application to optimal highway pricing", Management Science 44 (1998), for the linear form of tolls.

use super::super::Pair;
use super::form::{Line, Quadratic};

/// Eigenvalues down to this, relative to the largest, are those of rounding.
const FLAT: f64 = 1e-9;
/// Projections before the search for multiples gives up.
const ROUNDS: usize = 60;
/// Objectives that are not convex as they are, are looked at up to this many variables.
pub const LARGEST: usize = 200;

/// The objective, convex on the affine hull of equality rows and fixed variables, once pairs hold; `None` when no such form was
/// found.
pub fn convex_form(
    objective: &Quadratic,
    lines: &[Line],
    pairs: &[Pair],
    lo: &[f64],
    hi: &[f64],
) -> Option<Quadratic> {
    if objective.second.is_empty() || is_semidefinite(objective) {
        return Some(objective.clone());
    }
    let n = lo.len();
    if n > LARGEST {
        return None;
    }
    let elimination = Elimination::new(lines, lo, hi);
    let products: Vec<Quadratic> = pairs.iter().map(|pair| product(*pair, lo, hi)).collect();
    let reduced: Vec<Quadratic> =
        std::iter::once(objective).chain(&products).map(|q| elimination.substitute(q)).collect();
    // Only variables with curvature matter to the search.
    let mut support: Vec<usize> =
        reduced.iter().flat_map(|q| q.second.iter().flat_map(|e| [e.0, e.1])).collect();
    support.sort_unstable();
    support.dedup();
    let matrices: Vec<Vec<f64>> = reduced.iter().map(|q| restricted(q, &support)).collect();
    let weights = multiples(&matrices, support.len())?;
    let mut sum = reduced[0].clone();
    let mut dense = matrices[0].clone();
    for ((q, matrix), weight) in reduced.iter().zip(&matrices).skip(1).zip(&weights) {
        sum.constant += weight * q.constant;
        sum.linear.iter_mut().zip(&q.linear).for_each(|(s, g)| *s += weight * g);
        dense.iter_mut().zip(matrix).for_each(|(d, m)| *d += weight * m);
    }
    // What rounding leaves below 0 is cut off.
    let clean = semidefinite_part(&dense, support.len());
    let size = clean.iter().fold(0.0_f64, |all, c| all.max(c.abs()));
    sum.second.clear();
    for (b, &j) in support.iter().enumerate() {
        for (a, &i) in support[..=b].iter().enumerate() {
            let h = clean[a * support.len() + b];
            if h.abs() > 1e-14 * size {
                sum.second.push((i, j, h));
            }
        }
    }
    Some(sum)
}

/// Whether `H` is positive semidefinite, up to rounding.
pub fn is_semidefinite(q: &Quadratic) -> bool {
    let mut support: Vec<usize> = q.second.iter().flat_map(|e| [e.0, e.1]).collect();
    support.sort_unstable();
    support.dedup();
    let (values, _) = eigen(&restricted(q, &support), support.len());
    values.iter().all(|v| *v >= -FLAT * largest(&values))
}

/// Whether `H` of `n` variables is positive definite, rounding aside.
pub fn is_positive_definite(q: &Quadratic, n: usize) -> bool {
    let all: Vec<usize> = (0..n).collect();
    let (values, _) = eigen(&restricted(q, &all), n);
    values.iter().all(|v| *v > 1e-7 * largest(&values))
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0_f64, |all, v| all.max(v.abs()))
}

/// `multiplier · distance of the variable from its bound`.
fn product(pair: Pair, lo: &[f64], hi: &[f64]) -> Quadratic {
    let mut q = Quadratic::zero(lo.len());
    let (a, b) = (pair.multiplier, pair.variable);
    let bound = if pair.high { hi[b] } else { lo[b] };
    q.second.push((a.min(b), a.max(b), pair.slope()));
    q.linear[a] = -pair.slope() * bound;
    q
}

/// The rows and columns of `H` in `support`.
fn restricted(q: &Quadratic, support: &[usize]) -> Vec<f64> {
    let k = support.len();
    let at = |i: usize| support.binary_search(&i).ok();
    let mut dense = vec![0.0; k * k];
    for &(i, j, h) in &q.second {
        let (Some(a), Some(b)) = (at(i), at(j)) else { continue };
        dense[a * k + b] += h;
        if a != b {
            dense[b * k + a] += h;
        }
    }
    dense
}

/// Weights `w` with `M₀ + Σ wᵢ Mᵢ` positive semidefinite up to rounding.
fn multiples(matrices: &[Vec<f64>], k: usize) -> Option<Vec<f64>> {
    let (first, others) = matrices.split_first()?;
    let basis = Basis::new(others);
    let mut target = vec![0.0; k * k];
    // First whether nothing at all need be left, then the nearest semidefinite matrix again and again.
    for _ in 0..ROUNDS {
        let wanted: Vec<f64> = target.iter().zip(first).map(|(t, f)| t - f).collect();
        let weights = basis.nearest(&wanted);
        let mut sum = first.clone();
        for (weight, matrix) in weights.iter().zip(others) {
            sum.iter_mut().zip(matrix).for_each(|(s, m)| *s += weight * m);
        }
        let (values, _) = eigen(&sum, k);
        let size = largest(first).max(largest(&values));
        if values.iter().all(|v| *v >= -FLAT * size) {
            return Some(weights);
        }
        target = semidefinite_part(&sum, k);
        // A little inside, so that a boundary point is met after finitely many steps.
        let mean = values.iter().map(|v| v.abs()).sum::<f64>() / k.max(1) as f64;
        for i in 0..k {
            target[i * k + i] += 1e-3 * mean;
        }
    }
    None
}

/// An orthonormal basis of what the matrices span, with the weights that make it.
struct Basis {
    vectors: Vec<Vec<f64>>,
    /// Of every vector, the combination of matrices it is.
    weights: Vec<Vec<f64>>,
    count: usize,
}

impl Basis {
    fn new(matrices: &[Vec<f64>]) -> Self {
        let mut basis = Basis { vectors: Vec::new(), weights: Vec::new(), count: matrices.len() };
        for (k, matrix) in matrices.iter().enumerate() {
            let mut vector = matrix.clone();
            let mut weight = vec![0.0; matrices.len()];
            weight[k] = 1.0;
            let size = dot(matrix, matrix).sqrt();
            for _ in 0..2 {
                for (other, own) in basis.vectors.iter().zip(&basis.weights) {
                    let along = dot(&vector, other);
                    vector.iter_mut().zip(other).for_each(|(v, o)| *v -= along * o);
                    weight.iter_mut().zip(own).for_each(|(w, o)| *w -= along * o);
                }
            }
            let left = dot(&vector, &vector).sqrt();
            if left > 1e-9 * size {
                vector.iter_mut().for_each(|v| *v /= left);
                weight.iter_mut().for_each(|w| *w /= left);
                basis.vectors.push(vector);
                basis.weights.push(weight);
            }
        }
        basis
    }

    /// The weights of the combination nearest to `wanted`.
    fn nearest(&self, wanted: &[f64]) -> Vec<f64> {
        let mut weights = vec![0.0; self.count];
        for (vector, own) in self.vectors.iter().zip(&self.weights) {
            let along = dot(vector, wanted);
            weights.iter_mut().zip(own).for_each(|(w, o)| *w += along * o);
        }
        weights
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The nearest positive semidefinite matrix.
fn semidefinite_part(matrix: &[f64], k: usize) -> Vec<f64> {
    let (values, vectors) = eigen(matrix, k);
    let mut part = vec![0.0; k * k];
    for (c, value) in values.iter().enumerate().filter(|(_, v)| **v > 0.0) {
        for i in 0..k {
            for j in 0..k {
                part[i * k + j] += value * vectors[i * k + c] * vectors[j * k + c];
            }
        }
    }
    part
}

/// Eigenvalues, and eigenvectors in the columns, of a symmetric matrix by Jacobi's rotations.
fn eigen(matrix: &[f64], k: usize) -> (Vec<f64>, Vec<f64>) {
    let mut a = matrix.to_vec();
    let mut v = vec![0.0; k * k];
    for i in 0..k {
        v[i * k + i] = 1.0;
    }
    let total = dot(&a, &a).sqrt();
    for _ in 0..60 {
        let off: f64 =
            (0..k).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| a[i * k + j].powi(2)).sum();
        if off.sqrt() <= 1e-15 * total {
            break;
        }
        for p in 0..k {
            for q in p + 1..k {
                rotate(&mut a, &mut v, k, (p, q));
            }
        }
    }
    ((0..k).map(|i| a[i * k + i]).collect(), v)
}

/// Makes the entry `(p, q)` zero.
fn rotate(a: &mut [f64], v: &mut [f64], k: usize, (p, q): (usize, usize)) {
    let apq = a[p * k + q];
    if apq == 0.0 {
        return;
    }
    let theta = (a[q * k + q] - a[p * k + p]) / (2.0 * apq);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let t = if theta == 0.0 { 1.0 } else { t };
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for i in 0..k {
        let (x, y) = (a[i * k + p], a[i * k + q]);
        (a[i * k + p], a[i * k + q]) = (c * x - s * y, s * x + c * y);
    }
    for i in 0..k {
        let (x, y) = (a[p * k + i], a[q * k + i]);
        (a[p * k + i], a[q * k + i]) = (c * x - s * y, s * x + c * y);
    }
    for i in 0..k {
        let (x, y) = (v[i * k + p], v[i * k + q]);
        (v[i * k + p], v[i * k + q]) = (c * x - s * y, s * x + c * y);
    }
}

/// Variables as affine functions of the free ones: `z = d + E t`, by Gauss–Jordan with full pivoting.
struct Elimination {
    n: usize,
    /// Per variable, `d` and the terms of its row of `E`; a free one is itself.
    affine: Vec<(f64, Vec<(usize, f64)>)>,
}

impl Elimination {
    fn new(lines: &[Line], lo: &[f64], hi: &[f64]) -> Self {
        let n = lo.len();
        let mut affine: Vec<(f64, Vec<(usize, f64)>)> = (0..n).map(|i| (0.0, vec![(i, 1.0)])).collect();
        let fixed: Vec<bool> = (0..n).map(|i| lo[i] == hi[i]).collect();
        for i in (0..n).filter(|&i| fixed[i]) {
            affine[i] = (lo[i], Vec::new());
        }
        let mut rows: Vec<Vec<f64>> = Vec::new();
        for line in lines.iter().filter(|line| line.equal) {
            let mut row = vec![0.0; n + 1];
            row[n] = line.constant;
            for &(i, a) in &line.terms {
                if fixed[i] {
                    row[n] += a * lo[i];
                } else {
                    row[i] += a;
                }
            }
            rows.push(row);
        }
        let mut done = 0;
        let mut pivots = Vec::new();
        while done < rows.len() {
            let entries = (done..rows.len()).flat_map(|r| (0..n).map(move |i| (r, i)));
            let Some((r, i)) = entries.max_by(|a, b| rows[a.0][a.1].abs().total_cmp(&rows[b.0][b.1].abs()))
            else {
                break;
            };
            if rows[r][i].abs() <= 1e-10 {
                break;
            }
            rows.swap(r, done);
            let pivot = rows[done][i];
            rows[done].iter_mut().for_each(|e| *e /= pivot);
            let own = rows[done].clone();
            for (k, row) in rows.iter_mut().enumerate() {
                let factor = row[i];
                if k != done && factor != 0.0 {
                    row.iter_mut().zip(&own).for_each(|(e, o)| *e -= factor * o);
                    row[i] = 0.0;
                }
            }
            pivots.push(i);
            done += 1;
        }
        for (row, &i) in rows.iter().zip(&pivots) {
            let terms = (0..n).filter(|&j| j != i && row[j].abs() > 1e-13).map(|j| (j, -row[j])).collect();
            affine[i] = (-row[n], terms);
        }
        Elimination { n, affine }
    }

    /// The function in the free variables.
    fn substitute(&self, q: &Quadratic) -> Quadratic {
        let n = self.n;
        let mut out = Quadratic::zero(n);
        out.constant = q.constant;
        for (i, g) in q.linear.iter().enumerate().filter(|(_, g)| **g != 0.0) {
            out.constant += g * self.affine[i].0;
            self.affine[i].1.iter().for_each(|(j, e)| out.linear[*j] += g * e);
        }
        let mut second = vec![0.0; n * n];
        for &(i, j, h) in &q.second {
            let ((di, ti), (dj, tj)) = (&self.affine[i], &self.affine[j]);
            // The entry stands for `h zᵢ zⱼ`, or half of it on the diagonal.
            let h = if i == j { 0.5 * h } else { h };
            out.constant += h * di * dj;
            ti.iter().for_each(|(a, e)| out.linear[*a] += h * dj * e);
            tj.iter().for_each(|(b, e)| out.linear[*b] += h * di * e);
            for (a, ea) in ti {
                for (b, eb) in tj {
                    second[a.min(b) * n + a.max(b)] += h * ea * eb;
                }
            }
        }
        let size = largest(&second);
        for i in 0..n {
            for j in i..n {
                let h = second[i * n + j];
                if h.abs() > 1e-13 * size {
                    out.second.push((i, j, if i == j { 2.0 * h } else { h }));
                }
            }
        }
        out
    }
}
