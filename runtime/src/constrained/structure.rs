//! Where the Hessian of a program's Lagrangian and the Jacobian of its rows have entries, and their values from few products.
//!
//! The pattern is learned from products with every unit vector at two drawn points: an entry that is zero at both is taken for
//! absent, one that is equal at both for constant. What is left is gathered from products with sums of unit vectors whose columns
//! do not meet in a row. One more product along a drawn direction checks every evaluation; when it disagrees (a branch that the
//! drawn points did not take), the pattern is learned again with nothing constant, and then as full.
//!
//! Cost: `2 n` products once, then one per colour and one for the check. Memory: a few numbers per entry.
//!
//! Sources: A. R. Curtis, M. J. D. Powell, J. K. Reid, "On the estimation of sparse Jacobian matrices", J. Inst. Math. Appl. 13
//! (1974); A. H. Gebremedhin, F. Manne, A. Pothen, "What color is your Jacobian?", SIAM Review 47 (2005).

use super::nlp::Nlp;
use super::program::Pattern;
use crate::linear::blas1::{all_finite, largest};
use crate::linear::power::{fill, seeded};

/// Draws until both derivatives are finite.
const DRAWS: u64 = 12;
/// Values that differ by less, relative, are the same constant.
const SAME: f64 = 1e-13;
/// The check of an evaluation, relative to the sizes that are added up.
const AGREES: f64 = 1e-6;

/// An entry of a column of the Hessian above the Jacobian.
#[derive(Clone, Copy, Debug)]
struct Entry {
    row: usize,
    /// Where its value is put; `None` above the diagonal of the Hessian.
    slot: Option<usize>,
    /// Its value, when that never changes.
    constant: Option<f64>,
}

/// Patterns and the products that give the values.
#[derive(Clone, Debug)]
pub struct Structure {
    /// Where there are entries.
    pub pattern: Pattern,
    columns: Vec<Vec<Entry>>,
    colours: Vec<Vec<usize>>,
    /// How often the pattern was found to be wrong.
    wrong: usize,
    direction: Vec<f64>,
    product: Vec<f64>,
    sums: Vec<f64>,
    sizes: Vec<f64>,
}

impl Structure {
    /// Learns the pattern of a program.
    pub fn learn(nlp: &mut Nlp) -> Self {
        let (n, m) = (nlp.len(), nlp.equal.len());
        let mut points = Vec::new();
        let kept = nlp.parameters().to_vec();
        let centre = nlp.somewhere();
        for draw in 0..DRAWS {
            if points.len() == 2 {
                break;
            }
            let reach = 0.3_f64.powi(draw as i32 / 2);
            let near = |v: &[f64], seed: u64| -> Vec<f64> {
                let moved = seeded(v.len(), seed).into_iter().zip(v);
                moved.map(|(u, v)| v + reach * (0.1 + u.abs()) * u.signum() * v.abs().max(0.5)).collect()
            };
            let mut v = near(&centre, 7 * draw + 1);
            nlp.bounds().project(&mut v);
            nlp.set_parameters(&near(&kept, 7 * draw + 2));
            let weights: Vec<f64> = seeded(m, 7 * draw + 3).iter().map(|u| u + 1.5 * u.signum()).collect();
            let columns = all_columns(nlp, &v, &weights);
            points.extend(columns);
        }
        nlp.set_parameters(&kept);
        let mut structure = Structure {
            pattern: Pattern::default(),
            columns: vec![Vec::new(); n],
            colours: Vec::new(),
            wrong: 0,
            direction: vec![0.0; n],
            product: vec![0.0; n + m],
            sums: vec![0.0; n + m],
            sizes: vec![0.0; n + m],
        };
        match points.as_slice() {
            [a, b] => structure.arrange(a.iter().zip(b).map(|(a, b)| merged(a, b)).collect()),
            _ => structure.fill_up(),
        }
        structure
    }

    /// Whether it had to be learned again.
    pub fn was_wrong(&self) -> bool {
        self.wrong > 0
    }

