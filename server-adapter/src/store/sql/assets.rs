//! Assets, their blobs, what generations start from, and copies at providers.

use onepath_core::Rating;
use onepath_core::lifecycle::ErrorCode;

use super::super::assets::{
    Asset, AssetCopy, AssetPage, AssetPatch, AssetQuery, AssetState, Blob, Child, Input, Lineage,
    Media, Origin, SyncStatus, Uploaded,
};
use super::super::decide::{asset_event, storage_hit};
use super::super::{Millis, PlanNow, Reader, Result, Row, StoreError, Viewer};
use super::create::{one_at_a_time, stored};
use super::{Cells, Tx, Value, columns, first, number};
use crate::generation_columns;

/// The columns of an asset, in the order of [`asset`].
macro_rules! asset_columns {
    () => {
        "a.id, a.tenant, a.owner, a.shared, a.public, a.generation, a.idx, a.provider, a.sync, \
         a.sync_attempts, a.sync_error, a.location, a.media_type, a.width, a.height, \
         a.duration_ms, a.bytes, a.sha256, a.thumbnail, a.name, a.tags, a.events, a.created_at, \
         a.updated_at, a.deleted_at"
    };
}

/// An asset from the columns of [`asset_columns`].
fn asset(mut c: Cells) -> Result<Asset> {
    let (id, tenant, owner) = (c.take()?, c.take()?, c.take()?);
    let (shared, public) = (c.optional_word(Rating::parse)?, c.take()?);
    let (generation, index, provider) =
        (c.take::<Option<String>>()?, c.take()?, c.take::<Option<String>>()?);
    let (sync, attempts) = (c.word(SyncStatus::parse)?, c.take()?);
    let (error, location) = (c.optional_word(ErrorCode::parse)?, c.take()?);
    let media_type: Option<String> = c.take()?;
    let [width, height, duration_ms, bytes] =
        [c.take()?, c.take()?, c.take()?, c.take::<Option<i64>>()?];
    let sha256: Option<String> = c.take()?;
    let halves = || StoreError::Corrupt(format!("the asset `{id}` is half there"));
    let state = match sync {
        SyncStatus::Remote => AssetState::Remote,
        SyncStatus::Downloading => AssetState::Downloading,
        SyncStatus::Error => AssetState::Failed(error.ok_or_else(halves)?),
        SyncStatus::Gone => AssetState::Gone,
        SyncStatus::Downloaded => AssetState::Downloaded(Media {
            media_type: media_type.ok_or_else(halves)?,
            width: width.ok_or_else(halves)?,
            height: height.ok_or_else(halves)?,
            duration_ms,
            bytes: bytes.ok_or_else(halves)?,
            sha256: sha256.ok_or_else(halves)?,
        }),
    };
    let origin = match generation {
        Some(generation) => {
            Origin::Output { generation, index, provider: provider.ok_or_else(halves)? }
        }
        None => Origin::Upload,
    };
    let (thumbnail, name) = (c.take()?, c.take()?);
    let tags: String = c.take()?;
    let tags = serde_json::from_str(&tags).map_err(|_| halves())?;
    Ok(Asset {
        id,
        tenant,
        owner,
        shared,
        public,
        origin,
        state,
        attempts,
        location,
        thumbnail,
        name,
        tags,
        events: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        deleted_at: c.take()?,
    })
}

/// Tags as they are kept: a JSON list of texts.
fn tag_list(tags: &[String]) -> String {
    serde_json::Value::from(tags).to_string()
}

