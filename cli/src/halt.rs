//! Ending a run by what it reports: `--stop "accuracy >= 0.93"`, and `--watch accuracy --patience 50`. The best iterate by that value
//! is kept.

use blo_compiler::model::Model;
use blo_grammar::parse::nearest;
use blo_runtime::monitor::{Judgement, Progress, StopReason, Trace};

use crate::files::{Trouble, quoted_list};

/// What the command line says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes<'a> {
    /// `--stop`.
    pub stop: Option<&'a str>,
    /// `--watch`.
    pub watch: Option<&'a str>,
    /// `--patience`.
    pub patience: Option<u64>,
}

/// A value of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watched {
    Upper,
    Lower,
    Measure,
    Report(usize),
}

/// When a value is as wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Goal {
    value: f64,
    /// Whether the value itself is not enough.
    strict: bool,
}

/// Watches one value of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Halt {
    watched: Watched,
    /// Whether larger is better.
    larger: bool,
    goal: Option<Goal>,
    patience: Option<u64>,
    /// The best value so far, and its iteration.
    best: Option<(f64, usize)>,
}

/// Comparisons, the longer first: how they are written, whether larger is better, whether the value itself is not enough.
const SIGNS: [(&str, bool, bool); 4] =
    [(">=", true, false), ("<=", false, false), (">", true, true), ("<", false, true)];

/// Names that say by themselves in which direction they are better.
const LARGE: [&str; 10] =
    ["accuracy", "f1", "auc", "precision", "recall", "score", "reward", "profit", "revenue", "welfare"];
const SMALL: [&str; 9] = ["error", "loss", "mse", "distance", "gap", "norm", "regret", "cost", "violation"];

impl Halt {
    /// What was asked for, in the terms of the model; `None` when nothing was.
    pub fn new(wishes: Wishes<'_>, model: &Model) -> Result<Option<Halt>, Trouble> {
        let goal = wishes.stop.map(|text| goal(text, model)).transpose()?;
        let watch = wishes.watch.map(|text| watch(text, model)).transpose()?;
        let (watched, larger) = match (goal, watch) {
            (None, None) if wishes.patience.is_some() => {
                let trouble = Trouble::new("`--patience` does not know what to look at");
                return Err(trouble.help("name a report: --watch accuracy --patience 50"));
            }
            (None, None) => return Ok(None),
            (Some((watched, larger, _)), None) => (watched, larger),
            (Some((a, larger, _)), Some((b, direction))) => {
                if a != b || direction.is_some_and(|d| d != larger) {
                    let trouble = Trouble::new(
                        "`--stop` and `--watch` do not look at the same value in the same direction",
                    );
                    return Err(trouble.help("the best iterate is kept by one value: leave one of them out"));
                }
                (a, larger)
            }
            (None, Some((watched, Some(larger)))) => (watched, larger),
            (None, Some((_, None))) => {
                let name = wishes.watch.unwrap_or_default().trim();
                let trouble = Trouble::new(format!("is a large or a small `{name}` better?"));
                return Err(trouble.help(format!("write --watch 'max {name}' or --watch 'min {name}'")));
            }
        };
        let goal = goal.map(|(.., goal)| goal);
        Ok(Some(Halt { watched, larger, goal, patience: wishes.patience, best: None }))
    }

    /// What it looks at and waits for, for telling one run from another.
    pub fn description(&self) -> String {
        format!("{:?} {} {:?} {:?}", self.watched, self.larger, self.goal, self.patience)
    }

    /// The best value so far and its iteration, as words.
    pub fn memory(&self) -> Vec<u64> {
        self.best.map_or_else(Vec::new, |(value, at)| vec![value.to_bits(), at as u64])
    }

    /// With the memory of an earlier run.
    #[must_use]
    pub fn remembering(self, memory: &[u64]) -> Self {
        let best = match memory {
            [value, at] => Some((f64::from_bits(*value), *at as usize)),
            _ => None,
        };
        Halt { best, ..self }
    }

    /// What to do at a complete iterate.
    pub fn judge(&mut self, progress: &Progress<'_>) -> Judgement {
        let value = match self.watched {
            Watched::Upper => progress.upper_objective,
            Watched::Lower => progress.lower_objective,
            Watched::Measure => progress.measure,
            Watched::Report(at) => progress.reports.get(at).copied().unwrap_or(f64::NAN),
        };
        let beats = |other: f64| if self.larger { value > other } else { value < other };
        let keep = value.is_finite() && self.best.is_none_or(|(best, _)| beats(best));
        if keep {
            self.best = Some((value, progress.iteration));
        }
        let reached =
            self.goal.is_some_and(|goal| beats(goal.value) || (!goal.strict && value == goal.value));
        let since = self.best.map_or(progress.iteration, |(_, at)| progress.iteration - at);
        let tired = self.patience.is_some_and(|patience| since as u64 >= patience);
        let stop = match (reached, tired) {
            (true, _) => Some(StopReason::Goal),
            (false, true) => Some(StopReason::Patience),
            (false, false) => None,
        };
        Judgement { keep, stop }
    }
}

