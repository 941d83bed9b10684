//! The variables of one level as one flat vector: named blocks, the domain of each, exact Euclidean projection onto the
//! domains and the derivative of that projection. Which point to project is left to the solvers.

use ndarray::ArrayViewD;

/// The set a block of variables lies in.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// All of the space.
    Free,
    /// `lo ≤ v ≤ hi` elementwise; ends may be infinite. Each vector has the block's length, or length 1 for all elements.
    Interval {
        /// Lower ends.
        lo: Vec<f64>,
        /// Upper ends.
        hi: Vec<f64>,
    },
    /// Every row along the last axis is nonnegative and sums to 1.
    Simplex,
    /// The Euclidean ball around 0 with this radius, for the block as a whole.
    Ball(f64),
}

/// One variable of the model inside the flat vector.
#[derive(Clone, Debug)]
pub struct Block {
    /// The name in the model.
    pub name: String,
    /// The shape; empty for a scalar.
    pub shape: Vec<usize>,
    /// Where the block begins in the flat vector; set by [`Space::new`].
    pub offset: usize,
    /// The number of elements, the product of the shape.
    pub len: usize,
    /// The set the block lies in.
    pub domain: Domain,
    /// The start value, row-major, before projection: `len` elements.
    pub start: Vec<f64>,
}

impl Block {
    /// A block still without a place.
    pub fn new(name: impl Into<String>, shape: &[usize], domain: Domain, start: Vec<f64>) -> Self {
        let len = shape.iter().product();
        Block { name: name.into(), shape: shape.to_vec(), offset: 0, len, domain, start }
    }

    /// The length of a row along the last axis (1 for a scalar).
    pub(crate) fn row(&self) -> usize {
        self.shape.last().copied().unwrap_or(1).max(1)
    }
}

/// A block that cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub enum SpaceError {
    /// The start has another length than the shape says.
    StartLength(String),
    /// The ends of an interval have neither length 1 nor the block's length.
    BoundsLength(String),
    /// At this flat element the lower end is above the upper end, or an end is NaN.
    EmptyInterval(String, usize),
    /// The radius is negative or NaN.
    Radius(String),
}

impl std::fmt::Display for SpaceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SpaceError::StartLength(name) => write!(f, "the start of `{name}` does not fit its shape"),
            SpaceError::BoundsLength(name) => write!(f, "the bounds of `{name}` do not fit its shape"),
            SpaceError::EmptyInterval(name, at) => {
                write!(f, "the interval of `{name}` is empty at element {at}")
            }
            SpaceError::Radius(name) => write!(f, "the ball of `{name}` has no valid radius"),
        }
    }
}

impl std::error::Error for SpaceError {}

/// The blocks of one level, in order.
#[derive(Clone, Debug, Default)]
pub struct Space {
    blocks: Vec<Block>,
    len: usize,
    free: bool,
    balls: usize,
}

impl Space {
    /// Lays the blocks out one after the other.
    pub fn new(mut blocks: Vec<Block>) -> Result<Self, SpaceError> {
        let mut len = 0;
        for block in &mut blocks {
            validate(block)?;
            block.offset = len;
            len += block.len;
        }
        let free = blocks.iter().all(|b| b.domain == Domain::Free);
        let balls = blocks.iter().filter(|b| matches!(b.domain, Domain::Ball(_))).count();
        Ok(Space { blocks, len, free, balls })
    }

    /// Whether every element is projected by itself.
    pub fn is_box(&self) -> bool {
        self.blocks.iter().all(|b| matches!(b.domain, Domain::Free | Domain::Interval { .. }))
    }

    /// The blocks, in order.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The length of the flat vector.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no variable.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether no block has a domain other than the whole space.
    pub fn is_free(&self) -> bool {
        self.free
    }

    /// The number of ball blocks: the length of the `shrink` vector of [`Space::project_recording`].
    pub fn balls(&self) -> usize {
        self.balls
    }

