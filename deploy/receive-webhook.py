#!/usr/bin/python3
"""Receives one webhook, believes it only if it is signed as Standard Webhooks asks, prints its body and ends.

    JOBMILL_WEBHOOK_SECRET=whsec_... receive-webhook.py PORT_FILE

Listens on a free loopback port, which it writes into PORT_FILE. An event whose signature is wrong is answered with 401 and
not printed. Python's standard library is all it needs: a receiver of your own can look like this one.
"""
import base64
import hashlib
import hmac
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

SECRET = base64.b64decode(os.environ["JOBMILL_WEBHOOK_SECRET"].removeprefix("whsec_"))
TOLERANCE = 300  # seconds that a clock may be wrong, and the age at which a recorded event is too old to be replayed


def is_authentic(headers, body):
    """webhook-signature lists `v1,` + base64 of HMAC-SHA256 over `id.timestamp.body`; one of them has to be right."""
    stamp = headers.get("webhook-timestamp", "")
    if not stamp.isdecimal() or abs(time.time() - int(stamp)) > TOLERANCE:
        return False
    signed = f"{headers.get('webhook-id', '')}.{stamp}.".encode() + body
    right = b"v1," + base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest())
    return any(hmac.compare_digest(right, one.encode()) for one in headers.get("webhook-signature", "").split())


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        authentic = is_authentic(self.headers, body)
        self.send_response(204 if authentic else 401)
        self.end_headers()
        if authentic:
            self.server.event = body

    def log_message(self, format, *arguments):
        print("webhook receiver:", format % arguments, file=sys.stderr)


with HTTPServer(("127.0.0.1", 0), Receiver) as server:
    server.event = None
    with open(sys.argv[1] + ".new", "w") as file:
        print(server.server_port, file=file)
    os.rename(sys.argv[1] + ".new", sys.argv[1])  # whoever waits for the file finds it complete
    while server.event is None:
        server.handle_request()
    print(server.event.decode())
