//! palisade-loader: the one privileged process of a node. It loads, attaches, pins and flips BPF programs on the word of the agent, and
//! hands the agent what they record. It knows neither Kubernetes nor policies. Contract: docs/loader-protocol.md.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod abi;
mod adopt;
mod batch;
mod btf;
mod caps;
mod catalogue;
mod cli;
mod commit;
mod counters;
mod dispatch;
#[cfg(feature = "drive")]
mod drive;
mod embed;
mod engine;
mod events;
mod exempt;
mod exempt_learner;
mod exempt_rows;
mod facts;
mod facts_file;
mod faults;
mod frame;
mod generation;
mod hook;
mod hook_info;
mod hook_kind;
mod hook_request;
mod host;
mod inner;
mod ledger;
mod lock;
mod losses;
mod meta;
mod node;
mod object;
mod pins;
mod probe;
mod process;
mod reasons;
mod record;
mod result;
mod ring;
mod say;
mod scope;
mod seccomp;
mod serve;
mod server;
mod supervise;
mod sys;
mod verifier_log;
mod wire;

use std::process::ExitCode;

use cli::Command;
use result::Outcome;
use say::{print_line, say};

fn run(command: Command) -> Outcome<u8> {
    match command {
        Command::Serve(options) => serve::serve(options).map(|()| 0),
        Command::Probe(options) => serve::probe(&options).map(|()| 0),
        Command::Record(options) => serve::record(&options).map(|()| 0),
        Command::Purge(options) => serve::purge(&options).map(|()| 0),
        Command::Supervise(child) => Ok(u8::try_from(supervise::run(&child)).unwrap_or(1)),
        Command::Abi => {
            print_line!("{:016x}", abi::ABI_HASH);
            Ok(0)
        }
        #[cfg(feature = "drive")]
        Command::Drive { socket, file, goes_on } => drive::drive(&socket, &file, goes_on).map(u8::from),
    }
}

fn main() -> ExitCode {
    sys::return_large_blocks();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let command = match cli::parse(&arguments) {
        Ok(command) => command,
        Err(message) => {
            say!("{message}\n{}", cli::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(command) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            say!("palisade-loader: {failure}");
            if !failure.verifier.is_empty() {
                say!("{}", failure.verifier);
            }
            ExitCode::FAILURE
        }
    }
}
