//! The picture of a comparison: one row of panels for the upper objective, the method's own measure and each of the first
//! reports, over time on the left and over evaluations on the right. A filled mark at the end of a line is an answer that the
//! model allows, a ring one that it does not.

use ttf_parser::Face;

use super::axis::Axis;
use super::font;
use super::panel::{ABOVE, BELOW, Curve, LEFT, PANEL, Panel};
use super::scene::{Anchor, COLOURS, Colour, DASHES, Dash, INK, Scene, Shape, label, line};
use crate::output::comparison::{Answer, Comparison, Entry};
use crate::output::human::number;

/// Reports that are drawn, at most.
const REPORTS: usize = 3;

const MARGIN: f32 = 24.0;
const LEGEND_LINE: f32 = 20.0;

/// A line of the figure.
struct Series<'a> {
    entry: &'a Entry,
    answer: &'a Answer,
    colour: Colour,
    dash: Dash,
}

impl Series<'_> {
    /// Whether its answer is allowed and no worse than its start.
    fn came_to_something(&self, maximize: bool) -> bool {
        let sign = if maximize { -1.0 } else { 1.0 };
        let mut course = self.answer.course.column("upper_objective").into_iter().flatten();
        let first = course.next();
        self.entry.rank.is_some() && first.is_none_or(|first| sign * self.answer.checked <= sign * first)
    }
}

/// What a row of panels shows.
struct Row {
    column: String,
    title: String,
    is_objective: bool,
    /// Whether it is shown in powers of ten whatever its range.
    log: bool,
    /// A value to compare with.
    level: Option<f64>,
}

/// Draws the comparison.
pub fn figure(comparison: &Comparison) -> Scene {
    let face = font::face();
    let series = series(comparison);
    let rows = rows(comparison, &series);
    let columns = [("seconds", "seconds"), ("evaluations", "evaluations of values and derivatives")];
    let width = 2.0 * (LEFT + PANEL.0) + 3.0 * MARGIN;
    let mut scene = Scene { width, ..Scene::default() };
    let mut y = MARGIN + 14.0;
    scene.shapes.push(label((MARGIN, y), &title(comparison), 15.0, Anchor::Start, INK));
    y = legend(&mut scene, &series, face.as_ref(), y + 26.0);
    for row in &rows {
        for (at, (column, axis_title)) in columns.iter().enumerate() {
            let x = MARGIN + LEFT + at as f32 * (LEFT + PANEL.0 + MARGIN);
            let axis = (*column, *axis_title);
            panel(&mut scene, (x, y + ABOVE), row, axis, &series, comparison.maximize);
        }
        y += ABOVE + PANEL.1 + BELOW;
    }
    scene.height = y + MARGIN;
    scene
}

fn series(comparison: &Comparison) -> Vec<Series<'_>> {
    let solved = comparison.ranked().into_iter().filter_map(|entry| {
        let answer = entry.outcome.as_deref().ok()?;
        Some((entry, answer))
    });
    let solved: Vec<(&Entry, &Answer)> = solved.collect();
    let with_style = solved.into_iter().enumerate().map(|(k, (entry, answer))| Series {
        entry,
        answer,
        colour: COLOURS[k % COLOURS.len()],
        dash: DASHES[k / COLOURS.len() % DASHES.len()],
    });
    with_style.collect()
}

