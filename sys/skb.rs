// SPDX-License-Identifier: GPL-2.0
//! A socket buffer that a hook was lent, seen from its IPv6 header.
//!
//! One [`Skb`] exists per hook call and owns the right to change the buffer's header for the
//! length of that call. Fields are read straight from the generated struct, so that the packet
//! path pays no call for a load; what a kernel inline does beyond loads and stores is a thunk in
//! `skb.c`. Nothing here knows the protocol: it moves headers, addresses and check sums.

use crate::proto::addr::Addr;
use crate::proto::addr::Pair;
use crate::sys::bindings;
use core::marker::PhantomData;
use core::ptr;
use core::ptr::NonNull;
use core::slice;

/// Octets of the IPv6 header.
pub(crate) const IPV6_LEN: u32 = 40;
/// Octets that the payload extension header adds (RFC 5533 5.2).
pub(crate) const SHIM_LEN: u32 = 8;

/// The memory of a packet could not be had: the packet is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoMemory;

/// A packet whose `data` points at an IPv6 header of 40 linear octets.
///
/// # Invariants
///
/// `raw` is a buffer nobody else changes during `'a`; `data` is the first octet of its IPv6
/// header and at least 40 octets from there are linear.
pub(crate) struct Skb<'a> {
    raw: NonNull<bindings::sk_buff>,
    lent: PhantomData<&'a mut bindings::sk_buff>,
}

/// A copy of the fixed IPv6 header.
#[derive(Clone, Copy)]
#[repr(C, packed)]
pub(crate) struct Ipv6 {
    /// Version, traffic class, flow label.
    pub(crate) flow: [u8; 4],
    /// Payload length in network order; 0 in a jumbogram.
    pub(crate) payload_len: [u8; 2],
    /// Protocol number of what follows.
    pub(crate) next: u8,
    /// Hop limit.
    pub(crate) hops: u8,
    /// Source address.
    pub(crate) src: Addr,
    /// Destination address.
    pub(crate) dst: Addr,
}

const _: () = assert!(core::mem::size_of::<Ipv6>() == IPV6_LEN as usize);

/// What connection tracking makes of a packet that leaves between locators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tracked {
    /// Its addresses are its own.
    Own,
    /// They are translated.
    Nat,
    /// Its connection is not to be; the packet is to be dropped.
    Lost,
}

impl Ipv6 {
    /// The payload length, larger or smaller by `delta`; a jumbogram's 0 stays 0.
    #[inline]
    fn grown(payload_len: [u8; 2], delta: i32) -> [u8; 2] {
        match u16::from_be_bytes(payload_len) {
            0 => [0, 0],
            n => u16::try_from(i32::from(n).wrapping_add(delta)).unwrap_or(0).to_be_bytes(),
        }
    }
}

impl<'a> Skb<'a> {
    /// Borrows the buffer a hook was called with.
    ///
    /// # Safety
    ///
    /// The type invariants hold for `raw` during `'a`.
    #[inline]
    pub(in crate::sys) unsafe fn from_raw(raw: NonNull<bindings::sk_buff>) -> Self {
        // INVARIANT: by the contract of this function.
        Skb { raw, lent: PhantomData }
    }

    /// The pointer the kernel's functions take.
    #[inline]
    pub(in crate::sys) fn as_ptr(&self) -> *mut bindings::sk_buff {
        self.raw.as_ptr()
    }

    #[inline]
    fn fields(&self) -> &bindings::sk_buff {
        // SAFETY: `raw` is valid and ours by the type invariants.
        unsafe { self.raw.as_ref() }
    }

    #[inline]
    fn headers(&self) -> &bindings::sk_buff__bindgen_ty_4__bindgen_ty_1 {
        // SAFETY: both members of the union describe the same octets with the same types.
        unsafe { self.fields().__bindgen_anon_4.__bindgen_anon_1.as_ref() }
    }

    #[inline]
    fn headers_mut(&mut self) -> &mut bindings::sk_buff__bindgen_ty_4__bindgen_ty_1 {
        // SAFETY: as in `headers`, and `&mut self` is the only borrow of a buffer that is ours.
        unsafe { self.raw.as_mut().__bindgen_anon_4.__bindgen_anon_1.as_mut() }
    }

