//! Opening a blob of 64 KiB: ioenv, and what it cannot do without.

use aes_gcm::aead::AeadInOut as _;
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce, Tag};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ioenv::{Cipher as _, LevelKey, SealedBlob, SystemRandom};
use ioenv_benches::text;

const KEY: [u8; 32] = [7; 32];
const BYTES: usize = 64 * 1024;

fn open(c: &mut Criterion) {
    let plaintext = &text::plain(2_000).into_bytes()[..BYTES];
    let key = LevelKey::from_bytes(&KEY);
    let blob = ioenv::Aes256Gcm.seal(&key, plaintext, &SystemRandom).expect("random bytes").to_string();
    assert_eq!(ours(&key, &blob), plaintext);
    assert_eq!(&bare(&blob)[12..12 + BYTES], plaintext);

    let mut group = c.benchmark_group("open");
    group.throughput(Throughput::Bytes(BYTES as u64));
    // From text to UTF-8, as a level is opened.
    group.bench_function("ioenv", |b| {
        b.iter(|| {
            let bytes = open_blob(&key, &blob);
            std::str::from_utf8(bytes.expose_secret()).map(str::len)
        });
    });
    group.bench_function("bare", |b| b.iter(|| bare(&blob)));
    group.bench_function("copy", |b| b.iter(|| blob.as_bytes().to_vec()));
}

fn open_blob(key: &LevelKey, blob: &str) -> ioenv::SecretBytes {
    let blob: SealedBlob = blob.parse().expect("a blob");
    ioenv::Aes256Gcm.open(key, &blob).expect("the right key")
}

fn ours(key: &LevelKey, blob: &str) -> Vec<u8> {
    open_blob(key, blob).expose_secret().to_vec()
}

/// Base64, the key schedule, and decryption where the bytes lie; nothing is checked beyond the tag, nothing is wiped.
fn bare(blob: &str) -> Vec<u8> {
    let mut bytes = STANDARD.decode(blob).expect("base64");
    let (iv, rest) = bytes.split_at_mut(12);
    let (ciphertext, tag) = rest.split_at_mut(rest.len() - 16);
    let iv = Nonce::try_from(&*iv).expect("12 bytes");
    let tag = Tag::try_from(&*tag).expect("16 bytes");
    Aes256Gcm::new(&KEY.into()).decrypt_inout_detached(&iv, b"", ciphertext.into(), &tag).expect("the right key");
    // Still with the vector before it and the tag behind it, which costs nothing.
    bytes
}

criterion_group!(benches, open);
criterion_main!(benches);
