//! The engine against the reference model and the kit's levels, and the specification against the tree.

mod aging;
mod churn;
mod corpus;
mod costs;
mod every_state;
mod get_or_insert;
mod laws;
mod mutable_access;
mod panics;
mod printing;
mod random;
mod recorded;
mod replace;
mod specification;
mod state_machine;
