//! Which method solves a model that names none, and which one `solve auto()` takes, with the reason.

use blo_compiler::convexity::{Class, lower_objective};
use blo_compiler::model::{Level, Model};
use blo_compiler::ops::DOT;
use blo_compiler::ops::curvature::Smoothness;
use blo_compiler::{pairs_to_branch_on, proximal};
use blo_runtime::constrained::global::VARIABLES;
use blo_runtime::problem::Feature;
use blo_runtime::solvers;

/// The word that leaves the method to blo.
pub const AUTO: &str = "auto";

/// The method of a model that names none: one level, two levels.
const DEFAULT_METHODS: (&str, &str) = ("gradient", "cg");

/// Lower levels with more variables are not given to `kkt` unless nothing else fits: it is made for small models.
const FEW: usize = 20;

/// Followers with constraints and more variables than this are given to a first-order method, where data couple them all.
const SEVERAL: usize = 300;

/// The same for followers whose variables are coupled by few, so that `kkt` factorises a sparse matrix.
const SPARSE: usize = 10_000;

/// Models with more pairs of constraint and multiplier are not given to `tree`, whose nodes may double with each.
const FEW_PAIRS: usize = 60;

/// Sampled sums with at least this many terms are worth sampling.
const MANY_TERMS: usize = 50_000;

/// A choice by what is known of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Automatic {
    /// The method.
    pub method: &'static str,
    /// Why, and what would change the choice; goes on from "because".
    pub because: String,
}

/// Whether the model leaves the method to blo: it names none, or `auto`.
pub fn is_open(model: &Model) -> bool {
    model.solve.as_ref().is_none_or(|solve| solve.method == AUTO)
}

/// Whether a method of this version is for the model.
pub fn solvable(model: &Model) -> bool {
    fitting(model).next().is_some()
}

/// The method when nobody names one: the usual one of its levels where that fits, else the first that does.
pub fn default_method(model: &Model) -> &'static str {
    let usual = if model.lower.is_some() { DEFAULT_METHODS.1 } else { DEFAULT_METHODS.0 };
    if !model.asks().is_empty() && branches(model).is_some() {
        return "tree";
    }
    let mut names = fitting(model);
    let first = names.next().unwrap_or(usual);
    if names.any(|name| name == usual) { usual } else { first }
}

/// The choice of `auto`; `None` when no method fits. Where several methods fit, the lower level decides.
pub fn automatic(model: &Model) -> Option<Automatic> {
    let fits: Vec<&'static str> = fitting(model).collect();
    let asks = model.asks();
    let (method, because) = match (asks.first(), &model.lower, fits.as_slice()) {
        (_, _, []) => return None,
        (Some((feature, _)), _, [only]) => (*only, format!("no other method handles {}", feature.words())),
        (None, None, _) => (default_method(model), "the model has one level".to_owned()),
        (_, Some(_), _) if branches(model).is_some() => branching(model),
        (Some((feature, _)), lower, _) => {
            let size = lower.as_ref().map_or(0, size);
            let coupled = lower.as_ref().is_some_and(|lower| couples_all(model, lower));
            let (most, by) = if coupled { (SEVERAL, ", coupled by a matrix of data") } else { (SPARSE, "") };
            let (method, other) = if size > most { ("sflcb", "at most") } else { ("kkt", "more than") };
            let taken = if size > most { "kkt" } else { "sflcb" };
            let why = format!(
                "the model has {} and {size} lower variables{by}; with {other} {most} `{taken}` would be taken",
                feature.words()
            );
            (method, why)
        }
        (None, Some(lower), _) => by_lower_level(model, lower),
    };
    Some(Automatic { method, because })
}

/// The pairs of a model that `tree` solves to a proof, where there are some but not too many.
fn branches(model: &Model) -> Option<usize> {
    let asks: Vec<Feature> = model.asks().into_iter().map(|(feature, _)| feature).collect();
    let fits = solvers::named("tree").is_some_and(|tree| tree.misfit(model.lower.is_some(), &asks).is_none());
    if !fits {
        return None;
    }
    pairs_to_branch_on(model).filter(|pairs| (1..=FEW_PAIRS).contains(pairs))
}

fn branching(model: &Model) -> (&'static str, String) {
    let pairs = branches(model).unwrap_or(0);
    let many = if pairs == 1 { "pair" } else { "pairs" };
    let why = format!(
        "the lower level is a linear or convex quadratic program, so that branching on its {pairs} {many} of multiplier and slack proves a \
         global optimum; with more than {FEW_PAIRS}, or an upper objective or a constraint of higher degree, `kkt` would be taken"
    );
    ("tree", why)
}

