// SPDX-License-Identifier: GPL-2.0

//! What bindgen made of `sys/bindings.h` for the kernel this module is built for.
//!
//! Only `sys/` may use this module; everything else sees safe types.

#![allow(
    clippy::all,
    clippy::as_ptr_cast_mut,
    clippy::as_underscore,
    clippy::cast_lossless,
    clippy::ignored_unit_patterns,
    clippy::ptr_as_ptr,
    clippy::ptr_cast_constness,
    clippy::ref_as_ptr,
    clippy::undocumented_unsafe_blocks,
    dead_code,
    improper_ctypes,
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unreachable_pub,
    unsafe_op_in_unsafe_fn
)]

use kernel::ffi;

type __kernel_ptrdiff_t = isize;
type __kernel_size_t = usize;
type __kernel_ssize_t = isize;

include!(env!("SHIM6_BINDINGS"));
