//! Entries compiled whole: for small problems the calls between kernels cost more than what they compute, so all steps of an entry
//! become one function that reads the solver's vectors where they are and writes the outputs in place. Which entries, and
//! what of them, is decided here; the code is written in [`emit`]. See `docs/decisions/0011-direct-entries.md`.

pub mod emit;

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::smallvec;

use crate::ir::loops::{
    Access, BufferId, Cell, Expr, ExprId, Home, HostStep, LoopEntry, Loops, Matrix, Nest, Place, Sink, Step,
    Width,
};
use crate::ops::{Instruction, Reduction};
use crate::types::Elem;

/// Which entries are compiled whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Those where it pays.
    Small,
    /// All that can be, for tests.
    All,
    /// None, for tests.
    None,
}

/// Points of all loops of an entry, from which on the calls between kernels are a small part of the time.
const POINTS: usize = 1024;

/// Expressions of an entry: the time to compile one function grows faster than its length from about here on.
const LONGEST: usize = 2000;

/// Multiplications of a matrix product that is written out as a loop.
const PRODUCT: usize = 512;

/// An entry as one function.
pub struct Whole<'l> {
    loops: &'l Loops,
    /// The loops of each stage, matrix products among them.
    stages: [Vec<Cow<'l, Nest>>; 3],
    outputs: &'l [Vec<(Place, usize)>],
    /// The first output that is written; those before it are left as they are.
    first: usize,
    /// Whether the first two stages run only when their bit of the last parameter is set.
    staged: bool,
    /// Buffers that are written to an output instead of to memory: which, and from which cell on.
    redirected: FxHashMap<BufferId, (usize, usize)>,
}

/// The functions of an entry: all of it, and where it saves something without the first output.
pub struct Functions<'l> {
    /// All of it.
    pub whole: Whole<'l>,
    /// Without the first output.
    pub slim: Option<Whole<'l>>,
}

/// The functions of an entry that is to be compiled whole.
pub fn functions<'l>(loops: &'l Loops, entry: &'l LoopEntry, choice: Choice) -> Option<Functions<'l>> {
    if choice == Choice::None
        || entry.joint.is_some()
        || loops.width != Width::Double
        || entry.outputs.len() > 3
    {
        return None;
    }
    let [first, second, last] = &entry.stages;
    let stages = [nests(first)?, nests(second)?, nests(last)?];
    let points: usize = stages.iter().flatten().map(|n| n.points()).sum();
    let expressions: usize = stages.iter().flatten().map(|n| n.exprs.len()).sum();
    if choice == Choice::Small && (points > POINTS || expressions > LONGEST) {
        return None;
    }
    let staged = stages[..2].iter().flatten().map(|n| cost(n)).sum::<usize>() > detection(loops.lens);
    let slim = slim_stages(&stages, &entry.outputs);
    let make = |stages: [Vec<Cow<'l, Nest>>; 3], first| {
        let outputs = entry.outputs.as_slice();
        let redirected = redirected(loops, &stages, outputs, first, staged);
        Whole { loops, stages, outputs, first, staged, redirected }
    };
    Some(Functions { slim: slim.map(|stages| make(stages, 1)), whole: make(stages, 0) })
}

/// All that its code depends on, apart from the places of buffers. Where outputs go instead of to memory follows from the rest.
impl Hash for Whole<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Whole { loops: _, stages, outputs, first, staged, redirected: _ } = self;
        stages.hash(state);
        for pieces in *outputs {
            pieces.len().hash(state);
            pieces.iter().for_each(|(at, len)| (at.buffer, at.offset, len).hash(state));
        }
        (outputs.len(), first, staged).hash(state);
    }
}

impl Whole<'_> {
    /// Whether the first two stages may be skipped.
    pub fn staged(&self) -> bool {
        self.staged
    }

    /// The lengths of the outputs, 0 for those it does not have.
    pub fn lens(&self) -> [usize; 3] {
        [0, 1, 2].map(|k| self.outputs.get(k).map_or(0, |pieces| pieces.iter().map(|p| p.1).sum()))
    }

    /// Cells of the solver's vectors that are read.
    pub fn inputs(&self) -> [usize; 4] {
        let read: FxHashSet<BufferId> = self
            .stages
            .iter()
            .flatten()
            .flat_map(|n| n.args.iter().map(|a| a.0))
            .chain(self.outputs.iter().flatten().map(|p| p.0.buffer))
            .collect();
        [0, 1, 2, 3].map(|k| {
            let used = self.loops.vector(k).is_some_and(|b| read.contains(&b));
            if used { self.loops.lens[k % 2] } else { 0 }
        })
    }

    /// How many expressions are compiled.
    pub fn len(&self) -> usize {
        self.stages.iter().flatten().map(|n| n.exprs.len()).sum()
    }
}

