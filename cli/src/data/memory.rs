//! Values that were read from files are kept until the file changes, for whoever looks at a model again and again: a session, an editor.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::time::SystemTime;

use blo_compiler::session::{SparseTensor, Tensor};

/// What tells one state of a file from another: when it was changed, and its length.
type Stamp = (SystemTime, u64);

/// The values that were read so far. Copies share them.
#[derive(Clone, Default)]
pub struct Memory(Rc<RefCell<Kept>>);

#[derive(Default)]
struct Kept {
    dense: HashMap<String, (Stamp, Tensor)>,
    sparse: HashMap<String, (Stamp, SparseTensor)>,
}

impl Memory {
    /// The array that is kept under `key`, or the one that is read now. `path`: its file.
    pub fn dense<E>(
        &self,
        path: &Path,
        key: String,
        read: impl FnOnce() -> Result<Tensor, E>,
    ) -> Result<Tensor, E> {
        remembered(|| self.0.borrow().dense.get(&key).cloned(), path, read).map(|(found, news)| {
            if let Some(stamp) = news {
                self.0.borrow_mut().dense.insert(key, (stamp, found.clone()));
            }
            found
        })
    }

    /// The same for a sparse matrix.
    pub fn sparse<E>(
        &self,
        path: &Path,
        key: String,
        read: impl FnOnce() -> Result<SparseTensor, E>,
    ) -> Result<SparseTensor, E> {
        remembered(|| self.0.borrow().sparse.get(&key).cloned(), path, read).map(|(found, news)| {
            if let Some(stamp) = news {
                self.0.borrow_mut().sparse.insert(key, (stamp, found.clone()));
            }
            found
        })
    }
}

/// The value that is kept, where the file has not changed since; otherwise the one that is read, with what it is to be kept under.
fn remembered<T, E>(
    kept: impl FnOnce() -> Option<(Stamp, T)>,
    path: &Path,
    read: impl FnOnce() -> Result<T, E>,
) -> Result<(T, Option<Stamp>), E> {
    let stamp = std::fs::metadata(path).ok().and_then(|about| Some((about.modified().ok()?, about.len())));
    match (kept(), stamp) {
        (Some((then, found)), Some(now)) if then == now => Ok((found, None)),
        _ => Ok((read()?, stamp)),
    }
}
