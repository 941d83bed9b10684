//! How a step size changes with the iteration.

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
