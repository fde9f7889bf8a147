"""The screens. The only code that imports textual; it uses the engine, never the API client."""
