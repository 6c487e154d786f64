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
        .subcommand(context())
        .subcommand(socket())
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
        .subcommand(
            Command::new("apply")
                .about("Put a set to work: addresses, routes, and the kernel's shim")
                .arg(file())
                .arg(Arg::new("DEVICE").required(true).num_args(1..).help(
                    "dev=INTERFACE for each prefix in their order (or one for all), or PREFIX=INTERFACE",
                ))
                .arg(flag("nodad", 'n', "Add the addresses without duplicate address detection")),
        )
        .subcommand(
            Command::new("remove")
                .about("Undo 'hba apply'")
                .arg(Arg::new("SET").required(true).help("The set's file, or one of its addresses")),
        )
        .subcommand(Command::new("list").about("Print the sets that the kernel knows"))
}

fn generate() -> Command {
    Command::new("generate")
        .about("Make a set: one address for each prefix, all bound to each other")
        .arg(
            Arg::new("PREFIX")
                .required(true)
                .num_args(1..)
                .help("A prefix of 64 bits, as 2001:db8:1::/64"),
        )
        .arg(
            Arg::new("sec")
                .long("sec")
                .value_parser(value_parser!(u8).range(0..=2))
                .default_value("0")
                .help(
                    "How much work a forgery shall cost: a factor of 65536 for each step; 0 to 2",
                ),
        )
        .arg(
            Arg::new("modifier").long("modifier").value_name("HEX").help(
                "Begin with this modifier instead of a random one; the same gives the same set",
            ),
        )
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

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}
