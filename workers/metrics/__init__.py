"""What is counted while the product runs, in every process, and kept in Redis where each API process reads it."""
