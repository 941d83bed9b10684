//! The command line: commands, flags, and what their values look like. Nothing is read or run here.

mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::backend::{Backend, named};
use crate::data::Binding;
pub use values::binding;
use values::{duration, pair, picture, positive, seconds, size, whole};

/// Solve bilevel optimisation problems written as text
#[derive(Debug, Parser)]
#[command(name = "blo", version = crate::version::version(), disable_help_subcommand = true)]
pub struct Cli {
    /// What to do; nothing on a terminal is `repl`.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Solve a model and print the result
    Run(Box<RunArgs>),
    /// Write, change and solve a model line by line (also: `blo` alone on a terminal)
    Repl(ReplArgs),
    /// Solve a model with several methods and compare their answers
    Compare(Box<CompareArgs>),
    /// Check a model without solving it; its data files may be absent
    Check(CheckArgs),
    /// Run models and hold them to their `expect` lines
    Test(TestArgs),
    /// Write models in their usual form
    Fmt(FmtArgs),
    /// Explain the code of an error or warning, or show a model's formulas
    Explain(ExplainArgs),
    /// Write a model's single-level form for other programs
    Export(ExportArgs),
    /// Write a model as a library with a C interface, to be called from other programs
    Compile(CompileArgs),
    /// Begin a model: a folder with a commented example and its data
    New(NewArgs),
    /// Draw the course and the variables of results that were kept with `--out`
    Plot(PlotArgs),
    /// Tell what this blo and this machine are, and which programs for exported models are there
    Doctor(DoctorArgs),
    /// Print what a shell needs to complete commands and flags
    Completions(CompletionsArgs),
    /// Write the manual pages of all commands into a folder
    Man(ManArgs),
    /// Show where compiled code is kept and how much there is
    Cache(CacheArgs),
    /// Serve an editor: the language server, on standard input and output
    #[command(
        after_help = "An editor starts it and speaks first; cli/editors/README.md tells how.\n\nExample: blo lsp"
    )]
    Lsp,
}

/// What `run`, `compare` and `check` take.
#[derive(Clone, Debug, Default, Args)]
pub struct ModelArgs {
    /// The model, a .blo file
    pub model: PathBuf,
    /// What goes into it.
    #[command(flatten)]
    pub input: InputArgs,
}

/// What goes into a model beside its text, and how messages are written.
#[derive(Clone, Debug, Default, Args)]
pub struct InputArgs {
    /// Give a param or dim another value
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// Bind data to a file (NAME=FILE, NAME=FILE.npz:MEMBER), or by name to an archive's members (FILE.npz)
    #[arg(long = "data", value_name = "NAME=FILE", value_parser = binding)]
    pub data: Vec<Binding>,
    /// Seed of every random start and random data
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = whole, allow_negative_numbers = true)]
    pub seed: u64,
    /// Arithmetic of the whole model (default: what the model says, else f64)
    #[arg(long)]
    pub precision: Option<PrecisionArg>,
    /// For whom messages are written: `json` prints one JSON document on standard output, and nothing else
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
}

/// What `run` and `compile` take of the method.
#[derive(Clone, Debug, Default, Args)]
pub struct MethodArgs {
    /// Solve with this method instead of the model's: NAME or NAME(option=value, …)
    #[arg(long, value_name = "METHOD")]
    pub method: Option<String>,
    /// Give an option of the method another value
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = pair)]
    pub options: Vec<(String, String)>,
    /// Number of iterations (the method's option `steps`)
    #[arg(long, value_name = "N", value_parser = whole, allow_negative_numbers = true)]
    pub iterations: Option<u64>,
    /// Whether the method is one of several that `--methods` names.
    #[arg(skip)]
    pub listed: bool,
}

