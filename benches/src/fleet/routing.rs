//! Routing of a tenant's requests to processes.

use std::fmt;
use std::hash::BuildHasher;

use foldhash::quality::FixedState;

use super::traffic::Zipf;

/// A way to select the process of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routing {
    /// Any process, as by a load balancer that knows no tenants.
    Random,
    /// The tenant's process, by rendezvous hashing.
    Hashed,
    /// As `Hashed`, but a tenant with much traffic has several processes, of which any is selected.
    ///
    /// None of them receives more than half the mean load of a process from this tenant.
    Spread,
}

impl Routing {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Random, Self::Hashed, Self::Spread];
}

impl fmt::Display for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Random => "random",
            Self::Hashed => "hashed",
            Self::Spread => "hashed, spread",
        })
    }
}

/// Returns the process of a tenant by rendezvous hashing: the one with the highest score.
///
/// # Panics
///
/// If there are no processes.
pub fn rendezvous(tenant: u64, processes: u32) -> u32 {
    (0..processes).max_by_key(|process| score(tenant, *process)).expect("at least one process")
}

/// Returns `count` processes of a tenant among `processes`: those with the highest scores.
pub fn rendezvous_many(tenant: u64, processes: u32, count: usize) -> Vec<u32> {
    let mut all: Vec<_> = (0..processes).collect();
    all.sort_unstable_by_key(|process| std::cmp::Reverse(score(tenant, *process)));
    all.truncate(count);
    all
}

fn score(tenant: u64, process: u32) -> u64 {
    FixedState::default().hash_one((tenant, process))
}

/// Returns the share of tenants that change their process when one is added to `processes`.
///
/// The first number is that of rendezvous hashing, the second one that of the remainder of a division.
pub fn moved_share(tenants: u32, processes: u32, seed: u64) -> [f64; 2] {
    let share = |process: &dyn Fn(u64, u32) -> u32| {
        let is_moved = |tenant: &u64| process(*tenant, processes) != process(*tenant, processes + 1);
        (0..tenants).map(|tenant| name(tenant, seed)).filter(is_moved).count() as f64 / f64::from(tenants)
    };
    [share(&rendezvous), share(&|tenant, processes| (tenant % u64::from(processes)) as u32)]
}

/// Returns the hash of a tenant's name.
fn name(tenant: u32, seed: u64) -> u64 {
    FixedState::with_seed(seed).hash_one(tenant)
}

/// The tenants of each process, with the share of the fleet's traffic that each brings.
#[derive(Clone, Debug)]
pub struct Assignment {
    by_process: Option<Vec<Vec<(u32, f64)>>>,
}

impl Assignment {
    /// Assigns the tenants of `traffic` to `processes`.
    pub fn new(routing: Routing, traffic: &Zipf, processes: u32, seed: u64) -> Self {
        if routing == Routing::Random {
            return Self { by_process: None };
        }
        let mut by_process = vec![Vec::new(); processes as usize];
        for (tenant, share) in (0..).zip(traffic.shares()) {
            let count = match routing {
                Routing::Spread => (2.0 * share * f64::from(processes)).ceil() as usize,
                Routing::Random | Routing::Hashed => 1,
            };
            let name = name(tenant, seed);
            let owners = match count {
                1 => vec![rendezvous(name, processes)],
                count => rendezvous_many(name, processes, count),
            };
            for owner in &owners {
                by_process[*owner as usize].push((tenant, share / owners.len() as f64));
            }
        }
        Self { by_process: Some(by_process) }
    }

    /// Returns the tenants of a process, or `None` if it has an equal share of all.
    pub fn of(&self, process: u32) -> Option<&[(u32, f64)]> {
        Some(&self.by_process.as_ref()?[process as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_many_is_the_only_one() {
        for tenant in 0..100 {
            let many = rendezvous_many(tenant, 20, 20);
            assert_eq!(many[0], rendezvous(tenant, 20));
            let mut sorted = many.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..20).collect::<Vec<_>>(), "each process once");
            assert_eq!(rendezvous_many(tenant, 20, 3), many[..3]);
        }
    }

    #[test]
    fn each_tenant_brings_its_share_to_its_processes() {
        let traffic = Zipf::new(2_000, 0.9);
        for routing in [Routing::Hashed, Routing::Spread] {
            let assignment = Assignment::new(routing, &traffic, 20, 7);
            let mut shares = vec![0.0; 2_000];
            let (mut largest, mut owners) = (0.0_f64, 0);
            for process in 0..20 {
                for (tenant, share) in assignment.of(process).unwrap() {
                    shares[*tenant as usize] += share;
                    largest = largest.max(*share);
                    owners += 1;
                }
            }
            assert!(shares.iter().zip(traffic.shares()).all(|(sum, share)| (sum - share).abs() < 1e-12));
            match routing {
                Routing::Spread => assert!(largest <= 0.5 / 20.0 + 1e-12 && owners > 2_000, "{largest}, {owners}"),
                _ => assert!(largest > 0.05 && owners == 2_000, "{largest}, {owners}"),
            }
        }
    }
}
