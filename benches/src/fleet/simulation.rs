//! A day of a whole fleet, by the model.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use foldhash::quality::FixedState;
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

use super::process::{Counts, Process, Settings};
use super::routing::{Assignment, Routing};
use super::sockets::Sockets;
use super::traffic::{Request, Requests, Zipf};

/// The seconds of a day.
pub const DAY: u64 = 86_400;

/// The seconds at the beginning of a day in which the fleet fills its caches.
pub const START: u64 = 600;

/// The milliseconds that a request to a service takes.
const LATENCY: u64 = 100;

/// A fleet and its traffic.
#[derive(Clone, Copy, Debug)]
pub struct Fleet {
    /// The number of processes.
    pub processes: u32,
    /// The number of tenants.
    pub tenants: u32,
    /// The mean requests a second for each process.
    pub rate: f64,
    /// The exponent of Zipf's law.
    pub exponent: f64,
    /// The seed of all random numbers.
    pub seed: u64,
}

impl Fleet {
    /// Returns the popularity of the tenants.
    pub fn traffic(&self) -> Zipf {
        Zipf::new(self.tenants, self.exponent)
    }

    /// Returns the requests to a process.
    pub fn requests<'a>(&self, traffic: &'a Zipf, assignment: &'a Assignment, process: u32) -> Requests<'a> {
        let rng = self.rng(process, "requests");
        Requests::new(traffic, assignment.of(process), self.rate, self.processes, rng)
    }

    /// Returns the random numbers of a process for one purpose.
    pub fn rng(&self, process: u32, purpose: &str) -> Xoshiro256PlusPlus {
        Xoshiro256PlusPlus::seed_from_u64(FixedState::default().hash_one((self.seed, process, purpose)))
    }
}

/// The figures of a fleet with some settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// The counts of all processes.
    pub counts: Counts,
    /// The most calls of `AssumeRole` in one of the first [`START`] seconds.
    pub peak_at_start: u64,
    /// The most calls of `AssumeRole` in one of the later seconds.
    pub peak_later: u64,
}

/// The figures of a day, which begins with a start of all processes at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Day {
    /// The figures for each of the settings.
    pub figures: Vec<Figures>,
    /// The most connections of a process, if all tenants share one host: the mean over all processes.
    pub sockets_to_one_host: f64,
    /// The most connections of a process, if each tenant has its own host: the mean over all processes.
    pub sockets_to_own_hosts: f64,
    /// The requests to the busiest process, divided by the mean of all processes.
    pub busiest: f64,
}

/// The sums over some processes.
struct Sums {
    /// For each of the settings, the counts and the calls of `AssumeRole` by second.
    by_settings: Vec<(Counts, Vec<u32>)>,
    sockets: [u64; 2],
    requests: u64,
    busiest: u64,
}

impl Sums {
    fn new(settings: &[Settings]) -> Self {
        let by_settings = settings.iter().map(|_| (Counts::default(), vec![0; DAY as usize])).collect();
        Self { by_settings, sockets: [0; 2], requests: 0, busiest: 0 }
    }

    fn add(&mut self, other: Self) {
        for ((counts, seconds), (other, others)) in self.by_settings.iter_mut().zip(other.by_settings) {
            counts.add(other);
            seconds.iter_mut().zip(others).for_each(|(calls, other)| *calls += other);
        }
        self.sockets.iter_mut().zip(other.sockets).for_each(|(peak, other)| *peak += other);
        self.requests += other.requests;
        self.busiest = self.busiest.max(other.busiest);
    }
}

/// Simulates a day with each of the settings, under the same requests.
pub fn day(fleet: &Fleet, routing: Routing, settings: &[Settings]) -> Day {
    let traffic = fleet.traffic();
    let assignment = Assignment::new(routing, &traffic, fleet.processes, fleet.seed);
    let sums = on_threads(
        fleet.processes,
        || Sums::new(settings),
        |sums, process| {
            let mut models: Vec<_> =
                settings.iter().map(|settings| Process::new(*settings, fleet.rng(process, "jitter"))).collect();
            let mut sockets = [Sockets::new(1, LATENCY), Sockets::new(fleet.tenants, LATENCY)];
            let mut count = 0;
            let requests = fleet.requests(&traffic, &assignment, process);
            for request in requests.take_while(|request| request.at < DAY * 1_000) {
                count += 1;
                for (model, (_, seconds)) in models.iter_mut().zip(&mut sums.by_settings) {
                    seconds[(request.at / 1_000) as usize] += u32::from(model.serve(request));
                }
                sockets[0].send(0, request.at);
                sockets[1].send(request.tenant, request.at);
            }
            for (model, (counts, _)) in models.iter().zip(&mut sums.by_settings) {
                counts.add(model.counts());
            }
            sums.sockets.iter_mut().zip(&sockets).for_each(|(sum, sockets)| *sum += sockets.peak());
            sums.requests += count;
            sums.busiest = sums.busiest.max(count);
        },
        Sums::add,
    );
    let figures = sums.by_settings.into_iter().map(|(counts, seconds)| {
        let (start, later) = seconds.split_at(START as usize);
        let peak = |seconds: &[u32]| seconds.iter().copied().max().unwrap_or_default().into();
        Figures { counts, peak_at_start: peak(start), peak_later: peak(later) }
    });
    let processes = f64::from(fleet.processes);
    Day {
        figures: figures.collect(),
        sockets_to_one_host: sums.sockets[0] as f64 / processes,
        sockets_to_own_hosts: sums.sockets[1] as f64 / processes,
        busiest: sums.busiest as f64 / (sums.requests as f64 / processes),
    }
}

