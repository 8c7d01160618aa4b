//! The calls that assume a role: every setting reaches the Security Token Service.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_client_cache::{AssumeRole, S3, WebIdentityToken};
use fastrand::Rng;
use support::cloud::Cloud;

use crate::tenancy::{call, cloud, params, role};

/// The name of the role.
const ROLE: &str = "tenant";

/// A setting of [`AssumeRole`], and the fields of the request by which the service sees it.
struct Setting {
    /// The method that sets it.
    name: &'static str,
    /// Sets a random value, and adds the fields and the values that are expected.
    set: fn(AssumeRole, &mut Rng, &mut BTreeMap<String, String>) -> AssumeRole,
}

/// The settings that cannot be combined with a web identity.
const NOT_BY_TOKEN: [&str; 3] = ["source_role", "external_id", "tags"];

/// All settings. The region, the signer and the URI are not form fields, and have lower-case names.
const SETTINGS: [Setting; 10] = [
    Setting {
        name: "web_identity",
        set: |role, rng, expected| {
            let token = text(rng, "WebIdentityToken", expected);
            expected.insert("Action".to_owned(), "AssumeRoleWithWebIdentity".to_owned());
            expected.remove("signer");
            role.web_identity(WebIdentityToken::provider(move || {
                std::future::ready(Ok::<_, std::io::Error>(token.clone()))
            }))
        },
    },
    Setting {
        name: "source_role",
        set: |role, rng, expected| {
            let source = format!("source-{}", word(rng));
            expected.insert("signer".to_owned(), format!("{source} by base"));
            role.source_role(crate::tenancy::role(&source))
        },
    },
    Setting {
        name: "region",
        set: |role, rng, expected| {
            let region = ["eu-west-1", "ap-south-1", "sa-east-1"][rng.usize(..3)];
            expected.insert("region".to_owned(), region.to_owned());
            expected.insert("uri".to_owned(), format!("https://sts.{region}.amazonaws.com/"));
            role.region(region)
        },
    },
    Setting {
        name: "endpoint_url",
        set: |role, rng, expected| {
            let url = format!("http://{}.example/", word(rng).to_lowercase());
            expected.insert("uri".to_owned(), url.clone());
            role.endpoint_url(url)
        },
    },
    Setting {
        name: "session_name",
        set: |role, rng, expected| role.session_name(text(rng, "RoleSessionName", expected)),
    },
    Setting {
        name: "session_length",
        set: |role, rng, expected| {
            let seconds = rng.u64(900..=3_600);
            expected.insert("DurationSeconds".to_owned(), seconds.to_string());
            role.session_length(Duration::from_secs(seconds))
        },
    },
    Setting { name: "external_id", set: |role, rng, expected| role.external_id(text(rng, "ExternalId", expected)) },
    Setting {
        name: "policy",
        set: |role, rng, expected| {
            let policy = format!("{{\"Version\": \"2012-10-17\", \"Id\": \"{}\"}}", word(rng));
            expected.insert("Policy".to_owned(), policy.clone());
            role.policy(policy)
        },
    },
    Setting {
        name: "policy_arns",
        set: |role, rng, expected| {
            let arns: BTreeSet<String> =
                (0..rng.usize(1..=3)).map(|_| format!("arn:aws:iam::aws:policy/{}", word(rng))).collect();
            for (number, arn) in arns.iter().enumerate() {
                expected.insert(format!("PolicyArns.member.{}.arn", number + 1), arn.clone());
            }
            role.policy_arns(arns)
        },
    },
    Setting {
        name: "tags",
        set: |role, rng, expected| {
            let tags: BTreeMap<String, String> = (0..rng.usize(1..=3)).map(|_| (word(rng), word(rng))).collect();
            for (number, (key, value)) in tags.iter().enumerate() {
                expected.insert(format!("Tags.member.{}.Key", number + 1), key.clone());
                expected.insert(format!("Tags.member.{}.Value", number + 1), value.clone());
            }
            role.tags(tags)
        },
    },
];

fn word(rng: &mut Rng) -> String {
    (0..8).map(|_| rng.alphanumeric()).collect()
}

/// Returns a random value that is expected in `field`.
fn text(rng: &mut Rng, field: &str, expected: &mut BTreeMap<String, String>) -> String {
    let value = word(rng);
    expected.insert(field.to_owned(), value.clone());
    value
}

/// Returns all fields of the last call of `AssumeRole`.
fn sent(cloud: &Cloud) -> BTreeMap<String, String> {
    let call = cloud.last_assumed();
    let mut fields = call.form;
    fields.extend(call.signer.map(|signer| ("signer".to_owned(), signer)));
    fields.extend(call.region.map(|region| ("region".to_owned(), region)));
    fields.insert("uri".to_owned(), call.uri);
    fields
}

// Proves K1, T16.
#[tokio::test]
async fn every_setting_of_a_role_and_no_other_is_sent() {
    for seed in 0..300 {
        let mut rng = Rng::with_seed(seed);
        let (cloud, session) = cloud();
        let mut expected = BTreeMap::from(
            [
                ("Action", "AssumeRole"),
                ("Version", "2011-06-15"),
                ("RoleArn", "arn:aws:iam::123456789012:role/tenant"),
                ("region", "us-east-1"),
                ("uri", "https://sts.us-east-1.amazonaws.com/"),
                ("signer", "base"),
            ]
            .map(|(field, value)| (field.to_owned(), value.to_owned())),
        );
        let (mut tenant, mut names) = (role(ROLE), Vec::new());
        for Setting { name, set } in &SETTINGS {
            if rng.bool() && !(names.contains(&"web_identity") && NOT_BY_TOKEN.contains(name)) {
                tenant = set(tenant, &mut rng, &mut expected);
                names.push(*name);
            }
        }
        if names.contains(&"web_identity") {
            expected.remove("region"); // The region of a signature.
        }
        let params = params::<S3>().assume_role(tenant).build().unwrap();
        call(&session.client(&params).await.unwrap()).await;
        let mut sent = sent(&cloud);
        if !names.contains(&"session_name") {
            let default = sent.remove("RoleSessionName").expect("the service requires a name");
            assert!(!default.is_empty(), "seed {seed}");
        }
        assert_eq!(sent, expected, "seed {seed}, with {names:?}");
    }
}

#[test]
fn the_settings_are_all_methods_of_the_builder() {
    let source = include_str!("../../src/params/assume_role.rs");
    let methods = source.lines().filter_map(|line| line.trim().strip_prefix("pub fn ")?.split_once("(mut self"));
    let methods: BTreeSet<&str> = methods.map(|(name, _)| name).collect();
    assert_eq!(methods, SETTINGS.iter().map(|setting| setting.name).collect());
}
