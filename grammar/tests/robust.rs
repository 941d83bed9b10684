//! No text makes the parser panic, overflow its stack or take more than linear time.

#![allow(clippy::disallowed_methods, reason = "tests read their own files")]
#![expect(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use std::fs;
use std::path::Path;

use blo_grammar::ast::{Ast, BinaryOp, Expr, ExprKind, ItemKind, UnaryOp};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::format::{print, print_expression};
use blo_grammar::parse::{KEYWORDS, MAX_DEPTH, MAX_NESTING, parse, parse_expression};
use blo_grammar::span::FileId;

const FILE: FileId = FileId(0);

/// Parses on a small stack, half of what a test thread has, and checks that every place lies in the text.
fn read(text: &str) -> (Ast, Vec<Diagnostic>) {
    let owned = text.to_string();
    let thread = std::thread::Builder::new().stack_size(1024 * 1024).spawn(move || {
        let result = parse(FILE, &owned);
        drop(result.0.clone());
        print(&result.0);
        result
    });
    let (ast, diagnostics) = thread.unwrap().join().unwrap();
    for diagnostic in &diagnostics {
        for label in &diagnostic.labels {
            assert!(text.get(label.span.range()).is_some(), "{diagnostic:?}");
        }
    }
    assert!(ast.items.iter().all(|item| text.get(item.span.range()).is_some()));
    (ast, diagnostics)
}

fn codes(text: &str) -> Vec<&'static str> {
    read(text).1.iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn nothing_gives_nothing() {
    for text in ["", "\n\n", "\u{feff}", "# only a comment", "  \t\r\n;;\n"] {
        let (ast, diagnostics) = read(text);
        assert!(ast.items.is_empty() && diagnostics.is_empty(), "{text:?}");
    }
}

#[test]
fn line_ends_and_byte_order_marks_do_not_matter() {
    let unix = "let a = 1 +\n  2\nfn f(x) {\n  let y = x # note\n  y\n}\nupper {\n\tvar x: real\n}\n";
    let expected = print(&read(unix).0);
    for text in [unix.replace('\n', "\r\n"), unix.replace('\n', "\r"), format!("\u{feff}{unix}")] {
        let (ast, diagnostics) = read(&text);
        assert_eq!(diagnostics, []);
        assert_eq!(print(&ast), expected);
    }
}

#[test]
fn deep_nesting_is_refused_and_moderate_nesting_is_read() {
    let shapes: &[(&str, &str)] = &[
        ("(", ")"),
        ("[", "]"),
        ("f(", ")"),
        ("x[", "]"),
        ("if c then 1 else ", ""),
        ("if ", " then 1 else 2"),
        ("sum(", " for i in n)"),
        ("[", " for i in n]"),
        ("-(", ")'"),
    ];
    for (open, close) in shapes {
        let nested = |count: usize| format!("let a = {}x{}", open.repeat(count), close.repeat(count));
        assert_eq!(codes(&nested(MAX_NESTING)), [] as [&str; 0], "{open}");
        assert_eq!(codes(&nested(MAX_NESTING + 1)), ["E0114"], "{open}");
        assert_eq!(codes(&nested(10_000)), ["E0114"], "{open}");
        let half = format!("let a = {}", open.repeat(10_000));
        assert!(!codes(&half).is_empty(), "{open}");
    }
    assert!(codes(&"{".repeat(10_000)).iter().all(|code| code.starts_with("E01")));
    assert!(!codes(&"upper {".repeat(10_000)).is_empty());
    assert!(!codes(&"fn f(x) {".repeat(10_000)).is_empty());
}

