// SPDX-License-Identifier: GPL-2.0

//! What is counted, for people and for tests: `/proc/net/shim6`, one line `NAME VALUE` each.

use crate::netns::NetState;
use crate::proto::counter::Counter;
use crate::sys::netns::Lines;

/// All counters by name.
pub(crate) fn all(state: &NetState) -> impl Iterator<Item = (&'static str, u64)> + '_ {
    Counter::ALL.iter().zip(Counter::NAMES).map(|(what, name)| (*name, state.counted(*what)))
}

/// Writes the file.
pub(crate) fn show(state: &NetState, lines: &mut Lines<'_>) {
    lines.line("contexts", state.contexts().into());
    for (name, value) in all(state) {
        lines.line(name, value);
    }
}
