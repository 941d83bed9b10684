//! The closed-form fixed points of every method on `f = ½ y² − x y`, `F = ½ y² + ½ (x − 1)²`, whose bilevel solution is ½.

use blo_runtime::settings::Value;
use blo_runtime::status::Termination;

use crate::models::{Scalar, free};
use crate::{close, flag, number, run, word};

/// The limit of `x`; the written settings follow those every row shares.
#[track_caller]
fn limit(solver: &str, written: &[(String, Value)]) -> f64 {
    let mut all = vec![number("tolerance", 1e-12), number("lower_step", 0.1)];
    all.extend_from_slice(written);
    run(free(Scalar, &[0.0], &[0.0]), solver, &all).x[0]
}

fn call(option: &str, name: &str, argument: f64) -> (String, Value) {
    (option.to_string(), Value::Call(name.to_string(), vec![(String::new(), Value::Number(argument))]))
}

fn rhg(steps: f64, more: &[(String, Value)]) -> f64 {
    let mut all = vec![number("lower_steps", steps), number("upper_step", 0.5)];
    all.extend_from_slice(more);
    limit("rhg", &all)
}

/// `J = 1 − (1 − s)^K`.
fn progress(steps: i32) -> f64 {
    1.0 - 0.9_f64.powi(steps)
}

#[test]
fn rhg_cold() {
    let rows =
        [(1, 0.990099), (5, 0.856385), (10, 0.702139), (20, 0.564453), (50, 0.502584), (100, 0.500013)];
    for (steps, row) in rows {
        let x = rhg(f64::from(steps), &[]);
        close(x, row, 1e-6);
        close(x, 1.0 / (1.0 + progress(steps).powi(2)), 1e-10);
    }
}

#[test]
fn rhg_truncated() {
    for (steps, last, row) in [(10, 5, 0.789439), (20, 10, 0.636077)] {
        let x = rhg(f64::from(steps), &[number("truncate", f64::from(last))]);
        close(x, row, 1e-6);
        close(x, 1.0 / (1.0 + progress(steps) * progress(last)), 1e-10);
    }
}

#[test]
fn rhg_warm() {
    for (steps, row) in [(1, 0.909091), (5, 0.709466), (10, 0.605576), (20, 0.532361)] {
        close(rhg(f64::from(steps), &[flag("warm", true)]), row, 1e-6);
    }
}

/// Forward differentiation is the same gradient.
#[test]
fn fhg() {
    for (steps, row, warm) in [(5, 0.856385, false), (20, 0.564453, false), (10, 0.605576, true)] {
        let more = [number("lower_steps", f64::from(steps)), number("upper_step", 0.5), flag("warm", warm)];
        close(limit("fhg", &more), row, 1e-6);
    }
}

/// A constant share leads elsewhere, however many the steps; one that vanishes does not.
#[test]
fn bda() {
    let more = |alpha: f64| {
        let steps = [number("lower_steps", 300.0), number("pull_step", 0.1), number("upper_step", 0.5)];
        [&steps[..], &[number("alpha", alpha)]].concat()
    };
    for (alpha, row) in [(0.1, 0.552486), (0.5, 0.8)] {
        let x = limit("bda", &[more(alpha), vec![word("share", "constant")]].concat());
        close(x, row, 1e-6);
        close(x, 1.0 / (1.0 + (1.0 - alpha).powi(2)), 1e-10);
    }
    close(limit("bda", &[more(0.5), vec![call("share", "geometric", 0.9)]].concat()), 0.5, 1e-9);
    let vanishing = limit("bda", &more(0.5));
    assert!((0.5..0.503).contains(&vanishing), "{vanishing}");
}

/// A learned start makes up for lower steps that do too little: it ends at the unconstrained minimiser of `F`.
#[test]
fn a_learned_start_alone_cheats() {
    let learned = |steps: i32, start: Value| {
        let mut all = vec![number("tolerance", 1e-12), number("lower_step", 0.1), number("steps", 20000.0)];
        all.extend([number("lower_steps", f64::from(steps)), number("upper_step", 0.5)]);
        all.extend([("init".to_string(), start), word("hypergradient", "reverse")]);
        run(free(Scalar, &[0.0], &[0.0]), "bilevel", &all)
    };
    for steps in [5, 10, 20] {
        let s = learned(steps, Value::Word("learned".into()));
        close(s.x[0], 1.0, 1e-6);
        close(s.y[0], 0.0, 1e-6);
        assert!(!s.check.lower.unwrap().solved);
    }
    // With bounds it goes to one of them.
    for (bound, steps, row) in [(1.0, 10, 0.861596), (1.0, 20, 0.624734), (2.0, 20, 0.685015)] {
        let start = Value::Call("learned".into(), vec![("bound".into(), Value::Number(bound))]);
        let x = learned(steps, start).x[0];
        close(x, row, 1e-6);
        let j = progress(steps);
        close(x, (1.0 + j * (1.0 - j) * bound) / (1.0 + j * j), 1e-9);
    }
}

