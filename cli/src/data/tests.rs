//! Files of every kind, written by the tests themselves, loaded the way the checker asks for them.

use std::io::Write;
use std::path::Path;

use ndarray::{Array2, arr1, arr2};
use ndarray_npy::{NpzWriter, write_npy};

use super::*;
use crate::scratch::Folder;

fn request<'a>(name: &'a str, elem: Elem, rank: usize, file: Option<&'a str>) -> DataRequest<'a> {
    DataRequest { name, elem, rank, file, sizes: vec![None; rank], labels: vec![None; rank] }
}

fn binding(name: Option<&str>, file: &Path) -> Binding {
    Binding { name: name.map(Into::into), file: file.display().to_string() }
}

fn loader(folder: &Folder, bindings: Vec<Binding>) -> FileLoader {
    FileLoader::new(&folder.path("model.blo"), bindings, Rc::new(Stopwatch::start()))
}

fn archive(path: &Path, compressed: bool) {
    let file = File::create(path).unwrap();
    let mut npz = if compressed { NpzWriter::new_compressed(file) } else { NpzWriter::new(file) };
    npz.add_array("X", &arr2(&[[1.0f32, 2.0], [3.0, 4.0]])).unwrap();
    npz.add_array("labels", &arr1(&[3i64, 1])).unwrap();
    npz.finish().unwrap();
}

fn from_model(folder: &Folder, request: &DataRequest) -> Result<Option<Tensor>, DataError> {
    loader(folder, vec![]).data(request)
}

#[test]
fn members_by_name_and_by_colon() {
    let folder = Folder::new();
    for (file, compressed) in [("a.npz", false), ("b.npz", true)] {
        archive(&folder.path(file), compressed);
        let x = from_model(&folder, &request("X", Elem::Real, 2, Some(file))).unwrap().unwrap();
        assert_eq!((x.elem, x.values), (Elem::Real, arr2(&[[1., 2.], [3., 4.]]).into_dyn()));
        let member = format!("{file}:labels");
        let y = from_model(&folder, &request("y", Elem::Int, 1, Some(&member))).unwrap().unwrap();
        assert_eq!((y.elem, y.values), (Elem::Int, arr1(&[3., 1.]).into_dyn()));
    }
    let error = from_model(&folder, &request("label", Elem::Int, 1, Some("a.npz"))).unwrap_err();
    assert!(error.message.contains("no member `label`; it has `X`, `labels`"), "{}", error.message);
    assert!(error.help.unwrap().contains("labels"));
}

#[test]
fn the_command_line_comes_first() {
    let folder = Folder::new();
    archive(&folder.path("a.npz"), true);
    write_npy(folder.path("x.npy"), &arr2(&[[7.0f64]])).unwrap();
    let bindings = vec![binding(None, &folder.path("a.npz")), binding(Some("X"), &folder.path("x.npy"))];
    let mut loader = loader(&folder, bindings);
    let x = loader.data(&request("X", Elem::Real, 2, Some("missing.npy"))).unwrap().unwrap();
    assert_eq!(x.values, arr2(&[[7.]]).into_dyn());
    assert!(loader.data(&request("Z", Elem::Real, 2, None)).unwrap().is_none());
    assert_eq!(loader.unused().len(), 1, "the archive was not used yet");
    assert!(loader.data(&request("labels", Elem::Int, 1, None)).unwrap().is_some());
    assert_eq!(loader.unused(), []);
}

#[test]
fn a_binding_nobody_asks_for_is_reported() {
    let folder = Folder::new();
    let mut loader = loader(&folder, vec![binding(Some("Xtrain"), &folder.path("x.npy"))]);
    assert!(loader.data(&request("Xtrian", Elem::Real, 2, None)).unwrap().is_none());
    let unused = loader.unused();
    assert!(unused[0].message.contains("no data `Xtrain`"));
    assert_eq!(unused[0].help.as_deref(), Some("did you mean `Xtrian`?"));
}

#[test]
fn columns_and_rows_of_text_become_vectors() {
    let folder = Folder::new();
    for text in ["v\n1\n2\n3\n", "1,2,3\n"] {
        std::fs::write(folder.path("v.csv"), text).unwrap();
        let v = from_model(&folder, &request("v", Elem::Real, 1, Some("v.csv"))).unwrap().unwrap();
        assert_eq!(v.values, arr1(&[1., 2., 3.]).into_dyn());
    }
    let table = from_model(&folder, &request("v", Elem::Real, 2, Some("v.csv"))).unwrap().unwrap();
    assert_eq!(table.values.shape(), [1, 3]);
}

#[test]
fn whole_floating_point_values_may_be_labels() {
    let folder = Folder::new();
    write_npy(folder.path("y.npy"), &arr1(&[1.0f64, 2.0])).unwrap();
    write_npy(folder.path("z.npy"), &arr1(&[1.0f64, 2.5])).unwrap();
    let elem = |file| from_model(&folder, &request("y", Elem::Int, 1, Some(file))).unwrap().unwrap().elem;
    assert_eq!(elem("y.npy"), Elem::Int);
    assert_eq!(elem("z.npy"), Elem::Real, "left for the checker to refuse with its place");
}

