// SPDX-License-Identifier: GPL-2.0

//! The order in which locator pairs are tried (RFC 5534 section 4.3).
