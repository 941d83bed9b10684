//! Data, parameters, dimensions and files.

use super::Code;

/// The codes of this topic, ascending.
pub(super) static CODES: &[Code] = &[
    Code::new(
        "E0207",
        "two places disagree about the size of a dimension",
        "A dimension has one size in the whole model. The sizes come from `dim` declarations and from the shapes of data; \
         the message names both places.",
        r"
data a: real[n] = [1, 2, 3]
data b: real[n] = [2, 4]
upper {
  var x: real
  minimize sumsq(a * x - b)
}
",
        r"
data a: real[n] = [1, 2, 3]
data b: real[n] = [2, 4, 6]
upper {
  var x: real
  minimize sumsq(a * x - b)
}
",
    ),
    Code::new(
        "E0208",
        "a dimension has no size",
        "A dimension takes its size from `dim n = …` or from a `data` declaration that mentions it, such as `data x: real[n]`.",
        r"
dim n
upper {
  var x: real[n]
  minimize sumsq(x - 1)
}
",
        r"
dim n = 5
upper {
  var x: real[n]
  minimize sumsq(x - 1)
}
",
    ),
    Code::new(
        "E0209",
        "a datum has no values",
        "Give values in the model (`= …`, `from \"file\"`, `~ normal(0, 1)`) or on the command line with `--data NAME=FILE`.",
        r"
data demand: real[n]
upper {
  var x: real
  minimize sumsq(x - demand)
}
",
        r"
data demand: real[n] = [3, 5]
upper {
  var x: real
  minimize sumsq(x - demand)
}
",
    )
    .shown_by(RUN, RUN),
    Code::new(
        "E0210",
        "data could not be read or have the wrong form",
        "The file must exist, be readable, and hold an array with as many axes and the element type that the declaration states.",
        r#"
data demand: real[n] from "demand.npz"
upper {
  var x: real
  minimize sumsq(x - demand)
}
"#,
        r"
data demand: real[n] = [3, 5]
upper {
  var x: real
  minimize sumsq(x - demand)
}
",
    )
    .shown_by(RUN, RUN),
    Code::new(
        "E0211",
        "data hold a value that is not a finite number",
        "NaN and infinite values in data make every objective that reads them meaningless, so they are refused at the start. \
         Clean the data or leave out the rows.",
        r"
data demand: real[n] = [3, 5, inf]
upper {
  var x: real
  minimize sumsq(x - demand)
}
",
        r"
data demand: real[n] = [3, 5]
upper {
  var x: real
  minimize sumsq(x - demand)
}
",
    ),
    Code::new(
        "E0212",
        "a value lies outside its declared range",
        "`in a..b` is half-open: `a` is allowed and `b` is not. Labels of k classes are `0..k`.",
        r"
data class: int[n] in 0..3 = [1, 3, 2]
upper {
  var x: real[3]
  minimize logsumexp(x) - mean(x[class])
}
",
        r"
data class: int[n] in 0..3 = [0, 2, 1]
upper {
  var x: real[3]
  minimize logsumexp(x) - mean(x[class])
}
",
    ),
    Code::new(
        "E0224",
        "a distribution is not known or its parameters are wrong",
        "`normal(mean, sd)` needs sd >= 0 and `uniform(a, b)` needs a <= b; all are numbers known before the solve.",
        r"
upper {
  var x: real[3] ~ gaussian(0, 1)
  minimize sumsq(x - 1)
}
",
        r"
upper {
  var x: real[3] ~ normal(0, 1)
  minimize sumsq(x - 1)
}
",
    ),
    Code::new(
        "E0228",
        "`--set` names nothing that can be set",
        "Only parameters and dimensions with a value can be set on the command line.",
        r"
param target = 3
upper {
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
    )
    .shown_by(
        &["check", "model.blo", "--set", "tagret=4"],
        &["check", "model.blo", "--set", "target=4"],
    ),
    Code::new(
        "E0235",
        "an array is too large",
        "Every number of an array takes 8 bytes, and a solve keeps several arrays of the variables' size. Look for a \
         dimension with a wrong size.",
        r"
dim n = 1_000_000_000
upper {
  var x: real[n, n]
  minimize sumsq(x - 1)
}
",
        r"
dim n = 1_000
upper {
  var x: real[n, n]
  minimize sumsq(x - 1)
}
",
    ),
];

/// The command of examples whose data must have values.
const RUN: &[&str] = &["run", "model.blo"];
