//! Every command, read from standard input.

use std::io::Write;
use std::process::{Command, Stdio};

use super::Folder;

/// What came out of standard output and error, and the status.
struct Out {
    out: String,
    err: String,
    status: i32,
}

fn run(folder: &Folder, script: &str) -> Out {
    let mut child = Command::new(env!("CARGO_BIN_EXE_blo"))
        .arg("repl")
        .current_dir(&folder.0)
        .env("BLO_CACHE", folder.0.join("cache"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Out { out: text(done.stdout), err: text(done.stderr), status: done.status.code().unwrap() }
}

/// The script goes well, and its output has these parts in this order.
fn says(script: &str, parts: &[&str]) {
    let folder = Folder::new();
    let Out { out, err, status } = run(&folder, script);
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    has(&out, parts);
}

/// The script is refused with these words.
fn refuses(script: &str, parts: &[&str]) {
    let folder = Folder::new();
    let Out { out, err, status } = run(&folder, script);
    assert_eq!(status, 2, "{out}{err}");
    has(&err, parts);
}

fn has(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("`{part}` is not in the rest\n{rest}\nof\n{text}"));
        rest = &rest[at + part.len()..];
    }
}

const MODEL: &str = "param lam = 0.5
upper {
  var x: real in [-5, 5] = 1
  minimize (x - 1)^2 + (y + x)^2
}
lower {
  var y: real = 0
  minimize (y - x)^2 + lam * y^2
}
";

fn with_model(rest: &str) -> String {
    format!("{MODEL}{rest}\n")
}

#[test]
fn expressions_show_value_type_and_shape() {
    says("1 + 1\n", &["2 : int\n"]);
    says("dim n = 3\n[i * i for i in n]\n", &["n: int\n", "int[n = 3]\n  0  1  4\n"]);
    says("let a = [0.5, 1.5]\na[1] > 1\n", &["a: real[2]\n", "true : bool\n"]);
    says("[[i + j for j in 20] for i in 30]\n", &["int[30, 20]  min 0, mean 24, max 48\n", "…", "⋮"]);
    says(":type [1.0, 2.0]\n:shape [[1, 2], [3, 4]]\n", &["real[2]\n", "[2, 2]  4 elements\n"]);
}

#[test]
fn expressions_are_of_the_current_point() {
    says(&with_model("x\nF\nx + y"), &["the model is complete", "1 : real\n", "1 : real\n", "1 : real\n"]);
    says(
        &with_model(":solve cg(steps = 400)\nlower.gap < 1e-6\nx"),
        &["upper objective", "true : bool\n", ": real\n"],
    );
    says(&with_model(":solve cg(steps = 50)\n:reset point\nx"), &["upper objective", "1 : real\n"]);
}

#[test]
fn gradients_show_formula_and_value() {
    says(
        &with_model("grad(F, x)\ngrad(f, y)"),
        &["grad(F, x) = ", "\n2 : real\n", "grad(f, y) = ", "\n-2 : real\n"],
    );
    says(&with_model(":show gradient"), &["upper.objective = ", "grad(lower.objective, y) = "]);
    says(&with_model(":show hessian"), &["along v_y = "]);
    says(&with_model(":show kkt"), &["upper {", "subject to"]);
    says(&with_model(":show latex"), &["\\begin"]);
    says(&with_model(":show graph"), &["digraph", "label = \"lower\"", "minimize"]);
    says(&with_model(":show clif"), &["function"]);
}

#[test]
fn names_are_redefined_where_they_stand() {
    says(&with_model("param lam = 2.0\nlam\n:show"), &["2 : real\n", "param lam = 2.0\n", "upper {\n"]);
    says(
        &with_model("lower minimize (y - 2 * x)^2\n:show"),
        &["lower {\n  var y: real = 0\n  minimize (y - 2 * x)^2\n}"],
    );
    says(&with_model("var y: real = 3\ny"), &["y: real\n", "3 : real\n"]);
    says(
        &with_model("upper report total = x + y\ntotal\n:drop total\n:show"),
        &["total: real\n", "1 : real\n", "minimize"],
    );
    says(
        "upper var z: real = 4\nupper minimize z^2\nF\n",
        &["z: real\n", "the model is complete", "16 : real\n"],
    );
}

