//! The loader's state, and the operations on generations. Every other operation has a file of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;
use std::rc::Rc;

use libbpf_rs::MapHandle;

use crate::caps::Kept;
use crate::catalogue::Catalogue;
use crate::cli::Options;
use crate::commit;
use crate::counters;
use crate::events::{Command, Events};
use crate::facts::Facts;
use crate::faults;
use crate::frame::Frame;
use crate::generation::{Generations, HookId, Label, Role, bank_of};
use crate::hook::{Hook, Instance};
use crate::hook_kind::Method;
use crate::hook_request::HookRequest;
use crate::host::{self, Tracefs};
use crate::inner::{BSETS, Table, Tables};
use crate::lock::StateLock;
use crate::losses;
use crate::meta::Meta;
use crate::node::{BSETS_ENTRIES, Node, Rings};
use crate::object::{self, LoadRequest, Parts};
use crate::pins::PinDirectory;
use crate::reasons;
use crate::result::{Failure, Outcome, Stage};
use crate::wire::{MAP_BSETS, tag};

/// What a hook gets at COMMIT.
pub struct Staged {
    pub tables: Tables,
    pub instance: Instance,
}

pub struct Engine {
    pub options: Options,
    pub facts: Facts,
    pub kept: Vec<Kept>,
    pub tracefs: Option<Tracefs>,
    pub catalogue: Option<Catalogue>,
    pub events: Events,
    pub own: Meta,
    pub node: Option<Node>,
    pub hooks: BTreeMap<HookId, Hook>,
    pub generations: Generations,
    pub staged: BTreeMap<HookId, Staged>,
    pub staged_bsets: Option<Rc<MapHandle>>,
    /// Pins of other builds, which go on enforcing until our first generation is active.
    pub outdated: Vec<PinDirectory>,
    pub adopted: bool,
    /// None after TEARDOWN: nothing is made anew before an agent says HELLO or BEGIN.
    pub lock: Option<StateLock>,
    /// Indices of `cnt` that are in use.
    pub counters: BTreeSet<u32>,
    /// cgroups of loader and agent.
    pub own_cgroups: BTreeSet<u64>,
    pub exempt_paths: BTreeSet<Vec<u8>>,
    pub host_namespaces: Option<[u32; crate::abi::NS_COUNT]>,
    pub told: losses::Told,
    /// Of the calls that were skipped.
    pub told_skipped: u64,
}

/// What became of a HOOK.
pub struct Hooked {
    pub method: String,
    pub reused: bool,
    pub verified: u32,
    pub xlated: u32,
    pub load_us: u32,
    pub uses_d_path: bool,
    pub pinned: bool,
}

impl Engine {
    /// The node's programs, loaded now if they are not there.
    pub fn node(&mut self) -> Outcome<&mut Node> {
        if self.lock.is_none() {
            return Err(Failure::state("everything was taken away by TEARDOWN: say HELLO or BEGIN"));
        }
        if self.node.is_none() {
            let taken: Vec<u32> = PinDirectory::existing(&self.options.bpffs).into_iter().map(|(number, _)| number).collect();
            let number = (1..).find(|number| !taken.contains(number)).unwrap_or(u32::MAX);
            let rings = Rings { critical_bytes: self.options.ring_critical_bytes, telemetry_bytes: self.options.ring_telemetry_bytes };
            host::ensure_bpffs(&self.options.bpffs).map_err(crate::result::io_at(Stage::Pin, "bpffs"))?;
            let node = Node::create(PinDirectory::at(&self.options.bpffs, number), &self.facts, rings, self.own.clone())?;
            self.use_node(node)?;
        }
        self.node.as_mut().ok_or_else(|| Failure::state("no node programs"))
    }

    /// For an agent that begins: the node's programs, also after a TEARDOWN.
    pub fn wake(&mut self) -> Outcome<()> {
        if self.lock.is_none() {
            self.lock = Some(StateLock::take(&self.options.state)?);
        }
        self.node().map(|_| ())
    }

