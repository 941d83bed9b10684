//! Where the nodes of a drawing stand. Data stand on top, the levels side by side in the middle, reports at the bottom. Everything has a
//! row, below what it reads; an arrow over several rows has a joint in each row between. The rows of a level, and the rest of these rows beside
//! the levels, are cells. Within a cell nodes and joints are ordered by the mean place of their neighbours, which keeps crossings few
//! (Sugiyama, Tagawa and Toda, IEEE Trans. SMC 11, 1981).

use super::{Drawing, Kind, Node};
use crate::plot::font;

/// Heights of title and line, and their sizes.
pub const TITLE: f32 = 13.0;
/// The size of the letters of the other lines.
pub const TEXT: f32 = 11.0;
/// From one line to the next.
pub const STEP: f32 = 15.0;
/// Between text and border.
const PAD: f32 = 9.0;
/// Between neighbours.
const GAP: f32 = 18.0;
/// Between rows.
const ROW: f32 = 44.0;
/// Around the nodes of a frame.
const MARGIN: f32 = 18.0;
/// The widest row of data before it becomes two.
const WIDEST: f32 = 1000.0;
/// Passes of ordering and of moving.
const PASSES: usize = 12;

/// A rectangle: left, top, width, height.
pub type Box = [f32; 4];

/// Places of everything.
pub struct Placed {
    /// Width and height of the picture.
    pub size: (f32, f32),
    /// Of each node.
    pub nodes: Vec<Box>,
    /// Of each frame.
    pub frames: Vec<Box>,
    /// The points of each edge: where it leaves, top and bottom of each row it passes, where it arrives.
    pub edges: Vec<Vec<(f32, f32)>>,
}

/// A node, or a joint of an edge.
struct Piece {
    row: usize,
    /// The cell of its row.
    column: usize,
    width: f32,
    /// Its middle.
    x: f32,
    above: Vec<usize>,
    below: Vec<usize>,
}

/// Places everything.
pub fn place(drawing: &Drawing) -> Placed {
    let sizes: Vec<(f32, f32)> = drawing.nodes.iter().map(size).collect();
    let rows = rows(drawing, &sizes);
    let middle =
        drawing.nodes.iter().zip(&rows).filter(|(node, _)| node.frame.is_some()).map(|(_, row)| *row);
    let (first, last) = (middle.clone().min().unwrap_or(0), middle.max().unwrap_or(0));
    let columns = drawing.frames.len() + 1;
    let column = |node: &Node| node.frame.unwrap_or(columns - 1);
    let piece = |row, column, width| Piece { row, column, width, x: 0.0, above: vec![], below: vec![] };
    let mut pieces: Vec<Piece> =
        (0..sizes.len()).map(|k| piece(rows[k], column(&drawing.nodes[k]), sizes[k].0)).collect();
    let mut chains = Vec::new();
    for &(from, to) in &drawing.edges {
        let mut chain = vec![from];
        for row in rows[from] + 1..rows[to] {
            // Inside the levels' rows a joint stands in the level that the edge comes from or goes to.
            let level = drawing.nodes[to].frame.or(drawing.nodes[from].frame).unwrap_or(columns - 1);
            pieces.push(piece(row, if (first..=last).contains(&row) { level } else { columns - 1 }, 4.0));
            chain.push(pieces.len() - 1);
        }
        chain.push(to);
        for pair in chain.windows(2) {
            pieces[pair[0]].below.push(pair[1]);
            pieces[pair[1]].above.push(pair[0]);
        }
        chains.push(chain);
    }
    let mut cells = order(&mut pieces, columns);
    let spans = spread(&mut pieces, &mut cells, columns, (first, last));
    let tops = tops(&rows, &sizes, (first, last));
    let height = |row: usize| tops[row + 1] - tops[row];
    let right = pieces.iter().map(|p| p.x + 0.5 * p.width).fold(0.0, f32::max);
    let frame_right = spans.iter().flatten().map(|(_, right)| right + MARGIN).fold(0.0, f32::max);
    let nodes: Vec<Box> = (0..sizes.len())
        .map(|k| [pieces[k].x - 0.5 * sizes[k].0, tops[rows[k]], sizes[k].0, sizes[k].1])
        .collect();
    let bottom = |row: usize| nodes_bottom(&nodes, &rows, row).unwrap_or(tops[row]);
    let frames = (0..drawing.frames.len()).map(|f| {
        let (left, right) = spans[f].unwrap_or_default();
        let (top, bottom) = (tops[first] - MARGIN - STEP, bottom(last) + MARGIN);
        [left - MARGIN, top, right - left + 2.0 * MARGIN, bottom - top]
    });
    let edges = chains.iter().map(|chain| {
        let (from, to) = (chain[0], chain[chain.len() - 1]);
        let mut points = vec![(leave(&pieces, from, chain[1]), nodes[from][1] + nodes[from][3])];
        for joint in &chain[1..chain.len() - 1] {
            let piece = &pieces[*joint];
            points.extend([
                (piece.x, tops[piece.row]),
                (piece.x, bottom(piece.row).max(tops[piece.row] + 1.0)),
            ]);
        }
        points.push((arrive(&pieces, to, chain[chain.len() - 2]), nodes[to][1]));
        points
    });
    let (frames, edges) = (frames.collect(), edges.collect());
    let end = tops.len() - 1;
    let size = (right.max(frame_right) + MARGIN, tops[end - 1] + height(end - 1) + MARGIN);
    Placed { size, nodes, frames, edges }
}