fn rows(comparison: &Comparison, series: &[Series<'_>]) -> Vec<Row> {
    let best = series.iter().find(|s| s.entry.rank == Some(1)).map(|s| s.answer.checked);
    let mut rows = vec![
        Row {
            column: "upper_objective".into(),
            title: "upper objective".into(),
            is_objective: true,
            log: false,
            level: best,
        },
        Row {
            column: "measure".into(),
            title: "the method's own measure of stationarity".into(),
            is_objective: false,
            log: true,
            level: None,
        },
    ];
    let reports = comparison.entries.iter().filter_map(|entry| entry.outcome.as_ref().ok());
    let reports = reports.map(|answer| &answer.result.reports).max_by_key(|reports| reports.len());
    for (name, _) in reports.into_iter().flatten().take(REPORTS) {
        let (column, title) = (name.clone(), name.clone());
        rows.push(Row { column, title, is_objective: false, log: false, level: None });
    }
    rows
}

fn title(comparison: &Comparison) -> String {
    let mut parts = Vec::new();
    parts.extend(comparison.budget.seconds.map(|s| format!("{} s for each run", number(s))));
    parts.extend(comparison.budget.steps.map(|n| format!("{n} steps")));
    parts.extend((comparison.starts > 1).then(|| format!("the best of {} starts", comparison.starts)));
    let details = if parts.is_empty() { String::new() } else { format!(" – {}", parts.join(", ")) };
    format!("{}{details}", comparison.model)
}

/// The names of the series, in lines as wide as the figure; returns where the figure goes on.
fn legend(scene: &mut Scene, series: &[Series<'_>], face: Option<&Face<'_>>, top: f32) -> f32 {
    const SIZE: f32 = 12.0;
    let (mut x, mut y) = (MARGIN, top);
    for one in series {
        let text = match one.entry.rank {
            Some(rank) => format!("{rank}  {}", one.entry.label),
            None => format!("{} (not allowed)", one.entry.label),
        };
        let wide = 34.0 + font::width(face, &text, SIZE) + 22.0;
        if x > MARGIN && x + wide > scene.width - MARGIN {
            (x, y) = (MARGIN, y + LEGEND_LINE);
        }
        let middle = y - 0.35 * SIZE;
        scene.shapes.push(line(vec![(x, middle), (x + 26.0, middle)], one.colour, 2.0, one.dash));
        scene.shapes.push(mark((x + 26.0, middle), one));
        scene.shapes.push(label((x + 36.0, y), &text, SIZE, Anchor::Start, INK));
        x += wide;
    }
    y + 14.0
}

fn panel(
    scene: &mut Scene,
    at: (f32, f32),
    row: &Row,
    (column, axis_title): (&str, &str),
    series: &[Series<'_>],
    maximize: bool,
) {
    let courses: Vec<Vec<(f64, f64)>> =
        series.iter().map(|s| course(s.answer, column, &row.column)).collect();
    let places = series.iter().flat_map(|s| s.answer.course.column(column).into_iter().flatten());
    let horizontal = Axis::fit(places.filter(|x| *x > 0.0));
    let shown = shown(&courses, series, row, maximize);
    let vertical =
        if row.log { Axis::fit_log(shown.iter().copied()) } else { Axis::fit(shown.iter().copied()) };
    let curves = series.iter().zip(courses).map(|(one, points)| Curve {
        points,
        colour: one.colour,
        dash: one.dash,
        end: Some(one.entry.rank.is_some()),
    });
    let panel = Panel { title: &row.title, foot: axis_title, horizontal, vertical, level: row.level };
    panel.draw(scene, at, &curves.collect::<Vec<_>>());
}

/// The finite points of a run.
fn course(answer: &Answer, column: &str, value: &str) -> Vec<(f64, f64)> {
    match (answer.course.column(column), answer.course.column(value)) {
        (Some(a), Some(b)) => a.zip(b).filter(|(a, b)| a.is_finite() && b.is_finite() && *a > 0.0).collect(),
        _ => Vec::new(),
    }
}

/// The values that a panel must show: where runs began, where those ended that came to something, and what lies between the
/// quartiles of all, widened by one and a half times their distance. What a run that went astray passed through would leave
/// no room for the others.
fn shown(courses: &[Vec<(f64, f64)>], series: &[Series<'_>], row: &Row, maximize: bool) -> Vec<f64> {
    let mut all: Vec<f64> = courses.iter().flatten().map(|(_, value)| *value).collect();
    if row.log {
        return all;
    }
    all.sort_by(f64::total_cmp);
    let ends = courses.iter().zip(series).filter(|(_, one)| one.came_to_something(maximize));
    let mut shown: Vec<f64> = ends.filter_map(|(points, _)| points.last()).map(|(_, value)| *value).collect();
    let starts: Vec<f64> = courses.iter().filter_map(|points| points.first()).map(|(_, v)| *v).collect();
    shown.extend(row.level);
    shown.extend(&starts);
    if let Some(last) = all.len().checked_sub(1) {
        let (low, high) = (all[last / 4], all[last - last / 4]);
        let (low, high) = (low - 1.5 * (high - low), high + 1.5 * (high - low));
        // An objective worse than at the start is of no interest.
        let worst =
            |pick: fn(f64, f64) -> f64| starts.iter().copied().reduce(pick).filter(|_| row.is_objective);
        let low = if maximize { worst(f64::min).map_or(low, |start| low.max(start)) } else { low };
        let high = if maximize { high } else { worst(f64::max).map_or(high, |start| high.min(start)) };
        shown.extend(all.iter().filter(|v| (low..=high).contains(*v)));
    }
    shown
}

fn mark(centre: (f32, f32), one: &Series<'_>) -> Shape {
    Shape::Disc { centre, radius: 3.5, colour: one.colour, filled: one.entry.rank.is_some() }
}
