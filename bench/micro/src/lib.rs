//! What the micro-benchmarks share: a model from text without files, compiled for some quantities, and calls at points that keep
//! changing, so that nothing is found ready from the call before.

use blo_compiler::model::{Model, Precision};
use blo_compiler::session::{DataError, DataRequest, Loader, Options, Tensor};
use blo_compiler::{analyse, compile};
use blo_grammar::source::Sources;
use blo_runtime::derivatives::{Derivatives, Quantity};
use blo_runtime::problem::Problem;

/// No files: models whose data are drawn or written out.
struct NoFiles;

impl Loader for NoFiles {
    fn module(&mut self, _from: &str, path: &str) -> Result<(String, String), String> {
        Err(format!("`{path}` is not read here"))
    }

    fn data(&mut self, _request: &DataRequest) -> Result<Option<Tensor>, DataError> {
        Ok(None)
    }
}

/// The model in `text` with parameters set, or what is wrong with it.
pub fn model(text: &str, precision: Precision, set: &[(String, String)]) -> Result<Model, String> {
    let mut sources = Sources::new();
    let main = sources.add("model.blo", text);
    let overrides = set.to_vec();
    let options = Options { overrides, precision: Some(precision), need_data: true, ..Options::default() };
    let (model, diagnostics) = analyse(&mut sources, main, &mut NoFiles, &options);
    model.ok_or_else(|| format!("{diagnostics:?}"))
}

/// A compiled model and the vectors of its calls.
pub struct Evaluator {
    problem: Problem,
    x: Vec<f64>,
    y: Vec<f64>,
    /// The direction of second-order products.
    v: Vec<f64>,
    gx: Vec<f64>,
    gy: Vec<f64>,
    product: Vec<f64>,
    turn: bool,
}

impl Evaluator {
    /// Compiles one quantity of a model.
    pub fn new(mut model: Model, quantity: Quantity) -> Result<Self, String> {
        let problem = compile(&mut model, &[quantity], 0).map_err(|errors| format!("{errors:?}"))?;
        let (x, y) = (problem.upper.start(), problem.lower.start());
        let (gx, gy, product) = (x.clone(), y.clone(), y.clone());
        Ok(Evaluator { v: vec![0.5; y.len()], problem, x, y, gx, gy, product, turn: false })
    }

    /// One call at a point beside the last one; the objective, or NaN for a product.
    pub fn call(&mut self, quantity: Quantity) -> f64 {
        let Self { problem, x, y, v, gx, gy, product, turn } = self;
        *turn = !*turn;
        let nudge = if *turn { 1e-9 } else { -1e-9 };
        for vector in [&mut *x, &mut *y, &mut *v] {
            if let Some(first) = vector.first_mut() {
                *first += nudge;
            }
        }
        match quantity {
            Quantity::LowerValue => problem.lower_value(x, y),
            Quantity::LowerGradient => problem.lower_gradient(x, y, gy),
            Quantity::LowerGradients => problem.lower_gradients(x, y, gx, gy),
            Quantity::LowerHessian => {
                problem.lower_hessian(x, y, v, product);
                f64::NAN
            }
            Quantity::LowerSecondOrder => {
                problem.lower_second_order(x, y, v, product, gx);
                f64::NAN
            }
            Quantity::LowerDirections => {
                problem.lower_directions(x, y, v, gy, product, gx);
                f64::NAN
            }
            Quantity::LowerGradientX => problem.lower_gradient_x(x, y, gx),
            Quantity::UpperGradientX => problem.upper_gradient_x(x, y, gx),
            Quantity::UpperValue => problem.upper_value(x, y),
            Quantity::UpperGradients => problem.upper_gradients(x, y, gx, gy),
            Quantity::SmoothGradient => problem.smooth_gradient(x, y, gy),
            Quantity::SmoothHessian => {
                problem.smooth_hessian(x, y, v, product);
                f64::NAN
            }
            Quantity::LowerCross
            | Quantity::ProximalWeights
            | Quantity::UpperSecondOrder
            | Quantity::Reports => f64::NAN,
        }
    }
}
