// SPDX-License-Identifier: GPL-2.0

//! All that is unsafe, and all that knows the kernel's C.

pub(crate) mod bindings;
