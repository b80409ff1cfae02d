"""The four services in one process on SQLite: `amont up` for keeps, `amont demo` to look at. Puts together; knows no rule."""
