//! The font of the pictures: DejaVu Sans with Latin and Greek letters, part of the program (its licence stands beside it).

use ttf_parser::{Face, OutlineBuilder};

/// The name of the font for writers that leave drawing text to others.
pub const FAMILY: &str = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif";

const BYTES: &[u8] = include_bytes!("DejaVuSans-subset.ttf");

/// What a letter that the font lacks is shown as.
const UNKNOWN: char = '?';

/// The font, ready to use; `None` only if its bytes were damaged.
pub fn face() -> Option<Face<'static>> {
    Face::parse(BYTES, 0).ok()
}

/// The width of a text of this size.
pub fn width(face: Option<&Face<'_>>, text: &str, size: f32) -> f32 {
    let Some(face) = face else { return 0.6 * size * text.chars().count() as f32 };
    let advance = |c: char| {
        let glyph = face.glyph_index(c).or_else(|| face.glyph_index(UNKNOWN))?;
        face.glyph_hor_advance(glyph)
    };
    let units: f32 = text.chars().filter_map(advance).map(f32::from).sum();
    units * size / f32::from(face.units_per_em())
}

/// Draws the outlines of a text that begins at `(x, y)` on its base line; `pen` receives them in points.
pub fn outline(face: &Face<'_>, text: &str, size: f32, at: (f32, f32), pen: &mut dyn OutlineBuilder) {
    let scale = size / f32::from(face.units_per_em());
    let mut x = at.0;
    for c in text.chars() {
        let Some(glyph) = face.glyph_index(c).or_else(|| face.glyph_index(UNKNOWN)) else { continue };
        face.outline_glyph(glyph, &mut Placed { pen, scale, at: (x, at.1) });
        x += face.glyph_hor_advance(glyph).map_or(0.0, f32::from) * scale;
    }
}

/// Turns units of the font, which grow upwards, into points.
struct Placed<'a> {
    pen: &'a mut dyn OutlineBuilder,
    scale: f32,
    at: (f32, f32),
}

impl Placed<'_> {
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (self.at.0 + self.scale * x, self.at.1 - self.scale * y)
    }
}

impl OutlineBuilder for Placed<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.pen.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.pen.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.place(x1, y1), self.place(x, y));
        self.pen.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.place(x1, y1), self.place(x2, y2), self.place(x, y));
        self.pen.curve_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.pen.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_widths() {
        let face = face().unwrap();
        let width = |text| width(Some(&face), text, 10.0);
        assert!(width("iii") < width("www"));
        assert!((width("10") - 2.0 * width("0")).abs() < 1e-4);
        for c in "aZ09()=,_.–⁻⁰¹²³⁴⁵⁶⁷⁸⁹éβ".chars() {
            assert!(face.glyph_index(c).is_some(), "{c}");
        }
        assert_eq!(width("語"), width("?"));
    }
}
