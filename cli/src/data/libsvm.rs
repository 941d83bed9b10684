//! Reads the text format of libsvm and svmlight: a label and `index:value` pairs per line. Its indices count from 0 or from 1:
//! a file in which index 0 occurs counts from 0, every other one from 1. `qid:…` is passed over; `#` starts a comment.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};

use blo_compiler::csr::Csr;
use blo_compiler::types::Elem;
use ndarray::{Array1, ArrayD, IxDyn};

use super::Loaded;
use crate::files::Trouble;

/// A file: its labels, and its features by line.
pub struct Libsvm {
    labels: Vec<f64>,
    start: Vec<usize>,
    indices: Vec<usize>,
    values: Vec<f64>,
    /// The largest index, with its line and column.
    last: Option<(usize, Place)>,
    /// Whether index 0 occurs.
    zero: bool,
}

/// Line and column, from 1.
type Place = (usize, usize);

fn at((line, column): Place) -> String {
    format!("line {line}, column {column}")
}

/// Reads a whole file, line by line.
pub fn read(file: impl Read) -> Result<Libsvm, Trouble> {
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut out = Libsvm {
        labels: Vec::new(),
        start: vec![0],
        indices: Vec::new(),
        values: Vec::new(),
        last: None,
        zero: false,
    };
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let got = reader.read_until(b'\n', &mut line);
        if got.map_err(|e| Trouble::new(format!("reading it failed: {e}")))? == 0 {
            break;
        }
        out.line(&line, number)?;
    }
    if out.labels.is_empty() {
        return Err(Trouble::new("it has no lines with a label"));
    }
    Ok(out)
}

impl Libsvm {
    fn line(&mut self, line: &[u8], number: usize) -> Result<(), Trouble> {
        let line = line.split(|&b| b == b'#').next().unwrap_or(line);
        let mut words = words(line).peekable();
        let Some(&(column, label)) = words.peek() else { return Ok(()) };
        if label.contains(&b':') {
            let trouble = Trouble::new(format!("there is no label in {}", at((number, column))));
            return Err(trouble.help("a line is a label and then features: `1 3:0.5 7:2`"));
        }
        words.next();
        self.labels.push(decimal(label).ok_or_else(|| wrong(label, (number, column), "a label"))?);
        let first = self.indices.len();
        let mut seen = BTreeSet::new();
        for (column, word) in words {
            let place = (number, column);
            let colon = word.iter().position(|&b| b == b':');
            let (index, value) = colon.map_or((word, None), |k| (&word[..k], Some(&word[k + 1..])));
            if index == b"qid" {
                continue;
            }
            let index = whole(index).ok_or_else(|| wrong(word, place, "a feature `index:value`"))?;
            let value =
                value.and_then(decimal).ok_or_else(|| wrong(word, place, "a feature `index:value`"))?;
            // Indices ascend as a rule; only where they do not are they looked up.
            let row = &self.indices[first..];
            if seen.is_empty() && row.last().is_some_and(|&last| last >= index) {
                seen.extend(row);
            }
            if !seen.is_empty() && !seen.insert(index) {
                return Err(Trouble::new(format!("index {index} occurs a second time in {}", at(place))));
            }
            self.zero |= index == 0;
            if self.last.is_none_or(|(last, _)| index > last) {
                self.last = Some((index, place));
            }
            self.indices.push(index);
            self.values.push(value);
        }
        self.start.push(self.indices.len());
        Ok(())
    }

    /// The labels; whole numbers where all of them are.
    pub fn labels(self) -> Loaded {
        let elem = if self.labels.iter().all(|l| l.fract() == 0.0) { Elem::Int } else { Elem::Real };
        Loaded { elem, values: Array1::from(self.labels).into_dyn() }
    }

    /// The features, with as many columns as the model says, or as the largest index asks for.
    pub fn features(mut self, columns: Option<usize>) -> Result<Csr, Trouble> {
        let base = usize::from(!self.zero);
        self.indices.iter_mut().for_each(|index| *index -= base);
        let found = self.last.map_or(0, |(last, _)| last + 1 - base);
        let columns = columns.unwrap_or(found);
        if let Some((last, place)) = self.last
            && found > columns
        {
            let text = format!("index {last} in {} is beyond the {columns} columns of the model", at(place));
            let counted =
                if base == 0 { "0, since index 0 occurs" } else { "1, since index 0 does not occur" };
            return Err(Trouble::new(text).help(format!("its indices count from {counted}")));
        }
        let matrix = Csr::new([self.labels.len(), columns], &self.start, &self.indices, &self.values);
        matrix.map_err(|e| Trouble::new(e.to_string()))
    }

