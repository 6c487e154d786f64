// SPDX-License-Identifier: GPL-2.0

//! A socket that a system call is about, and what is remembered of sockets.

use crate::proto::addr::Addr;
use crate::proto::addr::Pair;
use crate::proto::addr::Tag;
use crate::proto::sockapi::Side;
use crate::proto::sockapi::Told;
use crate::proto::wish::Owner;
use crate::sys::addr;
use crate::sys::bindings;
use crate::sys::hook::Call;
use crate::sys::in6;
use crate::sys::netns::NetRef;
use crate::sys::route::Route;
use crate::sys::skb::Skb;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr;
use core::ptr::NonNull;
use core::sync::atomic::AtomicI32;
use core::sync::atomic::Ordering::Relaxed;
use kernel::error::to_result;
use kernel::prelude::*;

/// A socket, held by the system call that lends it.
///
/// # Invariants
///
/// `sk` is a valid socket during `'a`, and the current context may sleep.
pub(crate) struct Socket<'a> {
    sk: NonNull<bindings::sock>,
    lent: PhantomData<&'a bindings::sock>,
}

/// What a socket is at one moment.
pub(crate) struct Info<'a> {
    /// Its network namespace.
    pub(crate) net: NetRef<'a>,
    /// `AF_*`.
    pub(crate) family: u16,
    /// `SOCK_*`.
    pub(crate) kind: u16,
    /// `IPPROTO_*`.
    pub(crate) protocol: u16,
    /// `TCP_*`, for all kinds of sockets.
    pub(crate) state: u8,
    /// Its addresses; `None` if they are IPv4's.
    pub(crate) addresses: Option<Pair>,
    /// Its port and its peer's, of whatever means something by them.
    pub(crate) ports: (u16, u16),
}

/// The memory of what sockets were told: made before and dropped after all that calls us.
pub(crate) struct Memory(());

impl Memory {
    /// Makes the table. There is one in the module.
    pub(crate) fn create() -> Result<Self> {
        // SAFETY: called once, from the module's init.
        to_result(unsafe { bindings::shim6_socks_create() })?;
        Ok(Memory(()))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: made by the type's only constructor; by its place in the module's fields neither
        // a call, a socket nor a packet looks into the table any more.
        unsafe { bindings::shim6_socks_destroy() }
    }
}

impl<'a> Socket<'a> {
    /// # Safety
    ///
    /// The type invariants hold for `sk` during `'a`.
    pub(in crate::sys) unsafe fn from_raw(sk: NonNull<bindings::sock>) -> Self {
        // INVARIANT: by the contract of this function.
        Socket { sk, lent: PhantomData }
    }

