//! Steps that run tile by tile, on several threads at once. Each worker has memory of its own; the program's memory is
//! shared. [`Tiles`] records every access when a program is built and refuses any that could meet another one's tile, so that
//! [`Lane`]s, which run the tiles, check only that an access is used in the tile it was made for.
//!
//! Tiles are numbered; some of them in a row make a chunk. A lane takes whole chunks and runs their tiles in order, so what a
//! chunk sums up does not depend on how many lanes there are.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{BindError, Code, CodeMemory, Kernel, Memory, Word};

/// How far the cells that a tile uses move, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moves {
    /// All tiles use the same ones, and only read them.
    Not,
    /// So far from tile to tile.
    ByTile(usize),
    /// So far from chunk to chunk.
    ByChunk(usize),
}

/// A buffer as tiles see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// Its first byte.
    pub byte: usize,
    /// Its length in bytes.
    pub bytes: usize,
    /// Whether it lies in a worker's own memory. It does not move then.
    pub own: bool,
    /// How it moves.
    pub moves: Moves,
}

/// Where tiles lie and which exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Tiles of full size.
    pub whole: usize,
    /// Whether a shorter one follows.
    pub rest: bool,
    /// Tiles of a chunk.
    pub chunk: usize,
}

impl Cut {
    fn tiles(self) -> usize {
        self.whole + usize::from(self.rest)
    }

    fn chunks(self) -> usize {
        self.tiles().div_ceil(self.chunk.max(1))
    }
}

/// What one step uses of an area.
#[derive(Clone, Copy)]
struct Access {
    area: Area,
    first: usize,
    bytes: usize,
    writes: bool,
    rest: bool,
}

impl Access {
    fn address(&self, shared: *mut u8, own: *mut u8, tile: usize, chunk: usize) -> *mut u8 {
        let start = self.area.byte + self.first;
        if self.area.own {
            return own.wrapping_add(start);
        }
        shared.wrapping_add(match self.area.moves {
            Moves::Not => start,
            Moves::ByTile(shift) => start + tile * shift,
            Moves::ByChunk(shift) => start + chunk * shift,
        })
    }
}

/// Elements that a step of a tile uses: an entry of its [`Tiles`].
pub struct TileSlot<T> {
    access: usize,
    elem: PhantomData<T>,
}

impl<T> Clone for TileSlot<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for TileSlot<T> {}

/// A kernel bound to accesses.
struct TileKernel {
    code: Code,
    accesses: Box<[usize]>,
    _keep: Arc<dyn CodeMemory>,
}

/// The memory of one worker.
pub struct Worker {
    memory: Memory,
    pointers: Vec<*mut u8>,
}

// SAFETY: the pointers are scratch of `Lane::call`, written before they are read, and never kept from one call to the next.
unsafe impl Send for Worker {}

impl Worker {
    /// With so many bytes; `None` where the machine does not have them.
    pub fn new(bytes: usize) -> Option<Self> {
        Memory::new(bytes).map(|memory| Worker { memory, pointers: Vec::new() })
    }
}

/// The accesses of steps that run tile by tile.
pub struct Tiles {
    cut: Cut,
    /// Bytes of the program's memory and of a worker's.
    bytes: [usize; 2],
    accesses: Vec<Access>,
    kernels: Vec<TileKernel>,
}

impl Tiles {
    /// No accesses yet, for a program with this memory and workers with so many bytes.
    pub fn new(cut: Cut, memory: &Memory, own_bytes: usize) -> Self {
        Tiles { cut, bytes: [memory.bytes(), own_bytes], accesses: Vec::new(), kernels: Vec::new() }
    }

    fn access(&mut self, access: Access) -> Option<usize> {
        let Access { area, first, bytes, writes, rest } = access;
        let inside = area.byte.checked_add(area.bytes)? <= self.bytes[usize::from(area.own)];
        let last = if rest { self.cut.whole } else { self.cut.whole.checked_sub(1)? };
        let (moved, window) = match area.moves {
            Moves::Not => (0, usize::MAX),
            _ if area.own => return None,
            Moves::ByTile(shift) => (shift.checked_mul(last)?, shift),
            Moves::ByChunk(shift) => (shift.checked_mul(self.cut.chunks().checked_sub(1)?)?, shift),
        };
        let end = first.checked_add(bytes)?;
        let alone = !writes || area.own || (area.moves != Moves::Not && end <= window);
        if !inside || end.checked_add(moved)? > area.bytes || !alone {
            return None;
        }
        self.accesses.push(access);
        Some(self.accesses.len() - 1)
    }

