//! Statements and levels: how they begin, go on and end.

use super::Code;

/// The codes of this topic, ascending.
pub(super) static CODES: &[Code] = &[
    Code::new(
        "E0101",
        "something is missing or stands in the wrong place",
        "Something is missing or stands in the wrong place. The message says what could stand there and what was \
         found. A statement ends with its line, except inside `( )` and `[ ]` or after a binary operator, a comma or \
         `=`.",
        r"
upper {
  var x real
  minimize (x - 1)^2
}
",
        r"
upper {
  var x: real
  minimize (x - 1)^2
}
",
    ),
    Code::new(
        "E0107",
        "a line does not begin like a statement",
        "A line that does not begin like a statement. Statements begin with `use`, `dim`, `data`, `param`, `let`, \
         `fn`, `upper`, `lower`, `solve`, `report`, `expect` or `precision`, and inside a level also with `var`, \
         `minimize`, `maximize` or `subject to`.",
        r"
upper {
  var x: real
  minimise (x - 1)^2
}
",
        r"
upper {
  var x: real
  minimize (x - 1)^2
}
",
    ),
    Code::new(
        "E0110",
        "a keyword is used as a name",
        "Keywords cannot be names: `and`, `data`, `dim`, `else`, `expect`, `false`, `fn`, `for`, `if`, `in`, `inf`, \
         `let`, `lower`, `maximize`, `minimize`, `not`, `or`, `param`, `report`, `solve`, `then`, `true`, `upper`, \
         `use`, `var`.",
        r"
param lower = -1
upper {
  var x: real in [lower, 3]
  minimize (x - 1)^2
}
",
        r"
param least = -1
upper {
  var x: real in [least, 3]
  minimize (x - 1)^2
}
",
    ),
    Code::new(
        "E0112",
        "a constraint is not written as one",
        "Every constraint is a statement of its own: `subject to a <= b`, or `subject to name: a <= b`. It must \
         compare two expressions. A bound on one variable can also stand in its declaration: `in [lo, hi]`.",
        r"
upper {
  var x: real
  minimize (x - 1)^2
  x >= 2
}
",
        r"
upper {
  var x: real
  minimize (x - 1)^2
  subject to x >= 2
}
",
    ),
    Code::new(
        "E0116",
        "a level has no block",
        "A level is written `upper { … }`, `lower { … }`, `lower name { … }` or `lower pessimistic name { … }`, with \
         `{` on the same line.",
        r"
upper
{
  var x: real
  minimize (x - 1)^2
}
",
        r"
upper {
  var x: real
  minimize (x - 1)^2
}
",
    ),
    Code::new(
        "E0117",
        "a constraint has a relation it cannot have",
        "A constraint is `a <= b`, `a >= b`, `a == b`, `lo <= e <= hi` or `hi >= e >= lo`. Strict relations are \
         refused, since the set they describe does not contain its edge; so are `!=` and logic.",
        r"
upper {
  var x: real
  minimize (x - 1)^2
  subject to x > 2
}
",
        r"
upper {
  var x: real
  minimize (x - 1)^2
  subject to x >= 2
}
",
    ),
    Code::new(
        "E0120",
        "a statement goes on in the next line without a sign of it",
        "A statement ends with its line unless the line ends in a binary operator, a comma or `=`. To go on in the \
         next line, end the line with the operator, or put the expression in brackets.",
        r"
upper {
  var x: real[3]
  minimize sumsq(x - 1)
    + 0.1 * norm1(x)
}
",
        r"
upper {
  var x: real[3]
  minimize sumsq(x - 1) +
    0.1 * norm1(x)
}
",
    ),
    Code::new(
        "E0121",
        "a level stands inside another level",
        "The levels of a model stand side by side at the top level. The lower one reads the variables of the upper one by their \
         names, and the upper one those of the lower.",
        r"
upper {
  var x: real
  minimize (x - y)^2
  lower {
    var y: real
    minimize (y - 2 * x)^2
  }
}
",
        r"
upper {
  var x: real
  minimize (x - y)^2
}
lower {
  var y: real
  minimize (y - 2 * x)^2
}
",
    ),
];
