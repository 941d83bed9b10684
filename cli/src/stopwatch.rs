//! The clock of a command: how long each of its parts took. Parts follow one another without a gap, so they add up to the
//! whole.

use std::cell::Cell;
use std::time::{Duration, Instant};

use blo_compiler::session::{Observer, Phase};

/// The parts, in the order in which they are shown.
pub const PARTS: [&str; 10] =
    ["parse", "check", "read", "differentiate", "optimise", "lower", "codegen", "load", "solve", "answer"];

/// Positions in [`PARTS`] of what the compiler does not know.
const SOLVE: usize = 8;
const ANSWER: usize = 9;

/// A running clock.
pub struct Stopwatch {
    spent: [Cell<Duration>; PARTS.len()],
    part: Cell<usize>,
    since: Cell<Instant>,
}

impl Stopwatch {
    /// Starts in the first part: reading and parsing the model.
    pub fn start() -> Self {
        Stopwatch { spent: Default::default(), part: Cell::new(0), since: Cell::new(Instant::now()) }
    }

    /// The solver begins.
    pub fn solving(&self) {
        self.turn_to(SOLVE);
    }

    /// The check of the answer begins.
    pub fn answering(&self) {
        self.turn_to(ANSWER);
    }

    fn turn_to(&self, part: usize) {
        let now = Instant::now();
        let spent = &self.spent[self.part.replace(part)];
        spent.set(spent.get() + (now - self.since.replace(now)));
    }

    /// Seconds so far, by part.
    pub fn read(&self) -> [f64; PARTS.len()] {
        self.turn_to(self.part.get());
        std::array::from_fn(|k| self.spent[k].get().as_secs_f64())
    }
}

impl Observer for Stopwatch {
    fn begins(&self, phase: Phase) {
        self.turn_to(match phase {
            Phase::Parse => 0,
            Phase::Check => 1,
            Phase::Read => 2,
            Phase::Differentiate => 3,
            Phase::Optimise => 4,
            Phase::Lower => 5,
            Phase::Generate => 6,
            Phase::Load => 7,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_to_the_part_that_runs() {
        let clock = Stopwatch::start();
        clock.begins(Phase::Optimise);
        while clock.since.get().elapsed().is_zero() {}
        clock.solving();
        let seconds = clock.read();
        assert!(seconds[4] > 0.0);
        assert_eq!(PARTS[4], "optimise");
        assert_eq!(seconds[ANSWER], 0.0);
        clock.begins(Phase::Optimise);
        while clock.since.get().elapsed().is_zero() {}
        assert!(clock.read()[4] > seconds[4]);
    }
}
