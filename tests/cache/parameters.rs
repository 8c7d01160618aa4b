//! Rule K5: `build` refuses invalid parameters by name, and accepts valid ones.

use std::time::Duration;

use aws_client_cache::{
    AssumeRole, ClientCacheError, ClientParams, ClientParamsBuilder, Credentials, KeyedHttpClient, Session,
    SharedCredentialsProvider, WebIdentityToken,
};
use quickcheck::quickcheck;
use support::fake::{self, Fake, Proxied};

type Builder = ClientParamsBuilder<Fake>;

fn params() -> Builder {
    ClientParams::builder()
}

fn parameter(builder: Builder) -> &'static str {
    match builder.build() {
        Err(ClientCacheError::InvalidParams { parameter, .. }) => parameter,
        other => panic!("expected an invalid parameter: {other:?}"),
    }
}

// Proves K5.
#[test]
fn build_refuses_an_invalid_parameter_by_name() {
    let long = "a".repeat(64);
    for region in ["", " ", "us west", "us_west", "-us", "us-", "us-west-2.evil.example", "1234", "us-west-2/", "ü"] {
        assert_eq!(parameter(params().region(region)), "region", "{region:?}");
    }
    assert_eq!(parameter(params().region(long)), "region");
    for url in [
        "",
        "host",
        "host:80",
        "/path",
        "//host",
        "ftp://host",
        "file:///etc/passwd",
        "http://",
        "http:///path",
        "http://:80",
        "http://user@host",
        "http://user:password@host",
        "http://@host",
        "http://host?query",
        "http://host/?",
        "http://host#fragment",
        "http://host/#",
        "http://host:99999",
        "http://host:port",
        "http://host:",
        "http://ho st",
        "http://host/pa th",
        "http://host\n",
        "http://[::1",
        "http://[]",
        "http://[zz]",
        "http://*",
        "http://-",
        "http://a..b",
        "http://host/\u{2028}",
        "http://host/\u{202e}",
        "http://hö.st",
    ] {
        assert_eq!(parameter(params().endpoint_url(url)), "endpoint_url", "{url:?}");
    }
    for name in ["", "with blanks", "ünicode", "a\n"] {
        assert_eq!(parameter(params().app_name(name)), "app_name", "{name:?}");
    }
    assert_eq!(parameter(params().base("")), "base");
    assert_eq!(parameter(params().http_client(KeyedHttpClient::new("", Proxied::default()))), "http_client");
    assert_eq!(parameter(params().customize("", |builder| builder)), "customize");
    let incomplete = |id, secret| params().credentials(Credentials::new(id, secret, None, None, "test"));
    assert_eq!(parameter(incomplete("", "secret")), "credentials");
    assert_eq!(parameter(incomplete("id", "")), "credentials");
    // The SDK would panic when it signs with such a key id.
    for id in ["id\n", "\tid", "i\0d", "id\u{7f}"] {
        assert_eq!(parameter(incomplete(id, "secret")), "credentials", "{id:?}");
    }
    let with_token = Credentials::new("id", "secret", Some("token\n".to_owned()), None, "test");
    assert_eq!(parameter(params().credentials(with_token)), "credentials");
    let complete = Credentials::new("id", "secret", None, None, "test");
    let both = params().credentials(complete.clone());
    let both = both.credentials_provider(SharedCredentialsProvider::new(complete));
    assert_eq!(parameter(both), "credentials_provider");
}

