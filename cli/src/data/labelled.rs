//! Tables whose rows or columns have labels, for data over dimensions with labels. The order in the file does not matter: a
//! row or column goes where its label says. A table without any label is taken by position.

use std::io::{BufReader, Read};

use blo_compiler::session::{DataRequest, Labels};
use blo_compiler::types::Elem;
use blo_grammar::parse::nearest;
use csv::{ReaderBuilder, Trim};
use ndarray::{ArrayD, IxDyn};

use super::Loaded;
use super::csv::{not_a_number, parse, without_mark};
use crate::files::{Trouble, quoted_list};

/// A line of the file.
struct Row {
    line: u64,
    fields: Vec<String>,
}

/// Reads a table for a vector or matrix with labels. Always two axes, rows and columns, as a file without labels.
pub fn read(file: impl Read, request: &DataRequest) -> Result<Loaded, Trouble> {
    let rows = rows(file)?;
    let labels = |axis: usize| request.labels.get(axis).and_then(Option::as_ref);
    let size = |axis: usize| request.sizes.get(axis).copied().flatten();
    match request.rank {
        1 => vector(&rows, labels(0)),
        _ => table(&rows, (labels(0), labels(1)), size(1)),
    }
}

fn rows(file: impl Read) -> Result<Vec<Row>, Trouble> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(BufReader::new(file));
    let mut rows: Vec<Row> = Vec::new();
    for record in reader.byte_records() {
        let record = record.map_err(|e| Trouble::new(format!("reading it failed: {e}")))?;
        let line = record.position().map_or(0, csv::Position::line);
        let text = |field: &[u8]| String::from_utf8_lossy(without_mark(field)).trim().to_owned();
        let fields: Vec<String> = record.iter().map(text).collect();
        if let Some(first) = rows.first().filter(|first| first.fields.len() != fields.len()) {
            return Err(Trouble::new(format!(
                "the rows have different lengths: line {line} has {} values, line {} has {}",
                fields.len(),
                first.line,
                first.fields.len()
            )));
        }
        rows.push(Row { line, fields });
    }
    if rows.is_empty() { Err(Trouble::new("it has no numbers in it")) } else { Ok(rows) }
}

/// Rows of a label and a value, or a row of labels over a row of values.
fn vector(rows: &[Row], labels: Option<&Labels>) -> Result<Loaded, Trouble> {
    let width = rows[0].fields.len();
    let over = |row: &Row| labels.is_some_and(|l| row.fields.iter().all(|field| l.names.contains(field)));
    if rows.len() == 2 && (width != 2 || over(&rows[0])) {
        return table(rows, (None, labels), Some(width));
    }
    table(rows, (if width == 2 { labels } else { None }, None), Some(1))
}

/// `columns`: their number, where it is known.
fn table(
    rows: &[Row],
    (down, across): (Option<&Labels>, Option<&Labels>),
    columns: Option<usize>,
) -> Result<Loaded, Trouble> {
    let knows = |labels: Option<&Labels>, field: &String| labels.is_some_and(|l| l.names.contains(field));
    let is_number = |field: &String| parse(field.as_bytes()).is_some();
    let first = &rows[0];
    let has_header = !first.fields.iter().any(is_number)
        || (first.fields.len() > 1 && first.fields[1..].iter().all(|field| knows(across, field)));
    let body = &rows[usize::from(has_header)..];
    if body.is_empty() {
        return Err(Trouble::new("it has no numbers in it"));
    }
    let width = first.fields.len();
    let wide = columns.is_none_or(|n| width == n + 1);
    let has_names = down.is_some()
        && (body.iter().any(|row| !is_number(&row.fields[0]))
            || (wide && body.iter().all(|row| knows(down, &row.fields[0]))));
    let skip = usize::from(has_names);
    let by_column = match across.filter(|_| has_header || has_names) {
        Some(_) if !has_header => {
            return Err(Trouble::new("its rows have labels and its columns have none")
                .help("add a first line with the labels of the columns"));
        }
        Some(labels) => {
            let found = first.fields.iter().enumerate().skip(skip);
            let found: Vec<(&String, String)> =
                found.map(|(k, name)| (name, format!("line {}, column {}", first.line, k + 1))).collect();
            Some(places(&found, labels, "column")?)
        }
        None => None,
    };
    let by_row = match down.filter(|_| has_header && across.is_some() || has_names) {
        Some(_) if !has_names => {
            return Err(Trouble::new("its columns have labels and its rows have none")
                .help("add a first column with the labels of the rows"));
        }
        Some(labels) => {
            let found: Vec<(&String, String)> =
                body.iter().map(|row| (&row.fields[0], format!("line {}", row.line))).collect();
            Some(places(&found, labels, "row")?)
        }
        None => None,
    };
    arranged(body, skip, by_row.as_deref(), by_column.as_deref())
}

/// Puts the values where their labels say.
fn arranged(
    body: &[Row],
    skip: usize,
    by_row: Option<&[usize]>,
    by_column: Option<&[usize]>,
) -> Result<Loaded, Trouble> {
    let width = body[0].fields.len() - skip;
    let mut values = vec![0.0; body.len() * width];
    let mut elem: Option<Elem> = None;
    for (i, row) in body.iter().enumerate() {
        for (j, field) in row.fields[skip..].iter().enumerate() {
            let (value, found) = parse(field.as_bytes())
                .ok_or_else(|| not_a_number(field.as_bytes(), row.line, j + skip + 1))?;
            let (i, j) = (by_row.map_or(i, |places| places[i]), by_column.map_or(j, |places| places[j]));
            values[i * width + j] = value;
            elem = Some(elem.map_or(found, |e| e.max(found)));
        }
    }
    let values = ArrayD::from_shape_vec(IxDyn(&[body.len(), width]), values);
    let values = values.map_err(|e| Trouble::new(format!("its rows do not form a table: {e}")))?;
    Ok(Loaded { elem: elem.unwrap_or(Elem::Real), values })
}