fn nodes_bottom(nodes: &[Box], rows: &[usize], row: usize) -> Option<f32> {
    let here = nodes.iter().zip(rows).filter(|(_, r)| **r == row);
    here.map(|([_, top, _, height], _)| top + height).reduce(f32::max)
}

/// Where on the lower border of a piece the way to another begins: spread by the order of the ways.
fn leave(pieces: &[Piece], from: usize, to: usize) -> f32 {
    port(pieces, from, &pieces[from].below, to)
}

/// Where on the upper border of a piece the way from another ends.
fn arrive(pieces: &[Piece], to: usize, from: usize) -> f32 {
    port(pieces, to, &pieces[to].above, from)
}

fn port(pieces: &[Piece], at: usize, ways: &[usize], way: usize) -> f32 {
    let mut ways = ways.to_vec();
    ways.sort_by(|a, b| pieces[*a].x.total_cmp(&pieces[*b].x).then(a.cmp(b)));
    let place = ways.iter().position(|w| *w == way).unwrap_or(0) as f32 + 1.0;
    let share = place / (ways.len() as f32 + 1.0) - 0.5;
    pieces[at].x + 0.6 * share * pieces[at].width
}

/// Width and height of a node.
fn size(node: &Node) -> (f32, f32) {
    let face = font::face();
    let title = font::width(face.as_ref(), &node.title, TITLE) * 1.08;
    let lines = node.lines.iter().map(|line| font::width(face.as_ref(), line, TEXT));
    // The ends of ellipses and hexagons have no room for text.
    let ends = if matches!(node.kind, Kind::Variable | Kind::Constraint) { 14.0 } else { 0.0 };
    let width = lines.fold(title, f32::max) + 2.0 * (PAD + ends);
    (width.max(52.0), 2.0 * PAD + STEP * (1 + node.lines.len()) as f32)
}

