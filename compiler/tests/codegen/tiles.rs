//! Steps that run tile by tile: the same numbers as without tiles, the same bits on any number of threads, and one list for
//! two stages.

use blo_compiler::codegen::jit;
use blo_compiler::entry::Entry;
use blo_compiler::ir::eval::evaluate;
use blo_compiler::ir::graph::{NodeId, Role};
use blo_compiler::ir::loops::{Home, Loops, Shift, Step, Tiled};
use blo_compiler::lower::Tiling;
use blo_compiler::model::Precision;
use blo_compiler::ops;
use blo_runtime::derivatives::{Derivatives, Quantity};
use blo_runtime::program::Program;

use crate::case::{Case, FORCED, close};
use crate::program::regression;

fn tiled(loops: &Loops) -> Vec<&Tiled> {
    let steps = loops.lists().flatten();
    steps.filter_map(|s| if let Step::Tiled(tiled) = s { Some(&**tiled) } else { None }).collect()
}

/// All results of a regression at two points.
fn results(program: &mut Program, case: &Case) -> Vec<f64> {
    let layout = case.layout();
    let (x, mut y, v) =
        (case.flat(&layout.upper), case.flat(&layout.lower), case.flat(&layout.lower_direction));
    let mut all = Vec::new();
    for _ in 0..2 {
        let (mut gradient, mut hv) = (vec![0.0; y.len()], vec![0.0; y.len()]);
        all.push(program.lower_gradient(&x, &y, &mut gradient));
        program.lower_hessian(&x, &y, &v, &mut hv);
        all.extend(gradient.iter().chain(&hv));
        y.iter_mut().for_each(|y| *y = 0.5 - *y);
    }
    all
}

