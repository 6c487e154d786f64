// SPDX-License-Identifier: GPL-2.0

//! What the shim has of one network namespace.
//!
//! Locks, in the order in which they are taken:
//! 1. `admin`, a mutex: whether the hooks are registered.
//! 2. `control`, a spinlock with bottom halves off: the core, the sets, the tables' writer.
//! 3. `event_order`, a spinlock with bottom halves off: nothing but the right to tell of events,
//!    taken under `control` and kept beyond it.
//! 4. `waiting`, a spinlock with bottom halves off: pairs that packets want contexts for.
//!
//! Packets take none of them but the last, once in a context's life.

mod settings;
mod view;
mod waiting;

use crate::drive::Kernel;
use crate::hba::Sets;
use crate::policy::Policy;
use crate::proto::addr::Addr;
use crate::proto::addr::Pair;
use crate::proto::config::Config;
use crate::proto::context::FlowSlot;
use crate::proto::context::Setup;
use crate::proto::context::SetupSlot;
use crate::proto::counter::Counter;
use crate::proto::crowd::Crowd;
use crate::proto::endpoint::Endpoint;
use crate::proto::time::Instant;
use crate::proto::wire::MAX_MESSAGE;
use crate::signatures;
use crate::sys::addrconf;
use crate::sys::clock;
use crate::sys::entry::netns;
use crate::sys::hash;
use crate::sys::hook::Hooks;
use crate::sys::lock::SpinGuardBh;
use crate::sys::lock::SpinLockBh;
use crate::sys::netns::Counters;
use crate::sys::netns::NetRef;
use crate::sys::netns::Owner;
use crate::sys::netns::Proc;
use crate::sys::rcu::Guard;
use crate::sys::rcu::Rcu;
use crate::sys::rcu::RcuBox;
use crate::sys::rcu::RcuPtr;
use crate::sys::rcu::Retire;
use crate::sys::sysctl::Sysctls;
use crate::sys::work::Work;
use crate::table::Tables;
use crate::table::Walk;
use crate::table::Writer;
use core::sync::atomic::AtomicBool;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;
use kernel::alloc::kvec::KVVec;
use kernel::prelude::*;
use kernel::sync::new_condvar;
use kernel::sync::new_mutex;
use kernel::sync::CondVar;
use kernel::sync::Mutex;
use kernel::sync::MutexGuard;
use kernel::sync::SetOnce;
pub(crate) use view::View;
use waiting::Waiting;

/// Slots of the set-up heuristic.
const SETUP_SLOTS: usize = 4096;
/// Slots of the table of flows that belong to forked contexts.
const FLOW_SLOTS: usize = 4096;
/// Places for the counts of contexts by their peers' prefixes.
const ORIGINS: usize = 8192;
/// How long to collect contexts that ask for their sockets, in ms.
const FIND_USERS_MS: u32 = 1000;
/// How long to collect neighbours that were given up, in ms.
const NEIGHBOURS_MS: u32 = 100;

/// What the control lock protects.
pub(crate) struct Control {
    pub(crate) endpoint: Endpoint,
    pub(crate) sets: Sets,
    /// What contexts that explore at once leave to each other.
    pub(crate) crowd: Crowd,
    pub(crate) writer: Writer,
    pub(crate) nonces: KVVec<u64>,
    /// How many contexts the prefixes of peers have.
    pub(crate) origins: KVVec<u32>,
    /// Where messages are made.
    pub(crate) buffer: [u8; MAX_MESSAGE],
    /// Messages and lists that wait for signatures.
    pub(crate) signatures: signatures::Waiting,
    /// The namespace is going away.
    pub(crate) over: bool,
}

/// What needs the state's address to be made.
pub(crate) struct Late {
    pub(crate) sysctls: Sysctls,
    pub(crate) _proc: Proc,
    pub(crate) initiate: Work,
    pub(crate) kick: Work,
    pub(crate) users: Work,
    pub(crate) addresses: Work,
    pub(crate) neighbours: Work,
    pub(crate) signatures: Work,
}

/// The bit of [`NetState::special`] that says that the policy has rules of flows.
const FLOW_RULES: u32 = 1 << 31;

