//! The suite that every operator passes: shapes, first and second derivatives against differences and against each other,
//! and simplification, at the record's own sample points. A new operator is covered by being in `ops::all()`.

use crate::support::{Bound, assert_close, inner, magnitude};
use blo_compiler::ir::eval::Array;
use blo_compiler::ir::graph::NodeId;
use blo_compiler::ops::{self, Derivative, Lowering, Operator, Sample};
use blo_compiler::passes::differentiate::{jvp, vjp};
use blo_compiler::passes::simplify::simplify;
use blo_compiler::types::Elem;

/// One application of an operator in a graph, its real operands with tangents.
struct Applied {
    bound: Bound,
    result: NodeId,
    /// The real operands and their values.
    real: Vec<(NodeId, Array)>,
    what: String,
}

impl Applied {
    fn new(op: &'static Operator, sample: &Sample, seed: u64) -> Self {
        let mut bound = Bound::new(seed);
        let operands: Vec<NodeId> =
            sample.inputs.iter().map(|(ty, value)| bound.input(ty, value.clone())).collect();
        let real = operands.iter().zip(&sample.inputs).filter(|(_, (ty, _))| ty.elem == Elem::Real);
        let real = real.map(|(&node, (_, value))| (node, value.clone())).collect();
        let result = bound.graph.apply(op, sample.attrs.clone(), &operands);
        let shapes: Vec<String> = sample.inputs.iter().map(|(ty, value)| format!("{ty} {value}")).collect();
        let what = format!("{} {:?} of {}, seed {seed}", op.name, sample.attrs, shapes.join(" and "));
        Applied { bound, result, real, what }
    }

    fn operands(&self) -> Vec<NodeId> {
        self.real.iter().map(|&(node, _)| node).collect()
    }

    /// Random steps, each entry a fraction of the operand's own, so that no step leaves the domain.
    fn steps(&mut self) -> Vec<Array> {
        let values: Vec<Array> = self.real.iter().map(|(_, value)| value.clone()).collect();
        let random = |value: &Array| {
            let scale = value.mapv(|x| if x == 0.0 { 0.1 } else { x.abs() });
            self.bound.random_array(value.shape()) * scale
        };
        values.iter().map(random).collect()
    }

    /// Constant inputs with these values, to be used as tangents or cotangents.
    fn directions(&mut self, values: &[Array], like: &[NodeId]) -> Vec<NodeId> {
        let types: Vec<_> = like.iter().map(|&node| self.bound.graph.ty(node).clone()).collect();
        values.iter().zip(types).map(|(value, ty)| self.bound.input(&ty, value.clone())).collect()
    }

    /// The derivative of `roots` along `steps`, by differences of fourth order.
    fn differences(&mut self, roots: &[NodeId], steps: &[Array]) -> Vec<Array> {
        let h = 1e-3;
        let mut at = |factor: f64| {
            for ((node, value), step) in self.real.iter().zip(steps) {
                let input = match self.bound.graph.node(*node).attrs {
                    blo_compiler::ir::graph::Attrs::Input(input) => input,
                    ref other => panic!("operand with {other:?}"),
                };
                self.bound.bindings.set(input, value + &(step * factor));
            }
            self.bound.values(roots)
        };
        let (near_up, near_down, far_up, far_down) = (at(h), at(-h), at(2.0 * h), at(-2.0 * h));
        at(0.0);
        (0..roots.len())
            .map(|k| ((&near_up[k] - &near_down[k]) * 8.0 - (&far_up[k] - &far_down[k])) / (12.0 * h))
            .collect()
    }
}

