//! What the evaluations of a model cost (see [`crate::ir::cost`]).

use blo_grammar::diagnostic::Diagnostic;
use blo_runtime::derivatives::Quantity;

use crate::compile::loops;
pub use crate::ir::cost::Cost;
use crate::ir::cost::{of_entry, of_list};
use crate::model::Model;
use crate::session::Unobserved;
use crate::solution::data_bindings;

/// The cost of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Costs {
    /// One evaluation of each quantity after all variables changed.
    pub quantities: Vec<(Quantity, Cost)>,
    /// What depends on data alone, once.
    pub setup: Cost,
    /// Bytes of the program's memory, the data in it.
    pub memory: usize,
}

/// The cost of `needs` of a model. Of the data only shapes are read, and the indices of nonsmooth terms.
///
/// Errors: as [`crate::compile()`], those of the derivatives.
pub fn costs(model: &mut Model, needs: &[Quantity]) -> Result<Costs, Vec<Diagnostic>> {
    let data = data_bindings(model);
    let (loops, _) = loops(model, needs, &data, &Unobserved)?;
    let quantities = loops.entries.iter().map(|entry| (entry.quantity, of_entry(&loops, entry))).collect();
    Ok(Costs { quantities, setup: of_list(&loops, &loops.setup), memory: loops.bytes })
}
