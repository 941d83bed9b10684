//! Which method solves a model that names none, and which one `solve auto()` takes, with the reason.

use blo_compiler::convexity::{Class, lower_objective};
use blo_compiler::model::{Level, Model};
use blo_compiler::ops::DOT;
use blo_compiler::ops::curvature::Smoothness;
use blo_compiler::{Boxes, boxes_to_branch_in, levels_to_branch_in, pairs_to_branch_on, proximal};
use blo_runtime::constrained::global::VARIABLES;
use blo_runtime::constrained::tree::value::VARIABLES as VARIABLES_BY_VALUE;
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

/// Models with more variables in their single-level form, pairs, or products and functions are not given to `tree` where it branches in boxes.
const FEW_IN_BOXES: usize = 40;

/// Programs that `tree` may solve for bounds in boxes and by value: of so few variables some take less than a millisecond each.
const BUDGET: usize = 1000;

/// Sampled sums with at least this many terms are worth sampling.
const MANY_TERMS: usize = 50_000;

/// A choice by what is known of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Automatic {
    /// The method.
    pub method: &'static str,
    /// Options with other values than their defaults.
    pub options: Options,
    /// Why, and what would change the choice; goes on from "because".
    pub because: String,
}

/// Values of options.
pub type Options = Vec<(&'static str, usize)>;

/// Whether the model leaves the method to blo: it names none, or `auto`.
pub fn is_open(model: &Model) -> bool {
    model.solve.as_ref().is_none_or(|solve| solve.method == AUTO)
}

/// Whether a method of this version is for the model.
pub fn solvable(model: &Model) -> bool {
    fitting(model).next().is_some()
}

/// The method of a model that no method fits, for the message, or of one with one level: the usual one where that fits, else the first that
/// does.
pub fn default_method(model: &Model) -> &'static str {
    let usual = if model.lower.is_some() { DEFAULT_METHODS.1 } else { DEFAULT_METHODS.0 };
    let mut names = fitting(model);
    let first = names.next().unwrap_or(usual);
    if names.any(|name| name == usual) { usual } else { first }
}

/// The choice of `auto`; `None` when no method fits. Where several methods fit, the lower level decides.
pub fn automatic(model: &Model) -> Option<Automatic> {
    let fits: Vec<&'static str> = fitting(model).collect();
    let asks = model.asks();
    let branches = fits.contains(&"tree");
    let of_pairs = if branches { by_pairs(model) } else { None };
    let (method, because) = match (asks.first(), &model.lower, fits.as_slice(), of_pairs) {
        (_, _, [], _) => return None,
        (Some((feature, _)), _, [only], _) => (*only, format!("no other method handles {}", feature.words())),
        (None, None, ..) => (default_method(model), "the model has one level".to_owned()),
        (_, Some(_), _, Some(because)) => ("tree", because),
        (Some((feature, _)), lower, ..) => by_size(model, lower.as_ref(), *feature),
        (None, Some(lower), ..) => by_lower_level(model, lower),
    };
    // Where the answer of `kkt` may be proved to be the best one, it is.
    let proving =
        if branches && method == "kkt" { in_boxes(model).or_else(|| by_value(model)) } else { None };
    let kept = Automatic { method, options: Vec::new(), because };
    Some(proving.map_or(kept, |(options, because)| Automatic { method: "tree", options, because }))
}

/// Why `tree` is taken for a model whose pairs it branches on to a proof.
fn by_pairs(model: &Model) -> Option<String> {
    let unconstrained = model.asks().is_empty();
    let pairs = pairs_to_branch_on(model).filter(|pairs| *pairs <= FEW_PAIRS)?;
    let many = if pairs == 1 { "pair" } else { "pairs" };
    match pairs {
        0 if unconstrained => None,
        0 => Some(
            "the lower level is a convex quadratic program without inequalities, so that its conditions are linear and, where the upper \
             objective can be bounded, a global optimum is proved; with an upper objective or a constraint of higher degree `kkt` would be taken"
                .into(),
        ),
        _ => Some(format!(
            "the lower level is a linear or convex quadratic program, so that branching on its {pairs} {many} of multiplier and slack proves a \
             global optimum; with more than {FEW_PAIRS}, or an upper objective or a constraint of higher degree, `kkt` would be taken"
        )),
    }
}

/// The options of `tree` and why it is taken for a model for which `kkt` would be, where its boxes are small.
fn in_boxes(model: &Model) -> Option<(Options, String)> {
    let boxes = boxes_to_branch_in(model)?;
    let Boxes { variables, pairs, bent } = boxes;
    if variables.max(pairs).max(bent) > FEW_IN_BOXES {
        return None;
    }
    let why = format!(
        "the lower level is convex with affine constraints and the single-level form is small and made of products and functions that lines \
         bound ({variables} variables, {bent} products and functions), so that branching in boxes may prove a global optimum; after {BUDGET} programs \
         solved for bounds it ends with what `kkt` found, which would be taken with more than {FEW_IN_BOXES} of either"
    );
    Some((vec![("budget", BUDGET)], why))
}

/// The same for a model of few variables whose follower has no conditions that tell its answers.
fn by_value(model: &Model) -> Option<(Options, String)> {
    let variables = levels_to_branch_in(model)?;
    let why = format!(
        "the levels have few variables ({variables}), so that branching by the follower's value, which asks for no convexity and no multipliers, may \
         prove a global optimum; after {BUDGET} programs solved for bounds it ends with the best of what it and `kkt` found, which would be \
         taken with more than {VARIABLES_BY_VALUE} variables"
    );
    Some((vec![("budget", BUDGET)], why))
}

/// The method for a model with constraints.
fn by_size(model: &Model, lower: Option<&Level>, feature: Feature) -> (&'static str, String) {
    let size = lower.map_or(0, size);
    let coupled = lower.is_some_and(|lower| couples_all(model, lower));
    let (most, by) = if coupled { (SEVERAL, ", coupled by a matrix of data") } else { (SPARSE, "") };
    let (method, other) = if size > most { ("sflcb", "at most") } else { ("kkt", "more than") };
    let taken = if size > most { "kkt" } else { "sflcb" };
    let why = format!(
        "the model has {} and {size} lower variables{by}; with {other} {most} `{taken}` would be taken",
        feature.words()
    );
    (method, why)
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
