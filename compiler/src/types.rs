//! Element types and concrete shapes of graph nodes. Dimension names live in the checker; here every size is known.

use smallvec::SmallVec;

/// What an array holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Elem {
    /// Truth values; count as 0 and 1 in sums and means.
    Bool,
    /// Whole numbers; widen to `Real`.
    Int,
    /// Floating point, in the model's precision.
    Real,
}

impl Elem {
    /// As written in a model.
    pub fn name(self) -> &'static str {
        match self {
            Elem::Bool => "bool",
            Elem::Int => "int",
            Elem::Real => "real",
        }
    }
}

/// Sizes, outermost first (row-major). Empty for a scalar.
pub type Shape = SmallVec<[usize; 4]>;

/// A list of axes.
pub type Axes = SmallVec<[usize; 4]>;

/// The type of a graph node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// What it holds.
    pub elem: Elem,
    /// Its sizes.
    pub shape: Shape,
}

impl Type {
    /// A type with these sizes.
    pub fn new(elem: Elem, shape: impl IntoIterator<Item = usize>) -> Self {
        Type { elem, shape: shape.into_iter().collect() }
    }

    /// A scalar.
    pub fn scalar(elem: Elem) -> Self {
        Type { elem, shape: Shape::new() }
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// The number of elements; 1 for a scalar.
    pub fn len(&self) -> usize {
        self.shape.iter().fold(1, |len: usize, &size| len.saturating_mul(size))
    }

    /// Whether some axis has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.elem.name())?;
        if !self.shape.is_empty() {
            let sizes: Vec<String> = self.shape.iter().map(usize::to_string).collect();
            write!(f, "[{}]", sizes.join(", "))?;
        }
        Ok(())
    }
}
