//! Compiling and running a model, and the methods that the command knows.

use super::Code;

/// The command that shows what only a run can find.
const RUN: &[&str] = &["run", "model.blo"];

/// The commands that show what other programs cannot read.
const EXPORT: &[&str] = &["export", "model.blo", "model.nl"];
const EXPORT_LP: &[&str] = &["export", "model.blo", "model.lp"];

/// The codes of this topic, ascending.
pub(super) static CODES: &[Code] = &[
    Code::new(
        "E0401",
        "an objective cannot be differentiated",
        "Solvers follow derivatives, and this operation has none that says anything: the place of a maximum, a rounding, a \
         comparison. Keep it to reports, or replace it by a smooth form such as `softmax` or `sigmoid`.",
        r"
upper {
  var x: real
  minimize floor(3 * x)
}
",
        r"
upper {
  var x: real in [0, 1]
  minimize 3 * x
  report whole = floor(3 * x)
}
",
    ),
    Code::new(
        "E0402",
        "a value is not finite",
        "At the point where the solver stopped, this expression is NaN or infinite although what it reads is finite: a \
         logarithm of zero, a division by zero, an overflow. Bound the variables away from there, start elsewhere, or \
         take smaller steps.",
        r"
upper {
  var x: real
  minimize x - log(x)
}
",
        r"
upper {
  var x: real in [0.001, inf] = 2
  minimize x - log(x)
}
",
    )
    .shown_by(RUN, RUN),
    Code::new(
        "E0403",
        "a variable has nowhere to lie",
        "The lower bound must not exceed the upper one, neither may be infinite on the wrong side, and a ball needs a \
         radius of at least 0.",
        r"
upper {
  var x: real in [inf, inf]
  minimize (x - 1)^2
}
",
        r"
upper {
  var x: real in [-inf, inf]
  minimize (x - 1)^2
}
",
    )
    .shown_by(RUN, RUN),
    Code::new(
        "E0404",
        "a variable has a start that is not finite",
        "The value behind `=` or `~` in the variable's declaration is where the solver starts, so it must be finite numbers.",
        r"
param scale = 0
upper {
  var x: real = 1 / scale
  minimize (x - 1)^2
}
",
        r"
param scale = 4
upper {
  var x: real = 1 / scale
  minimize (x - 1)^2
}
",
    )
    .shown_by(RUN, RUN),
    Code::new(
        "E0405",
        "a model cannot be compiled",
        "The model is right, but it cannot be turned into machine code here: usually it needs more memory than the machine \
         has. The message says what is missing.",
        r"
data a: real[4000000] = 1
upper {
  var x: real[4000000]
  minimize sum(sin(outer(x, a) @ outer(a, x)))
}
",
        r"
data a: real[40] = 1
upper {
  var x: real[40]
  minimize sum(sin(outer(x, a) @ outer(a, x)))
}
",
    )
    .shown_by(RUN, RUN),
    Code::new(
        "E0406",
        "a function has no counterpart in a file format",
        "Other programs know sums, products, powers and elementary functions. What blo computes beyond these, such as \
         linear algebra or `gelu`, cannot be written into their files.",
        r"
upper {
  var x: real = 1
  minimize gelu(x) + x^2
}
",
        r"
upper {
  var x: real = 1
  minimize x * sigmoid(1.702 * x) + x^2
}
",
    )
    .shown_by(EXPORT, EXPORT),
    Code::new(
        "E0407",
        "a model is not linear enough for a file format",
        "The LP and MPS formats hold linear constraints and linear or quadratic objectives, in the variables of both levels \
         and the follower's multipliers together. The `.nl` format holds any smooth model.",
        r"
upper {
  var x: real in [0, 4] = 1
  minimize exp(x) - 2 * x
}
",
        r"
upper {
  var x: real in [0, 4] = 1
  minimize x^2 - 2 * x
}
",
    )
    .shown_by(EXPORT_LP, EXPORT_LP),
    Code::new(
        "E0408",
        "a follower has no optimality conditions",
        "The single-level form replaces the follower's problem by conditions on its derivatives. Where its variables must be \
         whole, derivatives say nothing about its answers.",
        r"
upper {
  var x: real in [0, 4]
  minimize (y - x)^2 + x
}
lower {
  var y: int in 0..5
  minimize (y - x)^2
}
",
        r"
upper {
  var x: real in [0, 4]
  minimize (y - x)^2 + x
}
lower {
  var y: real in [0, 4]
  minimize (y - x)^2
}
",
    )
    .shown_by(EXPORT, EXPORT),
    Code::new(
        "E0409",
        "the single-level form of a pessimistic model",
        "Optimality conditions say which answers the follower has, and the single-level form lets the leader choose among them: it is \
         that of the optimistic response. Without `pessimistic` that form is written; `tree` solves the pessimistic problem itself.",
        r"
upper {
  var x: real in [0, 4]
  minimize (y - x)^2 + x
}
lower pessimistic {
  var y: real in [0, 4]
  minimize (y - x)^2
}
",
        r"
upper {
  var x: real in [0, 4]
  minimize (y - x)^2 + x
}
lower {
  var y: real in [0, 4]
  minimize (y - x)^2
}
",
    )
    .shown_by(EXPORT, EXPORT),
    Code::new(
        "E0501",
        "a method or option on the command line cannot be read",
        "`--method` takes `NAME` or `NAME(option = value, …)`, and `--option` takes `NAME=VALUE`. A value is a number, `true`, \
         `false`, a word, or `word(name = value)`. Brackets need quotes in most shells: `--method 'rhg(steps = 10)'`.",
        r"
upper {
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
    )
    .shown_by(
        &["run", "model.blo", "--method", "gradient(steps 50)"],
        &["run", "model.blo", "--method", "gradient(steps = 50)"],
    ),
    Code::new(
        "E0502",
        "a method is not known or does not fit the model",
        "Models with a lower level need a bilevel method; models without one need a method of ordinary optimisation. The \
         message lists the methods there are.",
        r"
upper {
  var x: real
  minimize (x - 1)^2
}
solve rhg(steps = 50)
",
        r"
upper {
  var x: real
  minimize (x - 1)^2
}
solve gradient(steps = 50)
",
    ),
    Code::new(
        "E0503",
        "a method has no such option, or the option takes other values",
        "The message names the option's kind and range, or lists the method's options.",
        r"
upper {
  var x: real
  minimize (x - 1)^2
}
solve gradient(step = 50)
",
        r"
upper {
  var x: real
  minimize (x - 1)^2
}
solve gradient(steps = 50)
",
    ),
];
