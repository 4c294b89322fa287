//! From a request to its answer: one function per operation.

use std::collections::BTreeSet;

use crate::abi;
use crate::counters;
use crate::engine::Engine;
use crate::events::Command;
use crate::exempt_rows;
use crate::frame::{Answer, Frame, Header, rows, text_of, u32_at};
use crate::host;
use crate::losses;
use crate::process::{self, Process};
use crate::reasons;
use crate::result::{Failure, Outcome, Stage, at};
use crate::say::say;
use crate::scope;
use crate::wire::{op, tag};

/// Longest path of an executable that PROC takes.
const MOST_PATH_BYTES: usize = 1023;
const MOST_EXEMPT_PATHS: usize = 256;
const MOST_QUERIES: usize = 4096;
/// A text that stays well below a frame.
const NAMES_BYTES: usize = 512 << 10;
const RECORDS_BYTES: usize = 200 << 10;

/// The process at the other end of the control connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    pub pid: u32,
}

/// All frames of the answer, encoded.
pub fn answer(engine: &mut Engine, peer: Peer, header: Header, bytes: &[u8]) -> Vec<u8> {
    let mut answer = Answer::default();
    let result = Frame::parse(bytes).and_then(|frame| operate(engine, peer, &frame, &mut answer));
    answer.encode(header, result.as_ref().err())
}

fn operate(engine: &mut Engine, peer: Peer, frame: &Frame<'_>, answer: &mut Answer) -> Outcome<()> {
    match frame.header.op {
        op::HELLO => hello(engine, peer, frame, answer),
        op::CATALOGUE => catalogue(engine, frame, answer),
        op::RESOLVE => resolve(engine, frame, answer),
        op::BEGIN => {
            frame.expect(&[tag::GENERATION, tag::LABEL], &[])?;
            let label = frame.sized(tag::LABEL, 32)?.try_into().map_err(|_| Failure::parse("short label"))?;
            engine.begin(frame.u32(tag::GENERATION)?, label)
        }
        op::HOOK => {
            let hooked = engine.hook_frame(frame)?;
            answer.text(tag::USED, &hooked.method).u32(tag::REUSED, u32::from(hooked.reused));
            answer.u32(tag::VERIFIED, hooked.verified).u32(tag::XLATED, hooked.xlated).u32(tag::LOAD_US, hooked.load_us);
            answer.u32(tag::DPATH, u32::from(hooked.uses_d_path)).u32(tag::PINNED, u32::from(hooked.pinned));
            Ok(())
        }
        op::DATA => {
            frame.expect(&[tag::HOOK, tag::MAP, tag::ROWS], &[])?;
            engine.data(frame.u32(tag::HOOK)?, frame.u16(tag::MAP)?, frame.bytes(tag::ROWS)?)
        }
        op::SHARE => {
            frame.expect(&[tag::HOOK], &[])?;
            let reused = engine.share(frame.u32(tag::HOOK)?)?;
            answer.u32(tag::REUSED, u32::from(reused));
            Ok(())
        }
        op::NODE => {
            frame.expect(&[tag::MAP, tag::ROWS, tag::LAST], &[])?;
            engine.node_rows(frame.u16(tag::MAP)?, frame.all(tag::ROWS).next().unwrap_or_default())
        }
        op::COMMIT => {
            frame.expect(&[], &[])?;
            let flipped = engine.commit()?;
            answer.u32(tag::GENERATION, engine.generations.active).u64(tag::FLIP_NS, flipped);
            Ok(())
        }
        op::ABORT => {
            frame.expect(&[], &[])?;
            engine.abort();
            Ok(())
        }
        op::SCOPE => scope_request(engine, frame),
        op::PROC => exempt(engine, frame, answer),
        op::COUNTERS => count(engine, frame, answer),
        op::ZERO => zero(engine, frame),
        op::ROLLBACK => {
            frame.expect(&[tag::GENERATION], &[])?;
            engine.roll_back(frame.u32(tag::GENERATION)?)?;
            answer.u32(tag::NEXT, engine.generations.next());
            Ok(())
        }
        op::TEARDOWN => {
            frame.expect(&[], &[])?;
            let removed = engine.teardown();
            answer.u32(tag::COUNT, removed);
            Ok(())
        }
        op::ITERATE => {
            frame.expect(&[], &[])?;
            let processes = iterate(engine)?;
            answer.u32(tag::COUNT, processes.len() as u32);
            queue_records(engine, processes);
            Ok(())
        }
        op::FAULT => {
            frame.expect(&[tag::TEXT], &[])?;
            crate::faults::arm(frame.text(tag::TEXT, 100)?)
        }
        other => Err(Failure::parse(format!("op {other} is not known"))),
    }
}