#[test]
fn tiles_give_the_same_numbers() {
    for (precision, tolerance) in [(Precision::F64, 1e-12), (Precision::F32, 1e-5)] {
        // With a shorter last tile, without, with one tile, with fewer columns than rows of a register block.
        for (n, d, k) in [(53, 17, 10), (48, 9, 3), (50, 33, 1), (7, 4, 2), (400, 70, 10)] {
            let mut case = Case::new(n as u64);
            let entries = regression(&mut case, n, d, k);
            let mut plain = case.compile(&entries, precision);
            let want = results(&mut plain, &case);
            for cache in [1, 400, 3000, 1 << 20] {
                case.tiling = Tiling { cache, ..FORCED };
                let loops = case.lower_entries(&entries, precision);
                assert!(!tiled(&loops).is_empty(), "{loops}");
                let mut program = jit(&loops, &case.values).unwrap_or_else(|e| panic!("{e}\n{loops}"));
                close(&results(&mut program, &case), &want, tolerance);
            }
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    for precision in [Precision::F64, Precision::F32] {
        let mut case = Case::new(3);
        case.tiling = FORCED;
        let entries = regression(&mut case, 403, 70, 10);
        let mut program = case.compile(&entries, precision);
        let want: Vec<u64> = results(&mut program, &case).iter().map(|v| v.to_bits()).collect();
        for threads in [2, 3, 8, 1] {
            let mut program = case.compile(&entries, precision);
            program.set_threads(threads);
            for _ in 0..3 {
                let got: Vec<u64> = results(&mut program, &case).iter().map(|v| v.to_bits()).collect();
                assert_eq!(got, want, "{threads} threads");
            }
        }
    }
}

#[test]
fn large_products_have_the_same_bits_on_any_number_of_threads() {
    for precision in [Precision::F64, Precision::F32] {
        for (m, k, n) in [(300, 200, 301), (500, 784, 200), (784, 500, 200)] {
            let mut case = Case::new(8);
            let (a, b) = (case.real(Role::Data, &[m, k]), case.real(Role::Lower, &[k, n]));
            let product = case.g.contract(a, b, &[], &[(1, 0)]);
            let entry = [Entry { quantity: Quantity::Reports, outputs: vec![vec![product]] }];
            let y = case.flat(&case.layout().lower);
            let runs = [1, 2, 3].map(|threads| {
                let mut program = case.compile(&entry, precision);
                program.set_threads(threads);
                let mut out = vec![0.0; m * n];
                program.reports(&[], &y, &mut out);
                out.iter().map(|v| v.to_bits()).collect::<Vec<u64>>()
            });
            assert!(runs[0] == runs[1] && runs[0] == runs[2], "{m} x {k} x {n} {precision:?}");
        }
    }
}

#[test]
fn two_stages_share_a_pass_and_the_second_runs_alone_as_well() {
    for (precision, tolerance) in [(Precision::F64, 1e-12), (Precision::F32, 1e-5)] {
        let mut case = Case::new(12);
        let (n, d, k) = (61, 13, 4);
        let (data, w) = (case.real(Role::Data, &[n, d]), case.real(Role::Lower, &[d, k]));
        let weight = case.real(Role::Upper, &[n]);
        let v = case.real(Role::LowerDirection, &[d, k]);
        let g = &mut case.g;
        let z = g.contract(data, w, &[], &[(1, 0)]);
        let t = g.unary(&ops::TANH, z);
        let zv = g.contract(data, v, &[], &[(1, 0)]);
        let tt = g.mul(t, t);
        let slope = g.sub(zv, tt);
        let product = g.mul(slope, zv);
        let hv = g.contract(data, product, &[], &[(0, 0)]);
        let rows = g.sum(product, &[1]);
        let xv = g.mul(rows, weight);
        let quantity = Quantity::LowerSecondOrder;
        let roots: [NodeId; 2] = [hv, xv];
        let entry = Entry { quantity, outputs: roots.map(|r| vec![r]).to_vec() };
        case.tiling = FORCED;
        let loops = case.lower_entries(std::slice::from_ref(&entry), precision);
        let joint = loops.entries[0].joint.as_ref().unwrap_or_else(|| panic!("{loops}"));
        let products = |s: &Step| s.leaves().filter(|l| matches!(l, Step::Host(_))).count();
        assert!(joint.iter().any(|s| matches!(s, Step::Tiled(_)) && products(s) >= 3), "{loops}");
        let mut program = jit(&loops, &case.values).unwrap();
        let layout = case.layout();
        let want = evaluate(&case.g, &roots, &case.values).unwrap();
        let (x, y, direction) =
            (case.flat(&layout.upper), case.flat(&layout.lower), case.flat(&layout.lower_direction));
        let mut out = [vec![0.0; d * k], vec![0.0; n]];
        // Both stages; the same again, the last alone; another point; another direction and back.
        let shifted: Vec<f64> = direction.iter().map(|v| 1.0 - v).collect();
        let other: Vec<f64> = y.iter().map(|v| 1.0 - v).collect();
        let calls =
            [(&y, &direction), (&y, &direction), (&other, &shifted), (&y, &shifted), (&y, &direction)];
        for (y, v) in calls {
            let [hv, xv] = &mut out;
            program.lower_second_order(&x, y, v, hv, xv);
        }
        assert_eq!(program.stage_runs(quantity).unwrap()[1..], [3, 5]);
        for (got, want) in out.iter().zip(&want) {
            close(got, want.as_slice().unwrap(), tolerance);
        }
    }
}

#[test]
fn what_only_tiles_use_needs_no_memory_for_all_rows() {
    let mut case = Case::new(5);
    let entries = regression(&mut case, 400, 20, 10);
    let plain = case.lower_entries(&entries, Precision::F64);
    case.tiling = FORCED;
    let loops = case.lower_entries(&entries, Precision::F64);
    let passing = |loops: &Loops| {
        let all = loops.buffers.iter().filter(|b| matches!(b.home, Home::Passing | Home::Own));
        all.filter(|b| b.len >= 4000).count()
    };
    assert!(passing(&plain) > 0);
    assert_eq!(passing(&loops), 0, "{loops}");
}

#[test]
fn the_verifier_sees_tiles_that_meet() {
    let mut case = Case::new(5);
    case.tiling = Tiling { cache: 3000, ..FORCED };
    let entries = regression(&mut case, 53, 20, 10);
    let loops = case.lower_entries(&entries, Precision::F64);
    let broken = |change: &dyn Fn(&mut Tiled)| {
        let mut loops = loops.clone();
        let step = loops.lists_mut().flatten().find_map(|s| match s {
            Step::Tiled(t) if t.shifts.iter().any(|(_, s)| matches!(s, Shift::Chunk(_))) => Some(t),
            _ => None,
        });
        change(step.unwrap());
        let error = loops.verify().unwrap_err();
        // The runtime, which trusts nobody, refuses it as well.
        assert!(error.contains("cover") || jit(&loops, &case.values).is_err(), "{error}");
        error
    };
    let chunk = |tiled: &mut Tiled, to: &dyn Fn(usize) -> usize| {
        for (_, shift) in &mut tiled.shifts {
            if let Shift::Chunk(cells) = shift {
                *cells = to(*cells);
            }
        }
    };
    assert!(broken(&|t| chunk(t, &|c| c - 1)).contains("tiles meet"));
    assert!(broken(&|t| chunk(t, &|c| c + 1)).contains("cells of"));
    assert!(broken(&|t| t.shifts.retain(|(_, s)| matches!(s, Shift::Tile(_)))).contains("tiles meet"));
    assert!(broken(&|t| t.rest.clear()).contains("do not cover"));
}