/// Returns the most calls of `AssumeRole` in a second of a deploy.
///
/// The deploy restarts all processes within `spread`.
///
/// The processes have run for an hour. They restart one after another, each without a pause.
pub fn deploy(fleet: &Fleet, routing: Routing, settings: Settings, spread: Duration) -> u64 {
    const BEGIN: u64 = 3_600;
    let traffic = fleet.traffic();
    let assignment = Assignment::new(routing, &traffic, fleet.processes, fleet.seed);
    let end = BEGIN + spread.as_secs() + START;
    let seconds = on_threads(
        fleet.processes,
        || vec![0_u32; (end - BEGIN) as usize],
        |seconds, process| {
            let share = f64::from(process) / f64::from(fleet.processes);
            let restart = (BEGIN * 1_000) + spread.mul_f64(share).as_millis() as u64;
            let mut model = Process::new(settings, fleet.rng(process, "jitter"));
            let mut is_new = false;
            let requests = fleet.requests(&traffic, &assignment, process);
            for request in requests.take_while(|request| request.at < end * 1_000) {
                if !is_new && restart <= request.at {
                    is_new = true;
                    model = Process::new(settings, fleet.rng(process, "jitter"));
                }
                let is_call = model.serve(request);
                if let Some(second) = (request.at / 1_000).checked_sub(BEGIN) {
                    seconds[second as usize] += u32::from(is_call);
                }
            }
        },
        |sums, others| sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other),
    );
    seconds.into_iter().max().unwrap_or_default().into()
}

/// Returns the requests to a process within a number of seconds, at whole seconds.
pub fn whole_seconds(
    fleet: &Fleet,
    traffic: &Zipf,
    assignment: &Assignment,
    process: u32,
    seconds: u64,
) -> Vec<Request> {
    let requests = fleet.requests(traffic, assignment, process);
    let requests = requests.take_while(|request| request.at < seconds * 1_000);
    requests.map(|request| Request { at: request.at / 1_000 * 1_000, ..request }).collect()
}

/// Runs `one` for each process, on all cores, and adds up the results of the threads.
fn on_threads<S: Send>(
    processes: u32,
    new: impl Fn() -> S + Sync,
    one: impl Fn(&mut S, u32) + Sync,
    add: impl Fn(&mut S, S),
) -> S {
    let next = AtomicU32::new(0);
    let work = || {
        let mut sums = new();
        loop {
            let process = next.fetch_add(1, Relaxed);
            if process >= processes {
                return sums;
            }
            one(&mut sums, process);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut sums = new();
        for thread in threads {
            add(&mut sums, thread.join().expect("no process panics"));
        }
        sums
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_client_cache::EvictionPolicy;

    const FLEET: Fleet = Fleet { processes: 4, tenants: 40, rate: 0.2, exponent: 0.9, seed: 7 };
    const SETTINGS: Settings = Settings {
        policy: EvictionPolicy::Lru,
        max_size: 20,
        session_length: Duration::from_hours(1),
        advisory_window: None,
    };

    #[test]
    fn figures_are_the_same_for_a_seed() {
        for routing in Routing::ALL {
            assert_eq!(day(&FLEET, routing, &[SETTINGS]), day(&FLEET, routing, &[SETTINGS]));
            assert_ne!(day(&FLEET, routing, &[SETTINGS]), day(&Fleet { seed: 8, ..FLEET }, routing, &[SETTINGS]));
        }
    }

    #[test]
    fn settings_do_not_affect_each_other() {
        let small = Settings { max_size: 2, ..SETTINGS };
        let both = day(&FLEET, Routing::Random, &[small, SETTINGS]).figures;
        assert_eq!(both[..1], day(&FLEET, Routing::Random, &[small]).figures);
        assert_eq!(both[1..], day(&FLEET, Routing::Random, &[SETTINGS]).figures);
        assert!(both[0].counts.assume_roles > both[1].counts.assume_roles);
    }

    #[test]
    fn hashing_assumes_each_role_in_one_process() {
        let [random, hashed] = [Routing::Random, Routing::Hashed].map(|routing| day(&FLEET, routing, &[SETTINGS]));
        let calls = |day: &Day| day.figures[0].counts.assume_roles;
        assert!(2 * calls(&hashed) < calls(&random), "{random:?}, {hashed:?}");
        assert!(hashed.figures[0].peak_at_start <= random.figures[0].peak_at_start);
        assert!(hashed.busiest > 1.2 && random.busiest < 1.1, "{hashed:?}, {random:?}");
    }

    #[test]
    fn a_slow_deploy_has_a_lower_peak() {
        let fleet = Fleet { processes: 40, tenants: 400, rate: 2.0, ..FLEET };
        let peak = |seconds| deploy(&fleet, Routing::Hashed, SETTINGS, Duration::from_secs(seconds));
        assert!(peak(0) >= 2 * peak(600), "{} and {}", peak(0), peak(600));
        let start = day(&fleet, Routing::Hashed, &[SETTINGS]).figures[0].peak_at_start;
        assert!(peak(0).abs_diff(start) < start / 4, "{} and {start}", peak(0));
    }
}
