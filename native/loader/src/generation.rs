//! The state machine of engine-spec.md §6, without effects: which operation is allowed when, and what a COMMIT has to do.

use std::collections::{BTreeMap, BTreeSet};

use crate::reasons;
use crate::result::{Failure, Outcome, Stage};

pub type HookId = u32;
pub type Label = [u8; 32];

/// How a hook gets into the pending generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Attached for the first time.
    New,
    /// Has new tables, and perhaps a new program.
    Replaced,
    /// Runs on with the tables of the active generation.
    Shared,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub number: u32,
    pub label: Label,
    pub hooks: BTreeMap<HookId, Role>,
}

/// Where a node is between two generations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Generations {
    /// 0: nothing yet.
    pub active: u32,
    pub label: Label,
    /// Hooks that the active generation runs.
    pub attached: BTreeSet<HookId>,
    pub pending: Option<Pending>,
    /// The generation before, as long as its bank is whole: what ROLLBACK goes back to.
    pub previous: Option<Previous>,
    /// The generation that ROLLBACK left; 0: none, or a later one is active. Processes and records bear its number, so it is never used
    /// for anything else.
    pub spent: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    pub number: u32,
    pub label: Label,
}

/// What a COMMIT does, in this order: fill the bank, flip, wait, detach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub number: u32,
    pub label: Label,
    pub bank: u32,
    pub hooks: BTreeMap<HookId, Role>,
    /// Attached now and not part of the new generation.
    pub unused: Vec<HookId>,
}

pub fn bank_of(generation: u32) -> u32 {
    generation & 1
}

impl Generations {
    /// The number that BEGIN must have: that of the bank which is not active, and never one that was rolled back.
    pub fn next(&self) -> u32 {
        if self.spent == 0 { self.active.wrapping_add(1) } else { self.spent.wrapping_add(2) }
    }

    pub fn begin(&mut self, number: u32, label: Label) -> Outcome<()> {
        if let Some(pending) = &self.pending {
            return Err(Failure::state(format!("generation {} is pending: COMMIT or ABORT it first", pending.number)));
        }
        if number != 0 && number == self.spent {
            let message = format!("generation {number} was rolled back and cannot come again; {} is next", self.next());
            return Err(Failure::new(Stage::Flip, reasons::GENERATION_SPENT, message));
        }
        if number != self.next() || number == 0 {
            return Err(Failure::state(format!("generation {number} cannot follow {}; {} is next", self.active, self.next())));
        }
        self.pending = Some(Pending { number, label, hooks: BTreeMap::new() });
        Ok(())
    }

    pub fn pending(&self) -> Outcome<&Pending> {
        self.pending.as_ref().ok_or_else(|| Failure::state("no generation is pending: BEGIN one first"))
    }

    /// The role that a HOOK would have. A hook is named once per generation.
    pub fn role(&self, hook: HookId) -> Outcome<Role> {
        if self.pending()?.hooks.contains_key(&hook) {
            return Err(Failure::state(format!("hook {hook} is in this generation already")));
        }
        Ok(if self.attached.contains(&hook) { Role::Replaced } else { Role::New })
    }

    /// SHARE is for hooks that are attached.
    pub fn role_shared(&self, hook: HookId) -> Outcome<Role> {
        match self.role(hook)? {
            Role::New => Err(Failure::state(format!("hook {hook} is not attached and cannot be shared"))),
            _ => Ok(Role::Shared),
        }
    }

    pub fn named(&mut self, hook: HookId, role: Role) {
        if let Some(pending) = &mut self.pending {
            pending.hooks.insert(hook, role);
        }
    }

    pub fn plan_commit(&self) -> Outcome<Commit> {
        let pending = self.pending()?;
        Ok(Commit {
            number: pending.number,
            label: pending.label,
            bank: bank_of(pending.number),
            hooks: pending.hooks.clone(),
            unused: self.attached.iter().copied().filter(|hook| !pending.hooks.contains_key(hook)).collect(),
        })
    }

    /// The flip happened.
    pub fn committed(&mut self, commit: &Commit) {
        let intact = commit.unused.is_empty() && self.active > 0;
        self.previous = intact.then_some(Previous { number: self.active, label: self.label });
        self.spent = 0;
        self.active = commit.number;
        self.label = commit.label;
        self.attached = commit.hooks.keys().copied().collect();
        self.pending = None;
    }

    /// Hooks that were attached for the pending generation alone: they go.
    pub fn aborted(&mut self) -> Vec<HookId> {
        let pending = self.pending.take();
        pending.into_iter().flat_map(|pending| pending.hooks).filter(|(_, role)| *role == Role::New).map(|(hook, _)| hook).collect()
    }

    /// The other bank has been written to without a flip: there is nothing to go back to any more.
    pub fn other_bank_touched(&mut self) {
        self.previous = None;
    }

