//! How the template is linked: with a note of the build's identity, in whose place `blo compile` puts the segment of a model, and
//! without the symbols for debuggers, which it would leave out.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,--build-id=sha1");
        println!("cargo:rustc-cdylib-link-arg=-Wl,--strip-all");
    }
}
