//! How the work of a step falls into parts along an axis of samples: which rows of its buffers belong to a sample, and the step
//! for some samples only.

use rustc_hash::FxHashSet;

use crate::ir::loops::{BufferId, Expr, HostStep, Matrix, Nest, Step};
use crate::ops::Reduction;

/// Largest operand or result of a product, in elements, that all tiles share: it must leave room in cache for the tile.
const SHARED: usize = 16 * 1024;

/// What a part for one sample uses of a buffer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Use {
    /// The same cells for all samples, to read.
    Whole,
    /// Its own row.
    Rows {
        /// Cells from one sample to the next.
        stride: usize,
        /// Whether it keeps to its own row, which starts at a multiple of the stride.
        local: bool,
    },
    /// Everything is combined over the samples.
    Sum(Reduction),
}

impl Use {
    /// Both uses together, if they go through the buffer in the same way.
    pub fn with(self, other: Use) -> Option<Use> {
        match (self, other) {
            (Use::Whole, Use::Whole) => Some(Use::Whole),
            (Use::Rows { stride, local }, Use::Rows { stride: s, local: l }) if stride == s => {
                Some(Use::Rows { stride, local: local && l })
            }
            _ => None,
        }
    }

    /// Cells from one sample to the next.
    pub fn stride(self) -> usize {
        if let Use::Rows { stride, .. } = self { stride } else { 0 }
    }
}

/// Which size of a step counts samples.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Along {
    /// The outermost axis of a nest, or the rows of a step of the runtime.
    Outer,
    /// The rows of a product's result.
    Rows,
    /// The axis that a product sums over.
    Summed,
    /// The matrices of a batch, or the indices of a gather.
    Batch,
}

/// A way to cut a step by samples.
#[derive(Clone, Debug)]
pub struct Part {
    along: Along,
    /// Rows of the step that belong to one sample.
    ratio: usize,
    /// What is used of buffers, and whether it is written; every buffer once.
    pub uses: Vec<(BufferId, Use, bool)>,
}

/// Collects uses.
#[derive(Default)]
struct Uses(Vec<(BufferId, Use, bool)>);

impl Uses {
    /// False if the step uses the buffer in another way as well.
    fn add(&mut self, id: BufferId, used: Use, written: bool) -> bool {
        match self.0.iter_mut().find(|u| u.0 == id) {
            None => self.0.push((id, used, written)),
            Some((_, before, wrote)) => match before.with(used) {
                Some(both) => (*before, *wrote) = (both, *wrote || written),
                None => return false,
            },
        }
        true
    }

    /// As `add`, for the rows that start at `offset` and use `span` cells each; false as well if rows of neighbours interleave.
    fn rows(&mut self, id: BufferId, [stride, offset, span]: [usize; 3], written: bool) -> bool {
        let local = offset + span <= stride;
        span <= stride && (local || !written) && self.add(id, Use::Rows { stride, local }, written)
    }
}

/// The sizes of steps that may count samples, in ascending order.
pub fn candidates(steps: &[Step]) -> Vec<usize> {
    let mut sizes: Vec<usize> = Vec::new();
    for step in steps {
        match step {
            Step::Nest(nest) => sizes.push(nest.extents[0]),
            Step::Host(HostStep::Gemm { sizes: [b, m, n, k], .. }) => {
                sizes.extend(if *b > 1 { [*b, 0, 0] } else { [*m, *k, if *m == 1 { *n } else { 0 }] });
            }
            Step::Host(HostStep::Rows { rows, .. }) => sizes.push(*rows),
            _ => {}
        }
    }
    // The commonest few: a long list of steps of many sizes is not searched for each of them.
    let distinct: FxHashSet<usize> = sizes.iter().copied().filter(|&n| n > 1).collect();
    let mut counted: Vec<(usize, usize)> =
        distinct.into_iter().map(|n| (sizes.iter().filter(|&&s| s == n).count(), n)).collect();
    counted.sort_unstable_by(|a, b| b.cmp(a));
    let mut found: Vec<usize> = counted.into_iter().take(6).map(|(_, n)| n).collect();
    found.sort_unstable();
    found
}

/// The ways to cut a step into `samples` parts, the best first.
pub fn parts(step: &Step, samples: usize) -> Vec<Part> {
    match step {
        Step::Nest(nest) => nest_part(nest, samples).into_iter().collect(),
        Step::Host(HostStep::Gemm { .. }) => {
            let along = [Along::Rows, Along::Summed, Along::Batch];
            along.into_iter().filter_map(|along| gemm_part(step, along, samples)).collect()
        }
        Step::Host(host) => host_part(host, samples).into_iter().collect(),
        Step::Tiled(_) => Vec::new(),
    }
}

