//! Products that only a sum uses become one instruction with it, rounded once. This is done here, before any code is written,
//! so that code of every register width computes the same.

use crate::ir::loops::{Expr, ExprId, Nest};
use crate::ops::{Instruction, Reduction};
use crate::types::Elem;

/// A nest ready for code: contracted if the machine has fused products.
pub struct Contracted {
    /// The nest. Products that were taken into sums are still there, unused.
    pub nest: Nest,
    /// By sink, the factors of what it sums, if they join the sum in one instruction.
    pub products: Vec<Option<[ExprId; 2]>>,
}

/// Contracts products with the sums that use them.
pub fn contract(nest: &Nest, fused: bool) -> Contracted {
    let mut nest = nest.clone();
    if !fused {
        let products = vec![None; nest.sinks.len()];
        return Contracted { nest, products };
    }
    let mut uses = vec![0; nest.exprs.len()];
    nest.exprs.iter().flat_map(|(e, _)| e.operands()).for_each(|o| uses[o.0 as usize] += 1);
    nest.sinks.iter().for_each(|s| uses[s.value.0 as usize] += 1);
    let varies = varies(&nest);
    let product = |nest: &Nest, id: ExprId| match &nest.exprs[id.0 as usize] {
        (Expr::Op(Instruction::Mul, args), Elem::Real) if uses[id.0 as usize] == 1 => {
            Some([args[0], args[1]])
        }
        _ => None,
    };
    for k in 0..nest.exprs.len() {
        let (Expr::Op(op @ (Instruction::Add | Instruction::Sub), args), Elem::Real) = &nest.exprs[k] else {
            continue;
        };
        let (op, x, y) = (*op, args[0], args[1]);
        // A product that is the same along the innermost axis is computed once, outside.
        let factors = |id: ExprId| product(&nest, id).filter(|_| varies[id.0 as usize] == varies[k]);
        let (op, [a, b], c) = match (op, factors(x), factors(y)) {
            (Instruction::Add, Some(f), _) => (Instruction::MulAdd, f, y),
            (Instruction::Add, None, Some(f)) => (Instruction::MulAdd, f, x),
            (_, Some(f), _) => (Instruction::MulSub, f, y),
            (_, None, Some(f)) => (Instruction::NegMulAdd, f, x),
            _ => continue,
        };
        nest.exprs[k].0 = Expr::Op(op, [a, b, c].into_iter().collect());
    }
    let summed = |s: &crate::ir::loops::Sink| match s.reduce {
        Some(Reduction::Sum) if varies[s.value.0 as usize] => product(&nest, s.value),
        _ => None,
    };
    let products = nest.sinks.iter().map(summed).collect();
    Contracted { nest, products }
}

/// By expression, whether it differs along the innermost axis.
pub fn varies(nest: &Nest) -> Vec<bool> {
    let inner = nest.extents.len() - 1;
    let mut varies: Vec<bool> = Vec::with_capacity(nest.exprs.len());
    for (expr, _) in &nest.exprs {
        varies.push(match expr {
            Expr::Load(_, a) | Expr::Index(a) => a.strides[inner] != 0,
            Expr::Call(..) => true,
            _ => expr.operands().iter().any(|o| varies[o.0 as usize]),
        });
    }
    varies
}
