//! Expressions: comparisons, choices, indices, and how deep and long they may be.

use super::Code;

/// The codes of this topic, ascending.
pub(super) static CODES: &[Code] = &[
    Code::new(
        "E0109",
        "`=` stands where two values are compared, or `==` where a value is given",
        "`=` gives a value to a name; `==` compares two values. Conditions and constraints compare.",
        r"
param power = 2
upper {
  var x: real
  minimize (if power = 2 then (x - 1)^2 else abs(x - 1))
}
",
        r"
param power = 2
upper {
  var x: real
  minimize (if power == 2 then (x - 1)^2 else abs(x - 1))
}
",
    ),
    Code::new(
        "E0111",
        "comparisons are chained",
        "`a < b < c` has no value of its own: write `a < b and b < c`. Only a constraint takes the chain \
         `subject to lo <= e <= hi`.",
        r"
upper {
  var x: real
  minimize (x - 1)^2
}
expect 0 < x < 2
",
        r"
upper {
  var x: real
  minimize (x - 1)^2
}
expect 0 < x and x < 2
",
    ),
    Code::new(
        "E0113",
        "indices are not written as they should be",
        "Indices are written `for i in n, j in 0..m if condition`: one `for`, `in` (or `~` for a sampled sum) between \
         the index and its range, commas between indices, and at most one filter at the end. A family of constraints \
         writes them behind its name: `subject to name[i in n]: …`.",
        r"
upper {
  var x: real[3]
  minimize sum((x[i] - i)^2 for i = 0..3)
}
",
        r"
upper {
  var x: real[3]
  minimize sum((x[i] - i)^2 for i in 0..3)
}
",
    ),
    Code::new(
        "E0114",
        "brackets or `if`s are nested too deeply",
        "Brackets and `if`s stand inside each other more than 100 deep. Give the inner parts names with `let`.",
        r"
upper {
  var x: real
  minimize (((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((x)))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))^2
}
",
        r"
upper {
  var x: real
  minimize x^2
}
",
    ),
    Code::new(
        "E0115",
        "an expression is too long",
        "An expression tree may be at most 500 operators high. Long sums are written over an index, \
         `sum(x[i] for i in n)`, and long formulas are cut into named parts with `let`.",
        r"
upper {
  var x: real
  let total = (
    x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+
    x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+
    x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+
    x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+
    x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+
    x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+
    x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+
    x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+
    x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+
    x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+
    x)
  minimize (total - 1)^2
}
",
        r"
upper {
  var x: real
  let total = sum(x for i in 0..501)
  minimize (total - 1)^2
}
",
    ),
    Code::new(
        "E0118",
        "`if` or `not` needs brackets",
        "`if c then a else b` always has both values and binds looser than every operator, `not` looser than \
         comparisons: inside a tighter expression they need brackets.",
        r"
upper {
  var x: real
  minimize (x - 1)^2 + if x > 0 then x else -x
}
",
        r"
upper {
  var x: real
  minimize (x - 1)^2 + (if x > 0 then x else -x)
}
",
    ),
    Code::new(
        "E0119",
        "an argument of a function is given by name",
        "Only the options of `solve` are given by name. Functions take their arguments by position.",
        r"
use std.losses (huber)
upper {
  var x: real
  minimize huber(x - 3, delta = 1)
}
",
        r"
use std.losses (huber)
upper {
  var x: real
  minimize huber(x - 3, 1)
}
",
    ),
];
