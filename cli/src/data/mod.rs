//! Where the values of `data` come from: bindings given on the command line, then the file named in the model. Also finds
//! the files of `use "file"`. What the values mean is the checker's business.

mod csv;
mod json;
mod labelled;
mod libsvm;
mod memory;
mod npy;
pub mod npz;
mod scipy;

use std::fs::File;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use blo_compiler::csr::Csr;
use blo_compiler::session::{DataError, DataRequest, Loader, Observer, SparseTensor, Tensor};
use blo_compiler::types::Elem;
use blo_grammar::parse::nearest;
use ndarray::{ArrayD, Axis};

pub use memory::Memory;

use crate::files::{self, Trouble};
use crate::stopwatch::Stopwatch;

/// An array as a file holds it: in C order, whole numbers and truth values as `f64`.
#[derive(Debug, PartialEq)]
pub struct Loaded {
    /// What kind of element the file holds.
    pub elem: Elem,
    /// The values.
    pub values: ArrayD<f64>,
}

/// The formats that can be read, as listed in messages.
const FORMATS: &str = "blo reads .npy, .npz, .csv, .json and .libsvm";

/// The extensions of files in the format of libsvm.
const LIBSVM: [&str; 3] = ["libsvm", "svm", "svmlight"];

/// `--data`: one binding of the command line.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// The datum's name; `None` for an archive whose members are taken by name.
    pub name: Option<String>,
    /// The file, perhaps with `:member`.
    pub file: String,
}

/// Reads data and used files from disk.
pub struct FileLoader {
    /// The folder that paths in the model start from.
    folder: PathBuf,
    bindings: Vec<Binding>,
    /// Which bindings have been asked for.
    used: Vec<bool>,
    /// All names of data that the model declares, as far as the checker got.
    declared: Vec<String>,
    clock: Rc<Stopwatch>,
    memory: Option<Memory>,
}

impl FileLoader {
    /// A loader for the model in `model` with the command line's bindings; `clock` learns when data are read.
    pub fn new(model: &Path, bindings: Vec<Binding>, clock: Rc<Stopwatch>) -> Self {
        let folder = model.parent().unwrap_or(Path::new("")).to_path_buf();
        let used = vec![false; bindings.len()];
        FileLoader { folder, used, bindings, declared: Vec::new(), clock, memory: None }
    }

    /// The same loader, which reads only files that have changed since they were put into this memory.
    #[must_use]
    pub fn remembering(self, memory: &Memory) -> Self {
        FileLoader { memory: Some(memory.clone()), ..self }
    }

    /// What is wrong with the bindings that no declaration asked for. Empty when all were used.
    pub fn unused(&self) -> Vec<Trouble> {
        let idle =
            self.bindings.iter().zip(&self.used).filter(|(_, used)| !**used).map(|(binding, _)| binding);
        idle.map(|binding| match &binding.name {
            Some(name) => {
                let trouble = Trouble::new(format!(
                    "`--data {name}=…`: the model declares no data {}",
                    if self.declared.is_empty() { "at all".into() } else { format!("`{name}`") }
                ));
                match nearest(name, self.declared.iter().map(String::as_str)) {
                    Some(near) => trouble.help(format!("did you mean `{near}`?")),
                    None if self.declared.is_empty() => trouble,
                    None => trouble.help(self.declared_list()),
                }
            }
            None => {
                Trouble::new(format!("`--data {}`: no member is called like data of the model", binding.file))
                    .help(self.declared_list())
            }
        })
        .collect()
    }

    fn declared_list(&self) -> String {
        if self.declared.is_empty() {
            return "the model declares no data".into();
        }
        format!("the model declares {}", files::quoted_list(&self.declared))
    }

    /// The command line's file for a datum and the member in it: the last binding by name wins, then the last archive
    /// that has a member of this name.
    fn bound(&mut self, name: &str) -> Result<Option<Place>, Trouble> {
        let mut found = None;
        for (binding, used) in self.bindings.iter().zip(&mut self.used) {
            if binding.name.as_deref() == Some(name) {
                *used = true;
                found = Some(Place::new(Path::new(""), &binding.file, name));
            }
        }
        if found.is_some() {
            return Ok(found);
        }
        for (binding, used) in self.bindings.iter().zip(&mut self.used) {
            if binding.name.is_none() {
                let place = Place::new(Path::new(""), &binding.file, name);
                if place.archive()?.members().iter().any(|member| member == name) {
                    *used = true;
                    found = Some(place);
                }
            }
        }
        Ok(found)
    }

    fn find(&mut self, request: &DataRequest) -> Result<Option<Tensor>, Trouble> {
        let Some(place) = self.place(request)? else { return Ok(None) };
        let read = || Ok(fit(place.read(request)?, request, place.shown()));
        match &self.memory {
            Some(memory) => memory.dense(&place.path, place.key(request), read).map(Some),
            None => read().map(Some),
        }
    }

    fn find_sparse(&mut self, request: &DataRequest) -> Result<Option<SparseTensor>, Trouble> {
        let Some(place) = self.place(request)? else { return Ok(None) };
        let read = || {
            if let Some(matrix) = place.read_sparse(request)? {
                return Ok(SparseTensor { matrix, origin: place.shown() });
            }
            let tensor = fit(place.read(request)?, request, place.shown());
            SparseTensor::from_dense(tensor).map_err(|DataError { message, help }| Trouble { message, help })
        };
        match &self.memory {
            Some(memory) => memory.sparse(&place.path, place.key(request), read).map(Some),
            None => read().map(Some),
        }
    }

