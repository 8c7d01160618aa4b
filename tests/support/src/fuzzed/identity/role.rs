//! Roles as plain data, and the limits of `AssumeRole` on them.

use std::iter;
use std::sync::LazyLock;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use aws_client_cache::{AssumeRole, WebIdentityToken};

use super::setting::{is_bad_url, is_region};
use super::text::{SECRET, Secret, Text, UNCHECKED, free_or_known};
use super::{debug, is_presentable, shows_no};

/// One to three roles, in the order in which they are assumed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chain(Vec<Role>);

impl<'a> Arbitrary<'a> for Chain {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let mut roles = vec![u.arbitrary()?];
        while roles.len() < 3 && u.arbitrary()? {
            roles.push(u.arbitrary()?);
        }
        Ok(Self(roles))
    }
}

/// A role, without its source role.
#[derive(Arbitrary, Clone, Debug, PartialEq)]
struct Role {
    arn: Arn,
    region: Option<Text>,
    session_name: Option<SessionName>,
    session_length: Option<Length>,
    external_id: Option<ExternalId>,
    policy: Option<Secret>,
    policy_arns: PolicyArns,
    tags: Tags,
    endpoint_url: Option<Text>,
    web_identity: Option<Token>,
}

/// The path of a token file, or one of two providers of equal tokens.
#[derive(Arbitrary, Clone, Debug, PartialEq)]
enum Token {
    File(Text),
    One,
    Other,
}

static TOKENS: LazyLock<[WebIdentityToken; 2]> = LazyLock::new(|| {
    [(); 2].map(|()| WebIdentityToken::provider(|| std::future::ready(Ok::<_, std::io::Error>(SECRET.to_owned()))))
});

impl Token {
    fn source(&self) -> WebIdentityToken {
        match self {
            Self::File(path) => WebIdentityToken::file(&path.0),
            Self::One => TOKENS[0].clone(),
            Self::Other => TOKENS[1].clone(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Arn(String);

const ARNS: [&str; 10] = [
    "arn:aws:iam::1:role/a",
    "arn:aws:iam::1:role/b",
    "arn:aws-cn:iam::1:role/a",
    // The shortest valid ARN, then invalid ones.
    "arn:aws:iam:::role/a",
    "arn:aws:iam::1:role/",
    "arn:aws:iam::1:user/a",
    "aws:arn:iam::1:role/a",
    "arn:aws:iam::1:role/~unchecked~",
    "arn:aws:iam::1:role/ ~unchecked~",
    "",
];

impl<'a> Arbitrary<'a> for Arn {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let arn = free_or_known(u, &ARNS)?;
        up_to(2_048, arn, u).map(Self)
    }
}

#[derive(Clone, Debug, PartialEq)]
struct SessionName(String);

impl<'a> Arbitrary<'a> for SessionName {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let name = free_or_known(u, &["ab", "AB", "a", "", "a+=,.@_-", "a:", "a/", "a ", "~unchecked~"])?;
        up_to(64, name, u).map(Self)
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Length(Duration);

impl<'a> Arbitrary<'a> for Length {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let (seconds, nanos): (u16, u32) = (u.arbitrary()?, u.int_in_range(0..=3)?);
        let seconds = if seconds < 0xff00 { seconds } else { [899, 900, 43_200, 43_201][usize::from(seconds % 4)] };
        // Only a quarter has a fraction of a second.
        Ok(Self(Duration::new(seconds.into(), nanos / 3)))
    }
}

/// A secret string of any characters, or a string that is too short to be valid.
#[derive(Clone, Debug, PartialEq)]
struct ExternalId(String);

impl<'a> Arbitrary<'a> for ExternalId {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let id = free_or_known(u, &[SECRET, "hiddenb", "hidden+=,.@:/_-", "hidden ", "hidden~", "7", ""])?;
        let is_marked = id.chars().count() < 2 || id.contains(SECRET);
        up_to(1_224, if is_marked { id } else { format!("{SECRET}{id}") }, u).map(Self)
    }
}

#[derive(Clone, Debug)]
struct PolicyArns(Vec<String>);

impl<'a> Arbitrary<'a> for PolicyArns {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let mut arns = Vec::new();
        while u.arbitrary()? {
            arns.push(free_or_known(u, &["arn:a", "arn:b", "arn:", "ARN:a", "~unchecked~", "arn", ""])?);
        }
        let most = most(10, arns.len(), u)?;
        arns.extend((arns.len()..most).map(|n| format!("arn:{n}")));
        Ok(Self(arns))
    }
}

impl PartialEq for PolicyArns {
    fn eq(&self, other: &Self) -> bool {
        sorted(&self.0) == sorted(&other.0)
    }
}

/// Session tags. Both their keys and their values are secret.
#[derive(Clone, Debug)]
struct Tags(Vec<(String, String)>);

impl<'a> Arbitrary<'a> for Tags {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let mut tags = Vec::new();
        while u.arbitrary()? {
            let (Secret(key), Secret(value)) = u.arbitrary()?;
            tags.push((up_to(128, key, u)?, up_to(256, value, u)?));
        }
        let most = most(50, tags.len(), u)?;
        tags.extend((tags.len()..most).map(|n| (format!("{SECRET}{n}"), SECRET.to_owned())));
        Ok(Self(tags))
    }
}

