//! Shared libraries for Linux (ELF, 64 bit, little endian), as far as a template is turned into a model: exported names are given
//! another beginning, and a segment is added with the names, a table to find them by, and the frozen problem. No linker is needed.
//!
//! The segment takes the place of the note with the build's identity among the program headers, and lies behind all others in memory.
//! The GNU hash table, which would have to be sorted again, becomes a plain one. What is not loaded (symbols for debuggers) is left out.

/// The beginning of the names that the template exports.
const PREFIX: &str = "blo_kernel_";

/// The name of the symbol that says where the frozen problem is, behind the beginning.
const PAYLOAD: &str = "payload";

const PAGE: usize = 4096;

const LOAD: u32 = 1;
const DYNAMIC: u32 = 2;
const NOTE: u32 = 4;

const SYMBOL: usize = 24;
const SECTION: usize = 64;
const PROGRAM: usize = 56;

/// A file in memory.
struct File<'a>(&'a [u8]);

/// A program header.
#[derive(Clone, Copy)]
struct Segment {
    kind: u32,
    offset: usize,
    address: usize,
    in_file: usize,
    in_memory: usize,
    /// Its bytes as they stand.
    raw: [u8; PROGRAM],
}

/// What is needed of a section header.
#[derive(Clone, Copy)]
struct Section {
    kind: u32,
    loaded: bool,
    offset: usize,
    size: usize,
    link: usize,
}

impl File<'_> {
    fn number<const N: usize>(&self, at: usize) -> Option<u64> {
        let mut wide = [0; 8];
        wide[..N].copy_from_slice(self.0.get(at..at.checked_add(N)?)?);
        Some(u64::from_le_bytes(wide))
    }

    fn place<const N: usize>(&self, at: usize) -> Option<usize> {
        self.number::<N>(at)?.try_into().ok()
    }

    fn is_library(&self) -> bool {
        // 64 bit, little endian, this version, a shared object, x86-64.
        self.0.starts_with(b"\x7fELF\x02\x01\x01") && self.number::<4>(16) == Some(0x3e_0003)
    }

    fn segments(&self) -> Option<Vec<Segment>> {
        let (first, count) = (self.place::<8>(32)?, self.place::<2>(56)?);
        let segment = |k: usize| {
            let at = first.checked_add(k * PROGRAM)?;
            Some(Segment {
                kind: self.number::<4>(at)? as u32,
                offset: self.place::<8>(at + 8)?,
                address: self.place::<8>(at + 16)?,
                in_file: self.place::<8>(at + 32)?,
                in_memory: self.place::<8>(at + 40)?,
                raw: self.0.get(at..at + PROGRAM)?.try_into().ok()?,
            })
        };
        (0..count).map(segment).collect()
    }

    fn sections(&self) -> Option<Vec<Section>> {
        let (first, count) = (self.place::<8>(40)?, self.place::<2>(60)?);
        let section = |k: usize| {
            let at = first.checked_add(k * SECTION)?;
            Some(Section {
                kind: self.number::<4>(at + 4)? as u32,
                loaded: self.number::<8>(at + 8)? & 2 != 0,
                offset: self.place::<8>(at + 24)?,
                size: self.place::<8>(at + 32)?,
                link: self.place::<4>(at + 40)?,
            })
        };
        (0..count).map(section).collect()
    }

    fn text(&self, at: usize) -> Option<&[u8]> {
        let rest = self.0.get(at..)?;
        rest.get(..rest.iter().position(|b| *b == 0)?)
    }
}

/// Where in the file an address is.
fn offset_of(segments: &[Segment], address: usize) -> Option<usize> {
    let holds = |s: &&Segment| s.kind == LOAD && (s.address..s.address + s.in_file).contains(&address);
    segments.iter().find(holds).map(|s| s.offset + (address - s.address))
}

/// A section of symbols by kind, and that of their names.
fn symbols(sections: &[Section]) -> Option<(Section, Section)> {
    const DYNAMIC_SYMBOLS: u32 = 11;
    let symbols = *sections.iter().find(|s| s.kind == DYNAMIC_SYMBOLS)?;
    Some((symbols, *sections.get(symbols.link)?))
}

/// The frozen problem of a library that a model was written to; `None` where there is none.
pub fn payload(bytes: &[u8]) -> Option<&[u8]> {
    let file = File(bytes);
    if !file.is_library() {
        return None;
    }
    let (segments, sections) = (file.segments()?, file.sections()?);
    let (symbols, names) = symbols(&sections)?;
    for at in (symbols.offset..symbols.offset.checked_add(symbols.size)?).step_by(SYMBOL) {
        let name = file.text(names.offset.checked_add(file.place::<4>(at)?)?)?;
        if name.ends_with(format!("_{PAYLOAD}").as_bytes()) && file.place::<8>(at + 16)? == 16 {
            let address = file.place::<8>(at + 8)?;
            let slot = offset_of(&segments, address)?;
            let (distance, len) = (file.place::<8>(slot)?, file.place::<8>(slot + 8)?);
            let start = offset_of(&segments, address.checked_add(distance)?)?;
            return bytes.get(start..start.checked_add(len)?).filter(|_| distance > 0);
        }
    }
    None
}

