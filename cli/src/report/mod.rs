//! `blo run --report`: a run as one page of HTML that needs nothing beside itself. Here its sections; pictures come from
//! [`crate::plot`].

mod highlight;

use std::fmt::Write as _;
use std::path::Path;

use blo_compiler::model::{Data, Model};

use crate::files::Trouble;
use crate::output::comparison::Course;
use crate::output::human::{figures, number};
use crate::output::{RunResult, Variable};
use crate::plot::svg::{escaped, inline};
use crate::plot::{array, course};
use crate::stopwatch::PARTS;
use crate::version;

const STYLE: &str = include_str!("style.css");
/// Arrays with at most this many entries are written number by number.
const TABLE: usize = 60;
/// Columns of such a table.
const COLUMNS: usize = 12;

/// What a page tells of.
pub struct Report<'a> {
    /// The model's file.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
    /// The model as it was solved.
    pub model: &'a Model,
    /// What came out.
    pub result: &'a RunResult,
    /// The way there.
    pub course: &'a Course,
    /// The words of the command line.
    pub command: &'a [String],
}

impl Report<'_> {
    /// Writes the page.
    pub fn write(&self, path: &Path) -> Result<(), Trouble> {
        crate::files::replace(path, self.page().as_bytes())
    }

    fn page(&self) -> String {
        // The whole path stands in the command at the end.
        let file =
            Path::new(self.name).file_name().map_or_else(|| self.name.into(), |file| file.to_string_lossy());
        let name = escaped(&file);
        let mut out = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{name} – blo</title>\n\
             <link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
        );
        self.verdict(&mut out, &name);
        self.convergence(&mut out);
        self.variables(&mut out);
        self.sensitivity(&mut out);
        self.data(&mut out);
        section(&mut out, "Model", &format!("<pre>{}</pre>\n", highlight::model(self.text.trim_end())));
        self.cost(&mut out);
        self.again(&mut out);
        out.push_str("</main>\n</body>\n</html>\n");
        out
    }

    fn verdict(&self, out: &mut String, name: &str) {
        let result = self.result;
        let class = match result.status.as_str() {
            "optimal" | "solved" => "good",
            "feasible" => "fair",
            _ => "bad",
        };
        let status = escaped(&result.status.replace('_', " "));
        let _ = writeln!(out, "<h1>{name}</h1>");
        let _ = writeln!(
            out,
            "<p><span class=\"chip {class}\">{status}</span> {}</p>\n<p class=\"faint\">{}, {} iterations, {:.3} s</p>",
            escaped(&result.verdict),
            escaped(&result.method),
            result.iterations,
            result.seconds.total()
        );
        let mut body = String::new();
        if let Some(because) = &result.because {
            let _ =
                writeln!(body, "<p>{} was chosen because {}.</p>", escaped(&result.method), escaped(because));
        }
        if let Some(message) = &result.message {
            let _ = writeln!(body, "<p>{} said: {}</p>", escaped(&result.method), escaped(message));
        }
        if let Some(kept) = result.kept {
            let _ = writeln!(
                body,
                "<p>The iterate of iteration {kept} was kept, the best by what was watched.</p>"
            );
        }
        if let Some(starts) = &result.starts {
            let _ = writeln!(
                body,
                "<p>The best of {} starts is number {}.</p>",
                starts.lines.len(),
                starts.number
            );
        }
        body.push_str("<div class=\"columns\">\n<table>\n");
        for (name, value) in figures(result) {
            let _ = writeln!(
                body,
                "<tr><td>{}</td><td class=\"n\">{}</td></tr>",
                escaped(&name),
                escaped(&value)
            );
        }
        body.push_str("</table>\n");
        if !result.expects.is_empty() {
            body.push_str("<table>\n<tr><th></th><th>expected</th></tr>\n");
            for (text, holds) in &result.expects {
                let (class, mark) = if *holds { ("good", '✓') } else { ("bad", '✗') };
                let _ =
                    writeln!(body, "<tr><td class=\"{class}\">{mark}</td><td>{}</td></tr>", escaped(text));
            }
            body.push_str("</table>\n");
        }
        body.push_str("</div>\n");
        section(out, "Verdict", &body);
    }

    fn convergence(&self, out: &mut String) {
        let run = course::Run { label: self.result.method.clone(), course: self.course };
        let body = match course::courses(&[run]) {
            Some(scene) => inline(&scene, "objectives and reports over iterations and time"),
            None => "<p class=\"faint\">The method took no steps that could be drawn.</p>\n".into(),
        };
        let body = body + &self.gap();
        section(out, "Convergence", &body);
    }

    /// What there is to say about the lower gap, which the trace does not have.
    fn gap(&self) -> String {
        let Some(lower) = self.result.lower else { return String::new() };
        let left = lower.gap_left.map_or_else(String::new, |gap| {
            format!(", and {} before the lower level was solved at the end", number(gap))
        });
        format!(
            "<p class=\"faint\">The lower gap is known at the returned point alone, where the check solved the lower level again: \
             {}{left}. Between, the lower objective is that of the method's own iterates.</p>\n",
            number(lower.gap)
        )
    }

    fn variables(&self, out: &mut String) {
        section(out, "Variables", &values(&self.result.variables.iter().collect::<Vec<_>>()));
    }

    /// How the follower's answer moves with the leader's variables, and shadow prices.
    fn sensitivity(&self, out: &mut String) {
        let result = self.result;
        let named = |v: &Variable| Variable { name: format!("dual({})", v.name), ..v.clone() };
        let prices: Vec<Variable> = result.multipliers.iter().map(named).collect();
        let all: Vec<&Variable> = result.slopes.iter().map(|(slope, _)| slope).chain(&prices).collect();
        if all.is_empty() {
            return;
        }
        let mut body = values(&all);
        for (slope, note) in &result.slopes {
            if let Some(note) = note {
                let _ = writeln!(body, "<p>{}: {}</p>", escaped(&slope.name), escaped(note));
            }
        }
        section(out, "Sensitivity", &body);
    }

    fn data(&self, out: &mut String) {
        let named: Vec<&Data> = self.model.data.iter().filter(|data| !data.name.is_empty()).collect();
        if named.is_empty() {
            return;
        }
        let mut body =
            String::from("<table>\n<tr><th>name</th><th class=\"n\">numbers</th><th>values</th></tr>\n");
        let mut pictures = String::new();
        for data in named {
            let Some(value) = &data.value else { continue };
            let values: Vec<f64> = value.iter().copied().collect();
            let shape = data.matrix.map_or_else(|| value.shape().to_vec(), |sizes| sizes.to_vec());
            let sparse = if data.matrix.is_some() { " (sparse)" } else { "" };
            let name = escaped(&shaped(&data.name, &shape));
            let words = match values.as_slice() {
                [one] if shape.is_empty() => number(*one),
                values => range(values),
            };
            let _ = writeln!(
                body,
                "<tr><td>{name}{sparse}</td><td class=\"n\">{}</td><td>{words}</td></tr>",
                values.len()
            );
            // Only what looks like images says more as a picture.
            if let (None, Some(scene)) = (data.matrix, array::image_picture(&shape, &values)) {
                let _ = write!(pictures, "<h3>{name}</h3>\n{}", inline(&scene, &data.name));
            }
        }
        body.push_str("</table>\n");
        section(out, "Data", &(body + &pictures));
    }

    fn cost(&self, out: &mut String) {
        let (result, seconds) = (self.result, &self.result.seconds);
        let mut body = String::from(
            "<div class=\"columns\">\n<table>\n<tr><th>part</th><th class=\"n\">ms</th><th></th></tr>\n",
        );
        let most = seconds.parts.iter().copied().fold(0.0, f64::max);
        for (part, value) in PARTS.iter().zip(seconds.parts) {
            let cached = if seconds.cached && *part == "codegen" { " (from the cache)" } else { "" };
            let width = if most > 0.0 { 200.0 * value / most } else { 0.0 };
            let _ = writeln!(
                body,
                "<tr><td>{part}{cached}</td><td class=\"n\">{:.3}</td><td><span class=\"bar\" style=\"width:{width:.0}px\"></span></td></tr>",
                1e3 * value
            );
        }
        let _ = writeln!(
            body,
            "<tr><td>total</td><td class=\"n\">{:.3}</td><td></td></tr>\n</table>",
            1e3 * seconds.total()
        );
        body.push_str("<table>\n<tr><th>evaluated</th><th class=\"n\">times</th></tr>\n");
        for (name, count) in &result.calls {
            let _ = writeln!(
                body,
                "<tr><td>{}</td><td class=\"n\">{count}</td></tr>",
                escaped(&name.replace('_', " "))
            );
        }
        body.push_str("</table>\n</div>\n");
        if let Some(epochs) = result.epochs {
            let _ = writeln!(body, "<p>{epochs:.1} passes over the sampled terms.</p>");
        }
        if let Some(trajectory) = &result.trajectory {
            let _ = writeln!(body, "<p>Trajectory: {}.</p>", escaped(trajectory));
        }
        section(out, "Time and evaluations", &body);
    }

    fn again(&self, out: &mut String) {
        let words: Vec<String> = self.command.iter().map(|word| quoted(word)).collect();
        let body = format!(
            "<pre>{}</pre>\n<p></p><table>\n<tr><td>seed</td><td>{}</td></tr>\n<tr><td>blo</td><td>{}</td></tr>\n\
             <tr><td>arithmetic</td><td>{}</td></tr>\n<tr><td>system</td><td>{} {}</td></tr>\n</table>\n\
             <p class=\"faint\">The same model, data, seed and version give the same bits on the same kind of processor, \
             whatever the number of threads.</p>\n",
            escaped(&words.join(" ")),
            self.result.seed,
            escaped(version::version()),
            match self.model.precision {
                blo_compiler::model::Precision::F32 => "f32",
                blo_compiler::model::Precision::F64 => "f64",
            },
            std::env::consts::OS,
            std::env::consts::ARCH,
        );
        section(out, "How to repeat it", &body);
    }
}

