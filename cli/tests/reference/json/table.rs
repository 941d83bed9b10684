//! Every object that blo prints as JSON, with the type and the meaning of every key.

use Is::{Count, Either, List, Nested, Null, Number, Of, Table, Text, Truth, Word};

/// What a value is.
pub enum Is {
    /// Text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A number.
    Number,
    /// A whole number from 0.
    Count,
    /// `true` or `false`.
    Truth,
    /// `null`.
    Null,
    /// A number or `null`, or an array of such.
    Nested,
    /// An array.
    List(&'static Is),
    /// An object whose keys are names of the model or of blo.
    Table(&'static Is),
    /// An object of the table.
    Of(&'static str),
    /// One of these.
    Either(&'static [Is]),
}

/// A key of an object.
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What its value is.
    pub is: Is,
    /// Whether every such object has it.
    pub always: bool,
    /// What it means.
    pub about: &'static str,
}

/// An object.
pub struct Object {
    /// What the page calls it.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Its keys in the order in which they are printed.
    pub keys: &'static [Key],
}

const fn key(name: &'static str, is: Is, about: &'static str) -> Key {
    Key { name, is, always: true, about }
}

const fn sometimes(name: &'static str, is: Is, about: &'static str) -> Key {
    Key { name, is, always: false, about }
}

const TEXT: Is = Either(&[Null, Text]);
const NUMBER: Is = Either(&[Null, Number]);
const COUNT: Is = Either(&[Null, Count]);
const TRUTH: Is = Either(&[Null, Truth]);
const STARTS: Is = Either(&[Null, List(&Of("start"))]);
const VERDICT: Is = Either(&[Null, Of("curvature")]);

/// What commands print.
pub const PRINTED: &[(&str, Is)] = &[
    ("any command with `--format json`", Of("document")),
    ("`blo run --json`, and result.json of `--out`", Of("result")),
    ("`blo compare --json`, and comparison.json of `--out`", Of("comparison")),
    ("`blo test --json`", List(&Of("tested"))),
    ("`blo doctor --json`", Of("machine")),
];

/// What a command prints.
pub fn printed_by(line: &str) -> &'static Is {
    let command = line.split(' ').next().unwrap_or_default();
    let at = match command {
        _ if line.contains("--format json") => 0,
        "run" => 1,
        "compare" => 2,
        "test" => 3,
        _ => 4,
    };
    &PRINTED[at].1
}

/// All objects.
pub const OBJECTS: &[Object] = &[
    Object {
        name: "document",
        about: "The answer of a command with all messages.",
        keys: &[
            key("version", Text, "the version of blo"),
            key("status", Count, "the exit status of the command"),
            key("errors", Count, "how many there are"),
            key("warnings", Count, "how many there are"),
            key("diagnostics", List(&Of("message")), "every message, in the order of the text"),
            sometimes("emit", Text, "of `--emit`: the stage"),
            sometimes("text", Text, "of `blo explain MODEL` with a view such as `--gradient`: its text"),
            sometimes("convexity", Of("levels"), "of `blo check --explain` and `blo explain MODEL`"),
            sometimes(
                "proximal",
                Of("proximal"),
                "of `blo check --explain`, with two levels: the nonsmooth terms of the lower one",
            ),
            sometimes("method", Of("method"), "of `blo explain MODEL`"),
            sometimes("cost", Of("cost"), "of `blo explain MODEL`"),
            sometimes("result", Of("result"), "of `blo run`, when the model was solved"),
            sometimes("comparison", Of("comparison"), "of `blo compare`, when methods ran"),
            sometimes("models", List(&Of("tested")), "of `blo test`, when models ran"),
            sometimes("changed", List(&Text), "of `blo fmt --check`: the files that would change"),
        ],
    },
    Object {
        name: "message",
        about: "An error or a warning; [diagnostics.md](diagnostics.md) has more about it.",
        keys: &[
            key("severity", Word(&["error", "warning"]), "which of them"),
            key("code", TEXT, "such as `E0203`; `null` for what has no place in a model"),
            key("message", Text, "the headline"),
            key("labels", List(&Of("label")), "the places, the broken one first"),
            key("notes", List(&Text), "further facts"),
            key("help", TEXT, "what to do about it"),
            key("edit", Either(&[Null, Of("edit")]), "the change, where it is certain"),
            key("rendered", Text, "the message drawn for people"),
        ],
    },
    Object {
        name: "label",
        about: "A place in a text, with what is to be said there. Bytes count from 0, lines and columns from 1; the end is excluded.",
        keys: &[
            key("file", Text, "the file, `std.NAME`, or the option of the command line"),
            key("start", Count, "the first byte"),
            key("end", Count, "one past the last byte"),
            key("line", Count, "the line"),
            key("column", Count, "the column, in characters"),
            key("end_line", Count, "the line of the end"),
            key("end_column", Count, "the column of the end"),
            key("text", Text, "what is to be said"),
        ],
    },
    Object {
        name: "edit",
        about: "A place as in [label](#label), and what is to stand there.",
        keys: &[
            key("file", Text, "the file"),
            key("start", Count, "the first byte"),
            key("end", Count, "one past the last byte"),
            key("line", Count, "the line"),
            key("column", Count, "the column, in characters"),
            key("end_line", Count, "the line of the end"),
            key("end_column", Count, "the column of the end"),
            key("replacement", Text, "what is to stand there"),
        ],
    },
    Object {
        name: "result",
        about: "What a run found; [result.md](result.md) has more about it.",
        keys: &[
            key(
                "status",
                Word(&["optimal", "solved", "feasible", "not_solved", "infeasible", "unbounded"]),
                "what the point is worth",
            ),
            key("termination", Text, "why the method stopped, in one word"),
            key("verdict", Text, "what the point is worth, in a sentence with the numbers that decided it"),
            key("upper", Of("upper"), "the upper level"),
            key("lower", Either(&[Null, Of("lower")]), "the lower level; `null` without one"),
            key("followers", Table(&Of("upper")), "by name, where they have names"),
            key("proof", Either(&[Null, Of("proof")]), "of `tree`"),
            key("ties", Either(&[Null, Of("ties")]), "where it was found out, by methods for constraints"),
            key("hypergradient_norm", NUMBER, "the norm of the projected hypergradient, where it was found"),
            key(
                "violation",
                NUMBER,
                "the largest violation of a constraint; `null` for methods that know none",
            ),
            key("variables", Table(&Nested), "of both levels"),
            key(
                "labels",
                Table(&List(&Either(&[Null, List(&Text)]))),
                "for variables over dimensions with labels: those of each axis",
            ),
            key("reports", Table(&NUMBER), "the reports"),
            key(
                "slopes",
                Table(&Nested),
                "by name, of every `report name = d(y)/d(x)`: how the follower's answer moves, the axes of `y` first",
            ),
            key("multipliers", Table(&Nested), "by name, of every constraint with a name"),
            key("expect", List(&Of("expectation")), "the expectations"),
            key("method", Text, "the method"),
            key("because", TEXT, "why `auto` took it"),
            key("message", TEXT, "what the program of `--backend` said"),
            key("iterations", Count, "upper iterations done"),
            key("kept", COUNT, "with `--stop` or `--watch`: the iteration whose iterate is returned"),
            key("start", COUNT, "with `--starts`: the number of the start that led here"),
            key("starts", STARTS, "with `--starts`: how each of them ended"),
            key("epochs", NUMBER, "passes over the terms of sampled sums, for methods that sample"),
            key(
                "trajectory",
                TEXT,
                "how lower iterates were held, for methods that differentiate through them",
            ),
            key("calls", Table(&Count), "evaluations of each quantity, the checks included"),
            key("seconds", Of("seconds"), "times"),
            key("seed", Count, "of random starts and data"),
            key("version", Text, "the version of blo"),
        ],
    },
    Object {
        name: "upper",
        about: "A level or follower of which only the objective is told.",
        keys: &[key("objective", NUMBER, "in the model's own sense")],
    },
    Object {
        name: "lower",
        about: "The lower level at the returned point.",
        keys: &[
            key("objective", NUMBER, "in the model's own sense"),
            key("gap", NUMBER, "how far a minimiser of its own got below it"),
            key(
                "gap_left",
                NUMBER,
                "the gap of the method's last iterate, where the lower level was solved at the end",
            ),
            key("stationarity", NUMBER, "the norm of the projected gradient"),
        ],
    },
    Object {
        name: "proof",
        about: "What branching proved.",
        keys: &[
            key("bound", NUMBER, "which no point that the model allows passes"),
            key("gap", NUMBER, "between it and the point, relative"),
            key("nodes", Count, "programs solved"),
        ],
    },
    Object {
        name: "ties",
        about: "The upper objective over the follower's answers at the returned upper variables.",
        keys: &[
            key("best", NUMBER, "with the best of them for the leader"),
            key("worst", NUMBER, "with the worst; `null` where it is without bound"),
            key("exact", Truth, "whether `worst` is the worst, not only one of them"),
            key("local", Truth, "whether both are those of answers found by local runs alone"),
        ],
    },
    Object {
        name: "expectation",
        about: "An `expect` of the model.",
        keys: &[key("text", Text, "as written"), key("holds", Truth, "whether it does")],
    },
    Object {
        name: "start",
        about: "How the run from one start ended.",
        keys: &[
            key("start", Count, "its number; 0 is the model's own"),
            key("feasible", Truth, "whether the model allows the point"),
            key("upper_objective", NUMBER, "with the lower level solved again"),
            key("evaluations", Count, "by the method"),
            key("seconds", NUMBER, "of the method"),
            key("termination", Text, "why it stopped"),
        ],
    },
    Object {
        name: "seconds",
        about: "How long the parts of a run took.",
        keys: &[
            key("read", Number, "values from files"),
            key("compile", Number, "text to machine code"),
            key("solve", Number, "method and checks"),
            key("total", Number, "all of it"),
            key("parts", Table(&Number), "the same in smaller parts, which add up to the total"),
            key("cached", Truth, "whether the machine code was kept from an earlier run"),
        ],
    },
    Object {
        name: "comparison",
        about: "Several methods on one model.",
        keys: &[
            key("model", Text, "the file"),
            key("best", TEXT, "the method of rank 1"),
            key(
                "best_solved_again",
                TEXT,
                "where none has a rank: the method whose upper variables come to most",
            ),
            key("maximize", Truth, "whether the upper level maximises"),
            key("budget", Of("budget"), "of each run"),
            key("starts", Count, "runs of each method"),
            key("methods", List(&Of("entry")), "the methods"),
            key("seed", Count, "of random starts and data"),
            key("version", Text, "the version of blo"),
        ],
    },
    Object {
        name: "budget",
        about: "What each run of a comparison may take.",
        keys: &[key("seconds", NUMBER, "time"), key("steps", COUNT, "iterations")],
    },
    Object {
        name: "entry",
        about: "A method in a comparison. A method that was refused has the first four keys.",
        keys: &[
            key("method", Text, "as written"),
            key("rank", COUNT, "`null` for a point that the model does not allow"),
            key("reason", Text, "why it has this rank or none"),
            key("refused", TEXT, "why it did not run"),
            sometimes("upper_objective_solved_again", NUMBER, "by which methods are ranked"),
            sometimes("evaluations", Count, "by the method"),
            sometimes("seconds", NUMBER, "of the method"),
            sometimes("start", Count, "the number of the start that led to its answer"),
            sometimes("starts", List(&Of("start")), "how each start ended"),
            sometimes("result", Of("result"), "all of the answer"),
            sometimes("trace", Of("trace"), "the course of the run"),
        ],
    },
    Object {
        name: "trace",
        about: "A table.",
        keys: &[key("columns", List(&Text), "their names"), key("rows", List(&List(&NUMBER)), "the rows")],
    },
    Object {
        name: "tested",
        about: "A model that was held to its `expect` lines.",
        keys: &[
            key("model", Text, "the file"),
            key("holds", Truth, "whether all do"),
            key("held", Count, "how many do"),
            key("total", Count, "how many there are"),
            key("status", Text, "that of the result; `error` where it could not be run"),
            key("seconds", Number, "all of it"),
            key("failed", List(&Text), "those that do not hold"),
        ],
    },
    Object {
        name: "levels",
        about: "What is known of the curvature of each level; [language.md](language.md#curvature) explains it.",
        keys: &[
            key("upper", Of("level"), "the upper level"),
            sometimes("lower", Of("level"), "the lower level, where there is one"),
        ],
    },
    Object {
        name: "level",
        about: "The curvature of one level. Objectives are as they are minimised.",
        keys: &[
            key("own", Of("curvature"), "in its own variables"),
            key("other", VERDICT, "in those of the other level"),
            key("joint", VERDICT, "in both together"),
            key("constraints", List(&Of("constraint")), "in the order of the text"),
            key("feasible", Of("feasible"), "the set that domains and constraints leave"),
        ],
    },
    Object {
        name: "curvature",
        about: "A verdict on a function.",
        keys: &[
            key("class", Text, "in words"),
            key("convex", Truth, "whether it is known to be"),
            key("modulus", NUMBER, "of strong convexity"),
            key("lipschitz", NUMBER, "of the gradient"),
            key(
                "smoothness",
                Word(&["smooth", "steep", "kinked", "unknown"]),
                "`steep`: a derivative grows without bound; `kinked`: continuous, with kinks",
            ),
            key("values", List(&NUMBER), "between which the values lie"),
            key("rises", TRUTH, "whether it rises, or falls, in every variable"),
            key("obstacle", Either(&[Null, Of("label")]), "the part that keeps it from being convex"),
            key("witness", Either(&[Null, Of("witness")]), "where it is not convex"),
        ],
    },
    Object {
        name: "witness",
        about: "Two points between which a function lies above its chord.",
        keys: &[
            key("from", List(&NUMBER), "one of them"),
            key("to", List(&NUMBER), "the other"),
            key("excess", Number, "by how much, in the middle"),
        ],
    },
    Object {
        name: "constraint",
        about: "The set that a constraint leaves.",
        keys: &[
            key("set", Word(&["polyhedron", "convex", "unknown"]), "what is known of it"),
            key("obstacle", Either(&[Null, Of("label")]), "the part that keeps it from being convex"),
        ],
    },
    Object {
        name: "feasible",
        about: "The set that the domains and constraints of a level leave.",
        keys: &[
            key("convex", Truth, "whether it is known to be"),
            key("polyhedron", Truth, "whether it is known to be"),
            key("free", Truth, "whether it is everything"),
            key("integers", Truth, "whether a variable must be whole"),
        ],
    },
    Object {
        name: "proximal",
        about: "Nonsmooth terms of the lower objective.",
        keys: &[
            key("taken", List(&Of("term")), "those with a proximal operator"),
            key("left", List(&Of("term")), "those without one that is known"),
        ],
    },
    Object {
        name: "term",
        about: "A nonsmooth term: its place as in [label](#label), where it is known, and what it is.",
        keys: &[
            sometimes("file", Text, "the file"),
            sometimes("start", Count, "the first byte"),
            sometimes("end", Count, "one past the last byte"),
            sometimes("line", Count, "the line"),
            sometimes("column", Count, "the column, in characters"),
            sometimes("end_line", Count, "the line of the end"),
            sometimes("end_column", Count, "the column of the end"),
            sometimes("norm", Text, "what it is"),
            sometimes("count", Count, "of how many entries or groups"),
            sometimes("reason", Text, "why it has no proximal operator"),
        ],
    },
    Object {
        name: "method",
        about: "How a model is solved.",
        keys: &[
            key("name", Text, "the method that a run takes"),
            key("auto", Either(&[Null, Of("auto")]), "what `auto` takes"),
        ],
    },
    Object {
        name: "auto",
        about: "The method that `auto` takes.",
        keys: &[key("method", Text, "its name"), key("because", Text, "why")],
    },
    Object {
        name: "cost",
        about: "What evaluations cost.",
        keys: &[
            key("quantities", Table(&Of("work")), "of each quantity, after all variables changed"),
            key("setup", Of("work"), "once, from data alone"),
            key("memory", Count, "of the program, in bytes"),
            sometimes(
                "iteration",
                Of("iteration"),
                "where data are there and two iterations take less than two seconds",
            ),
        ],
    },
    Object {
        name: "iteration",
        about: "The second iteration of the method from the start, without reports.",
        keys: &[
            key("calls", Table(&Count), "how often it evaluates each quantity"),
            key("operations", Number, "of these evaluations, at most: each as after all variables changed"),
            key("bytes", Number, "read and written by them, at most"),
        ],
    },
    Object {
        name: "work",
        about: "Operations, and bytes moved.",
        keys: &[key("operations", Number, "on numbers"), key("bytes", Number, "read and written")],
    },
    Object {
        name: "machine",
        about: "What this blo is and what the machine gives it.",
        keys: &[
            key("version", Text, "the version of blo"),
            key("build", Text, "version, commit and kernels as `blo --version` tells them"),
            key("system", Text, "the operating system and the processor's family"),
            key("kernels", Text, "the vector kernels in use"),
            key("available", List(&Text), "the vector kernels that this machine can run"),
            key("threads", Count, "that large steps share"),
            key("cache", Either(&[Null, Of("cache")]), "where machine code is kept"),
            key("solvers", List(&Text), "programs for `blo export` that were found"),
        ],
    },
    Object {
        name: "cache",
        about: "Machine code that is kept.",
        keys: &[
            key("folder", Text, "where"),
            key("programs", Count, "how many"),
            key("bytes", Count, "how much"),
        ],
    },
];