    #[inline]
    fn shared_info(&self) -> *mut bindings::skb_shared_info {
        let f = self.fields();
        // SAFETY: the kernel keeps the shared info `end` octets behind `head`.
        unsafe { f.head.add(f.end as usize).cast() }
    }

    /// Octets of the packet from its IPv6 header on.
    #[inline]
    pub(crate) fn len(&self) -> u32 {
        self.fields().len
    }

    /// Octets of it that are linear.
    #[inline]
    pub(crate) fn linear_len(&self) -> u32 {
        let f = self.fields();
        f.len.wrapping_sub(f.data_len)
    }

    /// The linear octets, from the IPv6 header on.
    #[inline]
    pub(crate) fn linear(&self) -> &[u8] {
        // SAFETY: `linear_len` octets from `data` on are initialised and inside the buffer.
        unsafe { slice::from_raw_parts(self.fields().data, self.linear_len() as usize) }
    }

    /// The first `len` octets, made linear and unshared, to be changed in place.
    pub(crate) fn writable(&mut self, len: u32) -> Result<&mut [u8], NoMemory> {
        // SAFETY: `raw` is ours; the call may move the data, nothing borrows it now.
        if unsafe { bindings::skb_ensure_writable(self.as_ptr(), len) } != 0 {
            return Err(NoMemory);
        }
        // SAFETY: the call above made `len` octets linear and private to this buffer.
        Ok(unsafe { slice::from_raw_parts_mut(self.fields().data, len as usize) })
    }

    /// Makes the first `len` octets linear; `false` if the packet is shorter.
    #[inline]
    pub(crate) fn pull(&mut self, len: u32) -> bool {
        if self.linear_len() >= len {
            return true;
        }
        // SAFETY: `raw` is ours; the call may move the data, nothing borrows it now.
        unsafe { bindings::shim6_skb_may_pull(self.as_ptr(), len) }
    }

    /// The fixed IPv6 header.
    #[inline]
    pub(crate) fn ipv6(&self) -> Ipv6 {
        // SAFETY: 40 octets at `data` are linear by the type invariants.
        unsafe { ptr::read_unaligned(self.fields().data.cast::<Ipv6>()) }
    }

    /// The fixed IPv6 header where it is, for who reads a few fields of it.
    #[inline]
    pub(crate) fn head(&self) -> &Ipv6 {
        // SAFETY: 40 octets at `data` are linear by the type invariants; `Ipv6` has no alignment,
        // and whoever moves or changes the data needs `&mut self`.
        unsafe { &*self.fields().data.cast::<Ipv6>() }
    }

    /// The eight octets behind the fixed header, if they are linear.
    #[inline]
    pub(crate) fn after_ipv6(&self) -> Option<[u8; 8]> {
        if self.linear_len() < IPV6_LEN + SHIM_LEN {
            return None;
        }
        // SAFETY: 48 octets at `data` are linear, just tested.
        Some(unsafe { ptr::read_unaligned(self.fields().data.add(IPV6_LEN as usize).cast()) })
    }

    /// The socket it was sent from or, early demultiplexed, goes to; may be a mini socket.
    #[inline]
    pub(in crate::sys) fn sock(&self) -> *mut bindings::sock {
        self.fields().sk
    }

    /// The route the packet has, if any; valid as long as the hook runs.
    #[inline]
    pub(in crate::sys) fn dst(&self) -> *mut bindings::dst_entry {
        // SAFETY: the hooks run while `_skb_refdst` is the active member of the union.
        let refdst = unsafe { self.fields().__bindgen_anon_3.__bindgen_anon_1._skb_refdst };
        (refdst & !1) as *mut bindings::dst_entry
    }

    /// Whether an IPsec policy holds the packet: its transform comes first (RFC 5533 4.6: "the
    /// Shim header will be placed before any Endpoint Extension headers (..., AH, ESP)").
    #[inline]
    pub(crate) fn awaits_ipsec(&self) -> bool {
        let dst = self.dst();
        // SAFETY: a route of a packet stays valid while the hook runs.
        !dst.is_null() && unsafe { !(*dst).xfrm.is_null() }
    }

