//! Validation of parameters.

// K5. The reasons never repeat the value, which might contain a secret.

use std::net::Ipv6Addr;
#[cfg(feature = "assume-role")]
use std::path::Path;
#[cfg(feature = "assume-role")]
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_types::app_name::AppName;

use crate::error::ClientCacheError;

/// Validates a region, which becomes a label of host names.
///
/// This is the rule of botocore's `validate_region_name`.
pub(super) fn region(region: &str) -> Result<(), ClientCacheError> {
    let invalid = |reason: &str| Err(ClientCacheError::invalid("region", reason));
    if region.is_empty() {
        return invalid("must not be empty");
    }
    if region.len() > 63 || !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return invalid("must be at most 63 letters, digits and hyphens");
    }
    if region.starts_with('-') || region.ends_with('-') {
        return invalid("must not start or end with a hyphen");
    }
    if region.bytes().all(|byte| byte.is_ascii_digit()) {
        return invalid("must not consist of digits only");
    }
    Ok(())
}

/// Validates an endpoint, which may consist of scheme, host, port and path only.
///
/// The SDK would silently drop a fragment or a query, and userinfo would be a secret in the wrong place. The parser is the
/// one that the SDK uses.
pub(super) fn endpoint_url(url: &str) -> Result<(), ClientCacheError> {
    let invalid = |reason: &str| Err(ClientCacheError::invalid("endpoint_url", reason));
    if url.contains('#') {
        return invalid("must not have a fragment");
    }
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return invalid("must consist of visible ASCII characters");
    }
    let Ok(uri) = url.parse::<http::Uri>() else {
        return invalid("must be a URL");
    };
    // A URL with a scheme has a host, or else it is not parsed.
    let (Some("http" | "https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return invalid("must begin with http:// or https://");
    };
    if authority.as_str().contains('@') {
        return invalid("must not have userinfo");
    }
    if !is_host(authority.host()) {
        return invalid("the host must be a name or an address");
    }
    let has_port = authority.as_str().len() > authority.host().len();
    if has_port && authority.port_u16().is_none() {
        return invalid("the port must be a number up to 65535");
    }
    if uri.query().is_some() {
        return invalid("must not have a query");
    }
    Ok(())
}

/// Returns `true` for host names and addresses.
///
/// The parser accepts more.
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
        return invalid("the access key id must not be empty");
    }
    if credentials.secret_access_key().is_empty() {
        return invalid("the secret access key must not be empty");
    }
    credential_headers(credentials).or_else(invalid)
}

/// Validates the parts of credentials that requests show in their headers. Returns a reason.
///
/// The SDK panics when it signs with a key id that no header can contain, such as one that ends with a line feed.
pub(crate) fn credential_headers(credentials: &Credentials) -> Result<(), &'static str> {
    let has_control = |text: &str| text.bytes().any(|byte| byte.is_ascii_control());
    if has_control(credentials.access_key_id()) {
        return Err("the access key id must not contain control characters");
    }
    if credentials.session_token().is_some_and(has_control) {
        return Err("the session token must not contain control characters");
    }
    Ok(())
}

/// Validates the name of a base configuration, a profile or a customization.
pub(super) fn name(parameter: &'static str, name: &str) -> Result<(), ClientCacheError> {
    if name.is_empty() {
        return Err(ClientCacheError::invalid(parameter, "the name must not be empty"));
    }
    Ok(())
}

/// Returns a function that turns the error of a digest without a random key into that of a parameter.
// K3
pub(super) fn no_random_key(parameter: &'static str) -> impl FnOnce(getrandom::Error) -> ClientCacheError {
    move |error| {
        let reason = format!("the operating system provided no random key: {error}");
        ClientCacheError::invalid(parameter, reason)
    }
}

/// Validates the ARN of a role.
///
/// These limits and the following ones are those that STS documents for `AssumeRole`. Another implementation of STS may have
/// names of its own, such as `arn:xxx:xxx:xxx:xxxx` or `urn:…`.
#[cfg(feature = "assume-role")]
pub(super) fn role_arn(arn: &str, is_of_aws: bool) -> Result<(), ClientCacheError> {
    let invalid = |reason: &str| Err(ClientCacheError::invalid("assume_role", reason));
    if arn.is_empty() {
        return invalid("the role ARN must not be empty");
    }
    if !(20..=2_048).contains(&arn.len()) || !arn.bytes().all(|byte| byte.is_ascii_graphic()) {
        return invalid("the role ARN must be 20 to 2048 visible characters");
    }
    if is_of_aws && (!arn.starts_with("arn:") || arn.split_once(":role/").is_none_or(|(_, name)| name.is_empty())) {
        return invalid("must be the ARN of a role");
    }
    Ok(())
}

