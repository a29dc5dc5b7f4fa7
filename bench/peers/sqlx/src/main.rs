//! A create with axum and sqlx on PostgreSQL: the statements of `STATEMENTS`, a commit a request.
//!
//! Usage: `onepath-bench-sqlx STATEMENTS`; `DATABASE_SOCKET` names the folder of the socket,
//! `DATABASE_NAME` the database. The path is onepath's own, so that the database is all that
//! differs.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use onepath_core::{CreateGenerationRequest, decode, fingerprint, to_json};
use serde::Deserialize;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPoolOptions};
use sqlx::{Arguments as _, PgConnection, PgPool, Row as _};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A statement, and what its parameters are.
#[derive(Debug, Clone, Deserialize)]
struct Statement {
    name: String,
    sql: String,
    params: Vec<String>,
}

#[derive(Debug, Clone)]
struct App {
    pool: PgPool,
    statements: Arc<Vec<(&'static str, Statement)>>,
    numbers: Arc<AtomicI64>,
}

enum Value {
    Int(i64),
    Text(String),
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let file = std::env::args().nth(1).ok_or("usage: onepath-bench-sqlx STATEMENTS")?;
    let statements: Vec<Statement> = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    // They live as long as the program.
    let fixed = |one: Statement| (&*Box::leak(one.sql.clone().into_boxed_str()), one);
    let options = PgConnectOptions::new_without_pgpass()
        .socket(std::env::var("DATABASE_SOCKET")?)
        .username("onepath")
        .database(&std::env::var("DATABASE_NAME")?);
    let app = App {
        pool: PgPoolOptions::new().max_connections(16).connect_with(options).await?,
        statements: Arc::new(statements.into_iter().map(fixed).collect()),
        numbers: Arc::default(),
    };
    let router = Router::new()
        .route("/api/v1/generations", post(all))
        .route("/one", post(one))
        .with_state(app);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}

/// All rows of a create in one transaction.
async fn all(
    State(app): State<App>,
    headers: HeaderMap,
    body: String,
) -> Result<(StatusCode, String), (StatusCode, String)> {
    create(&app, &headers, &body, false).await.map_err(told)
}

/// The row of the generation alone.
async fn one(
    State(app): State<App>,
    headers: HeaderMap,
    body: String,
) -> Result<(StatusCode, String), (StatusCode, String)> {
    create(&app, &headers, &body, true).await.map_err(told)
}

fn told(failure: Failure) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, failure.to_string())
}

async fn create(
    app: &App,
    headers: &HeaderMap,
    body: &str,
    alone: bool,
) -> Result<(StatusCode, String), Failure> {
    let envelope = decode::<CreateGenerationRequest<'_>>(body).into_result()?;
    let request = envelope.request.ok_or("no request")?;
    let print = fingerprint(&request, None).map_err(|refusal| refusal.to_string())?;
    let hashes = print.hashes.ok_or("no hash")?;
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    let bearer = bearer.unwrap_or_default();
    // Rows of their own: the same requests come twice.
    let tenant = if alone { format!("sqlx {bearer}") } else { bearer.to_owned() };
    let id = uuid::Uuid::now_v7().to_string();
    let text = |text: &str| Value::Text(text.to_owned());
    let mut values = HashMap::from([
        ("id", text(&id)),
        ("tenant", Value::Text(tenant)),
        ("request", Value::Text(to_json(&request)?)),
        ("hash", Value::Text(hashes.request.to_string())),
        ("key", Value::Text(print.cache_key.unwrap_or_else(|| id.clone()))),
        ("now", Value::Int(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis().try_into()?)),
    ]);
    if alone {
        let number = app.numbers.fetch_add(1, Ordering::Relaxed);
        values.insert("number", Value::Int(number));
        let mut connection = app.pool.acquire().await?;
        for (sql, statement) in app.statements.iter().filter(|(_, one)| one.name == "generation") {
            run(&mut connection, sql, statement, &values).await?;
        }
    } else {
        let mut transaction = app.pool.begin().await?;
        for (sql, statement) in app.statements.iter() {
            let found = run(&mut transaction, sql, statement, &values).await?;
            if statement.name == "number" {
                let number = found.first().ok_or("no number")?.try_get::<i64, _>(0)?;
                values.insert("number", Value::Int(number));
            } else if !found.is_empty() {
                return Err("it is there already".into());
            }
        }
        transaction.commit().await?;
    }
    let answer = serde_json::json!({ "id": id, "status": "pending", "request_hash": hashes.request.to_string() });
    Ok((StatusCode::ACCEPTED, answer.to_string()))
}

async fn run(
    connection: &mut PgConnection,
    sql: &'static str,
    statement: &Statement,
    values: &HashMap<&str, Value>,
) -> Result<Vec<sqlx::postgres::PgRow>, Failure> {
    let mut arguments = PgArguments::default();
    for name in &statement.params {
        match values.get(name.as_str()).ok_or("no such value")? {
            Value::Int(value) => arguments.add(value)?,
            Value::Text(value) => arguments.add(value)?,
        }
    }
    Ok(sqlx::query_with(sql, arguments).fetch_all(connection).await?)
}
