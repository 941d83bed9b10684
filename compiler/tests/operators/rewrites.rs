//! Random expressions made of exponentials, where nothing overflows: simplification keeps values, gradients and Hessian products
//! of their logarithms and quotients.

use blo_compiler::ir::graph::NodeId;
use blo_compiler::ops;
use blo_compiler::passes::differentiate::{gradient, jvp};
use blo_compiler::passes::simplify::simplify;
use rand::RngExt;

use crate::support::{Bound, assert_close, magnitude};

/// Rows and columns of every matrix.
const SIZE: [usize; 2] = [3, 4];

struct Maker {
    bound: Bound,
    /// Matrices of any sign, to be exponents, weights and conditions.
    leaves: Vec<NodeId>,
}

impl Maker {
    fn pick(&mut self, n: usize) -> usize {
        self.bound.random.random_range(0..n)
    }

    fn leaf(&mut self) -> NodeId {
        let k = self.pick(self.leaves.len());
        self.leaves[k]
    }

    /// A matrix with positive elements.
    fn positive(&mut self, depth: usize) -> NodeId {
        let leaf = self.leaf();
        let kind = if depth == 0 { self.pick(4) } else { self.pick(14) };
        let g = &mut self.bound.graph;
        match kind {
            0 | 1 => g.unary(&ops::EXP, leaf),
            2 => g.unary(&ops::SIGMOID, leaf),
            3 => g.softmax(leaf, 1),
            4 => g.fill(0.7, &SIZE),
            5 | 6 => self.pair(depth, &ops::ADD),
            7 => self.pair(depth, &ops::MUL),
            8 => self.pair(depth, &ops::DIV),
            9 => {
                let (a, b) = (self.positive(depth - 1), self.positive(depth - 1));
                let g = &mut self.bound.graph;
                let zero = g.zeros_like(leaf);
                let condition = g.binary(&ops::LT, zero, leaf);
                g.select(condition, a, b)
            }
            10 => self.spread_reduction(depth),
            11 => self.contraction(depth),
            12 => {
                let inner = self.positive(depth - 1);
                let g = &mut self.bound.graph;
                let part = g.slice(inner, &[1, 0], &[3, SIZE[1]]);
                let top = g.slice(inner, &[0, 0], &[1, SIZE[1]]);
                g.concat(&[part, top], 0)
            }
            _ => {
                let inner = self.positive(depth - 1);
                let g = &mut self.bound.graph;
                let row = g.slice(inner, &[1, 0], &[2, SIZE[1]]);
                let row = g.reshape(row, &[SIZE[1]]);
                g.broadcast(row, &SIZE, &[1])
            }
        }
    }

    fn pair(&mut self, depth: usize, op: &'static ops::Operator) -> NodeId {
        let (a, b) = (self.positive(depth - 1), self.positive(depth - 1));
        self.bound.graph.binary(op, a, b)
    }

    /// A sum over one axis or both, perhaps with weights or some terms left out, or a product; repeated to a matrix.
    fn spread_reduction(&mut self, depth: usize) -> NodeId {
        let inner = self.positive(depth - 1);
        let weight = self.leaf();
        let (kind, axes) = (self.pick(4), [&[0][..], &[1], &[0, 1]][self.pick(3)]);
        let g = &mut self.bound.graph;
        let terms = match kind {
            0 => {
                // Weights that are positive without being seen to be.
                let square = g.mul(weight, weight);
                g.mul(square, inner)
            }
            1 => {
                let zero = g.zeros_like(weight);
                let condition = g.binary(&ops::LT, zero, weight);
                g.select(condition, inner, zero)
            }
            _ => inner,
        };
        let reduced = if kind == 2 { g.prod(terms, axes) } else { g.sum(terms, axes) };
        // Every term may be left out.
        let floor = g.fill(0.01, &g.shape(reduced).clone());
        let reduced = if kind == 1 { g.add(floor, reduced) } else { reduced };
        let stay: Vec<usize> = (0..2).filter(|k| !axes.contains(k)).collect();
        g.broadcast(reduced, &SIZE, &stay)
    }

    /// Rows contracted with a vector that is a row of its own, or matrices with each other.
    fn contraction(&mut self, depth: usize) -> NodeId {
        let (a, b) = (self.positive(depth - 1), self.positive(depth - 1));
        let batched = self.pick(2) == 0;
        let g = &mut self.bound.graph;
        if batched {
            let product = g.contract(a, b, &[(0, 0)], &[(1, 1)]);
            return g.broadcast(product, &SIZE, &[0]);
        }
        let row = g.slice(b, &[0, 0], &[1, SIZE[1]]);
        let row = g.reshape(row, &[SIZE[1]]);
        let product = g.contract(a, row, &[], &[(1, 0)]);
        g.broadcast(product, &SIZE, &[0])
    }

    /// What the rules look for around such matrices.
    fn root(&mut self) -> NodeId {
        let (a, b) = (self.positive(3), self.positive(2));
        let (kind, leaf) = (self.pick(5), self.leaf());
        let g = &mut self.bound.graph;
        match kind {
            0 | 1 => g.unary(&ops::LOG, a),
            2 => {
                let square = g.mul(leaf, leaf);
                let product = g.mul(square, a);
                g.unary(&ops::LOG, product)
            }
            3 => {
                let one = g.fill(1.0, &SIZE);
                let sum = g.add(one, a);
                g.unary(&ops::LOG, sum)
            }
            _ => {
                let sum = g.add(a, b);
                g.div(b, sum)
            }
        }
    }
}

#[test]
fn logarithms_and_quotients_keep_values_and_derivatives() {
    let mut fired = std::collections::BTreeMap::new();
    for seed in 0..400 {
        let mut maker = Maker { bound: Bound::new(seed), leaves: Vec::new() };
        maker.leaves = (0..3).map(|_| maker.bound.random_input(&SIZE)).collect();
        let root = maker.root();
        let (directions, weights) = {
            let mut input = || maker.bound.random_input(&SIZE);
            ((0..3).map(|_| input()).collect::<Vec<_>>(), input())
        };
        let Maker { mut bound, leaves } = maker;
        let g = &mut bound.graph;
        let (simple, names) = blo_compiler::passes::simplify::simplify_traced(g, &[root]);
        for name in names {
            *fired.entry(name).or_insert(0) += 1;
        }
        let mut orders = |root: NodeId| {
            let product = g.mul(root, weights);
            let value = g.sum_all(product);
            let first = gradient(g, value, &leaves).unwrap();
            let pairs: Vec<_> = leaves.iter().copied().zip(directions.iter().copied()).collect();
            let second = jvp(g, &first, &pairs).unwrap();
            [vec![root], first, second].concat()
        };
        let (plain, safe) = (orders(root), orders(simple[0]));
        let safe = simplify(g, &safe);
        for (a, b) in bound.values(&plain).iter().zip(bound.values(&safe)) {
            let noise = 1e-11 * magnitude(a).max(1.0);
            assert_close(a, &b, 1e-9, noise, &format!("seed {seed}"));
        }
    }
    for rule in ["log_of_exponentials", "log_of_product", "softplus", "quotient"] {
        assert!(fired.get(rule).is_some_and(|&n| n > 10), "{rule} hardly ever fired: {fired:?}");
    }
}
