//! Reads one array in NumPy's `.npy` format: header and elements of every plain numeric type, either byte order, C or
//! Fortran layout. Values come out as `f64` in C order. Where the bytes come from is the caller's business.

use std::io::Read;

use blo_compiler::types::Elem;
use ndarray::{ArrayD, IxDyn, ShapeBuilder};

use super::Loaded;
use crate::files::Trouble;

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Headers of plain arrays have some hundred bytes; anything near this is damage.
const LONGEST_HEADER: usize = 1 << 20;
/// Elements converted at a time: few enough to stay in a cache of the second level.
const CHUNK: usize = 8192;
/// The largest whole number up to which every whole number is an `f64`.
const EXACT: u64 = 1 << 53;

/// What the header says.
#[derive(Debug, PartialEq)]
struct Header {
    dtype: Dtype,
    fortran: bool,
    shape: Vec<usize>,
}

/// A plain numeric element: kind, size in bytes, byte order.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Dtype {
    kind: Kind,
    size: usize,
    big: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Float,
    Signed,
    Unsigned,
    Bool,
}

/// Reads an array. `available` is an upper estimate of the bytes behind `reader`; it only bounds what is allocated ahead.
pub fn read(reader: &mut dyn Read, available: u64) -> Result<Loaded, Trouble> {
    let header = read_header(reader)?;
    let count = header.shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    let count = count
        .filter(|n| n.checked_mul(8).is_some_and(|bytes| bytes < isize::MAX as usize))
        .ok_or_else(|| Trouble::new(format!("its header claims the impossible shape {:?}", header.shape)))?;
    let values = read_elements(reader, &header, count, available)?;
    if read_up_to(reader, &mut [0u8])? > 0 {
        return Err(Trouble::new(format!("there are bytes after the {count} values its header announces")));
    }
    let shape = IxDyn(&header.shape);
    let array = ArrayD::from_shape_vec(shape.set_f(header.fortran), values);
    let array = array.map_err(|e| Trouble::new(format!("its header is inconsistent: {e}")))?;
    let values = if array.is_standard_layout() { array } else { array.as_standard_layout().into_owned() };
    let elem = match header.dtype.kind {
        Kind::Float => Elem::Real,
        Kind::Signed | Kind::Unsigned => Elem::Int,
        Kind::Bool => Elem::Bool,
    };
    Ok(Loaded { elem, values })
}

fn read_header(reader: &mut dyn Read) -> Result<Header, Trouble> {
    let mut start = [0u8; 8];
    let got = read_up_to(reader, &mut start)?;
    if got < 6 || &start[..6] != MAGIC {
        return Err(Trouble::new("it is not a .npy file (it does not start with the NumPy mark)"));
    }
    if got < 8 {
        return Err(Trouble::new("it ends inside its header"));
    }
    let mut length = [0u8; 4];
    let wide = match start[6] {
        1 => false,
        2 | 3 => true,
        other => return Err(Trouble::new(format!("its .npy version {other} is not known"))),
    };
    let part = if wide { &mut length[..4] } else { &mut length[..2] };
    let expected = part.len();
    if read_up_to(reader, part)? < expected {
        return Err(Trouble::new("it ends inside its header"));
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST_HEADER {
        return Err(Trouble::new("its header is damaged: it claims to be longer than a megabyte"));
    }
    let mut text = vec![0u8; length];
    if read_up_to(reader, &mut text)? < length {
        return Err(Trouble::new("it ends inside its header"));
    }
    parse_header(&String::from_utf8_lossy(&text))
}

/// The header is a Python dictionary with the keys `descr`, `fortran_order` and `shape`.
fn parse_header(text: &str) -> Result<Header, Trouble> {
    let damaged = |what: &str| Trouble::new(format!("its header is damaged: no {what}"));
    let descr = entry(text, "descr").ok_or_else(|| damaged("element type"))?;
    let fortran = entry(text, "fortran_order").ok_or_else(|| damaged("memory order"))?;
    let shape = entry(text, "shape").ok_or_else(|| damaged("shape"))?;
    let shape = shape.strip_prefix('(').and_then(|s| s.split_once(')')).ok_or_else(|| damaged("shape"))?.0;
    let sizes: Result<Vec<usize>, _> = shape
        .split(',')
        .map(|s| s.trim().trim_end_matches('L'))
        .filter(|s| !s.is_empty())
        .map(str::parse)
        .collect();
    let dtype = match descr.chars().next() {
        Some(quote @ ('\'' | '"')) => {
            let name = descr[1..].split_once(quote).ok_or_else(|| damaged("element type"))?.0;
            parse_dtype(name)?
        }
        _ => return Err(unsupported("a structured type (records with fields)")),
    };
    Ok(Header {
        dtype,
        fortran: fortran.starts_with("True"),
        shape: sizes.map_err(|_| damaged("readable shape"))?,
    })
}

/// What follows `'key':` in the dictionary.
fn entry<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let at = ['\'', '"'].iter().find_map(|q| text.find(&format!("{q}{key}{q}")))?;
    Some(text[at + key.len() + 2..].trim_start().strip_prefix(':')?.trim_start())
}

