//! A run that begins where an earlier one ended: reads the variables from its `result.json`, its folder or a `.npz`, and matches them
//! to those of the model by name and shape.

use std::fs::File;
use std::path::{Path, PathBuf};

use blo_compiler::model::Model;
use blo_grammar::parse::nearest;
use blo_runtime::problem::Problem;
use blo_runtime::solvers::Point;
use blo_runtime::space::Block;
use serde_json::Value;

use crate::data::npz::Npz;
use crate::files::{self, Trouble, quoted_list};
use crate::output::Variable;

/// A variable of the earlier run.
struct Found {
    name: String,
    shape: Vec<usize>,
    values: Vec<f64>,
}

/// The point of an earlier run as a start for this problem.
pub fn start(path: &Path, model: &Model, problem: &Problem) -> Result<Point, Trouble> {
    let (path, found) = read(path)?;
    let mut point = Point::start(problem);
    let upper = problem.upper.blocks().iter().take(model.upper.vars.len());
    // Multipliers that the model reads follow the lower variables; they have no name in a result.
    let lower_variables = model.lower.as_ref().map_or(0, |lower| lower.vars.len());
    let lower = problem.lower.blocks().iter().take(lower_variables);
    for (block, flat) in upper.map(|block| (block, true)).chain(lower.map(|block| (block, false))) {
        let values = &one(&path, &found, block)?.values;
        let flat = if flat { &mut point.x } else { &mut point.y };
        flat[block.offset..block.offset + block.len].copy_from_slice(values);
    }
    Ok(point)
}

/// The variable that belongs to a block.
fn one<'a>(path: &Path, found: &'a [Found], block: &Block) -> Result<&'a Found, Trouble> {
    let (shown, name) = (path.display(), &block.name);
    let Some(variable) = found.iter().find(|variable| variable.name == *name) else {
        let trouble = Trouble::new(format!("`{shown}` has no variable `{name}`, which the model has"));
        let names: Vec<String> = found.iter().map(|variable| variable.name.clone()).collect();
        return Err(match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => trouble.help(format!("it has `{near}`: a start is matched by name")),
            None => trouble.help(format!("it has {}: a start is matched by name", quoted_list(&names))),
        });
    };
    if variable.shape != block.shape {
        let (there, here) = (&variable.shape, &block.shape);
        return Err(Trouble::new(format!(
            "`{name}` has the shape {there:?} in `{shown}` and {here:?} in the model"
        )));
    }
    if variable.values.iter().any(|value| !value.is_finite()) {
        return Err(Trouble::new(format!("`{name}` has values in `{shown}` that are not finite")));
    }
    Ok(variable)
}

/// The variables of a result, as they stand in its file.
pub fn variables(path: &Path) -> Result<Vec<Variable>, Trouble> {
    let (_, found) = read(path)?;
    let variable = |Found { name, shape, values }| {
        let labels = vec![None; shape.len()];
        Variable { name, shape, values, labels }
    };
    Ok(found.into_iter().map(variable).collect())
}

/// The file that was read, and its variables.
fn read(path: &Path) -> Result<(PathBuf, Vec<Found>), Trouble> {
    // The archive in the folder of a run has every bit of the numbers.
    let path = if path.is_dir() { path.join("variables.npz") } else { path.to_path_buf() };
    if path.extension().is_some_and(|e| e == "npz") {
        let (file, _) = files::open(&path)?;
        let found = archive(file).map_err(|trouble| Trouble {
            message: format!("`{}`: {}", path.display(), trouble.message),
            ..trouble
        })?;
        return Ok((path, found));
    }
    let text = files::read_text(&path)?;
    let bad = |why: &str| {
        Trouble::new(format!("`{}` is no result of a run: {why}", path.display())).help(
            "a start is the JSON that `blo run --json` prints, the folder of `--out`, or its variables.npz",
        )
    };
    let document: Value = serde_json::from_str(&text).map_err(|e| bad(&e.to_string()))?;
    let result = if document["methods"].is_array() { best(&document) } else { Some(&document) };
    let Some(variables) = result.and_then(|result| result["variables"].as_object()) else {
        return Err(bad("it has no `variables`"));
    };
    let found = variables.iter().map(|(name, value)| {
        let (mut shape, mut values) = (Vec::new(), Vec::new());
        let even = flatten(value, 0, &mut shape, &mut values);
        let found = Found { name: name.clone(), shape, values };
        even.then_some(found).ok_or_else(|| bad(&format!("`{name}` is no array of numbers")))
    });
    let found = found.collect::<Result<Vec<Found>, Trouble>>()?;
    Ok((path, found))
}

/// All arrays of an archive.
fn archive(file: File) -> Result<Vec<Found>, Trouble> {
    let mut npz = Npz::open(file)?;
    let names = npz.members();
    let read = |name: String| {
        let array = npz.read(&name)?.values;
        Ok(Found { name, shape: array.shape().to_vec(), values: array.iter().copied().collect() })
    };
    names.into_iter().map(read).collect()
}

/// The result of the method that a comparison ranks first.
fn best(comparison: &Value) -> Option<&Value> {
    let methods = comparison["methods"].as_array()?;
    let name =
        if comparison["best"].is_null() { &comparison["best_solved_again"] } else { &comparison["best"] };
    methods.iter().find(|method| method["method"] == *name).map(|method| &method["result"])
}

/// Reads nested arrays; false when they are of different lengths or hold something else than numbers. `null` becomes NaN.
fn flatten(value: &Value, depth: usize, shape: &mut Vec<usize>, values: &mut Vec<f64>) -> bool {
    match value {
        Value::Array(parts) => {
            let known = shape.get(depth).copied();
            if known.is_none() {
                shape.push(parts.len());
            }
            // Below the first number nothing can be deeper than it.
            (known == Some(parts.len()) || (known.is_none() && values.is_empty()))
                && parts.iter().all(|part| flatten(part, depth + 1, shape, values))
        }
        Value::Number(number) => {
            values.push(number.as_f64().unwrap_or(f64::NAN));
            shape.len() == depth
        }
        Value::Null => {
            values.push(f64::NAN);
            shape.len() == depth
        }
        Value::Bool(_) | Value::String(_) | Value::Object(_) => false,
    }
}
