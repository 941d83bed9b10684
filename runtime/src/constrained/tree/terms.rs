//! A program number by number: sums, products and functions of one number, of the variables of the single-level form. The compiler
//! writes it where the form is not affine; the intervals (`contract`) and the linear relaxation (`relaxation`) of a box read it.

use std::collections::HashMap;
use std::f64::consts::{FRAC_PI_2, PI, TAU};

use crate::frozen::ThawError;
use crate::frozen::wire::{Reader, Wire, Writer};

/// The lower and the upper end of an interval.
pub type Ends = (f64, f64);

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// `exp`.
    Exp,
    /// `log`.
    Log,
    /// The square root.
    Root,
    /// A whole power: 2 or more, or negative.
    Power(i32),
    /// `sin`.
    Sine,
    /// `cos`.
    Cosine,
    /// `abs`.
    Size,
}

/// Whether a function bends upwards or downwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bend {
    /// Convex.
    Up,
    /// Concave.
    Down,
    /// Neither, or not known.
    Both,
}

impl Function {
    /// The value at `t`.
    pub fn at(self, t: f64) -> f64 {
        match self {
            Function::Exp => t.exp(),
            Function::Log => t.ln(),
            Function::Root => t.sqrt(),
            Function::Power(n) => t.powi(n),
            Function::Sine => t.sin(),
            Function::Cosine => t.cos(),
            Function::Size => t.abs(),
        }
    }

    /// The derivative at `t`.
    pub fn slope(self, t: f64) -> f64 {
        match self {
            Function::Exp => t.exp(),
            Function::Log => 1.0 / t,
            Function::Root => 0.5 / t.sqrt(),
            Function::Power(n) => f64::from(n) * t.powi(n - 1),
            Function::Sine => t.cos(),
            Function::Cosine => -t.sin(),
            Function::Size => t.signum(),
        }
    }

    /// The values over an interval within which it is defined.
    pub fn over(self, (lo, hi): Ends) -> Ends {
        match self {
            Function::Exp => (lo.exp(), hi.exp()),
            Function::Log => (lo.max(0.0).ln(), hi.max(0.0).ln()),
            Function::Root => (lo.max(0.0).sqrt(), hi.max(0.0).sqrt()),
            Function::Sine => cosine((lo - FRAC_PI_2, hi - FRAC_PI_2)),
            Function::Cosine => cosine((lo, hi)),
            Function::Size if lo <= 0.0 && hi >= 0.0 => (0.0, hi.max(-lo)),
            Function::Size => (lo.abs().min(hi.abs()), lo.abs().max(hi.abs())),
            Function::Power(n) => {
                let (a, b) = (lo.powi(n), hi.powi(n));
                if n > 0 && n % 2 != 0 {
                    (a, b)
                } else if n > 0 {
                    if lo <= 0.0 && hi >= 0.0 { (0.0, a.max(b)) } else { (a.min(b), a.max(b)) }
                } else if lo > 0.0 || hi < 0.0 {
                    (a.min(b), a.max(b))
                } else if lo == 0.0 {
                    (b, f64::INFINITY)
                } else if n % 2 == 0 {
                    (a.min(b), f64::INFINITY)
                } else {
                    (f64::NEG_INFINITY, f64::INFINITY)
                }
            }
        }
    }

