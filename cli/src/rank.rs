//! The order of several answers to one model, with the reason for each place. A point that the model does not allow has none:
//! its objective is not one the upper level can have.

use crate::output::human::number;

/// Objectives that differ by less than this, relative to `max(1, |F|)`, are as good as each other.
pub const SAME: f64 = 1e-6;

/// What an answer is judged by.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What the model does not allow about the point, in words; `None` when it allows it.
    pub misfit: Option<String>,
    /// The upper objective as the method has it, in the user's sign.
    pub claimed: f64,
    /// The upper objective where the lower level has been solved again.
    pub objective: f64,
    /// Evaluations by the method.
    pub evaluations: u64,
}

/// A place in the order.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// 1 for the best; `None` for a point that is not allowed.
    pub rank: Option<usize>,
    /// Why.
    pub reason: String,
}

/// Ranks the candidates. `maximize`: whether the upper level maximises.
pub fn rank(candidates: &[Candidate], maximize: bool) -> Vec<Place> {
    let sign = if maximize { -1.0 } else { 1.0 };
    let worth = |i: usize| sign * candidates[i].objective;
    let mut order: Vec<usize> = (0..candidates.len()).filter(|&i| candidates[i].misfit.is_none()).collect();
    let best = order.iter().map(|&i| worth(i)).fold(f64::INFINITY, f64::min);
    let same = |i: usize| worth(i) - best <= SAME * best.abs().max(1.0);
    order.sort_by(|&a, &b| {
        let equal = same(a) && same(b);
        let by_cost = candidates[a].evaluations.cmp(&candidates[b].evaluations);
        if equal { by_cost } else { worth(a).total_cmp(&worth(b)) }
    });
    let ties = order.iter().filter(|&&i| same(i)).count();
    let place = |i: usize| match (&candidates[i].misfit, order.iter().position(|&j| j == i)) {
        (None, Some(at)) => {
            let reason = if at == 0 {
                first(order.len(), ties, maximize)
            } else if same(i) {
                tied(&candidates[i], &candidates[order[0]])
            } else {
                behind(candidates[i].objective, candidates[order[0]].objective, maximize)
            };
            Place { rank: Some(at + 1), reason }
        }
        (misfit, _) => {
            let looks_better = sign * candidates[i].claimed < best && !order.is_empty();
            let because = if looks_better { "; only that makes its objective look better" } else { "" };
            let reason = format!("not ranked: {}{because}", misfit.as_deref().unwrap_or("it was not solved"));
            Place { rank: None, reason }
        }
    };
    (0..candidates.len()).map(place).collect()
}

/// Why the first is first, of so many ranked and so many that are as good.
fn first(ranked: usize, ties: usize, maximize: bool) -> String {
    if ranked == 1 {
        return "the only point that the model allows".to_owned();
    }
    let most = if maximize { "highest" } else { "lowest" };
    let reason = format!("the {most} upper objective of the points that the model allows");
    if ties > 1 { format!("{reason}, with the fewest evaluations of {ties} that reach it") } else { reason }
}

fn tied(own: &Candidate, best: &Candidate) -> String {
    let ratio = own.evaluations as f64 / best.evaluations.max(1) as f64;
    let digits = if ratio < 10.0 { 2 } else { 0 };
    format!("as good as the best (to {SAME:.0e}), with {ratio:.digits$} times the evaluations")
}

fn behind(own: f64, best: f64, maximize: bool) -> String {
    let side = if maximize { "below" } else { "above" };
    let off = (own - best).abs();
    let share = 100.0 * off / best.abs();
    let relative = if (0.005..1e4).contains(&share) { format!(" ({share:.2} %)") } else { String::new() };
    format!("its upper objective is {}{relative} {side} the best", number(off))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(objective: f64, evaluations: u64) -> Candidate {
        Candidate { misfit: None, claimed: objective, objective, evaluations }
    }

    fn ranks(places: &[Place]) -> Vec<Option<usize>> {
        places.iter().map(|place| place.rank).collect()
    }

    #[test]
    fn the_best_is_allowed_and_ties_go_to_the_cheapest() {
        let forbidden =
            Candidate { misfit: Some("the lower level is not solved".into()), ..candidate(-9.0, 1) };
        let all = [candidate(2.0, 90), forbidden, candidate(1.0 + 1e-8, 10), candidate(1.0, 20)];
        let places = rank(&all, false);
        assert_eq!(ranks(&places), [Some(3), None, Some(1), Some(2)]);
        assert!(places[2].reason.contains("lowest") && places[2].reason.contains("of 2 that reach it"));
        assert_eq!(places[3].reason, "as good as the best (to 1e-6), with 2.00 times the evaluations");
        assert_eq!(places[0].reason, "its upper objective is 1 (100.00 %) above the best");
        let reason = "not ranked: the lower level is not solved; only that makes its objective look better";
        assert_eq!(places[1].reason, reason);
    }

    #[test]
    fn a_maximum_is_the_best_of_a_model_that_maximises() {
        let places = rank(&[candidate(2.0, 1), candidate(3.0, 1)], true);
        assert_eq!(ranks(&places), [Some(2), Some(1)]);
        assert!(places[1].reason.contains("highest") && places[0].reason.contains("below"));
    }

    #[test]
    fn nobody_wins_where_nothing_is_allowed() {
        let all = [Candidate { misfit: Some("it could not be checked".into()), ..candidate(f64::NAN, 0) }];
        assert_eq!(ranks(&rank(&all, false)), [None]);
        assert_eq!(rank(&[candidate(0.0, 5)], false)[0].reason, "the only point that the model allows");
    }
}