/// How many rows a sample has if `rows` are those of all samples.
fn ratio(rows: usize, samples: usize) -> Option<usize> {
    (samples > 0 && rows > 0 && rows.is_multiple_of(samples)).then(|| rows / samples)
}

fn nest_part(nest: &Nest, samples: usize) -> Option<Part> {
    let ratio = ratio(nest.extents[0], samples)?;
    if nest.points() == 0 {
        return None;
    }
    let mut one = nest.extents.clone();
    one[0] = ratio;
    let mut uses = Uses::default();
    let mut add = |arg: usize, access: &crate::ir::loops::Access, written: bool| {
        let id = nest.args[arg].0;
        match access.strides[0] * ratio {
            0 => !written && uses.add(id, Use::Whole, false),
            stride => uses.rows(id, [stride, access.offset, access.last(&one) + 1 - access.offset], written),
        }
    };
    for (expr, _) in &nest.exprs {
        let fits = match expr {
            Expr::Index(access) => access.strides[0] == 0,
            Expr::Load(arg, access) => add(*arg, access, false),
            _ => true,
        };
        if !fits {
            return None;
        }
    }
    for sink in &nest.sinks {
        let fits = match sink.reduce {
            Some(_) if sink.access.offset != 0 => false,
            Some(reduce) if sink.access.strides[0] == 0 => {
                let id = nest.args[sink.arg].0;
                !uses.0.iter().any(|u| u.0 == id) && uses.add(id, Use::Sum(reduce), true)
            }
            _ => {
                let stride = sink.access.strides[0] * ratio;
                let span = sink.access.last(&one) + 1 - sink.access.offset;
                uses.rows(nest.args[sink.arg].0, [stride, sink.access.offset, span], true)
            }
        };
        if !fits {
            return None;
        }
    }
    Some(Part { along: Along::Outer, ratio, uses: uses.0 })
}

/// A product with its operands exchanged, if it is a row vector times a matrix: then the result is a column as well.
fn upright(host: &HostStep) -> HostStep {
    let mut host = host.clone();
    if let HostStep::Gemm { sizes: [1, m @ 1, n, _], lhs, rhs, .. } = &mut host
        && *n > 1
    {
        let turn = |x: Matrix| Matrix { row: x.col, col: x.row, ..x };
        (*lhs, *rhs) = (turn(*rhs), turn(*lhs));
        std::mem::swap(m, n);
    }
    host
}

fn gemm_part(step: &Step, along: Along, samples: usize) -> Option<Part> {
    let Step::Host(host) = step else { return None };
    let host = if along == Along::Rows { upright(host) } else { host.clone() };
    let HostStep::Gemm { sizes: [b, m, n, k], lhs, rhs, out, .. } = host else { return None };
    let mut uses = Uses::default();
    let (ratio, fits) = match along {
        Along::Rows if b == 1 && k * n <= SHARED => {
            let r = ratio(m, samples)?;
            let span = (r - 1) * lhs.row + (k.max(1) - 1) * lhs.col + 1;
            let fits = uses.rows(lhs.at.buffer, [lhs.row * r, lhs.at.offset, span], false)
                && uses.add(rhs.at.buffer, Use::Whole, false)
                && uses.rows(out.buffer, [n * r, out.offset, n * r], true);
            (r, fits)
        }
        Along::Summed if b == 1 && m * n <= SHARED => {
            let r = ratio(k, samples)?;
            let left = (r - 1) * lhs.col + (m.max(1) - 1) * lhs.row + 1;
            let right = (r - 1) * rhs.row + (n.max(1) - 1) * rhs.col + 1;
            let fits = uses.rows(lhs.at.buffer, [lhs.col * r, lhs.at.offset, left], false)
                && uses.rows(rhs.at.buffer, [rhs.row * r, rhs.at.offset, right], false)
                && out.offset == 0
                && uses.add(out.buffer, Use::Sum(Reduction::Sum), true);
            (r, fits)
        }
        Along::Batch if b > 1 => {
            let r = ratio(b, samples)?;
            let mut operand = |x: Matrix, rows: usize, cols: usize| match x.batch {
                0 => uses.add(x.at.buffer, Use::Whole, false),
                stride => {
                    let span = x.extent(r, rows, cols) - x.at.offset;
                    uses.rows(x.at.buffer, [stride * r, x.at.offset, span], false)
                }
            };
            let fits = operand(lhs, m, k)
                && operand(rhs, k, n)
                && uses.rows(out.buffer, [m * n * r, out.offset, m * n * r], true);
            (r, fits)
        }
        _ => return None,
    };
    (fits && m * n * k > 0).then_some(Part { along, ratio, uses: uses.0 })
}

