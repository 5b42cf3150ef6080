//! Reading dotenv text: ioenv, dotenvy, and a bare copy of the bytes, which is as fast as memory allows.
//!
//! Each iteration reads everything and drops it again. ioenv wipes what it drops.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ioenv::Document;
use ioenv_benches::text;

fn parse(c: &mut Criterion) {
    for (name, text) in [("plain", text::plain(1_000)), ("mixed", text::mixed(1_000))] {
        let document = Document::parse(&text).expect("ioenv reads it");
        let ours: Vec<(&str, &str)> =
            document.entries().iter().map(|entry| (entry.name().as_str(), entry.value().expose_secret())).collect();
        let theirs = dotenvy_pairs(&text);
        assert_eq!(ours.len(), 1_000);
        assert!(ours.iter().copied().eq(theirs.iter().map(|(name, value)| (name.as_str(), value.as_str()))));

        let mut group = c.benchmark_group("parse");
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::new("ioenv", name), |b| b.iter(|| Document::parse(&text)));
        group.bench_function(BenchmarkId::new("dotenvy", name), |b| b.iter(|| dotenvy_pairs(&text)));
        group.bench_function(BenchmarkId::new("copy", name), |b| b.iter(|| text.as_bytes().to_vec()));
    }
}

fn dotenvy_pairs(text: &str) -> Vec<(String, String)> {
    dotenvy::from_read_iter(text.as_bytes()).collect::<Result<_, _>>().expect("dotenvy reads it")
}

criterion_group!(benches, parse);
criterion_main!(benches);
