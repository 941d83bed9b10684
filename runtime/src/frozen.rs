//! Problems as bytes: what the compiler made of a model, with its machine code, its data and the method chosen for it, so that it can be
//! run later by the runtime alone. The bytes begin with a head that says what they are for, and end with a checksum of all that is
//! between; [`thaw`] refuses what it is not for, by words. A frozen problem is code: run one only if you would run the program of
//! whoever made it.

pub mod data;
pub mod program;
pub(crate) mod wire;

use crate::constrained::cuts::Cuts;
use crate::constrained::{Constrained, Degree, Degrees, Follower, Pair, Row};
use crate::derivatives::Derivatives;
use crate::kernel::image::ImageError;
use crate::problem::{Feature, Problem};
use crate::program::spec::ProgramError;
use crate::settings::{Settings, Value};
use crate::solvers::{self, Solver};
use crate::space::{Block, Domain, Space};
use data::Datum;
use wire::{Reader, Wire, Writer, wire, wire_variants};

/// The first bytes.
pub const MAGIC: [u8; 8] = *b"blo\0kern";

/// The version of the format, which changes with everything that is written. Only this one is read.
pub const VERSION: u32 = 3;

/// What stands beside the problem in a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// The machine: its architecture and system.
    pub machine: String,
    /// What its code asks of the processor, by the names that the standard library detects features under.
    pub features: Vec<String>,
    /// Words about it, for others: in JSON.
    pub manifest: String,
    /// Its data.
    pub data: Vec<Datum>,
}
wire!(Head { machine, features, manifest, data });

/// The machine this is built for.
pub fn machine() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

/// A problem ready to be run, with its method.
pub struct Thawed {
    /// The problem.
    pub problem: Problem,
    /// The method.
    pub solver: &'static Solver,
    /// A value for each of its options.
    pub settings: Settings,
    /// What stood beside it.
    pub head: Head,
    /// How many samples data were given.
    counts: Vec<(String, usize)>,
    /// Whether data have changed.
    stale: bool,
}

impl Thawed {
    /// Gives data other values, row by row; what they decide is computed when [`Thawed::renew`] is called, which has to be before
    /// anything is evaluated.
    ///
    /// # Errors
    /// In words, when there are no such data or they cannot have these values.
    pub fn set_data(&mut self, name: &str, values: &[f64]) -> Result<(), String> {
        let Some(datum) = self.head.data.iter().find(|datum| datum.name == name) else {
            return Err(format!("there are no data `{name}`"));
        };
        datum.check(values)?;
        if values.len() == datum.shape.iter().product::<usize>() {
            self.problem.set_data(name, values);
        } else {
            self.problem.set_samples(name, values);
        }
        if datum.samples {
            let count = values.len() / datum.row();
            self.counts.retain(|(known, _)| known != name);
            self.counts.push((name.to_owned(), count));
        }
        self.stale = true;
        Ok(())
    }

    /// Computes what changed data decide; nothing where none have changed.
    ///
    /// # Errors
    /// In words, when two arrays have different numbers of the same samples.
    pub fn renew(&mut self) -> Result<(), String> {
        if !self.stale {
            return Ok(());
        }
        let count = |datum: &Datum| {
            let known = self.counts.iter().find(|(name, _)| *name == datum.name);
            known.map_or(datum.shape[0], |(_, count)| *count)
        };
        let samples = || self.head.data.iter().filter(|datum| datum.samples);
        for datum in samples() {
            let other =
                samples().find(|other| other.dims[0] == datum.dims[0] && count(other) != count(datum));
            if let Some(other) = other {
                let (a, b) = (count(datum), count(other));
                return Err(format!(
                    "`{}` has {a} samples and `{}` {b}: they belong together",
                    datum.name, other.name
                ));
            }
        }
        self.problem.renew();
        self.stale = false;
        Ok(())
    }

