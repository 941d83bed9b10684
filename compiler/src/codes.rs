//! The codes of the checker (E02, W02), of compiling and running (E04) and of the command's methods (E05), by topic, each in the
//! shape that all codes of blo have. Those of syntax errors stand in `grammar`.

mod data;
mod levels;
mod names;
mod running;
mod shapes;
mod warnings;

pub use blo_grammar::codes::{Code, Example};
use blo_grammar::codes::{all as syntax, ascending};

/// All codes of blo, ascending, those of warnings last.
pub fn all() -> Vec<&'static Code> {
    syntax().into_iter().chain(own()).collect()
}

/// The codes of this crate, ascending.
pub fn own() -> Vec<&'static Code> {
    ascending(&[names::CODES, shapes::CODES, data::CODES, levels::CODES, running::CODES, warnings::CODES])
}

/// The entry of a code.
pub fn explain(code: &str) -> Option<&'static Code> {
    all().into_iter().find(|c| c.code.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_ascending() {
        for pair in all().windows(2) {
            assert!(pair[0].code < pair[1].code, "{} {}", pair[0].code, pair[1].code);
        }
        assert_eq!(explain("e0203").map(|c| c.title), Some("shapes do not match"));
    }
}
