//! `blo doctor`: what this blo is, what the machine gives it, and which programs for exported models are installed.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{FINE, print_out};
use crate::args::{DoctorArgs, Format};
use crate::backend::{BACKENDS, found};
use crate::cache::Cache;
use crate::output::human::table;
use crate::render::Renderer;
use crate::version;

/// Programs that read what `blo export` writes.
const SOLVERS: [&str; 8] = ["ipopt", "scip", "knitro", "cbc", "highs", "glpsol", "gurobi_cl", "cplex"];

/// Runs the command.
pub fn run(args: &DoctorArgs) -> ExitCode {
    let mut out = String::new();
    if args.json {
        out = format!("{:#}\n", document());
    } else {
        table(&mut out, &rows());
    }
    print_out(&mut Renderer::new(Format::Text), &out, FINE)
}

/// The same for tools.
fn document() -> Value {
    let cache = Cache::open().map(|cache| {
        let (programs, bytes) = cache.size();
        json!({ "folder": cache.folder().display().to_string(), "programs": programs, "bytes": bytes })
    });
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "build": version::version(),
        "system": system(),
        "kernels": version::kernels(),
        "available": version::levels(),
        "threads": threads(),
        "cache": cache,
        "solvers": solvers(),
    })
}

fn system() -> String {
    format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn solvers() -> Vec<&'static str> {
    SOLVERS.into_iter().filter(|name| found(name).is_some()).collect()
}

fn rows() -> Vec<(&'static str, String)> {
    let mut rows = vec![("blo", version::version().to_owned())];
    rows.push(("system", system()));
    rows.push((
        "kernels",
        format!("{}; this machine can run {}", version::kernels(), version::levels().join(", ")),
    ));
    rows.push(("threads", threads().to_string()));
    rows.push(("cache", cache()));
    let there = solvers();
    let there = if there.is_empty() { format!("none of {}", SOLVERS.join(", ")) } else { there.join(", ") };
    rows.push(("for `blo export`", there));
    let lie = |name| found(name).map_or_else(|| "not found".into(), |path| path.display().to_string());
    let backends = BACKENDS.iter().map(|backend| format!("{}: {}", backend.name, lie(backend.name)));
    rows.push(("for `--backend`", backends.collect::<Vec<_>>().join(", ")));
    rows
}

fn cache() -> String {
    let Some(cache) = Cache::open() else { return "none; name a folder in BLO_CACHE".into() };
    let (programs, bytes) = cache.size();
    let size = bytes as f64 / f64::from(1 << 20);
    format!("{}: {programs} programs, {size:.1} MiB", cache.folder().display())
}