fn parse_dtype(name: &str) -> Result<Dtype, Trouble> {
    let (order, rest) = match name.chars().next() {
        Some(c @ ('<' | '>' | '=' | '|')) => (c, &name[1..]),
        _ => ('=', name),
    };
    let big = order == '>' || (order == '=' && cfg!(target_endian = "big"));
    let letter = rest.chars().next().unwrap_or(' ');
    let size: usize = rest.get(letter.len_utf8()..).and_then(|s| s.parse().ok()).unwrap_or(0);
    let kind = match (letter, size) {
        ('f', 4 | 8) => Kind::Float,
        ('i', 1 | 2 | 4 | 8) => Kind::Signed,
        ('u', 1 | 2 | 4 | 8) => Kind::Unsigned,
        ('b', 1) => Kind::Bool,
        _ => return Err(unsupported(&describe(name, letter, size))),
    };
    Ok(Dtype { kind, size, big })
}

fn describe(name: &str, letter: char, size: usize) -> String {
    match letter {
        'c' => format!("complex numbers (dtype `{name}`)"),
        'U' | 'S' | 'a' => format!("text (dtype `{name}`)"),
        'O' => format!("Python objects (dtype `{name}`)"),
        'M' | 'm' => format!("dates or times (dtype `{name}`)"),
        'f' => format!("{}-bit floating point (dtype `{name}`)", size * 8),
        _ => format!("the dtype `{name}`"),
    }
}

fn unsupported(what: &str) -> Trouble {
    Trouble::new(format!("it holds {what}, which blo does not read")).help(
        "save it as float64, float32, a whole-number type or bool, e.g. `numpy.save(path, a.astype(float))`",
    )
}

fn read_elements(
    reader: &mut dyn Read,
    header: &Header,
    count: usize,
    available: u64,
) -> Result<Vec<f64>, Trouble> {
    let size = header.dtype.size;
    let likely = usize::try_from(available).unwrap_or(usize::MAX) / size;
    let mut values = Vec::with_capacity(count.min(likely.saturating_add(1)));
    let mut buffer = vec![0u8; CHUNK * size];
    while values.len() < count {
        let wanted = (count - values.len()).min(CHUNK) * size;
        let got = read_up_to(reader, &mut buffer[..wanted])?;
        if !convert(&buffer[..got], header.dtype, &mut values) {
            let at = values.len();
            return Err(Trouble::new(format!(
                "its value number {at} is a whole number too large to be held exactly (over 2^53)"
            )));
        }
        if got < wanted {
            let found = values.len();
            return Err(Trouble::new(format!(
                "it is cut short: {found} of the {count} values its header announces ({:?})",
                header.shape
            )));
        }
    }
    Ok(values)
}

/// Appends the whole elements among `bytes`; false, and no further, at a whole number that an `f64` cannot hold. The usual types
/// are converted without looking at the type again for every element.
fn convert(bytes: &[u8], Dtype { kind, size, big }: Dtype, values: &mut Vec<f64>) -> bool {
    match (kind, size, big) {
        (Kind::Float, 8, false) => {
            values.extend(bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)));
        }
        (Kind::Float, 4, false) => {
            values.extend(bytes.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))));
        }
        (Kind::Unsigned, 1, _) => values.extend(bytes.iter().map(|b| f64::from(*b))),
        _ => {
            for bytes in bytes.chunks_exact(size) {
                let Some(value) = element(bytes, kind, big) else { return false };
                values.push(value);
            }
        }
    }
    true
}

/// One element; `None` for a whole number that an `f64` cannot hold.
fn element(bytes: &[u8], kind: Kind, big: bool) -> Option<f64> {
    let mut raw = [0u8; 8];
    raw[..bytes.len()].copy_from_slice(bytes);
    if big {
        raw[..bytes.len()].reverse();
    }
    let bits = u64::from_le_bytes(raw);
    match kind {
        Kind::Float if bytes.len() == 4 => Some(f64::from(f32::from_bits(bits as u32))),
        Kind::Float => Some(f64::from_bits(bits)),
        Kind::Bool => Some(f64::from(u8::from(bits != 0))),
        Kind::Unsigned => (bits <= EXACT).then_some(bits as f64),
        Kind::Signed => {
            let unused = 64 - 8 * bytes.len() as u32;
            let value = ((bits << unused) as i64) >> unused;
            (value.unsigned_abs() <= EXACT).then_some(value as f64)
        }
    }
}

