"""The client of the CenturyLink Cloud v2 API. Knows HTTP and the wire; never the screen."""
