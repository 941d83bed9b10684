//! Which definition each use of a name means, from the text alone.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use blo_grammar::names::{Kind, Names};
use blo_grammar::parse::parse;
use blo_grammar::span::FileId;

fn names(text: &str) -> Names {
    Names::of(&parse(FileId(0), text).0)
}

/// Kind of the definition, and line of each place, for the name at the first occurrence of a piece of text.
fn meaning(text: &str, piece: &str) -> (Kind, Vec<usize>) {
    let names = names(text);
    let id = names.at(text.find(piece).unwrap()).unwrap();
    let line = |byte: u32| text[..byte as usize].matches('\n').count() + 1;
    (names.definitions[id].kind, names.places(id).iter().map(|span| line(span.start)).collect())
}

const MODEL: &str = "\
dim m
data A: real[m, d] in [0, inf] = [[1, 2]]
param c = 2
fn norm2(v: real[k], c) = { let s = v * c
  let s2 = s * s
  sum(s2[i] + c for i in k) }
upper {
  var x: real[d]
  let r = A @ x
  minimize norm2(r, c) + power.objective
  subject to cap[i in m]: r[i] <= c
}
lower power {
  var y: real[d] in [0, c]
  let r = y - x
  minimize norm2(r, 1) + sum(r[j] for j in d if j < c)
}
solve bome(steps = 10, weight = constant)
report gap = sum(y - x) + sum(power.y)
expect gap < c and dual(cap)[0] >= 0
";

#[test]
fn declarations_are_known_everywhere() {
    assert_eq!(meaning(MODEL, "x: real"), (Kind::Var, vec![8, 9, 15, 19]));
    assert_eq!(meaning(MODEL, "y: real"), (Kind::Var, vec![14, 15, 19, 19]));
    assert_eq!(meaning(MODEL, "cap["), (Kind::Constraint, vec![11, 20]));
    assert_eq!(meaning(MODEL, "gap ="), (Kind::Report, vec![19, 20]));
    assert_eq!(meaning(MODEL, "power {"), (Kind::Follower, vec![10, 13, 19]));
    assert_eq!(meaning(MODEL, "norm2(v"), (Kind::Fn, vec![4, 10, 16]));
}

#[test]
fn dimensions_are_defined_by_the_first_type_that_names_them() {
    assert_eq!(meaning(MODEL, "m\ndata"), (Kind::Dim, vec![1, 2, 11]));
    assert_eq!(meaning(MODEL, "d] in"), (Kind::Dim, vec![2, 8, 14, 16]));
    assert_eq!(meaning(MODEL, "k], c"), (Kind::Parameter, vec![4, 6]));
}

#[test]
fn the_innermost_name_counts() {
    assert_eq!(meaning(MODEL, "c = 2"), (Kind::Param, vec![3, 10, 11, 14, 16, 20]));
    assert_eq!(meaning(MODEL, "c) = {"), (Kind::Parameter, vec![4, 4, 6]));
    assert_eq!(meaning(MODEL, "s = v"), (Kind::Let, vec![4, 5, 5]));
    assert_eq!(meaning(MODEL, "r = A"), (Kind::Let, vec![9, 10, 11]));
    assert_eq!(meaning(MODEL, "r = y"), (Kind::Let, vec![15, 16, 16]));
    assert_eq!(meaning(MODEL, "j] for"), (Kind::Index, vec![16, 16, 16]));
}

#[test]
fn what_the_file_does_not_define_is_left_open() {
    let names = names(MODEL);
    let open: Vec<&str> =
        names.uses.iter().filter(|u| u.definition.is_none()).map(|u| u.name.as_str()).collect();
    assert_eq!(open, ["sum", "sum", "sum", "sum", "dual"]);
}

#[test]
fn names_known_at_a_place_are_those_around_it() {
    let names = names(MODEL);
    let at = |piece: &str| -> Vec<&str> {
        let known = names.known_at(MODEL.find(piece).unwrap());
        known.into_iter().map(|d| d.name.as_str()).collect()
    };
    assert!(at("s2[i]").contains(&"i") && at("s2[i]").contains(&"s"));
    assert!(!at("minimize norm2(r, c)").contains(&"s") && at("minimize norm2(r, c)").contains(&"r"));
    assert!(!at("report gap").contains(&"r"));
}

#[test]
fn broken_files_have_names_too() {
    let text = "data A: real[n] = [1]\nupper { var x real\n  minimize sum(A) * z }\n";
    assert_eq!(meaning(text, "A:"), (Kind::Data, vec![1, 3]));
}