    /// Whether it came out of an IPsec tunnel or transport.
    #[inline]
    pub(crate) fn has_sec_path(&self) -> bool {
        if self.fields().active_extensions == 0 {
            return false;
        }
        // SAFETY: `raw` is a valid buffer.
        unsafe { bindings::shim6_skb_sec_path(self.as_ptr()) }
    }

    /// Whether it is a super-packet that is to be segmented later.
    #[inline]
    pub(crate) fn is_gso(&self) -> bool {
        // SAFETY: the shared info of a valid buffer is initialised.
        unsafe { (*self.shared_info()).gso_size != 0 }
    }

    /// How a super-packet is to be cut: (`gso_size`, `gso_type`).
    #[inline]
    pub(crate) fn gso(&self) -> (u16, u32) {
        // SAFETY: as in `is_gso`.
        unsafe { ((*self.shared_info()).gso_size, (*self.shared_info()).gso_type) }
    }

    /// Changes how a super-packet is to be cut. The shared info may be shared with a clone in
    /// the sender's retransmission queue, which sets all three fields anew whenever it sends.
    #[inline]
    pub(crate) fn set_gso(&mut self, size: u16, segs: u16, kind: u32) {
        // SAFETY: as in `is_gso`; the kernel's tunnels write these fields under the same terms.
        unsafe {
            (*self.shared_info()).gso_size = size;
            (*self.shared_info()).gso_segs = segs;
            (*self.shared_info()).gso_type = kind;
        }
    }

    /// Makes a super-packet that gets one more header describe itself to those who forward it:
    /// they know where its ULP header is from the inner offsets alone, since `ip6_rcv_core` sets
    /// the outer one right behind the fixed header.
    #[inline]
    pub(crate) fn set_nested(&mut self, kind: u32) {
        // SAFETY: as in `set_gso`.
        unsafe { (*self.shared_info()).gso_type = kind };
        let h = self.headers_mut();
        h.inner_transport_header = h.transport_header;
        h.set_encapsulation(1);
    }

    /// Whether it is a tunnel's, with inner headers that it knows.
    #[inline]
    pub(crate) fn is_encapsulated(&self) -> bool {
        self.headers().encapsulation() != 0
    }

    /// Undoes [`Skb::set_nested`].
    #[inline]
    pub(crate) fn clear_nested(&mut self, kind: u32) {
        // SAFETY: as in `set_gso`.
        unsafe { (*self.shared_info()).gso_type = kind };
    }

    /// Octets from the IPv6 header to the start of the ULP header.
    #[inline]
    pub(crate) fn transport_offset(&self) -> u32 {
        let h = self.headers();
        u32::from(h.transport_header.wrapping_sub(h.network_header))
    }

    /// Whether the ULP check sum is still to be filled in by the device or its driver.
    #[inline]
    pub(crate) fn checksum_pending(&self) -> bool {
        u32::from(self.headers().ip_summed()) == bindings::SHIM6_CHECKSUM_PARTIAL
    }

    /// Fills in a pending ULP check sum now, over the pseudo-header that its sender seeded.
    pub(crate) fn finish_checksum(&mut self) -> Result<(), NoMemory> {
        // SAFETY: `raw` is ours; the call may move the data, nothing borrows it now.
        match unsafe { bindings::skb_checksum_help(self.as_ptr()) } {
            0 => Ok(()),
            _ => Err(NoMemory),
        }
    }

    /// Whether the sender allows fragments: path MTU discovery, and IPV6_DONTFRAG of its socket.
    pub(crate) fn may_fragment(&self) -> bool {
        // SAFETY: the packet is valid, and has its socket's reference if it has a socket.
        self.headers().ignore_df() != 0 && !unsafe { bindings::shim6_skb_dontfrag(self.as_ptr()) }
    }

