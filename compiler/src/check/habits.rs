//! Names that people bring from other languages, and what is written here instead.

/// Functions: how the same is said here.
const FUNCTIONS: &[(&[&str], &str)] = &[
    (
        &["len", "length", "size", "numel", "nrow", "ncol", "card", "ndim"],
        "a size is the name of its dimension: the one in the type of data or of an argument, `fn f(x: real[n]) = …`, or of a `dim n = …`",
    ),
    (&["range", "seq"], "a range is written `0..n` behind `in`; an array of whole numbers is `arange(n)`"),
    (&["linspace"], "write `a + (b - a) * arange(n) / (n - 1)`"),
    (&["ln", "loge"], "the natural logarithm is `log(x)`"),
    (&["log10", "lg"], "write `log(x) / log(10)`"),
    (&["log2"], "write `log(x) / log(2)`"),
    (&["sqr", "square", "power"], "a power is written `x^2`"),
    (&["transpose", "permute"], "a transpose is written `A'`"),
    (&["matmul", "mm"], "the matrix product is `A @ B`"),
    (&["where", "ifelse", "cond"], "a choice is written `if c then a else b`"),
    (&["clip", "clamp"], "write `min(max(x, lo), hi)`"),
    (&["maximum", "fmax", "pmax"], "write `max(x, y)`"),
    (&["minimum", "fmin", "pmin"], "write `min(x, y)`"),
    (&["average", "avg"], "write `mean(x)`"),
    (&["std", "stdev", "sd"], "write `sqrt(var(x))`"),
    (&["ceil", "ceiling"], "write `-floor(-x)`"),
    (&["round"], "write `floor(x + 0.5)`"),
    (&["fabs", "absolute"], "write `abs(x)`"),
    (&["expit", "invlogit", "inv_logit"], "write `sigmoid(x)`"),
    (&["det"], "the logarithm of the absolute determinant is `logdet(A)`"),
    (&["identity", "speye"], "write `eye(n)`"),
    (
        &["vstack", "hstack", "concatenate", "append", "cat"],
        "write `concat([x, y])`, or `stack([x, y])` for a new axis",
    ),
    (
        &["randn", "rand", "random", "normal", "uniform", "gaussian"],
        "random values are data: `data z: real[n] ~ normal(0, 1)`",
    ),
    (&["print", "display", "show"], "a value for the result is a statement: `report name = e`"),
    (&["norm2", "l2norm", "norm_2"], "write `norm(x)`, or `sumsq(x)` for its square"),
    (&["float", "double", "real"], "whole numbers widen to real by themselves: leave it out"),
    (&["int", "integer"], "write `div(a, b)` for a whole quotient; data are declared `int`"),
    (&["zip", "enumerate", "map", "filter"], "write an index: `sum(e for i in n if c)`, `[e for i in n]`"),
];

/// Names without a call: how the same is said here, and what replaces them where that is certain.
const NAMES: &[(&[&str], &str, Option<&str>)] = &[
    (&["True", "TRUE"], "write `true`", Some("true")),
    (&["False", "FALSE"], "write `false`", Some("false")),
    (&["None", "nil", "null", "NULL", "NA", "nothing"], "there is no empty value: leave it out", None),
    (&["Inf", "Infinity", "INF", "Infty", "infty", "infinity"], "write `inf`", Some("inf")),
    (
        &["NaN", "nan", "NAN"],
        "NaN is no value of a model: bound the variables away from where it arises",
        None,
    ),
    (&["e", "E"], "powers of e are written `exp(x)`", None),
    (&["pi", "π", "PI", "Pi"], "write the number: `3.141592653589793`", Some("3.141592653589793")),
    (&["end"], "the last position of a dimension `n` is `n - 1`", None),
    (&["T"], "a transpose is written `A'`", None),
    (&["I"], "the identity matrix is `eye(n)`", None),
    (&["newaxis"], "all pairs of elements are a comprehension: `[x[i] - y[j] for i in n, j in m]`", None),
];

/// Parts of a dotted name: how the same is said here.
const PARTS: &[(&[&str], &str)] = &[
    (&["T", "mT", "H"], "a transpose is written"),
    (
        &["shape", "size", "ndim", "length"],
        "a size is the name of its dimension: the one in the type of data, or of a `dim n = …`",
    ),
    (&["grad"], "a gradient is written `grad(e, x)`"),
    (&["dual", "pi"], "a multiplier is written `dual(name)`"),
    (&["value", "val", "x"], "a variable is read by its name"),
    (&["inf"], "write `inf`"),
];

/// What to write for a function that other languages have.
pub fn function(name: &str) -> Option<&'static str> {
    FUNCTIONS.iter().find(|(names, _)| names.contains(&name)).map(|(_, help)| *help)
}

/// What to write for a name that other languages have, and what replaces it.
pub fn name(name: &str) -> Option<(&'static str, Option<&'static str>)> {
    NAMES.iter().find(|(names, ..)| names.contains(&name)).map(|(_, help, edit)| (*help, *edit))
}

/// What to write for a dotted name such as `A.T`.
pub fn dotted(owner: &str, part: &str) -> Option<String> {
    let (names, help) = PARTS.iter().find(|(names, _)| names.contains(&part))?;
    Some(if names.contains(&"T") { format!("{help} `{owner}'`") } else { (*help).to_owned() })
}
