//! Data and used files for a model in an editor: open documents come before the disk, and data that did not change since the last
//! look are not read again.

use std::path::Path;
use std::rc::Rc;

use blo_compiler::session::{DataError, DataRequest, Loader, Observer, SparseTensor, Tensor};

use crate::data::{FileLoader, Memory};
use crate::stopwatch::Stopwatch;

/// A loader for one look at a document.
pub struct EditorLoader<'a> {
    files: FileLoader,
    /// The text of an open document.
    open: &'a dyn Fn(&Path) -> Option<String>,
}

impl<'a> EditorLoader<'a> {
    /// A loader for the model in `path`.
    pub fn new(path: &Path, memory: &Memory, open: &'a dyn Fn(&Path) -> Option<String>) -> Self {
        let files = FileLoader::new(path, Vec::new(), Rc::new(Stopwatch::start())).remembering(memory);
        EditorLoader { files, open }
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
        self.files.data(request)
    }

    fn sparse(&mut self, request: &DataRequest) -> Result<Option<SparseTensor>, DataError> {
        self.files.sparse(request)
    }

    fn observer(&self) -> &dyn Observer {
        self.files.observer()
    }
}
