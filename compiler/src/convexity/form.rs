//! The verdict on one expression in one set of variables.

use super::definite::Definiteness;
use super::explain::culprit;
use super::hessian::{Product, Spectrum};
use super::scope::Scope;
use super::terms::{covers, terms};
use super::walk::Walk;
use super::witness::{self, Witness};
use crate::ir::graph::{Graph, NodeId};
use crate::ops::curvature::interval::Interval;
use crate::ops::curvature::range::Range;
use crate::ops::curvature::{Bend, Fact, Slope, Smoothness};
use crate::passes::simplify::simplify;
use blo_grammar::span::Span;

/// What is known of a real function. Every claim but the last two is proved for all values of the variables in their domains
/// and for all values of the parameters in theirs; curvatures computed in floating point are lowered by a bound of their
/// rounding.
#[derive(Clone, Debug, PartialEq)]
pub enum Class {
    /// Does not depend on the variables.
    Constant,
    /// Affine.
    Linear,
    /// A quadratic with a Hessian that is positive semidefinite, up to rounding.
    ConvexQuadratic,
    /// A quadratic whose Hessian has no eigenvalue below the modulus, which is above 0.
    StronglyConvexQuadratic {
        /// The modulus.
        modulus: f64,
    },
    /// Convex.
    Convex,
    /// Convex even after half the modulus times the squared norm is taken off.
    StronglyConvex {
        /// The modulus.
        modulus: f64,
    },
    /// Not convex: there are two points of the domains, for some value of the parameters, between which the value lies above
    /// the chord by more than rounding. Constraints are not looked at.
    Nonconvex(Witness),
    /// Neither proved nor disproved.
    Unknown,
}

impl Class {
    /// Whether it is proved to be convex.
    pub fn is_convex(&self) -> bool {
        !matches!(self, Class::Nonconvex(_) | Class::Unknown)
    }

    /// Whether it is affine or constant.
    pub fn is_linear(&self) -> bool {
        matches!(self, Class::Constant | Class::Linear)
    }

    /// The class in words, without numbers.
    pub fn words(&self) -> &'static str {
        match self {
            Class::Constant => "constant",
            Class::Linear => "linear",
            Class::ConvexQuadratic => "convex quadratic",
            Class::StronglyConvexQuadratic { .. } => "strongly convex quadratic",
            Class::Convex => "convex",
            Class::StronglyConvex { .. } => "strongly convex",
            Class::Nonconvex(_) => "not convex",
            Class::Unknown => "not known to be convex",
        }
    }

    /// The modulus of strong convexity, where one is proved.
    pub fn modulus(&self) -> Option<f64> {
        match *self {
            Class::StronglyConvexQuadratic { modulus } | Class::StronglyConvex { modulus } => Some(modulus),
            _ => None,
        }
    }
}

/// A place of the source and what is said of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Remark {
    /// The place.
    pub span: Span,
    /// A phrase, without a full stop.
    pub text: String,
    /// Where the place is in a function that is called: the expression at hand that calls it.
    pub within: Option<Span>,
}

/// A term of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct TermForm {
    /// Where it stands.
    pub span: Span,
    /// Whether it counts with a minus that stands elsewhere, as that before a bracket.
    pub minus: bool,
    /// How it bends, sign included.
    pub bend: Bend,
    /// Whether it is a quadratic.
    pub quadratic: bool,
}

/// The verdict, and where it comes from.
#[derive(Clone, Debug)]
pub struct Form {
    /// The verdict.
    pub class: Class,
    /// How smooth the function is over the domains.
    pub smooth: Smoothness,
    /// No eigenvalue of the Hessian is larger in size, for quadratics where that is known: a Lipschitz constant of the gradient.
    pub lipschitz: Option<f64>,
    /// Where its values lie.
    pub values: Interval,
    /// Whether the function rises (`Some(true)`) or falls with every variable, where one of them is known.
    pub rises: Option<bool>,
    /// What each term of the function is.
    pub terms: Vec<TermForm>,
    /// The deepest part that keeps it from being convex; set where the class is not a convex one.
    pub obstacle: Option<Remark>,
}

/// A term with the better of two facts: of what was written, and of its simplest form.
struct Term {
    written: NodeId,
    shown: Span,
    minus: bool,
    fact: Fact,
}

impl Term {
    fn is_quadratic(&self) -> bool {
        self.fact.degree.is_some()
    }
}

/// Above this number of variables interval Hessians of functions that are not quadratic are not tried.
const FEW: usize = 24;

