//! Tells the command which commit it was built from; where there is no repository or no git, nothing. That there is a build script gives
//! an `OUT_DIR` too, from which the template of native kernels is found (`src/native/template.rs`).

use std::path::Path;
use std::process::Command;

fn main() {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
    };
    // A repository around an unpacked release is not that of blo.
    let ours = git(&["ls-files", "--error-unmatch", "Cargo.toml"]).is_some();
    let commit = if ours { git(&["rev-parse", "--short=10", "HEAD"]) } else { None };
    println!("cargo::rustc-env=BLO_COMMIT={}", commit.unwrap_or_default());
    println!("cargo::rerun-if-changed=build.rs");
    for name in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", name]).filter(|path| ours && Path::new(path).exists());
        if let Some(path) = path {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}
