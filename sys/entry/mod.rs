// SPDX-License-Identifier: GPL-2.0

//! What the kernel calls, through C thunks: turns raw pointers into safe types and calls a driver.

mod hook;
