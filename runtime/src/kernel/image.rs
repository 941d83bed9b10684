//! Machine code as data: functions whose addresses of kernels are names, so that they can be written to a file and put into memory
//! later, without a compiler. [`Image::load`] copies them into pages of their own, writes the addresses in, and makes the pages
//! executable and read-only. What the functions do is the promise of whoever made the image.

use std::sync::Arc;

use super::direct::{Direct, DirectCode};
use super::{Code, CodeMemory, Kernel, Reach};

/// A place of a function that holds an address, eight bytes long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Bytes from the start of the function.
    pub offset: u32,
    /// Added to the address.
    pub addend: i64,
    /// Whose address: the link name of a kernel, or of one of the [`ROUTINES`].
    pub name: String,
}

/// A function with holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its machine code.
    pub code: Vec<u8>,
    /// The alignment of its first byte, a power of 2 up to a page.
    pub alignment: usize,
    /// Where addresses go.
    pub holes: Vec<Hole>,
}

/// The functions of a program; a kernel is known by its number among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// In order.
    pub pieces: Vec<Piece>,
}

/// Why an image cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// Code refers to something that this version does not have.
    Unknown(String),
    /// A hole lies outside of its function, or an alignment is none.
    Malformed,
    /// The system gives no memory for code.
    Memory(String),
}

impl std::fmt::Display for ImageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ImageError::Unknown(name) => {
                write!(f, "its code calls `{name}`, which this version does not have")
            }
            ImageError::Malformed => f.write_str("its code is damaged"),
            ImageError::Memory(why) => write!(f, "there is no memory for its code: {why}"),
        }
    }
}

impl std::error::Error for ImageError {}

/// A page on every machine that code is generated for; pages may be larger.
const PAGE: usize = 4096;

macro_rules! routines {
    ($($name:ident: $float:ident, $($arg:ident),+ => $value:expr;)*) => {
        $(extern "C" fn $name($($arg: $float),+) -> $float { $value })*

        fn routine(name: &str) -> Option<*const u8> {
            match name {
                $(stringify!($name) => Some($name as *const u8),)*
                _ => None,
            }
        }

        /// Routines that stand for instructions which not every machine has, by name.
        pub const ROUTINES: &[&str] = &[$(stringify!($name)),*];
    };
}

routines! {
    ceil_f32: f32, x => x.ceil();
    ceil_f64: f64, x => x.ceil();
    floor_f32: f32, x => x.floor();
    floor_f64: f64, x => x.floor();
    trunc_f32: f32, x => x.trunc();
    trunc_f64: f64, x => x.trunc();
    nearest_f32: f32, x => x.round_ties_even();
    nearest_f64: f64, x => x.round_ties_even();
    fma_f32: f32, x, y, z => x.mul_add(y, z);
    fma_f64: f64, x, y, z => x.mul_add(y, z);
}

/// Pages with code.
struct Pages {
    /// Freed when dropped.
    _allocation: region::Allocation,
}

// SAFETY: nothing writes to the pages once they are executable, and reading them is calling them.
unsafe impl Send for Pages {}
// SAFETY: as above.
unsafe impl Sync for Pages {}

impl CodeMemory for Pages {}

/// An image in memory.
pub struct Loaded {
    /// Where every function begins.
    starts: Vec<*const u8>,
    memory: Arc<dyn CodeMemory>,
}

