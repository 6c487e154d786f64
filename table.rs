// SPDX-License-Identifier: GPL-2.0

//! Contexts in memory: what packets see of them ([`Shared`], [`Path`]), what only the holder of
//! the control lock sees ([`Locked`]), and the table as the core knows it ([`Contexts`]).

use crate::netns::NetState;
use crate::proto::addr::Addr;
use crate::proto::addr::Pair;
use crate::proto::addr::Tag;
use crate::proto::addr::UlidPair;
use crate::proto::ancillary::received;
use crate::proto::ancillary::Note;
use crate::proto::context::Context;
use crate::proto::counter::Counter;
use crate::proto::endpoint::origins;
use crate::proto::endpoint::origins::Origins;
use crate::proto::endpoint::Full;
use crate::proto::endpoint::Slot;
use crate::proto::endpoint::Table;
use crate::proto::locator::LocatorStore;
use crate::proto::locator::NoMemory;
use crate::proto::locator::PeerLocator;
use crate::proto::locator::Wishes;
use crate::proto::reap::activity::Activity;
use crate::proto::reap::activity::Wake;
use crate::sys;
use crate::sys::clock;
use crate::sys::rcu::Guard;
use crate::sys::rcu::Rcu;
use crate::sys::rcu::RcuBox;
use crate::sys::rcu::RcuPtr;
use crate::sys::rcu::Retire;
use crate::sys::route::Cache;
use crate::sys::table::Entry;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;
use kernel::prelude::*;
use kernel::sync::Arc;

/// A context.
pub(crate) type Node = Entry<Shared, Locked>;
/// The tables of a namespace.
pub(crate) type Tables = sys::table::Tables<Shared, Locked>;
/// The right to change them.
pub(crate) type Writer = sys::table::Writer<Shared, Locked>;
/// A walk over all contexts.
pub(crate) type Walk<'a> = sys::table::Walk<'a, Shared, Locked>;

// With its snapshot and its places in the tables a context takes at most a KiB (`make bench`).
#[cfg(not(CONFIG_LOCKDEP))] // With it, a timer has a map of locks.
const _: () = assert!(core::mem::size_of::<Node>() <= 632);

/// Most contexts with one CT(peer) that a lookup looks at: peers choose these tags.
pub(crate) const MOST_ALIASES: usize = 64;
/// No packet has to arm the timer.
const NEVER: u32 = u32::MAX;

/// What packets read and write.
pub(crate) struct Shared {
    /// The marks of packets.
    pub(crate) activity: Activity,
    path: RcuPtr<Path>,
    /// The note of the packet that was received last.
    last: AtomicU32,
    wake_ms: AtomicU32,
    kick: AtomicU32,
}

/// What only the holder of the control lock sees: the context itself.
pub(crate) type Locked = Context<Locators>;

/// Ls(local) of a set.
pub(crate) type Locals = Arc<KVec<Addr>>;

/// What packets see of an established context; immutable.
pub(crate) struct Path {
    /// The identifiers.
    pub(crate) ulids: Pair,
    /// Lp(local) and Lp(peer).
    pub(crate) tx: Pair,
    /// CT(peer).
    pub(crate) peer_tag: Tag,
    /// Whether packets get a header: `tx` differs from `ulids`, or the context is forked.
    pub(crate) rewrite: bool,
    /// Whether it is a forked context.
    pub(crate) forked: bool,
    /// Whether flows that come in it belong to it.
    pub(crate) teaches: bool,
    /// The route of `tx`.
    pub(crate) route: Cache,
    /// What its notes have in common.
    note: Note,
    /// Ls(local), shared by the contexts of a set.
    locals: Locals,
    peers: Peers,
}

/// The verified part of Ls(peer): a place once given keeps its address, so that the note of a
/// datagram that waits to be read while the list changes stays true.
struct Peers {
    places: KVec<Addr>,
    /// A bit for each place that is in the list now.
    now: u64,
    /// Changes when places are given anew.
    generation: u8,
}

impl Peers {
    fn place(&self, addr: &Addr) -> Option<u8> {
        let place = self.places.iter().position(|known| known == addr)?;
        (self.now >> place & 1 != 0).then_some(place as u8)
    }

