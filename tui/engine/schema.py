"""The journal's tables, version by version."""

APPLICATION_ID = 0x50495453
"""Marks the file as a journal of Pitstop ("PITS")."""

VERSIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE windows (
            id TEXT PRIMARY KEY, endpoint TEXT NOT NULL, account TEXT NOT NULL, user TEXT NOT NULL,
            reason TEXT NOT NULL, opened REAL NOT NULL, planned_end REAL, closed REAL
        ) WITHOUT ROWID""",
        # owner: the process that carries it out, NULL when none does. stop: somebody asked to stop sending.
        """CREATE TABLE operations (
            key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
            window TEXT NOT NULL REFERENCES windows, action TEXT NOT NULL, reason TEXT NOT NULL,
            max_failed INTEGER, started REAL NOT NULL, ended REAL,
            owner TEXT, heartbeat REAL NOT NULL, stop INTEGER NOT NULL DEFAULT 0
        )""",
        "CREATE INDEX operations_by_window ON operations (window)",
        """CREATE TABLE batches (
            operation INTEGER NOT NULL REFERENCES operations ON DELETE CASCADE,
            position INTEGER NOT NULL, wave INTEGER NOT NULL, data_center TEXT NOT NULL,
            submitted REAL,
            PRIMARY KEY (operation, position)
        ) WITHOUT ROWID""",
        # One server of one operation, and where it stands: always the newest of its outcomes.
        """CREATE TABLE targets (
            key INTEGER PRIMARY KEY,
            operation INTEGER NOT NULL REFERENCES operations ON DELETE CASCADE,
            batch INTEGER NOT NULL, server TEXT NOT NULL, was_in_maintenance INTEGER,
            state TEXT NOT NULL, at REAL NOT NULL, job TEXT NOT NULL, message TEXT NOT NULL
        )""",
        "CREATE INDEX targets_by_operation ON targets (operation)",
        # Every transition of every target, in the order they happened.
        """CREATE TABLE outcomes (
            key INTEGER PRIMARY KEY,
            target INTEGER NOT NULL REFERENCES targets ON DELETE CASCADE,
            state TEXT NOT NULL, at REAL NOT NULL, job TEXT NOT NULL, message TEXT NOT NULL
        )""",
        "CREATE INDEX outcomes_by_target ON outcomes (target)",
        """CREATE TRIGGER newest_outcome AFTER INSERT ON outcomes BEGIN
            UPDATE targets SET state = NEW.state, at = NEW.at, job = NEW.job, message = NEW.message
            WHERE key = NEW.target;
        END""",
        # How long jobs took: tells when to look next time.
        """CREATE TABLE durations (
            key INTEGER PRIMARY KEY, action TEXT NOT NULL, servers INTEGER NOT NULL,
            seconds REAL NOT NULL, at REAL NOT NULL
        )""",
        "CREATE INDEX durations_by_size ON durations (action, servers)",
    ),
    # The machine's boot and the time since it when a batch was sent: no setting of the clock moves that.
    ("ALTER TABLE batches ADD COLUMN uptime TEXT",),
)
"""Each version's statements lead from the version before to it. Never change a released one: add one."""
