//! There is a build script so that there is an `OUT_DIR`, from which the template of native kernels is found (`src/native/template.rs`).

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
}
