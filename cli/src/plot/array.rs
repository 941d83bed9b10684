//! The values of an array as a picture that its shape suggests: bars, a curve with a histogram, a heat map, or images.

use super::axis::Axis;
use super::course::WIDTH;
use super::panel::{ABOVE, BELOW, Curve, LEFT, PANEL, Panel};
use super::scene::{Anchor, COLOURS, Colour, FAINT, FRAME, INK, Scene, Shape, label, line};
use crate::output::Variable;
use crate::output::human::number;

const MARGIN: f32 = 24.0;
/// Vectors with at most this many entries are drawn as bars.
const BARS: usize = 60;
/// Cells of a heat map along each axis, at most; larger arrays are averaged over blocks.
const CELLS: usize = 200;
/// The sides of images that are stored as vectors.
const SIDES: [usize; 5] = [8, 16, 28, 32, 64];
/// Images that are shown, at most.
const IMAGES: usize = 24;
/// Bins of a histogram.
const BINS: usize = 40;
/// Rows or columns with labels that are still written.
const LABELS: usize = 16;

/// The picture; `None` for what a number or a small table says better.
pub fn picture(variable: &Variable) -> Option<Scene> {
    let Variable { shape, values, .. } = variable;
    if values.len() < 3 || !values.iter().any(|value| value.is_finite()) {
        return None;
    }
    let mut scene = Scene { width: WIDTH, ..Scene::default() };
    let (left, right) = (MARGIN + LEFT, MARGIN + LEFT + PANEL.0 + MARGIN + LEFT);
    let mut height = ABOVE + PANEL.1 + BELOW;
    let images = images(shape, values);
    match (&images, shape.as_slice()) {
        (Some(images), _) => height = tiles(&mut scene, images),
        (None, [n]) if *n <= BARS => bars(&mut scene, left, variable),
        (None, [_]) if has_order(values) => in_order(&mut scene, left, values),
        (None, [_]) => by_size(&mut scene, left, values),
        (None, shape) => {
            let columns = shape.last().copied().unwrap_or(1).max(1);
            height = height.max(heat_map(&mut scene, left, variable, columns));
        }
    }
    if values.len() > BARS && images.is_none() {
        histogram(&mut scene, right, values);
    }
    scene.height = height;
    Some(scene)
}

/// Only the images of an array, where it has some.
pub fn image_picture(shape: &[usize], values: &[f64]) -> Option<Scene> {
    let images = images(shape, values)?;
    let mut scene = Scene { width: WIDTH, ..Scene::default() };
    scene.height = tiles(&mut scene, &images);
    Some(scene)
}

/// Images of one size.
struct Images {
    rows: usize,
    columns: usize,
    /// The values of each, row by row; not all of them.
    all: Vec<Vec<f64>>,
    /// How many there are.
    total: usize,
}

/// The images that a shape suggests: `k × h × w`, or vectors of a length that images have, as rows or as columns.
fn images(shape: &[usize], values: &[f64]) -> Option<Images> {
    let side = |length: usize| SIDES.into_iter().find(|side| side * side == length);
    let row = |k: usize, length: usize| values[k * length..(k + 1) * length].to_vec();
    match *shape {
        [total, rows, columns] if rows >= 8 && columns >= 8 && rows.max(columns) <= 256 => {
            let all = (0..total.min(IMAGES)).map(|k| row(k, rows * columns)).collect();
            Some(Images { rows, columns, all, total })
        }
        [n] if n > BARS && n != 64 => {
            let side = side(n)?;
            Some(Images { rows: side, columns: side, all: vec![values.to_vec()], total: 1 })
        }
        [total, length] if side(length).is_some() => {
            let side = side(length)?;
            let all = (0..total.min(IMAGES)).map(|k| row(k, length)).collect();
            Some(Images { rows: side, columns: side, all, total })
        }
        [length, total] if total <= IMAGES && side(length).is_some() => {
            let side = side(length)?;
            let column = |k: usize| values.iter().skip(k).step_by(total).copied().collect();
            Some(Images { rows: side, columns: side, all: (0..total).map(column).collect(), total })
        }
        _ => None,
    }
}