#[test]
fn what_is_wrong_changes_nothing() {
    refuses(&with_model("lower minimize (y - zz)^2\nF\n"), &["[E0201]", "`zz` is not defined", "input "]);
    let folder = Folder::new();
    let Out { out, .. } = run(&folder, &with_model("lower minimize (y - zz)^2\n:show\n"));
    has(&out, &["minimize (y - x)^2 + lam * y^2"]);
    refuses("x +\n", &["Error"]);
    refuses("nothing_here\n", &["[E0201]"]);
    refuses("x = 3\n", &["`x = …` is no statement", "`let x = 3`"]);
    refuses(&with_model("lam = 3\n"), &["`:set lam=3`"]);
    refuses("minimise x^2\n", &["minimi"]);
    refuses("minimize x^2\n", &["which", "upper minimize"]);
    refuses(":solve\n", &["the model lacks an `upper` level"]);
    refuses(":wibble\n", &["no command `:wibble`"]);
    refuses(":solv3\n", &["did you mean `:solve`?"]);
    refuses(&with_model(":solve wibble\n"), &["[E0502]", "no method `wibble`"]);
    refuses(&with_model(":solve --json\n"), &["`--json` is not for a session"]);
    refuses(&with_model(":set rate=2\n"), &["`rate` is no parameter"]);
    refuses(":data X=file.npy\n", &["declares no data `X`"]);
    refuses(":load nowhere.blo\n", &["`nowhere.blo` does not exist"]);
    refuses(":save\n", &["into which file?"]);
    refuses(":undo\n", &["nothing to undo"]);
    refuses(":plot trace\n", &["no trace yet"]);
    refuses(":quit now\n", &["takes nothing"]);
}

#[test]
fn changes_are_taken_back() {
    says(&with_model(":set lam=4\nlam\n:undo\nlam"), &["lam: ", "4 : ", "took back 1 change", "0.5 : real"]);
    says(&with_model(":reset\n:undo\n:show"), &["took back 1 change", "param lam = 0.5"]);
    says(&with_model(":undo 3\n:show"), &["took back 3 changes", "# nothing yet"]);
}

#[test]
fn solves_go_on_from_the_current_point() {
    says(
        &with_model(":solve cg(steps = 5)\n:step 2\n:step\n:continue\n:plot trace\n:plot trace measure"),
        &[
            "cg, 5 iterations",
            "cg 2 iterations, 7 in all",
            "cg 1 iteration, 8 in all",
            "cg, 13 iterations",
            "upper_objective over iterations",
            "measure over",
        ],
    );
    says(&with_model(":compare cg, bome --steps 20"), &["cg", "bome"]);
}

