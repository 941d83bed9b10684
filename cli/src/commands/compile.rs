//! `blo compile`: a model as a library for other programs.

use std::process::ExitCode;

use blo_compiler::codegen::features;
use blo_compiler::given;
use blo_compiler::session::{Cpu, Surroundings};
use blo_runtime::frozen::{Head, freeze, machine};
use clap::ValueEnum;

use super::{FINE, WRONG_INPUT, end, refuse};
use crate::args::{CompileArgs, TargetCpu};
use crate::compile;
use crate::files::Trouble;
use crate::native::{self, Names, Wanted};
use crate::session::Session;

/// Runs the command.
pub fn run(args: &CompileArgs) -> ExitCode {
    let mut session = match Session::open(&args.model) {
        Ok(session) => session,
        Err(mut renderer) => return end(&mut renderer, "", &[], WRONG_INPUT),
    };
    match written(&mut session, args) {
        Some(text) => end(&mut session.renderer, if args.quiet { "" } else { &text }, &[], FINE),
        None => refuse(&mut session.renderer),
    }
}

/// Writes everything and says what; `None` when something is wrong, which has been told.
fn written(session: &mut Session, args: &CompileArgs) -> Option<String> {
    let names = session.settled(Names::of(args.output.as_deref(), &args.model.model))?;
    let mut model = session.model(&args.model, true)?;
    let plan = session.plan(&model, &args.flags, args.model.input.seed)?;
    let cpu = match args.target_cpu {
        TargetCpu::Native => Cpu::Native,
        TargetCpu::V3 => Cpu::V3,
        TargetCpu::Baseline => Cpu::Baseline,
    };
    let features = session.settled(features(cpu).map_err(|e| Trouble::new(e.to_string())))?;
    if let Some(lacking) = features.iter().find(|name| !blo_runtime::frozen::has(name)) {
        // What depends on data alone is computed while the model is compiled.
        let trouble = Trouble::new(format!(
            "this processor has no {lacking}, so code that uses it cannot be written here"
        ));
        session.renderer.trouble(&trouble);
        return None;
    }
    let clock = session.clock.clone();
    let around = Surroundings { observer: &*clock, cache: None, keep: Some(cpu) };
    let problem = match compile::problem(&mut model, &plan, args.model.input.seed, around) {
        Ok(problem) => problem,
        Err(diagnostics) => {
            session.tell(&diagnostics);
            return None;
        }
    };
    let cpu_name = args.target_cpu.to_possible_value().map_or_else(String::new, |v| v.get_name().to_owned());
    let data = given::data(&model, plan.solver.levels.has_rows(), &problem);
    let manifest = native::manifest(&model, &data, &plan, &problem, &names, &cpu_name);
    let head = Head { machine: machine(), features, manifest: manifest.to_string(), data };
    let frozen = freeze(&problem, plan.solver, &plan.settings, &head);
    let frozen = frozen.ok_or_else(|| Trouble::new("code for this machine cannot be kept in a file"));
    let frozen = session.settled(frozen)?;
    let wanted = Wanted { python: args.python, rust: args.rust, object: args.object };
    let files = native::write(&names, &manifest, &frozen, wanted);
    let lines = session.settled(files)?;
    Some(lines.iter().map(|path| format!("{}\n", path.display())).collect())
}
