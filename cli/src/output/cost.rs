//! What evaluations cost, for people and for tools.

use std::fmt::Write as _;

use blo_compiler::{Cost, Costs};
use blo_runtime::derivatives::Quantity;
use serde_json::{Map, Value, json};

/// What one iteration of a method evaluates.
pub struct Iteration {
    /// The method.
    pub method: &'static str,
    /// How often each quantity, once at least.
    pub calls: Vec<(Quantity, u64)>,
}

impl Iteration {
    /// The cost of all its evaluations, each as after all variables changed.
    fn cost(&self, costs: &Costs) -> Cost {
        let of = |wanted: Quantity| costs.quantities.iter().find(|(quantity, _)| *quantity == wanted);
        let each = self.calls.iter().filter_map(|(quantity, count)| Some(of(*quantity)?.1 * *count as usize));
        each.fold(Cost::default(), |all, one| all + one)
    }
}

/// The account, ending in a newline.
pub fn account(costs: &Costs, iteration: Option<&Iteration>) -> String {
    let mut out = String::from("\none evaluation costs, after all variables changed\n");
    let width = costs.quantities.iter().map(|(quantity, _)| quantity.name().len()).max().unwrap_or(0);
    for (quantity, Cost { operations, bytes }) in &costs.quantities {
        let name = quantity.name();
        let _ = writeln!(out, "  {name:width$}  {:>7} operations, {:>9}", scaled(*operations), size(*bytes));
    }
    if costs.setup.operations > 0.0 {
        let _ = writeln!(out, "  once, from data alone: {} operations", scaled(costs.setup.operations));
    }
    if let Some(iteration) = iteration {
        let counts = iteration.calls.iter().map(|(quantity, count)| format!("{count} {}", quantity.name()));
        let counts: Vec<String> = counts.collect();
        let Cost { operations, bytes } = iteration.cost(costs);
        // Evaluations of constraints have no cost here.
        let cost = if operations > 0.0 {
            format!(": at most {} operations, {}", scaled(operations), size(bytes))
        } else {
            String::new()
        };
        let (method, counts) = (&iteration.method, counts.join(", "));
        let _ =
            writeln!(out, "one iteration of {method}, the second from the start, evaluates {counts}{cost}");
    }
    let _ = writeln!(out, "memory of the program: {}", size(costs.memory as f64));
    out
}

/// The same for tools, in operations and bytes.
pub fn document(costs: &Costs, iteration: Option<&Iteration>) -> Value {
    let one = |cost: &Cost| json!({ "operations": cost.operations, "bytes": cost.bytes });
    let each: serde_json::Map<String, Value> =
        costs.quantities.iter().map(|(quantity, cost)| (quantity.name().to_owned(), one(cost))).collect();
    let mut document = json!({ "quantities": each, "setup": one(&costs.setup), "memory": costs.memory });
    if let Some(iteration) = iteration {
        let calls =
            iteration.calls.iter().map(|(quantity, count)| (quantity.name().to_owned(), json!(count)));
        let Cost { operations, bytes } = iteration.cost(costs);
        document["iteration"] =
            json!({ "calls": calls.collect::<Map<_, _>>(), "operations": operations, "bytes": bytes });
    }
    document
}

/// `950`, `31.4k`, `2.5M`.
fn scaled(value: f64) -> String {
    let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    match units.into_iter().find(|(unit, _)| value >= *unit) {
        Some((unit, letter)) => format!("{:.1}{letter}", value / unit),
        None => format!("{value}"),
    }
}

/// `512 B`, `1.5 MiB`.
fn size(bytes: f64) -> String {
    let units = [(f64::from(1 << 30), "GiB"), (f64::from(1 << 20), "MiB"), (1024.0, "KiB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!([scaled(950.0), scaled(31_400.0), scaled(2.5e6)], ["950", "31.4k", "2.5M"]);
        assert_eq!([size(512.0), size(1.5 * f64::from(1 << 20))], ["512 B", "1.5 MiB"]);
    }
}
