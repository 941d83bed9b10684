//! Shared by the tests that evaluate a model: where its variables start.

use blo_compiler::draws::Draw;
use blo_compiler::ir::eval::{Bindings, evaluate};
use blo_compiler::model::{Init, Model, Var};

/// Every variable at its start, and all data.
pub fn start(model: &Model) -> Bindings {
    let mut bindings = Bindings::new();
    for data in &model.data {
        bindings.set(data.input, data.value.clone().unwrap());
    }
    for var in vars(model) {
        let value = match &var.init {
            Init::Value(node) => evaluate(&model.graph, &[*node], &bindings).unwrap().pop().unwrap(),
            Init::Normal(mean, deviation) => {
                Draw::Normal(*mean, *deviation).array(&var.ty.shape, 0, &var.name)
            }
            Init::Uniform(low, high) => Draw::Uniform(*low, *high).array(&var.ty.shape, 0, &var.name),
        };
        bindings.set(var.input, value);
    }
    bindings
}

/// The variables of both levels.
pub fn vars(model: &Model) -> Vec<Var> {
    std::iter::once(&model.upper).chain(&model.lower).flat_map(|level| level.vars.clone()).collect()
}
