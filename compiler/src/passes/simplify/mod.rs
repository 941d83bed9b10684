//! Simplification: a table of named rewrite rules, applied bottom-up until none fires. It removes what differentiation and
//! the expansion of comprehensions leave behind, finds contractions in sums of products, and replaces compositions that lose
//! digits. Choosing loops and fusing them is left to lowering.
//!
//! The result of a rule is simplified in turn, and every node is simplified once, so the cost is about linear. It ends
//! because every rule goes down in this order, compared from the top:
//! 1. compositions with a better operator of their own (`log(sum(exp))`, `pow(x, 2)`, products with sparse matrices, ...);
//! 2. the number of scalar operations, counting the index space of every elementwise operator, sum and contraction;
//! 3. the number of nodes, with a choice counted where its arithmetic is outside rather than inside its branches;
//! 4. distance from the root of, in turn, broadcasts, transposes and reshapes, constants, and signs (all but a transpose of
//!    a broadcast and a sign under a rearrangement move towards the root, where they meet or vanish);
//! 5. operands out of canonical order.
//!
//! Should two rules undo each other all the same, the driver notices that it comes back to a node it has not finished and
//! stops there; the number of firings is bounded as well.
//!
//! Rules keep values up to rounding, wherever the original is finite. Two of them knowingly return a number where the
//! original is NaN: `0 * x = 0` for an infinite `x`, and arithmetic on a `select` with a zero branch.

mod constants;
mod contractions;
mod hoist;
mod logs;
mod masks;
mod movement;
pub(super) mod pattern;
mod powers;
pub(super) mod product;
mod reductions;
mod signs;
mod sparse;
mod stable;
mod weights;

pub use self::pattern::is_elementwise;
use crate::ir::graph::{Graph, NodeId};

/// A rewrite rule.
pub struct Rule {
    /// The name in traces.
    pub name: &'static str,
    /// An equal node, or `None` where the rule has nothing to do. The node's operands are simplified; the result need not be.
    pub apply: fn(&mut Graph, NodeId) -> Option<NodeId>,
}

macro_rules! rules {
    ($($family:ident::$name:ident,)*) => {
        /// The rules, in the order in which they are tried at a node.
        pub static RULES: &[Rule] = &[$(Rule { name: stringify!($name), apply: $family::$name }),*];
    };
}

rules! {
    constants::fold_constants,
    constants::add_zero,
    constants::sub_zero,
    constants::mul_one,
    constants::mul_zero,
    constants::div_constant,
    constants::linear_of_zero,
    constants::select_known,
    constants::cast_cast,
    constants::logic,
    hoist::elementwise_broadcast,
    hoist::elementwise_view,
    stable::exp_log_softmax,
    stable::log_one_plus,
    logs::log_of_exponentials,
    logs::log_of_product,
    weights::log_of_weighted,
    logs::log_of_cosh,
    logs::softplus,
    stable::exp_minus_one,
    stable::logistic,
    stable::one_minus_sigmoid,
    stable::normalised,
    logs::tanh_of_exponentials,
    logs::quotient,
    weights::quotient_by_weighted,
    powers::power,
    powers::root_of_square,
    powers::power_of_one,
    constants::sub_constant,
    constants::merge_scales,
    constants::merge_offsets,
    constants::pull_scale,
    constants::collect,
    constants::collect_nested,
    signs::neg_inside,
    signs::add_neg,
    signs::mul_neg,
    masks::cast_select,
    masks::mul_select,
    masks::neg_select,
    masks::add_selects,
    constants::commute,
    movement::no_move,
    movement::broadcast_broadcast,
    movement::transpose_transpose,
    movement::transpose_broadcast,
    movement::transpose_dot,
    movement::reshape_reshape,
    movement::reshape_broadcast,
    movement::slice_slice,
    movement::slice_broadcast,
    movement::slice_concat,
    movement::slice_pad,
    movement::pad_pad,
    movement::concat_fills,
    movement::gather_fill,
    reductions::reduce_unit_axis,
    reductions::reduce_broadcast,
    reductions::reduce_reduce,
    reductions::reduce_transpose,
    reductions::reduce_reshape,
    reductions::sum_neg,
    reductions::sum_scaled,
    reductions::sum_pad,
    sparse::sparse_quotient,
    sparse::sparse_elementwise,
    sparse::sparse_rows,
    sparse::sparse_pick,
    sparse::sparse_sum,
    sparse::sparse_product,
    sparse::sparse_row_product,
    contractions::sum_of_product,
    contractions::sum_of_dot,
    contractions::dot_views,
    contractions::dot_factors,
    contractions::dot_elementwise,
    contractions::dot_order,
    contractions::quadratic_form,
    contractions::diagonal_of_dot,
}

