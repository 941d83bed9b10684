//! Any number of samples with code for a certain number: sums over samples are evaluated chunk by chunk and added up.
//!
//! A program is compiled for `N` samples of a dimension, with the positions and the weights of the terms of its sums as inputs (as for
//! batches, [`crate::samples`]). For `n` samples it is run `⌈n / N⌉` times, each time with the next samples in the places of its data;
//! places that are left over repeat a sample with weight 0, and a mean, which the code divides by `N`, weighs its terms `N / n`. What
//! is not a sum over samples comes with every chunk, so for `c > 1` chunks one more run without any terms is taken off `c - 1` times:
//! the objectives are affine in all their sums together, which the compiler has made sure of, and so are their derivatives. One chunk
//! costs what the code costs, whatever `n` is, and data are copied only when the chunk changes.

use crate::derivatives::{Derivatives, Quantity};
use crate::frozen::wire::wire;

/// A dimension that counts samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dim {
    /// Its name.
    pub name: String,
    /// How many samples the code is for.
    pub size: usize,
    /// The arrays of data that have a row for each, and the numbers in a row.
    pub data: Vec<(String, usize)>,
}

/// A sampled sum of the program, or several that are sampled together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Whether the upper objective reads it, and not the lower one.
    pub upper: bool,
    /// The number of its dimension.
    pub dim: usize,
    /// Whether its terms are averaged.
    pub mean: bool,
}

/// A program for chunks.
pub struct Chunks {
    /// Both objectives.
    pub program: Box<dyn Derivatives>,
    /// The dimensions.
    pub dims: Vec<Dim>,
    /// The sums, as the program counts them.
    pub sums: Vec<Sum>,
    /// For every report the dimensions of the samples that it reads.
    pub reports: Vec<Vec<usize>>,
}

wire!(Dim { name, size, data });
wire!(Sum { upper, dim, mean });
wire!(Chunks { program, dims, sums, reports });

impl Chunks {
    /// The derivatives of `full`, which is the whole model for the numbers of samples it was compiled for, with any number.
    pub fn around(self, full: Box<dyn Derivatives>) -> Resizable {
        let counts: Vec<usize> = self.dims.iter().map(|dim| dim.size).collect();
        let given = self.dims.iter().map(|dim| vec![None; dim.data.len()]).collect();
        let most = counts.iter().max().copied().unwrap_or(0);
        Resizable {
            given,
            loaded: vec![None; counts.len()],
            counts,
            selected: [None; 2],
            resized: false,
            stale: true,
            places: (0..most as i64).collect(),
            rows: Vec::new(),
            parts: Default::default(),
            chunks: self,
            full,
        }
    }
}

/// Terms that a level has at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Terms {
    /// Those of a chunk.
    Of(usize),
    /// None at all.
    Nothing,
}

/// Derivatives for any number of samples. With the number the code is for they are those of the whole model, bit for bit.
pub struct Resizable {
    full: Box<dyn Derivatives>,
    chunks: Chunks,
    /// The samples, by dimension and array, where their number is another.
    given: Vec<Vec<Option<Vec<f64>>>>,
    /// How many there are.
    counts: Vec<usize>,
    /// Whether some number is another.
    resized: bool,
    /// Whether the program's data have changed.
    stale: bool,
    /// The chunk in the places of the data, by dimension.
    loaded: Vec<Option<usize>>,
    /// The terms of the lower and of the upper level.
    selected: [Option<Terms>; 2],
    places: Vec<i64>,
    rows: Vec<f64>,
    parts: [Vec<f64>; 3],
}

impl Resizable {
    /// How many chunks a level has.
    fn chunks_of(&self, upper: bool) -> usize {
        let sums = self.chunks.sums.iter().filter(|sum| sum.upper == upper);
        let count = |sum: &Sum| self.counts[sum.dim].div_ceil(self.chunks.dims[sum.dim].size);
        sums.map(count).max().unwrap_or(1).max(1)
    }

