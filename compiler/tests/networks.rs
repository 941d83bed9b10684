//! Convolution and pooling against loops written out: values, gradients and second-order products of compiled models, over
//! stride, padding, dilation and groups; and the array form against the comprehension.

#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod memory;

use blo_compiler::compile;
use blo_compiler::model::Model;
use blo_compiler::ops;
use blo_runtime::derivatives::{Derivatives, Quantity};
use blo_runtime::problem::Problem;
use memory::Memory;

/// Sizes of a convolution.
#[derive(Clone, Copy, Debug)]
struct Case {
    batch: usize,
    channels: usize,
    image: [usize; 2],
    out: usize,
    kernel: [usize; 2],
    stride: usize,
    padding: usize,
    dilation: usize,
    groups: usize,
}

const PLAIN: Case = Case {
    batch: 2,
    channels: 2,
    image: [5, 6],
    out: 4,
    kernel: [3, 2],
    stride: 1,
    padding: 0,
    dilation: 1,
    groups: 1,
};

const CASES: &[Case] = &[
    PLAIN,
    Case { batch: 1, channels: 1, out: 1, ..PLAIN },
    Case { stride: 2, padding: 1, ..PLAIN },
    Case { dilation: 2, padding: 2, ..PLAIN },
    Case { groups: 2, padding: 1, ..PLAIN },
    Case { channels: 4, groups: 4, kernel: [3, 3], padding: 1, ..PLAIN },
    Case { kernel: [1, 1], ..PLAIN },
    Case { kernel: [1, 1], groups: 2, stride: 2, ..PLAIN },
    Case { channels: 6, groups: 2, stride: 3, padding: 2, dilation: 2, ..PLAIN },
];

impl Case {
    fn size(&self, k: usize) -> usize {
        (self.image[k] + 2 * self.padding - (self.kernel[k] - 1) * self.dilation - 1) / self.stride + 1
    }

    fn image_len(&self) -> usize {
        self.batch * self.channels * self.image[0] * self.image[1]
    }

    fn kernel_len(&self) -> usize {
        self.out * self.channels / self.groups * self.kernel[0] * self.kernel[1]
    }

    /// One element of the result, by the definition.
    fn element(&self, x: &[f64], w: &[f64], [b, o, row, column]: [usize; 4]) -> f64 {
        let each = self.channels / self.groups;
        let group = o / (self.out / self.groups);
        let mut sum = 0.0;
        for c in 0..each {
            for i in 0..self.kernel[0] {
                for j in 0..self.kernel[1] {
                    let at =
                        [row * self.stride + i * self.dilation, column * self.stride + j * self.dilation];
                    let inside =
                        (0..2).all(|k| at[k] >= self.padding && at[k] < self.image[k] + self.padding);
                    if inside {
                        let pixel = (b * self.channels + group * each + c) * self.image[0];
                        let pixel = (pixel + at[0] - self.padding) * self.image[1] + at[1] - self.padding;
                        sum += x[pixel] * w[((o * each + c) * self.kernel[0] + i) * self.kernel[1] + j];
                    }
                }
            }
        }
        sum
    }

    fn convolution(&self, x: &[f64], w: &[f64]) -> Vec<f64> {
        let mut all = Vec::new();
        for b in 0..self.batch {
            for o in 0..self.out {
                for row in 0..self.size(0) {
                    for column in 0..self.size(1) {
                        all.push(self.element(x, w, [b, o, row, column]));
                    }
                }
            }
        }
        all
    }

    /// The lower objective of [`Case::text`].
    fn objective(&self, x: &[f64], w: &[f64]) -> f64 {
        self.convolution(x, w).iter().enumerate().map(|(k, v)| v.sin() * (k as f64).cos()).sum()
    }

