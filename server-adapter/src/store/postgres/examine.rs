//! A look at a database that changes nothing.

use std::time::Duration;

use super::super::{Examined, Result};
use super::clock::NOW;
use super::schema;
use super::tls::Way;

/// Looks at the database of a URL.
///
/// # Errors
///
/// It cannot be reached, or would lose what it acknowledges.
pub async fn examine_postgres(url: &str) -> Result<Examined> {
    let Way { mut config, tls } = Way::parse(url)?;
    config.connect_timeout(Duration::from_secs(5)).application_name("onepath doctor");
    let (client, connection) = config.connect(tls).await?;
    let driver = tokio::spawn(connection);
    let version: String = client.query_one("SHOW server_version", &[]).await?.try_get(0)?;
    let name = config.get_dbname().unwrap_or("the user's own database");
    let mut examined = Examined {
        place: format!("PostgreSQL {version}, {name}"),
        schema: None,
        known: schema::known(),
        keys: None,
        now: Some(client.query_one(NOW, &[]).await?.try_get(0)?),
        damage: Vec::new(),
    };
    if let Err(error) = schema::check(&client).await {
        examined.damage.push(error.to_string());
    }
    let there = "SELECT to_regclass('onepath_schema') IS NOT NULL";
    if client.query_one(there, &[]).await?.try_get(0)? {
        let sql = "SELECT coalesce(max(version), 0) FROM onepath_schema";
        let found: i64 = client.query_one(sql, &[]).await?.try_get(0)?;
        examined.schema = usize::try_from(found).ok().filter(|found| *found > 0);
        let sql = "SELECT count(*) FROM api_keys WHERE revoked_at IS NULL";
        examined.keys = Some(client.query_one(sql, &[]).await?.try_get(0)?);
    }
    drop(client);
    driver.abort();
    Ok(examined)
}
