//! The steps the runtime does itself: products, rows, gather and scatter, running sums, positions of extremes, the order of
//! rows, dense linear algebra, sparse products.
//! Their slots were checked when the program was built; none of them allocates.

use blo_kernels::dense::{Dense, Workspace};
use blo_kernels::sparse::Sparse;

use super::element::{Element, Real};
use super::spec::Matrix;
use crate::kernel::{Bound, Memory, Slot, Strided};

/// A step ready to run.
pub enum Step<T> {
    /// A compiled kernel.
    Kernel(Bound),
    /// On reals.
    Real(Host<T>),
    /// On whole numbers.
    Int(Host<i64>),
    /// Rows of reals.
    Rows {
        /// Which function.
        name: &'static str,
        /// How many rows.
        rows: usize,
        /// Their length.
        len: usize,
        /// Operand.
        x: Slot<T>,
        /// Result.
        out: Slot<T>,
    },
    /// Dense linear algebra.
    Dense(DenseStep<T>),
    /// A product with a sparse matrix; see [`super::spec::HostStep::Sparse`].
    Sparse {
        /// Which.
        kind: Sparse,
        /// The width of dense rows.
        width: usize,
        /// Columns, starts and ends.
        places: [Slot<i64>; 3],
        /// The other operands.
        operands: [Slot<T>; 2],
        /// Result.
        out: Slot<T>,
    },
}

/// A factorisation or a solve for every matrix of a batch; see [`super::spec::HostStep::Dense`].
pub struct DenseStep<T> {
    kind: Dense,
    sizes: [usize; 3],
    transposed: bool,
    factor: Option<Slot<T>>,
    x: (Slot<T>, Matrix),
    out: Slot<T>,
    work: Workspace,
}

/// Sizes and slots of a step on cells of one type; see [`super::spec::HostStep`] for what each computes.
pub enum Host<T> {
    /// Matrix product; the operands' places are resolved to slots.
    Gemm { sizes: [usize; 4], lhs: (Slot<T>, Matrix), rhs: (Slot<T>, Matrix), out: Slot<T>, alpha: f64 },
    /// Indexed read.
    Gather { sizes: [usize; 4], x: Slot<T>, index: Slot<i64>, out: Slot<T> },
    /// Indexed sum.
    Scatter { sizes: [usize; 4], x: Slot<T>, index: Slot<i64>, out: Slot<T> },
    /// Running sum.
    Scan { sizes: [usize; 3], reverse: bool, x: Slot<T>, out: Slot<T> },
    /// Position of an extreme.
    ArgReduce { sizes: [usize; 3], largest: bool, x: Slot<T>, out: Slot<i64> },
    /// The order of rows.
    ArgSort { sizes: [usize; 2], x: Slot<T>, out: Slot<i64> },
}

impl<T: Real> Step<T> {
    /// Runs the step.
    pub fn run(&mut self, memory: &mut Memory, threads: usize) {
        match self {
            Step::Kernel(bound) => memory.call(bound),
            Step::Real(step) => step.run(memory, threads),
            Step::Int(step) => step.run(memory, threads),
            Step::Rows { name, rows, len, x, out } => {
                let (x, _, out) = memory.split(*x, *x, *out);
                T::rows(name, *rows, *len, out, x);
            }
            Step::Dense(step) => step.run(memory, threads),
            Step::Sparse { kind, width, places, operands, out } => {
                let (around, out) = memory.around(*out);
                T::sparse(
                    *kind,
                    *width,
                    places.map(|slot| around.read(slot)),
                    operands.map(|slot| around.read(slot)),
                    out,
                );
            }
        }
    }
}

impl<T: Real> DenseStep<T> {
    /// A step with memory to work in.
    pub fn new(
        kind: Dense,
        sizes: [usize; 3],
        transposed: bool,
        factor: Option<Slot<T>>,
        x: (Slot<T>, Matrix),
        out: Slot<T>,
    ) -> Self {
        DenseStep { kind, sizes, transposed, factor, x, out, work: T::workspace(kind, sizes[1]) }
    }

    fn run(&mut self, memory: &mut Memory, threads: usize) {
        let [batch, n, k] = self.sizes;
        let cells = self.kind.cells(n, k);
        if cells == 0 {
            return;
        }
        let (factor, x, out) = memory.split(self.factor.unwrap_or(self.x.0), self.x.0, self.out);
        let stride = self.kind.factor_cells(n);
        for (i, out) in out.chunks_exact_mut(cells).take(batch).enumerate() {
            let factor = &factor[i * stride..(i + 1) * stride];
            let x = Strided { cells: &x[i * self.x.1.batch..], row: self.x.1.row, col: self.x.1.col };
            T::dense(self.kind, [n, k], self.transposed, factor, x, out, &mut self.work, threads);
        }
    }
}