    /// The samples of a dimension that are in a chunk.
    fn range(&self, dim: usize, chunk: usize) -> std::ops::Range<usize> {
        let size = self.chunks.dims[dim].size;
        (chunk * size).min(self.counts[dim])..((chunk + 1) * size).min(self.counts[dim])
    }

    /// Makes the program evaluate these terms of a level.
    fn choose(&mut self, upper: bool, terms: Terms) {
        if let Terms::Of(chunk) = terms {
            for dim in 0..self.chunks.dims.len() {
                if self.chunks.sums.iter().any(|sum| sum.upper == upper && sum.dim == dim) {
                    self.load(dim, chunk);
                }
            }
        }
        if std::mem::take(&mut self.stale) {
            self.chunks.program.renew();
        }
        if self.selected[usize::from(upper)] == Some(terms) {
            return;
        }
        self.selected[usize::from(upper)] = Some(terms);
        for (k, sum) in self.chunks.sums.iter().enumerate().filter(|(_, sum)| sum.upper == upper) {
            let len = match terms {
                Terms::Of(chunk) => self.range(sum.dim, chunk).len(),
                Terms::Nothing => 0,
            };
            let (size, count) = (self.chunks.dims[sum.dim].size, self.counts[sum.dim]);
            let weight = if sum.mean { size as f64 / count as f64 } else { 1.0 };
            self.chunks.program.select(k, &self.places[..len], weight);
        }
    }

    /// Puts the samples of a chunk into the places of the data. A chunk without samples of this dimension leaves others there, which
    /// then have no weight.
    fn load(&mut self, dim: usize, chunk: usize) {
        let range = self.range(dim, chunk);
        if range.is_empty() || self.loaded[dim] == Some(chunk) {
            return;
        }
        self.loaded[dim] = Some(chunk);
        let Dim { size, data, .. } = &self.chunks.dims[dim];
        for ((name, row), values) in data.iter().zip(&self.given[dim]) {
            let Some(values) = values else { continue };
            self.rows.clear();
            for k in 0..*size {
                let from = if k < range.len() { range.start + k } else { range.start };
                self.rows.extend_from_slice(&values[from * row..(from + 1) * row]);
            }
            self.chunks.program.set_data(name, &self.rows);
            self.stale = true;
        }
    }

    /// Adds a quantity of a level up over its chunks: its outputs, and the value that is returned.
    fn total<const K: usize>(
        &mut self,
        upper: bool,
        mut outs: [&mut [f64]; K],
        mut evaluate: impl FnMut(&mut dyn Derivatives, [&mut [f64]; K]) -> f64,
    ) -> f64 {
        self.choose(upper, Terms::Of(0));
        let mut value = evaluate(&mut *self.chunks.program, outs.each_mut().map(|out| &mut **out));
        let count = self.chunks_of(upper);
        if count == 1 {
            return value;
        }
        let mut parts = std::mem::take(&mut self.parts);
        let rest = (1..count).map(|chunk| (Terms::Of(chunk), 1.0));
        for (terms, factor) in rest.chain([(Terms::Nothing, -((count - 1) as f64))]) {
            self.choose(upper, terms);
            let mut all = parts.iter_mut();
            let lens = outs.each_ref().map(|out| out.len());
            let views = lens.map(|len| all.next().map_or(&mut [][..], |part| &mut part[..len]));
            value += factor * evaluate(&mut *self.chunks.program, views);
            for (out, part) in outs.iter_mut().zip(&parts) {
                out.iter_mut().zip(part).for_each(|(to, from)| *to += factor * from);
            }
        }
        self.parts = parts;
        value
    }
}

