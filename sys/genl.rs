// SPDX-License-Identifier: GPL-2.0

//! Generic netlink: requests as readers, answers and events as writers.
//!
//! The family with its commands and policies is generated (`sys/genl_spec.c`); what a command
//! does is `ctl.rs`. A policy has checked the length of each attribute before a request gets here.

use crate::proto::addr::Addr;
use crate::sys::bindings;
use crate::sys::netns::NetRef;
use core::ffi::c_void;
use core::fmt;
use core::fmt::Write;
use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::error::to_result;
use kernel::error::Error;
use kernel::prelude::*;

/// Declares constants of C enumerators.
macro_rules! numbers {
    ($($name:ident = $from:ident as $ty:ty;)+) => {
        /// The numbers of the specification: all that a driver sees of the family's C names.
        pub(crate) mod spec {
            use crate::sys::bindings;
            $(pub(crate) const $name: $ty = bindings::$from as $ty;)+
        }
    };
}

numbers! {
    CMD_CONTEXT_GET = SHIM_CMD_CONTEXT_GET as u8;
    CMD_CONTEXT_EVENT = SHIM_CMD_CONTEXT_EVENT as u8;
    CMD_HBA_GET = SHIM_CMD_HBA_GET as u8;
    CMD_POLICY_GET = SHIM_CMD_POLICY_GET as u8;
    CMD_STATS_GET = SHIM_CMD_STATS_GET as u8;
    LOCATOR_ADDR = SHIM_A_LOCATOR_ADDR as u16;
    LOCATOR_FLAGS = SHIM_A_LOCATOR_FLAGS as u16;
    LOCATOR_VERIFICATION = SHIM_A_LOCATOR_VERIFICATION as u16;
    LOCATOR_PRIORITY = SHIM_A_LOCATOR_PRIORITY as u16;
    LOCATOR_WEIGHT = SHIM_A_LOCATOR_WEIGHT as u16;
    FLAG_BROKEN = shim_locator_flag_SHIM_LOCATOR_FLAG_BROKEN as u32;
    FLAG_TEMPORARY = shim_locator_flag_SHIM_LOCATOR_FLAG_TEMPORARY as u32;
    FLAG_VERIFIED = shim_locator_flag_SHIM_LOCATOR_FLAG_VERIFIED as u32;
    FLAG_USABLE = shim_locator_flag_SHIM_LOCATOR_FLAG_USABLE as u32;
    VERIFICATION_HBA = shim_verification_SHIM_VERIFICATION_HBA as u32;
    VERIFICATION_CGA = shim_verification_SHIM_VERIFICATION_CGA as u32;
    CONTEXT_PAD = SHIM_A_CONTEXT_PAD as u16;
    CONTEXT_ULID_LOCAL = SHIM_A_CONTEXT_ULID_LOCAL as u16;
    CONTEXT_ULID_PEER = SHIM_A_CONTEXT_ULID_PEER as u16;
    CONTEXT_FII = SHIM_A_CONTEXT_FII as u16;
    CONTEXT_LOCAL_TAG = SHIM_A_CONTEXT_LOCAL_TAG as u16;
    CONTEXT_PEER_TAG = SHIM_A_CONTEXT_PEER_TAG as u16;
    CONTEXT_STATE = SHIM_A_CONTEXT_STATE as u16;
    CONTEXT_REAP_STATE = SHIM_A_CONTEXT_REAP_STATE as u16;
    CONTEXT_LOCAL = SHIM_A_CONTEXT_LOCAL as u16;
    CONTEXT_PEER = SHIM_A_CONTEXT_PEER as u16;
    CONTEXT_OLD_LOCAL = SHIM_A_CONTEXT_OLD_LOCAL as u16;
    CONTEXT_OLD_PEER = SHIM_A_CONTEXT_OLD_PEER as u16;
    CONTEXT_LOCAL_LOCATOR = SHIM_A_CONTEXT_LOCAL_LOCATOR as u16;
    CONTEXT_PEER_LOCATOR = SHIM_A_CONTEXT_PEER_LOCATOR as u16;
    CONTEXT_SEND_TIMEOUT = SHIM_A_CONTEXT_SEND_TIMEOUT as u16;
    CONTEXT_KEEPALIVE_TIMEOUT = SHIM_A_CONTEXT_KEEPALIVE_TIMEOUT as u16;
    CONTEXT_LAST_SENT = SHIM_A_CONTEXT_LAST_SENT as u16;
    CONTEXT_LAST_RECEIVED = SHIM_A_CONTEXT_LAST_RECEIVED as u16;
    CONTEXT_EVENT = SHIM_A_CONTEXT_EVENT as u16;
    CONTEXT_TIME = SHIM_A_CONTEXT_TIME as u16;
    CONTEXT_FAILURE = SHIM_A_CONTEXT_FAILURE as u16;
    STATE_I1_SENT = shim_context_state_SHIM_CONTEXT_STATE_I1_SENT as u32;
    STATE_I2_SENT = shim_context_state_SHIM_CONTEXT_STATE_I2_SENT as u32;
    STATE_I2BIS_SENT = shim_context_state_SHIM_CONTEXT_STATE_I2BIS_SENT as u32;
    STATE_ESTABLISHED = shim_context_state_SHIM_CONTEXT_STATE_ESTABLISHED as u32;
    STATE_E_FAILED = shim_context_state_SHIM_CONTEXT_STATE_E_FAILED as u32;
    STATE_NO_SUPPORT = shim_context_state_SHIM_CONTEXT_STATE_NO_SUPPORT as u32;
    REAP_OPERATIONAL = shim_reap_state_SHIM_REAP_STATE_OPERATIONAL as u32;
    REAP_EXPLORING = shim_reap_state_SHIM_REAP_STATE_EXPLORING as u32;
    REAP_INBOUND_OK = shim_reap_state_SHIM_REAP_STATE_INBOUND_OK as u32;
    EVENT_ESTABLISHED = shim_event_SHIM_EVENT_ESTABLISHED as u32;
    EVENT_EXPLORING = shim_event_SHIM_EVENT_EXPLORING as u32;
    EVENT_INBOUND_OK = shim_event_SHIM_EVENT_INBOUND_OK as u32;
    EVENT_PEER_LOCATORS = shim_event_SHIM_EVENT_PEER_LOCATORS as u32;
    EVENT_RECOVERING = shim_event_SHIM_EVENT_RECOVERING as u32;
    FAILURE_NO_RESPONSE = shim_failure_SHIM_FAILURE_NO_RESPONSE as u32;
    FAILURE_NO_SUPPORT = shim_failure_SHIM_FAILURE_NO_SUPPORT as u32;
    EVENT_REHOMED = shim_event_SHIM_EVENT_REHOMED as u32;
    EVENT_OPERATIONAL = shim_event_SHIM_EVENT_OPERATIONAL as u32;
    EVENT_FAILED = shim_event_SHIM_EVENT_FAILED as u32;
    EVENT_GONE = shim_event_SHIM_EVENT_GONE as u32;
    HBA_PARAMETERS = SHIM_A_HBA_PARAMETERS as u16;
    HBA_ADDRESS = SHIM_A_HBA_ADDRESS as u16;
    HBA_LOCATOR = SHIM_A_HBA_LOCATOR as u16;
    HBA_PRIVATE_KEY = SHIM_A_HBA_PRIVATE_KEY as u16;
    HBA_SIGNS = SHIM_A_HBA_SIGNS as u16;
    POLICY_RULE = SHIM_A_POLICY_RULE as u16;
    POLICY_PLACING = SHIM_A_POLICY_PLACING as u16;
    POLICY_SETTING = SHIM_A_POLICY_SETTING as u16;
    RULE_DENY = SHIM_A_RULE_DENY as u16;
    RULE_LOCAL = SHIM_A_RULE_LOCAL as u16;
    RULE_LOCAL_LENGTH = SHIM_A_RULE_LOCAL_LENGTH as u16;
    RULE_PEER = SHIM_A_RULE_PEER as u16;
    RULE_PEER_LENGTH = SHIM_A_RULE_PEER_LENGTH as u16;
    RULE_PROTOCOL = SHIM_A_RULE_PROTOCOL as u16;
    RULE_FIRST_PORT = SHIM_A_RULE_FIRST_PORT as u16;
    RULE_LAST_PORT = SHIM_A_RULE_LAST_PORT as u16;
    PLACING_PREFIX = SHIM_A_PLACING_PREFIX as u16;
    PLACING_LENGTH = SHIM_A_PLACING_LENGTH as u16;
    PLACING_DEVICE = SHIM_A_PLACING_DEVICE as u16;
    PLACING_EXCLUDED = SHIM_A_PLACING_EXCLUDED as u16;
    PLACING_PRIORITY = SHIM_A_PLACING_PRIORITY as u16;
    PLACING_WEIGHT = SHIM_A_PLACING_WEIGHT as u16;
    SETTING_NAME = SHIM_A_SETTING_NAME as u16;
    SETTING_VALUE = SHIM_A_SETTING_VALUE as u16;
    COUNTER_PAD = SHIM_A_COUNTER_PAD as u16;
    COUNTER_NAME = SHIM_A_COUNTER_NAME as u16;
    COUNTER_VALUE = SHIM_A_COUNTER_VALUE as u16;
}