async fn list<T: Tx>(tx: &mut T, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Asset>> {
    tx.query(sql, values).await?.into_iter().map(asset).collect()
}

/// An asset, deleted or not.
async fn by_id<T: Tx>(tx: &mut T, id: &str, to_change: bool) -> Result<Option<Asset>> {
    const READ: &str = concat!("SELECT ", asset_columns!(), " FROM assets a WHERE a.id = ?1");
    const CHANGE: &str =
        concat!("SELECT ", asset_columns!(), " FROM assets a WHERE a.id = ?1 FOR UPDATE");
    let sql = if to_change && !T::FOR_UPDATE.is_empty() { CHANGE } else { READ };
    first(tx, sql, &[id.into()]).await?.map(asset).transpose()
}

pub(crate) async fn get<T: Tx>(tx: &mut T, viewer: &Viewer, id: &str) -> Result<Option<Asset>> {
    Ok(by_id(tx, id, false).await?.filter(|asset| asset.readable_by(viewer)))
}

pub(crate) async fn public<T: Tx>(tx: &mut T, id: &str) -> Result<Option<Asset>> {
    let seen = |asset: &Asset| asset.public && asset.deleted_at.is_none();
    Ok(by_id(tx, id, false).await?.filter(seen))
}

pub(crate) async fn page<T: Tx>(
    tx: &mut T,
    reader: &Reader,
    query: &AssetQuery,
) -> Result<AssetPage> {
    const SQL: &str = concat!(
        "SELECT ",
        asset_columns!(),
        " FROM assets a
          WHERE a.tenant = ?1 AND a.owner = ?2 AND a.deleted_at IS NULL
            AND (a.created_at, a.id) < (?3, ?4)
            AND (CAST(?5 AS TEXT) IS NULL OR replace(a.tags, ?5, '') <> a.tags)
            AND (CAST(?6 AS TEXT) IS NULL OR lower(a.name) LIKE lower(?6) ESCAPE '\\')
            AND (CAST(?7 AS TEXT) IS NULL OR a.provider = ?7)
            AND (CAST(?8 AS TEXT) IS NULL OR a.media_type LIKE ?8)
            AND (CAST(?9 AS TEXT) IS NULL OR a.generation = ?9)
            AND (CAST(?10 AS BIGINT) IS NULL
                 OR ?10 = CASE WHEN a.generation IS NULL THEN 1 ELSE 0 END)
            AND (CAST(?11 AS TEXT) IS NULL OR a.sync = ?11)
          ORDER BY a.created_at DESC, a.id DESC LIMIT ?12"
    );
    let (at, id) = query.after.clone().unwrap_or((Millis::MAX, String::new()));
    // The list is JSON: a text in it stands between quotes that nothing inside of a text can be.
    let tag = query.tag.as_ref().map(|tag| serde_json::Value::from(tag.as_str()).to_string());
    let text = query.text.as_ref().map(|text| {
        let text = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("%{text}%")
    });
    let media = match (&query.media_type, &query.kind) {
        (Some(media_type), _) => Some(media_type.clone()),
        (None, Some(kind)) => Some(format!("{kind}/%")),
        (None, None) => None,
    };
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1);
    let values = [
        (&reader.tenant).into(),
        (&reader.user).into(),
        at.into(),
        (&id).into(),
        tag.as_ref().into(),
        text.as_ref().into(),
        query.provider.as_ref().into(),
        media.as_ref().into(),
        query.generation.as_ref().into(),
        query.uploads.into(),
        query.sync.map(SyncStatus::word).into(),
        limit.into(),
    ];
    let mut assets = list(tx, SQL, &values).await?;
    let more = assets.len() > query.limit;
    assets.truncate(query.limit);
    let next = assets.last().filter(|_| more).map(|last| (last.created_at, last.id.clone()));
    Ok(AssetPage { assets, next })
}

pub(crate) async fn with_bytes<T: Tx>(
    tx: &mut T,
    reader: &Reader,
    sha256: &str,
) -> Result<Option<Asset>> {
    // What was uploaded goes first: it lives as long as its owner wants.
    const SQL: &str = concat!(
        "SELECT ",
        asset_columns!(),
        " FROM assets a
          WHERE a.sha256 = ?3 AND a.tenant = ?1 AND a.owner = ?2 AND a.deleted_at IS NULL
          ORDER BY CASE WHEN a.generation IS NULL THEN 0 ELSE 1 END, a.created_at, a.id LIMIT 1"
    );
    let values = [(&reader.tenant).into(), (&reader.user).into(), sha256.into()];
    first(tx, SQL, &values).await?.map(asset).transpose()
}