/// Quantities of a level: what they read, and what they write.
macro_rules! totals {
    ($($name:ident: $upper:literal, ($($in:ident),*) -> ($($out:ident),*) $($value:ident)?;)*) => {$(
        fn $name(&mut self, $($in: &[f64],)* $($out: &mut [f64]),*) $(-> $value)? {
            if !self.resized {
                return self.full.$name($($in,)* $($out),*);
            }
            let total = self.total($upper, [$($out),*], |program, [$($out),*]| {
                totals!(@ program.$name($($in,)* $($out),*), $($value)?)
            });
            totals!(= total, $($value)?)
        }
    )*};
    (@ $call:expr, f64) => { $call };
    (@ $call:expr,) => {{ $call; 0.0 }};
    (= $total:ident, f64) => { $total };
    (= $total:ident,) => {{ let _ = $total; }};
}

impl Derivatives for Resizable {
    fn upper_len(&self) -> usize {
        self.full.upper_len()
    }

    fn lower_len(&self) -> usize {
        self.full.lower_len()
    }

    fn reports_len(&self) -> usize {
        self.full.reports_len()
    }

    fn has(&self, quantity: Quantity) -> bool {
        self.full.has(quantity)
    }

    totals! {
        lower_value: false, (x, y) -> () f64;
        lower_gradient: false, (x, y) -> (gy) f64;
        lower_gradient_only: false, (x, y) -> (gy) f64;
        lower_gradient_x: false, (x, y) -> (gx) f64;
        lower_gradient_x_only: false, (x, y) -> (gx) f64;
        lower_gradients: false, (x, y) -> (gx, gy) f64;
        lower_hessian: false, (x, y, v) -> (hv);
        lower_second_order: false, (x, y, v) -> (hv, xv);
        lower_directions: false, (x, y, v) -> (gy, hv, xv);
        lower_cross: false, (x, y, u) -> (out);
        upper_value: true, (x, y) -> () f64;
        upper_gradients: true, (x, y) -> (gx, gy) f64;
        upper_gradients_only: true, (x, y) -> (gx, gy) f64;
        upper_gradient_x: true, (x, y) -> (gx) f64;
        upper_second_order: true, (x, y, v) -> (hv, xv);
    }

    /// Those that read samples are NaN where the number of samples is another: code for them is there for one number only.
    fn reports(&mut self, x: &[f64], y: &[f64], out: &mut [f64]) {
        self.full.reports(x, y, out);
        for (value, dims) in out.iter_mut().zip(&self.chunks.reports) {
            if dims.iter().any(|&dim| self.counts[dim] != self.chunks.dims[dim].size) {
                *value = f64::NAN;
            }
        }
    }

    fn set_data(&mut self, name: &str, values: &[f64]) {
        self.stale = true;
        for (dim, given) in self.chunks.dims.iter().zip(&mut self.given) {
            for ((own, row), place) in dim.data.iter().zip(given) {
                if own == name && values.len() != dim.size * row {
                    *place = Some(values.to_vec());
                    return;
                }
                if own == name {
                    *place = None;
                }
            }
        }
        self.full.set_data(name, values);
        self.chunks.program.set_data(name, values);
    }

    fn renew(&mut self) {
        for ((dim, given), count) in self.chunks.dims.iter().zip(&self.given).zip(&mut self.counts) {
            let rows = |(values, (_, row)): (&Option<Vec<f64>>, &(String, usize))| {
                values.as_ref().map(|values| values.len() / row)
            };
            *count = given.iter().zip(&dim.data).find_map(rows).unwrap_or(dim.size);
        }
        self.resized = self.chunks.dims.iter().zip(&self.counts).any(|(dim, count)| dim.size != *count);
        self.loaded.fill(None);
        self.selected = [None; 2];
        self.full.renew();
        if self.resized {
            let longest = self.upper_len().max(self.lower_len());
            self.parts.iter_mut().for_each(|part| part.resize(longest, 0.0));
            let widest =
                self.chunks.dims.iter().flat_map(|dim| dim.data.iter().map(|(_, row)| row * dim.size));
            self.rows.reserve(widest.max().unwrap_or(0));
        }
    }

    fn is_resized(&self) -> bool {
        self.resized
    }
}
