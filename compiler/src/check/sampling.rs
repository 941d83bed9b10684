//! Sampled indices: `i ~ n` marks a finite sum or mean that a stochastic method may estimate from some of its turns. Every
//! marked sum is remembered with its node; those that an objective reads go into the model.

use blo_grammar::ast::{Binder, Ident};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::Checker;
use super::builtins::reduce::Reducer;
use super::range::Bound;
use super::scope::Reads;
use super::value::{Axis, Value};
use crate::ir::graph::{Graph, NodeId, Role};
use crate::model::Sampled;
use crate::ops::{self, Derivative};

/// A marked sum.
pub struct Sample {
    index: String,
    axis: Axis,
    mean: bool,
    node: NodeId,
    terms: Option<(NodeId, usize)>,
    span: Span,
}

impl Checker<'_> {
    /// Whether the sampled indices of a reduction may be sampled: only a sum is estimated by a part of its terms.
    pub fn samples(&mut self, binders: &[Binder], reducer: Reducer, function: &Ident) -> Option<()> {
        let sampled = binders.iter().find(|binder| binder.sampled);
        match sampled {
            Some(binder) if !matches!(reducer, Reducer::Sum | Reducer::Mean) => {
                let why = format!("some of its terms say nothing about a `{}`", function.name);
                self.not_sampled(binder, &why)
            }
            _ => Some(()),
        }
    }

    /// The error for an index that cannot be sampled.
    pub fn not_sampled<T>(&mut self, binder: &Binder, why: &str) -> Option<T> {
        let diagnostic =
            Diagnostic::error("E0239", "an index cannot be sampled here", binder.span, why.to_owned());
        let name = &binder.name.name;
        self.emit(
            diagnostic.help(format!("write `{name} in …`; `~` belongs to a `sum` or `mean` in an objective")),
        );
        None
    }

    /// Remembers the sampled indices of a reduction and its value.
    pub fn record_samples(&mut self, binders: &[Binder], bound: &Bound, reducer: Reducer, value: &Value) {
        for (binder, index) in binders.iter().zip(&bound.loops) {
            if !binder.sampled {
                // A sum says how many terms it has even where they are all the same.
                if let Some(dim) = self.loops[index.0].axis.dim
                    && reducer != Reducer::Mean
                    && !matches!(self.reads, Reads::Reports | Reads::Solution)
                {
                    self.dims[dim.0].counted = true;
                }
                continue;
            }
            if self.stage(value.node) == Role::Data {
                let diagnostic = Diagnostic::warning(
                    "W0205",
                    "a sum of data alone is not sampled",
                    binder.span,
                    "its terms do not depend on variables",
                );
                let name = &binder.name.name;
                self.emit(diagnostic.help(format!("write `{name} in …`")));
                continue;
            }
            let terms = self.summed.as_ref().and_then(|(sum, loops)| {
                let axis = loops.iter().position(|l| l == index)?;
                Some((*sum, axis))
            });
            self.samples.push(Sample {
                index: binder.name.name.clone(),
                axis: self.loops[index.0].axis,
                mean: reducer == Reducer::Mean,
                node: value.node,
                terms,
                span: binder.span,
            });
        }
    }

    /// Refuses marked sums in constraints.
    pub fn sampled_constraints(&mut self) {
        if self.constraints.is_empty() {
            return;
        }
        let residuals: Vec<NodeId> = self.constraints.iter().map(|c| c.constraint.residual).collect();
        let read = self.graph.reachable(&residuals);
        let marked = self.samples.iter().filter(|s| read.contains(&s.node));
        let diagnostics: Vec<Diagnostic> = marked
            .map(|s| {
                let message = "an index cannot be sampled here";
                let label = "a constraint reads this sum, and it must hold exactly";
                Diagnostic::error("E0239", message, s.span, label).help(format!(
                    "write `{} in …`; `~` belongs to a `sum` or `mean` in an objective",
                    s.index
                ))
            })
            .collect();
        for diagnostic in diagnostics {
            self.emit_plain(diagnostic);
        }
    }

    fn biased(&mut self, sample: &Sample) {
        let message = "an estimate of this sum would not be one of the objective";
        let label = "the objective is not linear in this sum";
        let diagnostic = Diagnostic::warning("W0207", message, sample.span, label);
        let help = format!("write `{} in …`, unless a biased estimate will do", sample.index);
        self.emit_plain(diagnostic.help(help));
    }

    /// The marked sums that the objectives read. Reports read the others as they read any sum.
    pub fn sampled(&mut self, objectives: &[NodeId]) -> Vec<Sampled> {
        let mut read = vec![false; self.graph.len()];
        for node in self.graph.reachable(objectives) {
            read[node.0 as usize] = true;
        }
        let mut sampled: Vec<Sampled> = Vec::new();
        for sample in std::mem::take(&mut self.samples) {
            let known = sampled.iter().any(|s| s.node == sample.node && s.span == sample.span);
            if read[sample.node.0 as usize] && !known {
                let unbiased = is_affine_in(&self.graph, objectives, &[sample.node]);
                if !unbiased {
                    self.biased(&sample);
                }
                sampled.push(Sampled {
                    index: sample.index,
                    size: sample.axis.size,
                    dim: sample.axis.dim.map(|d| self.dims[d.0].name.clone()),
                    mean: sample.mean,
                    unbiased,
                    node: sample.node,
                    terms: sample.terms,
                    span: sample.span,
                });
            }
        }
        sampled
    }
}

/// Whether every objective that reads sums is affine in them, in all together: only then do unbiased estimates of the sums give one
/// of the objective.
pub(crate) fn is_affine_in(graph: &Graph, objectives: &[NodeId], sums: &[NodeId]) -> bool {
    let mut depends = vec![false; graph.len()];
    sums.iter().for_each(|sum| depends[sum.0 as usize] = true);
    for id in graph.reachable(objectives) {
        depends[id.0 as usize] |= graph.node(id).inputs.iter().any(|input| depends[input.0 as usize]);
    }
    let mut seen = vec![false; graph.len()];
    let mut todo: Vec<NodeId> = objectives.to_vec();
    while let Some(id) = todo.pop() {
        if sums.contains(&id) || !depends[id.0 as usize] || std::mem::replace(&mut seen[id.0 as usize], true)
        {
            continue;
        }
        let inputs = &graph.node(id).inputs;
        let through: Vec<usize> = (0..inputs.len()).filter(|&k| depends[inputs[k].0 as usize]).collect();
        if !is_linear_in(graph, id, &through) {
            return false;
        }
        todo.extend(through.iter().map(|&k| inputs[k]));
    }
    true
}

/// Whether a node is linear in some of its operands together, or affine.
fn is_linear_in(graph: &Graph, id: NodeId, operands: &[usize]) -> bool {
    let is = |op| graph.is(id, op);
    if [&ops::ADD, &ops::SUB, &ops::NEG, &ops::CAST].into_iter().any(is) {
        return true;
    }
    if is(&ops::MUL) || is(&ops::DOT) {
        return operands.len() == 1;
    }
    if is(&ops::DIV) {
        return operands == [0];
    }
    let choice = is(&ops::SELECT) && operands.contains(&0);
    matches!(graph.node(id).op.0.derivative, Derivative::Linear(_)) && !choice
}
