//! Models as libraries: the files that `blo compile` writes, and the frozen problem that `blo run` finds in one of them. What a library
//! does is in `runtime/native`; how the file is made of a template in [`elf`].

#[cfg(all(test, target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod agreement;
mod elf;
mod object;
mod template;

use std::path::{Path, PathBuf};

use blo_compiler::model::{Level, Model};
use blo_runtime::frozen::data::Datum;
use blo_runtime::problem::Problem;
use blo_runtime::space::Space;
use serde_json::{Value, json};

use crate::files::{Trouble, replace};
use crate::session::Plan;

/// What is written, and where.
pub struct Names {
    folder: PathBuf,
    /// What functions are called.
    pub name: String,
}

/// Words that C or Python has other uses for.
const TAKEN: [&str; 30] = [
    "auto", "break", "case", "char", "class", "const", "continue", "default", "do", "double", "else", "enum",
    "extern", "float", "for", "goto", "if", "import", "int", "long", "numpy", "return", "short", "signed",
    "static", "struct", "switch", "union", "void", "while",
];

impl Names {
    /// From what the user wrote, or from the model's file.
    pub fn of(output: Option<&Path>, model: &Path) -> Result<Names, Trouble> {
        let (folder, stem) = match output {
            Some(output) => {
                let ending = output.extension().is_some_and(|e| e == "so");
                let stem = if ending { output.file_stem() } else { output.file_name() };
                (output.parent().map(Path::to_path_buf).unwrap_or_default(), stem)
            }
            None => (PathBuf::new(), model.file_stem()),
        };
        let stem = stem.map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        // A model's file may be called as it likes; what the user wrote is taken as it is.
        let name = if output.is_some() { stem } else { stem.replace(|c: char| !is_part(c), "_") };
        let fine = name.chars().all(is_part) && name.starts_with(|c: char| c.is_ascii_alphabetic());
        if !fine || TAKEN.contains(&name.as_str()) {
            let help = "a name has letters, digits and underscores, begins with a letter, and is no word of C or Python";
            return Err(Trouble::new(format!("functions cannot be called `{name}_…`")).help(help));
        }
        Ok(Names { folder, name })
    }

