//! K5: what a parameter may be. The reasons never repeat the value, which might hold a secret.

use std::net::Ipv6Addr;
#[cfg(feature = "assume-role")]
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_types::app_name::AppName;

use crate::error::ClientCacheError;

/// A region becomes a label of host names. This is the rule of botocore's `validate_region_name`: up to 63
/// letters, digits and hyphens, with no hyphen at either end, and not all digits.
pub(super) fn region(region: &str) -> Result<(), ClientCacheError> {
    let invalid = |reason: &str| Err(ClientCacheError::invalid("region", reason));
    if region.is_empty() {
        return invalid("it is empty");
    }
    if region.len() > 63 || !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return invalid("it has more than 63 characters, or others than letters, digits and hyphens");
    }
    if region.starts_with('-') || region.ends_with('-') {
        return invalid("it starts or ends with a hyphen");
    }
    if region.bytes().all(|byte| byte.is_ascii_digit()) {
        return invalid("it is all digits");
    }
    Ok(())
}

/// An endpoint is parsed by the parser that the SDK will use, and must be no more than scheme, host, port and path:
/// the SDK would drop a fragment and a query silently, and userinfo is a secret in the wrong place.
pub(super) fn endpoint_url(url: &str) -> Result<(), ClientCacheError> {
    let invalid = |reason: &str| Err(ClientCacheError::invalid("endpoint_url", reason));
    if url.contains('#') {
        return invalid("it has a fragment");
    }
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return invalid("it has other characters than visible ASCII");
    }
    let Ok(uri) = url.parse::<http::Uri>() else {
        return invalid("it is not a URL");
    };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return invalid("it begins with neither http:// nor https://");
    }
    let Some(authority) = uri.authority() else {
        return invalid("it has no host");
    };
    if authority.as_str().contains('@') {
        return invalid("it has userinfo");
    }
    if !is_host(authority.host()) {
        return invalid("its host is neither a name nor an address");
    }
    let has_port = authority.as_str().len() > authority.host().len();
    if has_port && authority.port_u16().is_none() {
        return invalid("its port is not a number up to 65535");
    }
    if uri.query().is_some() {
        return invalid("it has a query");
    }
    Ok(())
}

/// What the parser lets through as a host is more than hosts.
fn is_host(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    if let Some(address) = address {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        let ends = [label.bytes().next(), label.bytes().next_back()];
        ends.iter().all(|end| end.is_some_and(|byte| byte.is_ascii_alphanumeric()))
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    host.strip_suffix('.').unwrap_or(host).split('.').all(is_label)
}

pub(super) fn app_name(name: String) -> Result<AppName, ClientCacheError> {
    AppName::new(name).map_err(|error| ClientCacheError::invalid("app_name", error.to_string()))
}

pub(super) fn credentials(credentials: &Credentials) -> Result<(), ClientCacheError> {
    let invalid = |reason: &str| Err(ClientCacheError::invalid("credentials", reason));
    if credentials.access_key_id().is_empty() {
        return invalid("the access key id is empty");
    }
    if credentials.secret_access_key().is_empty() {
        return invalid("the secret access key is empty");
    }
    Ok(())
}

/// Names that this crate gave a meaning: of a base, of a customisation.
pub(super) fn name(parameter: &'static str, name: &str) -> Result<(), ClientCacheError> {
    if name.is_empty() {
        return Err(ClientCacheError::invalid(parameter, "its name is empty"));
    }
    Ok(())
}

/// What is digested needs a key that nobody else has (K3).
pub(super) fn no_random_key(parameter: &'static str, error: getrandom::Error) -> ClientCacheError {
    let reason = format!("the operating system gave no random key to digest it: {error}");
    ClientCacheError::invalid(parameter, reason)
}

/// The limits of `AssumeRole`, as the Security Token Service documents them.
#[cfg(feature = "assume-role")]
pub(super) fn role_arn(arn: &str) -> Result<(), ClientCacheError> {
    let invalid = |reason: &str| Err(ClientCacheError::invalid("assume_role", reason));
    if arn.is_empty() {
        return invalid("the role's ARN is empty");
    }
    if !(20..=2_048).contains(&arn.len()) || !arn.bytes().all(|byte| byte.is_ascii_graphic()) {
        return invalid("the role's ARN is not 20 to 2048 visible characters");
    }
    if !arn.starts_with("arn:") || arn.split_once(":role/").is_none_or(|(_, name)| name.is_empty()) {
        return invalid("it is no ARN of a role");
    }
    Ok(())
}

#[cfg(feature = "assume-role")]
pub(super) fn session_name(name: &str) -> Result<(), ClientCacheError> {
    if (2..=64).contains(&name.len()) && is_made_of(name, "+=,.@_-") {
        return Ok(());
    }
    Err(ClientCacheError::invalid("session_name", "it is not 2 to 64 letters, digits and +=,.@_-"))
}

#[cfg(feature = "assume-role")]
pub(super) fn external_id(id: &str) -> Result<(), ClientCacheError> {
    if (2..=1_224).contains(&id.len()) && is_made_of(id, "+=,.@:/_-") {
        return Ok(());
    }
    Err(ClientCacheError::invalid("external_id", "it is not 2 to 1224 letters, digits and +=,.@:/_-"))
}

#[cfg(feature = "assume-role")]
fn is_made_of(text: &str, others: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.as_bytes().contains(&byte))
}

#[cfg(feature = "assume-role")]
pub(super) fn session_length(length: Duration) -> Result<(), ClientCacheError> {
    let invalid = |reason: &str| Err(ClientCacheError::invalid("session_length", reason));
    if !(Duration::from_mins(15)..=Duration::from_hours(12)).contains(&length) {
        return invalid("it is not 15 minutes to 12 hours");
    }
    if length.subsec_nanos() != 0 {
        return invalid("it is not in whole seconds");
    }
    Ok(())
}

#[cfg(feature = "assume-role")]
pub(super) fn policy(policy: &str) -> Result<(), ClientCacheError> {
    if policy.is_empty() {
        return Err(ClientCacheError::invalid("policy", "it is empty"));
    }
    Ok(())
}

#[cfg(feature = "assume-role")]
pub(super) fn policy_arns(arns: &[String]) -> Result<(), ClientCacheError> {
    let invalid = |reason: &str| Err(ClientCacheError::invalid("policy_arns", reason));
    if arns.len() > 10 {
        return invalid("there are more than 10");
    }
    if arns.iter().any(|arn| !arn.starts_with("arn:")) {
        return invalid("one is no ARN");
    }
    Ok(())
}

/// They are sorted by their keys.
#[cfg(feature = "assume-role")]
pub(super) fn tags(tags: &[(String, String)]) -> Result<(), ClientCacheError> {
    let invalid = |reason: &str| Err(ClientCacheError::invalid("tags", reason));
    if tags.len() > 50 {
        return invalid("there are more than 50");
    }
    let is_valid =
        |(key, value): &(String, String)| (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
    if !tags.iter().all(is_valid) {
        return invalid("a key is not 1 to 128 characters, or a value more than 256");
    }
    if tags.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return invalid("a key is repeated");
    }
    Ok(())
}
