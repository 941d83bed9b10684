//! Bounds of variables.

/// The bounds in force.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Lower ends.
    pub lo: Vec<f64>,
    /// Upper ends.
    pub hi: Vec<f64>,
}

impl Bounds {
    /// Moves `v` to the nearest point within.
    pub fn project(&self, v: &mut [f64]) {
        for ((v, lo), hi) in v.iter_mut().zip(&self.lo).zip(&self.hi) {
            *v = v.max(*lo).min(*hi);
        }
    }

    /// The largest element of `v − P(v − g)`; infinite when `g` is not a number.
    pub fn stationarity(&self, v: &[f64], g: &[f64]) -> f64 {
        let step = |i: usize| (v[i] - (v[i] - g[i]).max(self.lo[i]).min(self.hi[i])).abs();
        if g.iter().any(|g| g.is_nan()) {
            return f64::INFINITY;
        }
        (0..v.len()).map(step).fold(0.0, f64::max)
    }

    /// Bounds that are farther apart by `room` relative to their size, where they leave any.
    pub fn wider(&self, room: f64) -> Bounds {
        let held = self.held();
        let room = |i: usize, bound: f64| {
            if held[i] || !bound.is_finite() { 0.0 } else { room * bound.abs().max(1.0) }
        };
        Bounds {
            lo: self.lo.iter().enumerate().map(|(i, lo)| lo - room(i, *lo)).collect(),
            hi: self.hi.iter().enumerate().map(|(i, hi)| hi + room(i, *hi)).collect(),
        }
    }

    /// Which variables cannot move.
    pub fn held(&self) -> Vec<bool> {
        self.lo.iter().zip(&self.hi).map(|(lo, hi)| lo >= hi).collect()
    }
}
