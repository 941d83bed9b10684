//! The one place where the command line starts the compiler's back end.

use blo_compiler::check::print::print_model;
use blo_compiler::compile;
use blo_compiler::model::Model;
use blo_grammar::ast::Ast;
use blo_grammar::diagnostic::Diagnostic;
use blo_runtime::derivatives::Quantity;
use blo_runtime::problem::Problem;

use crate::args::Stage;

/// The model as machine code, ready for a solver that evaluates `needs`.
pub fn problem(model: &mut Model, needs: &[Quantity], seed: u64) -> Result<Problem, Vec<Diagnostic>> {
    compile::compile(model, needs, seed)
}

/// The text of a stage after the syntax tree.
pub fn text(model: &mut Model, needs: &[Quantity], stage: Stage) -> Result<String, Vec<Diagnostic>> {
    match stage {
        Stage::Ast | Stage::Model => Ok(print_model(model)),
        Stage::Graph => compile::emit_graph(model, needs),
        Stage::Loops => compile::emit_loops(model, needs),
        Stage::Clif => compile::emit_clif(model, needs),
    }
}

/// The syntax tree, printed as a model: what the parser understood.
pub fn syntax(ast: &Ast) -> String {
    blo_grammar::format::print(ast)
}
