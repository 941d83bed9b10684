//! Convex quadratic programs by Clarabel's interior-point method, with certificates: a solution comes with a bound from the
//! dual, an infeasible program with a combination of its rows that no point satisfies, an unbounded one with a ray, and the last two are
//! verified here.
//!
//! Source: P. J. Goulart, Y. Chen, "Clarabel: an interior-point solver for conic programs with quadratic objectives" (2024),
//! arXiv:2405.12762.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettings, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus, SupportedConeT, ZeroConeT,
};

use super::form::{Line, Quadratic};

/// Bounds this close, relative to their size, leave no room.
const CLOSED: f64 = 1e-12;
/// A fixed row may be violated by this, relative to its largest term.
const SLACK: f64 = 1e-9;
/// A certificate may be off by this, relative to what it proves.
const CERTAIN: f64 = 1e-7;

/// A solved program.
#[derive(Clone, Debug)]
pub struct Solved {
    /// The solution.
    pub z: Vec<f64>,
    /// The objective there.
    pub value: f64,
    /// No point has a lower objective, up to the accuracy of the solver.
    pub bound: f64,
    /// Whether the solver reached its full accuracy.
    pub exact: bool,
    /// The multipliers of the rows.
    pub lines: Vec<f64>,
    /// The multipliers of the lower bounds.
    pub low: Vec<f64>,
    /// The multipliers of the upper bounds.
    pub high: Vec<f64>,
}

/// Rows that are violated by more than this cannot hold.
const VIOLATED: f64 = 1e-6;

/// What became of a program.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It was solved.
    Solved(Box<Solved>),
    /// It has no point.
    Infeasible,
    /// The objective falls along this ray, which leaves no bound or row. Whether there is a point is not known.
    Unbounded(Vec<f64>),
    /// The solver got stuck.
    Unsolved,
}

/// Minimises a convex quadratic function subject to rows and bounds.
pub fn solve(objective: &Quadratic, lines: &[Line], lo: &[f64], hi: &[f64]) -> Answer {
    match attempt(objective, lines, lo, hi) {
        Answer::Unsolved if least_violation(lines, lo, hi) > VIOLATED => Answer::Infeasible,
        answer => answer,
    }
}

/// What the rows are violated by at least at every point within the bounds, as far as it is proved: the largest violation is a
/// variable of its own, so this program has points.
fn least_violation(lines: &[Line], lo: &[f64], hi: &[f64]) -> f64 {
    let n = lo.len();
    let mut objective = Quadratic::zero(n + 1);
    objective.linear[n] = 1.0;
    let mut elastic = Vec::new();
    for line in lines {
        for sign in if line.equal { &[1.0, -1.0][..] } else { &[1.0][..] } {
            let own = line.terms.iter().map(|(i, a)| (*i, sign * a));
            let terms = own.chain([(n, -1.0)]).collect();
            elastic.push(Line { terms, constant: sign * line.constant, equal: false });
        }
    }
    let (mut lo, mut hi) = (lo.to_vec(), hi.to_vec());
    lo.push(0.0);
    hi.push(f64::INFINITY);
    match attempt(&objective, &elastic, &lo, &hi) {
        Answer::Solved(solved) if solved.exact => solved.bound,
        _ => 0.0,
    }
}

fn attempt(objective: &Quadratic, lines: &[Line], lo: &[f64], hi: &[f64]) -> Answer {
    let n = lo.len();
    let mut fixed: Vec<Option<f64>> = vec![None; n];
    let mut place = vec![usize::MAX; n];
    let mut free = Vec::new();
    for i in 0..n {
        let room = hi[i] - lo[i];
        let size = if lo[i].is_finite() { lo[i].abs().max(1.0) } else { 1.0 };
        if room < -SLACK * size {
            return Answer::Infeasible;
        }
        if room <= CLOSED * size {
            fixed[i] = Some(lo[i]);
        } else {
            place[i] = free.len();
            free.push(i);
        }
    }
    let Some(assembled) = Assembled::new(objective, lines, (lo, hi), (&fixed, &place, &free)) else {
        return Answer::Infeasible;
    };
    assembled.solve(objective, lines, (lo, hi), (&fixed, &free))
}

/// The free variables, their places, and the values of the others.
type Split<'a> = (&'a [Option<f64>], &'a [usize], &'a [usize]);