/// Calls `check` for every sample of every operator.
fn for_all_samples(mut check: impl FnMut(&'static Operator, Applied)) {
    for op in ops::all() {
        for (count, sample) in (op.samples)().iter().enumerate() {
            check(op, Applied::new(op, sample, 100 + count as u64));
        }
    }
}

/// Calls `check` for every sample of every operator that has derivatives.
fn for_differentiable_samples(mut check: impl FnMut(Applied)) {
    for_all_samples(|op, applied| {
        if !matches!(op.derivative, Derivative::Zero | Derivative::Undefined(_)) {
            check(applied);
        }
    });
}

fn zeros_for(applied: &Applied, nodes: &[NodeId]) -> Vec<f64> {
    applied.bound.values(nodes).iter().map(magnitude).collect()
}

#[test]
fn names_are_unique_and_found() {
    for op in ops::all() {
        assert!(std::ptr::eq(ops::named(op.name).unwrap(), *op), "two operators are called {}", op.name);
        if let Some(name) = op.surface.name() {
            let by_name = [ops::surface(name), ops::reduction(name)];
            assert!(
                by_name.into_iter().flatten().any(|found| std::ptr::eq(found, *op)),
                "{name} finds another"
            );
        }
    }
    assert!(ops::named("no such operator").is_none());
}

#[test]
fn every_operator_has_samples() {
    for op in ops::all() {
        assert_eq!((op.samples)().is_empty(), matches!(op.lowering, Lowering::Input), "{}", op.name);
    }
}

#[test]
fn values_have_the_shape_of_the_rule() {
    for_all_samples(|_, applied| {
        let value = applied.bound.value(applied.result);
        let ty = applied.bound.graph.ty(applied.result);
        assert_eq!(value.shape(), ty.shape.as_slice(), "{}", applied.what);
        if ty.elem != Elem::Real {
            assert!(value.iter().all(|x| x.fract() == 0.0), "{} is not whole: {value}", applied.what);
        }
        if ty.elem == Elem::Bool {
            assert!(
                value.iter().all(|&x| x == 0.0 || x == 1.0),
                "{} is no truth value: {value}",
                applied.what
            );
        }
    });
}

#[test]
fn wrong_operands_are_refused() {
    for op in ops::all() {
        for sample in (op.samples)() {
            let types: Vec<_> = sample.inputs.iter().map(|(ty, _)| ty).collect();
            let mut more = types.clone();
            let extra = blo_compiler::types::Type::new(Elem::Bool, [7, 7, 7, 7, 7]);
            more.push(&extra);
            assert!((op.shape)(&sample.attrs, &more).is_err(), "{} takes {more:?}", op.name);
        }
    }
}

#[test]
fn expansions_keep_the_value() {
    for_all_samples(|op, mut applied| {
        if let Lowering::Expand(expand) = op.lowering {
            let expanded = expand(&mut applied.bound.graph, applied.result);
            let values = applied.bound.values(&[applied.result, expanded]);
            assert_close(&values[0], &values[1], 1e-15, 0.0, &applied.what);
        }
    });
}

#[test]
fn derivatives_agree_with_differences() {
    for_differentiable_samples(|mut applied| {
        let steps = applied.steps();
        let operands = applied.operands();
        let tangents = applied.directions(&steps, &operands);
        let pairs: Vec<_> = operands.into_iter().zip(tangents).collect();
        let result = applied.result;
        let tangent = jvp(&mut applied.bound.graph, &[result], &pairs).unwrap()[0];
        let expected = applied.differences(&[result], &steps).remove(0);
        let values = applied.bound.values(&[tangent, result]);
        let noise = 1e-12 * magnitude(&values[1]);
        assert_close(&values[0], &expected, 1e-6, 1e-12 + noise, &applied.what);
    });
}

#[test]
fn both_modes_agree() {
    for_differentiable_samples(|mut applied| {
        let steps = applied.steps();
        let (operands, result) = (applied.operands(), applied.result);
        let tangents = applied.directions(&steps, &operands);
        let weights = applied.bound.random_array(applied.bound.value(result).shape());
        let cotangent = applied.directions(std::slice::from_ref(&weights), &[result])[0];
        let pairs: Vec<_> = operands.iter().copied().zip(tangents).collect();
        let g = &mut applied.bound.graph;
        let forward = jvp(g, &[result], &pairs).unwrap()[0];
        let backward = vjp(g, &[(result, cotangent)], &operands).unwrap();
        let left = inner(&weights, &applied.bound.value(forward));
        let right: f64 =
            applied.bound.values(&backward).iter().zip(&steps).map(|(back, step)| inner(back, step)).sum();
        let scale: f64 = steps
            .iter()
            .zip(applied.bound.values(&backward))
            .map(|(s, b)| magnitude(s) * magnitude(&b))
            .sum();
        assert!((left - right).abs() <= 1e-12 * scale, "{}: {left} and {right}", applied.what);
        for (&operand, back) in operands.iter().zip(backward) {
            assert_eq!(applied.bound.graph.ty(operand), applied.bound.graph.ty(back), "{}", applied.what);
        }
    });
}

/// The products of the Hessian of a random combination of the result with a direction, in three ways.
fn second_order(applied: &mut Applied, steps: &[Array]) -> (Vec<NodeId>, [Vec<NodeId>; 3]) {
    let (operands, result) = (applied.operands(), applied.result);
    let weights = applied.bound.random_array(applied.bound.value(result).shape());
    let cotangent = applied.directions(&[weights], &[result])[0];
    let tangents = applied.directions(steps, &operands);
    let pairs: Vec<_> = operands.iter().copied().zip(tangents.iter().copied()).collect();
    let g = &mut applied.bound.graph;
    let gradient = vjp(g, &[(result, cotangent)], &operands).unwrap();
    let forward_over_reverse = jvp(g, &gradient, &pairs).unwrap();
    let weighted: Vec<_> = gradient.iter().copied().zip(tangents.iter().copied()).collect();
    let reverse_over_reverse = vjp(g, &weighted, &operands).unwrap();
    let forward = jvp(g, &[result], &pairs).unwrap()[0];
    let reverse_over_forward = vjp(g, &[(forward, cotangent)], &operands).unwrap();
    (gradient, [forward_over_reverse, reverse_over_reverse, reverse_over_forward])
}

#[test]
fn second_derivatives_agree() {
    for_differentiable_samples(|mut applied| {
        let steps = applied.steps();
        let (gradient, ways) = second_order(&mut applied, &steps);
        let expected = applied.differences(&gradient, &steps);
        let first = applied.bound.values(&ways[0]);
        let noise = 1e-11 * applied.bound.values(&gradient).iter().map(magnitude).fold(1e-2, f64::max);
        for (value, expected) in first.iter().zip(&expected) {
            assert_close(value, expected, 1e-6, noise, &format!("second derivative of {}", applied.what));
        }
        for way in &ways[1..] {
            for (value, other) in first.iter().zip(applied.bound.values(way)) {
                let noise = 1e-12 * magnitude(value).max(1.0);
                assert_close(value, &other, 1e-9, noise, &format!("second derivative of {}", applied.what));
            }
        }
    });
}

#[test]
fn hessians_are_symmetric() {
    for_differentiable_samples(|mut applied| {
        let (operands, result) = (applied.operands(), applied.result);
        let weights = applied.bound.random_array(applied.bound.value(result).shape());
        let cotangent = applied.directions(&[weights], &[result])[0];
        let gradient = vjp(&mut applied.bound.graph, &[(result, cotangent)], &operands).unwrap();
        let (u, v) = (applied.steps(), applied.steps());
        let product = |applied: &mut Applied, along: &[Array]| {
            let tangents = applied.directions(along, &operands);
            let pairs: Vec<_> = operands.iter().copied().zip(tangents).collect();
            let roots = jvp(&mut applied.bound.graph, &gradient, &pairs).unwrap();
            applied.bound.values(&roots)
        };
        let (hu, hv) = (product(&mut applied, &u), product(&mut applied, &v));
        let left: f64 = hu.iter().zip(&v).map(|(h, v)| inner(h, v)).sum();
        let right: f64 = hv.iter().zip(&u).map(|(h, u)| inner(h, u)).sum();
        let scale: f64 = hu.iter().zip(&v).map(|(h, v)| magnitude(h) * magnitude(v)).sum();
        assert!((left - right).abs() <= 1e-9 * scale + 1e-13, "{}: {left} and {right}", applied.what);
    });
}

#[test]
fn operators_with_zero_derivative_give_zeros() {
    for_all_samples(|op, mut applied| {
        let (operands, result) = (applied.operands(), applied.result);
        if matches!(op.derivative, Derivative::Zero) && applied.bound.graph.ty(result).elem == Elem::Real {
            let cotangent = result;
            let back = vjp(&mut applied.bound.graph, &[(result, cotangent)], &operands).unwrap();
            assert!(zeros_for(&applied, &back).iter().all(|&m| m == 0.0), "{}", applied.what);
        }
    });
}
#[test]
fn simplification_keeps_values_and_derivatives() {
    for_differentiable_samples(|mut applied| {
        let steps = applied.steps();
        let (gradient, ways) = second_order(&mut applied, &steps);
        let mut roots = vec![applied.result];
        roots.extend(gradient);
        roots.extend(ways.into_iter().flatten());
        let simple = simplify(&mut applied.bound.graph, &roots);
        let (before, after) = (applied.bound.values(&roots), applied.bound.values(&simple));
        for (before, after) in before.iter().zip(&after) {
            assert_close(before, after, 1e-9, 1e-12 * magnitude(before).max(1.0), &applied.what);
        }
    });
}
