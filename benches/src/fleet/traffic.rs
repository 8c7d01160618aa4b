//! The requests that a process receives.

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;
use rand_distr::weighted::WeightedAliasIndex;
use rand_distr::{Distribution, Exp1};

/// The popularity of tenants by Zipf's law: the k-th most popular of them has weight k^-exponent.
#[derive(Clone, Debug)]
pub struct Zipf {
    shares: Vec<f64>,
    table: WeightedAliasIndex<f64>,
}

impl Zipf {
    /// Creates the popularity of `tenants` tenants.
    pub fn new(tenants: u32, exponent: f64) -> Self {
        let weights: Vec<f64> = (1..=tenants).map(|rank| f64::from(rank).powf(-exponent)).collect();
        let sum: f64 = weights.iter().sum();
        let shares: Vec<f64> = weights.into_iter().map(|weight| weight / sum).collect();
        Self { table: table(&shares), shares }
    }

    /// Returns the tenants' shares of all requests.
    pub fn shares(&self) -> impl Iterator<Item = f64> + '_ {
        self.shares.iter().copied()
    }
}

/// Returns a table that draws an index by its weight.
fn table(weights: &[f64]) -> WeightedAliasIndex<f64> {
    WeightedAliasIndex::new(weights.to_vec()).expect("at least one weight, all of them positive")
}

/// A request of a tenant, at a time in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The milliseconds since the start.
    pub at: u64,
    /// The tenant.
    pub tenant: u32,
}

/// The requests to one process, at independent moments (a Poisson process), without an end.
///
/// An iterator without a tenant is empty.
#[derive(Debug)]
pub struct Requests<'a> {
    rng: Xoshiro256PlusPlus,
    /// The tenants, and the table to draw one of them.
    tenants: Tenants<'a>,
    /// The mean milliseconds between two requests.
    gap: f64,
    now: f64,
}

#[derive(Debug)]
enum Tenants<'a> {
    All(&'a WeightedAliasIndex<f64>),
    Some(&'a [(u32, f64)], WeightedAliasIndex<f64>),
    None,
}

impl<'a> Requests<'a> {
    /// Creates the requests to a process that serves some tenants, or all of them if `members` is `None`.
    ///
    /// `rate` is the mean number of requests a second for each of `processes` processes.
    pub fn new(
        traffic: &'a Zipf,
        members: Option<&'a [(u32, f64)]>,
        rate: f64,
        processes: u32,
        rng: Xoshiro256PlusPlus,
    ) -> Self {
        let fleet_rate = rate * f64::from(processes);
        let (tenants, rate) = match members {
            None => (Tenants::All(&traffic.table), rate),
            Some([]) => (Tenants::None, rate),
            Some(members) => {
                let shares: Vec<f64> = members.iter().map(|(_, share)| *share).collect();
                let rate = fleet_rate * shares.iter().sum::<f64>();
                (Tenants::Some(members, table(&shares)), rate)
            }
        };
        Self { rng, tenants, gap: 1_000.0 / rate, now: 0.0 }
    }
}

impl Iterator for Requests<'_> {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        self.now += self.rng.sample::<f64, _>(Exp1) * self.gap;
        let tenant = match &self.tenants {
            Tenants::All(table) => table.sample(&mut self.rng) as u32,
            Tenants::Some(members, table) => members[table.sample(&mut self.rng)].0,
            Tenants::None => return None,
        };
        Some(Request { at: self.now as u64, tenant })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn a_process_receives_the_share_of_its_tenants() {
        let traffic = Zipf::new(100, 0.9);
        let shares: Vec<f64> = traffic.shares().collect();
        let members: Vec<(u32, f64)> = [3, 40].map(|tenant| (tenant, shares[tenant as usize])).into();
        let of_two = Requests::new(&traffic, Some(&members), 2.0, 10, Xoshiro256PlusPlus::seed_from_u64(7));
        let (mut count, mut of_first) = (0, 0);
        for request in of_two.take_while(|request| request.at < 100_000_000) {
            assert!([3, 40].contains(&request.tenant));
            count += 1;
            of_first += i32::from(request.tenant == 3);
        }
        let expected = 20.0 * 100_000.0 * (shares[3] + shares[40]);
        assert!((f64::from(count) / expected - 1.0).abs() < 0.01, "{count}, {expected}");
        let share = shares[3] / (shares[3] + shares[40]);
        assert!((f64::from(of_first) / f64::from(count) - share).abs() < 0.01, "{of_first} of {count}");
        assert_eq!(Requests::new(&traffic, Some(&[]), 2.0, 10, Xoshiro256PlusPlus::seed_from_u64(7)).next(), None);
    }

    #[test]
    fn all_tenants_are_drawn_by_their_shares() {
        let traffic = Zipf::new(100, 0.9);
        let mut counts = [0_u32; 100];
        let all = Requests::new(&traffic, None, 2.0, 10, Xoshiro256PlusPlus::seed_from_u64(7));
        let requests =
            all.take_while(|request| request.at < 50_000_000).map(|request| counts[request.tenant as usize] += 1);
        let count = requests.count() as f64;
        assert!((count / 100_000.0 - 1.0).abs() < 0.02, "{count}");
        for (count, share) in counts.iter().zip(traffic.shares()) {
            assert!((f64::from(*count) / 100_000.0 - share).abs() < 0.005);
        }
    }
}