    fn text(&self) -> String {
        let Case { batch, channels, image, out, kernel, stride, padding, dilation, groups } = self;
        let each = channels / groups;
        let ([h, w], [kh, kw]) = (image, kernel);
        let total = batch * out * self.size(0) * self.size(1);
        format!(
            "let T = [cos(1.0 * i) for i in {total}]
upper {{ var x: real[{batch}, {channels}, {h}, {w}] = 0
  minimize sumsq(x) + sumsq(k) }}
lower {{ var k: real[{out}, {each}, {kh}, {kw}] = 0
  minimize sum(T * flatten(sin(conv2d(x, k, {stride}, {padding}, {dilation}, {groups})))) }}"
        )
    }
}

/// Numbers without a pattern between -1 and 1.
fn numbers(len: usize, seed: f64) -> Vec<f64> {
    (0..len).map(|k| ((k as f64 + seed) * 12.9898).sin()).collect()
}

fn close(found: f64, wanted: f64, tolerance: f64, what: &str) {
    assert!((found - wanted).abs() <= tolerance * wanted.abs().max(1.0), "{what}: {found} is not {wanted}");
}

fn model(text: &str) -> Model {
    memory::model(text, Memory::default())
}

fn problem(text: &str) -> Problem {
    let needs = [Quantity::LowerValue, Quantity::LowerGradients, Quantity::LowerSecondOrder];
    compile(&mut model(text), &needs, 0).unwrap()
}

/// Central differences of a function along every coordinate.
fn differences(at: &[f64], mut f: impl FnMut(&[f64]) -> f64) -> Vec<f64> {
    let step = 1e-5;
    let mut point = at.to_vec();
    (0..at.len())
        .map(|k| {
            point[k] = at[k] + step;
            let above = f(&point);
            point[k] = at[k] - step;
            let below = f(&point);
            point[k] = at[k];
            (above - below) / (2.0 * step)
        })
        .collect()
}

#[test]
fn convolutions_equal_their_definition() {
    for case in CASES {
        let mut problem = problem(&case.text());
        let (x, w) = (numbers(case.image_len(), 0.3), numbers(case.kernel_len(), 7.1));
        let (mut gx, mut gw) = (vec![0.0; x.len()], vec![0.0; w.len()]);
        let value = problem.lower_gradients(&x, &w, &mut gx, &mut gw);
        close(value, case.objective(&x, &w), 1e-12, &format!("the value of {case:?}"));
        let by_x = differences(&x, |x| case.objective(x, &w));
        let by_w = differences(&w, |w| case.objective(&x, w));
        for (found, wanted) in gx.iter().chain(&gw).zip(by_x.iter().chain(&by_w)) {
            close(*found, *wanted, 1e-7, &format!("the gradient of {case:?}"));
        }
    }
}

#[test]
fn second_order_products_equal_differences() {
    for case in CASES {
        second_order(&case.text(), case.image_len(), case.kernel_len());
    }
}

/// Second-order products of the lower objective against differences of its gradient along a direction.
fn second_order(text: &str, n: usize, m: usize) {
    let mut problem = problem(text);
    let (x, w, v) = (numbers(n, 0.3), numbers(m, 7.1), numbers(m, 2.2));
    let (mut hv, mut xv) = (vec![0.0; m], vec![0.0; n]);
    problem.lower_second_order(&x, &w, &v, &mut hv, &mut xv);
    let step = 1e-5;
    let mut gradients = |sign: f64| {
        let moved: Vec<f64> = w.iter().zip(&v).map(|(w, v)| w + sign * step * v).collect();
        let (mut gx, mut gw) = (vec![0.0; n], vec![0.0; m]);
        problem.lower_gradients(&x, &moved, &mut gx, &mut gw);
        gx.into_iter().chain(gw).collect::<Vec<f64>>()
    };
    let (above, below) = (gradients(1.0), gradients(-1.0));
    for (k, found) in xv.iter().chain(&hv).enumerate() {
        close(*found, (above[k] - below[k]) / (2.0 * step), 1e-7, text);
    }
}