/// Octets of the longest message we write: a context with 32 locators on each side.
const LONGEST: u32 = 8192;
/// The bits of an attribute's type that are its number.
const NLA_TYPE: u16 = 0x3fff;
/// Octets of the longest event.
const EVENT: u32 = 512;

/// The registration of the family; dropping it waits for requests in progress.
pub(crate) struct Family(());

impl Family {
    /// Makes the family known, in all namespaces.
    pub(crate) fn register() -> Result<Self> {
        // SAFETY: the family is static, and registered once.
        to_result(unsafe { bindings::shim6_genl_register() })?;
        Ok(Family(()))
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        // SAFETY: registered in `register`.
        unsafe { bindings::shim6_genl_unregister() };
    }
}

/// A message has no room left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl From<Full> for Error {
    fn from(_: Full) -> Error {
        EMSGSIZE
    }
}

/// A message being written.
///
/// # Invariants
///
/// `skb` is a netlink message that nobody else writes to during `'a`.
pub(crate) struct Writer<'a>(NonNull<bindings::sk_buff>, PhantomData<&'a mut ()>);

impl Writer<'_> {
    fn put(&mut self, attr: u16, data: &[u8]) -> Result<(), Full> {
        // CAST: no attribute is longer than a message.
        let len = data.len() as u32;
        // SAFETY: by the type invariants; `data` is readable, and copied.
        let err =
            unsafe { bindings::shim6_nla_put(self.0.as_ptr(), attr, data.as_ptr().cast(), len) };
        if err == 0 {
            Ok(())
        } else {
            Err(Full)
        }
    }

    /// Octets.
    pub(crate) fn bytes(&mut self, attr: u16, value: &[u8]) -> Result<(), Full> {
        self.put(attr, value)
    }

    /// A number.
    pub(crate) fn u32(&mut self, attr: u16, value: u32) -> Result<(), Full> {
        self.put(attr, &value.to_ne_bytes())
    }

    /// A wide number, aligned by means of the attribute `pad`.
    pub(crate) fn u64(&mut self, attr: u16, value: u64, pad: u16) -> Result<(), Full> {
        // SAFETY: by the type invariants.
        let err = unsafe { bindings::shim6_nla_put_u64(self.0.as_ptr(), attr, value, pad) };
        if err == 0 {
            Ok(())
        } else {
            Err(Full)
        }
    }

    /// An address.
    pub(crate) fn addr(&mut self, attr: u16, value: &Addr) -> Result<(), Full> {
        self.put(attr, &value.0)
    }

    /// A text.
    pub(crate) fn text(&mut self, attr: u16, value: &str) -> Result<(), Full> {
        // CAST: as in `put`.
        let len = value.len() as u32;
        // SAFETY: by the type invariants; the text is readable, and copied.
        let err =
            unsafe { bindings::shim6_nla_put_str(self.0.as_ptr(), attr, value.as_ptr(), len) };
        if err == 0 {
            Ok(())
        } else {
            Err(Full)
        }
    }

    /// Attributes inside an attribute.
    pub(crate) fn nest(
        &mut self,
        attr: u16,
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), Full>,
    ) -> Result<(), Full> {
        // SAFETY: by the type invariants.
        let nest = unsafe { bindings::shim6_nest_start(self.0.as_ptr(), attr) };
        if nest.is_null() {
            return Err(Full);
        }
        let written = write(self);
        match written {
            // SAFETY: `nest` was started in this message and not ended yet.
            Ok(()) => unsafe { bindings::shim6_nest_end(self.0.as_ptr(), nest) },
            // SAFETY: as above.
            Err(Full) => unsafe { bindings::shim6_nest_cancel(self.0.as_ptr(), nest) },
        }
        written
    }
}