/// Returns `false` if a role belongs to another partition of AWS than a region.
///
/// A partition that AWS does not have contains every region.
#[cfg(feature = "assume-role")]
pub(super) fn is_in_partition_of(role_arn: &str, region: &str) -> bool {
    const PARTITIONS: [(&str, &str); 7] = [
        ("aws-cn", "cn-"),
        ("aws-us-gov", "us-gov-"),
        ("aws-iso", "us-iso-"),
        ("aws-iso-b", "us-isob-"),
        ("aws-iso-e", "eu-isoe-"),
        ("aws-iso-f", "us-isof-"),
        ("aws-eusc", "eusc-"),
    ];
    let of_region = PARTITIONS.iter().find(|(_, prefix)| region.starts_with(prefix)).map_or("aws", |(name, _)| name);
    let of_role = role_arn.split(':').nth(1).unwrap_or_default();
    let is_known = of_role == "aws" || PARTITIONS.iter().any(|(name, _)| *name == of_role);
    !is_known || of_role == of_region
}

/// Validates the path of a file with a token.
#[cfg(feature = "assume-role")]
pub(super) fn token_file(path: &Path) -> Result<(), ClientCacheError> {
    if path.as_os_str().is_empty() {
        return Err(ClientCacheError::invalid("web_identity", "the path of the token file must not be empty"));
    }
    Ok(())
}

#[cfg(feature = "assume-role")]
pub(super) fn session_name(name: &str) -> Result<(), ClientCacheError> {
    if (2..=64).contains(&name.len()) && is_made_of(name, "+=,.@_-") {
        return Ok(());
    }
    Err(ClientCacheError::invalid("session_name", "must be 2 to 64 letters, digits and +=,.@_-"))
}

#[cfg(feature = "assume-role")]
pub(super) fn external_id(id: &str) -> Result<(), ClientCacheError> {
    if (2..=1_224).contains(&id.len()) && is_made_of(id, "+=,.@:/_-") {
        return Ok(());
    }
    Err(ClientCacheError::invalid("external_id", "must be 2 to 1224 letters, digits and +=,.@:/_-"))
}

#[cfg(feature = "assume-role")]
fn is_made_of(text: &str, others: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.as_bytes().contains(&byte))
}

#[cfg(feature = "assume-role")]
pub(super) fn session_length(length: Duration) -> Result<(), ClientCacheError> {
    let invalid = |reason: &str| Err(ClientCacheError::invalid("session_length", reason));
    if !(Duration::from_mins(15)..=Duration::from_hours(12)).contains(&length) {
        return invalid("must be between 15 minutes and 12 hours");
    }
    if length.subsec_nanos() != 0 {
        return invalid("must be in whole seconds");
    }
    Ok(())
}

#[cfg(feature = "assume-role")]
pub(super) fn policy(policy: &str) -> Result<(), ClientCacheError> {
    let invalid = |reason: &str| Err(ClientCacheError::invalid("policy", reason));
    if policy.is_empty() {
        return invalid("must not be empty");
    }
    if policy.chars().count() > 2_048 {
        return invalid("must be at most 2048 characters");
    }
    if !policy.chars().all(|char| matches!(char, ' '..='\u{ff}' | '\t' | '\n' | '\r')) {
        return invalid("must consist of characters up to U+00FF, without control characters");
    }
    Ok(())
}

#[cfg(feature = "assume-role")]
pub(super) fn policy_arns(arns: &[String]) -> Result<(), ClientCacheError> {
    let invalid = |reason: &str| Err(ClientCacheError::invalid("policy_arns", reason));
    if arns.len() > 10 {
        return invalid("must be at most 10");
    }
    if arns.iter().any(|arn| !arn.starts_with("arn:")) {
        return invalid("each must be an ARN");
    }
    Ok(())
}

/// Validates tags, which must be sorted by key.
#[cfg(feature = "assume-role")]
pub(super) fn tags(tags: &[(String, String)]) -> Result<(), ClientCacheError> {
    let invalid = |reason: &str| Err(ClientCacheError::invalid("tags", reason));
    if tags.len() > 50 {
        return invalid("must be at most 50");
    }
    let is_valid =
        |(key, value): &(String, String)| (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
    if !tags.iter().all(is_valid) {
        return invalid("keys must be 1 to 128 characters, and values at most 256");
    }
    let is_allowed = |char: char| !char.is_ascii() || char.is_ascii_alphanumeric() || " _.:/=+-@".contains(char);
    if !tags.iter().all(|(key, value)| key.chars().chain(value.chars()).all(is_allowed)) {
        return invalid("must consist of letters, digits, spaces and _.:/=+-@");
    }
    if tags.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return invalid("keys must differ");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Proves K3, K5: the operating system of the tests always has a random key.
    #[test]
    fn a_lack_of_random_keys_is_an_error_of_the_parameter() {
        let error = no_random_key("credentials")(getrandom::Error::UNSUPPORTED);
        let reason = format!("the operating system provided no random key: {}", getrandom::Error::UNSUPPORTED);
        assert_eq!(error.to_string(), format!("invalid credentials: {reason}"));
    }
}
