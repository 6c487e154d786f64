// SPDX-License-Identifier: GPL-2.0

//! The protocol core: Shim6 (RFC 5533), REAP (RFC 5534), HBA (RFC 5535), CGA (RFC 3972).
//!
//! It knows nothing of the kernel: time, randomness, memory and packets come in as
//! arguments, what it wants comes out as values. The same files build as a host crate
//! (`host/proto`), where the tests run.

#![forbid(unsafe_code)]
// Nothing from the network may panic. A check by clippy; overflow is what the tests find.
#![deny(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

pub mod addr;
pub mod ancillary;
pub mod bucket;
pub mod cga;
pub mod config;
pub mod context;
pub mod counter;
pub mod crowd;
pub mod endpoint;
pub mod env;
pub mod error;
pub mod hba;
pub mod locator;
pub mod policy;
pub mod reap;
pub mod sockapi;
pub mod time;
pub mod translate;
pub mod vectors;
pub mod wire;
pub mod wish;