/// A message of ours, not sent yet.
struct Message(NonNull<bindings::sk_buff>);

impl Message {
    /// Writes a message: the answer to `info`, or if that is null, an event.
    fn write(
        info: *mut bindings::genl_info,
        cmd: u8,
        (octets, may_sleep): (u32, bool),
        write: impl FnOnce(&mut Writer<'_>) -> Result,
    ) -> Result<Message> {
        // SAFETY: takes plain numbers.
        let skb = unsafe { bindings::shim6_genl_new(octets, may_sleep) };
        let message = Message(NonNull::new(skb).ok_or(ENOMEM)?);
        // SAFETY: the message is ours; `info` is null or a request in progress.
        let hdr = unsafe { bindings::shim6_genl_put(skb, info, cmd) };
        if hdr.is_null() {
            return Err(EMSGSIZE);
        }
        // INVARIANT: the message is ours.
        write(&mut Writer(message.0, PhantomData))?;
        // SAFETY: `hdr` was put into this message.
        unsafe { bindings::shim6_genl_end(skb, hdr) };
        Ok(message)
    }

    fn into_raw(self) -> *mut bindings::sk_buff {
        let raw = self.0.as_ptr();
        core::mem::forget(self);
        raw
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // SAFETY: it is ours.
        unsafe { bindings::shim6_genl_free(self.0.as_ptr()) };
    }
}

/// A request in progress. Process context, any lock may be taken.
///
/// # Invariants
///
/// `info` is valid during `'a`.
pub(crate) struct Request<'a>(NonNull<bindings::genl_info>, PhantomData<&'a ()>);

