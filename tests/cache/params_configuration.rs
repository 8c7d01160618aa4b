//! Parameters and roles that are read from a file.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use aws_client_cache::{
    AssumeRole, ClientCacheError, ClientParams, ClientParamsBuilder, ClientParamsConfig, EvictionPolicy, SessionConfig,
    WebIdentityToken,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use support::fake::Fake;

const ARN: &str = "arn:aws:iam::123456789012:role/tenant";

type Set = fn(ClientParamsBuilder<Fake>) -> ClientParamsBuilder<Fake>;

/// The fields of a configuration, each with a value and the call of the builder that it stands for.
fn fields() -> [(&'static str, Value, Set); 10] {
    [
        ("label", json!("tenant"), |builder| builder.label("tenant")),
        ("base", json!("prod"), |builder| builder.base("prod")),
        ("region", json!("us-west-2"), |builder| builder.region("us-west-2")),
        ("endpoint_url", json!("http://host/path"), |builder| builder.endpoint_url("http://host/path")),
        ("use_fips", json!(false), |builder| builder.use_fips(false)),
        ("use_dual_stack", json!(true), |builder| builder.use_dual_stack(true)),
        ("app_name", json!("billing"), |builder| builder.app_name("billing")),
        ("anonymous", json!(true), ClientParamsBuilder::anonymous),
        ("profile", json!("reports"), |builder| builder.profile("reports")),
        ("assume_role", json!({ "arn": ARN }), |builder| builder.assume_role(AssumeRole::new(ARN))),
    ]
}

type SetRole = fn(AssumeRole) -> AssumeRole;

/// The fields of a role but its ARN, likewise.
fn role_fields() -> [(&'static str, Value, SetRole); 10] {
    [
        ("source_role", json!({ "arn": ARN, "region": "eu-west-1" }), |role| {
            role.source_role(AssumeRole::new(ARN).region("eu-west-1"))
        }),
        ("web_identity_token_file", json!("/run/token"), |role| {
            role.web_identity(WebIdentityToken::file("/run/token"))
        }),
        ("region", json!("us-west-2"), |role| role.region("us-west-2")),
        ("endpoint_url", json!("http://sts"), |role| role.endpoint_url("http://sts")),
        ("session_name", json!("name"), |role| role.session_name("name")),
        ("session_length", json!("30m"), |role| role.session_length(Duration::from_mins(30))),
        ("external_id", json!("hidden"), |role| role.external_id("hidden")),
        ("policy", json!("{}"), |role| role.policy("{}")),
        ("policy_arns", json!(["arn:b", "arn:a"]), |role| role.policy_arns(["arn:a", "arn:b"])),
        ("tags", json!({ "b": "2", "a": "1" }), |role| role.tags([("a", "1"), ("b", "2")])),
    ]
}

fn read(file: Value) -> ClientParamsConfig {
    serde_json::from_value(file).unwrap()
}

fn build(file: Value) -> Result<ClientParams<Fake>, ClientCacheError> {
    ClientParams::builder().config(&read(file)).build()
}

/// Returns an object with these fields.
fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Returns the error of a file that cannot be read.
fn refused(file: Value) -> String {
    serde_json::from_value::<ClientParamsConfig>(file).unwrap_err().to_string()
}

// Proves K1, K2.
#[test]
fn each_field_stands_for_the_method_of_its_name() {
    let fields = fields();
    for (name, value, set) in &fields {
        let built = set(ClientParams::builder()).build().unwrap();
        assert_eq!(build(object([(*name, value.clone())])).unwrap().key(), built.key(), "{name}");
    }
    let together = || fields.iter().filter(|(name, ..)| !["anonymous", "profile"].contains(name));
    let all = object(together().map(|(name, value, _)| (*name, value.clone())));
    let built = together().fold(ClientParams::builder(), |builder, (_, _, set)| set(builder));
    assert_eq!(build(all).unwrap().key(), built.build().unwrap().key());
    assert_eq!(build(json!({})).unwrap().key(), ClientParams::builder().build().unwrap().key());
}

#[test]
fn a_configuration_may_be_flattened() {
    #[derive(serde::Deserialize)]
    struct Tenant {
        name: String,
        #[serde(flatten)]
        params: ClientParamsConfig,
    }
    for (name, value, set) in fields() {
        let file = object([("name", json!("tenant")), (name, value)]);
        let tenant: Tenant = serde_json::from_value(file).unwrap();
        let built = ClientParams::builder().config(&tenant.params).build().unwrap();
        assert_eq!(
            (tenant.name.as_str(), built.key()),
            ("tenant", set(ClientParams::builder()).build().unwrap().key())
        );
    }
}

#[test]
fn the_label_is_known_before_the_parameters_are_built() {
    assert_eq!(read(json!({ "region": "" })).label(), None);
    assert_eq!(read(json!({ "label": "tenant", "region": "" })).label(), Some("tenant"));
}

#[test]
fn each_field_of_a_role_stands_for_the_method_of_its_name() {
    let role = |field: &str, value: &Value| json!({ "arn": ARN, field: value });
    for (name, value, set) in role_fields() {
        let read: AssumeRole = serde_json::from_value(role(name, &value)).unwrap();
        assert!(read == set(AssumeRole::new(ARN)) && read != AssumeRole::new(ARN), "{name}");
    }
    let source = include_str!("../../src/params/assume_role.rs");
    let methods = source.lines().filter_map(|line| line.trim().strip_prefix("pub fn ")?.split_once("(mut self"));
    let methods: BTreeSet<&str> = methods.map(|(name, _)| name).collect();
    let named = |name: &'static str| name.strip_suffix("_token_file").unwrap_or(name);
    assert_eq!(methods, role_fields().map(|(name, ..)| named(name)).into(), "a method lacks its field");
}

#[test]
fn a_configuration_changes_only_what_it_sets() {
    let tenant = read(json!({ "region": "us-west-2" }));
    let builder = || ClientParams::<Fake>::builder().use_fips(true).region("us-east-1");
    let expected = builder().region("us-west-2").build().unwrap();
    assert_eq!(builder().config(&tenant).build().unwrap().key(), expected.key());
    assert_eq!(
        builder().config(&read(json!({ "anonymous": false }))).build().unwrap().key(),
        builder().build().unwrap().key()
    );
    // What is set later wins.
    let later = builder().config(&tenant).region("us-east-1").build().unwrap();
    assert_eq!(later.key(), builder().build().unwrap().key());
}

#[test]
fn unknown_and_missing_fields_are_refused_by_name() {
    let role = |field: &str, value: Value| json!({ "assume_role": { "arn": ARN, field: value } });
    for (file, named) in [
        (json!({ "regoin": "us-west-2" }), "unknown field `regoin`, expected one of `label`, `base`, `region`, "),
        (json!([]), "invalid type: sequence, expected the parameters of a client"),
        (json!({ "role": ARN }), "unknown field `role`"),
        (json!({ "use-fips": true }), "unknown field `use-fips`"),
        (json!({ "assume_role": ARN }), "invalid type: string"),
        (role("session-name", json!("ab")), "unknown field `session-name`"),
        (role("source_role", json!({ "arn": ARN, "name": "a" })), "unknown field `name`"),
        (role("session_length", json!("soon")), "expected"),
        (json!({ "use_fips": "yes" }), "invalid type: string \"yes\", expected a boolean"),
    ] {
        let error = refused(file.clone());
        assert!(error.contains(named), "{file}: {error}");
        assert!(!error.contains("secret"), "the fields for secrets are not offered: {error}");
    }
    let file = format!("[assume_role]\narn = '{ARN}'\nregoin = 'us-west-2'");
    let error = toml::from_str::<ClientParamsConfig>(&file).unwrap_err().to_string();
    assert!(error.contains("line 3, column 1"), "{error}");
}

// Proves K5.
#[test]
fn invalid_values_are_refused_when_the_parameters_are_built() {
    let role = |field: &str, value: Value| json!({ "assume_role": { "arn": ARN, field: value } });
    for (file, named) in [
        (json!({ "region": "" }), "region"),
        (json!({ "endpoint_url": "http://a?b" }), "endpoint_url"),
        (json!({ "profile": "a", "anonymous": true }), "anonymous"),
        (json!({ "assume_role": { "arn": "tenant" } }), "assume_role"),
        (json!({ "assume_role": { "region": "us-west-2" } }), "assume_role"),
        (role("session_length", json!("1m")), "session_length"),
        (role("session_name", json!("a b")), "session_name"),
        (role("source_role", json!({ "arn": ARN, "policy": "" })), "policy"),
        (json!({ "assume_role": { "arn": ARN, "web_identity_token_file": "a", "tags": { "a": "b" } } }), "tags"),
    ] {
        let error = build(file.clone()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("invalid {named}: ")), "{file}: {error}");
    }
}

type Strings = &'static [&'static str];

