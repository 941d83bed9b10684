//! What the value-function tree does with terms: derivatives, copies with some variables held, and common factors of polynomials.

use std::collections::BTreeMap;

use super::terms::{Function, Term, Terms};

/// Polynomials with more monomials are not written out.
const MONOMIALS: usize = 200;

/// A place among terms; `None` for 0.
type Place = Option<usize>;

/// The derivative of a term by a variable, among the terms; an error where a function has no derivative everywhere.
pub fn derivative(terms: &mut Terms, of: usize, by: usize) -> Result<Place, NotSmooth> {
    let needed = below(terms, of);
    let mut known: Vec<Place> = vec![None; of + 1];
    for at in (0..=of).filter(|&at| needed[at]) {
        known[at] = match terms.terms[at].clone() {
            Term::Variable(i) => (i == by).then(|| terms.constant(1.0)),
            Term::Sum(_, parts) => {
                let parts: Vec<_> = parts.iter().filter_map(|&(at, c)| Some((known[at]?, c))).collect();
                (!parts.is_empty()).then(|| terms.sum(0.0, parts))
            }
            Term::Product(a, b) => {
                let parts: Vec<_> = [(known[a], b), (known[b], a)]
                    .into_iter()
                    .filter_map(|(slope, other)| Some((terms.product(slope?, other), 1.0)))
                    .collect();
                (!parts.is_empty()).then(|| terms.sum(0.0, parts))
            }
            Term::Apply(function, a) => match known[a] {
                None => None,
                Some(inner) => {
                    let outer = slope(terms, function, at, a)?;
                    Some(terms.product(outer, inner))
                }
            },
        };
    }
    Ok(known[of])
}

/// A function that has no derivative somewhere was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotSmooth;

/// The derivative of a function at the term `a`; `at` is its value.
fn slope(terms: &mut Terms, function: Function, at: usize, a: usize) -> Result<usize, NotSmooth> {
    Ok(match function {
        Function::Exp => at,
        Function::Log => terms.apply(Function::Power(-1), a),
        Function::Power(2) => terms.sum(0.0, vec![(a, 2.0)]),
        Function::Power(n) => {
            let power = terms.apply(Function::Power(n - 1), a);
            terms.sum(0.0, vec![(power, f64::from(n))])
        }
        Function::Sine => terms.apply(Function::Cosine, a),
        Function::Cosine => {
            let sine = terms.apply(Function::Sine, a);
            terms.sum(0.0, vec![(sine, -1.0)])
        }
        Function::Root | Function::Size => return Err(NotSmooth),
    })
}

/// Per term up to `of`, whether `of` is made of it.
fn below(terms: &Terms, of: usize) -> Vec<bool> {
    let mut needed = vec![false; of + 1];
    needed[of] = true;
    for at in (0..=of).rev() {
        if needed[at] {
            operands(&terms.terms[at]).into_iter().for_each(|a| needed[a] = true);
        }
    }
    needed
}

/// The variables that a term is made of.
pub fn variables(terms: &Terms, of: usize) -> Vec<usize> {
    let needed = below(terms, of);
    let own = terms.terms.iter().zip(&needed).filter_map(|(term, needed)| match term {
        Term::Variable(i) if *needed => Some(*i),
        _ => None,
    });
    own.collect()
}

fn operands(term: &Term) -> Vec<usize> {
    match term {
        Term::Variable(_) => Vec::new(),
        Term::Sum(_, parts) => parts.iter().map(|part| part.0).collect(),
        Term::Product(a, b) => vec![*a, *b],
        Term::Apply(_, a) => vec![*a],
    }
}

