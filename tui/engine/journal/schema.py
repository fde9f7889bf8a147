"""The journal's tables, version by version."""

APPLICATION_ID = 0x50495453
"""Marks the file as a journal of Pitstop ("PITS")."""

VERSIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE windows (
            id TEXT PRIMARY KEY, endpoint TEXT NOT NULL, account TEXT NOT NULL, user TEXT NOT NULL,
            reason TEXT NOT NULL, opened REAL NOT NULL, planned_end REAL, closed REAL
        ) WITHOUT ROWID""",
        # owner: the process that carries it out, or NULL. stop: a console requested to stop sending.
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
        # One server of one operation, and its current state: always the newest of its outcomes.
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
        # How long jobs took: sets the polling intervals of later ones.
        """CREATE TABLE durations (
            key INTEGER PRIMARY KEY, action TEXT NOT NULL, servers INTEGER NOT NULL,
            seconds REAL NOT NULL, at REAL NOT NULL
        )""",
        "CREATE INDEX durations_by_size ON durations (action, servers)",
    ),
    # The machine's boot and the time since it when a batch was sent: no setting of the clock moves that.
    ("ALTER TABLE batches ADD COLUMN uptime TEXT",),
    (
        # What may hold a server in maintenance: sent, not in maintenance before, its return not verified. So
        # the time to find servers left in maintenance depends on their number, not on the whole history.
        """CREATE TABLE held (
            target INTEGER PRIMARY KEY REFERENCES targets ON DELETE CASCADE, server TEXT NOT NULL
        )""",
        "CREATE INDEX held_by_server ON held (server)",
        """CREATE TRIGGER held_since AFTER INSERT ON targets
        WHEN NEW.was_in_maintenance IS NOT 1
            AND (SELECT action FROM operations WHERE key = NEW.operation) = 'startMaintenance'
        BEGIN
            INSERT INTO held VALUES (NEW.key, NEW.server);
        END""",
        """CREATE TRIGGER never_held AFTER INSERT ON outcomes
        WHEN NEW.state IN ('refused', 'failed', 'cancelled')
        BEGIN
            DELETE FROM held WHERE target = NEW.target;
        END""",
        """CREATE VIEW places AS
            SELECT targets.key AS target, targets.server, targets.state, action, endpoint, account
            FROM targets JOIN operations ON operations.key = operation JOIN windows ON windows.id = window""",
        """CREATE TRIGGER held_no_more AFTER INSERT ON outcomes
        WHEN NEW.state = 'verified'
            AND (SELECT action FROM places WHERE target = NEW.target) = 'stopMaintenance'
        BEGIN
            DELETE FROM held WHERE server = (SELECT server FROM targets WHERE key = NEW.target)
                AND target < NEW.target
                AND (SELECT endpoint || ' ' || account FROM places WHERE target = held.target)
                    = (SELECT endpoint || ' ' || account FROM places WHERE target = NEW.target);
        END""",
        """INSERT INTO held SELECT targets.key, server
            FROM targets JOIN operations ON operations.key = operation
            WHERE action = 'startMaintenance' AND was_in_maintenance IS NOT 1
            AND state NOT IN ('refused', 'failed', 'cancelled')""",
        """DELETE FROM held WHERE target IN (
            SELECT began.target FROM places AS back
            JOIN held USING (server) JOIN places AS began ON began.target = held.target
            WHERE back.action = 'stopMaintenance' AND back.state = 'verified' AND back.target > began.target
            AND back.endpoint = began.endpoint AND back.account = began.account
        )""",
        "CREATE INDEX operations_not_ended ON operations (key) WHERE ended IS NULL",
        "CREATE INDEX windows_by_reason ON windows (endpoint, account, reason)",
    ),
    (
        # What is believed of the wall clock, and its newest reading: see ``model.retention``.
        """CREATE TABLE clock (
            id INTEGER PRIMARY KEY CHECK (id = 0), believed REAL NOT NULL,
            at REAL NOT NULL, boot TEXT NOT NULL, uptime REAL NOT NULL
        )""",
        "CREATE INDEX targets_by_server ON targets (server)",
    ),
    # The fencing token: how often an operation was claimed. It distinguishes two claims of one process.
    ("ALTER TABLE operations ADD COLUMN generation INTEGER NOT NULL DEFAULT 1",),
    # The id of the operation whose servers this one tries again; that one may be pruned before it.
    ("ALTER TABLE operations ADD COLUMN retry_of TEXT NOT NULL DEFAULT ''",),
    (
        # A window's log: notes of the operator, and servers that were left or found out of maintenance. The
        # servers are a JSON array.
        """CREATE TABLE notes (
            key INTEGER PRIMARY KEY, window TEXT NOT NULL REFERENCES windows ON DELETE CASCADE,
            at REAL NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, servers TEXT NOT NULL
        )""",
        "CREATE INDEX notes_by_window ON notes (window)",
        "CREATE INDEX windows_open ON windows (endpoint, account, planned_end, reason) WHERE closed IS NULL",
    ),
)
"""Each version's statements lead from the version before to it. Never change a released one: add one."""
