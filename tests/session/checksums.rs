//! Stores that refuse the checksums of the SDK, and the customization that turns these off.

use aws_client_cache::{ClientParams, ClientParamsBuilder, Credentials, S3, Session};
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use support_server::Server;

const KEY: &str = "AKIDSTORE";

/// The settings of S3 that decide on checksums, neither of which has a `Hash`.
type Checksums = (RequestChecksumCalculation, ResponseChecksumValidation);

fn params() -> ClientParamsBuilder<S3> {
    ClientParams::<S3>::builder().customize("path_style", |builder| builder.force_path_style(true))
}

fn with(checksums: Checksums) -> ClientParamsBuilder<S3> {
    params().customize_unhashed("checksums", checksums, |builder, (request, response)| {
        builder.request_checksum_calculation(request).response_checksum_validation(response)
    })
}

async fn put(s3: &aws_sdk_s3::Client) -> Result<(), Option<String>> {
    let body = ByteStream::from_static(b"content");
    let put = s3.put_object().bucket("bucket").key("key").body(body).send().await;
    put.map(drop).map_err(|error| error.code().map(str::to_owned))
}

async fn get(s3: &aws_sdk_s3::Client) -> Result<Vec<u8>, Option<String>> {
    let got = s3.get_object().bucket("bucket").key("key").send().await;
    let object = got.map_err(|error| error.code().map(str::to_owned))?;
    Ok(object.body.collect().await.unwrap().to_vec())
}

// Proves K1a.
#[tokio::test]
async fn a_store_that_refuses_checksums_is_served_by_a_customization() {
    let keys = Credentials::new(KEY, "secret of the store", None, None, "test");
    let server = Server::start([&keys]).await.unwrap();
    let session = Session::new(&server.sdk_config(&keys));
    server.store(KEY, "bucket", "key", b"before").unwrap();
    let (always, required) = (
        (RequestChecksumCalculation::WhenSupported, ResponseChecksumValidation::WhenSupported),
        (RequestChecksumCalculation::WhenRequired, ResponseChecksumValidation::WhenRequired),
    );
    let client = async |params: ClientParamsBuilder<S3>| session.client(&params.build().unwrap()).await.unwrap();

    // Any store that speaks all of the protocol accepts the defaults.
    assert_eq!(put(&client(params()).await).await, Ok(()));
    server.faults().refuse_checksums();
    let refusal = Some("InvalidArgument".to_owned());
    for s3 in [client(params()).await, client(with(always)).await] {
        assert_eq!(put(&s3).await, Err(refusal.clone()));
        assert_eq!(get(&s3).await, Err(refusal.clone()));
    }
    let s3 = client(with(required)).await;
    assert_eq!(put(&s3).await, Ok(()));
    assert_eq!(get(&s3).await.as_deref(), Ok(&b"content"[..]));

    // Equal values find the same client.
    assert_eq!(session.cache().len(), 3);
    client(with(required)).await;
    client(with(always)).await;
    assert_eq!((session.cache().len(), session.cache().stats().hits), (3, 3));
}
