//! A program as bytes: its code and its specification. Kernels are written as numbers of functions with the lengths they keep to.

use std::borrow::Cow;

use super::ThawError;
use super::wire::{Bytes, Reader, Wire, Writer, wire, wire_variants};
use crate::derivatives::{Derivatives, Quantity};
use crate::kernel::direct::Direct;
use crate::kernel::image::{Hole, Image, Piece};
use crate::kernel::{Kernel, Reach};
use crate::program::Program;
use crate::program::spec::{
    BufferId, BufferSpec, Cell, DataSpec, Dense, DirectSpec, EntrySpec, HostStep, Matrix, Place, ProgramSpec,
    Shift, Sparse, StepSpec, TiledSpec, Width,
};

/// A program whose kernels are functions of `image` by their numbers, as bytes.
pub fn freeze(image: &Image, spec: &ProgramSpec<'_>) -> Vec<u8> {
    let mut to = Writer::default();
    image.pieces.put(&mut to);
    spec.put(&mut to);
    to.bytes
}

impl Wire for Box<dyn Derivatives> {
    fn put(&self, to: &mut Writer) {
        match self.frozen() {
            Some(bytes) => {
                bytes.len().put(to);
                to.bytes.extend(bytes);
            }
            None => to.lacking = true,
        }
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        let len = usize::get(from)?;
        let mut inner = Reader::new(from.take(len)?);
        let image = Image { pieces: Wire::get(&mut inner)? };
        inner.code = Some(image.load().map_err(ThawError::Code)?);
        let spec = ProgramSpec::get(&mut inner)?;
        Ok(Box::new(Program::new(&spec).map_err(ThawError::Program)?))
    }
}

wire!(Hole { offset, addend, name });

impl Wire for Piece {
    fn put(&self, to: &mut Writer) {
        self.alignment.put(to);
        self.holes.put(to);
        self.code.len().put(to);
        to.bytes.extend(&self.code);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        let (alignment, holes, Bytes(code)) = Wire::get(from)?;
        Ok(Piece { code, alignment, holes })
    }
}

impl Wire for BufferId {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        u32::get(from).map(BufferId)
    }
}

impl Wire for Quantity {
    fn put(&self, to: &mut Writer) {
        (*self as u8).put(to);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        let number = u8::get(from)?;
        Quantity::ALL.into_iter().find(|q| *q as u8 == number).ok_or(ThawError::Damaged)
    }
}

/// The functions of rows, whose names are part of the program's text.
impl Wire for &'static str {
    fn put(&self, to: &mut Writer) {
        self.to_string().put(to);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        let name = String::get(from)?;
        ["softmax", "log_softmax", "logsumexp"].into_iter().find(|n| *n == name).ok_or(ThawError::Damaged)
    }
}

wire_variants!(Cell { 0 => Real, 1 => Int });
wire_variants!(Width { 0 => Single, 1 => Double });
wire_variants!(Shift { 0 => Tile(cells), 1 => Chunk(cells) });
wire_variants!(Dense { 0 => Lu, 1 => LuSolve, 2 => Cholesky, 3 => TriangularSolve });
wire_variants!(Sparse { 0 => Product, 1 => Transposed, 2 => Outer });
wire!(BufferSpec { cell, len, byte, own });
wire!(Place { buffer, offset });
wire!(Matrix { at, batch, row, col });
wire!(TiledSpec { whole, chunk, steps, rest, shifts });
wire!(DirectSpec { whole, slim, staged });
wire!(EntrySpec { quantity, stages, joint, outputs, direct, work });
wire!(Reach { bytes, writes });
wire_variants!(HostStep {
    0 => Gemm { cell, sizes, lhs, rhs, out, alpha, accumulate, ahead },
    1 => Rows { name, rows, len, x, out },
    2 => Gather { cell, sizes, x, index, out },
    3 => Scatter { cell, sizes, x, index, out },
    4 => Scan { cell, sizes, reverse, x, out },
    5 => ArgReduce { cell, sizes, largest, x, out },
    6 => ArgSort { sizes, x, out },
    7 => Dense { kind, sizes, transposed, factor, x, out },
    8 => Sparse { kind, sizes, places, operands, out },
});
wire_variants!(StepSpec { 0 => Kernel(kernel, buffers), 1 => Host(step), 2 => Tiled(tiles) });

impl Wire for Kernel {
    fn put(&self, to: &mut Writer) {
        self.number().put(to);
        self.reach().to_vec().put(to);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        let (number, reach): (u32, Vec<Reach>) = Wire::get(from)?;
        let kernel = from.code.as_ref().and_then(|code| code.kernel(number, &reach));
        kernel.ok_or(ThawError::Damaged)
    }
}

impl Wire for Direct {
    fn put(&self, to: &mut Writer) {
        self.parts().put(to);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        let (number, lens) = Wire::get(from)?;
        from.code.as_ref().and_then(|code| code.direct(number, lens)).ok_or(ThawError::Damaged)
    }
}

impl Wire for DataSpec<'_> {
    fn put(&self, to: &mut Writer) {
        self.name.put(to);
        self.buffer.put(to);
        self.values.put(to);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        let (name, buffer) = Wire::get(from)?;
        Ok(DataSpec { name, buffer, values: <Cow<'_, [f64]>>::get(from)? })
    }
}

impl Wire for ProgramSpec<'_> {
    fn put(&self, to: &mut Writer) {
        (self.width, self.bytes, self.own_bytes).put(to);
        self.buffers.put(to);
        self.vectors.put(to);
        self.batches.put(to);
        self.lens.put(to);
        self.data.put(to);
        self.setup.put(to);
        self.entries.put(to);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        let (width, bytes, own_bytes) = Wire::get(from)?;
        Ok(ProgramSpec {
            width,
            bytes,
            own_bytes,
            buffers: Wire::get(from)?,
            vectors: Wire::get(from)?,
            batches: Wire::get(from)?,
            lens: Wire::get(from)?,
            data: Wire::get(from)?,
            setup: Wire::get(from)?,
            entries: Wire::get(from)?,
        })
    }
}
