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
    /// Data packets received with the payload extension header and given their identifiers back.
    RxRestored => "rx_restored",
    /// Data packets received between identifiers that have a context.
    RxContext => "rx_context",
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
