//! One session: the options, and where values, used files and compiled code come from. Reading files is left to the [`Loader`]
//! and the [`CodeCache`], and the clock to the [`Observer`], which the command line and the tests implement.

use crate::csr::Csr;
use crate::ir::eval::Array;
use crate::model::Precision;
use crate::types::Elem;

/// Finds used files and the values of data.
pub trait Loader {
    /// Name and text of a used file; `from` is the name of the file with the `use`. An error is a reason in words.
    fn module(&mut self, from: &str, path: &str) -> Result<(String, String), String>;

    /// The values of a `data` declaration: the command line's binding first, then the declared file. `Ok(None)` when
    /// nothing is bound.
    fn data(&mut self, request: &DataRequest) -> Result<Option<Tensor>, DataError>;

    /// The same of a `sparse` declaration, which has two axes. A loader that knows no sparse formats reads them as dense ones.
    fn sparse(&mut self, request: &DataRequest) -> Result<Option<SparseTensor>, DataError> {
        self.data(request)?.map(SparseTensor::from_dense).transpose()
    }

    /// Who is told about the phases of the check.
    fn observer(&self) -> &dyn Observer {
        &Unobserved
    }
}

/// A part of the way from text to a program that is ready to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Text to syntax tree.
    Parse,
    /// Syntax tree to model: names, types, shapes, levels.
    Check,
    /// Values of data from outside.
    Read,
    /// Derivatives of the objectives.
    Differentiate,
    /// Rewriting to simplest form.
    Optimise,
    /// Buffers, fused loops and steps.
    Lower,
    /// Machine code.
    Generate,
    /// Memory for the program, its data in it, and what depends on data alone.
    Load,
}

/// Learns where the compiler is; a clock is the observer's business.
pub trait Observer {
    /// A phase begins, and the one before it ends.
    fn begins(&self, phase: Phase);
}

/// Looks away.
pub struct Unobserved;

impl Observer for Unobserved {
    fn begins(&self, _: Phase) {}
}

/// Keeps compiled code from run to run. A cache may forget; what it returns must be what was stored under an equal key by the
/// same build of blo.
pub trait CodeCache {
    /// What was stored under a key.
    fn load(&self, key: &[u8]) -> Option<Vec<u8>>;

    /// Keeps `code`, or does not.
    fn store(&self, key: &[u8], code: &[u8]);
}

/// What the back end may use of its surroundings. Neither part changes the program that comes out.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// Who is told about phases.
    pub observer: &'a dyn Observer,
    /// Where compiled code is kept.
    pub cache: Option<&'a dyn CodeCache>,
    /// Whether programs keep their code and data as bytes, so that they can be frozen ([`blo_runtime::frozen`]), and for which
    /// processors it is then.
    pub keep: Option<Cpu>,
}

/// The processors that code is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Cpu {
    /// This one, and those that have all it has.
    #[default]
    Native,
    /// Those of the level x86-64-v3: AVX2, and products and sums in one instruction.
    V3,
    /// All of the architecture.
    Baseline,
}

impl Surroundings<'_> {
    /// No observer, no cache.
    pub fn none() -> Self {
        Surroundings { observer: &Unobserved, cache: None, keep: None }
    }
}

/// What the checker asks a [`Loader`] for.
#[derive(Clone, Debug)]
pub struct DataRequest<'a> {
    /// The datum's name.
    pub name: &'a str,
    /// Its element type.
    pub elem: Elem,
    /// The number of its axes.
    pub rank: usize,
    /// The file in `from "file"`.
    pub file: Option<&'a str>,
    /// The sizes declared so far, one per axis.
    pub sizes: Vec<Option<usize>>,
    /// The labels of each axis whose dimension has some.
    pub labels: Vec<Option<Labels>>,
}

/// The labels of a dimension, in the order of its positions.
#[derive(Clone, Debug)]
pub struct Labels {
    /// The dimension's name.
    pub dim: String,
    /// The labels.
    pub names: Vec<String>,
}

/// Values that were found.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// What the file holds.
    pub elem: Elem,
    /// The values; whole numbers and truth values as `f64`.
    pub values: Array,
    /// The file, or `--data`, for messages.
    pub origin: String,
}

/// A sparse matrix that was found.
#[derive(Clone, Debug)]
pub struct SparseTensor {
    /// The matrix.
    pub matrix: Csr,
    /// The file, or `--data`, for messages.
    pub origin: String,
}

impl SparseTensor {
    /// The elements of a dense matrix that are not zero.
    pub fn from_dense(tensor: Tensor) -> Result<SparseTensor, DataError> {
        let Tensor { values, origin, .. } = tensor;
        match Csr::from_dense(&values) {
            Some(matrix) => Ok(SparseTensor { matrix, origin }),
            None => Err(DataError {
                message: format!("{origin} is no matrix: it has the shape {:?}", values.shape()),
                help: None,
            }),
        }
    }
}

/// Why values could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataError {
    /// What is wrong, lower case, without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// How to check.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--set NAME=EXPR`: parameters and dimensions given on the command line.
    pub overrides: Vec<(String, String)>,
    /// Seeds every random draw, together with the name of what is drawn.
    pub seed: u64,
    /// Overrides the model's `precision`.
    pub precision: Option<Precision>,
    /// Whether data without values are an error (to run) or get made-up sizes (to check shapes by name).
    pub need_data: bool,
}
