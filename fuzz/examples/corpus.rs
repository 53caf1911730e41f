//! Writes the texts that fuzzing begins with to `target/corpus`, where the fuzzer adds what it finds worth keeping.

use std::path::Path;

use plimsoll_fuzz::seeds;

fn main() -> Result<(), String> {
    for (target, _) in seeds::TARGETS {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/corpus").join(target);
        let told = |error: std::io::Error| format!("{}: {error}", directory.display());
        std::fs::create_dir_all(&directory).map_err(told)?;
        for (n, text) in seeds::of(target)?.into_iter().enumerate() {
            std::fs::write(directory.join(format!("seed-{n:03}.sql")), text).map_err(told)?;
        }
    }
    Ok(())
}
