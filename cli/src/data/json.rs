//! Reads nested JSON arrays of numbers into one array, without building a tree of values first.

use std::fmt;
use std::io::{BufReader, Read};

use blo_compiler::types::Elem;
use ndarray::{ArrayD, IxDyn};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Loaded;
use crate::files::Trouble;

/// Reads a number or an array of arrays of … of numbers, all of the same length per depth.
pub fn read(file: impl Read) -> Result<Loaded, Trouble> {
    let mut flat = Flat::default();
    let mut input = serde_json::Deserializer::from_reader(BufReader::new(file));
    let done = Entry { flat: &mut flat, depth: 0 }.deserialize(&mut input).and_then(|()| input.end());
    done.map_err(|e| {
        let text = e.to_string();
        if e.is_io() {
            Trouble::new(format!("reading it failed: {text}"))
        } else if e.is_eof() {
            Trouble::new(format!("it ends too early, in line {}, column {}", e.line(), e.column()))
        } else if text.contains("expected value") {
            Trouble::new(format!("there is no number in line {}, column {}", e.line(), e.column()))
                .help("it must hold numbers in square brackets; JSON has no NaN and no infinity")
        } else {
            Trouble::new(text.replacen("invalid type: ", "", 1))
        }
    })?;
    let elem = flat.elem.unwrap_or(Elem::Real);
    let shape: Vec<usize> = flat.sizes.iter().map(|size| size.unwrap_or(0)).collect();
    let values = ArrayD::from_shape_vec(IxDyn(&shape), flat.values);
    let values = values.map_err(|_| Trouble::new("its arrays do not form a table"))?;
    Ok(Loaded { elem, values })
}

/// What has been read so far.
#[derive(Default)]
struct Flat {
    values: Vec<f64>,
    /// The length of the arrays at each depth, once one has ended.
    sizes: Vec<Option<usize>>,
    /// The depth at which numbers stand, once one was seen.
    leaves: Option<usize>,
    elem: Option<Elem>,
}

/// The next number or array, `depth` arrays deep.
struct Entry<'a> {
    flat: &'a mut Flat,
    depth: usize,
}

impl Entry<'_> {
    fn number<E: Error>(self, value: f64, elem: Elem) -> Result<(), E> {
        if *self.flat.leaves.get_or_insert(self.depth) != self.depth || self.flat.sizes.len() > self.depth {
            return Err(E::custom("numbers and arrays stand side by side"));
        }
        self.flat.values.push(value);
        self.flat.elem = Some(self.flat.elem.map_or(elem, |e| e.max(elem)));
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Entry<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entry<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a number or an array of numbers")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.number(f64::from(u8::from(value)), Elem::Bool)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.number(value as f64, Elem::Int)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.number(value as f64, Elem::Int)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.number(value, Elem::Real)
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom("an object stands where a number or an array is expected"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Entry { flat, depth } = self;
        if flat.leaves.is_some_and(|leaves| depth >= leaves) {
            return Err(A::Error::custom("numbers and arrays stand side by side"));
        }
        if flat.sizes.len() == depth {
            flat.sizes.push(None);
        }
        let mut count = 0;
        while entries.next_element_seed(Entry { flat: &mut *flat, depth: depth + 1 })?.is_some() {
            count += 1;
        }
        match *flat.sizes[depth].get_or_insert(count) {
            first if first == count => Ok(()),
            first => Err(A::Error::custom(format!(
                "the arrays have different lengths: one has {count} entries, an earlier one {first}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Loaded, Trouble> {
        read(text.as_bytes())
    }

    #[test]
    fn nested_arrays() {
        let loaded = load("[[1, 2, 3], [4, 5, 6]]").unwrap();
        assert_eq!(loaded.values, ndarray::arr2(&[[1., 2., 3.], [4., 5., 6.]]).into_dyn());
        assert_eq!(loaded.elem, Elem::Int);
        assert_eq!(load("[1, 2.5]").unwrap().elem, Elem::Real);
        assert_eq!(load("[true]").unwrap().elem, Elem::Bool);
        assert_eq!(load("3").unwrap().values.ndim(), 0);
        assert_eq!(load("[[], []]").unwrap().values.shape(), [2, 0]);
        assert_eq!(load("[]").unwrap().values.shape(), [0]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let message = |text: &str| load(text).unwrap_err().message;
        assert!(message("[[1, 2],\n [3]]").contains("one has 1 entries, an earlier one 2 at line 2"));
        assert!(message("[1, [2]]").contains("side by side"));
        assert!(message("[[1], 2]").contains("side by side"));
        assert!(message("[[], 2]").contains("side by side"));
        assert!(message("[1, null]").contains("null"));
        assert!(message("{\"a\": 1}").contains("an object"));
        assert!(message("[1, \"x\"]").contains("string \"x\""));
        assert!(message("[1, 2").contains("ends too early, in line 1, column 5"));
        assert!(message("[1] 2").contains("trailing"));
        assert!(message(&"[".repeat(5000)).contains("recursion limit"));
    }
}
