//! Everything a user can get wrong ends with status 2 and a message that says what and where; nothing crashes, nothing is
//! written.

use std::fs;

use crate::common::{Folder, blo, npy, refused, stderr};

/// A small model that runs as it stands.
const GOOD: &str = "\
upper {
  var x: real = 0
  minimize (x - y)^2 + (y - 1)^2
}
lower {
  var y: real = 0
  minimize (y - x)^2
}
solve rhg(steps = 5)
";

/// A model whose data comes from a file.
fn with_data(declaration: &str) -> String {
    format!("data X: {declaration}\nupper {{\n  var x: real = 0\n  minimize (x - sum(X))^2\n}}\n")
}

fn model(text: &str) -> Folder {
    let folder = Folder::new();
    fs::write(folder.path("m.blo"), text).unwrap();
    folder
}

#[test]
fn model_files_that_are_none() {
    let folder = Folder::new();
    refused(&folder, &["run", "m.blo"], &["`m.blo` does not exist"]);
    fs::write(folder.path("model.blo"), "").unwrap();
    refused(&folder, &["run", "modle.blo"], &["did you mean `model.blo`?"]);
    refused(&folder, &["check", "model.blo"], &["`model.blo` is empty"]);
    fs::create_dir(folder.path("folder.blo")).unwrap();
    refused(&folder, &["run", "folder.blo"], &["is a folder"]);
    fs::write(folder.path("binary.blo"), [0x7f, b'E', b'L', b'F', 0, 1]).unwrap();
    refused(&folder, &["run", "binary.blo"], &["not a text file"]);
    fs::write(folder.path("latin.blo"), b"# caf\xe9\n").unwrap();
    refused(&folder, &["run", "latin.blo"], &["not UTF-8", "offset 5"]);
    fs::write(folder.path("comment.blo"), "# nothing here\n").unwrap();
    refused(&folder, &["run", "comment.blo"], &["error"]);
}

#[test]
fn arguments_that_are_wrong() {
    let folder = model(GOOD);
    refused(&folder, &["run"], &["MODEL"]);
    refused(&folder, &["solve", "m.blo"], &["solve"]);
    refused(&folder, &["run", "m.blo", "--set", "a"], &["NAME=VALUE"]);
    refused(&folder, &["run", "m.blo", "--time-limit", "-1"], &["--time-limit"]);
    refused(&folder, &["run", "m.blo", "--threads", "0"], &["--threads", "from 1"]);
    refused(&folder, &["run", "m.blo", "--method", "rgh"], &["rgh", "rhg"]);
    refused(&folder, &["run", "m.blo", "--option", "stepz=3"], &["stepz", "steps", "command line"]);
    refused(&folder, &["run", "m.blo", "--option", "steps=many"], &["steps", "many"]);
    refused(&folder, &["run", "m.blo", "--set", "lam=1"], &["lam"]);
    refused(&folder, &["run", "m.blo", "--data", "X=x.npy"], &["declares no data"]);
}

#[test]
fn options_in_the_model_are_pointed_at() {
    let folder = model(&GOOD.replace("rhg(steps = 5)", "rhg(stepz = 5)"));
    refused(&folder, &["run", "m.blo"], &["stepz", "m.blo:9:", "steps"]);
    let folder = model(&GOOD.replace("rhg(steps = 5)", "rgh()"));
    refused(&folder, &["run", "m.blo"], &["rgh", "m.blo:9:", "rhg"]);
}

#[test]
fn names_shapes_and_types() {
    let folder = model(&GOOD.replace("(y - 1)^2", "(yy - 1)^2"));
    refused(&folder, &["run", "m.blo"], &["E0201", "yy", "m.blo:3:"]);
    refused(&folder, &["check", "m.blo"], &["E0201"]);
    let shapes = "data A: real[2, 3] = [[1, 2, 3], [4, 5, 6]]\nupper {\n  var x: real[2]\n  minimize sumsq(A @ x)\n}\n";
    refused(&model(shapes), &["run", "m.blo"], &["E0203", "m.blo:4:"]);
    let folder = model("data y: int[2] = [0.5, 1]\nupper {\n  var x: real\n  minimize x^2 + sum(y)\n}\n");
    refused(&folder, &["run", "m.blo"], &["0.5"]);
    let folder =
        model("data y: int[2] in 0..3 = [1, 7]\nupper {\n  var x: real\n  minimize x^2 + sum(y)\n}\n");
    refused(&folder, &["run", "m.blo"], &["7", "0..3"]);
}

#[test]
fn two_mistakes_are_both_told() {
    let folder = model(&GOOD.replace("(y - 1)^2", "(yy - 1)^2").replace("(y - x)^2", "(y - zz)^2"));
    refused(&folder, &["run", "m.blo"], &["yy", "zz", "2 errors"]);
}