#[test]
fn bad_files_are_named() {
    let folder = Folder::new();
    archive(&folder.path("whole.npz"), true);
    let bytes = std::fs::read(folder.path("whole.npz")).unwrap();
    std::fs::write(folder.path("cut.npz"), &bytes[..bytes.len() / 2]).unwrap();
    std::fs::write(folder.path("text.npz"), "no archive").unwrap();
    std::fs::write(folder.path("text.npy"), "no array").unwrap();
    std::fs::write(folder.path("data.xyz"), "1").unwrap();
    let mut ragged = File::create(folder.path("ragged.csv")).unwrap();
    writeln!(ragged, "1,2\n3").unwrap();
    let message = |file| from_model(&folder, &request("X", Elem::Real, 2, Some(file))).unwrap_err().message;
    for file in ["cut.npz", "text.npz"] {
        assert!(message(file).contains("not a .npz archive, or it is cut short"), "{}", message(file));
    }
    assert!(message("text.npy").contains("not a .npy file"));
    assert!(message("data.xyz").contains("no known format"));
    assert!(message("ragged.csv").contains("line 2 has 1 values"));
    assert!(message("nothing.npy").contains("does not exist"));
    assert!(message(".").contains("is a folder"));
}

#[test]
fn a_large_byte_image_loads_whole() {
    let folder = Folder::new();
    let images = Array2::from_shape_fn((5000, 784), |(i, j)| ((i * 7 + j) % 256) as u8);
    let mut npz = NpzWriter::new_compressed(File::create(folder.path("big.npz")).unwrap());
    npz.add_array("X", &images).unwrap();
    npz.finish().unwrap();
    let x = from_model(&folder, &request("X", Elem::Real, 2, Some("big.npz"))).unwrap().unwrap();
    assert_eq!(x.values.shape(), [5000, 784]);
    assert_eq!(x.values, images.mapv(f64::from).into_dyn());
}

