//! A scene as pixels, two for each point, with soft edges.

use tiny_skia::{
    FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, PremultipliedColorU8, Rect, Stroke,
    StrokeDash, Transform,
};
use ttf_parser::{Face, OutlineBuilder};

use super::font;
use super::scene::{Anchor, Colour, Scene, Shape};

/// Pixels for each point.
const SCALE: f32 = 2.0;

/// The whole file; `None` for a picture without room or with too much of it.
pub fn bytes(scene: &Scene) -> Option<Vec<u8>> {
    let mut canvas = Pixmap::new((scene.width * SCALE) as u32, (scene.height * SCALE) as u32)?;
    canvas.fill(tiny_skia::Color::WHITE);
    let face = font::face();
    for shape in &scene.shapes {
        draw(&mut canvas, shape, face.as_ref());
    }
    canvas.encode_png().ok()
}

fn draw(canvas: &mut Pixmap, shape: &Shape, face: Option<&Face<'_>>) {
    match shape {
        Shape::Line { points, colour, width, dash } => {
            let mut path = PathBuilder::new();
            for (k, &(x, y)) in points.iter().enumerate() {
                if k == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
            }
            let Some(path) = path.finish() else { return };
            let dash = if dash.is_empty() { None } else { StrokeDash::new(dash.to_vec(), 0.0) };
            stroke(canvas, &path, *colour, *width, dash);
        }
        Shape::Disc { centre: (x, y), radius, colour, filled } => {
            let Some(path) = PathBuilder::from_circle(*x, *y, *radius) else { return };
            fill(canvas, &path, if *filled { *colour } else { [255; 3] });
            stroke(canvas, &path, *colour, 1.5, None);
        }
        Shape::Rect { at: (x, y), size, colour } => block(canvas, (*x, *y), *size, *colour, true),
        Shape::Cells { at, size, columns, colours } => {
            let rows = colours.len() / (*columns).max(1);
            let (w, h) = (size.0 / *columns as f32, size.1 / rows.max(1) as f32);
            for (k, colour) in colours.iter().enumerate() {
                let (row, column) = (k / columns, k % columns);
                let corner = (at.0 + column as f32 * w, at.1 + row as f32 * h);
                // Soft edges would show the background between cells.
                block(canvas, corner, (w, h), *colour, false);
            }
        }
        Shape::Text { at: (x, y), text, size, anchor, colour } => {
            let Some(face) = face else { return };
            let width = font::width(Some(face), text, *size);
            let x = match anchor {
                Anchor::Start => *x,
                Anchor::Middle => x - 0.5 * width,
                Anchor::End => x - width,
            };
            let mut pen = Pen(PathBuilder::new());
            font::outline(face, text, *size, (x, *y), &mut pen);
            if let Some(path) = pen.0.finish() {
                fill(canvas, &path, *colour);
            }
        }
    }
}

fn block(canvas: &mut Pixmap, at: (f32, f32), size: (f32, f32), colour: Colour, soft: bool) {
    let Some(rect) = Rect::from_xywh(at.0, at.1, size.0, size.1) else { return };
    let paint = Paint { anti_alias: soft, ..paint(colour) };
    canvas.fill_rect(rect, &paint, Transform::from_scale(SCALE, SCALE), None);
}

/// Cells as a picture of one pixel each.
pub fn cells(columns: usize, colours: &[Colour]) -> Option<Vec<u8>> {
    let rows = colours.len().checked_div(columns)?;
    let mut canvas = Pixmap::new(u32::try_from(columns).ok()?, u32::try_from(rows).ok()?)?;
    for (pixel, [r, g, b]) in canvas.pixels_mut().iter_mut().zip(colours) {
        *pixel = PremultipliedColorU8::from_rgba(*r, *g, *b, 255)?;
    }
    canvas.encode_png().ok()
}

fn paint([r, g, b]: Colour) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(r, g, b, 255);
    paint
}

fn fill(canvas: &mut Pixmap, path: &Path, colour: Colour) {
    let place = Transform::from_scale(SCALE, SCALE);
    canvas.fill_path(path, &paint(colour), FillRule::Winding, place, None);
}

fn stroke(canvas: &mut Pixmap, path: &Path, colour: Colour, width: f32, dash: Option<StrokeDash>) {
    let (line_cap, line_join) = (LineCap::Round, LineJoin::Round);
    let stroke = Stroke { width, dash, line_cap, line_join, ..Stroke::default() };
    canvas.stroke_path(path, &paint(colour), &stroke, Transform::from_scale(SCALE, SCALE), None);
}

/// Outlines of letters as a path.
struct Pen(PathBuilder);

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.0.close();
    }
}
