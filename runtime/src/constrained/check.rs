//! The check of a point of a problem with constraints: what it violates, and whether the follower, solved again at the returned
//! `x` under its own constraints, can do better. Multipliers that the model reads are checked as well, since the objective
//! depends on them.

use super::global::{BOXES, prove};
use super::interior::{self, Aim, Duals, End};
use super::nlp::Nlp;
use super::polish::polish;
use super::program::{Program, Relaxed};
use super::relax::FEASIBLE;
use super::tree::{self, CLOSED};
use super::{Constrained, Follower, jump, leader, lean, outside, system};
use crate::check::{Check, LOWER, LowerCheck, UPPER};
use crate::linear::blas1::{largest, norm2};
use crate::linear::power::seeded;
use crate::status::PointStatus;

/// Checks `(x, y)`, with the multipliers that the model reads behind `y`. `convex`: whether the lower level is known to
/// be; `budget`: the Newton steps that solving the follower again may take from each start.
pub fn check(c: &mut Constrained, x: &[f64], y: &[f64], convex: bool, budget: usize) -> Check {
    let (n, m) = c.lens;
    let found = c.found.clone().filter(|f| f.z[..n] == *x && c.lower_part(&f.z) == *y);
    let mut z = found.as_ref().map_or_else(|| c.single.start.clone(), |f| f.z.clone());
    z[..n].copy_from_slice(x);
    z[n..n + m].copy_from_slice(&y[..m]);
    for (&at, value) in c.duals.iter().zip(&y[m..]) {
        z[at] = *value;
    }
    let (mut g, mut rows) = (vec![0.0; z.len()], vec![0.0; c.single.equal.len()]);
    let objective = c.single.evaluate(&z, &vec![0.0; rows.len()], &mut g, &mut rows);
    // The rows of the upper level come first; the others are of no account to a model that reads no multiplier.
    let counted = if c.duals.is_empty() { c.upper_rows } else { rows.len() };
    rows[counted..].fill(0.0);
    let mut violation = c.single.violation(&rows);
    let bounded = if c.duals.is_empty() { n + m } else { z.len() };
    let off = |i: usize| (c.single.lo[i] - z[i]).max(z[i] - c.single.hi[i]).max(0.0);
    violation = (0..bounded).map(off).fold(violation, f64::max);
    violation = c.whole.iter().map(|&i| (z[i] - z[i].round()).abs()).fold(violation, f64::max);
    if !c.duals.is_empty() {
        violation = violation.max(c.violation(&z));
    }
    let lower = match &mut c.follower {
        None => None,
        Some(follower) => {
            let (lower, off) = check_follower(follower, x, &y[..m], convex, (budget, BOXES), &mut |_| false);
            violation = violation.max(off);
            Some(lower)
        }
    };
    if !objective.is_finite() || !violation.is_finite() {
        return Check::unknown();
    }
    let proof = c.proof.filter(|_| found.is_some());
    let stationarity = found.filter(|f| f.stationarity.is_finite()).map(|f| c.stationarity(&z, &f.weights));
    let feasible = violation <= FEASIBLE * largest(x).max(largest(y)).max(1.0);
    let solved = lower.as_ref().is_none_or(|l| l.solved);
    let reduced = if feasible && solved && c.whole.is_empty() { Some(leader::reduced(c, &z)) } else { None };
    let alone = lower.as_ref().is_some_and(|lower| lower.without_multiplier);
    let note = match &reduced {
        Some(Err(_)) if alone => Some(NO_MULTIPLIER.to_string()),
        Some(Err(undefined)) => Some(undefined.words().to_string()),
        Some(Ok(reduced)) if reduced.kinks > 0 => Some(KINK.to_string()),
        _ => None,
    };
    let reduced = reduced.and_then(Result::ok);
    let flat = reduced.as_ref().is_some_and(|r| r.norm <= UPPER * r.size);
    let stationary = flat || stationarity.is_some_and(|s| s <= UPPER);
    let proved = proof.is_some_and(|proof| {
        proof.is_closed() && objective - proof.bound <= CLOSED * objective.abs().max(1.0)
    });
    let point = match (feasible && solved, stationary) {
        (true, _) if proved => PointStatus::Optimal,
        (true, true) => PointStatus::Stationary,
        (true, false) => PointStatus::Feasible,
        (false, _) => PointStatus::NotSolved,
    };
    let jump = if feasible && solved && lower.is_some() {
        jump::near(c, x, &y[..m], convex, objective)
    } else {
        None
    };
    let falls = jump.as_ref().is_some_and(|jump| jump.infimum.is_some());
    let answer = lower.as_ref().filter(|lower| lower.solved);
    let ties = answer.and_then(|lower| lean::range(c, x, &y[..m], lower, convex));
    Check {
        point: if falls && point != PointStatus::Optimal { PointStatus::NotAttained } else { point },
        lower,
        jump,
        upper_objective: objective,
        upper_stationary: stationary,
        violation: Some(violation),
        single_level: stationarity,
        proof,
        hypergradient_norm: reduced.as_ref().map(|reduced| reduced.norm),
        reduced,
        note,
        ties,
    }
}

