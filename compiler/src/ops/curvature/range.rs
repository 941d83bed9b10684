//! Where the elements of a node lie: one interval per element for small arrays, one for all of them otherwise.

use ndarray::{IxDyn, Zip};

use super::interval::Interval;
use crate::ir::eval::Array;

/// Lower and upper ends. Both have the shape of the node, or no axes: then they bound every element.
#[derive(Clone, Debug)]
pub struct Range {
    lo: Array,
    hi: Array,
}

impl Range {
    /// Arrays with more elements get one interval for all of them.
    pub const LIMIT: usize = 4096;

    /// The same interval for every element.
    pub fn uniform(interval: Interval) -> Range {
        let scalar = |x| Array::from_elem(IxDyn(&[]), x);
        Range { lo: scalar(interval.lo), hi: scalar(interval.hi) }
    }

    /// Anything.
    pub fn all() -> Range {
        Range::uniform(Interval::ALL)
    }

    /// These values.
    pub fn points(values: &Array) -> Range {
        Range::between(values.clone(), values.clone())
    }

    /// Between two arrays of one shape.
    pub fn between(lo: Array, hi: Array) -> Range {
        let mut range = Range { lo, hi };
        Zip::from(&mut range.lo).and(&mut range.hi).for_each(|lo, hi| {
            let ends = Interval::new(*lo, *hi);
            (*lo, *hi) = (ends.lo, ends.hi);
        });
        if range.lo.len() > Range::LIMIT { Range::uniform(range.hull()) } else { range }
    }

    /// The interval of all elements; the point 0 where there are none.
    pub fn hull(&self) -> Interval {
        self.iter().reduce(Interval::hull).unwrap_or(Interval::point(0.0))
    }

    /// The intervals, row by row, or the one for all.
    pub fn iter(&self) -> impl Iterator<Item = Interval> {
        self.lo.iter().zip(&self.hi).map(|(&lo, &hi)| Interval { lo, hi })
    }

    /// Whether every element is known exactly.
    pub fn is_known(&self) -> bool {
        self.iter().all(Interval::is_point)
    }

    /// The value that every element is known to have.
    pub fn value(&self) -> Option<f64> {
        let hull = self.hull();
        hull.is_point().then_some(hull.lo)
    }

    /// The ends as arrays of this shape, which is the node's.
    pub fn ends(&self, shape: &[usize]) -> (Array, Array) {
        let full = |x: &Array| match x.broadcast(IxDyn(shape)) {
            Some(x) => x.to_owned(),
            None => crate::bug!("a range of shape {:?} for an array of shape {shape:?}", x.shape()),
        };
        (full(&self.lo), full(&self.hi))
    }

    /// Element by element.
    pub fn map(&self, f: impl Fn(Interval) -> Interval) -> Range {
        let mut out = self.clone();
        Zip::from(&mut out.lo).and(&mut out.hi).for_each(|lo, hi| {
            let image = f(Interval { lo: *lo, hi: *hi });
            (*lo, *hi) = (image.lo, image.hi);
        });
        out
    }

    /// Element by element with another range of the same node shape.
    pub fn zip(&self, other: &Range, f: impl Fn(Interval, Interval) -> Interval) -> Range {
        let shape = if self.lo.ndim() == 0 { other.lo.shape() } else { self.lo.shape() };
        let (lo, hi) = other.ends(shape);
        let (mut out_lo, mut out_hi) = self.ends(shape);
        Zip::from(&mut out_lo).and(&mut out_hi).and(&lo).and(&hi).for_each(|a, b, &lo, &hi| {
            let image = f(Interval { lo: *a, hi: *b }, Interval { lo, hi });
            (*a, *b) = (image.lo, image.hi);
        });
        Range { lo: out_lo, hi: out_hi }
    }
}