/// Reads a file as TOML and as JSON, and returns the error of `build`, which is the same for both.
fn refused_by_build<T: DeserializeOwned>(
    file: &str,
    set: fn(ClientParamsBuilder<Fake>, T) -> ClientParamsBuilder<Fake>,
) -> String {
    let json = toml::from_str::<Value>(file).unwrap().to_string();
    let json = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
    let toml = toml::from_str(file).unwrap_or_else(|error| panic!("{error}"));
    let [toml, json] = [toml, json].map(|read| set(ClientParams::builder(), read).build().expect_err(file));
    assert_eq!(format!("{toml:?}"), format!("{json:?}"), "{file}");
    assert!(!format!("{toml:?}").contains("hidden"), "{toml:?}");
    toml.to_string()
}

// Proves K4, K5.
#[test]
fn secrets_in_a_file_are_refused_by_name_and_never_shown() {
    const SECRET: &str =
        "must not be in a configuration: name a profile, or set credentials or a provider in the program";
    const TOKEN: &str = "must not be in a configuration: name a web_identity_token_file";
    const MISPLACED: &str = "is misspelled, or in the wrong table";
    // The beginnings of files, up to the field.
    const TOP: Strings = &[""];
    const ROLES: Strings = &["[assume_role]\n", "[assume_role]\n[assume_role.source_role]\n"];
    const ALL: Strings = &[TOP[0], ROLES[0], ROLES[1]];
    const ANY: Strings = &["'hidden'", "['hidden']", "{ hidden = 'hidden' }", "314159", "1999-12-31"];
    const NO_STRING: Strings = &["['hidden']", "{ hidden = 'hidden' }", "314159", "1999-12-31"];
    const NO_TABLE: Strings = &["'hidden'", "['hidden']", "{ hidden = 314159 }", "314159"];
    // The parameter, the reason, the spellings of the field, its values, and its tables.
    let cases: [(&str, &str, Strings, Strings, Strings); 19] = [
        ("credentials", SECRET, &["credentials"], ANY, ALL),
        ("access_key_id", SECRET, &["access_key_id", "access-key", "aws_access_key_id", "accessKeyId"], ANY, ALL),
        (
            "secret_access_key",
            SECRET,
            &["secret_access_key", "secret_key", "AWS_SECRET_ACCESS_KEY", "Secret"],
            ANY,
            ALL,
        ),
        ("session_token", SECRET, &["session_token", "security_token", "aws-session-token"], ANY, ALL),
        ("session_token", SECRET, &["Token", "bearer_token"], ANY, ALL),
        ("web_identity", TOKEN, &["web_identity", "webIdentityToken"], ANY, ALL),
        ("external_id", MISPLACED, &["externalid", "external-id", "ExternalId"], ANY, ALL),
        ("policy", MISPLACED, &["Policy"], ANY, ALL),
        ("tags", MISPLACED, &["Tags"], ANY, ALL),
        ("assume_role", MISPLACED, &["assume-role", "AssumeRole"], ANY, ALL),
        ("source_role", MISPLACED, &["source-role", "sourceRole"], ANY, ALL),
        ("external_id", MISPLACED, &["external_id"], ANY, TOP),
        ("policy", MISPLACED, &["policy"], ANY, TOP),
        ("tags", MISPLACED, &["tags"], ANY, TOP),
        ("source_role", MISPLACED, &["source_role"], ANY, TOP),
        ("assume_role", MISPLACED, &["assume_role"], ANY, ROLES),
        ("external_id", "must be a string", &["external_id"], NO_STRING, ROLES),
        ("policy", "must be a string", &["policy"], NO_STRING, ROLES),
        ("tags", "must be a table of strings", &["tags"], NO_TABLE, ROLES),
    ];
    for (parameter, reason, names, values, tables) in cases {
        let expected = format!("invalid {parameter}: {reason}");
        let fields = names.iter().flat_map(|name| values.iter().map(move |value| format!("{name} = {value}")));
        for file in fields.flat_map(|field| tables.iter().map(move |table| format!("{table}{field}"))) {
            let error = refused_by_build(&file, |builder, config: ClientParamsConfig| builder.config(&config));
            assert_eq!(error, expected, "{file}");
            if let Some(role) = file.strip_prefix("[assume_role]\n") {
                let role = role.replace("[assume_role.", "[");
                assert_eq!(refused_by_build(&role, ClientParamsBuilder::assume_role), expected, "{role}");
            }
        }
    }
    let role = json!({ "arn": ARN, "external_id": "hidden", "policy": "hidden", "tags": { "hidden": "hidden" } });
    let config = read(json!({ "assume_role": role, "endpoint_url": "http://hidden@host" }));
    assert_eq!(format!("{config:?}"), "ClientParamsConfig");
    let builder = ClientParams::<Fake>::builder().config(&config);
    let shown = format!("{config:?} {builder:?}");
    let error = builder.build().unwrap_err();
    let shown = format!("{shown} {error} {error:?}");
    assert!(!shown.contains("hidden"), "{shown}");
}

