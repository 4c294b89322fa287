//! COMMIT: steps 5 to 10 of engine-spec.md §6. Until the one store nobody runs what is written here; after it, nothing may fail any more.

use std::path::PathBuf;

use crate::engine::Engine;
use crate::exempt;
use crate::faults;
use crate::generation::Commit;
use crate::host;
use crate::meta::write_journal;
use crate::result::{Outcome, Stage, io_at};
use crate::say::say;
use crate::sys;

/// Returns the time of the flip. On failure the generation stays pending: ABORT takes it back.
pub fn commit(engine: &mut Engine) -> Outcome<u64> {
    let plan = engine.generations.plan_commit()?;
    if let Some(missing) = plan.hooks.keys().find(|hook| !engine.staged.contains_key(hook)) {
        return Err(crate::result::Failure::state(format!("hook {missing} has nothing to commit")));
    }
    engine.generations.other_bank_touched();
    fill_bank(engine, &plan)?;
    check_bank(engine, &plan)?;
    faults::hit("before_journal")?;
    announce(engine, &plan)?;
    faults::hit("before_flip")?;

    let node = engine.node()?;
    node.active.store(plan.number);
    let flipped = sys::boottime_ns();
    // A fault of the kind error makes no sense after the flip; one of the kind kill does.
    let _ = faults::hit("after_flip");
    engine.generations.committed(&plan);
    engine.staged.clear();
    engine.staged_bsets = None;
    settle(engine, &plan);
    Ok(flipped)
}

fn fill_bank(engine: &mut Engine, plan: &Commit) -> Outcome<()> {
    for id in plan.hooks.keys() {
        if let (Some(hook), Some(staged)) = (engine.hooks.get_mut(id), engine.staged.get(id)) {
            hook.fill(plan.number, staged.tables.clone(), staged.instance.clone())?;
        }
    }
    for id in &plan.unused {
        let Some(mut hook) = engine.hooks.remove(id) else { continue };
        let result = hook.silence(plan.bank, |method| engine.load_noop(method));
        engine.hooks.insert(*id, hook);
        result?;
    }
    let staged = engine.staged_bsets.clone();
    let active = (1 - plan.bank) as usize;
    let node = engine.node()?;
    let map = staged.or_else(|| node.bsets.get(active).cloned().flatten());
    map.map_or(Ok(()), |map| node.set_bsets(plan.bank, map))
}

fn check_bank(engine: &Engine, plan: &Commit) -> Outcome<()> {
    plan.hooks.keys().chain(&plan.unused).filter_map(|id| engine.hooks.get(id)).try_for_each(|hook| hook.check(plan.bank))
}

/// Says on disk and in the kernel which generation is about to come: a loader that starts after a crash finishes or forgets it.
fn announce(engine: &mut Engine, plan: &Commit) -> Outcome<()> {
    let state: PathBuf = engine.options.state.clone();
    write_journal(&state, &host::boot_id(), engine.generations.active, plan.number, &plan.label).map_err(io_at(Stage::Flip, "journal"))?;
    let node = engine.node()?;
    node.meta.pending = plan.number;
    node.meta.pending_label = plan.label;
    node.write_meta()
}

/// After the flip: waits until nobody runs the old generation, then lets go of what it alone had. What fails here is left for the next
/// start, and said.
fn settle(engine: &mut Engine, plan: &Commit) {
    if let Some(node) = &mut engine.node {
        node.wait_for_grace();
    }
    for id in &plan.unused {
        if let Some(hook) = engine.hooks.remove(id) {
            hook.detach();
        }
    }
    for directory in std::mem::take(&mut engine.outdated) {
        directory.remove();
    }
    let Ok(node) = engine.node() else { return };
    node.meta.pending = 0;
    node.meta.spent = 0;
    node.meta.label = plan.label;
    if let Err(failure) = node.write_meta() {
        say!("commit: {failure}");
    }
    exempt::prune(engine);
}
