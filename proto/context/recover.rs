// SPDX-License-Identifier: GPL-2.0

//! Recovery of a context that the peer lost (RFC 5533 sections 7.5, 7.18, 7.19), and the
//! Error messages it answers with.

use super::{Context, Phase, Reject, Ticket};
use crate::proto::addr::Pair;
use crate::proto::env::Env;
use crate::proto::locator::LocatorStore;
use crate::proto::wire::Options;

impl<S: LocatorStore> Context<S> {
    /// An R1bis for this context came on `pair` (section 7.18).
    pub fn on_r1bis(
        &mut self,
        env: &dyn Env,
        pair: Pair,
        responder_nonce: u32,
        options: &Options<'_>,
    ) -> Result<(), Reject> {
        // "If the STATE is I1-SENT, I2-SENT, or I2BIS-SENT, then the R1bis message is
        // silently discarded."
        if !matches!(self.phase, Phase::Established) {
            return Err(Reject::WrongState);
        }
        let validator = options.validator.ok_or(Reject::Validator)?;
        let ticket = Ticket::new(responder_nonce, validator, pair).ok_or(Reject::Validator)?;
        self.initiator_nonce = env.nonce();
        self.phase = Phase::I2bisSent(ticket);
        self.retries = 0;
        self.wanted.establish = true;
        self.notes.recovering = true;
        let timeout = u64::from(env.config().i2bis_timeout_ms);
        self.arm_retry(env, timeout);
        Ok(())
    }

    /// An Error message about something this context sent (section 5.14). What the peer
    /// cannot take is not sent again; a locator list it cannot verify is as good as none.
    pub fn on_error(&mut self, code: u8) {
        const VERIFICATION: u8 = 2;
        const GENERATION: u8 = 3;
        const COUNT: u8 = 4;
        if matches!(code, VERIFICATION | GENERATION | COUNT) {
            self.update.abandon();
        }
    }

    /// Data or control came in the middle of an exchange: "send I2 and proceed", "send
    /// I2bis and proceed" (sections 10.4 and 12.2), but not more often than once in a
    /// retransmission interval.
    pub(super) fn repeat_exchange(&mut self) {
        if matches!(self.phase, Phase::I2Sent(_) | Phase::I2bisSent(_)) && !self.wanted.establish {
            self.wanted.establish = self.retries == 0;
        }
    }
}
