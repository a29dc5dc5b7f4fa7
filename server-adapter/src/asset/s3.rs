//! Blobs in a bucket that speaks S3: Amazon's, R2, MinIO and others.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::signer::{Method, SignedUrlOptions, Signer as _};
use object_store::{ClientOptions, RetryConfig};

use super::blobs::{BlobError, Blobs, HandOut, failure, path};

/// A bucket.
#[derive(Clone, Default)]
pub struct S3 {
    /// Its name.
    pub bucket: String,
    /// Where it is, such as `eu-central-1`; many that are not Amazon's do not care.
    pub region: Option<String>,
    /// Its server, if that is not Amazon: `https://…`, or `http://…` within one's own network.
    pub endpoint: Option<String>,
    /// The key's id; without one, what the environment says (`AWS_ACCESS_KEY_ID`, …), or the
    /// machine's own role.
    pub access_key_id: Option<String>,
    /// The key itself.
    pub secret_access_key: Option<String>,
    /// Whether whoever may read a file is sent to the bucket for it, by a URL that the bucket
    /// signs; otherwise the bytes go through the server.
    pub hands_out: bool,
}

impl std::fmt::Debug for S3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { bucket, region, endpoint, hands_out, .. } = self;
        f.debug_struct("S3")
            .field("bucket", bucket)
            .field("region", region)
            .field("endpoint", endpoint)
            .field("hands_out", hands_out)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl HandOut for AmazonS3 {
    async fn url(
        &self,
        place: &str,
        media_type: &str,
        lifetime: Duration,
    ) -> Result<String, BlobError> {
        // What the bucket says about the bytes is signed with the rest.
        let options =
            SignedUrlOptions::default().with_query([("response-content-type", media_type)]);
        let url = self.signed_url_opts(Method::GET, &path(place), lifetime, &options).await;
        url.map(|url| url.to_string()).map_err(|error| failure(place, &error))
    }
}

impl Blobs {
    /// A bucket.
    ///
    /// # Errors
    ///
    /// What is said of it is no bucket's.
    pub fn bucket(s3: &S3) -> Result<Self, BlobError> {
        // Another part of the program may have chosen a provider before; either is good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(&s3.bucket)
            .with_client_options(ClientOptions::new().with_timeout(Duration::from_secs(60)))
            .with_retry(RetryConfig {
                max_retries: 3,
                retry_timeout: Duration::from_secs(30),
                ..RetryConfig::default()
            });
        if let Some(region) = &s3.region {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = &s3.endpoint {
            builder = builder
                .with_allow_http(endpoint.starts_with("http://"))
                .with_endpoint(endpoint.trim_end_matches('/'));
        }
        if let Some(id) = &s3.access_key_id {
            builder = builder.with_access_key_id(id);
        }
        if let Some(secret) = &s3.secret_access_key {
            builder = builder.with_secret_access_key(secret);
        }
        let bucket = builder.build();
        let bucket = Arc::new(bucket.map_err(|error| BlobError::Unavailable(error.to_string()))?);
        let signer = s3.hands_out.then(|| Arc::clone(&bucket) as _);
        Ok(Self::new(bucket, signer))
    }
}
