//! The list of kernels with the names and addresses that generated code is linked against.

use crate::elementwise::{self, Binary, Unary, binary, unary};
use crate::level::Level;
use crate::real::Real;
use crate::reduce::{self, Reduce, Reduce2, reduction, reduction2};
use crate::rows::{self, Rows, rows};

/// The C signature of a kernel; `T` is the kernel's element type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// `fn(n: usize, out: *mut T, a: *const T)`; `out` may equal `a`.
    Unary,
    /// `fn(n: usize, out: *mut T, a: *const T, b: *const T)`; `out` may equal an input.
    Binary,
    /// `fn(n: usize, a: *const T) -> T`.
    Reduce,
    /// `fn(n: usize, a: *const T, b: *const T) -> T`.
    Reduce2,
    /// `fn(rows: usize, cols: usize, out: *mut T, x: *const T)`, row-major; `out` may equal `x`.
    Rows,
}

/// The element type of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// `f32`.
    Single,
    /// `f64`.
    Double,
}

/// A kernel to be linked by name or called by address.
#[derive(Clone, Copy, Debug)]
pub struct Symbol {
    /// The link name, as `blo_k_exp_f64`.
    pub name: &'static str,
    /// The code for the level asked for.
    pub address: *const u8,
    /// How to call it.
    pub signature: Signature,
    /// What it computes.
    pub kernel: Kernel,
    /// Its element type.
    pub precision: Precision,
}

// SAFETY: the address is that of code, which is never written or freed.
unsafe impl Send for Symbol {}
// SAFETY: as above.
unsafe impl Sync for Symbol {}

macro_rules! kernels {
    ($($(#[$doc:meta])* $kernel:ident $name:literal $signature:ident $alias:ident
       $pick:ident::<$operation:path>;)*) => {
        /// What a kernel computes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kernel { $($(#[$doc])* $kernel,)* }

        impl Kernel {
            /// Every kernel.
            pub const ALL: &'static [Kernel] = &[$(Kernel::$kernel),*];

            /// The plain name, as `exp`.
            pub fn name(self) -> &'static str {
                match self { $(Kernel::$kernel => $name,)* }
            }

            /// The link name.
            pub fn symbol_name(self, precision: Precision) -> &'static str {
                match (self, precision) {
                    $((Kernel::$kernel, Precision::Single) => concat!("blo_k_", $name, "_f32"),
                      (Kernel::$kernel, Precision::Double) => concat!("blo_k_", $name, "_f64"),)*
                }
            }

            /// How to call it.
            pub fn signature(self) -> Signature {
                match self { $(Kernel::$kernel => Signature::$signature,)* }
            }

            fn address<E: Real>(self, level: Level) -> *const u8 {
                match self {
                    $(Kernel::$kernel => {
                        let code: $alias<E> = $pick::<E, $operation>(level);
                        code as *const u8
                    })*
                }
            }
        }
    };
}

kernels! {
    /// e^x.
    Exp "exp" Unary Unary unary::<elementwise::Exp>;
    /// Natural logarithm.
    Log "log" Unary Unary unary::<elementwise::Log>;
    /// ln(1 + x).
    Log1p "log1p" Unary Unary unary::<elementwise::Log1p>;
    /// e^x - 1.
    Expm1 "expm1" Unary Unary unary::<elementwise::Expm1>;
    /// Sine.
    Sin "sin" Unary Unary unary::<elementwise::Sin>;
    /// Cosine.
    Cos "cos" Unary Unary unary::<elementwise::Cos>;
    /// Tangent.
    Tan "tan" Unary Unary unary::<elementwise::Tan>;
    /// Arc sine.
    Asin "asin" Unary Unary unary::<elementwise::Asin>;
    /// Arc cosine.
    Acos "acos" Unary Unary unary::<elementwise::Acos>;
    /// Arc tangent.
    Atan "atan" Unary Unary unary::<elementwise::Atan>;
    /// Hyperbolic sine.
    Sinh "sinh" Unary Unary unary::<elementwise::Sinh>;
    /// Hyperbolic cosine.
    Cosh "cosh" Unary Unary unary::<elementwise::Cosh>;
    /// Hyperbolic tangent.
    Tanh "tanh" Unary Unary unary::<elementwise::Tanh>;
    /// 1/(1 + e^-x).
    Sigmoid "sigmoid" Unary Unary unary::<elementwise::Sigmoid>;
    /// ln(1 + e^x).
    Softplus "softplus" Unary Unary unary::<elementwise::Softplus>;
    /// Error function.
    Erf "erf" Unary Unary unary::<elementwise::Erf>;
    /// x^y.
    Pow "pow" Binary Binary binary::<elementwise::Pow>;
    /// Sum.
    Sum "sum" Reduce Reduce reduction::<reduce::Sum>;
    /// Sum of squares.
    SumSquares "sumsq" Reduce Reduce reduction::<reduce::SumSquares>;
    /// Maximum; NaN if any element is.
    Max "max" Reduce Reduce reduction::<reduce::Max>;
    /// Minimum; NaN if any element is.
    Min "min" Reduce Reduce reduction::<reduce::Min>;
    /// Inner product.
    Dot "dot" Reduce2 Reduce2 reduction2::<reduce::Dot>;
    /// Softmax of every row.
    SoftmaxRows "softmax_rows" Rows Rows rows::<rows::Softmax>;
    /// Logarithm of the softmax of every row.
    LogSoftmaxRows "log_softmax_rows" Rows Rows rows::<rows::LogSoftmax>;
    /// Log-sum-exp of every row; `out` has one element a row.
    LogSumExpRows "logsumexp_rows" Rows Rows rows::<rows::LogSumExp>;
}

/// The kernel's symbol at a level. The code must only be called on a machine that supports the level.
pub fn symbol_for(level: Level, kernel: Kernel, precision: Precision) -> Symbol {
    let address = match precision {
        Precision::Single => kernel.address::<f32>(level),
        Precision::Double => kernel.address::<f64>(level),
    };
    Symbol { name: kernel.symbol_name(precision), address, signature: kernel.signature(), kernel, precision }
}

/// The kernel's symbol at the level of this machine.
pub fn symbol(kernel: Kernel, precision: Precision) -> Symbol {
    symbol_for(Level::detect(), kernel, precision)
}

/// All symbols at a level, in the order of [`Kernel::ALL`], double precision before single.
pub fn symbols_for(level: Level) -> Vec<Symbol> {
    let precisions = [Precision::Double, Precision::Single];
    precisions.iter().flat_map(|&p| Kernel::ALL.iter().map(move |&k| symbol_for(level, k, p))).collect()
}

/// All symbols at the level of this machine.
pub fn symbols() -> Vec<Symbol> {
    symbols_for(Level::detect())
}

/// The symbol of this link name at the level of this machine.
pub fn lookup(name: &str) -> Option<Symbol> {
    symbols().into_iter().find(|s| s.name == name)
}