fn host_part(host: &HostStep, samples: usize) -> Option<Part> {
    // Rows of all samples; and place, cells of a row, whether it is written, or `None` for what all samples read.
    let (rows, along, uses) = match host {
        HostStep::Rows { name, rows, len, x, out } => {
            let out_len = if *name == "logsumexp" { 1 } else { *len };
            (*rows, Along::Outer, vec![(x, Some(*len), false), (out, Some(out_len), true)])
        }
        HostStep::ArgSort { sizes: [rows, len], x, out } => {
            (*rows, Along::Outer, vec![(x, Some(*len), false), (out, Some(*len), true)])
        }
        HostStep::Scan { sizes: [outer, len, inner], x, out, .. } => {
            let row = len * inner;
            (*outer, Along::Outer, vec![(x, Some(row), false), (out, Some(row), true)])
        }
        HostStep::ArgReduce { sizes: [outer, len, inner], x, out, .. } => {
            (*outer, Along::Outer, vec![(x, Some(len * inner), false), (out, Some(*inner), true)])
        }
        HostStep::Gather { sizes: [1, i, _, r], x, index, out, .. } => {
            (*i, Along::Batch, vec![(x, None, false), (index, Some(1), false), (out, Some(*r), true)])
        }
        HostStep::Gather { sizes: [b, i, n, r], x, index, out, .. } => {
            let uses = vec![(x, Some(n * r), false), (index, Some(*i), false), (out, Some(i * r), true)];
            (*b, Along::Outer, uses)
        }
        HostStep::Scatter { sizes: [b, i, n, r], x, index, out, .. } => {
            let uses = vec![(x, Some(i * r), false), (index, Some(*i), false), (out, Some(n * r), true)];
            (*b, Along::Outer, uses)
        }
        HostStep::Gemm { .. } | HostStep::Dense { .. } | HostStep::Sparse { .. } => return None,
    };
    let ratio = ratio(rows, samples)?;
    let mut all = Uses::default();
    let fits = uses.into_iter().all(|(at, cells, written)| match cells {
        None => all.add(at.buffer, Use::Whole, false),
        Some(cells) => {
            let row = cells * ratio;
            row > 0 && all.rows(at.buffer, [row, at.offset, row], written)
        }
    });
    fits.then_some(Part { along, ratio, uses: all.0 })
}

impl Part {
    /// Whether the part's product comes out transposed, so that the few columns are rows of its accumulators; the size of what
    /// comes out.
    pub fn transposed(&self, step: &Step) -> Option<[usize; 2]> {
        match step {
            Step::Host(HostStep::Gemm { sizes: [_, m, n, _], .. })
                if self.along == Along::Summed && n < m && *n > 1 =>
            {
                Some([*n, *m])
            }
            _ => None,
        }
    }

    /// The step for some samples.
    pub fn of(&self, step: &Step, samples: usize) -> Step {
        let count = samples * self.ratio;
        match step {
            Step::Nest(nest) => {
                let mut nest = nest.clone();
                nest.extents[0] = count;
                Step::Nest(nest)
            }
            Step::Host(host) => Step::Host(self.host(host, count, self.transposed(step).is_some())),
            Step::Tiled(_) => crate::bug!("tiles inside of tiles"),
        }
    }

    fn host(&self, host: &HostStep, count: usize, transposed: bool) -> HostStep {
        let mut host = if self.along == Along::Rows { upright(host) } else { host.clone() };
        match &mut host {
            HostStep::Gemm { sizes: [b, m, n, k], lhs, rhs, accumulate, .. } => match self.along {
                Along::Rows => *m = count,
                Along::Summed => {
                    *k = count;
                    *accumulate = true;
                    if transposed {
                        let turn = |x: Matrix| Matrix { row: x.col, col: x.row, ..x };
                        (*lhs, *rhs) = (turn(*rhs), turn(*lhs));
                        std::mem::swap(m, n);
                    }
                }
                _ => *b = count,
            },
            HostStep::Gather { sizes, .. } if self.along == Along::Batch => sizes[1] = count,
            HostStep::Rows { rows, .. } => *rows = count,
            HostStep::ArgSort { sizes, .. } => sizes[0] = count,
            HostStep::Scan { sizes, .. } | HostStep::ArgReduce { sizes, .. } => sizes[0] = count,
            HostStep::Gather { sizes, .. } | HostStep::Scatter { sizes, .. } => sizes[0] = count,
            HostStep::Dense { .. } | HostStep::Sparse { .. } => crate::bug!("{host:?} has no samples"),
        }
        host
    }
}