impl Image {
    /// Puts the code into memory. The image must come from a compiler of this version: its code will be run.
    pub fn load(&self) -> Result<Loaded, ImageError> {
        let (mut offsets, mut end) = (Vec::with_capacity(self.pieces.len()), 0_usize);
        for piece in &self.pieces {
            if !piece.alignment.is_power_of_two() || piece.alignment > PAGE {
                return Err(ImageError::Malformed);
            }
            end = end.next_multiple_of(piece.alignment.max(16));
            offsets.push(end);
            end += piece.code.len();
        }
        let mut bytes = vec![0; end.max(1)];
        let (blocks, singles) = (blo_kernels::symbols(), blo_kernels::singles());
        let address = |name: &str| {
            let block = blocks.iter().find(|s| s.name == name).map(|s| s.address);
            let single = || singles.iter().find(|s| s.name == name).map(|s| s.address);
            block.or_else(single).or_else(|| routine(name))
        };
        for (piece, &at) in self.pieces.iter().zip(&offsets) {
            let code = &mut bytes[at..at + piece.code.len()];
            code.copy_from_slice(&piece.code);
            for Hole { offset, addend, name } in &piece.holes {
                let address = address(name).ok_or_else(|| ImageError::Unknown(name.clone()))?;
                let value = (address as usize as u64).wrapping_add_signed(*addend);
                let hole = (*offset as usize).checked_add(8).and_then(|end| code.get_mut(end - 8..end));
                hole.ok_or(ImageError::Malformed)?.copy_from_slice(&value.to_le_bytes());
            }
        }
        let refused = |e: region::Error| ImageError::Memory(e.to_string());
        let mut pages = region::alloc(bytes.len(), region::Protection::READ_WRITE).map_err(refused)?;
        let base = pages.as_mut_ptr::<u8>();
        // SAFETY: the pages are fresh, writable, and at least as long as the bytes.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), base, bytes.len());
            region::protect(base, pages.len(), region::Protection::READ_EXECUTE).map_err(refused)?;
        }
        let starts = offsets.iter().map(|at| base.wrapping_add(*at).cast_const()).collect();
        Ok(Loaded { starts, memory: Arc::new(Pages { _allocation: pages }) })
    }
}

impl Loaded {
    /// The function of this number as a kernel with this reach.
    pub(crate) fn kernel(&self, number: u32, reach: &[Reach]) -> Option<Kernel> {
        let start = *self.starts.get(number as usize)?;
        // SAFETY: a function of an image, which the compiler recorded with this reach; the pages live as long as the kernel.
        let kernel =
            unsafe { Kernel::new(std::mem::transmute::<*const u8, Code>(start), reach, self.memory.clone()) };
        Some(kernel.numbered(number))
    }

    /// The function of this number as an entry with these lengths.
    pub(crate) fn direct(
        &self,
        number: u32,
        (inputs, outputs, bytes): ([usize; 4], [usize; 3], usize),
    ) -> Option<Direct> {
        let start = *self.starts.get(number as usize)?;
        // SAFETY: as in `kernel`.
        let direct = unsafe {
            let code = std::mem::transmute::<*const u8, DirectCode>(start);
            Direct::new(code, inputs, outputs, bytes, self.memory.clone())
        };
        Some(direct.numbered(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(offset: u32, name: &str) -> Piece {
        Piece {
            code: vec![0x90; 16],
            alignment: 16,
            holes: vec![Hole { offset, addend: 0, name: name.into() }],
        }
    }

    #[test]
    fn holes_outside_and_unknown_names_are_refused() {
        let load = |piece: Piece| Image { pieces: vec![piece] }.load().err();
        assert_eq!(load(piece(8, "blo_k_exp_f64")), None);
        assert_eq!(load(piece(8, "floor_f64")), None);
        assert_eq!(load(piece(9, "blo_k_exp_f64")), Some(ImageError::Malformed));
        assert_eq!(load(piece(u32::MAX, "blo_k_exp_f64")), Some(ImageError::Malformed));
        assert_eq!(load(piece(0, "system")), Some(ImageError::Unknown("system".into())));
        assert_eq!(load(Piece { alignment: 3, ..piece(0, "fma_f64") }), Some(ImageError::Malformed));
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn code_runs_where_it_was_loaded() {
        // mov rax, [rdi]; mov rcx, 7; mov [rax], rcx; ret
        let code = vec![0x48, 0x8b, 0x07, 0x48, 0xc7, 0xc1, 7, 0, 0, 0, 0x48, 0x89, 0x08, 0xc3];
        let image = Image { pieces: vec![Piece { code, alignment: 1, holes: Vec::new() }] };
        let kernel = image.load().unwrap().kernel(0, &[Reach { bytes: 8, writes: true }]).unwrap();
        let mut memory = super::super::Memory::new(64).unwrap();
        let bound = memory.bind(&kernel, &[(0, 8)]).unwrap_or_else(|e| panic!("{e:?}"));
        memory.call(&bound);
        assert_eq!(memory.read(memory.slot::<i64>(0, 1).unwrap()), [7]);
    }
}
