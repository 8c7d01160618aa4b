//! The tables of the program `fleet`.

use std::fmt::Write as _;
use std::time::Duration;

use aws_client_cache::EvictionPolicy;

use super::process::{Counts, Process, Settings};
use super::routing::{Assignment, Routing, moved_share};
use super::sessions::{self, Failure};
use super::simulation::{DAY, Day, Figures, Fleet, START, day, deploy, whole_seconds};

/// The settings that the tables compare with others.
pub const BASE: Settings = Settings {
    policy: EvictionPolicy::Lru,
    max_size: 128,
    session_length: Duration::from_hours(1),
    advisory_window: None,
};

/// The base settings with sessions of 15 minutes.
pub const SHORT: Settings = Settings { session_length: Duration::from_mins(15), ..BASE };

/// The processes and tenants of each fleet, in ascending order: a hundred tenants for each process.
pub const SCALES: [(u32, u32); 4] = [(1, 100), (10, 1_000), (100, 10_000), (1_000, 100_000)];

/// Returns the settings of the table of settings, of which the first two are [`BASE`] and [`SHORT`].
pub fn all_settings() -> Vec<Settings> {
    let sized = |max_size| Settings { max_size, ..BASE };
    let mut all = vec![BASE, SHORT, sized(32), sized(512), sized(2_048)];
    for policy in [EvictionPolicy::Lfu, EvictionPolicy::Lfuda] {
        all.extend([Settings { policy, ..sized(32) }, Settings { policy, ..BASE }]);
    }
    all.sort_by_key(|settings| (*settings != BASE, *settings != SHORT, settings.policy.to_string() != "LRU"));
    all
}

/// The parameters of a run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// The number of seeds; each figure is the median over them.
    pub seeds: u64,
    /// The mean requests a second for each process.
    pub rate: f64,
}

/// The medians over all seeds.
#[derive(Clone, Debug)]
pub struct Medians {
    /// Each figure's median.
    pub day: Day,
    /// The largest relative difference of a seed's calls of `AssumeRole` from their median.
    pub difference: f64,
}

impl Default for Run {
    fn default() -> Self {
        Self { seeds: 3, rate: 2.0 }
    }
}

impl Run {
    fn fleet(&self, (processes, tenants): (u32, u32), seed: u64) -> Fleet {
        Fleet { processes, tenants, rate: self.rate, exponent: 0.9, seed }
    }

    /// Simulates a fleet with each seed, and returns the medians.
    pub fn day(&self, scale: (u32, u32), routing: Routing, settings: &[Settings]) -> Medians {
        let days: Vec<_> = (1..=self.seeds).map(|seed| day(&self.fleet(scale, seed), routing, settings)).collect();
        let of_settings = |index: usize| {
            let count =
                |figure: fn(&Figures) -> u64| median(days.iter().map(|day| figure(&day.figures[index]) as f64)) as u64;
            Figures {
                counts: Counts {
                    assume_roles: count(|figures| figures.counts.assume_roles),
                    clients: count(|figures| figures.counts.clients),
                    evictions: count(|figures| figures.counts.evictions),
                },
                peak_at_start: count(|figures| figures.peak_at_start),
                peak_later: count(|figures| figures.peak_later),
            }
        };
        let figures: Vec<_> = (0..settings.len()).map(of_settings).collect();
        let differences = days.iter().flat_map(|day| day.figures.iter().zip(&figures)).map(|(one, median)| {
            let median = median.counts.assume_roles as f64;
            (one.counts.assume_roles as f64 - median).abs() / median
        });
        let difference = differences.fold(0.0, f64::max);
        let share = |figure: fn(&Day) -> f64| median(days.iter().map(figure));
        let day = Day {
            sockets_to_one_host: share(|day| day.sockets_to_one_host),
            sockets_to_own_hosts: share(|day| day.sockets_to_own_hosts),
            busiest: share(|day| day.busiest),
            figures,
        };
        Medians { day, difference }
    }

