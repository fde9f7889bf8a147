"""The terminal under Textual: checks, driver, input gate, frames and output."""
