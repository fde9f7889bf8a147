"""The terminal under Textual: checks, driver, input queue, frames and output."""
