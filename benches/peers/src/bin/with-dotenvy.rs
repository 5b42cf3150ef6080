//! A program that starts with dotenvy.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    dotenvy::dotenv()?;
    std::hint::black_box(std::env::var("PORT")?);
    Ok(())
}
