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
    /// Data packets that found a context on the way out.
    TxContext => "tx_context",
    /// Data packets sent with the payload extension header, locators instead of identifiers.
    TxRewritten => "tx_rewritten",
    /// Data packets left alone because IPsec has them first; they come again afterwards.
    TxAwaitsIpsec => "tx_awaits_ipsec",
    /// Data packets of a connection whose addresses connection tracking rewrites: left alone.
    TxNat => "tx_nat",
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
    /// Payload extension headers restored behind other headers, or out of IPsec.
    RxSlow => "rx_slow",
    /// Payload extension headers dropped: IPsec policy forbids the locators.
    RxPolicy => "rx_policy",
    /// ICMPv6 errors about rewritten packets, given to the ULP between identifiers.
    IcmpTranslated => "icmp_translated",
    /// ICMPv6 errors about rewritten packets that REAP acts on and the ULP does not see.
    IcmpAbsorbed => "icmp_absorbed",
    /// ICMPv6 errors about payload extension headers that no context sent.
    IcmpUnknown => "icmp_unknown",
    /// ICMPv6 errors about payload extension headers with a wrong check sum, or cut short.
    IcmpMalformed => "icmp_malformed",
    /// Payload extension headers whose tag no context has.
    RxUnknownTag => "rx_unknown_tag",
    /// Payload extension headers whose locators are not of their context.
    RxForeignLocator => "rx_foreign_locator",
    /// Control message whose length runs past the packet (RFC 5533 section 12.3).
    RxBadTruncated => "rx_bad_truncated",
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
}
