//! Functions that are kept from run to run: the key they are kept under, and their form as bytes. The key holds everything that
//! machine code depends on, in full, so that equal keys mean equal code. Addresses are never kept: a function names what it calls.

use std::hash::{Hash, Hasher};

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::LibCall;
use cranelift_codegen::isa::TargetIsa;

use super::function::{Function, Job, Relocation, Symbol, Target, compile_all, isa};
use super::{CodegenError, Level};
use crate::ir::loops::{Loops, Nest, Width};
use crate::session::CodeCache;

/// How addresses are written, on the machines that code is generated for.
const KINDS: [Reloc; 8] = [
    Reloc::Abs8,
    Reloc::X86PCRel4,
    Reloc::X86CallPCRel4,
    Reloc::X86CallPLTRel4,
    Reloc::X86GOTPCRel4,
    Reloc::Arm64Call,
    Reloc::Aarch64AdrGotPage21,
    Reloc::Aarch64Ld64GotLo12Nc,
];

/// The functions of some jobs of a program, in their order: from the cache, or compiled and put there.
pub fn functions(
    cache: &dyn CodeCache,
    jobs: &[Job<'_>],
    loops: &Loops,
    target: Target,
) -> Result<Vec<Function>, CodegenError> {
    let key = key(&*isa(target.cpu)?, jobs, loops, target.level);
    if let Some(functions) = cache.load(&key).and_then(|bytes| read(&bytes, jobs.len())) {
        return Ok(functions);
    }
    let functions = compile_all(jobs, loops.width, target)?;
    if let Some(bytes) = write(&functions) {
        cache.store(&key, &bytes);
    }
    Ok(functions)
}

/// A hasher that keeps what it is given. The derived hashes write every field, with the lengths of lists, so equal bytes mean
/// equal values.
struct Everything(Vec<u8>);

impl Hasher for Everything {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

/// Jobs, precision, target with its features, level of the block kernels. An entry compiled whole also depends on the places of
/// buffers.
fn key(isa: &dyn TargetIsa, jobs: &[Job<'_>], loops: &Loops, level: Level) -> Vec<u8> {
    let features: Vec<String> = isa.isa_flags().iter().map(ToString::to_string).collect();
    let kernels = Level::detect();
    let target = format!("{} {} {} {level:?} {kernels:?}", isa.triple(), isa.flags(), features.join(" "));
    let mut all = Everything(Vec::new());
    target.hash(&mut all);
    (loops.width == Width::Double).hash(&mut all);
    jobs.len().hash(&mut all);
    for job in jobs {
        match job {
            Job::Nest(Nest { extents, exprs, sinks, args, tiles }) => {
                (0u8, extents, exprs, sinks, tiles, args.len()).hash(&mut all);
                args.iter().for_each(|(_, cell)| cell.hash(&mut all));
            }
            Job::Whole(whole) => {
                1u8.hash(&mut all);
                whole.hash(&mut all);
            }
        }
    }
    if jobs.iter().any(|job| matches!(job, Job::Whole(_))) {
        (loops.lens, loops.bytes, loops.scratch).hash(&mut all);
        loops.buffers.iter().for_each(|buffer| format!("{buffer:?}").hash(&mut all));
    }
    all.0
}

/// `None` where a function refers to something that has no place in the format.
fn write(functions: &[Function]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let number = |out: &mut Vec<u8>, n: u64| out.extend(n.to_le_bytes());
    number(&mut out, functions.len() as u64);
    for Function { code, alignment, relocations } in functions {
        number(&mut out, *alignment);
        number(&mut out, code.len() as u64);
        out.extend(code);
        number(&mut out, relocations.len() as u64);
        for Relocation { offset, kind, symbol, addend } in relocations {
            number(&mut out, u64::from(*offset));
            number(&mut out, KINDS.iter().position(|k| k == kind)? as u64);
            number(&mut out, *addend as u64);
            let (sort, name) = match symbol {
                Symbol::Kernel(name) => (0, name.clone()),
                Symbol::Routine(routine) => (1, routine.to_string()),
            };
            number(&mut out, sort);
            number(&mut out, name.len() as u64);
            out.extend(name.as_bytes());
        }
    }
    Some(out)
}

/// `count` functions; `None` if that is not what the bytes hold.
fn read(bytes: &[u8], count: usize) -> Option<Vec<Function>> {
    let mut rest = bytes;
    let rest = &mut rest;
    if number(rest)? != count as u64 {
        return None;
    }
    let (blocks, singles) = (blo_kernels::symbols(), blo_kernels::singles());
    let known: Vec<&str> =
        blocks.iter().map(|s| s.name).chain(singles.iter().map(|s| s.name.as_str())).collect();
    let mut functions = Vec::with_capacity(count);
    for _ in 0..count {
        let alignment = number(rest)?;
        if !alignment.is_power_of_two() || alignment > 4096 {
            return None;
        }
        let code = part(rest)?.to_vec();
        let mut relocations = Vec::new();
        for _ in 0..number(rest)? {
            relocations.push(relocation(rest, code.len(), &known)?);
        }
        functions.push(Function { code, alignment, relocations });
    }
    rest.is_empty().then_some(functions)
}

fn relocation(rest: &mut &[u8], len: usize, known: &[&str]) -> Option<Relocation> {
    let offset = u32::try_from(number(rest)?).ok()?;
    let kind = *KINDS.get(usize::try_from(number(rest)?).ok()?)?;
    let addend = number(rest)? as i64;
    let size = if kind == Reloc::Abs8 { 8 } else { 4 };
    let inside = offset as usize + size <= len;
    let sort = number(rest)?;
    let name = std::str::from_utf8(part(rest)?).ok()?;
    let symbol = match sort {
        0 => Symbol::Kernel((*known.iter().find(|known| **known == name)?).to_owned()),
        1 => Symbol::Routine(name.parse::<LibCall>().ok()?),
        _ => return None,
    };
    inside.then_some(Relocation { offset, kind, symbol, addend })
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(u64::from_le_bytes(*head))
}

/// A length and as many bytes.
fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(number(rest)?).ok()?;
    let (head, tail) = rest.split_at_checked(len)?;
    *rest = tail;
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functions() -> Vec<Function> {
        let kernel = Symbol::Kernel("blo_k_exp_f64".into());
        let routine = Symbol::Routine(LibCall::FloorF64);
        let at = |offset, kind, symbol, addend| Relocation { offset, kind, symbol, addend };
        vec![
            Function { code: vec![1, 2, 3], alignment: 16, relocations: Vec::new() },
            Function {
                code: (0..40).collect(),
                alignment: 64,
                relocations: vec![at(2, Reloc::Abs8, kernel, 0), at(36, Reloc::X86CallPCRel4, routine, -4)],
            },
        ]
    }

    #[test]
    fn functions_come_back_as_they_were() {
        let bytes = write(&functions()).unwrap();
        assert_eq!(read(&bytes, 2).unwrap(), functions());
        assert_eq!(read(&bytes, 1), None);
        assert_eq!(write(&read(&bytes, 2).unwrap()).unwrap(), bytes);
    }

    #[test]
    fn damaged_bytes_are_refused_or_harmless() {
        let bytes = write(&functions()).unwrap();
        for len in 0..bytes.len() {
            assert_eq!(read(&bytes[..len], 2), None, "cut to {len}");
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xff;
            // What is read in spite of the damage stays inside itself.
            for function in read(&damaged, 2).into_iter().flatten() {
                assert!(function.relocations.iter().all(|r| r.offset as usize + 4 <= function.code.len()));
            }
        }
    }

    #[test]
    fn what_has_no_place_in_the_format_is_not_kept() {
        let mut foreign = functions();
        foreign[1].relocations[0].kind = Reloc::S390xPCRel32Dbl;
        assert_eq!(write(&foreign), None);
    }
}
