//! Sparse matrices as data: compressed rows, checked when they are made. How they enter formulas is in `ops::sparse`.

use crate::ir::eval::Array;

/// A sparse matrix by rows. Columns ascend within a row, and none occurs twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Csr {
    /// Rows and columns.
    sizes: [usize; 2],
    /// The position of the first nonzero of every row, and one past the last of all; rows + 1.
    start: Vec<usize>,
    /// The column of every nonzero.
    columns: Vec<u32>,
    /// Every nonzero. Zeros that were written out are kept.
    values: Vec<f64>,
}

/// Why arrays are not a sparse matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CsrError {
    /// Columns and values, or rows and values, differ in number.
    Lengths(usize, usize),
    /// There is not one start for every row and one at the end; how many there are and should be.
    Starts(usize, usize),
    /// The starts fall at this row, do not begin with 0, or do not end with the number of nonzeros.
    Order(usize),
    /// A nonzero lies outside: its number, row, column.
    Outside(usize, usize, usize),
    /// There are more rows or columns than can be counted.
    Size(usize),
}

impl std::fmt::Display for CsrError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CsrError::Lengths(places, values) => {
                write!(f, "it has {values} values and {places} places for them")
            }
            CsrError::Starts(found, wanted) => {
                write!(f, "it has {found} starts of rows where its shape asks for {wanted}")
            }
            CsrError::Order(row) => write!(f, "the starts of its rows are not in order at row {row}"),
            CsrError::Outside(number, row, column) => {
                write!(
                    f,
                    "its value number {number}, in row {row} and column {column}, lies outside its shape"
                )
            }
            CsrError::Size(size) => write!(f, "{size} rows or columns are more than blo can count"),
        }
    }
}

impl std::error::Error for CsrError {}

impl Csr {
    /// A matrix from the nonzeros of each row, one row after another: row `r` has the nonzeros `start[r]..start[r + 1]`. Columns
    /// may stand in any order; values of one place are summed.
    pub fn new(
        sizes: [usize; 2],
        start: &[usize],
        columns: &[usize],
        values: &[f64],
    ) -> Result<Csr, CsrError> {
        if columns.len() != values.len() {
            return Err(CsrError::Lengths(columns.len(), values.len()));
        }
        if start.len() != sizes[0] + 1 {
            return Err(CsrError::Starts(start.len(), sizes[0] + 1));
        }
        if u32::try_from(sizes[1]).is_err() {
            return Err(CsrError::Size(sizes[1]));
        }
        let falls = start.windows(2).position(|w| w[0] > w[1]);
        let ends = (start.last() != Some(&values.len())).then_some(sizes[0]);
        if let Some(row) = (start[0] != 0).then_some(0).or(falls).or(ends) {
            return Err(CsrError::Order(row));
        }
        let mut out = Csr {
            sizes,
            start: Vec::with_capacity(start.len()),
            columns: Vec::with_capacity(values.len()),
            values: Vec::with_capacity(values.len()),
        };
        out.start.push(0);
        let mut row: Vec<(u32, f64)> = Vec::new();
        for (r, ends) in start.windows(2).enumerate() {
            row.clear();
            for p in ends[0]..ends[1] {
                if columns[p] >= sizes[1] {
                    return Err(CsrError::Outside(p, r, columns[p]));
                }
                row.push((columns[p] as u32, values[p]));
            }
            // Stable, so that the sum of values of one place does not depend on the sort.
            if !row.is_sorted_by_key(|e| e.0) {
                row.sort_by_key(|e| e.0);
            }
            let first = out.columns.len();
            for &(column, value) in &row {
                match out.values.last_mut() {
                    Some(last) if out.columns.len() > first && out.columns.last() == Some(&column) => {
                        *last += value;
                    }
                    _ => {
                        out.columns.push(column);
                        out.values.push(value);
                    }
                }
            }
            out.start.push(out.columns.len());
        }
        Ok(out)
    }

