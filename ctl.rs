// SPDX-License-Identifier: GPL-2.0

//! The generic netlink family `shim`: what its commands do, and its events
//! (Documentation/netlink/specs/shim.yaml).

use crate::events::Record;
use crate::hba;
use crate::hba::AddError;
use crate::hba::Set;
use crate::mib;
use crate::netns::Control;
use crate::netns::NetState;
use crate::proto::addr::Addr;
use crate::proto::addr::Pair;
use crate::proto::addr::Tag;
use crate::proto::addr::UlidPair;
use crate::proto::context::Event;
use crate::proto::context::Failure;
use crate::proto::context::State;
use crate::proto::counter::Counter;
use crate::proto::locator::LocalLocator;
use crate::proto::locator::LocalSet;
use crate::proto::locator::Method;
use crate::proto::locator::PeerLocator;
use crate::proto::locator::Preference;
use crate::proto::reap::ReapState;
use crate::sys::clock;
use crate::sys::genl;
use crate::sys::genl::spec;
use crate::sys::genl::Full;
use crate::sys::genl::Page;
use crate::sys::genl::Request;
use crate::sys::genl::Writer;
use crate::table::Walk;
use kernel::prelude::*;

type Written = Result<(), Full>;

/// How many contexts a dump looks at before it lets others have the processor.
const SLICE: usize = 64;

/// `hba-add`: makes a set known.
pub(crate) fn hba_add(state: &NetState, request: &Request<'_>) -> Result {
    let Some(parameters) = request.bytes(spec::HBA_PARAMETERS) else {
        return Err(request.refuse(EINVAL, 0, format_args!("the parameters are missing")));
    };
    let mut addresses = KVec::new();
    for addr in request.addrs(spec::HBA_ADDRESS) {
        addresses.push(addr, GFP_KERNEL)?;
    }
    let private = request.bytes(spec::HBA_PRIVATE_KEY);
    hba::add(state, parameters, &addresses, private).map_err(|e| {
        let error = Error::from(e);
        let refuse = |attr, why: core::fmt::Arguments<'_>| request.refuse(error, attr, why);
        match e {
            AddError::Parameters(why) => {
                refuse(spec::HBA_PARAMETERS, format_args!("the parameters: {why}"))
            }
            AddError::Address(addr) => refuse(
                spec::HBA_ADDRESS,
                format_args!("{addr} does not follow from the parameters"),
            ),
            AddError::Exists(addr) => {
                refuse(spec::HBA_ADDRESS, format_args!("{addr} is in a set already"))
            }
            AddError::PublicKey => refuse(
                spec::HBA_PARAMETERS,
                format_args!("the parameters have no RSA key of 1024 to 4096 bits"),
            ),
            AddError::PrivateKey => refuse(
                spec::HBA_PRIVATE_KEY,
                format_args!("the private key is not that of the parameters"),
            ),
            AddError::TooMany => refuse(0, format_args!("too many addresses, or too many sets")),
            AddError::Kernel(_) => error,
        }
    })
}

/// `hba-del`: forgets a set.
pub(crate) fn hba_del(state: &NetState, request: &Request<'_>) -> Result {
    let Some(addr) = request.addr(spec::HBA_ADDRESS) else {
        return Err(request.refuse(EINVAL, 0, format_args!("an address of the set is missing")));
    };
    hba::remove(state, &addr).map_err(|e| match e == ENOENT {
        true => request.refuse(e, spec::HBA_ADDRESS, format_args!("no set has {addr}")),
        false => e,
    })
}

/// `hba-get`: one message for each set.
pub(crate) fn hba_dump(state: &NetState, page: &mut Page<'_>) -> Written {
    let control = state.control();
    page.add_each(spec::CMD_HBA_GET, control.sets.iter(), |w, set: &Set| {
        w.bytes(spec::HBA_PARAMETERS, &set.pds)?;
        if set.signs() {
            w.bytes(spec::HBA_SIGNS, &[])?;
        }
        set.locators.iter().try_for_each(|l| local(w, spec::HBA_LOCATOR, l, l.pref))
    })
}

/// `stats-get`: one message for each counter.
pub(crate) fn stats_dump(state: &NetState, page: &mut Page<'_>) -> Written {
    page.add_each(spec::CMD_STATS_GET, mib::all(state), |w, (name, value)| {
        w.text(spec::COUNTER_NAME, name)?;
        w.u64(spec::COUNTER_VALUE, value, spec::COUNTER_PAD)
    })
}

