//! Projections against their definitions, and derivatives through active domains.

use blo_runtime::hypergradient::{Reverse, Trajectory, Unroll, implicit_cg, reverse};
use blo_runtime::space::{Block, Domain, Space, SpaceError};

use crate::models::{Quadratic, within};
use crate::{all_close, close, number, run, word};

/// Values in [−2, 2) from a seed.
fn values(len: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as f64 / f64::from(1_u32 << 31) * 4.0 - 2.0
    };
    (0..len).map(|_| next()).collect()
}

fn space(shape: &[usize], domain: Domain) -> Space {
    let start = vec![0.0; shape.iter().product()];
    Space::new(vec![Block::new("v", shape, domain, start)]).unwrap()
}

/// Projection onto the simplex by sorting: the slow reference.
fn by_sorting(v: &[f64]) -> Vec<f64> {
    let mut sorted = v.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let (mut sum, mut threshold) = (0.0, 0.0);
    for (i, u) in sorted.iter().enumerate() {
        sum += u;
        let t = (sum - 1.0) / (i + 1) as f64;
        if u - t > 0.0 {
            threshold = t;
        }
    }
    v.iter().map(|v| (v - threshold).max(0.0)).collect()
}

#[test]
fn simplex_rows_agree_with_sorting() {
    for seed in 1..60 {
        let len = 1 + seed as usize % 17;
        let space = space(&[3, len], Domain::Simplex);
        let v = values(3 * len, seed);
        let mut p = v.clone();
        space.project(&mut p);
        for (p, v) in p.chunks(len).zip(v.chunks(len)) {
            all_close(p, &by_sorting(v), 1e-14);
            close(p.iter().sum(), 1.0, 1e-14);
        }
    }
}

/// Points already (nearly) on the simplex once made the search for the support go back and forth for ever.
#[test]
fn near_feasible_points_project_in_finite_time() {
    let space = space(&[7], Domain::Simplex);
    for seed in 1..20_000 {
        let mut p = values(7, seed);
        space.project(&mut p);
        p.iter_mut().enumerate().for_each(|(i, v)| *v += (i as f64 - 3.0) * 1e-17);
        space.project(&mut p);
        close(p.iter().sum(), 1.0, 1e-14);
    }
}

/// A projection `p` of `v` is the point with `⟨v − p, z − p⟩ ≤ 0` for all `z` of the set; and it stays where it is.
#[test]
fn projections_satisfy_the_variational_inequality() {
    let domains = [
        Domain::Interval {
            lo: vec![-0.5, f64::NEG_INFINITY, 0.1, -1.0, 0.0],
            hi: vec![0.5, 0.0, f64::INFINITY, 1.0, 0.0],
        },
        Domain::Interval { lo: vec![0.0], hi: vec![1.0] },
        Domain::Simplex,
        Domain::Ball(1.2),
        Domain::Free,
    ];
    for domain in domains {
        let space = space(&[5], domain.clone());
        for seed in 1..40 {
            let v = values(5, seed);
            let mut p = v.clone();
            space.project(&mut p);
            let mut again = p.clone();
            space.project(&mut again);
            all_close(&p, &again, 1e-15);
            for other in 40..60 {
                let mut z = values(5, other * seed);
                space.project(&mut z);
                let inner: f64 = (0..5).map(|i| (v[i] - p[i]) * (z[i] - p[i])).sum();
                assert!(inner <= 1e-12, "{domain:?}: {inner}");
            }
        }
    }
}

#[test]
fn bad_blocks_are_refused() {
    let block = |domain: Domain, len: usize| {
        Space::new(vec![Block::new("b", &[2], domain, vec![0.0; len])]).unwrap_err()
    };
    assert_eq!(block(Domain::Free, 3), SpaceError::StartLength("b".into()));
    let interval = |lo: Vec<f64>, hi: Vec<f64>| block(Domain::Interval { lo, hi }, 2);
    assert_eq!(interval(vec![0.0; 3], vec![1.0]), SpaceError::BoundsLength("b".into()));
    assert_eq!(interval(vec![0.0], vec![1.0, -1.0]), SpaceError::EmptyInterval("b".into(), 1));
    assert_eq!(interval(vec![f64::NAN], vec![1.0]), SpaceError::EmptyInterval("b".into(), 0));
    assert_eq!(block(Domain::Ball(-1.0), 2), SpaceError::Radius("b".into()));
}

#[test]
fn starts_are_put_into_the_domain() {
    let blocks = vec![
        Block::new("w", &[2, 2], Domain::Simplex, vec![0.0; 4]),
        Block::new("b", &[], Domain::Interval { lo: vec![2.0], hi: vec![3.0] }, vec![0.0]),
    ];
    let space = Space::new(blocks).unwrap();
    assert_eq!(space.start(), [0.5, 0.5, 0.5, 0.5, 2.0]);
    assert_eq!(space.view(&space.blocks()[1], &space.start()).as_slice(), Some(&[2.0][..]));
}

/// The domains of the lower level in the next tests, each active at the lower solution, and an upper point.
fn active() -> [(Domain, [f64; 3]); 4] {
    [
        (Domain::Interval { lo: vec![-0.2, -0.2, 0.4], hi: vec![0.2, f64::INFINITY, 2.0] }, [0.9, 0.4, -0.5]),
        (Domain::Simplex, [1.3, -0.6, 0.4]),
        (Domain::Ball(0.5), [1.0, 0.8, -0.7]),
        (Domain::Ball(9.0), [1.0, 0.8, -0.7]),
    ]
}

