#!/usr/bin/env python3
"""Writes the vectors of the sealed file, version 1, without a line of this crate's code.

    pip install cryptography
    python3 scripts/make-sealed-vector.py

makes tests/vectors/sealed-v1.sealed, tests/vectors/sealed-v1.json (the keys, and what each level says) and
tests/vectors/sealed-bad/ (one damaged file each, and index.json with the expected errors). Keys, initialization vectors
and dates are fixed, so that a second run changes nothing.

It follows docs/sealed-file.md with Python's hashlib and hmac and the AES-GCM of the package `cryptography`. A change of
the format changes the specification, this script and the crate, in this order.
"""

import base64
import hashlib
import hmac
import json
import pathlib

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "tests" / "vectors"
VERSION = "1"
CREATED = "2026-01-02T03:04:05Z"


# --- the format ---


def b64(data):
    return base64.b64encode(data).decode()


def hkdf(key, info, length=32):
    """HKDF-SHA256 without a salt (RFC 5869), for at most 8,160 bytes."""
    extracted = hmac.digest(bytes(32), key, "sha256")
    output, block = b"", b""
    while len(output) < length:
        block = hmac.digest(extracted, block + info + bytes([len(output) // 32 + 1]), "sha256")
        output += block
    return output[:length]


def key_text(key):
    checksum = hashlib.sha256(b"ioenv:key:v1" + key).digest()[:4]
    return "ioenv_key_" + base64.urlsafe_b64encode(key + checksum).decode()


def place_tag(key, path, blob):
    message = b"".join(len(part).to_bytes(8, "big") + part for part in (VERSION.encode(), path.encode(), blob))
    return hmac.digest(hkdf(key, b"ioenv:place:v1"), message, "sha256")


def seal(key, path, text):
    """The blob, under an initialization vector that a test may fix and nobody else."""
    iv = hashlib.sha256(f"iv of {path}".encode()).digest()[:12]
    return iv + AESGCM(key).encrypt(iv, text.encode(), None)


def key_section(name, key, derivation=None):
    lines = [f"key {name}", f"  scheme {'pbkdf2' if derivation else 'random'}"]
    if derivation:
        salt, iterations = derivation
        lines += [f"  salt {b64(salt)}", f"  iterations {iterations}"]
    return lines + [f"  created {CREATED}", f"  check {b64(hkdf(key, b'ioenv:check:v1'))}"]


def replaced_by(old, new):
    """The last line of a retired key's section."""
    check = hkdf(KEYS[new], b"ioenv:check:v1")
    message = b"".join(len(part).to_bytes(8, "big") + part for part in (VERSION.encode(), old.encode(), new.encode(), check))
    return f"  replaced-by {new} {b64(hmac.digest(hkdf(KEYS[old], b'ioenv:replaced:v1'), message, 'sha256'))}"


def level_section(path, key_name, key, blob):
    text = b64(blob)
    lines = [f"level {path}", f"  key {key_name}", f"  place {b64(place_tag(key, path, blob))}", "  blob"]
    return lines + [f"    {text[at:at + 76]}" for at in range(0, len(text), 76)]


def document(project, sections):
    head = [f"ioenv-sealed {VERSION}", f"project {project}"]
    return "\n\n".join("\n".join(section) for section in [head, *sections, ["end"]]) + "\n"


def self_check():
    """The parts, against what their standards publish."""
    # RFC 5869, A.3.
    expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    assert hkdf(b"\x0b" * 22, b"", 42).hex() == expected
    # NIST, "The Galois/Counter Mode of Operation (GCM)", test case 13.
    assert AESGCM(bytes(32)).encrypt(bytes(12), b"", None).hex() == "530f8afbc74536b9a963b4f1c4cb738b"
    # RFC 7914, section 11, the first 32 bytes.
    derived = hashlib.pbkdf2_hmac("sha256", b"passwd", b"salt", 1, 32)
    assert derived.hex() == "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"


# --- the file that opens ---

PROJECT = "acme-store"
PASSPHRASE = "tide-pool ledger ünder 41"
SALT = bytes(range(16))
# Few, so that a test in a debug build is quick; a new passphrase gets 600,000.
ITERATIONS = 1000

KEYS = {
    "main": hashlib.sha256(b"the key main").digest(),
    "production": hashlib.sha256(b"the key production").digest(),
    "staging": hashlib.pbkdf2_hmac("sha256", PASSPHRASE.encode(), SALT, ITERATIONS, 32),
}
KEY_TEXTS = {"main": key_text(KEYS["main"]), "production": key_text(KEYS["production"]), "staging": PASSPHRASE}
DERIVATIONS = {"staging": (SALT, ITERATIONS)}


def entry(name, value, kind="secret", comment=None):
    return {"name": name, "value": value, "kind": kind, "comment": comment}


# Path, key, text, entries: what is sealed is the text; the entries are what it must read as.
LEVELS = [
    (
        "acme-store",
        "main",
        "# shared by all\n\n# what the server listens on\n# ioenv: variable\nPORT=8080\n"
        "SESSION_SECRET='d4 $x # \"y\"'\nEMPTY=\n",
        [
            entry("PORT", "8080", "variable", "what the server listens on"),
            entry("SESSION_SECRET", 'd4 $x # "y"'),
            entry("EMPTY", ""),
        ],
    ),
    (
        "acme-store/backend",
        "main",
        'DATABASE_URL="postgres://app:it\'s$5@db/acme?a=1#b"\n'
        "PRIVATE_KEY='-----BEGIN KEY-----\nMC4CAQAwBQYDK2VwBCIEIHxP\n-----END KEY-----\n' # of the robot\n# the end\n",
        [
            entry("DATABASE_URL", "postgres://app:it's$5@db/acme?a=1#b"),
            entry(
                "PRIVATE_KEY",
                "-----BEGIN KEY-----\nMC4CAQAwBQYDK2VwBCIEIHxP\n-----END KEY-----\n",
                comment="of the robot",
            ),
        ],
    ),
    (
        "acme-store/backend/production",
        "production",
        "DATABASE_URL='postgres://prod/größe 🔑'\n# ioenv: variable\nLOG_LEVEL=warn\n",
        [
            entry("DATABASE_URL", "postgres://prod/größe 🔑"),
            entry("LOG_LEVEL", "warn", "variable"),
        ],
    ),
    (
        "acme-store/backend/staging",
        "staging",
        "SESSION_SECRET=staging-planted\n",
        [entry("SESSION_SECRET", "staging-planted")],
    ),
    ("acme-store/empty", "main", "", []),
]


def key_sections():
    return [key_section(name, key, DERIVATIONS.get(name)) for name, key in KEYS.items()]


def level_sections():
    return [level_section(path, name, KEYS[name], seal(KEYS[name], path, text)) for path, name, text, _ in LEVELS]


def good():
    return document(PROJECT, key_sections() + level_sections())


def good_index():
    return {
        "about": "What sealed-v1.sealed says. A key is what a key file has on one line. `text` is the dotenv text of a "
        "level; `entries` is what it reads as. Made by scripts/make-sealed-vector.py.",
        "project": PROJECT,
        "created": CREATED,
        "keys": [
            {"id": name, "scheme": "pbkdf2" if name in DERIVATIONS else "random", "text": text}
            for name, text in KEY_TEXTS.items()
        ],
        "levels": [
            {"path": path, "key": name, "text": text, "entries": entries} for path, name, text, entries in LEVELS
        ],
    }


# --- the files that do not ---

BACKEND = "acme-store/backend"
STAGING = "acme-store/backend/staging"


def replaced(old, new):
    """The good file with its first `old` replaced."""
    text = good()
    assert old in text, old
    return text.replace(old, new, 1)


def section(path):
    return next("\n".join(s) for s in level_sections() if s[0] == f"level {path}")


def blob_lines(path):
    return section(path).split("  blob\n")[1]


def flipped(text):
    """Base64 text, with one bit of what it stands for changed."""
    data = bytearray(base64.b64decode(text))
    data[len(data) // 2] ^= 0x10
    return b64(bytes(data))


def level_with(name, value):
    """The good file with one field of a level replaced."""
    old = next(line for line in section(BACKEND).split("\n") if line.startswith(f"  {name} "))
    return replaced(section(BACKEND), section(BACKEND).replace(old, f"  {name} {value}"))


def with_blob(text):
    """The good file with the blob of a level replaced, its place tag left as it was."""
    return replaced(blob_lines(BACKEND), "\n".join(f"    {text[at:at + 76]}" for at in range(0, len(text), 76)))


def place_of(path):
    return section(path).split("  place ")[1].split("\n")[0]


def blob_of(path):
    return blob_lines(path).replace("    ", "").replace("\n", "")


class Bad:
    """Collects the files that differ from the good one, each with what is expected of it."""

    def __init__(self):
        self.files = []

    def add(self, name, what, text, kind, **where):
        self.files.append(({"file": f"{name}.sealed", "what": what, "kind": kind, **where}, text))

    def in_level(self, name, what, text, path=BACKEND, kind="Corrupt"):
        """The file is read, and the error comes when the level is opened."""
        self.add(name, what, text, kind, level=path)

    def in_line(self, name, what, text, line, kind="Corrupt"):
        """The error comes when the file is read, in this line: a number, or how it begins."""
        if isinstance(line, str):
            starts = (number for number, text in enumerate(text.split("\n"), 1) if text.startswith(line))
            line = next(starts)
        self.add(name, what, text, kind, line=line)


def bad():
    files = Bad()
    damaged_levels(files)
    damaged_frames(files)
    damaged_keys(files)
    other_tools(files)
    return files.files


def damaged_levels(files):
    """What was damaged or moved shows when the level is opened: its key is known to be right by then."""
    blob, place = blob_of(BACKEND), place_of("acme-store")
    files.in_level("blob-bit-flipped", "one bit of a blob changed", with_blob(flipped(blob)))
    other_iv = ("B" if blob[0] == "A" else "A") + blob[1:]
    files.in_level("blob-iv-flipped", "another initialization vector", with_blob(other_iv))
    files.in_level("blob-moved", "the blob of another level, alone", with_blob(blob_of("acme-store")))
    files.in_level("place-of-another-level", "the place tag of another level", level_with("place", place))
    moved = replaced(section(BACKEND), section("acme-store").replace("acme-store", BACKEND, 1))
    files.in_level("level-moved", "blob and place tag of another level under the same key", moved)
    testing = "acme-store/backend/testing"
    renamed = replaced(f"level {STAGING}\n", f"level {testing}\n")
    files.in_level("level-renamed", "a level under another path", renamed, testing)
    files.in_level(
        "place-bit-flipped", "one bit of a place tag changed", level_with("place", flipped(place_of(BACKEND)))
    )
    other_key = level_with("key", "production")
    files.in_level("key-of-another-level", "a level that names another key of the file", other_key)
    files.in_level("blob-cut", "a blob that ends in the middle of its text", with_blob(blob[:-9]))
    files.in_level("blob-too-short", "a blob of 27 bytes", with_blob(b64(bytes(27))))
    files.in_level("blob-empty", "a blob of no bytes", replaced(blob_lines(BACKEND) + "\n", ""))
    files.in_level("blob-not-base64", "a blob with a sign that is not base64", with_blob("planted!" + blob[8:]))

    def sealed(data):
        """The level, sealed as it should be, with other contents."""
        blob = bytes(12) + AESGCM(KEYS["main"]).encrypt(bytes(12), data, None)
        return replaced(section(BACKEND), "\n".join(level_section(BACKEND, "main", KEYS["main"], blob)))

    files.in_level("document-not-utf8", "a level that holds Latin-1", sealed(b"A=planted\xff\n"))
    not_dotenv = sealed(b"A=1\nplanted without a sign\n")
    files.in_level("document-not-dotenv", "a level that holds no dotenv text", not_dotenv, kind="Syntax")


def damaged_frames(files):
    """The order of lines, sections and fields is checked when the file is read."""
    whole, backend = good(), section(BACKEND)
    blob = blob_lines(BACKEND)

    files.in_line("empty", "an empty file", "", 1)
    files.in_line("not-a-sealed-file", "a dotenv file", "DATABASE_URL=postgres://planted\n", 1)
    for name, first in [("0", "0"), ("01", "01"), ("abc", "abc"), ("negative", "-1"), ("empty", "")]:
        text = replaced("ioenv-sealed 1\n", f"ioenv-sealed {first}\n")
        files.in_line(f"version-{name}", f"the version `{first}`", text, 1)
    newer = replaced("ioenv-sealed 1\n", "ioenv-sealed 2\n")
    files.add("version-2", "a version that is yet to come", newer, "UnsupportedVersion")
    unknown = "ioenv-sealed 10\n\0 { planted }\n"
    files.add("version-10", "a version of which nothing else is known", unknown, "UnsupportedVersion")
    files.in_line("project-missing", "no project", replaced("project acme-store\n", ""), 2)
    not_a_slug = replaced("project acme-store\n", "project planted/store\n")
    files.in_line("project-not-a-slug", "a project that no path can name", not_a_slug, 2)

    files.in_line("cut-in-the-head", "cut off behind the first line", "ioenv-sealed 1\n", 2)
    files.add("cut-in-a-key", "cut off in the middle of a key", whole[: whole.index("  check ")], "Corrupt")
    files.add("cut-in-a-blob", "cut off in the middle of a blob", whole[: whole.index(blob) + 40], "Corrupt")
    between = whole[: whole.index(f"level {STAGING}")]
    files.in_line("cut-between-levels", "cut off behind a level", between, between.count("\n") + 1)
    before_end = whole.removesuffix("end\n")
    files.in_line("cut-before-end", "only `end` is missing", before_end, before_end.count("\n") + 1)
    files.in_line("more-after-end", "text behind `end`", whole + "# planted\n", "# planted")

    files.add("level-twice", "a level that stands twice", replaced(backend, f"{backend}\n\n{backend}"), "Corrupt")
    elsewhere = replaced(f"level {BACKEND}\n", "level beta-store/backend\n")
    files.in_line("level-of-another-project", "a level of another project", elsewhere, "level beta-store")
    deep = replaced(f"level {STAGING}\n", "level acme-store/a/b/planted\n")
    files.in_line("level-too-deep", "a path of four segments", deep, "level acme-store/a/b")
    keyless = replaced(backend, backend.replace("  key main\n", ""))
    files.in_line("level-without-key", "a level without a key", keyless, f"  place {place_of(BACKEND)}")
    files.in_level("level-with-unknown-key", "a level that names no key of the file", level_with("key", "planted"))
    long = b64(bytes(33))
    files.in_line("place-too-long", "a place tag of 33 bytes", level_with("place", long), f"  place {long}")
    files.in_level("blob-with-blank", "a blank within a blob", with_blob("planted blob"))

    for name, line, what in [
        ("section-unknown", "token planted", "a section that version 1 does not have"),
        ("plaintext-entry", "API_KEY=planted", "an entry that somebody wrote into it"),
        ("comment", "# planted", "a comment that somebody wrote into it"),
    ]:
        files.in_line(name, what, whole.replace("\nend\n", f"\n{line}\nend\n"), line)
    for name, line in [("level", "  blob\n"), ("key", "  scheme random\n")]:
        text = replaced(line, f"  planted yes\n{line}")
        files.in_line(f"field-unknown-in-{name}", f"a field that no {name} has", text, "  planted yes")


def damaged_keys(files):
    created, check = f"  created {CREATED}\n", b64(hkdf(KEYS["main"], b"ioenv:check:v1"))
    files.in_level(
        "check-bit-flipped", "one bit of a check value changed", replaced(check, flipped(check)), kind="Config"
    )
    for name, old, new in [
        ("salt", b64(SALT), flipped(b64(SALT))),
        ("iterations", "iterations 1000", "iterations 1001"),
    ]:
        # The passphrase makes another key then.
        files.in_level(f"{name}-changed", f"other {name}", replaced(old, new), STAGING, kind="Config")

    main_key = "\n".join(key_sections()[0])
    twice = replaced(main_key, f"{main_key}\n\n{main_key}")
    files.add("key-twice", "a key that stands twice", twice, "Corrupt")
    files.in_line("key-not-a-slug", "a key whose id is no slug", replaced("key main\n", "key the planted\n"), "key the")
    retired = main_key + "\n" + replaced_by("main", "production")
    files.add("key-retired", "a key that another one has replaced", replaced(main_key, retired), None)
    for name, line in [
        ("without-tag", "  replaced-by production"),
        ("tag-too-short", "  replaced-by production " + b64(bytes(31))),
        ("not-a-slug", "  replaced-by the/planted " + b64(bytes(32))),
    ]:
        files.in_line(f"replaced-by-{name}", "a replacement that is none", replaced(main_key, f"{main_key}\n{line}"), line)
    line = replaced_by("main", "staging")
    files.in_line("replaced-by-twice", "a key with two replacements", replaced(main_key, f"{retired}\n{line}"), line)
    swapped = replaced(f"{created}  check {check}\n", f"  check {check}\n{created}")
    files.in_line("field-order", "the fields of a key in another order", swapped, f"  check {check}")
    scheme = replaced("  scheme random\n", "  scheme planted\n")
    files.in_line("scheme-unknown", "a scheme that version 1 does not have", scheme, "  scheme planted")
    files.in_line("created-not-a-date", "a date that is none", replaced(CREATED, "planted"), "  created planted")
    short = b64(base64.b64decode(check)[:31])
    files.in_line("check-too-short", "a check value of 31 bytes", replaced(check, short), f"  check {short}")
    for name, salt in [("short", SALT[:15]), ("long", bytes(65))]:
        files.in_line(f"salt-too-{name}", f"a salt of {len(salt)} bytes", replaced(b64(SALT), b64(salt)), "  salt ")
    for name, count, kind in [
        ("4000000000", "4000000000", "Limit"),
        ("10000001", "10000001", "Limit"),
        ("20-digits", "99999999999999999999", "Limit"),
        ("0", "0", "Corrupt"),
        ("negative", "-1", "Corrupt"),
        ("not-a-number", "planted", "Corrupt"),
    ]:
        text = replaced("iterations 1000", f"iterations {count}")
        files.in_line(f"iterations-{name}", f"{count} iterations", text, "  iterations ", kind)


def other_tools(files):
    """What merges, editors and file transfers make of a good file."""
    whole, backend, blob = good(), section(BACKEND), blob_lines(BACKEND)
    conflict = replaced(f"{backend}\n", f"<<<<<<< ours\n{backend}\n=======\n{backend}\n>>>>>>> theirs\n")
    files.in_line("conflict", "a merge left a conflict", conflict, "<<<<<<<")
    inside = replaced(blob, f"<<<<<<< ours\n{blob}\n=======\n{blob_lines(STAGING)}\n>>>>>>> theirs")
    files.in_line("conflict-in-a-blob", "a merge left a conflict within a level", inside, "<<<<<<<")
    files.add("crlf", "every line ends with CR LF", whole.replace("\n", "\r\n"), None)
    files.add("last-line-without-end", "the last line has no line end", whole.removesuffix("\n"), None)
    one_line = replaced(blob, f"    {blob_of(BACKEND)}")
    files.add("blob-in-one-line", "a blob in a single line", one_line, None)
    backwards = document(PROJECT, (key_sections() + level_sections())[::-1])
    files.add("sections-backwards", "the sections in the reverse order", backwards, None)
    files.add("blank-lines", "more blank lines", whole.replace("\n\n", "\n\n\n") + "\n\n", None)


def main():
    self_check()
    write("sealed-v1.sealed", good())
    write("sealed-v1.json", json.dumps(good_index(), indent=1, ensure_ascii=False) + "\n")

    folder = VECTORS / "sealed-bad"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    files = bad()
    assert len({record["file"] for record, _ in files}) == len(files)
    for record, text in files:
        write(f"sealed-bad/{record['file']}", text)
    about = (
        "Files made of sealed-v1.sealed, and what comes of them. `kind` is the kind of the error, null where the file "
        "says what sealed-v1.sealed says. With `level`, the file is read and the error comes when that level is "
        "opened with all keys; else it comes when the file is read, in `line` where that is given. Made by "
        "scripts/make-sealed-vector.py."
    )
    write(
        "sealed-bad/index.json",
        json.dumps({"about": about, "files": [record for record, _ in files]}, indent=1, ensure_ascii=False) + "\n",
    )


def write(name, text):
    (VECTORS / name).write_bytes(text.encode())


if __name__ == "__main__":
    main()