    fn deploy(&self, scale: (u32, u32), routing: Routing, minutes: u64) -> u64 {
        let peak = |seed| deploy(&self.fleet(scale, seed), routing, BASE, Duration::from_mins(minutes)) as f64;
        median((1..=self.seeds).map(peak)) as u64
    }
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// Returns the heading of the table of scales.
pub fn scales_head() -> String {
    format!(
        "| processes | tenants | routing | `AssumeRole` a day | a second | peak | first {} minutes | sockets, one host | \
         sockets, own hosts | busiest |\n|---|---|---|---|---|---|---|---|---|---|\n",
        START / 60
    )
}

/// Returns a row of the table of scales.
pub fn scale_row((processes, tenants): (u32, u32), routing: Routing, day: &Day) -> String {
    let Figures { counts, peak_at_start, peak_later } = &day.figures[0];
    format!(
        "| {} | {} | {routing} | {} | {} | {} | {} | {:.1} | {:.0} | {:.1} |\n",
        thousands(processes.into()),
        thousands(tenants.into()),
        thousands(counts.assume_roles),
        per_second(counts.assume_roles),
        thousands(*peak_later),
        thousands(*peak_at_start),
        day.sockets_to_one_host,
        day.sockets_to_own_hosts,
        day.busiest,
    )
}

/// Returns the table of settings, for the largest fleet.
pub fn settings_table(rows: &[(Routing, Settings, Figures)]) -> String {
    let processes = u64::from(SCALES[SCALES.len() - 1].0);
    let mut table = format!(
        "| routing | policy | `max_size` | session | `AssumeRole` a day | a second | peak | first {} minutes | clients made | \
         evictions |\n|---|---|---|---|---|---|---|---|---|---|\n",
        START / 60
    );
    for (routing, settings, figures) in rows {
        let Settings { policy, max_size, session_length, .. } = settings;
        let Figures { counts, peak_at_start, peak_later } = figures;
        writeln!(
            table,
            "| {routing} | {policy} | {max_size} | {} min | {} | {} | {} | {} | {} | {} |",
            session_length.as_secs() / 60,
            thousands(counts.assume_roles),
            per_second(counts.assume_roles),
            thousands(*peak_later),
            thousands(*peak_at_start),
            thousands(counts.clients / processes),
            thousands(counts.evictions / processes),
        )
        .expect("text grows");
    }
    table
}

/// Returns the table of deploys of the largest fleet.
pub fn deploys_table(run: &Run) -> String {
    const MINUTES: [u64; 3] = [0, 10, 30];
    let mut table = "| routing | at once | within 10 minutes | within 30 minutes |\n|---|---|---|---|\n".to_owned();
    for routing in Routing::ALL {
        let peaks = MINUTES.map(|minutes| thousands(run.deploy(SCALES[SCALES.len() - 1], routing, minutes)));
        writeln!(table, "| {routing} | {} |", peaks.join(" | ")).expect("text grows");
    }
    table
}

/// Returns the table of tenants that move to another process when one is added.
pub fn moves_table(run: &Run) -> String {
    let mut table = "| processes | rendezvous hashing | remainder of a division |\n|---|---|---|\n".to_owned();
    for (processes, tenants) in &SCALES[1..] {
        let shares: Vec<_> = (1..=run.seeds).map(|seed| moved_share(*tenants, *processes, seed)).collect();
        let percent = |index: usize| 100.0 * median(shares.iter().map(|shares| shares[index]));
        let processes = thousands(u64::from(*processes));
        writeln!(table, "| {processes} and 1 | {:.2} % | {:.2} % |", percent(0), percent(1)).expect("text grows");
    }
    table
}

/// Serves a small fleet by real sessions and by the model, and returns the counts of both as a table.
///
/// # Errors
///
/// Fails if they differ, or if a request fails.
pub async fn sessions_table() -> Result<String, Failure> {
    let fleet = Fleet { processes: 4, tenants: 60, rate: 0.02, exponent: 0.9, seed: 1 };
    let mut table = format!(
        "| policy | `max_size` | session | `AssumeRole` | clients made | evictions | by the model |\n{}",
        "|---|---|---|---|---|---|---|\n"
    );
    for policy in EvictionPolicy::ALL {
        for (max_size, minutes) in [(5, 60), (5, 15), (20, 60), (20, 15)] {
            let settings = exact(*policy, max_size, minutes);
            let (mut real, mut modeled) = (Counts::default(), Counts::default());
            for routing in [Routing::Random, Routing::Hashed] {
                let [of_sessions, of_model] = compare(&fleet, routing, settings, DAY).await?;
                real.add(of_sessions);
                modeled.add(of_model);
            }
            if real != modeled {
                return Err(format!("{settings:?}: real sessions count {real:?}, the model {modeled:?}").into());
            }
            let cells = [real.assume_roles, real.clients, real.evictions].map(thousands).join(" | ");
            writeln!(table, "| {policy} | {max_size} | {minutes} min | {cells} | the same |")?;
        }
    }
    Ok(table)
}

/// Returns settings without jitter, by which real sessions repeat.
///
/// The advisory window is as short as the mandatory one.
pub fn exact(policy: EvictionPolicy, max_size: usize, minutes: u64) -> Settings {
    let advisory_window = Some(Duration::from_mins(1));
    Settings { policy, max_size, session_length: Duration::from_mins(minutes), advisory_window }
}

/// Serves the same requests by real sessions and by the model, and returns the counts of both.
///
/// Each process has its own session.
///
/// # Errors
///
/// Fails if a request fails.
pub async fn compare(
    fleet: &Fleet,
    routing: Routing,
    settings: Settings,
    seconds: u64,
) -> Result<[Counts; 2], Failure> {
    let traffic = fleet.traffic();
    let assignment = Assignment::new(routing, &traffic, fleet.processes, fleet.seed);
    let (mut real, mut modeled) = (Counts::default(), Counts::default());
    for process in 0..fleet.processes {
        let requests = whole_seconds(fleet, &traffic, &assignment, process, seconds);
        let mut model = Process::new(settings, fleet.rng(process, "jitter"));
        for request in &requests {
            model.serve(*request);
        }
        modeled.add(model.counts());
        real.add(sessions::serve(settings, &requests).await?);
    }
    Ok([real, modeled])
}

/// Returns the calls of a day as calls a second.
fn per_second(calls: u64) -> String {
    let mean = calls as f64 / DAY as f64;
    if mean < 10.0 { format!("{mean:.1}") } else { thousands(mean.round() as u64) }
}

/// Returns a number with commas.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let parts: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|part| String::from_utf8_lossy(part)).collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas() {
        assert_eq!([7, 999, 1_000, 34_934_189].map(thousands), ["7", "999", "1,000", "34,934,189"]);
        assert_eq!([per_second(43_200), per_second(86_400_000)], ["0.5", "1,000"]);
    }

    #[test]
    fn the_settings_begin_with_the_base() {
        let all = all_settings();
        assert_eq!(all[..2], [BASE, SHORT]);
        assert!((1..all.len()).all(|index| !all[..index].contains(&all[index])), "{all:?}");
    }
}
