//! A simulated fleet: many processes with a session each, which serve many tenants for a day.
//!
//! A tenant is a role, and all its requests are of one service and region. [`process`] models the session of one process;
//! [`sessions`] makes the same requests through real sessions, so that tests and the program compare both.

pub mod process;
pub mod report;
pub mod routing;
pub mod sessions;
pub mod simulation;
pub mod sockets;
pub mod traffic;
