//! The commands `serve`, `probe` and `purge`: what is done in which order, and with which privileges.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use nix::sys::resource::{RLIM_INFINITY, Resource, setrlimit};

use crate::abi;
use crate::adopt;
use crate::caps;
use crate::cli::Options;
use crate::embed::Flavour;
use crate::engine::Engine;
use crate::events::Events;
use crate::facts::{self, Facts};
use crate::facts_file::{self, FactsKey};
use crate::generation::Generations;
use crate::host::{self, Tracefs};
use crate::lock::StateLock;
use crate::meta::Meta;
use crate::pins::PinDirectory;
use crate::record::{self, Recording};
use crate::result::{Outcome, Stage, io_at};
use crate::say::{print_line, say};
use crate::seccomp;
use crate::server::{self, Server};
use crate::sys;
use crate::verifier_log;

/// Kernels before 5.11 count maps against this limit.
fn lift_memory_limit() {
    let _ = setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY);
}

fn find_facts(options: &Options) -> Outcome<Facts> {
    verifier_log::catch();
    lift_memory_limit();
    host::ensure_bpffs(&options.bpffs).map_err(io_at(Stage::Open, "bpffs"))?;
    let facts = facts::collect(&options.bpffs);
    let _ = verifier_log::take();
    Ok(facts)
}

/// What an earlier start of this build found out with these privileges since the node booted; else all is tried again. A loader that was
/// killed is back the sooner.
fn remembered_facts(options: &Options) -> Outcome<Facts> {
    let permitted = sys::permitted_capabilities().map_err(io_at(Stage::Open, "capabilities"))?;
    let key = FactsKey { boot: host::boot_id(), build: abi::ABI_HASH, programs: Flavour::New.build(), permitted };
    if let Some(facts) = facts_file::read(&options.state, &key) {
        verifier_log::catch();
        lift_memory_limit();
        host::ensure_bpffs(&options.bpffs).map_err(io_at(Stage::Open, "bpffs"))?;
        return Ok(facts);
    }
    let facts = find_facts(options)?;
    if let Err(error) = facts_file::write(&options.state, &key, &facts) {
        say!("serve: the facts cannot be kept: {error}");
    }
    Ok(facts)
}

pub fn probe(options: &Options) -> Outcome<()> {
    for line in find_facts(options)?.lines {
        print_line!("{line}");
    }
    Ok(())
}

/// Writes what is known of this kernel to standard output.
pub fn record(options: &Options) -> Outcome<()> {
    let facts = find_facts(options)?;
    let tracefs = Tracefs::open().map_err(io_at(Stage::Open, "tracefs"))?;
    let recording = Recording { facts: &facts, tracefs: &tracefs, modules: &options.modules, config: options.config.as_deref() };
    record::record(&recording, &mut std::io::stdout().lock())
}

/// Takes everything away that is pinned, whoever pinned it, without an agent.
pub fn purge(options: &Options) -> Outcome<()> {
    let lock = StateLock::take(&options.state)?;
    let removed: u32 = PinDirectory::existing(&options.bpffs).iter().map(|(_, directory)| directory.remove()).sum();
    lock.remove_state();
    print_line!("{removed} pins removed");
    Ok(())
}

pub fn serve(options: Options) -> Outcome<()> {
    let started = Instant::now();
    let signals = server::take_signals()?;
    let lock = Some(StateLock::take(&options.state)?);
    let facts = remembered_facts(&options)?;
    let tracefs = Tracefs::open().inspect_err(|error| say!("serve: tracefs is out of reach: {error}")).ok();
    let own = Meta::own(facts.flavour.build(), host::boot_bytes());
    #[cfg(feature = "faults")]
    crate::faults::watch(&options.state);
    #[cfg(feature = "faults")]
    if let Ok(fault) = std::env::var("PALISADE_FAULT") {
        crate::faults::arm(&fault)?;
    }

    let mut server = Server::listen(&options.socket, options.peer_uids.clone(), signals)?;
    let kept = drop_privileges_plan(&options, &facts)?;
    // Adoption opens maps and programs by their numbers, which needs SYS_ADMIN; the events thread must start without it.
    let events = Events::start_confined(&kept, options.no_drop).map_err(io_at(Stage::Open, "events thread"))?;
    let mut engine = Engine {
        facts,
        kept: kept.clone(),
        tracefs,
        catalogue: None,
        events,
        own,
        node: None,
        hooks: BTreeMap::new(),
        generations: Generations::default(),
        staged: BTreeMap::new(),
        staged_bsets: None,
        outdated: Vec::new(),
        adopted: false,
        lock,
        counters: BTreeSet::new(),
        own_cgroups: BTreeSet::new(),
        exempt_paths: BTreeSet::new(),
        host_namespaces: None,
        told: [0; abi::HEALTH_WORDS],
        told_skipped: 0,
        options,
    };
    adopt::adopt(&mut engine);
    confine(&kept, engine.options.no_drop).map_err(io_at(Stage::Open, "privileges"))?;
    let (generation, hooks, socket) = (engine.generations.active, engine.hooks.len(), engine.options.socket.display());
    say!("serve: generation {generation}, {hooks} hooks adopted, listening on {socket} after {} ms", started.elapsed().as_millis());
    server.run(&mut engine);
    // Not by returning: libbpf's destructors would disable the events behind pinned links.
    std::process::exit(0);
}

fn drop_privileges_plan(options: &Options, facts: &Facts) -> Outcome<Vec<caps::Kept>> {
    let permitted = sys::permitted_capabilities().map_err(io_at(Stage::Open, "capabilities"))?;
    Ok(if options.no_drop { caps::keep_all(permitted) } else { caps::choose(permitted, facts.needs) })
}

/// For the calling thread: capabilities, no_new_privs, seccomp.
pub fn confine(kept: &[caps::Kept], no_drop: bool) -> std::io::Result<()> {
    if no_drop {
        sys::set_no_new_privileges()?;
    } else {
        caps::reduce_to(kept)?;
    }
    seccomp::confine()
}
