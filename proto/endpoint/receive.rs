// SPDX-License-Identifier: GPL-2.0

//! Control messages: the common checks, and the way to what handles each type (RFC 5533
//! sections 12.3 and 12.4).

use super::errors::ErrorCode;
use super::{may_answer, Endpoint, Meta, Received, Table};
use crate::proto::counter::Counter;
use crate::proto::env::Env;
use crate::proto::error::Cause;
use crate::proto::wire::{Body, Message};

impl Endpoint {
    /// A control message (P = 0) arrived; `msg` begins with it and ends where the packet
    /// ends. An answer is written into `reply` ([`crate::proto::wire::MAX_MESSAGE`] octets).
    /// A message that had to wait for the verdict on its signature comes here a second time.
    pub fn receive<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        meta: Meta<'_>,
        msg: &[u8],
        reply: &mut [u8],
    ) -> Received<T::Id> {
        meta.count(env, Counter::RxControl);
        if !may_answer(&meta.src, &meta.dst) {
            env.count(Counter::RxBadAddress);
            return Received::NOTHING;
        }
        let message = match Message::parse(msg) {
            Ok(message) => message,
            Err(error) => {
                env.count(error.counter());
                return Received::NOTHING;
            }
        };
        // "If there is any option in the message with C=1 that isn't known to the host, then
        // the host MUST send a Shim6 Error message with Error Code=1 with the Pointer field
        // referencing the first octet of the Option Type."
        if let Some(at) = message.options.unknown_critical {
            env.count(Counter::RxCriticalOption);
            let code = ErrorCode::CriticalOption;
            return Received::reply(self.error(env, &meta, message.bytes, code, at, reply));
        }
        self.dispatch(env, table, &meta, &message, reply)
    }

    fn dispatch<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        meta: &Meta<'_>,
        message: &Message<'_>,
        reply: &mut [u8],
    ) -> Received<T::Id> {
        match message.body {
            Body::I1 { .. } => self.i1(env, table, meta, message, reply),
            Body::R1 { .. } => self.handle_r1(env, table, meta, message),
            Body::I2 { .. } => self.i2(env, table, meta, message, reply),
            Body::R2 { .. } => self.r2(env, table, meta, message, reply),
            Body::R1bis { .. } => self.handle_r1bis(env, table, meta, message),
            Body::I2bis { .. } => self.i2bis(env, table, meta, message, reply),
            Body::UpdateRequest { .. }
            | Body::UpdateAck { .. }
            | Body::Keepalive { .. }
            | Body::Probe { .. } => self.session(env, table, meta, message, reply),
            Body::Error { code, pointer: _, packet } => {
                self.handle_error(env, table, meta, code, packet)
            }
            // "If the packet contains a shim message type that is unknown to the receiver, then
            // a Shim6 Error message with Error Code=0 is generated and sent back. The Pointer
            // field is set to point at the first octet of the shim message type."
            Body::Unknown { .. } => {
                env.count(Counter::RxUnknownType);
                let code = ErrorCode::UnknownType;
                Received::reply(self.error(env, meta, message.bytes, code, 2, reply))
            }
        }
    }
}
