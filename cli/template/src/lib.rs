//! Packs the library that compiled models are made from into the program. Cargo builds it with `blo-native` before the program that
//! depends on it, and leaves it beside the other dependencies; only a macro sees it after it was built and before the program is.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use proc_macro::{Literal, TokenStream, TokenTree};

/// The library in deflated form, as a byte string; an empty one where there is none, as when the program is only checked.
#[proc_macro]
pub fn deflated(_: TokenStream) -> TokenStream {
    let library = std::env::var_os("OUT_DIR")
        .and_then(|out| std::fs::read(Path::new(&out).join("../../../deps/libblo_native.so")).ok());
    let bytes = library.map_or_else(Vec::new, |library| packed(&library));
    TokenTree::from(Literal::byte_string(&bytes)).into()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
    // A vector takes all that is written to it.
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}
