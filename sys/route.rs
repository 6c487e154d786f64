// SPDX-License-Identifier: GPL-2.0
//! The cached route of one locator pair.
//!
//! A packet costs three loads here, never a lookup: a route that was good in this clock tick is
//! good. Once a tick the kernel is asked (`dst_check` with the FIB's cookie) and the facts that
//! packets need are copied; a route that went stale is looked up once and replaced.
//!
//! It is the route of a packet that has nothing but its addresses. A packet with a mark or a DSCP,
//! or of a socket that is bound to another interface, is looked up by itself where there are
//! routing rules; so is every one where a rule asks for users.
//!
//! Lock-free: readers hold the RCU read lock (all hooks do), and a route's memory outlives its
//! last reference by a grace period. `state` admits one writer; whoever finds it taken looks up a
//! route for its own packet and caches nothing.
//!
//! The reference is given back when the snapshot is replaced, not when its memory is freed: the
//! kernel counts routes in their namespace, which may be gone by then.

use crate::proto::addr::Pair;
use crate::sys::bindings;
use crate::sys::hook::Call;
use crate::sys::in6;
use crate::sys::skb::Skb;
use core::ptr;
use core::ptr::NonNull;
use core::sync::atomic::AtomicPtr;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::AtomicU8;
use core::sync::atomic::Ordering::AcqRel;
use core::sync::atomic::Ordering::Acquire;
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::Ordering::Release;

/// `DST_OBSOLETE_FORCE_CHK`: what every living IPv6 route carries.
const LIVING: i16 = bindings::DST_OBSOLETE_FORCE_CHK as i16;

/// Cached route of one locator pair; belongs to a packet-path snapshot and dies with it.
///
/// # Invariants
///
/// `dst` is null or a route on which this cache owns one reference, given back only after the
/// pointer was taken out (so a reader under RCU may still try to take its own). Who sets `BUSY`
/// alone stores to `dst`; once `RETIRED` is set and `BUSY` clear, `dst` stays null.
pub(crate) struct Cache {
    dst: AtomicPtr<bindings::dst_entry>,
    cookie: AtomicU32,
    mtu: AtomicU32,
    ifindex: AtomicU32,
    vrf: AtomicU32,
    flags: AtomicU32,
    checked: AtomicU64,
    state: AtomicU8,
}

/// What the packet path wants to know of a route.
#[derive(Clone, Copy)]
pub(crate) struct Facts {
    /// Largest IPv6 packet in octets that fits.
    pub(crate) mtu: u32,
    /// Interface it leaves by.
    pub(crate) ifindex: u32,
    /// `SOFTWARE` and the like, and from `ROOM_SHIFT` on the room.
    flags: u32,
}

impl Facts {
    fn of(facts: &bindings::shim6_route_facts) -> Self {
        let software = if facts.software { SOFTWARE } else { 0 };
        let flags = software | rules(facts) | u32::from(facts.room) << ROOM_SHIFT;
        Facts { mtu: facts.mtu, ifindex: facts.ifindex as u32, flags }
    }

    /// Octets the device wants in front of the IPv6 header.
    #[inline]
    pub(crate) fn room(&self) -> u32 {
        self.flags >> ROOM_SHIFT
    }

    /// The device hands a packet on to another stack of this kernel exactly as it is.
    #[inline]
    pub(crate) fn is_software(&self) -> bool {
        self.flags & SOFTWARE != 0
    }
}

/// A route a packet may take now.
pub(crate) struct Route {
    dst: NonNull<bindings::dst_entry>,
    owned: bool,
    /// What the packet path wants to know of it.
    pub(crate) facts: Facts,
}

/// The device hands a packet on to another stack of this kernel exactly as it is.
const SOFTWARE: u32 = 1;
/// Routing rules exist, so that a packet's mark or DSCP may choose another route.
const RULES: u32 = 2;
/// There is no route.
const NONE: u32 = 4;
/// So may its user.
const USERS: u32 = 8;
const ROOM_SHIFT: u32 = 8;

/// Somebody replaces the route.
const BUSY: u8 = 1;
/// The snapshot was replaced: nothing is cached any more.
const RETIRED: u8 = 2;

impl Route {
    /// A route that was looked up for this packet alone.
    ///
    /// # Safety
    ///
    /// `dst` is a route of the hook's namespace, and a reference on it is given away.
    pub(in crate::sys) unsafe fn owned(call: &Call<'_>, dst: NonNull<bindings::dst_entry>) -> Self {
        // SAFETY: by the contract of this function.
        unsafe { owned(call.net(), dst) }
    }

