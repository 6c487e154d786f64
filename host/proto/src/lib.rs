// SPDX-License-Identifier: GPL-2.0

//! The protocol core as a host crate: the same files as in the module, under the same
//! paths, so that its tests run in seconds.

#![no_std]

#[path = "../../../proto/mod.rs"]
pub mod proto;