    /// The settings with other numbers for some options; an error in words. What decides which code is needed stays as it was
    /// compiled.
    pub fn settings_with(&self, numbers: &[(String, f64)]) -> Result<Settings, String> {
        let mut settings = self.settings.clone();
        for (name, number) in numbers {
            settings = settings.with(self.solver.options(), name, *number)?;
            // What has no code now is what the model does not have, such as a proximal part.
            let before = solvers::needs(self.solver, &self.settings);
            let mut needs = solvers::needs(self.solver, &settings).into_iter();
            let compiled = needs.all(|q| self.problem.has(q) || before.contains(&q));
            if !compiled || solvers::batch(&settings) != solvers::batch(&self.settings) {
                return Err(format!("`{name}` cannot be another than when the model was compiled"));
            }
        }
        Ok(settings)
    }
}

/// Why bytes are no problem that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThawError {
    /// They are something else.
    Foreign,
    /// They are of this version of the format.
    Version(u32),
    /// They are for this machine.
    Machine(String),
    /// The processor lacks this.
    Feature(String),
    /// They are not what was once written.
    Damaged,
    /// They name a method that this version does not have.
    Method(String),
    /// Their code cannot be loaded.
    Code(ImageError),
    /// Their program cannot be run.
    Program(ProgramError),
}