    /// Makes the packet take this route instead of the one it has.
    ///
    /// `Err` if the route died this moment; the packet is unchanged.
    #[inline]
    pub(crate) fn give(mut self, skb: &mut Skb<'_>) -> Result<(), Gone> {
        if self.owned {
            self.owned = false;
            // SAFETY: we own a reference on `dst`, which the packet takes over.
            unsafe { bindings::shim6_skb_give_route(skb.as_ptr(), self.dst.as_ptr()) };
            return Ok(());
        }
        // SAFETY: `dst` was cached when RCU was entered, so its memory is still there.
        match unsafe { bindings::shim6_skb_reroute(skb.as_ptr(), self.dst.as_ptr()) } {
            true => Ok(()),
            false => Err(Gone),
        }
    }
}

impl Drop for Route {
    fn drop(&mut self) {
        if self.owned {
            // SAFETY: we own a reference on `dst`.
            unsafe { bindings::dst_release(self.dst.as_ptr()) };
        }
    }
}

/// A route disappeared between its look-up and its use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gone;

impl Cache {
    /// A cache that knows no route yet.
    pub(crate) const fn new() -> Self {
        Cache {
            dst: AtomicPtr::new(ptr::null_mut()),
            cookie: AtomicU32::new(0),
            mtu: AtomicU32::new(0),
            ifindex: AtomicU32::new(0),
            vrf: AtomicU32::new(0),
            flags: AtomicU32::new(0),
            checked: AtomicU64::new(0),
            state: AtomicU8::new(0),
        }
    }

    /// The cached route, if it was found good in this `tick` (jiffies), and for this packet.
    #[inline]
    pub(crate) fn cached(&self, skb: &Skb<'_>, tick: u64) -> Option<Route> {
        self.current(tick).filter(|route| self.suits(&route.facts, skb))
    }

    /// Whether the cached route, of which these are the facts, is this packet's.
    #[inline]
    fn suits(&self, facts: &Facts, skb: &Skb<'_>) -> bool {
        let bound = skb.bound_to();
        let elsewhere = bound != 0 && bound != facts.ifindex && bound != self.vrf.load(Relaxed);
        !elsewhere && !is_ruled(facts.flags, skb)
    }

    /// A route between these locators that is good in this `tick` (jiffies) for this packet: the
    /// cached one, unless the packet's socket is bound to a device, or its mark, its DSCP or its
    /// user may choose another one.
    pub(crate) fn get(
        &self,
        call: &Call<'_>,
        skb: &Skb<'_>,
        pair: &Pair,
        tick: u64,
    ) -> Option<Route> {
        let cached = self.current(tick).or_else(|| self.renew(call.net(), pair, tick));
        let alone = match &cached {
            Some(route) => !self.suits(&route.facts, skb),
            // Rules may have a route for this packet though there is none for others.
            None => skb.bound_to() != 0 || is_ruled(self.flags.load(Relaxed), skb),
        };
        match alone {
            true => lookup(call.net(), Some(skb), pair, skb.bound_to()),
            false => cached,
        }
    }

    /// The cached route if it was found good in this `tick` (jiffies).
    ///
    /// The caller is inside an RCU read-side section that outlives the result.
    #[inline]
    fn current(&self, tick: u64) -> Option<Route> {
        let dst = NonNull::new(self.dst.load(Acquire))?;
        let facts = Facts {
            mtu: self.mtu.load(Relaxed),
            ifindex: self.ifindex.load(Relaxed),
            flags: self.flags.load(Relaxed),
        };
        // SAFETY: the cache held a reference when the pointer was read under RCU.
        let living = unsafe { dst.as_ref() }.obsolete == LIVING;
        if !living || self.checked.load(Acquire) != tick || self.dst.load(Relaxed) != dst.as_ptr() {
            return None;
        }
        Some(Route { dst, owned: false, facts })
    }

