//! An object file of a compiled model for linkers: the library in the data of a C file that loads it, made by the machine's C compiler.

use std::path::PathBuf;
use std::process::Command;

use super::Names;
use crate::files::{Trouble, replace};

/// Writes the C file, with NAME put in already, and the object it is compiled to; their paths. The library and its header are there.
pub fn write(names: &Names, text: &str) -> Result<[PathBuf; 2], Trouble> {
    let name = &names.name;
    let source = names.file("-static").join(format!("{name}.c"));
    if let Err(e) = std::fs::create_dir_all(names.file("-static")) {
        return Err(Trouble::new(format!("cannot make the folder of `{}`: {e}", source.display())));
    }
    replace(&source, text.as_bytes())?;
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let mut command = Command::new(&compiler);
    command.args(["-c", "-O2", "-fno-lto", "-fPIC", "-I."]).arg(format!("{name}-static/{name}.c"));
    command.args(["-o", &format!("{name}.o")]);
    if !names.folder.as_os_str().is_empty() {
        command.current_dir(&names.folder);
    }
    let help = format!("the other files are written; `{}` says how to go on by hand", source.display());
    let output = command.output().map_err(|e| {
        Trouble::new(format!("`--static` needs a C compiler, and `{compiler}` cannot be run: {e}"))
            .help(&help)
    })?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let words = words.lines().find(|line| line.contains("error")).unwrap_or("no reason given");
        return Err(Trouble::new(format!("`{compiler}` cannot compile the object: {words}")).help(help));
    }
    Ok([source, names.file(".o")])
}
