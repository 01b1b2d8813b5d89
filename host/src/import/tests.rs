use super::*;
use crate::body::Sink;
use crate::cli::config_of;
use crate::intake::Intake;
use crate::store::Db;
use hyper::body::Bytes;
use std::sync::mpsc;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tributary_core::Form;

#[tokio::test]
async fn an_inject_that_fails_is_in_the_history_although_the_client_has_hung_up() {
    let folder = tempfile::tempdir().unwrap();
    let options = [
        "--data",
        folder.path().to_str().unwrap(),
        "--admin-secret",
        "example-admin",
    ];
    let app = Arc::new(App::open(config_of(&options)).unwrap());
    let mut intake = Intake::new(&app, Form::InjectBody, 1_000);
    intake
        .push(Bytes::from_static(br#"{"tokens": ["a-1"]}"#))
        .await
        .unwrap();
    let (_, received) = intake.end().await.unwrap();
    let request = InjectRequest {
        kind: JobKind::Inject,
        options: ImportOptions::default(),
        source_name: String::new(),
        actor: Asker::beside_http("admin"),
        expected: Some(PlanHash::default()),
        receiving: Duration::ZERO,
    };
    // While the writer is busy nothing is applied.
    let (go_on, told) = mpsc::channel();
    let (begins, begun) = oneshot::channel();
    let busy = move |_: &Db| {
        begins.send(()).expect("the test waits");
        let told = told.recv();
        told.map_err(|_| StoreError::Internal("nobody tells".to_owned()))
    };
    let busy = tokio::spawn({
        let app = Arc::clone(&app);
        async move { app.store.write(0, busy).await }
    });
    begun.await.unwrap();
    let inject = inject(&app, request, received.map_err(Failure::from));
    assert!(timeout(Duration::from_millis(100), inject).await.is_err());
    go_on.send(()).unwrap();
    busy.await.unwrap().unwrap();
    let failed = |db: &Db| -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM job WHERE status = 'failed'";
        Ok(db.query_row(sql, [], |row| row.get(0))?)
    };
    let noted = async {
        while app.store.read(failed).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), noted)
        .await
        .expect("a failed job");
}
