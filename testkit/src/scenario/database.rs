//! T4: PostgreSQL is killed and started again, and its connections are cut.

use std::time::Duration;

use onepath_testkit::Fallible;
use onepath_testkit::random::Random;
use onepath_testpostgres::Cluster;

use super::stage::Stage;
use super::{Context, Verdict};
use crate::load::{Load, Mix};

pub(crate) async fn play(context: &Context) -> Fallible<Vec<Verdict>> {
    let rounds = context.rounds(6, 200);
    let mut random = Random::new(context.seed);
    // Its own: the others go on.
    let cluster = Cluster::start()?;
    let database = cluster.database()?;
    let name = format!("database-{}", context.seed);
    let stage = Stage::on(context, Some(database.clone()), &name, context.seed).await?;
    let mut server = stage.serve(0, &["--no-worker"]).await?;
    let mut worker = stage.program.start("worker", &[]).await?;
    stage.truth.watch().await?;
    let load = Load::start(&stage.caller, 6, context.seed, Mix::All);
    let mut done = [0; 3];
    for round in 0..rounds {
        tokio::time::sleep(Duration::from_micros(random.below(700_000))).await;
        let way = if round < 3 { round } else { random.below(3) };
        match way {
            0 => {
                cluster.kill()?;
                cluster.start_again()?;
            }
            1 => cluster.restart()?,
            _ => {
                for _ in 0..8 {
                    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                               WHERE datname = current_database() AND pid <> pg_backend_pid()";
                    cluster.sql(&database, cut)?;
                    tokio::time::sleep(Duration::from_millis(random.below(40))).await;
                }
            }
        }
        if let Some(count) = done.get_mut(usize::try_from(way).unwrap_or(0)) {
            *count += 1;
        }
    }
    let acknowledged = load.end().await?;
    let (counts, faults) = stage.judge(&acknowledged).await?;
    worker.end().await?;
    server.end().await?;
    stage.clear(&faults)?;
    let line = format!(
        "T4: PostgreSQL killed {} times, restarted at once {} times, all connections cut 8 times in a \
         row {} times; {counts}",
        done[0], done[1], done[2]
    );
    Ok(vec![Verdict { line, faults }])
}