/// Numbers in one table, arrays each with a table or a picture of their own.
fn values(all: &[&Variable]) -> String {
    let mut body = String::new();
    let (scalars, arrays): (Vec<&Variable>, Vec<&Variable>) =
        all.iter().partition(|variable| variable.shape.is_empty());
    if !scalars.is_empty() {
        body.push_str("<table>\n");
        for variable in scalars {
            let value = variable.values.first().map_or_else(String::new, |value| number(*value));
            let name = escaped(&variable.name);
            let _ = writeln!(body, "<tr><td>{name}</td><td class=\"n\">{value}</td></tr>");
        }
        body.push_str("</table>\n");
    }
    for variable in arrays {
        let name = escaped(&shaped(&variable.name, &variable.shape));
        let _ = writeln!(body, "<h3>{name}<small>{}</small></h3>", range(&variable.values));
        body.push_str(&table(variable));
        if let Some(scene) = array::picture(variable) {
            body.push_str(&inline(&scene, &variable.name));
        }
    }
    body
}

fn section(out: &mut String, title: &str, body: &str) {
    let _ = write!(out, "<section>\n<h2>{title}</h2>\n{body}</section>\n");
}

/// `W[784, 10]`.
fn shaped(name: &str, shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    if sizes.is_empty() { name.to_owned() } else { format!("{name}[{}]", sizes.join(", ")) }
}