pub(crate) async fn blob<T: Tx>(tx: &mut T, sha256: &str) -> Result<Option<Blob>> {
    let sql = "SELECT sha256, place, bytes FROM blobs WHERE sha256 = ?1";
    let read = |mut c: Cells| Ok(Blob { sha256: c.take()?, place: c.take()?, bytes: c.take()? });
    first(tx, sql, &[sha256.into()]).await?.map(read).transpose()
}

async fn put_blob<T: Tx>(tx: &mut T, blob: &Blob, now: Millis) -> Result<()> {
    let sql = "INSERT INTO blobs (sha256, place, bytes, created_at) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (sha256) DO NOTHING";
    let values = [(&blob.sha256).into(), (&blob.place).into(), blob.bytes.into(), now.into()];
    tx.send(sql, &values).await
}

/// Writes an asset, and tells its readers if there is something to tell. Of one that is there, what
/// people change of it stays as it is.
async fn put<T: Tx>(tx: &mut T, asset: &Asset, now: Millis) -> Result<()> {
    let sql = "INSERT INTO assets (id, tenant, owner, shared, public, generation, idx, provider,
                   sync, sync_attempts, sync_error, location, media_type, width, height,
                   duration_ms, bytes, sha256, thumbnail, name, tags, events, created_at,
                   updated_at, deleted_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                   ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)
               ON CONFLICT (id) DO UPDATE SET sync = ?9, sync_attempts = ?10,
                   sync_error = ?11, location = ?12, media_type = ?13, width = ?14, height = ?15,
                   duration_ms = ?16, bytes = ?17, sha256 = ?18, thumbnail = ?19,
                   events = assets.events + ?22, updated_at = ?24, deleted_at = ?25";
    let told = asset_event(asset);
    let tags = tag_list(&asset.tags);
    let media = asset.media();
    let error = match asset.state {
        AssetState::Failed(code) => Some(code),
        _ => None,
    };
    let values = [
        (&asset.id).into(),
        (&asset.tenant).into(),
        (&asset.owner).into(),
        asset.shared.map(Rating::word).into(),
        asset.public.into(),
        asset.generation().into(),
        asset.index().into(),
        asset.provider().into(),
        asset.state.sync().word().into(),
        asset.attempts.into(),
        error.map(ErrorCode::word).into(),
        asset.location.as_ref().into(),
        media.map(|media| &media.media_type).into(),
        media.map(|media| media.width).into(),
        media.map(|media| media.height).into(),
        media.and_then(|media| media.duration_ms).into(),
        media.map(|media| media.bytes).into(),
        media.map(|media| &media.sha256).into(),
        asset.thumbnail.as_ref().into(),
        asset.name.as_ref().into(),
        (&tags).into(),
        i64::from(told.is_some()).into(),
        asset.created_at.into(),
        now.into(),
        asset.deleted_at.into(),
    ];
    tx.send(sql, &values).await?;
    let Some(kind) = told else { return Ok(()) };
    let sql = "INSERT INTO events (tenant, owner, shared, generation, asset, number, kind, status,
                   error, at)
               SELECT a.tenant, a.owner, a.shared, a.generation, a.id, a.events, CAST(?2 AS TEXT),
                   a.sync, a.sync_error, CAST(?3 AS BIGINT)
               FROM assets a WHERE a.id = ?1";
    tx.send(sql, &[(&asset.id).into(), kind.into(), now.into()]).await
}

/// Writes what was made for a row, as whoever holds it knows it: blobs first, and what is deleted
/// before what takes its place.
pub(crate) async fn put_all<T: Tx>(
    tx: &mut T,
    assets: &[Asset],
    blobs: &[Blob],
    now: Millis,
) -> Result<()> {
    for blob in blobs {
        put_blob(tx, blob, now).await?;
    }
    let (deleted, kept): (Vec<_>, Vec<_>) =
        assets.iter().partition(|asset| asset.deleted_at.is_some());
    for asset in deleted.into_iter().chain(kept) {
        put(tx, asset, now).await?;
    }
    Ok(())
}

