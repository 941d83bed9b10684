//! Axes: the range of some values, linear or in powers of ten, and round numbers to mark on it.

use crate::output::human::number;

/// Values whose largest is this much larger than their smallest are shown in powers of ten.
const WIDE: f64 = 50.0;

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The ends, in logarithms of base ten where `log`.
    low: f64,
    high: f64,
    /// Whether it is in powers of ten.
    pub log: bool,
}

impl Axis {
    /// The range of the values with some room; in powers of ten where all are positive and they differ much.
    pub fn fit(values: impl Iterator<Item = f64> + Clone) -> Axis {
        let finite = values.filter(|v| v.is_finite());
        let low = finite.clone().fold(f64::INFINITY, f64::min);
        let high = finite.fold(f64::NEG_INFINITY, f64::max);
        if low > high {
            return Axis { low: 0.0, high: 1.0, log: false };
        }
        let log = low > 0.0 && high / low > WIDE;
        let (low, high) = if log { (low.log10(), high.log10()) } else { (low, high) };
        let room = match high - low {
            // One value: as much room as it needs to be marked.
            0.0 => 0.5 * low.abs().max(1e-12),
            span => 0.05 * span,
        };
        Axis { low: low - room, high: high + room, log }
    }

    /// Positive values in powers of ten whatever their range; those that are not positive have no place.
    pub fn fit_log(values: impl Iterator<Item = f64> + Clone) -> Axis {
        let logs = values.filter(|v| *v > 0.0 && v.is_finite()).map(f64::log10);
        let Axis { low, high, .. } = Axis::with_room(logs, 0.1);
        Axis { low, high, log: true }
    }

    /// The range of finite values with some room, never in powers of ten.
    pub fn fit_linear(values: impl Iterator<Item = f64> + Clone) -> Axis {
        let Axis { low, high, .. } = Axis::with_room(values.filter(|v| v.is_finite()), 0.0);
        if low == high { Axis::fit(std::iter::once(low)) } else { Axis { low, high, log: false } }
    }

    /// From one value to another, without room.
    pub fn between(low: f64, high: f64) -> Axis {
        Axis { low, high, log: false }
    }

    fn with_room(values: impl Iterator<Item = f64> + Clone, least: f64) -> Axis {
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.fold(f64::NEG_INFINITY, f64::max);
        if low > high {
            return Axis { low: -1.0, high: 1.0, log: false };
        }
        let room = (0.05 * (high - low)).max(least);
        Axis { low: low - room, high: high + room, log: false }
    }

    /// The place of a value, 0 at the low end and 1 at the high one; NaN where it has none.
    pub fn place(&self, value: f64) -> f64 {
        let value = if self.log { value.log10() } else { value };
        (value - self.low) / (self.high - self.low)
    }

    /// Round numbers on the axis, about `wanted` of them, with what is written beside each.
    pub fn ticks(&self, wanted: usize) -> Vec<(f64, String)> {
        if self.log { self.powers(wanted) } else { self.round(wanted) }
    }

    fn powers(&self, wanted: usize) -> Vec<(f64, String)> {
        let span = self.high - self.low;
        if span < 1.5 {
            let decades = self.low.floor() as i32..=self.high.ceil() as i32;
            let values = decades.flat_map(|k| [1.0, 2.0, 5.0].map(|m| m * 10f64.powi(k)));
            let inside = values.filter(|v| (0.0..=1.0).contains(&self.place(*v)));
            return inside.map(|v| (v, number(v))).collect();
        }
        let step = (span / wanted.max(1) as f64).ceil().max(1.0) as i32;
        let first = (self.low / f64::from(step)).ceil() as i32 * step;
        let powers = (first..=self.high.floor() as i32).step_by(step as usize);
        powers.map(|k| (10f64.powi(k), format!("10{}", superscript(k)))).collect()
    }

    fn round(&self, wanted: usize) -> Vec<(f64, String)> {
        let rough = (self.high - self.low) / (wanted + 1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let step =
            [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= rough).unwrap_or(rough);
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        let decimals = (-step.log10().floor()).max(0.0) as usize;
        // Where the axis is short and far from 0, its numbers would need too many digits to tell them apart.
        let size = self.low.abs().max(self.high.abs());
        let write =
            |v: f64| if !(1e-3..1e6).contains(&size) { short(v, step) } else { format!("{v:.decimals$}") };
        (first..=last).map(|k| k as f64 * step).map(|v| (v, write(v))).collect()
    }
}

/// A number in powers of ten, with as many digits as tell multiples of `step` apart.
fn short(value: f64, step: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let power = value.abs().log10().floor();
    let digits = (power - step.log10().floor()).clamp(0.0, 6.0) as usize;
    let mantissa = value / 10f64.powf(power);
    format!("{mantissa:.digits$}·10{}", superscript(power as i32))
}

fn superscript(k: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digit = |c: char| c.to_digit(10).map_or('⁻', |d| DIGITS[d as usize]);
    k.to_string().chars().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, wanted: usize) -> Vec<String> {
        axis.ticks(wanted).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn linear_axes_have_round_numbers() {
        let axis = Axis::fit([0.1, 1.0].into_iter());
        assert!(!axis.log);
        assert_eq!(labels(&axis, 5), ["0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(
            labels(&Axis::fit([-30.0, 70.0, f64::NAN].into_iter()), 5),
            ["-20", "0", "20", "40", "60"]
        );
        assert_eq!(labels(&Axis::fit([2e7, 4e7].into_iter()), 2), ["2·10⁷", "3·10⁷", "4·10⁷"]);
        let point = Axis::fit([3.0].into_iter());
        assert_eq!(point.place(3.0), 0.5);
        assert!(!labels(&point, 4).is_empty());
    }

    #[test]
    fn wide_axes_have_powers_of_ten() {
        let axis = Axis::fit([1e-6, 1.0].into_iter());
        assert!(axis.log);
        assert_eq!(labels(&axis, 4), ["10⁻⁶", "10⁻⁴", "10⁻²", "10⁰"]);
        assert!(axis.place(0.0) < 0.0 && axis.place(-1.0).is_nan());
        let narrow = Axis::fit_log([3.0, 8.0].into_iter());
        assert_eq!(labels(&narrow, 4), ["5", "10"]);
        assert_eq!(labels(&Axis::fit_log([0.0].into_iter()), 4), ["10⁻¹", "10⁰", "10¹"]);
    }
}