    /// The slow half of [`Cache::current`]: asks the kernel whether the cached route is still
    /// good, else looks one up and keeps it.
    #[cold]
    fn renew(&self, net: NonNull<bindings::net>, pair: &Pair, tick: u64) -> Option<Route> {
        if self.flags.load(Relaxed) & NONE != 0 && self.checked.load(Acquire) == tick {
            return None;
        }
        let cached = self.dst.load(Acquire);
        let cookie = self.cookie.load(Acquire);
        let mut facts = bindings::shim6_route_facts::default();
        let whole = !cached.is_null() && self.dst.load(Acquire) == cached;
        let mut check = || {
            // SAFETY: `cached` is a route kept alive by RCU; `cookie` was stored for it if the
            // pointer did not change, which is what `whole` says.
            unsafe { bindings::shim6_route_check(net.as_ptr(), cached, cookie, &mut facts) }
        };
        if whole && check() {
            self.publish(&facts, tick);
            return self.current(tick);
        }
        if self.state.compare_exchange(0, BUSY, Acquire, Relaxed).is_err() {
            return lookup(net, None, pair, 0);
        }
        let old = self.dst.swap(ptr::null_mut(), Acquire);
        let found = lookup_raw(net, None, pair, 0);
        match found {
            Some(new) => {
                // SAFETY: `new` is a route on which we own a reference.
                unsafe { bindings::shim6_route_facts(net.as_ptr(), new.as_ptr(), &mut facts) };
                self.publish(&facts, tick);
                // INVARIANT: the reference on `new` now belongs to the cache.
                self.dst.store(new.as_ptr(), Release);
            }
            None => {
                // SAFETY: the namespace is valid, and hooks run under RCU.
                unsafe { bindings::shim6_route_rules(net.as_ptr(), &mut facts) };
                self.flags.store(NONE | rules(&facts), Relaxed);
                self.checked.store(tick, Release);
            }
        }
        // SAFETY: the cache owned a reference on `old`, which is out of reach for new readers.
        unsafe { bindings::dst_release(old) };
        if self.state.fetch_and(!BUSY, AcqRel) & RETIRED != 0 {
            self.release();
            return lookup(net, None, pair, 0);
        }
        found.and_then(|_| self.current(tick))
    }

    /// Gives the route back, for good: the snapshot this belongs to was replaced.
    pub(crate) fn retire(&self) {
        if self.state.fetch_or(RETIRED, AcqRel) & BUSY == 0 {
            self.release();
        }
    }

    fn release(&self) {
        // SAFETY: the cache owned a reference on what it held, which is out of reach for new
        // readers.
        unsafe { bindings::dst_release(self.dst.swap(ptr::null_mut(), AcqRel)) };
    }

    fn publish(&self, facts: &bindings::shim6_route_facts, tick: u64) {
        let Facts { mtu, ifindex, flags } = Facts::of(facts);
        self.cookie.store(facts.cookie, Release);
        self.mtu.store(mtu, Relaxed);
        self.ifindex.store(ifindex, Relaxed);
        self.vrf.store(facts.vrf as u32, Relaxed);
        self.flags.store(flags, Relaxed);
        self.checked.store(tick, Release);
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        self.release();
    }
}

fn rules(facts: &bindings::shim6_route_facts) -> u32 {
    let rules = if facts.rules { RULES } else { 0 };
    rules | if facts.users { USERS } else { 0 }
}

/// Whether rules, where these are, may choose a route for this packet by more than its addresses.
#[inline]
fn is_ruled(flags: u32, skb: &Skb<'_>) -> bool {
    flags & (RULES | USERS) != 0 && (flags & USERS != 0 || skb.is_special())
}

/// A route for this packet, or for one that rules know by nothing but its addresses.
fn lookup_raw(
    net: NonNull<bindings::net>,
    skb: Option<&Skb<'_>>,
    pair: &Pair,
    oif: u32,
) -> Option<NonNull<bindings::dst_entry>> {
    let skb = skb.map_or(ptr::null_mut(), Skb::as_ptr);
    let (src, dst) = (in6(&pair.local), in6(&pair.peer));
    // SAFETY: `net` and the packet, if there is one, are valid; the addresses live on this stack.
    NonNull::new(unsafe { bindings::shim6_route_lookup(net.as_ptr(), skb, &src, &dst, oif as i32) })
}

/// Looks up a route and caches nothing. If it is one packet's, its mark, DSCP, user and device
/// decide.
#[cold]
fn lookup(
    net: NonNull<bindings::net>,
    skb: Option<&Skb<'_>>,
    pair: &Pair,
    oif: u32,
) -> Option<Route> {
    let dst = lookup_raw(net, skb, pair, oif)?;
    // SAFETY: `dst` is a route on which we own a reference.
    Some(unsafe { owned(net, dst) })
}

/// # Safety
///
/// `dst` is a route of this namespace, and a reference on it is given away.
unsafe fn owned(net: NonNull<bindings::net>, dst: NonNull<bindings::dst_entry>) -> Route {
    let mut facts = bindings::shim6_route_facts::default();
    // SAFETY: by the contract.
    unsafe { bindings::shim6_route_facts(net.as_ptr(), dst.as_ptr(), &mut facts) };
    Route { dst, owned: true, facts: Facts::of(&facts) }
}
