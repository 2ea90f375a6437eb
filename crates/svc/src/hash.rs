//! Bytes in, their SHA-256 in hexadecimal out.

use sha2::{Digest as _, Sha256};

/// SHA-256 in hexadecimal.
pub fn hash(bytes: &[u8]) -> String {
    let digits: Vec<String> = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}
