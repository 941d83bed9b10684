//! `blo export`: the single-level form of a model in the formats of other programs.

use std::path::Path;
use std::process::ExitCode;

use blo_compiler::export::{Format, export};

use super::{FINE, WRONG_INPUT, end, refuse};
use crate::args::ExportArgs;
use crate::files::{Trouble, replace};
use crate::session::Session;

/// The formats by the ends of file names.
const FORMATS: [(&str, Format); 3] = [("nl", Format::Nl), ("lp", Format::Lp), ("mps", Format::Mps)];

/// Runs the command.
pub fn run(args: &ExportArgs) -> ExitCode {
    let mut session = match Session::open(&args.model) {
        Ok(session) => session,
        Err(mut renderer) => return end(&mut renderer, "", &[], WRONG_INPUT),
    };
    let Some(text) = written(&mut session, args) else { return refuse(&mut session.renderer) };
    let done = replace(&args.file, text.as_bytes());
    match session.settled(done) {
        Some(()) => end(&mut session.renderer, "", &[], FINE),
        None => refuse(&mut session.renderer),
    }
}

/// The text of the file; `None` when something is wrong, which has been told.
pub fn written(session: &mut Session, args: &ExportArgs) -> Option<String> {
    let format = session.settled(format(&args.file))?;
    let model = session.model(&args.model, true)?;
    match export(&model, format) {
        Ok(text) => Some(text),
        Err(diagnostics) => {
            session.tell(&diagnostics);
            None
        }
    }
}

fn format(file: &Path) -> Result<Format, Trouble> {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    let found = FORMATS.iter().find(|(name, _)| extension.eq_ignore_ascii_case(name));
    found.map(|(_, format)| *format).ok_or_else(|| {
        Trouble::new(format!("`{}` does not say which format it is to have", file.display()))
            .help("its name ends in `.nl`, `.lp` or `.mps`")
    })
}
