//! `blo plot`: what runs wrote with `--out` as a picture: their courses, and of a single run its variables.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

use super::{FINE, WRONG_INPUT, print_out};
use crate::args::{Format, PlotArgs};
use crate::files::{self, Trouble};
use crate::output::comparison::Course;
use crate::plot::scene::{Anchor, INK, Scene, label};
use crate::plot::{array, course, unwritable, write_scene};
use crate::render::Renderer;
use crate::warm;

/// Runs the command.
pub fn run(args: &PlotArgs) -> ExitCode {
    let mut renderer = Renderer::new(Format::Text);
    match drawn(args) {
        Ok(()) if args.quiet => ExitCode::from(FINE),
        Ok(()) => print_out(&mut renderer, &format!("{}\n", args.output.display()), FINE),
        Err(trouble) => {
            renderer.trouble(&trouble);
            ExitCode::from(WRONG_INPUT)
        }
    }
}

fn drawn(args: &PlotArgs) -> Result<(), Trouble> {
    if let Some(trouble) = unwritable("plot", &args.output) {
        return Err(trouble);
    }
    let mut runs = Vec::new();
    for path in &args.results {
        runs.extend(read(path, args.results.len() > 1)?);
    }
    let named = runs.iter().map(|(label, course)| course::Run { label: label.clone(), course });
    let mut scene = Scene { width: course::WIDTH, height: 8.0, ..Scene::default() };
    if let Some(courses) = course::courses(&named.collect::<Vec<_>>()) {
        scene.append(courses);
    }
    if let [path] = args.results.as_slice() {
        for variable in warm::variables(path)? {
            let Some(picture) = array::picture(&variable) else { continue };
            let sizes: Vec<String> = variable.shape.iter().map(usize::to_string).collect();
            let title = format!("{}[{}]", variable.name, sizes.join(", "));
            let mut head = Scene { width: scene.width, height: 26.0, ..Scene::default() };
            head.shapes.push(label((24.0, 18.0), &title, 14.0, Anchor::Start, INK));
            scene.append(head);
            scene.append(picture);
        }
    }
    if scene.shapes.is_empty() {
        let trouble = Trouble::new(format!("there is nothing to draw in `{}`", args.results[0].display()));
        return Err(trouble.help("results have a course in the folder of `--out`, beside result.json"));
    }
    write_scene(&args.output, &scene)
}

/// The runs of a result: one, or all methods of a comparison.
fn read(path: &Path, several: bool) -> Result<Vec<(String, Course)>, Trouble> {
    let file = if path.is_dir() {
        let (run, comparison) = (path.join("result.json"), path.join("comparison.json"));
        if !run.exists() && comparison.exists() { comparison } else { run }
    } else {
        path.to_path_buf()
    };
    let text = files::read_text(&file)?;
    let bad = |why: &str| {
        Trouble::new(format!("`{}` is no result: {why}", file.display()))
            .help("a result is the folder of `--out`, or the result.json or comparison.json in it")
    };
    let document: Value = serde_json::from_str(&text).map_err(|e| bad(&e.to_string()))?;
    if let Some(methods) = document["methods"].as_array() {
        return Ok(methods.iter().filter_map(of_comparison).collect());
    }
    let method = document["method"].as_str().ok_or_else(|| bad("it names no method"))?;
    let label = if several { format!("{method} ({})", path.display()) } else { method.to_owned() };
    let trace = file.with_file_name("trace.csv");
    Ok(vec![(
        label,
        if trace.exists() { table(&trace)? } else { Course { columns: Vec::new(), rows: Vec::new() } },
    )])
}

fn of_comparison(method: &Value) -> Option<(String, Course)> {
    let columns = method["trace"]["columns"].as_array()?.iter();
    let columns = columns.map(|name| name.as_str().unwrap_or_default().to_owned()).collect();
    let numbers =
        |row: &Value| row.as_array().into_iter().flatten().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect();
    let rows = method["trace"]["rows"].as_array()?.iter().map(numbers).collect();
    Some((method["method"].as_str()?.to_owned(), Course { columns, rows }))
}

fn table(path: &PathBuf) -> Result<Course, Trouble> {
    let failed = |e: csv::Error| Trouble::new(format!("`{}` cannot be read: {e}", path.display()));
    let mut table = csv::Reader::from_path(path).map_err(failed)?;
    let columns: Vec<String> = table.headers().map_err(failed)?.iter().map(str::to_owned).collect();
    let mut rows = Vec::new();
    for record in table.records() {
        rows.push(record.map_err(failed)?.iter().map(|cell| cell.parse().unwrap_or(f64::NAN)).collect());
    }
    Ok(Course { columns, rows })
}