/// The data of the solver: `min ½ vᵀPv + q·v` subject to `A v + s = b`.
struct Assembled {
    p: CscMatrix<f64>,
    q: Vec<f64>,
    a: CscMatrix<f64>,
    b: Vec<f64>,
    cones: Vec<SupportedConeT<f64>>,
    /// Where the rows stand in `lines`, in the order of `b`.
    rows: Vec<usize>,
    /// Whose bounds follow, and whether they are upper ones.
    ends: Vec<(usize, bool)>,
}

impl Assembled {
    /// `None` when a row without free variables is violated.
    fn new(
        objective: &Quadratic,
        lines: &[Line],
        (lo, hi): (&[f64], &[f64]),
        (fixed, place, free): Split<'_>,
    ) -> Option<Self> {
        let mut q: Vec<f64> = free.iter().map(|&i| objective.linear[i]).collect();
        let (mut pi, mut pj, mut pv) = (Vec::new(), Vec::new(), Vec::new());
        for &(i, j, h) in &objective.second {
            match (fixed[i], fixed[j]) {
                (None, None) => {
                    pi.push(place[i].min(place[j]));
                    pj.push(place[i].max(place[j]));
                    pv.push(h);
                }
                (Some(v), None) => q[place[j]] += h * v,
                (None, Some(v)) => q[place[i]] += h * v,
                (Some(_), Some(_)) => {}
            }
        }
        let (mut ai, mut aj, mut av, mut b) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut rows = Vec::new();
        let mut equalities = 0;
        for equal in [true, false] {
            for (k, line) in lines.iter().enumerate().filter(|(_, line)| line.equal == equal) {
                let mut constant = line.constant;
                let mut size = line.constant.abs().max(1.0);
                let before = ai.len();
                for &(i, coefficient) in &line.terms {
                    if let Some(v) = fixed[i] {
                        constant += coefficient * v;
                        size = size.max((coefficient * v).abs());
                    } else {
                        ai.push(b.len());
                        aj.push(place[i]);
                        av.push(coefficient);
                    }
                }
                if ai.len() == before {
                    let off = if equal { constant.abs() } else { constant };
                    if off > SLACK * size {
                        return None;
                    }
                    continue;
                }
                rows.push(k);
                b.push(-constant);
            }
            if equal {
                equalities = b.len();
            }
        }
        let mut ends = Vec::new();
        for (v, &i) in free.iter().enumerate() {
            for (end, high) in [(lo[i], false), (hi[i], true)] {
                if end.is_finite() {
                    ai.push(b.len());
                    aj.push(v);
                    av.push(if high { 1.0 } else { -1.0 });
                    b.push(if high { end } else { -end });
                    ends.push((i, high));
                }
            }
        }
        if b.len() == equalities {
            // The solver wants a cone.
            b.push(1.0);
            ends.push((usize::MAX, false));
        }
        let n = free.len();
        let cones = vec![ZeroConeT(equalities), NonnegativeConeT(b.len() - equalities)];
        let p = CscMatrix::new_from_triplets(n, n, pi, pj, pv);
        let a = CscMatrix::new_from_triplets(b.len(), n, ai, aj, av);
        Some(Assembled { p, q, a, b, cones, rows, ends })
    }

