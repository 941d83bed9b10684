//! The codes of the checker (E02, W02), of compiling and running (E04) and of the command's methods (E05), each with the explanation that `blo explain` prints. Codes are stable: one is never given another meaning.

/// A code with its explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Such as `E0203`.
    pub code: &'static str,
    /// The general statement behind the messages with this code.
    pub title: &'static str,
    /// Why it is a rule and how to get out of it.
    pub explanation: &'static str,
}

/// The entry of a code.
pub fn explain(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|c| c.code.eq_ignore_ascii_case(code))
}

const fn code(code: &'static str, title: &'static str, explanation: &'static str) -> Code {
    Code { code, title, explanation }
}

/// All codes but those of the syntax, ascending.
pub static CODES: &[Code] = &[
    code(
        "E0201",
        "a name is not known",
        "Names are declared once, anywhere at the top level, or locally in a level, a function or a comprehension. \
         `let`, `fn` and `report` inside `upper` or `lower` are visible only in that block. Functions of the standard \
         library are brought in with `use`.",
    ),
    code(
        "E0202",
        "a name is defined twice",
        "Top-level declarations and the variables of both levels share one set of names, because the upper level reads \
         lower variables by their plain names. Rename one of the two.",
    ),
    code(
        "E0203",
        "shapes do not match",
        "Elementwise operations need the same dimensions, or a scalar, or trailing dimensions that agree: `[n, k] + [k]`. \
         Two named dimensions are different even when they happen to have the same size, unless the model says `dim m = n`. \
         `@` contracts the last dimension of its left side with the first (for matrices, the second to last) of its right.",
    ),
    code(
        "E0204",
        "a value has the wrong element type",
        "Values are `real`, `int` or `bool`. `int` widens to `real`; nothing else is converted silently. Truth values \
         count as 0 and 1 only in `sum` and `mean`; elsewhere write `if c then 1 else 0`.",
    ),
    code(
        "E0205",
        "a function is not known",
        "The function is neither built in, nor defined with `fn`, nor brought in with `use`.",
    ),
    code(
        "E0206",
        "a function gets the wrong arguments",
        "The number of arguments must be that of the definition. Only options of `solve` are given by name.",
    ),
    code(
        "E0207",
        "two places disagree about the size of a dimension",
        "A dimension has one size in the whole model. The sizes come from `dim` declarations and from the shapes of data; \
         the message names both places.",
    ),
    code(
        "E0208",
        "a dimension has no size",
        "A dimension takes its size from `dim n = …` or from a `data` declaration that mentions it, such as `data x: real[n]`.",
    ),
    code(
        "E0209",
        "a datum has no values",
        "Give values in the model (`= …`, `from \"file\"`, `~ normal(0, 1)`) or on the command line with `--data NAME=FILE`.",
    ),
    code(
        "E0210",
        "data could not be read or have the wrong form",
        "The file must exist, be readable, and hold an array with as many axes and the element type that the declaration states.",
    ),
    code(
        "E0211",
        "data hold a value that is not a finite number",
        "NaN and infinite values in data make every objective that reads them meaningless, so they are refused at the start. \
         Clean the data or leave out the rows.",
    ),
    code(
        "E0212",
        "a value lies outside its declared range",
        "`in a..b` is half-open: `a` is allowed and `b` is not. Labels of k classes are `0..k`.",
    ),
    code(
        "E0213",
        "an index runs off its dimension",
        "Indices are 0-based: a dimension of size n has positions 0 to n - 1. For cyclic indices write `x[mod(i + 1, n)]`; \
         for differences of neighbours let the index run over `0..n - 1`.",
    ),
    code(
        "E0214",
        "a value is indexed with the wrong number or kind of indices",
        "An array has as many indices as axes, or fewer: `X[i]` is a row of a matrix. An index is a whole number, an int \
         array, a label, `:` or a range.",
    ),
    code(
        "E0215",
        "a whole number is needed that is known before the solve",
        "Sizes, axes and ends of ranges are whole numbers made of literals, dimensions and whole parameters.",
    ),
    code(
        "E0216",
        "declarations depend on each other in a circle",
        "Each value must be computable from others. Break the circle that the message shows.",
    ),
    code(
        "E0217",
        "a variable is read where only data may be read",
        "Data, parameters, dimensions, bounds and top-level `let`s are evaluated once, before the solve, so they cannot \
         depend on variables. Move the `let` into a level, or make it a `fn`.",
    ),
    code(
        "E0218",
        "a function calls itself",
        "Functions are expanded where they are called, so a recursive one would never end. Use a reduction such as `sum`, \
         `prod` or `cumsum`.",
    ),
    code(
        "E0219",
        "a declaration stands in the wrong place",
        "`var`, objectives and constraints belong into `upper` or `lower`; data, parameters, dimensions, `solve`, `expect` \
         and `precision` belong to the top level.",
    ),
    code(
        "E0220",
        "a level lacks a part or has one twice",
        "A model has one `upper` block and any number of `lower` blocks, each with variables and exactly one objective. Several \
         `lower` blocks have names.",
    ),
    code(
        "E0221",
        "an objective or report is not a real scalar",
        "Objectives and reports are single numbers. Reduce arrays with `sum`, `mean` or `sumsq`.",
    ),
    code(
        "E0222",
        "a condition is not a single truth value",
        "Use a comparison, and `all(…)` or `any(…)` over arrays.",
    ),
    code(
        "E0223",
        "a domain is not known or does not fit",
        "A variable lies in `[lo, hi]`, `nonneg`, `simplex` or `ball(r)`; bounds are scalars or have the variable's shape. \
         A datum may be declared in `a..b`.",
    ),
    code(
        "E0224",
        "a distribution is not known or its parameters are wrong",
        "`normal(mean, sd)` needs sd >= 0 and `uniform(a, b)` needs a <= b; all are numbers known before the solve.",
    ),
    code(
        "E0225",
        "an option of `solve` has a value of the wrong kind",
        "An option is a number, `true` or `false`, a word, or a call such as `power(0.5)` or `rates(x = 2)`. Numbers may use parameters.",
    ),
    code(
        "E0226",
        "a used module or file was not found",
        "`use std.NAME` looks in the library; `use \"file.blo\"` next to the model.",
    ),
    code(
        "E0227",
        "a used module has no such name",
        "The message lists what the module defines; `use std.NAME` brings in all of it.",
    ),
    code(
        "E0228",
        "`--set` names nothing that can be set",
        "Only parameters and dimensions with a value can be set on the command line.",
    ),
    code("E0229", "a precision is not known", "`precision f64` (the default) or `precision f32`."),
    code(
        "E0230",
        "an axis is not one of the array's axes",
        "Axes count from 0. The last axis of X is the number of its axes minus one; there are no negative axes.",
    ),
    code(
        "E0231",
        "a value cannot be transposed",
        "`x'` swaps the last two axes; vectors and scalars have no transpose and need none.",
    ),
    code(
        "E0232",
        "a label is not one of its dimension's labels",
        "Labels are declared with `dim city = [\"Paris\", \"Lyon\"]`.",
    ),
    code(
        "E0233",
        "a gradient cannot be formed",
        "`grad(e, x)` needs a real scalar `e` and a variable `x`, and every operation between them must have a derivative.",
    ),
    code(
        "E0234",
        "the model expands too far",
        "Functions are expanded at every call, and a name is worked out when it is first used. A function that calls another \
         twice, which calls a third twice, doubles at every step. Give the results a name with `let` and use the name.",
    ),
    code(
        "E0235",
        "an array is too large",
        "Every number of an array takes 8 bytes, and a solve keeps several arrays of the variables' size. Look for a \
         dimension with a wrong size.",
    ),
    code(
        "E0236",
        "a constraint can never hold",
        "No value of the variables satisfies it: the data alone violate it, or it contradicts the bounds of a variable or \
         another constraint. Look for two sides in the wrong order.",
    ),
    code(
        "E0237",
        "a multiplier is not to be had",
        "`dual(name)` is the multiplier of a named constraint of `lower`. The upper level, reports and `expect` may read it; \
         the follower itself may not, since its multipliers are part of its answer.",
    ),
    code(
        "E0238",
        "a family of constraints has a sampled index",
        "`i ~ n` marks a sum that a stochastic method may estimate. Every member of a family of constraints must hold, so its \
         indices are written `i in n`.",
    ),
    code(
        "E0239",
        "a follower reads a variable of another one",
        "Several followers are independent: each minimises its own objective over its own variables and sees the leader's. \
         Followers that see each other play a game, whose equilibria are another problem.",
    ),
    code(
        "E0401",
        "an objective cannot be differentiated",
        "Solvers follow derivatives, and this operation has none that says anything: the place of a maximum, a rounding, a \
         comparison. Keep it to reports, or replace it by a smooth form such as `softmax` or `sigmoid`.",
    ),
    code(
        "E0402",
        "a value is not finite",
        "At the point where the solver stopped, this expression is NaN or infinite although what it reads is finite: a \
         logarithm of zero, a division by zero, an overflow. Bound the variables away from there, start elsewhere, or \
         take smaller steps.",
    ),
    code(
        "E0403",
        "a variable has nowhere to lie",
        "The lower bound must not exceed the upper one, neither may be infinite on the wrong side, and a ball needs a \
         radius of at least 0.",
    ),
    code(
        "E0404",
        "a variable has a start that is not finite",
        "The value behind `=` or `~` in the variable's declaration is where the solver starts, so it must be finite numbers.",
    ),
    code(
        "E0405",
        "a model cannot be compiled",
        "The model is right, but it cannot be turned into machine code here: usually it needs more memory than the machine \
         has. The message says what is missing.",
    ),
    code(
        "E0501",
        "a method or option on the command line cannot be read",
        "`--method` takes `NAME` or `NAME(option = value, …)`, and `--option` takes `NAME=VALUE`. A value is a number, `true`, \
         `false`, a word, or `word(name = value)`. Brackets need quotes in most shells: `--method 'rhg(steps = 10)'`.",
    ),
    code(
        "E0502",
        "a method is not known or does not fit the model",
        "Models with a lower level need a bilevel method; models without one need a method of ordinary optimisation. The \
         message lists the methods there are.",
    ),
    code(
        "E0503",
        "a method has no such option, or the option takes other values",
        "The message names the option's kind and range, or lists the method's options.",
    ),
    code(
        "E0901",
        "not supported yet",
        "The language has this construct, but this version of blo does not compile it.",
    ),
    code(
        "W0201",
        "something is declared and never used",
        "Often a misspelt name elsewhere. Remove the declaration if it is not needed.",
    ),
    code(
        "W0202",
        "an objective does not depend on its level's own variables",
        "Then there is nothing to choose at that level. For the upper level, dependence through the lower level's response counts.",
    ),
    code(
        "W0203",
        "a data file was not read",
        "Checking goes on with shapes by name. Running the model needs the file.",
    ),
    code(
        "W0204",
        "a constraint says less than it seems to",
        "It reads no variable, or none of its own level, or it is the same for every index of its family. Often an index or a \
         variable was forgotten, or the constraint belongs to the other level.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_ascending() {
        for pair in CODES.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} {}", pair[0].code, pair[1].code);
        }
        assert_eq!(explain("e0203").map(|c| c.title), Some("shapes do not match"));
    }
}
