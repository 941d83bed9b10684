//! Completions, manual pages, starter models, `blo doctor`, `--version`, and the examples of `--help`.

use std::fs;
use std::process::Command;

use crate::common::{Folder, blo, listing, refused, stderr, stdout};

fn fine(folder: &Folder, args: &[&str]) -> String {
    let output = blo(&folder.path(""), args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
    stdout(&output)
}

#[test]
fn completions_know_commands_and_flags() {
    let folder = Folder::new();
    for (shell, mark) in [("bash", "complete -F _blo"), ("zsh", "#compdef blo"), ("fish", "complete -c blo")]
    {
        let text = fine(&folder, &["completions", shell]);
        for part in [mark, "compare", "time-limit"] {
            assert!(text.contains(part), "{shell}: no `{part}`");
        }
    }
    let script = folder.path("blo.bash");
    fs::write(&script, fine(&folder, &["completions", "bash"])).unwrap();
    if let Ok(output) = Command::new("bash").arg("-n").arg(&script).output() {
        assert!(output.status.success(), "{}", stderr(&output));
    }
    refused(&folder, &["completions", "tcsh"], &["tcsh"]);
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = Folder::new();
    fine(&folder, &["man", "pages"]);
    let names = listing(&folder.path("pages"));
    for name in ["blo.1", "blo-run.1", "blo-compare.1", "blo-explain.1", "blo-new.1"] {
        assert!(names.iter().any(|path| path.ends_with(name)), "{name}: {names:?}");
    }
    let page = fs::read_to_string(folder.path("pages/blo-run.1")).unwrap();
    assert!(page.contains(".TH") && page.contains("report"), "{page}");
}

/// Each starter passes its own test, is in its usual form, and is never written over something.
#[test]
fn starters_pass_their_tests() {
    let folder = Folder::new();
    for template in ["ridge", "game"] {
        let said = fine(&folder, &["new", template, "--template", template]);
        assert!(said.contains(&format!("blo run {template}/model.blo")), "{said}");
        fine(&folder, &["test", template]);
        fine(&folder, &["fmt", "--check", template]);
        refused(&folder, &["new", template], &["exists already"]);
    }
    assert_eq!(fine(&folder, &["new", "third", "--quiet"]), "");
}

#[test]
fn doctor_and_version_tell_what_this_is() {
    let folder = Folder::new();
    let text = fine(&folder, &["doctor"]);
    for part in ["kernels", "threads", "cache", "for `blo export`", env!("CARGO_PKG_VERSION")] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    let version = fine(&folder, &["--version"]);
    assert!(
        version.starts_with(concat!("blo ", env!("CARGO_PKG_VERSION"), " (")) && version.contains("kernels "),
        "{version}"
    );
}

/// The names of the commands, as `blo --help` lists them.
fn commands(folder: &Folder) -> Vec<String> {
    let help = fine(folder, &["--help"]);
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = lines.take_while(|line| line.starts_with("  ")).filter(|line| !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// What a command is asked for is one thing, what it says beside it another: that is left out on demand.
#[test]
fn quiet_commands_print_answers_alone() {
    let folder = Folder::new();
    assert_eq!(fine(&folder, &["new", "start", "--template", "game", "--quiet"]), "");
    fs::write(folder.path("untidy.blo"), "upper  {\n var x: real = 1\n minimize x^2\n}\n").unwrap();
    for args in [
        ["check", "start/model.blo", "--quiet"].as_slice(),
        &["test", "start", "--quiet"],
        &["fmt", "untidy.blo", "--quiet"],
        &["run", "start/model.blo", "--out", "start/run", "--quiet", "--json"],
        &["plot", "start/run", "-o", "start/p.svg", "--quiet"],
        &["compile", "start/model.blo", "-o", "start/model", "--quiet"],
        &["export", "start/model.blo", "start/m.nl"],
        &["explain", "start/model.blo", "--graph", "start/m.svg"],
        &["man", "start/man"],
    ] {
        let output = blo(&folder.path(""), args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
        assert_eq!(stderr(&output), "", "{args:?}");
        assert_eq!(stdout(&output).is_empty(), !args.contains(&"--json"), "{args:?}");
    }
    assert!(fine(&folder, &["fmt", "--check", "untidy.blo"]).is_empty());
}

/// 1 for an answer that is not as wished, 2 for wrong input, whatever the command.
#[test]
fn exit_codes_are_those_of_the_page() {
    let folder = Folder::new();
    fs::create_dir(folder.path("w")).unwrap();
    let model = "upper {\n  var x: real = 1\n  minimize x^2\n}\nexpect x > 5\n";
    fs::write(folder.path("w/wish.blo"), model).unwrap();
    fs::write(folder.path("w/untidy.blo"), "upper  {\n var x: real = 1\n minimize x^2\n}\n").unwrap();
    fs::write(folder.path("w/broken.blo"), "upper {\n").unwrap();
    let code = |line: &str| {
        let output = blo(&folder.path("w"), &line.split(' ').collect::<Vec<_>>());
        (output.status.code(), stderr(&output), stdout(&output))
    };
    for line in ["run wish.blo", "test wish.blo", "fmt --check untidy.blo"] {
        let (status, ..) = code(line);
        assert_eq!(status, Some(1), "{line}");
    }
    let no_file = ["run", "compare", "check", "explain", "export", "compile", "plot", "fmt", "test", "repl"];
    for command in no_file {
        let rest = if command == "export" { " out.nl" } else { "" };
        for file in ["none.blo", "broken.blo"] {
            // What is broken is no result, and a broken model is not one that can be run: `blo test` says 1 of it.
            if (command, file) == ("test", "broken.blo") {
                continue;
            }
            let (status, err, out) = code(&format!("{command} {file}{rest}"));
            assert_eq!((status, out.as_str()), (Some(2), ""), "{command} {file}: {err}");
            assert!(!err.is_empty(), "{command} {file}");
        }
        let (status, err, _) = code(&format!("{command} --no-such-flag"));
        assert_eq!(status, Some(2), "{err}");
    }
    for line in ["nonsense", "new wish.blo", "man wish.blo", "cache --quiet", "doctor now"] {
        assert_eq!(code(line).0, Some(2), "{line}");
    }
}

/// Every command ends its help with an example, and the example works, in a folder with a model, a run of it and a start.
#[test]
fn examples_of_help_work() {
    let folder = Folder::new();
    fine(&folder, &["new", "start", "--template", "game"]);
    let model = fs::read(folder.path("start/model.blo")).unwrap();
    fs::write(folder.path("model.blo"), model).unwrap();
    let names = commands(&folder);
    assert!(names.len() > 12, "{names:?}");
    for name in names {
        let help = fine(&folder, &[&name, "--help"]);
        let examples: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("Example: ")).collect();
        assert!(!examples.is_empty(), "`blo {name} --help` has no example");
        for example in examples {
            for step in example.split(" && ") {
                // What the shell would do with the output is not ours.
                let words = step.split(" > ").next().unwrap_or(step);
                let words: Vec<&str> = words.split_whitespace().collect();
                assert_eq!(words[0], "blo", "{example}");
                if words == ["blo", "lsp"] {
                    // Waits for an editor; its tests are those of `editor.rs`.
                    continue;
                }
                let output = blo(&folder.path(""), &words[1..]);
                assert_eq!(output.status.code(), Some(0), "{step}: {}{}", stdout(&output), stderr(&output));
            }
        }
    }
}