impl Retire for Config {}
impl Retire for Policy {}
impl Retire for KVVec<SetupSlot> {}
impl Retire for KVVec<FlowSlot> {}

/// The state of one namespace. Fields are dropped in this order: first what can still call us.
#[pin_data]
pub(crate) struct NetState {
    late: SetOnce<Late>,
    #[pin]
    admin: Mutex<Admin>,
    tables: Tables,
    #[pin]
    control: SpinLockBh<Control>,
    #[pin]
    event_order: SpinLockBh<()>,
    #[pin]
    waiting: SpinLockBh<Waiting>,
    config: RcuPtr<Config>,
    policy: RcuPtr<Policy>,
    /// Replaced once, when the namespace is first enabled.
    setup: RcuPtr<KVVec<SetupSlot>>,
    /// As `setup`.
    flows: RcuPtr<KVVec<FlowSlot>>,
    /// How many contexts are forked, and [`FLOW_RULES`]: packets look here before they look for
    /// either.
    special: AtomicU32,
    /// Who waits for a fork to be set up, with the control lock.
    #[pin]
    forkers: CondVar,
    catch_all: AtomicU32,
    kick_generation: AtomicU32,
    enabled: AtomicBool,
    counters: Counters,
    owner: Owner,
}

/// Whether the hooks are registered: only where there is a set.
pub(crate) struct Admin {
    hooks: Option<Hooks>,
    over: bool,
}

impl Admin {
    /// Registers the hooks.
    pub(crate) fn enable(&mut self, state: &NetState) -> Result {
        if self.over {
            return Err(ENODEV);
        }
        if self.hooks.is_none() {
            state.allocate()?;
            self.hooks = Some(netns::hooks(state)?);
            state.enabled.store(true, Relaxed);
        }
        Ok(())
    }

    /// Takes the hooks out if no set is left.
    pub(crate) fn disable_if_unused(&mut self, state: &NetState) {
        if state.control().sets.is_empty() {
            state.enabled.store(false, Relaxed);
            self.hooks = None;
        }
    }
}

impl NetState {
    /// The state of a new namespace.
    pub(crate) fn new(owner: Owner) -> Result<impl PinInit<Self, Error>> {
        let (tables, writer) = Tables::new()?;
        let counters = Counters::new()?;
        let config = RcuPtr::none();
        config.replace(Some(RcuBox::new(Config::default(), GFP_KERNEL)?));
        let (sets, crowd, policy) = (Sets::new()?, Crowd::default(), RcuPtr::none());
        let env = Kernel::new(&counters, &sets, &crowd, &policy, Config::default());
        let endpoint = Endpoint::new(&env);
        let control = Control {
            endpoint,
            sets,
            crowd,
            writer,
            nonces: KVVec::new(),
            origins: KVVec::new(),
            buffer: [0; MAX_MESSAGE],
            signatures: signatures::Waiting::new()?,
            over: false,
        };
        Ok(try_pin_init!(Self {
            late: SetOnce::new(),
            admin <- new_mutex!(Admin { hooks: None, over: false }, "shim6_admin"),
            tables,
            control <- SpinLockBh::new(control, c"shim6_control", kernel::static_lock_class!()),
            event_order <- SpinLockBh::new((), c"shim6_events", kernel::static_lock_class!()),
            waiting <- SpinLockBh::new(Waiting::new(), c"shim6_waiting", kernel::static_lock_class!()),
            config,
            policy,
            setup: RcuPtr::none(),
            flows: RcuPtr::none(),
            special: AtomicU32::new(0),
            forkers <- new_condvar!("shim6_forkers"),
            catch_all: AtomicU32::new(0),
            kick_generation: AtomicU32::new(1),
            enabled: AtomicBool::new(false),
            counters,
            owner,
        }))
    }

    /// Completes a state whose address is known.
    pub(crate) fn begin(&self, late: Late) {
        self.late.populate(late);
    }

    /// The namespace is going away, or the module: no more packets, timers or work. Sleeps; the
    /// state is freed a grace period later.
    pub(crate) fn end(&self) {
        {
            let mut admin = self.admin.lock();
            admin.over = true;
            admin.hooks = None;
        }
        self.enabled.store(false, Relaxed);
        self.control.lock().over = true;
        if let Some(late) = self.late.as_ref() {
            late.initiate.disable();
            late.kick.disable();
            late.users.disable();
            late.addresses.disable();
            late.neighbours.disable();
            late.signatures.disable();
        }
    }