#[test]
fn long_chains_are_refused_and_moderate_ones_are_read() {
    let chains: &[fn(usize) -> String] = &[
        |n| format!("x{}", " + x".repeat(n)),
        |n| format!("x{}", "^x".repeat(n)),
        |n| format!("x{}", "'".repeat(n)),
        |n| format!("x{}", "[0]".repeat(n)),
        |n| format!("{}x", "- ".repeat(n)),
        |n| format!("{}x", "not ".repeat(n)),
    ];
    for chain in chains {
        let moderate = format!("let a = {}\nlet b = 1", chain(MAX_DEPTH as usize - 1));
        assert_eq!(codes(&moderate), [] as [&str; 0]);
        let (ast, diagnostics) = read(&format!("let a = {}\nlet b = 1", chain(20_000)));
        assert_eq!(diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), ["E0115"]);
        assert!(matches!(ast.items[..], [ref a, ref b]
            if a.kind == ItemKind::Error && matches!(b.kind, ItemKind::Let(_))));
    }
    // Brackets and chains together stay under the same bound.
    let layered = (0..50).fold("x".to_string(), |inner, _| format!("({inner}{})", " + 1".repeat(30)));
    assert_eq!(codes(&format!("let a = {layered}")), ["E0115"]);
}

#[test]
fn wide_expressions_have_no_limit() {
    let row = vec!["-1.5"; 2000].join(", ");
    let text = format!("data X: real[100, 2000] = [{}]\n", vec![format!("[{row}]"); 100].join(",\n"));
    let statements = "let a = f(x, y[0]) + 2 * (z - 1)\n".repeat(20_000);
    for text in [text, statements] {
        let (ast, diagnostics) = read(&text);
        assert!(diagnostics.is_empty());
        assert!(ast.items.iter().all(|item| item.kind != ItemKind::Error));
    }
}

#[test]
fn garbage_gives_a_bounded_number_of_messages() {
    for text in ["$\n".repeat(5000), ")\n".repeat(5000), "}".repeat(5000), "\0".repeat(5000)] {
        let count = read(&text).1.len();
        assert!((1..=100).contains(&count), "{count}");
    }
}

/// The tree with every operator in brackets.
fn brackets(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Binary { op, left, right, .. } => {
            format!("({} {} {})", brackets(left), op.spelling(), brackets(right))
        }
        ExprKind::Unary { op: UnaryOp::Neg, operand } => format!("(-{})", brackets(operand)),
        ExprKind::Unary { op: UnaryOp::Not, operand } => format!("(not {})", brackets(operand)),
        ExprKind::Transpose(base) => format!("({}')", brackets(base)),
        ExprKind::If { condition, then, otherwise } => {
            format!("(if {} then {} else {})", brackets(condition), brackets(then), brackets(otherwise))
        }
        _ => print_expression(expr),
    }
}