/// Judges a scalar. `place`: where it stands, for parts without a place of their own; `opposite`: where its opposite does.
pub fn judge(g: &mut Graph, scope: &Scope, f: NodeId, place: Span, opposite: bool) -> Form {
    let mut walk = scope.walk(g);
    let whole = walk.fact(g, f).clone();
    let parts = terms(g, &mut walk, f, place, opposite);
    let mut found: Vec<Term> = Vec::new();
    for part in parts {
        let fact = best_fact(g, &mut walk, part.node);
        if !fact.is_constant() {
            found.push(Term {
                written: part.node,
                shown: part.shown.unwrap_or(place),
                minus: part.minus,
                fact,
            });
        }
    }
    let smooth = found.iter().map(|t| t.fact.smooth).max().unwrap_or(Smoothness::Smooth);
    let mut form = Form {
        class: Class::Unknown,
        smooth,
        lipschitz: None,
        values: whole.range.hull(),
        rises: match whole.slope {
            Slope::Up => Some(true),
            Slope::Down => Some(false),
            _ => None,
        },
        terms: term_forms(&found),
        obstacle: None,
    };
    let mut directions = Vec::new();
    form.class = class(g, scope, f, &found, &mut form.lipschitz, &mut directions);
    if form.class == Class::Unknown {
        if let Some(witness) = witness::search(g, scope, f, &directions) {
            form.class = Class::Nonconvex(witness);
        }
        form.obstacle = obstacle(g, &walk, &found, place);
    }
    form
}

/// The better of the facts of a node and of its simplest form.
pub fn best_fact(g: &mut Graph, walk: &mut Walk, id: NodeId) -> Fact {
    let fact = walk.fact(g, id).clone();
    if fact.bend != Bend::Unknown && fact.smooth <= Smoothness::Steep {
        return fact;
    }
    let simple = simplify(g, &[id])[0];
    let other = walk.fact(g, simple).clone();
    let smooth = fact.smooth.min(other.smooth);
    let degree = fact.degree.or(other.degree);
    let better = if fact.bend == Bend::Unknown { other } else { fact };
    Fact { smooth, degree, ..better }
}

/// The terms as they are shown: those of one place together.
fn term_forms(found: &[Term]) -> Vec<TermForm> {
    let mut forms: Vec<TermForm> = Vec::new();
    for term in found {
        let (bend, quadratic) = (term.fact.bend, term.fact.degree == Some(2));
        match forms.iter_mut().find(|f| f.span == term.shown && f.minus == term.minus) {
            Some(form) => {
                let tame = |bend: Bend, quadratic: bool| quadratic || bend.is_affine();
                form.quadratic =
                    (form.quadratic || quadratic) && tame(form.bend, form.quadratic) && tame(bend, quadratic);
                form.bend = form.bend.join(bend);
            }
            None => forms.push(TermForm { span: term.shown, minus: term.minus, bend, quadratic }),
        }
    }
    forms
}

/// The class; a quadratic leaves the bound of its eigenvalues in `lipschitz`, an indefinite one a direction.
fn class(
    g: &mut Graph,
    scope: &Scope,
    f: NodeId,
    found: &[Term],
    lipschitz: &mut Option<f64>,
    directions: &mut Vec<Vec<f64>>,
) -> Class {
    if found.is_empty() {
        return Class::Constant;
    }
    if found.iter().all(|t| t.fact.bend.is_affine()) {
        return Class::Linear;
    }
    let quadratic: Vec<&Term> = found.iter().filter(|t| t.is_quadratic()).collect();
    let rest: Vec<&Term> = found.iter().filter(|t| !t.is_quadratic()).collect();
    let by_rules = |terms: &[&Term]| terms.iter().all(|t| t.fact.bend.is_convex());
    let bound = if quadratic.iter().any(|t| t.fact.degree == Some(2)) {
        quadratic_bound(g, scope, &quadratic)
    } else {
        None
    };
    if let Some(Spectrum { smallest: Definiteness::Indefinite(v), .. }) = &bound {
        let length = v.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        directions.push(v.iter().map(|x| x / length).collect());
    }
    let semidefinite = by_rules(&quadratic)
        || bound.as_ref().is_some_and(|b| !matches!(b.smallest, Definiteness::Indefinite(_)));
    let mut modulus = bound.as_ref().and_then(|b| match b.smallest {
        Definiteness::Definite(m) => Some(m),
        _ => None,
    });
    if rest.is_empty() {
        *lipschitz = bound.map(|b| b.largest).filter(|l| l.is_finite());
        return match modulus {
            Some(modulus) => Class::StronglyConvexQuadratic { modulus },
            None if semidefinite => Class::ConvexQuadratic,
            None => Class::Unknown,
        };
    }
    let convex = semidefinite && by_rules(&rest);
    let worst = found.iter().map(|t| t.fact.smooth).max().unwrap_or(Smoothness::Jumps);
    // Where the rules prove convexity, an infinite slope at an edge does no harm to a modulus.
    let tame = worst == Smoothness::Smooth || (convex && worst == Smoothness::Steep);
    if !(convex && modulus.is_some()) && tame && scope.elements() <= FEW {
        let whole = Product::new(g, scope, f).and_then(|p| p.spectrum(g, scope));
        match whole.map(|w| w.smallest) {
            Some(Definiteness::Definite(m)) => return Class::StronglyConvex { modulus: m },
            Some(Definiteness::Semidefinite) => return Class::Convex,
            _ => {}
        }
    }
    if !convex {
        return Class::Unknown;
    }
    match modulus.take() {
        Some(modulus) => Class::StronglyConvex { modulus },
        None => Class::Convex,
    }
}