    /// A block of a flat vector in its own shape.
    ///
    /// # Panics
    /// When the vector is shorter than the space.
    pub fn view<'a>(&self, block: &Block, flat: &'a [f64]) -> ArrayViewD<'a, f64> {
        let elements = &flat[block.offset..block.offset + block.len];
        ArrayViewD::from_shape(block.shape.as_slice(), elements)
            .expect("a block has the elements of its shape")
    }

    /// The start: every block's start value put into its domain.
    pub fn start(&self) -> Vec<f64> {
        let mut flat = Vec::with_capacity(self.len);
        for block in &self.blocks {
            flat.extend_from_slice(&block.start);
        }
        self.project(&mut flat);
        flat
    }

    /// Moves `flat` to the nearest point of the domains. Allocates nothing.
    pub fn project(&self, flat: &mut [f64]) {
        if !self.free {
            self.each(flat, |_, _| {});
        }
    }

    /// As [`Space::project`]; `shrink` receives, per ball block, the factor its vector was multiplied by (1 inside).
    pub fn project_recording(&self, flat: &mut [f64], shrink: &mut [f64]) {
        if !self.free {
            self.each(flat, |ball, factor| shrink[ball] = factor);
        }
    }

    fn each(&self, flat: &mut [f64], mut record: impl FnMut(usize, f64)) {
        let mut ball = 0;
        for block in &self.blocks {
            let part = &mut flat[block.offset..block.offset + block.len];
            match &block.domain {
                Domain::Free => {}
                Domain::Interval { lo, hi } => clip(part, lo, hi),
                Domain::Simplex => part.chunks_exact_mut(block.row()).for_each(project_simplex),
                Domain::Ball(radius) => {
                    record(ball, project_ball(part, *radius));
                    ball += 1;
                }
            }
        }
    }

    /// Multiplies `a` by the derivative of the projection that led to `image` (it is symmetric, so tangents and cotangents
    /// are alike). `shrink` as recorded. Elements on an active bound have derivative 0.
    pub fn project_derivative(&self, image: &[f64], shrink: &[f64], a: &mut [f64]) {
        if self.free {
            return;
        }
        let mut ball = 0;
        for block in &self.blocks {
            let range = block.offset..block.offset + block.len;
            let (image, a) = (&image[range.clone()], &mut a[range]);
            match &block.domain {
                Domain::Free => {}
                Domain::Interval { lo, hi } => {
                    for (i, (y, a)) in image.iter().zip(a).enumerate() {
                        if *y <= end(lo, i) || *y >= end(hi, i) {
                            *a = 0.0;
                        }
                    }
                }
                Domain::Simplex => {
                    let row = block.row();
                    for (image, a) in image.chunks_exact(row).zip(a.chunks_exact_mut(row)) {
                        centre_on_support(|i| image[i] > 0.0, a);
                    }
                }
                Domain::Ball(radius) => {
                    ball_derivative(image, *radius, shrink[ball], a);
                    ball += 1;
                }
            }
        }
    }

    /// `‖v − P(v − g)‖`: the length of a projected unit gradient step, 0 exactly at stationary points. `scratch` has the
    /// length of `v`.
    pub fn stationarity(&self, v: &[f64], g: &[f64], scratch: &mut [f64]) -> f64 {
        if self.free {
            return crate::linear::blas1::norm2(g);
        }
        for ((s, v), g) in scratch.iter_mut().zip(v).zip(g) {
            *s = v - g;
        }
        self.project(scratch);
        // A NaN in `g` can vanish in a projection; it must not look stationary.
        if g.iter().any(|g| g.is_nan()) { f64::NAN } else { crate::linear::blas1::distance(v, scratch) }
    }
}

fn validate(block: &Block) -> Result<(), SpaceError> {
    if block.start.len() != block.len {
        return Err(SpaceError::StartLength(block.name.clone()));
    }
    match &block.domain {
        Domain::Interval { lo, hi } => {
            if [lo, hi].iter().any(|v| v.len() != 1 && v.len() != block.len) {
                return Err(SpaceError::BoundsLength(block.name.clone()));
            }
            match (0..block.len)
                .find(|&i| end(lo, i).is_nan() || end(hi, i).is_nan() || end(lo, i) > end(hi, i))
            {
                Some(at) => Err(SpaceError::EmptyInterval(block.name.clone(), at)),
                None => Ok(()),
            }
        }
        Domain::Ball(radius) if radius.is_nan() || *radius < 0.0 => {
            Err(SpaceError::Radius(block.name.clone()))
        }
        Domain::Free | Domain::Simplex | Domain::Ball(_) => Ok(()),
    }
}

/// The end of an interval at an element.
pub(crate) fn end(ends: &[f64], i: usize) -> f64 {
    if ends.len() == 1 { ends[0] } else { ends[i] }
}

fn clip(v: &mut [f64], lo: &[f64], hi: &[f64]) {
    if lo.len() == v.len() && hi.len() == v.len() {
        for ((v, lo), hi) in v.iter_mut().zip(lo).zip(hi) {
            *v = v.max(*lo).min(*hi);
        }
    } else {
        for (i, v) in v.iter_mut().enumerate() {
            *v = v.max(end(lo, i)).min(end(hi, i));
        }
    }
}

/// Michelot's method: drop the elements below the threshold until none is left to drop. The threshold only rises, so the
/// support is `v > threshold` throughout and neither sorting nor memory is needed; the result is the exact projection.
fn project_simplex(v: &mut [f64]) {
    let mut threshold = f64::NEG_INFINITY;
    let mut count = usize::MAX;
    loop {
        let (mut sum, mut support) = (0.0, 0_usize);
        for &v in v.iter() {
            if v > threshold {
                sum += v;
                support += 1;
            }
        }
        // In exact arithmetic the support only shrinks; near the end rounding may let an element back in.
        if support >= count || support == 0 {
            break;
        }
        count = support;
        threshold = (sum - 1.0) / support as f64;
    }
    for v in v {
        *v = (*v - threshold).max(0.0);
    }
}

fn project_ball(v: &mut [f64], radius: f64) -> f64 {
    let norm = crate::linear::blas1::norm2(v);
    if norm <= radius {
        return 1.0;
    }
    let factor = radius / norm;
    crate::linear::blas1::scale(factor, v);
    factor
}

/// Inside the ball the identity; outside `r/‖z‖ (I − y yᵀ/r²)` with `y` the image.
fn ball_derivative(image: &[f64], radius: f64, shrink: f64, a: &mut [f64]) {
    if shrink >= 1.0 {
        return;
    }
    if radius == 0.0 {
        a.fill(0.0);
        return;
    }
    let along = crate::linear::blas1::dot(image, a) / (radius * radius);
    for (a, y) in a.iter_mut().zip(image) {
        *a = shrink * (*a - along * y);
    }
}

/// Zero off the support, mean zero on it: the tangent space of a face of the simplex.
pub(crate) fn centre_on_support(inside: impl Fn(usize) -> bool, a: &mut [f64]) {
    let (mut sum, mut count) = (0.0, 0_usize);
    for (i, a) in a.iter_mut().enumerate() {
        if inside(i) {
            sum += *a;
            count += 1;
        } else {
            *a = 0.0;
        }
    }
    let mean = if count == 0 { 0.0 } else { sum / count as f64 };
    for (i, a) in a.iter_mut().enumerate() {
        if inside(i) {
            *a -= mean;
        }
    }
}
