// SPDX-License-Identifier: GPL-2.0

//! The state of a namespace as packets see it: lookups that take no lock.

use super::NetState;
use super::FLOW_RULES;
use crate::proto::addr::Addr;
use crate::proto::addr::Pair;
use crate::proto::addr::Tag;
use crate::proto::context::Flow;
use crate::proto::context::Flows;
use crate::proto::counter::Counter;
use crate::proto::policy::Rules;
use crate::sys::clock;
use crate::sys::hash;
use crate::sys::rcu::Rcu;
use crate::table::alias;
use crate::table::Node;
use crate::table::Path;
use crate::table::MOST_ALIASES;
use core::ops::Deref;
use core::sync::atomic::Ordering::Relaxed;

/// A namespace's state as packets see it: inside an RCU read-side section.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    state: &'a NetState,
    rcu: Rcu<'a>,
}

impl Deref for View<'_> {
    type Target = NetState;

    #[inline]
    fn deref(&self) -> &NetState {
        self.state
    }
}

impl<'a> View<'a> {
    /// The view of who holds the RCU read lock.
    #[inline]
    pub(crate) fn new(state: &'a NetState, rcu: Rcu<'a>) -> Self {
        View { state, rcu }
    }

    /// The keyed hash of two identifiers, if it is at hand.
    #[inline]
    pub(crate) fn hash_at_hand(self, local: &Addr, peer: &Addr) -> Option<u64> {
        hash::remembered(local, peer)
    }

    /// The keyed hash of two identifiers.
    pub(crate) fn hash(self, local: &Addr, peer: &Addr) -> u64 {
        hash::of(local, peer)
    }

    /// Whether certainly no context is of identifiers with this hash.
    #[inline]
    pub(crate) fn has_none(self, hash: u64) -> bool {
        self.state.tables.has_none(self.rcu, hash)
    }

    /// The default context of two identifiers whose hash is known.
    #[inline]
    pub(crate) fn by_hash(self, hash: u64, local: &Addr, peer: &Addr) -> Option<&'a Node> {
        self.state.tables.by_ulids(self.rcu, hash, local, peer)
    }

    /// Whether the policy leaves packets of this flow alone.
    #[inline]
    pub(crate) fn denies_flow(self, pair: &Pair, flow: impl FnOnce() -> Option<Flow>) -> bool {
        let policy = match self.special.load(Relaxed) & FLOW_RULES {
            0 => None,
            _ => self.state.policy(self.rcu),
        };
        let Some(policy) = policy else { return false };
        flow().is_some_and(|flow| Rules(&policy.rules).denies_flow(pair, &flow.ports()))
    }

    /// The forked context with this CT(local), if it is established and of these identifiers.
    pub(crate) fn fork(self, tag: Tag, local: &Addr, peer: &Addr) -> Option<&'a Node> {
        let node = self.by_tag(tag)?;
        let path = self.path(node)?;
        let ours = path.forked && path.ulids.local == *local && path.ulids.peer == *peer;
        ours.then_some(node)
    }

    #[inline]
    fn flows(self) -> Option<Flows<'a>> {
        self.state.flows.get(self.rcu).map(|slots| Flows(slots))
    }

    /// The forked context that this flow between two identifiers was received in; `hash` is
    /// that of the identifiers.
    pub(crate) fn by_flow(
        self,
        hash: u64,
        local: &Addr,
        peer: &Addr,
        flow: Option<Flow>,
    ) -> Option<&'a Node> {
        let tag = self.flows()?.find(flow?.key(hash))?;
        self.fork(tag, local, peer)
    }

    /// The context of a flow between two identifiers, if the policy lets it have one: the forked
    /// one with this tag, which is its socket's, else the forked one that the flow was received in,
    /// else the default one.
    pub(crate) fn of_socket(
        self,
        local: &Addr,
        peer: &Addr,
        fork: Option<Tag>,
        flow: Flow,
    ) -> Option<&'a Node> {
        if self.denies_flow(&Pair { local: *local, peer: *peer }, || Some(flow)) {
            return None;
        }
        let hash = self.hash(local, peer);
        if self.forks() != 0 {
            let own = fork.and_then(|tag| self.fork(tag, local, peer));
            let found = own.or_else(|| self.by_flow(hash, local, peer, Some(flow)));
            if found.is_some() {
                return found;
            }
        }
        self.by_hash(hash, local, peer)
    }

    /// A packet of this flow came in the forked context with this CT(local).
    pub(crate) fn learn_flow(self, ulids: &Pair, flow: Option<Flow>, tag: Tag) {
        let hash = self.hash(&ulids.local, &ulids.peer);
        if let (Some(flows), Some(flow)) = (self.flows(), flow) {
            if flows.learn(flow.key(hash), tag) {
                self.count(Counter::FlowLearnt);
            }
        }
    }

    /// A packet of this flow came in the default context.
    pub(crate) fn forget_flow(self, hash: u64, flow: Option<Flow>) {
        if let (Some(flows), Some(flow)) = (self.flows(), flow) {
            flows.forget(flow.key(hash));
        }
    }

    /// The context of a CT(local).
    #[inline]
    pub(crate) fn by_tag(self, tag: Tag) -> Option<&'a Node> {
        self.state.tables.by_tag(self.rcu, tag)
    }

    /// What packets see of a context.
    #[inline]
    pub(crate) fn path(self, node: &'a Node) -> Option<&'a Path> {
        node.path(self.rcu)
    }

    /// The context that sends to this CT(peer) from and to these locators.
    pub(crate) fn by_peer_tag(self, pair: &Pair, tag: Tag) -> Option<(&'a Node, &'a Path)> {
        self.state.tables.by_alias(self.rcu, alias(tag)).take(MOST_ALIASES).find_map(|node| {
            let path = self.path(node)?;
            (path.is_local(&pair.local) && path.is_peer(&pair.peer)).then_some((node, path))
        })
    }

    /// A packet of a pair without a context was sent; `hash` is that of the pair. `false` if more
    /// is to be done than to count it: [`View::note_no_context`].
    #[inline(always)]
    pub(crate) fn count_no_context(self, hash: u64) -> bool {
        match (self.state.setup(self.rcu), self.state.config.get(self.rcu)) {
            (Some(setup), Some(config)) => setup.count(hash, config),
            _ => true,
        }
    }

    /// A packet of a pair without a context was sent, and was not counted.
    pub(crate) fn note_no_context(self, hash: u64, local: &Addr, peer: &Addr) {
        let (Some(setup), Some(config)) =
            (self.state.setup(self.rcu), self.state.config.get(self.rcu))
        else {
            return;
        };
        if setup.note(hash, clock::now(), config) {
            self.state.want_context(&Pair { local: *local, peer: *peer });
        }
    }
}
