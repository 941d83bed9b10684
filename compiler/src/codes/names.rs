//! Names: what is declared, called, and brought in.

use super::Code;

/// The codes of this topic, ascending.
pub(super) static CODES: &[Code] = &[
    Code::new(
        "E0201",
        "a name is not known",
        "Names are declared once, anywhere at the top level, or locally in a level, a function or a comprehension. \
         `let`, `fn` and `report` inside `upper` or `lower` are visible only in that block. Functions of the standard \
         library are brought in with `use`.",
        r"
param target = 3
upper {
  var x: real
  minimize (x - tagret)^2
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
        "E0202",
        "a name is defined twice",
        "Top-level declarations and the variables of both levels share one set of names, because the upper level reads \
         lower variables by their plain names. Rename one of the two.",
        r"
upper {
  var x: real
  minimize (x - 1)^2
}
lower {
  var x: real
  minimize (x - 2)^2
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
    Code::new(
        "E0205",
        "a function is not known",
        "The function is neither built in, nor defined with `fn`, nor brought in with `use`.",
        r"
upper {
  var x: real
  minimize huber(x - 3, 1)
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
    Code::new(
        "E0206",
        "a function gets the wrong arguments",
        "The number of arguments must be that of the definition. Only options of `solve` are given by name.",
        r"
upper {
  var x: real
  minimize pow(x - 1)
}
",
        r"
upper {
  var x: real
  minimize pow(x - 1, 2)
}
",
    ),
    Code::new(
        "E0216",
        "declarations depend on each other in a circle",
        "Each value must be computable from others. Break the circle that the message shows.",
        r"
let a = 2 * b
let b = a - 1
upper {
  var x: real
  minimize (x - a)^2
}
",
        r"
param b = 1
let a = 2 * b
upper {
  var x: real
  minimize (x - a)^2
}
",
    ),
    Code::new(
        "E0218",
        "a function calls itself",
        "Functions are expanded where they are called, so a recursive one would never end. Use a reduction such as `sum`, \
         `prod` or `cumsum`.",
        r"
fn factorial(n) = if n == 0 then 1 else n * factorial(n - 1)
upper {
  var x: real
  minimize (x - factorial(4))^2
}
",
        r"
fn factorial(n) = prod(i + 1 for i in 0..n)
upper {
  var x: real
  minimize (x - factorial(4))^2
}
",
    ),
    Code::new(
        "E0226",
        "a used module or file was not found",
        "`use std.NAME` looks in the library; `use \"file.blo\"` next to the model.",
        r"
use std.loses (huber)
upper {
  var x: real
  minimize huber(x - 3, 1)
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
    Code::new(
        "E0227",
        "a used module has no such name",
        "The message lists what the module defines; `use std.NAME` brings in all of it.",
        r"
use std.losses (hubber)
upper {
  var x: real
  minimize hubber(x - 3, 1)
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
    Code::new(
        "E0232",
        "a label is not one of its dimension's labels",
        "Labels are declared with `dim city = [\"Paris\", \"Lyon\"]`.",
        r#"
dim city = ["Paris", "Lyon"]
data demand: real[city] = [3, 5]
upper {
  var x: real
  minimize (x - demand["Lion"])^2
}
"#,
        r#"
dim city = ["Paris", "Lyon"]
data demand: real[city] = [3, 5]
upper {
  var x: real
  minimize (x - demand["Lyon"])^2
}
"#,
    ),
    Code::new(
        "E0234",
        "the model expands too far",
        "Functions are expanded at every call, and a name is worked out when it is first used. A function that calls another \
         twice, which calls a third twice, doubles at every step. Give the results a name with `let` and use the name.",
        r"
fn a(x) = sin(x) + 1
fn b(x) = a(a(a(a(a(a(a(a(a(a(x))))))))))
fn c(x) = b(b(b(b(b(b(b(b(b(b(x))))))))))
fn d(x) = c(c(c(c(c(c(c(c(c(c(x))))))))))
fn e(x) = d(d(d(d(d(d(d(d(d(d(x))))))))))
upper {
  var x: real
  minimize e(e(e(e(e(x)))))
}
",
        r"
fn a(x) = sin(x) + 1
fn b(x) = a(a(a(a(a(a(a(a(a(a(x))))))))))
upper {
  var x: real
  minimize b(b(x))
}
",
    ),
];