    /// A file beside the others.
    fn file(&self, ending: &str) -> PathBuf {
        self.folder.join(format!("{}{ending}", self.name))
    }
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// What a model is, for tools and for people.
pub fn manifest(
    model: &Model,
    data: &[Datum],
    plan: &Plan,
    problem: &Problem,
    names: &Names,
    cpu: &str,
) -> Value {
    let level = |level: &Level, space: &Space| {
        let blocks = space.blocks().iter().take(level.vars.len());
        let variable = |block: &blo_runtime::space::Block| json!({ "name": block.name, "shape": block.shape, "offset": block.offset, "len": block.len });
        json!({
            "len": space.len(),
            "maximize": level.maximize,
            "variables": blocks.map(variable).collect::<Vec<_>>(),
        })
    };
    let datum = |datum: &Datum| {
        let mut fields = json!({
            "name": datum.name,
            "element": datum.element.name(),
            "shape": datum.shape,
            "dims": datum.dims,
        });
        if datum.samples {
            fields["samples"] = json!(true);
        }
        if !datum.fixed.is_empty() {
            fields["fixed"] = json!(datum.fixed);
        }
        fields
    };
    let data = data.iter().map(datum).collect::<Vec<_>>();
    let options: serde_json::Map<String, Value> =
        plan.settings.iter().map(|(name, value)| (name.to_owned(), json!(value.to_string()))).collect();
    json!({
        "name": names.name,
        "version": env!("CARGO_PKG_VERSION"),
        "abi": blo_native::ABI,
        "machine": blo_runtime::frozen::machine(),
        "target_cpu": cpu,
        "upper": level(&model.upper, &problem.upper),
        "lower": model.lower.as_ref().map(|lower| level(lower, &problem.lower)),
        "reports": problem.report_names,
        "data": data,
        "method": plan.solver.name,
        "options": options,
    })
}

/// What is written besides the library, its header and its manifest.
#[derive(Clone, Copy)]
pub struct Wanted {
    /// A package for Python.
    pub python: bool,
    /// A crate for Rust.
    pub rust: bool,
    /// An object for linkers.
    pub object: bool,
}

/// The library, and its text beside it; the paths that were written.
pub fn write(
    names: &Names,
    manifest: &Value,
    frozen: &[u8],
    Wanted { python, rust, object }: Wanted,
) -> Result<Vec<PathBuf>, Trouble> {
    let template = template::template().ok_or_else(|| {
        Trouble::new("compiled models are written for 64-bit Linux on x86 with the GNU C library")
    })?;
    let library = elf::write(&template, &names.name, frozen)
        .ok_or_else(|| Trouble::new("the template of compiled models is not what it should be"))?;
    let about = filled(names, manifest);
    let (header, python_text, crate_text) = (
        about(include_str!("header.h"), " * "),
        about(include_str!("package.py"), ""),
        about(include_str!("crate.rs.in"), "//! "),
    );
    let mut files: Vec<(PathBuf, Vec<u8>)> = vec![
        (names.file(".so"), library.clone()),
        (names.file(".h"), header.into_bytes()),
        (names.file(".json"), format!("{manifest:#}\n").into_bytes()),
    ];
    let (name, version) = (&names.name, env!("CARGO_PKG_VERSION"));
    if python {
        let folder = names.file("-python");
        let project = format!(
            "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n\n[project]\nname = \
             \"{name}\"\nversion = \"{version}\"\ndependencies = [\"numpy\"]\n\n[tool.setuptools]\npackages = [\"{name}\"]\n\n\
             [tool.setuptools.package-data]\n{name} = [\"{name}.so\"]\n"
        );
        files.push((folder.join("pyproject.toml"), project.into_bytes()));
        files.push((folder.join(name).join("__init__.py"), python_text.into_bytes()));
        files.push((folder.join(name).join(format!("{name}.so")), library.clone()));
    }
    if rust {
        let folder = names.file("-rust");
        let project = format!(
            "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n\n[dependencies]\n"
        );
        files.push((folder.join("Cargo.toml"), project.into_bytes()));
        files.push((folder.join("src/lib.rs"), crate_text.into_bytes()));
        files.push((folder.join(format!("{name}.so")), library));
    }
    for (path, bytes) in &files {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(Err(e)) = folder.map(std::fs::create_dir_all) {
            return Err(Trouble::new(format!("cannot make the folder of `{}`: {e}", path.display())));
        }
        replace(path, bytes)?;
    }
    let mut paths: Vec<PathBuf> = files.into_iter().map(|(path, _)| path).collect();
    if object {
        paths.extend(object::write(names, &about(include_str!("object.c.in"), " * "))?);
    }
    Ok(paths)
}

/// Fills a text in: what is written before every line of the description depends on the language.
fn filled<'a>(names: &'a Names, manifest: &'a Value) -> impl Fn(&str, &str) -> String + 'a {
    move |text, before| {
        let text = text.replace("NAME", &names.name).replace("VERSION", env!("CARGO_PKG_VERSION"));
        let len = |level: &str| manifest[level]["len"].as_u64().unwrap_or(0).to_string();
        let reports = manifest["reports"].as_array().map_or(0, Vec::len).to_string();
        let method = manifest["method"].as_str().unwrap_or("");
        let lines = text.lines().map(|line| match line {
            // Only whole words stand for something, and only where nothing else is said.
            _ if line.trim_start_matches([' ', '*', '/', '!']) == "ABOUT" => described(manifest, before),
            "LAYOUT" => layout(manifest, before),
            _ => line
                .replace("n = N numbers", &format!("n = {} numbers", len("upper")))
                .replace("m = M numbers", &format!("m = {} numbers", len("lower")))
                .replace("_LEN N", &format!("_LEN {}", len("upper")))
                .replace("_LEN M", &format!("_LEN {}", len("lower")))
                .replace("_LEN REPORTS", &format!("_LEN {reports}"))
                .replace("with METHOD.", &format!("with `{method}`.")),
        });
        lines.collect::<Vec<_>>().join("\n") + "\n"
    }
}

/// Sizes and method, in one line.
fn described(manifest: &Value, before: &str) -> String {
    let count = |level: &str| manifest[level]["len"].as_u64().unwrap_or(0);
    let method = manifest["method"].as_str().unwrap_or("");
    format!(
        "{before}{} upper and {} lower variables, solved with `{method}`.",
        count("upper"),
        count("lower")
    )
}

/// Where every variable stands.
fn layout(manifest: &Value, before: &str) -> String {
    let mut text = String::new();
    for (level, letter) in [("upper", 'x'), ("lower", 'y')] {
        for variable in manifest[level]["variables"].as_array().into_iter().flatten() {
            let (first, len) =
                (variable["offset"].as_u64().unwrap_or(0), variable["len"].as_u64().unwrap_or(0));
            let name = variable["name"].as_str().unwrap_or("");
            let shape =
                if variable["shape"] == json!([]) { String::new() } else { variable["shape"].to_string() };
            text += &format!("{before}  {letter}[{first} .. {}]  {name}{shape}\n", first + len);
        }
    }
    text + before.trim_end()
}

/// Whether a file is a shared library by its name.
pub fn is_library(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "so")
}

/// The frozen problem in a library.
pub fn frozen(path: &Path) -> Result<Vec<u8>, Trouble> {
    let (mut file, _) = crate::files::open(path)?;
    let mut bytes = Vec::new();
    let shown = path.display();
    std::io::Read::read_to_end(&mut file, &mut bytes)
        .map_err(|e| Trouble::new(format!("reading `{shown}` failed: {e}")))?;
    let found = elf::payload(&bytes).map(<[u8]>::to_vec);
    found.ok_or_else(|| {
        Trouble::new(format!("`{shown}` is no compiled model"))
            .help("`blo compile` writes one from a .blo file")
    })
}
