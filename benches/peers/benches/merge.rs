//! Merging three levels, with provenance, and collecting the same pairs into one ordered map.
//!
//! Names that ascend in the text are the best a map can be given. Results are dropped outside of what is measured, and so
//! is the copy of the levels that each merge consumes.

use std::collections::BTreeMap;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ioenv::{Layer, merge};
use ioenv_benches::layers::{SIZES, layers};

fn merging(c: &mut Criterion) {
    for size in SIZES {
        compare(c, &format!("{size}"), &layers(size, false));
    }
    compare(c, "1000 ascending", &layers(1_000, true));
}

fn compare(c: &mut Criterion, name: &str, layers: &[Layer]) {
    let resolved = merge(layers.to_vec());
    let ours = resolved.iter().map(|variable| (variable.name().as_str(), variable.value().expose_secret()));
    assert!(ours.eq(borrowed(layers)));

    let entries: usize = layers.iter().map(|layer| layer.document().len()).sum();
    let mut group = c.benchmark_group("merge");
    group.throughput(Throughput::Elements(entries as u64));
    if entries > 10_000 {
        group.sample_size(10);
    }
    group.bench_function(BenchmarkId::new("ioenv", name), |b| {
        b.iter_batched(|| layers.to_vec(), merge, BatchSize::PerIteration);
    });
    group.bench_function(BenchmarkId::new("borrowed map", name), |b| {
        b.iter_batched(|| (), |()| borrowed(layers), BatchSize::PerIteration);
    });
    group.bench_function(BenchmarkId::new("owned map", name), |b| {
        b.iter_batched(|| (), |()| owned(layers), BatchSize::PerIteration);
    });
}

/// What a program would keep that needs no provenance and outlives no document.
fn borrowed(layers: &[Layer]) -> BTreeMap<&str, &str> {
    let entries = layers.iter().flat_map(|layer| layer.document().entries());
    entries.map(|entry| (entry.name().as_str(), entry.value().expose_secret())).collect()
}

/// The same, with names and values of its own.
fn owned(layers: &[Layer]) -> BTreeMap<String, String> {
    let entries = layers.iter().flat_map(|layer| layer.document().entries());
    entries.map(|entry| (entry.name().to_string(), entry.value().expose_secret().to_owned())).collect()
}

criterion_group!(benches, merging);
criterion_main!(benches);
