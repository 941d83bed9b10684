//! Reads numbers from comma-separated text: one row per line, an optional header, quoted fields. Text other than numbers
//! and `true`/`false` is refused with its line and column.

use std::io::{BufReader, Read};

use blo_compiler::types::Elem;
use csv::{ByteRecord, ReaderBuilder, Trim};
use ndarray::{ArrayD, IxDyn};

use super::Loaded;
use crate::files::Trouble;

/// Reads a table. Always two axes, rows and columns; the caller drops one where the model wants a vector.
pub fn read(file: impl Read) -> Result<Loaded, Trouble> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(BufReader::new(file));
    let mut table = Table::default();
    let mut record = ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => return table.finish(),
            Ok(true) => table.add(&record)?,
            Err(e) => return Err(Trouble::new(format!("reading it failed: {e}"))),
        }
    }
}

#[derive(Default)]
struct Table {
    values: Vec<f64>,
    rows: usize,
    /// Columns, and the line that set their number.
    columns: Option<(usize, u64)>,
    elem: Option<Elem>,
    /// Whether the first row was one.
    header: bool,
}

impl Table {
    fn add(&mut self, record: &ByteRecord) -> Result<(), Trouble> {
        let line = record.position().map_or(0, csv::Position::line);
        match self.columns {
            None => {
                self.columns = Some((record.len(), line));
                // Only the very first row may be a header, and only without a number in it: one bad value among numbers must
                // not make a row of data vanish.
                let mut fields = record.iter().map(without_mark).filter(|field| !field.is_empty()).peekable();
                if fields.peek().is_some() && fields.all(|field| parse(field).is_none()) {
                    self.header = true;
                    return Ok(());
                }
            }
            Some((columns, first)) if columns != record.len() => {
                return Err(Trouble::new(format!(
                    "the rows have different lengths: line {line} has {} values, line {first} has {columns}",
                    record.len()
                )));
            }
            Some(_) => {}
        }
        for (column, field) in record.iter().enumerate() {
            let field = if self.rows == 0 { without_mark(field) } else { field };
            let (value, elem) = parse(field).ok_or_else(|| not_a_number(field, line, column + 1))?;
            self.values.push(value);
            self.elem = Some(self.elem.map_or(elem, |e| widest(e, elem)));
        }
        self.rows += 1;
        Ok(())
    }

    fn finish(self) -> Result<Loaded, Trouble> {
        let Some((columns, _)) = self.columns.filter(|_| self.rows > 0) else {
            let trouble = Trouble::new("it has no numbers in it");
            return Err(if self.header {
                trouble
                    .help("its only row holds no number and was taken as the header; is a quote left open?")
            } else {
                trouble
            });
        };
        let values = ArrayD::from_shape_vec(IxDyn(&[self.rows, columns]), self.values);
        let values = values.map_err(|e| Trouble::new(format!("its rows do not form a table: {e}")))?;
        Ok(Loaded { elem: self.elem.unwrap_or(Elem::Real), values })
    }
}

/// Real where real and whole numbers meet; numbers where truth values and numbers meet.
fn widest(a: Elem, b: Elem) -> Elem {
    a.max(b)
}

/// Without the byte-order mark some spreadsheets put at the start.
pub fn without_mark(field: &[u8]) -> &[u8] {
    field.strip_prefix(b"\xef\xbb\xbf").unwrap_or(field)
}

/// A number or truth value with the type it shows.
pub fn parse(field: &[u8]) -> Option<(f64, Elem)> {
    let text = std::str::from_utf8(field).ok()?.trim();
    match text {
        "true" | "True" | "TRUE" => return Some((1.0, Elem::Bool)),
        "false" | "False" | "FALSE" => return Some((0.0, Elem::Bool)),
        _ => {}
    }
    let value: f64 = text.parse().ok()?;
    let whole = text.bytes().all(|b| b.is_ascii_digit() || b == b'-' || b == b'+');
    Some((value, if whole { Elem::Int } else { Elem::Real }))
}

/// What is said of a field that is no number.
pub fn not_a_number(field: &[u8], line: u64, column: usize) -> Trouble {
    let place = format!("line {line}, column {column}");
    let text = String::from_utf8_lossy(field);
    if text.trim().is_empty() {
        return Trouble::new(format!("a value is missing in {place}"));
    }
    let shown: String = text.chars().take(40).collect();
    let trouble = Trouble::new(format!("`{shown}` in {place} is not a number"));
    if text.contains([';', '\t', ' ']) {
        trouble.help("values are separated by commas")
    } else if line == 1 {
        trouble.help("the first line is taken as a header only when it holds no number at all")
    } else {
        trouble.help("after an optional header, every value must be a number, `true` or `false`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Loaded, Trouble> {
        read(text.as_bytes())
    }

    #[test]
    fn header_quotes_and_types() {
        let loaded = load("\u{feff}\"a, b\",c\n1,\"2\"\n\n 3 ,4\n").unwrap();
        assert_eq!(loaded.values, ndarray::arr2(&[[1., 2.], [3., 4.]]).into_dyn());
        assert_eq!(loaded.elem, Elem::Int);
        assert_eq!(load("1,2.5\n").unwrap().elem, Elem::Real);
        assert_eq!(load("true\nfalse\n").unwrap().elem, Elem::Bool);
        assert_eq!(load("\u{feff}1,2\n").unwrap().values.shape(), [1, 2]);
        assert!(load("nan,inf\n").unwrap().values[[0, 0]].is_nan());
    }

    #[test]
    fn bad_tables_are_named_with_their_line() {
        let message = |text: &str| load(text).unwrap_err().message;
        assert_eq!(
            message("a,b\n1,2\n3\n"),
            "the rows have different lengths: line 3 has 1 values, line 1 has 2"
        );
        assert_eq!(message("1,n/a\n2,3\n"), "`n/a` in line 1, column 2 is not a number");
        assert_eq!(message("1,2\nParis,3\n"), "`Paris` in line 2, column 1 is not a number");
        assert_eq!(message("1,2\n3,\n"), "a value is missing in line 2, column 2");
        assert_eq!(message("a,b\n"), "it has no numbers in it");
        assert_eq!(message(""), "it has no numbers in it");
        assert!(load("x\n1;2\n").unwrap_err().help.unwrap().contains("commas"));
    }
}
