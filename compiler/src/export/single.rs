//! The single-level form for a program whose answer comes back: complementarity as such programs take it, a start, and which part of
//! the answer is whose.
//!
//! For nonlinear programs a product may be a little above 0 (S. Scholtes, SIAM J. Optim. 11 (2001)), since points at which it is
//! exactly 0 have no interior. For linear programs with whole numbers a switch that is 0 or 1 holds the multiplier or the distance
//! at 0 (J. Fortuny-Amat, B. McCarl, J. Oper. Res. Soc. 32 (1981)).

use blo_grammar::diagnostic::Diagnostic;

use super::{Column, Linear, Polynomial, Program, linear, mps, nl, program};
use crate::model::Model;

/// A model's single-level form, number by number.
pub struct Single {
    program: Program,
}

impl Single {
    /// The form of a model whose data are bound.
    ///
    /// Errors: as of [`super::export`].
    pub fn new(model: &Model) -> Result<Single, Vec<Diagnostic>> {
        Ok(Single { program: program(model)? })
    }

    /// The number of its variables.
    pub fn len(&self) -> usize {
        self.program.columns.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.program.columns.is_empty()
    }

    /// Whether something complements something.
    pub fn has_pairs(&self) -> bool {
        !self.program.pairs.is_empty()
    }

    /// Begins at these values of the variables.
    pub fn start_at(&mut self, values: &[f64]) {
        for (column, &value) in self.program.columns.iter_mut().zip(values) {
            column.start = value;
        }
    }

    /// The upper variables (n) among these values, and the lower ones (m) with the multipliers that the model reads behind them.
    pub fn split(&self, values: &[f64], n: usize, m: usize) -> (Vec<f64>, Vec<f64>) {
        let own = m - self.program.duals.len();
        let duals = self.program.duals.iter().map(|&k| values[k]);
        (values[..n].to_vec(), values[n..n + own].iter().copied().chain(duals).collect())
    }

    /// As an `.nl` file, with products that are at most `room`. Its variables are in order unless some are whole.
    ///
    /// Errors: a function without an operator in the format.
    pub fn nl(&self, room: f64) -> Result<String, Vec<Diagnostic>> {
        nl::write(&self.program, room)
    }

    /// As programs with whole numbers.
    ///
    /// Errors: rows that are not linear, or an objective of a higher degree than 2.
    pub fn switched(&self) -> Result<Switched, Vec<Diagnostic>> {
        Ok(Switched { linear: linear(self.program.clone(), "MPS")? })
    }
}

/// The form with slacks and special ordered sets, to be written with switches instead of the sets.
pub struct Switched {
    linear: Linear,
}

impl Switched {
    /// The number of variables without the switches: those of the form, and slacks behind them.
    pub fn len(&self) -> usize {
        self.linear.columns.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.linear.columns.is_empty()
    }

    /// Whether the objective is quadratic.
    pub fn is_quadratic(&self) -> bool {
        !self.linear.objective.quadratic.is_empty()
    }

    /// Whether something must be whole or switched.
    pub fn is_discrete(&self) -> bool {
        !self.linear.sets.is_empty() || self.linear.columns.iter().any(|column| column.integer)
    }

    /// As an MPS file with a switch for every pair, and how many multipliers and distances without a bound it holds below `reach`. The
    /// variables of the form come first.
    pub fn mps(&self, reach: f64) -> (String, usize) {
        let mut program = self.linear.clone();
        let mut held = 0;
        for (name, [multiplier, slack]) in std::mem::take(&mut program.sets) {
            let switch = program.columns.len();
            let (lo, hi) = (0.0, 1.0);
            program.columns.push(Column { name: format!("b_{name}"), lo, hi, integer: true, start: 0.0 });
            let mut most = |bound: f64| {
                held += usize::from(!bound.is_finite());
                if bound.is_finite() { bound } else { reach }
            };
            let (large, far) = (most(self.linear.columns[multiplier].hi), most(self.most(slack)));
            // The multiplier is 0 where the switch is, and the slack where the switch is 1.
            let mut row = Polynomial::default();
            row.linear.extend([(multiplier, 1.0), (switch, -large)]);
            program.rows.push((format!("m_{name}"), row, false));
            let mut row = Polynomial { constant: -far, ..Polynomial::default() };
            row.linear.extend([(slack, 1.0), (switch, far)]);
            program.rows.push((format!("n_{name}"), row, false));
        }
        program.tell_apart();
        (mps::write(&program), held)
    }

    /// As an MPS file in which every pair and whole number is decided as in these values.
    pub fn decided(&self, values: &[f64]) -> String {
        let mut program = self.linear.clone();
        for (_, [multiplier, slack]) in std::mem::take(&mut program.sets) {
            let zero = if values[multiplier] <= values[slack] { multiplier } else { slack };
            (program.columns[zero].lo, program.columns[zero].hi) = (0.0, 0.0);
        }
        for (column, value) in program.columns.iter_mut().zip(values).filter(|(column, _)| column.integer) {
            (column.lo, column.hi, column.integer) = (value.round(), value.round(), false);
        }
        mps::write(&program)
    }

    /// The largest value of a slack that the bounds of the variables allow.
    fn most(&self, slack: usize) -> f64 {
        let Some((_, row, _)) = self.linear.rows.iter().find(|(_, row, _)| row.linear.contains_key(&slack))
        else {
            return f64::INFINITY;
        };
        let others = row.linear.iter().filter(|(place, _)| **place != slack);
        others.fold(row.constant, |sum, (&place, &factor)| {
            let column = &self.linear.columns[place];
            sum + factor * if factor > 0.0 { column.hi } else { column.lo }
        })
    }
}
