//! Facts of nodes from facts of their operands: sums, largest elements, functions of one number, and products.

use ndarray::Zip;

use super::interval::Interval;
use super::range::Range;
use super::{Bend, Fact, Facts, Fault, Shape, Slope, Smoothness};
use crate::ir::eval::Array;
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::types::Elem;

/// The position of the operand that holds positions, for `gather` and `scatter_add`.
fn positions(attrs: &Attrs) -> Option<usize> {
    matches!(attrs, Attrs::Gather { .. } | Attrs::Scatter { .. }).then_some(1)
}

/// The form of `outer` applied to something of form `inner`.
pub fn composed(outer: Bend, slope: Slope, inner: Bend) -> Bend {
    match (outer, inner) {
        (_, Bend::Constant) => Bend::Constant,
        (Bend::Constant | Bend::Affine, Bend::Affine) => Bend::Affine,
        (Bend::Constant | Bend::Affine, inner) => match slope {
            Slope::Flat => Bend::Affine,
            Slope::Up => inner,
            Slope::Down => inner.flipped(),
            Slope::Unknown => Bend::Unknown,
        },
        (outer, Bend::Affine) => outer,
        (Bend::Convex, Bend::Convex) | (Bend::Concave, Bend::Concave) if slope == Slope::Up => outer,
        (Bend::Convex, Bend::Concave) | (Bend::Concave, Bend::Convex) if slope == Slope::Down => outer,
        _ => Bend::Unknown,
    }
}

/// The fault of a node of unknown form: that of an operand whose own form is not known, or a reason of its own.
pub fn fault_of(facts: &Facts, operands: &[NodeId], id: NodeId, why: impl FnOnce() -> String) -> Fault {
    let below = operands.iter().filter_map(|&k| facts.of(k).fault.clone()).next();
    below.unwrap_or_else(|| Fault { node: id, why: why() })
}

/// A function of one number, element by element.
pub fn scalar(g: &Graph, facts: &Facts, id: NodeId, shape: fn(Interval) -> Shape) -> Fact {
    let operand = g.node(id).inputs[0];
    let name = g.node(id).op.0.name;
    apply(facts, id, operand, name, &|x| shape(x))
}

/// [`scalar`] with a shape that is not the record's own, such as that of a power with a known exponent.
pub fn apply(
    facts: &Facts,
    id: NodeId,
    operand: NodeId,
    name: &str,
    shape: &dyn Fn(Interval) -> Shape,
) -> Fact {
    let x = facts.of(operand);
    let whole: Option<Shape> = x.range.iter().map(shape).reduce(|a, b| Shape {
        range: a.range.hull(b.range),
        slope: a.slope.join(b.slope),
        bend: a.bend.join(b.bend),
        smooth: a.smooth.max(b.smooth),
    });
    let flat = Shape {
        range: Interval::point(0.0),
        slope: Slope::Flat,
        bend: Bend::Affine,
        smooth: Smoothness::Smooth,
    };
    let whole = whole.unwrap_or(flat);
    let bend = composed(whole.bend, whole.slope, x.bend);
    let fault = (bend == Bend::Unknown).then(|| {
        fault_of(facts, &[operand], id, || {
            let place = x.range.hull();
            match whole.bend {
                Bend::Unknown => format!("`{name}` is neither convex nor concave on {place}"),
                outer => {
                    let moves = match whole.slope {
                        Slope::Up => "rising",
                        Slope::Down => "falling",
                        _ => "neither rising nor falling",
                    };
                    format!(
                        "`{name}` is {} and {moves} on {place}, and is applied to something {}",
                        outer.word(),
                        x.bend.word()
                    )
                }
            }
        })
    });
    let straight = whole.bend == Bend::Affine;
    Fact {
        range: x.range.map(|x| shape(x).range),
        bend,
        slope: whole.slope.after(x.slope),
        degree: x.degree.filter(|&d| d == 0 || straight),
        squares: straight && whole.slope == Slope::Up && x.squares,
        log: Bend::Unknown,
        smooth: whole.smooth.max(x.smooth),
        fault,
    }
}

