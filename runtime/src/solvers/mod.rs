//! The solvers, one file per method, composed of shared pieces: `run` (outer loop), `rule` and `step` (steps of both levels),
//! `options`, and the hypergradients of [`crate::hypergradient`]. A new solver is its file and one line in [`SOLVERS`].

mod adaptive;
mod alternating;
mod bamm;
mod bda;
mod bilevel;
mod blocc;
mod bome;
mod bvfsm;
mod cg;
mod darts;
mod f2ba;
mod f2sa;
mod f2sa_p;
mod fhg;
mod fixed_point;
mod fomaml;
mod gaffa;
mod gpbgd;
mod gradient;
mod grid;
mod hoag;
mod iaptt;
mod imaml;
mod kkt;
mod lvhba;
mod maml;
mod meha;
mod nested;
mod neumann;
pub(crate) mod options;
mod pbgd_free;
mod penalty;
mod random;
mod record;
mod reptile;
mod rhg;
mod rows;
mod rule;
pub(crate) mod run;
mod search;
mod sflcb;
mod shine;
mod step;
mod step_size;
mod stochastic;
mod tree;
mod vpbgd;

use crate::derivatives::Quantity;
use crate::problem::{Feature, Problem};
use crate::settings::{OptionSpec, Preset, SettingError, SettingProblem, Settings, Value, nearest};

pub use run::{Ended, Evaluation, Method, Point, Run, evaluations};

/// All solvers, in the order of the documentation.
pub static SOLVERS: &[&Solver] = &[
    &rhg::RHG,
    &fhg::FHG,
    &bda::BDA,
    &iaptt::IAPTT,
    &darts::DARTS,
    &maml::MAML,
    &fomaml::FOMAML,
    &reptile::REPTILE,
    &cg::CG,
    &neumann::NEUMANN,
    &fixed_point::FIXED_POINT,
    &hoag::HOAG,
    &imaml::IMAML,
    &shine::SHINE,
    &bilevel::composed::BILEVEL,
    &penalty::composed::PENALTY,
    &bome::BOME,
    &meha::MEHA,
    &vpbgd::VPBGD,
    &gpbgd::GPBGD,
    &pbgd_free::PBGD_FREE,
    &bvfsm::BVFSM,
    &f2sa::F2SA,
    &f2ba::F2BA,
    &f2sa_p::F2SA_P,
    &bamm::BAMM,
    &stochastic::soba::SOBA,
    &stochastic::saba::SABA,
    &stochastic::srba::SRBA,
    &stochastic::ma_soba::MA_SOBA,
    &stochastic::fsla::FSLA,
    &stochastic::stocbio::STOCBIO,
    &stochastic::amigo::AMIGO,
    &nested::NESTED,
    &alternating::ALTERNATING,
    &random::RANDOM,
    &grid::GRID,
    &gradient::GRADIENT,
    &kkt::KKT,
    &tree::TREE,
    &sflcb::SFLCB,
    &gaffa::GAFFA,
    &blocc::BLOCC,
    &lvhba::LVHBA,
];

/// Which models a solver is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Levels {
    /// An upper level alone.
    One,
    /// An upper and a lower level.
    Two,
    /// With or without a lower level, in the single-level form of the model.
    Any,
    /// An upper and a lower level, the constraints of the lower one as rows of a program.
    Rows,
}

impl Levels {
    /// Whether the method works on the programs of [`crate::constrained`].
    pub fn has_rows(self) -> bool {
        matches!(self, Levels::Any | Levels::Rows)
    }
}

/// The option of every solver that has such values: those of its authors, where nothing else is written.
pub const PRESET: &str = "preset";

/// Its only value.
pub const PAPER: &str = "paper";

/// A method: what it is called, what it asks for and how it is put together.
pub struct Solver {
    /// The name users write.
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// Authors, year and identifier of its source.
    pub source: &'static str,
    /// Its options, in groups.
    pub groups: &'static [&'static [OptionSpec]],
    /// What its authors use in their paper or the code they released: values of options, for `preset = paper`. Empty where these give
    /// no sizes.
    pub paper: &'static [(&'static str, Preset)],
    /// Which models it is for.
    pub levels: Levels,
    /// What else a model may ask of it.
    pub handles: &'static [Feature],
    /// The quantities it evaluates with these settings. The check and the reports need more: see [`needs`].
    pub needs: fn(&Settings) -> Vec<Quantity>,
    /// Puts the method together for a problem, at a start.
    pub build: fn(&mut Problem, &Settings, &Point) -> Box<dyn Method>,
}

