//! The text of `--emit loops`: buffers, then the steps of the setup and of every entry by stage.

use std::fmt::{Display, Formatter, Result, Write};

use super::{Access, Cell, Expr, Home, HostStep, Loops, Nest, Place, Shift, Step, Tiled, Width};
use crate::types::Elem;

impl Display for Loops {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let real = if self.width == Width::Double { "f64" } else { "f32" };
        write!(f, "loops {real}, {} bytes", self.bytes)?;
        if self.own_bytes > 0 {
            write!(f, ", {} for each worker", self.own_bytes)?;
        }
        writeln!(f)?;
        for (i, b) in self.buffers.iter().enumerate() {
            let cell = if b.cell == Cell::Int { "i64" } else { real };
            let home = match b.home {
                Home::Data(_) => "data",
                Home::Vector(_) => "vector",
                Home::Batch(_) => "batch",
                Home::Kept => "kept",
                Home::Passing => "passing",
                Home::Scratch => "scratch",
                Home::Own => "own",
            };
            writeln!(f, "  b{i}: {cell}[{}] {home} @{} ; {}", b.len, b.byte, b.name)?;
        }
        steps(f, "setup", &self.setup)?;
        for entry in &self.entries {
            writeln!(f, "{}", entry.quantity.name())?;
            for (stage, name) in ["when x changed", "when x or y changed", "always"].into_iter().enumerate() {
                steps(f, name, &entry.stages[stage])?;
            }
            steps(f, "when x or y changed, instead", entry.joint.as_deref().unwrap_or_default())?;
            for pieces in &entry.outputs {
                let pieces: Vec<String> =
                    pieces.iter().map(|(at, len)| format!("{}[{len}]", Text(at))).collect();
                writeln!(f, "  return {}", pieces.join(" ++ "))?;
            }
        }
        Ok(())
    }
}

fn steps(f: &mut Formatter<'_>, name: &str, steps: &[Step]) -> Result {
    if steps.is_empty() {
        return Ok(());
    }
    writeln!(f, "  {name}:")?;
    steps.iter().try_for_each(|s| step(f, s))
}

fn step(f: &mut Formatter<'_>, step: &Step) -> Result {
    match step {
        Step::Nest(nest) => self::nest(f, nest),
        Step::Host(host) => writeln!(f, "    {}", Text(host)),
        Step::Tiled(tiled) => self::tiled(f, tiled),
    }
}

/// The steps of a whole tile between two lines; those of a shorter one differ in sizes alone.
fn tiled(f: &mut Formatter<'_>, tiled: &Tiled) -> Result {
    let Tiled { rows, tile, chunk, steps, shifts, .. } = tiled;
    write!(f, "    tiles of {tile} of {rows}, {chunk} a chunk:")?;
    for (id, shift) in shifts {
        match shift {
            Shift::Tile(cells) => write!(f, " b{} +{cells}", id.0)?,
            Shift::Chunk(cells) => write!(f, " b{} +{cells} a chunk", id.0)?,
        }
    }
    writeln!(f)?;
    steps.iter().try_for_each(|s| step(f, s))?;
    writeln!(f, "    end of tile")
}

fn nest(f: &mut Formatter<'_>, nest: &Nest) -> Result {
    let kind = if nest.sinks.iter().any(|s| s.reduce.is_some()) { "reduce" } else { "map" };
    let tiled = if nest.tiles > 0 { ", tiled" } else { "" };
    writeln!(f, "    {kind} {:?}{tiled}", nest.extents)?;
    let buffer = |arg: usize| nest.args[arg].0.0;
    for (k, (expr, elem)) in nest.exprs.iter().enumerate() {
        write!(f, "      %{k} = ")?;
        match expr {
            Expr::Const(bits) => write!(f, "{}", f64::from_bits(*bits))?,
            Expr::Index(a) => write!(f, "index {}", Text(a))?,
            Expr::Load(arg, a) => write!(f, "b{}[{}]", buffer(*arg), Text(a))?,
            Expr::Op(op, args) => {
                write!(f, "{}", format!("{op:?}").to_lowercase())?;
                args.iter().try_for_each(|a| write!(f, " %{}", a.0))?;
            }
            Expr::Call(name, args) => {
                write!(f, "{name}")?;
                args.iter().try_for_each(|a| write!(f, " %{}", a.0))?;
            }
        }
        if *elem == Elem::Real { writeln!(f)? } else { writeln!(f, " : {}", elem.name())? }
    }
    for s in &nest.sinks {
        let how = match s.reduce {
            None => String::from("="),
            Some(r) => format!("{}=", format!("{r:?}").to_lowercase()),
        };
        writeln!(f, "      b{}[{}] {how} %{}", buffer(s.arg), Text(&s.access), s.value.0)?;
    }
    Ok(())
}

