//! The node's half: process table, cgroups, iterator, and the maps that all hooks share.

use std::os::fd::AsFd as _;
use std::rc::Rc;

use libbpf_rs::{Link, MapCore as _, MapFlags, MapHandle, Object, OpenObject};

use crate::embed::Flavour;
use crate::facts::Facts;
use crate::inner::BSETS;
use crate::meta::Meta;
use crate::object::{self, NodeMaps};
use crate::pins::PinDirectory;
use crate::reasons;
use crate::result::{Failure, Outcome, Stage, at, errno_of, io_at};
use crate::say::say;
use crate::sys::{self, ActiveWord};
use crate::verifier_log;

/// Programs that are never skipped, where LSM programs run; their stand-ins elsewhere.
const WITH_LSM: [&str; 7] = ["proc_exec_id", "proc_exec", "proc_fork", "proc_clone", "proc_exit", "cg_mkdir", "cg_release"];
const WITHOUT_LSM: [&str; 7] = ["proc_exec_id_rtp", "proc_exec", "proc_fork_rtp", "proc_clone", "proc_exit", "cg_mkdir", "cg_release"];
/// Attached once; read for every ITERATE.
const ITERATOR: &str = "iter_task";
const SCRATCH_PER_CPU: u32 = 4;
/// Entries of the binary sets' trie, which takes memory only for those that are used.
pub const BSETS_ENTRIES: u32 = 1 << 17;

pub struct Node {
    pub directory: PinDirectory,
    pub maps: NodeMaps,
    pub active: ActiveWord,
    pub meta: Meta,
    pub bsets: [Option<Rc<MapHandle>>; 2],
    /// Held; libbpf's idea of them lets go of nothing that is pinned.
    links: Vec<Link>,
}

/// Sizes of the rings, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Rings {
    pub critical_bytes: u32,
    pub telemetry_bytes: u32,
}

impl Node {
    /// Loads and attaches everything, and pins it in a directory that is empty.
    pub fn create(directory: PinDirectory, facts: &Facts, rings: Rings, meta: Meta) -> Outcome<Self> {
        directory.remove();
        directory.create()?;
        let created = Self::create_in(&directory, facts, rings, meta);
        if created.is_err() {
            directory.remove();
        }
        created
    }

    fn create_in(directory: &PinDirectory, facts: &Facts, rings: Rings, meta: Meta) -> Outcome<Self> {
        let template = BSETS.create(Some(BSETS_ENTRIES))?;
        let load = |programs: &[&str]| load_node(facts, rings, &template, programs);
        let (mut object, programs) = match facts.lsm_runs {
            true => load(&WITH_LSM).map(|object| (object, WITH_LSM)).or_else(|failure| {
                say!("process table without LSM programs: {failure}\n{}", failure.verifier);
                load(&WITHOUT_LSM).map(|object| (object, WITHOUT_LSM))
            })?,
            false => (load(&WITHOUT_LSM)?, WITHOUT_LSM),
        };
        let mut maps = NodeMaps::new();
        for mut map in object.maps_mut() {
            let name = map.name().to_string_lossy().into_owned();
            if name.contains('.') {
                continue;
            }
            map.pin(directory.node(&name)).map_err(at(Stage::Pin, "node map"))?;
            maps.insert(name, MapHandle::try_from(&map).map_err(at(Stage::Pin, "node map"))?);
        }
        let meta_map = named(&maps, "meta")?;
        meta.write(meta_map)?;
        let bsets = named(&maps, "bsets")?;
        for bank in 0..2u32 {
            let value = (std::os::fd::AsRawFd::as_raw_fd(&template.as_fd()) as u32).to_le_bytes();
            bsets.update(&bank.to_le_bytes(), &value, MapFlags::ANY).map_err(at(Stage::Fill, "bsets"))?;
        }
        let links = attach_all(&object, &programs, directory)?;
        let active = ActiveWord::map(named(&maps, "active")?.as_fd()).map_err(io_at(Stage::Pin, "active"))?;
        Ok(Self { directory: directory.clone(), maps, active, meta, bsets: [Some(Rc::clone(&template)), Some(template)], links })
    }

    /// Takes the pins of an earlier loader over. Needs SYS_ADMIN: inner maps are opened by their numbers.
    pub fn adopt(directory: &PinDirectory, facts: &Facts, own: &Meta) -> Outcome<Self> {
        let mut maps = NodeMaps::new();
        let object = object::open(facts.flavour.node())?;
        for map in object.maps() {
            let name = map.name().to_string_lossy().into_owned();
            if !name.contains('.') {
                maps.insert(name.clone(), MapHandle::from_pinned_path(directory.node(&name)).map_err(at(Stage::Pin, "node map"))?);
            }
        }
        let meta = Meta::read(named(&maps, "meta")?)?;
        if !own.fits(&meta) {
            return Err(Failure::new(Stage::Pin, reasons::ABI_MISMATCH, "the pins are of another build"));
        }
        // The iterator is the last to be pinned: without it its maker died on the way.
        let pinned = |programs: [&str; 7]| programs.iter().chain([&ITERATOR]).all(|program| directory.node_link(program).exists());
        if !pinned(WITH_LSM) && !pinned(WITHOUT_LSM) {
            return Err(Failure::new(Stage::Pin, reasons::LOAD_ERROR, "a program of the process table is not attached"));
        }
        let active = ActiveWord::map(named(&maps, "active")?.as_fd()).map_err(io_at(Stage::Pin, "active"))?;
        let inner = |bank: u32| inner_map(named(&maps, "bsets").ok()?, bank);
        let bsets = [inner(0), inner(1)];
        Ok(Self { directory: directory.clone(), maps, active, meta, bsets, links: Vec::new() })
    }

