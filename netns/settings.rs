// SPDX-License-Identifier: GPL-2.0

//! The settings of a namespace and its policy, which come and go whole.

use super::Admin;
use super::NetState;
use super::FLOW_RULES;
use crate::policy::Policy;
use crate::policy::Setting;
use crate::proto::addr::Addr;
use crate::proto::config::Config;
use crate::proto::config::FIELDS;
use crate::proto::locator::Preference;
use crate::proto::policy::Device;
use crate::proto::policy::Placing;
use crate::proto::policy::Rules;
use crate::sys::rcu::Guard;
use crate::sys::rcu::Rcu;
use crate::sys::rcu::RcuBox;
use crate::sys::rcu::RcuPtr;
use core::sync::atomic::Ordering::Relaxed;
use kernel::prelude::*;

impl NetState {
    /// The settings as they are now.
    pub(crate) fn config(&self) -> Config {
        let guard = Guard::new();
        self.config.get(Rcu::of(&guard)).copied().unwrap_or_default()
    }

    /// An administrator writes a setting, in its limits. Sleeps.
    pub(crate) fn configure(&self, setting: Setting) -> Result {
        self.set(&[setting], &self.admin.lock())
    }

    /// New values of settings: all of them, or none. Under the mutex, so that of two writers the
    /// later one's snapshot stays.
    fn set(&self, settings: &[Setting], _admin: &Admin) -> Result {
        let late = self.late.as_ref().ok_or(ENODEV)?;
        let mut config = RcuBox::new(late.sysctls.snapshot(), GFP_KERNEL)?;
        for (at, value) in settings {
            late.sysctls.set(*at, *value);
        }
        *config.value_mut() = late.sysctls.snapshot();
        self.config.replace(Some(config));
        Ok(())
    }

    /// The policy as it is now; `None` if there never was one.
    pub(crate) fn policy<'a>(&'a self, rcu: Rcu<'a>) -> Option<&'a Policy> {
        self.policy.get(rcu)
    }

    /// The same, behind its pointer.
    pub(crate) fn policy_ptr(&self) -> &RcuPtr<Policy> {
        &self.policy
    }

    /// What the policy says of an address of ours on an interface; `None` to leave it out.
    pub(crate) fn placing(&self, addr: &Addr, device: &Device) -> Option<Preference> {
        let guard = Guard::new();
        let placings = self.policy(Rcu::of(&guard)).map_or(&[][..], |p| &p.placings[..]);
        Placing::of(placings, addr, device)
    }

    /// The settings that have not their defaults.
    pub(crate) fn own_settings(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let (own, default) = (self.config().values(), Config::default().values());
        let names = FIELDS.iter().map(|field| field.name);
        let all = names.zip(own.into_iter().zip(default));
        all.filter(|(_, (own, default))| own != default).map(|(name, (own, _))| (name, own))
    }

    /// A new policy with these settings: all of it, or nothing. Sleeps.
    pub(crate) fn adopt(&self, policy: Policy, settings: &[Setting]) -> Result {
        let flow_rules = if Rules(&policy.rules).are_of_flows() { FLOW_RULES } else { 0 };
        let policy = RcuBox::new(policy, GFP_KERNEL)?;
        let admin = self.admin.lock();
        self.set(settings, &admin)?;
        self.policy.replace(Some(policy));
        self.special.fetch_and(!FLOW_RULES, Relaxed);
        self.special.fetch_or(flow_rules, Relaxed);
        Ok(())
    }
}
