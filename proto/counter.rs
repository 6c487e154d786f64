// SPDX-License-Identifier: GPL-2.0

//! One counter for every outcome and for every cause of a reject. The tests assert
//! them, so that they prove which way was taken and not only that bytes came.

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident => $text:literal,)+) => {
        /// What is counted, per network namespace.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(usize)]
        #[non_exhaustive]
        pub enum Counter {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Counter {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Counter] = &[$(Counter::$name,)+];
            /// Their names as users see them, in the same order.
            pub const NAMES: &'static [&'static str] = &[$($text,)+];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();
        }
    };
}

counters! {
    /// Data packets sent between identifiers that have a context.
    TxContext => "tx_context",
    /// Data packets sent with the payload extension header, locators instead of identifiers.
    TxRewritten => "tx_rewritten",
    /// Data packets left alone because IPsec has them first; they come again afterwards.
    TxAwaitsIpsec => "tx_awaits_ipsec",
    /// Data packets of a connection whose addresses connection tracking rewrites: left alone.
    TxNat => "tx_nat",
    /// Data packets whose socket wants no shim (SHIM_DONTSHIM): left alone.
    TxDontShim => "tx_dontshim",
    /// Data packets of flows that the policy denies: left alone.
    TxPolicy => "tx_policy",
    /// Data packets for which their socket, or their sendmsg(), chose the locators.
    TxChosen => "tx_chosen",
    /// Data packets refused: the locators their sendmsg() chose are not usable any more.
    TxNotChosen => "tx_not_chosen",
    /// Data packets with a Routing header: left alone.
    TxRoutingHeader => "tx_routing_header",
    /// Data packets refused: no route between the locators, or none but the catch-all of a ULID.
    TxNoRoute => "tx_no_route",
    /// Data packets refused: their extension headers do not fit them.
    TxMalformed => "tx_malformed",
    /// Data packets refused: no memory for a header or a fragment.
    TxNoMemory => "tx_no_memory",
    /// Data packets refused: they may not be fragmented and do not fit with 8 more octets.
    TxTooBig => "tx_too_big",
    /// Super-packets cut in software before they were rewritten.
    TxSegmented => "tx_segmented",
    /// Fragments made because a packet did not fit with 8 more octets.
    TxFragments => "tx_fragments",
    /// Data packets received with the payload extension header and given their identifiers back.
    RxRestored => "rx_restored",
    /// Data packets received between identifiers that have a context.
    RxContext => "rx_context",
    /// Packets dropped: a payload extension header behind a payload extension header.
    RxNested => "rx_nested",
    /// Payload extension headers dropped: no memory for a private copy.
    RxNoMemory => "rx_no_memory",
    /// Payload extension headers dropped: wrong length, or cut short.
    RxMalformed => "rx_malformed",
    /// Payload extension headers dropped: their context is not established.
    RxNotReady => "rx_not_ready",
    /// Payload extension headers restored behind other headers, or out of IPsec.
    RxSlow => "rx_slow",
    /// Payload extension headers dropped: IPsec policy forbids the locators.
    RxPolicy => "rx_policy",
    /// ICMPv6 errors about rewritten packets, given to the ULP between identifiers.
    IcmpTranslated => "icmp_translated",
    /// ICMPv6 errors about rewritten packets that REAP acts on and the ULP does not see.
    IcmpAbsorbed => "icmp_absorbed",
    /// ICMPv6 errors about Shim6 packets that no context sends over that pair, or that do not show
    /// whose they are.
    IcmpUnknown => "icmp_unknown",
    /// ICMPv6 errors about a context's payload extension headers that have a wrong check sum, or
    /// come to another address than the packet in error came from.
    IcmpMalformed => "icmp_malformed",
    /// Payload extension headers whose tag no context has.
    RxUnknownTag => "rx_unknown_tag",
    /// Payload extension headers whose locators are not of their context.
    RxForeignLocator => "rx_foreign_locator",
    /// Control message whose length runs past the packet (RFC 5533 section 12.3).
    RxBadTruncated => "rx_bad_truncated",
    /// Payload extension header where a control message was expected.
    RxBadPBit => "rx_bad_p_bit",
    /// Control message shorter than its type needs.
    RxBadTooShort => "rx_bad_too_short",
    /// Control message longer than a signaling packet may be (RFC 5533 section 5.1).
    RxBadTooLong => "rx_bad_too_long",
    /// Control message with a wrong checksum.
    RxBadChecksum => "rx_bad_checksum",
    /// Control message with the S bit set.
    RxBadSBit => "rx_bad_s_bit",
    /// Option that runs past the end of its message.
    RxBadOptionLength => "rx_bad_option_length",
    /// Option whose contents contradict its length.
    RxBadOptionContents => "rx_bad_option_contents",
    /// Option that is there twice.
    RxBadOptionTwice => "rx_bad_option_twice",
    /// Locator list with more locators than are kept.
    RxBadTooManyLocators => "rx_bad_too_many_locators",
    /// Probe whose counts contradict its length.
    RxBadProbe => "rx_bad_probe",
    /// Control messages received.
    RxControl => "rx_control",
    /// Control messages to or from a multicast or the unspecified address.
    RxBadAddress => "rx_bad_address",
    /// I1 messages received.
    RxI1 => "rx_i1",
    /// R1 messages received.
    RxR1 => "rx_r1",
    /// I2 messages received.
    RxI2 => "rx_i2",
    /// R2 messages received.
    RxR2 => "rx_r2",
    /// R1bis messages received.
    RxR1bis => "rx_r1bis",
    /// I2bis messages received.
    RxI2bis => "rx_i2bis",
    /// Update Requests received.
    RxUpdate => "rx_update",
    /// Update Acknowledgements received.
    RxUpdateAck => "rx_update_ack",
    /// Keepalives received.
    RxKeepalive => "rx_keepalive",
    /// Probes received.
    RxProbe => "rx_probe",
    /// Error messages received.
    RxError => "rx_error",
    /// Messages of an unknown type received.
    RxUnknownType => "rx_unknown_type",
    /// Messages with an unknown critical option.
    RxCriticalOption => "rx_critical_option",
    /// Error messages about nothing we sent.
    RxErrorUnmatched => "rx_error_unmatched",
    /// I1, I2 and I2bis messages for a ULID that is not of a set of ours.
    RxNotOurUlid => "rx_not_our_ulid",
    /// Contexts not begun, and I1, I2 and I2bis messages not answered, because of the policy.
    PolicyDenied => "policy_denied",
    /// Messages with malformed CGA parameters.
    RxPdsMalformed => "rx_pds_malformed",
    /// Messages whose CGA parameters do not belong to the ULID.
    RxPdsNotOfUlid => "rx_pds_not_of_ulid",
    /// Locator lists with a locator that could not be verified.
    RxLocatorUnverified => "rx_locator_unverified",
    /// Messages kept until their CGA signature is verified.
    SignatureAsked => "signature_asked",
    /// Locator lists whose CGA signature is their sender's.
    SignatureGood => "signature_good",
    /// Locator lists whose CGA signature is not their sender's.
    SignatureBad => "signature_bad",
    /// Locator lists whose CGA signature could not be verified: no memory, or no RSA.
    SignatureUnable => "signature_unable",
    /// Locator lists with a locator that only a CGA signature could prove, and none.
    SignatureMissing => "signature_missing",
    /// CGA signatures not verified because their key is not RSA of 1024 to 4096 bits.
    SignatureKey => "signature_key",
    /// Messages dropped because of signatures_per_second.
    SignatureLimited => "signature_limited",
    /// Messages dropped because too many wait for the verification of their signature.
    SignatureQueueFull => "signature_queue_full",
    /// CGA signatures made.
    Signed => "signed",
    /// CGA signatures that could not be made.
    SignFailed => "sign_failed",
    /// Messages from an address that is not a locator of the peer.
    RxSourceNotLocator => "rx_source_not_locator",
    /// Preferences for another generation of the locator list.
    RxPreferenceGeneration => "rx_preference_generation",
    /// Preferences that are not as many as the locators.
    RxPreferenceCount => "rx_preference_count",
    /// I1 messages sent.
    TxI1 => "tx_i1",
    /// R1 messages sent.
    TxR1 => "tx_r1",
    /// I2 messages sent.
    TxI2 => "tx_i2",
    /// R2 messages sent.
    TxR2 => "tx_r2",
    /// R1bis messages sent.
    TxR1bis => "tx_r1bis",
    /// I2bis messages sent.
    TxI2bis => "tx_i2bis",
    /// Update Requests sent.
    TxUpdate => "tx_update",
    /// Update Acknowledgements sent.
    TxUpdateAck => "tx_update_ack",
    /// Keepalives sent.
    TxKeepalive => "tx_keepalive",
    /// Probes sent.
    TxProbe => "tx_probe",
    /// Error messages sent.
    TxError => "tx_error",
    /// I1 messages not answered because of r1_per_second.
    R1Limited => "r1_limited",
    /// R1bis messages not sent because of r1bis_per_second.
    R1bisLimited => "r1bis_limited",
    /// Error messages not sent because of error_per_second.
    ErrorLimited => "error_limited",
    /// Contexts made.
    ContextCreated => "context_created",
    /// Contexts not made because of max_contexts.
    ContextLimit => "context_limit",
    /// Contexts not made because of max_contexts_per_prefix.
    PrefixLimit => "prefix_limit",
    /// Contexts not forked because of max_forks.
    ForkLimit => "fork_limit",
    /// Forks begun because sockets wished different things.
    Forked => "forked",
    /// Forked contexts whose socket is gone; they end when the peer is silent in them.
    ForkEnded => "fork_ended",
    /// Flows learnt that a peer sends in a forked context.
    FlowLearnt => "flow_learnt",
    /// Packets sent in the forked context of their socket.
    TxFork => "tx_fork",
    /// Packets sent in the forked context that their flow was received in.
    TxFlow => "tx_flow",
    /// Contexts not begun because of max_pending.
    PendingLimit => "pending_limit",
    /// Contexts discarded because the peer reused their tag.
    ContextConfused => "context_confused",
    /// Allocations that failed.
    OutOfMemory => "out_of_memory",
    /// Silent contexts kept because a socket uses them.
    ContextHeld => "context_held",
    /// Contexts discarded because nobody used them.
    ContextIdle => "context_idle",
    /// Establishments given up: no R1 or R2 came.
    NoResponse => "no_response",
    /// Establishments given up: the peer does not speak Shim6.
    NoSupport => "no_support",
    /// Control messages for which there was no route.
    ControlNoRoute => "control_no_route",
    /// Events nobody was told of for want of memory.
    EventLost => "event_lost",
    /// Pairs that wanted a context when too many already did.
    SetupQueueFull => "setup_queue_full",
    /// TCP sockets told of a new path.
    TcpKicked => "tcp_kicked",
    /// R1 that no context waits for.
    R1Unexpected => "r1_unexpected",
    /// R2 that no context waits for.
    R2Unexpected => "r2_unexpected",
    /// R1bis that no established context matches.
    R1bisUnexpected => "r1bis_unexpected",
    /// R1bis about a context whose recovery began less than an I2bis_TIMEOUT ago.
    R1bisRepeated => "r1bis_repeated",
    /// R1, I2, R1bis or I2bis without a Responder Validator.
    ValidatorMissing => "validator_missing",
    /// I2 or I2bis whose Responder Nonce is not recent.
    ValidatorStale => "validator_stale",
    /// I2 or I2bis whose Responder Validator is not ours.
    ValidatorWrong => "validator_wrong",
    /// R1 or R1bis with a Responder Validator too long to be sent back.
    ValidatorTooLong => "validator_too_long",
    /// Locator List without locators.
    ListEmpty => "list_empty",
    /// Locator List with an unsupported or inconsistent verification method: Error code 2.
    ListMethod => "list_method",
    /// Locator List of an Update Request with a locator that was not proved: Error code 2.
    ListUnverified => "list_unverified",
    /// Control message whose tag no context has: answered with R1bis.
    ControlUnknownTag => "control_unknown_tag",
    /// Control message for a context that is not established.
    ControlEarly => "control_early",
    /// Probe about locators that are not its context's.
    ProbeForeign => "probe_foreign",
    /// Update Acknowledgement for our last Update Request.
    UpdateAcknowledged => "update_acknowledged",
    /// Update Acknowledgement for another one.
    UpdateAckStale => "update_ack_stale",
    /// Update Request that the peer answered with an Error.
    UpdateRefused => "update_refused",
    /// Contexts established by us.
    EstablishedInitiator => "established_initiator",
    /// Contexts established by a peer.
    EstablishedResponder => "established_responder",
    /// Contexts that the peer lost: recovery begun.
    Recovering => "recovering",
    /// Contexts recovered.
    Recovered => "recovered",
    /// Exchanges that began again with I1.
    FellBackToI1 => "fell_back_to_i1",
    /// Contexts removed because their own ULID is gone.
    UlidGone => "ulid_gone",
    /// REAP entered Exploring.
    ReapExploring => "reap_exploring",
    /// REAP entered InboundOk.
    ReapInboundOk => "reap_inbound_ok",
    /// REAP came back to Operational.
    ReapOperational => "reap_operational",
    /// Probes put off because of probes_per_second.
    ProbeDeferred => "probe_deferred",
    /// Contexts whose packets changed to another pair.
    Rehomed => "rehomed",
    /// Explorations begun because a better pair may work again.
    PreferTried => "prefer_tried",
    /// Probes sent over a pair that stands by.
    StandbyProbe => "standby_probe",
    /// Probes sent over the current pair because another one stands by.
    StandbyAsked => "standby_asked",
    /// Pairs that stand by and answered, once for each round of probes.
    StandbyConfirmed => "standby_confirmed",
    /// Current pairs given up because neither data nor these probes were answered.
    StandbyUnanswered => "standby_unanswered",
    /// Contexts whose packets changed to the pair that stood by.
    StandbySwitched => "standby_switched",
    /// Probes sent to a locator of a peer's that an application asked for.
    CheckProbe => "check_probe",
    /// Such locators that answered, so that they may be chosen.
    CheckConfirmed => "check_confirmed",
    /// Such locators that did not answer, so that they are known to be unreachable.
    CheckUnanswered => "check_unanswered",
    /// Contexts in use whose next hop was given up by Neighbour Unreachability Detection.
    NextHopLost => "next_hop_lost",
    /// Hints about paths from outside REAP.
    Hint => "hint",
    /// Positive feedback that did not count: the peer was not heard for too long.
    FeedbackIgnored => "feedback_ignored",
}