    /// Whether this packet already went through the shim on its way out.
    #[inline]
    pub(crate) fn is_translated(&self) -> bool {
        // SAFETY: LOCAL_OUT packets keep an inet6_skb_parm in `cb`, which is large enough.
        let flags =
            unsafe { (*self.fields().cb.as_ptr().cast::<bindings::inet6_skb_parm>()).flags };
        flags & bindings::SHIM6_CB_TRANSLATED as u16 != 0
    }

    /// Remembers that this packet went through the shim.
    #[inline]
    pub(crate) fn set_translated(&mut self) {
        // SAFETY: as in `is_translated`, and the buffer is ours to change.
        unsafe {
            (*(*self.as_ptr()).cb.as_mut_ptr().cast::<bindings::inet6_skb_parm>()).flags |=
                bindings::SHIM6_CB_TRANSLATED as u16;
        }
    }

    /// Leaves a note for who receives the packet.
    #[inline]
    pub(crate) fn set_note(&mut self, note: u32) {
        // SAFETY: `raw` is ours, and received packets come here from IPv6's input.
        unsafe { leave_note(self.raw, note) }
    }

    /// Asks connection tracking about the packet, the last time that it has the shape it knows.
    #[inline]
    pub(crate) fn track(&mut self) -> Tracked {
        if self.fields()._nfct == 0 {
            return Tracked::Own;
        }
        // SAFETY: `raw` is ours; hooks run under RCU.
        match unsafe { bindings::shim6_skb_track(self.as_ptr()) } {
            bindings::shim6_track_SHIM6_TRACK_OWN => Tracked::Own,
            bindings::shim6_track_SHIM6_TRACK_NAT => Tracked::Nat,
            _ => Tracked::Lost,
        }
    }

    /// Makes the header private and at least 8 octets of room in front of it, `spare` more if
    /// it has to be copied anyway.
    #[inline]
    fn make_room(&mut self, spare: u32) -> Result<(), NoMemory> {
        let f = self.fields();
        let headroom = (f.data as usize).wrapping_sub(f.head as usize);
        if f.cloned() == 0 && headroom >= SHIM_LEN as usize {
            return Ok(());
        }
        // SAFETY: `raw` is ours; the call may move the data, nothing borrows it now.
        if unsafe { bindings::shim6_skb_cow_head(self.as_ptr(), SHIM_LEN, spare) } != 0 {
            return Err(NoMemory);
        }
        Ok(())
    }

    /// Puts an extension header behind the fixed header and replaces both addresses.
    ///
    /// `shim` is the header as it goes on the wire, `protocol` its protocol number.
    /// The ULP check sum stays as it is: RFC 5533 11.1, "this MUST NOT cause any
    /// recalculation of the ULP checksums".
    #[inline]
    pub(crate) fn insert(
        &mut self,
        ip: &Ipv6,
        between: &Pair,
        protocol: u8,
        shim: [u8; 8],
        spare: u32,
    ) -> Result<(), NoMemory> {
        self.make_room(spare)?;
        let new = Ipv6 {
            flow: ip.flow,
            payload_len: Ipv6::grown(ip.payload_len, SHIM_LEN as i32),
            next: protocol,
            hops: ip.hops,
            src: between.local,
            dst: between.peer,
        };
        // SAFETY: `make_room` left 8 private octets in front of the 40 of the old header, which
        // was read into `ip` and is overwritten here.
        unsafe {
            let f = self.raw.as_mut();
            f.data = f.data.sub(SHIM_LEN as usize);
            f.len = f.len.wrapping_add(SHIM_LEN);
            ptr::write_unaligned(f.data.cast::<Ipv6>(), new);
            ptr::write_unaligned(f.data.add(IPV6_LEN as usize).cast::<[u8; 8]>(), shim);
        }
        let h = self.headers_mut();
        h.network_header = h.network_header.wrapping_sub(SHIM_LEN as u16);
        Ok(())
    }

