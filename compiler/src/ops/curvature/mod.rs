//! How convexity passes through operators: the field `curvature` of every record, and the facts that it tells about a node.
//!
//! Facts are about a chosen set of variables; everything else is a parameter, and a fact holds for every value of the
//! parameters in their domains. The rules are those of disciplined convex programming (Grant, Boyd and Ye, "Disciplined Convex
//! Programming", 2006), with signs and monotonicity from intervals, and three additions: sums of squares of affine
//! expressions (their root is convex), logarithms (what has a convex logarithm is convex), and degrees (a polynomial of degree
//! two is left to the test of its Hessian). A value that is not defined counts as infinite on the side that keeps the rules
//! true: `log(y)` is concave although `y` may be negative.

pub mod combine;
pub mod contract;
pub mod interval;
pub mod products;
pub mod range;
pub mod shapes;

use crate::ir::graph::{Graph, NodeId};
use interval::Interval;
use range::Range;

/// The form of an expression in the chosen variables: a lattice with `Constant` at the bottom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bend {
    /// Does not vary.
    Constant,
    /// Straight.
    Affine,
    /// Bends upwards.
    Convex,
    /// Bends downwards.
    Concave,
    /// None of these is proved.
    Unknown,
}

impl Bend {
    /// The form of the opposite.
    #[must_use]
    pub fn flipped(self) -> Bend {
        match self {
            Bend::Convex => Bend::Concave,
            Bend::Concave => Bend::Convex,
            other => other,
        }
    }

    /// The form of a sum, and of an array with elements of either form.
    #[must_use]
    pub fn join(self, other: Bend) -> Bend {
        match (self, other) {
            (Bend::Constant, b) | (b, Bend::Constant) => b,
            (Bend::Affine, b) | (b, Bend::Affine) => b,
            (a, b) if a == b => a,
            _ => Bend::Unknown,
        }
    }

    /// Constant or affine.
    pub fn is_affine(self) -> bool {
        matches!(self, Bend::Constant | Bend::Affine)
    }

    /// Proved to be convex; affine is convex too.
    pub fn is_convex(self) -> bool {
        self.is_affine() || self == Bend::Convex
    }

    /// Proved to be concave; affine is concave too.
    pub fn is_concave(self) -> bool {
        self.is_affine() || self == Bend::Concave
    }

    /// As said in messages.
    pub fn word(self) -> &'static str {
        match self {
            Bend::Constant => "constant",
            Bend::Affine => "affine",
            Bend::Convex => "convex",
            Bend::Concave => "concave",
            Bend::Unknown => "neither known to be convex nor concave",
        }
    }
}

/// How an expression moves when the chosen variables rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slope {
    /// Not at all.
    Flat,
    /// It does not fall when any of them rises.
    Up,
    /// It does not rise when any of them rises.
    Down,
    /// Not known.
    Unknown,
}

impl Slope {
    /// Of the opposite.
    #[must_use]
    pub fn flipped(self) -> Slope {
        match self {
            Slope::Up => Slope::Down,
            Slope::Down => Slope::Up,
            other => other,
        }
    }

    /// Of a sum, and of an array with elements of either kind.
    #[must_use]
    pub fn join(self, other: Slope) -> Slope {
        match (self, other) {
            (Slope::Flat, s) | (s, Slope::Flat) => s,
            (a, b) if a == b => a,
            _ => Slope::Unknown,
        }
    }

    /// Of this applied to something that moves like `inner`.
    #[must_use]
    pub fn after(self, inner: Slope) -> Slope {
        match (self, inner) {
            (_, Slope::Flat) | (Slope::Flat, _) => Slope::Flat,
            (Slope::Up, inner) => inner,
            (Slope::Down, inner) => inner.flipped(),
            (Slope::Unknown, _) => Slope::Unknown,
        }
    }
}

/// How smooth an expression is over the domains, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Smoothness {
    /// Twice continuously differentiable.
    Smooth,
    /// Twice continuously differentiable where it is defined, but derivatives may grow without bound at the edge of that
    /// (`log` and `sqrt` near 0, a quotient near a zero of its divisor).
    Steep,
    /// Continuous; its gradient may jump.
    Kinked,
    /// It may jump.
    Jumps,
}

/// A function of one number over an interval of arguments.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Where its values lie.
    pub range: Interval,
    /// How it moves.
    pub slope: Slope,
    /// How it bends.
    pub bend: Bend,
    /// How smooth it is.
    pub smooth: Smoothness,
}

/// Where a rule ended, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The deepest node whose form is not known.
    pub node: NodeId,
    /// Why: a phrase about that node, without a full stop.
    pub why: String,
}

/// What is proved about a node; about every element of an array.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Where its values lie, where they are defined.
    pub range: Range,
    /// How it bends.
    pub bend: Bend,
    /// How it moves.
    pub slope: Slope,
    /// The degree as a polynomial in the variables, if that is at most 2.
    pub degree: Option<u8>,
    /// Whether it is a sum of squares of affine expressions and of numbers that are at least 0.
    pub squares: bool,
    /// How its logarithm bends, for what is not negative.
    pub log: Bend,
    /// How smooth it is.
    pub smooth: Smoothness,
    /// Set where [`Fact::bend`] is unknown.
    pub fault: Option<Fault>,
}

