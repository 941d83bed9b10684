//! How a step size, or the weight of a penalty, changes with the iteration.

/// A factor on a step, as a function of the iteration `k` (from 0).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// 1.
    Constant,
    /// `(k + 1)^-p`.
    Power(f64),
    /// `r^k`.
    Geometric(f64),
    /// `(1 + cos(π k / steps)) / 2`: from 1 down to 0 over the run.
    Cosine,
}

impl Schedule {
    /// The factor at iteration `k` of a run of `steps`.
    pub fn factor(self, k: usize, steps: usize) -> f64 {
        match self {
            Schedule::Constant => 1.0,
            Schedule::Power(0.0) => 1.0,
            Schedule::Power(p) => ((k + 1) as f64).powf(-p),
            Schedule::Geometric(r) => r.powf(k as f64),
            Schedule::Cosine => {
                let share = k.min(steps) as f64 / steps.max(1) as f64;
                0.5 * (1.0 + (std::f64::consts::PI * share).cos())
            }
        }
    }
}

/// A positive number that may grow over the run, as a function of the iteration `k` (from 0).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Growth {
    /// Always the same.
    Constant(f64),
    /// `first · (k + 1)^p`.
    Power {
        /// At `k = 0`.
        first: f64,
        /// The exponent, at least 0.
        p: f64,
    },
    /// `first + by · k`.
    Linear {
        /// At `k = 0`.
        first: f64,
        /// The increase per iteration, at least 0.
        by: f64,
    },
    /// `to · min((k + 1) / over, 1)`.
    Ramp {
        /// The last value.
        to: f64,
        /// Iterations until it is reached.
        over: f64,
    },
}

impl Growth {
    /// The value at iteration `k`.
    pub fn at(self, k: usize) -> f64 {
        let k = k as f64;
        match self {
            Growth::Constant(value) => value,
            Growth::Power { first, p } => first * (k + 1.0).powf(p),
            Growth::Linear { first, by } => first + by * k,
            Growth::Ramp { to, over } => to * ((k + 1.0) / over).min(1.0),
        }
    }
}
