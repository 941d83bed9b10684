//! The picture of a comparison: one row of panels for the upper objective, the method's own measure and each of the first
//! reports, over time on the left and over evaluations on the right. A filled mark at the end of a line is an answer that the
//! model allows, a ring one that it does not.

use ttf_parser::Face;

use super::axis::Axis;
use super::font;
use super::scene::{Anchor, Colour, Dash, Scene, Shape};
use crate::output::comparison::{Answer, Comparison, Entry};
use crate::output::human::number;

/// Reports that are drawn, at most.
const REPORTS: usize = 3;

const PANEL: (f32, f32) = (400.0, 190.0);
const MARGIN: f32 = 24.0;
/// Room for the numbers left of a panel, and between its title and its frame.
const LEFT: f32 = 62.0;
const ABOVE: f32 = 26.0;
const BELOW: f32 = 34.0;
const LEGEND_LINE: f32 = 20.0;

const INK: Colour = [34, 34, 34];
const FAINT: Colour = [110, 110, 110];
const GRID: Colour = [230, 230, 230];
const FRAME: Colour = [190, 190, 190];

/// Colours that people with any colour vision tell apart; further methods get them again with dashes.
const COLOURS: [Colour; 8] = [
    [0, 114, 178],
    [213, 94, 0],
    [0, 158, 115],
    [204, 121, 167],
    [230, 159, 0],
    [86, 180, 233],
    [120, 70, 160],
    [60, 60, 60],
];
const DASHES: [Dash; 3] = [&[], &[6.0, 4.0], &[1.5, 3.5]];

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
    (x, y): (f32, f32),
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
    let (w, h) = PANEL;
    let right = |value: f64| x + w * horizontal.place(value) as f32;
    let down = |value: f64| y + h * (1.0 - vertical.place(value) as f32);
    for (value, text) in vertical.ticks(5) {
        let at = down(value);
        scene.shapes.push(line(vec![(x, at), (x + w, at)], GRID, 1.0, &[]));
        scene.shapes.push(label((x - 8.0, at + 4.0), &text, 11.0, Anchor::End, FAINT));
    }
    for (value, text) in horizontal.ticks(6) {
        let at = right(value);
        scene.shapes.push(line(vec![(at, y), (at, y + h)], GRID, 1.0, &[]));
        scene.shapes.push(label((at, y + h + 16.0), &text, 11.0, Anchor::Middle, FAINT));
    }
    let frame = vec![(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)];
    scene.shapes.push(line(frame, FRAME, 1.0, &[]));
    let scale = |axis: &Axis| if axis.log { " (log scale)" } else { "" };
    let heading = format!("{}{}", row.title, scale(&vertical));
    scene.shapes.push(label((x, y - 8.0), &heading, 12.0, Anchor::Start, INK));
    let foot = format!("{axis_title}{}", scale(&horizontal));
    scene.shapes.push(label((x + w, y + h + 31.0), &foot, 11.0, Anchor::End, FAINT));
    if let Some(level) = row.level.map(down).filter(|at| (y..=y + h).contains(at)) {
        scene.shapes.push(line(vec![(x, level), (x + w, level)], FAINT, 1.0, &[2.0, 3.0]));
    }
    // The best is drawn last, over the others.
    for (one, points) in series.iter().zip(&courses).rev() {
        let points: Vec<(f32, f32)> = points.iter().map(|(a, b)| (right(*a), down(*b))).collect();
        for part in inside(&points, (x, y), (x + w, y + h)) {
            scene.shapes.push(line(part, one.colour, 2.0, one.dash));
        }
        let end = points.last().filter(|(a, b)| (x..=x + w).contains(a) && (y..=y + h).contains(b));
        scene.shapes.extend(end.map(|end| mark(*end, one)));
    }
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

/// The parts of a line inside of a rectangle.
fn inside(points: &[(f32, f32)], low: (f32, f32), high: (f32, f32)) -> Vec<Vec<(f32, f32)>> {
    let mut parts: Vec<Vec<(f32, f32)>> = Vec::new();
    for pair in points.windows(2) {
        let Some((from, to)) = clipped(pair[0], pair[1], low, high) else { continue };
        match parts.last_mut() {
            Some(part) if part.last() == Some(&from) => part.push(to),
            _ => parts.push(vec![from, to]),
        }
    }
    parts
}

/// The part of a segment inside of a rectangle (Liang and Barsky).
fn clipped(
    a: (f32, f32),
    b: (f32, f32),
    low: (f32, f32),
    high: (f32, f32),
) -> Option<((f32, f32), (f32, f32))> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let (mut from, mut to) = (0.0_f32, 1.0_f32);
    for (d, room) in [(-dx, a.0 - low.0), (dx, high.0 - a.0), (-dy, a.1 - low.1), (dy, high.1 - a.1)] {
        if d == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if d < 0.0 {
            from = from.max(room / d);
        } else {
            to = to.min(room / d);
        }
    }
    let at = |t: f32| match t {
        0.0 => a,
        1.0 => b,
        t => (a.0 + t * dx, a.1 + t * dy),
    };
    (from <= to && dx.is_finite() && dy.is_finite()).then(|| (at(from), at(to)))
}

fn mark(centre: (f32, f32), one: &Series<'_>) -> Shape {
    Shape::Disc { centre, radius: 3.5, colour: one.colour, filled: one.entry.rank.is_some() }
}

fn line(points: Vec<(f32, f32)>, colour: Colour, width: f32, dash: Dash) -> Shape {
    Shape::Line { points, colour, width, dash }
}

fn label(at: (f32, f32), text: &str, size: f32, anchor: Anchor, colour: Colour) -> Shape {
    Shape::Text { at, text: text.to_owned(), size, anchor, colour }
}
