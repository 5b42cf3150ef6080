//! All that `ioenv::load` does but the write into the process environment, which a process can do once: it finds the
//! configuration and the key, reads the sealed file, opens three levels with 100 names, and merges them.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use ioenv::{Configuration, Loader};
use ioenv_benches::{application, project};

fn load(c: &mut Criterion) {
    let mut group = c.benchmark_group("load");
    for (name, levels) in [("application", application::realistic()), ("tiny", application::tiny())] {
        let directory = tempfile::tempdir().expect("a directory");
        project::seal(directory.path(), &levels).expect("an empty directory");
        let resolve = || {
            let configuration = Configuration::discover_in(directory.path()).expect("it was written");
            Loader::new().configuration(configuration).resolve().expect("unset all variables IOENV_* to measure this")
        };
        assert_eq!(resolve().names().count(), 100);
        group.bench_function(BenchmarkId::from_parameter(name), |b| b.iter(resolve));
    }
}

criterion_group!(benches, load);
criterion_main!(benches);
