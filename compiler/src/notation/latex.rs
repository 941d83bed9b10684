//! A formula as LaTeX, for `amsmath`. Indices count from 0, as in the language.

use super::formula::{Formula, Infix, Place, Turn};
use super::text::number;

/// How strongly parts hold together, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Loose,
    Compare,
    Sum,
    Product,
    Minus,
    Power,
    Tight,
}

/// Greek letters by the names that they have in models.
const GREEK: [&str; 34] = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
    "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta",
    "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega", "ell",
];
/// The same as letters.
const LETTERS: [(char, &str); 34] = [
    ('α', "alpha"),
    ('β', "beta"),
    ('γ', "gamma"),
    ('δ', "delta"),
    ('ε', "epsilon"),
    ('ζ', "zeta"),
    ('η', "eta"),
    ('θ', "theta"),
    ('ι', "iota"),
    ('κ', "kappa"),
    ('λ', "lambda"),
    ('μ', "mu"),
    ('ν', "nu"),
    ('ξ', "xi"),
    ('π', "pi"),
    ('ρ', "rho"),
    ('σ', "sigma"),
    ('τ', "tau"),
    ('υ', "upsilon"),
    ('φ', "phi"),
    ('χ', "chi"),
    ('ψ', "psi"),
    ('ω', "omega"),
    ('Γ', "Gamma"),
    ('Δ', "Delta"),
    ('Θ', "Theta"),
    ('Λ', "Lambda"),
    ('Ξ', "Xi"),
    ('Π', "Pi"),
    ('Σ', "Sigma"),
    ('Φ', "Phi"),
    ('Ψ', "Psi"),
    ('Ω', "Omega"),
    ('ℓ', "ell"),
];
/// Functions that LaTeX has commands for.
const COMMANDS: [&str; 13] =
    ["exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min", "arcsin", "arccos", "arctan"];

/// The formula as LaTeX, without dollars.
pub fn latex(formula: &Formula) -> String {
    let mut out = String::new();
    write(formula, &mut out);
    out
}

/// A name: one letter as it is, Greek letters by their command, what follows the first `_` or a number as index, words upright.
pub fn name(name: &str) -> String {
    let (stem, index) = match name.split_once('_') {
        Some((stem, index)) if !stem.is_empty() && !index.is_empty() => (stem, index.to_owned()),
        _ => {
            let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
            if stem.is_empty() { (name, String::new()) } else { (stem, name[stem.len()..].to_owned()) }
        }
    };
    let one = |word: &str| -> String {
        let mut letters = word.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) => match LETTERS.iter().find(|(greek, _)| *greek == letter) {
                Some((_, command)) => format!("\\{command}"),
                None => letter.to_string(),
            },
            _ if GREEK.contains(&word) => format!("\\{word}"),
            _ if word.chars().all(|c| c.is_ascii_digit()) => word.to_owned(),
            _ => format!("\\mathrm{{{}}}", word.replace('_', "\\_")),
        }
    };
    if index.is_empty() { one(stem) } else { format!("{}_{{{}}}", one(stem), one(&index)) }
}

fn level(formula: &Formula) -> Level {
    match formula {
        Formula::If(_) | Formula::Not(_) => Level::Loose,
        Formula::Minus(_) => Level::Minus,
        Formula::Number(k) if k.is_sign_negative() || number(*k).contains('e') => Level::Minus,
        Formula::Infix(op, ..) => match op {
            Infix::Or | Infix::And => Level::Loose,
            Infix::Eq | Infix::Ne | Infix::Lt | Infix::Le => Level::Compare,
            Infix::Add | Infix::Sub => Level::Sum,
            Infix::Mul | Infix::Times | Infix::Matrix | Infix::Vector => Level::Product,
            Infix::Div => Level::Product,
            Infix::Pow => Level::Power,
        },
        Formula::Over { word: "sum" | "prod", .. } => Level::Product,
        Formula::Transpose(_) => Level::Power,
        _ => Level::Tight,
    }
}

fn part(formula: &Formula, least: Level, out: &mut String) {
    if level(formula) >= least {
        write(formula, out);
    } else {
        out.push_str("\\left(");
        write(formula, out);
        out.push_str("\\right)");
    }
}

