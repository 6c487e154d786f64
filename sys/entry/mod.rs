// SPDX-License-Identifier: GPL-2.0

//! What the kernel calls, through C thunks: turns raw pointers into safe types and calls a driver.

mod addr;
mod ancillary;
mod control;
mod fork;
mod ftrace;
mod genl;
mod gro;
mod hook;
pub(crate) mod netns;
pub(crate) mod table;
mod timer;
pub(crate) mod work;
