//! What evaluations cost, counted from the loops: arithmetic and bytes, without knowing the machine.

use blo_runtime::program::spec::HostStep;

use super::loops::{Expr, LoopEntry, Loops, Nest, Step};

/// Arithmetic and traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Operations on numbers; a product of matrices counts two for each pair of factors, a function such as `exp` one.
    pub operations: f64,
    /// Bytes that steps read and write, in caches or not.
    pub bytes: f64,
}

impl std::ops::Add for Cost {
    type Output = Cost;

    fn add(self, other: Cost) -> Cost {
        Cost { operations: self.operations + other.operations, bytes: self.bytes + other.bytes }
    }
}

impl std::ops::Mul<usize> for Cost {
    type Output = Cost;

    fn mul(self, times: usize) -> Cost {
        Cost { operations: self.operations * times as f64, bytes: self.bytes * times as f64 }
    }
}

/// One evaluation of an entry after all variables changed.
pub fn of_entry(loops: &Loops, entry: &LoopEntry) -> Cost {
    let [first, second, last] = &entry.stages;
    let behind = match &entry.joint {
        Some(joint) => of_list(loops, joint),
        None => of_list(loops, second) + of_list(loops, last),
    };
    of_list(loops, first) + behind
}

/// Steps one after the other.
pub fn of_list(loops: &Loops, steps: &[Step]) -> Cost {
    steps.iter().map(|step| of_step(loops, step)).fold(Cost::default(), |all, one| all + one)
}

fn of_step(loops: &Loops, step: &Step) -> Cost {
    match step {
        Step::Nest(nest) => of_nest(loops, nest),
        Step::Host(host) => of_host(loops, host),
        Step::Tiled(tiled) => {
            let whole = if tiled.rest.is_empty() { tiled.tiles() } else { tiled.rows / tiled.tile };
            of_list(loops, &tiled.steps) * whole + of_list(loops, &tiled.rest)
        }
    }
}

fn of_nest(loops: &Loops, nest: &Nest) -> Cost {
    let arithmetic = nest.exprs.iter().filter(|(e, _)| matches!(e, Expr::Op(..) | Expr::Call(..))).count();
    let sums = nest.sinks.iter().filter(|sink| sink.reduce.is_some()).count();
    let cells = nest.extents_of_args().into_iter().zip(&nest.args);
    Cost {
        operations: nest.points() as f64 * (arithmetic + sums) as f64,
        bytes: cells.map(|(cells, (_, cell))| (cells * loops.width.bytes(*cell)) as f64).sum(),
    }
}

fn of_host(loops: &Loops, host: &HostStep) -> Cost {
    let touched: Vec<_> = host.reads().into_iter().chain([host.writes()]).collect();
    let bytes = touched.iter().map(|(_, cell, len)| (len * loops.width.bytes(*cell)) as f64).sum();
    let each: f64 = touched.iter().map(|(_, _, len)| *len as f64).sum();
    let operations = match host {
        HostStep::Gemm { sizes, .. } => 2.0 * product(sizes),
        HostStep::Dense { sizes: [batch, n, columns], .. } => {
            let n = *n as f64;
            // A factorisation, or two triangular solves for each column.
            let one = if *columns == 0 { 2.0 / 3.0 * n * n * n } else { 2.0 * n * n * *columns as f64 };
            *batch as f64 * one
        }
        _ => each,
    };
    Cost { operations, bytes }
}

fn product(sizes: &[usize]) -> f64 {
    sizes.iter().map(|&size| size as f64).product()
}
