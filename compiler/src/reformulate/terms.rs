//! Programs in the terms that branching in boxes reads: sums, products and functions of one number. Of the single-level form they are
//! written only where it is small and not affine, and the follower is convex with rows that are affine in its variables, so that its
//! answers are just the points that satisfy its optimality conditions; else both levels are written side by side.

use std::rc::Rc;

use blo_runtime::constrained::tree::terms::{Function, Terms};
use blo_runtime::constrained::{Degree, Degrees};
use rustc_hash::FxHashMap;

use super::Program;
use super::degree::degrees;
use super::kkt::{SingleLevel, side_by_side};
use crate::ir::eval::Bindings;
use crate::ir::scalar::{Expander, Scalar};
use crate::model::Model;
use crate::passes::simplify::simplify;

/// Forms with more variables are not written.
const VARIABLES: usize = 200;
/// Forms with more terms are not kept.
const TERMS: usize = 4000;

/// What branching in boxes reads. The single-level form of a model with a lower level that is `convex`, in terms, where boxes are what it takes to
/// branch in it: the form is not affine, or its objective may not be convex, and nothing but answers of the follower satisfies its
/// conditions, and all of them do. Else, in `few` variables, both levels side by side.
pub fn written(
    model: &Model,
    form: &SingleLevel,
    own: &Degrees,
    data: &Bindings,
    (convex, few): (bool, bool),
) -> (Option<Terms>, Option<Terms>) {
    let bent = !own.is_quadratic_program() || own.objective == Degree::Quadratic;
    let real = model.lower.iter().all(|lower| lower.vars.iter().all(|var| !var.integer));
    let affine = |follower: &Program| degrees(follower, data).rows.iter().all(|row| *row == Degree::Affine);
    let exact = convex && real && form.follower.as_ref().is_none_or(affine);
    let single = if exact && bent { terms(&form.program, data) } else { None };
    // The conditions of a follower that is not smooth cannot be written in terms, though they are exact.
    let by_value = few && real && form.duals.is_empty() && (!exact || bent && single.is_none());
    let plain = model.lower.as_ref().is_some_and(|lower| lower.pessimistic.is_none());
    let sides = if by_value && plain { side_by_side(model) } else { None };
    (single, sides.and_then(|program| terms(&program, data)))
}

/// A program in terms; `None` where it is too large or has something that these cannot say.
fn terms(program: &Program, data: &Bindings) -> Option<Terms> {
    let vars = &program.model.lower.as_ref()?.vars;
    if vars.iter().map(|var| var.ty.len()).sum::<usize>() > VARIABLES {
        return None;
    }
    let mut graph = program.model.graph.clone();
    let roots: Vec<_> = [program.objective].into_iter().chain(program.rows.iter().copied()).collect();
    let simple = simplify(&mut graph, &roots);
    let mut places = FxHashMap::default();
    let mut next = 0;
    for var in vars {
        places.insert(var.input, next);
        next += var.ty.len();
    }
    let mut expander = Expander::new(&graph, &simple, places, data);
    let mut writer = Writer { terms: Terms::default(), known: FxHashMap::default() };
    let mut found = Vec::new();
    for node in simple {
        for element in expander.elements(node).ok()? {
            found.push(writer.write(&element)?);
            if writer.terms.terms.len() > TERMS {
                return None;
            }
        }
    }
    let mut terms = writer.terms;
    terms.objective = found[0];
    terms.rows = found.split_off(1);
    Some(terms)
}

struct Writer {
    terms: Terms,
    /// The terms of expressions that several others share, by address; the expander keeps them alive.
    known: FxHashMap<*const Scalar, usize>,
}

impl Writer {
    fn write(&mut self, scalar: &Rc<Scalar>) -> Option<usize> {
        if let Some(&at) = self.known.get(&Rc::as_ptr(scalar)) {
            return Some(at);
        }
        let at = self.make(scalar)?;
        if Rc::strong_count(scalar) > 1 {
            self.known.insert(Rc::as_ptr(scalar), at);
        }
        Some(at)
    }

    fn make(&mut self, scalar: &Scalar) -> Option<usize> {
        let terms = &mut self.terms;
        Some(match scalar {
            Scalar::Constant(value) if value.is_finite() => terms.constant(*value),
            Scalar::Variable(at) => terms.variable(*at),
            Scalar::Sum(parts) => {
                let parts: Option<Vec<(usize, f64)>> =
                    parts.iter().map(|part| Some((self.write(part)?, 1.0))).collect();
                self.terms.sum(0.0, parts?)
            }
            Scalar::Unary(name, x) => {
                let x = self.write(x)?;
                match *name {
                    "neg" => self.terms.sum(0.0, vec![(x, -1.0)]),
                    "exp" => self.terms.apply(Function::Exp, x),
                    "log" => self.terms.apply(Function::Log, x),
                    "sqrt" => self.terms.apply(Function::Root, x),
                    "sin" => self.terms.apply(Function::Sine, x),
                    "cos" => self.terms.apply(Function::Cosine, x),
                    "abs" => self.terms.apply(Function::Size, x),
                    _ => return None,
                }
            }
            Scalar::Binary(name, a, b) => {
                if *name == "pow" {
                    return self.power(a, b);
                }
                let (a, b) = (self.write(a)?, self.write(b)?);
                match *name {
                    "sub" => self.terms.sum(0.0, vec![(a, 1.0), (b, -1.0)]),
                    "mul" => self.terms.product(a, b),
                    "div" => {
                        let over = self.terms.apply(Function::Power(-1), b);
                        self.terms.product(a, over)
                    }
                    _ => return None,
                }
            }
            Scalar::Constant(_) | Scalar::Extreme(..) | Scalar::If(..) => return None,
        })
    }

    fn power(&mut self, base: &Rc<Scalar>, exponent: &Scalar) -> Option<usize> {
        let Scalar::Constant(exponent) = *exponent else { return None };
        let base = self.write(base)?;
        let whole = exponent.fract() == 0.0 && exponent.abs() <= 64.0;
        Some(match exponent {
            0.0 => self.terms.constant(1.0),
            1.0 => base,
            0.5 => self.terms.apply(Function::Root, base),
            _ if whole => self.terms.apply(Function::Power(exponent as i32), base),
            _ => return None,
        })
    }
}