    /// Memory that only an enabled namespace needs.
    fn allocate(&self) -> Result {
        let guard = Guard::new();
        let done = self.setup.get(Rcu::of(&guard)).is_some();
        drop(guard);
        if done {
            return Ok(());
        }
        self.tables.reserve()?;
        let mut slots = KVVec::with_capacity(SETUP_SLOTS, GFP_KERNEL)?;
        for _ in 0..SETUP_SLOTS {
            slots.push(SetupSlot::new(), GFP_KERNEL)?;
        }
        let mut flows = KVVec::with_capacity(FLOW_SLOTS, GFP_KERNEL)?;
        for _ in 0..FLOW_SLOTS {
            flows.push(FlowSlot::new(), GFP_KERNEL)?;
        }
        let words = (2 * self.config().max_pending as usize).next_power_of_two();
        let nonces = KVVec::from_elem(0u64, words, GFP_KERNEL)?;
        let origins = KVVec::from_elem(0u32, ORIGINS, GFP_KERNEL)?;
        {
            let mut control = self.control.lock();
            control.nonces = nonces;
            control.origins = origins;
        }
        self.flows.replace(Some(RcuBox::new(flows, GFP_KERNEL)?));
        self.setup.replace(Some(RcuBox::new(slots, GFP_KERNEL)?));
        Ok(())
    }

