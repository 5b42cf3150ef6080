//! The queue and its worker do the same on every store. What receivers may do is in `tests/full/webhook_delivery.rs`.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ioenv::vault::{At, NewWebhook, Paging, WebhookLog};
use ioenv::worker::Worker;

use super::stage::{SECOND, Stage, path};

/// Answers each request with the status that is set, and counts them.
fn receiver() -> (String, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/in", listener.local_addr().unwrap());
    let (status, count) = (Arc::new(AtomicUsize::new(200)), Arc::new(AtomicUsize::new(0)));
    let (told, counter) = (Arc::clone(&status), Arc::clone(&count));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (told, counter) = (Arc::clone(&told), Arc::clone(&counter));
            thread::spawn(move || {
                let (mut stream, mut request, mut bytes) = (stream.unwrap(), Vec::new(), [0; 4096]);
                // Each body is an object that ends in two others.
                while !request.ends_with(b"}}}") {
                    let length = stream.read(&mut bytes).unwrap();
                    request.extend_from_slice(&bytes[..length]);
                }
                counter.fetch_add(1, Ordering::Relaxed);
                let status = told.load(Ordering::Relaxed);
                let _ = write!(stream, "HTTP/1.1 {status} Whatever\r\ncontent-length: 2\r\n\r\nok");
            });
        }
    });
    (url, status, count)
}

fn logs(stage: &Stage, id: ioenv::vault::WebhookId) -> Vec<WebhookLog> {
    stage.system().webhook_logs(At::Path(stage.acme, &path("shop/dev")), id, &Paging::new()).unwrap().items
}

on_every_store! {
    fn what_fails_is_tried_again_and_what_succeeds_is_done(stage: &Stage) {
        stage.shop();
        let (url, status, count) = receiver();
        let (system, at) = (stage.system(), path("shop/dev"));
        let id = system.create_webhook(At::Path(stage.acme, &at), &NewWebhook::new(url).enabled(true)).unwrap().webhook.id;
        let worker = Worker::new(&stage.vault).threads(3);
        status.store(500, Ordering::Relaxed);
        stage.write("shop/dev", "A=1\n");
        assert_eq!((worker.run_once().unwrap(), worker.run_once().unwrap()), (1, 0));
        stage.pass(10 * SECOND);
        status.store(204, Ordering::Relaxed);
        assert_eq!((worker.run_once().unwrap(), worker.run_once().unwrap()), (1, 0));
        let attempts: Vec<_> = logs(stage, id).iter().map(|log| (log.attempt, log.status)).collect();
        assert_eq!(attempts, [(2, Some(204)), (1, Some(500))], "newest first");
        status.store(500, Ordering::Relaxed);
        stage.write("shop/dev", "A=2\n");
        for _ in 0..5 {
            assert_eq!(worker.run_once().unwrap(), 1);
            stage.pass(1800 * SECOND);
        }
        assert!(!system.webhook(At::Path(stage.acme, &at), id).unwrap().enabled);
        assert_eq!((worker.run_once().unwrap(), count.load(Ordering::Relaxed)), (0, 7));
        assert!(stage.records("job").is_empty());
    }

    fn workers_and_writers_do_not_hinder_each_other(stage: &Stage) {
        stage.shop();
        let (url, _, count) = receiver();
        let (system, at) = (stage.system(), path("shop/dev"));
        let ids: Vec<_> = (0..10)
            .map(|_| system.create_webhook(At::Path(stage.acme, &at), &NewWebhook::new(&url).enabled(true)).unwrap().webhook.id)
            .collect();
        let stop = AtomicBool::new(false);
        let mut seen = BTreeSet::new();
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let worker = Worker::new(&stage.vault).threads(2).per_host(2).poll_every(Duration::from_millis(10));
                    worker.run_until(&stop).unwrap();
                });
            }
            for round in 0..10 {
                stage.write("shop/dev", &format!("A={round}\n"));
                stage.pass(SECOND);
            }
            let begun = Instant::now();
            while !stage.records("job").is_empty() && begun.elapsed() < Duration::from_secs(30) {
                thread::sleep(Duration::from_millis(10));
            }
            stop.store(true, Ordering::Relaxed);
        });
        assert!(stage.records("job").is_empty());
        let mut total = 0;
        for id in ids {
            let logs = logs(stage, id);
            assert!((1..=10).contains(&logs.len()), "{}", logs.len());
            assert!(logs.iter().all(|log| log.status == Some(200) && log.attempt == 1));
            total += logs.len();
            seen.extend(logs.iter().map(|log| log.event));
        }
        assert_eq!((total, seen.len()), (count.load(Ordering::Relaxed), total), "each event once");
    }
}
