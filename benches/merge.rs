//! Merging three levels, with provenance.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ioenv::merge;
use ioenv_benches::layers::{SIZES, layers};

fn merging(c: &mut Criterion) {
    let mut group = c.benchmark_group("merge");
    for size in SIZES {
        let layers = layers(size, false);
        group.throughput(Throughput::Elements(3 * size as u64));
        if size > 10_000 {
            group.sample_size(10);
        }
        // The copy of the levels that each merge consumes is not measured, and neither is dropping the result.
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter_batched(|| layers.clone(), merge, BatchSize::PerIteration);
        });
    }
}

criterion_group!(benches, merging);
criterion_main!(benches);
