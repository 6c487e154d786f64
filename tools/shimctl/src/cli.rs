// SPDX-License-Identifier: GPL-2.0

//! The command line.

use clap::{value_parser, Arg, ArgAction, Command};

/// All commands, their options and their help.
pub fn command() -> Command {
    let json = Arg::new("json")
        .long("json")
        .short('j')
        .global(true)
        .action(ArgAction::SetTrue)
        .help("Print JSON");
    Command::new("shimctl")
        .about("Shows and changes the multihoming shim of this network namespace")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(json)
        .subcommand(hba())
        .subcommand(cga())
        .subcommand(context())
        .subcommand(socket())
        .subcommand(policy())
        .subcommand(Command::new("stats").about("Print all counters").arg(flag(
            "nonzero",
            'n',
            "Only those that are not zero",
        )))
        .subcommand(
            Command::new("monitor")
                .about("Print what happens to contexts, one line an event, until interrupted")
                .arg(flag("timestamps", 't', "Begin each line with the time")),
        )
}

fn flag(name: &'static str, short: char, help: &'static str) -> Arg {
    Arg::new(name).long(name).short(short).action(ArgAction::SetTrue).help(help)
}

fn hba() -> Command {
    let file = || {
        Arg::new("FILE")
            .required(true)
            .help("A set made by 'hba generate'; - is the standard input")
    };
    Command::new("hba")
        .about("Sets of hash based addresses (RFC 5535); without a subcommand, list them")
        .subcommand(generate())
        .subcommand(Command::new("show").about("Verify and print the set in a file").arg(file()))
        .subcommand(apply().arg(file()))
        .subcommand(
            Command::new("remove").about("Undo 'hba apply'").arg(
                Arg::new("SET").required(true).help("The set's file, or one of its addresses"),
            ),
        )
        .subcommand(Command::new("list").about("Print the sets that the kernel knows"))
}

fn apply() -> Command {
    Command::new("apply")
        .about("Put a set to work: addresses, routes, and the kernel's shim")
        .arg(Arg::new("DEVICE").required(true).index(2).num_args(1..).help(
            "dev=INTERFACE for each prefix in their order (or one for all), or PREFIX=INTERFACE",
        ))
        .arg(flag("nodad", 'n', "Add the addresses without duplicate address detection"))
}

fn cga() -> Command {
    let file = || {
        Arg::new("FILE")
            .required(true)
            .index(1)
            .help("An address made by 'cga generate', or a set with a public key; - is the standard input")
    };
    let key = |required| {
        Arg::new("key")
            .long("key")
            .value_name("FILE")
            .required(required)
            .help("The RSA private key, PKCS#8 or PKCS#1, PEM or DER")
    };
    let output = |required| {
        Arg::new("output").long("output").short('o').value_name("FILE").required(required)
    };
    Command::new("cga")
        .about("Cryptographically generated addresses (RFC 3972), whose key proves other locators")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("key")
                .about("Make an RSA private key")
                .arg(
                    Arg::new("bits")
                        .long("bits")
                        .value_parser(value_parser!(u16).range(1024..=4096))
                        .default_value("2048")
                        .help("Its length, 1024 to 4096"),
                )
                .arg(output(true).help("Write the key there; only its owner can read it")),
        )
        .subcommand(
            Command::new("generate")
                .about("Make an address of a prefix that is bound to a key")
                .arg(prefix(1))
                .arg(key(true))
                .arg(sec())
                .arg(modifier())
                .arg(output(false).help("Write the address there, and print what it is")),
        )
        .subcommand(
            Command::new("show").about("Verify and print the address in a file").arg(file()),
        )
        .subcommand(
            apply().arg(file()).arg(key(false)).arg(
                Arg::new("locator")
                    .long("locator")
                    .value_name("ADDRESS=INTERFACE")
                    .action(ArgAction::Append)
                    .requires("key")
                    .help("A locator that the key proves to peers; may be given several times"),
            ),
        )
        .subcommand(Command::new("remove").about("Undo 'cga apply'").arg(
            Arg::new("SET").required(true).help("The address's file, or one of the addresses"),
        ))
}

fn prefix(most: usize) -> Arg {
    Arg::new("PREFIX")
        .required(true)
        .num_args(1..=most)
        .help("A prefix of 64 bits, as 2001:db8:1::/64")
}

fn sec() -> Arg {
    Arg::new("sec")
        .long("sec")
        .value_parser(value_parser!(u8).range(0..=2))
        .default_value("0")
        .help("How much work a forgery shall cost: a factor of 65536 for each step; 0 to 2")
}

fn modifier() -> Arg {
    Arg::new("modifier")
        .long("modifier")
        .value_name("HEX")
        .help("Begin with this modifier instead of a random one; the same gives the same set")
}

fn generate() -> Command {
    Command::new("generate")
        .about("Make a set: one address for each prefix, all bound to each other")
        .arg(prefix(usize::MAX - 1))
        .arg(sec())
        .arg(modifier())
        .arg(
            Arg::new("pubkey")
                .long("pubkey")
                .value_name("FILE")
                .help("Bind the set to this public key too (DER or PEM SubjectPublicKeyInfo)"),
        )
        .arg(
            Arg::new("output")
                .long("output")
                .short('o')
                .value_name("FILE")
                .help("Write the set there, and print what it is"),
        )
}

fn context() -> Command {
    Command::new("context")
        .about("Contexts: what the shim holds for a pair of hosts; without a subcommand, list them")
        .subcommand(Command::new("list").about("Print one line for each context"))
        .subcommand(
            Command::new("show")
                .about("Print everything about a context")
                .arg(
                    Arg::new("NAME")
                        .required(true)
                        .num_args(1..=2)
                        .help("Its tag, or its two identifiers: ours, and the peer's"),
                )
                .arg(
                    Arg::new("fii")
                        .long("fii")
                        .value_parser(value_parser!(u32))
                        .help("Its Forked Instance Identifier, if it is not the default context"),
                ),
        )
}

fn socket() -> Command {
    Command::new("socket")
        .about("Connected sockets: which are associated with a context; without a subcommand, list them")
        .subcommand(Command::new("list").about("Print one line for each connected socket"))
        .subcommand(
            Command::new("show")
                .about("Print a socket and all of its options of level SOL_SHIM")
                .arg(
                    Arg::new("SOCKET")
                        .required(true)
                        .num_args(1..=2)
                        .help("Its inode number, or its two addresses, with or without ports"),
                ),
        )
}

fn policy() -> Command {
    let file =
        || Arg::new("FILE").default_value(crate::policy::FILE).help("- is the standard input");
    Command::new("policy")
        .about(
            "What the shim may serve, and which locators it likes; without a subcommand, show it",
        )
        .subcommand(
            Command::new("show").about("Print the policy, and the settings that were changed"),
        )
        .subcommand(
            Command::new("load").about("Replace the policy, all of it or nothing").arg(file()),
        )
        .subcommand(
            Command::new("check").about("Print the policy of a file, without a kernel").arg(file()),
        )
        .subcommand(Command::new("reset").about("No rules, all settings as they are by default"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}
