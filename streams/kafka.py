"""What needs an administrator of Kafka: topics as `topics.py` has them, and a look whether the broker answers."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from streams.topics import HOUR_MS, TOPICS

log = logging.getLogger(__name__)


class KafkaAwayError(RuntimeError):
    """Kafka cannot be reached or refuses to set topics up; the message says what to do."""


def answers(servers: Sequence[str], timeout_s: float = 1.0) -> bool:
    """Tell whether any broker accepts a connection."""
    for server in servers:
        host, _, port = server.rpartition(":")
        try:
            with socket.create_connection((host, int(port)), timeout_s):
                return True
        except OSError:
            continue
    return False


def set_up_topics(servers: Sequence[str], replication: int = 1) -> tuple[str, ...]:
    """Create the topics that are missing and return their names.

    Raises:
        KafkaAwayError: The broker is away or refused.
    """
    try:
        admin = KafkaAdminClient(bootstrap_servers=list(servers), client_id="jiaoying-setup", request_timeout_ms=8000)
    except KafkaError as error:
        raise KafkaAwayError(
            f"连不上 Kafka（{', '.join(servers)}），请检查地址和服务 "
            f"/ cannot reach Kafka, check address and service: {error}"
        ) from error
    try:
        known = set(admin.list_topics())
        wanted = [topic for topic in TOPICS if topic.name not in known]
        for topic in wanted:
            config = {"retention.ms": str(topic.retention_h * HOUR_MS)}
            new = NewTopic(topic.name, topic.partitions, replication, topic_configs=config)
            try:
                admin.create_topics([new])
            except TopicAlreadyExistsError:
                log.info("topic %s was made by somebody else meanwhile", topic.name)
        return tuple(topic.name for topic in wanted)
    except KafkaError as error:
        raise KafkaAwayError(f"Kafka 拒绝建立主题 / Kafka refused to set topics up: {error}") from error
    finally:
        admin.close()
