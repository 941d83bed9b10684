//! What the values of flags look like: numbers, sizes, times, pairs and bindings.

use std::path::PathBuf;

use crate::data::Binding;

pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => {
            Ok((name.trim().into(), value.trim().into()))
        }
        _ => Err("expected NAME=VALUE".into()),
    }
}

/// A number of bytes: `1000`, `512MB`, `1.5 GiB`.
pub(super) fn size(text: &str) -> Result<usize, String> {
    const UNITS: [(&str, f64); 8] = [
        ("kib", 1024.0),
        ("mib", 1048576.0),
        ("gib", 1073741824.0),
        ("kb", 1e3),
        ("mb", 1e6),
        ("gb", 1e9),
        ("tb", 1e12),
        ("b", 1.0),
    ];
    let lower = text.trim().to_lowercase();
    let unit = UNITS.iter().find_map(|(unit, factor)| Some((lower.strip_suffix(unit)?, *factor)));
    let (number, factor) = unit.unwrap_or((&lower, 1.0));
    match number.trim().parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 => Ok((value * factor) as usize),
        _ => Err("expected a size such as 512MB or 2GiB".into()),
    }
}

/// `--data`: a name and a file, or an archive.
pub fn binding(text: &str) -> Result<Binding, String> {
    let named = |(name, file): (&str, &str)| Binding { name: Some(name.trim().into()), file: file.into() };
    match text.split_once('=') {
        Some((name, file)) if is_name(name.trim()) && !file.is_empty() => Ok(named((name, file))),
        _ if text.to_lowercase().ends_with(".npz") => Ok(Binding { name: None, file: text.into() }),
        _ => Err("expected NAME=FILE, or an archive FILE.npz whose members are called like the data".into()),
    }
}

/// Whether this can be the name of data, so that `=` in a path is not taken for a binding.
fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
}

/// Whole numbers that an `f64`, which is what a method's options are, holds exactly.
pub(super) fn whole(text: &str) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(value) if value <= 1 << 53 => Ok(value),
        _ => Err("expected a whole number from 0 to 2^53".into()),
    }
}

pub(super) fn positive(text: &str) -> Result<u64, String> {
    whole(text).ok().filter(|n| *n > 0).ok_or_else(|| "expected a whole number from 1 to 2^53".into())
}

pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value.is_finite() => Ok(value),
        _ => Err("expected a number of seconds above 0".into()),
    }
}

/// Seconds from a time with a unit: `30s`, `500 ms`, `2min`, `1h`; a bare number means seconds.
pub(super) fn duration(text: &str) -> Result<f64, String> {
    const UNITS: [(&str, f64); 5] = [("ms", 1e-3), ("min", 60.0), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let unit = UNITS.iter().find_map(|(unit, factor)| Some((text.trim().strip_suffix(unit)?, *factor)));
    let (number, factor) = unit.unwrap_or((text, 1.0));
    match number.trim().parse::<f64>() {
        Ok(value) if value > 0.0 && (value * factor).is_finite() => Ok(value * factor),
        _ => Err("expected a time above 0, such as 30s, 500ms or 2min".into()),
    }
}

/// A file for a plot.
pub(super) fn picture(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(|e| e.to_str()) {
        Some("svg" | "png") => Ok(path),
        _ => Err("expected a file that ends in .svg or .png".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command, RunArgs};
    use clap::{CommandFactory, Parser};

    fn run(args: &[&str]) -> Result<RunArgs, clap::Error> {
        let cli = Cli::try_parse_from(["blo", "run", "m.blo"].iter().chain(args))?;
        match cli.command {
            Some(Command::Run(run)) => Ok(*run),
            _ => unreachable!("asked for run"),
        }
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn values_are_taken_apart() {
        let args = run(&["--set", "lam = 0.1", "--data", "X=a=b.npy", "--data", "dir/all.npz"]).unwrap();
        assert_eq!(args.model.input.set, [("lam".to_string(), "0.1".to_string())]);
        assert_eq!(args.model.input.data[0], Binding { name: Some("X".into()), file: "a=b.npy".into() });
        assert_eq!(args.model.input.data[1], Binding { name: None, file: "dir/all.npz".into() });
        assert_eq!(args.model.input.seed, 0);
    }

    #[test]
    fn times_have_units() {
        let times = ["30s", "1.5", "500 ms", "2min", "3m", "1h"].map(|text| duration(text).unwrap());
        assert_eq!(times, [30.0, 1.5, 0.5, 120.0, 180.0, 3600.0]);
        for text in ["", "s", "0s", "-1s", "5 years", "inf", "nan"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(picture("a.svg").is_ok() && picture("a.pdf").is_err() && picture("svg").is_err());
    }

    #[test]
    fn wrong_values_are_refused_with_status_2() {
        for args in [
            ["--set", "lam"],
            ["--data", "X.npy"],
            ["--time-limit", "-1"],
            ["--time-limit", "nan"],
            ["--iterations", "many"],
            ["--precision", "f16"],
            ["--emit", "soul"],
            ["--seed", "-1"],
            ["--seed", "18446744073709551615"],
            ["--iterations", "-3"],
            ["--starts", "0"],
        ] {
            assert_eq!(run(&args).unwrap_err().exit_code(), 2, "{args:?}");
        }
    }
}