// Proves K5.
#[test]
fn build_refuses_roles_beyond_the_limits_by_name() {
    let role = || AssumeRole::new("arn:aws:iam::123456789012:role/r");
    let of = |role: AssumeRole| params().assume_role(role);
    let long = |length| "a".repeat(length);
    let arn = |length: usize| format!("arn:aws:iam::1:role/{}", long(length - 20));
    let minutes = Duration::from_mins;
    let tags = |count: usize| (0..count).map(|tag| (tag.to_string(), String::new()));
    let arns = |count: usize| (0..count).map(|policy| format!("arn:{policy}"));
    let token = || WebIdentityToken::file("token");
    let by_token = || role().web_identity(token());
    let refused: [(&str, Vec<AssumeRole>); 14] = [
        ("web_identity", vec![role().web_identity(WebIdentityToken::file(""))]),
        ("source_role", vec![by_token().source_role(role())]),
        ("external_id", vec![by_token().external_id("ab")]),
        ("tags", vec![by_token().tags([("a", "1")]), role().source_role(by_token().tags([("a", "1")]))]),
        ("endpoint_url", vec![role().endpoint_url("ftp://a"), role().source_role(role().endpoint_url("a"))]),
        (
            "assume_role",
            [
                "",
                "role",
                "arn:aws:iam::1:user/r",
                "aws:iam::123456:role/r",
                "arn:aws:iam::1:role/a b",
                &arn(20),
                &arn(2_049),
            ]
            .map(AssumeRole::new)
            .into(),
        ),
        ("region", ["", "us_west"].map(|region| role().region(region)).into()),
        ("session_name", ["", "a", "a b", "a/b", "ü+", &long(65)].map(|name| role().session_name(name)).into()),
        (
            "session_length",
            [minutes(14), minutes(12 * 60 + 1), Duration::from_millis(900_500), Duration::ZERO]
                .map(|length| role().session_length(length))
                .into(),
        ),
        ("session_length", vec![role().source_role(AssumeRole::new(arn(21))).session_length(minutes(61))]),
        ("external_id", ["", "a", "a b", "a?", &long(1_225)].map(|id| role().external_id(id)).into()),
        ("policy", ["", &long(2_049), "{\u{100}}", "{\0}"].map(|policy| role().policy(policy)).into()),
        ("policy_arns", vec![role().policy_arns(arns(11)), role().policy_arns(["policy"])]),
        (
            "tags",
            vec![
                role().tags(tags(51)),
                role().tags([("", "")]),
                role().tags([(long(129), String::new())]),
                role().tags([("a", long(257))]),
                role().tags([("a", "1"), ("a", "2")]),
                role().tags([("a$", "1")]),
                role().tags([("a", "1\n")]),
            ],
        ),
    ];
    for (name, roles) in refused {
        for bad in roles {
            assert_eq!(parameter(of(bad.clone())), name, "{bad:?}");
            assert_eq!(parameter(of(role().source_role(bad.clone()))), name, "as a source: {bad:?}");
        }
    }
    let valid = [
        AssumeRole::new(arn(21)),
        AssumeRole::new(arn(2_048)),
        AssumeRole::new("arn:aws-us-gov:iam::123456789012:role/path/to/r"),
        role().session_length(minutes(60)).source_role(role().session_length(minutes(12 * 60))),
        role().session_name("a+").session_length(minutes(15)).external_id("a:"),
        role().session_name(long(64)).session_length(minutes(12 * 60)).external_id(long(1_224)),
        role().policy("{}").policy_arns(arns(10)).tags(tags(50)),
        role().tags([("ü".repeat(128), "ü".repeat(256)), ("_.:/=+-@ 1".to_owned(), "_.:/=+-@ 1".to_owned())]),
        role().policy(long(2_048)),
        role().policy("{\t\r\n \u{ff}}"),
        by_token().session_length(minutes(12 * 60)).policy("{}").policy_arns(arns(10)),
        role().source_role(by_token()).external_id("ab").tags(tags(1)),
        AssumeRole::new("arn:xxx:xxx:xxx:xxxx").endpoint_url("http://minio"),
        AssumeRole::new("urn:ecs:sts::s3:assumed-role/r/s").endpoint_url("http://ecs"),
    ];
    for role in valid {
        assert!(of(role.clone()).build().is_ok(), "{role:?}");
    }
}

// Proves K5.
#[test]
fn build_refuses_arns_of_other_implementations_without_an_endpoint() {
    for arn in ["arn:xxx:xxx:xxx:xxxx", "urn:ecs:sts::s3:assumed-role/r/s"] {
        assert_eq!(parameter(params().assume_role(AssumeRole::new(arn))), "assume_role");
        // The endpoint of another role, and that of the client, are not that of its STS.
        let source = AssumeRole::new(arn).endpoint_url("http://minio");
        let chained = AssumeRole::new(arn).source_role(source);
        assert_eq!(parameter(params().endpoint_url("http://minio").assume_role(chained)), "assume_role");
    }
    for arn in ["", "arn:too:short", "arn:xxx:xxx:xxx:x xx", &"a".repeat(2_049)] {
        let role = AssumeRole::new(arn).endpoint_url("http://minio");
        assert_eq!(parameter(params().assume_role(role)), "assume_role", "{arn}");
    }
}

// Proves K5.
#[test]
fn build_refuses_a_web_identity_with_other_credentials() {
    let by_token = AssumeRole::new("arn:aws:iam::123456789012:role/r").web_identity(WebIdentityToken::file("token"));
    let chained = AssumeRole::new("arn:aws:iam::123456789012:role/r").source_role(by_token.clone());
    for role in [by_token, chained] {
        let keys = Credentials::new("id", "secret", None, None, "test");
        let with = || params().assume_role(role.clone());
        assert_eq!(parameter(with().credentials(keys.clone())), "web_identity");
        assert_eq!(parameter(with().credentials_provider(SharedCredentialsProvider::new(keys))), "web_identity");
        assert_eq!(parameter(with().profile("name")), "web_identity");
        assert_eq!(parameter(with().anonymous()), "assume_role");
        assert!(with().build().is_ok());
    }
}

