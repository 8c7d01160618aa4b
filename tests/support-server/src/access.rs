//! The owners of buckets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use s3s::access::{S3Access, S3AccessContext};
use s3s::{S3Result, s3_error};

use crate::faults::Faults;
use crate::identities::Identities;
use crate::request_log::{Request, RequestLog};

/// Gives each bucket to the first caller that requests it, and denies it to all others.
#[derive(Clone, Debug)]
pub(crate) struct OwnBuckets {
    owners: Arc<Mutex<HashMap<String, String>>>,
    identities: Identities,
    seen: RequestLog,
    faults: Faults,
}

impl OwnBuckets {
    pub(crate) fn new(identities: Identities, seen: RequestLog, faults: Faults) -> Self {
        Self { owners: Arc::default(), identities, seen, faults }
    }

    /// Returns the owner of the bucket, which is `asking` if it had none.
    pub(crate) fn owner(&self, bucket: &str, asking: &str) -> String {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        owners.entry(bucket.to_owned()).or_insert_with(|| asking.to_owned()).clone()
    }
}

#[async_trait::async_trait]
impl S3Access for OwnBuckets {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let asked_by = self.identities.caller(context.credentials(), context.headers())?.name;
        let bucket = context.s3_path().get_bucket_name().map(ToOwned::to_owned);
        if bucket.as_ref().is_some_and(|bucket| self.owner(bucket, &asked_by) != asked_by) {
            return Err(s3_error!(AccessDenied, "the bucket belongs to another caller"));
        }
        let key = context.s3_path().get_object_key().map(ToOwned::to_owned);
        // S3 allows such a key. In the folder of this server, it would lead into another owner's bucket.
        if key.as_ref().is_some_and(|key| key.split(['/', '\\']).any(|part| part == "..")) {
            return Err(s3_error!(InvalidArgument, "keys must not lead out of their bucket here"));
        }
        let is_checksum =
            |header: &str| header.starts_with("x-amz-checksum-") || header == "x-amz-sdk-checksum-algorithm";
        if self.faults.refuses_checksums() && context.headers().keys().any(|header| is_checksum(header.as_str())) {
            return Err(s3_error!(InvalidArgument, "checksums are not supported"));
        }
        self.seen.accepted(Request { asked_by, bucket, key });
        Ok(())
    }
}
