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
