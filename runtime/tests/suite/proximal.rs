//! The table of proximal operators against numerical minimisation, their combinations, and the minimiser on a sum with a norm.

use blo_runtime::minimise::{Composite, End, Minimiser, Simple};
use blo_runtime::proximal::{Norm, Proximal};
use blo_runtime::space::{Block, Domain, Space};

use crate::{all_close, close};

fn space(domain: Domain, len: usize) -> Space {
    Space::new(vec![Block::new("y", &[len], domain, vec![0.0; len])]).unwrap()
}

/// A nonsmooth part with these weights.
fn weighed(len: usize, entries: &[usize], groups: &[&[usize]], weights: &[f64]) -> Proximal {
    let groups: Vec<Vec<usize>> = groups.iter().map(|g| g.to_vec()).collect();
    let mut proximal = Proximal::new(len, entries.to_vec(), &groups);
    proximal.weigh(|w| w.copy_from_slice(weights));
    proximal
}

/// Minimises `½ ‖u − v‖² + t h(u)` by a search along every axis and many random directions, which shrink: slow and independent.
fn search(v: &[f64], value: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let objective = |u: &[f64]| 0.5 * u.iter().zip(v).map(|(u, v)| (u - v) * (u - v)).sum::<f64>() + value(u);
    let mut best = v.to_vec();
    let mut lowest = objective(&best);
    // A kink may hold the search at a point that is not the minimiser: other starts are at 0, also entry by entry.
    for mask in 0..1_usize << v.len() {
        let start: Vec<f64> =
            v.iter().enumerate().map(|(i, v)| if mask >> i & 1 == 1 { 0.0 } else { *v }).collect();
        let (mut u, mut size, mut at) = (start.clone(), 1.0, objective(&start));
        let mut state = 7_u64;
        while size > 1e-9 {
            let mut moved = false;
            for k in 0..40 {
                let mut trial = u.clone();
                for (i, entry) in trial.iter_mut().enumerate() {
                    state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let random = (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
                    let along = if k < 2 * v.len() { f64::from(u8::from(i == k / 2)) } else { 2.0 * random };
                    let held = mask >> i & 1 == 1;
                    *entry += if held { 0.0 } else { size * if k % 2 == 0 { along } else { -along } };
                }
                let found = objective(&trial);
                if found < at {
                    (u, at, moved) = (trial, found, true);
                }
            }
            if !moved {
                size *= 0.7;
            }
        }
        if at < lowest {
            (best, lowest) = (u, at);
        }
    }
    best
}

const POINTS: [[f64; 3]; 5] =
    [[1.5, -0.2, 0.7], [-3.0, 2.0, 0.1], [0.0, 0.0, 0.0], [0.3, 0.3, -0.3], [0.05, -4.0, 1e-3]];

#[test]
fn the_table_agrees_with_minimisation() {
    for norm in Norm::ALL {
        for v in &POINTS {
            for t in [0.0, 0.3, 1.0] {
                let mut found = v.to_vec();
                norm.shrink(t, &mut found, &[0, 1, 2]);
                let expected = search(v, |u| t * norm.value(u, &[0, 1, 2]));
                all_close(&found, &expected, 1e-6);
            }
        }
    }
}

/// Absolute values with a group, absolute values in a box and in a ball: the operator of the sum.
#[test]
fn combinations_agree_with_minimisation() {
    let outside = |inside: bool| if inside { 0.0 } else { f64::INFINITY };
    let in_box = |u: &[f64]| outside(u.iter().all(|u| (-1.0..=0.5).contains(u)));
    let in_ball = |u: &[f64]| outside(u.iter().map(|u| u * u).sum::<f64>() <= 1.0 + 1e-12);
    let interval = Domain::Interval { lo: vec![-1.0], hi: vec![0.5] };
    let norms = weighed(3, &[0, 1, 2], &[&[0, 2]], &[0.2, 0.5, 0.1, 0.7]);
    let lasso = weighed(3, &[0, 1, 2], &[], &[0.2, 0.5, 0.1]);
    for v in &POINTS {
        let settled = |proximal: &Proximal, domain: &Domain| {
            let mut found = v.to_vec();
            let space = space(domain.clone(), 3);
            Composite { space: &space, proximal: Some(proximal) }.settle(0.5, &mut found);
            found
        };
        let found = settled(&norms, &Domain::Free);
        all_close(&found, &search(v, |u| 0.5 * norms.value(u)), 1e-6);
        let found = settled(&lasso, &interval);
        // The search starts inside: what it minimises is infinite elsewhere.
        let objective = |u: &[f64]| 0.5 * lasso.value(u) + in_box(u);
        let nearest: Vec<f64> = v.iter().map(|v| v.clamp(-1.0, 0.5)).collect();
        let value =
            |u: &[f64]| 0.5 * u.iter().zip(v).map(|(u, v)| (u - v) * (u - v)).sum::<f64>() + objective(u);
        let shifted = search(&nearest, |u| value(u) - 0.5 * distance(u, &nearest));
        close(value(&found), value(&shifted), 1e-9);
        let found = settled(&lasso, &Domain::Ball(1.0));
        let objective = |u: &[f64]| 0.5 * lasso.value(u) + in_ball(u);
        let length = v.iter().map(|v| v * v).sum::<f64>().sqrt().max(1.0);
        let nearest: Vec<f64> = v.iter().map(|v| v / length).collect();
        let value = |u: &[f64]| 0.5 * distance(u, v) + objective(u);
        let shifted = search(&nearest, |u| value(u) - 0.5 * distance(u, &nearest));
        assert!(value(&found) <= value(&shifted) + 1e-9, "{v:?}: {found:?} is worse than {shifted:?}");
    }
}

/// `‖a − b‖²`
fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The same entry under two absolute values counts with both weights; rates scale the step.
#[test]
fn weights_add_up_and_rates_scale() {
    let twice = weighed(2, &[0, 1, 0], &[], &[0.25, 0.5, 0.5]);
    close(twice.value(&[-2.0, 1.0]), 2.0, 1e-15);
    let mut v = [-2.0, 1.0];
    twice.apply(2.0, &[0.5, 1.0], &mut v);
    all_close(&v, &[-1.25, 0.0], 1e-15);
    let mut fixed = [false; 2];
    twice.mark_zeros(&v, &mut fixed);
    assert_eq!(fixed, [false, true]);
}

/// `½ Σ a_i (y_i − b_i)² + Σ w_i |y_i|` has the minimiser `soft(b_i, w_i / a_i)`.
#[test]
fn the_minimiser_takes_proximal_steps() {
    let curvature = [1.0, 100.0, 0.01];
    let centre = [2.0, -0.5, 3.0];
    let lasso = weighed(3, &[0, 1, 2], &[], &[0.5, 80.0, 0.02]);
    for (domain, expected) in [
        (Domain::Free, [1.5, 0.0, 1.0]),
        (Domain::Interval { lo: vec![-1.0], hi: vec![0.75] }, [0.75, 0.0, 0.75]),
    ] {
        let space = space(domain, 3);
        let simple = Composite { space: &space, proximal: Some(&lasso) };
        let mut minimiser = Minimiser::new(&simple, f64::EPSILON);
        let mut y = [0.0, 0.3, -0.4];
        let end = minimiser.run(&simple, &mut y, 500, 1e-10, |y, g| {
            let mut value = 0.0;
            for i in 0..3 {
                g[i] = curvature[i] * (y[i] - centre[i]);
                value += 0.5 * g[i] * (y[i] - centre[i]);
            }
            value
        });
        assert_eq!(end, End::Converged);
        all_close(&y, &expected, 1e-7);
        let value: f64 = (0..3).map(|i| 0.5 * curvature[i] * (y[i] - centre[i]).powi(2)).sum();
        close(minimiser.value, value + lasso.value(&y), 1e-12);
    }
}
