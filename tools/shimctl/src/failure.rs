// SPDX-License-Identifier: GPL-2.0

//! What went wrong, as the one sentence a person reads.

use std::fmt;

/// A sentence without a final period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

/// What most functions return.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// The sentence of anything that can be shown.
    pub fn new(what: impl fmt::Display) -> Failure {
        Failure(what.to_string())
    }

    /// Says first what was tried: "TRIED: why".
    pub fn while_trying(self, tried: impl fmt::Display) -> Failure {
        Failure(format!("{tried}: {self}"))
    }
}

/// What the system says about an error, without its number.
pub fn words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_string()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
