//! `onepath admin backup` and `onepath admin restore`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use onepath_server::backup::{back_up, restore};

use crate::serve::Place;
use crate::{Outcome, Run, print};

/// Options of `onepath admin backup`.
#[derive(Debug, ClapArgs)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    place: Place,
    /// The new folder of the backup
    target: PathBuf,
}

/// Options of `onepath admin restore`.
#[derive(Debug, ClapArgs)]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    place: Place,
    /// The backup's folder
    backup: PathBuf,
}

pub(crate) fn make(args: &BackupArgs) -> Run {
    let settings = args.place.settings()?;
    if settings.database.is_some() {
        return Err("rows lie in PostgreSQL: back the database up with pg_dump, and the data \
                    folder with it (docs/operating.md)"
            .to_owned());
    }
    let copied = back_up(&settings.data, &args.target).map_err(|error| error.to_string())?;
    if settings.bucket.is_some() {
        print::line("the files of assets lie in the bucket: it keeps copies of its own")?;
    }
    print::line(&format!(
        "{}: the database and {} blobs, {} bytes",
        args.target.display(),
        copied.blobs,
        copied.bytes
    ))?;
    Ok(Outcome::Clean)
}

pub(crate) fn take_back(args: &RestoreArgs) -> Run {
    let data = args.place.settings()?.data;
    let copied = restore(&args.backup, &data).map_err(|error| error.to_string())?;
    print::line(&format!(
        "{}: the database and {} blobs, {} bytes; start it with `onepath serve --data {}`",
        data.display(),
        copied.blobs,
        copied.bytes,
        data.display()
    ))?;
    Ok(Outcome::Clean)
}
