//! The objectives and their symbolic derivatives as equations.

use blo_grammar::diagnostic::Diagnostic;

use super::latex;
use crate::derive::not_differentiable;
use crate::ir::graph::{Graph, InputId, NodeId, Role};
use crate::model::{Level, Model, Var};
use crate::passes::differentiate::{gradient, jvp};
use crate::passes::simplify::simplify;

/// What to derive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Gradients of both objectives.
    First,
    /// Products of the second derivatives of the lower objective (of the upper one without a lower level) with a direction.
    Second,
}

/// An equation.
pub struct Equation {
    /// What is defined, as text.
    pub text: String,
    /// What is defined, as LaTeX.
    pub latex: String,
    /// What it is.
    pub node: NodeId,
}

/// Equations and the graph that they are of.
pub struct Derived {
    /// The model's graph, grown.
    pub graph: Graph,
    /// The equations, level by level.
    pub equations: Vec<Equation>,
    /// Inputs that stand for directions, with their names and the variable whose sizes they have.
    pub directions: Vec<(InputId, String, Var)>,
}

/// An objective to be derived.
struct Objective<'a> {
    level: &'a Level,
    node: NodeId,
    text: &'static str,
    latex: String,
}

/// Derives the objectives of a model.
///
/// Errors: an objective that cannot be differentiated.
pub fn derive(model: &Model, order: Order) -> Result<Derived, Vec<Diagnostic>> {
    let mut derived = Derived { graph: model.graph.clone(), equations: Vec::new(), directions: Vec::new() };
    let upper: Vec<&Var> = model.upper.vars.iter().collect();
    let lower: Vec<&Var> = model.lower.iter().flat_map(|level| &level.vars).collect();
    let levels =
        [(Some(&model.upper), "upper.objective", "F"), (model.lower.as_ref(), "lower.objective", "f")];
    for (level, text, letter) in levels {
        let Some(level) = level else { continue };
        let own = if letter == "F" { &upper } else { &lower };
        if order == Order::Second && letter == "F" && !lower.is_empty() {
            continue;
        }
        let node = simplify(&mut derived.graph, &[level.objective])[0];
        let objective = Objective { level, node, text, latex: arguments(letter, &upper, &lower) };
        derived.equations.push(Equation {
            text: if level.maximize { format!("-{text}") } else { text.to_owned() },
            latex: if level.maximize { format!("-{}", objective.latex) } else { objective.latex.clone() },
            node,
        });
        let wrt: Vec<&Var> = if letter == "F" {
            [upper.clone(), lower.clone()].concat()
        } else {
            [lower.clone(), upper.clone()].concat()
        };
        match order {
            Order::First => derived.first(&objective, &wrt)?,
            Order::Second => derived.second(&objective, own, &wrt)?,
        }
    }
    Ok(derived)
}

/// `F(x, y)`.
fn arguments(letter: &str, upper: &[&Var], lower: &[&Var]) -> String {
    let names: Vec<String> = upper.iter().chain(lower).map(|var| latex::name(&var.name)).collect();
    format!("{letter}({})", names.join(", "))
}

impl Derived {
    fn first(&mut self, objective: &Objective<'_>, wrt: &[&Var]) -> Result<(), Vec<Diagnostic>> {
        let nodes: Vec<NodeId> = wrt.iter().map(|var| var.node).collect();
        let partials = self.gradient(objective, &nodes)?;
        let partials = simplify(&mut self.graph, &partials);
        for (var, node) in wrt.iter().zip(partials) {
            self.equations.push(Equation {
                text: format!("grad({}, {})", objective.text, var.name),
                latex: format!("\\nabla_{{{}}} {}", latex::name(&var.name), &objective.latex[..1]),
                node,
            });
        }
        Ok(())
    }

    fn gradient(
        &mut self,
        objective: &Objective<'_>,
        nodes: &[NodeId],
    ) -> Result<Vec<NodeId>, Vec<Diagnostic>> {
        gradient(&mut self.graph, objective.node, nodes)
            .map_err(|e| vec![not_differentiable(&self.graph, objective.level, "its derivatives", &e)])
    }

    /// The product of every block of second derivatives by one of `wrt` and one of the level's `own` variables with a direction.
    fn second(
        &mut self,
        objective: &Objective<'_>,
        own: &[&Var],
        wrt: &[&Var],
    ) -> Result<(), Vec<Diagnostic>> {
        let nodes: Vec<NodeId> = wrt.iter().map(|var| var.node).collect();
        let partials = self.gradient(objective, &nodes)?;
        for var in own {
            let name = format!("v_{}", var.name);
            let (input, direction) = self.graph.add_input(name.clone(), Role::Data, var.ty.clone());
            self.directions.push((input, name.clone(), (*var).clone()));
            let products = jvp(&mut self.graph, &partials, &[(var.node, direction)])
                .map_err(|e| vec![not_differentiable(&self.graph, objective.level, "its derivatives", &e)])?;
            let products = simplify(&mut self.graph, &products);
            for (by, node) in wrt.iter().zip(products) {
                self.equations.push(Equation {
                    text: format!("grad(grad({}, {}), {}) along {name}", objective.text, by.name, var.name),
                    latex: format!(
                        "\\nabla^2_{{{} {}}} {}\\; {}",
                        latex::name(&by.name),
                        latex::name(&var.name),
                        &objective.latex[..1],
                        latex::name(&name)
                    ),
                    node,
                });
            }
        }
        Ok(())
    }
}
