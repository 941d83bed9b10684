//! Chains of products in their cheapest order: the value stays, and brackets are formed where they pay and only there.

use blo_compiler::ir::graph::{NodeId, Role};
use blo_compiler::passes::chains::associate;
use blo_compiler::passes::simplify::simplify;
use blo_compiler::types::{Elem, Type};

use crate::support::{Bound, assert_close};

/// Samples and features.
const N: usize = 61;
const D: usize = 5;

struct Fit {
    b: Bound,
    x: NodeId,
}

impl Fit {
    fn new() -> Self {
        let mut b = Bound::new(3);
        let x = input(&mut b, &[N, D], Role::Data);
        Fit { b, x }
    }

    /// `X v` of a new input.
    fn forward(&mut self, role: Role) -> NodeId {
        let v = input(&mut self.b, &[D], role);
        self.b.graph.contract(self.x, v, &[], &[(1, 0)])
    }

    /// `X' u`.
    fn back(&mut self, u: NodeId) -> NodeId {
        self.b.graph.contract(self.x, u, &[], &[(0, 0)])
    }

    /// The roots before and after, which must have the same values.
    fn associated(&mut self, roots: &[NodeId], many: bool) -> (Vec<NodeId>, Vec<NodeId>) {
        let before = simplify(&mut self.b.graph, roots);
        let after = associate(&mut self.b.graph, &before, many);
        for (a, b) in self.b.values(&before).iter().zip(&self.b.values(&after)) {
            assert_close(a, b, 1e-12, 1e-12, "a chain in another order");
        }
        (before, after)
    }

    /// Stages and lengths of all nodes below, inputs left out.
    fn nodes(&self, roots: &[NodeId]) -> Vec<(Role, Vec<usize>)> {
        let g = &self.b.graph;
        let made = g.reachable(roots).into_iter().filter(|&id| !g.node(id).inputs.is_empty());
        made.map(|id| (g.node(id).stage, g.shape(id).to_vec())).collect()
    }
}

fn input(b: &mut Bound, shape: &[usize], role: Role) -> NodeId {
    let ty = Type::new(Elem::Real, shape.iter().copied());
    let value = b.random_array(shape);
    let name = format!("x{}", b.graph.inputs().len());
    let (id, node) = b.graph.add_input(name, role, ty);
    b.bindings.set(id, value);
    node
}

#[test]
fn a_product_of_data_with_itself_is_formed_for_directions() {
    let mut fit = Fit::new();
    let xv = fit.forward(Role::LowerDirection);
    let hv = fit.back(xv);
    let hv = fit.b.graph.scale(hv, 2.0 / N as f64);
    let (_, after) = fit.associated(&[hv], true);
    let nodes = fit.nodes(&after);
    assert!(nodes.contains(&(Role::Data, vec![D, D])), "{nodes:?}");
    assert!(nodes.iter().all(|(role, shape)| *role == Role::Data || !shape.contains(&N)), "{nodes:?}");
}

#[test]
fn sums_linear_in_directions_are_multiplied_out() {
    let mut fit = Fit::new();
    let xv = fit.forward(Role::LowerDirection);
    let b = input(&mut fit.b, &[], Role::LowerDirection);
    let g = &mut fit.b.graph;
    let b = g.broadcast_scalar(b, &[N]);
    let residual = g.sub(xv, b);
    let of_b = g.sum_all(residual);
    let of_w = fit.back(residual);
    let (_, after) = fit.associated(&[of_w, of_b], true);
    let nodes = fit.nodes(&after);
    assert!(nodes.iter().all(|(role, shape)| *role == Role::Data || !shape.contains(&N)), "{nodes:?}");
}

#[test]
fn weights_go_into_the_bracket_where_it_is_used_often() {
    for (role, many, formed) in [
        (Role::Upper, true, true),
        (Role::Lower, true, true),
        (Role::Upper, false, false),
        (Role::Lower, false, false),
        (Role::Data, false, true),
    ] {
        let mut fit = Fit::new();
        let weights = input(&mut fit.b, &[N], role);
        let xv = fit.forward(Role::LowerDirection);
        let weighted = fit.b.graph.mul(weights, xv);
        let hv = fit.back(weighted);
        let (before, after) = fit.associated(&[hv], many);
        assert_eq!(before != after, formed, "{role:?}, {many}");
        assert_eq!(fit.nodes(&after).contains(&(role, vec![D, D])), formed, "{role:?}, {many}");
    }
}