/// The follower's answer at `x` from `y` and from its start, and the upper objective there, minimised; `None` where it was not found, or
/// where a constraint is violated.
pub(crate) fn answered(c: &mut Constrained, x: &[f64], y: &[f64], budget: usize) -> Option<(Vec<f64>, f64)> {
    let (n, m) = c.lens;
    let follower = c.follower.as_mut().filter(|_| c.duals.is_empty())?;
    let (lower, _) = check_follower(follower, x, y, true, (budget, BOXES), &mut |_| false);
    let mut z = c.single.start.clone();
    z[..n].copy_from_slice(x);
    z[n..n + m].copy_from_slice(&lower.solution);
    let (mut g, mut rows) = (vec![0.0; z.len()], vec![0.0; c.single.equal.len()]);
    let objective = c.single.evaluate(&z, &vec![0.0; rows.len()], &mut g, &mut rows);
    rows[c.upper_rows..].fill(0.0);
    let feasible = c.single.violation(&rows) <= FEASIBLE * largest(x).max(largest(y)).max(1.0);
    (lower.polished && feasible).then_some((lower.solution, objective))
}

/// The follower at `x`: solved again from `y`, from its start and, unless it is known to be convex, from drawn points near `y`
/// and far away; one with few variables by intervals as well, so that its answer is proved or a better one is met. The second value
/// is what `y` violates. `budget`: Newton steps from each start; `boxes`: those of [`prove`]. A large follower is not solved from further
/// starts once the first ones agree, nor any once `stop` says so or its evaluations have taken [`OPERATIONS`].
pub fn check_follower(
    follower: &mut Follower,
    x: &[f64],
    y: &[f64],
    convex: bool,
    (budget, boxes): (usize, usize),
    stop: &mut dyn FnMut(&Nlp) -> bool,
) -> (LowerCheck, f64) {
    let nlp = &mut follower.nlp;
    nlp.set_parameters(x);
    let m = nlp.equal.len();
    let (mut g, mut rows) = (vec![0.0; y.len()], vec![0.0; m]);
    let objective = nlp.evaluate(y, &vec![0.0; m], &mut g, &mut rows);
    let violation = nlp.violation(&rows).max(outside(nlp, y));
    if follower.quadratic
        && let Some(best) = program_answer(nlp, &follower.whole)
    {
        return (judged((objective, y), violation, best, true, nlp), violation);
    }
    let mut starts = vec![y.to_vec(), nlp.somewhere()];
    if !convex {
        starts.extend((1..=DRAWN).map(|seed| nlp.drawn(seed)));
        starts.extend((1..=DRAWN).map(|seed| near(y, seed)));
    }
    // A follower with costly factorisations is solved again from few starts, with few steps.
    let held = nlp.bounds().held();
    let cost = system::cost(&held, m, &nlp.pattern());
    let steps = (WORK / cost.max(1.0)) as usize;
    starts.truncate((steps / ENOUGH).max(1));
    let budget = budget.min(steps / starts.len());
    let limit = nlp.spent() + OPERATIONS;
    let mut best: Option<Answer> = None;
    let mut agreeing = 0;
    for v in starts {
        let agreed = best.is_some() && agreeing >= AGREEING && y.len() > FEW;
        if agreed || nlp.spent() > limit || best.is_some() && stop(nlp) {
            break;
        }
        // The first answer is waited for, whoever asks to stop, but not for ever.
        let waits = best.is_none();
        let answer = solve_follower(nlp, v, budget, &mut |nlp| nlp.spent() > limit || !waits && stop(nlp));
        let margin = SAME * answer.objective.abs().max(1.0);
        let same = |best: &Answer| (answer.objective - best.objective).abs() <= margin;
        agreeing = if answer.settled && best.as_ref().is_none_or(same) { agreeing + 1 } else { 0 };
        if answer.settled && best.as_ref().is_none_or(|b| answer.objective < b.objective - margin) {
            best = Some(answer);
        }
    }
    let unsettled = || Answer { y: y.to_vec(), weights: vec![0.0; m], objective, settled: false };
    let mut best = best.unwrap_or_else(unsettled);
    // Without a multiplier at the optimum no start is settled; then `y` itself is what may be proved.
    let feasible = violation <= 0.01 * FEASIBLE * largest(y).max(1.0);
    let mut global = convex && best.settled;
    let mut alone = false;
    if let Some(enclosure) =
        follower.enclosure.as_deref_mut().filter(|_| !global && (best.settled || feasible))
    {
        for _ in 0..BETTER {
            let small = 0.5 * LOWER * best.objective.abs().max(1.0);
            let proved = prove(nlp, enclosure, best.objective, small, boxes);
            global = proved.closed;
            alone |= global && !best.settled;
            best.settled |= global;
            let Some(better) = proved.better else { break };
            let answer = solve_follower(nlp, better.clone(), budget, &mut |nlp| nlp.spent() > limit);
            let value = nlp.objective(&better);
            best = if answer.settled && answer.objective <= value {
                answer
            } else {
                Answer { y: better, weights: vec![0.0; m], objective: value, settled: true }
            };
        }
    }
    let spent = !best.settled && nlp.spent() > limit;
    let lower = judged((objective, y), violation, best, global, nlp);
    (LowerCheck { spent, without_multiplier: alone && m > 0, ..lower }, violation)
}

