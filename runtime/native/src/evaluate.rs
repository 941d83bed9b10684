//! Objectives, derivatives, reports, projections, starts and constraints, one function each. Lengths are those that the handle says;
//! both objectives are minimised, one that the model maximises comes with the other sign.

use std::ffi::{CStr, c_char};

use blo_runtime::derivatives::{Derivatives, Quantity};
use blo_runtime::problem::Problem;

use crate::Code;
use crate::handle::{Handle, Lens, absent, numbers, places};

/// One function: what it evaluates, the vectors it reads and writes with their lengths, and how.
macro_rules! evaluations {
    ($($(#[doc = $doc:literal])+ $name:ident: $quantity:ident, ($($in:ident: $in_len:ident),*) -> ($($out:ident: $out_len:ident),*),
       |$problem:ident| $evaluate:expr;)*) => {$(
        $(#[doc = $doc])+
        ///
        /// # Safety
        /// `handle` must be open; vectors must have the lengths the handle says, and those that are written must not overlap others.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(handle: *const Handle, $($in: *const f64,)* $($out: *mut f64),*) -> i32 {
            // SAFETY: as promised by the caller.
            let Some(handle) = (unsafe { handle.as_ref() }) else { return Code::Argument as i32 };
            let lens = Evaluation::of(handle.lens);
            handle.call(|inner| {
                // SAFETY: as promised by the caller.
                $(let $in = unsafe { numbers($in, lens.$in_len, stringify!($in)) }?;)*
                // SAFETY: as promised by the caller.
                $(let $out = unsafe { places($out, lens.$out_len, stringify!($out)) }?;)*
                let $problem: &mut Problem = &mut inner.thawed.problem;
                if !$problem.has(Quantity::$quantity) {
                    return Err(absent(Quantity::$quantity.name()));
                }
                $evaluate;
                // Values that are not finite are the caller's to see.
                $problem.take_fault();
                Ok(())
            })
        }
    )*};
}

/// Lengths by the letters that stand for them.
struct Evaluation {
    n: usize,
    m: usize,
    k: usize,
    one: usize,
}

impl Evaluation {
    fn of(lens: Lens) -> Self {
        Evaluation { n: lens.upper, m: lens.lower, k: lens.reports, one: 1 }
    }
}

evaluations! {
    /// `F(x, y)`.
    blo_kernel_upper_value: UpperValue, (x: n, y: m) -> (value: one), |p| value[0] = p.upper_value(x, y);
    /// `F` and its gradients.
    blo_kernel_upper_gradients: UpperGradients, (x: n, y: m) -> (value: one, gx: n, gy: m),
        |p| value[0] = p.upper_gradients(x, y, gx, gy);
    /// `hv = ∇²yy F v` and `xv = ∇²xy F v`.
    blo_kernel_upper_second_order: UpperSecondOrder, (x: n, y: m, v: m) -> (hv: m, xv: n),
        |p| p.upper_second_order(x, y, v, hv, xv);
    /// `f(x, y)`.
    blo_kernel_lower_value: LowerValue, (x: n, y: m) -> (value: one), |p| value[0] = p.lower_value(x, y);
    /// `f` and `∇y f`.
    blo_kernel_lower_gradient: LowerGradient, (x: n, y: m) -> (value: one, gy: m),
        |p| value[0] = p.lower_gradient(x, y, gy);
    /// `f` and its gradients.
    blo_kernel_lower_gradients: LowerGradients, (x: n, y: m) -> (value: one, gx: n, gy: m),
        |p| value[0] = p.lower_gradients(x, y, gx, gy);
    /// `hv = ∇²yy f v`.
    blo_kernel_lower_hessian: LowerHessian, (x: n, y: m, v: m) -> (hv: m), |p| p.lower_hessian(x, y, v, hv);
    /// `hv = ∇²yy f v` and `xv = ∇²xy f v`.
    blo_kernel_lower_second_order: LowerSecondOrder, (x: n, y: m, v: m) -> (hv: m, xv: n),
        |p| p.lower_second_order(x, y, v, hv, xv);
    /// `yu = ∇²yx f u`.
    blo_kernel_lower_cross: LowerCross, (x: n, y: m, u: n) -> (yu: m), |p| p.lower_cross(x, y, u, yu);
    /// What the model reports.
    blo_kernel_reports: Reports, (x: n, y: m) -> (values: k), |p| p.reports(x, y, values);
}

/// Runs an action on the problem of a handle.
///
/// # Safety
/// `handle` must be null or open.
unsafe fn on(
    handle: *const Handle,
    action: impl FnOnce(&Handle, &mut crate::handle::Inner) -> Result<(), crate::handle::Failure>,
) -> i32 {
    // SAFETY: as promised by the caller.
    match unsafe { handle.as_ref() } {
        Some(handle) => handle.call(|inner| action(handle, inner)),
        None => Code::Argument as i32,
    }
}

/// The model's start, in the domains.
///
/// # Safety
/// As the evaluations.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn blo_kernel_start(handle: *const Handle, x: *mut f64, y: *mut f64) -> i32 {
    // SAFETY: as promised by the caller, here and below.
    unsafe {
        on(handle, |handle, inner| {
            let (x, y) = (places(x, handle.lens.upper, "x")?, places(y, handle.lens.lower, "y")?);
            x.copy_from_slice(&inner.thawed.problem.upper.start());
            y.copy_from_slice(&inner.thawed.problem.lower.start());
            Ok(())
        })
    }
}