    /// Where the values of a datum are, if anywhere.
    fn place(&mut self, request: &DataRequest) -> Result<Option<Place>, Trouble> {
        if !self.declared.iter().any(|name| name == request.name) {
            self.declared.push(request.name.to_string());
        }
        Ok(match (self.bound(request.name)?, request.file) {
            (Some(place), _) => Some(place),
            (None, Some(file)) => Some(Place::new(&self.folder, file, request.name)),
            (None, None) => None,
        })
    }
}

impl Loader for FileLoader {
    fn module(&mut self, from: &str, path: &str) -> Result<(String, String), String> {
        let folder = Path::new(from).parent().unwrap_or(Path::new(""));
        let file = plain(&folder.join(path));
        let text = files::read_text(&file).map_err(|trouble| match trouble.help {
            Some(help) => format!("{} ({help})", trouble.message),
            None => trouble.message,
        })?;
        Ok((file.display().to_string(), text))
    }

    fn data(&mut self, request: &DataRequest) -> Result<Option<Tensor>, DataError> {
        self.find(request).map_err(|Trouble { message, help }| DataError { message, help })
    }

    fn sparse(&mut self, request: &DataRequest) -> Result<Option<SparseTensor>, DataError> {
        self.find_sparse(request).map_err(|Trouble { message, help }| DataError { message, help })
    }

    fn observer(&self) -> &dyn Observer {
        &*self.clock
    }
}

/// A path without `.` and, where a folder comes before it, without `..`: one name for one file.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// A file and, for an archive, the member.
struct Place {
    path: PathBuf,
    member: String,
    /// Whether the member was written out after a colon.
    explicit: bool,
}

impl Place {
    /// `file` as written, relative to `folder`: `a.npy`, `b.npz`, `b.npz:member`.
    fn new(folder: &Path, file: &str, name: &str) -> Self {
        match file.rsplit_once(".npz:") {
            Some((stem, member)) if !member.is_empty() => {
                Place { path: folder.join(format!("{stem}.npz")), member: member.into(), explicit: true }
            }
            _ => Place { path: folder.join(file), member: name.into(), explicit: false },
        }
    }

    fn shown(&self) -> String {
        let path = self.path.display();
        if self.explicit { format!("{path}:{}", self.member) } else { path.to_string() }
    }

    /// What its values are kept under.
    fn key(&self, request: &DataRequest) -> String {
        format!("{}:{} {request:?}", self.path.display(), self.member)
    }

    fn open(&self) -> Result<(File, u64), Trouble> {
        files::open(&self.path)
    }

    fn archive(&self) -> Result<npz::Npz, Trouble> {
        self.named(npz::Npz::open(self.open()?.0))
    }

    fn extension(&self) -> String {
        self.path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default()
    }

    /// The sparse matrix in a file of a format that has such; `None` for the others.
    fn read_sparse(&self, request: &DataRequest) -> Result<Option<Csr>, Trouble> {
        let extension = self.extension();
        if LIBSVM.contains(&extension.as_str()) {
            let columns = request.sizes.get(1).copied().flatten();
            let file = self.open()?.0;
            return self.named(libsvm::read(file).and_then(|file| file.features(columns))).map(Some);
        }
        if extension == "npz" && !self.explicit {
            let mut archive = self.archive()?;
            if scipy::is_sparse(&archive) {
                return self.named(scipy::read(&mut archive)).map(Some);
            }
        }
        Ok(None)
    }

    /// The features of a libsvm file where a matrix is declared, its labels where a vector is.
    fn read_libsvm(&self, request: &DataRequest) -> Result<Loaded, Trouble> {
        let file = libsvm::read(self.open()?.0)?;
        match request.rank {
            1 => Ok(file.labels()),
            _ => file.dense(request.sizes.get(1).copied().flatten()),
        }
    }

    fn read(&self, request: &DataRequest) -> Result<Loaded, Trouble> {
        let extension = self.extension();
        match extension.as_str() {
            name if LIBSVM.contains(&name) => self.named(self.read_libsvm(request)),
            "npz" => self.named(self.archive()?.read(&self.member)),
            "npy" => {
                let (file, length) = self.open()?;
                self.named(npy::read(&mut std::io::BufReader::new(file), length))
            }
            "csv" if request.labels.iter().any(Option::is_some) => {
                self.named(labelled::read(self.open()?.0, request))
            }
            "csv" => self.named(csv::read(self.open()?.0)),
            "json" => self.named(json::read(self.open()?.0)),
            _ => {
                self.open()?;
                let path = self.path.display();
                Err(Trouble::new(format!("`{path}` has no known format")).help(FORMATS))
            }
        }
    }

    /// Puts the file's name before what is wrong with it.
    fn named<T>(&self, result: Result<T, Trouble>) -> Result<T, Trouble> {
        result.map_err(|t| Trouble {
            message: format!("`{}` cannot be read: {}", self.path.display(), t.message),
            help: t.help,
        })
    }
}

/// Makes an array from a file what the declaration can take without guessing: a table of one row or column becomes a
/// vector where a vector is declared (a CSV file has no vectors), and floating-point values that are all whole become
/// whole numbers where whole numbers are declared.
fn fit(loaded: Loaded, request: &DataRequest, origin: String) -> Tensor {
    let Loaded { mut elem, mut values } = loaded;
    let table = origin.to_lowercase().ends_with(".csv");
    while table && values.ndim() > request.rank {
        let Some(axis) = (0..values.ndim()).rev().find(|&axis| values.shape()[axis] == 1) else { break };
        values = values.index_axis_move(Axis(axis), 0);
    }
    if request.elem == Elem::Int && elem == Elem::Real && values.iter().all(|v| v.fract() == 0.0) {
        elem = Elem::Int;
    }
    let values = if values.is_standard_layout() { values } else { values.as_standard_layout().into_owned() };
    Tensor { elem, values, origin }
}

#[cfg(test)]
mod tests;