    fn solve(
        &self,
        objective: &Quadratic,
        lines: &[Line],
        (lo, hi): (&[f64], &[f64]),
        (fixed, free): (&[Option<f64>], &[usize]),
    ) -> Answer {
        let full = |v: &[f64]| -> Vec<f64> {
            let mut z: Vec<f64> = fixed.iter().map(|f| f.unwrap_or(0.0)).collect();
            free.iter().zip(v).for_each(|(&i, v)| z[i] = v.max(lo[i]).min(hi[i]));
            z
        };
        let mut solved = Solved {
            z: full(&[]),
            value: f64::NAN,
            bound: f64::NAN,
            exact: true,
            lines: vec![0.0; lines.len()],
            low: vec![0.0; lo.len()],
            high: vec![0.0; lo.len()],
        };
        if free.is_empty() {
            solved.value = objective.at(&solved.z);
            solved.bound = solved.value;
            return Answer::Solved(Box::new(solved));
        }
        let settings = DefaultSettings {
            verbose: false,
            max_iter: 100,
            tol_gap_abs: 1e-10,
            tol_gap_rel: 1e-10,
            tol_feas: 1e-10,
            presolve_enable: false,
            ..DefaultSettings::default()
        };
        let made = DefaultSolver::new(&self.p, &self.q, &self.a, &self.b, &self.cones, settings);
        let Ok(mut solver) = made else { return Answer::Unsolved };
        solver.solve();
        let found = &solver.solution;
        match found.status {
            SolverStatus::Solved | SolverStatus::AlmostSolved | SolverStatus::InsufficientProgress => {
                let gap = (found.obj_val - found.obj_val_dual).abs();
                let size = found.obj_val.abs().max(1.0);
                let fine = gap <= 1e-7 * size && found.r_prim <= 1e-7 && found.r_dual <= 1e-7;
                if !fine && found.status == SolverStatus::InsufficientProgress {
                    return Answer::Unsolved;
                }
                solved.z = full(&found.x);
                solved.value = objective.at(&solved.z);
                // What the fixed variables contribute is the same in both objectives.
                solved.bound = solved.value - (found.obj_val - found.obj_val_dual).max(0.0);
                solved.exact = fine;
                for (k, row) in self.rows.iter().enumerate() {
                    solved.lines[*row] = found.z[k];
                }
                for ((i, high), z) in self.ends.iter().zip(&found.z[self.rows.len()..]) {
                    if *i < lo.len() {
                        let side = if *high { &mut solved.high } else { &mut solved.low };
                        side[*i] = *z;
                    }
                }
                Answer::Solved(Box::new(solved))
            }
            SolverStatus::PrimalInfeasible | SolverStatus::AlmostPrimalInfeasible => {
                if self.proves_infeasible(&found.z) { Answer::Infeasible } else { Answer::Unsolved }
            }
            SolverStatus::DualInfeasible | SolverStatus::AlmostDualInfeasible => {
                let mut ray = vec![0.0; lo.len()];
                free.iter().zip(&found.x).for_each(|(&i, v)| ray[i] = *v);
                if self.is_ray(&found.x) { Answer::Unbounded(ray) } else { Answer::Unsolved }
            }
            _ => Answer::Unsolved,
        }
    }

    /// Whether `Aᵀy = 0` and `b·y < 0`: then no `v` has `b − A v` in the cone, as its product with `y` would be negative.
    fn proves_infeasible(&self, y: &[f64]) -> bool {
        let fall: f64 = -self.b.iter().zip(y).map(|(b, y)| b * y).sum::<f64>();
        let mut off = vec![0.0_f64; self.a.n];
        for (j, off) in off.iter_mut().enumerate() {
            let column = self.a.colptr[j]..self.a.colptr[j + 1];
            *off = column.map(|k| self.a.nzval[k] * y[self.a.rowval[k]]).sum();
        }
        let equalities = self.cone(0);
        let outside = y[equalities..].iter().fold(0.0_f64, |all, y| all.max(-y));
        let off = off.iter().fold(outside, |all, off| all.max(off.abs()));
        fall > 0.0 && off <= CERTAIN * fall
    }

    /// Whether `P v = 0`, `A v` points into the rows and bounds, and `q·v < 0`.
    fn is_ray(&self, v: &[f64]) -> bool {
        let fall: f64 = -self.q.iter().zip(v).map(|(q, v)| q * v).sum::<f64>();
        let mut along = vec![0.0; self.b.len()];
        let mut bend = vec![0.0; v.len()];
        for (j, vj) in v.iter().enumerate() {
            for k in self.a.colptr[j]..self.a.colptr[j + 1] {
                along[self.a.rowval[k]] += self.a.nzval[k] * vj;
            }
            for k in self.p.colptr[j]..self.p.colptr[j + 1] {
                let (i, h) = (self.p.rowval[k], self.p.nzval[k]);
                bend[i] += h * vj;
                if i != j {
                    bend[j] += h * v[i];
                }
            }
        }
        let equalities = self.cone(0);
        let off = |(k, a): (usize, &f64)| if k < equalities { a.abs() } else { a.max(0.0) };
        let rows = along.iter().enumerate().map(off).fold(0.0, f64::max);
        let off = bend.iter().fold(rows, |all, b| all.max(b.abs()));
        fall > 0.0 && off <= CERTAIN * fall
    }

    fn cone(&self, k: usize) -> usize {
        match self.cones[k] {
            ZeroConeT(size) | NonnegativeConeT(size) => size,
            _ => 0,
        }
    }
}
