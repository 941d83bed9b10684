//! Shared by the integration tests: a loader over arrays in memory, and a model from text.

use std::collections::BTreeMap;

use blo_compiler::analyse;
use blo_compiler::model::Model;
use blo_compiler::session::{DataError, DataRequest, Loader, Options, Tensor};
use blo_compiler::types::Elem;
use blo_grammar::source::Sources;
use ndarray::ArrayD;

/// Data by name; no files.
#[derive(Default)]
pub struct Memory(pub BTreeMap<String, (Elem, ArrayD<f64>)>);

impl Loader for Memory {
    fn module(&mut self, _from: &str, path: &str) -> Result<(String, String), String> {
        Err(format!("there is no file `{path}` in memory"))
    }

    fn data(&mut self, request: &DataRequest) -> Result<Option<Tensor>, DataError> {
        let found = self.0.get(request.name);
        Ok(found.map(|(elem, values)| Tensor {
            elem: *elem,
            values: values.clone(),
            origin: "memory".into(),
        }))
    }
}

/// The model in `text`, which must have no errors.
#[allow(dead_code, reason = "not every test that shares this file makes a model so")]
pub fn model(text: &str, mut data: Memory) -> Model {
    let mut sources = Sources::new();
    let main = sources.add("test.blo", text);
    let options = Options { need_data: true, ..Options::default() };
    let (model, diagnostics) = analyse(&mut sources, main, &mut data, &options);
    model.unwrap_or_else(|| panic!("{diagnostics:#?}"))
}
