//! Times one compiled quantity of a model: `evaluate MODEL.blo QUANTITY f64|f32 SECONDS [NAME=VALUE …]` calls it for about SECONDS
//! and prints the seconds of one call and the last objective. The model's data are drawn or written out; nothing else is read.

use std::error::Error;
use std::time::{Duration, Instant};

use blo_compiler::model::Precision;
use blo_micro::{Evaluator, model};
use blo_runtime::derivatives::Quantity;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, name, precision, seconds, set @ ..] = arguments.as_slice() else {
        return Err("usage: evaluate MODEL.blo QUANTITY f64|f32 SECONDS [NAME=VALUE …]".into());
    };
    let quantity = Quantity::ALL.into_iter().find(|q| q.name() == name).ok_or("no such quantity")?;
    let precision = if precision == "f32" { Precision::F32 } else { Precision::F64 };
    let limit = Duration::from_secs_f64(seconds.parse()?);
    let set: Vec<(String, String)> =
        set.iter().filter_map(|pair| pair.split_once('=')).map(|(n, v)| (n.into(), v.into())).collect();
    let mut evaluator = Evaluator::new(model(&std::fs::read_to_string(path)?, precision, &set)?, quantity)?;
    evaluator.call(quantity);
    let (mut calls, mut block, mut value) = (0u32, 1u32, f64::NAN);
    let began = Instant::now();
    // The clock is read after blocks of calls that grow with the time that has passed.
    while began.elapsed() < limit {
        for _ in 0..block {
            value = evaluator.call(quantity);
        }
        calls += block;
        block = (calls / 8).max(1);
    }
    println!("{} {value}", began.elapsed().as_secs_f64() / f64::from(calls));
    Ok(())
}
