//! Iterations of the solvers allocate nothing: on models whose entries are compiled whole, on models that run step by step, with
//! data and without, in both precisions.

// Helpers of tests stop the test when something is wrong, as tests do. An allocator that counts cannot be written without
// unsafe code.
#![allow(clippy::unwrap_used, unsafe_code)]

mod memory;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use blo_compiler::model::Precision;
use blo_compiler::{Sampling, compile_sampled};
use blo_runtime::monitor::Silent;
use blo_runtime::settings::Value;
use blo_runtime::solvers::{Point, Run, batch, named, needs};
use memory::{Memory, model};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting for each thread.
struct Counting;

fn count() {
    // A thread that is ending has no counter any more.
    let _ = ALLOCATIONS.try_with(|n| n.set(n.get() + 1));
}

// SAFETY: every call is handed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's contract.
        unsafe { System.realloc(place, layout, size) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const TWO_LEVELS: [&str; 25] = [
    "rhg",
    "rhg momentum",
    "fhg",
    "bda",
    "iaptt",
    "darts",
    "cg",
    "neumann",
    "fixed_point",
    "shine",
    "hoag",
    "bilevel direct",
    "bilevel rank_one",
    "bilevel first_order",
    "bilevel conjugate_gradient",
    "bome",
    "meha",
    "bome momentum",
    "vpbgd",
    "gpbgd",
    "f2sa",
    "f2ba",
    "bvfsm",
    "penalty",
    "random",
];

const STEPS: usize = 20;

/// The options of a method.
fn options(method: &str) -> Vec<(String, Value)> {
    let number = |name: &str, value: f64| (name.to_string(), Value::Number(value));
    if method == "random" {
        return vec![number("steps", STEPS as f64), number("radius", 1e-3)];
    }
    if method == "hoag" {
        return vec![number("steps", STEPS as f64)];
    }
    let mut options = vec![number("steps", STEPS as f64), number("upper_step", 1e-3)];
    match method {
        "gradient" => {}
        "shine" => {}
        "meha" | "gpbgd" => options.push(number("lower_step", 1e-2)),
        "soba" | "saba" | "srba" | "ma_soba" | "fsla" | "stocbio" | "amigo" | "f2sa batches" => {
            options.push(number("batch", 7.0));
        }
        _ => options.extend([number("lower_step", 1e-2), number("lower_steps", 3.0)]),
    }
    if let Some(gradient) = method.strip_prefix("bilevel ") {
        options.push(("hypergradient".into(), Value::Word(gradient.into())));
    }
    if method.ends_with("momentum") {
        options.push(("lower_rule".into(), Value::Word("momentum".into())));
        options.push(("upper_rule".into(), Value::Word("adam".into())));
    }
    options
}

fn allocations(text: &str, precision: Precision, method: &str) {
    let solver = named(method.split(' ').next().unwrap()).unwrap();
    let mut model = model(text, Memory::default());
    model.precision = precision;
    let settings = solver.settings(&options(method), ["x", "y"].into_iter());
    let settings = settings.unwrap_or_else(|e| panic!("{method}: {e:?}"));
    let batch = batch(&settings).unwrap_or(usize::MAX);
    let sampling = Sampling { batch, needs: (solver.needs)(&settings) };
    let mut problem = compile_sampled(&mut model, &needs(solver, &settings), &sampling, 0).unwrap();
    // The first run warms up what is allocated once per thread.
    for warm in [false, true] {
        let start = Point::start(&problem);
        let iterations = (solver.build)(&mut problem, &settings, &start);
        let mut silent = Silent;
        let run = Run::new(&problem, &start, STEPS, 0.0, &mut silent).counting(iterations.as_ref(), &problem);
        let before = ALLOCATIONS.get();
        let ended = run.drive(iterations, &mut problem, start);
        let made = ALLOCATIONS.get() - before;
        assert_eq!(ended.iterations, STEPS, "{method} stopped early: {:?}", ended.termination);
        assert!(
            !warm || made == 0,
            "{method} {precision:?}: {made} allocations in {STEPS} iterations of\n{text}"
        );
    }
}

/// The toy of the benchmarks, small enough to be compiled whole and not.
#[test]
fn without_data() {
    for n in [1, 10, 3000] {
        for (domain, lower) in [("", ""), (" in [-1, 5]", " in [-10, 10]")] {
            let text = format!(
                "upper {{\n  var x: real{domain} = 0\n  minimize (x - 2)^2 + sumsq(y - 4)\n}}\n\
                 lower {{\n  var y: real[{n}]{lower} = 0\n  minimize sum(sin(x + y - 2)) + 0.5 * sumsq(y)\n}}\n\
                 report total = sum(y)\n"
            );
            // A Hessian of 3000 × 3000 is not written out.
            for method in TWO_LEVELS.into_iter().filter(|m| n < 3000 || !m.ends_with("direct")) {
                for precision in [Precision::F64, Precision::F32] {
                    allocations(&text, precision, method);
                }
            }
        }
    }
}

/// Logistic regression with weights of the samples, with products of matrices and vectors.
#[test]
fn with_data() {
    for (n, d) in [(6, 3), (400, 20)] {
        let text = format!(
            "dim n = {n}\ndim d = {d}\ndata a: real[n, d] ~ normal(0, 1)\n\
             upper {{\n  var x: real[n] = 0\n  minimize sum(softplus(a @ y)) + 0.01 * sumsq(x)\n}}\n\
             lower {{\n  var y: real[d] = 0\n  minimize sigmoid(x) @ softplus(-(a @ y)) + 0.1 * sumsq(y)\n}}\n"
        );
        for method in TWO_LEVELS {
            for precision in [Precision::F64, Precision::F32] {
                allocations(&text, precision, method);
            }
        }
    }
}

/// Batches of sampled sums, their sizes not all equal.
#[test]
fn with_batches() {
    for (n, d) in [(16, 3), (400, 20)] {
        let text = format!(
            "dim n = {n}\ndim d = {d}\ndata a: real[n, d] ~ normal(0, 1)\n\
             upper {{\n  var x: real[n] = 0\n  minimize mean(softplus(a[i] @ y) for i ~ n) + 0.01 * sumsq(x)\n}}\n\
             lower {{\n  var y: real[d] = 0\n  minimize mean(sigmoid(x[i]) * softplus(-(a[i] @ y)) for i ~ n) + 0.1 * sumsq(y)\n}}\n"
        );
        for method in ["soba", "saba", "srba", "ma_soba", "fsla", "stocbio", "amigo", "f2sa batches"] {
            for precision in [Precision::F64, Precision::F32] {
                allocations(&text, precision, method);
            }
        }
    }
}

#[test]
fn one_level() {
    for n in [20, 3000] {
        let text = format!(
            "upper {{\n  var x: real[{n}] = -1.2\n  \
             minimize sum(100 * (x[i + 1] - x[i]^2)^2 + (1 - x[i])^2 for i in 0..{n} - 1)\n}}\n"
        );
        allocations(&text, Precision::F64, "gradient");
    }
}