/// Gives data other values, as many as they have, row by row; they stay until they are given others.
///
/// # Safety
/// `handle` must be open, `name` null or text, `values` null or `len` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn blo_kernel_set_data(
    handle: *const Handle,
    name: *const c_char,
    values: *const f64,
    len: usize,
) -> i32 {
    // SAFETY: as promised by the caller.
    let Some(handle) = (unsafe { handle.as_ref() }) else { return Code::Argument as i32 };
    // What data decide is computed by the call after the last of them.
    handle.change(|thawed| {
        if name.is_null() {
            return Err((Code::Argument, "`name` is null".to_owned()));
        }
        // SAFETY: as promised by the caller.
        let (name, values) = unsafe { (CStr::from_ptr(name), numbers(values, len, "values")?) };
        thawed.set_data(&name.to_string_lossy(), values).map_err(|words| (Code::Argument, words))
    })
}

/// Moves `x` to the nearest point of the domains.
///
/// # Safety
/// As the evaluations.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn blo_kernel_project_upper(handle: *const Handle, x: *mut f64) -> i32 {
    // SAFETY: as promised by the caller.
    unsafe {
        on(handle, |handle, inner| {
            inner.thawed.problem.upper.project(places(x, handle.lens.upper, "x")?);
            Ok(())
        })
    }
}

/// Moves `y` to the nearest point of the domains.
///
/// # Safety
/// As the evaluations.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn blo_kernel_project_lower(handle: *const Handle, y: *mut f64) -> i32 {
    // SAFETY: as promised by the caller.
    unsafe {
        on(handle, |handle, inner| {
            inner.thawed.problem.lower.project(places(y, handle.lens.lower, "y")?);
            Ok(())
        })
    }
}

/// The rows of the constraints of the lower level at `(x, y)`: at most 0, or 0 for equalities.
///
/// # Safety
/// As the evaluations.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn blo_kernel_lower_constraints(
    handle: *const Handle,
    x: *const f64,
    y: *const f64,
    rows: *mut f64,
) -> i32 {
    // SAFETY: as promised by the caller.
    unsafe {
        on(handle, |handle, inner| {
            let Lens { upper, variables, lower_rows, .. } = handle.lens;
            let (x, y) = (numbers(x, upper, "x")?, numbers(y, variables, "y")?);
            let rows = places(rows, lower_rows, "rows")?;
            let (mut g, none) = (vec![0.0; variables], vec![0.0; lower_rows]);
            inner.follower(x)?.evaluate(y, &none, &mut g, rows);
            Ok(())
        })
    }
}

/// `out = Jᵀ w`, with `J` the Jacobian of the lower constraints by `y`.
///
/// # Safety
/// As the evaluations.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn blo_kernel_lower_constraints_transposed(
    handle: *const Handle,
    x: *const f64,
    y: *const f64,
    w: *const f64,
    out: *mut f64,
) -> i32 {
    // SAFETY: as promised by the caller.
    unsafe {
        on(handle, |handle, inner| {
            let Lens { upper, variables, lower_rows, .. } = handle.lens;
            let (x, y) = (numbers(x, upper, "x")?, numbers(y, variables, "y")?);
            let (w, out) = (numbers(w, lower_rows, "w")?, places(out, variables, "out")?);
            inner.follower(x)?.transposed(y, w, out);
            Ok(())
        })
    }
}

/// The rows of the constraints of the upper level at `(x, y)`: at most 0, or 0 for equalities.
///
/// # Safety
/// As the evaluations.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn blo_kernel_upper_constraints(
    handle: *const Handle,
    x: *const f64,
    y: *const f64,
    rows: *mut f64,
) -> i32 {
    // SAFETY: as promised by the caller.
    unsafe {
        on(handle, |handle, inner| {
            let Lens { upper, lower, upper_rows, variables, .. } = handle.lens;
            let (x, y) = (numbers(x, upper, "x")?, numbers(y, lower, "y")?);
            let rows = places(rows, upper_rows, "rows")?;
            let constrained = inner.thawed.problem.constrained.as_deref_mut();
            let c = constrained.ok_or_else(|| absent("constraints of the upper level"))?;
            let mut z = c.single.start.clone();
            z[..upper].copy_from_slice(x);
            z[upper..upper + variables].copy_from_slice(&y[..variables]);
            for (&at, value) in c.duals.iter().zip(&y[variables..]) {
                z[at] = *value;
            }
            let (mut g, mut all) = (vec![0.0; z.len()], vec![0.0; c.single.equal.len()]);
            c.single.evaluate(&z, &vec![0.0; all.len()], &mut g, &mut all);
            rows.copy_from_slice(&all[..upper_rows]);
            Ok(())
        })
    }
}
