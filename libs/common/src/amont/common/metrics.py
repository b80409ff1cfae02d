"""Every metric there is, with a line on each. Labels are bounded: services, topics, reasons and outcomes, never ids."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

REGISTRY = CollectorRegistry(auto_describe=True)
"""One registry per process."""
ProcessCollector(registry=REGISTRY)
"""What Linux says of the process, as every Prometheus client does: `process_start_time_seconds`, `process_resident_memory_bytes`, and the like."""
DELAYS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)
"""Seconds: from what nobody notices to what an outage costs."""

EVENTS_APPLIED = Counter("amont_events_applied", "Events that took effect", ["service", "type"], registry=REGISTRY)
EVENTS_IGNORED = Counter("amont_events_ignored", "Saves dropped because the event had been applied before", ["service"], registry=REGISTRY)
EVENTS_SKIPPED = Counter(
    "amont_events_skipped", "Events of a known type that this service does not need", ["service", "type"], registry=REGISTRY
)
EVENTS_PUBLISHED = Counter("amont_events_published", "Events that the log acknowledged", ["service"], registry=REGISTRY)
DEAD_LETTERS = Counter("amont_dead_letters", "Records parked in the dead-letter topic, by reason", ["service", "reason"], registry=REGISTRY)
BATCH_RETRIES = Counter(
    "amont_batch_retries", "Batches begun again: a lost compare-and-set or an outage", ["service", "why"], registry=REGISTRY
)
BATCH_SECONDS = Histogram(
    "amont_batch_seconds", "From a batch's arrival to its effects being saved and published", ["service"], registry=REGISTRY
)
COMMANDS = Counter("amont_commands", "Commands by outcome", ["service", "command", "outcome"], registry=REGISTRY)
REQUESTS_LIMITED = Counter(
    "amont_requests_limited",
    "Requests that were refused because their client asks too often, by what it is known by",
    ["client"],
    registry=REGISTRY,
)
DUE_HANDLED = Counter("amont_due_handled", "Documents whose time had come, by outcome", ["service", "outcome"], registry=REGISTRY)
DOCUMENTS_UNREADABLE = Counter(
    "amont_documents_unreadable",
    "Documents that this release cannot read, each time it passes over one: a newer one may have written them",
    ["service", "collection"],
    registry=REGISTRY,
)
OUTBOX_SWEPT = Counter("amont_outbox_swept", "Documents whose events the sweeper had to publish", ["service"], registry=REGISTRY)
OUTBOX_PENDING = Gauge(
    "amont_outbox_pending", "Documents with events that are not known to be on the log, when last swept", ["service"], registry=REGISTRY
)
OUTBOX_OLDEST_SECONDS = Gauge("amont_outbox_oldest_seconds", "How long the oldest of them has waited", ["service"], registry=REGISTRY)
RELAY_SECONDS = Histogram(
    "amont_relay_seconds",
    "From an event being decided to the log having acknowledged it",
    ["service"],
    buckets=DELAYS,
    registry=REGISTRY,
)
EFFECT_SECONDS = Histogram(
    "amont_event_to_effect_seconds",
    "From an event being decided by one service to its effect being saved by another",
    ["service"],
    buckets=DELAYS,
    registry=REGISTRY,
)
DEAD_LETTERS_OPEN = Gauge("amont_dead_letters_open", "Dead letters that nobody has resolved yet", ["service"], registry=REGISTRY)
KEYS_PARKED = Gauge("amont_keys_parked", "Keys whose records wait behind an unresolved dead letter", ["service"], registry=REGISTRY)
READERS_HALTED = Gauge(
    "amont_readers_halted", "Subscriptions that stand still after too many dead letters in a row", ["service"], registry=REGISTRY
)
READERS_ALIVE = Gauge("amont_readers_alive", "Subscriptions that are reading", ["service"], registry=REGISTRY)
READERS_IN_TROUBLE = Gauge("amont_readers_in_trouble", "Subscriptions that only a new process can mend", ["service"], registry=REGISTRY)
LAG = Gauge("amont_lag", "Records of a partition that the group has not read yet", ["group", "partition"], registry=REGISTRY)
PARTITIONS_RESTING = Gauge(
    "amont_partitions_resting", "Partitions whose batch had to be given back and is not taken yet", ["group"], registry=REGISTRY
)
HRIS_RECORDS = Counter("amont_hris_records", "Staff records by tenant and by what became of them", ["tenant", "outcome"], registry=REGISTRY)
HRIS_FIELDS_DROPPED = Counter(
    "amont_hris_fields_dropped", "Parts of staff records that were left out, by why", ["field"], registry=REGISTRY
)
MOVES_REFUSED = Counter(
    "amont_moves_refused",
    "Former ids in staff records that could not be followed, by why (unknown, claimed, handed-over); once a day for each as long as it is named",
    ["why"],
    registry=REGISTRY,
)
BREAKER_TRIPS = Counter(
    "amont_breaker_trips",
    "How often a subsidiary's feed has said so many leavers within an hour that they are held",
    ["tenant"],
    registry=REGISTRY,
)
BREAKER_OPEN_SECONDS = Counter(
    "amont_breaker_open_seconds", "How long leavers have been held without a coordinator's word", ["tenant"], registry=REGISTRY
)
MANAGEMENT_CYCLES = Counter(
    "amont_management_cycles", "Cycles in the management graph that were found, and that are gone", ["what"], registry=REGISTRY
)
RETENTION = Counter(
    "amont_retention",
    "What was let go of because its time was over, by what it was (leavers, pairs, plans, deliveries, decisions); leavers-waiting once a day for each who "
    "cannot go yet",
    ["what"],
    registry=REGISTRY,
)
ERASURES = Counter(
    "amont_erasures",
    "Erasures of people by how far they are (ordered, cleared, forgotten); late once an hour for each that a service has not answered for a day",
    ["stage"],
    registry=REGISTRY,
)
PAIRS = Counter("amont_pairs", "Pairs by what happened to them", ["event"], registry=REGISTRY)
SESSIONS = Counter("amont_sessions", "Sessions by what happened to them", ["event"], registry=REGISTRY)
DELIVERIES = Counter("amont_deliveries", "Deliveries by channel and outcome", ["channel", "outcome"], registry=REGISTRY)
ROUND_SECONDS = Histogram("amont_round_seconds", "Solving one round", registry=REGISTRY)
ROUNDS_FORGOTTEN = Counter(
    "amont_rounds_forgotten",
    "What decided rounds have let go of when its time was over: files, decision, people",
    ["what"],
    registry=REGISTRY,
)