/// Every element a sum of elements of the operands.
pub fn sum_of_elements(g: &Graph, facts: &Facts, id: NodeId, (least, most): (usize, usize)) -> Fact {
    let node = g.node(id);
    let place = positions(&node.attrs);
    let parts: Vec<NodeId> =
        node.inputs.iter().enumerate().filter(|&(k, _)| Some(k) != place).map(|(_, &input)| input).collect();
    let range = sum_range(g, facts, id, &parts, (least, most));
    if let Some(place) = place.map(|k| node.inputs[k])
        && !facts.of(place).is_constant()
    {
        return Fact::unknown(id, "the positions depend on the variables", range);
    }
    let all: Vec<&Fact> = parts.iter().map(|&part| facts.of(part)).collect();
    let bend = all.iter().map(|f| f.bend).fold(Bend::Constant, Bend::join);
    let log = all.iter().map(|f| f.log).fold(Bend::Constant, |a, b| match (a, b) {
        // A view keeps the form of the logarithm; of sums only convexity is kept.
        (a, b) if most <= 1 => a.join(b),
        (Bend::Unknown | Bend::Concave, _) | (_, Bend::Unknown | Bend::Concave) => Bend::Unknown,
        (Bend::Constant, Bend::Constant) => Bend::Constant,
        _ => Bend::Convex,
    });
    Fact {
        range,
        bend,
        slope: all.iter().map(|f| f.slope).fold(Slope::Flat, Slope::join),
        degree: all.iter().try_fold(0, |d, f| f.degree.map(|e| e.max(d))),
        squares: all.iter().all(|f| f.squares),
        log,
        smooth: all.iter().map(|f| f.smooth).max().unwrap_or(Smoothness::Smooth),
        fault: (bend == Bend::Unknown)
            .then(|| fault_of(facts, &parts, id, || "some elements are convex, others concave".into())),
    }
}

/// Small arrays are run through the operator's own value, ends apart; it does not fall in any element.
fn sum_range(g: &Graph, facts: &Facts, id: NodeId, parts: &[NodeId], (least, most): (usize, usize)) -> Range {
    let node = g.node(id);
    let hull = || {
        let all = parts.iter().map(|&part| facts.of(part).range.hull()).reduce(Interval::hull);
        Range::uniform(all.unwrap_or(Interval::point(0.0)).repeated(least, most))
    };
    let small = node.inputs.iter().chain([&id]).all(|&n| g.ty(n).len() <= Range::LIMIT);
    let known = node.inputs.iter().all(|input| parts.contains(input) || facts.of(*input).range.is_known());
    let uniform = parts.iter().all(|&part| facts.of(part).range.iter().nth(1).is_none());
    if !small || !known || (uniform && !g.shape(id).is_empty() && least == most) {
        return hull();
    }
    let ends: Vec<(Array, Array)> =
        node.inputs.iter().map(|&input| facts.of(input).range.ends(g.shape(input))).collect();
    // The operator's value at `f` of the ends; positions stay as they are.
    let value = |f: fn(f64, f64) -> f64| -> Array {
        let pick = |(lo, hi): &(Array, Array)| Zip::from(lo).and(hi).map_collect(|&lo, &hi| f(lo, hi));
        let operands: Vec<Array> = ends
            .iter()
            .zip(&node.inputs)
            .map(|(e, input)| if parts.contains(input) { pick(e) } else { e.0.clone() })
            .collect();
        let operands: Vec<&Array> = operands.iter().collect();
        (node.op.0.value)(&node.attrs, &operands, &node.ty)
    };
    let (lo, hi) = (value(|lo, _| lo), value(|_, hi| hi));
    if most <= 1 {
        return Range::between(lo, hi);
    }
    // Rounding is bounded by the sum of magnitudes, and a sum of numbers of one sign keeps it.
    let size = value(|l, h| if l.is_finite() && h.is_finite() { l.abs().max(h.abs()) } else { 0.0 });
    let below = value(|l, _| l.min(0.0));
    let above = value(|_, h| h.max(0.0));
    let slack = (most as f64 + 4.0) * f64::EPSILON;
    let lo = Zip::from(&lo).and(&size).and(&below).map_collect(|&lo, &size, &below| {
        let widened = lo - slack * size;
        if below == 0.0 { widened.max(0.0) } else { widened }
    });
    let hi = Zip::from(&hi).and(&size).and(&above).map_collect(|&hi, &size, &above| {
        let widened = hi + slack * size;
        if above == 0.0 { widened.min(0.0) } else { widened }
    });
    Range::between(lo, hi)
}

/// The largest or smallest of elements.
pub fn extreme(g: &Graph, facts: &Facts, id: NodeId, outer: Bend) -> Fact {
    let node = g.node(id);
    let small = node.inputs.iter().chain([&id]).all(|&n| g.ty(n).len() <= Range::LIMIT);
    let range = if small {
        let ends: Vec<(Array, Array)> =
            node.inputs.iter().map(|&input| facts.of(input).range.ends(g.shape(input))).collect();
        let lo: Vec<&Array> = ends.iter().map(|e| &e.0).collect();
        let hi: Vec<&Array> = ends.iter().map(|e| &e.1).collect();
        let value = node.op.0.value;
        Range::between(value(&node.attrs, &lo, &node.ty), value(&node.attrs, &hi, &node.ty))
    } else {
        let pick = if outer == Bend::Convex { f64::max } else { f64::min };
        let hulls = node.inputs.iter().map(|&input| facts.of(input).range.hull());
        let hull = hulls.reduce(|a, b| Interval::new(pick(a.lo, b.lo), pick(a.hi, b.hi)));
        Range::uniform(hull.unwrap_or(Interval::ALL))
    };
    Fact { range, ..extreme_of(facts, id, &node.inputs, outer) }
}