    /// The features with their zeros.
    pub fn dense(self, columns: Option<usize>) -> Result<Loaded, Trouble> {
        let matrix = self.features(columns)?;
        let [rows, columns] = matrix.sizes();
        let mut values = ArrayD::zeros(IxDyn(&[rows, columns]));
        for (p, &value) in matrix.values().iter().enumerate() {
            values[matrix.place(p).as_slice()] = value;
        }
        Ok(Loaded { elem: Elem::Real, values })
    }
}

/// The words of a line with their columns.
fn words(line: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut from = 0;
    line.split(|b| b.is_ascii_whitespace()).filter_map(move |word| {
        let column = from + 1;
        from += word.len() + 1;
        (!word.is_empty()).then_some((column, word))
    })
}

fn decimal(word: &[u8]) -> Option<f64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

fn whole(word: &[u8]) -> Option<usize> {
    std::str::from_utf8(word).ok()?.parse().ok().filter(|_| word[0].is_ascii_digit())
}

fn wrong(word: &[u8], place: Place, wanted: &str) -> Trouble {
    let shown: String = String::from_utf8_lossy(word).chars().take(40).collect();
    let trouble = Trouble::new(format!("`{shown}` in {} is not {wanted}", at(place)));
    if word.contains(&b',') { trouble.help("several labels on a line are not read") } else { trouble }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Libsvm, Trouble> {
        read(text.as_bytes())
    }

    fn message(text: &str, columns: Option<usize>) -> String {
        load(text).and_then(|l| l.features(columns)).err().map_or(String::new(), |t| t.message)
    }

    #[test]
    fn labels_and_features() {
        let text = "# made by hand\n+1 1:0.5 3:-2e1\n\n-1 qid:3 2:4 # the second\r\n0\n";
        let file = load(text).unwrap();
        let a = file.features(None).unwrap();
        assert_eq!(
            (a.sizes(), a.start(), a.columns(), a.values()),
            ([3, 3], &[0, 2, 3, 3][..], &[0, 2, 1][..], &[0.5, -20.0, 4.0][..])
        );
        let labels = load(text).unwrap().labels();
        assert_eq!((labels.elem, labels.values), (Elem::Int, ndarray::arr1(&[1.0, -1.0, 0.0]).into_dyn()));
        assert_eq!(load("0.5 1:1").unwrap().labels().elem, Elem::Real);
        let wide = load("1 2:7").unwrap().dense(Some(4)).unwrap();
        assert_eq!(wide.values, ndarray::arr2(&[[0.0, 7.0, 0.0, 0.0]]).into_dyn());
    }

    #[test]
    fn a_zero_index_means_that_counting_starts_there() {
        let columns = |text: &str| load(text).unwrap().features(None).unwrap().columns().to_vec();
        assert_eq!(columns("1 1:1 2:1\n1 3:1"), [0, 1, 2]);
        assert_eq!(columns("1 1:1 2:1\n1 0:1"), [1, 2, 0]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        assert_eq!(message("1 1:1\nyes 2:1", None), "`yes` in line 2, column 1 is not a label");
        assert_eq!(message("1 1:1\n 2:1", None), "there is no label in line 2, column 2");
        assert_eq!(message("1 1:1 x:2", None), "`x:2` in line 1, column 7 is not a feature `index:value`");
        assert_eq!(message("1 1:1 2", None), "`2` in line 1, column 7 is not a feature `index:value`");
        assert_eq!(message("1 1:1 -2:1", None), "`-2:1` in line 1, column 7 is not a feature `index:value`");
        assert_eq!(message("1 3:1 2:1 3:4", None), "index 3 occurs a second time in line 1, column 11");
        assert_eq!(message("", None), "it has no lines with a label");
        let text = "1 1:1\n1 2:1 4:2";
        assert_eq!(
            message(text, Some(3)),
            "index 4 in line 2, column 7 is beyond the 3 columns of the model"
        );
        let help = load("1,2 1:1").err().and_then(|t| t.help);
        assert_eq!(help.as_deref(), Some("several labels on a line are not read"));
    }
}
