//! Every example runs and keeps what its `expect` lines promise.

use std::path::Path;

use crate::common::{blo, stderr, stdout};

#[test]
fn every_example_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut models: Vec<String> = std::fs::read_dir(&folder)
        .expect("the examples are there")
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".blo"))
        .collect();
    models.sort();
    assert!(models.len() >= 8, "{models:?}");
    let mut failures = String::new();
    for model in &models {
        let text = std::fs::read_to_string(folder.join(model)).unwrap();
        assert!(text.contains("\nexpect "), "{model} promises nothing");
        let output = blo(&folder, &["run", model]);
        let kept = stdout(&output);
        if output.status.code() != Some(0) || !kept.contains("✓ expect") || kept.contains('✗') {
            failures += &format!("== {model}: {:?}\n{kept}{}", output.status.code(), stderr(&output));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
