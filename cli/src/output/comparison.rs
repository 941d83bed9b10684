//! Several methods on one model: the table for people, the same as CSV and JSON, and the course of every run.

use std::fmt::Write as _;

use blo_runtime::monitor::Trace;
use serde_json::{Value, json};

use super::human::number;
use super::json::{number as json_number, result as json_result, starts as json_starts};
use super::{Lower, RunResult};
use crate::starts::Start;

/// What each run may spend.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Seconds.
    pub seconds: Option<f64>,
    /// Iterations.
    pub steps: Option<u64>,
}

/// All methods that took part.
pub struct Comparison {
    /// The model's file.
    pub model: String,
    /// The seed.
    pub seed: u64,
    /// Runs per method.
    pub starts: u64,
    /// What each run may spend.
    pub budget: Budget,
    /// Whether the upper level maximises.
    pub maximize: bool,
    /// The methods, in the order they were named.
    pub entries: Vec<Entry>,
}

/// One method.
pub struct Entry {
    /// The method as written.
    pub label: String,
    /// Its place; `None` for an answer that the model does not allow.
    pub rank: Option<usize>,
    /// Why it has this place.
    pub reason: String,
    /// What it found; `Err` with the reason when it does not run on this model.
    pub outcome: Result<Box<Answer>, String>,
}

/// What a method found.
pub struct Answer {
    /// The result in full.
    pub result: RunResult,
    /// What the model does not allow about the point.
    pub misfit: Option<String>,
    /// The upper objective where the lower level has been solved again.
    pub checked: f64,
    /// Evaluations by the method, without the check's and without reports.
    pub evaluations: u64,
    /// Seconds of the method, without the check.
    pub seconds: f64,
    /// The start it began at.
    pub number: usize,
    /// Every start.
    pub starts: Vec<Start>,
    /// The way there.
    pub course: Course,
}

/// The trace of a run with the time of each row.
pub struct Course {
    /// The names of the columns: those of the trace, and `seconds` after `iteration`.
    pub columns: Vec<String>,
    /// The rows, each with one value per column.
    pub rows: Vec<Vec<f64>>,
}

impl Course {
    /// Joins a trace with the times of its iterations.
    pub fn new(trace: &Trace, times: &[(usize, f64)]) -> Self {
        let mut columns: Vec<String> = trace.columns().to_vec();
        columns.insert(1.min(columns.len()), "seconds".into());
        let time = |iteration: f64| {
            let at = times.partition_point(|(k, _)| (*k as f64) < iteration);
            times.get(at).filter(|(k, _)| *k as f64 == iteration).map_or(f64::NAN, |(_, seconds)| *seconds)
        };
        let rows = trace.rows().map(|row| {
            let mut row = row.to_vec();
            row.insert(1, time(row[0]));
            row
        });
        Course { rows: rows.collect(), columns }
    }

    /// The values of a column.
    pub fn column(&self, name: &str) -> Option<impl Iterator<Item = f64> + Clone> {
        let at = self.columns.iter().position(|column| column == name)?;
        Some(self.rows.iter().map(move |row| row[at]))
    }
}

/// A column of the table: its title, and the value of an answer.
struct Column {
    title: String,
    value: Box<dyn Fn(&Answer) -> f64>,
}

impl Comparison {
    /// The entries by rank, those without one last: by what their upper variables come to once the lower level is solved again.
    pub fn ranked(&self) -> Vec<&Entry> {
        let mut entries: Vec<&Entry> = self.entries.iter().collect();
        let rank = |entry: &Entry| (entry.rank.unwrap_or(usize::MAX), entry.outcome.is_err());
        let sign = if self.maximize { -1.0 } else { 1.0 };
        let worth = |entry: &Entry| entry.outcome.as_ref().map_or(f64::NAN, |answer| sign * answer.checked);
        // A NaN comes after every number.
        let key = |v: f64| if v.is_nan() { f64::NAN } else { v };
        entries.sort_by(|a, b| rank(a).cmp(&rank(b)).then(key(worth(a)).total_cmp(&key(worth(b)))));
        entries
    }

    /// Where no point is allowed: the method whose upper variables come to most once the lower level is solved again.
    fn consolation(&self) -> Option<(&Entry, &Answer)> {
        let first = *self.ranked().first()?;
        let answer = first.outcome.as_deref().ok().filter(|answer| answer.checked.is_finite())?;
        (first.rank.is_none() && answer.result.lower.is_some()).then_some((first, answer))
    }

    fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.entries.iter().filter_map(|entry| entry.outcome.as_deref().ok())
    }

    /// The columns with numbers that some answer has.
    fn columns(&self) -> Vec<Column> {
        let lower = |pick: fn(Lower) -> f64| move |a: &Answer| a.result.lower.map_or(f64::NAN, pick);
        let mut columns: Vec<Column> = Vec::new();
        let mut add = |title: &str, value: Box<dyn Fn(&Answer) -> f64>| {
            columns.push(Column { title: title.to_owned(), value });
        };
        add("upper objective", Box::new(|a| a.result.upper_objective));
        add("solved again", Box::new(|a| a.checked));
        add("lower objective", Box::new(lower(|l| l.objective)));
        add("lower gap", Box::new(lower(|l| l.gap)));
        add("own gap", Box::new(lower(|l| l.gap_left.unwrap_or(f64::NAN))));
        add("hypergradient norm", Box::new(|a| a.result.hypergradient_norm));
        add("violation", Box::new(|a| a.result.violation.unwrap_or(f64::NAN)));
        for at in 0..self.answers().map(|a| a.result.reports.len()).max().unwrap_or(0) {
            let name = self.answers().find_map(|a| a.result.reports.get(at)).map(|(name, _)| name.clone());
            let value = move |a: &Answer| a.result.reports.get(at).map_or(f64::NAN, |(_, value)| *value);
            add(&name.unwrap_or_default(), Box::new(value));
        }
        add("iterations", Box::new(|a| a.result.iterations as f64));
        add("evaluations", Box::new(|a| a.evaluations as f64));
        add("seconds", Box::new(|a| a.seconds));
        if self.starts > 1 {
            add("median", Box::new(|a| median(&a.starts)));
        }
        columns
    }

    /// The table, and for each method its place with the reason and what its point is worth.
    pub fn text(&self) -> String {
        let mut out = self.title();
        let answered = self.answers().count();
        if answered > 0 {
            out.push('\n');
            self.table(&mut out);
        }
        for entry in self.ranked() {
            let place = entry.rank.map_or_else(|| "–".to_owned(), |rank| rank.to_string());
            let Entry { label, reason, .. } = entry;
            let _ = writeln!(out, "\n{place:>2}  {label}: {reason}");
            if let Ok(answer) = &entry.outcome {
                let _ = writeln!(out, "    {}", answer.result.verdict);
                if let Some(because) = &answer.result.because {
                    let _ = writeln!(out, "    {} was chosen because {because}", answer.result.method);
                }
            }
        }
        if let Some((entry, answer)) = self.consolation() {
            let _ = writeln!(
                out,
                "\nno method ended at a point that the model allows; with the lower level solved again, the upper variables of \
                 {} come to the best upper objective, {}",
                entry.label,
                number(answer.checked)
            );
        }
        out
    }

    fn title(&self) -> String {
        let plural = |n: u64, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        let mut budget: Vec<String> = Vec::new();
        budget.extend(self.budget.seconds.map(|seconds| format!("{} s", number(seconds))));
        budget.extend(self.budget.steps.map(|steps| plural(steps, "step")));
        if self.starts > 1 {
            budget.push(plural(self.starts, "start"));
        }
        budget.push(format!("seed {}", self.seed));
        let methods = plural(self.entries.len() as u64, "method");
        format!("{}: {methods}, {}\n", self.model, budget.join(", "))
    }

    fn table(&self, out: &mut String) {
        let has = |column: &Column| self.answers().any(|a| !(column.value)(a).is_nan());
        let mut columns: Vec<Column> = self.columns().into_iter().filter(has).collect();
        // Of interest only where solving the lower level again changes what is printed.
        let moved = self.answers().any(|a| number(a.checked) != number(a.result.upper_objective));
        columns
            .retain(|column| column.title != "lower objective" && (moved || column.title != "solved again"));
        let mut titles: Vec<String> = vec![String::new(), "method".into()];
        titles.extend(columns.iter().map(|column| column.title.clone()));
        titles.extend((self.starts > 1).then(|| "allowed".to_owned()));
        titles.extend(["stopped".to_owned(), "point".to_owned()]);
        let mut rows: Vec<Vec<String>> = vec![titles];
        for entry in self.ranked() {
            let Ok(answer) = &entry.outcome else { continue };
            let mut row = vec![entry.rank.map_or_else(|| "–".to_owned(), |rank| rank.to_string())];
            row.push(entry.label.clone());
            row.extend(columns.iter().map(|column| cell(column, answer)));
            let allowed = answer.starts.iter().filter(|start| start.feasible).count();
            row.extend((self.starts > 1).then(|| format!("{allowed}/{}", answer.starts.len())));
            row.extend([answer.result.termination.clone(), answer.result.status.clone()]);
            rows.push(row);
        }
        align(out, &rows, columns.len() + usize::from(self.starts > 1));
    }

    /// One row per method, with a line of titles. What is not defined is empty.
    pub fn csv(&self) -> String {
        let columns = self.columns();
        let mut table = csv::Writer::from_writer(Vec::new());
        let titles = columns.iter().map(|column| match column.title.as_str() {
            "solved again" => "upper_objective_solved_again".to_owned(),
            title => title.replace(' ', "_"),
        });
        let head = ["rank", "method"].map(str::to_owned).into_iter().chain(titles);
        let tail = ["start", "allowed", "starts", "termination", "status", "reason"].map(str::to_owned);
        // Writing to memory does not fail.
        let _ = table.write_record(head.chain(tail));
        for entry in &self.entries {
            let rank = entry.rank.map_or_else(String::new, |rank| rank.to_string());
            let mut row = vec![rank, entry.label.clone()];
            match &entry.outcome {
                Ok(answer) => {
                    row.extend(columns.iter().map(|column| plain((column.value)(answer))));
                    let allowed = answer.starts.iter().filter(|start| start.feasible).count();
                    row.extend([answer.number, allowed, answer.starts.len()].map(|n| n.to_string()));
                    row.extend([answer.result.termination.clone(), answer.result.status.clone()]);
                }
                Err(_) => {
                    row.extend(vec![String::new(); columns.len() + 3]);
                    row.extend(["refused".to_owned(), String::new()]);
                }
            }
            row.push(entry.reason.clone());
            let _ = table.write_record(row);
        }
        text_of(table)
    }

    /// The course of every method, one row per traced iteration.
    pub fn trace_csv(&self) -> String {
        let mut table = csv::Writer::from_writer(Vec::new());
        let columns = self.answers().map(|a| &a.course.columns).max_by_key(|columns| columns.len());
        let columns = columns.cloned().unwrap_or_default();
        let _ = table.write_record(["method", "start"].map(str::to_owned).into_iter().chain(columns));
        for entry in &self.entries {
            let Ok(answer) = &entry.outcome else { continue };
            for row in &answer.course.rows {
                let head = [entry.label.clone(), answer.number.to_string()].into_iter();
                let _ = table.write_record(head.chain(row.iter().map(|value| plain(*value))));
            }
        }
        text_of(table)
    }

    /// Everything.
    pub fn json(&self) -> Value {
        let entry = |entry: &Entry| {
            let mut value =
                json!({ "method": entry.label, "rank": entry.rank, "reason": entry.reason, "refused": null });
            match &entry.outcome {
                Ok(answer) => {
                    let rows =
                        answer.course.rows.iter().map(|row| row.iter().map(|v| json_number(*v)).collect());
                    value["upper_objective_solved_again"] = json_number(answer.checked);
                    value["evaluations"] = json!(answer.evaluations);
                    value["seconds"] = json_number(answer.seconds);
                    value["start"] = json!(answer.number);
                    value["starts"] = json_starts(&answer.starts);
                    value["result"] = json_result(&answer.result);
                    value["trace"] =
                        json!({ "columns": answer.course.columns, "rows": rows.collect::<Vec<Value>>() });
                }
                Err(reason) => value["refused"] = json!(reason),
            }
            value
        };
        let best = self.entries.iter().find(|entry| entry.rank == Some(1));
        json!({
            "model": self.model,
            "best": best.map(|entry| &entry.label),
            "best_solved_again": self.consolation().map(|(entry, _)| &entry.label),
            "maximize": self.maximize,
            "budget": { "seconds": self.budget.seconds, "steps": self.budget.steps },
            "starts": self.starts,
            "methods": self.entries.iter().map(entry).collect::<Vec<Value>>(),
            "seed": self.seed,
            "version": env!("CARGO_PKG_VERSION"),
        })
    }
}