    /// Every entry present and none constant.
    fn fill_up(&mut self) {
        self.wrong = 2;
        let total = self.product.len();
        self.arrange(vec![(0..total).map(|row| (row, None)).collect(); self.columns.len()]);
    }

    /// Takes columns of rows and constants, and colours them.
    fn arrange(&mut self, mut columns: Vec<Vec<(usize, Option<f64>)>>) {
        let n = columns.len();
        // Rounding may leave one of two symmetric entries at zero.
        for j in 0..n {
            for k in 0..columns[j].len() {
                let (row, constant) = columns[j][k];
                if row < n && columns[row].iter().all(|(mirrored, _)| *mirrored != j) {
                    columns[row].push((j, constant));
                }
            }
        }
        self.pattern.hessian.clear();
        self.pattern.jacobian.clear();
        let mut meets = vec![Vec::new(); self.product.len()];
        for (j, mut column) in columns.into_iter().enumerate() {
            column.sort_by_key(|(row, _)| *row);
            self.columns[j].clear();
            for (row, constant) in column {
                let slot = if row >= n {
                    self.pattern.jacobian.push((row - n, j));
                    Some(self.pattern.jacobian.len() - 1)
                } else if row >= j {
                    self.pattern.hessian.push((row, j));
                    Some(self.pattern.hessian.len() - 1)
                } else {
                    None
                };
                if constant.is_none() {
                    meets[row].push(j);
                }
                self.columns[j].push(Entry { row, slot, constant });
            }
        }
        self.colour(&meets);
    }

    /// Gives columns that meet in a row different colours, those with many entries first.
    fn colour(&mut self, meets: &[Vec<usize>]) {
        let n = self.columns.len();
        let varying = |j: usize| self.columns[j].iter().filter(|e| e.constant.is_none()).count();
        let mut order: Vec<(usize, usize)> =
            (0..n).map(|j| (varying(j), j)).filter(|(k, _)| *k > 0).collect();
        order.sort_by_key(|&(k, j)| (std::cmp::Reverse(k), j));
        let mut colour_of = vec![usize::MAX; n];
        let mut taken_by = vec![usize::MAX; n + 1];
        self.colours.clear();
        for (_, j) in order {
            for e in self.columns[j].iter().filter(|e| e.constant.is_none()) {
                for &other in meets[e.row].iter().filter(|&&k| colour_of[k] != usize::MAX) {
                    taken_by[colour_of[other]] = j;
                }
            }
            let free = (0..=self.colours.len()).find(|&c| taken_by[c] != j).unwrap_or(self.colours.len());
            if free == self.colours.len() {
                self.colours.push(Vec::new());
            }
            self.colours[free].push(j);
            colour_of[j] = free;
        }
    }

    /// In `h` and `j` the values of the entries at `v` with weights `w`. False when the pattern turned out to be another: it has
    /// been learned again, and the vectors have new lengths.
    pub fn evaluate(
        &mut self,
        nlp: &mut Nlp,
        v: &[f64],
        w: &[f64],
        h: &mut Vec<f64>,
        j: &mut Vec<f64>,
    ) -> bool {
        let mut kept = true;
        loop {
            h.resize(self.pattern.hessian.len(), 0.0);
            j.resize(self.pattern.jacobian.len(), 0.0);
            self.gather(nlp, v, w, h, j);
            if self.wrong >= 2 || self.agrees(nlp, v, w, h, j) {
                return kept;
            }
            kept = false;
            self.learn_again(nlp, v, w);
        }
    }

    fn gather(&mut self, nlp: &mut Nlp, v: &[f64], w: &[f64], h: &mut [f64], j: &mut [f64]) {
        let n = self.columns.len();
        let mut put = |entry: &Entry, value: f64| match entry.slot {
            Some(slot) if entry.row < n => h[slot] = value,
            Some(slot) => j[slot] = value,
            None => {}
        };
        for entry in self.columns.iter().flatten() {
            if let Some(value) = entry.constant {
                put(entry, value);
            }
        }
        for colour in &self.colours {
            self.direction.fill(0.0);
            colour.iter().for_each(|&k| self.direction[k] = 1.0);
            let (hd, jd) = self.product.split_at_mut(n);
            nlp.product(v, w, &self.direction, hd, jd);
            let entries = || colour.iter().flat_map(|&k| &self.columns[k]);
            for (entry, value) in entries().filter_map(|e| e.constant.map(|c| (e, c))) {
                self.product[entry.row] -= value;
            }
            for entry in entries().filter(|e| e.constant.is_none()) {
                put(entry, self.product[entry.row]);
            }
        }
    }

