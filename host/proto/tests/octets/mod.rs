// SPDX-License-Identifier: GPL-2.0

//! Octets of messages, made and changed without the code under test.

use shim6_proto::proto::wire::{Builder, Message, MAX_MESSAGE};

/// The checksum of RFC 1071, in the plainest way.
pub fn plain_checksum(bytes: &[u8]) -> u16 {
    let mut sum = 0u64;
    for (i, &octet) in bytes.iter().enumerate() {
        sum += u64::from(octet) << if i % 2 == 0 { 8 } else { 0 };
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Makes a message's length and checksum right again.
pub fn seal(mut message: Vec<u8>) -> Vec<u8> {
    message.resize(message.len().next_multiple_of(8), 0);
    message[1] = (message.len() / 8 - 1).try_into().unwrap();
    message[4..6].fill(0);
    let sum = plain_checksum(&message);
    message[4..6].copy_from_slice(&sum.to_be_bytes());
    message
}

/// Writes what a message says anew; `None` if there is no room for its preferences.
pub fn rebuild(message: &Message<'_>) -> Option<Vec<u8>> {
    let again = write(message);
    assert!(again.is_some() || grows(message), "what fitted once fits again");
    again
}

/// Whether a message's preferences do not fit any more: their elements are written as three
/// octets, also those of one or two, and are at most as many as there can be locators.
fn grows(message: &Message<'_>) -> bool {
    message.options.preferences.is_some_and(|list| {
        let element = message.bytes[message.options.preferences_at + 8];
        let len = |element: usize| (4 + 5 + element * list.count()).next_multiple_of(8);
        let room = MAX_MESSAGE - message.bytes.len() + len(element.into());
        list.count() > 255 || len(3) > room
    })
}

fn write(message: &Message<'_>) -> Option<Vec<u8>> {
    let mut out = vec![0xa5; MAX_MESSAGE];
    let mut m = Builder::new(&mut out, &message.body);
    let o = &message.options;
    if let Some(v) = o.validator {
        m.validator(v);
    }
    if let Some((sender, receiver)) = o.ulids {
        m.ulids(&sender, &receiver);
    }
    if let Some(fii) = o.fii {
        m.fii(fii);
    }
    if let Some(list) = o.locators {
        m.locators(list.generation, list.iter().collect::<Vec<_>>().into_iter());
    }
    if let Some(list) = o.preferences {
        m.preferences(list.generation, list.iter().collect::<Vec<_>>().into_iter());
    }
    if let Some(pds) = o.pds {
        m.pds(pds);
    }
    if let Some(signature) = o.signature {
        m.signature(signature);
    }
    if let Some(seconds) = o.keepalive_timeout_s {
        m.keepalive_timeout(seconds);
    }
    let len = m.finish()?;
    out.truncate(len);
    Some(out)
}
