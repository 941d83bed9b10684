//! Pictures: [`figure`] lays out the course of several methods that are compared, [`course`] that of runs, [`array`] the values of
//! a variable, all from shapes; [`svg`] and [`png`] write the shapes. Text is measured, and drawn into pixels, with a font of our own, so that no machine needs one.

pub mod array;
mod axis;
pub mod course;
mod figure;
pub mod font;
mod panel;
mod png;
pub mod scene;
pub mod svg;

use std::path::Path;

use crate::files::Trouble;
use crate::output::comparison::Comparison;

/// Draws the comparison into a file that ends in `.svg` or `.png`.
pub fn write(path: &Path, comparison: &Comparison) -> Result<(), Trouble> {
    write_scene(path, &figure::figure(comparison))
}

/// Writes a picture into a file that ends in `.svg` or `.png`.
pub fn write_scene(path: &Path, scene: &scene::Scene) -> Result<(), Trouble> {
    let failed =
        |e: &dyn std::fmt::Display| Trouble::new(format!("cannot write the plot `{}`: {e}", path.display()));
    let bytes = if path.extension().is_some_and(|e| e == "png") {
        png::bytes(scene).ok_or_else(|| failed(&"the picture is too large"))?
    } else {
        svg::text(scene).into_bytes()
    };
    crate::files::replace(path, &bytes)
}

/// Why a picture cannot be written there, as far as that can be known before there is one.
pub fn unwritable(kind: &str, path: &Path) -> Option<Trouble> {
    let shown = path.display();
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let trouble = Trouble::new(format!("the {kind} `{shown}` cannot be written"));
        return Some(trouble.help(format!("there is no folder `{}`", folder.display())));
    }
    path.is_dir().then(|| Trouble::new(format!("the {kind} `{shown}` is a folder")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::comparison::{Answer, Budget, Course, Entry};
    use crate::scratch::Folder;

    fn entry(label: &str, rank: Option<usize>, scale: f64) -> Entry {
        let columns =
            ["iteration", "seconds", "upper_objective", "lower_objective", "measure", "evaluations"];
        let columns = columns.into_iter().chain(["accuracy"]).map(str::to_owned).collect();
        let row = |k: f64| {
            vec![k, scale * (k + 1.0), 7.2 + 9.0 / (k + 1.0), 0.5, 0.1f64.powf(k), 10.0 * (k + 1.0), 0.5]
        };
        let rows = (0..12).map(|k| row(f64::from(k))).collect();
        let answer = Answer {
            result: crate::output::sample(),
            misfit: None,
            checked: 7.2,
            evaluations: 120,
            seconds: 12.0 * scale,
            number: 0,
            starts: Vec::new(),
            course: Course { columns, rows },
        };
        Entry { label: label.into(), rank, reason: String::new(), outcome: Ok(Box::new(answer)) }
    }

    fn comparison() -> Comparison {
        let refused = Entry {
            label: "kkt".into(),
            rank: None,
            reason: String::new(),
            outcome: Err("not for this model".into()),
        };
        Comparison {
            model: "a<b>&c.blo".into(),
            seed: 0,
            starts: 1,
            budget: Budget { seconds: Some(30.0), steps: None },
            maximize: false,
            entries: vec![entry("cg", Some(1), 0.01), entry("bome(a=1)", None, 0.03), refused],
        }
    }

    /// Elements that are opened are closed, text is escaped, and every method that ran is named.
    #[test]
    fn the_svg_is_well_formed() {
        let folder = Folder::new();
        let path = folder.path("p.svg");
        write(&path, &comparison()).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
        for part in [
            "1  cg",
            "bome(a=1) (not allowed)",
            "accuracy",
            "seconds",
            "a&lt;b&gt;&amp;c.blo – 30 s for each run",
        ] {
            assert!(text.contains(part), "{part}");
        }
        assert!(!text.contains("kkt") && !text.contains("NaN") && !text.contains("inf"));
        for line in text.lines().skip(1).filter(|line| *line != "</svg>") {
            let closed = line.ends_with("/>") || (line.starts_with("<text ") && line.ends_with("</text>"));
            assert!(closed && line.matches('"').count() % 2 == 0, "{line}");
        }
        assert_eq!(std::fs::read_dir(folder.path("")).unwrap().count(), 1);
    }

    /// The pixels are those of the size asked for, mostly white, with lines in the colours of both methods.
    #[test]
    fn the_png_shows_the_lines() {
        let scene = figure::figure(&comparison());
        let picture = tiny_skia::Pixmap::decode_png(&png::bytes(&scene).unwrap()).unwrap();
        assert_eq!(picture.width(), 2 * scene.width as u32);
        let count = |wanted: [u8; 3]| {
            let same = |p: &&tiny_skia::PremultipliedColorU8| [p.red(), p.green(), p.blue()] == wanted;
            picture.pixels().iter().filter(same).count()
        };
        let all = picture.pixels().len();
        assert!(count([255; 3]) > all / 2);
        assert!(count([0, 114, 178]) > 500 && count([213, 94, 0]) > 500, "lines of both methods");
        assert!(count([34, 34, 34]) > 100, "text");
    }

    #[test]
    fn a_plot_that_cannot_be_written_is_reported() {
        let folder = Folder::new();
        let trouble = write(&folder.path("none/p.svg"), &comparison()).unwrap_err();
        assert!(trouble.message.contains("none/p.svg"), "{}", trouble.message);
    }

    /// A comparison in which nobody ran has axes all the same.
    #[test]
    fn nothing_to_draw_is_no_trouble() {
        let empty = Comparison { entries: Vec::new(), ..comparison() };
        assert!(png::bytes(&figure::figure(&empty)).is_some());
    }
}
