//! What an operator asks before and while a server runs: is everything it needs there?
//!
//! Nothing is changed: a database keeps its schema, and what is written to try a folder is removed.

use std::path::Path;

use crate::server::Settings;
use crate::store::{Examined, examine_postgres, examine_sqlite};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It works, and somebody should know.
    Warning,
    /// A server would not start, or would not do its work.
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it stands.
    pub verdict: Verdict,
    /// In one line, with what to do.
    pub detail: String,
}

impl Check {
    fn new(name: &'static str, verdict: Verdict, detail: impl Into<String>) -> Self {
        Self { name, verdict, detail: detail.into() }
    }
}

/// The first of January 2026 in milliseconds: no clock that is right is before it.
const NOT_BEFORE: i64 = 1_767_225_600_000;

/// A clock that differs by more than this from the database's is worth a word.
const SKEW: i64 = 2_000;

/// Looks at everything that a server with these settings would use. `deep` also reads the whole
/// database for damage, which takes as long as that takes.
pub async fn examine(settings: &Settings, deep: bool) -> Vec<Check> {
    let mut checks = vec![folder("data folder", &settings.data)];
    if settings.data.is_dir() {
        checks.push(key_file("signing key", &settings.data.join("signing.key")));
        checks.push(key_file("accounts key", &settings.data.join("accounts.key")));
        let blobs = settings.data.join("blobs");
        if blobs.is_dir() {
            checks.push(folder("blobs", &blobs));
        }
    }
    #[cfg(feature = "s3")]
    if let Some(s3) = &settings.bucket {
        checks.push(bucket(s3).await);
    }
    let providers = settings.providers.examine();
    if !providers.is_empty() {
        checks.push(webhooks(settings));
    }
    checks.extend(providers.into_iter().map(|(id, opened)| match opened {
        Ok(()) => Check::new("provider", Verdict::Good, format!("{id} is set up")),
        Err(error) => Check::new("provider", Verdict::Failed, error.to_string()),
    }));
    let now = system_now();
    let examined = match &settings.database {
        Some(url) => examine_postgres(url).await,
        None => {
            let file = settings.data.join("onepath.sqlite");
            tokio::task::spawn_blocking(move || examine_sqlite(&file, deep)).await.unwrap_or_else(
                |error| Err(crate::store::StoreError::Unavailable(error.to_string())),
            )
        }
    };
    match examined {
        Ok(examined) => {
            checks.push(schema(&examined));
            checks.push(clock(now, examined.now));
            checks.extend(keys(&examined));
            checks.extend(
                examined.damage.iter().map(|line| Check::new("database", Verdict::Failed, line)),
            );
        }
        Err(error) => {
            checks.push(Check::new("database", Verdict::Failed, error.to_string()));
            checks.push(clock(now, None));
        }
    }
    checks
}

/// Whether providers can report.
fn webhooks(settings: &Settings) -> Check {
    match &settings.public_url {
        Some(url) => {
            let detail = format!("providers report to {}", url.as_str());
            Check::new("webhooks", Verdict::Good, detail)
        }
        None => Check::new(
            "webhooks",
            Verdict::Warning,
            "no public URL is set: no provider reports, and all are polled; set `public-url`",
        ),
    }
}

fn system_now() -> i64 {
    use crate::clock::Clock as _;
    crate::clock::SystemClock.now()
}

/// Whether files can be made in a folder and flushed to its disk.
fn folder(name: &'static str, folder: &Path) -> Check {
    let shown = folder.display();
    if !folder.exists() {
        return Check::new(
            name,
            Verdict::Warning,
            format!("{shown} is not there; a start makes it"),
        );
    }
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    let tried = std::fs::File::create(&probe).and_then(|file| {
        use std::io::Write as _;
        (&file).write_all(b"onepath")?;
        file.sync_all()
    });
    let removed = std::fs::remove_file(&probe);
    match tried.and(removed) {
        Ok(()) => Check::new(name, Verdict::Good, format!("{shown} takes files")),
        Err(error) => Check::new(name, Verdict::Failed, format!("{shown} takes no files: {error}")),
    }
}

/// Whether a bucket takes, gives and removes what is put there.
#[cfg(feature = "s3")]
async fn bucket(s3: &crate::asset::S3) -> Check {
    use crate::asset::{BlobError, Blobs, Content};
    let shown = s3.endpoint.as_deref().map_or_else(
        || format!("s3://{}", s3.bucket),
        |endpoint| format!("s3://{} at {endpoint}", s3.bucket),
    );
    let tried = async {
        let blobs = Blobs::bucket(s3)?;
        let content = Content::of(&b"onepath doctor"[..]);
        let blob = blobs.put(&content, &crate::clock::SystemClock).await?;
        let read = blobs.get(&blob).await.map(drop);
        blobs.delete(&blob.place).await?;
        read
    };
    let tried: Result<(), BlobError> = tried.await;
    match tried {
        Ok(()) => Check::new("blobs", Verdict::Good, format!("{shown} takes and gives files")),
        Err(error) => {
            let detail = format!(
                "{shown}: {error}; the key comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            );
            Check::new("blobs", Verdict::Failed, detail)
        }
    }
}

fn key_file(name: &'static str, file: &Path) -> Check {
    let meta = match std::fs::metadata(file) {
        Ok(meta) => meta,
        Err(_) => return Check::new(name, Verdict::Warning, "not there yet; a start makes it"),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = meta.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let detail = format!("{} is readable by others ({mode:o}): chmod 600", file.display());
            return Check::new(name, Verdict::Warning, detail);
        }
    }
    if meta.len() == 32 {
        Check::new(name, Verdict::Good, "there, and its owner's only")
    } else {
        Check::new(name, Verdict::Failed, format!("{} has not 32 bytes: remove it", file.display()))
    }
}

fn schema(examined: &Examined) -> Check {
    let (found, known) = (examined.schema, examined.known);
    let place = &examined.place;
    match found {
        None => Check::new(
            "database",
            Verdict::Warning,
            format!("{place}: no schema yet; the first start makes it"),
        ),
        Some(found) if found > known => Check::new(
            "database",
            Verdict::Failed,
            format!(
                "{place}: schema {found} is newer than this program's {known}: use a newer program"
            ),
        ),
        Some(found) if found < known => Check::new(
            "database",
            Verdict::Warning,
            format!(
                "{place}: schema {found}; the next start brings it to {known}: make a backup first"
            ),
        ),
        Some(found) => Check::new("database", Verdict::Good, format!("{place}: schema {found}")),
    }
}

fn clock(now: i64, database: Option<i64>) -> Check {
    if now < NOT_BEFORE {
        return Check::new(
            "clock",
            Verdict::Failed,
            "this machine's clock is years behind: set it",
        );
    }
    match database.map(|database| database - now) {
        Some(skew) if skew.abs() > SKEW => Check::new(
            "clock",
            Verdict::Warning,
            format!(
                "this machine's clock and the database's are {} ms apart: leases go by the database's",
                skew.abs()
            ),
        ),
        Some(_) => Check::new("clock", Verdict::Good, "agrees with the database's"),
        None => Check::new("clock", Verdict::Good, "plausible"),
    }
}

fn keys(examined: &Examined) -> Option<Check> {
    let count = examined.keys?;
    Some(if count == 0 {
        Check::new(
            "keys",
            Verdict::Warning,
            "nobody has a key: make one with `onepath admin key create`",
        )
    } else {
        Check::new("keys", Verdict::Good, format!("{count} in use"))
    })
}