/// Reads `NAME >= NUMBER`.
fn goal(text: &str, model: &Model) -> Result<(Watched, bool, Goal), Trouble> {
    let sign = SIGNS.iter().find_map(|sign| Some((text.split_once(sign.0)?, sign)));
    let Some(((name, number), (_, larger, strict))) = sign else {
        let trouble = Trouble::new(format!("`--stop {text}` has no comparison"));
        return Err(trouble.help("write --stop 'accuracy >= 0.93', with >=, <=, > or <"));
    };
    let Ok(value) = number.trim().parse::<f64>() else {
        let trouble =
            Trouble::new(format!("`--stop {text}` compares with `{}`, which is no number", number.trim()));
        return Err(trouble.help("write --stop 'accuracy >= 0.93'"));
    };
    Ok((named(name.trim(), model, "--stop")?, *larger, Goal { value, strict: *strict }))
}

/// Reads `NAME`, `max NAME` or `min NAME`: what it is, and whether larger is better where that is known.
fn watch(text: &str, model: &Model) -> Result<(Watched, Option<bool>), Trouble> {
    let text = text.trim();
    let (larger, name) = match text.split_once(' ') {
        Some(("max", name)) => (Some(true), name.trim()),
        Some(("min", name)) => (Some(false), name.trim()),
        _ => (None, text),
    };
    let watched = named(name, model, "--watch")?;
    let says = |words: &[&str]| words.iter().any(|word| name.to_lowercase().contains(word));
    let natural = match watched {
        Watched::Upper => Some(model.upper.maximize),
        Watched::Lower => Some(model.lower.as_ref().is_some_and(|lower| lower.maximize)),
        Watched::Measure => Some(false),
        Watched::Report(_) => match (says(&LARGE), says(&SMALL)) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            _ => None,
        },
    };
    Ok((watched, larger.or(natural)))
}

fn named(name: &str, model: &Model, flag: &str) -> Result<Watched, Trouble> {
    if let Some(at) = model.reports.iter().position(|report| report.name == name) {
        return Ok(Watched::Report(at));
    }
    match name {
        "upper_objective" => return Ok(Watched::Upper),
        "lower_objective" if model.lower.is_some() => return Ok(Watched::Lower),
        "measure" => return Ok(Watched::Measure),
        _ => {}
    }
    let fixed = Trace::FIXED[1..4].iter().map(|name| (*name).to_owned());
    let names: Vec<String> = model.reports.iter().map(|report| report.name.clone()).chain(fixed).collect();
    let trouble = Trouble::new(format!("`{flag}` names `{name}`, which the model does not report"));
    Err(match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => trouble.help(format!("did you mean `{near}`?")),
        None => trouble.help(format!("a run can be watched by {}", quoted_list(&names))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halt(larger: bool, goal: Option<Goal>, patience: Option<u64>) -> Halt {
        Halt { watched: Watched::Report(0), larger, goal, patience, best: None }
    }

    fn course(mut halt: Halt, values: &[f64]) -> Vec<(bool, Option<StopReason>)> {
        let look = |(iteration, value): (usize, &f64)| {
            let reports = [*value];
            let (upper_objective, lower_objective, measure) = (0.0, 0.0, 0.0);
            let judged = halt.judge(&Progress {
                iteration,
                steps: 9,
                calls: 0,
                upper_objective,
                lower_objective,
                measure,
                reports: &reports,
            });
            (judged.keep, judged.stop)
        };
        values.iter().enumerate().map(look).collect()
    }

    #[test]
    fn goals_are_reached_at_the_value_or_beyond() {
        let goal = |strict| Some(Goal { value: 0.5, strict });
        let found = course(halt(true, goal(false), None), &[0.1, f64::NAN, 0.5]);
        assert_eq!(found, [(true, None), (false, None), (true, Some(StopReason::Goal))]);
        assert_eq!(course(halt(false, goal(true), None), &[0.5, 0.4])[0].1, None);
        assert_eq!(course(halt(false, goal(true), None), &[0.5, 0.4])[1].1, Some(StopReason::Goal));
    }

    #[test]
    fn patience_counts_from_the_best() {
        let found = course(halt(false, None, Some(2)), &[3.0, 2.0, 2.0, 2.5]);
        let kept: Vec<bool> = found.iter().map(|(keep, _)| *keep).collect();
        assert_eq!(kept, [true, true, false, false]);
        assert_eq!(found[2].1, None);
        assert_eq!(found[3].1, Some(StopReason::Patience));
    }
}
