//! Levels, variables, `solve`, and where declarations stand.

use super::Code;

/// The codes of this topic, ascending.
pub(super) static CODES: &[Code] = &[
    Code::new(
        "E0217",
        "a variable is read where only data may be read",
        "Data, parameters, dimensions, bounds and top-level `let`s are evaluated once, before the solve, so they cannot \
         depend on variables. Move the `let` into a level, or make it a `fn`.",
        r"
data a: real[3] = [1, 2, 3]
let residual = a * x - 2
upper {
  var x: real
  minimize sumsq(residual)
}
",
        r"
data a: real[3] = [1, 2, 3]
upper {
  var x: real
  let residual = a * x - 2
  minimize sumsq(residual)
}
",
    ),
    Code::new(
        "E0219",
        "a declaration stands in the wrong place",
        "`var`, objectives and constraints belong into `upper` or `lower`; data, parameters, dimensions, `solve`, `expect` \
         and `precision` belong to the top level.",
        r"
upper {
  param target = 3
  var x: real
  minimize (x - target)^2
}
",
        r"
param target = 3
upper {
  var x: real
  minimize (x - target)^2
}
",
    ),
    Code::new(
        "E0220",
        "a level lacks a part or has one twice",
        "A model has one `upper` block and any number of `lower` blocks, each with variables and exactly one objective. Several \
         `lower` blocks have names.",
        r"
upper {
  var x: real
  minimize (x - 1)^2
  minimize 0.1 * abs(x)
}
",
        r"
upper {
  var x: real
  minimize (x - 1)^2 + 0.1 * abs(x)
}
",
    ),
    Code::new(
        "E0223",
        "a domain is not known or does not fit",
        "A variable lies in `[lo, hi]`, `nonneg`, `simplex` or `ball(r)`; bounds are scalars or have the variable's shape. \
         A datum may be declared in `a..b`.",
        r"
upper {
  var x: real[3] in positive
  minimize sumsq(x - 1)
}
",
        r"
upper {
  var x: real[3] in nonneg
  minimize sumsq(x - 1)
}
",
    ),
    Code::new(
        "E0225",
        "an option of `solve` has a value of the wrong kind",
        "An option is a number, `true` or `false`, a word, or a call such as `power(0.5)` or `rates(x = 2)`. Numbers may use parameters.",
        r"
upper {
  var x: real
  minimize (x - 1)^2
}
solve gradient(steps = [100, 200])
",
        r"
upper {
  var x: real
  minimize (x - 1)^2
}
solve gradient(steps = 100)
",
    ),
    Code::new(
        "E0229",
        "a precision is not known",
        "`precision f64` (the default) or `precision f32`.",
        r"
precision f16
upper {
  var x: real
  minimize (x - 1)^2
}
",
        r"
precision f32
upper {
  var x: real
  minimize (x - 1)^2
}
",
    ),
    Code::new(
        "E0236",
        "a constraint can never hold",
        "No value of the variables satisfies it: the data alone violate it, or it contradicts the bounds of a variable or \
         another constraint. Look for two sides in the wrong order.",
        r"
upper {
  var x: real in [0, 1]
  minimize (x - 1)^2
  subject to x >= 2
}
",
        r"
upper {
  var x: real in [0, 1]
  minimize (x - 1)^2
  subject to 2 * x >= 1
}
",
    ),
    Code::new(
        "E0237",
        "a multiplier is not to be had",
        "`dual(name)` is the multiplier of a named constraint of `lower`. The upper level, reports and `expect` may read it; \
         the follower itself may not, since its multipliers are part of its answer.",
        r"
upper {
  var t: real in [0, 10]
  maximize t * y - dual(y)
}
lower {
  var y: real in [0, inf]
  minimize (2 + t) * y
  subject to demand: y >= 1
}
",
        r"
upper {
  var t: real in [0, 10]
  maximize t * y - dual(demand)
}
lower {
  var y: real in [0, inf]
  minimize (2 + t) * y
  subject to demand: y >= 1
}
",
    ),
    Code::new(
        "E0242",
        "not the slope of an answer",
        "`report name = d(y)/d(x)` is how the follower's answer `y` moves with the upper variable `x`. Both are real \
         variables as a whole, without indices.",
        r"
upper {
  var x: real in [0, 2]
  minimize (x - y)^2
  report gain = d(y) / d(y)
}
lower {
  var y: real
  minimize (y - 2 * x)^2
}
",
        r"
upper {
  var x: real in [0, 2]
  minimize (x - y)^2
  report gain = d(y) / d(x)
}
lower {
  var y: real
  minimize (y - 2 * x)^2
}
",
    ),
    Code::new(
        "E0238",
        "a family of constraints has a sampled index",
        "`i ~ n` marks a sum that a stochastic method may estimate. Every member of a family of constraints must hold, so its \
         indices are written `i in n`.",
        r"
dim n = 3
upper {
  var x: real[n]
  minimize sumsq(x - 1)
  subject to least[i ~ n]: x[i] >= i
}
",
        r"
dim n = 3
upper {
  var x: real[n]
  minimize sumsq(x - 1)
  subject to least[i in n]: x[i] >= i
}
",
    ),
    Code::new(
        "E0239",
        "an index cannot be sampled here",
        "`i ~ n` marks a sum or mean that a stochastic method may estimate from some of its terms. A largest term, a product or \
         an array cannot be estimated so, and a constraint must hold exactly: write `i in n`.",
        r"
dim n = 3
data a: real[n] = [1, 2, 4]
upper {
  var x: real
  minimize max((x - a[i])^2 for i ~ n)
}
",
        r"
dim n = 3
data a: real[n] = [1, 2, 4]
upper {
  var x: real
  minimize mean((x - a[i])^2 for i ~ n)
}
",
    ),
    Code::new(
        "E0240",
        "a follower reads a variable of another one",
        "Several followers are independent: each minimises its own objective over its own variables and sees the leader's. \
         Followers that see each other play a game, whose equilibria are another problem.",
        r"
upper {
  var price: real in nonneg
  maximize price * (q + r)
}
lower first {
  var q: real in nonneg
  minimize q^2 - (3 - price - r) * q
}
lower second {
  var r: real in nonneg
  minimize r^2 - (2 - price) * r
}
",
        r"
upper {
  var price: real in nonneg
  maximize price * (q + r)
}
lower first {
  var q: real in nonneg
  minimize q^2 - (3 - price) * q
}
lower second {
  var r: real in nonneg
  minimize r^2 - (2 - price) * r
}
",
    ),
    Code::new(
        "E0241",
        "a sparse matrix is used as a whole",
        "A sparse matrix has a place in memory for its nonzeros alone. So a formula may multiply it with dense arrays (`A @ w`, \
         `A' @ r`, `A[i] @ w`, sums of `A[i, j] * w[j]`), take rows and sums of it, and apply functions that keep 0; what needs \
         every element, such as `exp(A)` or `A + 1`, asks for the dense matrix: `dense(A)`, if that is small enough.",
        r"
data A: sparse real[2, 2] = [[2, 0], [0, 3]]
upper {
  var x: real[2]
  minimize sumsq((A + 1) @ x - 1)
}
",
        r"
data A: sparse real[2, 2] = [[2, 0], [0, 3]]
upper {
  var x: real[2]
  minimize sumsq((dense(A) + 1) @ x - 1)
}
",
    ),
];