    /// The `len` elements from byte `first` of an area on, for a step of a whole tile or of the `rest`; `None` if they leave the
    /// area, are misaligned, or are written where another tile could meet them.
    pub fn slot<T: Word>(
        &mut self,
        area: Area,
        first: usize,
        len: usize,
        writes: bool,
        rest: bool,
    ) -> Option<TileSlot<T>> {
        let shift = match area.moves {
            Moves::Not => 0,
            Moves::ByTile(shift) | Moves::ByChunk(shift) => shift,
        };
        if [area.byte, first, shift].iter().any(|b| !b.is_multiple_of(size_of::<T>())) {
            return None;
        }
        let bytes = len.checked_mul(size_of::<T>())?;
        self.access(Access { area, first, bytes, writes, rest })
            .map(|access| TileSlot { access, elem: PhantomData })
    }

    /// Binds a kernel to areas, and gives its number.
    pub fn kernel(&mut self, kernel: &Kernel, areas: &[Area], rest: bool) -> Result<usize, BindError> {
        if areas.len() != kernel.reach.len() {
            return Err(BindError::Count);
        }
        let mut accesses = Vec::with_capacity(areas.len());
        for (k, (&area, reach)) in areas.iter().zip(kernel.reach.iter()).enumerate() {
            let access = Access { area, first: 0, bytes: reach.bytes, writes: reach.writes, rest };
            if !area.byte.is_multiple_of(4) {
                return Err(BindError::Extent(k));
            }
            accesses.push(self.access(access).ok_or(BindError::Extent(k))?);
        }
        let keep = kernel.memory.clone();
        self.kernels.push(TileKernel { code: kernel.code, accesses: accesses.into(), _keep: keep });
        Ok(self.kernels.len() - 1)
    }

    /// The finished steps, if no tile uses what another one writes; otherwise the first byte of an area where they would meet.
    pub fn finish(self) -> Result<Group, usize> {
        let shared = || self.accesses.iter().filter(|a| !a.area.own && a.bytes > 0);
        for w in shared().filter(|a| a.writes) {
            for o in shared() {
                let apart =
                    w.area.byte + w.area.bytes <= o.area.byte || o.area.byte + o.area.bytes <= w.area.byte;
                let window = match w.area.moves {
                    Moves::Not => 0,
                    Moves::ByTile(shift) | Moves::ByChunk(shift) => shift,
                };
                let same = o.area == w.area && o.first + o.bytes <= window;
                if !apart && !same {
                    return Err(w.area.byte);
                }
            }
        }
        Ok(Group { tiles: self, next: AtomicUsize::new(0) })
    }
}

/// Steps that run tile by tile, checked.
pub struct Group {
    tiles: Tiles,
    /// The next chunk to be taken.
    next: AtomicUsize,
}