fn range(values: &[f64]) -> String {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let count = finite().count();
    if count == 0 {
        return "no finite values".into();
    }
    let low = finite().fold(f64::INFINITY, f64::min);
    let high = finite().fold(f64::NEG_INFINITY, f64::max);
    let mean = finite().sum::<f64>() / count as f64;
    // What rounding leaves of a sum that is 0 is no number to show.
    let mean = if mean.abs() < 1e-12 * high.abs().max(low.abs()) { 0.0 } else { mean };
    let odd =
        if count < values.len() { format!(", {} not finite", values.len() - count) } else { String::new() };
    format!("from {} to {}, mean {}{odd}", number(low), number(high), number(mean))
}

/// Every number of a small vector or matrix, with the labels of its axes.
fn table(variable: &Variable) -> String {
    let Variable { shape, values, labels, .. } = variable;
    let (rows, columns) = match *shape.as_slice() {
        [n] if n <= COLUMNS => (1, n),
        [m, n] if n <= COLUMNS && m * n <= TABLE => (m, n),
        _ => return String::new(),
    };
    let axis = |k: usize| labels.get(k).and_then(Option::as_ref);
    let (down, across) = if shape.len() == 1 { (None, axis(0)) } else { (axis(0), axis(1)) };
    let mut out = String::from("<table>\n");
    if let Some(names) = across {
        out.push_str(if down.is_some() { "<tr><th></th>" } else { "<tr>" });
        names.iter().for_each(|name| out += &format!("<th class=\"n\">{}</th>", escaped(name)));
        out.push_str("</tr>\n");
    }
    for i in 0..rows {
        out.push_str("<tr>");
        if let Some(name) = down.and_then(|names| names.get(i)) {
            let _ = write!(out, "<th>{}</th>", escaped(name));
        }
        values[i * columns..(i + 1) * columns]
            .iter()
            .for_each(|value| out += &format!("<td class=\"n\">{}</td>", number(*value)));
        out.push_str("</tr>\n");
    }
    out + "</table>\n"
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_the_shell() {
        assert_eq!(quoted("--set"), "--set");
        assert_eq!(quoted("rhg(steps = 3)"), "'rhg(steps = 3)'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn small_arrays_are_written_in_full() {
        let all = crate::output::sample().variables;
        let flow = table(&all[3]);
        assert!(flow.contains("<th>Paris</th><td class=\"n\">0</td><td class=\"n\">3</td>"), "{flow}");
        assert_eq!(table(&all[2]), "");
        assert_eq!(shaped("w", &[2, 2]), "w[2, 2]");
        assert_eq!(range(&[1.0, 3.0, f64::NAN]), "from 1 to 3, mean 2, 1 not finite");
    }
}