/// [`extreme`] without a range, of the elements of these nodes.
pub fn extreme_of(facts: &Facts, id: NodeId, operands: &[NodeId], outer: Bend) -> Fact {
    let all: Vec<&Fact> = operands.iter().map(|&input| facts.of(input)).collect();
    let bend = all.iter().map(|f| composed(outer, Slope::Up, f.bend)).fold(Bend::Constant, Bend::join);
    let worst = all.iter().map(|f| f.smooth).max().unwrap_or(Smoothness::Smooth);
    Fact {
        range: Range::all(),
        bend,
        slope: all.iter().map(|f| f.slope).fold(Slope::Flat, Slope::join),
        degree: None,
        squares: false,
        log: Bend::Unknown,
        smooth: worst.max(Smoothness::Kinked),
        fault: (bend == Bend::Unknown).then(|| {
            fault_of(facts, operands, id, || {
                let (size, wrong) =
                    if outer == Bend::Convex { ("largest", "concave") } else { ("smallest", "convex") };
                format!("the {size} of expressions of which one is {wrong}")
            })
        }),
    }
}

/// Piecewise constant.
pub fn steps(
    g: &Graph,
    facts: &Facts,
    id: NodeId,
    bounds: fn(&Graph, NodeId, &[Interval]) -> Interval,
) -> Fact {
    let node = g.node(id);
    let hulls: Vec<Interval> = node.inputs.iter().map(|&input| facts.of(input).range.hull()).collect();
    let range = Range::uniform(bounds(g, id, &hulls));
    Fact::unknown(id, format!("`{}` jumps", node.op.0.name), range)
}

/// Nothing known.
pub fn opaque(g: &Graph, facts: &Facts, id: NodeId, why: &str) -> Fact {
    let range = if g.ty(id).elem == Elem::Bool { Interval::UNIT } else { Interval::ALL };
    let mut fact = Fact::unknown(id, why, Range::uniform(range));
    // These operators are smooth wherever they are defined.
    fact.smooth = g
        .node(id)
        .inputs
        .iter()
        .map(|&i| facts.of(i).smooth)
        .max()
        .map_or(Smoothness::Steep, |s| s.max(Smoothness::Steep));
    fact
}

/// `a + b`, or `a - b` if `minus`.
pub fn sum(facts: &Facts, id: NodeId, a: NodeId, b: NodeId, minus: bool) -> Fact {
    let (x, y) = (facts.of(a), facts.of(b));
    let flip = |bend: Bend| if minus { bend.flipped() } else { bend };
    let bend = x.bend.join(flip(y.bend));
    let range = if minus {
        x.range.zip(&y.range, |a, b| a.plus(b.opposite()))
    } else {
        x.range.zip(&y.range, Interval::plus)
    };
    let convex_logs =
        [x.log, y.log].iter().all(|l| matches!(l, Bend::Constant | Bend::Affine | Bend::Convex));
    let subtracted = if minus { y.slope.flipped() } else { y.slope };
    Fact {
        range: if minus && a == b { range.map(|_| Interval::point(0.0)) } else { range },
        bend,
        slope: x.slope.join(subtracted),
        degree: x.degree.zip(y.degree).map(|(a, b)| a.max(b)),
        squares: !minus && x.squares && y.squares,
        log: if !minus && convex_logs { Bend::Convex } else { Bend::Unknown },
        smooth: x.smooth.max(y.smooth),
        fault: (bend == Bend::Unknown).then(|| {
            fault_of(facts, &[a, b], id, || {
                if minus {
                    format!("the difference of two {} expressions", x.bend.word())
                } else {
                    "the sum of a convex and a concave expression".into()
                }
            })
        }),
    }
}

/// `-a`.
pub fn opposite(facts: &Facts, a: NodeId) -> Fact {
    let x = facts.of(a);
    Fact {
        range: x.range.map(Interval::opposite),
        bend: x.bend.flipped(),
        slope: x.slope.flipped(),
        degree: x.degree,
        squares: false,
        log: Bend::Unknown,
        smooth: x.smooth,
        fault: x.fault.clone(),
    }
}

/// A linear system with a constant matrix: affine in its right side.
pub fn linear_system(g: &Graph, facts: &Facts, id: NodeId) -> Fact {
    let (matrix, side) = (g.node(id).inputs[0], g.node(id).inputs[1]);
    let (a, b) = (facts.of(matrix), facts.of(side));
    if !a.is_constant() || !b.bend.is_affine() {
        let why = if a.is_constant() {
            "a linear map with signs that are not known, of something that is not affine"
        } else {
            "the matrix of this linear system varies"
        };
        let mut fact = opaque(g, facts, id, why);
        fact.fault = Some(fault_of(facts, &[matrix, side], id, || why.into()));
        return fact;
    }
    Fact {
        range: Range::all(),
        bend: b.bend,
        slope: Slope::Unknown,
        degree: b.degree,
        squares: false,
        log: Bend::Unknown,
        smooth: b.smooth,
        fault: None,
    }
}
