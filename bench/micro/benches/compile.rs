//! From text to ready code: the models of the gallery that need no files, the lower levels of the workloads B and C with drawn data, and
//! sums of ever more terms, whose time should grow as their number.

use std::fs;
use std::path::{Path, PathBuf};

use blo_compiler::model::Precision;
use blo_micro::{Evaluator, model};
use blo_runtime::derivatives::Quantity;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// Models with two levels and no constraints that compile without files, by name.
fn gallery() -> Vec<(String, String)> {
    let mut found: Vec<_> = fs::read_dir(folder("examples"))
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|e| e == "blo"))
        .filter_map(|entry| {
            Some((entry.file_name().into_string().ok()?, fs::read_to_string(entry.path()).ok()?))
        })
        .filter(|(_, text)| {
            model(text, Precision::F64, &[]).is_ok_and(|model| model.lower.is_some())
                && made(text, Quantity::LowerSecondOrder).is_ok()
        })
        .collect();
    found.sort();
    found
}

fn made(text: &str, quantity: Quantity) -> Result<Evaluator, String> {
    Evaluator::new(model(text, Precision::F64, &[])?, quantity)
}

fn compile(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compile value, gradient, second-order product");
    let mut texts = gallery();
    for name in ["cleaning_drawn.blo", "network_drawn.blo"] {
        texts
            .extend(fs::read_to_string(folder("bench/workloads").join(name)).map(|text| (name.into(), text)));
    }
    for (name, text) in &texts {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || (),
                |()| made(text, Quantity::LowerSecondOrder).is_ok(),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("compile a sum of terms");
    for terms in [10usize, 100, 400] {
        let sum: Vec<String> =
            (0..terms).map(|k| format!("sin(x[{k}] * {k}.5) * exp(x[{}])", (k * 7 + 1) % terms)).collect();
        let text = format!("upper {{\n  var x: real[{terms}] = 0\n  minimize {}\n}}\n", sum.join(" + "));
        group.throughput(Throughput::Elements(terms as u64));
        group.bench_function(BenchmarkId::from_parameter(terms), |bencher| {
            bencher.iter(|| made(&text, Quantity::UpperGradients).is_ok());
        });
    }
    group.finish();
}

criterion_group!(benches, compile);
criterion_main!(benches);