impl<T: Element> Host<T> {
    fn run(&self, memory: &mut Memory, threads: usize) {
        match self {
            Host::Gemm { sizes, lhs, rhs, out, alpha } => {
                let (a, b, c) = memory.split(lhs.0, rhs.0, *out);
                gemm(*sizes, (a, &lhs.1), (b, &rhs.1), c, *alpha, threads);
            }
            Host::Gather { sizes, x, index, out } => {
                let (x, index, out) = memory.split(*x, *index, *out);
                gather(*sizes, x, index, out);
            }
            Host::Scatter { sizes, x, index, out } => {
                let (x, index, out) = memory.split(*x, *index, *out);
                scatter(*sizes, x, index, out);
            }
            Host::Scan { sizes, reverse, x, out } => {
                let (x, _, out) = memory.split(*x, *x, *out);
                scan(*sizes, *reverse, x, out);
            }
            Host::ArgReduce { sizes, largest, x, out } => {
                let (x, _, out) = memory.split(*x, *x, *out);
                arg_reduce(*sizes, *largest, x, out);
            }
            Host::ArgSort { sizes: [rows, len], x, out } => {
                let (x, _, out) = memory.split(*x, *x, *out);
                arg_sort([*rows, *len], x, out);
            }
        }
    }
}

fn gemm<T: Element>(
    [batch, m, n, k]: [usize; 4],
    (a, lhs): (&[T], &Matrix),
    (b, rhs): (&[T], &Matrix),
    c: &mut [T],
    alpha: f64,
    threads: usize,
) {
    if m * n == 0 {
        return;
    }
    if k == 0 {
        c.fill(T::ZERO);
        return;
    }
    for (i, c) in c.chunks_exact_mut(m * n).take(batch).enumerate() {
        let a = Strided { cells: &a[i * lhs.batch..], row: lhs.row, col: lhs.col };
        let b = Strided { cells: &b[i * rhs.batch..], row: rhs.row, col: rhs.col };
        T::gemm([m, n, k], c, a, b, alpha, threads);
    }
}

/// The position an index means, if it is one of `0..len`.
fn position(index: i64, len: usize) -> Option<usize> {
    usize::try_from(index).ok().filter(|&i| i < len)
}

fn gather<T: Element>([batch, count, rows, row]: [usize; 4], x: &[T], index: &[i64], out: &mut [T]) {
    for b in 0..batch {
        let x = &x[b * rows * row..(b + 1) * rows * row];
        let at = b * count..(b + 1) * count;
        if row == 1 {
            for (to, &i) in out[at.clone()].iter_mut().zip(&index[at]) {
                *to = position(i, rows).map_or(T::MISSING, |i| x[i]);
            }
            continue;
        }
        for i in at {
            let to = &mut out[i * row..(i + 1) * row];
            match position(index[i], rows) {
                Some(p) => to.copy_from_slice(&x[p * row..(p + 1) * row]),
                None => to.fill(T::MISSING),
            }
        }
    }
}

fn scatter<T: Element>([batch, count, rows, row]: [usize; 4], x: &[T], index: &[i64], out: &mut [T]) {
    out.fill(T::ZERO);
    for b in 0..batch {
        let out = &mut out[b * rows * row..(b + 1) * rows * row];
        for i in b * count..(b + 1) * count {
            if let Some(p) = position(index[i], rows) {
                for (to, &from) in out[p * row..(p + 1) * row].iter_mut().zip(&x[i * row..(i + 1) * row]) {
                    *to = to.plus(from);
                }
            }
        }
    }
}

fn scan<T: Element>([outer, len, inner]: [usize; 3], reverse: bool, x: &[T], out: &mut [T]) {
    for o in 0..outer {
        for step in 0..len {
            let k = if reverse { len - 1 - step } else { step };
            let at = (o * len + k) * inner;
            for j in at..at + inner {
                out[j] = match (step, reverse) {
                    (0, _) => x[j],
                    (_, false) => out[j - inner].plus(x[j]),
                    (_, true) => out[j + inner].plus(x[j]),
                };
            }
        }
    }
}

fn arg_reduce<T: Element>([outer, len, inner]: [usize; 3], largest: bool, x: &[T], out: &mut [i64]) {
    for o in 0..outer {
        for j in 0..inner {
            let at = |k: usize| x[(o * len + k) * inner + j];
            let mut best = 0;
            for k in 1..len {
                if at(k).beyond(at(best), largest) {
                    best = k;
                }
            }
            out[o * inner + j] = best as i64;
        }
    }
}

fn arg_sort<T: Element>([rows, len]: [usize; 2], x: &[T], out: &mut [i64]) {
    if len == 0 {
        return;
    }
    for (x, out) in x.chunks_exact(len).zip(out.chunks_exact_mut(len)).take(rows) {
        out.iter_mut().zip(0..).for_each(|(place, k)| *place = k);
        // Positions break ties, so the order is that of a stable sort, which would need memory.
        out.sort_unstable_by(|&a, &b| x[a as usize].order(x[b as usize]).then(a.cmp(&b)));
    }
}
