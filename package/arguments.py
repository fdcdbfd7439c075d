"""The arguments of the package's component: made by `make docs` from the settings."""

from typing import NotRequired, TypedDict


class FilePipelineArgs(TypedDict):
    """What a pipeline is set to. Each is plain: it is checked before any resource is declared."""

    retain_data: NotRequired[bool]
    """Keep bucket, table and key when the stack is destroyed, and protect them from deletion. false: the stack can be destroyed with objects inside. Default: true."""
    key_deletion_days: NotRequired[int]
    """Days between a KMS key's deletion and its end. Allowed: 7 to 30. Default: 30."""
    kms_key_arn: NotRequired[str]
    """ARN of a key of your own, in the stack's account and region, in place of the stack's. `python -m tools.key_policy` prints, and checks, what its policy must say. Default: ""."""
    permissions_boundary_arn: NotRequired[str]
    """ARN of the policy that limits every role of the stack. Empty: no boundary. Default: ""."""
    iam_path: NotRequired[str]
    """Path of every role's name. Default: "/"."""
    upload_retention_days: NotRequired[int]
    """Days after which an uploaded object expires. 0: never. Default: 90."""
    processed_retention_days: NotRequired[int]
    """Days after which published valid records expire. 0: never. Default: 0."""
    rejected_retention_days: NotRequired[int]
    """Days after which published rejected records expire, which may hold personal data. 0: when the uploads do. Default: 0."""
    old_version_retention_days: NotRequired[int]
    """Days after which an old object version expires. 0: never. Default: 180."""
    multipart_upload_days: NotRequired[int]
    """Days after which an unfinished multipart upload ends. Minimum: 1. Default: 7."""
    intelligent_tiering: NotRequired[bool]
    """Store objects of 128 KB and more in S3 Intelligent-Tiering. Default: false."""
    archive_after_days: NotRequired[int]
    """Days without access before Intelligent-Tiering archives an object, which then cannot be read until it is restored. 0: never. Allowed: 0, or 90 to 730. Default: 0."""
    deep_archive_after_days: NotRequired[int]
    """Days without access before Intelligent-Tiering moves an object to the deep archive. 0: never. Allowed: 0, or 180 to 730. Default: 0."""
    event_bridge_notifications: NotRequired[bool]
    """Send the bucket's events to EventBridge too, for consumers of your own. Each event is billed. Default: false."""
    cors_origins: NotRequired[list[str]]
    """Origins that may upload from a browser. Empty: no CORS rule. Default: []."""
    cors_max_age_seconds: NotRequired[int]
    """Seconds a browser may cache a CORS answer. Allowed: 0 to 86400. Default: 3000."""
    access_log_retention_days: NotRequired[int]
    """Days the bucket's access logs are kept. Minimum: 1. Default: 365."""
    max_receive_count: NotRequired[int]
    """Receives of a message before it moves to the dead-letter queue. Allowed: 3 to 1000. Default: 5."""
    intake_retention_days: NotRequired[int]
    """Days a message waits in the intake queue before SQS drops it. Allowed: 1 to 13. Default: 4."""
    dead_letter_retention_days: NotRequired[int]
    """Days until SQS deletes a dead-letter message, from when it entered the first queue. Allowed: 2 to 14. Default: 14."""
    dead_letter_visibility_seconds: NotRequired[int]
    """Seconds a received dead-letter message stays hidden. Allowed: 0 to 43200. Default: 300."""
    max_concurrency: NotRequired[int]
    """Ingest functions that run at once, capped at the event source. Allowed: 2 to 1000. Default: 10."""
    table_billing_mode: NotRequired[str]
    """How the catalog table is billed. Allowed: PAY_PER_REQUEST, PROVISIONED. Default: "PAY_PER_REQUEST"."""
    table_max_read_units: NotRequired[int]
    """Maximum read units a second that the table on demand, and each of its indexes, may use. 0: no limit; to lift one that is deployed, raise it. Default: 0."""
    table_max_write_units: NotRequired[int]
    """Maximum write units a second that the table on demand, and each of its indexes, may use. 0: no limit; to lift one that is deployed, raise it. Default: 0."""
    table_read_capacity: NotRequired[int]
    """Read capacity units of the table, when provisioned. Minimum: 1. Default: 5."""
    table_write_capacity: NotRequired[int]
    """Write capacity units of the table, when provisioned. Minimum: 1. Default: 5."""
    index_read_capacity: NotRequired[int]
    """Read capacity units of each index, when provisioned. Minimum: 1. Default: 2."""
    index_write_capacity: NotRequired[int]
    """Write capacity units of each index, when provisioned. Minimum: 1. Default: 2."""
    table_autoscaling: NotRequired[bool]
    """Scale provisioned capacity with the load. Default: true."""
    autoscaling_min_capacity: NotRequired[int]
    """Minimum capacity units that autoscaling sets. Minimum: 1. Default: 25."""
    autoscaling_max_capacity: NotRequired[int]
    """Maximum capacity units that autoscaling sets. Minimum: 1. Default: 1000."""
    autoscaling_target_percent: NotRequired[int]
    """Utilization that autoscaling aims at, in percent. Allowed: 20 to 90. Default: 70."""
    index_shards: NotRequired[int]
    """Partition keys that one bucket's or status's index entries are spread over. Allowed: 1 to 200. Default: 8."""
    catalog_retention_days: NotRequired[int]
    """Days after its last change after which a catalog item expires. 0: never. No message returns after 30 days, and no item may expire before the bucket forgets the file. Allowed: 0, or 30 to 3650. Default: 365."""
    reconciliation_hours: NotRequired[int]
    """Hours between two searches for uploads whose event never came. 0: no search. Allowed: 0 to 168. Default: 24."""
    reconciliation_delay_seconds: NotRequired[int]
    """Seconds that an upload must be older than the intake's oldest message to be searched for. Allowed: 1 to 86400. Default: 3600."""
    function_memory_mb: NotRequired[int]
    """Memory of a function, in MB. With api, less than its requests may need is refused: 226 with the defaults of apiMaxBodyBytes and apiMaxRecords. Allowed: 128 to 10240. Default: 1024."""
    function_timeout_seconds: NotRequired[int]
    """Time-out of a function. Allowed: 3 to 900. Default: 120."""
    log_level: NotRequired[str]
    """Lowest level that the functions log. Allowed: DEBUG, INFO, WARNING, ERROR. Default: "INFO"."""
    detailed_tracing: NotRequired[bool]
    """Trace each call to AWS as a subsegment in X-Ray. It makes cold starts slower. Default: false."""
    log_retention_days: NotRequired[int]
    """Days the functions' logs are kept. Allowed: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653. Default: 365."""
    lambda_insights_layer_arn: NotRequired[str]
    """ARN of the LambdaInsightsExtension layer (arm64) in the stack's region. Empty: no Insights. Default: ""."""
    layer_platform: NotRequired[str]
    """What the shared layer is built for: Lambda's arm64, or (local cloud) this machine. Allowed: lambda, host. Default: "lambda"."""
    time_reserve_seconds: NotRequired[int]
    """Seconds at the end of an invocation that are kept for publishing results and writing the catalog. The largest record file leaves twice as many. Minimum: 1. Default: 10."""
    subnet_ids: NotRequired[list[str]]
    """Subnets of a VPC that the functions run in. Empty: in no VPC. docs/configuration.md lists the endpoints that they need. Default: []."""
    security_group_ids: NotRequired[list[str]]
    """Security groups of the functions in the VPC. Default: []."""
    release: NotRequired[str]
    """How a new version takes over: allAtOnce with the update; the others step by step, by CodeDeploy, when `operate release` is run, with a rollback on alarms. Allowed: allAtOnce, canary10Percent5Minutes, canary10Percent10Minutes, canary10Percent15Minutes, canary10Percent30Minutes, linear10PercentEvery1Minute, linear10PercentEvery2Minutes, linear10PercentEvery3Minutes, linear10PercentEvery10Minutes. Default: "allAtOnce"."""
    kept_versions: NotRequired[int]
    """Old versions of each function that `operate release` keeps, to go back to. Allowed: 1 to 50. Default: 5."""
    api_snap_start: NotRequired[bool]
    """Start the API's function from a snapshot (SnapStart): shorter cold starts. Each published version is billed for as long as it exists, and each start from it. Default: false."""
    max_object_bytes: NotRequired[int]
    """Size above which an object is skipped, in bytes. Allowed: 1 to 5497558138880. Default: 1073741824."""
    allowed_extensions: NotRequired[list[str]]
    """Accepted extensions; a name without one is always accepted. Default: [".jpg", ".jpeg", ".png", ".pdf", ".txt", ".xml", ".csv", ".json", ".ndjson", ".jsonl", ".csv.gz", ".json.gz", ".ndjson.gz", ".jsonl.gz"]."""
    refused_prefixes: NotRequired[list[str]]
    """Folders, at the top of the bucket or of uploads/, whose objects are skipped. Default: ["temp/", "tmp/", ".aws/", ".git/"]."""
    record_types: NotRequired[list[str]]
    """Which files hold records: a key prefix, =, and the name of a file in lambda_src/shared/records/schemas. The longest prefix that fits a key counts. Default: ["uploads/shipments/=shipment"]."""
    record_schemas: NotRequired[str]
    """Folder with schemas of your own, packed with those of lambda_src/shared/records/schemas: a path from the folder of this program, or an absolute one. Empty: none. Default: ""."""
    max_rejected_records: NotRequired[int]
    """Maximum rejected records of a file, or the file itself is rejected: each takes time. Minimum: 1. Default: 200000."""
    record_bytes_per_second: NotRequired[int]
    """Speed of the record work that is counted on, in bytes a second after decompression. The largest record file is what is read so in functionTimeoutSeconds less twice timeReserveSeconds. Minimum: 1000000. Default: 10000000."""
    api: NotRequired[bool]
    """Create the HTTP API and its user pool. false: files arrive in the bucket alone. Default: true."""
    api_throttle_rate: NotRequired[int]
    """Requests a second that the API takes. Allowed: 1 to 10000. Default: 100."""
    api_throttle_burst: NotRequired[int]
    """Requests at once that the API takes. Allowed: 1 to 5000. Default: 200."""
    api_open_throttle_rate: NotRequired[int]
    """Requests a second that each route takes that asks for no token, such as /health. Allowed: 1 to 10000. Default: 5."""
    api_open_throttle_burst: NotRequired[int]
    """Requests at once that each route without a token takes. Allowed: 1 to 5000. Default: 10."""
    api_reserved_concurrency: NotRequired[int]
    """Reserved concurrency of the API's function: executions that no other function of the account can use, and the most that it can. 0: none is reserved. Default: 0."""
    api_timeout_seconds: NotRequired[int]
    """Time-out of the API's function; an HTTP API waits 30 s at most. Allowed: 3 to 29. Default: 29."""
    api_max_body_bytes: NotRequired[int]
    """Largest body that the API takes, in bytes. Escaped as a JSON text it must fit into Lambda's 6 MB, and what it needs into functionMemoryMb. Allowed: 1024 to 5242880. Default: 4194304."""
    api_max_records: NotRequired[int]
    """Maximum records in one request. Allowed: 1 to 20000. Default: 10000."""
    api_latency_alarm_ms: NotRequired[int]
    """Latency of the API (p99) above which an alarm is raised, in ms. Allowed: 100 to 30000. Default: 5000."""
    api_cors_origins: NotRequired[list[str]]
    """Origins that may call the API from a browser. Empty: no CORS. Default: []."""
    api_cors_max_age_seconds: NotRequired[int]
    """Seconds a browser may cache the API's CORS answer. Allowed: 0 to 86400. Default: 3600."""
    upload_link_seconds: NotRequired[int]
    """Seconds that a link to upload with, or to rejected records, works. Allowed: 60 to 3600. Default: 900."""
    password_min_length: NotRequired[int]
    """Minimum password length, in characters. Allowed: 8 to 99. Default: 12."""
    self_signup: NotRequired[bool]
    """Let people sign themselves up; they are in no group. Default: false."""
    temporary_password_days: NotRequired[int]
    """Days within which a user must replace a temporary password. Allowed: 1 to 365. Default: 3."""
    token_minutes: NotRequired[int]
    """Minutes that an access token or an ID token is valid. Allowed: 5 to 1440. Default: 60."""
    refresh_token_days: NotRequired[int]
    """Days that a refresh token is valid: then a user signs in again. Allowed: 1 to 3650. Default: 30."""
    threat_protection: NotRequired[str]
    """Cognito's threat protection: audit assesses each sign-in and blocks none, enforced blocks those that it takes for an attack. Both need the Plus plan, billed by user. Allowed: off, audit, enforced. Default: "audit"."""
    threat_protection_skipped_ranges: NotRequired[list[str]]
    """Addresses, in CIDR notation, whose sign-ins threat protection does not look at: those of programs that sign in again and again. Default: []."""
    test_user: NotRequired[bool]
    """Create a user for tests, in the group of writers, with a generated password. Default: false."""
    program_client: NotRequired[bool]
    """Create a client for programs, with a secret, that signs in by client credentials. Billed. Default: false."""
    readers_group: NotRequired[str]
    """Group of users who may read through the API. Default: "readers"."""
    writers_group: NotRequired[str]
    """Group of users who may also send to the API. Default: "writers"."""
    read_scope: NotRequired[str]
    """Scope of programs that may read through the API. Default: "files/read"."""
    write_scope: NotRequired[str]
    """Scope of programs that may also send to the API. Default: "files/write"."""
    jwt_issuer: NotRequired[str]
    """URL of an OIDC provider of your own, whose tokens the API takes in place of a user pool's. Default: ""."""
    jwt_audiences: NotRequired[list[str]]
    """Whom its tokens must be issued for: aud or, where there is none, client_id. Default: []."""
    jwt_groups_claim: NotRequired[str]
    """Claim that names a user's groups. Default: "groups"."""
    jwt_scopes_claim: NotRequired[str]
    """Claim that names a program's scopes. Default: "scope"."""
    delivery_endpoint: NotRequired[str]
    """HTTPS URL that every finished file is posted to. Empty: no delivery, no function. Default: ""."""
    delivery_timeout_seconds: NotRequired[int]
    """Seconds that the endpoint may take to answer one delivery. Allowed: 1 to 60. Default: 10."""
    delivery_retry_seconds: NotRequired[int]
    """Seconds for which a delivery that fails is tried again; then it is dead-lettered. Allowed: 10 to 86400. Default: 21600."""
    delivery_max_concurrency: NotRequired[int]
    """Deliveries that run at once, capped at the event source. Allowed: 2 to 1000. Default: 5."""
    deliver_checks: NotRequired[bool]
    """Deliver the files of `operate check` too, which are named uploads/checks/check-…. Default: false."""
    delivery_alarm_seconds: NotRequired[int]
    """Age of a delivery from which the alarm for late ones is raised. Minimum: 5. Default: 900."""
    alarms: NotRequired[bool]
    """Create the alarms, and the topic that they are published to. Default: true."""
    dashboard: NotRequired[bool]
    """Create the dashboard. Default: true."""
    alert_emails: NotRequired[list[str]]
    """Addresses that the alarms are sent to; each must confirm its subscription. Default: []."""
    failed_alarm_percent: NotRequired[int]
    """Share of the files of five minutes above which failed ones raise an alarm. Allowed: 0 to 99. Default: 5."""
    rejected_alarm_percent: NotRequired[int]
    """Share of an hour's files above which rejected ones raise an alarm. 100: no alarm. Allowed: 0 to 100. Default: 20."""
    final_within_seconds: NotRequired[int]
    """Seconds from its upload to its final status after which a file is late. 0: no target, no alarm. Allowed: 0 to 86400. Default: 300."""
    final_within_percent: NotRequired[int]
    """Share of the files that should not be late. The alarm is raised while so many are late that the rest would be used up long before a month has passed. Allowed: 95 to 99. Default: 99."""
    silence_alarm_hours: NotRequired[int]
    """Hours without a new file after which an alarm is raised. 0: no alarm. Allowed: 0 to 168. Default: 0."""
    alarm_topic_arns: NotRequired[list[str]]
    """ARNs of topics of your own that the alarms are published to too, in the stack's region. Default: []."""
