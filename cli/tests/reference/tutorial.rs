//! `docs/tutorial.md` as a reader would follow it, in one folder from the first block to the last. A block ```` ```blo NAME ```` or
//! ```` ```csv NAME ```` is a file, each line of ```` ```sh ```` a command, and the ```` ```text ```` after it what the commands print. Numbers
//! are compared with a tolerance, times not at all.

use std::fs;
use std::process::Command;

use crate::language::{Block, blocks};
use crate::{fresh, root, scratch, text};

const PAGE: &str = "docs/tutorial.md";

/// What the lines of a block print, commands after one another.
fn printed(folder: &scratch::Folder, block: &Block) -> String {
    let mut printed = String::new();
    for line in block.code.lines() {
        let words = words(line);
        assert_eq!(words[0], "blo", "{PAGE}:{}: only `blo` can be run here", block.line);
        let output = Command::new(env!("CARGO_BIN_EXE_blo"))
            .env("BLO_CACHE", concat!(env!("CARGO_TARGET_TMPDIR"), "/code"))
            .args(&words[1..])
            .current_dir(folder.path(""))
            .env("NO_COLOR", "1")
            .output()
            .expect("the built command runs");
        printed += &String::from_utf8(output.stdout).unwrap();
        printed += &String::from_utf8(output.stderr).unwrap();
    }
    let lines: Vec<&str> = printed.trim_end().lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// The words of a command; those in single quotes may hold spaces.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (k, part) in line.split('\'').enumerate() {
        match k % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

/// The pieces of a line: numbers, and the words and signs between them.
fn pieces(line: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    for word in line.split_whitespace() {
        let mut rest = word;
        while !rest.is_empty() {
            let start = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            let start = if start > 0 && rest[..start].ends_with('-') { start - 1 } else { start };
            if start > 0 {
                pieces.push(&rest[..start]);
                rest = &rest[start..];
                continue;
            }
            let end = number_end(rest);
            let end = if end == 0 { rest.len() } else { end };
            pieces.push(&rest[..end]);
            rest = &rest[end..];
        }
    }
    pieces
}

/// Where the number at the start of a text ends.
fn number_end(text: &str) -> usize {
    (1..=text.len())
        .filter(|&end| text.is_char_boundary(end) && text.as_bytes()[end - 1].is_ascii_digit())
        .take_while(|&end| !text[..end].contains(".."))
        .filter(|&end| text[..end].parse::<f64>().is_ok())
        .last()
        .unwrap_or(0)
}

/// Whether a printed number is as good as another: whole ones must be the same, others agree to one unit of the last digit or a
/// thousandth, and nearly zero is zero.
fn close(found: &str, expected: &str) -> bool {
    let (Ok(a), Ok(b)) = (found.parse::<f64>(), expected.parse::<f64>()) else { return found == expected };
    let mantissa = expected.split('e').next().unwrap_or(expected);
    let decimals = mantissa.split_once('.').map_or(0, |(_, digits)| digits.len());
    let exponent = expected.split_once('e').map_or(0, |(_, e)| e.parse::<i32>().unwrap_or(0));
    let unit = 10f64.powi(exponent - i32::try_from(decimals).unwrap_or(0));
    let whole = expected.bytes().all(|c| c.is_ascii_digit());
    let allowed = if whole { 0.0 } else { (1.5 * unit).max(1e-3 * b.abs()) };
    (a - b).abs() <= allowed || (a.abs() < 1e-5 && b.abs() < 1e-5)
}

/// Whether two outputs say the same. In a line with times, only what is not a number counts.
fn same(found: &str, expected: &str) -> bool {
    let lines =
        |text: &str| text.lines().map(str::to_owned).filter(|l| !l.trim().is_empty()).collect::<Vec<_>>();
    let (found, expected) = (lines(found), lines(expected));
    let mut timed = false;
    found.len() == expected.len()
        && found.iter().zip(&expected).all(|(a, b)| {
            timed |= b.contains("seconds");
            let times = timed || (b.contains(" to compile, ") && b.contains(" to solve)"));
            let (a, b) = (pieces(a), pieces(b));
            a.len() == b.len()
                && a.iter().zip(&b).all(|(a, b)| {
                    let numbers = a.parse::<f64>().is_ok() && b.parse::<f64>().is_ok();
                    (numbers && times) || close(a, b)
                })
        })
}

/// The tutorial is followed; `BLESS=1` writes what the program prints into it.
#[test]
fn every_output_of_the_tutorial_is_real() {
    let folder = scratch::Folder::new();
    fs::create_dir(folder.path("data")).unwrap();
    for name in ["diabetes.npz", "digits_cleaning.npz"] {
        fs::copy(root("examples/data").join(name), folder.path("data").join(name)).unwrap();
    }
    let page = text(PAGE);
    let mut expected = page.clone();
    let mut outputs = 0;
    let blocks = blocks(&page);
    for (k, block) in blocks.iter().enumerate() {
        match block.info.split_once(' ') {
            Some(("blo" | "csv", name)) => fs::write(folder.path(name), &block.code).unwrap(),
            None if block.info == "sh" => {
                let found = printed(&folder, block);
                let shown = blocks.get(k + 1).filter(|next| next.info == "text");
                let shown = shown.unwrap_or_else(|| panic!("{PAGE}:{}: no output follows", block.line));
                outputs += 1;
                if !same(&found, &shown.code) {
                    let old = format!("```sh\n{}```\n\n```text\n{}```", block.code, shown.code);
                    let new = format!("```sh\n{}```\n\n```text\n{found}\n```", block.code);
                    assert!(
                        expected.contains(&old),
                        "{PAGE}:{}: one empty line between the blocks",
                        block.line
                    );
                    expected = expected.replace(&old, &new);
                }
            }
            None if block.info == "text" => {}
            _ => panic!("{PAGE}:{}: `{}` is no kind of block", block.line, block.info),
        }
    }
    assert!(outputs >= 10, "the tutorial has lost its outputs");
    fresh(PAGE, &expected);
}

/// The comparison itself: what must be told apart, and what not.
#[test]
fn outputs_are_compared_by_what_they_say() {
    assert!(same("lower gap 3.1e-13", "lower gap          0"));
    assert!(same("lambda -2.09715", "lambda -2.09716"));
    assert!(same(
        "cg, 80 iterations, 0.5 s (0.1 s to compile, 0.4 s to solve)",
        "cg, 80 iterations, 2 s (1 s to compile, 1 s to solve)"
    ));
    assert!(!same("lambda -2.09715", "lambda 2.09715"));
    assert!(!same("lambda -2.097", "lambda -2.17"));
    assert!(!same("solved: x", "feasible: x"));
    assert!(!same("[E0203] Error", "[E0204] Error"));
    assert!(!same("x 1\ny 2", "x 1"));
    assert!(!same("real[10]", "real[11]"));
}