    /// The same for a packet with routing-sublayer headers: `at` is the offset of the new
    /// header, `chain` that of the Next Header octet that is to name it.
    pub(crate) fn insert_behind(
        &mut self,
        (at, chain): (u32, u32),
        between: &Pair,
        protocol: u8,
        shim: [u8; 8],
        spare: u32,
    ) -> Result<(), NoMemory> {
        self.make_room(spare)?;
        let (at, chain) = (at as usize, chain as usize);
        if at > self.linear_len() as usize || chain >= at {
            return Err(NoMemory);
        }
        let head = {
            // SAFETY: `make_room` left 8 private octets in front of `at` linear ones.
            let f = unsafe { self.raw.as_mut() };
            f.data = f.data.wrapping_sub(SHIM_LEN as usize);
            f.len = f.len.wrapping_add(SHIM_LEN);
            // SAFETY: as above.
            unsafe { slice::from_raw_parts_mut(f.data, at.wrapping_add(SHIM_LEN as usize)) }
        };
        head.copy_within(SHIM_LEN as usize.., 0);
        if let Some(c) = head.get_mut(chain) {
            *c = protocol;
        }
        if let Some(ext) = head.get_mut(at..) {
            ext.copy_from_slice(&shim);
        }
        let h = self.headers_mut();
        h.network_header = h.network_header.wrapping_sub(SHIM_LEN as u16);
        let mut ip = self.ipv6();
        ip.payload_len = Ipv6::grown(ip.payload_len, SHIM_LEN as i32);
        ip.src = between.local;
        ip.dst = between.peer;
        // SAFETY: 40 private linear octets at `data`.
        unsafe { ptr::write_unaligned(self.fields().data.cast::<Ipv6>(), ip) };
        Ok(())
    }

    /// Takes the eight octets behind the fixed header away and restores both addresses.
    ///
    /// The ULP check sum was made over these addresses, so a device that verified one over the
    /// others proves nothing: CHECKSUM_UNNECESSARY is forgotten, CHECKSUM_COMPLETE kept right.
    #[inline]
    pub(crate) fn strip(&mut self, ip: &Ipv6, next: u8, ulids: &Pair) -> Result<(), NoMemory> {
        const BOTH: u32 = IPV6_LEN + SHIM_LEN;
        if self.fields().cloned() != 0 || self.linear_len() < BOTH {
            // SAFETY: `raw` is ours; the call may move the data, nothing borrows it now.
            if unsafe { bindings::skb_ensure_writable(self.as_ptr(), BOTH) } != 0 {
                return Err(NoMemory);
            }
        }
        let new = Ipv6 {
            flow: ip.flow,
            payload_len: Ipv6::grown(ip.payload_len, -(SHIM_LEN as i32)),
            next,
            hops: ip.hops,
            src: ulids.peer,
            dst: ulids.local,
        };
        let summed = u32::from(self.headers().ip_summed());
        if summed == bindings::SHIM6_CHECKSUM_COMPLETE {
            // SAFETY: 48 linear octets at `data`.
            unsafe {
                bindings::shim6_skb_pull_csum(self.as_ptr(), self.fields().data.cast(), BOTH)
            };
        }
        // SAFETY: 48 private linear octets at `data`; the header is written 8 octets further on.
        unsafe {
            let f = self.raw.as_mut();
            f.data = f.data.add(SHIM_LEN as usize);
            f.len = f.len.wrapping_sub(SHIM_LEN);
            ptr::write_unaligned(f.data.cast::<Ipv6>(), new);
        }
        let h = self.headers_mut();
        h.network_header = h.network_header.wrapping_add(SHIM_LEN as u16);
        h.transport_header = h.network_header.wrapping_add(IPV6_LEN as u16);
        h.set_encapsulation(0);
        if summed == bindings::SHIM6_CHECKSUM_UNNECESSARY {
            h.set_ip_summed(bindings::SHIM6_CHECKSUM_NONE as u8);
        } else if summed == bindings::SHIM6_CHECKSUM_COMPLETE {
            // SAFETY: 40 linear octets at `data`.
            unsafe {
                bindings::shim6_skb_push_csum(self.as_ptr(), self.fields().data.cast(), IPV6_LEN)
            };
        }
        Ok(())
    }

