// SPDX-License-Identifier: GPL-2.0

//! The tests of the core as one program: what they share is compiled once.

mod activity;
mod ancillary;
mod answers;
mod bench;
mod cga;
mod context;
mod corpus;
mod crowd;
mod desk;
mod endpoint;
mod forks;
mod fuzz;
mod golden;
mod hba;
mod initiator;
mod life;
mod many;
mod octets;
mod pairs;
mod peers;
mod policy;
mod reap_tables;
mod rejects;
mod reports;
mod rows;
mod setup;
mod sim;
mod sockapi;
mod standby;
mod standby_rounds;
mod stories;
mod swarm;
mod times;
mod translate;
mod values;
mod wire;
mod wishes;
mod world;
