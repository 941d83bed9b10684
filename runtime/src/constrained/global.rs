//! The follower with few variables, solved to a proof: boxes of lower variables are bounded from below by intervals and halved until
//! none can hold an answer that is better than the best one known by more than a tolerance.
//!
//! Of a box is known, by interval arithmetic that rounds outwards, where the objective, its gradient and the rows lie. It is dropped
//! when a row cannot hold in it, or when its bound, the better of the objective's own and `f(c) + ∇f(box) · (box − c)`, is not below
//! what is known. Where no row can be violated and the objective rises or falls with a variable, only the face at that end
//! is left. The box with the least bound comes first and is halved where the objective varies most. Bounds of variables may be
//! infinite: such boxes are cut at places that grow.
//!
//! Cost: an interval evaluation per box, the number of which may grow exponentially with the variables. Not guaranteed: that the
//! boxes allowed are enough; then the best bound is all that is proved.
//!
//! Source: R. E. Moore, "Interval analysis" (1966); E. R. Hansen, G. W. Walster, "Global optimization using interval analysis" (2004),
//! chapters 12 and 14: monotonicity and centred forms.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::nlp::Nlp;

/// The most lower variables for which this is tried.
pub const VARIABLES: usize = 6;
/// The most boxes that are looked at.
pub const BOXES: usize = 3000;

/// An interval: its ends.
pub type Ends = (f64, f64);

/// Bounds over a box of lower variables.
#[derive(Clone, Debug, Default)]
pub struct Enclosed {
    /// Of the objective.
    pub value: Ends,
    /// Of its gradient; empty where there is none everywhere.
    pub gradient: Vec<Ends>,
    /// Of the rows.
    pub rows: Vec<Ends>,
}

/// Interval bounds of the follower's objective and rows.
pub trait Enclosure: Send {
    /// In `out` the bounds at the upper variables `x` over the lower ones from `lo` to `hi`.
    fn enclose(&mut self, x: &[f64], lo: &[f64], hi: &[f64], out: &mut Enclosed);
}

/// What is proved of a follower at its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Proved {
    /// No answer is better than this.
    pub bound: f64,
    /// A feasible point that is better than the one known by more than the tolerance, the first that was met.
    pub better: Option<Vec<f64>>,
    /// Whether the bound is within the tolerance of what is known.
    pub closed: bool,
}

/// A box with its bound, ordered so that the least bound is the greatest.
struct Piece {
    bound: f64,
    lo: Vec<f64>,
    hi: Vec<f64>,
    /// Where to halve it.
    along: usize,
}

