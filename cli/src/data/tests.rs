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