    /// Hands the rings to the events thread.
    pub fn use_node(&mut self, node: Node) -> Outcome<()> {
        self.told = losses::adopted(&counters::health(node.map("health")?)?);
        let ring = |name| object::share(node.map(name)?);
        self.events.send(Command::Rings { critical: ring("crit")?, telemetry: ring("tele")? });
        self.node = Some(node);
        Ok(())
    }

    pub fn begin(&mut self, number: u32, label: Label) -> Outcome<()> {
        faults::hit("begin")?;
        self.wake()?;
        self.generations.begin(number, label)
    }

    pub fn hook(&mut self, request: &HookRequest<'_>) -> Outcome<Hooked> {
        let role = self.generations.role(request.id)?;
        faults::hit("hook_open")?;
        let tables = Tables::create(request.sizes)?.with_table(request.tbl)?;
        faults::hit("hook_load")?;
        let hooked = match role {
            Role::New => self.hook_new(request, tables)?,
            _ => self.hook_again(request, tables)?,
        };
        self.counters.extend(crate::inner::counter_indices(request.tbl));
        self.generations.named(request.id, role);
        Ok(hooked)
    }

    fn hook_new(&mut self, request: &HookRequest<'_>, tables: Tables) -> Outcome<Hooked> {
        if self.hooks.values().any(|hook| hook.name() == request.name) {
            return Err(Failure::parse(format!("hook name {:?} is taken", request.name)));
        }
        let mut refusals = Vec::new();
        for method in &request.methods {
            match self.try_method(request, method, &tables) {
                Ok((hook, instance, loaded)) => {
                    let facts = instance.facts();
                    let hooked = Hooked {
                        method: hook.method.text(),
                        reused: false,
                        verified: facts.verified_instructions,
                        xlated: facts.xlated_bytes / 8,
                        load_us: loaded,
                        uses_d_path: instance.uses_d_path,
                        pinned: hook.pinned,
                    };
                    self.hooks.insert(request.id, hook);
                    self.staged.insert(request.id, Staged { tables, instance });
                    return Ok(hooked);
                }
                Err(failure) => refusals.push(failure),
            }
        }
        Err(first_of(refusals))
    }

    fn try_method(&self, request: &HookRequest<'_>, method: &Method, tables: &Tables) -> Outcome<(Hook, Instance, u32)> {
        let node = self.node.as_ref().ok_or_else(|| Failure::state("no node programs"))?;
        let bank = bank_of(self.generations.pending()?.number);
        let loaded = object::load(&LoadRequest {
            flavour: self.facts.flavour,
            method,
            cfg: request.cfg,
            bank,
            kflags: self.facts.kflags,
            parts: Parts::Hook,
            node: &node.maps,
            maps: None,
            templates: Some(tables),
        })?;
        let instance = Instance {
            program: Rc::new(loaded.program(&object::engine_program(method, request.cfg))?),
            cfg: Rc::new(object::comparable_cfg(request.cfg)),
            uses_d_path: loaded.uses_d_path,
        };
        let hook = Hook::attach(request.id, method.clone(), node.directory.hook(request.name), &loaded)?;
        Ok((hook, instance, loaded.load_us))
    }

    fn hook_again(&mut self, request: &HookRequest<'_>, tables: Tables) -> Outcome<Hooked> {
        let hook = self.hooks.get(&request.id).ok_or_else(|| Failure::state("the hook is gone"))?;
        if hook.name() != request.name || !request.methods.contains(&hook.method) {
            let message =
                format!("hook {} is attached as {} by {}; another name or method needs another id", request.id, hook.name(), hook.method.text());
            return Err(Failure::parse(message));
        }
        let bank = bank_of(self.generations.pending()?.number);
        let (instance, load_us, reused) = match hook.instance_for(bank, &object::comparable_cfg(request.cfg)) {
            Some(instance) => (instance, 0, true),
            None => {
                let (instance, load_us) = self.load_instance(hook, request.cfg, bank)?;
                (instance, load_us, false)
            }
        };
        let facts = instance.facts();
        let hooked = Hooked {
            method: hook.method.text(),
            reused,
            verified: facts.verified_instructions,
            xlated: facts.xlated_bytes / 8,
            load_us,
            uses_d_path: instance.uses_d_path,
            pinned: hook.pinned,
        };
        self.staged.insert(request.id, Staged { tables, instance });
        Ok(hooked)
    }

