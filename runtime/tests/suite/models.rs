//! Problems written by hand, with the derivatives the solvers ask for.

#![allow(clippy::needless_range_loop, reason = "matrix formulas read best with their indices")]

use blo_runtime::derivatives::Derivatives;
use blo_runtime::problem::Problem;
use blo_runtime::space::{Block, Domain, Space};

/// The mathematics of a problem. Gradients are written to zeroed slices.
pub trait Model: 'static {
    fn lengths(&self) -> (usize, usize);
    /// `f` and its gradients.
    fn lower(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64;
    /// `∇²yy f · v` and `∇²xy f · v`.
    fn second(&self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]);
    /// `F` and its gradients.
    fn upper(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64;
    /// `∇²yy F · v` and `∇²xy F · v`.
    fn upper_second(&self, _: &[f64], _: &[f64], _: &[f64], _: &mut [f64], _: &mut [f64]) {
        panic!("not compiled");
    }
}

struct Hand<M>(M);

impl<M: Model> Derivatives for Hand<M> {
    fn upper_len(&self) -> usize {
        self.0.lengths().0
    }
    fn lower_len(&self) -> usize {
        self.0.lengths().1
    }
    fn reports_len(&self) -> usize {
        1
    }
    fn lower_value(&mut self, x: &[f64], y: &[f64]) -> f64 {
        self.lower_gradients(x, y, &mut vec![0.0; x.len()], &mut vec![0.0; y.len()])
    }
    fn lower_gradient(&mut self, x: &[f64], y: &[f64], gy: &mut [f64]) -> f64 {
        self.lower_gradients(x, y, &mut vec![0.0; x.len()], gy)
    }
    fn lower_gradients(&mut self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        gx.fill(0.0);
        gy.fill(0.0);
        self.0.lower(x, y, gx, gy)
    }
    fn lower_gradient_x(&mut self, x: &[f64], y: &[f64], gx: &mut [f64]) -> f64 {
        self.lower_gradients(x, y, gx, &mut vec![0.0; y.len()])
    }
    fn upper_gradient_x(&mut self, x: &[f64], y: &[f64], gx: &mut [f64]) -> f64 {
        self.upper_gradients(x, y, gx, &mut vec![0.0; y.len()])
    }
    fn lower_hessian(&mut self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64]) {
        hv.fill(0.0);
        self.0.second(x, y, v, hv, &mut vec![0.0; x.len()]);
    }
    fn lower_second_order(&mut self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        hv.fill(0.0);
        xv.fill(0.0);
        self.0.second(x, y, v, hv, xv);
    }
    fn lower_cross(&mut self, x: &[f64], y: &[f64], u: &[f64], out: &mut [f64]) {
        for j in 0..y.len() {
            let mut v = vec![0.0; y.len()];
            v[j] = 1.0;
            let (mut hv, mut xv) = (vec![0.0; y.len()], vec![0.0; x.len()]);
            self.0.second(x, y, &v, &mut hv, &mut xv);
            out[j] = dot(u, &xv);
        }
    }
    fn upper_value(&mut self, x: &[f64], y: &[f64]) -> f64 {
        self.upper_gradients(x, y, &mut vec![0.0; x.len()], &mut vec![0.0; y.len()])
    }
    fn upper_gradients(&mut self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        gx.fill(0.0);
        gy.fill(0.0);
        self.0.upper(x, y, gx, gy)
    }
    fn upper_second_order(&mut self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        hv.fill(0.0);
        xv.fill(0.0);
        self.0.upper_second(x, y, v, hv, xv);
    }
    /// One report: the sum of the upper variables.
    fn reports(&mut self, x: &[f64], _: &[f64], out: &mut [f64]) {
        out[0] = x.iter().sum();
    }
}

/// A problem with one free block `x` and one free block `y`.
pub fn free(model: impl Model, x: &[f64], y: &[f64]) -> Problem {
    within(model, (Domain::Free, x), (Domain::Free, y))
}

