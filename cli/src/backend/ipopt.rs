//! Ipopt, an interior-point method for smooth programs: reads `.nl`, writes `.sol`.
//!
//! Complementary products are at most 1e-2, then 1e-5 and at last 1e-8, each run beginning where the one before ended: products that must be 0
//! have no interior, and Ipopt alone with them often stops early. The answer is a stationary point at best.

use blo_compiler::export::Single;
use blo_runtime::problem::Feature;

use super::{Backend, End, Outcome, Task, Unfit, sol};

/// Ipopt.
pub static IPOPT: Backend = Backend {
    name: "ipopt",
    install: "`conda install -c conda-forge ipopt`, `apt-get install coinor-ipopt`, or coin-or.github.io/Ipopt",
    handles: &[Feature::UpperConstraints, Feature::LowerConstraints, Feature::Multipliers],
    takes: "smooth models without whole numbers",
    solve,
};

/// What complementary products may be, run by run.
const ROOMS: [f64; 3] = [1e-2, 1e-5, 1e-8];

fn solve(single: &mut Single, task: &Task) -> Result<Outcome, Unfit> {
    let rooms = if single.has_pairs() { &ROOMS[..] } else { &ROOMS[2..] };
    let mut outcome = Outcome { values: None, end: End::Failed, message: String::new(), runs: 0 };
    for &room in rooms {
        if let Some(end) = task.stopped() {
            return Ok(Outcome { end, ..outcome });
        }
        task.write("model.nl", &single.nl(room)?)?;
        let mut arguments: Vec<String> = ["model.nl", "-AMPL", "print_level=0"].map(String::from).into();
        arguments.extend(task.left().map(|left| format!("max_cpu_time={}", left.max(1e-3))));
        let ran = match task.run("model.sol", &arguments)? {
            Ok(ran) => ran,
            Err(end) => return Ok(Outcome { end, ..outcome }),
        };
        outcome.runs += 1;
        let failed = |why: &str| Outcome {
            message: ran.without_answer(why),
            values: None,
            end: End::Failed,
            runs: outcome.runs,
        };
        let Some(text) = task.read("model.sol") else {
            return Ok(failed("ipopt wrote no answer"));
        };
        let answer = match sol::read(&text, single.len()) {
            Ok(answer) => answer,
            Err(wrong) => return Ok(failed(&format!("the answer of ipopt cannot be read: {wrong}"))),
        };
        outcome.message = answer.message;
        outcome.end = match answer.code {
            0..200 if !answer.values.is_empty() => End::Solved,
            400..500 if task.stopped().is_some() => End::TimeLimit,
            _ => End::Failed,
        };
        if outcome.end != End::Failed {
            single.start_at(&answer.values);
            outcome.values = Some(answer.values);
        } else if room == ROOMS[2] {
            // An answer with more room is none to this program.
            outcome.values = None;
        }
    }
    if single.has_pairs() {
        outcome.message += &format!("; complementary products at most {:e}", ROOMS[2]);
    }
    Ok(outcome)
}
