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
}