impl PartialEq for Tags {
    fn eq(&self, other: &Self) -> bool {
        sorted(&self.0) == sorted(&other.0)
    }
}

fn sorted<T: Clone + Ord>(all: &[T]) -> Vec<T> {
    let mut all = all.to_vec();
    all.sort();
    all
}

/// Returns the text, sometimes extended to the limit or by one character more.
fn up_to(limit: usize, mut text: String, u: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    let length = text.chars().count();
    text.extend(iter::repeat_n('a', most(limit, length, u)?.saturating_sub(length)));
    Ok(text)
}

/// Returns the given length in most cases, sometimes the limit or one more.
fn most(limit: usize, length: usize, u: &mut Unstructured<'_>) -> arbitrary::Result<usize> {
    Ok(match u.int_in_range(0..=31)? {
        30 => limit,
        31 => limit + 1,
        _ => length,
    })
}

impl Chain {
    pub(super) fn role(&self) -> AssumeRole {
        let role = self.0.iter().fold(None, |source, role| Some(role.role(source)));
        let role = role.expect("a chain has a role");
        is_presentable(&role, "");
        if !self.0.iter().any(|role| role.arn.0.contains(UNCHECKED)) {
            shows_no(UNCHECKED, &[debug(&role)]);
        }
        role
    }

    /// Returns the invalid parameters, one of which the error names.
    pub(super) fn faults(&self) -> Vec<&'static str> {
        let is_long =
            |role: &&Role| role.session_length.as_ref().is_some_and(|length| length.0 > Duration::from_hours(1));
        let chained = self.0.iter().skip(1).filter(is_long).map(|_| "session_length");
        let by_token = self.0.iter().skip(1).filter(|role| role.web_identity.is_some()).map(|_| "source_role");
        self.0.iter().flat_map(Role::faults).chain(chained).chain(by_token).collect()
    }

    /// Returns `true` if a token assumes the first role, which excludes credentials.
    pub(super) fn is_by_token(&self) -> bool {
        self.0[0].web_identity.is_some()
    }

    pub(super) fn has_endpoint(&self) -> bool {
        self.0.iter().any(|role| role.endpoint_url.is_some())
    }

    /// Returns an equal chain, with its lists reversed.
    pub(super) fn backwards(mut self) -> Self {
        for role in &mut self.0 {
            role.policy_arns.0.reverse();
            role.tags.0.reverse();
        }
        self
    }

    /// Returns chains that differ from this one in one respect, or are equal to it.
    ///
    /// A parameter is left out, split differently, at or beyond its limit, or taken from the last role of `other`. A
    /// role is removed, repeated or moved.
    pub(super) fn variations(&self, other: Option<&Self>) -> Vec<Self> {
        let other = other.and_then(|other| other.0.last());
        let mut all = Vec::new();
        for (index, role) in self.0.iter().enumerate() {
            let with = |role: &Role| {
                let mut roles = self.0.clone();
                roles[index] = role.clone();
                Self(roles)
            };
            let taking = other.map(|other| role.taking(other)).unwrap_or_default();
            let lists = [role.less(), role.cut_elsewhere(), taking, role.at_its_limits(0), role.at_its_limits(1)];
            all.extend(lists.iter().flatten().map(with));
            let mut fewer = self.0.clone();
            fewer.remove(index);
            let mut more = self.0.clone();
            more.insert(index, role.clone());
            let mut swapped = self.0.clone();
            swapped.swap(index, 0);
            all.extend([fewer, more, swapped].into_iter().filter(|roles| !roles.is_empty()).map(Self));
        }
        all
    }
}