impl Solver {
    /// Its options, in order.
    pub fn options(&self) -> impl Iterator<Item = &'static OptionSpec> + Clone {
        self.groups.iter().flat_map(|group| group.iter())
    }

    /// Whether an option shortens its steps.
    pub(crate) fn has_steps(&self) -> bool {
        self.options().any(|option| option.name == "upper_step")
    }

    /// Checks written settings; `variables` are the names `rates` may use. All errors are returned.
    pub fn settings<'a>(
        &self,
        written: &[(String, Value)],
        variables: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<Settings, Vec<SettingError>> {
        let Some(place) = written.iter().position(|(name, _)| name == PRESET) else {
            return Settings::build(self.options(), written, variables);
        };
        let refused = |index: usize, problem, expected: String| {
            let (option, found) = (PRESET.to_string(), written[index].1.to_string());
            Err(vec![SettingError { index, option, problem, expected, found }])
        };
        if let Some(again) = written.iter().rposition(|(name, _)| name == PRESET).filter(|last| *last > place)
        {
            return refused(again, SettingProblem::Repeated, String::new());
        }
        if written[place].1 != Value::Word(PAPER.into()) {
            return refused(place, SettingProblem::OutOfRange, format!("`{PAPER}`"));
        }
        if self.paper.is_empty() {
            return refused(place, SettingProblem::NoPreset { solver: self.name }, String::new());
        }
        let mut all: Vec<(String, Value)> = written.to_vec();
        all.remove(place);
        let is_written = |name: &str| written.iter().any(|(other, _)| other == name);
        let paper = self.paper.iter().filter(|(name, _)| !is_written(name));
        all.extend(paper.map(|(name, value)| ((*name).to_string(), value.value())));
        Settings::build(self.options(), &all, variables).map_err(|mut errors| {
            // The places are those of what was written, the preset included.
            errors.iter_mut().filter(|error| error.index >= place).for_each(|error| error.index += 1);
            errors
        })
    }

    /// Why the solver is not for models with or without a lower level that ask for `asks`; `None` when it fits.
    pub fn misfit(&self, has_lower: bool, asks: &[Feature]) -> Option<String> {
        match (self.levels, has_lower) {
            (Levels::Two | Levels::Rows, false) => {
                return Some(format!("`{}` needs a lower level, and the model has none", self.name));
            }
            (Levels::One, true) => {
                return Some(format!("`{}` is for models without a lower level", self.name));
            }
            (Levels::Two | Levels::Rows, true) | (Levels::One, false) | (Levels::Any, _) => {}
        }
        let unhandled = asks.iter().find(|feature| !self.handles.contains(feature))?;
        Some(format!("`{}` does not handle {}", self.name, unhandled.words()))
    }
}

impl std::fmt::Debug for Solver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Solver").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The solvers for models with or without a lower level that ask for `asks`.
pub fn fitting(has_lower: bool, asks: &[Feature]) -> impl Iterator<Item = &'static Solver> {
    SOLVERS.iter().copied().filter(move |solver| solver.misfit(has_lower, asks).is_none())
}

/// The solver of this name.
pub fn named(name: &str) -> Option<&'static Solver> {
    SOLVERS.iter().copied().find(|solver| solver.name == name)
}

/// A solver's name close to `name`.
pub fn near(name: &str) -> Option<&'static str> {
    nearest(name, SOLVERS.iter().map(|solver| solver.name))
}

/// Everything a run evaluates: the solver's quantities, those of the final check, and the reports. Sorted, without repeats.
pub fn needs(solver: &Solver, settings: &Settings) -> Vec<Quantity> {
    let mut needs = (solver.needs)(settings);
    needs.extend([Quantity::UpperGradients, Quantity::Reports]);
    if solver.levels == Levels::Two {
        needs.extend([Quantity::LowerGradient, Quantity::LowerHessian, Quantity::LowerSecondOrder]);
        // The check takes proximal steps where it can; without anything proximal these are not compiled.
        needs.extend([Quantity::SmoothGradient, Quantity::ProximalWeights]);
    }
    needs.sort_unstable();
    needs.dedup();
    needs
}

/// How many terms of sampled sums the solver takes at a time; `None` when it does not sample. It evaluates what [`Solver::needs`] says
/// on batches too. A solver that samples has an option `batch`.
pub fn batch(settings: &Settings) -> Option<usize> {
    if settings.has("batch") { settings.number("batch").map(|batch| batch as usize) } else { None }
}

/// What methods need that compare `f` at the lower variables and at a copy of them.
fn gap_needs(settings: &Settings) -> Vec<Quantity> {
    let mut needs = vec![
        Quantity::LowerGradient,
        Quantity::LowerGradients,
        Quantity::LowerGradientX,
        Quantity::UpperGradients,
    ];
    needs.extend(step_needs(settings));
    needs
}

/// What an automatic lower step needs.
fn step_needs(settings: &Settings) -> Option<Quantity> {
    settings.number("lower_step").is_none().then_some(Quantity::LowerHessian)
}
