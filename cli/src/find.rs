//! Finds models in files and folders.

use std::path::{Path, PathBuf};

use crate::files::Trouble;

/// The files among `paths` and all `.blo` files in the folders among them and below, sorted within each folder. Hidden
/// folders and links to folders are passed over.
pub fn models(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Trouble>) {
    let mut found = Vec::new();
    let mut troubles = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = found.len();
            walk(path, &mut found, &mut troubles);
            if found.len() == before {
                troubles.push(Trouble::new(format!("there is no .blo file in `{}`", path.display())));
            }
        } else {
            found.push(path.clone());
        }
    }
    (found, troubles)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>, troubles: &mut Vec<Trouble>) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) => {
            return troubles.push(Trouble::new(format!("`{}` cannot be listed: {e}", folder.display())));
        }
    };
    let mut entries: Vec<_> = entries.flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Paths in the current folder are shown as a user would write them.
        let path = if folder == Path::new(".") { PathBuf::from(entry.file_name()) } else { entry.path() };
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if !name.starts_with('.') {
                walk(&path, found, troubles);
            }
        } else if name.ends_with(".blo") && path.is_file() {
            found.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Folder;

    #[test]
    fn folders_are_searched_and_files_taken_as_they_are() {
        let folder = Folder::new();
        for inner in ["b/deep", ".hidden", "empty"] {
            std::fs::create_dir_all(folder.path(inner)).unwrap();
        }
        for file in ["z.blo", "a.blo", "b/deep/m.blo", ".hidden/no.blo", "note.txt"] {
            std::fs::write(folder.path(file), "").unwrap();
        }
        let expected = ["a.blo", "b/deep/m.blo", "z.blo"].map(|name| folder.path("").join(name));
        let (found, troubles) = models(&[folder.path("")]);
        assert_eq!((found, troubles.len()), (expected.to_vec(), 0));
        let (found, troubles) = models(&[folder.path("note.txt"), folder.path("empty")]);
        assert_eq!((found, troubles.len()), (vec![folder.path("note.txt")], 1));
    }
}
