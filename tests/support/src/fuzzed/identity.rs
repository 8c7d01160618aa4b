//! Rules K1 to K5 on arbitrary parameters that are set in any order.
//!
//! The target checks that invalid parameters are refused, that keys are equal if and only if their parameters are, and
//! that no output shows a secret. It compares keys with the settings as plain data.

mod role;
mod setting;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::time::SystemTime;

use arbitrary::Arbitrary;
use aws_client_cache::{
    AnyKey, ClientCache, ClientCacheError, ClientCacheKey, ClientParams, ClientParamsBuilder, Region,
};
use aws_smithy_async::time::StaticTimeSource;

use self::role::Chain;
use self::setting::Setting;
use self::text::{SECRET, Text, UNCHECKED};
use super::{Fuzzed, Reached};
use crate::fake::{Client, Fake};

type Builder = ClientParamsBuilder<Fake>;
type Built = Result<ClientParams<Fake>, ClientCacheError>;

/// The settings of two builders.
#[derive(Arbitrary, Debug)]
pub struct Input {
    /// The settings of both builders.
    ///
    /// One applies them before its own. The other applies them after its own, which they can replace.
    common: Vec<Setting>,
    one: Vec<Setting>,
    other: Vec<Setting>,
    /// The region of a client.
    elsewhere: Text,
}

/// The settings that are in effect, by their identity.
type Settings = BTreeMap<(&'static str, Option<Text>), Setting>;

/// The sources of credentials, which exclude one another.
const SOURCES: [&str; 4] = ["credentials", "credentials_provider", "profile", "anonymous"];

/// Returns the invalid parameters, one of which the error names.
///
/// Of two settings that exclude each other, the later one is invalid.
fn faults(settings: &Settings) -> BTreeSet<&'static str> {
    let has = |parameter| settings.contains_key(&(parameter, None));
    let second = SOURCES.into_iter().filter(|source| has(source)).nth(1);
    let unsigned_role = (has("anonymous") && has("assume_role")).then_some("assume_role");
    let is_by_token = |setting: &Setting| matches!(setting, Setting::AssumeRole(chain) if chain.is_by_token());
    let has_source = SOURCES.into_iter().any(has);
    let two_proofs = (has_source && settings.values().any(is_by_token)).then_some("web_identity");
    settings.values().flat_map(Setting::faults).chain(second).chain(unsigned_role).chain(two_proofs).collect()
}

/// The settings of a builder, and its result.
struct Attempt {
    settings: Settings,
    repeated: bool,
    built: Built,
}

impl Attempt {
    fn new<'a>(all: impl Iterator<Item = &'a Setting> + Clone) -> Self {
        let mut settings = Settings::new();
        let mut repeated = false;
        for setting in all.clone() {
            let (parameter, name) = setting.identity();
            let replaced = settings.insert((parameter, name.cloned()), setting.clone());
            repeated |= replaced.is_some() && name.is_some();
        }
        let attempt = Self { settings, repeated, built: build(all) };
        attempt.check_refusal();
        attempt.check_order();
        attempt
    }

    fn region(&self) -> Option<&str> {
        match self.settings.get(&("region", None)) {
            Some(Setting::Region(region)) => Some(&region.0),
            _ => None,
        }
    }

    fn expiry(&self) -> Option<SystemTime> {
        match self.settings.get(&("credentials", None)) {
            Some(Setting::Credentials(keys)) => keys.expiry.as_ref().map(|expiry| expiry.0),
            _ => None,
        }
    }

    /// Checks that the builder fails if and only if a parameter is invalid, with an error that names one.
    fn check_refusal(&self) {
        // K5, K1a
        let mut bad = faults(&self.settings);
        bad.extend(self.repeated.then_some("customize"));
        match &self.built {
            Ok(params) => assert!(bad.is_empty(), "{params:?} should be refused for {bad:?}"),
            Err(error @ ClientCacheError::InvalidParams { parameter, .. }) => {
                assert!(bad.contains(parameter), "{error}, but bad are {bad:?}");
                // K1a: the names of customizations are shown.
                if *parameter != "customize" {
                    shows_no(UNCHECKED, &[error.to_string(), debug(error)]);
                }
                is_presentable(error, &error.to_string());
            }
            Err(other) => panic!("unexpected: {other}"),
        }
    }

    /// Checks that the result does not depend on the order of the settings.
    fn check_order(&self) {
        // K2
        if self.repeated {
            return;
        }
        let backwards: Vec<_> = self.settings.values().rev().map(Setting::backwards).collect();
        for again in [build(self.settings.values()), build(backwards.iter())] {
            match (&self.built, &again) {
                (Ok(params), Ok(again)) => assert_eq!(params.key(), again.key()),
                (Err(error), Err(again)) => assert_eq!(error.to_string(), again.to_string()),
                (built, again) => panic!("{built:?} in one order, and {again:?} in another"),
            }
        }
    }
}