    fn load_instance(&self, hook: &Hook, cfg: &[u8], bank: u32) -> Outcome<(Instance, u32)> {
        let node = self.node.as_ref().ok_or_else(|| Failure::state("no node programs"))?;
        let loaded = object::load(&LoadRequest {
            flavour: self.facts.flavour,
            method: &hook.method,
            cfg,
            bank,
            kflags: self.facts.kflags,
            parts: Parts::Engine,
            node: &node.maps,
            maps: Some(hook.maps()),
            templates: None,
        })?;
        let program = Rc::new(loaded.program(&object::engine_program(&hook.method, cfg))?);
        Ok((Instance { program, cfg: Rc::new(object::comparable_cfg(cfg)), uses_d_path: loaded.uses_d_path }, loaded.load_us))
    }

    /// The program without effect of a hook, loaded anew.
    pub fn load_noop(&self, method: &Method) -> Outcome<OwnedFd> {
        let node = self.node.as_ref().ok_or_else(|| Failure::state("no node programs"))?;
        let loaded = object::load(&LoadRequest {
            flavour: self.facts.flavour,
            method,
            cfg: &[],
            bank: 0,
            kflags: 0,
            parts: Parts::Noop,
            node: &node.maps,
            maps: None,
            templates: None,
        })?;
        loaded.program(&method.program("noop"))
    }

    pub fn data(&mut self, id: HookId, number: u16, rows: &[u8]) -> Outcome<()> {
        faults::hit("data")?;
        self.generations.pending()?;
        let staged = self.staged.get(&id).ok_or_else(|| Failure::state(format!("hook {id} is not in the pending generation, or only shared")))?;
        let (index, table) = Table::of_number(number).ok_or_else(|| Failure::parse(format!("no map {number} of a hook takes rows")))?;
        let map = staged.tables.0.get(index).ok_or_else(|| Failure::parse("no such table"))?;
        table.fill(map, rows)
    }

    /// The hook runs on with the tables of the active generation. True: no program had to be loaded.
    pub fn share(&mut self, id: HookId) -> Outcome<bool> {
        let role = self.generations.role_shared(id)?;
        let hook = self.hooks.get(&id).ok_or_else(|| Failure::state("the hook is gone"))?;
        let active = hook.bank(bank_of(self.generations.active)).clone();
        let (Some(tables), Some(running)) = (active.tables, active.instance) else {
            return Err(Failure::state(format!("hook {id} has no tables that could be shared")));
        };
        let bank = bank_of(self.generations.pending()?.number);
        // Never the running instance itself: it would read the other bank when the next generation rewrites it.
        let (instance, reused) = match hook.instance_for(bank, &running.cfg) {
            Some(instance) => (instance, true),
            None => (self.load_instance(hook, &running.cfg, bank)?.0, false),
        };
        self.staged.insert(id, Staged { tables, instance });
        self.generations.named(id, role);
        Ok(reused)
    }

    pub fn node_rows(&mut self, number: u16, rows: &[u8]) -> Outcome<()> {
        faults::hit("node")?;
        self.generations.pending()?;
        if number != MAP_BSETS {
            return Err(Failure::parse(format!("map {number} is not node-wide")));
        }
        let map = match &self.staged_bsets {
            Some(map) => Rc::clone(map),
            None => BSETS.create(Some(BSETS_ENTRIES))?,
        };
        BSETS.fill(&map, rows)?;
        self.staged_bsets = Some(map);
        Ok(())
    }

