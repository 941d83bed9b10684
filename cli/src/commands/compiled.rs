//! `blo run NAME.so`: a compiled model, run as its callers run it, perhaps with other data. What was decided when it was compiled
//! cannot be given again.

use std::process::ExitCode;
use std::rc::Rc;

use blo_compiler::session::{DataError, DataRequest, Loader};
use blo_compiler::types::Elem;
use blo_runtime::frozen::data::Element;
use blo_runtime::frozen::{Thawed, thaw};
use blo_runtime::settings::Settings;
use blo_runtime::solution::{Solution, solve};

use super::{FINE, NOT_SOLVED, end, refuse};
use crate::answer::{bare, ended_as_asked};
use crate::args::{Format, RunArgs};
use crate::data::FileLoader;
use crate::files::Trouble;
use crate::native;
use crate::output::{RunResult, Seconds, human, json};
use crate::render::Renderer;
use crate::stopwatch::Stopwatch;
use crate::watch::{Watch, catch_interrupts};

/// Runs the command.
pub fn run(args: &RunArgs) -> ExitCode {
    let mut renderer = Renderer::new(args.model.input.format);
    let (thawed, settings) = match prepared(args) {
        Ok(prepared) => prepared,
        Err(trouble) => {
            renderer.trouble(&trouble);
            return refuse(&mut renderer);
        }
    };
    catch_interrupts();
    let (solution, result) = solved(args, thawed, &settings);
    let fine = ended_as_asked(&solution);
    let text = if args.json { format!("{:#}\n", json::result(&result)) } else { human::summary(&result) };
    let parts = [("result", json::result(&result))];
    end(&mut renderer, &text, &parts, if fine { FINE } else { NOT_SOLVED })
}

/// The problem, and the options of its method.
fn prepared(args: &RunArgs) -> Result<(Thawed, Settings), Trouble> {
    let input = &args.model.input;
    let fixed = [
        ("--precision", input.precision.is_some()),
        ("--method", args.flags.method.is_some()),
        ("--backend", args.backend.is_some()),
        ("--emit", args.emit.is_some()),
        ("--start", args.start.is_some()),
        ("--starts", args.starts.is_some()),
        ("--checkpoint", args.checkpoint.is_some()),
        ("--resume", args.resume.is_some()),
        ("--stop", args.stop.is_some()),
        ("--watch", args.watch.is_some()),
        ("--out", args.out.is_some()),
    ];
    if let Some((flag, _)) = fixed.iter().find(|(_, given)| *given) {
        let help = "method and dimensions were fixed by `blo compile`; `--data`, `--set`, `--option`, `--iterations`, `--time-limit` and `--json` can be given";
        return Err(Trouble::new(format!("`{flag}` is not for a compiled model")).help(help));
    }
    let shown = args.model.model.display();
    let bytes = native::frozen(&args.model.model)?;
    let mut thawed =
        thaw(&bytes).map_err(|error| Trouble::new(format!("`{shown}` cannot be run: {error}")))?;
    give(&mut thawed, args)?;
    let mut numbers = Vec::new();
    for (name, value) in &args.flags.options {
        let number = value.parse().map_err(|_| {
            Trouble::new(format!("`{name}` of a compiled model takes a number, and `{value}` is none"))
        })?;
        numbers.push((name.clone(), number));
    }
    numbers.extend(args.flags.iterations.map(|n| ("steps".to_owned(), n as f64)));
    let settings = thawed.settings_with(&numbers).map_err(Trouble::new)?;
    Ok((thawed, settings))
}

/// Gives the problem the data of `--data` and `--set`.
fn give(thawed: &mut Thawed, args: &RunArgs) -> Result<(), Trouble> {
    let input = &args.model.input;
    let mut loader = FileLoader::new(&args.model.model, input.data.clone(), Rc::new(Stopwatch::start()));
    for datum in thawed.head.data.clone() {
        let elem = match datum.element {
            Element::Real => Elem::Real,
            Element::Int => Elem::Int,
            Element::Bool => Elem::Bool,
        };
        let sizes = datum.shape.iter().enumerate().map(|(k, n)| (k > 0 || !datum.samples).then_some(*n));
        let request = DataRequest {
            name: &datum.name,
            elem,
            rank: datum.shape.len(),
            file: None,
            sizes: sizes.collect(),
            labels: vec![None; datum.shape.len()],
        };
        let wrong = |e: DataError| Trouble { message: e.message, help: e.help };
        let Some(tensor) = loader.data(&request).map_err(wrong)? else { continue };
        let (there, shape) = (tensor.values.shape(), &datum.shape);
        let free = usize::from(datum.samples);
        if there.len() != shape.len() || there[free..] != shape[free..] {
            let message =
                format!("`{}` has the shape {shape:?}, and {} {there:?}", datum.name, tensor.origin);
            return Err(Trouble::new(message).help("dimensions were fixed by `blo compile`"));
        }
        let values: Vec<f64> = tensor.values.iter().copied().collect();
        thawed.set_data(&datum.name, &values).map_err(Trouble::new)?;
    }
    if let Some(trouble) = loader.unused().into_iter().next() {
        return Err(trouble);
    }
    for (name, text) in &input.set {
        let number: f64 = text.trim().parse().map_err(|_| {
            Trouble::new(format!("`--set {name}` of a compiled model takes a number, and `{text}` is none"))
        })?;
        let datum = thawed.head.data.iter().find(|datum| datum.name == *name);
        let len = datum.map_or(1, |datum| datum.shape.iter().product());
        thawed.set_data(name, &vec![number; len]).map_err(Trouble::new)?;
    }
    thawed.renew().map_err(Trouble::new)
}

fn solved(args: &RunArgs, thawed: Thawed, settings: &Settings) -> (Solution, RunResult) {
    let Thawed { mut problem, solver, .. } = thawed;
    problem.memory = args.memory.unwrap_or(problem.memory);
    let clock = Rc::new(Stopwatch::start());
    clock.solving();
    let show = !args.quiet && !args.json && args.model.input.format == Format::Text;
    let mut watch = Watch::new(args.time_limit, show, clock.clone());
    let solution = problem.whole_where_resized(|problem| solve(problem, solver, settings, &mut watch));
    watch.finish();
    let multipliers = problem.constrained.as_ref().map_or(0, |c| c.duals.len());
    let variables =
        problem.lower.blocks().iter().take_while(|b| b.offset < problem.lower.len() - multipliers);
    let seconds = Seconds { parts: clock.read(), cached: true, data: 0 };
    let result = bare(&solution, variables.count(), &problem.call_table(), seconds, args.model.input.seed);
    (solution, result)
}