/// The residual of a fit is small where its terms cancel, so it is not torn apart; nor is anything that is not linear in a direction.
#[test]
fn gradients_keep_their_residual() {
    let mut fit = Fit::new();
    let y = input(&mut fit.b, &[N], Role::Data);
    let xw = fit.forward(Role::Lower);
    let residual = fit.b.graph.sub(xw, y);
    let gradient = fit.back(residual);
    let plain = fit.back(xw);
    let square = fit.b.graph.mul(xw, xw);
    let norm = fit.b.graph.sum_all(square);
    let (before, after) = fit.associated(&[gradient, plain, norm], true);
    assert_eq!(before, after);
    // With a direction in it as well, but not in every term.
    let xv = fit.forward(Role::LowerDirection);
    let mixed = fit.b.graph.add(residual, xv);
    let product = fit.back(mixed);
    let (before, after) = fit.associated(&[product], true);
    assert_eq!(before, after);
}

/// `(X' X) w` as written, with more columns than rows, is multiplied from the right.
#[test]
fn a_bracket_that_is_too_large_is_dissolved() {
    let mut b = Bound::new(5);
    let x = input(&mut b, &[4, 300], Role::Data);
    let w = input(&mut b, &[300], Role::Lower);
    let square = b.graph.contract(x, x, &[], &[(0, 0)]);
    let product = b.graph.contract(square, w, &[], &[(1, 0)]);
    let mut fit = Fit { b, x };
    let (before, after) = fit.associated(&[product], true);
    assert!(fit.nodes(&before).contains(&(Role::Data, vec![300, 300])));
    assert!(fit.nodes(&after).iter().all(|(_, shape)| shape.len() < 2), "{:?}", fit.nodes(&after));
}

/// A product that something else reads anyway is not avoided, and a bracket larger than its factors is not formed.
#[test]
fn nothing_changes_where_it_would_not_pay() {
    let mut b = Bound::new(7);
    let x = input(&mut b, &[8, 40], Role::Data);
    let v = input(&mut b, &[40], Role::LowerDirection);
    let xv = b.graph.contract(x, v, &[], &[(1, 0)]);
    let hv = b.graph.contract(x, xv, &[], &[(0, 0)]);
    let sines = b.graph.unary(&blo_compiler::ops::SIN, xv);
    let wide = b.graph.scale(hv, 3.0);
    let mut fit = Fit { b, x };
    let (before, after) = fit.associated(&[wide, sines], true);
    assert_eq!(before, after);
}

/// Matrices in place of vectors, a batch, transposes: all orders have one value.
#[test]
fn longer_chains_keep_their_value() {
    let roles = [Role::Data, Role::Upper, Role::Lower, Role::LowerDirection];
    for seed in 0..24 {
        let mut b = Bound::new(seed);
        let size = |k: usize| [3, 17, 2, 9, 5][(seed as usize * 7 + k * 3) % 5];
        // A B C v with a diagonal in between, and one of the matrices transposed.
        let role = |k: usize| roles[(seed as usize + k) % 3];
        let first = input(&mut b, &[size(1), size(0)], role(0));
        let second = input(&mut b, &[size(1), size(2)], role(1));
        let third = input(&mut b, &[size(2), size(3)], role(2));
        let diagonal = input(&mut b, &[size(2)], role(1));
        let v = input(&mut b, &[size(3), 2], Role::LowerDirection);
        let g = &mut b.graph;
        let cv = g.contract(third, v, &[], &[(1, 0)]);
        let shape = g.shape(cv).clone();
        let diagonal = g.broadcast(diagonal, &shape, &[0]);
        let scaled = g.mul(cv, diagonal);
        let negated = g.neg(scaled);
        let bcv = g.contract(second, negated, &[], &[(1, 0)]);
        let first = g.transpose(first, &[1, 0]);
        let whole = g.contract(first, bcv, &[], &[(1, 0)]);
        let total = g.sum(whole, &[1]);
        let mut fit = Fit { b, x: third };
        fit.associated(&[total, whole], seed % 2 == 0);
    }
}