/// The pessimistic truncation takes most of that away: what is minimised is `max_k F(x, y_k)`, smallest where `y_1 = −y_K`. It is not
/// smooth there, and a constant step goes to and fro about the minimum: a row of the table is where it is after 5000 steps with K = 10. With
/// K = 40 no number of steps is stated; every round passes the row's value, first after 1735 steps.
#[test]
fn iaptt() {
    let after = |lower: i32, steps: f64, schedule: Vec<(String, Value)>| {
        let more =
            [number("lower_steps", f64::from(lower)), number("upper_step", 0.05), number("steps", steps)];
        limit("iaptt", &[&more[..], &schedule].concat())
    };
    close(after(10, 5000.0, vec![]), 0.841249, 1e-6);
    close(after(40, 1735.0, vec![]), 0.520429, 1e-6);
    for lower in [10, 40] {
        let j = progress(lower);
        // y_1 = 0.1 x + 0.9 z and y_K = J x + (1 − J) z.
        let z = -(0.1 + j) / (0.9 + 1.0 - j);
        let minimum = 1.0 / (1.0 + (0.1 + 0.9 * z).powi(2));
        close(after(lower, 5000.0, vec![]), minimum, 0.025);
        close(after(lower, 50000.0, vec![call("schedule", "power", 0.6)]), minimum, 0.01);
    }
}

/// One step of size `s` that is looked through: `x = 1 / (1 + s)`, and 1 when it is not.
#[test]
fn darts() {
    let more = |order: f64| [number("upper_step", 0.5), number("order", order)];
    close(limit("darts", &more(2.0)), 0.909091, 1e-6);
    close(limit("darts", &more(2.0)), 1.0 / 1.1, 1e-10);
    let longer = [number("lower_step", 0.5), number("upper_step", 0.5), number("tolerance", 1e-12)];
    close(run(free(Scalar, &[0.0], &[0.0]), "darts", &longer).x[0], 1.0 / 1.5, 1e-10);
    close(limit("darts", &more(1.0)), 1.0, 1e-10);
}

/// From zero, `J` steps are the series up to the power `J − 1`; from the last adjoint they go on to the solution.
#[test]
fn fixed_point() {
    for (terms, row) in [(0, 0.909091), (1, 0.840336), (5, 0.680939), (10, 0.593053)] {
        let more = [
            number("upper_step", 0.5),
            number("adjoint_steps", f64::from(terms + 1)),
            flag("warm_adjoint", false),
            number("adjoint_tolerance", 0.0),
        ];
        close(limit("fixed_point", &more), row, 1e-6);
    }
    close(limit("fixed_point", &[number("upper_step", 0.5), number("adjoint_steps", 3.0)]), 0.5, 1e-9);
}

/// Whatever solves both levels ends at the solution.
#[test]
fn exact_hypergradients() {
    let composed = |lower: &str, gradient: &str| {
        let parts = [word("lower", lower), word("hypergradient", gradient), number("upper_step", 0.5)];
        limit("bilevel", &parts)
    };
    for (lower, gradient) in [
        ("gradient", "direct"),
        ("nesterov", "conjugate_gradient"),
        ("conjugate_gradient", "direct"),
        ("lbfgs", "quasi_newton"),
        ("lbfgs", "direct"),
        ("conjugate_gradient", "fixed_point"),
    ] {
        close(composed(lower, gradient), 0.5, 1e-9);
    }
    let x = run(free(Scalar, &[0.0], &[0.0]), "shine", &[number("upper_step", 0.5)]).x[0];
    close(x, 0.5, 1e-8);
    close(run(free(Scalar, &[0.0], &[0.0]), "hoag", &[]).x[0], 0.5, 1e-8);
}

#[test]
fn cg_is_exact() {
    close(limit("cg", &[number("upper_step", 0.5)]), 0.5, 1e-10);
}