// Proves K5.
#[test]
fn build_refuses_two_sources_of_credentials() {
    type Set = fn(Builder) -> Builder;
    let sources: [(&str, Set); 3] = [
        ("credentials_provider", |builder| {
            let keys = Credentials::new("id", "secret", None, None, "test");
            builder.credentials_provider(SharedCredentialsProvider::new(keys))
        }),
        ("profile", |builder| builder.profile("name")),
        ("anonymous", Builder::anonymous),
    ];
    let keys = Credentials::new("id", "secret", None, None, "test");
    for (index, (name, second)) in sources.iter().enumerate() {
        assert_eq!(parameter(second(params().credentials(keys.clone()))), *name);
        for (_, first) in &sources[..index] {
            assert_eq!(parameter(second(first(params()))), *name);
        }
    }
    let role = AssumeRole::new("arn:aws:iam::123456789012:role/r");
    assert_eq!(parameter(params().anonymous().assume_role(role)), "assume_role");
    assert_eq!(parameter(params().profile("")), "profile");
}

#[tokio::test]
async fn a_service_without_a_switch_for_unsigned_requests_needs_none() {
    let keys = Credentials::new("id", "secret", None, None, "test");
    let base = fake::base().to_builder().credentials_provider(SharedCredentialsProvider::new(keys)).build();
    let customized = || {
        params().customize("mark", |mut builder| {
            builder.applied.push("mark".to_owned());
            builder
        })
    };
    for (builder, is_signed) in [(customized(), true), (customized().anonymous(), false)] {
        let client = builder.build().unwrap().client(&base).await.unwrap();
        let made_from = client.made_from.as_ref().expect("it is made from a configuration");
        assert_eq!(made_from.config.credentials_provider().is_some(), is_signed);
        assert_eq!(made_from.applied, ["mark"], "the rest of the configuration stays");
    }
}

// Proves T4, T10.
#[tokio::test]
async fn a_client_of_a_session_has_its_identity_cache_and_the_http_client_of_its_parameters() {
    let session = Session::new(&fake::base());
    let http_client = Proxied::default();
    let own = || Credentials::new("id", "secret", None, None, "test");
    for (builder, handles) in [
        (params().credentials(own()), 0),
        (params().credentials(own()).http_client(KeyedHttpClient::new("proxy", http_client.clone())), 1),
    ] {
        let before = http_client.handles();
        let client = session.client(&builder.build().unwrap()).await.unwrap();
        let config = &client.made_from.as_ref().expect("it is made from a configuration").config;
        assert!(config.identity_cache().is_some_and(|cache| format!("{cache:?}").contains("LeasedIdentityCache")));
        let shown = format!("{:?}", config.http_client());
        assert_eq!(usize::from(shown.contains("Proxied")), handles, "{shown}");
        assert!(http_client.handles() >= before);
    }
}

#[test]
fn build_refuses_userinfo() {
    for url in ["http://user@host", "http://user:password@host", "http://user:80@host:80", "http://@host"] {
        let error = params().endpoint_url(url).build().unwrap_err();
        assert_eq!(error.to_string(), "invalid endpoint_url: must not have userinfo", "{url:?}");
    }
}

// Proves K5.
#[test]
fn build_accepts_common_parameters() {
    for region in ["us-west-2", "auto", "local", "default", "eu-isoe-west-1", "garage", "US-1"] {
        assert!(params().region(region).build().is_ok(), "{region}");
    }
    assert!(params().region("a".repeat(63)).build().is_ok(), "the maximum length");
    for url in [
        "http://127.0.0.1:9000",
        "http://[::1]:9000",
        "https://s3.us-west-2.amazonaws.com",
        "https://vpce-1a2b3c4d.s3.us-west-2.vpce.amazonaws.com/",
        "https://host/some/path/",
        "HTTPS://host",
        "http://minio",
        "http://s3_server.local.",
    ] {
        assert!(params().endpoint_url(url).build().is_ok(), "{url}");
    }
}

quickcheck! {
    // Proves K5.
    fn no_string_makes_building_panic(text: String) -> bool {
        let all = params()
            .base(text.clone())
            .region(text.clone())
            .endpoint_url(text.clone())
            .app_name(text.clone())
            .customize_with(text.clone(), text.clone(), |builder, _| builder);
        let url = params().endpoint_url(format!("http://{text}"));
        let _ = (all.build(), url.build());
        params().base(text.clone()).build().is_ok() != text.is_empty()
    }
}