    /// Where the argument may be, given where the value is and where the argument was.
    pub fn back(self, value: Ends, (lo, hi): Ends) -> Ends {
        let (a, b) = match self {
            Function::Exp => (if value.0 > 0.0 { value.0.ln() } else { f64::NEG_INFINITY }, value.1.ln()),
            Function::Log => (value.0.exp(), value.1.exp()),
            Function::Root => (value.0.max(0.0).powi(2), value.1 * value.1.abs()),
            Function::Power(n) if n > 0 && n % 2 != 0 => {
                let root = |v: f64| v.signum() * v.abs().powf(1.0 / f64::from(n));
                (root(value.0), root(value.1))
            }
            // The argument is known up to its period; where it was is not worth the search.
            Function::Sine | Function::Cosine => (lo, hi),
            Function::Power(_) | Function::Size if self.is_even() => {
                let n = if let Function::Power(n) = self { n } else { 1 };
                let root = |v: f64| v.max(0.0).powf(1.0 / f64::from(n));
                if value.1 < 0.0 {
                    return (f64::INFINITY, f64::NEG_INFINITY);
                }
                let (inner, outer) = (root(value.0), root(value.1));
                if lo > -inner {
                    (inner, outer)
                } else if hi < inner {
                    (-outer, -inner)
                } else {
                    (-outer, outer)
                }
            }
            Function::Power(n) if lo >= 0.0 => {
                if value.1 <= 0.0 {
                    return (f64::INFINITY, f64::NEG_INFINITY);
                }
                let root = |v: f64| if v > 0.0 { v.powf(1.0 / f64::from(n)) } else { f64::INFINITY };
                (root(value.1), root(value.0))
            }
            Function::Power(_) | Function::Size => (f64::NEG_INFINITY, f64::INFINITY),
        };
        // A log of something negative is no number: then nothing is learned, or nothing is left.
        (if a.is_nan() { f64::INFINITY } else { a }, if b.is_nan() { f64::NEG_INFINITY } else { b })
    }

    /// How it bends over an interval.
    pub fn bend(self, (lo, hi): Ends) -> Bend {
        match self {
            Function::Exp | Function::Size => Bend::Up,
            Function::Sine => bend_of_cosine((lo - FRAC_PI_2, hi - FRAC_PI_2)),
            Function::Cosine => bend_of_cosine((lo, hi)),
            Function::Log | Function::Root => Bend::Down,
            Function::Power(n) if n > 0 && n % 2 == 0 => Bend::Up,
            Function::Power(n) if n % 2 == 0 && (lo > 0.0 || hi < 0.0) => Bend::Up,
            Function::Power(n) if lo > 0.0 || lo == 0.0 && n > 0 => Bend::Up,
            Function::Power(n) if hi < 0.0 || hi == 0.0 && n > 0 => Bend::Down,
            Function::Power(_) => Bend::Both,
        }
    }

    /// Whether it is a positive even power, or like one.
    fn is_even(self) -> bool {
        matches!(self, Function::Size) || matches!(self, Function::Power(n) if n > 0 && n % 2 == 0)
    }

    /// Where the derivative is over an interval on which it bends both ways.
    pub fn slopes(self, (lo, hi): Ends) -> Ends {
        match self {
            Function::Power(n) if n > 0 => (0.0, f64::from(n) * lo.abs().max(hi.abs()).powi(n - 1)),
            Function::Sine => Function::Cosine.over((lo, hi)),
            Function::Cosine => {
                let (least, most) = Function::Sine.over((lo, hi));
                (-most, -least)
            }
            _ => (f64::NEG_INFINITY, f64::INFINITY),
        }
    }
}

/// What the remainder of a large argument by the period may be off by, relative to the argument.
const PERIOD: f64 = 1e-15;

/// The values of `cos` over an interval: 1 and -1 where it has a whole or half turn, and where that is not clear.
fn cosine((lo, hi): Ends) -> Ends {
    if !lo.is_finite() || !hi.is_finite() || hi - lo >= TAU {
        return (-1.0, 1.0);
    }
    let room = PERIOD * lo.abs().max(hi.abs()).max(1.0);
    // Whether `shift + 2 k pi` lies between, for some whole `k`.
    let has = |shift: f64| {
        let next = shift + ((lo - room - shift) / TAU).ceil() * TAU;
        next <= hi + room
    };
    let (a, b) = (lo.cos(), hi.cos());
    let least = if has(PI) { -1.0 } else { (a.min(b) - room).max(-1.0) };
    let most = if has(0.0) { 1.0 } else { (a.max(b) + room).min(1.0) };
    (least, most)
}

/// How `cos` bends: downwards where it is positive.
fn bend_of_cosine(over: Ends) -> Bend {
    let (least, most) = cosine(over);
    // A turn of the interval both of whose ends have the same sign may pass through the other sign.
    if least >= 0.0 {
        Bend::Down
    } else if most <= 0.0 {
        Bend::Up
    } else {
        Bend::Both
    }
}

