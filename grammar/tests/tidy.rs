//! The formatter: what it does to a text, and that it never changes what the text says.

#![allow(clippy::disallowed_methods, reason = "tests read their own files")]
#![expect(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use std::fs;
use std::path::{Path, PathBuf};

use blo_grammar::ast::{Ast, Item, ItemKind};
use blo_grammar::format::tidy;
use blo_grammar::parse::parse;
use blo_grammar::span::FileId;

const FILE: FileId = FileId(0);

/// The tree without places and comments, as text.
fn meaning(text: &str) -> String {
    fn forget(items: &mut [Item]) {
        for item in items {
            item.comments.clear();
            if let ItemKind::Level(level) = &mut item.kind {
                forget(&mut level.items);
            }
        }
    }
    let (mut ast, diagnostics): (Ast, _) = parse(FILE, text);
    assert!(diagnostics.is_empty(), "{diagnostics:?}\n{text}");
    forget(&mut ast.items);
    // Places print as `0:start..end`.
    let tree = format!("{ast:?}");
    let mut parts = tree.split("0:");
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let after = part.trim_start_matches(|c: char| c.is_ascii_digit());
        match after.strip_prefix("..") {
            Some(end) => out += end.trim_start_matches(|c: char| c.is_ascii_digit()),
            None => out += &format!("0:{part}"),
        }
    }
    out
}

/// The text without blanks, line ends and `;`, outside of comments: what must stay byte for byte.
fn essence(text: &str) -> (String, Vec<String>) {
    let mut code = String::new();
    let mut comments = Vec::new();
    for line in text.trim_start_matches('\u{feff}').split(['\n', '\r']) {
        let mut quoted = false;
        let at = line.char_indices().find(|(_, c)| {
            quoted ^= *c == '"';
            *c == '#' && !quoted
        });
        let (before, comment) = line.split_at(at.map_or(line.len(), |(at, _)| at));
        code.extend(before.chars().filter(|c| !" \t;".contains(*c)));
        if !comment.is_empty() {
            comments.push(comment.trim_end().to_string());
        }
    }
    (code, comments)
}

/// Tidies a text without syntax errors and checks everything that holds for all texts.
fn checked(text: &str) -> String {
    let tidied = tidy(FILE, text).unwrap();
    assert_eq!(essence(&tidied), essence(text), "{text}\n----\n{tidied}");
    assert_eq!(meaning(&tidied), meaning(text), "{text}\n----\n{tidied}");
    assert_eq!(tidy(FILE, &tidied).unwrap(), tidied, "tidying twice changes\n{text}");
    assert!(!tidied.contains("\n\n\n") && !tidied.starts_with('\n') && !tidied.ends_with("\n\n"), "{tidied}");
    assert!(tidied.lines().all(|line| line.trim_end() == line), "{tidied}");
    tidied
}

