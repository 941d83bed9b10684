//! Numerical safety: values, gradients and Hessian products of expressions at extreme arguments, in branches next to ones that
//! are not finite, and at kinks. Every row of `cases/safety.txt` is held by the reference evaluator and by machine code in both
//! precisions; `cases/safety.py` says where its numbers come from.

#![allow(clippy::disallowed_methods, reason = "tests read their own files")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod memory;

use blo_compiler::compile;
use blo_compiler::ir::eval::{Array, Bindings, evaluate};
use blo_compiler::ir::graph::Role;
use blo_compiler::passes::differentiate::{gradient, jvp};
use blo_compiler::passes::simplify::simplify;
use blo_runtime::derivatives::{Derivatives, Quantity};
use memory::Memory;
use ndarray::Array1;

const DIRECTION: [f64; 4] = [1.0, -2.0, 3.0, 0.5];

/// Value, gradient and Hessian product.
type Orders = [Vec<f64>; 3];

struct Row {
    expression: String,
    point: Vec<f64>,
    /// What is expected of each order; `None` where nothing is.
    expected: [Option<Vec<f64>>; 3],
    double: f64,
    /// `None` where the numbers do not fit.
    single: Option<f64>,
}

fn numbers(text: &str) -> Option<Vec<f64>> {
    (text != "-").then(|| text.split(' ').map(|n| n.parse().unwrap()).collect())
}

fn rows() -> Vec<Row> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/safety.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split(" ; ").collect();
            let [expression, point, value, gradient, hessian, double, single] = cells[..] else {
                panic!("not a row: {line}")
            };
            Row {
                expression: expression.to_owned(),
                point: numbers(point).unwrap(),
                expected: [numbers(value), numbers(gradient), numbers(hessian)],
                double: double.parse().unwrap(),
                single: numbers(single).map(|n| n[0]),
            }
        })
        .collect()
}

impl Row {
    fn text(&self, precision: &str) -> String {
        let (n, e) = (self.point.len(), &self.expression);
        format!(
            "precision {precision}
data t: real[3] = [0.2, 0.3, 0.5]
data w: real[3] = [0.5, 2, 0]
data s: real[3] = [3, -1, 0.5]
data p: real[3] = [1, 2, 3]
data y: int[2] in 0..3 = [2, 0]
upper {{ var z: real = 0
  minimize z^2 }}
lower {{ var x: real[{n}] = 0
  minimize {e} }}"
        )
    }

    /// By the graph that is compiled, evaluated node by node.
    fn reference(&self) -> Orders {
        let mut model = memory::model(&self.text("f64"), Memory::default());
        let lower = model.lower.as_ref().unwrap();
        let (objective, x, input) = (lower.objective, lower.vars[0].node, lower.vars[0].input);
        let g = &mut model.graph;
        let (direction, v) = g.add_input("v", Role::LowerDirection, g.ty(x).clone());
        let value = simplify(g, &[objective])[0];
        let first = gradient(g, value, &[x]).unwrap()[0];
        let second = jvp(g, &[first], &[(x, v)]).unwrap()[0];
        let roots = simplify(g, &[value, first, second]);
        let mut bindings = Bindings::new();
        for data in &model.data {
            bindings.set(data.input, data.value.clone().unwrap());
        }
        let array = |values: &[f64]| -> Array { Array1::from(values.to_vec()).into_dyn() };
        bindings.set(input, array(&self.point));
        bindings.set(direction, array(&DIRECTION[..self.point.len()]));
        let found = evaluate(&model.graph, &roots, &bindings).unwrap();
        let mut found = found.into_iter().map(|a| a.into_iter().collect());
        std::array::from_fn(|_| found.next().unwrap())
    }

    fn machine(&self, precision: &str) -> Orders {
        let needs = [Quantity::LowerValue, Quantity::LowerGradient, Quantity::LowerHessian];
        let mut model = memory::model(&self.text(precision), Memory::default());
        let mut problem = compile(&mut model, &needs, 0).unwrap();
        let n = self.point.len();
        let (mut first, mut second) = (vec![0.0; n], vec![0.0; n]);
        let value = problem.lower_gradient(&[0.0], &self.point, &mut first);
        assert_eq!(
            value.to_bits(),
            problem.lower_value(&[0.0], &self.point).to_bits(),
            "{}",
            self.expression
        );
        problem.lower_hessian(&[0.0], &self.point, &DIRECTION[..n], &mut second);
        [vec![value], first, second]
    }

    /// What is wrong with what was found.
    fn complain(&self, found: &Orders, tolerance: f64, smallest: f64, how: &str, failures: &mut String) {
        let names = ["value", "gradient", "Hessian product"];
        for ((name, found), expected) in names.iter().zip(found).zip(&self.expected) {
            let Some(expected) = expected else { continue };
            let largest = expected.iter().fold(0.0f64, |m, e| m.max(e.abs()));
            let scale = if largest == 0.0 { 1.0 } else { largest.max(smallest) };
            let close = |f: &f64, e: &f64| (f - e).abs() <= tolerance * scale;
            if !found.iter().zip(expected).all(|(f, e)| close(f, e)) {
                let Row { expression, point, .. } = self;
                *failures +=
                    &format!("{expression} at {point:?}, {how}: the {name} is {found:?}, not {expected:?}\n");
            }
        }
    }
}

#[test]
fn every_row_holds_in_the_reference_and_in_machine_code() {
    let rows = rows();
    assert!(rows.len() >= 60, "only {} rows", rows.len());
    let mut failures = String::new();
    for row in &rows {
        row.complain(&row.reference(), row.double, 1e-290, "reference", &mut failures);
        row.complain(&row.machine("f64"), row.double, 1e-290, "machine code", &mut failures);
        if let Some(single) = row.single {
            row.complain(&row.machine("f32"), single, 1e-30, "machine code in f32", &mut failures);
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