/// A copy of a term into other terms, with the variables held that `held` gives a value.
pub fn copied(from: &Terms, of: usize, to: &mut Terms, held: &dyn Fn(usize) -> Option<f64>) -> usize {
    let needed = below(from, of);
    let mut known = vec![0; of + 1];
    for at in (0..=of).filter(|&at| needed[at]) {
        known[at] = match &from.terms[at] {
            Term::Variable(i) => match held(*i) {
                Some(value) => to.constant(value),
                None => to.variable(*i),
            },
            Term::Sum(constant, parts) => {
                to.sum(*constant, parts.iter().map(|(at, c)| (known[*at], *c)).collect())
            }
            Term::Product(a, b) => to.product(known[*a], known[*b]),
            Term::Apply(function, a) => to.apply(*function, known[*a]),
        };
    }
    known[of]
}

/// A polynomial: the powers of the variables and the coefficient of every monomial.
type Polynomial = BTreeMap<Vec<i32>, f64>;

/// Powers of variables, and what they multiply.
#[derive(Clone, Debug)]
pub struct Factored {
    /// The power of every variable; not all are 0.
    pub powers: Vec<i32>,
    /// The rest, as the objective of these terms.
    pub rest: Terms,
}

/// The term without the powers of variables that all its monomials share; `None` where it is no small polynomial in so many
/// variables, or shares none.
pub fn factored(terms: &Terms, of: usize, variables: usize) -> Option<Factored> {
    let polynomial = polynomial(terms, of, variables)?;
    let mut monomials = polynomial.keys();
    let mut powers = monomials.next()?.clone();
    for other in monomials {
        powers.iter_mut().zip(other).for_each(|(power, other)| *power = (*power).min(*other));
    }
    if powers.iter().all(|power| *power == 0) {
        return None;
    }
    let mut rest = Terms::default();
    let mut parts = Vec::new();
    for (monomial, coefficient) in &polynomial {
        let mut made = rest.constant(1.0);
        for (i, (power, shared)) in monomial.iter().zip(&powers).enumerate() {
            let variable = rest.variable(i);
            let factor = match power - shared {
                0 => continue,
                1 => variable,
                more => rest.apply(Function::Power(more), variable),
            };
            made = rest.product(made, factor);
        }
        parts.push((made, *coefficient));
    }
    rest.objective = rest.sum(0.0, parts);
    Some(Factored { powers, rest })
}

fn polynomial(terms: &Terms, of: usize, variables: usize) -> Option<Polynomial> {
    let needed = below(terms, of);
    let mut known: Vec<Polynomial> = vec![Polynomial::new(); of + 1];
    let none = vec![0; variables];
    for at in (0..=of).filter(|&at| needed[at]) {
        let made = match &terms.terms[at] {
            Term::Variable(i) => {
                let mut powers = none.clone();
                *powers.get_mut(*i)? = 1;
                Polynomial::from([(powers, 1.0)])
            }
            Term::Sum(constant, parts) => {
                let mut sum = Polynomial::from([(none.clone(), *constant)]);
                for (part, c) in parts {
                    for (powers, coefficient) in &known[*part] {
                        *sum.entry(powers.clone()).or_insert(0.0) += c * coefficient;
                    }
                }
                sum
            }
            Term::Product(a, b) => times(&known[*a], &known[*b])?,
            Term::Apply(Function::Power(n), a) if *n > 0 => {
                let mut power = known[*a].clone();
                for _ in 1..*n {
                    power = times(&power, &known[*a])?;
                }
                power
            }
            Term::Apply(..) => return None,
        };
        known[at] = made;
        known[at].retain(|_, coefficient| *coefficient != 0.0);
        if known[at].len() > MONOMIALS {
            return None;
        }
    }
    Some(known.swap_remove(of))
}

fn times(a: &Polynomial, b: &Polynomial) -> Option<Polynomial> {
    let mut product = Polynomial::new();
    for (p, c) in a {
        for (q, d) in b {
            let powers = p.iter().zip(q).map(|(p, q)| p + q).collect();
            *product.entry(powers).or_insert(0.0) += c * d;
        }
        if product.len() > MONOMIALS {
            return None;
        }
    }
    Some(product)
}
