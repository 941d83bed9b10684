//! Answers of programs that read `.nl` files: AMPL's `.sol`, text form.
//!
//! Source: D. M. Gay, "Hooking your solver to AMPL", technical report, Bell Laboratories (1997).

/// What such a file says.
#[derive(Debug, PartialEq)]
pub struct Answer {
    /// The program's message, in one line.
    pub message: String,
    /// The values of the variables; empty where the program has none.
    pub values: Vec<f64>,
    /// The result: below 200 solved, then infeasible, from 300 unbounded, from 400 stopped by a limit, from 500 failed.
    pub code: u32,
}

/// Reads the answer about `n` variables; the error is what is wrong with the file.
pub fn read(text: &str, n: usize) -> Result<Answer, String> {
    let mut lines = text.lines().map(str::trim);
    let said: Vec<&str> = lines.by_ref().take_while(|line| *line != "Options").collect();
    let message = said.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let mut number = |what: &str| -> Result<f64, String> {
        let line = lines.next().ok_or_else(|| format!("it ends before {what}"))?;
        line.parse().map_err(|_| format!("`{line}` stands where {what} belongs"))
    };
    let mut options = number("the number of options")?;
    let first = number("an option")?;
    let second = number("an option")?;
    // The second option says whether a tolerance follows, which is counted as two.
    let tolerance = second == 3.0;
    options -= if tolerance { 4.0 } else { 2.0 };
    if !(0.0..=16.0).contains(&options) || !first.is_finite() {
        return Err("its options cannot be read".into());
    }
    for _ in 0..options as usize {
        number("an option")?;
    }
    number("the number of rows")?;
    let duals = number("the number of multipliers")?;
    let there = number("the number of variables")?;
    let values = number("the number of values")?;
    if there != n as f64 || !(values == 0.0 || values == there) || !(0.0..=1e9).contains(&duals) {
        return Err(format!("it is about {there} variables with {values} values, and there are {n}"));
    }
    if tolerance {
        number("a tolerance")?;
    }
    for _ in 0..duals as usize {
        number("a multiplier")?;
    }
    let values = (0..values as usize).map(|_| number("a value")).collect::<Result<Vec<f64>, String>>()?;
    if values.iter().any(|value| !value.is_finite()) {
        return Err("it has values that are not finite".into());
    }
    let end = lines.find(|line| line.starts_with("objno")).ok_or("it has no line `objno`")?;
    let code = end.split_whitespace().nth(2).and_then(|code| code.parse().ok());
    Ok(Answer { message, values, code: code.ok_or("its line `objno` has no code")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\nIpopt 3.14.16: Optimal\n  Solution Found\n\nOptions\n3\n1\n1\n0\n2\n2\n3\n3\n0.5\n-1e-9\n1\n2\n3.5\nobjno 0 0\nsuffix 0 1 1 0 0\n";

    #[test]
    fn message_values_and_code_are_read() {
        let answer = read(GOOD, 3).unwrap();
        assert_eq!(answer.message, "Ipopt 3.14.16: Optimal Solution Found");
        assert_eq!((answer.values, answer.code), (vec![1.0, 2.0, 3.5], 0));
        let none = read("no\n\nOptions\n3\n1\n1\n0\n1\n0\n2\n0\nobjno 0 200\n", 2).unwrap();
        assert_eq!((none.values.len(), none.code), (0, 200));
        let tolerance = read("t\n\nOptions\n5\n1\n3\n0\n1\n0\n1\n1\n1e-6\n7\nobjno 0 0\n", 1).unwrap();
        assert_eq!(tolerance.values, [7.0]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, wrong) in [
            (String::new(), "it ends before the number of options"),
            (GOOD.replace("3.5", "three"), "`three` stands where a value belongs"),
            (GOOD.replace("3.5", "nan"), "not finite"),
            (GOOD.replace("\n3\n3\n0.5", "\n4\n4\n0.5"), "about 4 variables"),
            (GOOD.replace("\n2\n2\n", "\n2\n-2\n"), "about 3 variables"),
            (GOOD.replace("objno", "object"), "no line `objno`"),
            (GOOD.replace("objno 0 0", "objno 0"), "no code"),
            (GOOD.replace("Options\n3", "Options\n99"), "options cannot be read"),
            (GOOD[..GOOD.len() - 50].to_owned(), "it "),
        ] {
            let error = read(&text, 3).unwrap_err();
            assert!(error.contains(wrong), "{wrong}: {error}");
        }
    }
}
