"""The client of the CenturyLink Cloud v2 API. It knows HTTP and the wire format, not the screen."""
