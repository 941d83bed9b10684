//! The codes of syntax errors, with the paragraph that `blo explain` prints for each.

/// Code and explanation, in order of the codes.
pub const CODES: &[(&str, &str)] = &[
    (
        "E0101",
        "Something is missing or stands in the wrong place. The message says what could stand there and what was \
         found. A statement ends with its line, except inside `( )` and `[ ]` or after a binary operator, a comma or \
         `=`.",
    ),
    (
        "E0102",
        "A bracket or block is never closed. The message points at the bracket that was opened; the next statement, \
         or a closing bracket of another kind, came first.",
    ),
    ("E0103", "A closing bracket stands where none is open. Delete it, or add the opening one."),
    (
        "E0104",
        "A character that has no meaning in a model, often one that a word processor or a web page put there: a curly \
         quote, a non-breaking space, a typographic minus. Names are made of letters of any alphabet, digits and `_`.",
    ),
    (
        "E0105",
        "A number that cannot be read. Numbers are decimal, with a digit before and after the point: `3`, `0.5`, \
         `1e-3`, `1_000`. Multiplication is always written: `2 * x`, not `2x`. Infinity is `inf`.",
    ),
    ("E0106", "A string starts with `\"` and ends with `\"` on the same line. There are no escapes inside."),
    (
        "E0107",
        "A line that does not begin like a statement. Statements begin with `use`, `dim`, `data`, `param`, `let`, \
         `fn`, `upper`, `lower`, `solve`, `report`, `expect` or `precision`, and inside a level also with `var`, \
         `minimize`, `maximize` or `subject to`.",
    ),
    (
        "E0108",
        "An operator or comment of another language. Here: `and`, `or`, `not`, `^` for powers, `==` and `!=` to \
         compare, `@` for the matrix product, `#` for comments.",
    ),
    ("E0109", "`=` gives a value to a name; `==` compares two values. Conditions and constraints compare."),
    (
        "E0110",
        "Keywords cannot be names: `and`, `data`, `dim`, `else`, `expect`, `false`, `fn`, `for`, `if`, `in`, `inf`, \
         `let`, `lower`, `maximize`, `minimize`, `not`, `or`, `param`, `report`, `solve`, `then`, `true`, `upper`, \
         `use`, `var`.",
    ),
    (
        "E0111",
        "`a < b < c` has no value of its own: write `a < b and b < c`. Only a constraint takes the chain \
         `subject to lo <= e <= hi`.",
    ),
    (
        "E0112",
        "Every constraint is a statement of its own: `subject to a <= b`, or `subject to name: a <= b`. It must \
         compare two expressions.",
    ),
    (
        "E0113",
        "Indices are written `for i in n, j in 0..m if condition`: one `for`, `in` (or `~` for a sampled sum) between \
         the index and its range, commas between indices, and at most one filter at the end. A family of constraints \
         writes them behind its name: `subject to name[i in n]: …`.",
    ),
    (
        "E0114",
        "Brackets and `if`s stand inside each other more than 100 deep. Give the inner parts names with `let`.",
    ),
    (
        "E0115",
        "An expression tree may be at most 500 operators high. Long sums are written over an index, \
         `sum(x[i] for i in n)`, and long formulas are cut into named parts with `let`.",
    ),
    (
        "E0116",
        "A level is written `upper { … }`, `lower { … }`, `lower name { … }` or `lower pessimistic name { … }`, with \
         `{` on the same line.",
    ),
    (
        "E0117",
        "A constraint is `a <= b`, `a >= b`, `a == b`, `lo <= e <= hi` or `hi >= e >= lo`. Strict relations are \
         refused, since the set they describe does not contain its edge; so are `!=` and logic.",
    ),
    (
        "E0118",
        "`if c then a else b` always has both values and binds looser than every operator, `not` looser than \
         comparisons: inside a tighter expression they need brackets.",
    ),
    ("E0119", "Only the options of `solve` are given by name. Functions take their arguments by position."),
    (
        "E0120",
        "A statement ends with its line unless the line ends in a binary operator, a comma or `=`. To go on in the \
         next line, end the line with the operator, or put the expression in brackets.",
    ),
];

/// The explanation of a syntax code.
pub fn explanation(code: &str) -> Option<&'static str> {
    CODES.iter().find(|entry| entry.0 == code).map(|entry| entry.1)
}