/// Whether the lower objective depends on every lower variable.
fn shapes_all(model: &Model, lower: &Level) -> bool {
    let nodes = model.graph.reachable(&[lower.objective]);
    lower.vars.iter().all(|var| nodes.contains(&var.node))
}

/// Whether a product with a matrix of data couples the lower variables, so that second derivatives have no zeros to speak of.
fn couples_all(model: &Model, lower: &Level) -> bool {
    let graph = &model.graph;
    let rows = lower.constraints.iter().map(|constraint| constraint.residual);
    let roots: Vec<_> = rows.chain([lower.objective]).collect();
    let variables: Vec<_> = lower.vars.iter().map(|var| var.node).collect();
    let is_data = |node| !graph.reachable(&[node]).iter().any(|node| variables.contains(node));
    let full = |node| graph.shape(node).len() > 1 && is_data(node);
    let mut products =
        graph.reachable(&roots).into_iter().filter(|&node| graph.is(node, &DOT) && !is_data(node));
    products.any(|node| graph.node(node).inputs.iter().any(|&input| full(input)))
}

fn size(level: &Level) -> usize {
    level.vars.iter().map(|var| var.ty.len()).sum()
}

/// The method for a lower level without constraints.
fn by_lower_level(model: &Model, lower: &Level) -> (&'static str, String) {
    let Some(own) = lower_objective(model) else {
        return (DEFAULT_METHODS.1, "the model has two levels".into());
    };
    let size = size(lower);
    let smooth = matches!(own.smooth, Smoothness::Smooth | Smoothness::Steep);
    if !smooth && proximal(model).is_some_and(|split| split.left.is_empty() && !split.taken.is_empty()) {
        let why = "the lower level has nonsmooth terms with a proximal operator, which `meha` takes as they are; without them \
                   its convexity would decide";
        return ("meha", why.to_owned());
    }
    let terms = model.sampled.iter().map(|sum| sum.size).max().unwrap_or(0);
    if own.class.modulus().is_some() {
        if terms >= MANY_TERMS {
            let why = format!(
                "the lower level is strongly convex and has sums of {terms} terms marked with `~`, of which `soba` reads some at a \
                 time; with fewer than {MANY_TERMS} `nested` would be taken"
            );
            return ("soba", why);
        }
        let why = "the lower level is strongly convex, so its answer is unique and has a derivative; if it were \
                   convex only, `kkt` or `meha` would be taken";
        return ("nested", why.to_owned());
    }
    if !own.class.is_convex() && smooth && size <= VARIABLES {
        let why = format!(
            "the lower level is {} and has at most {VARIABLES} variables, so that the answers found can be compared with all others; \
             with more `nested` would be taken",
            own.class.words()
        );
        return ("kkt", why);
    }
    if !own.class.is_convex() {
        let why = format!(
            "the lower level is {}: near an answer that is a strict minimum it can still be differentiated, and which answer that is \
             depends on the start (`--starts 16` tries several; `iaptt` learns it, `meha` asks for less); if the lower level were \
             convex only, `kkt` or `meha` would be taken",
            own.class.words()
        );
        return ("nested", why);
    }
    if smooth && size <= FEW {
        let why = "the lower level is convex and may have several answers, all of which satisfy its optimality conditions; \
                   if it were strongly convex, `nested` would be taken";
        return ("kkt", why.to_owned());
    }
    if smooth && own.class == Class::Convex && shapes_all(model, lower) {
        let why = format!(
            "the lower level is convex, not a quadratic, and depends on each of its {size} variables, so its answer may well be unique; were \
             it a quadratic with a singular Hessian, or free in a variable, `meha` would be taken, which finds the best of several answers"
        );
        return ("nested", why);
    }
    if smooth {
        let why = format!(
            "the lower level is convex, may have several answers, and is too large for `kkt` ({size} variables): `meha` finds the best \
             of several; if it were strongly convex, `nested` would be taken"
        );
        return ("meha", why);
    }
    let why = "the lower level is convex and may have kinks for which no proximal operator is known; whether its answer is \
               unique, as `cg` needs, is not known, and the check says what came out";
    ("cg", why.to_owned())
}

fn fitting(model: &Model) -> impl Iterator<Item = &'static str> {
    let asks: Vec<Feature> = model.asks().into_iter().map(|(feature, _)| feature).collect();
    let two = model.lower.is_some();
    let names: Vec<&'static str> = solvers::fitting(two, &asks).map(|solver| solver.name).collect();
    names.into_iter()
}
