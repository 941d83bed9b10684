//! Data and used files for a model in an editor: open documents come before the disk, and data that did not change since the last
//! look are not read again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use blo_compiler::session::{DataError, DataRequest, Loader, Observer, SparseTensor, Tensor};

use crate::data::FileLoader;
use crate::stopwatch::Stopwatch;

/// What was read, with the time its file was changed last.
type Kept<T> = HashMap<String, (Option<SystemTime>, Result<Option<T>, DataError>)>;

/// The data read so far.
#[derive(Default)]
pub struct Memory {
    dense: Kept<Tensor>,
    sparse: Kept<SparseTensor>,
}

/// A loader for one look at a document.
pub struct EditorLoader<'a> {
    files: FileLoader,
    folder: PathBuf,
    memory: &'a mut Memory,
    /// The text of an open document.
    open: &'a dyn Fn(&Path) -> Option<String>,
}

impl<'a> EditorLoader<'a> {
    /// A loader for the model in `path`.
    pub fn new(path: &Path, memory: &'a mut Memory, open: &'a dyn Fn(&Path) -> Option<String>) -> Self {
        let files = FileLoader::new(path, Vec::new(), Rc::new(Stopwatch::start()));
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        EditorLoader { files, folder, memory, open }
    }

    /// What a request is kept under, and when its file was changed.
    fn key(&self, request: &DataRequest) -> Option<(String, Option<SystemTime>)> {
        let file = request.file?;
        let file = file.rsplit_once(".npz:").map_or(file.to_owned(), |(stem, _)| format!("{stem}.npz"));
        let path = self.folder.join(file);
        let changed = std::fs::metadata(&path).and_then(|m| m.modified()).ok();
        Some((format!("{} {request:?}", path.display()), changed))
    }
}

/// The value that is kept for a key, or the one that is read now.
fn remembered<T: Clone>(
    kept: &mut Kept<T>,
    key: Option<(String, Option<SystemTime>)>,
    read: impl FnOnce() -> Result<Option<T>, DataError>,
) -> Result<Option<T>, DataError> {
    let Some((key, changed)) = key else { return read() };
    match kept.get(&key) {
        Some((then, found)) if *then == changed => found.clone(),
        _ => {
            let found = read();
            kept.insert(key, (changed, found.clone()));
            found
        }
    }
}

impl Loader for EditorLoader<'_> {
    fn module(&mut self, from: &str, path: &str) -> Result<(String, String), String> {
        let place = Path::new(from).parent().unwrap_or(Path::new("")).join(path);
        match (self.open)(&place) {
            Some(text) => Ok((place.display().to_string(), text)),
            None => self.files.module(from, path),
        }
    }

    fn data(&mut self, request: &DataRequest) -> Result<Option<Tensor>, DataError> {
        let key = self.key(request);
        remembered(&mut self.memory.dense, key, || self.files.data(request))
    }

    fn sparse(&mut self, request: &DataRequest) -> Result<Option<SparseTensor>, DataError> {
        let key = self.key(request);
        remembered(&mut self.memory.sparse, key, || self.files.sparse(request))
    }

    fn observer(&self) -> &dyn Observer {
        self.files.observer()
    }
}