impl PartialEq for Piece {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Piece {}
impl PartialOrd for Piece {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Piece {
    fn cmp(&self, other: &Self) -> Ordering {
        other.bound.total_cmp(&self.bound)
    }
}

/// Proves that the follower has no answer below `known − small`, at the parameters set in `nlp`, or meets one.
pub fn prove(nlp: &mut Nlp, enclosure: &mut dyn Enclosure, known: f64, small: f64, boxes: usize) -> Proved {
    let mut search = Search { x: nlp.parameters().to_vec(), nlp, enclosure, enclosed: Enclosed::default() };
    let level = known - small;
    let whole = (search.nlp.lo.clone(), search.nlp.hi.clone());
    let mut heap: BinaryHeap<Piece> = search.piece(whole).into_iter().collect();
    for _ in 0..boxes {
        let Some(piece) = heap.pop() else { break };
        if piece.bound >= level {
            return Proved { bound: piece.bound, better: None, closed: true };
        }
        let Some(at) = place(piece.lo[piece.along], piece.hi[piece.along]) else {
            // Nothing is left to halve: two neighbouring numbers.
            return Proved { bound: piece.bound, better: None, closed: false };
        };
        let (mut left, mut right) = ((piece.lo.clone(), piece.hi.clone()), (piece.lo, piece.hi));
        left.1[piece.along] = at;
        right.0[piece.along] = at;
        for half in [left, right] {
            let Some(piece) = search.piece(half) else { continue };
            if piece.bound >= level {
                continue;
            }
            let centre: Vec<f64> = piece.lo.iter().zip(&piece.hi).map(|(lo, hi)| middle(*lo, *hi)).collect();
            if search.feasible_below(&centre, level) {
                return Proved { bound: f64::NEG_INFINITY, better: Some(centre), closed: false };
            }
            heap.push(piece);
        }
    }
    let bound = heap.peek().map_or(level, |piece| piece.bound);
    Proved { bound, better: None, closed: heap.is_empty() }
}

struct Search<'a> {
    nlp: &'a mut Nlp,
    enclosure: &'a mut dyn Enclosure,
    x: Vec<f64>,
    enclosed: Enclosed,
}

impl Search<'_> {
    /// The box with its bound, or the face of it that matters; `None` when a row cannot hold in it.
    fn piece(&mut self, (mut lo, mut hi): (Vec<f64>, Vec<f64>)) -> Option<Piece> {
        let Self { enclosure, enclosed, x, .. } = self;
        enclosure.enclose(x, &lo, &hi, enclosed);
        let rows = || enclosed.rows.iter().zip(&self.nlp.equal);
        if rows().any(|(&(least, most), &equal)| least > 0.0 || (equal && most < 0.0)) {
            return None;
        }
        let inside = rows().all(|((_, most), equal)| !equal && *most <= 0.0);
        let mut bound = enclosed.value.0;
        let gradient = enclosed.gradient.clone();
        if !gradient.is_empty() {
            // The corner that is best as far as signs are known, the middle elsewhere.
            let corner: Vec<f64> = (0..lo.len())
                .map(|i| match gradient[i] {
                    (least, _) if least >= 0.0 && lo[i].is_finite() => lo[i],
                    (_, most) if most <= 0.0 && hi[i].is_finite() => hi[i],
                    _ => middle(lo[i], hi[i]),
                })
                .collect();
            let value = self.nlp.objective(&corner);
            let fall = |i: usize| {
                let (least, most) = gradient[i];
                product(most, lo[i] - corner[i]).min(product(least, hi[i] - corner[i]))
            };
            let centred = value - 1e-12 * value.abs() + (0..lo.len()).map(fall).sum::<f64>();
            if centred > bound {
                bound = centred;
            }
            if inside {
                for i in 0..lo.len() {
                    if gradient[i].0 >= 0.0 && lo[i].is_finite() {
                        hi[i] = lo[i];
                    } else if gradient[i].1 <= 0.0 && hi[i].is_finite() {
                        lo[i] = hi[i];
                    }
                }
            }
        }
        let weight = |i: usize| {
            let (width, slope) = (hi[i] - lo[i], gradient.get(i).map_or(1.0, |g| g.0.abs().max(g.1.abs())));
            if width == 0.0 {
                return -1.0;
            }
            let slope = if slope.is_finite() { slope } else { 1e9 };
            if width.is_finite() { width * slope.max(1e-9) } else { f64::INFINITY }
        };
        let along = (0..lo.len()).max_by(|&a, &b| weight(a).total_cmp(&weight(b)))?;
        Some(Piece { bound, lo, hi, along })
    }

    fn feasible_below(&mut self, y: &[f64], level: f64) -> bool {
        let m = self.nlp.equal.len();
        let (mut g, mut rows) = (vec![0.0; y.len()], vec![0.0; m]);
        let value = self.nlp.evaluate(y, &vec![0.0; m], &mut g, &mut rows);
        value < level && self.nlp.violation(&rows) <= 0.0
    }
}

/// A product in which 0 wins.
fn product(a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 { 0.0 } else { a * b }
}

/// A point between the ends, which may be infinite.
pub(super) fn middle(lo: f64, hi: f64) -> f64 {
    match (lo.is_finite(), hi.is_finite()) {
        (true, true) => lo + 0.5 * (hi - lo),
        (true, false) => {
            if lo < 0.0 {
                0.0
            } else {
                4.0 * lo + 1.0
            }
        }
        (false, true) => {
            if hi > 0.0 {
                0.0
            } else {
                4.0 * hi - 1.0
            }
        }
        (false, false) => 0.0,
    }
}

/// Where to cut; `None` when nothing lies between.
pub(super) fn place(lo: f64, hi: f64) -> Option<f64> {
    let at = middle(lo, hi);
    (at.is_finite() && at > lo && at < hi).then_some(at)
}