/// `blo run`.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = "Example: blo run model.blo --report page.html --out run")]
pub struct RunArgs {
    /// Model and data.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Print a stage of the compiler and stop
    #[arg(long, value_name = "STAGE")]
    pub emit: Option<Stage>,
    /// The method.
    #[command(flatten)]
    pub flags: MethodArgs,
    /// Let an installed program solve the single-level form, ipopt or highs, and check its answer
    #[arg(long, value_name = "PROGRAM", value_parser = named, conflicts_with_all = ["method", "options", "iterations", "emit", "start",
        "starts", "checkpoint", "resume", "stop", "watch", "patience"])]
    pub backend: Option<&'static Backend>,
    /// Threads that large steps share (default: as many as the machine has); results do not depend on it
    #[arg(long, value_name = "N", value_parser = positive, allow_negative_numbers = true)]
    pub threads: Option<u64>,
    /// Stop after this many seconds and keep the best point so far
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub time_limit: Option<f64>,
    /// Begin where an earlier run ended: its result.json, the folder of its `--out`, or its variables.npz
    #[arg(long, value_name = "FILE")]
    pub start: Option<PathBuf>,
    /// Solve from this many starts, the model's own and random ones, and keep the best answer that passes the check
    #[arg(long, value_name = "N", value_parser = positive, allow_negative_numbers = true)]
    pub starts: Option<u64>,
    /// Keep the run in this file from time to time, so that it can go on later with the same bits
    #[arg(long, value_name = "FILE", conflicts_with = "starts")]
    pub checkpoint: Option<PathBuf>,
    /// Time between two checkpoints, such as 60s or 10min (default: 60s)
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "checkpoint", allow_negative_numbers = true)]
    pub every: Option<f64>,
    /// Go on with the run that was kept in this file; the other flags must be those of that run
    #[arg(long, value_name = "FILE", conflicts_with = "starts")]
    pub resume: Option<PathBuf>,
    /// Stop when a report is as wanted, such as 'accuracy >= 0.93'
    #[arg(long, value_name = "CONDITION", allow_hyphen_values = true)]
    pub stop: Option<String>,
    /// Keep the best iterate by this report: NAME, 'max NAME' or 'min NAME'
    #[arg(long, value_name = "REPORT")]
    pub watch: Option<String>,
    /// Stop after this many iterations in which what `--watch` or `--stop` looks at has not become better
    #[arg(long, value_name = "N", value_parser = positive, allow_negative_numbers = true)]
    pub patience: Option<u64>,
    /// Memory for the iterates that a method differentiates through, such as 512MB or 2GiB (default: 1GiB)
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<usize>,
    /// Print the result as JSON, and nothing else, on standard output
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// Also write result.json, trace.csv and variables.npz into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Also write a page for a browser: verdict, convergence, variables, data, model and cost in one file of HTML
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// No progress display
    #[arg(long)]
    pub quiet: bool,
    /// Also print how long each part took, from parsing to the check of the answer
    #[arg(long)]
    pub timings: bool,
    /// Neither use code compiled by an earlier run nor keep that of this one
    #[arg(long)]
    pub no_cache: bool,
}

/// `blo repl`.
#[derive(Debug, Default, Args)]
#[command(
    after_help = "Without a terminal on standard input its lines are read as a script, and the exit status is 2 when one of them is \
wrong. `:help` lists the commands.\n\nExample: blo repl model.blo"
)]
pub struct ReplArgs {
    /// The model to begin with, a .blo file
    #[arg(value_name = "MODEL")]
    pub model: Option<PathBuf>,
    /// Bind data to a file (NAME=FILE, NAME=FILE.npz:MEMBER), or by name to an archive's members (FILE.npz)
    #[arg(long = "data", value_name = "NAME=FILE", value_parser = binding)]
    pub data: Vec<Binding>,
    /// Seed of every random start and random data
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = whole, allow_negative_numbers = true)]
    pub seed: u64,
}

/// `blo compare`.
#[derive(Debug, Args)]
#[command(
    after_help = "Every method solves the same model from the same start with the same budget, and its answer is checked in the \
same way: the lower level is solved again. Answers are ranked by the upper objective found there; a point that the model does \
not allow is never ranked. Exit status: 0 when some answer is allowed, 1 when none is, 2 when the input is wrong.\n\n\
Example: blo compare model.blo --methods cg,bome --steps 100 --plot methods.svg"
)]
pub struct CompareArgs {
    /// Model and data.
    #[command(flatten)]
    pub model: ModelArgs,
    /// The methods, separated by commas: NAME or NAME(option=value, …) (default: all that fit the model)
    #[arg(long, value_name = "METHODS")]
    pub methods: Option<String>,
    /// Time for each run, such as 30s, 500ms or 2min; without --steps nothing but the method's own test ends it earlier
    #[arg(long, value_name = "TIME", value_parser = duration, allow_negative_numbers = true)]
    pub budget: Option<f64>,
    /// Iterations of each run (default: without --budget those of the model's `solve`, else the method's own)
    #[arg(long, value_name = "N", value_parser = whole, allow_negative_numbers = true)]
    pub steps: Option<u64>,
    /// Begin where an earlier run ended: its result.json, the folder of its `--out`, or its variables.npz
    #[arg(long, value_name = "FILE")]
    pub start: Option<PathBuf>,
    /// Run each method from this many starts, the model's own and random ones, and keep its best answer
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = positive, allow_negative_numbers = true)]
    pub starts: u64,
    /// Threads that large steps share (default: as many as the machine has); results do not depend on it
    #[arg(long, value_name = "N", value_parser = positive, allow_negative_numbers = true)]
    pub threads: Option<u64>,
    /// Memory for the iterates that a method differentiates through, such as 512MB or 2GiB (default: 1GiB)
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<usize>,
    /// Print the comparison as JSON, and nothing else, on standard output
    #[arg(long, conflicts_with_all = ["format", "csv"])]
    pub json: bool,
    /// Print the table as CSV, and nothing else, on standard output
    #[arg(long, conflicts_with = "format")]
    pub csv: bool,
    /// Also write comparison.json, comparison.csv and trace.csv into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Draw the course of every method into this file, which ends in .svg or .png; may be given twice
    #[arg(long, value_name = "FILE", value_parser = picture)]
    pub plot: Vec<PathBuf>,
    /// No progress display
    #[arg(long)]
    pub quiet: bool,
    /// Neither use code compiled by an earlier run nor keep that of this one
    #[arg(long)]
    pub no_cache: bool,
}