/// Steps are those of one long run, to the bit: momentum, schedules and counts go on.
#[test]
fn a_run_in_pieces_is_the_run_in_one() {
    let folder = Folder::new();
    let method =
        "solve cg(steps = 30, tolerance = 0, upper_step = 0.1, upper_rule = adam, schedule = cosine)\n";
    let pieces = format!("{method}:solve --out whole\n:reset point\n:step 10\n:step 7\n:continue --out rest");
    let Out { out, err, status } = run(&folder, &with_model(&pieces));
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    has(&out, &["cg, 30 iterations", "cg 10 iterations", "cg 7 iterations, 17 in all", "cg, 30 iterations"]);
    let result = |name: &str| -> serde_json::Value {
        let text = std::fs::read_to_string(folder.0.join(name).join("result.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let (whole, rest) = (result("whole"), result("rest"));
    for key in ["variables", "upper", "lower", "iterations", "termination"] {
        assert_eq!(whole[key], rest[key], "{key}");
    }
}

#[test]
fn a_changed_model_begins_anew_and_says_so() {
    let anew = "begins anew at the current point: ";
    let model =
        with_model(":solve cg(steps = 5)\nparam lam = 1.0\n:step 2\n:continue --option upper_step=0.01");
    says(
        &model,
        &[&format!("cg {anew}the model or its data changed"), &format!("cg {anew}the method or its options")],
    );
    let model = with_model("solve cg(steps = 5)\n:solve\n:reset point\n:continue\n:continue");
    says(&model, &["cg, 5 iterations", "cg, 5 iterations", "cg, 10 iterations"]);
}

#[test]
fn sizes_that_nobody_knows_are_names() {
    says(
        "data a: real[n, d]\n:type a' @ a\n:shape a\n",
        &["a: real[n, d]; `:data a=FILE` gives it values", "real[d, d]\n", "real[n, d]  sizes of data"],
    );
}

#[test]
fn derivatives_are_checked_and_timed() {
    says(&with_model(":check"), &["✓ grad(F, x)", "✓ grad(F, y)", "✓ grad(f, x)", "✓ grad(f, y)"]);
    says(&with_model(":check y\n:check x * y"), &["✓ grad(F, y)", "✓ grad(f, y)", "✓ grad(x * y, x)"]);
    says(&with_model(":time F\n:time [x, y]"), &["per evaluation", "to compile", "per evaluation"]);
    refuses(&with_model(":check [x, y]\n"), &["derivatives are of real scalars"]);
}

#[test]
fn pictures_are_drawn() {
    says(
        "let a = [1.0, 4.0, 9.0]\n:plot a\n:plot [[i * j for j in 4] for i in 3]\n",
        &["a over positions", "9 │", "└", "█"],
    );
    says(
        "let a = [sin(2.7 * k) for k in 500]\nlet b = [sin(k / 50) for k in 500]\n:plot a\n:plot b\n",
        &["a by size", "b over positions"],
    );
}

#[test]
fn models_are_saved_and_loaded() {
    let folder = Folder::new();
    let first = run(&folder, &with_model("# a remark\n:save m.blo\n:load m.blo\nF"));
    assert_eq!(first.status, 0, "{}", first.err);
    has(&first.out, &["saved m.blo", "m.blo: 3 names", "1 : real"]);
    let saved = std::fs::read_to_string(folder.0.join("m.blo")).unwrap();
    assert!(saved.contains("param lam = 0.5\n\nupper {\n  var x: real in [-5, 5] = 1\n"), "{saved}");
    std::fs::write(folder.0.join("commented.blo"), format!("# about lam\n{MODEL}# the end\n")).unwrap();
    let again = run(&folder, ":load commented.blo\n:save copy.blo\n");
    assert_eq!(again.status, 0, "{}", again.err);
    let copy = std::fs::read_to_string(folder.0.join("copy.blo")).unwrap();
    assert!(copy.starts_with("# about lam\nparam lam") && copy.trim_end().ends_with("# the end"), "{copy}");
    std::fs::write(folder.0.join("a.csv"), "1\n2\n4\n").unwrap();
    let data = run(&folder, "data a: real[n]\nsum(a)\n:data a=a.csv\nsum(a)\nn\n:data\n");
    has(&data.out, &["gives it values", "a: real[n = 3]", "7 : real", "3 : int", "a = a.csv"]);
    assert!(data.err.contains("`a` has no value"), "{}", data.err);
}

#[test]
fn help_is_there() {
    says(
        ":help\n:help step\n:help cg\n:help E0203\n:q\n1 + 1\n",
        &[":solve", ":step [N]", "cg: ", "E0203: shapes"],
    );
    refuses(":help wibble\n", &["no help about `wibble`"]);
    says(&with_model(":explain\n:explain E0203"), &["a bilevel model", "method", "E0203: shapes"]);
}

#[test]
fn the_reference_page_is_fresh() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/repl.md");
    let folder = Folder::new();
    let table = run(&folder, ":help all\n").out;
    let page = std::fs::read_to_string(&path).unwrap();
    let begin = page.find("### `:solve").unwrap_or(page.len());
    let fresh = format!("{}{table}", &page[..begin]);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &fresh).unwrap();
        return;
    }
    assert_eq!(page, fresh, "docs/repl.md is stale: BLESS=1 cargo test --test repl");
}