/// An archive as `scipy.sparse.save_npz` writes it, its format as bytes or as wide characters.
fn sparse_archive(path: &Path, format: &str, wide: bool, arrays: &[(&str, &[i64])], data: &[f64]) {
    let mut npz = NpzWriter::new_compressed(File::create(path).unwrap());
    for (name, values) in arrays {
        npz.add_array(*name, &arr1(values)).unwrap();
    }
    npz.add_array("data", &arr1(data)).unwrap();
    npz.finish().unwrap();
    // `ndarray-npy` writes no text, so this member is made by hand and appended.
    let kind = if wide { format!("<U{}", format.len()) } else { format!("|S{}", format.len()) };
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': (), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    let pad = if wide { 4 } else { 1 };
    format.bytes().for_each(|b| bytes.extend([b, 0, 0, 0].iter().take(pad)));
    let file = File::options().read(true).write(true).open(path).unwrap();
    let mut archive = zip::ZipWriter::new_append(file).unwrap();
    archive.start_file("format.npy", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(&bytes).unwrap();
    archive.finish().unwrap();
}

fn sparse(folder: &Folder, file: &str, columns: Option<usize>) -> Result<SparseTensor, DataError> {
    let request = DataRequest { sizes: vec![None, columns], ..request("A", Elem::Real, 2, Some(file)) };
    loader(folder, vec![]).sparse(&request).map(Option::unwrap)
}

#[test]
fn sparse_archives_of_three_formats_hold_one_matrix() {
    let folder = Folder::new();
    let data = [1.0, 2.0, 3.0, 4.0];
    let shape: (&str, &[i64]) = ("shape", &[3, 4]);
    let csr: [(&str, &[i64]); 3] = [("indices", &[3, 0, 2, 2]), ("indptr", &[0, 2, 2, 4]), shape];
    let csc: [(&str, &[i64]); 3] = [("indices", &[0, 2, 2, 0]), ("indptr", &[0, 1, 1, 3, 4]), shape];
    let coo: [(&str, &[i64]); 3] = [("row", &[0, 0, 2, 2]), ("col", &[3, 0, 2, 2]), shape];
    sparse_archive(&folder.path("csr.npz"), "csr", false, &csr, &data);
    sparse_archive(&folder.path("csc.npz"), "csc", true, &csc, &[2.0, 3.0, 4.0, 1.0]);
    sparse_archive(&folder.path("coo.npz"), "coo", true, &coo, &data);
    write_npy(folder.path("a.npy"), &arr2(&[[2.0, 0., 0., 1.], [0.; 4], [0., 0., 7., 0.]])).unwrap();
    for file in ["csr.npz", "csc.npz", "coo.npz", "a.npy"] {
        let matrix = sparse(&folder, file, None).unwrap().matrix;
        let found = (matrix.sizes(), matrix.start(), matrix.columns(), matrix.values());
        assert_eq!(found, ([3, 4], &[0, 2, 2, 3][..], &[0, 3, 2][..], &[2.0, 1.0, 7.0][..]), "{file}");
    }
    let bindings = vec![binding(Some("A"), &folder.path("csr.npz"))];
    let mut loader = loader(&folder, bindings);
    assert!(loader.sparse(&request("A", Elem::Real, 2, None)).unwrap().is_some());
    assert_eq!(loader.unused(), []);
    let error = from_model(&folder, &request("A", Elem::Real, 2, Some("csr.npz"))).unwrap_err();
    assert!(error.help.unwrap().contains("declare it `sparse real[n, d]`"));
}

#[test]
fn bad_sparse_archives_are_named() {
    let folder = Folder::new();
    let message = |format: &str, arrays: &[(&str, &[i64])]| {
        let path = folder.path("bad.npz");
        sparse_archive(&path, format, false, arrays, &[1.0, 2.0]);
        sparse(&folder, "bad.npz", None).unwrap_err().message
    };
    let shape: (&str, &[i64]) = ("shape", &[2, 3]);
    type Arrays<'a> = [(&'a str, &'a [i64]); 3];
    let cases: [(&str, Arrays<'_>, &str); 8] = [
        (
            "csr",
            [("indices", &[0, 3]), ("indptr", &[0, 1, 2]), shape],
            "value number 1, in row 1 and column 3, lies outside",
        ),
        (
            "csr",
            [("indices", &[0, -1]), ("indptr", &[0, 1, 2]), shape],
            "`indices` holds -1, which is no position",
        ),
        (
            "csr",
            [("indices", &[0, 1]), ("indptr", &[0, 2]), shape],
            "2 starts of rows where its shape asks for 3",
        ),
        ("csr", [("indices", &[0, 1]), ("indptr", &[0, 2, 1]), shape], "not in order at row 1"),
        (
            "csr",
            [("indices", &[0, 1]), ("indptr", &[0, 1, 2]), ("shape", &[6])],
            "no matrix: its shape is [6]",
        ),
        (
            "csc",
            [("indices", &[0, 1]), ("indptr", &[0, 2, 1, 2]), shape],
            "does not divide 2 values into 3 columns",
        ),
        (
            "coo",
            [("row", &[0, 2]), ("col", &[0, 1]), shape],
            "value number 1, in row 2 and column 1, lies outside",
        ),
        (
            "bsr",
            [("indices", &[0, 1]), ("indptr", &[0, 1, 2]), shape],
            "in the format `bsr`, which blo does not read",
        ),
    ];
    for (format, arrays, wanted) in cases {
        let found = message(format, &arrays);
        assert!(found.contains("bad.npz` cannot be read") && found.contains(wanted), "{found}");
    }
}

#[test]
fn a_matrix_takes_the_features_of_a_libsvm_file_and_a_vector_the_labels() {
    let folder = Folder::new();
    std::fs::write(folder.path("a.libsvm"), "1 1:0.5 3:2\n-1 2:4\n").unwrap();
    let matrix = sparse(&folder, "a.libsvm", Some(5)).unwrap().matrix;
    assert_eq!((matrix.sizes(), matrix.columns()), ([2, 5], &[0, 2, 1][..]));
    let y = from_model(&folder, &request("y", Elem::Int, 1, Some("a.libsvm"))).unwrap().unwrap();
    assert_eq!((y.elem, y.values), (Elem::Int, arr1(&[1., -1.]).into_dyn()));
    let dense = from_model(&folder, &request("X", Elem::Real, 2, Some("a.libsvm"))).unwrap().unwrap();
    assert_eq!(dense.values, arr2(&[[0.5, 0., 2.], [0., 4., 0.]]).into_dyn());
    let error = sparse(&folder, "a.libsvm", Some(2)).unwrap_err();
    assert!(
        error.message.contains("a.libsvm` cannot be read: index 3 in line 1, column 9 is beyond"),
        "{}",
        error.message
    );
    assert!(error.help.unwrap().contains("count from 1"));
}

/// A file is read again when it has changed, and only then.
#[test]
fn values_are_kept_until_their_file_changes() {
    let folder = Folder::new();
    let path = folder.path("a.csv");
    std::fs::write(&path, "1\n2\n").unwrap();
    let memory = Memory::default();
    let request = request("a", Elem::Real, 1, Some("a.csv"));
    let values = || loader(&folder, vec![]).remembering(&memory).data(&request).unwrap().unwrap().values;
    assert_eq!(values(), arr1(&[1.0, 2.0]).into_dyn());
    // The same time and length: to whoever does not open it, it is the same file.
    let changed = std::fs::metadata(&path).unwrap().modified().unwrap();
    std::fs::write(&path, "3\n4\n").unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(changed).unwrap();
    assert_eq!(values(), arr1(&[1.0, 2.0]).into_dyn());
    std::fs::write(&path, "5\n6\n7\n").unwrap();
    assert_eq!(values(), arr1(&[5.0, 6.0, 7.0]).into_dyn());
    std::fs::remove_file(&path).unwrap();
    assert!(loader(&folder, vec![]).remembering(&memory).data(&request).is_err());
}
