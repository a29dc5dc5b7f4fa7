use crate::asset::Spool;
use crate::clock::SystemClock;

use super::*;

/// A folder of a test's own.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("onepath-{name}-{}", std::process::id()));
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
    assert_eq!(blobs.url("ab/cd", Duration::from_secs(60)).await.unwrap(), None);
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