/// Checks that the key differs if any setting is left out, or replaced by a different one from `other`.
fn check_each_setting(key: &ClientCacheKey<Fake>, settings: &Settings, other: &Settings) {
    // K1, K2
    let less = settings.keys().map(|identity| {
        let mut less = settings.clone();
        less.remove(identity);
        less
    });
    let changed = other.iter().map(|(identity, setting)| {
        let mut changed = settings.clone();
        changed.insert(identity.clone(), setting.clone());
        changed
    });
    for changed in less.chain(changed).chain(of_other_roles(settings, other)) {
        match build(changed.values()) {
            Ok(params) => {
                assert!(faults(&changed).is_empty(), "{changed:?} should be refused");
                assert_eq!(params.key() == *key, changed == *settings, "{settings:?} and {changed:?}");
            }
            // Settings that are valid one by one may exclude each other.
            Err(error) => {
                let ClientCacheError::InvalidParams { parameter, .. } = &error else { panic!("unexpected: {error}") };
                assert!(faults(&changed).contains(parameter), "{error}: {changed:?}");
                is_presentable(&error, &error.to_string());
            }
        }
    }
}

/// Returns the settings with variations of their role.
fn of_other_roles(settings: &Settings, other: &Settings) -> Vec<Settings> {
    let identity = ("assume_role", None);
    let Some(Setting::AssumeRole(chain)) = settings.get(&identity) else { return Vec::new() };
    let other = if let Some(Setting::AssumeRole(other)) = other.get(&identity) { Some(other) } else { None };
    let with = |varied: Chain| {
        assert_eq!(varied.role() == chain.role(), varied == *chain, "{varied:?} and {chain:?}");
        let mut changed = settings.clone();
        changed.insert(identity.clone(), Setting::AssumeRole(varied));
        changed
    };
    chain.variations(other).into_iter().map(with).collect()
}

fn build<'a>(settings: impl Iterator<Item = &'a Setting>) -> Built {
    let builder = settings.fold(ClientParams::builder(), |builder, setting| setting.apply_to(builder));
    shows_no(UNCHECKED, &[debug(&builder)]);
    is_presentable(&builder, "");
    builder.build()
}

fn debug(thing: &impl Debug) -> String {
    format!("{thing:?} {thing:#?}")
}

fn shows_no(marker: &str, outputs: &[String]) {
    for output in outputs {
        assert!(!output.contains(marker), "{marker} is shown: {output}");
    }
}

/// Checks that no output shows a secret, and that the output is a single line unless pretty-printed.
fn is_presentable(thing: &impl Debug, label: &str) {
    // K4
    shows_no(SECRET, &[debug(thing), label.to_owned()]);
    for line in [format!("{thing:?}"), label.to_owned()] {
        let breaks = |char: char| char.is_control() || matches!(char, '\u{2028}' | '\u{2029}');
        assert!(!line.contains(breaks), "not one line: {line:?}");
    }
}

fn hash(key: &AnyKey) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(key)
}

/// All parameters.
const PARAMETERS: [&str; 15] = [
    "base",
    "region",
    "endpoint_url",
    "credentials",
    "credentials_provider",
    "use_fips",
    "use_dual_stack",
    "retry_config",
    "timeout_config",
    "app_name",
    "customize",
    "profile",
    "anonymous",
    "assume_role",
    "http_client",
];

/// Those of which some values are refused by themselves.
const REFUSABLE: [&str; 9] =
    ["base", "region", "endpoint_url", "credentials", "app_name", "customize", "profile", "assume_role", "http_client"];

/// Equal settings, at least one.
const SAME: &str = "equal keys";
/// Different settings.
const DIFFERENT: &str = "different keys";
/// A client whose region differs from that of its key.
const MISMATCH: &str = "a client of another region";
/// A key whose credentials have expired.
const EXPIRED: &str = "an expired key";

