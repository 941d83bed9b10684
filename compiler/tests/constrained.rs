//! Models with constraints on the whole road from text to machine code, against known optima: small problems of the
//! literature (BOLIB, Zhou, Zemkoho, Tin 2020, and BASBLib, Paulavičius, Adjiman 2019, by their names there), whose values
//! were recomputed apart from blo.

// Helpers of tests stop the test when something is wrong, as tests do.
#![allow(clippy::unwrap_used)]

mod memory;

use blo_compiler::compile_single_level;
use blo_runtime::monitor::Silent;
use blo_runtime::solution::{Solution, solve};
use blo_runtime::solvers::{named, needs};
use blo_runtime::status::{PointStatus, Termination};
use memory::{Memory, model};

fn run(text: &str) -> Solution {
    let mut model = model(text, Memory::default());
    let solver = named("kkt").unwrap();
    let settings = solver.settings(&[], std::iter::empty()).unwrap();
    let mut problem = compile_single_level(&mut model, &needs(solver, &settings), 0).unwrap();
    solve(&mut problem, solver, &settings, &mut Silent)
}

#[track_caller]
fn best(expected: f64, text: &str) {
    let s = run(text);
    let found = s.upper_objective;
    assert!(
        (found - expected).abs() <= 1e-5 * expected.abs().max(1.0),
        "{found} is not {expected}: {}",
        s.verdict
    );
    assert!(matches!(s.point, PointStatus::Stationary | PointStatus::Feasible), "{}", s.verdict);
    assert!(s.check.violation.unwrap() < 1e-6, "{}", s.verdict);
    assert!(s.check.lower.unwrap().gap.abs() < 1e-5 * expected.abs().max(1.0), "{}", s.verdict);
}

#[test]
fn allende_still2013() {
    best(
        1.0,
        "
upper {
  var x: real[2]
  minimize y[0]^2 + y[1]^2 + (x[0] - 1)^2 + (x[1] - 1)^2
  subject to -x[0] <= 0
  subject to -x[1] <= 0
  subject to x[0] - 2 <= 0
  subject to -y[0] <= 0
  subject to -y[1] <= 0
}
lower {
  var y: real[2]
  minimize -2*x[0]*y[0] - 2*x[1]*y[1] + y[0]^2 + y[1]^2
  subject to y[0]^2 - 2*y[0] + 3/4 <= 0
  subject to y[1]^2 - 2*y[1] + 3/4 <= 0
}
",
    );
}

#[test]
fn bard_falk1982_ex2() {
    best(
        -3.25,
        "
upper {
  var x: real[2]
  minimize -2*x[0] + x[1] + y[0]/2
  subject to -x[0] <= 0
  subject to -x[1] <= 0
}
lower {
  var y: real[2]
  minimize x[0] + x[1] - 4*y[0] + y[1]
  subject to -2*x[0] + y[0] - y[1] + 5/2 <= 0
  subject to x[0] - 3*x[1] + y[1] - 2 <= 0
  subject to x[0] + x[1] - 2 <= 0
  subject to -y[0] <= 0
  subject to -y[1] <= 0
}
",
    );
}

#[test]
fn bard1988_ex1() {
    best(
        17.0,
        "
upper {
  var x: real[1]
  minimize (x[0] - 5)^2 + (2*y[0] + 1)^2
  subject to -x[0] <= 0
}
lower {
  var y: real[1]
  minimize -3*x[0]*y[0]/2 + (y[0] - 1)^2
  subject to -3*x[0] + y[0] + 3 <= 0
  subject to x[0] - y[0]/2 - 4 <= 0
  subject to x[0] + y[0] - 7 <= 0
  subject to -y[0] <= 0
}
",
    );
}

