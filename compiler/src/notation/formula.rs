//! A formula as people write it: what the nodes of a graph become before they are set as text. Names, calls, sums over
//! indices, matrix products; no shapes beyond what a reader needs to see.

/// A formula.
#[derive(Clone, Debug, PartialEq)]
pub enum Formula {
    /// A number.
    Number(f64),
    /// A variable, data, an index or a shared part, with the names of its dimensions where it has any.
    Name(String, Vec<Option<String>>),
    /// `of[at]`; trailing whole axes are left out.
    Index(Box<Formula>, Vec<Place>),
    /// `word(arguments)`.
    Call(String, Vec<Formula>),
    /// `-x`.
    Minus(Box<Formula>),
    /// `not x`.
    Not(Box<Formula>),
    /// `x'`.
    Transpose(Box<Formula>),
    /// Two operands.
    Infix(Infix, Box<Formula>, Box<Formula>),
    /// `if c then a else b`.
    If(Box<[Formula; 3]>),
    /// `word(body for turns if filter)`.
    Over {
        /// `sum`, `prod`, `max` or `min`.
        word: &'static str,
        /// What is collected.
        body: Box<Formula>,
        /// The indices.
        turns: Vec<Turn>,
        /// Which turns count.
        filter: Option<Box<Formula>>,
    },
    /// `[body for turns]`.
    Array(Box<Formula>, Vec<Turn>),
    /// `[a, b, …]`.
    List(Vec<Formula>),
}

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Infix {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`, of which one is a scalar.
    Mul,
    /// `a * b`, element by element.
    Times,
    /// `a / b`
    Div,
    /// `a ^ b`
    Pow,
    /// `a @ b` with a matrix on the left.
    Matrix,
    /// `a @ b` with a vector on the left.
    Vector,
    /// `a == b`
    Eq,
    /// `a != b`
    Ne,
    /// `a < b`
    Lt,
    /// `a <= b`
    Le,
    /// `a and b`
    And,
    /// `a or b`
    Or,
}

/// A position along an axis.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// One position, or an array of them.
    At(Formula),
    /// `a..b`
    Range(usize, usize),
    /// All of it.
    All,
}

/// An index and what it runs over.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// The index.
    pub index: String,
    /// Where it begins, unless at 0.
    pub from: Option<Formula>,
    /// One past its last value.
    pub size: usize,
    /// The dimension that the size is, where it has a name.
    pub dim: Option<String>,
}

impl Formula {
    /// A name without dimensions.
    pub fn name(name: impl Into<String>) -> Formula {
        Formula::Name(name.into(), Vec::new())
    }

    /// A call.
    pub fn call(word: impl Into<String>, arguments: Vec<Formula>) -> Formula {
        Formula::Call(word.into(), arguments)
    }

    /// `a op b`, in the form that reads best: `a + -b` is `a - b`, `a * 1` is `a`.
    pub fn infix(op: Infix, a: Formula, b: Formula) -> Formula {
        use Formula::{Minus, Number};
        match (op, a, b) {
            (Infix::Add, Number(zero), a) | (Infix::Add | Infix::Sub, a, Number(zero)) if zero == 0.0 => a,
            (Infix::Add, a, Minus(b)) => Formula::infix(Infix::Sub, a, *b),
            (Infix::Add, a, Number(b)) if b < 0.0 => Formula::infix(Infix::Sub, a, Number(-b)),
            (Infix::Add, Minus(a), b) => Formula::infix(Infix::Sub, b, *a),
            (Infix::Add, Number(a), b) if a < 0.0 => Formula::infix(Infix::Sub, b, Number(-a)),
            (Infix::Add, a, b) if a.leads_with_minus() && !b.leads_with_minus() => {
                Formula::infix(Infix::Add, b, a)
            }
            (Infix::Add, a, b) if b.leads_with_minus() => Formula::infix(Infix::Sub, a, b.negated()),
            (Infix::Sub, a, b) if b.leads_with_minus() => Formula::infix(Infix::Add, a, b.negated()),
            (Infix::Mul | Infix::Times, a, Formula::Infix(Infix::Div, one, b)) if *one == Number(1.0) => {
                Formula::Infix(Infix::Div, Box::new(a), b)
            }
            (Infix::Mul, Number(one), a) | (Infix::Mul, a, Number(one)) if one == 1.0 => a,
            (Infix::Mul, Number(k), a) | (Infix::Mul, a, Number(k)) if k == -1.0 => a.negated(),
            (Infix::Mul, Formula::Infix(Infix::Div, p, q), a) if *p == Number(1.0) => {
                Formula::Infix(Infix::Div, Box::new(a), q)
            }
            (Infix::Mul, a, Number(k)) => Formula::Infix(op, Box::new(Number(k)), Box::new(a)),
            (op, a, b) => Formula::Infix(op, Box::new(a), Box::new(b)),
        }
    }

    /// Whether it is a product or quotient that begins with a negative number.
    fn leads_with_minus(&self) -> bool {
        match self {
            Formula::Number(k) => *k < 0.0,
            Formula::Minus(_) => true,
            Formula::Infix(Infix::Mul | Infix::Times | Infix::Div, a, _) => a.leads_with_minus(),
            _ => false,
        }
    }

    /// `-x`.
    pub fn negated(self) -> Formula {
        match self {
            Formula::Number(k) => Formula::Number(-k),
            Formula::Minus(x) => *x,
            Formula::Infix(op @ (Infix::Mul | Infix::Times | Infix::Div), a, b) if a.leads_with_minus() => {
                Formula::infix(op, a.negated(), *b)
            }
            Formula::Infix(Infix::Sub, a, b) => Formula::infix(Infix::Sub, *b, *a),
            x => Formula::Minus(Box::new(x)),
        }
    }

    /// `x[at]` in simplest form.
    pub fn at(self, at: Vec<Place>) -> Formula {
        let kept = at.iter().rposition(|place| *place != Place::All).map_or(0, |last| last + 1);
        match kept {
            0 => self,
            _ => Formula::Index(Box::new(self), at.into_iter().take(kept).collect()),
        }
    }

    /// Calls `see` for every part, outer ones first.
    pub fn walk(&self, see: &mut dyn FnMut(&Formula)) {
        see(self);
        match self {
            Formula::Number(_) | Formula::Name(..) => {}
            Formula::Index(of, at) => {
                of.walk(see);
                for place in at {
                    if let Place::At(formula) = place {
                        formula.walk(see);
                    }
                }
            }
            Formula::Call(_, parts) | Formula::List(parts) => parts.iter().for_each(|part| part.walk(see)),
            Formula::Minus(x) | Formula::Not(x) | Formula::Transpose(x) => x.walk(see),
            Formula::Infix(_, a, b) => {
                a.walk(see);
                b.walk(see);
            }
            Formula::If(parts) => parts.iter().for_each(|part| part.walk(see)),
            Formula::Over { body, turns, filter, .. } => {
                body.walk(see);
                turns.iter().filter_map(|turn| turn.from.as_ref()).for_each(|from| from.walk(see));
                if let Some(filter) = filter {
                    filter.walk(see);
                }
            }
            Formula::Array(body, turns) => {
                body.walk(see);
                turns.iter().filter_map(|turn| turn.from.as_ref()).for_each(|from| from.walk(see));
            }
        }
    }

    /// The number of its parts.
    pub fn size(&self) -> usize {
        let mut size = 0;
        self.walk(&mut |_| size += 1);
        size
    }
}

/// The dimension that an index runs over, where the formula shows it: the first thing with named dimensions that it indexes.
pub fn dimension_of(index: &str, formula: &Formula) -> Option<String> {
    let mut found = None;
    formula.walk(&mut |part| {
        let Formula::Index(of, at) = part else { return };
        let Formula::Name(_, dims) = &**of else { return };
        for (place, dim) in at.iter().zip(dims) {
            if matches!(place, Place::At(Formula::Name(name, _)) if name == index) && found.is_none() {
                found.clone_from(dim);
            }
        }
    });
    found
}
