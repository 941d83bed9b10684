//! Matrix products against plain loops in double precision, over layouts, sizes and levels.

use crate::common::{Number, Random};
use blo_kernels::{Level, gemm, gemm_at, gemm_tile};

/// A matrix inside a larger buffer: offset and strides.
#[derive(Clone, Copy, Debug)]
enum Layout {
    Rows,
    Columns,
    /// Row-major with a gap after each row.
    RowsOfLarger,
    /// Column-major with a gap after each column.
    ColumnsOfLarger,
    /// Every second element of both.
    Sparse,
}
const LAYOUTS: [Layout; 5] =
    [Layout::Rows, Layout::Columns, Layout::RowsOfLarger, Layout::ColumnsOfLarger, Layout::Sparse];

fn strides(layout: Layout, rows: usize, cols: usize) -> (usize, usize) {
    match layout {
        Layout::Rows => (cols, 1),
        Layout::Columns => (1, rows),
        Layout::RowsOfLarger => (cols + 3, 1),
        Layout::ColumnsOfLarger => (1, rows + 5),
        Layout::Sparse => (2 * cols + 1, 2),
    }
}

struct Matrix<T> {
    data: Vec<T>,
    row: usize,
    col: usize,
}

impl<T: Number> Matrix<T> {
    /// Random entries; everything outside the matrix, before and behind it too, is NaN.
    fn new(random: &mut Random, rows: usize, cols: usize, layout: Layout) -> Self {
        let (row, col) = strides(layout, rows, cols);
        let mut data = vec![T::of(f64::NAN); 1 + rows * row + cols * col + 1];
        for i in 0..rows {
            for j in 0..cols {
                data[1 + i * row + j * col] = T::of(random.uniform(-1.0, 1.0));
            }
        }
        Matrix { data, row, col }
    }
    fn at(&self, i: usize, j: usize) -> T {
        self.data[1 + i * self.row + j * self.col]
    }
    fn view(&self) -> (*const T, usize, usize) {
        (self.data[1..].as_ptr(), self.row, self.col)
    }
}

fn check<T: Number>(
    widen: fn(T) -> f64,
    level: Level,
    (m, n, k): (usize, usize, usize),
    layouts: [Layout; 3],
) {
    let mut random = Random((m * 1681 + n * 41 + k) as u64);
    let a = Matrix::<T>::new(&mut random, m, k, layouts[0]);
    let b = Matrix::<T>::new(&mut random, k, n, layouts[1]);
    for (alpha, accumulate) in [(1.0, false), (-1.5, true)] {
        let mut c = Matrix::<T>::new(&mut random, m, n, layouts[2]);
        let before: Vec<T> = c.data.clone();
        if !accumulate {
            c.data.fill(T::of(f64::NAN));
        }
        let to = (c.data[1..].as_mut_ptr(), c.row, c.col);
        // SAFETY: the strides are those of the buffers.
        unsafe { gemm_at(level, (m, n, k), to, a.view(), b.view(), T::of(alpha), accumulate, 1) };
        let mut inside = vec![false; c.data.len()];
        for i in 0..m {
            for j in 0..n {
                let place = 1 + i * c.row + j * c.col;
                inside[place] = true;
                let exact: f64 = (0..k).map(|p| widen(a.at(i, p)) * widen(b.at(p, j))).sum();
                let exact = alpha * exact + if accumulate { widen(before[place]) } else { 0.0 };
                let error = (widen(c.at(i, j)) - exact).abs();
                assert!(
                    error <= T::UNIT * 4.0 * (k as f64 + 1.0),
                    "{level:?} {m}x{n}x{k} {layouts:?}: {error:e}"
                );
            }
        }
        let spilled = (0..c.data.len()).any(|p| !inside[p] && !c.data[p].nan());
        assert!(!spilled, "{level:?} {m}x{n}x{k} {layouts:?} wrote outside C");
    }
}

fn check_both(level: Level, shape: (usize, usize, usize), layouts: [Layout; 3]) {
    check::<f64>(|x| x, level, shape, layouts);
    check::<f32>(f64::from, level, shape, layouts);
}

#[test]
fn all_layouts_agree_with_plain_loops() {
    let shapes = [
        (1, 7, 20),
        (9, 1, 33),
        (5, 10, 40),
        (40, 10, 5),
        (37, 3, 70),
        (4, 65, 33),
        (23, 29, 17),
        (0, 3, 2),
        (3, 2, 0),
    ];
    for level in Level::available() {
        for a in LAYOUTS {
            for b in LAYOUTS {
                for c in LAYOUTS {
                    for shape in shapes {
                        check_both(level, shape, [a, b, c]);
                    }
                }
            }
        }
    }
}

#[test]
fn all_sizes_around_register_widths_agree_with_plain_loops() {
    let sizes = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 40];
    let layouts = [[Layout::Rows; 3], [Layout::Columns, Layout::Rows, Layout::Rows]];
    for level in Level::available() {
        for m in sizes {
            for n in sizes {
                for k in sizes {
                    for layouts in layouts {
                        check_both(level, (m, n, k), layouts);
                    }
                }
            }
        }
    }
}

#[test]
fn every_thin_width_agrees_with_plain_loops() {
    for level in Level::available() {
        for n in 1..=17 {
            for (m, k) in [(67, 131), (131, 67), (64, 64)] {
                check_both(level, (m, n, k), [Layout::Rows; 3]);
                check_both(level, (m, n, k), [Layout::Columns, Layout::Rows, Layout::Rows]);
                check_both(level, (n, m, k), [Layout::Rows; 3]);
                check_both(level, (n, m, k), [Layout::Rows, Layout::Columns, Layout::Columns]);
            }
        }
    }
}