#[test]
fn bard1988_ex2() {
    best(
        -6600.0,
        "
upper {
  var x: real[4]
  minimize (y[0] + y[2])*(y[0] + y[2] - 200) + (y[1] + y[3])*(y[1] + y[3] - 160)
  subject to x[0] + x[1] + x[2] + x[3] - 40 <= 0
  subject to x[0] - 10 <= 0
  subject to x[1] - 5 <= 0
  subject to x[2] - 15 <= 0
  subject to x[3] - 20 <= 0
  subject to -x[0] <= 0
  subject to -x[1] <= 0
  subject to -x[2] <= 0
  subject to -x[3] <= 0
}
lower {
  var y: real[4]
  minimize (y[0] - 4)^2 + (y[1] - 13)^2 + (y[2] - 35)^2 + (y[3] - 2)^2
  subject to -x[0] + 2*y[0]/5 + 7*y[1]/10 <= 0
  subject to -x[1] + 3*y[0]/5 + 3*y[1]/10 <= 0
  subject to -x[2] + 2*y[2]/5 + 7*y[3]/10 <= 0
  subject to -x[3] + 3*y[2]/5 + 3*y[3]/10 <= 0
  subject to y[0] - 20 <= 0
  subject to y[1] - 20 <= 0
  subject to y[2] - 40 <= 0
  subject to y[3] - 40 <= 0
  subject to -y[0] <= 0
  subject to -y[1] <= 0
  subject to -y[2] <= 0
  subject to -y[3] <= 0
}
",
    );
}

#[test]
fn clark_westerberg1990a() {
    best(
        5.0,
        "
upper {
  var x: real[1]
  minimize (x[0] - 3)^2 + (y[0] - 2)^2
  subject to x[0] - 8 <= 0
  subject to -x[0] <= 0
}
lower {
  var y: real[1]
  minimize (y[0] - 5)^2
  subject to -2*x[0] + y[0] - 1 <= 0
  subject to x[0] - 2*y[0] + 2 <= 0
  subject to x[0] + 2*y[0] - 14 <= 0
}
",
    );
}

#[test]
fn falk_liu1995() {
    best(
        -2.25,
        "
upper {
  var x: real[2]
  minimize y[0]^2 + y[1]^2 + (x[0] - 3/2)^2 + (x[1] - 3/2)^2 - 9/2
}
lower {
  var y: real[2]
  minimize (x[0] - y[0])^2 + (x[1] - y[1])^2
  subject to 1/2 - y[0] <= 0
  subject to 1/2 - y[1] <= 0
  subject to y[0] - 3/2 <= 0
  subject to y[1] - 3/2 <= 0
}
",
    );
}

#[test]
fn outrata1990_ex1a() {
    best(
        -8.91720295642,
        "
upper {
  var x: real[2]
  minimize x[0]^2/10 + x[1]^2/10 + (y[0] - 3)^2/2 + (y[1] - 4)^2/2 - 25/2
}
lower {
  var y: real[2]
  minimize -x[0]*y[0] - x[1]*y[1] + y[0]*(y[0] - 2*y[1])/2 - y[1]*(2*y[0] - 5*y[1])/2
  subject to -333*y[0]/1000 + y[1] - 2 <= 0
  subject to y[0] - 333*y[1]/1000 - 2 <= 0
  subject to -y[0] <= 0
  subject to -y[1] <= 0
}
",
    );
}

#[test]
fn anandalingham_white1990() {
    best(
        -49.0,
        "
upper {
  var x: real[1]
  minimize -x[0] - 3*y[0]
  subject to -x[0] <= 0
}
lower {
  var y: real[1]
  minimize -x[0] + 3*y[0]
  subject to -x[0] - 2*y[0] + 10 <= 0
  subject to x[0] - 2*y[0] - 6 <= 0
  subject to 2*x[0] - y[0] - 21 <= 0
  subject to x[0] + 2*y[0] - 38 <= 0
  subject to -x[0] + 2*y[0] - 18 <= 0
  subject to -y[0] <= 0
}
",
    );
}

#[test]
fn basblib_ct_1982_01() {
    best(
        -29.2,
        "
upper {
  var x: real[2]
  minimize -8*x[0] - 4*x[1] + 4*y[0] - 40*y[1] - 4*y[2]
  subject to -x[0] <= 0
  subject to x[0] - 10 <= 0
  subject to -x[1] <= 0
  subject to x[1] - 10 <= 0
}
lower {
  var y: real[6]
  minimize x[0] + 2*x[1] + y[0] + y[1] + 2*y[2]
  subject to -y[0] <= 0
  subject to y[0] - 10 <= 0
  subject to -y[1] <= 0
  subject to y[1] - 10 <= 0
  subject to -y[2] <= 0
  subject to y[2] - 10 <= 0
  subject to -y[3] <= 0
  subject to y[3] - 10 <= 0
  subject to -y[4] <= 0
  subject to y[4] - 10 <= 0
  subject to -y[5] <= 0
  subject to y[5] - 10 <= 0
  subject to -y[0] + y[1] + y[2] + y[3] - 1 == 0
  subject to 2*x[0] - y[0] + 2*y[1] - y[2]/2 + y[4] - 1 == 0
  subject to 2*x[1] + 2*y[0] - y[1] - y[2]/2 + y[5] - 1 == 0
}
",
    );
}