impl Fact {
    /// A parameter: it does not vary with the chosen variables.
    pub fn constant(range: Range) -> Fact {
        let nonnegative = range.hull().is_nonnegative();
        Fact {
            range,
            bend: Bend::Constant,
            slope: Slope::Flat,
            degree: Some(0),
            squares: nonnegative,
            log: if nonnegative { Bend::Constant } else { Bend::Unknown },
            smooth: Smoothness::Smooth,
            fault: None,
        }
    }

    /// One of the chosen variables.
    pub fn variable(range: Range) -> Fact {
        let log = if range.hull().is_nonnegative() { Bend::Concave } else { Bend::Unknown };
        Fact {
            bend: Bend::Affine,
            slope: Slope::Up,
            degree: Some(1),
            squares: false,
            log,
            ..Fact::constant(range)
        }
    }

    /// Something that varies, about whose form nothing is known.
    pub fn unknown(node: NodeId, why: impl Into<String>, range: Range) -> Fact {
        Fact {
            range,
            bend: Bend::Unknown,
            slope: Slope::Unknown,
            degree: None,
            squares: false,
            log: Bend::Unknown,
            smooth: Smoothness::Jumps,
            fault: Some(Fault { node, why: why.into() }),
        }
    }

    /// Whether it does not vary with the chosen variables.
    pub fn is_constant(&self) -> bool {
        self.bend == Bend::Constant
    }

    /// Draws the conclusions that follow from the parts of a fact together.
    #[must_use]
    pub fn concluded(mut self) -> Fact {
        if self.log == Bend::Unknown && self.bend.is_concave() && self.range.hull().is_nonnegative() {
            self.log = Bend::Concave;
        }
        let convex = self.squares || matches!(self.log, Bend::Affine | Bend::Convex);
        if self.bend == Bend::Unknown && convex {
            self.bend = Bend::Convex;
        }
        if self.bend != Bend::Unknown {
            self.fault = None;
        }
        self
    }
}

/// The facts of nodes so far; a rule finds those of everything below its node.
#[derive(Default)]
pub struct Facts {
    facts: Vec<Option<Fact>>,
}

impl Facts {
    /// The fact of a node.
    pub fn get(&self, id: NodeId) -> Option<&Fact> {
        self.facts.get(id.0 as usize)?.as_ref()
    }

    /// The fact of a node below the one at hand.
    pub fn of(&self, id: NodeId) -> &Fact {
        self.get(id).unwrap_or_else(|| crate::bug!("no fact about node %{} yet", id.0))
    }

    /// Records a fact.
    pub fn set(&mut self, id: NodeId, fact: Fact) {
        let index = id.0 as usize;
        if self.facts.len() <= index {
            self.facts.resize_with(index + 1, || None);
        }
        self.facts[index] = Some(fact);
    }
}

/// How convexity passes through an operator: a field of its record without a "not yet".
#[derive(Clone, Copy)]
pub enum Curvature {
    /// Has no operands: the analysis knows what it varies with.
    Leaf,
    /// Every element of the result is a sum of elements of the real (or, for whole numbers, int) operands: of at least the
    /// first and at most the second number of them. Views have one; `pad` may have none.
    Sum(fn(&Graph, NodeId) -> (usize, usize)),
    /// Every element of the result is the largest (`Convex`) or smallest (`Concave`) of some elements of the operands.
    Extreme(Bend),
    /// A function of one number, element by element: its shape over an interval of arguments.
    Scalar(fn(Interval) -> Shape),
    /// Piecewise constant: known to be constant only where its operands are. The function bounds its values.
    Steps(fn(&Graph, NodeId, &[Interval]) -> Interval),
    /// A rule of its own.
    Rule(fn(&Graph, &Facts, NodeId) -> Fact),
    /// Constant for constant operands; otherwise nothing is known, and why.
    Opaque(&'static str),
}

impl Curvature {
    /// The kind in one or two words, for the page of operators.
    pub fn word(&self) -> &'static str {
        match self {
            Curvature::Leaf => "given",
            Curvature::Sum(_) => "sum",
            Curvature::Extreme(Bend::Convex) => "largest: convex, rising",
            Curvature::Extreme(_) => "smallest: concave, rising",
            Curvature::Scalar(_) => "by interval",
            Curvature::Steps(_) => "piecewise constant",
            Curvature::Rule(_) => "rule",
            Curvature::Opaque(_) => "not analysed",
        }
    }

    /// The fact of a node whose operands have theirs.
    pub fn fact(&self, g: &Graph, facts: &Facts, id: NodeId) -> Fact {
        let fact = match *self {
            Curvature::Leaf => Fact::unknown(id, "not bound", Range::all()),
            Curvature::Sum(terms) => combine::sum_of_elements(g, facts, id, terms(g, id)),
            Curvature::Extreme(bend) => combine::extreme(g, facts, id, bend),
            Curvature::Scalar(shape) => combine::scalar(g, facts, id, shape),
            Curvature::Steps(bounds) => combine::steps(g, facts, id, bounds),
            Curvature::Rule(rule) => rule(g, facts, id),
            Curvature::Opaque(why) => combine::opaque(g, facts, id, why),
        };
        let constant = g.node(id).inputs.iter().all(|&input| facts.of(input).is_constant());
        if constant { Fact::constant(fact.range) } else { fact.concluded() }
    }
}
