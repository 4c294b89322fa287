//! Embeds the BPF objects, the hash of the ABI header and the hash of the objects. Compiles nothing.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

const OBJECTS: [&str; 4] = ["engine.new.bpf.o", "engine.old.bpf.o", "node.new.bpf.o", "node.old.bpf.o"];

/// FNV-1a, 64 bit, as in scripts/generate-abi.ts.
fn fnv1a64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn read(path: &Path) -> Vec<u8> {
    println!("cargo:rerun-if-changed={}", path.display());
    fs::read(path).unwrap_or_else(|error| {
        println!("cargo::error={}: {error}. Build the BPF objects first: make -C native/bpf", path.display());
        std::process::exit(1)
    })
}

fn write(path: &Path, bytes: &[u8]) {
    if let Err(error) = fs::write(path, bytes) {
        println!("cargo::error={}: {error}", path.display());
        std::process::exit(1);
    }
}

fn main() {
    println!("cargo:rerun-if-env-changed=PALISADE_BPF_DIR");
    let native = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("..");
    let objects = env::var("PALISADE_BPF_DIR").map_or_else(|_| native.join("bpf/out"), PathBuf::from);
    let out = PathBuf::from(env::var("OUT_DIR").unwrap_or_default());

    let header = read(&native.join("abi/palisade.h"));
    write(&out.join("abi_hash.rs"), format!("{:#018x}", fnv1a64(&header)).as_bytes());
    for name in OBJECTS {
        write(&out.join(name), &read(&objects.join(name)));
    }
}
