//! Opening and reading files so that whatever is wrong is said in words, with advice where it is likely to be right.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use blo_grammar::parse::nearest;

/// Something that keeps a command from doing its work and has no place in the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Trouble {
    /// Trouble without advice.
    pub fn new(message: impl Into<String>) -> Self {
        Trouble { message: message.into(), help: None }
    }

    /// Sets the advice.
    #[must_use]
    pub fn help(self, text: impl Into<String>) -> Self {
        Trouble { help: Some(text.into()), ..self }
    }
}

/// Opens a regular file and says how many bytes it has.
pub fn open(path: &Path) -> Result<(File, u64), Trouble> {
    let shown = path.display();
    let failed = |e: std::io::Error| match e.kind() {
        ErrorKind::NotFound => missing(path),
        ErrorKind::PermissionDenied => Trouble::new(format!("`{shown}` may not be read (permission denied)")),
        _ => Trouble::new(format!("`{shown}` cannot be opened: {e}")),
    };
    // Asked before opening: opening a named pipe would wait for a writer.
    let about = std::fs::metadata(path).map_err(failed)?;
    if about.is_dir() {
        return Err(Trouble::new(format!("`{shown}` is a folder, not a file")));
    }
    let file = File::open(path).map_err(failed)?;
    Ok((file, about.len()))
}

/// The text of a UTF-8 file that is not empty.
pub fn read_text(path: &Path) -> Result<String, Trouble> {
    let shown = path.display();
    let (mut file, length) = open(path)?;
    if length >= u64::from(u32::MAX) {
        return Err(Trouble::new(format!("`{shown}` is too long for a model ({length} bytes)")));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|e| Trouble::new(format!("reading `{shown}` failed: {e}")))?;
    if bytes.is_empty() {
        return Err(Trouble::new(format!("`{shown}` is empty")));
    }
    if bytes.contains(&0) {
        return Err(Trouble::new(format!("`{shown}` is not a text file (it contains a zero byte)"))
            .help("a model is UTF-8 text, usually in a file that ends in `.blo`"));
    }
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Trouble::new(format!("`{shown}` is not UTF-8 text: the byte at offset {at} does not belong there"))
            .help("save the file in the encoding UTF-8")
    })
}

/// Names in backquotes, cut after a dozen.
pub fn quoted_list(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut parts: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    if names.len() > SHOWN {
        parts.push(format!("{} more", names.len() - SHOWN));
    }
    parts.join(", ")
}

/// A missing file, with a near name in its folder as advice.
fn missing(path: &Path) -> Trouble {
    let trouble = Trouble::new(format!("`{}` does not exist", path.display()));
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(parent) else {
        return trouble.help(format!("there is no folder `{}`", parent.display()));
    };
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let wanted = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    if let Some(near) = nearest(&wanted, names.iter().map(String::as_str)) {
        return trouble.help(format!("did you mean `{}`?", path.with_file_name(near).display()));
    }
    let alike: Vec<String> = names
        .into_iter()
        .filter(|name| path.extension().is_some_and(|e| Path::new(name).extension() == Some(e)))
        .collect();
    if alike.is_empty() { trouble } else { trouble.help(format!("the folder has {}", quoted_list(&alike))) }
}

/// Writes a file whole or not at all.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Trouble> {
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let written = std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, path));
    written.map_err(|e| {
        // The half-written file is of no use, and the error that matters is the first.
        let _ = std::fs::remove_file(&part);
        Trouble::new(format!("cannot write `{}`: {e}", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Folder;

    #[test]
    fn missing_files_come_with_near_names() {
        let folder = Folder::new();
        std::fs::write(folder.path("train_x.npy"), "").unwrap();
        let near = open(&folder.path("train_y.npy")).unwrap_err();
        assert!(near.message.ends_with("train_y.npy` does not exist"), "{near:?}");
        assert!(near.help.unwrap().contains("train_x.npy"));
        assert!(
            open(&folder.path("other.npy"))
                .unwrap_err()
                .help
                .unwrap()
                .contains("the folder has `train_x.npy`")
        );
        assert_eq!(open(&folder.path("completely.different")).unwrap_err().help, None);
        assert!(open(&folder.path("no/where.npy")).unwrap_err().help.unwrap().contains("there is no folder"));
    }

    #[test]
    fn texts_that_are_none_are_refused() {
        let folder = Folder::new();
        let trouble = |bytes: &[u8]| {
            std::fs::write(folder.path("m.blo"), bytes).unwrap();
            read_text(&folder.path("m.blo")).unwrap_err().message
        };
        assert!(trouble(b"").contains("is empty"));
        assert!(trouble(b"abc\0").contains("zero byte"));
        assert!(trouble(b"abc\xff").contains("offset 3"));
        assert!(read_text(&folder.path("")).unwrap_err().message.contains("is a folder"));
    }
}