fn write(formula: &Formula, out: &mut String) {
    match formula {
        Formula::Number(k) => out.push_str(&numeral(*k)),
        Formula::Name(text, _) => out.push_str(&name(text)),
        Formula::Index(of, at) => index(of, at, out),
        Formula::Call(word, arguments) => call(word, arguments, out),
        Formula::List(parts) => {
            out.push_str("\\left(");
            separated(parts, out);
            out.push_str("\\right)");
        }
        Formula::Minus(x) => {
            out.push('-');
            part(x, Level::Product, out);
        }
        Formula::Not(x) => {
            out.push_str("\\neg ");
            part(x, Level::Tight, out);
        }
        Formula::Transpose(x) => {
            part(x, Level::Tight, out);
            out.push_str("^{\\top}");
        }
        Formula::Infix(op, a, b) => infix(*op, a, b, out),
        Formula::If(parts) => {
            let [condition, a, b] = &**parts;
            out.push_str("\\begin{cases} ");
            write(a, out);
            out.push_str(" & \\text{if } ");
            write(condition, out);
            out.push_str(" \\\\ ");
            write(b, out);
            out.push_str(" & \\text{else} \\end{cases}");
        }
        Formula::Over { word, body, turns, filter } => {
            let command = match *word {
                "sum" => "\\sum",
                "prod" => "\\prod",
                "max" => "\\max",
                _ => "\\min",
            };
            for (k, turn) in turns.iter().enumerate() {
                let last = k + 1 == turns.len();
                let filter = filter.as_ref().filter(|_| last);
                let sum = matches!(*word, "sum" | "prod");
                if filter.is_none() && sum {
                    out.push_str(&format!("{command}_{{{}={}}}^{{{}}} ", turn.index, from(turn), end(turn)));
                } else {
                    let range = range(turn);
                    let under = match filter {
                        Some(filter) => format!("\\substack{{{range} \\\\ {}}}", latex(filter)),
                        None => range,
                    };
                    out.push_str(&format!("{command}_{{{under}}} "));
                }
            }
            part(body, Level::Product, out);
        }
        Formula::Array(body, turns) => {
            out.push_str("\\left[");
            write(body, out);
            out.push_str("\\right]_{");
            let turns: Vec<String> = turns.iter().map(range).collect();
            out.push_str(&turns.join(",\\;"));
            out.push('}');
        }
    }
}

fn numeral(value: f64) -> String {
    let text = number(value);
    match text.split_once('e') {
        Some(("1", power)) => format!("10^{{{power}}}"),
        Some(("-1", power)) => format!("-10^{{{power}}}"),
        Some((digits, power)) => format!("{digits} \\cdot 10^{{{power}}}"),
        None => text.replace("inf", "\\infty"),
    }
}

fn from(turn: &Turn) -> String {
    turn.from.as_ref().map_or_else(|| "0".to_owned(), latex)
}

/// The last value of an index.
fn end(turn: &Turn) -> String {
    match &turn.dim {
        Some(dim) => format!("{}-1", name(dim)),
        None => (turn.size.max(1) - 1).to_string(),
    }
}

fn range(turn: &Turn) -> String {
    format!("{}={},\\ldots,{}", turn.index, from(turn), end(turn))
}

fn index(of: &Formula, at: &[Place], out: &mut String) {
    let places: Vec<String> = at
        .iter()
        .map(|place| match place {
            Place::At(formula) => latex(formula),
            Place::Range(a, b) => format!("{a}:{b}"),
            Place::All => ":".to_owned(),
        })
        .collect();
    let places = places.join(",");
    // A name that has an index already gets a second one in brackets.
    match of {
        Formula::Name(text, _) if !name(text).contains('_') => {
            out.push_str(&format!("{}_{{{places}}}", name(text)));
        }
        of => {
            part(of, Level::Tight, out);
            out.push_str(&format!("[{places}]"));
        }
    }
}

fn separated(parts: &[Formula], out: &mut String) {
    let parts: Vec<String> = parts.iter().map(latex).collect();
    out.push_str(&parts.join(", "));
}