/// With warm lower steps of the series' own size `s`, `x = 1 / (2 − (1 − s)^(Q + 1))`.
#[test]
fn neumann() {
    for (terms, row) in [(0, 0.909091), (1, 0.840336), (5, 0.680939), (10, 0.593053)] {
        let more = [number("upper_step", 0.5), number("terms", f64::from(terms))];
        close(limit("neumann", &more), row, 1e-6);
        close(limit("neumann", &more), 1.0 / (2.0 - 0.9_f64.powi(terms + 1)), 1e-10);
    }
    // The factor of the series need not be the size of the lower steps.
    let more = [number("upper_step", 0.5), number("terms", 1.0), number("adjoint_step", 0.5)];
    close(limit("neumann", &more), 1.0 / (2.0 - 0.25), 1e-10);
}

#[test]
fn bome() {
    // The share of the gap that every step takes away does not matter.
    let rows = [
        (1, 0.5, 0.909091),
        (5, 0.5, 0.709466),
        (10, 0.5, 0.605576),
        (20, 0.5, 0.532361),
        (5, 0.9, 0.709466),
    ];
    for (steps, eta, row) in rows {
        let x = limit(
            "bome",
            &[
                number("lower_steps", f64::from(steps)),
                number("steps", 20000.0),
                number("upper_step", 0.05),
                number("y_step", 0.05),
                number("eta", eta),
                number("epsilon", 1e-20),
            ],
        );
        close(x, row, 1e-6);
    }
}

#[test]
fn meha_with_a_constant_penalty() {
    for (c, gamma, row) in
        [(1.0, 1.0, 0.75), (10.0, 1.0, 0.545455), (10.0, 10.0, 0.526066), (100.0, 2.0, 0.503722)]
    {
        let x = limit(
            "meha",
            &[
                number("c", c),
                number("gamma", gamma),
                number("p", 0.0),
                number("steps", 20000.0),
                number("upper_step", 0.1),
                number("y_step", 0.1),
            ],
        );
        close(x, row, 1e-6);
        let w = c * gamma / (1.0 + gamma);
        close(x, (1.0 + w) / (1.0 + 2.0 * w), 1e-7);
    }
}

/// The weight of a penalty that stays the same.
fn first_order(solver: &str, penalty: f64, more: &[(String, Value)]) -> f64 {
    let mut all = vec![number("penalty", penalty), number("steps", 40000.0), number("upper_step", 0.05)];
    all.extend_from_slice(more);
    limit(solver, &all)
}

#[test]
fn penalties_that_stay_the_same() {
    for (penalty, row) in [(1.0, 2.0 / 3.0), (10.0, 0.523810), (100.0, 0.502488)] {
        for solver in ["vpbgd", "f2sa", "f2ba"] {
            let mut more = vec![number("lower_steps", 100.0), number("y_step", 0.1)];
            if solver != "vpbgd" {
                // What the copies lag behind is multiplied by the penalty.
                more.push(number("y_steps", 100.0));
            }
            let x = first_order(solver, penalty, &more);
            close(x, row, 1e-6);
            close(x, (1.0 + penalty) / (1.0 + 2.0 * penalty), 1e-7);
        }
        close(first_order("gpbgd", penalty, &[number("y_step", 0.1)]), row, 1e-6);
    }
}

/// One step of the copy per iteration is too little for joint steps that use all of their bound: the copy lags behind, and what it lags
/// is multiplied by the penalty. Ten steps of it, or steps a tenth as long, do.
#[test]
fn a_copy_that_lags_behind_diverges() {
    for penalty in [10.0, 100.0] {
        let after = |copies: f64, size: f64| {
            // The published size is that of steps on `F + penalty gap`; here they are divided by the penalty.
            let step = size * penalty / (penalty + 1.0);
            let own = [number("lower_steps", copies), number("lower_step", 0.1), number("penalty", penalty)];
            let sizes = [number("upper_step", step), number("y_step", step), number("steps", 60000.0)];
            let tolerance = [number("tolerance", 1e-12)];
            run(free(Scalar, &[0.0], &[0.0]), "vpbgd", &[&own[..], &sizes, &tolerance].concat())
        };
        let s = after(1.0, 0.5);
        assert!(matches!(s.termination, Termination::Diverged { .. }), "{}", s.verdict);
        for (copies, size) in [(10.0, 0.5), (1.0, 0.05)] {
            close(after(copies, size).x[0], (1.0 + penalty) / (1.0 + 2.0 * penalty), 1e-6);
        }
    }
}

/// Without the value function the coupling is lost, whatever the penalty.
#[test]
fn pbgd_free_ignores_the_coupling() {
    for penalty in [1.0, 100.0] {
        close(limit("pbgd_free", &[number("penalty", penalty), number("upper_step", 0.5)]), 1.0, 1e-8);
    }
}

