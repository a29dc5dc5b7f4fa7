//! TLS to a PostgreSQL with a certificate of its own making.

use onepath_testpostgres::Cluster;

use super::super::{PostgresStore, Store, Time, examine_postgres};
use super::Folder;

const ROOT: &str = include_str!("tls/ca.pem");
const OTHER: &str = include_str!("tls/other.pem");

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_reached_over_tls() {
    let cluster = Cluster::with_tls(include_str!("tls/server.pem"), include_str!("tls/server.key"));
    let cluster = cluster.unwrap();
    let folder = Folder::new();
    let file = |name: &str, text: &str| {
        let path = folder.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().replace('/', "%2F")
    };
    let (root, other) = (file("root.pem", ROOT), file("other.pem", OTHER));
    let (socket, name) = (cluster.database().unwrap(), "localhost");
    let database = socket.rsplit('/').next().unwrap().to_owned();
    let port = cluster.port().unwrap();
    let url =
        |host: &str, query: &str| format!("postgres://onepath@{host}:{port}/{database}?{query}");
    let open = async |url: String| {
        let opened = tokio::task::spawn_blocking(move || PostgresStore::open(&url, Time::Database));
        opened.await.unwrap()
    };
    let encrypted = async |url: &str| {
        let store = open(url.to_owned()).await.unwrap();
        store.ping().await.unwrap();
        assert!(examine_postgres(url).await.unwrap().schema.is_some());
        let sql = "SELECT bool_and(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
                   WHERE a.application_name = 'onepath'";
        cluster.sql(&database, sql).unwrap()
    };
    assert_eq!(encrypted(&url(name, "sslmode=require")).await, "t");
    assert_eq!(
        encrypted(&url(name, &format!("sslmode=verify-full&sslrootcert={root}"))).await,
        "t"
    );
    assert_eq!(encrypted(&url(name, "sslmode=disable")).await, "f", "only where it is asked for");
    for (what, refused) in [
        ("another root", url(name, &format!("sslmode=verify-full&sslrootcert={other}"))),
        ("another name", url("127.0.0.1", &format!("sslmode=verify-full&sslrootcert={root}"))),
        ("the machine's roots", url(name, "sslmode=verify-full")),
        ("no TLS there", format!("{socket}?sslmode=require")),
    ] {
        let error = open(refused.clone()).await.unwrap_err().to_string();
        assert!(examine_postgres(&refused).await.is_err(), "{what}");
        assert!(!error.is_empty(), "{what}");
    }
}