impl<'a> Request<'a> {
    /// # Safety
    ///
    /// The type invariant holds during the value's life.
    pub(in crate::sys) unsafe fn from_raw(info: NonNull<bindings::genl_info>) -> Self {
        // INVARIANT: by contract.
        Request(info, PhantomData)
    }

    /// The namespace of the socket that asks.
    pub(crate) fn net(&self) -> NetRef<'a> {
        // SAFETY: by the type invariants; a socket keeps its namespace alive.
        unsafe {
            let net = bindings::shim6_genl_net(self.0.as_ptr());
            NetRef::from_raw(NonNull::new_unchecked(net))
        }
    }

    /// An attribute's octets. `attr` is one of the command's policy.
    pub(crate) fn bytes(&self, attr: u16) -> Option<&'a [u8]> {
        let mut len = 0;
        // SAFETY: by the type invariants; the command's policy covers `attr`.
        let data = unsafe { bindings::shim6_genl_attr(self.0.as_ptr(), attr, &mut len) };
        // SAFETY: the request lives for `'a`, and so do its attributes.
        unsafe { slice(data, len) }
    }

    /// An attribute that is a number.
    pub(crate) fn u32(&self, attr: u16) -> Option<u32> {
        self.bytes(attr)?.first_chunk().map(|b| u32::from_ne_bytes(*b))
    }

    /// An attribute that is a wide number.
    pub(crate) fn u64(&self, attr: u16) -> Option<u64> {
        self.bytes(attr)?.first_chunk().map(|b| u64::from_ne_bytes(*b))
    }

    /// An attribute that is an address.
    pub(crate) fn addr(&self, attr: u16) -> Option<Addr> {
        self.bytes(attr)?.first_chunk().map(|b| Addr(*b))
    }

    /// The octets of an attribute that may be there several times.
    fn each(&self, attr: u16) -> impl Iterator<Item = &'a [u8]> + '_ {
        (0..).map_while(move |nth| {
            let mut len = 0;
            // SAFETY: by the type invariants.
            let data =
                unsafe { bindings::shim6_genl_attr_nth(self.0.as_ptr(), attr, nth, &mut len) };
            // SAFETY: the request lives for `'a`, and so do its attributes.
            unsafe { slice::<'a>(data, len) }
        })
    }

    /// The addresses of such an attribute.
    pub(crate) fn addrs(&self, attr: u16) -> impl Iterator<Item = Addr> + '_ {
        self.each(attr).filter_map(|b| b.first_chunk().map(|b| Addr(*b)))
    }

    /// The attributes inside each of such an attribute.
    pub(crate) fn nests(&self, attr: u16) -> impl Iterator<Item = Nest<'a>> + '_ {
        self.each(attr).map(Nest)
    }

    /// Tells the caller in words what was wrong, and with which attribute (0 for none).
    pub(crate) fn refuse(&self, error: Error, attr: u16, why: fmt::Arguments<'_>) -> Error {
        let mut text = Text { bytes: [0; 79], len: 0 };
        // A text that does not fit is cut, which is not an error.
        let _ = text.write_fmt(why);
        // SAFETY: by the type invariants; the text is copied.
        unsafe {
            bindings::shim6_genl_explain(self.0.as_ptr(), attr, text.bytes.as_ptr(), text.len)
        };
        error
    }

    /// Answers.
    pub(crate) fn reply(&self, cmd: u8, write: impl FnOnce(&mut Writer<'_>) -> Result) -> Result {
        let message = Message::write(self.0.as_ptr(), cmd, (LONGEST, true), write)?;
        // SAFETY: by the type invariants; the message is handed over.
        to_result(unsafe { bindings::shim6_genl_reply(message.into_raw(), self.0.as_ptr()) })
    }
}