fn cell(column: &Column, answer: &Answer) -> String {
    let value = (column.value)(answer);
    match column.title.as_str() {
        "seconds" => format!("{value:.3}"),
        "lower gap" | "own gap" | "hypergradient norm" | "violation" if value.is_finite() && value != 0.0 => {
            format!("{value:.1e}")
        }
        _ if value.is_nan() => "–".to_owned(),
        _ => number(value),
    }
}

/// Writes rows with the first two and the last two columns to the left and `numbers` columns between them to the right.
fn align(out: &mut String, rows: &[Vec<String>], numbers: usize) {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (column, (text, width)) in row.iter().zip(&widths).enumerate() {
            let gap = " ".repeat(width - text.chars().count());
            let right = (2..2 + numbers).contains(&column) || column == 0;
            let cell = if right { format!("{gap}{text}") } else { format!("{text}{gap}") };
            line.push_str("  ");
            line.push_str(&cell);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// The middle of the upper objectives of all starts that ended at an allowed point.
fn median(starts: &[Start]) -> f64 {
    let mut values: Vec<f64> = starts.iter().filter(|s| s.feasible).map(|s| s.objective).collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => 0.5 * (values[n / 2 - 1] + values[n / 2]),
    }
}

/// A number in full; nothing where it is not defined.
fn plain(value: f64) -> String {
    if value.is_nan() { String::new() } else { value.to_string() }
}

fn text_of(table: csv::Writer<Vec<u8>>) -> String {
    let bytes = table.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
