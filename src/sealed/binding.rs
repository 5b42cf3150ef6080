//! What ties a sealed file's parts together: the check value of a key, the place tag of a level, and the tag that names
//! the key which replaced another one.

use ctutils::CtEq as _;
use hmac::digest::FixedOutput as _;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::format::VERSION;
use crate::core::blob::SealedBlob;
use crate::core::key::LevelKey;
use crate::core::mac::mac;
use crate::core::name::Slug;
use crate::core::path::LevelPath;

/// Whether `check` is that of `key`: `HKDF-SHA256(key, info = "ioenv:check:v1")`. Takes the same time either way.
pub(super) fn is_check(key: &LevelKey, check: &[u8; 32]) -> bool {
    self::check(key).ct_eq(check).to_bool()
}

/// What a file keeps of a key, so that a wrong one is named as such.
pub(super) fn check(key: &LevelKey) -> [u8; 32] {
    *key.as_aes_key().derive(b"ioenv:check:v1")
}

/// What keeps a blob at its level: an HMAC-SHA256 under `HKDF-SHA256(key, info = "ioenv:place:v1")`.
pub(super) fn place_tag(key: &LevelKey, path: &LevelPath, blob: &SealedBlob) -> [u8; 32] {
    place_mac(key, path, blob).finalize_fixed().into()
}

/// Whether `tag` is that of a blob at its level. Takes the same time either way.
pub(super) fn is_place_tag(key: &LevelKey, path: &LevelPath, blob: &SealedBlob, tag: &[u8; 32]) -> bool {
    place_mac(key, path, blob).verify_slice(tag).is_ok()
}

/// What says that the key `old` was replaced by the key `new` of that `check`: an HMAC-SHA256 under
/// `HKDF-SHA256(old key, info = "ioenv:replaced:v1")`. Only a holder of the old key can direct its levels to another key.
pub(super) fn replacement_tag(key: &LevelKey, old: &Slug, new: &Slug, check: &[u8; 32]) -> [u8; 32] {
    replacement_mac(key, old, new, check).finalize_fixed().into()
}

/// Whether `tag` is that of a replacement. Takes the same time either way.
pub(super) fn is_replacement_tag(key: &LevelKey, old: &Slug, new: &Slug, check: &[u8; 32], tag: &[u8; 32]) -> bool {
    replacement_mac(key, old, new, check).verify_slice(tag).is_ok()
}

fn place_mac(key: &LevelKey, path: &LevelPath, blob: &SealedBlob) -> Hmac<Sha256> {
    let parts = [VERSION.as_bytes(), path.as_str().as_bytes(), blob.as_bytes()];
    mac(&key.as_aes_key().derive(b"ioenv:place:v1"), &parts)
}

fn replacement_mac(key: &LevelKey, old: &Slug, new: &Slug, check: &[u8; 32]) -> Hmac<Sha256> {
    let parts = [VERSION.as_bytes(), old.as_str().as_bytes(), new.as_str().as_bytes(), check];
    mac(&key.as_aes_key().derive(b"ioenv:replaced:v1"), &parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_hkdf_with_its_label() {
        let key = LevelKey::from_bytes(&[7; 32]);
        // Computed with Python's hmac: extract with an empty salt, then one block of expand.
        let expected = [
            0xe7, 0x36, 0xf6, 0xde, 0xaf, 0x10, 0xef, 0x52, 0xe6, 0xe6, 0x96, 0x5f, 0x9e, 0x21, 0x12, 0x00, 0xf5, 0x13,
            0x85, 0xeb, 0xcb, 0x9f, 0x92, 0xcb, 0xeb, 0x68, 0x89, 0x0b, 0xef, 0xa1, 0x6a, 0x61,
        ];
        assert_eq!(check(&key), expected);
        assert!(is_check(&key, &expected));
        assert!(!is_check(&LevelKey::from_bytes(&[8; 32]), &expected));
    }

    #[test]
    fn a_place_tag_holds_for_one_key_one_path_and_one_blob() {
        let key = LevelKey::from_bytes(&[7; 32]);
        let path = |text: &str| LevelPath::new(text).unwrap();
        let blob = |byte: u8| SealedBlob::from_bytes(vec![byte; 30]).unwrap();
        let tag = place_tag(&key, &path("a/b"), &blob(1));
        assert!(is_place_tag(&key, &path("a/b"), &blob(1), &tag));
        assert!(!is_place_tag(&key, &path("a/c"), &blob(1), &tag));
        assert!(!is_place_tag(&key, &path("a/b"), &blob(2), &tag));
        assert!(!is_place_tag(&LevelKey::from_bytes(&[8; 32]), &path("a/b"), &blob(1), &tag));
    }

    #[test]
    fn a_replacement_tag_holds_for_one_key_and_two_ids_and_one_check() {
        let key = LevelKey::from_bytes(&[7; 32]);
        let id = |text: &str| Slug::new(text).unwrap();
        let tag = replacement_tag(&key, &id("a"), &id("b"), &[1; 32]);
        assert!(is_replacement_tag(&key, &id("a"), &id("b"), &[1; 32], &tag));
        assert!(!is_replacement_tag(&key, &id("c"), &id("b"), &[1; 32], &tag));
        assert!(!is_replacement_tag(&key, &id("a"), &id("c"), &[1; 32], &tag));
        assert!(!is_replacement_tag(&key, &id("a"), &id("b"), &[2; 32], &tag));
        assert!(!is_replacement_tag(&LevelKey::from_bytes(&[8; 32]), &id("a"), &id("b"), &[1; 32], &tag));
    }
}