/// A problem with one block per level.
pub fn within(model: impl Model, x: (Domain, &[f64]), y: (Domain, &[f64])) -> Problem {
    let space = |name: &str, (domain, start): (Domain, &[f64])| {
        let blocks = if start.is_empty() {
            vec![]
        } else {
            vec![Block::new(name, &[start.len()], domain, start.to_vec())]
        };
        Space::new(blocks).unwrap()
    };
    Problem::new(Box::new(Hand(model)), space("x", x), space("y", y))
}

/// A problem with one free block per level, of any shape.
pub fn shaped(model: impl Model, x: (&[usize], &[f64]), y: (&[usize], &[f64])) -> Problem {
    let space = |name: &str, (shape, start): (&[usize], &[f64])| {
        Space::new(vec![Block::new(name, shape, Domain::Free, start.to_vec())]).unwrap()
    };
    Problem::new(Box::new(Hand(model)), space("x", x), space("y", y))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `f = ½ y² − x y`, `F = ½ y² + ½ (x − 1)²`: the bilevel solution is ½.
pub struct Scalar;

impl Model for Scalar {
    fn lengths(&self) -> (usize, usize) {
        (1, 1)
    }
    fn lower(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        gx[0] = -y[0];
        gy[0] = y[0] - x[0];
        0.5 * y[0] * y[0] - x[0] * y[0]
    }
    fn second(&self, _: &[f64], _: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        hv[0] = v[0];
        xv[0] = -v[0];
    }
    fn upper(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        gx[0] = x[0] - 1.0;
        gy[0] = y[0];
        0.5 * y[0] * y[0] + 0.5 * gx[0] * gx[0]
    }
    fn upper_second(&self, _: &[f64], _: &[f64], v: &[f64], hv: &mut [f64], _: &mut [f64]) {
        hv[0] = v[0];
    }
}

/// `f = ½ eˣ y² − y`, `F = ½ (x − 3)² + ½ y²`: the curvature of the lower level grows twentyfold on the way to the solution,
/// where `x − 3 = e^(−2x)` and `y = e^(−x)`.
pub struct Stiffening;

impl Model for Stiffening {
    fn lengths(&self) -> (usize, usize) {
        (1, 1)
    }
    fn lower(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        let e = x[0].exp();
        gx[0] = 0.5 * e * y[0] * y[0];
        gy[0] = e * y[0] - 1.0;
        0.5 * e * y[0] * y[0] - y[0]
    }
    fn second(&self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        hv[0] = x[0].exp() * v[0];
        xv[0] = x[0].exp() * y[0] * v[0];
    }
    fn upper(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        gx[0] = x[0] - 3.0;
        gy[0] = y[0];
        0.5 * gx[0] * gx[0] + 0.5 * y[0] * y[0]
    }
}

/// `f = ½ yᵀ A y − yᵀ B x`, `F = ½ ‖y − t‖² + ½ ‖x‖²` with `A`, `B` 3 × 3, `A` positive definite.
pub struct Quadratic;

impl Quadratic {
    const A: [[f64; 3]; 3] = [[2.0, 0.3, -0.2], [0.3, 1.5, 0.4], [-0.2, 0.4, 1.0]];
    const B: [[f64; 3]; 3] = [[1.0, 0.2, 0.0], [-0.3, 0.8, 0.5], [0.4, -0.1, 1.2]];
    const T: [f64; 3] = [0.7, -0.4, 0.3];

    /// The lower solution without domains, by many gradient steps.
    pub fn solution(x: &[f64]) -> Vec<f64> {
        let mut y = vec![0.0; 3];
        for _ in 0..500 {
            let residual: Vec<f64> = (0..3).map(|i| dot(&Self::A[i], &y) - dot(&Self::B[i], x)).collect();
            (0..3).for_each(|i| y[i] -= 0.4 * residual[i]);
        }
        y
    }
}

impl Model for Quadratic {
    fn lengths(&self) -> (usize, usize) {
        (3, 3)
    }
    fn lower(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        let mut value = 0.0;
        for i in 0..3 {
            let (ay, bx) = (dot(&Self::A[i], y), dot(&Self::B[i], x));
            gy[i] = ay - bx;
            value += y[i] * (0.5 * ay - bx);
            for j in 0..3 {
                gx[j] -= Self::B[i][j] * y[i];
            }
        }
        value
    }
    fn second(&self, _: &[f64], _: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        for i in 0..3 {
            hv[i] = dot(&Self::A[i], v);
            for j in 0..3 {
                xv[j] -= Self::B[i][j] * v[i];
            }
        }
    }
    fn upper(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        let mut value = 0.0;
        for i in 0..3 {
            gx[i] = x[i];
            gy[i] = y[i] - Self::T[i];
            value += 0.5 * (gx[i] * gx[i] + gy[i] * gy[i]);
        }
        value
    }
}

/// Logistic regression with an exponential ridge per coordinate; 20 samples each for training and validation.
pub struct Logistic;

impl Logistic {
    fn train(i: f64) -> ([f64; 3], f64) {
        ([1.0, 2.0, 3.0].map(|j| (i * j + i).sin()), i.cos().signum())
    }
    fn validation(i: f64) -> ([f64; 3], f64) {
        ([1.0, 2.0, 3.0].map(|j| (i * j + 0.5 * i).cos()), (1.3 * i).sin().signum())
    }
    /// The mean loss of the samples; adds its gradient to `gy` and its Hessian times `v` to `hv`.
    fn loss(sample: fn(f64) -> ([f64; 3], f64), y: &[f64], v: &[f64], gy: &mut [f64], hv: &mut [f64]) -> f64 {
        let mut value = 0.0;
        for i in 1..=20 {
            let (a, b) = sample(f64::from(i));
            let margin = b * dot(&a, y);
            let p = 1.0 / (1.0 + margin.exp());
            value += (-margin).exp().ln_1p() / 20.0;
            for j in 0..3 {
                gy[j] -= b * p * a[j] / 20.0;
                hv[j] += p * (1.0 - p) * a[j] * dot(&a, v) / 20.0;
            }
        }
        value
    }
}

impl Model for Logistic {
    fn lengths(&self) -> (usize, usize) {
        (3, 3)
    }
    fn lower(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        let mut value = Self::loss(Self::train, y, &[0.0; 3], gy, &mut [0.0; 3]);
        for j in 0..3 {
            gy[j] += x[j].exp() * y[j];
            gx[j] = 0.5 * x[j].exp() * y[j] * y[j];
            value += gx[j];
        }
        value
    }
    fn second(&self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        Self::loss(Self::train, y, v, &mut [0.0; 3], hv);
        for j in 0..3 {
            hv[j] += x[j].exp() * v[j];
            xv[j] = x[j].exp() * y[j] * v[j];
        }
    }
    fn upper(&self, _: &[f64], y: &[f64], _: &mut [f64], gy: &mut [f64]) -> f64 {
        Self::loss(Self::validation, y, &[0.0; 3], gy, &mut [0.0; 3])
    }
    fn upper_second(&self, _: &[f64], y: &[f64], v: &[f64], hv: &mut [f64], _: &mut [f64]) {
        Self::loss(Self::validation, y, v, &mut [0.0; 3], hv);
    }
}

/// Lower solutions are a plane: `f = ½‖y₁‖² − x·y₁`, `F = ½‖x − y₂‖² + ½‖y₁ − 1‖²`, `y = (y₁, y₂)`, `x` of length n.
pub struct Plane(pub usize);

impl Model for Plane {
    fn lengths(&self) -> (usize, usize) {
        (self.0, 2 * self.0)
    }
    fn lower(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        let mut value = 0.0;
        for i in 0..self.0 {
            gx[i] = -y[i];
            gy[i] = y[i] - x[i];
            value += y[i] * (0.5 * y[i] - x[i]);
        }
        value
    }
    fn second(&self, _: &[f64], _: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        for i in 0..self.0 {
            hv[i] = v[i];
            xv[i] = -v[i];
        }
    }
    fn upper(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        let n = self.0;
        let mut value = 0.0;
        for i in 0..n {
            gx[i] = x[i] - y[n + i];
            gy[n + i] = -gx[i];
            gy[i] = y[i] - 1.0;
            value += 0.5 * (gx[i] * gx[i] + gy[i] * gy[i]);
        }
        value
    }
    fn upper_second(&self, _: &[f64], _: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        let n = self.0;
        for i in 0..n {
            hv[i] = v[i];
            hv[n + i] = v[n + i];
            xv[i] = -v[n + i];
        }
    }
}

/// A nonconvex lower level: `f = sin(x + y − 2)`, `F = (x − 2)² + (y − 4)²`, scalars.
pub struct Sine;

impl Model for Sine {
    fn lengths(&self) -> (usize, usize) {
        (1, 1)
    }
    fn lower(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        let s = x[0] + y[0] - 2.0;
        gx[0] = s.cos();
        gy[0] = s.cos();
        s.sin()
    }
    fn second(&self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        let s = x[0] + y[0] - 2.0;
        hv[0] = -s.sin() * v[0];
        xv[0] = -s.sin() * v[0];
    }
    fn upper(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        gx[0] = 2.0 * (x[0] - 2.0);
        gy[0] = 2.0 * (y[0] - 4.0);
        0.25 * (gx[0] * gx[0] + gy[0] * gy[0])
    }
}

/// `f = −sin(x y)`, `F = x + x y`, scalars: valleys of the lower level at `x y = π/2 + 2πk`.
pub struct Product;

impl Model for Product {
    fn lengths(&self) -> (usize, usize) {
        (1, 1)
    }
    fn lower(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        let c = (x[0] * y[0]).cos();
        gx[0] = -y[0] * c;
        gy[0] = -x[0] * c;
        -(x[0] * y[0]).sin()
    }
    fn second(&self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        let (s, c) = (x[0] * y[0]).sin_cos();
        hv[0] = x[0] * x[0] * s * v[0];
        xv[0] = (x[0] * y[0] * s - c) * v[0];
    }
    fn upper(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        gx[0] = 1.0 + y[0];
        gy[0] = x[0];
        x[0] + x[0] * y[0]
    }
}

/// Three tasks of two parameters that start at `x`: `f = ½ Σ c_t ‖y_t − a_t‖² + ½ lambda Σ ‖y_t − x‖²`, `F = ⅙ Σ ‖y_t − b_t‖²`.
pub struct Tasks {
    pub lambda: f64,
}

impl Tasks {
    pub const CURVATURES: [f64; 3] = [0.5, 1.0, 2.0];
    pub const TRAIN: [[f64; 2]; 3] = [[1.0, -1.0], [2.0, 0.5], [-1.0, 3.0]];
    pub const TEST: [[f64; 2]; 3] = [[1.5, -0.5], [1.0, 1.0], [0.0, 2.0]];
}

impl Model for Tasks {
    fn lengths(&self) -> (usize, usize) {
        (2, 6)
    }
    fn lower(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        let mut value = 0.0;
        for t in 0..3 {
            for j in 0..2 {
                let (off, away) = (y[2 * t + j] - Self::TRAIN[t][j], y[2 * t + j] - x[j]);
                gy[2 * t + j] = Self::CURVATURES[t] * off + self.lambda * away;
                gx[j] -= self.lambda * away;
                value += 0.5 * (Self::CURVATURES[t] * off * off + self.lambda * away * away);
            }
        }
        value
    }
    fn second(&self, _: &[f64], _: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        for t in 0..3 {
            for j in 0..2 {
                hv[2 * t + j] = (Self::CURVATURES[t] + self.lambda) * v[2 * t + j];
                xv[j] -= self.lambda * v[2 * t + j];
            }
        }
    }
    fn upper(&self, _: &[f64], y: &[f64], _: &mut [f64], gy: &mut [f64]) -> f64 {
        for t in 0..3 {
            for j in 0..2 {
                gy[2 * t + j] = (y[2 * t + j] - Self::TEST[t][j]) / 3.0;
            }
        }
        1.5 * dot(gy, gy)
    }
}

/// Weights of four points by softmax: `f = ‖Σ wᵢ pᵢ − y‖²`, `F = 0.1 ‖y − (3, −2)‖²`.
pub struct Coreset;

impl Coreset {
    const POINTS: [[f64; 2]; 4] = [[1.0, 3.0], [3.0, 1.0], [-2.0, 2.0], [-3.0, -2.0]];

    /// The mean and its derivative by each weight.
    fn mean(x: &[f64]) -> ([f64; 2], [[f64; 2]; 4]) {
        let total: f64 = x.iter().map(|x| x.exp()).sum();
        let w: Vec<f64> = x.iter().map(|x| x.exp() / total).collect();
        let mean = [0, 1].map(|k| (0..4).map(|i| w[i] * Self::POINTS[i][k]).sum::<f64>());
        let slope = [0, 1, 2, 3].map(|i| [0, 1].map(|k| w[i] * (Self::POINTS[i][k] - mean[k])));
        (mean, slope)
    }
}

impl Model for Coreset {
    fn lengths(&self) -> (usize, usize) {
        (4, 2)
    }
    fn lower(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        let (mean, slope) = Self::mean(x);
        let off = [mean[0] - y[0], mean[1] - y[1]];
        for i in 0..4 {
            gx[i] = 2.0 * dot(&off, &slope[i]);
        }
        for k in 0..2 {
            gy[k] = -2.0 * off[k];
        }
        dot(&off, &off)
    }
    fn second(&self, x: &[f64], _: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        let (_, slope) = Self::mean(x);
        for k in 0..2 {
            hv[k] = 2.0 * v[k];
        }
        for i in 0..4 {
            xv[i] = -2.0 * dot(&slope[i], v);
        }
    }
    fn upper(&self, _: &[f64], y: &[f64], _: &mut [f64], gy: &mut [f64]) -> f64 {
        gy[0] = 0.2 * (y[0] - 3.0);
        gy[1] = 0.2 * (y[1] + 2.0);
        2.5 * dot(gy, gy)
    }
}

/// `f = log cosh (y − x)`, whose Newton steps overshoot far from the solution; `F` is that of [`Scalar`].
pub struct Overshooting;

impl Model for Overshooting {
    fn lengths(&self) -> (usize, usize) {
        (1, 1)
    }
    fn lower(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        gy[0] = (y[0] - x[0]).tanh();
        gx[0] = -gy[0];
        (y[0] - x[0]).cosh().ln()
    }
    fn second(&self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        let slope = 1.0 - (y[0] - x[0]).tanh().powi(2);
        hv[0] = slope * v[0];
        xv[0] = -hv[0];
    }
    fn upper(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        Scalar.upper(x, y, gx, gy)
    }
}

/// Rosenbrock's function, without a lower level.
pub struct Rosenbrock;

impl Model for Rosenbrock {
    fn lengths(&self) -> (usize, usize) {
        (2, 0)
    }
    fn lower(&self, _: &[f64], _: &[f64], _: &mut [f64], _: &mut [f64]) -> f64 {
        panic!("there is no lower level");
    }
    fn second(&self, _: &[f64], _: &[f64], _: &[f64], _: &mut [f64], _: &mut [f64]) {
        panic!("there is no lower level");
    }
    fn upper(&self, x: &[f64], _: &[f64], gx: &mut [f64], _: &mut [f64]) -> f64 {
        let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
        gx[0] = -2.0 * a - 400.0 * x[0] * b;
        gx[1] = 200.0 * b;
        a * a + 100.0 * b * b
    }
}

/// As [`Scalar`], but the upper objective is `√(x − 0.8) + ½ y²`, which ends at x = 0.8.
pub struct Root;

impl Model for Root {
    fn lengths(&self) -> (usize, usize) {
        Scalar.lengths()
    }
    fn lower(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        Scalar.lower(x, y, gx, gy)
    }
    fn second(&self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        Scalar.second(x, y, v, hv, xv);
    }
    fn upper(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        let root = (x[0] - 0.8).sqrt();
        gx[0] = 0.5 / root;
        gy[0] = y[0];
        root + 0.5 * y[0] * y[0]
    }
}
