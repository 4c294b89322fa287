//! One attached hook: its dispatcher, its two banks of tables and programs, its pins.

use std::fmt;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::rc::Rc;

use libbpf_rs::{Link, MapCore as _, MapFlags, MapHandle};

use crate::generation::{HookId, bank_of};
use crate::hook_info::HookInfo;
use crate::hook_kind::Method;
use crate::inner::{OF_HOOK, Tables};
use crate::object::{HookMaps, Loaded};
use crate::pins::HookPins;
use crate::reasons;
use crate::result::{Failure, Outcome, Stage, at};
use crate::sys::{self, ProgramFacts};

/// One loaded engine program.
#[derive(Clone)]
pub struct Instance {
    pub program: Rc<OwnedFd>,
    /// The configuration it was made from, without what the loader sets.
    pub cfg: Rc<Vec<u8>>,
    pub uses_d_path: bool,
}

impl Instance {
    pub fn facts(&self) -> ProgramFacts {
        sys::program_facts(self.program.as_fd()).unwrap_or_default()
    }
}

#[derive(Clone, Default)]
pub struct Bank {
    pub tables: Option<Tables>,
    /// None: the program without effect.
    pub instance: Option<Instance>,
}

pub struct Hook {
    pub id: HookId,
    pub method: Method,
    /// False: the link dies with the loader.
    pub pinned: bool,
    pub pins: HookPins,
    pub banks: [Bank; 2],
    progs: MapHandle,
    outer: [MapHandle; 5],
    info: HookInfo,
    /// Held even when it is pinned: libbpf disables a kprobe's perf event when it lets go of the link.
    link: Option<Link>,
    dispatcher: Option<OwnedFd>,
    noop: Option<OwnedFd>,
}

impl fmt::Debug for Hook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Hook({} {})", self.id, self.method.text())
    }
}

impl Hook {
    /// Takes a first load over: both banks hold the program without effect, then the dispatcher is attached and everything pinned.
    pub fn attach(id: HookId, method: Method, pins: HookPins, loaded: &Loaded) -> Outcome<Self> {
        let map = |name: &str| loaded.map(name);
        let noop = loaded.program(&method.program("noop"))?;
        let mut hook = Self {
            id,
            pinned: false,
            banks: Default::default(),
            progs: map("progs")?,
            outer: [map("tbl")?, map("ints")?, map("strs")?, map("scope")?, map("cols")?],
            info: HookInfo::create(id, &method)?,
            link: None,
            dispatcher: Some(loaded.program(&method.program("disp"))?),
            noop: None,
            method,
            pins,
        };
        for bank in 0..2 {
            hook.set_program(bank, &noop)?;
        }
        hook.noop = Some(noop);
        hook.pins.create()?;
        let result = hook.pin_maps().and_then(|()| hook.attach_dispatcher(loaded));
        if let Err(failure) = result {
            hook.link = None;
            hook.pins.remove();
            return Err(failure);
        }
        Ok(hook)
    }

    /// Takes pins of an earlier loader over.
    pub fn adopt(info: HookInfo, method: Method, pins: HookPins, progs: MapHandle, outer: [MapHandle; 5], dispatcher: Option<OwnedFd>) -> Self {
        Self { id: info.hook(), method, pinned: true, pins, banks: Default::default(), progs, outer, info, link: None, dispatcher, noop: None }
    }

    fn pin_maps(&mut self) -> Outcome<()> {
        self.progs.pin(self.pins.path("progs")).map_err(at(Stage::Pin, "progs"))?;
        for (table, map) in OF_HOOK.iter().zip(&mut self.outer) {
            map.pin(self.pins.path(table.name)).map_err(at(Stage::Pin, table.name))?;
        }
        self.info.pin(&self.pins.path("info"))
    }

    fn attach_dispatcher(&mut self, loaded: &Loaded) -> Outcome<()> {
        crate::faults::hit("hook_attach")?;
        let mut link = loaded.attach(&self.method)?;
        // Kernels that have no link object for perf events refuse: then the link lives as long as we do, and the agent is told.
        self.pinned = link.pin(self.pins.path("link")).is_ok();
        self.link = Some(link);
        Ok(())
    }

