//! The result as JSON with a fixed order of keys. JSON has no NaN and no infinity: they become `null`.

use serde_json::{Map, Value, json};

use super::{RunResult, Variable};
use crate::starts::Start;
use crate::stopwatch::PARTS;

/// The whole result.
pub fn result(result: &RunResult) -> Value {
    let lower = result.lower.map(|lower| {
        json!({
            "objective": number(lower.objective),
            "gap": number(lower.gap),
            "gap_left": lower.gap_left.map(number),
            "stationarity": number(lower.stationarity),
        })
    });
    let expects: Vec<Value> =
        result.expects.iter().map(|(text, holds)| json!({ "text": text, "holds": holds })).collect();
    let table = |entries: Vec<(&String, Value)>| -> Value {
        Value::Object(entries.into_iter().map(|(name, value)| (name.clone(), value)).collect::<Map<_, _>>())
    };
    let parts: Map<String, Value> =
        PARTS.iter().zip(result.seconds.parts).map(|(part, s)| ((*part).to_owned(), number(s))).collect();
    let labelled = result.variables.iter().filter(|v| v.is_labelled());
    json!({
        "status": result.status,
        "termination": result.termination,
        "verdict": verdict(result),
        "upper": { "objective": number(result.upper_objective) },
        "lower": lower,
        "followers": table(
            result.followers.iter().map(|(name, v)| (name, json!({ "objective": number(*v) }))).collect(),
        ),
        "proof": result.proof.map(|proof| json!({
            "bound": number(proof.bound),
            "gap": number(proof.gap),
            "nodes": proof.nodes,
        })),
        "ties": result.ties.map(|ties| json!({
            "best": number(ties.least),
            "worst": number(ties.most),
            "exact": ties.exact,
            "local": ties.local,
        })),
        "hypergradient_norm": number(result.hypergradient_norm),
        "violation": result.violation.map(number),
        "variables": table(result.variables.iter().map(|v| (&v.name, nested(v))).collect()),
        "labels": table(labelled.map(|v| (&v.name, json!(v.labels))).collect()),
        "reports": table(result.reports.iter().map(|(name, v)| (name, number(*v))).collect()),
        "slopes": table(result.slopes.iter().map(|(v, _)| (&v.name, nested(v))).collect()),
        "multipliers": table(result.multipliers.iter().map(|v| (&v.name, nested(v))).collect()),
        "expect": expects,
        "method": result.method,
        "because": result.because,
        "message": result.message,
        "iterations": result.iterations,
        "kept": result.kept,
        "start": result.starts.as_ref().map(|starts| starts.number),
        "starts": result.starts.as_ref().map(|all| starts(&all.lines)),
        "epochs": result.epochs,
        "trajectory": result.trajectory,
        "calls": table(result.calls.iter().map(|(name, n)| (name, json!(n))).collect()),
        "seconds": {
            "read": number(result.seconds.read()),
            "compile": number(result.seconds.compile()),
            "solve": number(result.seconds.solve()),
            "total": number(result.seconds.total()),
            "parts": parts,
            "cached": result.seconds.cached,
        },
        "seed": result.seed,
        "version": env!("CARGO_PKG_VERSION"),
    })
}

/// How every start ended.
pub fn starts(lines: &[Start]) -> Value {
    let line = |start: &Start| {
        json!({
            "start": start.number,
            "feasible": start.feasible,
            "upper_objective": number(start.objective),
            "evaluations": start.evaluations,
            "seconds": number(start.seconds),
            "termination": start.termination,
        })
    };
    lines.iter().map(line).collect()
}

fn verdict(result: &RunResult) -> String {
    if result.has_non_finite() {
        format!("{}; null stands for a number that is not finite or not defined", result.verdict)
    } else {
        result.verdict.clone()
    }
}

/// A number, or `null` where it is not finite.
pub fn number(value: f64) -> Value {
    serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// Arrays in arrays, as deep as the variable has axes.
fn nested(variable: &Variable) -> Value {
    fn level(shape: &[usize], values: &[f64]) -> Value {
        match shape.split_first() {
            None => values.first().map_or(Value::Null, |&v| number(v)),
            Some((&size, inner)) => {
                let step: usize = inner.iter().product();
                Value::Array((0..size).map(|i| level(inner, &values[i * step..(i + 1) * step])).collect())
            }
        }
    }
    level(&variable.shape, &variable.values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_order_and_nulls() {
        let value = result(&super::super::sample());
        let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            [
                "status",
                "termination",
                "verdict",
                "upper",
                "lower",
                "followers",
                "proof",
                "ties",
                "hypergradient_norm",
                "violation",
                "variables",
                "labels",
                "reports",
                "slopes",
                "multipliers",
                "expect",
                "method",
                "because",
                "message",
                "iterations",
                "kept",
                "start",
                "starts",
                "epochs",
                "trajectory",
                "calls",
                "seconds",
                "seed",
                "version"
            ]
        );
        let seconds = &value["seconds"];
        let parts: Vec<f64> = PARTS.iter().map(|part| seconds["parts"][part].as_f64().unwrap()).collect();
        assert_eq!(seconds["parts"].as_object().unwrap().len(), parts.len());
        assert_eq!(seconds["total"].as_f64().unwrap(), parts.iter().sum::<f64>());
        assert_eq!(seconds["read"], json!(0.25));
        assert_eq!(seconds["solve"], json!(1.5));
        assert_eq!(value["variables"]["w"], json!([[1.0, 2.0], [3.0, null]]));
        assert_eq!(value["variables"]["x"], json!(1.5));
        assert_eq!(value["labels"], json!({ "flow": [["Paris", "Lyon"], null] }));
        assert_eq!(value["lower"]["gap"], Value::Null);
        assert_eq!(value["followers"], json!({ "firm": { "objective": 0.5 } }));
        assert!(value["verdict"].as_str().unwrap().contains("null stands for"));
        assert_eq!(value["expect"][1], json!({ "text": "accuracy >= 0.99", "holds": false }));
    }

    #[test]
    fn empty_axes_stay() {
        let variable =
            Variable { name: "e".into(), shape: vec![2, 0], values: vec![], labels: vec![None, None] };
        assert_eq!(nested(&variable), json!([[], []]));
    }
}