    /// Looks at the socket under its lock.
    pub(crate) fn info(&self) -> Info<'a> {
        let mut raw = MaybeUninit::<bindings::shim6_sock_info>::uninit();
        // SAFETY: `sk` is valid by the type invariants; the function fills in every field.
        let raw = unsafe {
            bindings::shim6_sock_describe(self.sk.as_ptr(), raw.as_mut_ptr());
            raw.assume_init()
        };
        let addresses = raw.ipv6.then(|| Pair { local: addr(&raw.local), peer: addr(&raw.peer) });
        Info {
            // SAFETY: a socket keeps its namespace, and lives during `'a`.
            net: unsafe { NetRef::from_raw(NonNull::new_unchecked(raw.net)) },
            family: raw.family,
            kind: raw.type_,
            protocol: raw.protocol,
            state: raw.state,
            addresses,
            ports: (raw.local_port, raw.peer_port),
        }
    }

    fn flags(&self) -> u32 {
        // SAFETY: `sk` is valid by the type invariants.
        unsafe { bindings::shim6_sock_flags(self.sk.as_ptr()) }
    }

    /// The number by which a context knows whose wishes it has. Remembered until the socket is
    /// destroyed.
    pub(crate) fn owner(&self) -> Result<Owner> {
        // SAFETY: `sk` is valid by the type invariants, and we may sleep. Nothing is remembered
        // before sockets are watched.
        let serial = unsafe {
            to_result(bindings::shim6_ftrace_watch())?;
            bindings::shim6_sock_own(self.sk.as_ptr())
        };
        match serial {
            0 => Err(ENOMEM),
            serial => Ok(Owner { place: self.sk.as_ptr() as u64, serial }),
        }
    }

    /// CT(local) of its forked context, if it was given one; that may be gone meanwhile.
    pub(crate) fn fork(&self) -> Option<Tag> {
        // SAFETY: `sk` is valid by the type invariants.
        tag(unsafe { bindings::shim6_sock_fork(self.sk.as_ptr()) })
    }

    /// Gives it a forked context in place of the `old` one, to be released when it is destroyed.
    /// EEXIST: another thread has done that.
    pub(crate) fn set_fork(&self, old: Option<Tag>, new: Tag) -> Result {
        let old = old.map_or(0, Tag::get);
        // SAFETY: `sk` is valid by the type invariants, and we may sleep.
        to_result(unsafe { bindings::shim6_sock_set_fork(self.sk.as_ptr(), old, new.get()) })
    }

    fn set_flag(&self, flag: u32, on: bool) -> Result {
        let flags = if on { flag } else { 0 };
        // SAFETY: `sk` is valid by the type invariants, and we may sleep. Nothing is remembered
        // before sockets are watched.
        unsafe {
            if on {
                to_result(bindings::shim6_ftrace_watch())?;
            }
            to_result(bindings::shim6_sock_set_flags(self.sk.as_ptr(), flag, flags))
        }
    }

    /// Whether the application wants no shim.
    pub(crate) fn dontshim(&self) -> bool {
        self.flags() & bindings::SHIM6_SOCK_DONTSHIM != 0
    }

    /// Remembers whether the application wants no shim, until the socket is destroyed.
    pub(crate) fn set_dontshim(&self, on: bool) -> Result {
        self.set_flag(bindings::SHIM6_SOCK_DONTSHIM, on)
    }

    /// Whether recvmsg() is to tell this.
    pub(crate) fn tells(&self, what: Told) -> bool {
        self.flags() & recv_flag(what) != 0
    }

    /// Remembers whether recvmsg() is to tell this, until the socket is destroyed.
    pub(crate) fn set_tells(&self, what: Told, on: bool) -> Result {
        if on {
            // SAFETY: we may sleep.
            to_result(unsafe { bindings::shim6_ancillary_hear() })?;
        }
        self.set_flag(recv_flag(what), on)
    }

    /// The locators that options chose.
    pub(crate) fn choice(&self) -> Choice {
        let mut raw = bindings::shim6_choice::default();
        // SAFETY: `sk` is valid by the type invariants.
        unsafe { bindings::shim6_sock_choice(self.sk.as_ptr(), &mut raw) };
        Choice { local: some(&raw.local), peer: some(&raw.peer) }
    }

    /// Remembers which locator of a side an option chose, until the socket is destroyed; `None`
    /// leaves it to the context. Threads that choose at once choose for their sides only.
    pub(crate) fn choose(&self, side: Side, locator: Option<Addr>) -> Result {
        let locator = in6(&locator.unwrap_or_default());
        // SAFETY: `sk` is valid by the type invariants, and we may sleep. Nothing is remembered
        // before sockets are watched. The locator is copied.
        unsafe {
            to_result(bindings::shim6_ftrace_watch())?;
            let peer = side == Side::Peer;
            to_result(bindings::shim6_sock_choose(self.sk.as_ptr(), peer, &locator))
        }
    }

    /// The interface by which TCP received last; 0 if it does not know.
    pub(crate) fn receives_by(&self) -> u32 {
        // SAFETY: `sk` is valid by the type invariants; the field is only ever a number.
        unsafe { ptr::read_volatile(&raw const (*self.sk.as_ptr()).sk_rx_dst_ifindex) as u32 }
    }
}

fn recv_flag(what: Told) -> u32 {
    match what {
        Told::Locator(Side::Local) => bindings::SHIM6_SOCK_RECV_LOCAL,
        Told::Locator(Side::Peer) => bindings::SHIM6_SOCK_RECV_PEER,
        Told::Interface => bindings::SHIM6_SOCK_RECV_IF,
    }
}

/// Locators that an application chose; `None` leaves one to the context.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Choice {
    /// Ours.
    pub(crate) local: Option<Addr>,
    /// The peer's.
    pub(crate) peer: Option<Addr>,
}

impl Choice {
    pub(in crate::sys) fn raw(&self) -> bindings::shim6_choice {
        let raw = |addr: &Option<Addr>| in6(&addr.unwrap_or_default());
        bindings::shim6_choice { local: raw(&self.local), peer: raw(&self.peer) }
    }
}

