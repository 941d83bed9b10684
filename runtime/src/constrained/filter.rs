//! The filter of a line search: pairs of violation and barrier objective that no later point may be worse than in both.
//!
//! Source: R. Fletcher, S. Leyffer, "Nonlinear programming without a penalty function", Math. Programming 91 (2002), in the form of
//! A. Wächter, L. T. Biegler, Math. Programming 106 (2006), equations (18)–(22).

/// Sufficient decrease of the violation.
const GAMMA_VIOLATION: f64 = 1e-5;
/// Sufficient decrease of the objective, per violation.
const GAMMA_OBJECTIVE: f64 = 1e-8;
/// Exponent and factor of the switching condition.
const SWITCH: (f64, f64) = (1.1, 2.3);
/// Sufficient decrease of the objective, per slope.
const ARMIJO: f64 = 1e-4;

/// A violation (1-norm) with a barrier objective.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// `θ`.
    pub violation: f64,
    /// `φ`.
    pub objective: f64,
}

impl Measure {
    fn is_finite(self) -> bool {
        self.violation.is_finite() && self.objective.is_finite()
    }
}

/// The entries since the barrier fell last.
#[derive(Clone, Debug)]
pub struct Filter {
    entries: Vec<Measure>,
    /// The largest violation let in, and the one below which the objective decides.
    most: f64,
    small: f64,
}

impl Filter {
    /// For a run that starts with this violation.
    pub fn new(violation: f64) -> Self {
        let unit = violation.max(1.0);
        Filter { entries: Vec::with_capacity(256), most: 1e4 * unit, small: 1e-4 * unit }
    }

    /// Forgets all entries.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Shuts out what is no better than this.
    pub fn add(&mut self, m: Measure) {
        self.entries.push(Measure {
            violation: (1.0 - GAMMA_VIOLATION) * m.violation,
            objective: m.objective - GAMMA_OBJECTIVE * m.violation,
        });
    }

    /// Whether a trial is let in at all.
    pub fn admits(&self, trial: Measure) -> bool {
        let beats = |e: &Measure| trial.violation <= e.violation || trial.objective <= e.objective;
        trial.is_finite() && trial.violation <= self.most && self.entries.iter().all(beats)
    }

    /// Whether a trial at step length `alpha` with slope `alpha · slope` is an improvement on `now`; true in the second place when it is
    /// one by its objective alone, so that the filter need not remember where it came from.
    pub fn improves(&self, now: Measure, trial: Measure, slope: f64, alpha: f64) -> (bool, bool) {
        if !self.admits(trial) {
            return (false, false);
        }
        // Rounding hides smaller changes of the objective.
        let noise = 1e-14 * now.objective.abs().max(1.0);
        let steep = slope < 0.0 && alpha * (-slope).powf(SWITCH.1) > now.violation.powf(SWITCH.0);
        if steep && now.violation <= self.small {
            return (trial.objective <= now.objective + ARMIJO * alpha * slope + noise, true);
        }
        let closer = trial.violation <= (1.0 - GAMMA_VIOLATION) * now.violation;
        let lower = trial.objective <= now.objective - GAMMA_OBJECTIVE * now.violation + noise;
        (closer || lower, false)
    }
}