/// The value and the gradient by the image of `sum(T * sin(POOL))`, with T as in [`Case::text`].
fn pooled(call: &str, total: usize) -> (f64, Vec<f64>, Vec<f64>) {
    let text = format!(
        "let T = [cos(1.0 * i) for i in {total}]
upper {{ var x: real[2, 5, 7] = 0
  minimize sumsq(x) + sumsq(s) }}
lower {{ var s: real = 1
  minimize sum(T * flatten(sin(s * {call}))) }}"
    );
    let x = numbers(70, 0.3);
    let (mut gx, mut gs) = (vec![0.0; 70], vec![0.0]);
    let value = problem(&text).lower_gradients(&x, &[1.0], &mut gx, &mut gs);
    second_order(&text, 70, 1);
    (value, gx, x)
}

fn pool(x: &[f64], size: usize, stride: usize, f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut all = Vec::new();
    for c in 0..2 {
        for row in (0..=5 - size).step_by(stride) {
            for column in (0..=7 - size).step_by(stride) {
                let window = (0..size * size)
                    .map(|k| x[(c * 5 + row + k / size) * 7 + column + k % size])
                    .collect::<Vec<_>>();
                all.push(f(&window));
            }
        }
    }
    all
}

#[test]
fn pools_equal_their_definition() {
    let mean = |w: &[f64]| w.iter().sum::<f64>() / w.len() as f64;
    let largest = |w: &[f64]| w.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    type Reduce<'f> = &'f dyn Fn(&[f64]) -> f64;
    let kinds: [(&str, Reduce); 2] = [("avg_pool2d", &mean), ("max_pool2d", &largest)];
    for (name, reduce) in kinds {
        for (arguments, size, stride) in
            [("x, 2", 2, 2), ("x, 3, 3", 3, 3), ("x, 3, 1", 3, 1), ("x, 2, 3", 2, 3), ("x, 3, 2", 3, 2)]
        {
            let call = format!("{name}({arguments})");
            let objective = |x: &[f64]| {
                let all = pool(x, size, stride, reduce);
                all.iter().enumerate().map(|(k, v)| v.sin() * (k as f64).cos()).sum::<f64>()
            };
            let total = pool(&[0.0; 70], size, stride, mean).len();
            let (value, gradient, x) = pooled(&call, total);
            close(value, objective(&x), 1e-12, &call);
            for (found, wanted) in gradient.iter().zip(differences(&x, objective)) {
                close(*found, wanted, 1e-7, &call);
            }
        }
    }
}

#[test]
fn comprehensions_and_batches_are_the_same_graph() {
    let text = "
upper { var x: real[3, 2, 6, 6] = 0
  minimize sumsq(x) + sumsq(k) }
lower { var k: real[4, 2, 3, 3] = 0
  minimize sumsq(k) }
report a = sum(conv2d(x, k, 2, 1))
report b = sum(sum(conv2d(x[i], k, 2, 1)) for i in 3)
report c = sum(avg_pool2d(x, 3, 1))
report d = sum(sum(avg_pool2d(x[i], 3, 1)) for i in 3)
report e = sum(max_pool2d(x, 2))
report f = sum(sum(max_pool2d(x[i, c], 2)) for i in 3, c in 2)
";
    let model = model(text);
    for pair in model.reports.chunks(2) {
        // The sums around it are grouped differently; everything below them is shared.
        let work = |k: usize| -> Vec<_> {
            let nodes = model.graph.reachable(&[pair[k].node]);
            let heavy = [&ops::PAD, &ops::GATHER, &ops::DOT, &ops::MAX_OVER, &ops::RESHAPE, &ops::TRANSPOSE];
            nodes.into_iter().filter(|&n| heavy.iter().any(|op| model.graph.is(n, op))).collect()
        };
        assert!(!work(0).is_empty());
        assert_eq!(work(0), work(1), "{} and {}", pair[0].name, pair[1].name);
    }
}
