//! What a solver may ask of a bilevel problem: values, gradients and second-order products of the upper objective `F(x, y)`
//! and the lower objective `f(x, y)`. Compiled programs implement this; tests implement it by hand.

/// A quantity a solver needs. The compiler derives and compiles only those asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quantity {
    /// `f`.
    LowerValue,
    /// `f` and `∇y f`.
    LowerGradient,
    /// `f`, `∇x f` and `∇y f`.
    LowerGradients,
    /// `f` and `∇x f`.
    LowerGradientX,
    /// `∇²yy f · v`.
    LowerHessian,
    /// `∇²yy f · v` and `∇²xy f · v`, sharing one sweep.
    LowerSecondOrder,
    /// `∇y f`, `∇²yy f · v` and `∇²xy f · v`, sharing one sweep.
    LowerDirections,
    /// `∇²yx f · u`.
    LowerCross,
    /// The smooth part of `f` where it has a proximal one ([`crate::proximal`]), and its gradient in `y`.
    SmoothGradient,
    /// Of the smooth part, `∇²yy · v`.
    SmoothHessian,
    /// The weights `w(x)` of the proximal part.
    ProximalWeights,
    /// `F`.
    UpperValue,
    /// `F`, `∇x F` and `∇y F`.
    UpperGradients,
    /// `F` and `∇x F`.
    UpperGradientX,
    /// `∇²yy F · v` and `∇²xy F · v`.
    UpperSecondOrder,
    /// The model's `report` values.
    Reports,
}

impl Quantity {
    /// All quantities.
    pub const ALL: [Quantity; 16] = [
        Quantity::LowerValue,
        Quantity::LowerGradient,
        Quantity::LowerGradients,
        Quantity::LowerGradientX,
        Quantity::LowerHessian,
        Quantity::LowerSecondOrder,
        Quantity::LowerDirections,
        Quantity::LowerCross,
        Quantity::SmoothGradient,
        Quantity::SmoothHessian,
        Quantity::ProximalWeights,
        Quantity::UpperValue,
        Quantity::UpperGradients,
        Quantity::UpperGradientX,
        Quantity::UpperSecondOrder,
        Quantity::Reports,
    ];

    /// The name used in results and printed stages.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::LowerValue => "lower_value",
            Quantity::LowerGradient => "lower_gradient",
            Quantity::LowerGradients => "lower_gradients",
            Quantity::LowerGradientX => "lower_gradient_x",
            Quantity::LowerHessian => "lower_hessian",
            Quantity::LowerSecondOrder => "lower_second_order",
            Quantity::LowerDirections => "lower_directions",
            Quantity::LowerCross => "lower_cross",
            Quantity::SmoothGradient => "smooth_gradient",
            Quantity::SmoothHessian => "smooth_hessian",
            Quantity::ProximalWeights => "proximal_weights",
            Quantity::UpperValue => "upper_value",
            Quantity::UpperGradients => "upper_gradients",
            Quantity::UpperGradientX => "upper_gradient_x",
            Quantity::UpperSecondOrder => "upper_second_order",
            Quantity::Reports => "reports",
        }
    }
}