/// Attributes inside an attribute, which a policy has checked.
pub(crate) struct Nest<'a>(&'a [u8]);

impl<'a> Nest<'a> {
    /// An attribute's octets; what is malformed ends them.
    fn bytes(&self, attr: u16) -> Option<&'a [u8]> {
        let mut rest = self.0;
        while let Some([l0, l1, t0, t1]) = rest.first_chunk() {
            let len = usize::from(u16::from_ne_bytes([*l0, *l1]));
            let value = rest.get(4..len)?;
            if u16::from_ne_bytes([*t0, *t1]) & NLA_TYPE == attr {
                return Some(value);
            }
            rest = rest.get(len.next_multiple_of(4)..)?;
        }
        None
    }

    /// Whether it is there.
    pub(crate) fn has(&self, attr: u16) -> bool {
        self.bytes(attr).is_some()
    }

    /// A number.
    pub(crate) fn u32(&self, attr: u16) -> Option<u32> {
        self.bytes(attr)?.first_chunk().map(|b| u32::from_ne_bytes(*b))
    }

    /// An address.
    pub(crate) fn addr(&self, attr: u16) -> Option<Addr> {
        self.bytes(attr)?.first_chunk().map(|b| Addr(*b))
    }

    /// A text, without the zero at its end.
    pub(crate) fn text(&self, attr: u16) -> Option<&'a [u8]> {
        self.bytes(attr)?.split(|octet| *octet == 0).next()
    }
}

/// # Safety
///
/// `data` is null or points to `len` octets that nobody changes during `'a`.
unsafe fn slice<'a>(data: *const c_void, len: u32) -> Option<&'a [u8]> {
    let data = NonNull::new(data.cast_mut().cast::<u8>())?;
    // SAFETY: by contract. CAST: 32 bits fit into a `usize`.
    Some(unsafe { core::slice::from_raw_parts(data.as_ptr(), len as usize) })
}

/// A short text, cut where it does not fit.
struct Text {
    bytes: [u8; 79],
    len: usize,
}

impl fmt::Write for Text {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..).unwrap_or_default();
        let count = s.len().min(room.len());
        room.iter_mut().zip(s.bytes()).for_each(|(to, from)| *to = from);
        self.len += count;
        Ok(())
    }
}

/// A dump in progress: called again and again, each time with a new message to fill.
///
/// # Invariants
///
/// `cb` is valid during `'a`.
pub(crate) struct Dump<'a>(NonNull<bindings::netlink_callback>, PhantomData<&'a mut ()>);

impl<'a> Dump<'a> {
    /// # Safety
    ///
    /// The type invariants hold during the value's life.
    pub(in crate::sys) unsafe fn from_raw(cb: NonNull<bindings::netlink_callback>) -> Self {
        // INVARIANT: by contract.
        Dump(cb, PhantomData)
    }