/// `None` for `::`.
fn some(raw: &bindings::in6_addr) -> Option<Addr> {
    Some(addr(raw)).filter(|addr| *addr != Addr::default())
}

/// What a packet's socket wants of it. Lives as long as the hook runs: the packet holds its
/// socket, and the socket what is remembered of it.
pub(crate) struct Own(bindings::shim6_own);

impl Own {
    /// Whether anything is remembered of any socket. One load.
    #[inline]
    pub(crate) fn is_any() -> bool {
        // SAFETY: the counter is a static of C's that is only read and written atomically.
        let count = unsafe { AtomicI32::from_ptr(&raw mut bindings::shim6_sock_count.counter) };
        count.load(Relaxed) != 0
    }

    /// RFC 6316 section 6.2.
    pub(crate) fn is_dontshim(&self) -> bool {
        self.0.flags & bindings::SHIM6_SOCK_DONTSHIM != 0
    }

    /// CT(local) of the socket's forked context, if it was given one.
    pub(crate) fn fork(&self) -> Option<Tag> {
        tag(self.0.fork)
    }

    /// Whether it chooses locators.
    pub(crate) fn chooses(&self) -> bool {
        self.0.called || self.0.flags & bindings::SHIM6_SOCK_CHOSEN != 0
    }

    /// Whether the packet is the datagram of a sendmsg() that chose locators for it.
    pub(crate) fn is_of_call(&self) -> bool {
        self.0.called
    }

    /// Whether the choice was made for a packet between these identifiers.
    pub(crate) fn is_meant_for(&self, ulids: &Pair) -> bool {
        !self.0.called || (addr(&self.0.from) == ulids.local && addr(&self.0.to) == ulids.peer)
    }

    /// The pair to use, of a context that itself uses `tx`.
    pub(crate) fn pair(&self, tx: &Pair) -> Pair {
        let choice = &self.0.choice;
        Pair {
            local: some(&choice.local).unwrap_or(tx.local),
            peer: some(&choice.peer).unwrap_or(tx.peer),
        }
    }

    /// A route for a packet between this pair: the last one, if it is still good.
    pub(crate) fn route(&self, call: &Call<'_>, skb: &Skb<'_>, pair: &Pair) -> Option<Route> {
        let (local, peer, bound) = (in6(&pair.local), in6(&pair.peer), skb.bound_to() as i32);
        // SAFETY: the socket and the packet are there while the hook runs; the addresses live on
        // this stack.
        let dst = NonNull::new(unsafe {
            bindings::shim6_own_route(
                &self.0,
                call.net().as_ptr(),
                skb.as_ptr(),
                &local,
                &peer,
                bound,
            )
        })?;
        // SAFETY: we own a reference on what was returned.
        Some(unsafe { Route::owned(call, dst) })
    }
}

/// Whether a socket that wished something still belongs to an application.
pub(crate) fn lives(owner: Owner) -> bool {
    // SAFETY: the place is not followed unless the table has that very socket.
    unsafe { bindings::shim6_sock_lives(owner.place, owner.serial) }
}

/// No context has tag 0.
fn tag(raw: u64) -> Option<Tag> {
    (raw != 0).then(|| Tag::new(raw))
}

impl Skb<'_> {
    /// What the socket it was sent from wants of it, if anything.
    #[inline]
    pub(crate) fn own(&self, call: &Call<'_>) -> Option<Own> {
        match Own::is_any() {
            true => self.ask(call),
            false => None,
        }
    }

    #[cold]
    fn ask(&self, call: &Call<'_>) -> Option<Own> {
        // A tunnel's packet still belongs to the socket whose packet is inside, but is not one
        // of its packets.
        let sender = call.sender()?;
        let mut own = bindings::shim6_own::default();
        // SAFETY: the buffer is valid by `Skb`'s invariants; hooks run under RCU, and their sender
        // outlives them.
        unsafe { bindings::shim6_skb_own(self.as_ptr(), sender.as_ptr(), &mut own) }
            .then_some(Own(own))
    }
}

/// The index of the interface that has `address`, other than `except`; 0 if none has.
pub(crate) fn interface(net: NetRef<'_>, address: &Addr, except: u32) -> u32 {
    let raw = core::ptr::from_ref(address).cast();
    // SAFETY: the namespace is valid while it is borrowed, an `Addr` is the 16 octets of an
    // `in6_addr`.
    unsafe { bindings::shim6_sock_interface(net.as_ptr(), raw, except) }
}
