//! A formula in the language's own notation.

use super::formula::{Formula, Infix, Place, Turn};

/// How strongly parts hold together, loosest first; as the grammar has them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Loose,
    Or,
    And,
    Not,
    Compare,
    Sum,
    Product,
    Matrix,
    Minus,
    Power,
    Tight,
}

/// The formula as text that the parser reads back.
pub fn text(formula: &Formula) -> String {
    let mut out = String::new();
    write(formula, &mut out);
    out
}

fn level(formula: &Formula) -> Level {
    match formula {
        Formula::If(_) => Level::Loose,
        Formula::Not(_) => Level::Not,
        Formula::Minus(_) => Level::Minus,
        Formula::Number(k) if k.is_sign_negative() => Level::Minus,
        Formula::Infix(op, ..) => infix(*op).1,
        _ => Level::Tight,
    }
}

/// The sign, how strongly it binds, and whether equal levels are fine on the left and on the right.
fn infix(op: Infix) -> (&'static str, Level, bool, bool) {
    match op {
        Infix::Or => ("or", Level::Or, true, true),
        Infix::And => ("and", Level::And, true, true),
        Infix::Eq => ("==", Level::Compare, false, false),
        Infix::Ne => ("!=", Level::Compare, false, false),
        Infix::Lt => ("<", Level::Compare, false, false),
        Infix::Le => ("<=", Level::Compare, false, false),
        Infix::Add => ("+", Level::Sum, true, true),
        Infix::Sub => ("-", Level::Sum, true, false),
        Infix::Mul | Infix::Times => ("*", Level::Product, true, true),
        Infix::Div => ("/", Level::Product, true, false),
        Infix::Matrix | Infix::Vector => ("@", Level::Matrix, true, false),
        Infix::Pow => ("^", Level::Power, false, true),
    }
}

/// Writes a part, in brackets where it would not hold together.
fn part(formula: &Formula, least: Level, equal: bool, out: &mut String) {
    let own = level(formula);
    let bare = own > least || (equal && own == least);
    if bare {
        write(formula, out);
    } else {
        out.push('(');
        write(formula, out);
        out.push(')');
    }
}

fn write(formula: &Formula, out: &mut String) {
    match formula {
        Formula::Number(k) => out.push_str(&number(*k)),
        Formula::Name(name, _) => out.push_str(name),
        Formula::Index(of, at) => {
            part(of, Level::Tight, true, out);
            out.push('[');
            for (k, place) in at.iter().enumerate() {
                if k > 0 {
                    out.push_str(", ");
                }
                match place {
                    Place::At(formula) => write(formula, out),
                    Place::Range(a, b) => out.push_str(&format!("{a}..{b}")),
                    Place::All => out.push(':'),
                }
            }
            out.push(']');
        }
        Formula::Call(word, arguments) => {
            out.push_str(word);
            list(arguments, ('(', ')'), out);
        }
        Formula::List(parts) => list(parts, ('[', ']'), out),
        Formula::Minus(x) => {
            out.push('-');
            part(x, Level::Minus, false, out);
        }
        Formula::Not(x) => {
            out.push_str("not ");
            part(x, Level::Not, true, out);
        }
        Formula::Transpose(x) => {
            part(x, Level::Tight, true, out);
            out.push('\'');
        }
        Formula::Infix(op, a, b) => {
            let (sign, level, left, right) = infix(*op);
            part(a, level, left, out);
            match op {
                Infix::Pow => out.push('^'),
                _ => out.push_str(&format!(" {sign} ")),
            }
            part(b, level, right, out);
        }
        Formula::If(parts) => {
            let [condition, a, b] = &**parts;
            out.push_str("if ");
            part(condition, Level::Loose, false, out);
            out.push_str(" then ");
            part(a, Level::Loose, false, out);
            out.push_str(" else ");
            part(b, Level::Loose, true, out);
        }
        Formula::Over { word, body, turns, filter } => {
            out.push_str(word);
            out.push('(');
            write(body, out);
            write_turns(turns, out);
            if let Some(filter) = filter {
                out.push_str(" if ");
                write(filter, out);
            }
            out.push(')');
        }
        Formula::Array(body, turns) => {
            out.push('[');
            write(body, out);
            write_turns(turns, out);
            out.push(']');
        }
    }
}

fn list(parts: &[Formula], brackets: (char, char), out: &mut String) {
    out.push(brackets.0);
    for (k, part) in parts.iter().enumerate() {
        if k > 0 {
            out.push_str(", ");
        }
        write(part, out);
    }
    out.push(brackets.1);
}

fn write_turns(turns: &[Turn], out: &mut String) {
    for (k, turn) in turns.iter().enumerate() {
        out.push_str(if k == 0 { " for " } else { ", " });
        out.push_str(&turn.index);
        out.push_str(" in ");
        if let Some(from) = &turn.from {
            part(from, Level::Compare, false, out);
            out.push_str("..");
        }
        match &turn.dim {
            Some(dim) => out.push_str(dim),
            None => out.push_str(&turn.size.to_string()),
        }
    }
}

/// A number that reads back as itself.
pub fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "inf".to_owned() } else { "-inf".to_owned() };
    }
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e15).contains(&size) { format!("{value:e}") } else { format!("{value}") }
}
