//! The result as a short text for people.

use std::fmt::Write as _;

use super::{RunResult, Seconds, Variable};
use crate::stopwatch::PARTS;

/// Variables with up to this many elements are printed in full.
const FULL: usize = 12;

/// The same for variables with labels, which say more than a range of values.
const FULL_LABELLED: usize = 60;

/// Reading this many numbers is worth a word.
const LARGE_DATA: usize = 1 << 20;

/// What the point is worth, in numbers with their names.
pub fn figures(result: &RunResult) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> = vec![("upper objective".into(), number(result.upper_objective))];
    let mut add = |name: &str, value: f64| rows.push((name.into(), number(value)));
    if let Some(lower) = result.lower {
        add("lower objective", lower.objective);
        result.followers.iter().for_each(|(name, value)| add(&format!("{name} objective"), *value));
        add("lower gap", lower.gap);
        add("lower stationarity", lower.stationarity);
    }
    match (result.violation, result.lower.is_some()) {
        (Some(violation), _) => add("violation", violation),
        (None, true) => add("hypergradient norm", result.hypergradient_norm),
        (None, false) => add("gradient norm", result.hypergradient_norm),
    }
    result.reports.iter().for_each(|(name, value)| add(name, *value));
    rows
}

/// How the follower's answer moves, and multipliers, where there are any.
fn about_answers(out: &mut String, result: &RunResult) {
    let slopes = result.slopes.iter().map(|(v, _)| (v.name.clone(), values(v)));
    let multipliers = result.multipliers.iter().map(|v| (format!("dual({})", v.name), values(v)));
    let rows: Vec<(String, String)> = slopes.chain(multipliers).collect();
    let rows: Vec<(&str, String)> = rows.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    if rows.is_empty() {
        return;
    }
    table(out, &rows);
    for (slope, note) in &result.slopes {
        if let Some(note) = note {
            let _ = writeln!(out, "  {}: {note}", slope.name);
        }
    }
    out.push('\n');
}

/// The summary, ending in a newline.
pub fn summary(result: &RunResult) -> String {
    let mut out = format!("{}: {}\n\n", result.status, result.verdict);
    let rows = figures(result);
    let rows: Vec<(&str, String)> = rows.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    table(&mut out, &rows);
    out.push('\n');
    let variables: Vec<(&str, String)> =
        result.variables.iter().map(|v| (v.name.as_str(), values(v))).collect();
    table(&mut out, &variables);
    out.push('\n');
    about_answers(&mut out, result);
    for (text, holds) in &result.expects {
        let _ = writeln!(out, "  {} expect {text}", if *holds { '✓' } else { '✗' });
    }
    if !result.expects.is_empty() {
        out.push('\n');
    }
    let seconds = result.seconds;
    let read = if seconds.data >= LARGE_DATA {
        format!("{:.3} s to read data, ", seconds.read())
    } else {
        String::new()
    };
    let _ = writeln!(
        out,
        "{}, {} iterations, {:.3} s ({read}{:.3} s to compile, {:.3} s to solve)",
        result.method,
        result.iterations,
        seconds.total(),
        seconds.compile(),
        seconds.solve()
    );
    if let Some(epochs) = result.epochs {
        let _ = writeln!(out, "{epochs:.1} passes over the sampled terms");
    }
    if let Some(kept) = result.kept {
        let _ = writeln!(out, "the iterate of iteration {kept} was kept, the best by what was watched");
    }
    if let Some(starts) = &result.starts {
        let feasible = starts.lines.iter().filter(|start| start.feasible).count();
        let total = starts.lines.len();
        let _ = writeln!(
            out,
            "the best of {total} starts is number {}; {feasible} of them ended at a point that the model allows",
            starts.number
        );
    }
    if let Some(trajectory) = result.trajectory.as_ref().filter(|held| *held != "kept") {
        let _ = writeln!(out, "trajectory: {trajectory}");
    }
    if let Some(because) = &result.because {
        let _ = writeln!(out, "{} was chosen because {because}", result.method);
    }
    out
}

