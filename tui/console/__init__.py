"""The screens. The only code that imports textual; it speaks to the engine and never to the API."""