    /// The namespace of the socket that asks.
    pub(crate) fn net(&self) -> NetRef<'a> {
        // SAFETY: by the type invariants; a socket keeps its namespace alive.
        unsafe {
            let net = bindings::shim6_dump_net(self.0.as_ptr());
            NetRef::from_raw(NonNull::new_unchecked(net))
        }
    }

    /// Asks for messages that have room for what we write at most. To be called from the start of
    /// the dump.
    pub(in crate::sys) fn make_room(&self) {
        // SAFETY: by the type invariants.
        unsafe { bindings::shim6_dump_room(self.0.as_ptr(), LONGEST) };
    }

    /// Where the dump keeps its place: null at first.
    pub(in crate::sys) fn place(&mut self) -> &mut *mut c_void {
        // SAFETY: by the type invariants; `&mut self` makes it the only reference.
        unsafe { &mut *bindings::shim6_dump_state(self.0.as_ptr()) }
    }
}

/// The messages of one call of a dump.
pub(crate) struct Page<'a> {
    skb: NonNull<bindings::sk_buff>,
    dump: Dump<'a>,
}

impl<'a> Page<'a> {
    /// # Safety
    ///
    /// `skb` is the message the dump was called with; [`Dump`]'s invariants hold for `cb`.
    pub(in crate::sys) unsafe fn from_raw(
        skb: NonNull<bindings::sk_buff>,
        cb: NonNull<bindings::netlink_callback>,
    ) -> Self {
        // SAFETY: by contract.
        Page { skb, dump: unsafe { Dump::from_raw(cb) } }
    }

    /// The namespace of the socket that asks.
    pub(crate) fn net(&self) -> NetRef<'a> {
        self.dump.net()
    }

    /// The dump it is a page of.
    pub(in crate::sys) fn dump(&mut self) -> &mut Dump<'a> {
        &mut self.dump
    }

    /// Adds a message for each of `items` that no page before has; remembers how far it came.
    pub(crate) fn add_each<T>(
        &mut self,
        cmd: u8,
        items: impl Iterator<Item = T>,
        mut write: impl FnMut(&mut Writer<'_>, T) -> Result<(), Full>,
    ) -> Result<(), Full> {
        for item in items.skip(self.dump.place().addr()) {
            self.add(cmd, |w| write(w, item))?;
            let place = self.dump.place();
            *place = place.wrapping_byte_add(1);
        }
        Ok(())
    }

    /// Adds a message; if it does not fit, nothing was added, and it has to be the first of the
    /// next page.
    pub(crate) fn add(
        &mut self,
        cmd: u8,
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), Full>,
    ) -> Result<(), Full> {
        let skb = self.skb.as_ptr();
        // SAFETY: by the contract of `from_raw`.
        let hdr = unsafe { bindings::shim6_dump_put(skb, self.dump.0.as_ptr(), cmd) };
        if hdr.is_null() {
            return Err(Full);
        }
        // INVARIANT: the dump's message is ours until the call returns.
        let written = write(&mut Writer(self.skb, PhantomData));
        match written {
            // SAFETY: `hdr` was put into this message.
            Ok(()) => unsafe { bindings::shim6_genl_end(skb, hdr) },
            // SAFETY: as above.
            Err(Full) => unsafe { bindings::shim6_genl_cancel(skb, hdr) },
        }
        written
    }
}

/// Whether somebody listens to the events of this namespace; any context.
pub(crate) fn events_wanted(net: NetRef<'_>) -> bool {
    // SAFETY: the namespace is alive.
    unsafe { bindings::shim6_events_wanted(net.as_ptr()) }
}

/// Tells everybody who listens in this namespace; any context, may lose it without memory.
pub(crate) fn send_event(net: NetRef<'_>, write: impl FnOnce(&mut Writer<'_>) -> Result) -> Result {
    let message =
        Message::write(core::ptr::null_mut(), spec::CMD_CONTEXT_EVENT, (EVENT, false), write)?;
    // SAFETY: the namespace is alive; the message is handed over.
    unsafe { bindings::shim6_events_send(net.as_ptr(), message.into_raw()) };
    Ok(())
}