/// The row of each node.
fn rows(drawing: &Drawing, sizes: &[(f32, f32)]) -> Vec<usize> {
    let count = drawing.nodes.len();
    // 0: before the levels; 1: in them; 2: behind them. Data that only reports read stand with the reports.
    let mut band: Vec<usize> = drawing
        .nodes
        .iter()
        .map(|node| match (node.frame, node.kind) {
            (Some(_), _) => 1,
            (None, Kind::Report) => 2,
            (None, _) => 0,
        })
        .collect();
    // Values outside of levels that read variables stand behind the levels.
    for _ in 0..count {
        for &(from, to) in &drawing.edges {
            if drawing.nodes[to].frame.is_none() && band[from] > 0 {
                band[to] = 2;
            }
        }
    }
    for _ in 0..count {
        for k in (0..count).filter(|&k| drawing.nodes[k].frame.is_none()) {
            let mut readers =
                drawing.edges.iter().filter(|(from, _)| *from == k).map(|(_, to)| band[*to]).peekable();
            if readers.peek().is_some() && readers.all(|band| band == 2) {
                band[k] = 2;
            }
        }
    }
    let mut row = vec![0; count];
    let mut begin = 0;
    for wanted in 0..3 {
        let members: Vec<usize> = (0..count).filter(|&k| band[k] == wanted).collect();
        let inner = |(from, to): &&(usize, usize)| band[*from] == wanted && band[*to] == wanted;
        let mut depth = vec![0usize; count];
        for _ in 0..members.len() {
            drawing
                .edges
                .iter()
                .filter(inner)
                .for_each(|&(from, to)| depth[to] = depth[to].max(depth[from] + 1));
        }
        let deepest = members.iter().map(|&k| depth[k]).max().unwrap_or(0);
        if wanted != 1 {
            // As late as what reads them allows, so that arrows are short.
            for &k in &members {
                let read = drawing.edges.iter().filter(inner).any(|(from, _)| *from == k);
                if !read {
                    depth[k] = deepest;
                }
            }
            for _ in 0..members.len() {
                for k in members.iter().copied().filter(|&k| drawing.nodes[k].kind != Kind::Report) {
                    let readers = drawing.edges.iter().filter(inner).filter(|(from, _)| *from == k);
                    if let Some(first) = readers.map(|(_, to)| depth[*to]).min() {
                        depth[k] = depth[k].max(first.saturating_sub(1));
                    }
                }
            }
        }
        // Rows that are too wide become several.
        let mut next = begin;
        for level in 0..=deepest {
            let mut width = 0.0;
            for &k in members.iter().filter(|&&k| depth[k] == level) {
                if wanted != 1 && width > 0.0 && width + sizes[k].0 > WIDEST {
                    next += 1;
                    width = 0.0;
                }
                width += sizes[k].0 + GAP;
                row[k] = next;
            }
            if width > 0.0 {
                next += 1;
            }
        }
        begin = next;
    }
    row
}

/// The order of the pieces in each cell, by row and column.
fn order(pieces: &mut [Piece], columns: usize) -> Vec<Vec<usize>> {
    let rows = pieces.iter().map(|p| p.row + 1).max().unwrap_or(1);
    let mut cells: Vec<Vec<usize>> = vec![Vec::new(); rows * columns];
    for (k, piece) in pieces.iter().enumerate() {
        cells[piece.row * columns + piece.column].push(k);
    }
    let number = |pieces: &mut [Piece], cells: &[Vec<usize>], row: usize| {
        let here = cells[row * columns..(row + 1) * columns].iter().flatten();
        let count = here.clone().count().max(1) as f32;
        for (at, &k) in here.enumerate() {
            pieces[k].x = (at as f32 + 0.5) / count;
        }
    };
    (0..rows).for_each(|row| number(pieces, &cells, row));
    for pass in 0..PASSES {
        let down = pass % 2 == 0;
        for step in 0..rows {
            let row = if down { step } else { rows - 1 - step };
            for column in 0..columns {
                let mean = |k: &usize| mean(pieces, if down { &pieces[*k].above } else { &pieces[*k].below });
                let cell = &mut cells[row * columns + column];
                let wish: Vec<(f32, usize)> =
                    cell.iter().map(|k| (mean(k).unwrap_or(pieces[*k].x), *k)).collect();
                let mut wish = wish;
                wish.sort_by(|a, b| a.0.total_cmp(&b.0));
                *cell = wish.into_iter().map(|(_, k)| k).collect();
            }
            number(pieces, &cells, row);
        }
    }
    cells
}

fn mean(pieces: &[Piece], of: &[usize]) -> Option<f32> {
    let sum: f32 = of.iter().map(|k| pieces[*k].x).sum();
    (!of.is_empty()).then(|| sum / of.len() as f32)
}

