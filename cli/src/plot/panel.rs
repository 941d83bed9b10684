//! One panel: a frame with two axes, and curves in it.

use super::axis::Axis;
use super::scene::{Anchor, Colour, Dash, FAINT, FRAME, GRID, INK, Scene, Shape, label, line};

/// The width and height of a frame.
pub const PANEL: (f32, f32) = (400.0, 190.0);
/// Room for the numbers left of a frame.
pub const LEFT: f32 = 62.0;
/// Room for the title above it.
pub const ABOVE: f32 = 26.0;
/// Room for the numbers below it.
pub const BELOW: f32 = 34.0;

/// What a panel shows beside its curves.
pub struct Panel<'a> {
    /// What is drawn.
    pub title: &'a str,
    /// Over what.
    pub foot: &'a str,
    /// The axis of the places.
    pub horizontal: Axis,
    /// The axis of the values.
    pub vertical: Axis,
    /// A value to compare with.
    pub level: Option<f64>,
}

/// A curve.
pub struct Curve {
    /// Its points.
    pub points: Vec<(f64, f64)>,
    /// Its colour.
    pub colour: Colour,
    /// Its dashes.
    pub dash: Dash,
    /// The mark at its end, where it has one: filled or a ring.
    pub end: Option<bool>,
}

impl Panel<'_> {
    /// Draws the panel with its frame's upper left corner at a point. The first curve is drawn last, over the others.
    pub fn draw(&self, scene: &mut Scene, (x, y): (f32, f32), curves: &[Curve]) {
        let Panel { horizontal, vertical, .. } = self;
        let (w, h) = PANEL;
        self.draw_frame(scene, (x, y), true);
        let right = |value: f64| x + w * horizontal.place(value) as f32;
        let down = |value: f64| y + h * (1.0 - vertical.place(value) as f32);
        for curve in curves.iter().rev() {
            let Curve { colour, dash, end, .. } = *curve;
            let points: Vec<(f32, f32)> = curve.points.iter().map(|(a, b)| (right(*a), down(*b))).collect();
            for part in inside(&points, (x, y), (x + w, y + h)) {
                scene.shapes.push(line(part, colour, 2.0, dash));
            }
            let last = points.last().filter(|(a, b)| (x..=x + w).contains(a) && (y..=y + h).contains(b));
            if let (Some(filled), Some(centre)) = (end, last) {
                scene.shapes.push(Shape::Disc { centre: *centre, radius: 3.5, colour, filled });
            }
        }
    }

    /// Draws all but curves; `numbers`: whether places are written below.
    pub fn draw_frame(&self, scene: &mut Scene, (x, y): (f32, f32), numbers: bool) {
        let Panel { horizontal, vertical, .. } = self;
        let (w, h) = PANEL;
        let right = |value: f64| x + w * horizontal.place(value) as f32;
        let down = |value: f64| y + h * (1.0 - vertical.place(value) as f32);
        for (value, text) in vertical.ticks(5) {
            let at = down(value);
            scene.shapes.push(line(vec![(x, at), (x + w, at)], GRID, 1.0, &[]));
            scene.shapes.push(label((x - 8.0, at + 4.0), &text, 11.0, Anchor::End, FAINT));
        }
        for (value, text) in if numbers { horizontal.ticks(6) } else { Vec::new() } {
            let at = right(value);
            scene.shapes.push(line(vec![(at, y), (at, y + h)], GRID, 1.0, &[]));
            scene.shapes.push(label((at, y + h + 16.0), &text, 11.0, Anchor::Middle, FAINT));
        }
        let frame = vec![(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)];
        scene.shapes.push(line(frame, FRAME, 1.0, &[]));
        let scale = |axis: &Axis| if axis.log { " (log scale)" } else { "" };
        let heading = format!("{}{}", self.title, scale(vertical));
        scene.shapes.push(label((x, y - 8.0), &heading, 12.0, Anchor::Start, INK));
        let foot = format!("{}{}", self.foot, scale(horizontal));
        scene.shapes.push(label((x + w, y + h + 31.0), &foot, 11.0, Anchor::End, FAINT));
        if let Some(level) = self.level.map(down).filter(|at| (y..=y + h).contains(at)) {
            scene.shapes.push(line(vec![(x, level), (x + w, level)], FAINT, 1.0, &[2.0, 3.0]));
        }
    }
}

/// The parts of a line inside of a rectangle.
fn inside(points: &[(f32, f32)], low: (f32, f32), high: (f32, f32)) -> Vec<Vec<(f32, f32)>> {
    let mut parts: Vec<Vec<(f32, f32)>> = Vec::new();
    for pair in points.windows(2) {
        let Some((from, to)) = clipped(pair[0], pair[1], low, high) else { continue };
        match parts.last_mut() {
            Some(part) if part.last() == Some(&from) => part.push(to),
            _ => parts.push(vec![from, to]),
        }
    }
    parts
}

/// The part of a segment inside of a rectangle (Liang and Barsky).
fn clipped(
    a: (f32, f32),
    b: (f32, f32),
    low: (f32, f32),
    high: (f32, f32),
) -> Option<((f32, f32), (f32, f32))> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let (mut from, mut to) = (0.0_f32, 1.0_f32);
    for (d, room) in [(-dx, a.0 - low.0), (dx, high.0 - a.0), (-dy, a.1 - low.1), (dy, high.1 - a.1)] {
        if d == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if d < 0.0 {
            from = from.max(room / d);
        } else {
            to = to.min(room / d);
        }
    }
    let at = |t: f32| match t {
        0.0 => a,
        1.0 => b,
        t => (a.0 + t * dx, a.1 + t * dy),
    };
    (from <= to && dx.is_finite() && dy.is_finite()).then(|| (at(from), at(to)))
}
