//! A model of the connection pool of one process.

use std::collections::VecDeque;

/// The connections of an HTTP/1.1 client.
///
/// A request takes the idle connection to its host that was used last, or opens one. A connection that has been idle for 90
/// seconds is closed, which is the default of the SDK's HTTP client.
#[derive(Debug)]
pub struct Sockets {
    /// The milliseconds that a request takes.
    latency: u64,
    /// For each host, the times at which its connections are or become idle, in ascending order.
    hosts: Vec<Vec<u64>>,
    /// The same times with their hosts, in ascending order.
    ends: VecDeque<(u64, u32)>,
    held: u64,
    peak: u64,
}

impl Sockets {
    /// The milliseconds for which an idle connection is kept.
    const IDLE_TIMEOUT: u64 = 90_000;

    /// Creates a pool without connections, for requests that take `latency` milliseconds.
    pub fn new(hosts: u32, latency: u64) -> Self {
        Self { latency, hosts: vec![Vec::new(); hosts as usize], ends: VecDeque::new(), held: 0, peak: 0 }
    }

    /// Sends a request to a host; times must not decrease.
    pub fn send(&mut self, host: u32, now: u64) {
        while let Some((end, host)) = self.ends.pop_front_if(|(end, _)| *end + Self::IDLE_TIMEOUT <= now) {
            // Without it, the connection has been used since.
            let connections = &mut self.hosts[host as usize];
            if let Some(closed) = connections.iter().position(|idle_at| *idle_at == end) {
                connections.remove(closed);
                self.held -= 1;
            }
        }
        let end = now + self.latency;
        let connections = &mut self.hosts[host as usize];
        match connections.iter().rposition(|idle_at| *idle_at <= now) {
            Some(idle) => {
                connections.remove(idle);
            }
            None => self.held += 1,
        }
        connections.push(end);
        self.ends.push_back((end, host));
        self.peak = self.peak.max(self.held);
    }

    /// Returns the largest number of connections that were open at a time.
    pub fn peak(&self) -> u64 {
        self.peak
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peak(requests: &[(u32, u64)]) -> u64 {
        let mut sockets = Sockets::new(3, 100);
        for (host, now) in requests {
            sockets.send(*host, *now);
        }
        sockets.peak()
    }

    #[test]
    fn an_idle_connection_is_used_again() {
        assert_eq!(peak(&[(0, 0), (0, 100), (0, 5_000)]), 1);
        assert_eq!(peak(&[(0, 0), (0, 99), (0, 198)]), 2);
    }

    #[test]
    fn each_host_has_its_own_connections() {
        assert_eq!(peak(&[(0, 0), (1, 200), (2, 400)]), 3);
    }

    #[test]
    fn an_idle_connection_is_closed() {
        assert_eq!(peak(&[(0, 0), (1, 90_100), (2, 180_200)]), 1);
        assert_eq!(peak(&[(0, 0), (1, 90_099)]), 2);
        assert_eq!(peak(&[(0, 0), (0, 200), (1, 90_299), (2, 90_300)]), 2, "idle since its last use");
    }
}
