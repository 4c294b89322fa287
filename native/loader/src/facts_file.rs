//! Facts kept in the state folder for the rest of the boot: one `name=value` a line, under a key that any change of kernel, build or
//! privileges changes.

use std::fs;
use std::io;
use std::path::Path;

use crate::caps::Needs;
use crate::embed::Flavour;
use crate::facts::Facts;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsKey {
    pub boot: String,
    pub build: u64,
    /// sha256 of the BPF objects.
    pub programs: [u8; 32],
    /// Capabilities with which the facts were found.
    pub permitted: u64,
}

impl FactsKey {
    fn line(&self) -> String {
        let programs: String = self.programs.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{} {:016x} {programs} {:016x}", self.boot, self.build, self.permitted)
    }
}

const FILE: &str = "facts";

pub fn write(state: &Path, key: &FactsKey, facts: &Facts) -> io::Result<()> {
    let own = format!("{}\n{} {} {}\n", key.line(), facts.kflags, facts.lsm_runs, facts.needs.perf_event_paranoid);
    let (fresh, file) = (state.join("facts.new"), state.join(FILE));
    fs::write(&fresh, own + &facts.lines.join("\n"))?;
    fs::rename(fresh, file)
}

/// None: nothing was kept, or under another key.
pub fn read(state: &Path, key: &FactsKey) -> Option<Facts> {
    let text = fs::read_to_string(state.join(FILE)).ok()?;
    let mut lines = text.lines();
    if lines.next()? != key.line() {
        return None;
    }
    let mut own = lines.next()?.split(' ');
    let (kflags, lsm_runs) = (own.next()?.parse().ok()?, own.next()?.parse().ok()?);
    let needs = Needs { perf_event_paranoid: own.next()?.parse().ok()? };
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    let flavour = if lines.iter().any(|line| line == "flavour=new") { Flavour::New } else { Flavour::Old };
    Some(Facts { lines, flavour, kflags, lsm_runs, needs })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_remembered_for_the_same_boot_build_and_privileges_only() {
        let state = std::env::temp_dir().join(format!("pal-facts-{}", std::process::id()));
        fs::create_dir_all(&state).unwrap();
        let key = FactsKey { boot: "b".into(), build: 1, programs: [2; 32], permitted: 3 };
        let facts = Facts {
            lines: vec!["release=6.1".into(), "flavour=new".into(), "lsm=a,bpf".into()],
            flavour: Flavour::New,
            kflags: 1,
            lsm_runs: true,
            needs: Needs { perf_event_paranoid: -1 },
        };
        assert_eq!(read(&state, &key), None);
        write(&state, &key, &facts).unwrap();
        assert_eq!(read(&state, &key), Some(facts));
        for other in [
            FactsKey { boot: "c".into(), ..key.clone() },
            FactsKey { build: 9, ..key.clone() },
            FactsKey { programs: [9; 32], ..key.clone() },
            FactsKey { permitted: 9, ..key.clone() },
        ] {
            assert_eq!(read(&state, &other), None);
        }
        fs::remove_dir_all(state).unwrap();
    }
}