pub(crate) async fn put_outputs<T: Tx>(
    tx: &mut T,
    generation: &str,
    fence: i64,
    (assets, blobs): (&[Asset], &[Blob]),
    now: Millis,
) -> Result<bool> {
    const READ: &str = "SELECT owner FROM generations WHERE id = ?1 AND fence = ?2";
    const CHANGE: &str = "SELECT owner FROM generations WHERE id = ?1 AND fence = ?2 FOR UPDATE";
    let sql = if T::FOR_UPDATE.is_empty() { READ } else { CHANGE };
    let held = first(tx, sql, &[generation.into(), fence.into()]).await?;
    let Some(mut cells) = held else { return Ok(false) };
    put_all(tx, assets, blobs, now).await?;
    own_outputs(tx, generation, assets, &cells.take::<String>()?).await?;
    Ok(true)
}

pub(crate) async fn put_sync<T: Tx>(
    tx: &mut T,
    asset: &Asset,
    blob: Option<&Blob>,
    now: Millis,
) -> Result<bool> {
    let known = by_id(tx, &asset.id, true).await?;
    let waits = |known: &Asset| {
        known.deleted_at.is_none() && !matches!(known.state, AssetState::Downloaded(_))
    };
    if !known.is_some_and(|known| waits(&known)) {
        return Ok(false);
    }
    let assets = std::slice::from_ref(asset);
    put_all(tx, assets, blob.map_or(&[], std::slice::from_ref), now).await?;
    Ok(true)
}

pub(crate) async fn keep_upload<T: Tx>(
    tx: &mut T,
    asset: &Asset,
    blob: Option<&Blob>,
    plan: PlanNow,
) -> Result<Uploaded> {
    let owner = Reader { tenant: asset.tenant.clone(), user: asset.owner.clone() };
    let media = asset.media().ok_or_else(|| StoreError::Corrupt("an upload of nothing".into()))?;
    if let Some(known) = with_bytes(tx, &owner, &media.sha256).await? {
        return Ok(Uploaded::Known(Box::new(known)));
    }
    if let Some(most) = plan.limits.storage_bytes {
        one_at_a_time(tx, &owner).await?;
        let used = stored(tx, &owner).await?;
        if let Some(hit) = storage_hit(most, used, media.bytes) {
            return Ok(Uploaded::Limited(hit));
        }
    }
    match blob {
        Some(blob) => put_blob(tx, blob, asset.created_at).await?,
        None if self::blob(tx, &media.sha256).await?.is_none() => return Ok(Uploaded::BlobGone),
        None => {}
    }
    put(tx, asset, asset.created_at).await?;
    Ok(Uploaded::New(Box::new(Asset { events: 1, ..asset.clone() })))
}

pub(crate) async fn of_generation<T: Tx>(tx: &mut T, generation: &str) -> Result<Vec<Asset>> {
    const SQL: &str = concat!(
        "SELECT ",
        asset_columns!(),
        " FROM assets a WHERE a.generation = ?1 AND a.deleted_at IS NULL ORDER BY a.idx"
    );
    list(tx, SQL, &[generation.into()]).await
}

pub(crate) async fn hurry<T: Tx>(tx: &mut T, generation: &str, now: Millis) -> Result<bool> {
    let sql = "UPDATE generations SET next_run_at = ?2, due_at = ?2
               WHERE id = ?1 AND due_at > ?2 AND lease_until IS NULL AND status = 'processing'";
    Ok(tx.execute(sql, &[generation.into(), now.into()]).await? == 1)
}

pub(crate) async fn put_thumbnail<T: Tx>(
    tx: &mut T,
    id: &str,
    sha256: &str,
    blob: Option<&Blob>,
    now: Millis,
) -> Result<()> {
    if let Some(blob) = blob {
        put_blob(tx, blob, now).await?;
    }
    let sql = "UPDATE assets SET thumbnail = ?2 WHERE id = ?1 AND sync = 'downloaded'
               AND EXISTS (SELECT 1 FROM blobs WHERE sha256 = ?2)";
    tx.execute(sql, &[id.into(), sha256.into()]).await.map(drop)
}

