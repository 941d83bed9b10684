//! Which method solves a model that names none, and which one `solve auto()` takes, with the reason.

use blo_compiler::convexity;
use blo_compiler::convexity::Form;
use blo_compiler::model::Model;
use blo_compiler::ops::curvature::Smoothness;
use blo_runtime::problem::Feature;
use blo_runtime::solvers;

/// The word that leaves the method to blo.
pub const AUTO: &str = "auto";

/// The method of a model that names none: one level, two levels.
const DEFAULT_METHODS: (&str, &str) = ("gradient", "cg");

/// Lower levels with more variables are not given to `kkt` unless nothing else fits: it is made for small models.
const FEW: usize = 20;

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
    let mut names = fitting(model);
    let first = names.next().unwrap_or(usual);
    if names.any(|name| name == usual) { usual } else { first }
}

/// The choice of `auto`; `None` when no method fits. Where several methods fit, the lower level's convexity decides.
pub fn automatic(model: &Model) -> Option<Automatic> {
    let fits: Vec<&'static str> = fitting(model).collect();
    let (method, because) = match (model.asks().first(), &model.lower, fits.as_slice()) {
        (_, _, []) => return None,
        (Some((feature, _)), _, [only]) => (*only, format!("no other method handles {}", feature.words())),
        (_, None, _) => (default_method(model), "the model has one level".to_owned()),
        (_, Some(lower), _) => {
            let size: usize = lower.vars.iter().map(|var| var.ty.len()).sum();
            by_convexity(&convexity(model).lower?.own, size)
        }
    };
    Some(Automatic { method, because })
}

/// The method for a lower level with this objective, this many variables and no constraints.
fn by_convexity(own: &Form, size: usize) -> (&'static str, String) {
    let smooth = matches!(own.smooth, Smoothness::Smooth | Smoothness::Steep);
    if own.class.modulus().is_some() {
        let why = "the lower level is strongly convex, so its answer is unique and has a derivative; if it were \
                   convex only, `kkt` would be taken, and `rhg` if it were not known to be convex";
        return ("cg", why.to_owned());
    }
    if !own.class.is_convex() {
        let why = format!(
            "the lower level is {}: the steps that lead to an answer can be differentiated whatever it is worth; if it \
             were convex, `kkt` or `cg` would be taken",
            own.class.words()
        );
        return ("rhg", why);
    }
    if smooth && size <= FEW {
        let why = "the lower level is convex and may have several answers, all of which satisfy its optimality conditions; \
                   if it were strongly convex, `cg` would be taken";
        return ("kkt", why.to_owned());
    }
    let what = if smooth { "too large for `kkt`" } else { "may have kinks, which `kkt` does not handle" };
    let why = format!(
        "the lower level is convex and {what}; whether its answer is unique, as `cg` needs, is not known, and the check \
         says what came out"
    );
    ("cg", why)
}

fn fitting(model: &Model) -> impl Iterator<Item = &'static str> {
    let asks: Vec<Feature> = model.asks().into_iter().map(|(feature, _)| feature).collect();
    let two = model.lower.is_some();
    let names: Vec<&'static str> = solvers::fitting(two, &asks).map(|solver| solver.name).collect();
    names.into_iter()
}
