//! Warnings: the model runs, and something in it is probably not meant.

use super::Code;

/// The codes of this topic, ascending.
pub(super) static CODES: &[Code] = &[
    Code::new(
        "W0201",
        "something is declared and never used",
        "Often a misspelt name elsewhere. Remove the declaration, or the name from its `use`, if it is not needed. A declared name \
         that starts with `_` is left alone.",
        r"
param weight = 0.1
upper {
  var x: real
  minimize (x - 1)^2
}
",
        r"
param weight = 0.1
upper {
  var x: real
  minimize (x - 1)^2 + weight * abs(x)
}
",
    ),
    Code::new(
        "W0202",
        "an objective does not depend on its level's own variables",
        "Then there is nothing to choose at that level. For the upper level, dependence through the lower level's response counts.",
        r"
upper {
  var x: real
  minimize (x - y)^2
}
lower {
  var y: real
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
        "W0203",
        "a data file was not read",
        "Checking goes on with shapes by name. Running the model needs the file.",
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
    ),
    Code::new(
        "W0204",
        "a constraint says less than it seems to",
        "It reads no variable, or none of its own level, or it is the same for every index of its family. Often an index or a \
         variable was forgotten, or the constraint belongs to the other level.",
        r"
dim n = 3
upper {
  var x: real[n]
  minimize sumsq(x - 1)
  subject to least[i in n]: x[0] >= 2
}
",
        r"
dim n = 3
upper {
  var x: real[n]
  minimize sumsq(x - 1)
  subject to least[i in n]: x[i] >= 2
}
",
    ),
    Code::new(
        "W0205",
        "a sum of data alone is not sampled",
        "Sampling saves work where terms depend on variables and are evaluated again and again. A sum of data is computed once.",
        r"
dim n = 3
data a: real[n] = [1, 2, 4]
upper {
  var x: real
  minimize (x - mean(a[i] for i ~ n))^2
}
",
        r"
dim n = 3
data a: real[n] = [1, 2, 4]
upper {
  var x: real
  minimize (x - mean(a[i] for i in n))^2
}
",
    ),
    Code::new(
        "W0206",
        "the lower level does not depend on the upper one",
        "The follower answers the same whatever the leader does, so the two problems can be solved one after the other. Often a \
         variable of `upper` was forgotten. A model that means it, such as a choice among the solutions of `lower`, can leave the \
         warning be.",
        r"
upper {
  var x: real
  minimize (x - y)^2
}
lower {
  var y: real
  minimize (y - 2)^2
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
