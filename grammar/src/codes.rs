//! The codes of syntax errors, with the paragraph that `blo explain` prints for each.

/// Code, title and explanation, in order of the codes.
pub const CODES: &[(&str, &str, &str)] = &[
    (
        "E0101",
        "something is missing or stands in the wrong place",
        "Something is missing or stands in the wrong place. The message says what could stand there and what was \
         found. A statement ends with its line, except inside `( )` and `[ ]` or after a binary operator, a comma or \
         `=`.",
    ),
    (
        "E0102",
        "a bracket or block is not closed",
        "A bracket or block is never closed. The message points at the bracket that was opened; the next statement, \
         or a closing bracket of another kind, came first.",
    ),
    (
        "E0103",
        "a closing bracket closes nothing",
        "A closing bracket stands where none is open. Delete it, or add the opening one.",
    ),
    (
        "E0104",
        "a character has no meaning in a model",
        "A character that has no meaning in a model, often one that a word processor or a web page put there: a curly \
         quote, a non-breaking space, a typographic minus. Names are made of letters of any alphabet, digits and `_`.",
    ),
    (
        "E0105",
        "a number cannot be read",
        "A number that cannot be read. Numbers are decimal, with a digit before and after the point: `3`, `0.5`, \
         `1e-3`, `1_000`. Multiplication is always written: `2 * x`, not `2x`. Infinity is `inf`.",
    ),
    (
        "E0106",
        "a string is not closed",
        "A string starts with `\"` and ends with `\"` on the same line. There are no escapes inside.",
    ),
    (
        "E0107",
        "a line does not begin like a statement",
        "A line that does not begin like a statement. Statements begin with `use`, `dim`, `data`, `param`, `let`, \
         `fn`, `upper`, `lower`, `solve`, `report`, `expect` or `precision`, and inside a level also with `var`, \
         `minimize`, `maximize` or `subject to`.",
    ),
    (
        "E0108",
        "an operator or comment of another language",
        "An operator or comment of another language. Here: `and`, `or`, `not`, `^` for powers, `==` and `!=` to \
         compare, `@` for the matrix product, `#` for comments.",
    ),
    (
        "E0109",
        "`=` stands where two values are compared, or `==` where a value is given",
        "`=` gives a value to a name; `==` compares two values. Conditions and constraints compare.",
    ),
    (
        "E0110",
        "a keyword is used as a name",
        "Keywords cannot be names: `and`, `data`, `dim`, `else`, `expect`, `false`, `fn`, `for`, `if`, `in`, `inf`, \
         `let`, `lower`, `maximize`, `minimize`, `not`, `or`, `param`, `report`, `solve`, `then`, `true`, `upper`, \
         `use`, `var`.",
    ),
    (
        "E0111",
        "comparisons are chained",
        "`a < b < c` has no value of its own: write `a < b and b < c`. Only a constraint takes the chain \
         `subject to lo <= e <= hi`.",
    ),
    (
        "E0112",
        "a constraint is not written as one",
        "Every constraint is a statement of its own: `subject to a <= b`, or `subject to name: a <= b`. It must \
         compare two expressions.",
    ),
    (
        "E0113",
        "indices are not written as they should be",
        "Indices are written `for i in n, j in 0..m if condition`: one `for`, `in` (or `~` for a sampled sum) between \
         the index and its range, commas between indices, and at most one filter at the end. A family of constraints \
         writes them behind its name: `subject to name[i in n]: …`.",
    ),
    (
        "E0114",
        "brackets or `if`s are nested too deeply",
        "Brackets and `if`s stand inside each other more than 100 deep. Give the inner parts names with `let`.",
    ),
    (
        "E0115",
        "an expression is too long",
        "An expression tree may be at most 500 operators high. Long sums are written over an index, \
         `sum(x[i] for i in n)`, and long formulas are cut into named parts with `let`.",
    ),
    (
        "E0116",
        "a level has no block",
        "A level is written `upper { … }`, `lower { … }`, `lower name { … }` or `lower pessimistic name { … }`, with \
         `{` on the same line.",
    ),
    (
        "E0117",
        "a constraint has a relation it cannot have",
        "A constraint is `a <= b`, `a >= b`, `a == b`, `lo <= e <= hi` or `hi >= e >= lo`. Strict relations are \
         refused, since the set they describe does not contain its edge; so are `!=` and logic.",
    ),
    (
        "E0118",
        "`if` or `not` needs brackets",
        "`if c then a else b` always has both values and binds looser than every operator, `not` looser than \
         comparisons: inside a tighter expression they need brackets.",
    ),
    (
        "E0119",
        "an argument of a function is given by name",
        "Only the options of `solve` are given by name. Functions take their arguments by position.",
    ),
    (
        "E0120",
        "a statement goes on in the next line without a sign of it",
        "A statement ends with its line unless the line ends in a binary operator, a comma or `=`. To go on in the \
         next line, end the line with the operator, or put the expression in brackets.",
    ),
];

/// The explanation of a syntax code.
pub fn explanation(code: &str) -> Option<&'static str> {
    CODES.iter().find(|entry| entry.0 == code).map(|entry| entry.2)
}
