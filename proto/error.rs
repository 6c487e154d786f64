// SPDX-License-Identifier: GPL-2.0

//! Why something from outside was refused. Each cause has its counter.

use crate::proto::counter::Counter;

/// A reason to drop or to answer a message instead of obeying it.
pub trait Cause {
    /// The counter of this cause.
    fn counter(&self) -> Counter;
}
