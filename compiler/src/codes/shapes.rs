//! Shapes, element types and indices.

use super::Code;

/// The codes of this topic, ascending.
pub(super) static CODES: &[Code] = &[
    Code::new(
        "E0203",
        "shapes do not match",
        "Elementwise operations need the same dimensions, or a scalar, or trailing dimensions that agree: `[n, k] + [k]`. \
         Two named dimensions are different even when they happen to have the same size, unless the model says `dim m = n`. \
         `@` contracts the last dimension of its left side with the first (for matrices, the second to last) of its right.",
        r"
data X: real[m, d] ~ normal(0, 1)
dim m = 300
dim d = 20
dim k = 10
upper {
  var W: real[d, k]
  minimize mean(logsumexp(W @ X[i]) for i in m)
}
",
        r"
data X: real[m, d] ~ normal(0, 1)
dim m = 300
dim d = 20
dim k = 10
upper {
  var W: real[d, k]
  minimize mean(logsumexp(X[i] @ W) for i in m)
}
",
    ),
    Code::new(
        "E0204",
        "a value has the wrong element type",
        "Values are `real`, `int` or `bool`. `int` widens to `real`; nothing else is converted silently. Truth values \
         count as 0 and 1 only in `sum` and `mean`; elsewhere write `if c then 1 else 0`.",
        r"
data late: bool[2] = [true, false]
upper {
  var x: real[2]
  minimize sum((x - 3 * late)^2)
}
",
        r"
data late: bool[2] = [true, false]
upper {
  var x: real[2]
  minimize sum((x - (if late then 3 else 0))^2)
}
",
    ),
    Code::new(
        "E0213",
        "an index runs off its dimension",
        "Indices are 0-based: a dimension of size n has positions 0 to n - 1. For cyclic indices write `x[mod(i + 1, n)]`; \
         for differences of neighbours let the index run over `0..n - 1`.",
        r"
dim n = 4
upper {
  var x: real[n]
  minimize sum((x[i + 1] - x[i])^2 for i in n) + (x[0] - 1)^2
}
",
        r"
dim n = 4
upper {
  var x: real[n]
  minimize sum((x[i + 1] - x[i])^2 for i in 0..n - 1) + (x[0] - 1)^2
}
",
    ),
    Code::new(
        "E0214",
        "a value is indexed with the wrong number or kind of indices",
        "An array has as many indices as axes, or fewer: `X[i]` is a row of a matrix. An index is a whole number, an int \
         array, a label, `:` or a range.",
        r"
data X: real[2, 2] = [[1, 2], [3, 4]]
upper {
  var x: real
  minimize (x - X[0, 1, 1])^2
}
",
        r"
data X: real[2, 2] = [[1, 2], [3, 4]]
upper {
  var x: real
  minimize (x - X[1, 1])^2
}
",
    ),
    Code::new(
        "E0215",
        "a whole number is needed that is known before the solve",
        "Sizes, axes and ends of ranges are whole numbers made of literals, dimensions and whole parameters.",
        r"
param size = 2.5
upper {
  var x: real[size]
  minimize sumsq(x - 1)
}
",
        r"
param size = 2
upper {
  var x: real[size]
  minimize sumsq(x - 1)
}
",
    ),
    Code::new(
        "E0221",
        "an objective or report is not a real scalar",
        "Objectives and reports are single numbers. Reduce arrays with `sum`, `mean` or `sumsq`.",
        r"
upper {
  var x: real[3]
  minimize (x - 1)^2
}
",
        r"
upper {
  var x: real[3]
  minimize sum((x - 1)^2)
}
",
    ),
    Code::new(
        "E0222",
        "a condition is not a single truth value",
        "Use a comparison, and `all(…)` or `any(…)` over arrays.",
        r"
upper {
  var x: real[3]
  minimize sumsq(x - 1)
}
expect x > 0
",
        r"
upper {
  var x: real[3]
  minimize sumsq(x - 1)
}
expect all(x > 0)
",
    ),
    Code::new(
        "E0230",
        "an axis is not one of the array's axes",
        "Axes count from 0. The last axis of X is the number of its axes minus one; there are no negative axes.",
        r"
data X: real[2, 2] = [[1, 2], [3, 4]]
upper {
  var x: real[2]
  minimize sumsq(x - mean(X, 2))
}
",
        r"
data X: real[2, 2] = [[1, 2], [3, 4]]
upper {
  var x: real[2]
  minimize sumsq(x - mean(X, 1))
}
",
    ),
    Code::new(
        "E0231",
        "a value cannot be transposed",
        "`x'` swaps the last two axes; vectors and scalars have no transpose and need none.",
        r"
data A: real[2, 2] = [[2, 0], [0, 3]]
upper {
  var x: real[2]
  minimize x' @ A @ x - sum(x)
}
",
        r"
data A: real[2, 2] = [[2, 0], [0, 3]]
upper {
  var x: real[2]
  minimize x @ A @ x - sum(x)
}
",
    ),
    Code::new(
        "E0233",
        "a gradient cannot be formed",
        "`grad(e, x)` needs a real scalar `e` and a variable `x`, and every operation between them must have a derivative.",
        r"
upper {
  var x: real[2]
  minimize grad(sumsq(x - 1), x[0])^2 + x[1]^2
}
",
        r"
upper {
  var x: real[2]
  minimize grad(sumsq(x - 1), x)[0]^2 + x[1]^2
}
",
    ),
];