/// Fills the buffer as far as the reader goes.
fn read_up_to(reader: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, Trouble> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(Trouble::new(format!("reading it failed: {e}"))),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let dict = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend((dict.len() as u16).to_le_bytes());
        bytes.extend(dict.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn load(bytes: &[u8]) -> Result<Loaded, Trouble> {
        read(&mut &bytes[..], bytes.len() as u64)
    }

    fn message(bytes: &[u8]) -> String {
        load(bytes).unwrap_err().message
    }

    #[test]
    fn every_numeric_type_in_both_byte_orders() {
        let cases: [(&str, Vec<u8>, f64, Elem); 12] = [
            ("'<f8'", (-1.5f64).to_le_bytes().to_vec(), -1.5, Elem::Real),
            ("'>f8'", (-1.5f64).to_be_bytes().to_vec(), -1.5, Elem::Real),
            ("'<f4'", 0.25f32.to_le_bytes().to_vec(), 0.25, Elem::Real),
            ("'>f4'", 0.25f32.to_be_bytes().to_vec(), 0.25, Elem::Real),
            ("'|i1'", (-3i8).to_le_bytes().to_vec(), -3.0, Elem::Int),
            ("'<i2'", (-300i16).to_le_bytes().to_vec(), -300.0, Elem::Int),
            ("'>i4'", (-70000i32).to_be_bytes().to_vec(), -70000.0, Elem::Int),
            ("'<i8'", (-5i64).to_le_bytes().to_vec(), -5.0, Elem::Int),
            ("'|u1'", vec![255], 255.0, Elem::Int),
            ("'>u2'", 60000u16.to_be_bytes().to_vec(), 60000.0, Elem::Int),
            ("'<u8'", 7u64.to_le_bytes().to_vec(), 7.0, Elem::Int),
            ("'|b1'", vec![1], 1.0, Elem::Bool),
        ];
        for (descr, bytes, value, elem) in cases {
            let loaded = load(&file(descr, "False", "(1,)", &bytes)).unwrap();
            assert_eq!((loaded.values[[0]], loaded.elem), (value, elem), "{descr}");
        }
    }

    #[test]
    fn fortran_order_is_turned_into_rows() {
        let loaded = load(&file("'|u1'", "True", "(2, 3)", &[1, 4, 2, 5, 3, 6])).unwrap();
        assert_eq!(loaded.values, ndarray::arr2(&[[1., 2., 3.], [4., 5., 6.]]).into_dyn());
        assert!(loaded.values.is_standard_layout());
    }

    #[test]
    fn scalars_and_empty_arrays() {
        assert_eq!(load(&file("'|u1'", "False", "()", &[9])).unwrap().values.shape(), [0usize; 0]);
        assert_eq!(load(&file("'<f8'", "False", "(0, 4)", &[])).unwrap().values.shape(), [0, 4]);
    }

    #[test]
    fn damage_is_named() {
        assert!(message(b"PK\x03\x04 what").contains("not a .npy file"));
        assert!(message(b"").contains("not a .npy file"));
        assert!(message(&file("'<f8'", "False", "(3,)", &[0; 20])).contains("2 of the 3 values"));
        assert!(message(&file("'<f8'", "False", "(1,)", &[0; 9])).contains("bytes after the 1 values"));
        assert!(message(&file("'<f8'", "False", "(3,)", &[])[..20]).contains("ends inside its header"));
        let huge = file("'<f8'", "False", "(99999999999, 99999999999)", &[]);
        assert!(message(&huge).contains("impossible shape"));
        assert!(
            message(&file("'<f8'", "False", "(999999999999,)", &[0; 8])).contains("1 of the 999999999999")
        );
        assert!(message(&file("'<i8'", "False", "(1,)", &i64::MAX.to_le_bytes())).contains("2^53"));
    }

    #[test]
    fn foreign_types_are_named() {
        for (descr, word) in [
            ("'<c16'", "complex numbers (dtype `<c16`)"),
            ("'<U5'", "text (dtype `<U5`)"),
            ("'|S3'", "text"),
            ("'|O'", "Python objects"),
            ("'<f2'", "16-bit floating point"),
            ("'<M8[ns]'", "dates or times"),
            ("[('a', '<f8')]", "structured type"),
        ] {
            let trouble = load(&file(descr, "False", "(1,)", &[0; 16])).unwrap_err();
            assert!(trouble.message.contains(word), "{descr}: {}", trouble.message);
            assert!(trouble.help.is_some());
        }
    }
}