/// A number made of earlier ones.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// The variable at this place.
    Variable(usize),
    /// A constant and multiples of terms.
    Sum(f64, Vec<(usize, f64)>),
    /// The product of two terms that differ.
    Product(usize, usize),
    /// A function of a term.
    Apply(Function, usize),
}

/// A program `min F` subject to rows, number by number.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// The terms, operands first.
    pub terms: Vec<Term>,
    /// The place of the objective.
    pub objective: usize,
    /// The places of the rows.
    pub rows: Vec<usize>,
    known: HashMap<Vec<u64>, usize>,
}

impl Terms {
    /// A number.
    pub fn constant(&mut self, value: f64) -> usize {
        self.sum(value, Vec::new())
    }

    /// The variable at a place.
    pub fn variable(&mut self, at: usize) -> usize {
        self.add(Term::Variable(at))
    }

    /// `constant + Σ coefficient · term`, with sums among the terms put in.
    pub fn sum(&mut self, mut constant: f64, parts: Vec<(usize, f64)>) -> usize {
        let mut flat: Vec<(usize, f64)> = Vec::new();
        for (at, c) in parts {
            if let Term::Sum(inner, terms) = &self.terms[at] {
                constant += c * inner;
                flat.extend(terms.iter().map(|(at, d)| (*at, c * d)));
            } else {
                flat.push((at, c));
            }
        }
        flat.sort_by_key(|part| part.0);
        flat.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        flat.retain(|part| part.1 != 0.0);
        match flat[..] {
            [(at, 1.0)] if constant == 0.0 => at,
            _ => self.add(Term::Sum(constant, flat)),
        }
    }

    /// The product of two terms; constants and multiples are taken out.
    pub fn product(&mut self, a: usize, b: usize) -> usize {
        let ((scale, a), (other, b)) = (self.split(a), self.split(b));
        let scale = scale * other;
        let made = match (a, b) {
            (None, None) => return self.constant(scale),
            (Some(a), None) | (None, Some(a)) => a,
            (Some(a), Some(b)) => match (&self.terms[a], &self.terms[b]) {
                _ if a == b => self.apply(Function::Power(2), a),
                (Term::Apply(Function::Power(n), base), _) if *base == b && *n > 0 => {
                    self.apply(Function::Power(n + 1), b)
                }
                (_, Term::Apply(Function::Power(n), base)) if *base == a && *n > 0 => {
                    self.apply(Function::Power(n + 1), a)
                }
                // Products with a sum of one term each keep McCormick's bounds exact; longer ones are kept as they are.
                _ => self.add(Term::Product(a.min(b), a.max(b))),
            },
        };
        self.sum(0.0, vec![(made, scale)])
    }

    /// A function of a term.
    pub fn apply(&mut self, function: Function, a: usize) -> usize {
        if let Term::Sum(value, parts) = &self.terms[a]
            && parts.is_empty()
        {
            return self.constant(function.at(*value));
        }
        self.add(Term::Apply(function, a))
    }

    /// A number and what it multiplies, `None` for 1.
    fn split(&self, at: usize) -> (f64, Option<usize>) {
        match &self.terms[at] {
            Term::Sum(value, parts) if parts.is_empty() => (*value, None),
            Term::Sum(constant, parts) if *constant == 0.0 && parts.len() == 1 => {
                (parts[0].1, Some(parts[0].0))
            }
            _ => (1.0, Some(at)),
        }
    }

    fn add(&mut self, term: Term) -> usize {
        let key = words(&term);
        if let Some(&at) = self.known.get(&key) {
            return at;
        }
        self.terms.push(term);
        self.known.insert(key, self.terms.len() - 1);
        self.terms.len() - 1
    }