#[test]
fn data_files_that_are_wrong() {
    let folder = model(&with_data("real[n, d] from \"x.npy\""));
    let cases: [(&[u8], &[&str]); 7] = [
        (b"text", &["x.npy", "not a .npy file"]),
        (&npy("<f8", false, "(2, 2)", &[0; 24]), &["cut short", "3 of the 4"]),
        (&npy("<c16", false, "(1, 1)", &[0; 16]), &["complex numbers"]),
        (&npy("|O", false, "(1, 1)", &[0; 8]), &["Python objects"]),
        (&npy("<U3", false, "(1, 1)", &[0; 12]), &["text"]),
        (&npy("<f8", false, "(4,)", &[0; 32]), &["X"]),
        (&npy("<f8", false, "(0, 2)", &[]), &["X"]),
    ];
    refused(&folder, &["run", "m.blo"], &["`x.npy` does not exist"]);
    for (bytes, parts) in cases {
        fs::write(folder.path("x.npy"), bytes).unwrap();
        refused(&folder, &["run", "m.blo"], parts);
    }
    let folder = model(&with_data("real[n, d] from \"x.csv\""));
    fs::write(folder.path("x.csv"), "a,b\n1,2\n3\n").unwrap();
    refused(&folder, &["run", "m.blo"], &["x.csv", "line 3"]);
    fs::write(folder.path("x.csv"), "1,2\n3,Paris\n").unwrap();
    refused(&folder, &["run", "m.blo"], &["Paris", "line 2, column 2"]);
}

#[test]
fn nan_in_data_is_named_with_its_index() {
    let folder = model(&with_data("real[n, d] from \"x.npy\""));
    let values = [1.0, 2.0, 3.0, f64::NAN].map(f64::to_le_bytes).concat();
    fs::write(folder.path("x.npy"), npy("<f8", false, "(2, 2)", &values)).unwrap();
    refused(&folder, &["run", "m.blo"], &["X[1, 1]", "x.npy"]);
}

#[test]
fn element_types_of_files_are_checked() {
    let folder = model(&with_data("int[n] in 0..3 from \"x.npy\""));
    let doubles = |values: &[f64]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    fs::write(folder.path("x.npy"), npy("<f8", false, "(2,)", &doubles(&[1.0, 0.5]))).unwrap();
    refused(&folder, &["run", "m.blo"], &["0.5"]);
    fs::write(folder.path("x.npy"), npy("<f8", false, "(2,)", &doubles(&[1.0, 5.0]))).unwrap();
    refused(&folder, &["run", "m.blo"], &["5", "0..3"]);
}

#[test]
fn fortran_and_big_endian_arrays_are_converted() {
    let text = with_data("real[2, 3] from \"x.npy\"") + "report corner = X[1, 0]\nreport last = X[0, 2]\n";
    let folder = model(&text);
    // [[1, 2, 3], [4, 5, 6]], column by column, big-endian.
    let values = [1.0f64, 4.0, 2.0, 5.0, 3.0, 6.0].map(f64::to_be_bytes).concat();
    fs::write(folder.path("x.npy"), npy(">f8", true, "(2, 3)", &values)).unwrap();
    let output = blo(&folder.path(""), &["run", "m.blo", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["reports"]["corner"], 4.0);
    assert_eq!(result["reports"]["last"], 3.0);
}

#[test]
fn an_output_folder_that_cannot_be_written() {
    let folder = model(GOOD);
    fs::write(folder.path("file"), "").unwrap();
    refused(&folder, &["run", "m.blo", "--out", "file"], &["file"]);
    refused(&folder, &["run", "m.blo", "--out", "file/below"], &["cannot write"]);
}

#[test]
fn very_deep_and_very_long_models() {
    let deep =
        format!("upper {{\n  var x: real\n  minimize {}x{}\n}}\n", "(".repeat(10_000), ")".repeat(10_000));
    refused(&model(&deep), &["check", "m.blo"], &["error"]);
    let open = "(".repeat(10_000);
    refused(&model(&open), &["check", "m.blo"], &["error"]);
    let one_line = format!("param a = {}1 +\nupper {{ }}\n", "1 + ".repeat(250_000));
    refused(&model(&one_line), &["check", "m.blo"], &["error"]);
    let many_lines = "let z = unknown\n".repeat(2_000);
    refused(&model(&many_lines), &["check", "m.blo"], &["error", "more"]);
    let noise = "@ ] ) = \"\n".repeat(100_000);
    refused(&model(&noise), &["check", "m.blo"], &["error"]);
}

/// Pieces of a method: what is wrong inside one is named with its option, and what does not go together says why.
#[test]
fn pieces_that_are_wrong() {
    let folder = model(GOOD);
    for (method, said) in [
        ("bilevel(init = lerned)", "did you mean `learned`?"),
        ("bilevel(init = learned(bond = 2))", "there is no option `init.bond`"),
        ("bilevel(init = learned(bound = -2))", "`init.bound` does not take `-2`"),
        (
            "bilevel(init = learned(bound = 2))",
            "`init = learned` does not go with `hypergradient = conjugate_gradient`",
        ),
        (
            "bilevel(truncate = argmax_upper, hypergradient = forward)",
            "only a sweep back through the lower steps can be cut short",
        ),
        (
            "bilevel(hypergradient = reverse, lower = adam)",
            "`lower = adam` does not go with `hypergradient = reverse`",
        ),
        ("maml(from = starts(y = z))", "`from` names no variable `z`"),
    ] {
        refused(&folder, &["run", "m.blo", "--method", method], &[said]);
    }
}