/// The hash of a name in a plain table.
fn hash(name: &[u8]) -> u32 {
    name.iter().fold(0, |h: u32, byte| {
        let h = (h << 4).wrapping_add(u32::from(*byte));
        let high = h & 0xf000_0000;
        (h ^ (high >> 24)) & !high
    })
}

/// The names of symbols, with those exported renamed, and the table to find them by.
struct Names {
    strings: Vec<u8>,
    table: Vec<u8>,
    /// The address of the symbol of the problem.
    slot: usize,
}

/// Renames the exported symbols in `out`, a copy of the file.
fn rename(
    file: &File<'_>,
    out: &mut [u8],
    (symbols, names): (Section, Section),
    prefix: &str,
) -> Option<Names> {
    let count = symbols.size / SYMBOL;
    let mut strings = file.0.get(names.offset..names.offset.checked_add(names.size)?)?.to_vec();
    let buckets = count.max(1);
    let (mut first, mut chain) = (vec![0_u32; buckets], vec![0_u32; count]);
    let mut slot = None;
    for (k, next) in chain.iter_mut().enumerate().skip(1) {
        let at = symbols.offset + k * SYMBOL;
        let defined = file.number::<2>(at + 6)? != 0;
        let mut name = file.text(names.offset + file.place::<4>(at)?)?.to_vec();
        if let Some(rest) = name.strip_prefix(PREFIX.as_bytes()).filter(|_| defined) {
            if rest == PAYLOAD.as_bytes() {
                slot = file.place::<8>(at + 8);
            }
            let place = u32::try_from(strings.len()).ok()?;
            out.get_mut(at..at + 4)?.copy_from_slice(&place.to_le_bytes());
            name = [prefix.as_bytes(), b"_", rest].concat();
            strings.extend(&name);
            strings.push(0);
        }
        if defined {
            let bucket = hash(&name) as usize % buckets;
            *next = std::mem::replace(&mut first[bucket], k as u32);
        }
    }
    let head = [buckets as u32, count as u32];
    let table = head.iter().chain(&first).chain(&chain).flat_map(|n| n.to_le_bytes()).collect();
    Some(Names { strings, table, slot: slot? })
}

/// The library for a model: the template with `prefix` before its names, and the frozen problem. `None` when the template is not what
/// it should be.
pub fn write(template: &[u8], prefix: &str, problem: &[u8]) -> Option<Vec<u8>> {
    let file = File(template);
    let (segments, sections) = (file.segments()?, file.sections()?);
    let loads = || segments.iter().filter(|s| s.kind == LOAD);
    let end = loads().map(|s| s.offset + s.in_file).max().filter(|_| file.is_library())?;
    let top = loads().map(|s| s.address + s.in_memory).max()?;
    let mut out = template.get(..end)?.to_vec();
    let (symbols, strings) = symbols(&sections)?;
    let names = rename(&file, &mut out, (symbols, strings), prefix)?;
    let slot = offset_of(&segments, names.slot)?;

    out.resize(end.next_multiple_of(PAGE), 0);
    let (start, base) = (out.len(), top.next_multiple_of(PAGE));
    out.extend(&names.strings);
    out.resize(out.len().next_multiple_of(64), 0);
    let table = out.len();
    out.extend(&names.table);
    out.resize(out.len().next_multiple_of(64), 0);
    let place = out.len();
    out.extend(problem);
    let address = |offset: usize| base + (offset - start);
    let size = out.len() - start;
    put(&mut out, slot, (address(place) - names.slot) as u64)?;
    put(&mut out, slot + 8, problem.len() as u64)?;

    let segment = Added { offset: start, address: base, size };
    program_headers(&file, &mut out, &segments, &segment)?;
    let found = Found { strings: (address(start), names.strings.len()), table: address(table) };
    dynamic(&file, &mut out, &segments, &found)?;
    let moved = [
        (strings.offset, start, address(start), names.strings.len()),
        (0, table, address(table), names.table.len()),
    ];
    section_headers(&file, &mut out, &sections, moved)?;
    Some(out)
}

/// A new segment.
struct Added {
    offset: usize,
    address: usize,
    size: usize,
}

/// Where names and their table are in memory.
struct Found {
    strings: (usize, usize),
    table: usize,
}

fn put(out: &mut [u8], at: usize, value: u64) -> Option<()> {
    out.get_mut(at..at + 8)?.copy_from_slice(&value.to_le_bytes());
    Some(())
}

