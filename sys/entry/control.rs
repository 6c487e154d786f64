// SPDX-License-Identifier: GPL-2.0

//! What the kernel calls for protocol 140, through `sys/control.c`.

use super::netns::state;
use crate::control;
use crate::netns::View;
use crate::proto::cga::Verdict;
use crate::proto::counter::Counter;
use crate::proto::endpoint::Meta;
use crate::proto::wire::PayloadHeader;
use crate::sys::addr;
use crate::sys::behind::Behind;
use crate::sys::bindings;
use crate::sys::netns::NetRef;
use crate::sys::rcu::Rcu;
use crate::translate;
use crate::translate::Slow;
use core::ptr::NonNull;

const DONE: bindings::shim6_rcv = bindings::shim6_rcv_SHIM6_RCV_DONE;
const DROP: bindings::shim6_rcv = bindings::shim6_rcv_SHIM6_RCV_DROP;
const REFUSE: bindings::shim6_rcv = bindings::shim6_rcv_SHIM6_RCV_REFUSE;
const AGAIN: bindings::shim6_rcv = bindings::shim6_rcv_SHIM6_RCV_AGAIN;

/// # Safety
///
/// `data` has `len` readable octets during `'a`, or `len` is 0.
unsafe fn octets<'a>(data: *const u8, len: u32) -> &'a [u8] {
    if data.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: by contract.
    unsafe { core::slice::from_raw_parts(data, len as usize) }
}

/// A packet whose `data` is at a Shim6 header is for this host.
///
/// # Safety
///
/// `net` lives, and `skb` is the handler's alone with its network header in front of `data`, during
/// the call, which is in an RCU read-side section.
#[no_mangle]
unsafe extern "C" fn shim6_entry_control(
    net: *mut bindings::net,
    skb: *mut bindings::sk_buff,
) -> bindings::shim6_rcv {
    let (Some(net), Some(skb)) = (NonNull::new(net), NonNull::new(skb)) else { return DROP };
    // SAFETY: by contract.
    let Some(state) = state(unsafe { NetRef::from_raw(net) }).filter(|s| s.is_enabled()) else {
        return REFUSE;
    };
    // SAFETY: by contract.
    let verdict = unsafe { slow(View::new(state, Rcu::assumed()), Behind::from_raw(skb)) };
    if let Some(verdict) = verdict {
        return verdict;
    }
    let mut message = bindings::shim6_message::default();
    // SAFETY: by contract.
    if !unsafe { bindings::shim6_message_open(skb.as_ptr(), &mut message) } {
        state.count(Counter::RxNoMemory);
        return DROP;
    }
    // SAFETY: the packet is linear and not touched until we return.
    let (head, data) =
        unsafe { (octets(message.head, message.head_len), octets(message.data, message.len)) };
    let (src, dst, verdict) = (addr(&message.src), addr(&message.dst), Verdict::None);
    control::receive(state, Meta { src, dst, head, verdict }, data);
    DONE
}

/// What becomes of a packet with a payload header; `None` for a control message.
fn slow(view: View<'_>, mut skb: Behind<'_>) -> Option<bindings::shim6_rcv> {
    let header = skb.message(PayloadHeader::LEN).and_then(PayloadHeader::parse)?;
    Some(match translate::receive_slow(view, &mut skb) {
        Slow::Again => AGAIN,
        Slow::Drop => DROP,
        Slow::NoContext => {
            control::unknown_tag(&view, skb.pair(), header.tag);
            DONE
        }
    })
}

/// # Safety
///
/// As `shim6_entry_control`.
#[no_mangle]
unsafe extern "C" fn shim6_entry_icmp(net: *mut bindings::net, error: *const bindings::shim6_icmp) {
    let Some(net) = NonNull::new(net) else { return };
    // SAFETY: by contract.
    let (net, error) = unsafe { (NetRef::from_raw(net), &*error) };
    // SAFETY: by contract.
    let packet = unsafe { octets(error.packet, error.len) };
    if let Some(state) = state(net) {
        control::icmp_error(state, error.type_, error.code, error.info, packet);
    }
}
