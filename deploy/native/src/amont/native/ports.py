"""Loopback ports: finding free ones, and asking what listens there whether it is the server that it should be.

Free ports are taken from below the range that systems give to outgoing connections. Within that range a client that keeps reconnecting to a
killed broker can be given the broker's own port and connect to itself, and the broker cannot start again.
"""

import random
import socket
import struct

import psutil
import pymongo
from pymongo.errors import PyMongoError

HOST = "127.0.0.1"
_CANDIDATES = range(15_000, 32_000)
_ANY = random.SystemRandom()  # two test runs with one seed must not choose the same ports


def free_ports(count: int) -> tuple[int, ...]:
    """Different ports on which nothing listens now; somebody may still be faster than we are."""
    found: set[int] = set()
    while len(found) < count:
        port = _ANY.choice(_CANDIDATES)
        if is_free(port):
            found.add(port)
    return tuple(found)


def is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((HOST, port))
        except OSError:
            return False
        return True


def listens(handle: psutil.Process, port: int) -> bool:
    """Whether this very process listens there, rather than somebody who was given the same port."""
    try:
        connections = handle.net_connections("tcp")
    except psutil.Error:
        return False
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in connections)


def kafka_answers(port: int, timeout: float = 2) -> bool:
    """Whether a broker there answers an ApiVersions request (the Kafka protocol guide, key 18, version 0)."""
    correlation = _ANY.getrandbits(31)
    request = struct.pack(">hhih", 18, 0, correlation, -1)
    try:
        with socket.create_connection((HOST, port), timeout) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.recv(10, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(answer) == 10 and struct.unpack(">iih", answer)[1:] == (correlation, 0)


def store_answers(port: int, timeout: float = 2) -> bool:
    """Whether a server of MongoDB's wire protocol there answers a ping."""
    wait = int(timeout * 1000)
    address = f"mongodb://{HOST}:{port}/?serverSelectionTimeoutMS={wait}&connectTimeoutMS={wait}&socketTimeoutMS={wait}"
    try:
        socket.create_connection((HOST, port), timeout).close()  # a refusal is known at once; the driver would look for the server again
        with pymongo.MongoClient[dict[str, object]](address) as client:
            client.admin.command("ping")
    except (OSError, PyMongoError):
        return False
    return True
