//! Reading text: dotenv documents, and the sealed file.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ioenv::{Document, SealedFile};
use ioenv_benches::{application, project, text};

/// Each iteration reads everything and drops it again, which wipes it.
fn dotenv(c: &mut Criterion) {
    let mut group = c.benchmark_group("parse/dotenv");
    for (name, text) in [("plain", text::plain(1_000)), ("mixed", text::mixed(1_000))] {
        assert_eq!(Document::parse(&text).expect("it is dotenv text").len(), 1_000);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |b| b.iter(|| Document::parse(&text)));
    }
}

/// Nothing is decrypted.
fn sealed(c: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory");
    project::seal(directory.path(), &application::realistic()).expect("an empty directory");
    let text = std::fs::read_to_string(directory.path().join("ioenv.sealed")).expect("it was written");
    assert_eq!(SealedFile::parse(&text).expect("it was written").keys().len(), 1);
    let mut group = c.benchmark_group("parse");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("sealed", |b| b.iter(|| SealedFile::parse(&text)));
}

criterion_group!(benches, dotenv, sealed);
criterion_main!(benches);