/// Equal roots in simplest form; new nodes are appended to the graph and remember the span of the node they replace.
pub fn simplify(g: &mut Graph, roots: &[NodeId]) -> Vec<NodeId> {
    simplify_traced(g, roots).0
}

/// [`simplify`], and the names of the rules that fired, in order.
pub fn simplify_traced(g: &mut Graph, roots: &[NodeId]) -> (Vec<NodeId>, Vec<&'static str>) {
    let span = g.set_span(None);
    let firings = MOST_FIRINGS_PER_NODE * (g.len() + 16);
    let mut pass = Pass { g, states: Vec::new(), firings, fired: Vec::new() };
    let roots = roots.iter().map(|&root| pass.simplest(root)).collect();
    let fired = pass.fired;
    g.set_span(span);
    (roots, fired)
}

/// Far above what terminating rules need; see the measure in the module's description.
const MOST_FIRINGS_PER_NODE: usize = 64;

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Not met yet.
    New,
    /// Waits for its operands.
    Open,
    /// Equal to another node, whose simplest form is not known yet.
    Same(NodeId),
    /// The simplest form; a node that is its own is never looked at again.
    Done(NodeId),
}

struct Pass<'g> {
    g: &'g mut Graph,
    states: Vec<State>,
    firings: usize,
    fired: Vec<&'static str>,
}

impl Pass<'_> {
    fn state(&self, id: NodeId) -> State {
        self.states.get(id.0 as usize).copied().unwrap_or(State::New)
    }

    fn set(&mut self, id: NodeId, state: State) {
        if self.states.len() <= id.0 as usize {
            self.states.resize(self.g.len().max(id.0 as usize + 1), State::New);
        }
        self.states[id.0 as usize] = state;
    }

    /// The simplest form of `root`, with an explicit stack, as graphs are deeper than the machine's.
    fn simplest(&mut self, root: NodeId) -> NodeId {
        let mut stack = vec![root];
        while let Some(&id) = stack.last() {
            match self.state(id) {
                State::Done(_) => {
                    stack.pop();
                }
                State::New => {
                    self.set(id, State::Open);
                    self.visit_operands(id, &mut stack);
                }
                State::Open => {
                    let next = self.step(id);
                    self.follow(id, next, &mut stack);
                }
                State::Same(next) => self.follow(id, next, &mut stack),
            }
        }
        self.form(root)
    }

    /// The simplest form of a finished node.
    fn form(&self, id: NodeId) -> NodeId {
        match self.state(id) {
            State::Done(form) => form,
            _ => crate::bug!("node %{} was not simplified before its use", id.0),
        }
    }

    fn visit_operands(&mut self, id: NodeId, stack: &mut Vec<NodeId>) {
        for k in (0..self.g.node(id).inputs.len()).rev() {
            let operand = self.g.node(id).inputs[k];
            match self.state(operand) {
                State::New => stack.push(operand),
                State::Done(_) => {}
                State::Open | State::Same(_) => self.set(operand, State::Done(operand)),
            }
        }
    }

    /// `id` equals `next`: takes over its form, or waits for it. Coming back to an unfinished node ends the chain there.
    fn follow(&mut self, id: NodeId, next: NodeId, stack: &mut Vec<NodeId>) {
        match self.state(next) {
            State::Done(form) => self.set(id, State::Done(form)),
            State::New => {
                self.set(id, State::Same(next));
                stack.push(next);
            }
            State::Open | State::Same(_) => {
                self.set(next, State::Done(next));
                self.set(id, State::Done(next));
            }
        }
    }

    /// One step for a node whose operands are finished: the node on their simplest forms; if it is that already, the result
    /// of the first rule that fires; if none does, itself.
    fn step(&mut self, id: NodeId) -> NodeId {
        let node = self.g.node(id);
        let forms: smallvec::SmallVec<[NodeId; 3]> = node.inputs.iter().map(|&i| self.form(i)).collect();
        let (span, changed) = (node.span, forms != node.inputs);
        self.g.set_span(span);
        if changed {
            return pattern::with_inputs(self.g, id, &forms);
        }
        if self.firings > 0 {
            for rule in RULES {
                if let Some(equal) = (rule.apply)(self.g, id)
                    && equal != id
                {
                    self.firings -= 1;
                    self.fired.push(rule.name);
                    return equal;
                }
            }
        }
        id
    }
}
