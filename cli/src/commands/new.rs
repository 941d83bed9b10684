//! `blo new`: a folder with a commented model to begin with, and its data.

use std::path::Path;
use std::process::ExitCode;

use super::{FINE, WRONG_INPUT, print_out};
use crate::args::{Format, NewArgs, Template};
use crate::files::Trouble;
use crate::render::Renderer;

/// Files by their path in the new folder.
type Files = &'static [(&'static str, &'static str)];

const RIDGE: Files = &[
    ("model.blo", include_str!("../starter/ridge.blo")),
    ("data/x_train.csv", include_str!("../starter/x_train.csv")),
    ("data/y_train.csv", include_str!("../starter/y_train.csv")),
    ("data/x_valid.csv", include_str!("../starter/x_valid.csv")),
    ("data/y_valid.csv", include_str!("../starter/y_valid.csv")),
];

const GAME: Files = &[("model.blo", include_str!("../starter/game.blo"))];

/// Runs the command.
pub fn run(args: &NewArgs) -> ExitCode {
    let mut renderer = Renderer::new(Format::Text);
    let files = match args.template {
        Template::Ridge => RIDGE,
        Template::Game => GAME,
    };
    match written(&args.name, files) {
        Ok(()) if args.quiet => ExitCode::from(FINE),
        Ok(()) => {
            let name = args.name.display();
            let text = format!(
                "{name}/model.blo\n\nSolve it:   blo run {name}/model.blo\nTest it:    blo test {name}\n"
            );
            print_out(&mut renderer, &text, FINE)
        }
        Err(trouble) => {
            renderer.trouble(&trouble);
            ExitCode::from(WRONG_INPUT)
        }
    }
}

fn written(folder: &Path, files: Files) -> Result<(), Trouble> {
    if folder.exists() {
        let trouble = Trouble::new(format!("`{}` exists already", folder.display()));
        return Err(trouble.help("name a folder that does not"));
    }
    for (name, text) in files {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent)
            .map_err(|e| Trouble::new(format!("cannot make `{}`: {e}", parent.display())))?;
        crate::files::replace(&path, text.as_bytes())?;
    }
    Ok(())
}