fn tiles(scene: &mut Scene, images: &Images) -> f32 {
    const TILE: f32 = 70.0;
    const GAP: f32 = 7.0;
    let per_row = ((WIDTH - 2.0 * MARGIN + GAP) / (TILE + GAP)) as usize;
    let scale = Scale::of(images.all.iter().flatten().copied());
    let largest = images.rows.max(images.columns) as f32;
    let size = (TILE * images.columns as f32 / largest, TILE * images.rows as f32 / largest);
    for (k, image) in images.all.iter().enumerate() {
        let at = (MARGIN + (k % per_row) as f32 * (TILE + GAP), 6.0 + (k / per_row) as f32 * (TILE + GAP));
        let colours = image.iter().map(|value| scale.colour(*value)).collect();
        scene.shapes.push(Shape::Cells { at, size, columns: images.columns, colours });
    }
    let y = 6.0 + images.all.len().div_ceil(per_row) as f32 * (TILE + GAP);
    let more = images.total - images.all.len();
    let words =
        if more > 0 { format!("the first {} of {}", images.all.len(), images.total) } else { String::new() };
    scale.legend(scene, (MARGIN, y + 4.0), &words);
    y + 38.0
}

fn bars(scene: &mut Scene, x: f32, variable: &Variable) {
    let values = &variable.values;
    let vertical = Axis::fit_linear(values.iter().copied().chain([0.0]));
    let horizontal = Axis::between(-0.5, values.len() as f64 - 0.5);
    let names = variable.labels.first().and_then(Option::as_ref).filter(|names| names.len() <= LABELS);
    let foot = if names.is_some() { "" } else { "position" };
    let panel = Panel { title: "", foot, horizontal, vertical, level: Some(0.0) };
    let wide = 0.7 * PANEL.0 / values.len() as f32;
    let middle = |k: usize| x + PANEL.0 * (k as f32 + 0.5) / values.len() as f32;
    let heights: Vec<(f32, f32)> = values
        .iter()
        .map(|value| {
            let place = |value: f64| ABOVE + PANEL.1 * (1.0 - panel.vertical.place(value) as f32);
            (place(value.max(0.0)), place(value.min(0.0)))
        })
        .collect();
    panel.draw_frame(scene, (x, ABOVE), names.is_none());
    for (k, (top, bottom)) in heights.into_iter().enumerate() {
        if top.is_finite() && bottom.is_finite() {
            let (at, size) = ((middle(k) - 0.5 * wide, top), (wide, (bottom - top).max(0.75)));
            scene.shapes.push(Shape::Rect { at, size, colour: COLOURS[0] });
        }
        if let Some(name) = names.and_then(|names| names.get(k)) {
            let name = cut(name, (PANEL.0 / values.len() as f32 / 6.5) as usize);
            scene.shapes.push(label((middle(k), ABOVE + PANEL.1 + 16.0), &name, 11.0, Anchor::Middle, FAINT));
        }
    }
}

/// Whether neighbours are alike: squared steps from one value to the next, on average over the variance (von Neumann's ratio). It is 2 for
/// values in no order and small for a curve.
pub fn has_order(values: &[f64]) -> bool {
    const ORDERED: f64 = 0.8;
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let count = finite.len() as f64;
    let mean = finite.iter().sum::<f64>() / count;
    let spread: f64 = finite.iter().map(|value| (value - mean).powi(2)).sum();
    let steps: f64 = finite.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
    steps <= ORDERED * spread
}

/// A line through values that are neighbours by position would be a scribble: they are shown by size.
fn by_size(scene: &mut Scene, x: f32, values: &[f64]) {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    profile(scene, x, &sorted, ("values by size", "entries so small or smaller"));
}

fn in_order(scene: &mut Scene, x: f32, values: &[f64]) {
    profile(scene, x, values, ("values in order", "position"));
}

fn profile(scene: &mut Scene, x: f32, values: &[f64], (title, foot): (&str, &str)) {
    let points: Vec<(f64, f64)> = values.iter().enumerate().map(|(k, value)| (k as f64, *value)).collect();
    let horizontal = Axis::fit_linear(points.iter().map(|(k, _)| *k));
    let vertical = Axis::fit_linear(values.iter().copied().filter(|value| value.is_finite()));
    let panel = Panel { title, foot, horizontal, vertical, level: None };
    let thin = (points.len() / 2000).max(1);
    let points = points.into_iter().step_by(thin).collect();
    panel.draw(scene, (x, ABOVE), &[Curve { points, colour: COLOURS[0], dash: &[], end: None }]);
}

