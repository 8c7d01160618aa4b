//! A correct cache that differs in what a test says.

use std::future::Future;
use std::pin::Pin;

use aws_client_cache_spec::check::Difference;
use aws_client_cache_spec::creation::{Creates, Creation, Failure};
use aws_client_cache_spec::faults::FaultyCreator;
use aws_client_cache_spec::{Operation, Outcome};

/// A call that looks up or creates a value.
pub(crate) type Call = Pin<Box<dyn Future<Output = Result<u64, Failure>>>>;

/// A correct cache, except for its calls, the outcomes of its dict, or its reports.
pub(crate) struct Adapted<A> {
    pub(crate) cache: FaultyCreator,
    pub(crate) adapt: A,
}

pub(crate) trait Adapt {
    const DIFFERENCES: &'static [Difference] = &[];

    fn wrap(&self, call: Call) -> Call {
        call
    }

    fn call(&self, operation: &Operation<u8, u64>, cache: &FaultyCreator) -> Outcome<u8, u64> {
        cache.call(operation)
    }

    fn reports(&self, reports: Vec<(u8, u64)>) -> Vec<(u8, u64)> {
        reports
    }
}

/// Wraps each call.
impl<F: Fn(Call) -> Call> Adapt for F {
    fn wrap(&self, call: Call) -> Call {
        self(call)
    }
}

impl<A: Adapt> Creates for Adapted<A> {
    const DIFFERENCES: &'static [Difference] = A::DIFFERENCES;

    fn get_or_create(&self, key: u8, create: Box<dyn FnOnce() -> Creation + Send>) -> Call {
        self.adapt.wrap(self.cache.get_or_create(key, create))
    }

    fn get_or_create_now(
        &self,
        key: u8,
        create: Box<dyn FnOnce() -> Result<u64, Failure> + Send>,
    ) -> Result<u64, Failure> {
        self.cache.get_or_create_now(key, create)
    }

    fn call(&self, operation: &Operation<u8, u64>) -> Outcome<u8, u64> {
        self.adapt.call(operation, &self.cache)
    }

    fn reports(&self) -> Vec<(u8, u64)> {
        self.adapt.reports(self.cache.reports())
    }
}
