//! `blo cache`: where compiled code is kept, how much there is, and away with it.

use std::process::ExitCode;

use super::{FINE, WRONG_INPUT, end};
use crate::args::{CacheArgs, Format};
use crate::cache::Cache;
use crate::files::Trouble;
use crate::render::Renderer;

/// Runs the command.
pub fn run(args: &CacheArgs) -> ExitCode {
    let mut renderer = Renderer::new(Format::Text);
    let Some(cache) = Cache::open() else {
        let trouble = Trouble::new("there is no folder for compiled code");
        renderer.trouble(&trouble.help("name one in the environment variable BLO_CACHE"));
        return end(&mut renderer, "", &[], WRONG_INPUT);
    };
    let text = if args.clear {
        format!("{}: {} removed\n", cache.folder().display(), programs(cache.clear()))
    } else {
        let (number, bytes) = cache.size();
        let size = bytes as f64 / f64::from(1 << 20);
        format!("{}: {}, {size:.1} MiB\n", cache.folder().display(), programs(number))
    };
    end(&mut renderer, if args.quiet { "" } else { &text }, &[], FINE)
}

fn programs(number: usize) -> String {
    if number == 1 { "1 program".into() } else { format!("{number} programs") }
}