/// The new segment instead of a note, behind the last one that is loaded.
fn program_headers(file: &File<'_>, out: &mut [u8], segments: &[Segment], added: &Added) -> Option<()> {
    let note = segments.iter().position(|s| s.kind == NOTE)?;
    let last = segments.iter().rposition(|s| s.kind == LOAD)?;
    let Added { offset, address, size } = *added;
    let mut raw = [0; PROGRAM];
    let readable = 4_u64 << 32 | u64::from(LOAD);
    let words =
        [readable, offset as u64, address as u64, address as u64, size as u64, size as u64, PAGE as u64];
    for (to, word) in raw.chunks_exact_mut(8).zip(words) {
        to.copy_from_slice(&word.to_le_bytes());
    }
    let mut all: Vec<[u8; PROGRAM]> = Vec::new();
    for (k, segment) in segments.iter().enumerate() {
        if k != note {
            all.push(segment.raw);
        }
        if k == last {
            all.push(raw);
        }
    }
    let first = file.place::<8>(32)?;
    out.get_mut(first..first + all.len() * PROGRAM)?.copy_from_slice(&all.concat());
    Some(())
}

/// Tells the loader about the names and their table.
fn dynamic(file: &File<'_>, out: &mut [u8], segments: &[Segment], found: &Found) -> Option<()> {
    const HASH: u64 = 4;
    const STRINGS: u64 = 5;
    const STRINGS_SIZE: u64 = 10;
    const GNU_HASH: u64 = 0x6fff_fef5;
    let segment = segments.iter().find(|s| s.kind == DYNAMIC)?;
    let mut hashed = false;
    for at in (segment.offset..segment.offset + segment.in_file).step_by(16) {
        match file.number::<8>(at)? {
            STRINGS => put(out, at + 8, found.strings.0 as u64)?,
            STRINGS_SIZE => put(out, at + 8, found.strings.1 as u64)?,
            HASH | GNU_HASH => {
                put(out, at, HASH)?;
                put(out, at + 8, found.table as u64)?;
                hashed = true;
            }
            _ => {}
        }
    }
    hashed.then_some(())
}

/// The headers of what is loaded, for linkers, with the names and the table at their new places, given as (old offset, offset, address,
/// size); and the names of sections.
fn section_headers(
    file: &File<'_>,
    out: &mut Vec<u8>,
    sections: &[Section],
    [strings, table]: [(usize, usize, usize, usize); 2],
) -> Option<()> {
    const HASH: u32 = 5;
    const GNU_HASH: u32 = 0x6fff_fff6;
    let first = file.place::<8>(40)?;
    let kept = sections.iter().rposition(|s| s.loaded)? + 1;
    let own = file.place::<2>(62)?;
    let names = sections.get(own)?;
    let mut headers = file.0.get(first..first + kept * SECTION)?.to_vec();
    let place = |headers: &mut [u8], k: usize, (_, offset, address, size): (usize, usize, usize, usize)| {
        for (field, value) in [(16, address), (24, offset), (32, size)] {
            put(headers, k * SECTION + field, value as u64)?;
        }
        Some(())
    };
    for (k, section) in sections.iter().take(kept).enumerate() {
        if section.offset == strings.0 && section.size > 0 && section.kind == 3 {
            place(&mut headers, k, strings)?;
        }
        if section.kind == HASH || section.kind == GNU_HASH {
            place(&mut headers, k, table)?;
            headers[k * SECTION + 4..k * SECTION + 8].copy_from_slice(&HASH.to_le_bytes());
            put(&mut headers, k * SECTION + 56, 4)?;
        }
    }
    let mut last = file.0.get(first + own * SECTION..first + (own + 1) * SECTION)?.to_vec();
    put(&mut last, 24, out.len() as u64)?;
    out.extend(file.0.get(names.offset..names.offset + names.size)?);
    out.resize(out.len().next_multiple_of(8), 0);
    let at = out.len();
    put(out, 40, at as u64)?;
    out[60..62].copy_from_slice(&(kept as u16 + 1).to_le_bytes());
    out[62..64].copy_from_slice(&(kept as u16).to_le_bytes());
    out.extend(headers);
    out.extend(last);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_library_is_refused() {
        assert_eq!(payload(b"text"), None);
        assert_eq!(payload(b"\x7fELF\x02\x01\x01"), None);
        assert_eq!(write(b"\x7fELF\x02\x01\x01", "m", b"problem"), None);
    }

    #[test]
    fn hashes_are_those_of_the_standard() {
        assert_eq!([hash(b""), hash(b"printf"), hash(b"exit")], [0, 0x077905a6, 0x0006cf04]);
    }

    #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
    #[test]
    fn a_problem_comes_back_out_of_the_template() {
        let template = crate::native::template::template().unwrap();
        assert_eq!(payload(&template), None);
        let library = write(&template, "m", b"a problem").unwrap();
        assert_eq!(payload(&library), Some(&b"a problem"[..]));
        // Cut anywhere, it is read as nothing or as it was.
        for end in (0..library.len()).step_by(library.len() / 50) {
            assert!(payload(&library[..end]).is_none_or(|found| found == b"a problem"));
        }
    }
}