fn hello(engine: &mut Engine, peer: Peer, frame: &Frame<'_>, answer: &mut Answer) -> Outcome<()> {
    frame.expect(&[tag::ABI], &[])?;
    let theirs = frame.u64(tag::ABI)?;
    if theirs != abi::ABI_HASH {
        let message = format!("the agent's ABI is {theirs:#018x}, the loader's {:#018x}", abi::ABI_HASH);
        return Err(Failure::new(Stage::Parse, reasons::ABI_MISMATCH, message));
    }
    // What an agent that is gone had begun is of no use to this one.
    engine.abort();
    engine.wake()?;
    if let Err(failure) = learn_processes(engine, Some(peer)) {
        say!("hello: {failure}");
    }
    for line in &engine.facts.lines {
        answer.text(tag::FACT, line);
    }
    answer.u32(tag::GENERATION, engine.generations.active).u32(tag::NEXT, engine.generations.next());
    answer.bytes(tag::LABEL, engine.generations.label);
    answer.text(tag::BOOT, &host::boot_id()).text(tag::RELEASE, &host::release());
    for kept in &engine.kept {
        answer.text(tag::KEPT_CAP, &format!("{} {}", kept.name, kept.reason));
    }
    if let Some(namespaces) = &engine.host_namespaces {
        answer.bytes(tag::HOST_NS, namespaces.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>());
    }
    answer.u32(tag::NCPU, host::possible_cpus()).u32(tag::ADOPTED, u32::from(engine.adopted));
    // Sequence numbers begin anew with the maps; the kernel does not give a number twice in a boot.
    let rings = libbpf_rs::MapCore::info(engine.node()?.map("seqs")?).map_err(at(Stage::Open, "seqs"))?.info.id;
    answer.u32(tag::RINGS, rings);
    for hook in engine.generations.attached.iter().filter_map(|id| engine.hooks.get(id)) {
        let instance = hook.bank(crate::generation::bank_of(engine.generations.active)).instance.as_ref();
        let uses_d_path = instance.is_some_and(|instance| instance.uses_d_path);
        let line = format!("{} {} {} {} {}", hook.id, hook.name(), hook.method.text(), u8::from(hook.pinned), u8::from(uses_d_path));
        answer.text(tag::ACTIVE_HOOK, &line);
    }
    Ok(())
}

fn catalogue(engine: &mut Engine, frame: &Frame<'_>, answer: &mut Answer) -> Outcome<()> {
    frame.expect(&[], &[])?;
    if engine.catalogue.is_none() {
        engine.catalogue = Some(crate::catalogue::read(engine.tracefs.as_ref())?);
    }
    let Some(found) = &engine.catalogue else { return Ok(()) };
    for (tag, names) in [(tag::NAMES_FUNCTION, &found.functions), (tag::NAMES_LSM, &found.lsm_hooks), (tag::NAMES_TRACEPOINT, &found.tracepoints)] {
        for text in joined(names, NAMES_BYTES) {
            answer.text(tag, &text);
        }
    }
    answer.bytes(tag::BUILD, found.build);
    Ok(())
}

/// Newline-separated texts of at most about `bytes` each.
fn joined(names: &[String], bytes: usize) -> Vec<String> {
    let mut texts = vec![String::new()];
    for name in names {
        if texts.last().is_some_and(|text| text.len() + name.len() > bytes) {
            texts.push(String::new());
        }
        if let Some(text) = texts.last_mut() {
            text.push_str(name);
            text.push('\n');
        }
    }
    texts
}

fn resolve(engine: &Engine, frame: &Frame<'_>, answer: &mut Answer) -> Outcome<()> {
    frame.expect(&[], &[tag::QUERY])?;
    let queries = frame.all(tag::QUERY).map(|value| text_of(value, tag::QUERY, 256)).collect::<Outcome<Vec<_>>>()?;
    if queries.len() > MOST_QUERIES {
        return Err(Failure::parse(format!("{} queries; at most {MOST_QUERIES} are allowed", queries.len())));
    }
    for text in crate::catalogue::resolve(&queries, engine.tracefs.as_ref())? {
        answer.text(tag::RESOLVED, &text);
    }
    Ok(())
}