    /// Returns the time of the flip.
    pub fn commit(&mut self) -> Outcome<u64> {
        commit::commit(self)
    }

    pub fn abort(&mut self) {
        self.staged.clear();
        self.staged_bsets = None;
        for id in self.generations.aborted() {
            if let Some(hook) = self.hooks.remove(&id) {
                hook.detach();
            }
        }
    }

    pub fn roll_back(&mut self, to: u32) -> Outcome<()> {
        self.generations.roll_back(to)?;
        let (label, spent) = (self.generations.label, self.generations.spent);
        let node = self.node()?;
        // Written before the step back: a loader that dies in between must not take the number again. Its successor sees that both differ.
        node.meta.spent = spent;
        node.meta.label = label;
        node.write_meta()?;
        node.active.store(to);
        // The next COMMIT writes the bank that was left.
        node.wait_for_grace();
        Ok(())
    }

    /// Everything of ours goes. Returns the number of pins.
    pub fn teardown(&mut self) -> u32 {
        self.abort();
        self.events.release();
        if let Some(node) = &mut self.node {
            node.release_links();
        }
        let directories = PinDirectory::existing(&self.options.bpffs);
        for hook in std::mem::take(&mut self.hooks).into_values() {
            hook.release();
        }
        let removed = directories.iter().map(|(_, directory)| directory.remove()).sum();
        self.node = None;
        self.outdated.clear();
        self.generations = Generations::default();
        self.counters.clear();
        self.adopted = false;
        if let Some(lock) = self.lock.take() {
            lock.remove_state();
        }
        removed
    }

    /// HOOK of a frame.
    pub fn hook_frame(&mut self, frame: &Frame<'_>) -> Outcome<Hooked> {
        frame.expect(&[tag::HOOK, tag::NAME, tag::CFG, tag::TBL], &[tag::METHOD, tag::SIZE])?;
        let request = HookRequest::parse(frame)?;
        self.hook(&request)
    }
}

/// Of several refusals the first with a reason of its own: methods are in the order in which they were wished. That an LSM hook is missing
/// tells less than what became of the function behind it. The others are in its message.
fn first_of(mut refusals: Vec<Failure>) -> Failure {
    if refusals.is_empty() {
        return Failure::parse("no method is given");
    }
    let find = |silent: &[reasons::Reason]| refusals.iter().position(|refusal| !silent.contains(&refusal.reason));
    let telling = find(&[reasons::LOAD_ERROR, reasons::LSM_HOOK_NOT_FOUND]).or_else(|| find(&[reasons::LOAD_ERROR])).unwrap_or(0);
    let mut chosen = refusals.remove(telling);
    for other in refusals {
        chosen.message = format!("{}; {}: {}", chosen.message, other.reason, other.message);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_refusal_with_a_reason_stands_for_all() {
        let refusal = |reason, message: &str| Failure::new(Stage::Attach, reason, message);
        let refusals = vec![refusal(reasons::LOAD_ERROR, "a"), refusal(reasons::FUNCTION_NOT_FOUND, "b"), refusal(reasons::LOAD_ERROR, "c")];
        let chosen = first_of(refusals);
        assert_eq!((chosen.reason, chosen.message.as_str()), ("FunctionNotFound", "b; LoadError: a; LoadError: c"));
        assert_eq!(first_of(vec![refusal(reasons::LOAD_ERROR, "a")]).message, "a");
        let both = vec![refusal(reasons::LSM_HOOK_NOT_FOUND, "a"), refusal(reasons::FUNCTION_NOT_FOUND, "b")];
        assert_eq!(first_of(both).reason, "FunctionNotFound");
        let hook = vec![refusal(reasons::LSM_HOOK_NOT_FOUND, "a"), refusal(reasons::LOAD_ERROR, "b")];
        assert_eq!(first_of(hook).reason, "LsmHookNotFound");
    }
}
