"""Landing bucket and key: encryption, access, retention."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.conftest import ACCOUNT, REGION, declare
from tests.declared_stack import DeclaredStack, Json, dig


def rules(stack: DeclaredStack) -> dict[str, Mapping[str, Json]]:
    return {
        str(rule["id"]): rule for rule in stack.one("BucketLifecycleConfiguration", "landing-lifecycle").parts("rules")
    }


@pytest.mark.parametrize("bucket", ["landing", "landing-logs"])
def test_every_bucket_is_versioned_private_and_owned(stack: DeclaredStack, bucket: str) -> None:
    prefix = f"file-pipeline-{stack.stage}-{bucket}"
    versioning = stack.one("BucketVersioning", f"{prefix}-versioning")
    ownership = stack.one("BucketOwnershipControls", f"{prefix}-ownership")
    block = stack.one("BucketPublicAccessBlock", f"{prefix}-public-access")
    policy = stack.one("BucketPolicy", f"{prefix}-policy").statements()

    assert versioning.part("versioningConfiguration") == {"status": "Enabled"}
    assert ownership.part("rule") == {"objectOwnership": "BucketOwnerEnforced"}
    assert all(
        block.inputs[key] is True
        for key in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    )
    deny = policy["DenyInsecureTransport"]
    assert (deny["Effect"], deny["Principal"], deny["Action"]) == ("Deny", "*", ["s3:*"])
    assert deny["Resource"] == [f"arn:aws:s3:::{prefix}", f"arn:aws:s3:::{prefix}/*"]
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_landing_bucket_is_encrypted_with_the_stacks_key(stack: DeclaredStack) -> None:
    (rule,) = stack.one("BucketServerSideEncryptionConfiguration", "-landing-encryption").parts("rules")

    assert rule["bucketKeyEnabled"] is True
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key_arn(stack)}


def test_uploads_over_old_tls_or_under_another_key_are_denied(stack: DeclaredStack) -> None:
    policy = stack.one("BucketPolicy", "-landing-policy").statements()
    algorithm, key = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"

    assert policy["DenyOldTls"]["Condition"] == {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
    # A request that names nothing gets the bucket's default: only a header that is there and differs is denied.
    assert policy["DenyOtherEncryption"]["Condition"] == {
        "StringNotEquals": {algorithm: "aws:kms"},
        "Null": {algorithm: "false"},
    }
    assert policy["DenyOtherKey"]["Condition"] == {"StringNotEquals": {key: key_arn(stack)}, "Null": {key: "false"}}
    # aws:kms alone would mean the account's own key for S3.
    assert policy["DenyUnnamedKey"]["Condition"] == {"Null": {algorithm: "false", key: "true"}}
    # It could not be read when its event comes.
    assert policy["DenyArchivedUploads"]["Condition"] == {
        "StringEquals": {"s3:x-amz-storage-class": ["GLACIER", "DEEP_ARCHIVE"]}
    }
    assert (policy["DenyArchivedUploads"]["Action"], policy["DenyArchivedUploads"]["Resource"]) == (
        ["s3:PutObject"],
        [f"arn:aws:s3:::file-pipeline-{stack.stage}-landing/*"],
    )
    denials = ("DenyArchivedUploads", "DenyOldTls", "DenyOtherEncryption", "DenyOtherKey", "DenyUnnamedKey")
    assert all(policy[sid]["Effect"] == "Deny" for sid in denials)


def test_events_are_sent_for_uploads_and_nothing_else(stack: DeclaredStack) -> None:
    notification = stack.one("BucketNotification")
    (queue,) = notification.parts("queues")

    assert notification.inputs["eventbridge"] is False, "billed, and nobody listens unless config says so"
    assert (queue["filterPrefix"], queue["events"]) == ("uploads/", ["s3:ObjectCreated:*"])
    assert "lambdaFunctions" not in notification.inputs
    assert "topics" not in notification.inputs


def test_the_notification_waits_for_the_queue_policy(stack: DeclaredStack) -> None:
    assert stack.one("QueuePolicy", "-queue-policy").urn in stack.one("BucketNotification").dependencies


def test_others_may_listen_to_the_bucket_where_config_says_so() -> None:
    listened = declare("dev", overrides={"eventBridgeNotifications": True})

    assert listened.one("BucketNotification").inputs["eventbridge"] is True


def test_only_prod_tiers_and_nothing_is_archived(dev: DeclaredStack, prod: DeclaredStack) -> None:
    """For what others upload; our own form and results name the class themselves."""
    assert rules(prod)["store-in-intelligent-tiering"]["transitions"] == [
        {"days": 0, "storageClass": "INTELLIGENT_TIERING"}
    ]
    assert "store-in-intelligent-tiering" not in rules(dev)
    for stack, storage_class in ((dev, "STANDARD"), (prod, "INTELLIGENT_TIERING")):
        assert stack.all("BucketIntelligentTieringConfiguration") == []
        for purpose in ("ingest", "api"):
            environment = stack.one("Function", f"-{purpose}").part("environment")["variables"]
            assert dig(environment, "STORAGE_CLASS") == storage_class


@pytest.mark.parametrize(
    ("archive", "deep_archive", "tiers"),
    [
        (90, 180, {"ARCHIVE_ACCESS": 90, "DEEP_ARCHIVE_ACCESS": 180}),
        (100, 0, {"ARCHIVE_ACCESS": 100}),
        (0, 200, {"DEEP_ARCHIVE_ACCESS": 200}),
    ],
)
def test_what_is_not_read_is_archived_where_config_says_so(
    archive: int, deep_archive: int, tiers: dict[str, int]
) -> None:
    settings = {"archiveAfterDays": archive, "deepArchiveAfterDays": deep_archive}
    tiering = declare("prod", overrides=settings).one("BucketIntelligentTieringConfiguration")

    assert {tier["accessTier"]: tier["days"] for tier in tiering.parts("tierings")} == tiers
    assert "filter" not in tiering.inputs


def test_what_expires_and_when(dev: DeclaredStack, prod: DeclaredStack) -> None:
    for stack, days in ((dev, 7), (prod, 90)):
        for name in ("uploads", "rejected"):  # rejected records may hold personal data
            expiring = rules(stack)[f"expire-{name}"]
            assert (expiring["filter"], expiring["expiration"]) == ({"prefix": f"{name}/"}, {"days": days})
        assert "expire-processed" not in rules(stack)
        assert rules(stack)["end-unfinished-uploads"]["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
    # An expired upload becomes an old version: without this rule it would be paid for ever.
    for stack, days in ((dev, 30), (prod, 180)):
        old = rules(stack)["expire-old-versions"]
        assert old["noncurrentVersionExpiration"] == {"noncurrentDays": days}
        assert old["expiration"] == {"expiredObjectDeleteMarker": True}
    assert all(rule["status"] == "Enabled" for stack in (dev, prod) for rule in rules(stack).values())


def test_results_have_retentions_of_their_own() -> None:
    stack = declare("dev", overrides={"processedRetentionDays": 400, "rejectedRetentionDays": 3})

    assert rules(stack)["expire-processed"]["filter"] == {"prefix": "processed/"}
    assert rules(stack)["expire-processed"]["expiration"] == {"days": 400}
    assert rules(stack)["expire-rejected"]["expiration"] == {"days": 3}


@pytest.mark.parametrize(
    ("setting", "rule"), [("oldVersionRetentionDays", "expire-old-versions"), ("uploadRetentionDays", "expire-uploads")]
)
def test_what_has_no_retention_is_kept_for_ever(setting: str, rule: str) -> None:
    assert rule not in rules(declare("dev", overrides={setting: 0, "catalogRetentionDays": 0}))


def test_browsers_may_upload_from_configured_origins_only(dev: DeclaredStack) -> None:
    (rule,) = dev.one("BucketCorsConfiguration").parts("corsRules")

    assert rule["allowedMethods"] == ["GET", "PUT", "POST"]
    assert (rule["allowedOrigins"], rule["maxAgeSeconds"]) == (["*"], 3000)
    assert declare("prod", overrides={"corsOrigins": []}).all("BucketCorsConfiguration") == []
    configured = declare("prod", overrides={"corsOrigins": ["https://app.example.com"]})
    assert configured.one("BucketCorsConfiguration").parts("corsRules")[0]["allowedOrigins"] == [
        "https://app.example.com"
    ]


def test_access_logs_go_to_a_bucket_of_their_own(stack: DeclaredStack) -> None:
    logs = f"file-pipeline-{stack.stage}-landing-logs"
    logging = stack.one("BucketLogging")
    delivery = stack.one("BucketPolicy", "-landing-logs-policy").statements()["AccessLogDelivery"]

    assert (logging.text("targetBucket"), logging.text("targetPrefix")) == (logs, "access-logs/")
    assert delivery["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert delivery["Resource"] == [f"arn:aws:s3:::{logs}/access-logs/*"]
    assert delivery["Condition"] == {
        "ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::file-pipeline-{stack.stage}-landing"},
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
    }


def test_only_dev_can_be_destroyed_with_objects_inside(dev: DeclaredStack, prod: DeclaredStack) -> None:
    assert all(bucket.inputs["forceDestroy"] is True for bucket in dev.all("Bucket"))
    assert all(bucket.inputs["forceDestroy"] is False for bucket in prod.all("Bucket"))


def test_the_key_rotates_yearly_and_has_the_stacks_name(stack: DeclaredStack) -> None:
    key, alias = stack.one("Key"), stack.one("Alias", "-encryption-alias")

    assert key.inputs["enableKeyRotation"] is True
    assert key.number("rotationPeriodInDays") == 365
    assert alias.text("name") == f"alias/file-pipeline-{stack.stage}"


def test_the_key_serves_exactly_the_services_that_need_it(stack: DeclaredStack) -> None:
    statements = stack.one("Key").statements()
    services = {
        sid: statement["Principal"]["Service"]
        for sid, statement in statements.items()
        if isinstance(statement["Principal"], dict) and "Service" in statement["Principal"]
    }

    assert services == {
        "S3EventsToQueues": "s3.amazonaws.com",
        "AlarmsToTopic": "cloudwatch.amazonaws.com",
        "Logs": f"logs.{REGION}.amazonaws.com",
    }
    for sid in ("S3EventsToQueues", "AlarmsToTopic"):
        assert statements[sid]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
        assert statements[sid]["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    logs = [
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/{kind}/file-pipeline-{stack.stage}-*"
        for kind in ("lambda", "vendedlogs")
    ]
    assert statements["Logs"]["Condition"] == {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logs}}
    assert statements["AccountAdministers"]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert set(statements) == {*services, "AccountAdministers"}


def test_everything_that_stores_uses_the_stacks_key(stack: DeclaredStack) -> None:
    own = key_arn(stack)

    assert all(queue.text("kmsMasterKeyId") == own for queue in stack.all("Queue"))
    assert stack.one("Table").part("serverSideEncryption") == {"enabled": True, "kmsKeyArn": own}
    assert stack.one("Topic").text("kmsMasterKeyId") == own
    assert all(group.text("kmsKeyId") == own for group in stack.all("LogGroup"))
    assert all(function.text("kmsKeyArn") == own for function in stack.all("Function"))


def key_arn(stack: DeclaredStack) -> str:
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:file-pipeline-{stack.stage}-encryption-key"