pub(crate) async fn patch<T: Tx>(
    tx: &mut T,
    reader: &Reader,
    id: &str,
    patch: &AssetPatch,
    now: Millis,
) -> Result<Option<Asset>> {
    let found = by_id(tx, id, true).await?.filter(|asset| asset.is_of(reader));
    let Some(asset) = found else { return Ok(None) };
    let asset = patch.of(&asset, now);
    let sql = "UPDATE assets SET name = ?2, tags = ?3, public = ?4, updated_at = ?5 WHERE id = ?1";
    let tags = tag_list(&asset.tags);
    let values =
        [id.into(), asset.name.as_ref().into(), (&tags).into(), asset.public.into(), now.into()];
    tx.execute(sql, &values).await?;
    Ok(Some(asset))
}

pub(crate) async fn delete<T: Tx>(
    tx: &mut T,
    reader: &Reader,
    id: &str,
    now: Millis,
) -> Result<bool> {
    let found = by_id(tx, id, true).await?.filter(|asset| asset.is_of(reader));
    let Some(mut asset) = found else { return Ok(false) };
    asset.deleted_at = Some(now);
    put(tx, &asset, now).await?;
    Ok(true)
}

/// Deletes everything that was made for a generation, with it.
pub(crate) async fn delete_outputs<T: Tx>(tx: &mut T, generation: &str, now: Millis) -> Result<()> {
    for mut asset in of_generation(tx, generation).await? {
        asset.deleted_at = Some(now);
        put(tx, &asset, now).await?;
    }
    Ok(())
}

/// What was made for a generation is its owner's, who may have become another while it was fetched.
pub(crate) async fn own_outputs<T: Tx>(
    tx: &mut T,
    generation: &str,
    assets: &[Asset],
    owner: &str,
) -> Result<()> {
    if assets.iter().any(|asset| asset.owner != owner) {
        move_outputs(tx, generation, owner).await?;
    }
    Ok(())
}

/// What was made for a generation goes with it to another owner.
pub(crate) async fn move_outputs<T: Tx>(tx: &mut T, generation: &str, owner: &str) -> Result<()> {
    let sql = "UPDATE assets SET owner = ?2 WHERE generation = ?1 AND deleted_at IS NULL";
    tx.send(sql, &[generation.into(), owner.into()]).await
}

/// Remembers what a new generation starts from.
pub(crate) async fn put_inputs<T: Tx>(
    tx: &mut T,
    generation: &str,
    inputs: &[Input],
) -> Result<()> {
    let sql = "INSERT INTO inputs (generation, position, role, asset) VALUES (?1, ?2, ?3, ?4)";
    for input in inputs {
        let values =
            [generation.into(), input.position.into(), (&input.role).into(), (&input.asset).into()];
        tx.send(sql, &values).await?;
    }
    Ok(())
}

pub(crate) async fn inputs<T: Tx>(tx: &mut T, generation: &str) -> Result<Vec<(Input, Asset)>> {
    const SQL: &str = concat!(
        "SELECT i.position, i.role, ",
        asset_columns!(),
        " FROM inputs i JOIN assets a ON a.id = i.asset WHERE i.generation = ?1
          ORDER BY i.position"
    );
    let read = |mut c: Cells| {
        let (position, role) = (c.take()?, c.take()?);
        let asset = asset(c)?;
        Ok((Input { position, role, asset: asset.id.clone() }, asset))
    };
    tx.query(SQL, &[generation.into()]).await?.into_iter().map(read).collect()
}

/// Generations that a lineage names at most.
const MOST_CHILDREN: i64 = 100;