    /// Hooks that came with the active generation have `noop` in the other bank and stay attached.
    pub fn roll_back(&mut self, to: u32) -> Outcome<()> {
        if self.pending.is_some() {
            return Err(Failure::state("a generation is pending: ABORT it first"));
        }
        let Some(previous) = &self.previous else {
            return Err(Failure::state(format!("generation {to} is not whole any more")));
        };
        if to != previous.number {
            return Err(Failure::state(format!("generation {to} is not the one before {}", self.active)));
        }
        self.spent = self.active;
        self.active = to;
        self.label = previous.label;
        self.previous = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Label = [1; 32];
    const B: Label = [2; 32];

    fn commit(generations: &mut Generations, label: Label, hooks: &[(HookId, Role)]) -> Commit {
        generations.begin(generations.next(), label).unwrap();
        for (hook, role) in hooks {
            generations.named(*hook, *role);
        }
        let plan = generations.plan_commit().unwrap();
        generations.committed(&plan);
        plan
    }

    #[test]
    fn generations_follow_each_other_one_by_one() {
        let mut generations = Generations::default();
        assert!(generations.begin(2, A).is_err());
        assert!(generations.plan_commit().is_err());
        generations.begin(1, A).unwrap();
        assert!(generations.begin(1, A).unwrap_err().message.contains("pending"));
    }

    #[test]
    fn a_hook_is_new_once_and_replaced_or_shared_afterwards() {
        let mut generations = Generations::default();
        generations.begin(1, A).unwrap();
        assert_eq!(generations.role(7).unwrap(), Role::New);
        assert!(generations.role_shared(7).is_err());
        generations.named(7, Role::New);
        assert!(generations.role(7).unwrap_err().message.contains("already"));
        let plan = generations.plan_commit().unwrap();
        generations.committed(&plan);
        generations.begin(2, B).unwrap();
        assert_eq!(generations.role(7).unwrap(), Role::Replaced);
        assert_eq!(generations.role_shared(7).unwrap(), Role::Shared);
    }

    #[test]
    fn hooks_that_are_not_named_are_unused_after_the_flip() {
        let mut generations = Generations::default();
        commit(&mut generations, A, &[(1, Role::New), (2, Role::New)]);
        let plan = commit(&mut generations, B, &[(2, Role::Shared), (3, Role::New)]);
        assert_eq!(plan.unused, [1]);
        assert_eq!(plan.bank, 0);
        assert_eq!(generations.attached, BTreeSet::from([2, 3]));
        assert_eq!(generations.label, B);
    }

    #[test]
    fn an_abort_takes_away_what_was_new_and_keeps_the_rest() {
        let mut generations = Generations::default();
        commit(&mut generations, A, &[(1, Role::New)]);
        generations.begin(2, B).unwrap();
        generations.named(1, Role::Replaced);
        generations.named(9, Role::New);
        assert_eq!(generations.aborted(), [9]);
        assert_eq!((generations.active, generations.label, generations.attached.len()), (1, A, 1));
        generations.begin(2, B).unwrap();
    }

    #[test]
    fn a_rollback_goes_one_step_and_only_while_the_other_bank_is_whole() {
        let mut generations = Generations::default();
        commit(&mut generations, A, &[(1, Role::New)]);
        assert!(generations.roll_back(0).is_err());
        commit(&mut generations, B, &[(1, Role::Replaced)]);
        assert!(generations.clone().roll_back(2).is_err());
        generations.roll_back(1).unwrap();
        assert_eq!((generations.active, generations.label), (1, A));
        assert!(generations.roll_back(0).is_err());
        commit(&mut generations, B, &[(1, Role::Replaced)]);
        generations.other_bank_touched();
        assert!(generations.roll_back(1).unwrap_err().message.contains("whole"));
    }

    #[test]
    fn a_number_that_was_rolled_back_never_comes_again() {
        let mut generations = Generations::default();
        commit(&mut generations, A, &[(1, Role::New)]);
        commit(&mut generations, B, &[(1, Role::Replaced)]);
        generations.roll_back(1).unwrap();
        let refused = generations.begin(2, B).unwrap_err();
        assert_eq!((refused.reason, refused.message.contains("4 is next")), ("GenerationSpent", true));
        assert!(generations.pending.is_none(), "there is nothing to COMMIT");
        assert_eq!(generations.begin(3, B).unwrap_err().reason, "ResourceBusy", "3 would write the bank that is active");
        generations.begin(4, B).unwrap();
        generations.aborted();
        assert_eq!(generations.begin(2, B).unwrap_err().reason, "GenerationSpent", "an abort forgets nothing");
        let plan = commit(&mut generations, B, &[(1, Role::Replaced)]);
        assert_eq!((plan.number, plan.bank, generations.next()), (4, 0, 5));
        generations.roll_back(1).unwrap();
        assert_eq!((generations.active, generations.label, generations.next()), (1, A, 6));
    }

    #[test]
    fn a_generation_that_dropped_a_hook_cannot_be_rolled_back() {
        let mut generations = Generations::default();
        commit(&mut generations, A, &[(1, Role::New), (2, Role::New)]);
        commit(&mut generations, B, &[(1, Role::Shared)]);
        assert!(generations.roll_back(1).is_err());
    }
}