    /// A matrix from nonzeros in any order.
    pub fn from_places(
        sizes: [usize; 2],
        rows: &[usize],
        columns: &[usize],
        values: &[f64],
    ) -> Result<Csr, CsrError> {
        if rows.len() != values.len() || columns.len() != values.len() {
            return Err(CsrError::Lengths(rows.len().min(columns.len()), values.len()));
        }
        if u32::try_from(sizes[0]).is_err() {
            return Err(CsrError::Size(sizes[0]));
        }
        let mut start = vec![0; sizes[0] + 1];
        for (number, (&row, &column)) in rows.iter().zip(columns).enumerate() {
            if row >= sizes[0] {
                return Err(CsrError::Outside(number, row, column));
            }
            start[row + 1] += 1;
        }
        for row in 0..sizes[0] {
            start[row + 1] += start[row];
        }
        let mut next = start.clone();
        let (mut sorted, mut moved) = (vec![0; values.len()], vec![0.0; values.len()]);
        for ((&row, &column), &value) in rows.iter().zip(columns).zip(values) {
            sorted[next[row]] = column;
            moved[next[row]] = value;
            next[row] += 1;
        }
        Csr::new(sizes, &start, &sorted, &moved)
    }

    /// The elements of a matrix that are not zero; `None` unless there are two axes.
    pub fn from_dense(x: &Array) -> Option<Csr> {
        let &[rows, columns] = x.shape() else { return None };
        let mut out = Csr { sizes: [rows, columns], start: vec![0], columns: Vec::new(), values: Vec::new() };
        for row in x.outer_iter() {
            for (column, &value) in row.iter().enumerate().filter(|(_, value)| **value != 0.0) {
                out.columns.push(u32::try_from(column).ok()?);
                out.values.push(value);
            }
            out.start.push(out.values.len());
        }
        Some(out)
    }

    /// Rows and columns.
    pub fn sizes(&self) -> [usize; 2] {
        self.sizes
    }

    /// The position of the first nonzero of every row, and one past the last of all.
    pub fn start(&self) -> &[usize] {
        &self.start
    }

    /// The column of every nonzero.
    pub fn columns(&self) -> &[u32] {
        &self.columns
    }

    /// Every nonzero, row by row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Row and column of a nonzero.
    pub fn place(&self, position: usize) -> [usize; 2] {
        let row = self.start.partition_point(|&start| start <= position).saturating_sub(1);
        [row, self.columns[position] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_duplicates_summed() {
        let a = Csr::new([3, 4], &[0, 3, 3, 5], &[2, 0, 2, 3, 1], &[1.0, 2.0, 4.0, 8.0, 16.0]);
        let Ok(a) = a else { panic!("{a:?}") };
        assert_eq!(
            (a.start(), a.columns(), a.values()),
            (&[0, 2, 2, 4][..], &[0, 2, 1, 3][..], &[2.0, 5.0, 16.0, 8.0][..])
        );
        assert_eq!([0, 1, 2, 3].map(|p| a.place(p)), [[0, 0], [0, 2], [2, 1], [2, 3]]);
        let b = Csr::from_places([3, 4], &[2, 0, 0, 2, 0], &[3, 2, 0, 1, 2], &[8.0, 1.0, 2.0, 16.0, 4.0]);
        assert_eq!(b.as_ref(), Ok(&a));
        let dense = ndarray::arr2(&[[2.0, 0.0, 5.0, 0.0], [0.0; 4], [0.0, 16.0, 0.0, 8.0]]).into_dyn();
        assert_eq!(Csr::from_dense(&dense), Some(a));
    }

    #[test]
    fn what_is_no_matrix_is_refused() {
        let new = |start: &[usize], columns: &[usize]| Csr::new([2, 3], start, columns, &[1.0, 2.0]).err();
        assert_eq!(new(&[0, 1, 2], &[0]), Some(CsrError::Lengths(1, 2)));
        assert_eq!(new(&[0, 2], &[0, 1]), Some(CsrError::Starts(2, 3)));
        assert_eq!(new(&[1, 1, 2], &[0, 1]), Some(CsrError::Order(0)));
        assert_eq!(new(&[0, 3, 2], &[0, 1]), Some(CsrError::Order(1)));
        assert_eq!(new(&[0, 1, 1], &[0, 1]), Some(CsrError::Order(2)));
        assert_eq!(new(&[0, 1, 2], &[0, 3]), Some(CsrError::Outside(1, 1, 3)));
        let places = Csr::from_places([2, 3], &[0, 2], &[0, 1], &[1.0, 2.0]);
        assert_eq!(places.err(), Some(CsrError::Outside(1, 2, 1)));
    }
}
