//! The words of the language: keywords, the words that open a statement, what people write for them, near names.

use super::lex::{Kind, Token};

/// Words that cannot be names; the same list as `keyword` in `blo.pest`. Words with a meaning in one place only, such
/// as `from`, `to`, `subject`, `precision`, `sparse`, `pessimistic`, `nonneg`, are ordinary names elsewhere.
pub const KEYWORDS: &[&str] = &[
    "and", "data", "dim", "else", "expect", "false", "fn", "for", "if", "in", "inf", "let", "lower",
    "maximize", "minimize", "not", "or", "param", "report", "solve", "then", "true", "upper", "use", "var",
];

/// Words that open a statement.
pub const STATEMENTS: &[&str] = &[
    "data",
    "dim",
    "expect",
    "fn",
    "let",
    "lower",
    "maximize",
    "minimize",
    "param",
    "precision",
    "report",
    "solve",
    "subject",
    "upper",
    "use",
    "var",
];

/// What people coming from elsewhere write, and how the statement goes here.
pub(super) const ALIASES: &[(&[&str], &str)] = &[
    (&["min", "minimum", "argmin", "objective", "minimization"], "`minimize e`"),
    (&["max", "maximum", "argmax", "maximization"], "`maximize e`"),
    (
        &["st", "constraint", "constraints", "subject_to", "subj", "such", "subjectto", "subject"],
        "`subject to a <= b`",
    ),
    (&["import", "include", "using", "require", "open"], "`use std.losses` or `use \"file.blo\"`"),
    (&["def", "function", "func", "fun", "macro"], "`fn f(x) = e`"),
    (
        &["const", "constant", "parameter", "hyperparameter"],
        "`param a = 0.1`, or `let a = e` for a value of the data",
    ),
    (&["variable", "variables", "decision"], "`var x: real[n]`"),
    (&["dimension", "set", "index", "indices"], "`dim n = 100`"),
    (&["input", "dataset", "array"], "`data X: real[n, d] from \"file\"`"),
    (&["leader", "outer"], "`upper { … }`"),
    (&["follower", "inner"], "`lower { … }`"),
    (&["assert", "check", "test"], "`expect condition`"),
    (&["print", "metric", "display", "show", "return"], "`report name = e`"),
    (&["optimize", "optimise", "method", "solver"], "`solve method(option = value)`"),
];

/// Words that open a block of lines elsewhere, where this language has none.
pub(super) const BLOCKS: &[&str] = &[
    "begin", "def", "for", "foreach", "func", "function", "if", "lambda", "macro", "repeat", "while", "with",
];

/// Whether `word` cannot be a name.
pub fn is_keyword(word: &str) -> bool {
    KEYWORDS.binary_search(&word).is_ok()
}

/// The level that a word in front of `{` means, rightly spelled or not.
pub(super) fn level_meant(word: &str) -> Option<&'static str> {
    let lower = word.to_lowercase();
    match lower.as_str() {
        "leader" | "outer" | "model" | "problem" | "program" => Some("upper"),
        "follower" | "inner" => Some("lower"),
        _ if is_keyword(word) && !matches!(word, "upper" | "lower") => None,
        _ => nearest(&lower, ["upper", "lower"]),
    }
}

/// Whether the significant tokens from `at` open a statement. Words that are also functions (`solve(A, b)`, `var(x)`),
/// dotted (`upper.objective`) or ordinary names elsewhere (`precision`) must be followed by what the statement needs.
pub(super) fn opens_statement(source: &str, tokens: &[Token], at: usize) -> bool {
    let word = tokens[at].text(source);
    let next = tokens[at + 1..].iter().find(|token| token.kind != Kind::Comment);
    let next_is_name = next.is_some_and(|t| t.kind == Kind::Word && !is_keyword(t.text(source)));
    match word {
        "upper" | "lower" => next_is_name || next.is_none_or(|t| matches!(t.text(source), "{" | "\n" | "\r")),
        "var" | "solve" => next_is_name,
        "precision" => next.is_some_and(|t| matches!(t.text(source), "f32" | "f64")),
        "subject" => next.is_some_and(|t| t.text(source) == "to"),
        _ => STATEMENTS.binary_search(&word).is_ok(),
    }
}

/// The candidate nearest to `name`, if near enough to be a slip of the keyboard: the same letters in another case, or at most
/// one edit for two letters, two for four and three for eight; names of one letter are near nothing. The first of equally
/// near candidates wins.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let allowed = match name.chars().count() {
        0 | 1 => 0,
        2..=3 => 1,
        4..=7 => 2,
        _ => 3,
    };
    let name = name.to_lowercase();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let length = candidate.chars().count();
        let distance = edit_distance(&name, &candidate.to_lowercase());
        if distance <= allowed && distance < length && length > 1 && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment).
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replace = previous[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replace.min(previous[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut previous, row);
    }
    previous[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        assert!(KEYWORDS.is_sorted());
        assert!(STATEMENTS.is_sorted());
        assert!(BLOCKS.is_sorted());
    }

    #[test]
    fn near_names() {
        assert_eq!(nearest("minimise", STATEMENTS.iter().copied()), Some("minimize"));
        assert_eq!(nearest("dta", STATEMENTS.iter().copied()), Some("data"));
        assert_eq!(nearest("lwoer", STATEMENTS.iter().copied()), Some("lower"));
        assert_eq!(nearest("q", STATEMENTS.iter().copied()), None);
        assert_eq!(nearest("wibble", STATEMENTS.iter().copied()), None);
        assert_eq!(nearest("thete", ["theta", "sigmoid"]), Some("theta"));
        assert_eq!(nearest("smu", ["sum", "mean"]), Some("sum"));
        assert_eq!(nearest("W", ["w1", "b"]), None);
        assert_eq!(nearest("Sigmoid", ["sigmoid"]), Some("sigmoid"));
        assert_eq!(nearest("train.npy", ["train_x.npy", "Train.npy"]), Some("Train.npy"));
        assert_eq!(nearest("", ["steps"]), None);
    }
}
