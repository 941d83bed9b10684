//! Shapes with places in points from the upper left corner: all that the writers of pictures know.

/// A colour: red, green, blue.
pub type Colour = [u8; 3];

/// What everything stands on.
pub const PAPER: Colour = [255, 255, 255];
/// Text and what is as strong as it.
pub const INK: Colour = [34, 34, 34];
/// Text of less weight.
pub const FAINT: Colour = [110, 110, 110];
/// Lines to read values off.
pub const GRID: Colour = [230, 230, 230];
/// The borders of panels.
pub const FRAME: Colour = [190, 190, 190];

/// Colours that people with any colour vision tell apart; further series get them again with dashes.
pub const COLOURS: [Colour; 8] = [
    [0, 114, 178],
    [213, 94, 0],
    [0, 158, 115],
    [204, 121, 167],
    [230, 159, 0],
    [86, 180, 233],
    [120, 70, 160],
    [60, 60, 60],
];
/// Dashes for further series.
pub const DASHES: [Dash; 3] = [&[], &[6.0, 4.0], &[1.5, 3.5]];

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
    /// A filled rectangle.
    Rect {
        /// Its upper left corner.
        at: (f32, f32),
        /// Its width and height.
        size: (f32, f32),
        /// Its colour.
        colour: Colour,
    },
    /// A field of small rectangles of the same size, without gaps.
    Cells {
        /// Its upper left corner.
        at: (f32, f32),
        /// Its width and height.
        size: (f32, f32),
        /// The number of cells in a row.
        columns: usize,
        /// The colours, row by row.
        colours: Vec<Colour>,
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

impl Scene {
    /// Puts another picture below this one.
    pub fn append(&mut self, other: Scene) {
        let by = self.height;
        self.shapes.extend(other.shapes.into_iter().map(|shape| shape.moved_down(by)));
        self.width = self.width.max(other.width);
        self.height += other.height;
    }
}

impl Shape {
    fn moved_down(mut self, by: f32) -> Shape {
        match &mut self {
            Shape::Line { points, .. } => points.iter_mut().for_each(|(_, y)| *y += by),
            Shape::Disc { centre: (_, y), .. }
            | Shape::Rect { at: (_, y), .. }
            | Shape::Cells { at: (_, y), .. }
            | Shape::Text { at: (_, y), .. } => *y += by,
        }
        self
    }
}

/// A line through points.
pub fn line(points: Vec<(f32, f32)>, colour: Colour, width: f32, dash: Dash) -> Shape {
    Shape::Line { points, colour, width, dash }
}

/// A text at a point.
pub fn label(at: (f32, f32), text: &str, size: f32, anchor: Anchor, colour: Colour) -> Shape {
    Shape::Text { at, text: text.to_owned(), size, anchor, colour }
}
