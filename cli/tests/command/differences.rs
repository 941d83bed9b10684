//! Jacobians and Hessians of Lagrangians against differences of gradients: the single-level form and the follower of every bilevel
//! program of operations research in `bench/or`, as sparse values, which is what the interior-point method reads.

use blo_compiler::session::{DataError, DataRequest, Loader, Options, Tensor};
use blo_compiler::{analyse, compile_single_level};
use blo_grammar::source::Sources;
use blo_runtime::constrained::nlp::Nlp;
use blo_runtime::derivatives::Quantity;

use crate::convexity::root;

/// No files: the models carry their numbers.
struct Nothing;

impl Loader for Nothing {
    fn module(&mut self, _: &str, path: &str) -> Result<(String, String), String> {
        Err(format!("there is no file `{path}`"))
    }

    fn data(&mut self, _: &DataRequest) -> Result<Option<Tensor>, DataError> {
        Ok(None)
    }
}

/// The point, the weights and the largest disagreement, relative to the size of each derivative.
fn disagreement(nlp: &mut Nlp) -> f64 {
    let (n, m) = (nlp.len(), nlp.equal.len());
    let mut v = nlp.somewhere();
    for (i, v) in v.iter_mut().enumerate() {
        *v += 0.01 * (1.0 + (i % 7) as f64) * v.abs().max(1.0);
    }
    let w: Vec<f64> = (0..m).map(|i| 0.3 + 0.2 * (i % 5) as f64).collect();
    let (mut h, mut j) = (Vec::new(), Vec::new());
    // A branch that the pattern was not learned on makes it another.
    nlp.second(&v, &w, &mut h, &mut j);
    let pattern = nlp.pattern();
    // One dense column after another: the Hessian above the Jacobian.
    let mut exact = vec![vec![0.0; n + m]; n];
    for (&(row, column), value) in pattern.hessian.iter().zip(&h) {
        exact[column][row] = *value;
        exact[row][column] = *value;
    }
    for (&(row, column), value) in pattern.jacobian.iter().zip(&j) {
        exact[column][n + row] = *value;
    }
    let mut worst = 0.0_f64;
    let both = |nlp: &mut Nlp, v: &[f64]| {
        let (mut g, mut r) = (vec![0.0; n], vec![0.0; m]);
        nlp.evaluate(v, &w, &mut g, &mut r);
        g.extend(r);
        g
    };
    for k in 0..n {
        let (at, step) = (v[k], 1e-5 * v[k].abs().max(1.0));
        v[k] = at + step;
        let above = both(nlp, &v);
        v[k] = at - step;
        let below = both(nlp, &v);
        v[k] = at;
        for (i, exact) in exact[k].iter().enumerate() {
            let rough = (above[i] - below[i]) / (2.0 * step);
            // What is lost by subtraction counts as agreement.
            let noise = 1e-15 * above[i].abs().max(below[i].abs()) / step;
            worst = worst.max((exact - rough).abs() / (exact.abs().max(1.0) + 1e6 * noise));
        }
    }
    worst
}

#[test]
fn second_derivatives_of_the_programs_of_operations_research() {
    let mut checked = 0;
    let folders =
        ["bench/or/models", "bench/or/scaled"].map(|folder| std::fs::read_dir(root(folder)).unwrap());
    let mut names: Vec<_> = folders.into_iter().flatten().map(|e| e.unwrap().path()).collect();
    names.sort();
    for path in names {
        let mut sources = Sources::new();
        let main = sources.add("model.blo", std::fs::read_to_string(&path).unwrap().as_str());
        let options = Options { need_data: true, ..Options::default() };
        let (model, diagnostics) = analyse(&mut sources, main, &mut Nothing, &options);
        let mut model = model.unwrap_or_else(|| panic!("{}: {diagnostics:#?}", path.display()));
        let mut problem = compile_single_level(&mut model, &[Quantity::UpperGradients], 0)
            .unwrap_or_else(|e| panic!("{}: {e:#?}", path.display()));
        let c = problem.constrained.as_mut().unwrap();
        let x: Vec<f64> = c.single.start[..c.lens.0].iter().map(|x| x + 0.125).collect();
        let single = disagreement(&mut c.single);
        assert!(single < 1e-5, "{}: the single-level form is off by {single:.1e}", path.display());
        if let Some(follower) = &mut c.follower {
            follower.nlp.set_parameters(&x);
            let off = disagreement(&mut follower.nlp);
            assert!(off < 1e-5, "{}: the follower is off by {off:.1e}", path.display());
        }
        checked += 1;
    }
    assert_eq!(checked, 110);
}
