//! A session at a real pseudo-terminal: ridge regression is modelled, broken, mended, solved, plotted and saved. What stood on the
//! screen is the tutorial (`docs/tutorial-repl.md`).

use std::path::Path;
use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

use super::Folder;

/// Milliseconds until a missing answer is an error.
const PATIENCE: u64 = 120_000;

struct Terminal {
    session: PtySession,
    /// All that came from the program.
    raw: String,
}

impl Terminal {
    fn open(folder: &Folder) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blo"));
        command
            .current_dir(&folder.0)
            .env("BLO_CACHE", folder.0.join("cache"))
            .env("BLO_STATE", folder.0.join("state"))
            .env("NO_COLOR", "1")
            .env("TERM", "xterm");
        let session = spawn_command(command, Some(PATIENCE)).unwrap();
        let mut terminal = Terminal { session, raw: String::new() };
        terminal.wait("Ctrl-D to leave");
        terminal.wait("blo> ");
        terminal
    }

    /// Waits for these words.
    fn wait(&mut self, words: &str) {
        let before =
            self.session.exp_string(words).unwrap_or_else(|e| panic!("{words}: {e}\n{}", screen(&self.raw)));
        self.raw.push_str(&before);
        self.raw.push_str(words);
    }

    fn send(&mut self, text: &str) {
        self.session.send(text).unwrap();
        self.session.flush().unwrap();
    }

    /// Enters lines, and waits for words that the answer has and the lines have not, then for the prompt.
    fn enter(&mut self, text: &str, words: &str) {
        assert!(!text.contains(words));
        self.send(&format!("{}\r", text.replace('\n', "\r")));
        self.wait(words);
        self.wait("blo> ");
    }

    fn leave(mut self) -> String {
        self.session.send_control('d').unwrap();
        let rest = self.session.exp_eof().unwrap();
        screen(&(self.raw + &rest))
    }
}

/// What stands on a terminal of any width after these bytes.
fn screen(raw: &str) -> String {
    // The session hands over a character for each byte.
    let bytes: Vec<u8> = raw.chars().map(|c| c as u8).collect();
    let raw = String::from_utf8_lossy(&bytes);
    let mut lines: Vec<Vec<char>> = vec![Vec::new()];
    let (mut row, mut column) = (0_usize, 0_usize);
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => column = 0,
            '\n' => row += 1,
            '\x08' => column = column.saturating_sub(1),
            '\x07' => {}
            '\x1b' if chars.peek() == Some(&'[') => {
                chars.next();
                let mut text = String::new();
                let last = loop {
                    match chars.next() {
                        Some(c) if c.is_ascii_alphabetic() => break c,
                        Some(c) => text.push(c),
                        None => break 'm',
                    }
                };
                let count = text.parse::<usize>().unwrap_or(1).max(1);
                match last {
                    'A' => row = row.saturating_sub(count),
                    'B' => row += count,
                    'C' => column += count,
                    'D' => column = column.saturating_sub(count),
                    'G' => column = count - 1,
                    'J' => {
                        lines.truncate(row + 1);
                        lines[row].truncate(column);
                    }
                    'K' => match text.as_str() {
                        "2" => lines[row].clear(),
                        _ => lines[row].truncate(column),
                    },
                    _ => {}
                }
            }
            c => {
                let line = &mut lines[row];
                while line.len() <= column {
                    line.push(' ');
                }
                line[column] = c;
                column += 1;
            }
        }
        while lines.len() <= row {
            lines.push(Vec::new());
        }
    }
    let lines = lines.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned() + "\n");
    lines.collect::<String>().trim_end().to_owned() + "\n"
}

/// Times differ from run to run.
fn timeless(screen: &str) -> String {
    let words = screen.split_inclusive(char::is_whitespace).collect::<Vec<_>>();
    let is_time = |at: usize| {
        let word = words[at].trim_end().trim_start_matches('(');
        let unit = words.get(at + 1).is_some_and(|next| next.trim_end().trim_end_matches([',', ')']) == "s");
        unit && word.parse::<f64>().is_ok()
    };
    (0..words.len())
        .map(|at| {
            if is_time(at) {
                words[at].replace(|c: char| c.is_ascii_digit(), "0")
            } else {
                words[at].to_owned()
            }
        })
        .collect()
}