/// Every `.blo` file of the repository.
fn models() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "blo") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for folder in ["examples", "stdlib", "bench", "grammar/tests", "compiler/tests"] {
        walk(&root.join(folder), &mut found);
    }
    found.sort();
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn every_model_of_the_repository_keeps_its_meaning() {
    let mut count = 0;
    for (path, text) in models() {
        if tidy(FILE, &text).is_ok() {
            let tidied = checked(&text);
            let code = |line: &&str| !line.contains('#');
            let long = tidied.lines().filter(code).find(|line| line.chars().count() > 100);
            assert!(long.is_none(), "{}: {long:?}", path.display());
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}

#[test]
fn blanks_and_line_ends() {
    let cases = [
        ("", ""),
        ("\n\n", ""),
        ("# only\n\n\n#that", "# only\n\n#that\n"),
        ("let  a=1;let b = - 2 ; # both\n", "let a = 1\nlet b = -2  # both\n"),
        (
            "\u{feff}let a = 1e-3\r\n\r\n\r\n\r\nlet b=1_000*0.50\r\n",
            "let a = 1e-3\n\nlet b = 1_000 * 0.50\n",
        ),
        ("let a = x [1 , 2.. , :, ..3,:]' @ - y ^ - 2", "let a = x[1, 2.., :, ..3, :]' @ -y^-2\n"),
        ("let a = - -b - (- c)", "let a = --b - (-c)\n"),
        ("upper{}lower{ # none\n\n}", "upper {\n}\nlower {  # none\n}\n"),
        (
            "upper{var x:real[n,2]in[0,inf]~normal (0,1);minimize(x)}# end",
            "upper {\n  var x: real[n, 2] in [0, inf] ~ normal(0, 1)\n  minimize (x)\n}  # end\n",
        ),
        (
            "lower   f {\n\n\n  # above\n\n\n  subject to c[i in 0..n] :x[i]<=1\n\n  # last\n\n}\n",
            "lower f {\n  # above\n\n  subject to c[i in 0..n]: x[i] <= 1\n\n  # last\n}\n",
        ),
        (
            "upper {\nsubject to -x <= 0\nsubject to (x) <= to(1)\n}",
            "upper {\n  subject to -x <= 0\n  subject to (x) <= to(1)\n}\n",
        ),
        (
            "use std.losses(huber,hinge)\nuse \"a.blo\"(b)",
            "use std.losses (huber, hinge)\nuse \"a.blo\" (b)\n",
        ),
        ("fn f(x)->real={let y=x;y}", "fn f(x) -> real = { let y = x; y }\n"),
        ("fn f(x) =\n\n{ ;let y=x;;y; }", "fn f(x) = { let y = x; y }\n"),
        (
            "fn f(x) { # why\n\nlet y=x;let z = y+\n1\n\n# result\nz\n\n}",
            "fn f(x) {  # why\n  let y = x\n  let z = y +\n    1\n\n  # result\n  z\n}\n",
        ),
        ("let a = f(g(\n1,# one\n# two\n\n2\n),3\n)", "let a = f(g(\n  1,  # one\n  # two\n  2\n), 3\n)\n"),
        (
            "dim n=1 # a\ndim long=20    # b\n# c\ndim k # d",
            "dim n = 1      # a\ndim long = 20  # b\n# c\ndim k  # d\n",
        ),
        ("let a=1+ # more\n\n2", "let a = 1 +  # more\n  2\n"),
        (
            "let s=sum(x[i]for i~n if not(a)and b!=\"c\")",
            "let s = sum(x[i] for i ~ n if not (a) and b != \"c\")\n",
        ),
        ("let s=if(a)then[1]else lower.gap\n", "let s = if (a) then [1] else lower.gap\n"),
        ("data A : sparse real [n] from\"f#.npy\"", "data A: sparse real[n] from \"f#.npy\"\n"),
        (
            "let a = 1 +\nupper.objective * f(\n2)\nlet b = 1",
            "let a = 1 +\n  upper.objective * f(\n    2)\nlet b = 1\n",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(checked(text), expected, "{text}");
    }
}

#[test]
fn long_lines_are_cut_at_the_outermost_place() {
    let cases = [
        (
            format!("solve cg({} = 1)", ["some_option = 12"; 7].join(", ") + ", last_option"),
            format!(
                "solve cg(\n  {},\n  {}, last_option = 1)\n",
                ["some_option = 12"; 5].join(", "),
                ["some_option = 12"; 2].join(", ")
            ),
        ),
        (
            format!("let a = mean({0}) + {0}", "long_name * ".repeat(5) + "c"),
            format!("let a = mean({0}) +\n  {0}\n", "long_name * ".repeat(5) + "c"),
        ),
        (
            format!("let s = mean(huber({}) for i in n, j in m)", "long_name * ".repeat(6) + "c"),
            format!("let s = mean(huber({})\n  for i in n, j in m)\n", "long_name * ".repeat(6) + "c"),
        ),
        (
            format!("fn f(x) {{ let {0} = 1; let b = {0}; b }} # c", "a".repeat(40)),
            format!("fn f(x) {{\n  let {0} = 1\n  let b = {0}\n  b\n}}  # c\n", "a".repeat(40)),
        ),
        (format!("let {0} = {0}", "a".repeat(60)), format!("let {0} =\n  {0}\n", "a".repeat(60))),
        (format!("let a = {}", "b".repeat(120)), format!("let a =\n  {}\n", "b".repeat(120))),
        (
            format!("data X: real[9, 2] = [{}]", ["[1.25, -2.5]"; 9].join(", ")),
            format!(
                "data X: real[9, 2] = [\n  {},\n  {}]\n",
                ["[1.25, -2.5]"; 7].join(", "),
                ["[1.25, -2.5]"; 2].join(", ")
            ),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(checked(&text), expected, "{text}");
    }
}

#[test]
fn texts_with_syntax_errors_are_refused() {
    for text in ["let a = (1", "let", "}", "// no", "let a = 1 +"] {
        assert!(tidy(FILE, text).unwrap_err().iter().any(|d| d.is_error()), "{text}");
    }
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

/// Blanks, comments and separators where they are often allowed, and pieces that change the tree.
const SPLICES: &[&str] = &[
    " ",
    "\n",
    "\n\n\n",
    "\t",
    " # note\n",
    "\n# note\n",
    ";",
    "\r\n",
    " + x",
    "(x)",
    ", y",
    "-",
    "'",
    " - - ",
    "[0]",
    "\n}",
    "{\n",
    "let q = 1\n",
    "f(\n",
    " and not ",
    "..",
    ":",
    " if a then b else c",
    "^2",
    " for i in n",
    "}",
    "{",
];

#[test]
fn mutated_models_keep_their_meaning() {
    let models: Vec<String> = models().into_iter().map(|(_, text)| text).filter(|t| t.len() < 6000).collect();
    let mut random = Random(0xB10);
    let mut kept = 0;
    for case in 0..6000 {
        let mut chars: Vec<char> = models[case % models.len()].chars().collect();
        for _ in 0..=random.below(3) {
            let at = random.below(chars.len());
            let to = (at + random.below(6)).min(chars.len());
            let splice = SPLICES[random.below(SPLICES.len())].chars();
            let end = if random.below(3) == 0 { to } else { at };
            drop(chars.splice(at..end, splice));
        }
        let text: String = chars.into_iter().collect();
        if tidy(FILE, &text).is_ok() {
            checked(&text);
            kept += 1;
        }
        // The same on one long line wherever that is still a model.
        let joined = text.replace(",\n", ",").replace("+\n", "+").replace("(\n", "(");
        if joined.len() < text.len() && tidy(FILE, &joined).is_ok() {
            checked(&joined);
        }
    }
    assert!(kept > 300, "only {kept} mutated models were correct");
}
