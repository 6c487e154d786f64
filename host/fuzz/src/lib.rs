// SPDX-License-Identifier: GPL-2.0

//! The core's own tests know what to do with octets: `tests/fuzz`, and what it needs.

#[path = "../../proto/tests/desk/mod.rs"]
pub mod desk;
#[path = "../../proto/tests/fuzz/mod.rs"]
pub mod fuzz;
#[path = "../../proto/tests/octets/mod.rs"]
pub mod octets;
#[path = "../../proto/tests/swarm/mod.rs"]
pub mod swarm;
#[path = "../../proto/tests/world/mod.rs"]
pub mod world;
