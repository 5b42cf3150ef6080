//! Merging three levels, with provenance, and collecting the same pairs into one ordered map.
//!
//! A level shares half of its names with the level above it; names stand in the text in no particular order, as
//! people write them, or else ascending, which is the best a map can be given. Results are dropped outside of what is
//! measured, and so is the copy of the levels that each merge consumes.

use std::collections::BTreeMap;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ioenv::{Document, Layer, merge};
use ioenv_peers::application::PATHS;
use ioenv_peers::random::Numbers;

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

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

/// Levels of so many names each.
fn layers(size: usize, is_ascending: bool) -> Vec<Layer> {
    let mut numbers = Numbers::new(4);
    let level = |(number, path): (usize, &&str)| {
        let first = number * size / 2;
        let mut names: Vec<String> =
            (first..first + size).map(|number| format!("SERVICE_SETTING_{number:06}")).collect();
        if !is_ascending {
            names.sort_by_cached_key(|_| numbers.draw());
        }
        let lines: Vec<String> = names.iter().map(|name| format!("{name}=value-{number}-of-{name}")).collect();
        Layer::new(path.parse().expect("a path"), Document::parse(&lines.join("\n")).expect("ioenv reads it"))
    };
    PATHS.iter().enumerate().map(level).collect()
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
