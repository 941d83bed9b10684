//! Which value is in which vector register. Values are taken in one pass over a run's operations; when registers run out, the
//! one whose next use is farthest gives way. What lies in memory anyway is dropped, other values go to the stack.

use super::code::Register;

/// Where a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Home {
    /// The vector or mask register that holds it.
    pub register: Option<Register>,
    /// Its vector on the stack.
    pub slot: Option<usize>,
    /// Whether it stays in its register from one copy of the operations to the next.
    pub pinned: bool,
}

/// What has to be written to the stack before a register can be used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spill {
    /// The register.
    pub register: Register,
    /// The vector on the stack.
    pub slot: usize,
}

/// The vector registers.
pub struct Bank {
    /// By register, the value in it; `Some(None)` is taken for something else.
    holds: Vec<Option<Option<usize>>>,
    /// Registers that the current instruction uses.
    busy: u64,
    /// By value.
    pub homes: Vec<Home>,
    /// By value, the positions of the operations that use it, in order.
    uses: Vec<Vec<usize>>,
    /// Whether a value can be read from memory again.
    leaf: Vec<bool>,
    /// The position of the current operation.
    pub at: usize,
    /// Vectors on the stack in this copy of the operations, and in all.
    slots: usize,
    fixed: usize,
    /// The most there are in any.
    pub deepest: usize,
    /// The most registers in use at once.
    pub peak: usize,
}

impl Bank {
    /// A bank of `count` free registers.
    pub fn new(count: usize, uses: Vec<Vec<usize>>, leaf: Vec<bool>) -> Self {
        let homes = vec![Home::default(); uses.len()];
        Bank {
            holds: vec![None; count],
            busy: 0,
            homes,
            uses,
            leaf,
            at: 0,
            slots: 0,
            fixed: 0,
            deepest: 0,
            peak: 0,
        }
    }

    /// Goes to the operation at a position.
    pub fn step(&mut self, at: usize) {
        self.at = at;
        self.busy = 0;
    }

    /// Forgets the values of a finished copy of the operations.
    pub fn restart(&mut self) {
        for (value, home) in self.homes.iter_mut().enumerate() {
            if !home.pinned {
                if let Some(r) = home.register.take()
                    && self.holds.get(usize::from(r)) == Some(&Some(Some(value)))
                {
                    self.holds[usize::from(r)] = None;
                }
                if !self.leaf[value] {
                    home.slot = None;
                }
            }
        }
        self.slots = self.fixed;
        self.step(0);
    }

    /// Whether no later operation uses the value.
    pub fn dies(&self, value: usize) -> bool {
        !self.homes[value].pinned && self.uses[value].last().is_none_or(|&last| last <= self.at)
    }

    /// How often it is used.
    pub fn uses(&self, value: usize) -> usize {
        self.uses[value].len()
    }

    /// A register for the current instruction, and what must be saved from it.
    pub fn claim(&mut self) -> Option<(Register, Option<Spill>)> {
        if let Some(r) = self.holds.iter().position(Option::is_none) {
            self.take(r as Register, None);
            return Some((r as Register, None));
        }
        let next = |value: usize| {
            let later = self.uses[value].iter().find(|&&u| u > self.at);
            later.copied().unwrap_or(usize::MAX)
        };
        let candidates = self.holds.iter().enumerate().filter_map(|(r, held)| match held {
            Some(Some(value)) if self.busy >> r & 1 == 0 && !self.homes[*value].pinned => Some((r, *value)),
            _ => None,
        });
        let (r, value) = candidates.max_by_key(|&(r, value)| (next(value), self.leaf[value], r))?;
        let register = r as Register;
        self.homes[value].register = None;
        let spill = (!self.leaf[value] && self.homes[value].slot.is_none()).then(|| {
            let slot = self.slots;
            self.slots += 1;
            self.deepest = self.deepest.max(self.slots);
            self.homes[value].slot = Some(slot);
            Spill { register, slot }
        });
        self.take(register, None);
        Some((register, spill))
    }

    /// Takes a register for the current instruction, to hold a value or something else.
    pub fn take(&mut self, register: Register, value: Option<usize>) {
        self.holds[usize::from(register)] = Some(value);
        self.lock(register);
        if let Some(v) = value {
            self.homes[v].register = Some(register);
        }
        self.peak = self.peak.max(self.holds.iter().flatten().count());
    }

    /// Keeps a register through the current instruction.
    pub fn lock(&mut self, register: Register) {
        self.busy |= 1 << register;
    }

    /// Frees a register that holds no value.
    pub fn free(&mut self, register: Register) {
        self.holds[usize::from(register)] = None;
    }

    /// Frees the registers of operands that are not used again.
    pub fn release(&mut self, operands: &[usize]) {
        for &value in operands {
            if self.dies(value)
                && let Some(r) = self.homes[value].register
                && self.holds.get(usize::from(r)) == Some(&Some(Some(value)))
            {
                self.homes[value].register = None;
                self.holds[usize::from(r)] = None;
            }
        }
    }

    /// Puts a value into the register of one that is not used again.
    pub fn replace(&mut self, old: usize, new: usize) -> Option<Register> {
        let register = self.homes[old].register.take()?;
        self.take(register, Some(new));
        Some(register)
    }

    /// Gives a value a vector on the stack for all copies of the operations.
    pub fn settle(&mut self, value: usize) -> usize {
        self.homes[value].slot = Some(self.fixed);
        self.fixed += 1;
        self.deepest = self.deepest.max(self.fixed);
        self.fixed - 1
    }
}
