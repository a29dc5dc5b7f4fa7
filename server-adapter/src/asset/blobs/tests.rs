use std::sync::atomic::{AtomicU32, Ordering};

use crate::asset::Spool;
use crate::clock::SystemClock;

use super::*;

/// A folder of a test's own.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("onepath-{name}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn all(stream: Stream) -> Result<Vec<u8>, BlobError> {
    let chunks: Vec<Bytes> = stream.try_collect().await?;
    Ok(chunks.concat())
}

/// What every place for blobs must do.
pub(super) async fn suite(blobs: &Blobs) {
    let folder = Folder::new("suite");
    let spool = Spool::open(&folder.0, Arc::new(SystemClock)).unwrap();
    let large: Vec<u8> = (0..9_000_000_u32).map(|at| (at / 7) as u8).collect();
    let mut intake = spool.begin(30_000_000);
    for chunk in large.chunks(65_536) {
        intake.write(chunk).await.unwrap();
    }
    let large_content = intake.end().await.unwrap();
    assert!(large_content.in_memory().is_none(), "it lies in a file");
    for (bytes, content) in
        [(b"a picture".to_vec(), Content::of(&b"a picture"[..])), (large, large_content)]
    {
        let blob = blobs.put(&content, &SystemClock).await.unwrap();
        assert_eq!(blob.sha256, hex(&Sha256::digest(&bytes)));
        assert_eq!(blob.bytes, i64::try_from(bytes.len()).unwrap());
        assert!(blobs.get(&blob).await.unwrap() == bytes);
        let size = bytes.len() as u64;
        for range in [0..1, 2..5, size - 3..size] {
            let part = all(blobs.read(&blob, Some(range.clone())).await.unwrap()).await.unwrap();
            let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
            assert!(part == bytes[range]);
        }
        let again = blobs.put(&content, &SystemClock).await.unwrap();
        assert_ne!(again.place, blob.place, "no place is used twice");
        // Bytes that are not those of the hash are noticed before the last of them goes out.
        let other = Blob { sha256: "0".repeat(64), ..blob.clone() };
        assert!(matches!(blobs.get(&other).await, Err(BlobError::Changed(_))));
        let mut listed: Vec<Placed> = blobs.list().try_collect().await.unwrap();
        listed.retain(|placed| placed.place == blob.place);
        assert_eq!(listed.len(), 1);
        assert!(listed[0].since > 1_600_000_000_000);
        for blob in [&blob, &again, &blob] {
            blobs.delete(&blob.place).await.unwrap();
        }
        assert!(matches!(blobs.get(&blob).await, Err(BlobError::NotFound(_))));
    }
    let left: Vec<Placed> = blobs.list().try_collect().await.unwrap();
    assert_eq!(left, vec![]);
}

#[tokio::test]
async fn a_folder_keeps_blobs() {
    let folder = Folder::new("blobs");
    let blobs = Blobs::folder(&folder.0).unwrap();
    suite(&blobs).await;
    assert_eq!(blobs.url("ab/cd", "image/png", Duration::from_secs(60)).await.unwrap(), None);
    // On the disk a blob can be checked by its name.
    let blob = blobs.put(&Content::of(&b"x"[..]), &SystemClock).await.unwrap();
    let file = folder.0.join(&blob.place);
    assert_eq!(std::fs::read(&file).unwrap(), b"x");
    assert!(blob.place.contains(&format!("/{}-", blob.sha256)));
    std::fs::write(&file, b"y").unwrap();
    assert!(matches!(blobs.get(&blob).await, Err(BlobError::Changed(_))));
}

#[tokio::test]
async fn content_is_bounded_and_leaves_nothing_behind() {
    let folder = Folder::new("spool");
    let spool = Spool::open(&folder.0, Arc::new(SystemClock)).unwrap();
    let files = || std::fs::read_dir(&folder.0).unwrap().count();
    let mut intake = spool.begin(3_000_000);
    for _ in 0..3 {
        intake.write(&[7; 1_000_000]).await.unwrap();
    }
    assert_eq!(files(), 1, "what is large lies in a file");
    let error = intake.write(&[7]).await.unwrap_err();
    assert!(matches!(error, crate::asset::IntakeError::TooLarge(3_000_000)), "{error}");
    drop(intake);
    assert_eq!(files(), 0);
    let old = std::fs::File::create(folder.0.join("old.part")).unwrap();
    old.set_modified(std::time::SystemTime::now() - Duration::from_secs(90_000)).unwrap();
    std::fs::write(folder.0.join("new.part"), "x").unwrap();
    Spool::open(&folder.0, Arc::new(SystemClock)).unwrap();
    assert_eq!(files(), 1, "what was left behind is gone");
}

#[cfg(feature = "s3")]
mod bucket {
    use onepath_fakes::bucket::{
        BUCKET, Bucket, BucketCall as Call, BucketFault as Fault, KEY_ID, REGION, SECRET,
    };

    use super::*;
    use crate::asset::S3;

    fn of(bucket: &Bucket, secret: &str) -> Blobs {
        Blobs::bucket(&S3 {
            bucket: BUCKET.to_owned(),
            region: Some(REGION.to_owned()),
            endpoint: Some(bucket.endpoint().to_owned()),
            access_key_id: Some(KEY_ID.to_owned()),
            secret_access_key: Some(secret.to_owned()),
            hands_out: true,
        })
        .unwrap()
    }

