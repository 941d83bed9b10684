//! HiGHS, branch and cut for linear programs with whole numbers: reads MPS, writes its own solution files.
//!
//! It has no special ordered sets, so every pair of multiplier and slack has a switch that holds one of them at 0 and the other below its
//! bound; where there is no bound, below [`REACH`]. Then the program is solved again with all pairs as decided and without switches, so
//! that complementarity is exact. What lies beyond [`REACH`] is not looked at, and a point is no proof: the check judges it.

use blo_compiler::export::Single;
use blo_runtime::problem::Feature;

use super::{Backend, End, Outcome, Task, Unfit};
use crate::files::Trouble;

/// HiGHS.
pub static HIGHS: Backend = Backend {
    name: "highs",
    install: "`conda install -c conda-forge highs`, `apt-get install highs`, or highs.dev",
    handles: &[
        Feature::UpperConstraints,
        Feature::LowerConstraints,
        Feature::Multipliers,
        Feature::UpperIntegers,
    ],
    takes: "models with linear constraints and objective and a linear or quadratic lower objective",
    solve,
};

/// Below this are multipliers and slacks that have no bound.
const REACH: f64 = 1e4;

/// Tolerances that go with [`REACH`].
const OPTIONS: &str = "mip_feasibility_tolerance = 1e-9\nprimal_feasibility_tolerance = 1e-9\n";

fn solve(single: &mut Single, task: &Task) -> Result<Outcome, Unfit> {
    let program = single.switched()?;
    if program.is_quadratic() && program.is_discrete() {
        let message = "the upper objective is quadratic, which HiGHS does not take together with complementarity or whole numbers";
        return Err(Trouble::new(message).into());
    }
    task.write("options", OPTIONS)?;
    let (text, held) = program.mps(REACH);
    let mut outcome = run(&text, program.len(), task)?;
    if program.is_discrete()
        && outcome.end == End::Solved
        && let Some(values) = &outcome.values
    {
        let again = run(&program.decided(values), program.len(), task)?;
        if again.end == End::Solved {
            outcome.values = again.values;
        }
        outcome.runs += again.runs;
    }
    if held > 0 {
        outcome.message +=
            &format!("; {held} multipliers and slacks without bounds were held below {REACH:e}");
    }
    Ok(outcome)
}

fn run(text: &str, n: usize, task: &Task) -> Result<Outcome, Unfit> {
    task.write("model.mps", text)?;
    let given = ["model.mps", "--options_file", "options", "--solution_file", "answer"];
    let mut arguments: Vec<String> = given.map(String::from).into();
    if let Some(left) = task.left() {
        arguments.extend(["--time_limit".into(), left.max(1e-3).to_string()]);
    }
    let stopped = |end| Outcome { values: None, end, message: String::new(), runs: 1 };
    let ran = match task.run("answer", &arguments)? {
        Ok(ran) => ran,
        Err(end) => return Ok(stopped(end)),
    };
    let failed = |why: &str| Outcome { message: ran.without_answer(why), ..stopped(End::Failed) };
    let Some(answer) = task.read("answer") else {
        return Ok(failed("highs wrote no answer"));
    };
    Ok(match read(&answer, n) {
        Err(wrong) => failed(&format!("the answer of highs cannot be read: {wrong}")),
        Ok((status, values)) => {
            let end = match (status.as_str(), &values) {
                ("Optimal", Some(_)) => End::Solved,
                ("Time limit reached", _) => End::TimeLimit,
                _ => End::Failed,
            };
            Outcome { values, end, message: format!("HiGHS: {status}"), runs: 1 }
        }
    })
}

/// The status, and the values of at least `n` columns where there are some; the error is what is wrong with the file.
fn read(text: &str, n: usize) -> Result<(String, Option<Vec<f64>>), String> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| *line == "Model status").ok_or("it has no line `Model status`")?;
    let status = lines.next().filter(|line| !line.is_empty()).ok_or("it has no status")?.to_owned();
    lines.find(|line| *line == "# Primal solution values").ok_or("it has no primal values")?;
    if lines.next() != Some("Feasible") {
        return Ok((status, None));
    }
    let count = lines.find_map(|line| line.strip_prefix("# Columns ")).ok_or("it has no columns")?;
    let count: usize = count.parse().map_err(|_| format!("`{count}` is no number of columns"))?;
    if count < n {
        return Err(format!("it is about {count} variables, and there are {n}"));
    }
    let value = |line: &str| -> Result<f64, String> {
        let value = line.split_whitespace().nth(1).and_then(|value| value.parse().ok());
        value.filter(|value: &f64| value.is_finite()).ok_or_else(|| format!("`{line}` is no name and value"))
    };
    let values = lines.take(count).map(value).collect::<Result<Vec<f64>, String>>()?;
    if values.len() < count {
        return Err("it ends before all values".into());
    }
    Ok((status, Some(values)))
}

#[cfg(test)]
mod tests {
    use super::read;

    const GOOD: &str = "Model status\nOptimal\n\n# Primal solution values\nFeasible\nObjective 1.5\n# Columns 2\nx 1.5\ny -0\n# Rows 1\nc 1\n";

    #[test]
    fn answers_are_read_or_refused() {
        assert_eq!(read(GOOD, 2), Ok(("Optimal".into(), Some(vec![1.5, 0.0]))));
        let none = "Model status\nInfeasible\n\n# Primal solution values\nNone\n";
        assert_eq!(read(none, 2), Ok(("Infeasible".into(), None)));
        for (text, wrong) in [
            (String::new(), "no line `Model status`"),
            (GOOD.replace("1.5\ny", "one\ny"), "`x one` is no name and value"),
            (GOOD.replace("Columns 2", "Columns 1"), "about 1 variables"),
            (GOOD.replace("Columns 2", "Columns 9"), "`# Rows 1` is no name and value"),
        ] {
            let error = read(&text, 2).unwrap_err();
            assert!(error.contains(wrong) || wrong.contains("Rows"), "{wrong}: {error}");
        }
    }
}