/// Evaluates the quantities at a point. `x`: n upper coordinates; `y`: m lower coordinates; both objectives are minimised
/// (a `maximize` arrives negated). Implementations may keep what depends on `x`, or on `(x, y)`, between calls.
///
/// Calling a quantity that was not compiled is a bug in the caller and stops the program.
pub trait Derivatives {
    /// The number of upper coordinates.
    fn upper_len(&self) -> usize;
    /// The number of lower coordinates.
    fn lower_len(&self) -> usize;
    /// Whether a quantity can be asked for.
    fn has(&self, _: Quantity) -> bool {
        true
    }
    /// Its code and data as bytes, where the compiler kept them; see [`crate::frozen`].
    fn frozen(&self) -> Option<&[u8]> {
        None
    }
    /// Operations on numbers of one evaluation, counted when it was compiled; 0 where nobody counted.
    fn work(&self, quantity: Quantity) -> f64 {
        let _ = quantity;
        0.0
    }
    /// The number of reported scalars.
    fn reports_len(&self) -> usize;
    /// `f(x, y)`.
    fn lower_value(&mut self, x: &[f64], y: &[f64]) -> f64;
    /// `f` and, in `gy` (m), `∇y f`.
    fn lower_gradient(&mut self, x: &[f64], y: &[f64], gy: &mut [f64]) -> f64;
    /// `f` and, in `gx` (n) and `gy` (m), both gradients.
    fn lower_gradients(&mut self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64;
    /// As [`Derivatives::lower_gradient`], for a caller that does not use `f`: returns `f`, or 0 where it was left out because it
    /// is finite wherever its gradient is.
    fn lower_gradient_only(&mut self, x: &[f64], y: &[f64], gy: &mut [f64]) -> f64 {
        self.lower_gradient(x, y, gy)
    }
    /// `f` and, in `gx` (n), `∇x f`: without the sweep back to `y`.
    fn lower_gradient_x(&mut self, x: &[f64], y: &[f64], gx: &mut [f64]) -> f64;
    /// As [`Derivatives::lower_gradient_x`], without `f` as in [`Derivatives::lower_gradient_only`].
    fn lower_gradient_x_only(&mut self, x: &[f64], y: &[f64], gx: &mut [f64]) -> f64 {
        self.lower_gradient_x(x, y, gx)
    }
    /// `hv` (m) = `∇²yy f · v`, with `v` (m).
    fn lower_hessian(&mut self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64]);
    /// `hv` (m) = `∇²yy f · v`, `xv` (n) = `∇²xy f · v`.
    fn lower_second_order(&mut self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]);
    /// `gy` (m) = `∇y f`, `hv` (m) = `∇²yy f · v`, `xv` (n) = `∇²xy f · v`.
    fn lower_directions(
        &mut self,
        x: &[f64],
        y: &[f64],
        v: &[f64],
        gy: &mut [f64],
        hv: &mut [f64],
        xv: &mut [f64],
    ) {
        self.lower_gradient_only(x, y, gy);
        self.lower_second_order(x, y, v, hv, xv);
    }
    /// `out` (m) = `∇²yx f · u`, with `u` (n).
    fn lower_cross(&mut self, x: &[f64], y: &[f64], u: &[f64], out: &mut [f64]);
    /// As [`Derivatives::lower_gradient`], of the smooth part of `f`. Without a proximal part that is all of it.
    fn smooth_gradient(&mut self, x: &[f64], y: &[f64], gy: &mut [f64]) -> f64 {
        self.lower_gradient(x, y, gy)
    }
    /// As [`Derivatives::smooth_gradient`], without the value as in [`Derivatives::lower_gradient_only`].
    fn smooth_gradient_only(&mut self, x: &[f64], y: &[f64], gy: &mut [f64]) -> f64 {
        self.smooth_gradient(x, y, gy)
    }
    /// As [`Derivatives::lower_hessian`], of the smooth part of `f`.
    fn smooth_hessian(&mut self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64]) {
        self.lower_hessian(x, y, v, hv);
    }
    /// The weights of the proximal part, in `out`; any `y` will do.
    fn proximal_weights(&mut self, x: &[f64], y: &[f64], out: &mut [f64]) {
        let _ = (x, y, out);
    }
    /// `F(x, y)`.
    fn upper_value(&mut self, x: &[f64], y: &[f64]) -> f64;
    /// `F` and, in `gx` (n) and `gy` (m), both gradients.
    fn upper_gradients(&mut self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64;
    /// As [`Derivatives::upper_gradients`], without `F` as in [`Derivatives::lower_gradient_only`].
    fn upper_gradients_only(&mut self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        self.upper_gradients(x, y, gx, gy)
    }
    /// `F` and, in `gx` (n), `∇x F`.
    fn upper_gradient_x(&mut self, x: &[f64], y: &[f64], gx: &mut [f64]) -> f64;
    /// As [`Derivatives::lower_second_order`], of `F`.
    fn upper_second_order(&mut self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]);
    /// Gives an array of data other values, as many as it has, wherever it is read; [`Derivatives::renew`] has to follow before
    /// anything is evaluated.
    fn set_data(&mut self, name: &str, values: &[f64]) {
        let _ = (name, values);
    }
    /// Computes what depends on data alone.
    fn renew(&mut self) {}
    /// Whether data have another number of samples than the code was made for.
    fn is_resized(&self) -> bool {
        false
    }
    /// For programs that estimate sums by some of their terms: those of sum `sum` are from now on the ones at `rows`, each taken
    /// `weight` times.
    fn select(&mut self, sum: usize, rows: &[i64], weight: f64) {
        panic!(
            "this is a bug in blo, please report it: sum {sum} is not sampled ({} rows, {weight})",
            rows.len()
        );
    }
    /// The reported scalars, in model order.
    fn reports(&mut self, x: &[f64], y: &[f64], out: &mut [f64]);
}