// The limits that SECURITY.md names.
#[test]
fn a_parser_shows_the_line_of_a_syntax_error_and_of_another_field() {
    let role = |fields: &str| format!("[assume_role]\narn = '{ARN}'\n{fields}");
    for (fields, is_shown) in [
        ("external_id = 'hidden", true),
        ("source_role = { arn = 7, external_id = 'hidden' }", true),
        ("external_id = 'hidden'\nsession_length = 7", false),
    ] {
        let error = toml::from_str::<ClientParamsConfig>(&role(fields)).unwrap_err().to_string();
        assert_eq!(error.contains("hidden"), is_shown, "{error}");
    }
}

// Proves K5.
#[test]
fn tags_of_a_file_are_refused_as_those_of_the_builder() {
    let repeated = r#"{ "tenant": "7", "tenant": "8" }"#;
    let role: AssumeRole = serde_json::from_str(&format!(r#"{{ "arn": "{ARN}", "tags": {repeated} }}"#)).unwrap();
    let error = ClientParams::<Fake>::builder().assume_role(role).build().unwrap_err();
    assert_eq!(error.to_string(), "invalid tags: keys must differ");
    // The parser of TOML passes a date on as a table.
    let file = format!("arn = '{ARN}'\ntags = 1999-12-31");
    let error = refused_by_build(&file, ClientParamsBuilder::assume_role);
    assert_eq!(error, "invalid tags: must consist of letters, digits, spaces and _.:/=+-@");
}

/// Returns the names in backquotes of a text.
fn quoted(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Returns the names of all fields, as the error of an unknown field lists them.
fn known<T: DeserializeOwned + Debug>(file: Value) -> BTreeSet<String> {
    let error = serde_json::from_value::<T>(file).unwrap_err().to_string();
    quoted(error.split_once("unknown field `unknown`, expected one of ").expect("it lists the fields").1)
}

/// Returns the names of the fields in a table, and of those that the comment at its end calls optional.
fn documented(block: &str, table: &str) -> BTreeSet<String> {
    let (_, text) = block.split_once(&format!("{table}\n")).expect("the block has the table");
    let text = text.split("\n\n").next().unwrap();
    let (fields, optional) = text.split_once("# optional: ").expect("the comment follows the fields");
    let fields = fields.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let optional = optional.replace("\n# ", " ").replace(" and ", ", ");
    fields.chain(optional.trim().split(", ")).map(str::to_owned).collect()
}

#[test]
fn the_table_in_the_guide_names_every_parameter() {
    let sources = [include_str!("../../src/params/params_builder.rs"), include_str!("../../src/params/customize.rs")];
    let methods = sources.iter().flat_map(|source| source.split("    pub fn ").skip(1));
    let methods = methods.filter_map(|method| method.split_once(['(', '<'])).map(|(name, _)| name.to_owned());
    let methods: BTreeSet<_> = methods.filter(|name| !["config", "build"].contains(&&**name)).collect();
    let guide = include_str!("../../docs/GUIDE.md");
    let (_, table) = guide.split_once("| parameter | sets |").expect("the guide has the table");
    let rows = table.lines().skip(2).take_while(|row| row.starts_with('|'));
    let named: BTreeSet<_> = rows.flat_map(|row| quoted(row.split('|').nth(1).unwrap())).collect();
    assert_eq!(named, methods);
}

/// The configuration of the example in GUIDE.md.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {
    session: SessionConfig,
    tenant: Vec<ClientParamsConfig>,
}

#[test]
fn the_file_in_the_guide_is_valid_and_names_every_field() {
    let guide = include_str!("../../docs/GUIDE.md").replace('\r', "");
    let blocks = guide.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let [block] = *blocks.filter(|block| block.contains("[session]\n")).collect::<Vec<_>>() else {
        panic!("one block has the table");
    };
    let Configuration { session, tenant } = toml::from_str(block).unwrap();
    assert_eq!((session.policy, session.max_size), (EvictionPolicy::Lfu, 200));
    assert_eq!(session.scope_idle_timeout, Duration::from_mins(15));
    let [tenant] = &*tenant else { panic!("{tenant:?}") };
    let role = AssumeRole::new(ARN.replace("role/tenant", "role/tenant-7")).external_id("as-agreed-with-tenant-7");
    let expected = ClientParams::<Fake>::builder().label("tenant-7").region("eu-central-1").assume_role(role);
    let built = ClientParams::<Fake>::builder().config(tenant).build().unwrap();
    assert_eq!(built.key(), expected.build().unwrap().key());

    assert_eq!(documented(block, "[session]"), known::<SessionConfig>(json!({ "unknown": 0 })));
    let mut of_tenant = documented(block, "[[tenant]]");
    assert!(of_tenant.insert("assume_role".to_owned()), "a table of its own");
    assert_eq!(of_tenant, known::<ClientParamsConfig>(json!({ "unknown": 0 })));
    assert_eq!(documented(block, "[tenant.assume_role]"), known::<AssumeRole>(json!({ "arn": ARN, "unknown": 0 })));
}

/// A tenant whose parameters are not in a field of their own.
#[derive(Debug, Deserialize)]
struct Flattened {
    #[expect(dead_code, reason = "a field next to the parameters")]
    name: String,
    #[serde(flatten)]
    client: ClientParamsConfig,
}

// If this fails, `serde` has learned to refuse them, and GUIDE.md need not advise against `flatten` anymore.
#[test]
fn a_flattened_configuration_would_ignore_misspelled_fields_and_secrets() {
    for extra in ["regoin", "secret_access_key"] {
        let file = json!({ "name": "tenant", "region": "us-west-2", extra: "hidden" });
        let tenant: Flattened = serde_json::from_value(file).unwrap();
        let built = ClientParams::<Fake>::builder().config(&tenant.client).build().unwrap();
        assert_eq!(built.key(), build(json!({ "region": "us-west-2" })).unwrap().key(), "{extra} is ignored");
    }
}