impl Group {
    /// Runs `work` for every tile, with a lane for each of the workers. Those beyond the first run on threads of the current pool.
    /// Does nothing if a worker has less memory than the steps need.
    pub fn run(&mut self, memory: &mut Memory, workers: &mut [Worker], work: impl Fn(&mut Lane<'_>) + Sync) {
        assert_eq!(memory.bytes(), self.tiles.bytes[0], "tiles run in the memory they were made for");
        let needed = self.tiles.kernels.iter().map(|k| k.accesses.len()).max().unwrap_or(0);
        for worker in &mut *workers {
            assert!(worker.memory.bytes() >= self.tiles.bytes[1], "a worker has too little memory");
            worker.pointers.resize(needed.max(worker.pointers.len()), std::ptr::null_mut());
        }
        *self.next.get_mut() = 0;
        spread(self, Base(memory.base), workers, &work);
    }
}

/// The first byte of the program's memory.
#[derive(Clone, Copy)]
struct Base(*mut u8);

// SAFETY: it is used only by lanes, whose accesses do not meet (`Tiles::finish`).
unsafe impl Send for Base {}
// SAFETY: as above.
unsafe impl Sync for Base {}

fn spread(group: &Group, base: Base, workers: &mut [Worker], work: &(impl Fn(&mut Lane<'_>) + Sync)) {
    match workers {
        [] => {}
        [worker] => {
            let mut lane = Lane { group, base, worker, tile: 0, end: 0, chunk: 0 };
            while lane.advance() {
                work(&mut lane);
            }
        }
        _ => {
            let (left, right) = workers.split_at_mut(workers.len() / 2);
            rayon::join(|| spread(group, base, left, work), || spread(group, base, right, work));
        }
    }
}

/// One worker on its way through the tiles.
pub struct Lane<'a> {
    group: &'a Group,
    base: Base,
    worker: &'a mut Worker,
    tile: usize,
    /// One past the last tile of its chunk.
    end: usize,
    chunk: usize,
}

impl Lane<'_> {
    /// Goes to the next tile, if there is one left.
    fn advance(&mut self) -> bool {
        let cut = self.group.tiles.cut;
        if self.tile + 1 < self.end {
            self.tile += 1;
            return true;
        }
        // Each number is given out once, so no two lanes work in the same chunk.
        self.chunk = self.group.next.fetch_add(1, Ordering::Relaxed);
        self.tile = self.chunk.saturating_mul(cut.chunk);
        self.end = self.tile.saturating_add(cut.chunk).min(cut.tiles());
        self.tile < self.end
    }

    /// Whether this is the last, shorter tile.
    pub fn is_rest(&self) -> bool {
        self.tile == self.group.tiles.cut.whole
    }

    /// Whether it is the first tile of its chunk.
    pub fn is_first(&self) -> bool {
        self.tile.is_multiple_of(self.group.tiles.cut.chunk)
    }

    /// Whether another tile of full size follows this one.
    pub fn whole_follows(&self) -> bool {
        self.tile + 1 < self.group.tiles.cut.whole
    }

    fn address(&self, access: &Access) -> *mut u8 {
        assert_eq!(access.rest, self.is_rest(), "a step runs in a tile of another size");
        access.address(self.base.0, self.worker.memory.base, self.tile, self.chunk)
    }

    /// Two runs to read and one to write, which must not overlap them.
    pub fn split<A: Word, B: Word, C: Word>(
        &mut self,
        a: TileSlot<A>,
        b: TileSlot<B>,
        c: TileSlot<C>,
    ) -> (&[A], &[B], &mut [C]) {
        let get = |k: usize| &self.group.tiles.accesses[k];
        let (a, b, c) = (get(a.access), get(b.access), get(c.access));
        let [from_a, from_b, to] = [a, b, c].map(|x| self.address(x));
        let apart = |from: *mut u8, x: &Access| {
            from as usize + x.bytes <= to as usize || to as usize + c.bytes <= from as usize
        };
        assert!(c.writes && apart(from_a, a) && apart(from_b, b), "a step writes what it reads");
        let aligned = from_a.cast::<A>().is_aligned() && from_b.cast::<B>().is_aligned();
        assert!(aligned && to.cast::<C>().is_aligned(), "a slot is used with the tiles it was made for");
        // SAFETY: every access is inside the shared memory or the worker's for every tile of its kind (`Tiles::access`), aligned
        // (just checked) and initialised. This lane alone is in this tile and chunk (`advance`),
        // and no other one meets what it writes (`Tiles::finish`); the mutable slice is disjoint from the shared ones. The lane
        // is borrowed, and with it, through `Group::run`, both memories.
        unsafe {
            (
                std::slice::from_raw_parts(from_a.cast(), a.bytes / size_of::<A>()),
                std::slice::from_raw_parts(from_b.cast(), b.bytes / size_of::<B>()),
                std::slice::from_raw_parts_mut(to.cast(), c.bytes / size_of::<C>()),
            )
        }
    }

    /// Calls a kernel by its number.
    pub fn call(&mut self, kernel: usize) {
        let tiles = &self.group.tiles;
        let kernel = &tiles.kernels[kernel];
        for (k, &access) in kernel.accesses.iter().enumerate() {
            self.worker.pointers[k] = self.address(&tiles.accesses[access]);
        }
        // SAFETY: as in `split` for each pointer, with the length and the kind of use that the kernel states; the code is alive
        // because the group holds its memory.
        unsafe { (kernel.code)(self.worker.pointers.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(byte: usize, bytes: usize, moves: Moves) -> Area {
        Area { byte, bytes, own: false, moves }
    }

    /// Sums 10 numbers by tiles of 4, into one number a chunk of 2 tiles, on `threads` threads.
    fn sums(threads: usize) -> Vec<f64> {
        let mut memory = Memory::new(256).unwrap();
        let x = memory.slot::<f64>(0, 10).unwrap();
        memory.write(x).iter_mut().zip(1..).for_each(|(x, k)| *x = f64::from(k));
        let mut tiles = Tiles::new(Cut { whole: 2, rest: true, chunk: 2 }, &memory, 64);
        let (data, out) = (area(0, 80, Moves::ByTile(32)), area(128, 16, Moves::ByChunk(8)));
        let mut slots = Vec::new();
        for (rest, len) in [(false, 4), (true, 2)] {
            let from = tiles.slot::<f64>(data, 0, len, false, rest).unwrap();
            slots.push((from, tiles.slot::<f64>(out, 0, 1, true, rest).unwrap()));
        }
        let mut group = tiles.finish().unwrap_or_else(|byte| panic!("tiles meet at {byte}"));
        let mut workers: Vec<Worker> = (0..threads).map(|_| Worker::new(64).unwrap()).collect();
        group.run(&mut memory, &mut workers, |lane| {
            let (from, to) = slots[usize::from(lane.is_rest())];
            let first = lane.is_first();
            let (x, _, out) = lane.split(from, from, to);
            out[0] = x.iter().sum::<f64>() + if first { 0.0 } else { out[0] };
        });
        memory.read(memory.slot::<f64>(128, 2).unwrap()).to_vec()
    }

    #[test]
    fn every_tile_runs_once_on_any_number_of_threads() {
        for threads in [1, 2, 3, 5] {
            assert_eq!(sums(threads), [36.0, 19.0]);
        }
    }

    #[test]
    fn accesses_that_would_meet_are_refused() {
        let memory = Memory::new(256).unwrap();
        let cut = Cut { whole: 3, rest: false, chunk: 1 };
        let new = || Tiles::new(cut, &memory, 64);
        // Outside of the area in the last tile; written without moving; written beyond the tile's own part; misaligned.
        assert!(new().slot::<f64>(area(0, 64, Moves::ByTile(32)), 0, 1, false, false).is_none());
        assert!(new().slot::<f64>(area(0, 64, Moves::Not), 0, 1, true, false).is_none());
        assert!(new().slot::<f64>(area(0, 96, Moves::ByTile(16)), 0, 3, true, false).is_none());
        assert!(new().slot::<f64>(area(0, 64, Moves::ByTile(12)), 0, 1, false, false).is_none());
        // There is no shorter tile in this cut beyond the third; own memory ends at 64.
        assert!(new().slot::<f64>(area(0, 48, Moves::ByTile(16)), 0, 2, false, true).is_none());
        assert!(
            new().slot::<f64>(Area { own: true, ..area(64, 64, Moves::Not) }, 0, 1, true, false).is_none()
        );
        // Read whole by all tiles while each writes its part.
        let mut tiles = new();
        let written = area(64, 48, Moves::ByTile(16));
        assert!(tiles.slot::<f64>(written, 0, 2, true, false).is_some());
        assert!(tiles.slot::<f64>(area(0, 80, Moves::Not), 0, 10, false, false).is_some());
        assert_eq!(tiles.finish().err(), Some(64));
        // The next tile's part is read.
        let mut tiles = new();
        assert!(tiles.slot::<f64>(Area { bytes: 64, ..written }, 0, 2, true, false).is_some());
        assert!(tiles.slot::<f64>(Area { bytes: 64, ..written }, 16, 2, false, false).is_some());
        assert_eq!(tiles.finish().err(), Some(64));
    }
}