/// A key of a role that a token assumes.
const BY_TOKEN: &str = "a web identity in a key";
/// A key of a role with an endpoint of its own.
const AT_ENDPOINT: &str = "an endpoint of a role in a key";

/// Names the key that has a parameter.
fn in_a_key(parameter: &str) -> String {
    format!("{parameter} in a key")
}

/// Names the refusal that blames a parameter.
fn refused(parameter: &str) -> String {
    format!("{parameter} is refused")
}

impl Fuzzed for Input {
    fn branches() -> Reached {
        let outcomes = [SAME, DIFFERENT, MISMATCH, EXPIRED, BY_TOKEN, AT_ENDPOINT].map(str::to_owned);
        PARAMETERS.map(in_a_key).into_iter().chain(REFUSABLE.map(refused)).chain(outcomes).collect()
    }

    fn run(self, reached: &mut Reached) {
        let one = Attempt::new(self.common.iter().chain(&self.one));
        let other = Attempt::new(self.other.iter().chain(&self.common));
        for told in [&one, &other] {
            match &told.built {
                Ok(_) => {
                    reached.extend(told.settings.keys().map(|(parameter, _)| in_a_key(parameter)));
                    if let Some(Setting::AssumeRole(chain)) = told.settings.get(&("assume_role", None)) {
                        reached.extend(chain.is_by_token().then(|| BY_TOKEN.to_owned()));
                        reached.extend(chain.has_endpoint().then(|| AT_ENDPOINT.to_owned()));
                    }
                }
                Err(ClientCacheError::InvalidParams { parameter, .. }) => _ = reached.insert(refused(parameter)),
                Err(other) => panic!("unexpected: {other}"),
            }
        }
        let (Ok(params), Ok(other_params)) = (&one.built, &other.built) else { return };
        let (key, other_key) = (AnyKey::from(params.key()), AnyKey::from(other_params.key()));

        // K1, K2
        let same = one.settings == other.settings;
        if !same || !one.settings.is_empty() {
            reached.insert(if same { SAME } else { DIFFERENT }.to_owned());
        }
        assert_eq!(key == other_key, same, "{:?} and {:?}", one.settings, other.settings);
        assert_eq!(other_key == key, same, "equality is symmetric");
        assert_eq!(params.key() == other_params.key(), same, "typed keys are equal if erased ones are");
        if same {
            assert_eq!(hash(&key), hash(&other_key));
            assert_eq!(key.to_string(), other_key.to_string());
        }
        check_each_setting(&params.key(), &one.settings, &other.settings);
        assert_eq!(key.region().map(AsRef::as_ref), one.region());

        // K4
        is_presentable(params, "");
        is_presentable(&key, &key.to_string());
        is_presentable(&params.key(), &params.key().to_string());

        // The time of the cache is the epoch, so that about half of the expiring keys have expired.
        let cache = ClientCache::builder().time_source(StaticTimeSource::new(SystemTime::UNIX_EPOCH)).build();
        let mut client = Client::new(1);
        client.region = Some(Region::new(self.elsewhere.0.clone()));
        let inserted = cache.insert(params.key(), client).map_err(ClientCacheError::from);
        // K6, K8
        let mismatch = one.region().is_some_and(|region| region != self.elsewhere.0);
        assert_eq!(matches!(inserted, Err(ClientCacheError::ClientMismatch { .. })), mismatch);
        // E1, E2
        assert_eq!(key.expiry(), one.expiry());
        if mismatch {
            reached.insert(MISMATCH.to_owned());
        }
        let expired = one.expiry().is_some_and(|expiry| expiry <= SystemTime::UNIX_EPOCH);
        if expired {
            reached.insert(EXPIRED.to_owned());
        }
        let again = cache.insert(params.key(), Client::new(2)).map_err(ClientCacheError::from);
        assert_eq!(matches!(again, Err(ClientCacheError::CredentialsExpired { .. })), expired);
        let found = cache.try_get(&other_params.key());
        assert_eq!(found.is_ok(), same && !expired);
        for error in [inserted.err(), again.err(), found.err()].iter().flatten() {
            is_presentable(error, &error.to_string());
        }
        let label = cache.to_string();
        shows_no(SECRET, &[debug(&cache), debug(&cache.items()), label.clone()]);
        assert_eq!(label.lines().count(), if expired { 1 } else { 2 }, "{label}");
    }
}
