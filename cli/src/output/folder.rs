//! The result as files in a folder. Whether they can be written is found out before anything is solved; each file appears
//! whole or not at all.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use ndarray::{ArrayView, IxDyn};
use ndarray_npy::NpzWriter;

use super::comparison::{Comparison, Course};
use super::{RunResult, json};
use crate::files::Trouble;

/// A folder that has been found writable.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes the folder where it is missing, and tries to write into it.
    pub fn prepare(path: &Path) -> Result<Folder, Trouble> {
        let refuse = |e: std::io::Error| Trouble::new(format!("cannot write into `{}`: {e}", path.display()));
        if path.exists() && !path.is_dir() {
            return Err(Trouble::new(format!("`--out {}` is a file, not a folder", path.display())));
        }
        fs::create_dir_all(path).map_err(refuse)?;
        let folder = Folder(path.to_path_buf());
        let probe = folder.temporary("probe");
        File::create(&probe).and_then(|_| fs::remove_file(&probe)).map_err(refuse)?;
        Ok(folder)
    }

    /// Writes `result.json`, `trace.csv` and `variables.npz`.
    pub fn write(&self, result: &RunResult, course: &Course) -> Result<(), Trouble> {
        self.file("result.json", |out| {
            serde_json::to_writer_pretty(&mut *out, &json::result(result))?;
            writeln!(out)
        })?;
        self.file("trace.csv", |out| {
            let mut table = csv::Writer::from_writer(out);
            table.write_record(&course.columns)?;
            for row in &course.rows {
                table.write_record(row.iter().map(f64::to_string))?;
            }
            table.flush()
        })?;
        self.file("variables.npz", |out| variables(out, result).map_err(std::io::Error::other))
    }

    /// Writes `comparison.json`, `comparison.csv` and `trace.csv`.
    pub fn write_comparison(&self, comparison: &Comparison) -> Result<(), Trouble> {
        self.file("comparison.json", |out| {
            serde_json::to_writer_pretty(&mut *out, &comparison.json())?;
            writeln!(out)
        })?;
        self.file("comparison.csv", |out| out.write_all(comparison.csv().as_bytes()))?;
        self.file("trace.csv", |out| out.write_all(comparison.trace_csv().as_bytes()))
    }

    fn temporary(&self, name: &str) -> PathBuf {
        self.0.join(format!(".{name}.{}.part", std::process::id()))
    }

    /// Writes a file beside its final name and moves it there.
    fn file(
        &self,
        name: &str,
        fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
    ) -> Result<(), Trouble> {
        let part = self.temporary(name);
        let target = self.0.join(name);
        let written = File::create(&part).and_then(|file| {
            let mut out = BufWriter::new(file);
            fill(&mut out)?;
            out.flush()?;
            drop(out);
            fs::rename(&part, &target)
        });
        written.map_err(|e| {
            // The half-written file is of no use, and the error that matters is the first.
            let _ = fs::remove_file(&part);
            Trouble::new(format!("cannot write `{}`: {e}", target.display()))
        })
    }
}

fn variables(
    out: &mut BufWriter<File>,
    result: &RunResult,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut npz = NpzWriter::new_compressed(out);
    for variable in &result.variables {
        let array = ArrayView::from_shape(IxDyn(&variable.shape), &variable.values)?;
        npz.add_array(variable.name.as_str(), &array)?;
    }
    npz.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch;
    use ndarray::{Array2, arr2};

    #[test]
    fn three_files_and_nothing_else() {
        let scratch = scratch::Folder::new();
        let path = scratch.path("deep/out");
        let folder = Folder::prepare(&path).unwrap();
        let rows = vec![vec![0.0, 1.5], vec![1.0, f64::NAN]];
        let course = Course { columns: vec!["iteration".into(), "upper, objective".into()], rows };
        let mut result = super::super::sample();
        result.variables[1].values[3] = 4.0;
        folder.write(&result, &course).unwrap();
        let mut names: Vec<String> =
            fs::read_dir(&path).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["result.json", "trace.csv", "variables.npz"]);
        let trace = fs::read_to_string(path.join("trace.csv")).unwrap();
        assert_eq!(trace, "iteration,\"upper, objective\"\n0,1.5\n1,NaN\n");
        let mut npz = ndarray_npy::NpzReader::new(File::open(path.join("variables.npz")).unwrap()).unwrap();
        let w: Array2<f64> = npz.by_name("w").unwrap();
        assert_eq!(w, arr2(&[[1.0, 2.0], [3.0, 4.0]]));
        let json: serde_json::Value =
            serde_json::from_reader(File::open(path.join("result.json")).unwrap()).unwrap();
        assert_eq!(json["method"], "bome");
    }

    #[test]
    fn a_folder_that_is_none_is_refused_at_once() {
        let scratch = scratch::Folder::new();
        fs::write(scratch.path("file"), "").unwrap();
        assert!(Folder::prepare(&scratch.path("file")).err().unwrap().message.contains("is a file"));
        assert!(Folder::prepare(&scratch.path("file/below")).err().unwrap().message.contains("cannot write"));
    }
}