/// `context-get` of one context.
pub(crate) fn context_get(state: &NetState, request: &Request<'_>) -> Result {
    let tag = request.u64(spec::CONTEXT_LOCAL_TAG);
    let ulids = request.addr(spec::CONTEXT_ULID_LOCAL).zip(request.addr(spec::CONTEXT_ULID_PEER));
    let name = match (tag, ulids) {
        (Some(tag), None) if tag <= Tag::MASK => Name::Tag(Tag::new(tag)),
        (None, Some((local, peer))) => {
            let fii = request.u32(spec::CONTEXT_FII).unwrap_or(0);
            Name::Ulids(UlidPair { pair: Pair { local, peer }, fii })
        }
        _ => {
            let why = "a context is named by local-tag, or by ulid-local and ulid-peer";
            return Err(request.refuse(EINVAL, 0, format_args!("{why}")));
        }
    };
    request.reply(spec::CMD_CONTEXT_GET, |w| match write_context(state, w, &name)? {
        true => Ok(()),
        false => Err(request.refuse(ENOENT, 0, format_args!("there is no such context"))),
    })
}

/// What names a context.
enum Name {
    Tag(Tag),
    Ulids(UlidPair),
}

/// A dump of all contexts in progress. A context that comes or goes meanwhile may be missed, or be
/// seen twice while the table is resized.
pub(crate) struct ContextDump<'a> {
    walk: Walk<'a>,
    /// The one that did not fit into the last page.
    pending: Option<Tag>,
}

impl<'a> ContextDump<'a> {
    /// Begins.
    pub(crate) fn new(state: &'a NetState) -> Result<Self> {
        Ok(ContextDump { walk: state.walk()?, pending: None })
    }

    /// Fills a page.
    pub(crate) fn page(&mut self, state: &NetState, page: &mut Page<'_>) -> Written {
        if let Some(tag) = self.pending {
            add_context(state, page, tag)?;
            self.pending = None;
        }
        let mut more = true;
        while more && self.pending.is_none() {
            let pending = &mut self.pending;
            more = self.walk.slice(SLICE, |node| {
                if add_context(state, page, node.tag()).is_err() {
                    *pending = Some(node.tag());
                }
                pending.is_none()
            });
        }
        match self.pending {
            Some(_) => Err(Full),
            None => Ok(()),
        }
    }
}

/// Adds a context to a page; nothing if it is gone.
fn add_context(state: &NetState, page: &mut Page<'_>, tag: Tag) -> Written {
    let mut gone = false;
    let added = page.add(spec::CMD_CONTEXT_GET, |w| {
        gone = !write_context(state, w, &Name::Tag(tag))?;
        // An empty message is taken back.
        if gone {
            return Err(Full);
        }
        Ok(())
    });
    match gone {
        true => Ok(()),
        false => added,
    }
}

/// Writes all of a context, as it is at one moment; `false` if there is none.
fn write_context(state: &NetState, w: &mut Writer<'_>, name: &Name) -> Result<bool, Full> {
    let config = state.config();
    let mut control = state.control();
    let Control { writer, sets, .. } = &mut *control;
    let found = match name {
        Name::Tag(tag) => writer.by_tag(*tag),
        Name::Ulids(ulids) => writer.by_ulids(ulids),
    };
    let Some((node, ctx)) = found else { return Ok(false) };
    identity(w, ctx.ulids(), ctx.local_tag(), ctx.peer_tag())?;
    states(w, ctx.state(), ctx.reap_state())?;
    pair(w, (spec::CONTEXT_LOCAL, spec::CONTEXT_PEER), &ctx.tx_pair())?;
    if let Some(set) = sets.of(&ctx.ulids().pair.local) {
        let set = LocalSet { wishes: ctx.wishes(), ..set };
        let mut listed = set.listed();
        listed.try_for_each(|l| local(w, spec::CONTEXT_LOCAL_LOCATOR, l, set.preference(l)))?;
    }
    ctx.peer_locators().iter().try_for_each(|l| peer(w, l))?;
    w.u32(spec::CONTEXT_SEND_TIMEOUT, ctx.send_timeout_ms(&config))?;
    w.u32(spec::CONTEXT_KEEPALIVE_TIMEOUT, ctx.keepalive_ms(&config))?;
    ago(w, spec::CONTEXT_LAST_SENT, node.activity.last_tx())?;
    ago(w, spec::CONTEXT_LAST_RECEIVED, node.activity.last_rx())?;
    Ok(true)
}

/// How many milliseconds ago a tick was; nothing for "never".
fn ago(w: &mut Writer<'_>, attr: u16, tick: u64) -> Written {
    if tick == 0 {
        return Ok(());
    }
    let ms = clock::now().0.saturating_sub(clock::TICKS.instant(tick).0);
    w.u64(attr, ms, spec::CONTEXT_PAD)
}

fn identity(w: &mut Writer<'_>, ulids: &UlidPair, local: Tag, peer: Option<Tag>) -> Written {
    pair(w, (spec::CONTEXT_ULID_LOCAL, spec::CONTEXT_ULID_PEER), &ulids.pair)?;
    w.u32(spec::CONTEXT_FII, ulids.fii)?;
    w.u64(spec::CONTEXT_LOCAL_TAG, local.get(), spec::CONTEXT_PAD)?;
    match peer {
        Some(tag) => w.u64(spec::CONTEXT_PEER_TAG, tag.get(), spec::CONTEXT_PAD),
        None => Ok(()),
    }
}