/// Places across; returns what each column covers in the rows of the levels.
fn spread(
    pieces: &mut [Piece],
    cells: &mut [Vec<usize>],
    columns: usize,
    (first, last): (usize, usize),
) -> Vec<Option<(f32, f32)>> {
    let width = |pieces: &[Piece], cell: &[usize]| {
        cell.iter().map(|k| pieces[*k].width).sum::<f32>() + GAP * cell.len().saturating_sub(1) as f32
    };
    let rows = cells.len() / columns;
    let mut spans = vec![None; columns];
    let mut left = 2.0 * MARGIN;
    for column in 0..columns {
        let widest = (first..=last.min(rows - 1)).map(|row| width(pieces, &cells[row * columns + column]));
        let mut widest = widest.fold(0.0, f32::max);
        if column + 1 < columns {
            widest = widest.max(90.0);
        }
        if widest > 0.0 {
            spans[column] = Some((left, left + widest));
            left += widest + 2.0 * MARGIN + GAP;
        }
    }
    let outer = (0..rows).filter(|row| !(first..=last).contains(row));
    let widest = outer.map(|row| width(pieces, &cells[row * columns + columns - 1])).fold(0.0, f32::max);
    let all = (2.0 * MARGIN, (left - 2.0 * MARGIN - GAP).max(2.0 * MARGIN + widest));
    // Levels stand in the middle of a wider row.
    let inner = spans.iter().flatten().map(|(_, right)| *right).fold(0.0, f32::max);
    let shift = 0.5 * (all.1 - inner).max(0.0);
    spans.iter_mut().flatten().for_each(|span| *span = (span.0 + shift, span.1 + shift));
    let room = |row: usize, column: usize| {
        if (first..=last).contains(&row) { spans[column].unwrap_or(all) } else { all }
    };
    for row in 0..rows {
        for column in 0..columns {
            let cell = &cells[row * columns + column];
            let (left, right) = room(row, column);
            let mut x = 0.5 * (left + right - width(pieces, cell));
            for &k in cell {
                pieces[k].x = x + 0.5 * pieces[k].width;
                x += pieces[k].width + GAP;
            }
        }
    }
    for pass in 0..PASSES {
        for step in 0..rows {
            let row = if pass % 2 == 0 { step } else { rows - 1 - step };
            for column in 0..columns {
                let wishes: Vec<f32> = cells[row * columns + column]
                    .iter()
                    .map(|k| {
                        let all: Vec<usize> =
                            pieces[*k].above.iter().chain(&pieces[*k].below).copied().collect();
                        mean(pieces, &all).unwrap_or(pieces[*k].x)
                    })
                    .collect();
                settle(pieces, &cells[row * columns + column], &wishes, room(row, column));
            }
        }
    }
    spans
}

/// Moves the pieces of a cell towards what they wish, in their order, apart from each other and inside the room.
fn settle(pieces: &mut [Piece], cell: &[usize], wishes: &[f32], (left, right): (f32, f32)) {
    let apart = |pieces: &[Piece], a: usize, b: usize| 0.5 * (pieces[a].width + pieces[b].width) + GAP;
    // The mean of the places pushed to the right and pushed to the left keeps order and distances.
    let n = cell.len();
    let (mut low, mut high) = (wishes.to_vec(), wishes.to_vec());
    for k in 0..n {
        low[k] = low[k].max(left + 0.5 * pieces[cell[k]].width);
        if k > 0 {
            low[k] = low[k].max(low[k - 1] + apart(pieces, cell[k - 1], cell[k]));
        }
    }
    for k in (0..n).rev() {
        high[k] = high[k].min(right - 0.5 * pieces[cell[k]].width);
        if k + 1 < n {
            high[k] = high[k].min(high[k + 1] - apart(pieces, cell[k], cell[k + 1]));
        }
    }
    let mut middle: Vec<f32> = low.iter().zip(&high).map(|(a, b)| 0.5 * (a + b)).collect();
    // The pushing may have left the room on either side; what the room allows comes last.
    for k in 0..n {
        let mut least = left + 0.5 * pieces[cell[k]].width;
        if k > 0 {
            least = middle[k - 1] + apart(pieces, cell[k - 1], cell[k]);
        }
        middle[k] = middle[k].max(least);
    }
    for k in (0..n).rev() {
        let mut most = right - 0.5 * pieces[cell[k]].width;
        if k + 1 < n {
            most = middle[k + 1] - apart(pieces, cell[k], cell[k + 1]);
        }
        middle[k] = middle[k].min(most);
    }
    cell.iter().zip(middle).for_each(|(k, x)| pieces[*k].x = x);
}

/// The upper ends of the rows, and behind the last the lower end of it.
fn tops(rows: &[usize], sizes: &[(f32, f32)], (first, last): (usize, usize)) -> Vec<f32> {
    let count = rows.iter().map(|row| row + 1).max().unwrap_or(1);
    let mut tops = Vec::with_capacity(count + 1);
    let mut top = MARGIN;
    for row in 0..count {
        if row == first {
            top += MARGIN + STEP;
        }
        tops.push(top);
        let highest =
            rows.iter().zip(sizes).filter(|(r, _)| **r == row).map(|(_, s)| s.1).fold(0.0, f32::max);
        top += highest + if row + 1 < count { ROW } else { 0.0 };
        if row == last {
            top += MARGIN;
        }
    }
    tops.push(top);
    tops
}