#[test]
fn conejo2006_p281() {
    best(
        23.0,
        "
upper {
  var x: real[1]
  minimize -x[0] + 4*y[0]
  subject to 2*x[0] + y[0] - 8 <= 0
}
lower {
  var y: real[1]
  minimize -x[0] - y[0]
  subject to -y[0] <= 0
  subject to x[0] + y[0] - 7 <= 0
  subject to -x[0] <= 0
  subject to x[0] - 4 <= 0
}
",
    );
}

#[test]
fn dempe_lohse2011_ex31a() {
    best(
        -5.75,
        "
upper {
  var x: real[2]
  minimize -3*y[0] - 3*y[1] + (x[0] - 1/2)^2 + (x[1] - 1/2)^2
}
lower {
  var y: real[2]
  minimize x[0]*y[0] + x[1]*y[1]
  subject to y[0] + y[1] - 2 <= 0
  subject to -y[0] + y[1] <= 0
  subject to -y[0] <= 0
  subject to -y[1] <= 0
}
",
    );
}

#[test]
fn outrata1994_ex31() {
    best(
        3.2077000236,
        "
upper {
  var x: real[1]
  minimize (y[0] - 3)^2/2 + (y[1] - 4)^2/2
  subject to x[0] - 10 <= 0
  subject to -x[0] <= 0
}
lower {
  var y: real[2]
  minimize -x[0]*y[1] + y[0]^2*(x[0]/10 + 1/2) - y[0]*(1333*x[0]/1000 + 3) + y[1]^2*(x[0]/20 + 1/2)
  subject to x[0]/10 - 333*y[0]/1000 + y[1] - 1 <= 0
  subject to -x[0]/10 + y[0]^2 + y[1]^2 - 9 <= 0
  subject to -y[0] <= 0
  subject to -y[1] <= 0
}
",
    );
}

/// The optimality conditions also hold at `y = 0`, which is no answer of the follower where `x < 0`.
#[test]
fn mitsos_barton2006_ex317() {
    best(
        0.1875,
        "
upper {
  var x: real in [-1, 1]
  minimize y^2 / 2 + (x + 1 / 2)^2
}
lower {
  var y: real in [-1, 1]
  minimize x * y^2 / 2 + y^4 / 4
}
",
    );
}

/// The branch that is the better answer ends where `x` decides, and moves with it.
#[test]
fn ye_zhu2010_ex43() {
    best(
        1.25,
        "
upper {
  var x: real in [0, 4]
  minimize (x - 1 / 2)^2 + (y - 2)^2
}
lower {
  var y: real
  minimize y^3 - 3 * y
  subject to x - y <= 3
}
",
    );
}

/// The follower projects on a simplex. All `x` but two are equal, so the optimum is that of a small linear system.
fn simplex_response(n: usize) -> String {
    format!(
        "
upper {{
  var x: real[{n}] in [-2, 2]
  minimize sumsq(x) / 20 + (y[0] - 1 / 5)^2 + (y[1] - 7 / 10)^2
}}
lower {{
  var y: real[{n}] in nonneg
  minimize 0.5 * sumsq(y) - x @ y
  subject to sum(y) == 1
}}
"
    )
}

#[test]
fn a_large_follower_with_a_sparse_system() {
    best(0.02474849745723532, &simplex_response(100));
    best(0.02507485166590598, &simplex_response(300));
}

#[test]
fn a_follower_with_too_many_unknowns_is_refused() {
    let s = run(&simplex_response(30_000));
    assert!(matches!(s.termination, Termination::Refused { .. }), "{}", s.verdict);
    assert!(s.verdict.contains("at most 100000"), "{}", s.verdict);
}
