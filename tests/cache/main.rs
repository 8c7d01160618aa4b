//! `ClientCache` and its keys, with clients of a service without a network.

mod configuration;
mod creation;
mod expiry;
mod identity;
mod leaving;
mod parameters;
mod printing;
mod schedules;
mod stats;
mod threads;
mod traced;