    /// The list, with the places of the one before.
    fn after(last: Option<&Peers>, list: impl Iterator<Item = Addr> + Clone) -> Result<Peers> {
        let (known, mut generation) = match last {
            Some(last) => (last.places.as_slice(), last.generation),
            None => (&[][..], 0),
        };
        let new = list.clone().filter(|addr| !known.contains(addr)).count();
        let kept = match known.len() + new > Note::PLACES {
            false => known,
            true => {
                generation = generation.wrapping_add(1);
                &[]
            }
        };
        let mut places = KVec::with_capacity(kept.len() + new, GFP_ATOMIC)?;
        places.extend_from_slice(kept, GFP_ATOMIC)?;
        let mut now = 0;
        for addr in list {
            let place = match places.iter().position(|known| *known == addr) {
                Some(place) => place,
                None => {
                    places.push(addr, GFP_ATOMIC)?;
                    places.len() - 1
                }
            };
            now |= 1 << place;
        }
        Ok(Peers { places, now, generation })
    }
}

impl Retire for Path {
    fn retire(&self) {
        self.route.retire();
    }
}

impl Path {
    /// Whether `addr` is in Ls(local).
    #[inline]
    pub(crate) fn is_local(&self, addr: &Addr) -> bool {
        self.locals.contains(addr)
    }

    /// Whether `addr` is in Ls(peer), and verified.
    #[inline]
    pub(crate) fn is_peer(&self, addr: &Addr) -> bool {
        self.peers.place(addr).is_some()
    }

    /// The note of a packet that came from and to these locators, if they are the context's.
    #[inline]
    pub(crate) fn note(&self, pair: &Pair) -> Option<Note> {
        let local = self.locals.iter().position(|known| *known == pair.local)?;
        Some(self.note.at(local as u8, self.peers.place(&pair.peer)?))
    }

    /// The locators of a packet that was received with this note.
    pub(crate) fn received(&self, note: Note) -> Option<Pair> {
        received(note, self.ulids, self.note, &self.locals, &self.peers.places)
    }
}

impl Shared {
    fn new() -> Self {
        Shared {
            activity: Activity::new(),
            path: RcuPtr::none(),
            last: AtomicU32::new(0),
            wake_ms: AtomicU32::new(NEVER),
            kick: AtomicU32::new(0),
        }
    }

    /// What packets see; `None` before the context is established.
    #[inline]
    pub(crate) fn path<'a>(&'a self, rcu: Rcu<'a>) -> Option<&'a Path> {
        self.path.get(rcu)
    }

    /// The note of the packet that was received last.
    pub(crate) fn last_note(&self) -> Note {
        Note::from_bits(self.last.load(Relaxed))
    }

    /// Asks for its TCP sockets to be kicked in this generation.
    pub(crate) fn ask_kick(&self, generation: u32) {
        self.kick.store(generation, Relaxed);
    }

    /// Whether its TCP sockets are to be kicked in this generation.
    pub(crate) fn wants_kick(&self, generation: u32) -> bool {
        self.kick.load(Relaxed) == generation
    }
}

impl Node {
    /// A data packet of the context was sent at `tick`.
    #[inline]
    pub(crate) fn note_sent(&self, tick: u64) {
        match self.activity.note_sent(tick) {
            Wake::No => {}
            wake => self.wake(wake),
        }
    }

    /// A data packet of the context was received at `tick`, by these locators.
    #[inline]
    pub(crate) fn note_received(&self, tick: u64, note: Note) {
        if self.last.load(Relaxed) != note.bits() {
            self.last.store(note.bits(), Relaxed);
        }
        match self.activity.note_received(tick) {
            Wake::No => {}
            wake => self.wake(wake),
        }
    }

    /// The context left the tables: packets that still hold it pass as if it had no peer yet.
    pub(crate) fn retire(&self) {
        self.path.replace(None);
    }

