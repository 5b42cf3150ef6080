//! A program that starts with ioenv.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    ioenv::load()?;
    std::hint::black_box(std::env::var("PORT")?);
    Ok(())
}
