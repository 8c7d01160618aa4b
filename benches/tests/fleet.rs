//! The simulated fleet: the model against real sessions, hashing, and the page.

use aws_client_cache::EvictionPolicy;
use aws_client_cache_benches::fleet::process::{Counts, Process, Settings};
use aws_client_cache_benches::fleet::report::{self, BASE, Run, SHORT};
use aws_client_cache_benches::fleet::routing::{self, Assignment, Routing};
use aws_client_cache_benches::fleet::sessions;
use aws_client_cache_benches::fleet::simulation::{Fleet, whole_seconds};
use aws_client_cache_benches::fleet::traffic::Request;
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

const FLEET: Fleet = Fleet { processes: 2, tenants: 40, rate: 0.03, exponent: 0.9, seed: 3 };

/// Long enough that sessions of an hour are renewed, and idle scopes are dropped.
const SECONDS: u64 = 4 * 3_600;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn the_model_has_the_counts_of_real_sessions() {
    let (mut has_renewed, mut has_returned) = (false, false);
    for policy in EvictionPolicy::ALL {
        for (routing, max_size, minutes) in
            [(Routing::Random, 4, 15), (Routing::Random, 12, 60), (Routing::Hashed, 4, 60), (Routing::Hashed, 12, 15)]
        {
            let settings = report::exact(*policy, max_size, minutes);
            let [real, modeled] = block_on(report::compare(&FLEET, routing, settings, SECONDS)).unwrap();
            assert_eq!(real, modeled, "{routing}, {settings:?}");
            assert!(real.evictions > 0, "{routing}, {real:?}");
            has_renewed |= real.assume_roles > real.clients;
            has_returned |= real.assume_roles < real.clients;
        }
    }
    assert!(has_renewed && has_returned, "credentials were renewed, and scopes that were idle returned");
}

#[test]
fn the_model_and_real_sessions_agree_to_the_second() {
    let settings = report::exact(EvictionPolicy::Lru, 1, 60);
    // The first role is loaded anew after 59 minutes. Its scope returns after 899 seconds of idleness, but not after 900.
    let requests = [(0, 1), (3_539, 1), (3_540, 1), (4_000, 2), (4_899, 1), (5_000, 2), (5_900, 1)];
    let requests = requests.map(|(second, tenant)| Request { at: second * 1_000, tenant });
    let expected = Counts { assume_roles: 4, clients: 5, evictions: 4 };
    assert_eq!(modeled(settings, &requests, 0.0), expected);
    assert_eq!(block_on(sessions::serve(settings, &requests)).unwrap(), expected);
}

/// Returns the calls, clients and evictions of one process by the model.
fn modeled(settings: Settings, requests: &[Request], jitter: f64) -> Counts {
    let mut model = Process::new(settings, Xoshiro256PlusPlus::seed_from_u64(0)).with_jitter(jitter);
    for request in requests {
        model.serve(*request);
    }
    model.counts()
}

// A session shortens its windows at random. A longer service of credentials never costs more calls, so the calls of a real
// session lie between those of the extremes.
#[test]
fn real_sessions_with_jitter_lie_between_the_extremes_of_the_model() {
    let traffic = FLEET.traffic();
    let assignment = Assignment::new(Routing::Hashed, &traffic, FLEET.processes, FLEET.seed);
    let requests = whole_seconds(&FLEET, &traffic, &assignment, 0, SECONDS);
    for settings in [BASE, SHORT] {
        let settings = Settings { max_size: 8, ..settings };
        let real = block_on(sessions::serve(settings, &requests)).unwrap();
        let [most, fewest] = [0.0, 1.0].map(|jitter| modeled(settings, &requests, jitter));
        assert!(fewest.assume_roles < most.assume_roles, "{fewest:?}");
        assert!(
            (fewest.assume_roles..=most.assume_roles).contains(&real.assume_roles),
            "{real:?}, {fewest:?}, {most:?}"
        );
        assert_eq!([real.clients, real.evictions], [most.clients, most.evictions]);
    }
}

#[test]
fn a_new_process_receives_its_share_of_tenants_and_no_other_tenant_moves() {
    const TENANTS: u32 = 20_000;
    for processes in [1, 10, 100] {
        let expected = f64::from(TENANTS) / f64::from(processes + 1);
        let before_and_after = |tenant: u64| [processes, processes + 1].map(|count| routing::rendezvous(tenant, count));
        let moved: Vec<_> =
            (0..u64::from(TENANTS)).map(before_and_after).filter(|[before, after]| before != after).collect();
        assert!(moved.iter().all(|[_, after]| *after == processes), "tenants move to the new process alone");
        let count = u32::try_from(moved.len()).unwrap();
        assert!((f64::from(count) - expected).abs() < 5.0 * expected.sqrt(), "{count} of {expected}");
        let [rendezvous, remainder] = routing::moved_share(TENANTS, processes, 1);
        assert!(rendezvous <= 1.2 / f64::from(processes + 1) && remainder > 0.45, "{rendezvous}, {remainder}");
    }
}

#[test]
fn tenants_are_spread_evenly() {
    let traffic = FLEET.traffic();
    let fleet = Fleet { processes: 20, tenants: 20_000, ..FLEET };
    let assignment = Assignment::new(Routing::Hashed, &fleet.traffic(), fleet.processes, fleet.seed);
    let counts: Vec<_> = (0..20).map(|process| assignment.of(process).unwrap().len()).collect();
    assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
    assert!(Assignment::new(Routing::Random, &traffic, 20, 1).of(3).is_none());
}

// The other rows would take minutes.
#[test]
fn the_page_shows_the_figures_of_the_program() {
    let page = include_str!("../../docs/FLEET.md");
    for routing in Routing::ALL {
        let scale = report::SCALES[1];
        let row = report::scale_row(scale, routing, &Run::default().day(scale, routing, &[BASE]).day);
        assert!(page.contains(&row), "docs/FLEET.md lacks {row}");
    }
    let moves = report::moves_table(&Run::default());
    assert!(page.contains(moves.lines().nth(2).unwrap()), "docs/FLEET.md lacks {moves}");
}