/// Prints a part.
struct Text<'a, T>(&'a T);

impl Display for Text<'_, Access> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut text = String::new();
        if self.0.offset != 0 {
            write!(text, "{}", self.0.offset)?;
        }
        for (k, &s) in self.0.strides.iter().enumerate().filter(|(_, s)| **s != 0) {
            let plus = if text.is_empty() { "" } else { " + " };
            if s == 1 { write!(text, "{plus}i{k}")? } else { write!(text, "{plus}{s}*i{k}")? }
        }
        f.write_str(if text.is_empty() { "0" } else { &text })
    }
}

impl Display for Text<'_, Place> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "b{}", self.0.buffer.0)?;
        if self.0.offset > 0 { write!(f, "+{}", self.0.offset) } else { Ok(()) }
    }
}

impl Display for Text<'_, HostStep> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.0 {
            HostStep::Gemm { sizes: [b, m, n, k], lhs, rhs, out, alpha, accumulate, ahead, .. } => {
                let sign = if *accumulate { "+=" } else { "=" };
                write!(f, "gemm batch {b} m {m} n {n} k {k}: {} {sign} ", Text(out))?;
                if *alpha != 1.0 {
                    write!(f, "{alpha} * ")?;
                }
                let strides =
                    |x: &super::Matrix| format!("{}({}, {}, {})", Text(&x.at), x.batch, x.row, x.col);
                write!(f, "{} * {}{}", strides(lhs), strides(rhs), if *ahead { ", ahead" } else { "" })
            }
            HostStep::Rows { name, rows, len, x, out } => {
                write!(f, "{name} {rows} x {len}: {} = {}", Text(out), Text(x))
            }
            HostStep::Gather { sizes, x, index, out, .. } => {
                write!(f, "gather {sizes:?}: {} = {}[{}]", Text(out), Text(x), Text(index))
            }
            HostStep::Scatter { sizes, x, index, out, .. } => {
                write!(f, "scatter_add {sizes:?}: {}[{}] += {}", Text(out), Text(index), Text(x))
            }
            HostStep::Scan { sizes, reverse, x, out, .. } => {
                let reverse = if *reverse { " reverse" } else { "" };
                write!(f, "cumsum{reverse} {sizes:?}: {} = {}", Text(out), Text(x))
            }
            HostStep::ArgReduce { sizes, largest, x, out, .. } => {
                let name = if *largest { "argmax" } else { "argmin" };
                write!(f, "{name} {sizes:?}: {} = {}", Text(out), Text(x))
            }
            HostStep::ArgSort { sizes: [rows, len], x, out } => {
                write!(f, "argsort {rows} x {len}: {} = {}", Text(out), Text(x))
            }
            HostStep::Dense { kind, sizes: [b, n, k], transposed, factor, x, out } => {
                write!(f, "{}{} batch {b} n {n}", kind.name(), if *transposed { " transposed" } else { "" })?;
                let read = format!("{}({}, {}, {})", Text(&x.at), x.batch, x.row, x.col);
                match factor {
                    Some(factor) => write!(f, " k {k}: {} = {} \\ {read}", Text(out), Text(factor)),
                    None => write!(f, ": {} = {read}", Text(out)),
                }
            }
            HostStep::Sparse { kind, sizes: [rows, columns, nonzeros, width], operands, out, .. } => {
                let [a, b] = operands;
                let name = kind.name();
                write!(f, "{name} {rows} x {columns} with {nonzeros}, width {width}: ")?;
                write!(f, "{} = {} * {}", Text(out), Text(a), Text(b))
            }
        }
    }
}