    /// Per term, whether a row has it.
    pub fn in_rows(&self) -> Vec<bool> {
        let mut within = vec![false; self.terms.len()];
        self.rows.iter().for_each(|&row| within[row] = true);
        for at in (0..self.terms.len()).rev() {
            if !within[at] {
                continue;
            }
            match &self.terms[at] {
                Term::Variable(_) => {}
                Term::Sum(_, parts) => parts.iter().for_each(|(part, _)| within[*part] = true),
                Term::Product(a, b) => (within[*a], within[*b]) = (true, true),
                Term::Apply(_, a) => within[*a] = true,
            }
        }
        within
    }

    /// The values of all terms at `z`.
    pub fn values(&self, z: &[f64]) -> Vec<f64> {
        let mut values: Vec<f64> = Vec::with_capacity(self.terms.len());
        for term in &self.terms {
            values.push(match term {
                Term::Variable(at) => z[*at],
                Term::Sum(constant, parts) => {
                    constant + parts.iter().map(|(at, c)| c * values[*at]).sum::<f64>()
                }
                Term::Product(a, b) => values[*a] * values[*b],
                Term::Apply(function, a) => function.at(values[*a]),
            });
        }
        values
    }
}

/// What makes a term the same as another.
fn words(term: &Term) -> Vec<u64> {
    match term {
        Term::Variable(at) => vec![0, *at as u64],
        Term::Sum(constant, parts) => {
            let parts = parts.iter().flat_map(|(at, c)| [*at as u64, c.to_bits()]);
            [1, constant.to_bits()].into_iter().chain(parts).collect()
        }
        Term::Product(a, b) => vec![2, *a as u64, *b as u64],
        Term::Apply(Function::Exp, a) => vec![3, *a as u64],
        Term::Apply(Function::Log, a) => vec![4, *a as u64],
        Term::Apply(Function::Root, a) => vec![5, *a as u64],
        Term::Apply(Function::Power(n), a) => vec![6, *a as u64, i64::from(*n) as u64],
        Term::Apply(Function::Sine, a) => vec![7, *a as u64],
        Term::Apply(Function::Cosine, a) => vec![8, *a as u64],
        Term::Apply(Function::Size, a) => vec![9, *a as u64],
    }
}

impl Wire for Terms {
    fn put(&self, to: &mut Writer) {
        let all: Vec<Vec<usize>> =
            self.terms.iter().map(|term| words(term).iter().map(|word| *word as usize).collect()).collect();
        all.put(to);
        (self.objective, self.rows.clone()).put(to);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        let all: Vec<Vec<usize>> = Wire::get(from)?;
        let (objective, rows): (usize, Vec<usize>) = Wire::get(from)?;
        let mut terms = Terms::default();
        for own in &all {
            let earlier = |at: usize| if at < terms.terms.len() { Ok(at) } else { Err(ThawError::Damaged) };
            let term = match own[..] {
                [0, at] => Term::Variable(at),
                [1, constant, ref parts @ ..] => {
                    let pairs = parts.chunks_exact(2).map(|pair| Ok((earlier(pair[0])?, number(pair[1]))));
                    Term::Sum(number(constant), pairs.collect::<Result<_, ThawError>>()?)
                }
                [2, a, b] => Term::Product(earlier(a)?, earlier(b)?),
                [3, a] => Term::Apply(Function::Exp, earlier(a)?),
                [4, a] => Term::Apply(Function::Log, earlier(a)?),
                [5, a] => Term::Apply(Function::Root, earlier(a)?),
                [7, a] => Term::Apply(Function::Sine, earlier(a)?),
                [8, a] => Term::Apply(Function::Cosine, earlier(a)?),
                [9, a] => Term::Apply(Function::Size, earlier(a)?),
                [6, a, n] => Term::Apply(Function::Power(n as i64 as i32), earlier(a)?),
                _ => return Err(ThawError::Damaged),
            };
            terms.terms.push(term);
        }
        let len = terms.terms.len();
        if objective >= len || rows.iter().any(|row| *row >= len) {
            return Err(ThawError::Damaged);
        }
        Ok(Terms { objective, rows, ..terms })
    }
}

fn number(word: usize) -> f64 {
    f64::from_bits(word as u64)
}