/// How long each part took, in milliseconds.
pub fn timings(seconds: &Seconds) -> String {
    let milliseconds = |s: f64| format!("{:>12.3} ms", 1e3 * s);
    let mut rows: Vec<(&str, String)> =
        PARTS.iter().zip(seconds.parts).map(|(part, s)| (*part, milliseconds(s))).collect();
    if seconds.cached {
        let from_cache = rows.iter_mut().filter(|(part, _)| *part == "codegen");
        from_cache.for_each(|(_, text)| text.push_str("  (from the cache)"));
    }
    rows.push(("total", milliseconds(seconds.total())));
    let mut out = String::from("\n");
    table(&mut out, &rows);
    out
}

/// Names and values in two columns.
pub fn table(out: &mut String, rows: &[(&str, String)]) {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in rows {
        let _ = writeln!(out, "  {name}{} {value}", " ".repeat(width - name.chars().count()));
    }
}

/// Small variables in full, large ones by shape and range.
fn values(variable: &Variable) -> String {
    let Variable { shape, values, labels, .. } = variable;
    if shape.is_empty() {
        return values.first().map_or_else(String::new, |v| number(*v));
    }
    if values.len() <= if variable.is_labelled() { FULL_LABELLED } else { FULL } {
        return bracketed(shape, values, labels);
    }
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let odd = values.iter().filter(|v| !v.is_finite()).count();
    let odd = if odd > 0 { format!(", {odd} not finite") } else { String::new() };
    format!("[{}]  min {}, mean {}, max {}{odd}", sizes.join(", "), number(low), number(mean), number(high))
}

/// `[1, 2]`, or `[Paris: 1, Lyon: 2]` along an axis with labels.
fn bracketed(shape: &[usize], values: &[f64], labels: &[Option<Vec<String>>]) -> String {
    let Some((&size, inner)) = shape.split_first() else {
        return values.first().map_or_else(String::new, |v| number(*v));
    };
    let step: usize = inner.iter().product();
    let (own, others) = labels.split_first().map_or((None, labels), |(own, others)| (own.as_ref(), others));
    let parts = (0..size).map(|i| {
        let part = bracketed(inner, &values[i * step..(i + 1) * step], others);
        match own.and_then(|names| names.get(i)) {
            Some(name) => format!("{name}: {part}"),
            None => part,
        }
    });
    let parts: Vec<String> = parts.collect();
    format!("[{}]", parts.join(", "))
}

/// Six significant digits, in powers of ten where the number is very small or large.
pub fn number(value: f64) -> String {
    if value.is_nan() {
        return "not defined".into();
    }
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let magnitude = value.abs().log10().floor();
    if !(-4.0..7.0).contains(&magnitude) {
        let text = format!("{value:.5e}");
        return match text.split_once('e') {
            Some((digits, power)) => format!("{}e{power}", trim_zeros(digits)),
            None => text,
        };
    }
    let decimals = (5.0 - magnitude).max(0.0) as usize;
    trim_zeros(&format!("{value:.decimals$}")).to_string()
}

fn trim_zeros(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_six_digits() {
        let cases = [
            (7.2, "7.2"),
            (1.0 / 3.0, "0.333333"),
            (1234567.8, "1234568"),
            (12345678.9, "1.23457e7"),
            (1e-5, "1e-5"),
            (0.00012345678, "0.000123457"),
            (-0.5, "-0.5"),
            (0.0, "0"),
            (100.0, "100"),
            (f64::NAN, "not defined"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn the_summary_says_everything() {
        let text = summary(&super::super::sample());
        for part in [
            "solved: stationary at both levels",
            "upper objective    7.2",
            "accuracy           0.9336",
            "w    [[1, 2], [3, inf]]",
            "flow [Paris: [0, 3], Lyon: [4, 0]]",
            "big  [100]  min 0, mean 49.5, max 99",
            "✓ expect accuracy >= 0.92",
            "✗ expect accuracy >= 0.99",
            "bome, 2000 iterations, 1.763 s (0.250 s to read data, 0.013 s to compile, 1.500 s to solve)",
        ] {
            assert!(text.contains(part), "`{part}` in\n{text}");
        }
    }

    #[test]
    fn timings_have_a_row_for_every_part() {
        let mut seconds = super::super::sample().seconds;
        let text = timings(&seconds);
        assert_eq!(text.lines().count(), 1 + PARTS.len() + 1, "{text}");
        assert!(text.contains("codegen") && text.ends_with("1762.600 ms\n"), "{text}");
        assert!(!text.contains("cache"));
        seconds.cached = true;
        assert!(timings(&seconds).contains("4.000 ms  (from the cache)"));
    }
}
