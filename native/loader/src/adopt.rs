//! A loader that starts takes over what its forerunner pinned: no change in the kernel, the active generation runs on. What was pending
//! is finished if the flip had happened, and forgotten if not. Runs before SYS_ADMIN is dropped.

use std::os::fd::OwnedFd;
use std::rc::Rc;

use libbpf_rs::{Link, MapCore as _, MapFlags, MapHandle, Program};

use crate::engine::Engine;
use crate::frame::u32_at;
use crate::generation::{Generations, bank_of};
use crate::hook::{Bank, Hook, Instance};
use crate::hook_info::HookInfo;
use crate::inner::Tables;
use crate::node::{Node, inner_map};
use crate::pins::{HookPins, PinDirectory};
use crate::result::{Failure, Outcome, Stage, at};
use crate::say::say;

/// Looks through all pins. Those of another build go on enforcing until our first generation.
pub fn adopt(engine: &mut Engine) {
    for (_, directory) in PinDirectory::existing(&engine.options.bpffs) {
        if engine.node.is_some() {
            engine.outdated.push(directory);
            continue;
        }
        match Node::adopt(&directory, &engine.facts, &engine.own).and_then(|node| take_over(engine, node)) {
            Ok(()) => engine.adopted = true,
            Err(failure) => {
                say!("adopt: {}: {failure}", directory.node("").display());
                engine.node = None;
                engine.hooks.clear();
                engine.generations = Generations::default();
                engine.outdated.push(directory);
            }
        }
    }
}

fn take_over(engine: &mut Engine, mut node: Node) -> Outcome<()> {
    let active = node.active.load();
    let mut complete = true;
    for pins in node.directory.all_hooks() {
        match adopt_hook(&pins, active) {
            Ok(Some(hook)) => {
                for bank in &hook.banks {
                    engine.counters.extend(bank.tables.iter().flat_map(Tables::counter_indices));
                }
                engine.hooks.insert(hook.id, hook);
            }
            // Not part of the active generation: attached for one that never came, or unused since the last flip.
            Ok(None) => {
                pins.remove();
            }
            Err(failure) => {
                say!("adopt: hook {}: {failure}; it is detached", pins.name());
                complete = false;
                pins.remove();
            }
        }
    }
    if node.meta.pending != 0 {
        if node.meta.pending == active {
            node.meta.label = node.meta.pending_label;
        }
        node.meta.pending = 0;
    }
    if !complete {
        // The agent must not believe that its set runs as a whole.
        node.meta.label = [0; 32];
    }
    if node.meta.spent == active {
        // A step back was announced and not taken: the label is that of the generation before.
        node.meta.label = [0; 32];
    }
    if node.meta.spent <= active {
        node.meta.spent = 0;
    }
    node.write_meta()?;
    engine.generations = Generations {
        active,
        label: node.meta.label,
        attached: engine.hooks.keys().copied().collect(),
        pending: None,
        previous: None,
        spent: node.meta.spent,
    };
    engine.use_node(node)
}

/// None: the hook has nothing to do with the active generation.
fn adopt_hook(pins: &HookPins, active: u32) -> Outcome<Option<Hook>> {
    let info = HookInfo::open(&pins.path("info"))?;
    let bank = bank_of(active);
    if active == 0 || info.generation(bank) != active {
        return Ok(None);
    }
    let method = info.method()?;
    let open = |name: &str| MapHandle::from_pinned_path(pins.path(name)).map_err(at(Stage::Pin, "hook map"));
    let outer = [open("tbl")?, open("ints")?, open("strs")?, open("scope")?, open("cols")?];
    let progs = open("progs")?;
    let link = Link::open(pins.path("link")).map_err(at(Stage::Pin, "link"))?;
    let dispatcher = link.info().ok().and_then(|info| Program::fd_from_id(info.prog_id).ok());
    // A bank of no generation was being written to when the last loader ended.
    let banks = [0, 1].map(|bank| if info.generation(bank) == 0 { Bank::default() } else { adopt_bank(&info, &progs, &outer, bank) });
    if banks.get(bank as usize).is_none_or(|bank| bank.tables.is_none() || bank.instance.is_none()) {
        return Err(Failure::state("the active bank is not whole"));
    }
    let mut hook = Hook::adopt(info, method, pins.clone(), progs, outer, dispatcher);
    hook.banks = banks;
    Ok(Some(hook))
}

fn adopt_bank(info: &HookInfo, progs: &MapHandle, outer: &[MapHandle; 5], bank: u32) -> Bank {
    let tables: Vec<_> = outer.iter().filter_map(|map| inner_map(map, bank)).collect();
    let instance = program_in(progs, bank).map(|program| Instance {
        program: Rc::new(program),
        cfg: Rc::new(info.cfg(bank)),
        uses_d_path: info.uses_d_path(bank),
    });
    Bank { tables: tables.try_into().ok().map(Tables), instance }
}

fn program_in(progs: &MapHandle, bank: u32) -> Option<OwnedFd> {
    let value = progs.lookup(&bank.to_le_bytes(), MapFlags::ANY).ok().flatten()?;
    Program::fd_from_id(u32_at(&value, 0)?).ok()
}
