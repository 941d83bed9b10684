//! The course of one or several runs: a row of panels for each quantity, over iterations on the left, and on the right over time
//! or, where that is not known, over evaluations.

use super::axis::Axis;
use super::font;
use super::panel::{ABOVE, BELOW, Curve, LEFT, PANEL, Panel};
use super::scene::{Anchor, COLOURS, DASHES, INK, Scene, label, line};
use crate::output::comparison::Course;

const MARGIN: f32 = 24.0;
/// Reports that are drawn, at most.
const REPORTS: usize = 6;
/// Columns that are not reports.
const FIXED: [&str; 7] =
    ["iteration", "seconds", "upper_objective", "lower_objective", "measure", "evaluations", "epochs"];

/// The width of all pictures of runs.
pub const WIDTH: f32 = 2.0 * (LEFT + PANEL.0) + 3.0 * MARGIN;

/// A run with a name.
pub struct Run<'a> {
    /// What it is called.
    pub label: String,
    /// Its course.
    pub course: &'a Course,
}

/// What a row of panels shows of a run.
struct Row {
    column: String,
    title: String,
    log: bool,
    /// Whether it is the distance from the column's last value.
    distance: bool,
}

/// Draws the runs; `None` where no run has two rows.
pub fn courses(runs: &[Run<'_>]) -> Option<Scene> {
    if runs.iter().all(|run| run.course.rows.len() < 2) {
        return None;
    }
    let timed = runs.iter().all(|run| {
        run.course.column("seconds").is_some_and(|mut seconds| seconds.any(|value| value.is_finite()))
    });
    let right =
        if timed { ("seconds", "seconds") } else { ("evaluations", "evaluations of values and derivatives") };
    let mut scene = Scene { width: WIDTH, ..Scene::default() };
    let mut y = 4.0;
    if runs.len() > 1 {
        y = legend(&mut scene, runs);
    }
    for row in rows(runs) {
        for (at, (column, foot)) in [("iteration", "iterations"), right].into_iter().enumerate() {
            let x = MARGIN + LEFT + at as f32 * (LEFT + PANEL.0 + MARGIN);
            panel(&mut scene, (x, y + ABOVE), &row, (column, foot), runs);
        }
        y += ABOVE + PANEL.1 + BELOW + 8.0;
    }
    scene.height = y;
    Some(scene)
}

fn legend(scene: &mut Scene, runs: &[Run<'_>]) -> f32 {
    const SIZE: f32 = 12.0;
    let face = font::face();
    let (mut x, mut y) = (MARGIN, 22.0);
    for (k, run) in runs.iter().enumerate() {
        let wide = 34.0 + font::width(face.as_ref(), &run.label, SIZE) + 22.0;
        if x > MARGIN && x + wide > scene.width - MARGIN {
            (x, y) = (MARGIN, y + 20.0);
        }
        let (colour, dash) = style(k);
        scene.shapes.push(line(vec![(x, y - 4.0), (x + 26.0, y - 4.0)], colour, 2.0, dash));
        scene.shapes.push(label((x + 34.0, y), &run.label, SIZE, Anchor::Start, INK));
        x += wide;
    }
    y + 14.0
}

fn style(k: usize) -> (super::scene::Colour, super::scene::Dash) {
    (COLOURS[k % COLOURS.len()], DASHES[k / COLOURS.len() % DASHES.len()])
}

fn rows(runs: &[Run<'_>]) -> Vec<Row> {
    let has = |column: &str| {
        runs.iter().any(|run| run.course.column(column).is_some_and(|mut values| values.any(f64::is_finite)))
    };
    let row = |column: &str, title: &str, log: bool, distance: bool| Row {
        column: column.into(),
        title: title.into(),
        log,
        distance,
    };
    let mut rows = vec![
        row("upper_objective", "upper objective", false, false),
        row("upper_objective", "distance of the upper objective from its last value", true, true),
        row("lower_objective", "lower objective", false, false),
        row("measure", "the method's own measure of stationarity", true, false),
    ];
    let names = runs.iter().map(|run| &run.course.columns).max_by_key(|columns| columns.len());
    let reports = names.into_iter().flatten().filter(|name| !FIXED.contains(&name.as_str()));
    rows.extend(reports.take(REPORTS).map(|name| row(name, name, false, false)));
    rows.retain(|row| has(&row.column));
    rows
}

fn panel(scene: &mut Scene, at: (f32, f32), row: &Row, (column, foot): (&str, &str), runs: &[Run<'_>]) {
    let curves: Vec<Curve> = runs
        .iter()
        .enumerate()
        .map(|(k, run)| {
            let (colour, dash) = style(k);
            Curve { points: points(run.course, column, row), colour, dash, end: None }
        })
        .collect();
    let all = || curves.iter().flat_map(|curve| curve.points.iter());
    let values = all().map(|(_, value)| *value);
    let vertical = if row.log { Axis::fit_log(values) } else { Axis::fit(values) };
    let horizontal = Axis::fit_linear(all().map(|(place, _)| *place));
    Panel { title: &row.title, foot, horizontal, vertical, level: None }.draw(scene, at, &curves);
}

/// What of a run stands in a panel; on a logarithmic scale only what is positive.
fn points(course: &Course, column: &str, row: &Row) -> Vec<(f64, f64)> {
    let (Some(places), Some(values)) = (course.column(column), course.column(&row.column)) else {
        return Vec::new();
    };
    let last = values.clone().filter(|value| value.is_finite()).last().unwrap_or(0.0);
    let shown = values.map(|value| if row.distance { (value - last).abs() } else { value });
    places.zip(shown).filter(|(a, b)| a.is_finite() && b.is_finite() && (!row.log || *b > 0.0)).collect()
}
