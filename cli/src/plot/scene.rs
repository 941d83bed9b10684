//! Shapes with places in points from the upper left corner: all that the writers of pictures know.

/// A colour: red, green, blue.
pub type Colour = [u8; 3];

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// The dashes and gaps of a line; none for a solid one.
pub type Dash = &'static [f32];

/// Something to draw.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A line through points.
    Line {
        /// The points, at least two.
        points: Vec<(f32, f32)>,
        /// Its colour.
        colour: Colour,
        /// Its width.
        width: f32,
        /// Its dashes.
        dash: Dash,
    },
    /// A disc, filled or as a ring on white.
    Disc {
        /// Its middle.
        centre: (f32, f32),
        /// Its radius.
        radius: f32,
        /// Its colour.
        colour: Colour,
        /// Whether it is filled.
        filled: bool,
    },
    /// Text on a base line.
    Text {
        /// The point of its anchor.
        at: (f32, f32),
        /// What it says.
        text: String,
        /// The height of its letters with their room.
        size: f32,
        /// Which part of it stands at the point.
        anchor: Anchor,
        /// Its colour.
        colour: Colour,
    },
}

/// A picture.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// Its width.
    pub width: f32,
    /// Its height.
    pub height: f32,
    /// The shapes, from back to front.
    pub shapes: Vec<Shape>,
}
