//! Pictures in a terminal: curves in braille, matrices in shades.

use std::fmt::Write as _;

use ndarray::ArrayView2;

use crate::output::human::number;

/// Characters of a picture.
const WIDTH: usize = 64;
const HEIGHT: usize = 14;

/// Braille dots of a character by column and row.
const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Shades from low to high.
const SHADES: [char; 5] = ['·', '░', '▒', '▓', '█'];

/// A curve through points, with the ends of both axes; on a logarithmic scale where all values are positive and differ by more than
/// a factor of 1000.
pub fn curve(title: &str, points: &[(f64, f64)]) -> String {
    let finite: Vec<(f64, f64)> =
        points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
    let ends = |values: &dyn Fn(&(f64, f64)) -> f64| {
        finite.iter().map(values).fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)))
    };
    let ((x0, x1), (low, high)) = (ends(&|p| p.0), ends(&|p| p.1));
    if finite.is_empty() {
        return format!("{title}: nothing that could be drawn\n");
    }
    let logarithmic = low > 0.0 && high / low > 1e3;
    let scale = |y: f64| if logarithmic { y.log10() } else { y };
    let (y0, y1) = (scale(low), scale(high));
    let along = |v: f64, a: f64, b: f64, cells: usize| {
        let share = if b > a { (v - a) / (b - a) } else { 0.5 };
        ((share * (cells - 1) as f64).round() as usize).min(cells - 1)
    };
    let place = |(x, y): (f64, f64)| {
        (along(x, x0, x1, 2 * WIDTH), 4 * HEIGHT - 1 - along(scale(y), y0, y1, 4 * HEIGHT))
    };
    let mut cells = vec![[0_u32; WIDTH]; HEIGHT];
    let mut dot = |(x, y): (usize, usize)| cells[y / 4][x / 2] |= DOTS[x % 2][y % 4];
    dot(place(finite[0]));
    for pair in finite.windows(2) {
        let ((ax, ay), (bx, by)) = (place(pair[0]), place(pair[1]));
        let steps = ax.abs_diff(bx).max(ay.abs_diff(by)).max(1);
        for step in 0..=steps {
            let between = |a: usize, b: usize| {
                (a as f64 + (b as f64 - a as f64) * step as f64 / steps as f64).round() as usize
            };
            dot((between(ax, bx), between(ay, by)));
        }
    }
    let (top, bottom) = (number(high), number(low));
    let margin = top.chars().count().max(bottom.chars().count());
    let mut out = format!("{title}{}\n", if logarithmic { ", logarithmic" } else { "" });
    for (at, row) in cells.iter().enumerate() {
        let label = match at {
            0 => top.as_str(),
            _ if at + 1 == HEIGHT => bottom.as_str(),
            _ => "",
        };
        let line: String = row.iter().map(|bits| char::from_u32(0x2800 + bits).unwrap_or(' ')).collect();
        let _ = writeln!(out, "{label:>margin$} │{line}");
    }
    let (left, right) = (number(x0), number(x1));
    let gap = WIDTH.saturating_sub(left.chars().count() + right.chars().count());
    let _ = writeln!(out, "{:margin$} └{}", "", "─".repeat(WIDTH));
    let _ = writeln!(out, "{:margin$}  {left}{:gap$}{right}", "", "");
    out
}

/// A matrix, each element or block of elements a shade.
pub fn shades(title: &str, matrix: &ArrayView2<'_, f64>) -> String {
    let (height, width) = matrix.dim();
    let finite = || matrix.iter().copied().filter(|v| v.is_finite());
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    if height == 0 || width == 0 || low > high {
        return format!("{title}: nothing that could be drawn\n");
    }
    let (rows, columns) = (height.min(2 * HEIGHT), width.min(WIDTH / 2));
    let mut out = format!("{title}\n");
    for row in 0..rows {
        let line: String = (0..columns)
            .flat_map(|column| {
                let block = matrix.slice(ndarray::s![
                    row * height / rows..((row + 1) * height / rows).max(row * height / rows + 1),
                    column * width / columns
                        ..((column + 1) * width / columns).max(column * width / columns + 1)
                ]);
                let mean = block.iter().sum::<f64>() / block.len() as f64;
                let share = if high > low { (mean - low) / (high - low) } else { 0.0 };
                let shade = if mean.is_finite() { SHADES[((share * 5.0) as usize).min(4)] } else { '?' };
                [shade, shade]
            })
            .collect();
        let _ = writeln!(out, "  {line}");
    }
    let _ = writeln!(out, "  {} {} … {} {}", SHADES[0], number(low), SHADES[4], number(high));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_from_corner_to_corner() {
        let text = curve("f", &[(0.0, 0.0), (1.0, 1.0)]);
        let lines: Vec<&str> = text.lines().collect();
        // Its last dot is the upper one on the right.
        assert!(lines[1].ends_with('⠉'), "{text}");
        assert!(lines[1].starts_with("1 │⠀") && lines[HEIGHT].starts_with("0 │"), "{text}");
        assert_ne!(lines[HEIGHT].chars().nth(3), Some('⠀'), "{text}");
    }

    #[test]
    fn nothing_is_no_reason_to_fail() {
        assert!(curve("f", &[]).contains("nothing") && curve("f", &[(0.0, f64::NAN)]).contains("nothing"));
        assert!(curve("f", &[(0.0, 1.0)]).contains("1 │"));
        assert!(curve("f", &[(0.0, 1e-6), (1.0, 1.0)]).starts_with("f, logarithmic"));
        let matrix = ndarray::array![[0.0, 1.0], [0.5, f64::NAN]];
        assert!(shades("m", &matrix.view()).contains("··██\n  ▒▒??"));
    }
}