pub(crate) async fn lineage<T: Tx>(
    tx: &mut T,
    viewer: &Viewer,
    id: &str,
) -> Result<Option<Lineage>> {
    const OF_ID: &str =
        concat!("SELECT ", generation_columns!(), " FROM generations g WHERE g.id = ?1");
    const CHILDREN: &str = concat!(
        "SELECT i.role, ",
        generation_columns!(),
        " FROM inputs i JOIN generations g ON g.id = i.generation
          WHERE i.asset = ?1 AND g.deleted_at IS NULL
          ORDER BY g.created_at DESC, g.id DESC LIMIT ?2"
    );
    let Some(asset) = get(tx, viewer, id).await? else { return Ok(None) };
    let mut generation: Option<Row> = None;
    let mut parents = Vec::new();
    if let Some(made_for) = asset.generation() {
        let row = first(tx, OF_ID, &[made_for.into()]).await?;
        generation =
            row.map(columns::generation).transpose()?.filter(|row| row.readable_by(viewer));
        if generation.is_some() {
            let all = inputs(tx, made_for).await?.into_iter();
            parents = all
                .map(|(input, asset)| {
                    (input, Some(asset).filter(|asset| asset.readable_by(viewer)))
                })
                .collect();
        }
    }
    let mut children = Vec::new();
    for mut cells in tx.query(CHILDREN, &[id.into(), MOST_CHILDREN.into()]).await? {
        let role = cells.take()?;
        let row = columns::generation(cells)?;
        if row.readable_by(viewer) {
            let assets = of_generation(tx, &row.id).await?;
            children.push(Child { row, role, assets });
        }
    }
    Ok(Some(Lineage { asset, generation, parents, children }))
}

pub(crate) async fn copy<T: Tx>(
    tx: &mut T,
    asset: &str,
    provider: &str,
    account: &str,
    now: Millis,
) -> Result<Option<AssetCopy>> {
    let sql = "SELECT asset, provider, account, reference, expires_at FROM copies
               WHERE asset = ?1 AND provider = ?2 AND account = ?3
                 AND (expires_at IS NULL OR expires_at > ?4)";
    let read = |mut c: Cells| {
        Ok(AssetCopy {
            asset: c.take()?,
            provider: c.take()?,
            account: c.take()?,
            reference: c.take()?,
            expires_at: c.take()?,
        })
    };
    let values = [asset.into(), provider.into(), account.into(), now.into()];
    first(tx, sql, &values).await?.map(read).transpose()
}

pub(crate) async fn put_copy<T: Tx>(tx: &mut T, copy: &AssetCopy, now: Millis) -> Result<()> {
    let sql = "INSERT INTO copies (asset, provider, account, reference, expires_at, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (asset, provider, account)
               DO UPDATE SET reference = ?4, expires_at = ?5, created_at = ?6";
    let values = [
        (&copy.asset).into(),
        (&copy.provider).into(),
        (&copy.account).into(),
        (&copy.reference).into(),
        copy.expires_at.into(),
        now.into(),
    ];
    tx.execute(sql, &values).await.map(drop)
}

pub(crate) async fn collect<T: Tx>(
    tx: &mut T,
    before: Millis,
    limit: usize,
) -> Result<Vec<String>> {
    // What was deleted needs its bytes as long as something that is there started from it.
    let gone = "UPDATE assets SET sync = 'gone', sha256 = NULL, thumbnail = NULL
                WHERE deleted_at < ?1 AND sha256 IS NOT NULL AND NOT EXISTS (
                    SELECT 1 FROM inputs i JOIN generations g ON g.id = i.generation
                    WHERE i.asset = assets.id AND g.deleted_at IS NULL)";
    tx.execute(gone, &[before.into()]).await?;
    let unused = "SELECT b.sha256, b.place FROM blobs b
                  WHERE b.created_at < ?1
                    AND NOT EXISTS (SELECT 1 FROM assets a WHERE a.sha256 = b.sha256)
                    AND NOT EXISTS (SELECT 1 FROM assets a WHERE a.thumbnail = b.sha256)
                  ORDER BY b.created_at, b.sha256 LIMIT ?2";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut places = Vec::new();
    for mut cells in tx.query(unused, &[before.into(), limit.into()]).await? {
        let sha256: String = cells.take()?;
        // Whoever counts on it at the same moment is refused by the reference, or refuses this.
        tx.execute("DELETE FROM blobs WHERE sha256 = ?1", &[(&sha256).into()]).await?;
        places.push(cells.take()?);
    }
    Ok(places)
}

pub(crate) async fn unknown_places<T: Tx>(tx: &mut T, places: &[String]) -> Result<Vec<String>> {
    let mut unknown = Vec::new();
    for place in places {
        let sql = "SELECT count(*) FROM blobs WHERE place = ?1";
        if number(tx, sql, &[place.into()]).await? == 0 {
            unknown.push(place.clone());
        }
    }
    Ok(unknown)
}
