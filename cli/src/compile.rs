//! The one place where the command line starts the compiler's back end.

use blo_compiler::model::Model;
use blo_grammar::ast::Ast;
use blo_grammar::diagnostic::Diagnostic;
use blo_runtime::derivatives::Quantity;
use blo_runtime::problem::Problem;

use crate::args::Stage;

/// The model as machine code, ready for a solver that evaluates `needs`.
pub fn problem(model: &mut Model, needs: &[Quantity], seed: u64) -> Result<Problem, Vec<Diagnostic>> {
    blo_compiler::compile(model, needs, seed)
}

/// The text of a stage after the syntax tree.
pub fn text(model: &mut Model, needs: &[Quantity], stage: Stage) -> Result<String, Vec<Diagnostic>> {
    let stage = match stage {
        Stage::Ast | Stage::Model => blo_compiler::Stage::Model,
        Stage::Graph => blo_compiler::Stage::Graph,
        Stage::Loops => blo_compiler::Stage::Loops,
        Stage::Clif => blo_compiler::Stage::Clif,
    };
    blo_compiler::emit(model, needs, stage)
}

/// The syntax tree, printed as a model: what the parser understood.
pub fn syntax(ast: &Ast) -> String {
    blo_grammar::format::print(ast)
}