/// The squared penalty without regularisers: `1 − x = sigma/2 (2x − 1)³`.
#[test]
fn bvfsm_with_a_constant_strength() {
    for sigma in [1.0, 100.0, 1e4] {
        let x = limit(
            "bvfsm",
            &[
                number("sigma", sigma),
                number("mu", 0.0),
                number("theta", 0.0),
                number("lower_steps", 300.0),
                number("y_steps", 100.0),
                number("y_step", 0.1),
                number("upper_step", 0.02),
                number("steps", 20000.0),
            ],
        );
        close(1.0 - x, 0.5 * sigma * (2.0 * x - 1.0).powi(3), 1e-6);
    }
}

/// The same pieces by name and by hand lead to the same numbers, to the bit.
#[test]
fn compositions_are_the_named_methods() {
    let part = |option: &str, name: &str, own: &[(&str, f64)]| {
        let own = own.iter().map(|(n, v)| (n.to_string(), Value::Number(*v))).collect();
        (option.to_string(), Value::Call(name.to_string(), own))
    };
    let shared = [number("steps", 300.0), number("upper_step", 0.05), number("y_step", 0.04)];
    let with = |more: &[(String, Value)]| [&shared, more].concat();
    let copies = [number("lower_steps", 7.0)];
    let growing = part("weight", "growing", &[("penalty", 3.0)]);
    let lower_first = part("order", "lower_first", &[("y_steps", 5.0)]);
    let rows = [
        (
            "vpbgd",
            with(&[&copies[..], &[number("penalty", 3.0)]].concat()),
            [&copies[..], std::slice::from_ref(&growing)].concat(),
        ),
        (
            "f2ba",
            with(&[&copies[..], &[number("penalty", 3.0), number("y_steps", 5.0)]].concat()),
            [&copies[..], &[growing.clone(), lower_first, word("scale", "lower")]].concat(),
        ),
        (
            "bome",
            with(&[&copies[..], &[number("eta", 0.3)]].concat()),
            [
                &copies[..],
                &[
                    part("surrogate", "restarted_copy", &[]),
                    part("weight", "dynamic_barrier", &[("eta", 0.3)]),
                    word("scale", "none"),
                ],
            ]
            .concat(),
        ),
        (
            "gpbgd",
            with(&[number("penalty", 3.0)]),
            vec![part("surrogate", "gradient_norm", &[]), growing.clone()],
        ),
        (
            "meha",
            with(&[number("gamma", 5.0), number("c", 3.0), number("p", 0.0)]),
            vec![
                part("surrogate", "moreau", &[("gamma", 5.0)]),
                growing.clone(),
                part("order", "upper_first", &[]),
                word("scale", "weight"),
            ],
        ),
    ];
    for (name, options, pieces) in rows {
        let named = run(free(Scalar, &[0.3], &[-0.2]), name, &options);
        let composed = run(free(Scalar, &[0.3], &[-0.2]), "penalty", &with(&pieces));
        assert_eq!((named.x, named.y), (composed.x, composed.y), "{name}");
    }
}

#[test]
fn stencils() {
    let rows = [(1, 0.523810), (2, 0.497487), (3, 0.499579), (5, 0.500024), (8, 0.500002), (10, 0.4999993)];
    for (order, row) in rows {
        let x = limit(
            "f2sa_p",
            &[
                number("order", f64::from(order)),
                number("nu", 0.1),
                number("lower_steps", 100.0),
                number("upper_step", 0.5),
            ],
        );
        close(x, row, if order == 10 { 1e-7 } else { 1e-6 });
    }
}

/// With next to no share it is the solution.
#[test]
fn bamm_with_a_constant_share() {
    for (mu, row) in [(0.1, 0.552486), (0.5, 0.8), (1e-7, 0.5)] {
        let x = limit(
            "bamm",
            &[
                number("mu", mu),
                number("p", f64::INFINITY),
                number("tau", 0.0),
                number("upper_step", 0.1 / (mu * mu * mu)),
                number("steps", 20000.0),
            ],
        );
        close(x, row, 1e-6);
        close(x, 1.0 / (1.0 + (1.0 - mu) * (1.0 - mu)), 1e-9);
    }
}

#[test]
fn nested_is_exact() {
    close(run(free(Scalar, &[0.0], &[0.0]), "nested", &[]).x[0], 0.5, 1e-8);
}

#[test]
fn alternating_ignores_the_coupling() {
    close(limit("alternating", &[number("upper_step", 0.5)]), 1.0, 1e-10);
}