    #[cold]
    fn wake(&self, wake: Wake) {
        match (wake, self.wake_ms.load(Relaxed)) {
            (Wake::No, _) | (_, NEVER) => {}
            (Wake::Arm, ms) => self.arm_earlier(clock::now().after(ms.into())),
            (Wake::Now, _) => self.arm_earlier(clock::now()),
        }
    }
}

/// Makes packets see what changed in a context; `false` if there was no memory and they still see
/// what was. `locals` is Ls(local), if its set is still there.
pub(crate) fn publish(
    shared: &Shared,
    ctx: &mut Locked,
    wake_ms: u32,
    locals: Option<&Locals>,
) -> bool {
    if !ctx.has_changed() {
        return true;
    }
    if !ctx.is_active() {
        shared.wake_ms.store(NEVER, Relaxed);
        shared.path.replace(None);
        ctx.published();
        return true;
    }
    // A context whose set went is discarded as soon as it is told.
    let Some(locals) = locals else { return true };
    let Ok(path) = snapshot(shared, ctx, locals) else { return false };
    shared.path.replace(Some(path));
    shared.wake_ms.store(wake_ms, Relaxed);
    ctx.published();
    true
}

/// The pair that packets are sent over, as they know it.
pub(crate) fn sent_over(shared: &Shared, ctx: &Context<Locators>) -> Pair {
    let guard = Guard::new();
    shared.path(Rcu::of(&guard)).map_or(ctx.ulids().pair, |path| path.tx)
}

fn snapshot(
    shared: &Shared,
    ctx: &Context<Locators>,
    locals: &Locals,
) -> Result<KBox<RcuBox<Path>>> {
    let verified = ctx.peer_locators().iter().filter(|l| l.is_verified()).map(|l| l.addr);
    let guard = Guard::new();
    let last = shared.path(Rcu::of(&guard));
    let peers = Peers::after(last.map(|path| &path.peers), verified)?;
    let (ulids, tx) = (ctx.ulids().pair, ctx.tx_pair());
    let path = Path {
        ulids,
        tx,
        peer_tag: ctx.peer_tag().ok_or(EINVAL)?,
        // A forked context is named by its tag alone (RFC 5533 section 11).
        rewrite: tx != ulids || ctx.ulids().fii != 0,
        forked: ctx.ulids().fii != 0,
        teaches: ctx.teaches(),
        route: Cache::new(),
        note: Note::base(ctx.local_tag(), peers.generation),
        locals: locals.clone(),
        peers,
    };
    Ok(RcuBox::new(path, GFP_ATOMIC)?)
}

/// Ls(peer): a few locators inline, what few contexts have on the heap.
#[derive(Default)]
pub(crate) struct Locators {
    len: u8,
    few: [PeerLocator; 4],
    more: Option<KBox<More>>,
}

/// What few contexts have.
#[derive(Default)]
struct More {
    /// Locators that are too many to be inline.
    many: KVec<PeerLocator>,
    wishes: Option<KBox<Wishes>>,
}

impl Locators {
    fn many(&self) -> Option<&KVec<PeerLocator>> {
        self.more.as_deref().map(|more| &more.many).filter(|many| !many.is_empty())
    }

    fn more(&mut self) -> Result<&mut More, NoMemory> {
        if self.more.is_none() {
            self.more = Some(KBox::new(More::default(), GFP_ATOMIC).map_err(|_| NoMemory)?);
        }
        self.more.as_deref_mut().ok_or(NoMemory)
    }
}

impl LocatorStore for Locators {
    fn assign(&mut self, list: &[PeerLocator]) -> Result<(), NoMemory> {
        if let Some(few) = self.few.get_mut(..list.len()) {
            few.copy_from_slice(list);
            self.len = list.len() as u8;
            if let Some(more) = self.more.as_deref_mut() {
                more.many = KVec::new();
            }
            return Ok(());
        }
        let mut many = KVec::new();
        many.extend_from_slice(list, GFP_ATOMIC).map_err(|_| NoMemory)?;
        self.more()?.many = many;
        Ok(())
    }

    fn as_slice(&self) -> &[PeerLocator] {
        match self.many() {
            None => self.few.get(..self.len.into()).unwrap_or(&[]),
            Some(many) => many,
        }
    }