#[test]
fn ridge_regression_from_the_first_line_to_the_file() {
    let folder = Folder::new();
    let mut blo = Terminal::open(&folder);
    blo.enter("dim n = 60", "n: int");
    blo.enter("dim d = 4", "d: int");
    blo.enter("data X: real[n, d] ~ normal(0, 1)", "X: real[n = 60, d = 4]");
    blo.enter("data noise: real[n] ~ normal(0, 0.5)", "noise: real[n = 60]");
    blo.enter("let truth = [1.0, -2.0, 0.0, 0.5]", "truth: real[4]");
    blo.enter("let t = X @ truth + noise", "t: real[n = 60]");
    blo.enter("X", "min ");
    blo.enter(
        "upper {\nvar rho: real in [-8, 4] = 0\nminimize mean((X[i] @ w - t[i])^2 for i in 40..60)\n}",
        "still missing: `w`",
    );
    blo.enter(
        "lower {\nvar w: real[d] = 0\nminimize mean((w @ X - t)^2) + exp(rho) * sumsq(w)\n}",
        "[E0203]",
    );
    blo.enter(
        "lower {\nvar w: real[d] = 0\nminimize mean((X[i] @ w - t[i])^2 for i in 0..40) + exp(rho) * sumsq(w)\n}",
        "the model is complete",
    );
    blo.enter("grad(F, w)", "grad(F, w) = ");
    blo.enter(":check", "grad(f, w): error");
    blo.enter(":solve cg(steps = 300)", "cg, 300 iterations");
    blo.enter("w", "real[d = 4]");
    blo.enter(":plot trace", "over iterations");
    blo.enter("param scale = 10.0", "scale: real");
    blo.enter(":undo", "took back 1 change");
    blo.enter(":save ridge.blo", "saved ridge.blo");
    let screen = timeless(&blo.leave());
    let saved = std::fs::read_to_string(folder.0.join("ridge.blo")).unwrap();
    assert!(saved.contains("upper {\n  var rho: real in [-8, 4] = 0\n  minimize mean("), "{saved}");
    assert!(!saved.contains("scale"));
    let history = std::fs::read_to_string(folder.0.join("state/history")).unwrap();
    assert!(history.contains(":plot trace"), "{history}");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/tutorial-repl.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once("```text\n").unwrap();
    let (_, after) = rest.split_once("```\n").unwrap();
    let fresh = format!("{before}```text\n{screen}```\n{after}");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&page, &fresh).unwrap();
        return;
    }
    assert_eq!(text, fresh, "docs/tutorial-repl.md is stale: BLESS=1 cargo test --test repl");
}

#[test]
fn control_c_ends_a_solve_and_keeps_the_iterate() {
    let folder = Folder::new();
    let mut blo = Terminal::open(&folder);
    blo.enter("upper var x: real = 1", "still missing");
    blo.enter("upper minimize (x - 3)^2 + y^2", "still missing: `y`");
    blo.enter("lower var y: real = 0", "still missing: an objective");
    blo.enter("lower minimize (y - x)^2", "the model is complete");
    blo.send(":solve cg(steps = 1000000000, upper_step = 1e-9, tolerance = 0)\r");
    // The line of progress: the solver is at work.
    blo.wait("measure");
    blo.session.send_control('c').unwrap();
    blo.wait("cg, ");
    blo.wait("blo> ");
    blo.enter("x != 1", "true : bool");
    // An entry is given up, and the session goes on.
    blo.send("let z = (");
    blo.session.send_control('c').unwrap();
    blo.wait("\r\n");
    blo.wait("blo> ");
    blo.enter("2 + 2", "4 : int");
    blo.leave();
}

#[test]
fn tab_completes() {
    let folder = Folder::new();
    let mut blo = Terminal::open(&folder);
    blo.enter("param ridge_weight = 0.25", "ridge_weight: real");
    blo.send("ridge_w\t\r");
    blo.wait("0.25 : real");
    blo.wait("blo> ");
    blo.send(":unde\x08\x08d\t\r");
    blo.wait("took back 1 change");
    blo.wait("blo> ");
    blo.leave();
}
