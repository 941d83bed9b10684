//! Values as text: small ones in full, large ones by shape, range and corner.

use std::fmt::Write as _;

use blo_compiler::Answer;
use blo_compiler::ir::eval::Array;
use blo_compiler::model::Model;
use blo_compiler::types::{Elem, Type};
use ndarray::{ArrayViewD, Axis};

use crate::output::human::number;

/// Rows and columns that are shown of a large array.
const SHOWN: usize = 8;

/// `real[n = 442, d = 10]`; of data that are not bound `real[n, d]`, and `?` for a size without a name.
pub fn type_text(model: &Model, answer: &Answer) -> String {
    let ty = model.graph.ty(answer.node);
    let sizes = ty.shape.iter().enumerate().map(|(axis, size)| {
        match (answer.dims.get(axis).and_then(Option::as_ref), is_open(answer, axis)) {
            (Some(dim), false) => format!("{dim} = {size}"),
            (Some(dim), true) => dim.clone(),
            (None, false) => size.to_string(),
            (None, true) => "?".to_owned(),
        }
    });
    let sizes: Vec<String> = sizes.collect();
    match sizes.is_empty() {
        true => ty.elem.name().to_owned(),
        false => format!("{}[{}]", ty.elem.name(), sizes.join(", ")),
    }
}

/// Whether the size of an axis is that of data that are not there yet.
pub fn is_open(answer: &Answer, axis: usize) -> bool {
    answer.assumed.get(axis).copied().unwrap_or(false)
}

/// The value under its type, ending in a newline.
pub fn show(ty: &Type, type_text: &str, value: &Array) -> String {
    let elem = ty.elem;
    if value.ndim() == 0 {
        return format!(
            "{} : {type_text}\n",
            element(elem, value.iter().copied().next().unwrap_or(f64::NAN))
        );
    }
    let mut out = type_text.to_owned();
    if value.len() > SHOWN && elem != Elem::Bool {
        out.push_str(&range(elem, value));
    } else if elem == Elem::Bool {
        let _ = write!(out, "  {} of {} true", value.iter().filter(|v| **v != 0.0).count(), value.len());
    }
    out.push('\n');
    rows(&mut out, elem, &value.view(), &mut Vec::new());
    out
}

/// `  min 0, mean 0.5, max 1`.
fn range(elem: Elem, value: &Array) -> String {
    let low = value.iter().copied().fold(f64::INFINITY, f64::min);
    let high = value.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mean = value.iter().sum::<f64>() / value.len() as f64;
    let odd = value.iter().filter(|v| !v.is_finite()).count();
    let odd = if odd > 0 { format!(", {odd} not finite") } else { String::new() };
    format!("  min {}, mean {}, max {}{odd}", element(elem, low), number(mean), element(elem, high))
}

/// A number as its type is written.
fn element(elem: Elem, value: f64) -> String {
    match elem {
        Elem::Bool => (value != 0.0).to_string(),
        Elem::Int => format!("{value}"),
        Elem::Real => number(value),
    }
}

/// Indices that are shown of an axis; `None` stands for those left out.
fn shown(size: usize) -> Vec<Option<usize>> {
    if size <= SHOWN + 1 {
        return (0..size).map(Some).collect();
    }
    let half = SHOWN / 2;
    (0..half).map(Some).chain([None]).chain((size - half..size).map(Some)).collect()
}

/// Matrices with aligned columns; of more axes the first positions, each under its index.
fn rows(out: &mut String, elem: Elem, value: &ArrayViewD<'_, f64>, at: &mut Vec<usize>) {
    if value.ndim() > 2 {
        for index in 0..value.shape()[0].min(2) {
            at.push(index);
            rows(out, elem, &value.index_axis(Axis(0), index), at);
            at.pop();
        }
        if value.shape()[0] > 2 {
            let _ = writeln!(out, "  … and {} more", value.shape()[0] - 2);
        }
        return;
    }
    if !at.is_empty() {
        let at: Vec<String> = at.iter().map(usize::to_string).collect();
        let _ = writeln!(out, "  [{}, :, :]", at.join(", "));
    }
    let matrix = if value.ndim() == 1 { value.clone().insert_axis(Axis(0)) } else { value.clone() };
    let (height, width) = (matrix.shape()[0], matrix.shape()[1]);
    let columns = shown(width);
    let cells: Vec<Vec<String>> = shown(height)
        .iter()
        .map(|row| {
            let cell = |column: &Option<usize>| match (row, column) {
                (Some(row), Some(column)) => element(elem, matrix[[*row, *column]]),
                (None, _) => "⋮".to_owned(),
                (_, None) => "…".to_owned(),
            };
            columns.iter().map(cell).collect()
        })
        .collect();
    let widths: Vec<usize> = (0..columns.len())
        .map(|c| cells.iter().map(|row| row[c].chars().count()).max().unwrap_or(0))
        .collect();
    for row in &cells {
        let line = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}", width = *width));
        let line: Vec<String> = line.collect();
        let _ = writeln!(out, "  {}", line.join("  "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_arrays_are_summarised() {
        let array = Array::from_shape_fn(vec![20, 3], |at| (at[0] * 3 + at[1]) as f64);
        let text = show(&Type::new(Elem::Real, [20, 3]), "real[20, 3]", &array);
        assert!(text.starts_with("real[20, 3]  min 0, mean 29.5, max 59\n   0   1   2\n"), "{text}");
        assert!(text.contains('⋮') && text.lines().count() == 10, "{text}");
    }

    #[test]
    fn scalars_stand_before_their_type() {
        let scalar = |elem, x: f64| show(&Type::scalar(elem), elem.name(), &ndarray::arr0(x).into_dyn());
        assert_eq!(scalar(Elem::Real, 0.5), "0.5 : real\n");
        assert_eq!(scalar(Elem::Bool, 1.0), "true : bool\n");
        assert_eq!(scalar(Elem::Int, 442.0), "442 : int\n");
    }
}
