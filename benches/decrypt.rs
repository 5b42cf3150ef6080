//! Opening what is sealed: one blob, and the levels of a sealed file.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ioenv::{Aes256Gcm, Cipher as _, KeyRing, LevelKey, LevelPath, SealedBlob, SealedFile, SystemRandom};
use ioenv_benches::application::{self, PATHS};
use ioenv_benches::text;

/// From base64 to plaintext.
fn blob(c: &mut Criterion) {
    let key = LevelKey::from_bytes(&[7; 32]);
    let text = text::plain(2_000);
    let mut group = c.benchmark_group("decrypt/blob");
    for length in [1 << 10, 64 << 10] {
        let plaintext = &text.as_bytes()[..length];
        let blob = Aes256Gcm.seal(&key, plaintext, &SystemRandom).expect("random bytes").to_string();
        let open = || {
            let blob: SealedBlob = blob.parse().expect("a blob");
            Aes256Gcm.open(&key, &blob).expect("the right key")
        };
        assert_eq!(open().expose_secret(), plaintext);
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_function(BenchmarkId::from_parameter(length), |b| b.iter(open));
    }
}

/// The three levels of an application: proof of the key, place tags, blobs, and the dotenv text in them.
fn levels(c: &mut Criterion) {
    let key = LevelKey::from_bytes(&[7; 32]);
    let keys = KeyRing::from(&key);
    let directory = tempfile::tempdir().expect("a directory");
    let mut sealed =
        SealedFile::create(directory.path().join("ioenv.sealed"), PATHS[0].parse().expect("a name")).expect("no file");
    sealed.add_key("main".parse().expect("a name"), &key).expect("the first key");
    let paths = PATHS.map(|path| path.parse::<LevelPath>().expect("a path"));
    for (path, level) in paths.iter().zip(&application::realistic()) {
        sealed.set_level(path, level, &keys).expect("its key");
    }
    c.bench_function("decrypt/levels", |b| {
        b.iter(|| paths.each_ref().map(|path| sealed.level(path, &keys).expect("the right key")));
    });
}

criterion_group!(benches, blob, levels);
criterion_main!(benches);
