//! A look at a database file that changes nothing, and a copy of it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::super::{Examined, Result, StoreError};
use super::MIGRATIONS;

/// Looks at the database of a file; `deep` reads all of it for damage.
///
/// # Errors
///
/// The file is no database, or cannot be read.
pub fn examine_sqlite(file: &Path, deep: bool) -> Result<Examined> {
    let mut examined = Examined {
        place: format!("SQLite {}, {}", rusqlite::version(), file.display()),
        schema: None,
        known: MIGRATIONS.len(),
        keys: None,
        now: None,
        damage: Vec::new(),
    };
    if !file.exists() {
        return Ok(examined);
    }
    let connection = read_only(file)?;
    let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    examined.schema = usize::try_from(version).ok().filter(|version| *version > 0);
    if examined.schema.is_some() {
        let sql = "SELECT count(*) FROM api_keys WHERE revoked_at IS NULL";
        examined.keys = Some(connection.query_row(sql, [], |row| row.get(0))?);
    }
    if deep {
        let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
        let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
        for line in lines {
            examined.damage.push(line?);
        }
        examined.damage.retain(|line| line != "ok");
    }
    Ok(examined)
}

/// Writes a whole and consistent copy of a database to a new file, while it is in use.
///
/// # Errors
///
/// The database cannot be read, or the copy is there already or cannot be written.
pub fn copy_sqlite(file: &Path, copy: &Path) -> Result<()> {
    let target = copy.to_str().ok_or_else(|| {
        StoreError::Unavailable(format!("{}: the path is not UTF-8", copy.display()))
    })?;
    // A copy needs what is in the write-ahead log too; VACUUM INTO reads both in one transaction.
    read_only(file)?.execute("VACUUM INTO ?1", [target])?;
    Ok(())
}

/// The hashes of the blobs that rows of a database name.
///
/// # Errors
///
/// The database cannot be read.
pub fn blobs_of_sqlite(file: &Path) -> Result<Vec<String>> {
    let connection = read_only(file)?;
    let mut statement = connection.prepare("SELECT DISTINCT sha256 FROM assets ORDER BY sha256")?;
    let hashes = statement.query_map([], |row| row.get::<_, String>(0))?;
    Ok(hashes.collect::<rusqlite::Result<Vec<_>>>()?)
}

fn read_only(file: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    Ok(connection)
}