    /// The largest IPv6 packet that the route it has now promises to carry.
    pub(crate) fn route_mtu(&self) -> u32 {
        if self.dst().is_null() {
            return u32::MAX;
        }
        // SAFETY: the packet has a route.
        unsafe { bindings::shim6_skb_mtu(self.as_ptr()) }
    }

    /// Tells the route it has now, and so its ULP, that packets of at most `mtu` octets fit.
    pub(crate) fn update_pmtu(&mut self, mtu: u32) {
        // SAFETY: the packet is valid; a packet without a route is left alone.
        unsafe { bindings::shim6_skb_update_pmtu(self.as_ptr(), mtu) };
    }

    /// Its socket is told, if it wants to know of errors, that packets may have `mtu` octets: what
    /// the kernel does where it finds that out itself.
    pub(crate) fn tell_too_big(&self, mtu: u32) {
        // SAFETY: the packet is valid, and has its socket's reference if it has a socket.
        unsafe { bindings::shim6_skb_tell_too_big(self.as_ptr(), mtu) };
    }

    /// The interface its route leaves by; no interface's number if it has no route.
    #[inline]
    pub(crate) fn leaves_by(&self) -> u32 {
        let dst = self.dst();
        if dst.is_null() {
            return u32::MAX;
        }
        // SAFETY: a packet's route is valid while the hook runs, and it always names a device.
        unsafe { (*(*dst).__bindgen_anon_1.dev).ifindex as u32 }
    }

    /// Whether its sender is a TCP socket.
    pub(crate) fn is_tcp(&self) -> bool {
        self.ipv6().next == 6
    }

    /// Ends the packet's life, as one that was dealt with.
    pub(crate) fn consume(self) {
        // SAFETY: the hook owns the packet and answers that it was taken over.
        unsafe { bindings::consume_skb(self.as_ptr()) };
    }

    /// The interface its socket is bound to; 0 for none.
    #[inline]
    pub(in crate::sys) fn bound_to(&self) -> u32 {
        let sk = self.sock();
        if sk.is_null() {
            return 0;
        }
        // SAFETY: a packet's socket, mini sockets included, starts with a `sock_common`.
        unsafe { (*sk).__sk_common.skc_bound_dev_if as u32 }
    }

    /// Whether it has a mark or a DSCP, which routing rules may ask for.
    pub(in crate::sys) fn is_special(&self) -> bool {
        // SAFETY: `raw` is a valid buffer that starts with an IPv6 header.
        unsafe { bindings::shim6_skb_is_special(self.as_ptr()) }
    }

    /// The packet now starts 8 octets later, with an IPv6 header that was moved there.
    pub(in crate::sys) fn forget_front(&mut self) {
        // SAFETY: the buffer is ours, and its callers made more than 48 octets linear.
        let f = unsafe { self.raw.as_mut() };
        f.data = f.data.wrapping_add(SHIM_LEN as usize);
        f.len = f.len.wrapping_sub(SHIM_LEN);
        let h = self.headers_mut();
        h.network_header = h.network_header.wrapping_add(SHIM_LEN as u16);
        h.transport_header = h.network_header.wrapping_add(IPV6_LEN as u16);
    }
}

/// Leaves a note in a received packet, unless a master device has it a second time.
///
/// # Safety
///
/// `raw` is ours to change, and its `cb` is that of IPv6's input: it starts with an
/// `inet6_skb_parm`, and what `sys/skb.h` sets aside is nobody else's up to the socket.
#[inline]
pub(in crate::sys) unsafe fn leave_note(raw: NonNull<bindings::sk_buff>, note: u32) {
    // SAFETY: by the contract; `cb` has 48 octets.
    unsafe {
        let cb = (*raw.as_ptr()).cb.as_mut_ptr();
        let flags = (*cb.cast::<bindings::inet6_skb_parm>()).flags;
        if u32::from(flags) & bindings::SHIM6_CB_L3SLAVE != 0 {
            return;
        }
        ptr::write_unaligned(cb.add(bindings::SHIM6_CB_NOTE as usize).cast(), note);
        ptr::write_unaligned(cb.add(bindings::SHIM6_CB_NOTE_AGAIN as usize).cast(), note);
    }
}