/// What `y`, with its objective and violation, is worth beside the follower's answer.
fn judged(
    (objective, y): (f64, &[f64]),
    violation: f64,
    best: Answer,
    convex: bool,
    nlp: &mut Nlp,
) -> LowerCheck {
    let polished = best.settled;
    let (mut g, mut rows) = (vec![0.0; y.len()], vec![0.0; nlp.equal.len()]);
    nlp.evaluate(y, &best.weights, &mut g, &mut rows);
    let stationarity = nlp.bounds().stationarity(y, &g);
    let gap = objective - best.objective;
    // A point that violates its constraints a little may lie below the solution by as much as that saves.
    let saved: f64 = best.weights.iter().map(|u| u.abs()).sum::<f64>() * violation.min(FEASIBLE);
    let small = LOWER * objective.abs().max(1.0);
    LowerCheck {
        objective,
        stationarity,
        relative_stationarity: stationarity / norm2(y).max(1.0),
        gap,
        polished,
        local: !convex,
        without_multiplier: false,
        solved: polished && gap <= small && gap >= -small - saved,
        solution: best.y,
        solution_objective: best.objective,
        spent: false,
    }
}

/// The answer of a follower that is a convex quadratic program, with the variables at `whole` whole, at the parameters set; `None` where the solver of such programs finds none.
fn program_answer(nlp: &mut Nlp, whole: &[usize]) -> Option<Answer> {
    let (lines, objective) = tree::form::program(nlp);
    let answer = tree::mip::solve_whole(&objective, &lines, &nlp.lo, &nlp.hi, whole);
    let tree::qp::Answer::Solved(solved) = answer else { return None };
    let (y, weights, objective) = (solved.z, solved.lines, solved.value);
    solved.exact.then_some(Answer { y, weights, objective, settled: true })
}

/// Answers whose objectives differ by less than this, relative, are equally good: the one nearest to `y`, found first, is kept.
const SAME: f64 = 1e-8;

/// Multiplications that solving the follower again may take: some seconds.
const WORK: f64 = 1e9;
/// Operations on numbers that its evaluations may take: some seconds, too.
const OPERATIONS: f64 = 1e10;
/// Followers with more variables are large; so many starts in a row that lead a large one to the same value are enough.
const FEW: usize = 20;
const AGREEING: usize = 5;
/// Newton steps that are enough for most followers.
const ENOUGH: usize = 30;