    fn as_mut_slice(&mut self) -> &mut [PeerLocator] {
        match &mut self.more {
            Some(more) if !more.many.is_empty() => &mut more.many,
            _ => self.few.get_mut(..self.len.into()).unwrap_or(&mut []),
        }
    }

    fn wishes(&self) -> Option<&Wishes> {
        self.more.as_deref()?.wishes.as_deref()
    }

    fn wishes_mut(&mut self) -> Result<&mut Wishes, NoMemory> {
        let more = self.more()?;
        if more.wishes.is_none() {
            more.wishes = Some(KBox::new(Wishes::default(), GFP_ATOMIC).map_err(|_| NoMemory)?);
        }
        more.wishes.as_deref_mut().ok_or(NoMemory)
    }
}

/// The table as the core sees it, with the control lock held.
pub(crate) struct Contexts<'a> {
    /// The namespace.
    pub(crate) state: &'a NetState,
    /// The right to change its tables.
    pub(crate) writer: &'a mut Writer,
    /// The core's index of nonces.
    pub(crate) nonces: &'a mut [u64],
    /// How many contexts each origin has.
    pub(crate) origins: &'a mut [u32],
}

type OurSlot<'a> = Slot<'a, Tag, Locators>;

fn slot<'a>((node, ctx): (&'a Node, &'a mut Locked)) -> OurSlot<'a> {
    Slot { id: node.tag(), ctx, activity: &node.activity }
}

/// The alias of a CT(peer): never 0.
pub(crate) fn alias(tag: Tag) -> u64 {
    tag.get() | 1 << 63
}

impl Table for Contexts<'_> {
    /// CT(local) never changes and is unique.
    type Id = Tag;
    type Store = Locators;

    fn get(&mut self, id: Tag) -> Option<OurSlot<'_>> {
        self.by_tag(id)
    }

    fn by_tag(&mut self, tag: Tag) -> Option<OurSlot<'_>> {
        self.writer.by_tag(tag).map(slot)
    }

    fn by_ulids(&mut self, ulids: &UlidPair) -> Option<OurSlot<'_>> {
        self.writer.by_ulids(ulids).map(slot)
    }

    fn by_peer_tag(
        &mut self,
        tag: Tag,
        wanted: &mut dyn FnMut(&Context<Locators>) -> bool,
    ) -> Option<OurSlot<'_>> {
        self.writer.by_alias(alias(tag), MOST_ALIASES, |ctx| wanted(ctx)).map(slot)
    }

    fn peer_tag_changed(&mut self, id: Tag, _from: Option<Tag>, to: Option<Tag>) {
        self.writer.set_alias(id, to.map_or(0, alias));
    }

    fn insert(&mut self, ctx: Context<Locators>) -> Result<Tag, Full> {
        let (ulids, tag) = (*ctx.ulids(), ctx.local_tag());
        let origin = self.state.key_of_origin(&ctx.origin());
        sys::entry::table::insert(self.state, self.writer, &ulids, tag, Shared::new(), ctx)
            .map_err(|_| {
                self.state.count(Counter::OutOfMemory);
                Full
            })?;
        Origins(self.origins).came(origin);
        if ulids.fii != 0 {
            self.state.fork_came();
        }
        Ok(tag)
    }

    fn remove(&mut self, id: Tag) {
        let Some(ctx) = self.by_tag(id).map(|slot| slot.ctx) else { return };
        let (forked, origin) = (ctx.ulids().fii != 0, ctx.origin());
        self.writer.remove(id);
        Origins(self.origins).went(self.state.key_of_origin(&origin));
        if forked {
            self.state.fork_went();
        }
    }

    fn of_origin(&self, origin: &Addr) -> usize {
        let key = self.state.key_of_origin(origin);
        origins::of(self.origins, key) as usize
    }

    fn len(&self) -> usize {
        self.state.contexts() as usize
    }

    fn forks(&self) -> usize {
        self.state.forks() as usize
    }

    fn nonce_index(&mut self) -> &mut [u64] {
        self.nonces
    }
}