impl Role {
    fn role(&self, source: Option<AssumeRole>) -> AssumeRole {
        let Self {
            arn,
            region,
            session_name,
            session_length,
            external_id,
            policy,
            policy_arns,
            tags,
            endpoint_url,
            web_identity,
        } = self;
        let mut role = AssumeRole::new(&arn.0).policy_arns(&policy_arns.0).tags(tags.0.clone());
        if let Some(source) = source {
            role = role.source_role(source);
        }
        if let Some(region) = region {
            role = role.region(&region.0);
        }
        if let Some(name) = session_name {
            role = role.session_name(&name.0);
        }
        if let Some(length) = session_length {
            role = role.session_length(length.0);
        }
        if let Some(id) = external_id {
            role = role.external_id(&id.0);
        }
        if let Some(policy) = policy {
            role = role.policy(&policy.0);
        }
        if let Some(url) = endpoint_url {
            role = role.endpoint_url(&url.0);
        }
        if let Some(token) = web_identity {
            let token = token.source();
            is_presentable(&token, "");
            role = role.web_identity(token);
        }
        role
    }

    /// Returns the parameters that are beyond the limits of `AssumeRole`.
    fn faults(&self) -> impl Iterator<Item = &'static str> {
        let Self {
            arn,
            region,
            session_name,
            session_length,
            external_id,
            policy,
            policy_arns,
            tags,
            endpoint_url,
            web_identity,
        } = self;
        let all = [
            ("assume_role", !is_visible(&arn.0) || endpoint_url.is_none() && !is_role(&arn.0)),
            ("region", region.as_ref().is_some_and(|region| !is_region(&region.0))),
            ("session_name", session_name.as_ref().is_some_and(|name| !is_name(&name.0, 64, "+=,.@_-"))),
            ("session_length", session_length.as_ref().is_some_and(|length| !is_length(length.0))),
            ("external_id", external_id.as_ref().is_some_and(|id| !is_name(&id.0, 1_224, "+=,.@:/_-"))),
            ("policy", policy.as_ref().is_some_and(|policy| policy.0.is_empty())),
            ("policy_arns", policy_arns.0.len() > 10 || policy_arns.0.iter().any(|arn| !arn.starts_with("arn:"))),
            ("tags", !are_tags(&tags.0) || web_identity.is_some() && !tags.0.is_empty()),
            ("endpoint_url", endpoint_url.as_ref().is_some_and(|url| is_bad_url(&url.0))),
            ("external_id", web_identity.is_some() && external_id.is_some()),
            ("web_identity", matches!(web_identity, Some(Token::File(path)) if path.0.is_empty())),
        ];
        all.into_iter().filter_map(|(parameter, is_bad)| is_bad.then_some(parameter))
    }

    /// Returns variants that take one parameter each from `other`.
    fn taking(&self, other: &Self) -> Vec<Self> {
        // This pattern names all fields, so that a field that is not varied below is an unused variable.
        let Self {
            arn,
            region,
            session_name,
            session_length,
            external_id,
            policy,
            policy_arns,
            tags,
            endpoint_url,
            web_identity,
        } = other.clone();
        vec![
            Self { arn, ..self.clone() },
            Self { region, ..self.clone() },
            Self { session_name, ..self.clone() },
            Self { session_length, ..self.clone() },
            Self { external_id, ..self.clone() },
            Self { policy, ..self.clone() },
            Self { policy_arns, ..self.clone() },
            Self { tags, ..self.clone() },
            Self { endpoint_url, ..self.clone() },
            Self { web_identity, ..self.clone() },
        ]
    }

    /// Returns variants that leave out one parameter each.
    fn less(&self) -> Vec<Self> {
        self.taking(&Self {
            arn: self.arn.clone(),
            region: None,
            session_name: None,
            session_length: None,
            external_id: None,
            policy: None,
            policy_arns: PolicyArns(Vec::new()),
            tags: Tags(Vec::new()),
            endpoint_url: None,
            web_identity: None,
        })
    }

    /// Returns variants with one parameter each that exceeds its limit by `beyond`.
    fn at_its_limits(&self, beyond: usize) -> Vec<Self> {
        let seconds = beyond as u64;
        let long = |limit: usize| SECRET.repeat(limit).split_off(SECRET.len() * limit - limit - beyond);
        let tags = |count: usize| (0..count).map(|n| (format!("{SECRET}{n}"), String::new())).collect();
        let limits = Self {
            arn: Arn(format!("{}{}", ARNS[0], "a".repeat(2_048 - ARNS[0].len() + beyond))),
            region: Some(Text("a".repeat(63 + beyond))),
            session_name: Some(SessionName("a".repeat(64 + beyond))),
            session_length: Some(Length(Duration::from_secs(43_200 + seconds))),
            external_id: Some(ExternalId(long(1_224))),
            policy: self.policy.clone(),
            policy_arns: PolicyArns(vec!["arn:a".to_owned(); 10 + beyond]),
            tags: Tags(tags(50 + beyond)),
            endpoint_url: self.endpoint_url.clone(),
            web_identity: self.web_identity.clone(),
        };
        let mut all = self.taking(&limits);
        all.push(Self { session_length: Some(Length(Duration::from_secs(900 - seconds))), ..self.clone() });
        for (key, value) in [(128, 256 + beyond), (128 + beyond, 256)] {
            // The limits count characters, not bytes.
            let tags = Tags(vec![(format!("{SECRET}{}", "é".repeat(key - SECRET.len())), "é".repeat(value))]);
            all.push(Self { tags, ..self.clone() });
        }
        all
    }

    /// Returns variants that split the same characters differently among the parameters.
    fn cut_elsewhere(&self) -> Vec<Self> {
        let mut exchanged = self.clone();
        exchanged.external_id = self.policy.as_ref().map(|policy| ExternalId(policy.0.clone()));
        exchanged.policy = self.external_id.as_ref().map(|id| Secret(id.0.clone()));
        let mut recut = self.clone();
        for (key, value) in &mut recut.tags.0 {
            value.insert_str(0, &key.split_off(SECRET.len().min(key.len())));
        }
        let mut untagged = self.clone();
        if let (None, Some((key, _))) = (&self.policy, untagged.tags.0.pop()) {
            untagged.policy = Some(Secret(key));
        }
        vec![exchanged, recut, untagged]
    }
}