    /// The namespace.
    #[inline]
    pub(crate) fn net(&self) -> NetRef<'_> {
        self.owner.net()
    }

    /// The namespace, to register something for it.
    pub(crate) fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Whether there is a set: else nothing here is the shim's business.
    #[inline]
    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled.load(Relaxed)
    }

    /// One more of these.
    #[inline]
    pub(crate) fn count(&self, what: Counter) {
        self.counters.count(what);
    }

    /// The counters.
    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many there were of these.
    pub(crate) fn counted(&self, what: Counter) -> u64 {
        self.counters.read(what)
    }

    /// How many contexts there are.
    pub(crate) fn contexts(&self) -> u32 {
        self.tables.len()
    }

    /// How many of them are forked.
    #[inline]
    pub(crate) fn forks(&self) -> u32 {
        self.special.load(Relaxed) & !FLOW_RULES
    }

    /// Whether a packet's identifiers may not say all: there are forked contexts, or rules of
    /// flows.
    #[inline]
    pub(crate) fn is_special(&self) -> bool {
        self.special.load(Relaxed) != 0
    }

    /// There is one more; the control lock is held.
    pub(crate) fn fork_came(&self) {
        self.special.fetch_add(1, Relaxed);
    }

    /// There is one less; the control lock is held.
    pub(crate) fn fork_went(&self) {
        self.special.fetch_sub(1, Relaxed);
        self.tell_forkers();
    }

    /// Something happened to a forked context of a socket's.
    pub(crate) fn tell_forkers(&self) {
        self.forkers.notify_all();
    }

    /// Sleeps, without the control lock, until something happened to a forked context.
    pub(crate) fn wait_for_fork(&self, control: &mut SpinGuardBh<'_, Control>) -> Result {
        match self.forkers.wait_interruptible(control) {
            true => Err(EINTR),
            false => Ok(()),
        }
    }

    /// A walk over all contexts.
    pub(crate) fn walk(&self) -> Result<Walk<'_>> {
        self.tables.walk()
    }

    /// Takes the control lock.
    pub(crate) fn control(&self) -> SpinGuardBh<'_, Control> {
        self.control.lock()
    }

    /// The right to tell of events; to be taken while the control lock is held.
    pub(crate) fn event_order(&self) -> SpinGuardBh<'_, ()> {
        self.event_order.lock()
    }

    /// Takes the administration's lock. Sleeps.
    pub(crate) fn admin(&self) -> MutexGuard<'_, Admin> {
        self.admin.lock()
    }

    /// The index of the dummy device of the catch-all route, 0 if there is none.
    #[inline]
    pub(crate) fn catch_all(&self) -> u32 {
        self.catch_all.load(Relaxed)
    }

    /// Addresses or interfaces of this namespace changed; any context.
    pub(crate) fn addresses_changed(&self) {
        self.catch_all.store(addrconf::catch_all(self.net()), Relaxed);
        if self.is_enabled() {
            self.addresses_later(0);
        }
    }

    /// This address was removed, or its prefix expired, while its link worked; any context.
    pub(crate) fn address_withdrawn(&self, addr: &Addr) {
        if self.is_enabled() {
            self.control().sets.withdraw(addr);
        }
    }

    /// A neighbour was given up; any context. Many in a row are looked at together.
    pub(crate) fn neighbour_lost(&self) {
        if let Some(late) = self.late.as_ref().filter(|_| self.is_enabled()) {
            late.neighbours.queue(NEIGHBOURS_MS);
        }
    }

    /// Looks at the addresses in so many milliseconds.
    pub(crate) fn addresses_later(&self, delay_ms: u64) {
        if let Some(late) = self.late.as_ref() {
            late.addresses.queue(u32::try_from(delay_ms).unwrap_or(u32::MAX));
        }
    }

    /// Packets stamp their contexts with this.
    #[inline]
    pub(crate) fn tick(&self) -> u64 {
        clock::tick()
    }

    /// A keyed hash of a prefix.
    pub(crate) fn key_of_origin(&self, prefix: &Addr) -> u64 {
        hash::of(&Addr::UNSPECIFIED, prefix)
    }

    /// A keyed hash of two addresses.
    #[inline]
    fn key(&self, pair: &Pair) -> u64 {
        hash::of(&pair.local, &pair.peer)
    }

    /// The heuristic that decides which pairs deserve a context.
    #[inline]
    fn setup<'a>(&'a self, rcu: Rcu<'a>) -> Option<Setup<'a>> {
        self.setup.get(rcu).map(|slots| Setup(slots))
    }

    /// No context with this pair until then.
    pub(crate) fn hold_down(&self, pair: &Pair, until: Instant) {
        let guard = Guard::new();
        if let Some(setup) = self.setup(Rcu::of(&guard)) {
            setup.hold_down(self.key(pair), until);
        }
    }

    /// When the hold-down of a pair ends, if it is held down now.
    pub(crate) fn held_until(&self, pair: &Pair) -> Option<Instant> {
        let guard = Guard::new();
        self.setup(Rcu::of(&guard))?.held_until(self.key(pair), clock::now())
    }

    /// A program asked for the context of a connected pair that has none.
    pub(crate) fn asked_for(&self, pair: &Pair) {
        let wanted = self.is_enabled() && self.config().setup_when_asked != 0;
        if wanted && self.held_until(pair).is_none() {
            self.want_context(pair);
        }
    }

    /// A pair reached the threshold, or a program asked for it.
    #[cold]
    fn want_context(&self, pair: &Pair) {
        if !pair.local.is_eligible() || !pair.peer.is_eligible() {
            return;
        }
        if !self.waiting.lock().add(pair) {
            return self.count(Counter::SetupQueueFull);
        }
        if let Some(late) = self.late.as_ref() {
            late.initiate.queue(0);
        }
    }

    /// Takes out a pair that wants a context.
    pub(crate) fn next_waiting(&self) -> Option<Pair> {
        self.waiting.lock().take()
    }

    /// The generation in which contexts that move now are kicked.
    pub(crate) fn kick_generation(&self) -> u32 {
        self.kick_generation.load(Relaxed)
    }

    /// Ends a generation and returns it: who moves from now on is of the next one.
    pub(crate) fn next_kick_generation(&self) -> u32 {
        self.kick_generation.fetch_add(1, Relaxed)
    }

    /// Has the sockets of silent contexts looked for, soon: many contexts may ask.
    pub(crate) fn find_users(&self) {
        if let Some(late) = self.late.as_ref() {
            late.users.queue(FIND_USERS_MS);
        }
    }

    /// Has signatures verified and made soon.
    pub(crate) fn look_at_signatures(&self) {
        if let Some(late) = self.late.as_ref() {
            late.signatures.queue(0);
        }
    }

    /// Kicks TCP soon.
    pub(crate) fn kick_tcp(&self) {
        if let Some(late) = self.late.as_ref() {
            late.kick.queue(0);
        }
    }
}