    /// Whether the values agree with a product along a drawn direction, or that product is not finite.
    fn agrees(&mut self, nlp: &mut Nlp, v: &[f64], w: &[f64], h: &[f64], j: &[f64]) -> bool {
        let n = self.columns.len();
        fill(&mut self.direction, 11);
        let (hd, jd) = self.product.split_at_mut(n);
        nlp.product(v, w, &self.direction, hd, jd);
        if !all_finite(&self.product) {
            return true;
        }
        self.sums.fill(0.0);
        self.sizes.fill(0.0);
        let Self { sums, sizes, direction, .. } = self;
        let mut add = |row: usize, value: f64, along: f64| {
            sums[row] += value * along;
            sizes[row] += (value * along).abs();
        };
        for (&(row, column), &value) in self.pattern.hessian.iter().zip(h) {
            add(row, value, direction[column]);
            if row != column {
                add(column, value, direction[row]);
            }
        }
        for (&(row, column), &value) in self.pattern.jacobian.iter().zip(j) {
            add(n + row, value, direction[column]);
        }
        let noise = 1e-3 * largest(&self.sizes);
        (0..self.sums.len()).all(|i| {
            (self.sums[i] - self.product[i]).abs() <= AGREES * (self.sizes[i] + self.product[i].abs() + noise)
        })
    }

    fn learn_again(&mut self, nlp: &mut Nlp, v: &[f64], w: &[f64]) {
        self.wrong += 1;
        if self.wrong >= 2 {
            return self.fill_up();
        }
        let Some(now) = all_columns(nlp, v, w) else { return self.fill_up() };
        let old =
            self.columns.iter().map(|column| column.iter().map(|entry| (entry.row, f64::NAN)).collect());
        let old: Vec<Vec<(usize, f64)>> = old.collect();
        self.arrange(now.iter().zip(&old).map(|(now, old)| merged(now, old)).collect());
    }
}

/// The entries of a column that is there at either of two points, in order, with those values that are the same at both.
fn merged(a: &[(usize, f64)], b: &[(usize, f64)]) -> Vec<(usize, Option<f64>)> {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut all = Vec::new();
    loop {
        let row = match (a.peek(), b.peek()) {
            (None, None) => return all,
            (Some(a), None) => a.0,
            (None, Some(b)) => b.0,
            (Some(a), Some(b)) => a.0.min(b.0),
        };
        let one = a.next_if(|(at, _)| *at == row).map_or(0.0, |(_, value)| *value);
        let other = b.next_if(|(at, _)| *at == row).map_or(0.0, |(_, value)| *value);
        let same = (one - other).abs() <= SAME * one.abs().max(other.abs());
        all.push((row, same.then_some(one)));
    }
}

/// What is not zero in the products with all unit vectors, Hessian above Jacobian; `None` when something is not finite.
fn all_columns(nlp: &mut Nlp, v: &[f64], w: &[f64]) -> Option<Vec<Vec<(usize, f64)>>> {
    let (n, m) = (nlp.len(), nlp.equal.len());
    let (mut unit, mut column) = (vec![0.0; n], vec![0.0; n + m]);
    let mut columns = Vec::with_capacity(n);
    for j in 0..n {
        unit[j] = 1.0;
        let (hd, jd) = column.split_at_mut(n);
        nlp.product(v, w, &unit, hd, jd);
        unit[j] = 0.0;
        if !all_finite(&column) {
            return None;
        }
        columns.push(column.iter().copied().enumerate().filter(|(_, value)| *value != 0.0).collect());
    }
    Some(columns)
}