fn scope_request(engine: &mut Engine, frame: &Frame<'_>) -> Outcome<()> {
    frame.expect(&[], &[tag::CGROUP, tag::CGROUP_GONE, tag::PODNAME, tag::PODNAME_GONE, tag::CLASS_ROW])?;
    engine.node()?;
    let node = engine.node.as_ref().ok_or_else(|| Failure::state("no node programs"))?;
    let target = scope::Target { hooks: &engine.hooks, active: engine.generations.active, pending: engine.generations.pending.is_some() };
    scope::apply(frame, node, &target, &engine.own_cgroups)
}

/// Runs the iterator and learns what only it tells: the host's namespaces and the cgroups and executables of our own pod.
pub fn learn_processes(engine: &mut Engine, peer: Option<Peer>) -> Outcome<Vec<Process>> {
    let processes = process::iterate(engine.node()?)?;
    let init = processes.iter().find(|process| process.tgid() == 1);
    if let Some(init) = init {
        engine.host_namespaces = Some(init.namespaces());
    }
    let own: BTreeSet<u32> = [Some(std::process::id()), peer.map(|peer| peer.pid), Some(1)].into_iter().flatten().collect();
    let host_mounts = engine.host_namespaces.and_then(|namespaces| namespaces.get(abi::NS_MNT).copied());
    let paths = engine.exempt_paths.clone();
    for process in &processes {
        let of_host = process.is_of_host(host_mounts) && paths.contains(process.path());
        let is_own = own.contains(&process.tgid());
        if let (true, Some(key)) = (of_host || is_own, process.exempt_key()) {
            let value = if of_host { exempt_rows::tag_of(process.path()) } else { exempt_rows::OWN };
            process::add_exempt(engine.node()?, &key, value)?;
        }
        if is_own && process.tgid() != 1 {
            engine.own_cgroups.insert(process.cgroup());
            process::mark_own_cgroup(engine.node()?, process.cgroup())?;
        }
    }
    Ok(processes)
}

fn iterate(engine: &mut Engine) -> Outcome<Vec<Process>> {
    learn_processes(engine, None)
}

fn queue_records(engine: &Engine, processes: Vec<Process>) {
    let mut batch = Vec::new();
    for process in processes {
        batch.extend(process.into_record());
        if batch.len() >= RECORDS_BYTES {
            engine.events.send(Command::Queue(std::mem::take(&mut batch)));
        }
    }
    engine.events.send(Command::Queue(batch));
}

fn exempt(engine: &mut Engine, frame: &Frame<'_>, answer: &mut Answer) -> Outcome<()> {
    frame.expect(&[], &[tag::EXEMPT_PATH])?;
    let mut paths = BTreeSet::new();
    for value in frame.all(tag::EXEMPT_PATH) {
        let path = text_of(value, tag::EXEMPT_PATH, MOST_PATH_BYTES)?;
        if !path.starts_with('/') {
            return Err(Failure::parse(format!("exempt path {path:?}: must be absolute")));
        }
        paths.insert(path.as_bytes().to_vec());
    }
    if paths.len() > MOST_EXEMPT_PATHS {
        return Err(Failure::parse(format!("{} exempt paths; at most {MOST_EXEMPT_PATHS} are allowed", paths.len())));
    }
    engine.exempt_paths = paths;
    let found = crate::exempt::find(engine)?;
    answer.u32(tag::COUNT, found);
    Ok(())
}

fn count(engine: &mut Engine, frame: &Frame<'_>, answer: &mut Answer) -> Outcome<()> {
    frame.expect(&[], &[])?;
    let indices = engine.counters.clone();
    let node = engine.node()?;
    let counted = counters::rows(node.map("cnt")?, &indices)?;
    let health = counters::health(node.map("health")?)?;
    if !counted.is_empty() {
        answer.bytes(tag::COUNTER, counted);
    }
    answer.bytes(tag::HEALTH, health.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>());
    let misses = engine.hooks.values().map(crate::hook::Hook::recursion_misses).sum();
    answer.u64(tag::MISSES, misses);
    losses::report_skipped(engine, misses);
    Ok(())
}

fn zero(engine: &mut Engine, frame: &Frame<'_>) -> Outcome<()> {
    frame.expect(&[tag::INDEX], &[])?;
    let value = frame.bytes(tag::INDEX)?;
    for row in rows(value, 4, tag::INDEX)? {
        let index = u32_at(row, 0).unwrap_or(u32::MAX);
        if index >= abi::COUNTERS {
            return Err(Failure::parse(format!("counter {index}: must be below {}", abi::COUNTERS)));
        }
        counters::zero(engine.node()?.map("cnt")?, index)?;
    }
    Ok(())
}
