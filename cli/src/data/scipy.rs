//! Sparse matrices as `scipy.sparse.save_npz` writes them: an archive with the members `format`, `shape` and `data`, and
//! `indices` and `indptr` (rows or columns compressed) or `row` and `col`.

use blo_compiler::csr::Csr;

use super::npz::Npz;
use crate::files::Trouble;

/// Whether an archive holds one sparse matrix rather than arrays by name.
pub fn is_sparse(archive: &Npz) -> bool {
    let members = archive.members();
    let has = |name: &str| members.iter().any(|m| m == name);
    has("data") && has("shape") && (has("indptr") || has("row"))
}

/// Reads the matrix.
pub fn read(archive: &mut Npz) -> Result<Csr, Trouble> {
    let format = if archive.members().iter().any(|m| m == "format") {
        archive.text("format")?
    } else {
        "csr".to_owned()
    };
    let shape = whole(archive, "shape")?;
    let &[rows, columns] = shape.as_slice() else {
        return Err(Trouble::new(format!("it is no matrix: its shape is {shape:?}")));
    };
    let matrix = match format.as_str() {
        "csr" => {
            let (start, places) = (whole(archive, "indptr")?, whole(archive, "indices")?);
            Csr::new([rows, columns], &start, &places, &numbers(archive)?)
        }
        "csc" => {
            let (start, rows_of) = (whole(archive, "indptr")?, whole(archive, "indices")?);
            if start.len() != columns + 1 || !start.is_sorted() || start.last() != Some(&rows_of.len()) {
                return Err(Trouble::new(format!(
                    "its `indptr` does not divide {} values into {columns} columns",
                    rows_of.len()
                )));
            }
            let columns_of: Vec<usize> = start
                .windows(2)
                .enumerate()
                .flat_map(|(column, w)| std::iter::repeat_n(column, w[1].saturating_sub(w[0])))
                .collect();
            Csr::from_places([rows, columns], &rows_of, &columns_of, &numbers(archive)?)
        }
        "coo" => {
            let (rows_of, columns_of) = (whole(archive, "row")?, whole(archive, "col")?);
            Csr::from_places([rows, columns], &rows_of, &columns_of, &numbers(archive)?)
        }
        other => {
            return Err(Trouble::new(format!("it is in the format `{other}`, which blo does not read"))
                .help("save it as `scipy.sparse.save_npz(file, a.tocsr())`"));
        }
    };
    matrix.map_err(|e| Trouble::new(e.to_string()))
}

fn numbers(archive: &mut Npz) -> Result<Vec<f64>, Trouble> {
    Ok(archive.read("data")?.values.into_iter().collect())
}

/// A list of positions or sizes.
fn whole(archive: &mut Npz, member: &str) -> Result<Vec<usize>, Trouble> {
    let values = archive.read(member)?.values;
    if let Some(bad) = values.iter().find(|x| x.fract() != 0.0 || **x < 0.0) {
        return Err(Trouble::new(format!("its member `{member}` holds {bad}, which is no position")));
    }
    Ok(values.into_iter().map(|x| x as usize).collect())
}