fn histogram(scene: &mut Scene, x: f32, values: &[f64]) {
    let finite = values.iter().copied().filter(|value| value.is_finite());
    let low = finite.clone().fold(f64::INFINITY, f64::min);
    let high = finite.clone().fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = if low == high { (low - 0.5, high + 0.5) } else { (low, high) };
    let mut bins = [0usize; BINS];
    for value in finite {
        let bin = (value - low) / (high - low) * BINS as f64;
        bins[(bin as usize).min(BINS - 1)] += 1;
    }
    let most = bins.iter().copied().max().unwrap_or(1);
    let vertical = Axis::between(0.0, 1.06 * most as f64);
    let horizontal = Axis::between(low, high);
    let panel =
        Panel { title: "how many entries have a value", foot: "value", horizontal, vertical, level: None };
    panel.draw_frame(scene, (x, ABOVE), true);
    let wide = PANEL.0 / BINS as f32;
    for (k, count) in bins.into_iter().enumerate().filter(|(_, count)| *count > 0) {
        let tall = PANEL.1 * panel.vertical.place(count as f64) as f32;
        let at = (x + k as f32 * wide + 0.5, ABOVE + PANEL.1 - tall);
        scene.shapes.push(Shape::Rect { at, size: (wide - 1.0, tall), colour: COLOURS[0] });
    }
}

fn heat_map(scene: &mut Scene, x: f32, variable: &Variable, columns: usize) -> f32 {
    let rows = variable.values.len() / columns;
    let (shown_rows, shown_columns) = (rows.min(CELLS), columns.min(CELLS));
    let cells = averaged(&variable.values, (rows, columns), (shown_rows, shown_columns));
    let scale = Scale::of(cells.iter().copied());
    let wide = (PANEL.0 / shown_columns as f32).min(28.0);
    let tall = (280.0 / shown_rows as f32).min(28.0);
    let (at, size) = ((x, 10.0), (wide * shown_columns as f32, tall * shown_rows as f32));
    let colours = cells.iter().map(|value| scale.colour(*value)).collect();
    scene.shapes.push(Shape::Cells { at, size, columns: shown_columns, colours });
    let (r, b) = (at.0 + size.0, at.1 + size.1);
    scene.shapes.push(line(vec![at, (r, at.1), (r, b), (at.0, b), at], FRAME, 1.0, &[]));
    if variable.shape.len() == 2 {
        let axis =
            |k: usize| variable.labels.get(k).and_then(Option::as_ref).filter(|names| names.len() <= LABELS);
        for (k, name) in axis(0).into_iter().flatten().enumerate() {
            let at = (at.0 - 6.0, at.1 + (k as f32 + 0.5) * tall + 4.0);
            scene.shapes.push(label(at, &cut(name, 11), 11.0, Anchor::End, FAINT));
        }
        for (k, name) in axis(1).into_iter().flatten().enumerate() {
            let at = (at.0 + (k as f32 + 0.5) * wide, b + 14.0);
            scene.shapes.push(label(at, &cut(name, (wide / 6.0) as usize), 11.0, Anchor::Middle, FAINT));
        }
    }
    scale.legend(scene, (x, b + 22.0), "");
    b + 60.0
}

/// Means over blocks, so many as are asked for.
fn averaged(values: &[f64], (rows, columns): (usize, usize), shown: (usize, usize)) -> Vec<f64> {
    let mut out = Vec::with_capacity(shown.0 * shown.1);
    for i in 0..shown.0 {
        let (top, bottom) = (i * rows / shown.0, (i + 1) * rows / shown.0);
        for j in 0..shown.1 {
            let (from, to) = (j * columns / shown.1, (j + 1) * columns / shown.1);
            let block = (top..bottom).flat_map(|r| &values[r * columns + from..r * columns + to]);
            out.push(block.sum::<f64>() / ((bottom - top) * (to - from)) as f64);
        }
    }
    out
}

/// Colours of values.
struct Scale {
    low: f64,
    high: f64,
    /// Whether 0 is white and both signs have a colour.
    signed: bool,
}

impl Scale {
    fn of(values: impl Iterator<Item = f64>) -> Scale {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let signed = low < 0.0 && high > 0.0;
        let most = high.max(-low);
        if signed { Scale { low: -most, high: most, signed } } else { Scale { low, high, signed } }
    }

