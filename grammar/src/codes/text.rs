//! Characters, numbers, strings, brackets, and spellings of other languages.

use super::Code;

/// The codes of this topic, ascending.
pub(super) static CODES: &[Code] = &[
    Code::new(
        "E0102",
        "a bracket or block is not closed",
        "A bracket or block is never closed. The message points at the bracket that was opened; the next statement, \
         or a closing bracket of another kind, came first.",
        r"
upper {
  var x: real[3]
  minimize sum((x[i] - i)^2 for i in 0..3
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
        "E0103",
        "a closing bracket closes nothing",
        "A closing bracket stands where none is open. Delete it, or add the opening one.",
        r"
upper {
  var x: real
  minimize (x - 1))^2
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
        "E0104",
        "a character has no meaning in a model",
        "A character that has no meaning in a model, often one that a word processor or a web page put there: a curly \
         quote, a non-breaking space, a typographic minus. Names are made of letters of any alphabet, digits and `_`.",
        "
upper {
  var x: real in [0, 3]
  minimize (x \u{2212} 1)^2
}
",
        "
upper {
  var x: real in [0, 3]
  minimize (x - 1)^2
}
",
    ),
    Code::new(
        "E0105",
        "a number cannot be read",
        "A number that cannot be read. Numbers are decimal, with a digit before and after the point: `3`, `0.5`, \
         `1e-3`, `1_000`. Multiplication is always written: `2 * x`, not `2x`. Infinity is `inf`.",
        r"
upper {
  var x: real
  minimize x^2 - 2x
}
",
        r"
upper {
  var x: real
  minimize x^2 - 2 * x
}
",
    ),
    Code::new(
        "E0106",
        "a string is not closed",
        "A string starts with `\"` and ends with `\"` on the same line. There are no escapes inside.",
        r#"
dim city = ["Paris", "Lyon]
data demand: real[city] = [3, 5]
upper {
  var x: real
  minimize (x - demand["Paris"])^2
}
"#,
        r#"
dim city = ["Paris", "Lyon"]
data demand: real[city] = [3, 5]
upper {
  var x: real
  minimize (x - demand["Paris"])^2
}
"#,
    ),
    Code::new(
        "E0108",
        "an operator, comment or call of another language",
        "A spelling of another language. Here: `and`, `or`, `not`, `^` for powers, `==` and `!=` to compare, `@` for the \
         matrix product, `#` for comments; functions have no library before them, and an index stands behind the term: \
         `sum(e for i in n)`.",
        r"
upper {
  var x: real
  minimize (x - 1)**2
}
",
        r"
upper {
  var x: real
  minimize (x - 1)^2
}
",
    ),
];
