//! Reads one member of a NumPy `.npz` archive (a zip of `.npy` files, stored or deflated).

use std::fs::File;
use std::io::{BufReader, Read};

use blo_grammar::parse::nearest;
use zip::ZipArchive;
use zip::result::ZipError;

use super::{Loaded, npy, scipy};
use crate::files::{self, Trouble};

/// Deflate cannot pack more than about this many bytes into one, whatever the directory of the archive claims.
const BEST_PACKING: u64 = 1100;

/// An open archive.
pub struct Npz {
    archive: ZipArchive<BufReader<File>>,
}

impl Npz {
    /// Reads the archive's directory.
    pub fn open(file: File) -> Result<Npz, Trouble> {
        match ZipArchive::new(BufReader::new(file)) {
            Ok(archive) => Ok(Npz { archive }),
            Err(ZipError::Io(e)) if e.kind() != std::io::ErrorKind::UnexpectedEof => {
                Err(Trouble::new(format!("reading it failed: {e}")))
            }
            Err(_) => Err(Trouble::new("it is not a .npz archive, or it is cut short")),
        }
    }

    /// The members' names without `.npy`, in the archive's order.
    pub fn members(&self) -> Vec<String> {
        let names = (0..self.archive.len()).filter_map(|i| self.archive.name_for_index(i));
        names.map(|name| name.strip_suffix(".npy").unwrap_or(name).to_string()).collect()
    }

    /// The array called `name`.
    pub fn read(&mut self, name: &str) -> Result<Loaded, Trouble> {
        let members = self.members();
        let Some(index) = members.iter().position(|m| m == name) else {
            let trouble =
                Trouble::new(format!("it has no member `{name}`; it has {}", files::quoted_list(&members)));
            if scipy::is_sparse(self) {
                return Err(trouble.help("it holds a sparse matrix: declare it `sparse real[n, d]`"));
            }
            let near = nearest(name, members.iter().map(String::as_str));
            return Err(match near {
                Some(near) => {
                    trouble.help(format!("write the member behind the file's name: `….npz:{near}`"))
                }
                None => trouble,
            });
        };
        let of_member =
            |t: Trouble| Trouble { message: format!("in its member `{name}`: {}", t.message), ..t };
        let mut member = self
            .archive
            .by_index(index)
            .map_err(|e| Trouble::new(format!("its member `{name}` cannot be unpacked: {e}")))?;
        let available = member.size().min(member.compressed_size().saturating_mul(BEST_PACKING));
        npy::read(&mut member, available).map_err(of_member)
    }

    /// The text in the member called `name`, an array of one string.
    pub fn text(&mut self, name: &str) -> Result<String, Trouble> {
        let broken = |why: String| Trouble::new(format!("its member `{name}` cannot be read: {why}"));
        let mut member = self.archive.by_name(&format!("{name}.npy")).map_err(|e| broken(e.to_string()))?;
        let mut bytes = Vec::new();
        let longest = 4096;
        member.by_ref().take(longest).read_to_end(&mut bytes).map_err(|e| broken(e.to_string()))?;
        // Characters have one byte, or four with zeros, and follow the line break that ends the header.
        let end = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |k| k + 1);
        Ok(bytes[end..].iter().filter(|b| b.is_ascii_alphanumeric()).map(|&b| char::from(b)).collect())
    }
}