/// Tenths of a nanosecond that a nest takes, roughly.
fn cost(nest: &Nest) -> usize {
    let calls = nest.exprs.iter().filter(|(e, _)| matches!(e, Expr::Call(..))).count();
    nest.points() * (nest.exprs.len() + 10 * calls) + 40 * calls
}

/// Tenths of a nanosecond that it takes to see whether vectors of these lengths have changed, roughly.
fn detection(lens: [usize; 2]) -> usize {
    100 + 3 * (lens[0] + lens[1])
}

/// The steps as loops, if they can be.
fn nests(steps: &[Step]) -> Option<Vec<Cow<'_, Nest>>> {
    steps
        .iter()
        .map(|step| match step {
            Step::Nest(nest) => Some(Cow::Borrowed(nest)),
            Step::Host(HostStep::Gemm {
                cell: Cell::Real,
                sizes,
                lhs,
                rhs,
                out,
                alpha,
                accumulate: false,
                ahead: _,
            }) => {
                let small = sizes.iter().product::<usize>() <= PRODUCT && out.offset == 0;
                small.then(|| Cow::Owned(product(*sizes, lhs, rhs, out.buffer, *alpha)))
            }
            _ => None,
        })
        .collect()
}

/// A batch of matrix products as a nest.
fn product([b, m, n, k]: [usize; 4], lhs: &Matrix, rhs: &Matrix, out: BufferId, alpha: f64) -> Nest {
    // Along the columns where they lie side by side, so that every step is one on vectors; else along the sum.
    let columns_last = n > 1 && rhs.col == 1;
    let axes = |batch, row, column, sum| {
        if columns_last { smallvec![batch, row, sum, column] } else { smallvec![batch, row, column, sum] }
    };
    let load =
        |arg, x: &Matrix, strides| (Expr::Load(arg, Access { offset: x.at.offset, strides }), Elem::Real);
    let mut exprs = vec![
        load(0, lhs, axes(lhs.batch, lhs.row, 0, lhs.col)),
        load(1, rhs, axes(rhs.batch, 0, rhs.col, rhs.row)),
        (Expr::Op(Instruction::Mul, smallvec![ExprId(0), ExprId(1)]), Elem::Real),
    ];
    if alpha != 1.0 {
        exprs.push((Expr::Const(alpha.to_bits()), Elem::Real));
        exprs.push((Expr::Op(Instruction::Mul, smallvec![ExprId(3), ExprId(2)]), Elem::Real));
    }
    let sink = Sink {
        value: ExprId(exprs.len() as u32 - 1),
        arg: 2,
        access: Access { offset: 0, strides: axes(m * n, n, 1, 0) },
        reduce: Some(Reduction::Sum),
    };
    let extents: smallvec::SmallVec<[usize; 4]> = axes(b, m, n, k);
    let args = [lhs.at.buffer, rhs.at.buffer, out].map(|buffer| (buffer, Cell::Real)).to_vec();
    Nest { extents: extents.to_vec(), exprs, sinks: vec![sink], args, tiles: 0 }
}

