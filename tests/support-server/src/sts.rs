//! The calls `AssumeRole`, `AssumeRoleWithWebIdentity` and `GetCallerIdentity` of STS.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use http::{Extensions, HeaderMap, Method, StatusCode, Uri};
use s3s::route::S3Route;
use s3s::{Body, S3Request, S3Response, S3Result};

use crate::faults::Faults;
use crate::identities::{Caller, Identities};
use crate::request_log::{AssumeRoleCall, RequestLog};

/// The maximum size of a call. Real calls are much smaller.
const LONGEST_FORM: usize = 100_000;

/// The ARN in the documentation of `MinIO`, which names no role. Nor does the answer to it.
const NO_ROLE: &str = "arn:xxx:xxx:xxx:xxxx";

const BY_TOKEN: &str = "AssumeRoleWithWebIdentity";

/// The account of callers that are not roles.
const USERS_ACCOUNT: &str = "123456789012";

#[derive(Debug)]
pub(crate) struct StsRoute {
    identities: Identities,
    seen: RequestLog,
    faults: Faults,
}

impl StsRoute {
    pub(crate) fn new(identities: Identities, seen: RequestLog, faults: Faults) -> Self {
        Self { identities, seen, faults }
    }

    async fn assume_role(&self, call: AssumeRoleCall) -> Result<String, Refusal> {
        let _passing = self.seen.assume_role(call.clone());
        let latency = self.faults.latency();
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let request = AssumeRole::read(&call.form)?;
        if self.faults.fails(call.role()) {
            return Err(Refusal::internal());
        }
        if self.faults.refuses(call.role()) {
            return Err(Refusal::denied(&call));
        }
        if request.action == BY_TOKEN && !self.identities.accepts_token(request.token) {
            return Err(Refusal::invalid("InvalidIdentityToken", "the token is not accepted"));
        }
        let lasting = self.faults.lasting().unwrap_or(request.lasting);
        let keys = self.identities.issue(call.role(), request.session_name, lasting);
        Ok(request.answer(&keys))
    }
}

#[async_trait::async_trait]
impl S3Route for StsRoute {
    /// Matches `POST /`, which S3 does not have.
    fn is_match(&self, method: &Method, uri: &Uri, _: &HeaderMap, _: &mut Extensions) -> bool {
        method == Method::POST && uri.path() == "/"
    }

    /// Allows all requests: the call itself checks the signer, so that it can refuse as STS does.
    async fn check_access(&self, _: &mut S3Request<Body>) -> S3Result<()> {
        Ok(())
    }

    async fn call(&self, mut request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let body = request.input.store_all_limited(LONGEST_FORM).await.map_err(|_| s3s::s3_error!(InvalidRequest))?;
        let form: BTreeMap<_, _> = form_urlencoded::parse(&body).into_owned().collect();
        let caller = self.identities.caller(request.credentials.as_ref(), &request.headers);
        let answered = match (form.get("Action").map(String::as_str), caller) {
            (Some(BY_TOKEN), _) if request.credentials.is_none() => {
                self.assume_role(AssumeRoleCall { asked_by: String::new(), form }).await
            }
            (_, Err(error)) => Err(Refusal::of(&error)),
            (Some("GetCallerIdentity"), Ok(caller)) => Ok(identity(&caller)),
            (_, Ok(caller)) => self.assume_role(AssumeRoleCall { asked_by: caller.name, form }).await,
        };
        let (status, xml) = match answered {
            Ok(xml) => (StatusCode::OK, xml),
            Err(refusal) => (refusal.status, refusal.answer()),
        };
        let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, http::HeaderValue::from_static("text/xml"))]);
        let mut response = S3Response::with_headers(Body::from(xml), headers);
        response.status = Some(status);
        Ok(response)
    }
}

/// The parameters of a call that this server uses. Their characters need no escape in XML.
struct AssumeRole<'a> {
    action: &'a str,
    /// Empty if there is none.
    token: &'a str,
    account: &'a str,
    role_name: &'a str,
    session_name: &'a str,
    lasting: Duration,
}