fn states(w: &mut Writer<'_>, state: State, reap: Option<ReapState>) -> Written {
    let state = match state {
        State::I1Sent => spec::STATE_I1_SENT,
        State::I2Sent => spec::STATE_I2_SENT,
        State::I2bisSent => spec::STATE_I2BIS_SENT,
        State::Established => spec::STATE_ESTABLISHED,
        State::EFailed => spec::STATE_E_FAILED,
        State::NoSupport => spec::STATE_NO_SUPPORT,
    };
    w.u32(spec::CONTEXT_STATE, state)?;
    let Some(reap) = reap else { return Ok(()) };
    let reap = match reap {
        ReapState::Operational => spec::REAP_OPERATIONAL,
        ReapState::Exploring => spec::REAP_EXPLORING,
        ReapState::InboundOk => spec::REAP_INBOUND_OK,
    };
    w.u32(spec::CONTEXT_REAP_STATE, reap)
}

fn pair(w: &mut Writer<'_>, (local, peer): (u16, u16), pair: &Pair) -> Written {
    w.addr(local, &pair.local)?;
    w.addr(peer, &pair.peer)
}

/// One of our locators.
fn local(w: &mut Writer<'_>, attr: u16, locator: &LocalLocator, pref: Preference) -> Written {
    let usable = if locator.usable { spec::FLAG_USABLE } else { 0 };
    let flags = usable | spec::FLAG_VERIFIED;
    w.nest(attr, |w| write_locator(w, locator.addr, locator.method, pref, flags))
}

/// One of the peer's locators.
fn peer(w: &mut Writer<'_>, locator: &PeerLocator) -> Written {
    let flags = match (locator.is_verified(), locator.is_broken()) {
        (true, false) => spec::FLAG_VERIFIED | spec::FLAG_USABLE,
        (true, true) => spec::FLAG_VERIFIED,
        (false, _) => 0,
    };
    w.nest(spec::CONTEXT_PEER_LOCATOR, |w| {
        write_locator(w, locator.addr, locator.method(), locator.preference(), flags)
    })
}

fn write_locator(
    w: &mut Writer<'_>,
    addr: Addr,
    method: Method,
    pref: Preference,
    flags: u32,
) -> Written {
    let told =
        [(Preference::BROKEN, spec::FLAG_BROKEN), (Preference::TRANSIENT, spec::FLAG_TEMPORARY)];
    let flags = told
        .iter()
        .filter(|(bit, _)| pref.flags & bit != 0)
        .fold(flags, |flags, (_, flag)| flags | flag);
    w.addr(spec::LOCATOR_ADDR, &addr)?;
    w.u32(spec::LOCATOR_FLAGS, flags)?;
    match method {
        Method::Hba => w.u32(spec::LOCATOR_VERIFICATION, spec::VERIFICATION_HBA)?,
        Method::Cga => w.u32(spec::LOCATOR_VERIFICATION, spec::VERIFICATION_CGA)?,
        _ => {}
    }
    w.u32(spec::LOCATOR_PRIORITY, pref.priority.into())?;
    w.u32(spec::LOCATOR_WEIGHT, pref.weight.into())
}

/// Tells those who listen in this namespace what happened; any context, the control lock not held.
pub(crate) fn notify(state: &NetState, record: &Record) {
    if !genl::events_wanted(state.net()) {
        return;
    }
    if genl::send_event(state.net(), |w| Ok(write_event(w, record)?)).is_err() {
        state.count(Counter::EventLost);
    }
}

fn write_event(w: &mut Writer<'_>, record: &Record) -> Written {
    let event = match record.event {
        Event::Established => spec::EVENT_ESTABLISHED,
        Event::PeerLocators => spec::EVENT_PEER_LOCATORS,
        Event::Exploring => spec::EVENT_EXPLORING,
        Event::InboundOk => spec::EVENT_INBOUND_OK,
        Event::Rehomed => spec::EVENT_REHOMED,
        Event::Operational => spec::EVENT_OPERATIONAL,
        Event::Recovering => spec::EVENT_RECOVERING,
        Event::Failed { .. } => spec::EVENT_FAILED,
        Event::Gone => spec::EVENT_GONE,
    };
    w.u32(spec::CONTEXT_EVENT, event)?;
    w.u64(spec::CONTEXT_TIME, record.time_ns, spec::CONTEXT_PAD)?;
    identity(w, &record.ulids, record.local_tag, record.peer_tag)?;
    states(w, record.state, record.reap)?;
    pair(w, (spec::CONTEXT_LOCAL, spec::CONTEXT_PEER), &record.tx)?;
    match record.event {
        Event::Rehomed => pair(w, (spec::CONTEXT_OLD_LOCAL, spec::CONTEXT_OLD_PEER), &record.old),
        Event::Failed { why, .. } => {
            let why = match why {
                Failure::NoResponse => spec::FAILURE_NO_RESPONSE,
                Failure::NoSupport => spec::FAILURE_NO_SUPPORT,
            };
            w.u32(spec::CONTEXT_FAILURE, why)
        }
        _ => Ok(()),
    }
}