/// The buffers that can be written straight to an output: whole pieces that some step of this entry computes in every call.
fn redirected(
    loops: &Loops,
    stages: &[Vec<Cow<'_, Nest>>; 3],
    outputs: &[Vec<(Place, usize)>],
    first: usize,
    staged: bool,
) -> FxHashMap<BufferId, (usize, usize)> {
    let every_call = if staged { &stages[2..] } else { &stages[..] };
    let written: FxHashSet<BufferId> = every_call
        .iter()
        .flatten()
        .flat_map(|n| n.written().map(|k| n.args[k].0).collect::<Vec<_>>())
        .collect();
    let mut redirected = FxHashMap::default();
    for (k, pieces) in outputs.iter().enumerate().skip(first) {
        let mut at = 0;
        for (place, len) in pieces {
            let buffer = loops.buffer(place.buffer);
            let whole = place.offset == 0 && *len == buffer.len && buffer.cell == Cell::Real;
            if whole && written.contains(&place.buffer) {
                redirected.entry(place.buffer).or_insert((k, at));
            }
            at += len;
        }
    }
    redirected
}

/// The stages without what is computed for the first output alone. `None` when there is nothing else, when it would save no
/// call, or when the first output can be anything but finite where the others are finite.
fn slim_stages<'l>(
    stages: &[Vec<Cow<'l, Nest>>; 3],
    outputs: &[Vec<(Place, usize)>],
) -> Option<[Vec<Cow<'l, Nest>>; 3]> {
    let [_, rest @ ..] = outputs else { return None };
    if rest.is_empty() {
        return None;
    }
    let mut wanted: FxHashSet<BufferId> = rest.iter().flatten().map(|p| p.0.buffer).collect();
    let mut slim = [vec![], vec![], vec![]];
    let mut calls = 0;
    for (stage, slim) in stages.iter().zip(&mut slim).rev() {
        for nest in stage.iter().rev() {
            let (kept, dropped) = pruned(nest, &wanted);
            if !dropped.iter().all(is_total) {
                return None;
            }
            calls += dropped.iter().filter(|e| matches!(e, Expr::Call(..))).count();
            if let Some(kept) = kept {
                wanted.extend(kept.exprs.iter().filter_map(|(e, _)| match e {
                    Expr::Load(arg, _) => Some(kept.args[*arg].0),
                    _ => None,
                }));
                slim.push(Cow::Owned(kept));
            }
        }
        slim.reverse();
    }
    (calls > 0).then_some(slim)
}

/// A nest without the sinks into buffers that are not wanted, `None` if that is nothing; and the expressions that fell away.
fn pruned(nest: &Nest, wanted: &FxHashSet<BufferId>) -> (Option<Nest>, Vec<Expr>) {
    let mut live = vec![false; nest.exprs.len()];
    let kept = || nest.sinks.iter().filter(|s| wanted.contains(&nest.args[s.arg].0));
    kept().for_each(|s| live[s.value.0 as usize] = true);
    for k in (0..live.len()).rev() {
        if live[k] {
            nest.exprs[k].0.operands().iter().for_each(|o| live[o.0 as usize] = true);
        }
    }
    let mut new = vec![ExprId(0); live.len()];
    let (mut exprs, mut dropped) = (Vec::new(), Vec::new());
    for (k, (expr, elem)) in nest.exprs.iter().enumerate() {
        let mut expr = expr.clone();
        if !live[k] {
            dropped.push(expr);
            continue;
        }
        if let Expr::Op(_, args) | Expr::Call(_, args) = &mut expr {
            args.iter_mut().for_each(|a| *a = new[a.0 as usize]);
        }
        new[k] = ExprId(exprs.len() as u32);
        exprs.push((expr, *elem));
    }
    let sinks: Vec<Sink> = kept().map(|s| Sink { value: new[s.value.0 as usize], ..s.clone() }).collect();
    let tiles = exprs.iter().map(|(e, _)| if let Expr::Call(_, a) = e { 1 + a.len() } else { 0 }).sum();
    let nest = (!sinks.is_empty()).then(|| Nest { sinks, exprs, tiles, ..nest.clone() });
    (nest, dropped)
}

/// Whether a finite argument gives a finite value (if it does not overflow).
fn is_total(expr: &Expr) -> bool {
    match expr {
        Expr::Op(Instruction::Div | Instruction::Sqrt, _) => false,
        Expr::Const(_) | Expr::Index(_) | Expr::Load(..) | Expr::Op(..) => true,
        Expr::Call(name, _) => {
            matches!(
                *name,
                "sin" | "cos" | "tanh" | "sigmoid" | "softplus" | "erf" | "atan" | "exp" | "expm1"
            )
        }
    }
}

/// Whether a buffer is one of the solver's vectors, and which.
fn vector(loops: &Loops, id: BufferId) -> Option<usize> {
    match loops.buffer(id).home {
        Home::Vector(which) => Some(which),
        _ => None,
    }
}
