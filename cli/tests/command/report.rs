//! `blo run --report` and `blo plot`: pages and pictures that are whole, ask for nothing from elsewhere, and are shown by a browser
//! where there is one.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{Folder, blo, refused, stderr, stdout};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");

/// Models with a hyperparameter, images, a leader and a follower, and tasks; with the few iterations that a picture needs.
const MODELS: [(&str, &str); 4] =
    [("ridge_diabetes", "20"), ("digits_cleaning", "5"), ("duopoly", "200"), ("meta_ridge", "20")];

/// Runs a model of the gallery with a report; the page's text.
fn report(folder: &Folder, name: &str, iterations: &str) -> String {
    let model = format!("{EXAMPLES}/{name}.blo");
    let page = format!("{name}.html");
    let args = ["run", &model, "--iterations", iterations, "--report", &page, "--out", name];
    let output = blo(&folder.path(""), &args);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", stderr(&output));
    fs::read_to_string(folder.path(page)).unwrap()
}

/// Whether elements that are opened are closed in order, with every attribute in quotes.
fn well_formed(markup: &str) -> Result<(), String> {
    const EMPTY: [&str; 3] = ["meta", "link", "!doctype"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = markup;
    while let Some(at) = rest.find('<') {
        if rest[..at].contains('>') {
            return Err(format!("a stray `>` in `{}`", &rest[..at]));
        }
        let end = rest[at..].find('>').ok_or("an element without an end")? + at;
        let inside = &rest[at + 1..end];
        rest = &rest[end + 1..];
        let name = inside.trim_start_matches('/').split([' ', '/']).next().unwrap_or("");
        if inside.matches('"').count() % 2 == 1 {
            return Err(format!("quotes of `{inside}`"));
        }
        if inside.starts_with('/') {
            if open.pop() != Some(name) {
                return Err(format!("`</{name}>` closes nothing"));
            }
        } else if !inside.ends_with('/') && !EMPTY.contains(&name) {
            open.push(name);
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("{open:?} are not closed")) }
}

/// The browser, where one is installed.
fn browser() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    if found.is_none() {
        println!("skipped: no Chromium on this machine, so no page was opened");
    }
    found
}

/// A picture of a page, in its dark or light colours: the bytes of a PNG.
fn photographed(browser: &str, folder: &Folder, page: &str, dark: bool) -> Vec<u8> {
    let shot = folder.path(format!("{page}.{}.png", if dark { "dark" } else { "light" }));
    let mut command = Command::new(browser);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--hide-scrollbars",
    ]);
    command.arg(format!("--user-data-dir={}", folder.path("profile").display()));
    if dark {
        command.arg("--blink-settings=preferredColorScheme=0");
    }
    command.arg("--window-size=1120,3000").arg(format!("--screenshot={}", shot.display()));
    let output = command.arg(format!("file://{}", folder.path(page).display())).output().unwrap();
    assert!(output.status.success() && shot.exists(), "{}", stderr(&output));
    fs::read(shot).unwrap()
}

#[test]
fn a_report_is_whole_and_alone() {
    let folder = Folder::new();
    let browser = browser();
    for (name, iterations) in MODELS {
        let page = report(&folder, name, iterations);
        let elsewhere = page.replace("http://www.w3.org/2000/svg", "");
        for word in ["http:", "https:", "src=", "@import", "url(", "<script"] {
            assert!(!elsewhere.contains(word), "{name}: `{word}`");
        }
        let links = page.matches("href=\"").count();
        assert_eq!(links, page.matches("href=\"data:").count(), "{name}");
        well_formed(&page).unwrap_or_else(|e| panic!("{name}: {e}"));
        for part in [
            "Verdict",
            "Convergence",
            "Variables",
            "Model",
            "Time and evaluations",
            "--report",
            "<polyline",
            "kernels",
        ] {
            assert!(page.contains(part), "{name}: no `{part}`");
        }
        assert!(!page.contains("NaN,") && !page.contains("inf,"), "{name}");
        let Some(browser) = browser else { continue };
        let light = photographed(browser, &folder, &format!("{name}.html"), false);
        let dark = photographed(browser, &folder, &format!("{name}.html"), true);
        assert!(light.len() > 20_000 && dark.len() > 20_000 && light != dark, "{name}");
    }
}

#[test]
fn slopes_and_shadow_prices_are_on_the_page() {
    let folder = Folder::new();
    let page = report(&folder, "shelf", "200");
    well_formed(&page).unwrap();
    let part = page.split("<h2>Sensitivity</h2>").nth(1).expect("a section of its own");
    let part = part.split("</section>").next().unwrap();
    assert!(part.contains("moves") && part.contains("dual(shelf)"), "{part}");
    assert!(part.contains("-0.25") && part.contains(">2<"), "{part}");
}

/// Images for data that look like some, heat maps for matrices.
#[test]
fn pictures_follow_shapes() {
    let folder = Folder::new();
    let page = report(&folder, "digits_cleaning", "2");
    assert!(page.matches("data:image/png;base64,").count() > 30);
    assert!(page.contains("the first 24 of"));
}

#[test]
fn results_are_drawn() {
    let folder = Folder::new();
    report(&folder, "duopoly", "50");
    report(&folder, "ridge_diabetes", "10");
    let draw = |args: &[&str]| {
        let output = blo(&folder.path(""), &[&["plot"], args].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    assert_eq!(draw(&["duopoly", "-o", "one.svg"]), "one.svg\n");
    assert_eq!(draw(&["duopoly/result.json", "ridge_diabetes", "-o", "two.png", "--quiet"]), "");
    let text = fs::read_to_string(folder.path("one.svg")).unwrap();
    well_formed(&text).unwrap();
    assert!(text.contains("upper objective") && text.contains(">seconds<"));
    assert!(fs::read(folder.path("two.png")).unwrap().starts_with(b"\x89PNG"));
    if let Some(browser) = browser() {
        assert!(photographed(browser, &folder, "one.svg", false).len() > 5_000);
    }
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let folder = Folder::new();
    fs::write(folder.path("bad.json"), "{}").unwrap();
    let model = format!("{EXAMPLES}/duopoly.blo");
    refused(&folder, &["plot", "bad.json"], &["`bad.json` is no result", "--out"]);
    refused(&folder, &["plot", "none"], &["none"]);
    refused(&folder, &["plot", "bad.json", "-o", "a.pdf"], &[".svg or .png"]);
    refused(
        &folder,
        &["run", &model, "--report", "no/where.html"],
        &["no/where.html", "there is no folder `no`"],
    );
    assert!(!Path::new(&folder.path("no")).exists());
}
