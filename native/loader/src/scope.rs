//! SCOPE: which cgroup belongs to which class, and what a class is in scope of. Applied in place, acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use libbpf_rs::{MapCore as _, MapFlags, MapHandle};

use crate::abi;
use crate::frame::{Frame, rows, u32_at, u64_at};
use crate::generation::{HookId, bank_of};
use crate::hook::Hook;
use crate::node::Node;
use crate::process::set_own_flag;
use crate::result::{Failure, Outcome, Stage, at, errno_of};
use crate::wire::tag;

const CGROUP_ROW: usize = 8 + abi::CGROUP_BYTES;
const PODNAME_ROW: usize = abi::PODNAME_BYTES + 8;
const CLASS_ROW: usize = 8 + abi::MASK_BYTES as usize;

fn remove(map: &MapHandle, key: &[u8], what: &str) -> Outcome<()> {
    match map.delete(key) {
        Err(error) if errno_of(&error) != libc::ENOENT => Err(at(Stage::Fill, what)(error)),
        _ => Ok(()),
    }
}

/// What the class row goes into: the banks of one hook.
pub struct Target<'h> {
    pub hooks: &'h BTreeMap<HookId, Hook>,
    pub active: u32,
    /// While a generation is pending the other bank is somebody else's business.
    pub pending: bool,
}

/// Class rows, then pod names, then cgroups: who gets a class finds its row.
pub fn apply(frame: &Frame<'_>, node: &Node, target: &Target<'_>, own_cgroups: &BTreeSet<u64>) -> Outcome<()> {
    for value in frame.all(tag::CLASS_ROW) {
        for row in rows(value, CLASS_ROW, tag::CLASS_ROW)? {
            set_class(row, target)?;
        }
    }
    let names = node.map("podnames")?;
    for value in frame.all(tag::PODNAME) {
        for row in rows(value, PODNAME_ROW, tag::PODNAME)? {
            let (name, class) = row.split_at(abi::PODNAME_BYTES);
            names.update(name, class.get(..4).unwrap_or_default(), MapFlags::ANY).map_err(at(Stage::Fill, "podnames"))?;
        }
    }
    for value in frame.all(tag::PODNAME_GONE) {
        for name in rows(value, abi::PODNAME_BYTES, tag::PODNAME_GONE)? {
            remove(names, name, "podnames")?;
        }
    }
    let cgroups = node.map("cgrp")?;
    for value in frame.all(tag::CGROUP) {
        for row in rows(value, CGROUP_ROW, tag::CGROUP)? {
            let (key, content) = row.split_at(8);
            let mut content = content.to_vec();
            if u64_at(key, 0).is_some_and(|id| own_cgroups.contains(&id)) {
                set_own_flag(&mut content);
            }
            cgroups.update(key, &content, MapFlags::ANY).map_err(at(Stage::Fill, "cgrp"))?;
        }
    }
    for value in frame.all(tag::CGROUP_GONE) {
        for key in rows(value, 8, tag::CGROUP_GONE)? {
            remove(cgroups, key, "cgrp")?;
        }
    }
    Ok(())
}

fn set_class(row: &[u8], target: &Target<'_>) -> Outcome<()> {
    let (Some(id), Some(class)) = (u32_at(row, 0), u32_at(row, 4)) else { return Err(Failure::parse("short class row")) };
    if class >= abi::CLASSES {
        return Err(Failure::parse(format!("class {class}: must be below {}", abi::CLASSES)));
    }
    let hook = target.hooks.get(&id).ok_or_else(|| Failure::parse(format!("hook {id} is not attached")))?;
    let active = bank_of(target.active);
    let banks = if target.pending { vec![active] } else { vec![active, 1 - active] };
    for bank in banks {
        if let Some(tables) = &hook.bank(bank).tables {
            let mask = row.get(8..).unwrap_or_default();
            tables.scope().update(&class.to_le_bytes(), mask, MapFlags::ANY).map_err(at(Stage::Fill, "scope"))?;
        }
    }
    Ok(())
}
