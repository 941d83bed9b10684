//! Data that whoever runs a frozen problem may give other values: what they must be like, and why some stay as they are.

use super::wire::{wire, wire_variants};

/// What the elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// Real numbers.
    Real,
    /// Whole numbers.
    Int,
    /// Truth values, 0 and 1.
    Bool,
}

impl Element {
    /// The word of the language.
    pub fn name(self) -> &'static str {
        match self {
            Element::Real => "real",
            Element::Int => "int",
            Element::Bool => "bool",
        }
    }
}

/// An array of data or a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Datum {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub element: Element,
    /// Its shape.
    pub shape: Vec<usize>,
    /// The names of its dimensions, where they have any.
    pub dims: Vec<Option<String>>,
    /// The smallest and the largest value.
    pub range: [f64; 2],
    /// Whether its first dimension counts samples, of which there may be any number.
    pub samples: bool,
    /// Why its values are those it was compiled with; empty where it may have others.
    pub fixed: String,
}

wire_variants!(Element { 0 => Real, 1 => Int, 2 => Bool });
wire!(Datum { name, element, shape, dims, range, samples, fixed });

impl Datum {
    /// The numbers in a row: in what the first dimension counts.
    pub fn row(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// Why these values, row by row, cannot be its own; in words.
    ///
    /// # Errors
    /// The words.
    pub fn check(&self, values: &[f64]) -> Result<(), String> {
        let name = &self.name;
        if !self.fixed.is_empty() {
            return Err(format!("`{name}` keeps the values it was compiled with: {}", self.fixed));
        }
        let (len, row) = (self.shape.iter().product::<usize>(), self.row());
        if self.samples && (values.is_empty() || !values.len().is_multiple_of(row)) {
            return Err(format!(
                "a sample of `{name}` has {row} numbers, and there are {} in all",
                values.len()
            ));
        }
        if !self.samples && values.len() != len {
            let shape: Vec<String> = self.shape.iter().map(usize::to_string).collect();
            let shape = shape.join(", ");
            return Err(format!("`{name}` has {len} numbers, [{shape}], and not {}", values.len()));
        }
        let fits = |value: f64| match self.element {
            Element::Real => value.is_finite(),
            Element::Int => value.fract() == 0.0 && value.abs() < 9e15,
            Element::Bool => value == 0.0 || value == 1.0,
        };
        if let Some(at) = values.iter().position(|value| !fits(*value)) {
            let kind = self.element.name();
            return Err(format!("`{name}` is {kind}, and number {at} of its values is {}", values[at]));
        }
        let [low, high] = self.range;
        if let Some(at) = values.iter().position(|value| *value < low || *value > high) {
            let value = values[at];
            return Err(format!("number {at} of `{name}` is {value}, outside of its range {low} to {high}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_do_not_fit_are_refused_in_words() {
        let datum = Datum {
            name: "y".into(),
            element: Element::Int,
            shape: vec![2, 2],
            dims: vec![Some("n".into()), None],
            range: [0.0, 9.0],
            samples: false,
            fixed: String::new(),
        };
        let wrong = |values: &[f64]| datum.check(values).unwrap_err();
        assert_eq!(datum.check(&[0.0, 9.0, 1.0, 2.0]), Ok(()));
        assert_eq!(wrong(&[1.0]), "`y` has 4 numbers, [2, 2], and not 1");
        assert_eq!(wrong(&[1.0, 1.5, 1.0, 2.0]), "`y` is int, and number 1 of its values is 1.5");
        assert_eq!(wrong(&[1.0, 1.0, 1.0, f64::NAN]), "`y` is int, and number 3 of its values is NaN");
        assert_eq!(wrong(&[10.0, 1.0, 1.0, 2.0]), "number 0 of `y` is 10, outside of its range 0 to 9");
        let many = Datum { samples: true, ..datum.clone() };
        assert_eq!(many.check(&[1.0; 6]), Ok(()));
        let words = many.check(&[1.0; 5]).unwrap_err();
        assert_eq!(words, "a sample of `y` has 2 numbers, and there are 5 in all");
        let fixed = Datum { fixed: "it is the start of `w`".into(), ..datum };
        let words = fixed.check(&[0.0; 4]).unwrap_err();
        assert_eq!(words, "`y` keeps the values it was compiled with: it is the start of `w`");
    }
}