/// `blo check`.
#[derive(Debug, Args)]
#[command(after_help = "Example: blo check model.blo --explain")]
pub struct CheckArgs {
    /// Model and data.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Print a stage of the compiler and stop
    #[arg(long, value_name = "STAGE")]
    pub emit: Option<Stage>,
    /// Also print what is known of the convexity of each level, why, and which part breaks it
    #[arg(long)]
    pub explain: bool,
    /// Say only what is wrong
    #[arg(long, conflicts_with_all = ["explain", "emit"])]
    pub quiet: bool,
}

/// `blo test`.
#[derive(Debug, Args)]
#[command(
    after_help = "Every model with `expect` lines is solved with its own method. Exit status: 0 when all \
expectations hold, 1 when one does not or a model cannot be run, 2 when there is nothing to test.\n\nExample: blo test start"
)]
pub struct TestArgs {
    /// Models, or folders to search for .blo files
    #[arg(default_value = ".", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Seed of every random start and random data
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
    /// Print a JSON array with one object for each model, and nothing else, on standard output
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// Say only which expectations do not hold
    #[arg(long, conflicts_with = "json")]
    pub quiet: bool,
    /// For whom messages are written: `json` prints one JSON document on standard output, and nothing else
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
}

/// `blo fmt`.
#[derive(Debug, Args)]
#[command(
    after_help = "Comments, the spelling of numbers, line ends inside a statement and single empty lines stay. A \
file with syntax errors is not touched. Exit status: 0, 1 when `--check` found a file that would change, 2 when a file \
could not be formatted.\n\nExample: blo fmt --check model.blo"
)]
pub struct FmtArgs {
    /// Models, or folders to search for .blo files; `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Write nothing; name the files that would change and end with status 1 if there are any
    #[arg(long)]
    pub check: bool,
    /// Do not name the files
    #[arg(long)]
    pub quiet: bool,
    /// For whom messages are written: `json` prints one JSON document on standard output, and nothing else; needs `--check`
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", requires = "check")]
    pub format: Format,
}

/// `blo explain`.
#[derive(Debug, Args)]
#[command(after_help = "Example: blo explain model.blo --gradient")]
pub struct ExplainArgs {
    /// A code such as E0203, or a model: its levels, curvature, method and cost; without it all codes are listed
    #[arg(value_name = "CODE|MODEL")]
    pub target: Option<String>,
    /// Print the levels as text, with every function put in, as a model that can be run
    #[arg(long, group = "view", conflicts_with = "latex")]
    pub text: bool,
    /// Print both objectives and their gradients as formulas
    #[arg(long, group = "view")]
    pub gradient: bool,
    /// Print the second derivatives of the lower objective as formulas, as products with a direction
    #[arg(long, group = "view")]
    pub hessian: bool,
    /// Print the single-level problem: the follower replaced by its optimality conditions, as a model that can be run
    #[arg(long, group = "view")]
    pub kkt: bool,
    /// Print formulas as LaTeX; alone: the model as it would stand in a paper
    #[arg(long)]
    pub latex: bool,
    /// Draw the model: what it declares and what reads what, into a file that ends in .svg or .dot; without one as DOT on standard output
    #[arg(long, group = "view", conflicts_with = "latex", value_name = "FILE", num_args = 0..=1)]
    pub graph: Option<Option<PathBuf>>,
    /// What goes into the model.
    #[command(flatten)]
    pub input: InputArgs,
}

