//! Where the elements of a contraction lie.

use ndarray::Zip;

use super::Facts;
use super::interval::Interval;
use super::range::Range;
use crate::ir::eval::Array;
use crate::ir::graph::{Graph, NodeId};

/// The range of a `dot`: each element is a sum of `terms` products. `squares`: the operands are one node and each product is a
/// square.
pub fn range(g: &Graph, facts: &Facts, id: NodeId, terms: usize, squares: bool) -> Range {
    let node = g.node(id);
    let (a, b) = (node.inputs[0], node.inputs[1]);
    let (x, y) = (&facts.of(a).range, &facts.of(b).range);
    let one = if squares { x.hull().squared() } else { x.hull().times(y.hull()) };
    let hull = one.repeated(terms, terms);
    let small = [a, b, id].iter().all(|&n| g.ty(n).len() <= Range::LIMIT);
    if !small {
        return Range::uniform(hull);
    }
    let ends = (x.ends(g.shape(a)), y.ends(g.shape(b)));
    bilinear(ends, terms, hull, &|a, b| (node.op.0.value)(&node.attrs, &[a, b], &node.ty))
}

/// The range of a product with a sparse matrix, whose dense factors are the operands at two places: each element is a sum of at
/// most `terms` products.
pub fn sparse_range(g: &Graph, facts: &Facts, id: NodeId, factors: [usize; 2], terms: usize) -> Range {
    let node = g.node(id);
    let [x, y] = factors.map(|k| &facts.of(node.inputs[k]).range);
    let hull = x.hull().times(y.hull()).repeated(0, terms);
    let small = node.inputs.iter().chain([&id]).all(|&n| g.ty(n).len() <= Range::LIMIT);
    let fixed = |k: &usize| factors.contains(k) || facts.of(node.inputs[*k]).range.is_known();
    if !small || !(0..node.inputs.len()).all(|k| fixed(&k)) {
        return Range::uniform(hull);
    }
    let ends: Vec<(Array, Array)> = node.inputs.iter().map(|&n| facts.of(n).range.ends(g.shape(n))).collect();
    let product = |a: &Array, b: &Array| {
        let mut operands: Vec<&Array> = ends.iter().map(|(lo, _)| lo).collect();
        (operands[factors[0]], operands[factors[1]]) = (a, b);
        (node.op.0.value)(&node.attrs, &operands, &node.ty)
    };
    bilinear((ends[factors[0]].clone(), ends[factors[1]].clone()), terms, hull, &product)
}

/// The range of a bilinear function of two arrays between their ends, each element a sum of at most `terms` products that lies in
/// `hull`.
fn bilinear(
    (x, y): ((Array, Array), (Array, Array)),
    terms: usize,
    hull: Interval,
    dot: &dyn Fn(&Array, &Array) -> Array,
) -> Range {
    let (x, y) = (Ends::new(x), Ends::new(y));
    let centre = dot(&x.middle, &y.middle);
    let mut radius = dot(&x.size(), &y.radius) + dot(&x.radius, &y.middle.mapv(f64::abs));
    let slack = (terms as f64 + 8.0) * f64::EPSILON;
    radius = radius.mapv(|r| r * (1.0 + slack)) + dot(&x.size(), &y.size()) * slack;
    let endless = dot(&x.nonzero(), &y.endless) + dot(&x.endless, &y.nonzero());
    let mut lo = centre.clone();
    let mut hi = centre;
    Zip::from(&mut lo).and(&mut hi).and(&radius).and(&endless).for_each(|lo, hi, &radius, &endless| {
        let near = if endless > 0.0 { Interval::ALL } else { Interval::new(*lo - radius, *hi + radius) };
        let ends = near.meet(hull);
        (*lo, *hi) = (ends.lo, ends.hi);
    });
    Range::between(lo, hi)
}

/// Middle and radius of bounded elements; where an element is not bounded both are 0 and `endless` is 1.
struct Ends {
    middle: Array,
    radius: Array,
    endless: Array,
}

impl Ends {
    fn new((lo, hi): (Array, Array)) -> Ends {
        let both = |f: fn(f64, f64) -> f64| {
            Zip::from(&lo).and(&hi).map_collect(
                |&lo, &hi| {
                    if (hi - lo).is_finite() { f(lo, hi) } else { 0.0 }
                },
            )
        };
        let middle = both(|lo, hi| if lo == hi { lo } else { lo / 2.0 + hi / 2.0 });
        // Up to the farther end as computed, so that the ball covers both.
        let radius = both(|lo, hi| {
            let middle = if lo == hi { lo } else { lo / 2.0 + hi / 2.0 };
            (hi - middle).max(middle - lo) * (1.0 + 2.0 * f64::EPSILON)
        });
        let endless =
            Zip::from(&lo).and(&hi).map_collect(|&lo, &hi| if (hi - lo).is_finite() { 0.0 } else { 1.0 });
        Ends { middle, radius, endless }
    }

    fn size(&self) -> Array {
        self.middle.mapv(f64::abs) + &self.radius
    }

    fn nonzero(&self) -> Array {
        let bounded = self.size().mapv(|x| if x > 0.0 { 1.0 } else { 0.0 });
        Zip::from(&bounded).and(&self.endless).map_collect(|&a: &f64, &b: &f64| a.max(b))
    }
}
