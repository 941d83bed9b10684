//! Shared by the kernel tests: calling a kernel at a chosen level, and distances in units in the last place.

use blo_kernels::{Binary, Kernel, Level, Precision, Reduce, Reduce2, Rows, Unary, symbol_for};

/// An element type of the tests.
pub trait Number: blo_kernels::Float + PartialEq {
    const PRECISION: Precision;
    /// Distance from one to the next number.
    const UNIT: f64;
    /// Position on the line of all floats, so that neighbours differ by one.
    fn place(self) -> i64;
    fn bits(self) -> u64;
    fn of(x: f64) -> Self;
    /// The number of these (lowest) bits.
    fn from_bits(bits: u64) -> Self;
    /// A unit in the last place at a normal number of this size.
    fn unit(x: f64) -> f64;
    fn nan(self) -> bool;
}

impl Number for f64 {
    const PRECISION: Precision = Precision::Double;
    const UNIT: f64 = f64::EPSILON;
    fn place(self) -> i64 {
        let bits = self.to_bits() as i64;
        if bits < 0 { i64::MIN - bits } else { bits }
    }
    fn bits(self) -> u64 {
        self.to_bits()
    }
    fn of(x: f64) -> Self {
        x
    }
    fn from_bits(bits: u64) -> Self {
        f64::from_bits(bits)
    }
    fn unit(x: f64) -> f64 {
        2f64.powi(exponent(x)) * Self::UNIT
    }
    fn nan(self) -> bool {
        self.is_nan()
    }
}

impl Number for f32 {
    const PRECISION: Precision = Precision::Single;
    const UNIT: f64 = f32::EPSILON as f64;
    fn place(self) -> i64 {
        let bits = self.to_bits() as i32;
        i64::from(if bits < 0 { i32::MIN - bits } else { bits })
    }
    fn bits(self) -> u64 {
        u64::from(self.to_bits())
    }
    fn of(x: f64) -> Self {
        x as f32
    }
    fn from_bits(bits: u64) -> Self {
        f32::from_bits(bits as u32)
    }
    fn unit(x: f64) -> f64 {
        2f64.powi(exponent(x)) * Self::UNIT
    }
    fn nan(self) -> bool {
        self.is_nan()
    }
}

/// The exponent of a normal double.
fn exponent(x: f64) -> i32 {
    ((x.to_bits() >> 52) & 0x7ff) as i32 - 1023
}

/// Distance in units in the last place; zero between two NaN, huge between NaN and a number.
pub fn ulps<T: Number>(a: T, b: T) -> u64 {
    if a.nan() && b.nan() {
        0
    } else if a.nan() || b.nan() {
        u64::MAX
    } else {
        a.place().abs_diff(b.place())
    }
}

macro_rules! callers {
    ($($name:ident -> $alias:ident;)*) => {
        $(
            pub fn $name<T: Number>(level: Level, kernel: Kernel) -> $alias<T> {
                assert!(level.supported());
                let address = symbol_for(level, kernel, T::PRECISION).address;
                // SAFETY: the kernel has this signature.
                unsafe { std::mem::transmute::<*const u8, $alias<T>>(address) }
            }
        )*
    };
}
callers! {
    unary -> Unary;
    binary -> Binary;
    reduction -> Reduce;
    reduction2 -> Reduce2;
    rows -> Rows;
}

/// The kernel over a slice, at a level.
pub fn map<T: Number>(level: Level, kernel: Kernel, x: &[T]) -> Vec<T> {
    let mut out = x.to_vec();
    // SAFETY: both arrays have x.len() elements.
    unsafe { unary::<T>(level, kernel)(x.len(), out.as_mut_ptr(), x.as_ptr()) };
    out
}

/// A small fixed generator (splitmix64).
pub struct Random(pub u64);
impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// Uniform in [low, high).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.bits() >> 11) as f64 * 2f64.powi(-53)
    }
}
