//! Values as bytes and back: little endian, lengths in front, variants by number. The format has no names in it; whoever reads must be
//! of the version that wrote, which the head of a frozen problem says ([`super::thaw`]).

use std::borrow::Cow;

use super::ThawError;
use crate::kernel::image::Loaded;

/// Bytes that are being written.
#[derive(Default)]
pub struct Writer {
    /// So far.
    pub bytes: Vec<u8>,
    /// Whether something could not be written, because the compiler did not keep its code.
    pub lacking: bool,
}

/// Bytes that are being read.
pub struct Reader<'a> {
    rest: &'a [u8],
    /// The code that kernels are functions of.
    pub code: Option<Loaded>,
}

impl<'a> Reader<'a> {
    /// At the first of them.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes, code: None }
    }

    /// The next `len` bytes.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], ThawError> {
        let (head, tail) = self.rest.split_at_checked(len).ok_or(ThawError::Damaged)?;
        self.rest = tail;
        Ok(head)
    }

    /// All that is left.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

/// What can be written and read.
pub trait Wire: Sized {
    /// Appends it.
    fn put(&self, to: &mut Writer);
    /// Reads what [`Wire::put`] wrote.
    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError>;
}

macro_rules! numbers {
    ($($number:ty as $wide:ty),*) => {$(
        impl Wire for $number {
            fn put(&self, to: &mut Writer) {
                to.bytes.extend((*self as $wide).to_le_bytes());
            }

            fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
                let bytes = from.take(size_of::<$wide>())?;
                let wide = <$wide>::from_le_bytes(bytes.try_into().map_err(|_| ThawError::Damaged)?);
                <$number>::try_from(wide).map_err(|_| ThawError::Damaged)
            }
        }
    )*};
}
numbers!(u8 as u8, u32 as u32, u64 as u64, i64 as i64, usize as u64, f64 as f64);

impl Wire for bool {
    fn put(&self, to: &mut Writer) {
        u8::from(*self).put(to);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        match u8::get(from)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(ThawError::Damaged),
        }
    }
}

impl Wire for String {
    fn put(&self, to: &mut Writer) {
        self.len().put(to);
        to.bytes.extend(self.as_bytes());
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        let len = usize::get(from)?;
        String::from_utf8(from.take(len)?.to_vec()).map_err(|_| ThawError::Damaged)
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, to: &mut Writer) {
        self.len().put(to);
        self.iter().for_each(|item| item.put(to));
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        let len = usize::get(from)?;
        // A damaged length must not ask for memory that the bytes cannot fill.
        let mut items = Vec::with_capacity(len.min(from.rest.len()));
        for _ in 0..len {
            items.push(T::get(from)?);
        }
        Ok(items)
    }
}

/// Bytes, and numbers of data, which may be many: they are copied at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Bytes(pub Vec<u8>);

impl Wire for Bytes {
    fn put(&self, to: &mut Writer) {
        self.0.len().put(to);
        to.bytes.extend(&self.0);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        let len = usize::get(from)?;
        Ok(Bytes(from.take(len)?.to_vec()))
    }
}

impl Wire for Cow<'_, [f64]> {
    fn put(&self, to: &mut Writer) {
        self.len().put(to);
        to.bytes.reserve(8 * self.len());
        self.iter().for_each(|value| to.bytes.extend(value.to_le_bytes()));
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        let len = usize::get(from)?.checked_mul(8).ok_or(ThawError::Damaged)?;
        let (words, _) = from.take(len)?.as_chunks();
        Ok(Cow::Owned(words.iter().map(|word| f64::from_le_bytes(*word)).collect()))
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, to: &mut Writer) {
        self.is_some().put(to);
        self.iter().for_each(|item| item.put(to));
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        bool::get(from)?.then(|| T::get(from)).transpose()
    }
}

impl<T: Wire> Wire for Box<T> {
    fn put(&self, to: &mut Writer) {
        (**self).put(to);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        T::get(from).map(Box::new)
    }
}

impl<T: Wire, const N: usize> Wire for [T; N] {
    fn put(&self, to: &mut Writer) {
        self.iter().for_each(|item| item.put(to));
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        let items = (0..N).map(|_| T::get(from)).collect::<Result<Vec<T>, _>>()?;
        items.try_into().map_err(|_| ThawError::Damaged)
    }
}

macro_rules! tuples {
    ($(($($name:ident: $at:tt),*)),*) => {$(
        impl<$($name: Wire),*> Wire for ($($name,)*) {
            fn put(&self, to: &mut Writer) {
                $(self.$at.put(to);)*
            }

            fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
                Ok(($($name::get(from)?,)*))
            }
        }
    )*};
}
tuples!((A: 0, B: 1), (A: 0, B: 1, C: 2));

/// Writes and reads a struct field by field.
macro_rules! wire {
    ($name:ty { $($field:ident),* $(,)? }) => {
        impl $crate::frozen::wire::Wire for $name {
            fn put(&self, to: &mut $crate::frozen::wire::Writer) {
                $($crate::frozen::wire::Wire::put(&self.$field, to);)*
            }

            fn get(
                from: &mut $crate::frozen::wire::Reader<'_>,
            ) -> Result<Self, $crate::frozen::ThawError> {
                Ok(Self { $($field: $crate::frozen::wire::Wire::get(from)?),* })
            }
        }
    };
}

/// Writes and reads an enum by the numbers of its variants.
macro_rules! wire_variants {
    ($name:ident { $($number:literal => $variant:ident $(($($item:ident),*))? $({ $($field:ident),* })?),* $(,)? }) => {
        impl $crate::frozen::wire::Wire for $name {
            fn put(&self, to: &mut $crate::frozen::wire::Writer) {
                match self {
                    $($name::$variant $(($($item),*))? $({ $($field),* })? => {
                        $crate::frozen::wire::Wire::put(&($number as u8), to);
                        $($($crate::frozen::wire::Wire::put($item, to);)*)?
                        $($($crate::frozen::wire::Wire::put($field, to);)*)?
                    })*
                }
            }

            fn get(
                from: &mut $crate::frozen::wire::Reader<'_>,
            ) -> Result<Self, $crate::frozen::ThawError> {
                Ok(match <u8 as $crate::frozen::wire::Wire>::get(from)? {
                    $($number => {
                        $($(let $item = $crate::frozen::wire::Wire::get(from)?;)*)?
                        $($(let $field = $crate::frozen::wire::Wire::get(from)?;)*)?
                        $name::$variant $(($($item),*))? $({ $($field),* })?
                    })*
                    _ => return Err($crate::frozen::ThawError::Damaged),
                })
            }
        }
    };
}

pub(crate) use {wire, wire_variants};
