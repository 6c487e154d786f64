// SPDX-License-Identifier: GPL-2.0

//! What an administrator may set, per network namespace: the sysctls `net.shim6.*`.

macro_rules! config {
    ($($(#[doc = $doc:literal])+ $name:ident: $default:literal in $min:literal..=$max:literal,)+) => {
        /// Timers, thresholds and limits. Every field is one sysctl; times are in
        /// milliseconds. Defaults are the RFCs'.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(C)]
        pub struct Config {
            $($(#[doc = $doc])+ pub $name: u32,)+
        }

        impl Default for Config {
            fn default() -> Self {
                Config { $($name: $default,)+ }
            }
        }

        impl Config {
            /// The values in the order of [`FIELDS`].
            pub const fn values(&self) -> [u32; FIELDS.len()] {
                [$(self.$name,)+]
            }
        }

        /// One field of [`Config`]: its name, and the values it accepts.
        #[derive(Clone, Copy, Debug)]
        pub struct Field {
            /// The sysctl's name.
            pub name: &'static str,
            /// The least value.
            pub min: u32,
            /// The greatest value.
            pub max: u32,
        }

        /// The fields of [`Config`] in the order of memory.
        pub const FIELDS: &[Field] = &[
            $(Field { name: stringify!($name), min: $min, max: $max },)+
        ];

        const _: () = assert!(core::mem::size_of::<Config>() == 4 * FIELDS.len());
    };
}

config! {
    /// Send Timeout: with nothing received for so long after a packet was sent, the
    /// path is in doubt (RFC 5534 section 7).
    send_timeout_ms: 15000 in 100..=3600000,
    /// Keepalive Timeout until the peer told its Send Timeout (RFC 5534 section 5.3).
    keepalive_timeout_ms: 15000 in 100..=3600000,
    /// Keepalive Interval; 0: a third of the Keepalive Timeout (RFC 5534 section 4.1).
    keepalive_interval_ms: 0 in 0..=3600000,
    /// Initial Probe Timeout (RFC 5534 section 7).
    initial_probe_timeout_ms: 500 in 10..=60000,
    /// Number of Initial Probes (RFC 5534 section 7).
    initial_probes: 4 in 1..=16,
    /// Max Probe Timeout (RFC 5534 section 7).
    max_probe_timeout_ms: 60000 in 100..=3600000,
    /// I1_TIMEOUT (RFC 5533 section 14).
    i1_timeout_ms: 4000 in 100..=60000,
    /// I1_RETRIES_MAX (RFC 5533 section 14).
    i1_retries_max: 4 in 0..=16,
    /// I2_TIMEOUT (RFC 5533 section 14).
    i2_timeout_ms: 4000 in 100..=60000,
    /// I2_RETRIES_MAX (RFC 5533 section 14).
    i2_retries_max: 2 in 0..=16,
    /// I2bis_TIMEOUT (RFC 5533 section 14).
    i2bis_timeout_ms: 4000 in 100..=60000,
    /// I2bis_RETRIES_MAX (RFC 5533 section 14).
    i2bis_retries_max: 2 in 0..=16,
    /// NO_R1_HOLDDOWN_TIME (RFC 5533 section 14).
    no_r1_holddown_ms: 60000 in 100..=86400000,
    /// ICMP_HOLDDOWN_TIME (RFC 5533 section 14).
    icmp_holddown_ms: 600000 in 100..=86400000,
    /// Whether the ULP sees the ICMPv6 errors that REAP acts on as well: RFC 5533 section 8,
    /// "There SHOULD be a configuration option to unconditionally deliver all ICMP messages".
    icmp_deliver_all: 0 in 0..=1,
    /// VALIDATOR_MIN_LIFETIME (RFC 5533 section 14).
    validator_lifetime_ms: 30000 in 30000..=600000,
    /// UPDATE_TIMEOUT (RFC 5533 section 14).
    update_timeout_ms: 4000 in 100..=60000,
    /// MAX_UPDATE_TIMEOUT (RFC 5533 section 14).
    max_update_timeout_ms: 120000 in 100..=3600000,
    /// Deferred set-up: packets of a pair before a context is set up (RFC 5533 section 4).
    setup_packets: 32 in 1..=1000000,
    /// Deferred set-up: age of a pair's traffic before a context is set up.
    setup_age_ms: 1000 in 0..=3600000,
    /// Whether a connected socket that asks through SOL_SHIM for a context gets one set up at
    /// once (RFC 6316); it is told ENOENT all the same.
    setup_when_asked: 0 in 0..=1,
    /// How many contexts there may be.
    max_contexts: 131072 in 1..=4194304,
    /// How many of them may be forked, by us or by peers (RFC 5533 section 4.2).
    max_forks: 4096 in 0..=4194304,
    /// How many of them the peers of one /48 may have: by where they were when the context was
    /// made, not by their ULID.
    max_contexts_per_prefix: 16384 in 1..=4194304,
    /// How many contexts may be in the middle of their establishment by us; read when the
    /// namespace gets its first set.
    max_pending: 1024 in 1..=65536,
    /// A context unused for so long is discarded (RFC 5533 section 9).
    gc_idle_ms: 300000 in 1000..=86400000,
    /// R1 messages per second.
    r1_per_second: 1000 in 1..=1000000,
    /// R1bis messages per second.
    r1bis_per_second: 100 in 1..=1000000,
    /// Error messages per second.
    error_per_second: 10 in 1..=1000000,
    /// Probes of explorations per second that timers send; answers to Probes are not limited.
    probes_per_second: 1000 in 1..=1000000,
    /// CGA signatures verified per second; the peers of one /48 get an eighth of it.
    signatures_per_second: 64 in 1..=100000,
    /// How often a context on another pair tries the preferred one.
    prefer_interval_ms: 10000 in 100..=3600000,
    /// How often a pair that stands by is probed, while there is traffic (RFC 6316 section 6.3).
    standby_interval_ms: 1000 in 50..=3600000,
    /// With a pair that stands by: after so long without an answer to data the current pair is
    /// asked whether it works.
    standby_silence_ms: 40 in 10..=3600000,
}