fn call(word: &str, arguments: &[Formula], out: &mut String) {
    let wrapped = |left: &str, right: &str, out: &mut String| {
        out.push_str(left);
        separated(arguments, out);
        out.push_str(right);
    };
    match (word, arguments) {
        ("sqrt", [_]) => wrapped("\\sqrt{", "}", out),
        ("abs", [_]) => wrapped("\\left|", "\\right|", out),
        ("norm1", [_]) => wrapped("\\left\\|", "\\right\\|_1", out),
        ("sumsq", [_]) => wrapped("\\left\\|", "\\right\\|_2^2", out),
        ("norm", [_]) => wrapped("\\left\\|", "\\right\\|_2", out),
        ("floor", [_]) => wrapped("\\left\\lfloor ", "\\right\\rfloor", out),
        ("inv", [x]) => {
            part(x, Level::Tight, out);
            out.push_str("^{-1}");
        }
        ("solve", [matrix, right]) => {
            part(matrix, Level::Tight, out);
            out.push_str("^{-1} ");
            part(right, Level::Tight, out);
        }
        ("outer", [a, b]) => {
            part(a, Level::Tight, out);
            out.push_str(" \\otimes ");
            part(b, Level::Tight, out);
        }
        ("sum", [x]) => {
            out.push_str("\\mathbf{1}^{\\top} ");
            part(x, Level::Tight, out);
        }
        ("full", [x, ..]) => {
            part(x, Level::Tight, out);
            out.push_str(" \\mathbf{1}");
        }
        ("reshape", [x, ..]) => write(x, out),
        ("exp", [x]) if x.size() <= 4 => {
            out.push_str("e^{");
            write(x, out);
            out.push('}');
        }
        _ => {
            let command = match word {
                "asin" => "arcsin",
                "acos" => "arccos",
                "atan" => "arctan",
                word => word,
            };
            match COMMANDS.contains(&command) {
                true => out.push_str(&format!("\\{command}")),
                false => out.push_str(&format!("\\operatorname{{{}}}", command.replace('_', "\\_"))),
            }
            wrapped("\\left(", "\\right)", out);
        }
    }
}

fn infix(op: Infix, a: &Formula, b: &Formula, out: &mut String) {
    let mut pair = |left: Level, sign: &str, right: Level| {
        part(a, left, out);
        out.push_str(sign);
        part(b, right, out);
    };
    match op {
        Infix::Add => pair(Level::Sum, " + ", Level::Sum),
        Infix::Sub => pair(Level::Sum, " - ", Level::Product),
        Infix::Mul => {
            // Two numbers side by side would read as one.
            let dot = matches!(b, Formula::Number(_)) || begins_with_number(b);
            pair(Level::Product, if dot { " \\cdot " } else { "\\," }, Level::Product);
        }
        Infix::Times => pair(Level::Product, " \\odot ", Level::Product),
        Infix::Matrix => pair(Level::Minus, " ", Level::Minus),
        Infix::Vector => {
            part(a, Level::Tight, out);
            out.push_str("^{\\top} ");
            part(b, Level::Minus, out);
        }
        Infix::Div => {
            out.push_str("\\frac{");
            write(a, out);
            out.push_str("}{");
            write(b, out);
            out.push('}');
        }
        Infix::Pow => {
            // An index goes below the exponent, another exponent does not.
            part(a, Level::Tight, out);
            out.push_str("^{");
            write(b, out);
            out.push('}');
        }
        Infix::Eq => pair(Level::Sum, " = ", Level::Sum),
        Infix::Ne => pair(Level::Sum, " \\neq ", Level::Sum),
        Infix::Lt => pair(Level::Sum, " < ", Level::Sum),
        Infix::Le => pair(Level::Sum, " \\le ", Level::Sum),
        Infix::And => pair(Level::Loose, " \\wedge ", Level::Loose),
        Infix::Or => pair(Level::Loose, " \\vee ", Level::Loose),
    }
}

fn begins_with_number(formula: &Formula) -> bool {
    match formula {
        Formula::Number(_) => true,
        Formula::Infix(Infix::Mul | Infix::Times | Infix::Pow, a, _) => begins_with_number(a),
        _ => false,
    }
}