#[test]
fn reverse_sweeps_through_domains_agree_with_differences() {
    for (domain, x) in active() {
        let mut problem = within(Quadratic, (Domain::Free, &x), (domain.clone(), &[0.0; 3]));
        let y0 = problem.lower.start();
        for momentum in [0.0, 0.6] {
            let plan = Unroll { momentum, ..Unroll::new(9, 0.3) };
            let (_, g) = reverse(&mut problem, &x, &y0, &plan);
            for i in 0..3 {
                let mut at = |h: f64| {
                    let mut x = x;
                    x[i] += h;
                    reverse(&mut problem, &x, &y0, &plan).0
                };
                close(g[i], (at(1e-6) - at(-1e-6)) / 2e-6, 1e-8);
            }
        }
    }
}

/// Checkpoints give the bits of kept iterates, with momentum, projections and truncation, whatever the segments' length.
#[test]
fn checkpoints_give_the_same_bits() {
    for (domain, x) in active() {
        for (momentum, last) in [(0.0, 23), (0.7, 23), (0.7, 11), (0.0, 1)] {
            let plan = Unroll { steps: 23, step: 0.3, momentum, last, scale: vec![1.0, 0.5, 2.0] };
            let mut problem = within(Quadratic, (Domain::Free, &x), (domain.clone(), &[0.1; 3]));
            let y0 = problem.lower.start();
            let kept = reverse(&mut problem, &x, &y0, &plan);
            assert_eq!(Reverse::new(&problem, plan.clone()).trajectory(), Trajectory::Kept);
            let mut seen = Vec::new();
            for memory in (0..2000).step_by(40) {
                problem.memory = memory;
                let trajectory = Reverse::new(&problem, plan.clone()).trajectory();
                if !matches!(trajectory, Trajectory::TooLarge { .. }) {
                    assert_eq!(reverse(&mut problem, &x, &y0, &plan), kept, "{trajectory}");
                }
                seen.push(trajectory);
            }
            seen.dedup();
            assert!(last == 1 || seen.len() >= 3, "{seen:?}");
            assert_eq!(seen.last(), Some(&Trajectory::Kept));
        }
    }
}

/// A sweep that does not fit is refused with the memory it needs, before anything is evaluated; that much memory is enough.
#[test]
fn a_sweep_that_does_not_fit_is_refused() {
    let build = |memory| {
        let mut problem = within(Quadratic, (Domain::Free, &[0.5; 3]), (Domain::Free, &[0.0; 3]));
        problem.memory = memory;
        problem
    };
    let settings = [number("lower_steps", 100.0), number("lower_step", 0.3), number("steps", 3.0)];
    let refused = run(build(400), "rhg", &settings);
    assert!(refused.verdict.contains("more memory"), "{}", refused.verdict);
    assert!(refused.calls.is_empty());
    let Some(Trajectory::TooLarge { needed }) = refused.trajectory else {
        panic!("{:?}", refused.trajectory)
    };
    // Ten checkpoints and ten iterates between two of them, and the last.
    assert_eq!(needed, 21 * 3 * 8);
    let tight = run(build(needed), "rhg", &settings);
    assert_eq!(tight.trajectory, Some(Trajectory::Checkpoints { every: 10 }));
    let wide = run(build(1 << 20), "rhg", &settings);
    assert_eq!(wide.trajectory, Some(Trajectory::Kept));
    assert_eq!((&tight.x, &tight.y), (&wide.x, &wide.y));
    assert_eq!(run(build(0), "cg", &settings).trajectory, None);
}

/// On an active face the implicit hypergradient is that of a long unrolled run.
#[test]
fn implicit_hypergradients_on_faces_agree_with_long_sweeps() {
    for (domain, x) in active() {
        let mut problem = within(Quadratic, (Domain::Free, &x), (domain.clone(), &[0.0; 3]));
        let y0 = problem.lower.start();
        let (_, long) = reverse(&mut problem, &x, &y0, &Unroll::new(400, 0.4));
        let mut y = y0;
        let mut g = vec![0.0; 3];
        for _ in 0..400 {
            blo_runtime::derivatives::Derivatives::lower_gradient(&mut problem, &x, &y, &mut g);
            y.iter_mut().zip(&g).for_each(|(y, g)| *y -= 0.4 * g);
            problem.lower.project(&mut y);
        }
        let (_, implicit, _) = implicit_cg(&mut problem, &x, &y, 20, 1e-12);
        all_close(&implicit, &long, 1e-9);
    }
}

/// A bilevel problem with domains on both levels; both methods end at the same stationary point.
#[test]
fn solvers_agree_on_a_constrained_problem() {
    let build = || {
        let ends = Domain::Interval { lo: vec![0.3], hi: vec![1.0] };
        within(Quadratic, (ends, &[1.0; 3]), (Domain::Simplex, &[0.0; 3]))
    };
    let rhg = run(build(), "rhg", &[number("upper_step", 0.3)]);
    let cg = run(build(), "cg", &[number("upper_step", 0.3), number("lower_steps", 60.0)]);
    let inner =
        [number("upper_step", 0.3), number("lower_steps", 5.0), word("lower_rule", "conjugate_gradient")];
    let newton = run(build(), "cg", &inner);
    let more = [number("upper_step", 0.3), number("lower_steps", 60.0), number("terms", 60.0)];
    let neumann = run(build(), "neumann", &more);
    for other in [&cg, &newton, &neumann] {
        all_close(&rhg.x, &other.x, 1e-6);
    }
    for s in [rhg, cg, newton, neumann] {
        assert!(s.check.upper_stationary && s.check.lower.unwrap().solved, "{}", s.verdict);
    }
}