    fn colour(&self, value: f64) -> Colour {
        const SIGNED: [[f64; 3]; 5] =
            [[5., 48., 97.], [67., 147., 195.], [247., 247., 247.], [214., 96., 77.], [103., 0., 31.]];
        const PLAIN: [[f64; 3]; 5] =
            [[24., 24., 40.], [62., 74., 137.], [33., 144., 140.], [94., 201., 98.], [253., 231., 37.]];
        if !value.is_finite() {
            return [128, 128, 128];
        }
        let stops = if self.signed { SIGNED } else { PLAIN };
        let span = self.high - self.low;
        let place = if span > 0.0 { ((value - self.low) / span).clamp(0.0, 1.0) * 4.0 } else { 2.0 };
        let k = (place as usize).min(3);
        let t = place - k as f64;
        std::array::from_fn(|c| ((1.0 - t) * stops[k][c] + t * stops[k + 1][c]).round() as u8)
    }

    fn legend(&self, scene: &mut Scene, (x, y): (f32, f32), words: &str) {
        const LONG: f32 = 150.0;
        let colour = |k: usize| self.colour(self.low + (self.high - self.low) * k as f64 / 63.0);
        let colours = (0..64).map(colour).collect();
        let after = x + 62.0;
        scene.shapes.push(label((after - 6.0, y + 10.0), &number(self.low), 11.0, Anchor::End, FAINT));
        scene.shapes.push(Shape::Cells { at: (after, y), size: (LONG, 12.0), columns: 64, colours });
        scene.shapes.push(label(
            (after + LONG + 6.0, y + 10.0),
            &number(self.high),
            11.0,
            Anchor::Start,
            FAINT,
        ));
        if !words.is_empty() {
            scene.shapes.push(label((after + LONG + 90.0, y + 10.0), words, 11.0, Anchor::Start, INK));
        }
    }
}

/// A text of at most so many letters.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(shape: &[usize]) -> Variable {
        let count: usize = shape.iter().product();
        let values = (0..count).map(|k| (k as f64 * 0.37).sin()).collect();
        Variable { name: "v".into(), shape: shape.to_vec(), values, labels: vec![None; shape.len()] }
    }

    fn cells(scene: &Scene) -> usize {
        scene.shapes.iter().filter(|shape| matches!(shape, Shape::Cells { .. })).count()
    }

    /// Images, each a field of cells, where the shape is that of images; heat maps, curves and bars elsewhere. One more field
    /// is the legend.
    #[test]
    fn the_shape_says_which_picture_it_is() {
        let fields = |shape: &[usize]| picture(&variable(shape)).map(|scene| cells(&scene));
        assert_eq!(fields(&[]), None);
        assert_eq!(fields(&[2]), None);
        assert_eq!(fields(&[5]), Some(0));
        assert_eq!(fields(&[500]), Some(0));
        assert_eq!(fields(&[784]), Some(2));
        assert_eq!(fields(&[784, 10]), Some(11));
        assert_eq!(fields(&[1000, 64]), Some(IMAGES + 1));
        assert_eq!(fields(&[3, 16, 20]), Some(4));
        assert_eq!(fields(&[300, 7]), Some(2));
    }

    #[test]
    fn vectors_in_no_order_are_sorted() {
        let curve: Vec<f64> = (0..500).map(|k| (f64::from(k) / 40.0).sin()).collect();
        let scribble: Vec<f64> = (0..500).map(|k| (f64::from(k) * 2.7).sin()).collect();
        assert!(has_order(&curve) && has_order(&[1.0; 100]) && !has_order(&scribble));
        let title = |values: &[f64]| {
            let mut found = variable(&[values.len()]);
            found.values = values.to_vec();
            let shapes = picture(&found).unwrap().shapes;
            shapes.iter().any(|shape| matches!(shape, Shape::Text { text, .. } if text == "values by size"))
        };
        assert!(title(&scribble) && !title(&curve));
    }

    #[test]
    fn blocks_are_averaged() {
        assert_eq!(averaged(&[1.0, 3.0, 5.0, 7.0], (2, 2), (1, 2)), [3.0, 5.0]);
        let whole = variable(&[7, 3]).values;
        assert_eq!(averaged(&whole, (7, 3), (7, 3)), whole);
    }

    #[test]
    fn zero_is_white_where_signs_differ() {
        let scale = Scale::of([-1.0, 4.0, f64::NAN].into_iter());
        assert_eq!(scale.colour(0.0), [247, 247, 247]);
        assert_eq!(scale.colour(4.0), [103, 0, 31]);
        assert_eq!(scale.colour(f64::INFINITY), [128, 128, 128]);
    }
}