/// What is said of a hypergradient at a kink.
const KINK: &str = "the follower's answer has a kink here, and the hypergradient is that of one side";

/// What is said of an answer that is proved, but not by multipliers.
const NO_MULTIPLIER: &str = "the follower has no multiplier at its answer, since its constraints fail a constraint qualification there; that nothing is \
                             better was proved by boxes of its variables";

/// Better answers that the proof may meet.
const BETTER: usize = 20;
/// Drawn starts of either kind.
const DRAWN: u64 = 6;

/// A point near `y`, to leave a stationary point that is no minimum.
fn near(y: &[f64], seed: u64) -> Vec<f64> {
    let reach = [1e-2, 1e-1, 1.0][(seed % 3) as usize] * largest(y).max(1.0);
    seeded(y.len(), seed).iter().zip(y).map(|(u, y)| y + reach * u).collect()
}

/// What a solve of the follower found.
struct Answer {
    y: Vec<f64>,
    weights: Vec<f64>,
    objective: f64,
    /// Whether it is feasible and stationary.
    settled: bool,
}

/// Solves the follower from `v`.
fn solve_follower(nlp: &mut Nlp, v: Vec<f64>, budget: usize, stop: &mut dyn FnMut(&Nlp) -> bool) -> Answer {
    solve_with(nlp, v, Aim { steps: budget.min(300), ..Aim::cold(1e-9) }, stop)
}

/// The follower's answer near `y` and the multipliers of its rows, with few steps.
pub(super) fn answer_from(nlp: &mut Nlp, y: &[f64], steps: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    let limit = nlp.spent() + OPERATIONS;
    let aim = Aim { steps, ..Aim::warm(1e-9) };
    let answer = solve_with(nlp, y.to_vec(), aim, &mut |nlp| nlp.spent() > limit);
    answer.settled.then_some((answer.y, answer.weights))
}

/// The follower's answer next to `y` with the multipliers of its rows; `None` where its answer is another one, or has whole numbers.
pub(super) fn multipliers_at(follower: &mut Follower, x: &[f64], y: &[f64]) -> Option<(Vec<f64>, Vec<f64>)> {
    if !follower.whole.is_empty() {
        return None;
    }
    let nlp = &mut follower.nlp;
    nlp.set_parameters(x);
    let program = if follower.quadratic { program_answer(nlp, &[]) } else { None };
    let near = |at: &[f64]| at.iter().zip(y).all(|(at, y)| (at - y).abs() <= BESIDE * y.abs().max(1.0));
    match program.filter(|answer| near(&answer.y)) {
        Some(answer) => Some((answer.y, answer.weights)),
        None => answer_from(nlp, y, 100).filter(|(at, _)| near(at)),
    }
}

/// Answers this close, relative, are the same.
const BESIDE: f64 = 1e-3;

fn solve_with(nlp: &mut Nlp, v: Vec<f64>, aim: Aim, stop: &mut dyn FnMut(&Nlp) -> bool) -> Answer {
    let mut y = v;
    let mut duals = Duals::default();
    let bounds = nlp.bounds();
    let mut program = Relaxed::new(nlp, &[], (0.0, 0.0));
    let mut reached = interior::solve(&mut program, &bounds, &mut y, &mut duals, aim, stop);
    let (mut g, mut rows) = (vec![0.0; y.len()], vec![0.0; duals.rows.len()]);
    if reached.end == End::Solved && polish(&mut program, &bounds, &mut y, &mut duals) {
        reached.objective = program.evaluate(&y, &mut g, &mut rows);
    }
    // Where multipliers are huge, as they are next to a point that has none, what is violated a little is worth much.
    program.evaluate(&y, &mut g, &mut rows);
    let saved = program.nlp().violation(&rows) * duals.rows.iter().map(|u| u.abs()).sum::<f64>();
    let settled = reached.end == End::Solved && saved <= 0.1 * LOWER * reached.objective.abs().max(1.0);
    Answer { y, weights: duals.rows, objective: reached.objective, settled }
}
