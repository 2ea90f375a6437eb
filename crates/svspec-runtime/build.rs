//! Compiles `cpp/` against the LibTorch that torch-sys found, and hands its library folder on to the generated crate.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=cpp");
    let lib = PathBuf::from(
        std::env::var_os("DEP_TCH_LIBTORCH_LIB")
            .ok_or("torch-sys did not say where LibTorch is: set LIBTORCH to a LibTorch 2.11.0 folder")?,
    );
    let include = lib.parent().ok_or("LibTorch's library folder has no parent")?.join("include");
    cc::Build::new()
        .cpp(true)
        .warnings(false)
        .flag("-std=c++17")
        .define("_GLIBCXX_USE_CXX11_ABI", "1")
        .include(&include)
        .include(include.join("torch/csrc/api/include"))
        .include("cpp/gloo")
        .define("USE_C10D_GLOO", None)
        .files([
            "cpp/add_rms_norm.cpp",
            "cpp/bf16_products.cpp",
            "cpp/context.cpp",
            "cpp/cpu_memory.cpp",
            "cpp/gelu_tanh.cpp",
            "cpp/gradients.cpp",
            "cpp/group.cpp",
            "cpp/grouped_product.cpp",
            "cpp/optimizer.cpp",
            "cpp/recompute.cpp",
            "cpp/reducer.cpp",
            "cpp/rms_norm.cpp",
            "cpp/stochastic.cpp",
            "cpp/weights.cpp",
        ])
        .try_compile("svspec_runtime")?;
    println!("cargo::rustc-link-search=native={}", lib.display());
    println!("cargo::rustc-link-lib=dylib=torch_cpu");
    println!("cargo::rustc-link-lib=dylib=c10");
    // A run-time search path is not handed from a library to the programs that link it: their build scripts read this.
    println!("cargo::metadata=libtorch_lib={}", lib.display());
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", lib.display());
    Ok(())
}
