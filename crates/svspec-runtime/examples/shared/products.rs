//! What matrix products are computed in, as a word.

use svspec_runtime::spec::Precision;
use tch::Kind;

/// How a model is computed whose products are in f32 or bf16, and the kind of what they give.
pub fn products_in(word: &str) -> Result<(Precision, Kind), String> {
    match word {
        "f32" => Ok((Precision::F32, Kind::Float)),
        "bf16" => Ok((Precision::Bf16, Kind::BFloat16)),
        other => Err(format!("`{other}` is neither f32 nor bf16")),
    }
}