#[test]
fn operators_bind_as_the_table_says() {
    let cases = [
        ("-x^2", "(-(x ^ 2))"),
        ("2^-x", "(2 ^ (-x))"),
        ("2^-x^2", "(2 ^ (-(x ^ 2)))"),
        ("2^-x * y", "((2 ^ (-x)) * y)"),
        ("a^b^c", "(a ^ (b ^ c))"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b * c", "((a / b) * c)"),
        ("a * b @ c", "(a * (b @ c))"),
        ("-a @ b", "((-a) @ b)"),
        ("a @ -b", "(a @ (-b))"),
        ("- -a", "(-(-a))"),
        ("x^y'", "(x ^ (y'))"),
        ("a + b < c * d", "((a + b) < (c * d))"),
        ("not a == b", "(not (a == b))"),
        ("not a and b", "((not a) and b)"),
        ("a or b and not c", "(a or (b and (not c)))"),
        ("if a or b then c + 1 else d + 2", "(if (a or b) then (c + 1) else (d + 2))"),
        ("0.5 + 1_0", "(0.5 + 10)"),
    ];
    for (text, expected) in cases {
        assert_eq!(brackets(&parse_expression(FILE, text).unwrap()), expected, "{text}");
    }
}

#[test]
fn an_expression_alone() {
    let text = "[1,\n 2] # two";
    let expr = parse_expression(FILE, text).unwrap();
    assert_eq!(&text[expr.span.range()], "[1,\n 2]");
    assert_eq!(print_expression(&parse_expression(FILE, " -inf").unwrap()), "-inf");
    let first = |text: &str| parse_expression(FILE, text).unwrap_err()[0].code;
    assert_eq!(first(""), "E0101");
    assert_eq!(first("1 2"), "E0101");
    assert_eq!(first("(1"), "E0102");
    assert_eq!(first("1)"), "E0103");
    assert_eq!(first("2x"), "E0105");
    assert_eq!(first(&"(".repeat(10_000)), "E0114");
}

#[test]
fn keywords_cannot_be_names_and_other_words_can() {
    for word in KEYWORDS {
        assert_eq!(codes(&format!("let {word} = 1")), ["E0110"], "{word}");
    }
    let soft =
        ["subject", "precision", "from", "to", "sparse", "pessimistic", "nonneg", "real", "infinity", "info"];
    for word in soft {
        assert_eq!(codes(&format!("let {word} = {word} + {word}[{word}]")), [] as [&str; 0], "{word}");
    }
}

#[test]
fn places_are_exact() {
    let text = "let λ = (a + b)  * sum(c[i] for i in n) # c\n";
    let (ast, _) = read(text);
    let snippet = |span: blo_grammar::span::Span| &text[span.range()];
    assert_eq!(snippet(ast.items[0].span), "let λ = (a + b)  * sum(c[i] for i in n)");
    let ItemKind::Let(binding) = &ast.items[0].kind else { panic!("not a let") };
    assert_eq!(snippet(binding.name.span), "λ");
    assert_eq!(snippet(binding.value.span), "(a + b)  * sum(c[i] for i in n)");
    let ExprKind::Binary { op: BinaryOp::Mul, operator, left, right } = &binding.value.kind else {
        panic!("not a product")
    };
    assert_eq!((snippet(*operator), snippet(left.span)), ("*", "a + b"));
    assert_eq!(snippet(right.span), "sum(c[i] for i in n)");
    let ExprKind::Reduction { comprehension, .. } = &right.kind else { panic!("not a sum") };
    assert_eq!(snippet(comprehension.binders[0].span), "i in n");
}

/// A small generator (xorshift64*), so that failures repeat.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound.max(1)
    }
}

const SPLICES: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\n",
    ";",
    ",",
    "=",
    "==",
    "..",
    "'",
    "\"",
    "#",
    "~",
    ":",
    "^",
    "-",
    "not ",
    " if ",
    " for i in n",
    "upper {",
    "lower",
    "let ",
    "var ",
    "subject to ",
    "λ",
    "\u{a0}",
    "\0",
    "0.",
    "..=",
    "in",
    "\r",
    "->",
];

#[test]
fn mutated_models_never_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let names = ["coreset", "hyperclean", "toll", "functions", "declarations", "expressions"];
    let models = names.map(|name| fs::read_to_string(folder.join(format!("{name}.blo"))).unwrap());
    let mut random = Random(0x5EED);
    for case in 0..2000 {
        let mut chars: Vec<char> = models[case % models.len()].chars().collect();
        for _ in 0..=random.below(4) {
            let from = random.below(chars.len());
            let to = (from + random.below(20)).min(chars.len());
            let chunk: Vec<char> = chars[from..to].to_vec();
            let at = random.below(chars.len());
            match random.below(4) {
                0 => drop(chars.drain(from..to)),
                1 => drop(chars.splice(at..at, chunk)),
                2 => drop(chars.splice(from..to, SPLICES[random.below(SPLICES.len())].chars())),
                _ => drop(chars.splice(at..at, SPLICES[random.below(SPLICES.len())].chars())),
            }
        }
        let text: String = chars.into_iter().collect();
        let (ast, diagnostics) = read(&text);
        let broken = print(&ast).contains("could not be read");
        assert!(!broken || !diagnostics.is_empty(), "a statement is lost without a message:\n{text}");
        if diagnostics.is_empty() {
            let printed = print(&ast);
            let (again, more) = read(&printed);
            assert!(more.is_empty() && print(&again) == printed, "{text}\n----\n{printed}");
        }
    }
}
