//! Linear and convex quadratic followers of operations research, solved to a proof and compared with the best known answers.

use serde_json::Value;

use crate::common::{blo, stderr, stdout};
use crate::convexity::root;

#[test]
fn operations_research_problems_are_proved() {
    let text = std::fs::read_to_string(root("bench/or/problems.json")).unwrap();
    let records: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut proved = 0;
    for record in &records {
        let (name, kind) = (record["name"].as_str().unwrap(), record["class"]["lower"].as_str().unwrap());
        if !kind.starts_with("LP") && kind != "convex QP" && !kind.contains("ILP") {
            continue;
        }
        let Some(best) = record["best_known"]["F"].as_f64() else { continue };
        let args = ["run", &format!("{name}.blo"), "--json", "--quiet", "--method", "tree"];
        let output = blo(&root("bench/or/models"), &args);
        let result: Value = serde_json::from_str(&stdout(&output)).unwrap();
        let verdict = &result["verdict"];
        assert_eq!(result["status"], "optimal", "{name}: {verdict}\n{}", stderr(&output));
        let found = result["upper"]["objective"].as_f64().unwrap();
        let size = best.abs().max(1.0);
        assert!((found - best).abs() <= 1e-6 * size, "{name}: {found} is not {best}");
        let bound = result["proof"]["bound"].as_f64().unwrap();
        assert!((bound - best).abs() <= 1e-6 * size, "{name}: {bound} does not bound {best}");
        proved += 1;
    }
    assert_eq!(proved, 61);
}

#[test]
fn slopes_and_multipliers_are_in_the_result() {
    let output = blo(&root("examples"), &["run", "shelf.blo", "--json", "--quiet"]);
    let result: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let number = |value: &Value| value.as_f64().unwrap();
    for (i, j, expected) in [(0, 0, -0.25), (0, 1, 0.25), (1, 0, 0.25), (1, 1, -0.25)] {
        assert!((number(&result["slopes"]["moves"][i][j]) - expected).abs() < 1e-6, "{result}");
    }
    assert!((number(&result["multipliers"]["shelf"]) - 2.0).abs() < 1e-6, "{result}");
    let text = stdout(&blo(&root("examples"), &["run", "shelf.blo", "--quiet"]));
    assert!(text.contains("moves") && text.contains("dual(shelf)"), "{text}");
}

#[test]
fn operations_research_problems_without_a_solution_are_told_apart() {
    let expected = [
        ("status_infeasible_joint_constraint", "infeasible"),
        ("status_upper_unbounded", "unbounded"),
        ("status_infimum_not_attained", "not_attained"),
    ];
    for (name, status) in expected {
        let args = ["run", &format!("{name}.blo"), "--json", "--quiet", "--method", "auto"];
        let output = blo(&root("bench/or/models"), &args);
        let result: Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert_eq!(result["status"], status, "{name}: {}", result["verdict"]);
        assert!(status == "not_attained" || result["upper"]["objective"] == Value::Null);
        assert_eq!(output.status.code(), Some(1));
    }
}