/// The position of every label that was found; each must be there once.
fn places(found: &[(&String, String)], labels: &Labels, what: &str) -> Result<Vec<usize>, Trouble> {
    let Labels { dim, names } = labels;
    let mut places = Vec::new();
    for (k, (name, place)) in found.iter().enumerate() {
        let Some(position) = names.iter().position(|n| n == *name) else {
            let trouble = Trouble::new(format!("`{name}` in {place} is not a label of `{dim}`"));
            return Err(match nearest(name, names.iter().map(String::as_str)) {
                Some(near) => trouble.help(format!("did you mean `{near}`?")),
                None => trouble.help(format!("its labels are {}", quoted_list(names))),
            });
        };
        if let Some((_, first)) = found[..k].iter().find(|(earlier, _)| earlier == name) {
            let message = format!("the label `{name}` stands in {first} and again in {place}");
            return Err(Trouble::new(message));
        }
        places.push(position);
    }
    let missing: Vec<String> = names.iter().filter(|n| !found.iter().any(|(f, _)| f == n)).cloned().collect();
    if missing.is_empty() {
        return Ok(places);
    }
    let noun = if missing.len() == 1 { "label" } else { "labels" };
    Err(Trouble::new(format!("no {what} has the {noun} {} of `{dim}`", quoted_list(&missing))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr2;

    fn cities() -> Option<Labels> {
        Some(Labels { dim: "city".into(), names: ["Paris", "Lyon", "Nice"].map(String::from).to_vec() })
    }

    fn load(text: &str, labels: Vec<Option<Labels>>) -> Result<Loaded, Trouble> {
        let rank = labels.len();
        let sizes = labels.iter().map(|l| l.as_ref().map(|l| l.names.len())).collect();
        let request = DataRequest { name: "x", elem: Elem::Real, rank, file: None, sizes, labels };
        read(text.as_bytes(), &request)
    }

    fn values(text: &str, labels: Vec<Option<Labels>>) -> ArrayD<f64> {
        load(text, labels).unwrap().values
    }

    #[test]
    fn the_order_in_the_file_does_not_matter() {
        let column = arr2(&[[1.], [2.], [3.]]).into_dyn();
        assert_eq!(values("Lyon,2\nParis,1\nNice,3\n", vec![cities()]), column);
        assert_eq!(values("city,demand\nLyon,2\nParis,1\nNice,3\n", vec![cities()]), column);
        let row = arr2(&[[1., 2., 3.]]).into_dyn();
        assert_eq!(values("Nice,Paris,Lyon\n3,1,2\n", vec![cities()]), row);
        let both = arr2(&[[11., 12., 13.], [21., 22., 23.], [31., 32., 33.]]).into_dyn();
        let text = "from,Lyon,Nice,Paris\nNice,32,33,31\nParis,12,13,11\nLyon,22,23,21\n";
        assert_eq!(values(text, vec![cities(), cities()]), both);
        let wide = arr2(&[[1., 2., 3.], [4., 5., 6.]]).into_dyn();
        assert_eq!(values("Nice,Lyon,Paris\n3,2,1\n6,5,4\n", vec![None, cities()]), wide);
        let tall = arr2(&[[1., 4.], [2., 5.], [3., 6.]]).into_dyn();
        assert_eq!(values("Nice,3,6\nLyon,2,5\nParis,1,4\n", vec![cities(), None]), tall);
    }

    #[test]
    fn labels_may_look_like_numbers() {
        let years = Some(Labels { dim: "year".into(), names: vec!["2024".into(), "2025".into()] });
        assert_eq!(values("2025,7\n2024,8\n", vec![years.clone()]), arr2(&[[8.], [7.]]).into_dyn());
        assert_eq!(values("2025,2024\n7,8\n", vec![years]), arr2(&[[8., 7.]]).into_dyn());
    }

    #[test]
    fn without_labels_the_position_counts() {
        assert_eq!(values("1\n2\n3\n", vec![cities()]), arr2(&[[1.], [2.], [3.]]).into_dyn());
        assert_eq!(values("1,2,3\n4,5,6\n7,8,9\n", vec![cities(), cities()])[[1, 0]], 4.0);
    }

    #[test]
    fn wrong_labels_are_named() {
        let message = |text: &str, labels| load(text, labels).unwrap_err().message;
        assert_eq!(
            message("Paris,1\nLyons,2\nNice,3\n", vec![cities()]),
            "`Lyons` in line 2 is not a label of `city`"
        );
        assert_eq!(
            load("Paris,1\nLyons,2\nNice,3\n", vec![cities()]).unwrap_err().help.unwrap(),
            "did you mean `Lyon`?"
        );
        assert_eq!(message("Paris,1\nNice,3\n", vec![cities()]), "no row has the label `Lyon` of `city`");
        assert_eq!(
            message("Paris,1\nLyon,2\nParis,3\n", vec![cities()]),
            "the label `Paris` stands in line 1 and again in line 3"
        );
        assert_eq!(
            message("Paris,1,2,3\nLyon,2,3,4\nNice,3,4,5\n", vec![cities(), cities()]),
            "its rows have labels and its columns have none"
        );
        assert_eq!(
            message("Paris,Lyon,Nice\n1,2,3\n4,5,6\n7,8,9\n", vec![cities(), cities()]),
            "its columns have labels and its rows have none"
        );
        assert_eq!(
            message("Paris,1\nLyon,x\nNice,3\n", vec![cities()]),
            "`x` in line 2, column 2 is not a number"
        );
    }
}