impl<'a> AssumeRole<'a> {
    /// Reads the parameters, with the checks of STS on each.
    fn read(form: &'a BTreeMap<String, String>) -> Result<Self, Refusal> {
        let text = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let (action, token) = (text("Action"), text("WebIdentityToken"));
        if !["AssumeRole", BY_TOKEN].contains(&action) {
            return Err(Refusal::invalid("InvalidAction", "this server does not have the action"));
        }
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&byte));

        let (account, role_name) = match text("RoleArn") {
            NO_ROLE => ("", ""),
            arn => Self::parse(arn)
                .filter(|(_, name)| plain(name))
                .ok_or_else(|| Refusal::invalid("ValidationError", "RoleArn is not the ARN of a role"))?,
        };

        let session_name = text("RoleSessionName");
        if !(2..=64).contains(&session_name.len()) || session_name.contains('/') || !plain(session_name) {
            return Err(Refusal::invalid("ValidationError", "RoleSessionName is not valid"));
        }

        let seconds = form.get("DurationSeconds").map_or(Ok(3600), |seconds| seconds.parse());
        let Some(seconds) = seconds.ok().filter(|seconds| (900..=43_200).contains(seconds)) else {
            return Err(Refusal::invalid("ValidationError", "DurationSeconds is not between 900 and 43200"));
        };
        Ok(Self { action, token, account, role_name, session_name, lasting: Duration::from_secs(seconds) })
    }

    /// Returns the account and the name of a role.
    fn parse(arn: &str) -> Option<(&str, &str)> {
        let parts: Vec<_> = arn.split(':').collect();
        let ["arn", "aws", "iam", "", account, role] = parts[..] else { return None };
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let path = role.strip_prefix("role/").filter(|_| is_account)?;
        Some((account, path.rsplit('/').next().unwrap_or(path)))
    }

    fn answer(&self, keys: &Credentials) -> String {
        let Self { action, token: _, account, role_name, session_name, lasting: _ } = self;
        let user = match *role_name {
            "" => "<Arn/>".to_owned(),
            name => format!(
                "<AssumedRoleId>AROA{name}:{session_name}</AssumedRoleId>\
                 <Arn>arn:aws:sts::{account}:assumed-role/{name}/{session_name}</Arn>"
            ),
        };
        let expiration = keys.expiry().and_then(|expiry| DateTime::from(expiry).fmt(Format::DateTime).ok());
        format!(
            r#"<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <{action}Result>
    <AssumedRoleUser>{user}</AssumedRoleUser>
    <Credentials>
      <AccessKeyId>{access_key}</AccessKeyId>
      <SecretAccessKey>{secret}</SecretAccessKey>
      <SessionToken>{token}</SessionToken>
      <Expiration>{expiration}</Expiration>
    </Credentials>
  </{action}Result>
  <ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata>
</{action}Response>"#,
            access_key = keys.access_key_id(),
            secret = keys.secret_access_key(),
            token = keys.session_token().unwrap_or_default(),
            expiration = expiration.unwrap_or_default(),
        )
    }
}

/// Returns the caller in the words of STS.
///
/// The caller is a session of a role, or else a user with the access key as its name.
fn identity(caller: &Caller) -> String {
    let name = &caller.name;
    let (account, user_id, arn) = match &caller.session_name {
        Some(session_name) => {
            let account = name.split(':').nth(4).unwrap_or_default();
            let role_name = name.rsplit('/').next().unwrap_or_default();
            let arn = format!("arn:aws:sts::{account}:assumed-role/{role_name}/{session_name}");
            (account, format!("AROA{role_name}:{session_name}"), arn)
        }
        None => (USERS_ACCOUNT, format!("AIDA{name}"), format!("arn:aws:iam::{USERS_ACCOUNT}:user/{name}")),
    };
    format!(
        r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>{arn}</Arn>
    <UserId>{user_id}</UserId>
    <Account>{account}</Account>
  </GetCallerIdentityResult>
  <ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata>
</GetCallerIdentityResponse>"#
    )
}

/// The reason for refusing a call.
struct Refusal {
    status: StatusCode,
    code: String,
    message: String,
}

impl Refusal {
    fn invalid(code: &str, message: &str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: code.into(), message: message.into() }
    }

    fn internal() -> Self {
        let message = "failed on purpose".into();
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, code: "InternalFailure".into(), message }
    }

    fn denied(call: &AssumeRoleCall) -> Self {
        let (user, role) = (&call.asked_by, call.role());
        let message = format!("User: {user} is not authorized to perform: sts:AssumeRole on resource: {role}");
        Self { status: StatusCode::FORBIDDEN, code: "AccessDenied".into(), message }
    }

    fn of(error: &s3s::S3Error) -> Self {
        let message = error.message().unwrap_or_default().into();
        Self { status: StatusCode::FORBIDDEN, code: error.code().as_str().into(), message }
    }

    fn answer(&self) -> String {
        let Self { status, code, message } = self;
        let whose_fault = if status.is_server_error() { "Receiver" } else { "Sender" };
        format!(
            r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error><Type>{whose_fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>
  <RequestId>00000000-0000-0000-0000-000000000000</RequestId>
</ErrorResponse>"#
        )
    }
}