    pub fn maps(&self) -> HookMaps<'_> {
        HookMaps { progs: &self.progs, outer: &self.outer }
    }

    pub fn bank(&self, bank: u32) -> &Bank {
        let [even, odd] = &self.banks;
        if bank == 0 { even } else { odd }
    }

    fn bank_mut(&mut self, bank: u32) -> &mut Bank {
        let [even, odd] = &mut self.banks;
        if bank == 0 { even } else { odd }
    }

    /// The instance of a bank, if it was made from this configuration.
    pub fn instance_for(&self, bank: u32, comparable_cfg: &[u8]) -> Option<Instance> {
        self.bank(bank).instance.clone().filter(|instance| instance.cfg.as_slice() == comparable_cfg)
    }

    fn set_program(&self, bank: u32, program: &OwnedFd) -> Outcome<()> {
        let value = (program.as_raw_fd() as u32).to_le_bytes();
        self.progs.update(&bank.to_le_bytes(), &value, MapFlags::ANY).map_err(at(Stage::Fill, "progs"))
    }

    /// Says in `info` that a bank is about to change: a start after a crash will not trust it.
    pub fn distrust(&mut self, bank: u32) -> Outcome<()> {
        self.info.set_generation(bank, 0)
    }

    /// Puts tables and program into a bank that nobody runs, and remembers them in `info` as belonging to a generation.
    pub fn fill(&mut self, generation: u32, tables: Tables, instance: Instance) -> Outcome<()> {
        let bank = bank_of(generation);
        self.distrust(bank)?;
        for (outer, table) in self.outer.iter().zip(&tables.0) {
            let value = (table.as_fd().as_raw_fd() as u32).to_le_bytes();
            outer.update(&bank.to_le_bytes(), &value, MapFlags::ANY).map_err(at(Stage::Fill, "outer map"))?;
        }
        self.set_program(bank, &instance.program)?;
        self.info.set_cfg(bank, &instance.cfg, instance.uses_d_path)?;
        self.info.set_generation(bank, generation)?;
        *self.bank_mut(bank) = Bank { tables: Some(tables), instance: Some(instance) };
        Ok(())
    }

    /// Puts the program without effect into a bank: the hook is not part of that generation.
    pub fn silence(&mut self, bank: u32, load: impl FnOnce(&Method) -> Outcome<OwnedFd>) -> Outcome<()> {
        self.distrust(bank)?;
        if self.noop.is_none() {
            self.noop = Some(load(&self.method)?);
        }
        if let Some(noop) = &self.noop {
            self.set_program(bank, noop)?;
        }
        *self.bank_mut(bank) = Bank::default();
        Ok(())
    }

    /// Nothing is missing in a bank: a program, and every table if it is an engine's.
    pub fn check(&self, bank: u32) -> Outcome<()> {
        let key = bank.to_le_bytes();
        let holds = |map: &MapHandle| map.lookup(&key, MapFlags::ANY).ok().flatten().is_some();
        let tables_hold = self.bank(bank).instance.is_none() || self.outer.iter().all(holds);
        if holds(&self.progs) && tables_hold {
            return Ok(());
        }
        Err(Failure::new(Stage::Flip, reasons::LOAD_ERROR, format!("hook {}: bank {bank} is not whole", self.id)))
    }

    /// Detaches and takes all pins away.
    pub fn detach(mut self) {
        let link = self.pins.path("link");
        if link.exists() {
            let _ = std::fs::remove_file(link);
        }
        self.link = None;
        self.pins.remove();
    }

    /// Lets go of everything but the pins, the link first.
    pub fn release(mut self) {
        self.link = None;
    }

    /// The programs of this hook that exist, for their statistics.
    pub fn recursion_misses(&self) -> u64 {
        let misses = |program: &OwnedFd| sys::program_facts(program.as_fd()).map_or(0, |facts| facts.recursion_misses);
        let engines: u64 = self.banks.iter().filter_map(|bank| bank.instance.as_ref()).map(|instance| misses(&instance.program)).sum();
        engines + self.dispatcher.as_ref().map_or(0, misses)
    }

    /// The name under which the hook is pinned.
    pub fn name(&self) -> &str {
        self.pins.name()
    }
}
