//! What the linker is told: the unwinder comes along. To load libgcc_s.so for it is a tenth of what
//! a short command costs altogether, and so certctl needs libc alone.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu") {
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}
