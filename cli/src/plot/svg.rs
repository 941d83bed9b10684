//! A scene as SVG. Text stays text: whoever shows the picture draws it.

use std::fmt::Write as _;

use super::font::FAMILY;
use super::png;
use super::scene::{Anchor, COLOURS, Colour, FAINT, FRAME, GRID, INK, PAPER, Scene, Shape};

/// The whole file, on white.
pub fn text(scene: &Scene) -> String {
    let (w, h) = (scene.width, scene.height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
         font-family=\"{FAMILY}\">\n<rect width=\"{w}\" height=\"{h}\" fill=\"#ffffff\"/>\n"
    );
    shapes(&mut out, scene, &hex);
    out
}

/// A part of a page, whose style says what the colours of text, lines and series are: `--ink`, `--faint`, `--grid`, `--frame`,
/// `--paper`, and `--s0` to `--s7`. `name`: what it shows, for those who do not see it.
pub fn inline(scene: &Scene, name: &str) -> String {
    let (w, h) = (scene.width, scene.height);
    let mut out = format!(
        "<svg width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" role=\"img\" aria-label=\"{}\">\n",
        escaped(name)
    );
    shapes(&mut out, scene, &variable);
    out
}

/// The colour of a page that stands for one of ours; others as they are.
fn variable(colour: Colour) -> String {
    let named = [(INK, "ink"), (FAINT, "faint"), (GRID, "grid"), (FRAME, "frame"), (PAPER, "paper")];
    if let Some((_, name)) = named.iter().find(|(known, _)| *known == colour) {
        return format!("var(--{name})");
    }
    let series = COLOURS.iter().position(|known| *known == colour);
    series.map_or_else(|| hex(colour), |k| format!("var(--s{k})"))
}

fn shapes(out: &mut String, scene: &Scene, paint: &dyn Fn(Colour) -> String) {
    for shape in &scene.shapes {
        // Writing to a string does not fail.
        let _ = match shape {
            Shape::Line { points, colour, width, dash } => {
                let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.2},{y:.2}")).collect();
                let dashes: Vec<String> = dash.iter().map(f32::to_string).collect();
                let dashes = if dash.is_empty() {
                    String::new()
                } else {
                    format!(" stroke-dasharray=\"{}\"", dashes.join(" "))
                };
                writeln!(
                    out,
                    "<polyline points=\"{}\" style=\"fill:none;stroke:{}\" stroke-width=\"{width}\" \
                     stroke-linejoin=\"round\" stroke-linecap=\"round\"{dashes}/>",
                    points.join(" "),
                    paint(*colour)
                )
            }
            Shape::Disc { centre: (x, y), radius, colour, filled } => {
                let (fill, colour) = (if *filled { paint(*colour) } else { paint(PAPER) }, paint(*colour));
                writeln!(
                    out,
                    "<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{radius}\" style=\"fill:{fill};stroke:{colour}\" \
                     stroke-width=\"1.5\"/>"
                )
            }
            Shape::Rect { at: (x, y), size: (w, h), colour } => writeln!(
                out,
                "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{w:.2}\" height=\"{h:.2}\" style=\"fill:{}\"/>",
                paint(*colour)
            ),
            Shape::Cells { at: (x, y), size: (w, h), columns, colours } => {
                let picture = png::cells(*columns, colours).unwrap_or_default();
                writeln!(
                    out,
                    "<image x=\"{x:.2}\" y=\"{y:.2}\" width=\"{w:.2}\" height=\"{h:.2}\" preserveAspectRatio=\"none\" \
                     style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{}\"/>",
                    base64(&picture)
                )
            }
            Shape::Text { at: (x, y), text, size, anchor, colour } => {
                let anchor = match anchor {
                    Anchor::Start => "start",
                    Anchor::Middle => "middle",
                    Anchor::End => "end",
                };
                writeln!(
                    out,
                    "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{size}\" text-anchor=\"{anchor}\" style=\"fill:{}\">{}</text>",
                    paint(*colour),
                    escaped(text)
                )
            }
        };
    }
    out.push_str("</svg>\n");
}

/// Bytes as letters (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word =
            group.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for k in 0..4 {
            let letter = char::from(LETTERS[(word >> (18 - 6 * k)) as usize & 63]);
            out.push(if k <= group.len() { letter } else { '=' });
        }
    }
    out
}

fn hex([r, g, b]: Colour) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Text as it stands in XML and HTML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_bytes() {
        for (bytes, letters) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), letters);
        }
    }
}