/// Bounds of the eigenvalues of the sum of quadratic terms: of all of them; of those alone whose Hessian depends on data only,
/// where the others are convex by the rules; or from the terms with a diagonal Hessian.
fn quadratic_bound(g: &mut Graph, scope: &Scope, quadratic: &[&Term]) -> Option<Spectrum> {
    let nodes: Vec<NodeId> = quadratic.iter().map(|t| t.written).collect();
    let all = sum_spectrum(g, scope, &nodes);
    let largest = all.as_ref().map_or(f64::INFINITY, |b| b.largest);
    if matches!(all, Some(Spectrum { smallest: Definiteness::Definite(_) | Definiteness::Indefinite(_), .. }))
    {
        return all;
    }
    // Convex terms may be left out, others not.
    let mut kept = Vec::new();
    let mut diagonal = Vec::new();
    let mut all_diagonal = true;
    for term in quadratic.iter().filter(|t| t.fact.degree == Some(2)) {
        let product = Product::new(g, scope, term.written)?;
        let convex = term.fact.bend.is_convex();
        if !convex || product.is_exact(g) {
            kept.push(term.written);
        }
        if product.diagonal(g, &mut scope.ranges(g)).is_some() {
            diagonal.push(term.written);
        } else {
            all_diagonal &= convex;
        }
    }
    let mut candidates = Vec::new();
    candidates.extend(sum_spectrum(g, scope, &kept));
    if all_diagonal {
        candidates.extend(sum_spectrum(g, scope, &diagonal));
    }
    let definite = candidates.into_iter().find(|c| matches!(c.smallest, Definiteness::Definite(_)));
    definite.map(|d| Spectrum { largest, ..d }).or(all)
}

/// The bounds of a sum; by its diagonal where that is all there is.
fn sum_spectrum(g: &mut Graph, scope: &Scope, nodes: &[NodeId]) -> Option<Spectrum> {
    let sum = nodes.iter().copied().reduce(|a, b| g.add(a, b))?;
    let product = Product::new(g, scope, sum)?;
    let mut walk = scope.ranges(g);
    let Some(diagonal) = product.diagonal(g, &mut walk) else { return product.spectrum(g, scope) };
    let entries = diagonal.iter().map(Range::hull);
    let all = entries.reduce(Interval::hull)?;
    let exact = product.is_exact(g);
    let smallest = if all.lo > 0.0 {
        Definiteness::Definite(all.lo)
    } else if all.lo == 0.0 {
        Definiteness::Semidefinite
    } else if scope.elements() <= super::hessian::LARGEST && exact {
        return product.spectrum(g, scope);
    } else {
        return None;
    };
    Some(Spectrum { smallest, largest: all.magnitude(), exact })
}

/// What keeps the function from being convex: in a term that is neither quadratic nor convex if there is one, otherwise in a
/// quadratic one.
fn obstacle(g: &Graph, walk: &Walk, found: &[Term], place: Span) -> Option<Remark> {
    let mut bad: Vec<&Term> = found.iter().filter(|t| !t.fact.bend.is_convex()).collect();
    bad.sort_by_key(|t| t.is_quadratic());
    bad.iter().find_map(|term| {
        let (node, text) = culprit(g, walk, term.written, Bend::Convex)?;
        let span = g.node(node).span.or(g.node(term.written).span).unwrap_or(term.shown);
        Some(Remark { span, text, within: (!covers(place, span)).then_some(term.shown) })
    })
}