/// Returns `true` for the name of a role, of AWS or of another implementation of STS.
fn is_visible(arn: &str) -> bool {
    arn.chars().all(|char| char.is_ascii_graphic()) && (20..=2_048).contains(&arn.len())
}

/// Returns `true` for a visible name that is the ARN of a role.
fn is_role(arn: &str) -> bool {
    arn.starts_with("arn:") && arn.split_once(":role/").is_some_and(|(_, name)| !name.is_empty())
}

fn is_name(text: &str, most: usize, others: &str) -> bool {
    let allowed = |char: char| char.is_ascii_alphanumeric() || others.contains(char);
    (2..=most).contains(&text.chars().count()) && text.chars().all(allowed)
}

/// Returns `true` for whole seconds from 15 minutes to 12 hours.
fn is_length(length: Duration) -> bool {
    length.subsec_nanos() == 0 && (900..=43_200).contains(&length.as_secs())
}

fn are_tags(tags: &[(String, String)]) -> bool {
    let mut keys: Vec<_> = tags.iter().map(|(key, _)| key).collect();
    keys.sort();
    keys.dedup();
    let is_long = |text: &str, limit| text.chars().nth(limit).is_some();
    let is_bad = |(key, value): &(String, String)| key.is_empty() || is_long(key, 128) || is_long(value, 256);
    tags.len() <= 50 && keys.len() == tags.len() && !tags.iter().any(is_bad)
}