    pub fn map(&self, name: &str) -> Outcome<&MapHandle> {
        named(&self.maps, name)
    }

    pub fn write_meta(&self) -> Outcome<()> {
        self.meta.write(self.map("meta")?)
    }

    pub fn set_bsets(&mut self, bank: u32, map: Rc<MapHandle>) -> Outcome<()> {
        let value = (std::os::fd::AsRawFd::as_raw_fd(&map.as_fd()) as u32).to_le_bytes();
        self.map("bsets")?.update(&bank.to_le_bytes(), &value, MapFlags::ANY).map_err(at(Stage::Fill, "bsets"))?;
        if let Some(place) = self.bsets.get_mut(bank as usize) {
            *place = Some(map);
        }
        Ok(())
    }

    /// Waits until no program runs that began under another generation. Where the system call is refused (kernels with nohz_full), an
    /// update of a map of maps waits for the same in the kernel.
    pub fn wait_for_grace(&mut self) {
        let Err(error) = sys::wait_for_grace() else { return };
        let bank = crate::generation::bank_of(self.active.load());
        let waited = match self.bsets.get(bank as usize).cloned().flatten() {
            Some(map) => self.set_bsets(bank, map),
            None => Err(Failure::state("no binary sets")),
        };
        if let Err(failure) = waited {
            say!("node: no grace period: {error}; {failure}");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }

    /// Lets go of the links, so that removing the pins detaches them.
    pub fn release_links(&mut self) {
        self.links.clear();
    }
}

fn named<'m>(maps: &'m NodeMaps, name: &str) -> Outcome<&'m MapHandle> {
    maps.get(name).ok_or_else(|| Failure::new(Stage::Open, reasons::ABI_MISMATCH, format!("the objects have no map {name}")))
}

/// The map that an outer map holds in a bank.
pub fn inner_map(outer: &MapHandle, bank: u32) -> Option<Rc<MapHandle>> {
    let value = outer.lookup(&bank.to_le_bytes(), MapFlags::ANY).ok().flatten()?;
    let id = crate::frame::u32_at(&value, 0)?;
    MapHandle::from_map_id(id).ok().map(Rc::new)
}

fn load_node(facts: &Facts, rings: Rings, template: &MapHandle, programs: &[&str]) -> Outcome<Object> {
    let _ = verifier_log::take();
    let mut object = object::open(facts.flavour.node())?;
    prepare_node(&mut object, facts.flavour, facts.kflags, rings, template)?;
    for mut program in object.progs_mut() {
        let wanted = program.name().to_str().is_some_and(|name| name == ITERATOR || programs.contains(&name));
        program.set_autoload(wanted);
    }
    object.load().map_err(|error| {
        let warnings = verifier_log::take();
        let mut failure = Failure::from_errno(Stage::Load, errno_of(&error), "process table");
        let program = verifier_log::refused_program(&warnings).unwrap_or("process table");
        failure.message = format!("{program}: {error:#}");
        failure.with_verifier(verifier_log::excerpt(&warnings).to_owned())
    })
}

fn prepare_node(object: &mut OpenObject, flavour: Flavour, kflags: u32, rings: Rings, template: &MapHandle) -> Outcome<()> {
    let cpus = crate::host::possible_cpus();
    for mut map in object.maps_mut() {
        let name = map.name().to_string_lossy().into_owned();
        let result = match name.as_str() {
            "crit" => map.set_max_entries(rings.critical_bytes),
            "tele" => map.set_max_entries(rings.telemetry_bytes),
            "scratch" => map.set_max_entries(SCRATCH_PER_CPU * cpus),
            "bsets" => map.set_inner_map_fd(template.as_fd()),
            ".rodata.cfg" => {
                let mut value = map.initial_value().unwrap_or_default().to_vec();
                if let Some(place) = value.get_mut(..4) {
                    place.copy_from_slice(&kflags.to_le_bytes());
                }
                map.set_initial_value(&value)
            }
            _ => Ok(()),
        };
        result.map_err(at(Stage::Fill, flavour.name()))?;
    }
    Ok(())
}

fn attach_all(object: &Object, programs: &[&str], directory: &PinDirectory) -> Outcome<Vec<Link>> {
    let mut links = Vec::new();
    // Fork, exec and exit first: what is born while the iterator runs is in the table already.
    for name in programs {
        let program = object.progs_mut().find(|program| program.name() == *name);
        let program = program.ok_or_else(|| Failure::new(Stage::Open, reasons::ABI_MISMATCH, format!("the objects have no program {name}")))?;
        let mut link = program.attach().map_err(at(Stage::Attach, name))?;
        link.pin(directory.node_link(name)).map_err(at(Stage::Pin, name))?;
        links.push(link);
    }
    let iterator = object.progs_mut().find(|program| program.name() == ITERATOR);
    if let Some(iterator) = iterator {
        let mut link = iterator.attach().map_err(at(Stage::Attach, ITERATOR))?;
        link.pin(directory.node_link(ITERATOR)).map_err(at(Stage::Pin, ITERATOR))?;
        links.push(link);
    }
    Ok(links)
}