    #[tokio::test]
    async fn a_bucket_keeps_blobs() {
        let bucket = Bucket::start().await.unwrap();
        suite(&of(&bucket, SECRET)).await;
        assert_eq!((bucket.objects().len(), bucket.unfinished(), bucket.refused()), (0, 0, 0));
        assert!(bucket.calls(Call::Part) >= 4, "what is large goes in parts");
    }

    #[tokio::test]
    async fn another_key_than_the_buckets_opens_nothing() {
        let bucket = Bucket::start().await.unwrap();
        let blobs = of(&bucket, "another secret");
        let put = blobs.put(&Content::of(&b"x"[..]), &SystemClock).await;
        assert!(matches!(put, Err(BlobError::Unavailable(_))), "{put:?}");
        assert!(bucket.refused() >= 1 && bucket.objects().is_empty());
    }

    #[tokio::test]
    async fn a_list_goes_over_pages() {
        let bucket = Bucket::start().await.unwrap();
        let blobs = of(&bucket, SECRET);
        for number in 0..120_u32 {
            blobs.put(&Content::of(number.to_be_bytes().to_vec()), &SystemClock).await.unwrap();
        }
        let listed: Vec<Placed> = blobs.list().try_collect().await.unwrap();
        assert_eq!((listed.len(), bucket.calls(Call::List)), (120, 3));
    }

    #[tokio::test]
    async fn what_a_bucket_does_wrong_is_tried_again_or_noticed() {
        let bucket = Bucket::start().await.unwrap();
        let blobs = of(&bucket, SECRET);
        let small = Content::of(&b"a picture"[..]);
        bucket.fail(Call::Put, Fault::Status(503), 1);
        bucket.fail(Call::Get, Fault::Status(503), 1);
        let blob = blobs.put(&small, &SystemClock).await.unwrap();
        assert_eq!(blobs.get(&blob).await.unwrap(), b"a picture");
        bucket.fail(Call::Get, Fault::Flipped, 1);
        assert!(matches!(blobs.get(&blob).await, Err(BlobError::Changed(_))));
        // A put whose answer is cut may have been done: what is there then is no other.
        bucket.fail(Call::Put, Fault::Cut, 1);
        let again = blobs.put(&small, &SystemClock).await.unwrap();
        assert_eq!(blobs.get(&again).await.unwrap(), b"a picture");
        bucket.fail(Call::Put, Fault::Status(400), 1);
        assert!(blobs.put(&small, &SystemClock).await.is_err());
        // An upload in parts that breaks off leaves nothing behind.
        let folder = Folder::new("bucket-parts");
        let spool = Spool::open(&folder.0, Arc::new(SystemClock)).unwrap();
        let mut intake = spool.begin(30_000_000);
        intake.write(&vec![7; 9_000_000]).await.unwrap();
        let large = intake.end().await.unwrap();
        for call in [Call::Begin, Call::Part, Call::Complete] {
            bucket.fail(call, Fault::Status(400), 1);
            assert!(blobs.put(&large, &SystemClock).await.is_err(), "{call:?}");
            assert_eq!((bucket.objects().len(), bucket.unfinished()), (2, 0), "{call:?}");
        }
        let blob = blobs.put(&large, &SystemClock).await.unwrap();
        assert!(blobs.get(&blob).await.unwrap() == vec![7; 9_000_000]);
    }

    #[tokio::test]
    async fn sec_s7_a_url_that_a_bucket_signed_holds_as_it_is_and_no_other() {
        let bucket = Bucket::start().await.unwrap();
        let blobs = of(&bucket, SECRET);
        let blob = blobs.put(&Content::of(&b"a picture"[..]), &SystemClock).await.unwrap();
        let url = blobs.url(&blob.place, "image/png", Duration::from_secs(60)).await;
        let url = url.unwrap().unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let get = async |url: &str| {
            let answer = http.get(url).send().await.unwrap();
            let kind = answer.headers().get("content-type").unwrap().to_str().unwrap().to_owned();
            (answer.status().as_u16(), kind, answer.bytes().await.unwrap())
        };
        let (status, kind, bytes) = get(&url).await;
        assert_eq!((status, kind.as_str(), &bytes[..]), (200, "image/png", &b"a picture"[..]));
        let part = http.get(&url).header("range", "bytes=2-4").send().await.unwrap();
        assert_eq!((part.status().as_u16(), &part.bytes().await.unwrap()[..]), (206, &b"pic"[..]));
        let path = url.find(BUCKET).unwrap();
        for at in path..url.len() {
            let old = url.as_bytes()[at];
            // Digits of what is encoded are the same in either case.
            let new = if old == b'0' { '1' } else { '0' };
            if matches!(old, b'%' | b'&' | b'=' | b'?' | b'/') {
                continue;
            }
            let mut forged = url.clone();
            forged.replace_range(at..=at, &new.to_string());
            assert_eq!(get(&forged).await.0, 403, "{forged}");
        }
        let put = http.put(&url).body("other").send().await.unwrap();
        assert_eq!(put.status().as_u16(), 403, "it is for reading");
        assert_eq!(blobs.get(&blob).await.unwrap(), b"a picture");
        let old = blobs.url(&blob.place, "image/png", Duration::from_secs(1)).await.unwrap();
        let expires = old.unwrap().replace("X-Amz-Expires=1&", "X-Amz-Expires=2&");
        assert_eq!(get(&expires).await.0, 403, "no longer than it was signed for");
    }
}