#[test]
fn model_shapes_agree_with_plain_loops() {
    for level in Level::available() {
        let scores = [Layout::Rows; 3];
        let gradient = [Layout::Columns, Layout::Rows, Layout::Rows];
        check_both(level, (500, 10, 784), scores);
        check_both(level, (784, 10, 500), gradient);
        check_both(level, (500, 1, 784), scores);
        check_both(level, (784, 1, 500), gradient);
    }
    check::<f64>(|x| x, Level::detect(), (5000, 10, 784), [Layout::Rows; 3]);
    check::<f64>(|x| x, Level::detect(), (784, 10, 5000), [Layout::Columns, Layout::Rows, Layout::Rows]);
}

#[test]
fn results_do_not_depend_on_alignment() {
    let mut random = Random(3);
    let (m, n, k) = (61, 10, 77);
    let a: Vec<f64> = (0..m * k).map(|_| random.uniform(-1.0, 1.0)).collect();
    let b: Vec<f64> = (0..k * n).map(|_| random.uniform(-1.0, 1.0)).collect();
    for (m, n, k) in [(m, n, k), (m, 1, k), (60, 17, 45)] {
        let mut results = Vec::new();
        for shift in 0..4 {
            let shifted = |x: &[f64]| [vec![0.0; shift], x.to_vec()].concat();
            let (a, b) = (shifted(&a), shifted(&b));
            let mut c = vec![0.0; m * n];
            let (pa, pb) = (a[shift..].as_ptr(), b[shift..].as_ptr());
            // SAFETY: row-major matrices of these shapes fit the buffers.
            unsafe { gemm(m, n, k, c.as_mut_ptr(), n, 1, pa, k, 1, pb, n, 1, 1.0, false, 1) };
            results.push(c);
        }
        assert!(results.iter().all(|c| c == &results[0]));
    }
}

#[test]
fn threads_give_a_correct_large_product() {
    let n = 200;
    let mut random = Random(5);
    let a: Vec<f64> = (0..n * n).map(|_| random.uniform(-1.0, 1.0)).collect();
    let mut c = vec![f64::NAN; n * n];
    // SAFETY: square row-major matrices of this size.
    unsafe { gemm(n, n, n, c.as_mut_ptr(), n, 1, a.as_ptr(), n, 1, a.as_ptr(), n, 1, 1.0, false, 2) };
    for i in 0..n {
        for j in 0..n {
            let exact: f64 = (0..n).map(|p| a[i * n + p] * a[p * n + j]).sum();
            assert!((c[i * n + j] - exact).abs() < 1e-12);
        }
    }
}

/// Scores and gradient of a matrix of samples, tile by tile, against the whole products.
fn check_tiles<T: Number>(widen: fn(T) -> f64, (n, d, k): (usize, usize, usize), tile: usize) {
    let mut random = Random((n * 31 + d * 7 + k) as u64);
    let mut numbers = |count| (0..count).map(|_| T::of(random.uniform(-1.0, 1.0))).collect::<Vec<T>>();
    let (x, w, r) = (numbers(n * d), numbers(d * k), numbers(n * k));
    let product = |a: &dyn Fn(usize) -> f64, count: usize| (0..count).map(a).sum::<f64>();
    let (one, alpha) = (T::of(1.0), T::of(0.5));
    // Both thin matrices row-major, then both by columns; with and without a fetch of the next tile.
    for ((wr, wc), (gr, gc)) in [((k, 1), (k, 1)), ((1, d), (1, d))] {
        for fetch in [false, true] {
            let (mut scores, mut g) = (vec![T::of(f64::NAN); n * k], vec![T::of(f64::NAN); d * k]);
            for i in (0..n).step_by(tile) {
                let rows = tile.min(n - i);
                let ahead = if fetch { n - i - rows } else { 0 };
                let (at, weights) = (x[i * d..].as_ptr(), (w.as_ptr(), wr, wc));
                let (to, residual) = (scores[i * k..].as_mut_ptr(), (r[i * k..].as_ptr(), k, 1));
                // SAFETY: the tile's rows are inside X, S and R; G and W have d x k numbers.
                unsafe {
                    gemm_tile((rows, k, d), (to, k, 1), (at, d, 1), weights, one, false, ahead);
                    gemm_tile(
                        (d, k, rows),
                        (g.as_mut_ptr(), gr, gc),
                        (at, 1, d),
                        residual,
                        alpha,
                        i > 0,
                        ahead,
                    );
                }
            }
            for (j, q) in (0..k).flat_map(|q| (0..n.max(d)).map(move |j| (j, q))) {
                if j < n {
                    let exact = product(&|p| widen(x[j * d + p]) * widen(w[p * wr + q * wc]), d);
                    let error = (widen(scores[j * k + q]) - exact).abs();
                    assert!(error <= T::UNIT * 4.0 * d as f64, "score {j} {q} of {n}x{d}x{k}: {error:e}");
                }
                if j < d {
                    let exact = 0.5 * product(&|p| widen(x[p * d + j]) * widen(r[p * k + q]), n);
                    let error = (widen(g[j * gr + q * gc]) - exact).abs();
                    assert!(error <= T::UNIT * 4.0 * n as f64, "gradient {j} {q} of {n}x{d}x{k}: {error:e}");
                }
            }
        }
    }
}

#[test]
fn tiles_of_rows_add_up_to_the_whole_products() {
    for (n, d, k) in [(200, 100, 10), (131, 785, 3), (70, 37, 20), (65, 130, 1), (40, 64, 16), (9, 40, 7)] {
        for tile in [1, 32, 37, 64] {
            check_tiles::<f64>(|x| x, (n, d, k), tile);
            check_tiles::<f32>(f64::from, (n, d, k), tile);
        }
    }
}