impl std::fmt::Display for ThawError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ThawError::Foreign => f.write_str("it holds no compiled model"),
            ThawError::Version(version) => {
                write!(f, "it has version {version} of the format, and this is for version {VERSION}")
            }
            ThawError::Machine(other) => write!(f, "it is for {other}, and this is {}", machine()),
            ThawError::Feature(name) => write!(f, "it needs a processor with {name}"),
            ThawError::Damaged => f.write_str("it is cut off or damaged"),
            ThawError::Method(name) => write!(f, "there is no method `{name}`"),
            ThawError::Code(error) => error.fmt(f),
            ThawError::Program(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ThawError {}

/// A problem that has not been run, with its method; `None` when the compiler did not keep its code.
pub fn freeze(problem: &Problem, solver: &Solver, settings: &Settings, head: &Head) -> Option<Vec<u8>> {
    let mut body = Writer::default();
    head.put(&mut body);
    solver.name.to_string().put(&mut body);
    settings.put(&mut body);
    problem.put(&mut body);
    if body.lacking {
        return None;
    }
    let mut to = Writer { bytes: MAGIC.to_vec(), lacking: false };
    VERSION.put(&mut to);
    body.bytes.len().put(&mut to);
    to.bytes.extend(checksum(&body.bytes).to_le_bytes());
    to.bytes.extend(body.bytes);
    Some(to.bytes)
}

/// What stands beside a problem, and the reader behind it.
fn open(bytes: &[u8]) -> Result<(Head, Reader<'_>), ThawError> {
    let mut from = Reader::new(bytes);
    if from.take(MAGIC.len()).ok() != Some(&MAGIC) {
        return Err(ThawError::Foreign);
    }
    let version = u32::get(&mut from)?;
    if version != VERSION {
        return Err(ThawError::Version(version));
    }
    let len = usize::get(&mut from)?;
    let sum = from.take(16)?;
    let body = from.take(len)?;
    if !from.rest().is_empty() || checksum(body).to_le_bytes() != sum {
        return Err(ThawError::Damaged);
    }
    let mut from = Reader::new(body);
    let head = Head::get(&mut from)?;
    Ok((head, from))
}

/// What stands beside a problem.
pub fn head(bytes: &[u8]) -> Result<Head, ThawError> {
    open(bytes).map(|(head, _)| head)
}

/// The problem in these bytes.
pub fn thaw(bytes: &[u8]) -> Result<Thawed, ThawError> {
    let (head, mut from) = open(bytes)?;
    if head.machine != machine() {
        return Err(ThawError::Machine(head.machine));
    }
    if let Some(lacking) = head.features.iter().find(|name| !has(name)) {
        return Err(ThawError::Feature(lacking.clone()));
    }
    let method = String::get(&mut from)?;
    let solver = solvers::named(&method).ok_or(ThawError::Method(method))?;
    let settings = Settings::get(&mut from)?;
    let problem = Problem::get(&mut from)?;
    if !from.rest().is_empty() {
        return Err(ThawError::Damaged);
    }
    Ok(Thawed { problem, solver, settings, head, counts: Vec::new(), stale: false })
}

macro_rules! detect {
    ($($name:tt)*) => {
        /// Whether the processor has a feature.
        #[cfg(target_arch = "x86_64")]
        pub fn has(feature: &str) -> bool {
            match feature {
                $($name => std::arch::is_x86_feature_detected!($name),)*
                _ => false,
            }
        }
    };
}
detect!("sse3" "ssse3" "sse4.1" "sse4.2" "popcnt" "lzcnt" "bmi1" "bmi2" "avx" "avx2" "fma" "cmpxchg16b" "avx512f" "avx512dq"
    "avx512vl" "avx512vbmi" "avx512bitalg" "avx512vnni");

/// Whether the processor has a feature.
#[cfg(not(target_arch = "x86_64"))]
pub fn has(_: &str) -> bool {
    false
}

/// Two sums of all bytes with different multipliers. Every step can be undone, so bytes that differ in one place never have the
/// same sums.
pub fn checksum(bytes: &[u8]) -> u128 {
    let (mut a, mut b) = (0x9e37_79b9_7f4a_7c15 ^ bytes.len() as u64, 0xc2b2_ae3d_27d4_eb4f_u64);
    let mut step = |word: u64| {
        a = (a ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(29);
        b = (b ^ word.rotate_left(32)).wrapping_mul(0xc4ce_b9fe_1a85_ec53).rotate_left(37);
    };
    let (words, rest) = bytes.as_chunks();
    words.iter().for_each(|w| step(u64::from_le_bytes(*w)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    step(u64::from_le_bytes(last));
    step(0);
    u128::from(a) << 64 | u128::from(b)
}

wire_variants!(Value { 0 => Number(n), 1 => Bool(b), 2 => Word(w), 3 => Call(word, arguments) });
wire_variants!(Domain { 0 => Free, 1 => Interval { lo, hi }, 2 => Simplex, 3 => Ball(radius) });
wire_variants!(Degree { 0 => Affine, 1 => Quadratic, 2 => Other });
wire_variants!(Feature {
    0 => UpperConstraints,
    1 => LowerConstraints,
    2 => Multipliers,
    3 => UpperIntegers,
    4 => LowerIntegers,
    5 => Pessimistic,
});
wire!(Block { name, shape, offset, len, domain, start });
wire!(Degrees { objective, rows });
wire!(Pair { multiplier, variable, high });
wire!(Row { multiplier, slack });
wire!(Cuts { value, branches });

impl Wire for Follower {
    fn put(&self, to: &mut Writer) {
        self.nlp.put(to);
        self.rows.put(to);
        self.quadratic.put(to);
        self.convex.put(to);
        self.whole.put(to);
    }

    /// Bounds over boxes stay with the compiler, so a thawed follower that is not convex is checked by other starts alone.
    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        let (nlp, rows) = (Wire::get(from)?, Wire::get(from)?);
        let (quadratic, convex) = (Wire::get(from)?, Wire::get(from)?);
        Ok(Follower { nlp, rows, quadratic, convex, whole: Wire::get(from)?, enclosure: None })
    }
}

impl Wire for Space {
    fn put(&self, to: &mut Writer) {
        self.blocks().to_vec().put(to);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        Space::new(Wire::get(from)?).map_err(|_| ThawError::Damaged)
    }
}

impl Wire for Constrained {
    fn put(&self, to: &mut Writer) {
        let Constrained {
            single,
            upper_rows,
            lens,
            duals,
            pairs,
            follower,
            cuts,
            degrees,
            whole,
            pessimistic,
            terms,
            sides,
            ..
        } = self;
        single.put(to);
        (*upper_rows, *lens).put(to);
        duals.put(to);
        pairs.put(to);
        follower.put(to);
        cuts.put(to);
        degrees.put(to);
        whole.put(to);
        pessimistic.put(to);
        terms.put(to);
        sides.put(to);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        Ok(Constrained {
            names: Vec::new(),
            single: Wire::get(from)?,
            upper_rows: Wire::get(from)?,
            lens: Wire::get(from)?,
            duals: Wire::get(from)?,
            pairs: Wire::get(from)?,
            follower: Wire::get(from)?,
            found: None,
            cuts: Wire::get(from)?,
            degrees: Wire::get(from)?,
            whole: Wire::get(from)?,
            pessimistic: Wire::get(from)?,
            terms: Wire::get(from)?,
            sides: Wire::get(from)?,
            proof: None,
        })
    }
}