/// `blo export`.
#[derive(Debug, Args)]
#[command(
    after_help = "The follower is replaced by its optimality conditions. In .nl, for nonlinear solvers that read AMPL's files (ipopt, \
knitro, scip, …), complementarity is a product that is at most 0; in .lp and .mps, for what is linear or has a quadratic objective, it is a \
special ordered set.\n\nExample: blo export model.blo model.nl"
)]
pub struct ExportArgs {
    /// The model, and what goes into it.
    #[command(flatten)]
    pub model: ModelArgs,
    /// The file to write; .nl, .lp or .mps
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `blo compile`.
#[derive(Debug, Args)]
#[command(
    after_help = "Writes NAME.so, NAME.h and NAME.json: the objectives, their derivatives, projections, reports and the whole solver as C \
functions, with the data inside. The library needs neither blo nor a compiler where it runs; `blo run NAME.so` runs it too. \
docs/native.md describes it.\n\nExample: blo compile model.blo -o model --python"
)]
pub struct CompileArgs {
    /// The model, and what goes into it.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Where to write, without an ending; the last part is what the functions are called (default: the model's name, here)
    #[arg(short, long, value_name = "NAME")]
    pub output: Option<PathBuf>,
    /// The processors it is for
    #[arg(long, value_enum, default_value_t, value_name = "CPU")]
    pub target_cpu: TargetCpu,
    /// Do not name what was written
    #[arg(long)]
    pub quiet: bool,
    /// Also write a Python package (NAME-python), which needs numpy
    #[arg(long)]
    pub python: bool,
    /// Also write a Rust crate (NAME-rust)
    #[arg(long)]
    pub rust: bool,
    /// Also write an object for linkers (NAME.o), with the library inside of it; this needs a C compiler
    #[arg(long = "static")]
    pub object: bool,
    /// The method.
    #[command(flatten)]
    pub flags: MethodArgs,
}

/// Processors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TargetCpu {
    /// This one, and those that have all it has
    #[default]
    Native,
    /// Those with AVX2 and fused products: most since 2013
    #[value(name = "x86-64-v3")]
    V3,
    /// All
    Baseline,
}

/// `blo new`.
#[derive(Debug, Args)]
#[command(after_help = "Example: blo new first --template game")]
pub struct NewArgs {
    /// The folder to make
    pub name: PathBuf,
    /// What the model is about
    #[arg(long, value_enum, default_value_t)]
    pub template: Template,
    /// Do not say what was made
    #[arg(long)]
    pub quiet: bool,
}

/// What a new model is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// A penalty for each feature of a linear model, learned from data in files
    #[default]
    Ridge,
    /// A seller and a buyer, without data
    Game,
}

/// `blo completions`.
#[derive(Debug, Args)]
#[command(after_help = "Example: blo completions bash > blo.bash")]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `blo man`.
#[derive(Debug, Args)]
#[command(after_help = "Example: blo man pages")]
pub struct ManArgs {
    /// The folder, which is made where it is missing
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// `blo plot`.
#[derive(Debug, Args)]
#[command(
    after_help = "A result is the folder of `--out`, or its result.json or comparison.json. Several results share their panels; of a \
single one the variables are drawn too.\n\nExample: blo run model.blo --out run && blo plot run -o run.svg"
)]
pub struct PlotArgs {
    /// The results
    #[arg(required = true, value_name = "RESULT")]
    pub results: Vec<PathBuf>,
    /// The picture, which ends in .svg or .png
    #[arg(short, long, value_name = "FILE", value_parser = picture, default_value = "plot.svg")]
    pub output: PathBuf,
    /// Do not name the picture
    #[arg(long)]
    pub quiet: bool,
}

/// `blo doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Example: blo doctor --json")]
pub struct DoctorArgs {
    /// Print one JSON object, and nothing else, on standard output
    #[arg(long)]
    pub json: bool,
}

/// `blo cache`.
#[derive(Debug, Args)]
#[command(
    after_help = "`blo run` and `blo test` keep machine code in a folder for caches, at most 64 MiB, and find it again when \
the same program is run by the same blo on the same kind of processor. The environment variable BLO_CACHE names another \
folder; one that other users can write to is not used.\n\nExample: blo cache"
)]
pub struct CacheArgs {
    /// Remove all of it
    #[arg(long)]
    pub clear: bool,
    /// Do not say how much was removed
    #[arg(long, requires = "clear")]
    pub quiet: bool,
}

/// For whom messages are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Drawn for people, on standard error
    #[default]
    Text,
    /// For tools: one JSON document on standard output
    Json,
}

/// Names of the arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PrecisionArg {
    /// 32-bit floating point
    F32,
    /// 64-bit floating point
    F64,
}

/// The stages that can be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// The syntax tree
    Ast,
    /// Names, types, shapes and levels
    Model,
    /// Tensor expressions with derivatives
    Graph,
    /// Buffers and fused loops
    Loops,
    /// Cranelift's intermediate code
    Clif,
}
